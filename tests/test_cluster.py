"""One population in many processes: the same bytes as in one, also when some of them are killed on the way."""

import numpy as np
import pytest

from sim import cluster
from sim.engine import simulate
from sim.scenario import ScenarioError, change
from tests.markets import market
from tests.test_same import WORLDS, digest


@pytest.fixture(scope="module")
def ray():
    """Two processors of a cluster of our own."""
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install -e '.[cluster]'")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


@pytest.mark.parametrize(("world", "shards"), [("repertoire", 1), ("repertoire", 2), ("provider", 3), ("repertoire", 7)])
def test_any_number_of_processes(ray, world, shards):
    scenario = market(WORLDS[world])
    here, there = simulate(scenario, 1, keep_people=True), cluster.simulate(scenario, shards, keep_people=True)
    assert digest(there.tally) == digest(here.tally)
    assert digest(there.people[0]) == digest(here.people[0])


@pytest.mark.parametrize("folder", [True, False])
def test_whoever_is_killed_is_replaced(ray, monkeypatch, tmp_path, folder):
    """Without a folder everybody is born again, with one they go on from there."""
    scenario = change(market(WORLDS["repertoire"]), {"replications": 2})
    hired, live, seen = [], cluster.Crew.live, []

    def watched(crew, *arguments):
        hired.append(crew)
        return live(crew, *arguments)

    def kill(done, of):
        seen.append(done)
        if done == 60 and len(hired) == 2:
            ray.kill(hired[-1].actors[1])

    monkeypatch.setattr(cluster.Crew, "live", watched)
    there = cluster.simulate(scenario, 3, None, tmp_path if folder else None, 5, progress=kill)
    assert digest(there.tally) == digest(simulate(scenario, 1).tally)
    again = seen[np.flatnonzero(np.diff(seen) < 0)[0] + 1]
    assert len(hired) == 3 and (again > 50 if folder else again == 40)
    assert not list(tmp_path.iterdir())


def test_the_same_call_goes_on_where_its_driver_died(ray, tmp_path):
    scenario, seen = market(WORLDS["repertoire"]), []

    def stop(done, of):
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.simulate(scenario, 2, None, tmp_path, 6, progress=stop)
    there = cluster.simulate(scenario, 2, None, tmp_path, 6, progress=lambda done, of: seen.append(done))
    assert seen[0] > 12 and seen[-1] == 39
    assert digest(there.tally) == digest(simulate(scenario, 1).tally)


def test_a_stored_network_is_heard_everywhere(ray):
    generator = np.random.default_rng(1)
    listeners = generator.integers(0, 600, 1800)
    network = np.arange(601) * 3, listeners
    scenario = market(WORLDS["repertoire"])
    assert digest(cluster.simulate(scenario, 3, network=network).tally) == digest(
        simulate(scenario, 1, network=network).tally
    )


@pytest.mark.parametrize("shards", [0, 33])
def test_a_shard_is_whole_groups(shards):
    with pytest.raises(ScenarioError, match=f"shards: {shards} is not among 1 to 32"):
        cluster.simulate(market(), shards)


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ScenarioError, match="pip install"):
        cluster.simulate(market({"people": 40, "weeks": 13}), 2)
