"""Price weights of people's own, covarying tastes, promotions, a calendar and given people: the same whatever runs."""

import sys

import numpy as np
import pytest

from sim.engine.checks import check_week
from sim.engine.loop import simulate
from sim.mesa import Market
from sim.model.scenario import change
from sim.model.state import make_people
from sim.model.timeline import make_world
from tests.engine.test_same_bits import WORLDS, digest, elsewhere
from tests.markets import market, own_values

SMALL = {"people": 48, "weeks": 12, "burn_in": 4, "window": 6, "moves": {}}


@pytest.fixture(params=["files", "laws"])
def own(request, tmp_path):
    """Changes with the files, or with the laws alone, which draw tastes and price weights."""
    changes = own_values(tmp_path)
    return changes if request.param == "files" else changes | {"calendar": "", "population": ""}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("threads", "shards"), [(2, 1), (1, 3), (2, 7)])
def test_threads_and_shards(world, own, threads, shards):
    scenario = market({**WORLDS[world], **own})
    one, other = (simulate(scenario, *how, keep_people=True) for how in ((1, 1), (threads, shards)))
    assert digest(one.tally) == digest(other.tally) and digest(one.people[1]) == digest(other.people[1])
    for people in one.people:
        check_week(people, make_world(scenario), one.tally, 0, scenario.weeks - 1)
    plain = simulate(market(WORLDS[world]), 1)
    assert digest(one.tally) != digest(plain.tally)


@pytest.mark.parametrize("world", WORLDS)
def test_plain_python(world, own, tmp_path):
    small = {**WORLDS[world], **own, **SMALL}
    here = digest(simulate(market(small)).tally)
    assert elsewhere(sys.executable, small, tmp_path / "numba", NUMBA_DISABLE_JIT="1") == here


def test_the_simulated_gpu(own, tmp_path):
    pytest.importorskip("numba_cuda", reason="the extra `gpu` is not installed")
    from tests.engine.test_gpu import on_simulated_gpu

    tiny = {**WORLDS["repertoire"], **own, **SMALL, "people": 16, "replications": 1}
    here = digest(simulate(market(tiny)).tally)
    assert on_simulated_gpu(tiny, "tests.markets.market", tmp_path / "numba") == here


@pytest.mark.parametrize("activation", ["kernel", "agents"])
def test_mesa(own, activation):
    scenario = market({**WORLDS["repertoire"], **own, **SMALL, "people": 300, "replications": 1})
    model = Market(scenario, activation=activation)
    while model.running:
        model.step()
    run = simulate(scenario, keep_people=True)
    assert digest(model.tally) == digest(run.tally)
    factors = [agent.price_factor for agent in model.consumers]
    assert factors == run.people[0].price_factor.tolist() and len(set(factors)) > 20


def test_a_lever_set_in_mesa_wins_over_the_calendar(tmp_path):
    scenario = market({**WORLDS["repertoire"], **own_values(tmp_path), **SMALL, "replications": 1})
    model = Market(scenario, agents=False)
    f0 = model.competitor["f0"]
    by_calendar = [scenario.firms["f0"].price]
    for _ in range(9):
        by_calendar.append(f0.price)
        model.step()
    assert len(set(by_calendar)) > 2
    f0.price = 1.7
    model.step()
    assert f0.price == 1.7 and model.scenario_now.calendar == scenario.calendar


def test_processes_of_a_cluster_read_no_file(own, tmp_path):
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install -e '.[cluster]'")
    from sim.engine import cluster

    scenario = market({**WORLDS["repertoire"], **own})
    here = simulate(scenario, 1)
    for name in ("calendar.csv", "people.parquet"):
        (tmp_path / name).unlink()
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        assert digest(cluster.simulate(scenario, 2).tally) == digest(here.tally)
    finally:
        ray.shutdown()


def test_memory_of_a_person_grows_by_four_bytes_and_only_if_needed():
    plain, own = (sum(a.nbytes for a in make_people(1000, 3, price_weights=p)) for p in (False, True))
    assert own - plain == 4 * 1000
    run = simulate(market({"people": 64, "weeks": 13}), keep_people=True)
    assert len(run.people[0].price_factor) == 0


def test_people_keep_their_price_weights_in_a_later_run():
    base = market({"people": 500, "weeks": 13, "market.price_weight_sd": 0.5})
    first = simulate(base, keep_people=True)
    again = simulate(change(base, {"market.price_weight_sd": 0.0}), keep_people=True, start=first.people)
    np.testing.assert_array_equal(first.people[0].price_factor, again.people[0].price_factor)
    plain = simulate(change(base, {"market.price_weight_sd": 0.0}), keep_people=True)
    later = simulate(base, keep_people=True, start=plain.people)
    assert (later.people[0].price_factor == 1).all()
