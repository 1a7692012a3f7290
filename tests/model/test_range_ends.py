"""At the ends of ranges nothing grows without bound, repeats itself or lies."""

import numpy as np
import pytest

from sim.engine import loop
from sim.engine.checks import check_week
from sim.engine.loop import initialize, simulate
from sim.measure.tally import FIXED, Event
from sim.model.declare import ScenarioError
from sim.model.scenario import MOST_USES, build, change
from sim.model.state import LONGEST
from sim.model.timeline import make_world
from sim.model.word_of_mouth import pass_bits
from tests.markets import called, market
from tests.model.strategies import LEAVES

RATES = [
    p
    for p, (_, d) in LEAVES.items()
    if d.unit in ("1/use", "1/message", "1/logit") and p.startswith(("market.", "consumer."))
]


MARKET = {"segments": {"a": {}}, "firms": {"x": {}, "y": {}}}


@pytest.mark.parametrize("path", RATES)
def test_what_is_learned_in_steps_never_overshoots(path):
    """A step of memory, trust, habit or the like at the highest rate declared, in the case that once diverged."""
    point = {"p": {"failure_rate": 0.95, "severity": 10.0}}
    base = {
        **{"people": 200, "weeks": 52, "consumer": {"rate": 2.0}, "segments": {"a": {"voice": 5.0}}},
        "firms": {"x": {"touchpoints": point}, "y": {"touchpoints": point, "presence": 0.02}, "z": {"presence": 0.02}},
    }
    scenario = change(build(base), {path: LEAVES[path][1].high})
    run = simulate(scenario, 1, keep_people=True)
    check_week(run.people[0], make_world(scenario), run.tally, 0, scenario.weeks - 1)
    worst = (
        scenario.market.major_factor * 10 + scenario.consumer.anchor_pull * 10 + 10
    )  # CX: a visit, felt from an anchor
    assert np.abs(run.people[0].bonds["memory"]).max() <= worst


def test_a_past_without_end_is_a_past():
    """Where hardly anybody ever leaves, the uses before the first week are more than numbers hold."""
    consumer = {"turnover": 1.2e-38, "rate": 10.0, "taste_renewal": 1.5, "habit_rate": 0.0}
    scenario = build({"people": 50, "weeks": 4, "window": 1, "consumer": consumer, **MARKET})
    run = simulate(scenario, 1, keep_people=True)
    check_week(run.people[0], make_world(scenario), run.tally, 0, scenario.weeks - 1)


def test_a_share_of_the_gap_is_at_most_all_of_it():
    for path in RATES:
        assert 0 <= LEAVES[path][1].low <= LEAVES[path][1].high <= 1, path


def test_links_of_a_hub_are_drawn_each_for_itself():
    """Addresses have room for 2,048 links a scandal; further ones must not repeat them."""
    word = called(pass_bits)
    key, far = (1, 0), [0, 1, 2047, 2048, 2049, 4096, 100_000, 10_000_000]
    drawn = np.array(
        [[[word(key, np.uint32(n), week, link, k) for k in (0, 31)] for week in (0, 9)] for n in (5, 6) for link in far]
    )
    assert len(np.unique(drawn)) == drawn.size
    hub = np.array([word(key, np.uint32(7), 3, link, 0) for link in range(20_000)]) / 2**32
    assert len(np.unique(hub)) > 19_990 and abs(hub.mean() - 0.5) < 0.01
    assert np.abs(np.corrcoef(hub.reshape(-1, 2000)) - np.eye(10)).max() < 0.1


def test_a_hub_tells_each_of_its_listeners_by_chance():
    """One person with 5,999 recipients: whether the first 2,048 and the next hear of it is not the same again."""
    people = 6000
    links = np.concatenate([[0], np.full(people, people - 1)]).astype(np.int64), np.arange(1, people)
    loud = {"consumer.voice": 10.0, "segments.all.voice": 10.0, "scandals": {"s": {"firm": "f0", "contagion": 0.95}}}
    [shard] = initialize(market({"people": people, **loud}), network=links)
    fresh, nothing = np.array([[0, 0, 1]], np.int32), np.zeros((0, 3), np.int32)
    loop.deliver_outbox(loop.kernel_data(shard), shard.key, 0, 3, nothing, fresh)
    heard = shard.people.news[1:] == 1
    assert 60 < heard.sum() < 140  # 95 are expected
    assert (heard[1:2049] & heard[2049:4097]).sum() < 5


@pytest.mark.parametrize("contract", [1, 5, 255, 257])
def test_a_tenure_that_is_no_longer_told_apart_ends_no_contract(contract):
    """65,535 is a multiple of each of these: a habitual customer woke at every use."""
    scenario = market(
        {"market.contract_weeks": contract, "consumer.attention": 0.0, "consumer.rate": 5.0, "people": 300}
    )
    scenario = change(scenario, {"mechanisms.scandal": False, "burn_in": 0, "weeks": 4, "window": 4})
    [shard] = initialize(scenario)
    shard.people.one["tenure"] = LONGEST
    loop.advance([shard])
    event, stayed = shard.tally.event.sum(axis=(0, 1, 2, 3)), shard.people.one["tenure"] == LONGEST
    assert shard.tally.flow.sum() > 0 and stayed.mean() > 0.9
    assert event[Event.DELIBERATED] < 0.1 * shard.tally.flow.sum()


def test_more_uses_than_can_be_counted_are_refused():
    assert MOST_USES * FIXED <= 2**62
    full = {
        "people": 10**9,
        "weeks": 520,
        "consumer": {"rate": 1.0},
        "segments": {"a": {}},
        "firms": {"x": {}, "y": {}},
    }
    build(full)  # what the README's claims are about
    build({**full, "weeks": 5200, "market": {"regime": "provider"}, "people": 800_000_000})
    for more in ({"replications": 100}, {"consumer": {"rate": 10.0}}, {"segments": {"a": {"rate": 50.0}}}):
        with pytest.raises(
            ScenarioError, match=r"^people x weeks x replications: .* uses are expected; at most 4\.4e\+12"
        ):
            build({**full, **more})


def test_what_does_not_fit_into_memory_is_refused(monkeypatch):
    def full(*_, **__):
        raise MemoryError("Unable to allocate 48.0 GiB for an array with shape (1,) and data type x")

    for name in ("make_people", "empty_tally"):
        with monkeypatch.context() as patch, pytest.raises(ScenarioError) as caught:
            patch.setattr(f"sim.engine.shard.{name}", full)
            initialize(market())
        assert caught.value.complaints == [
            "people, weeks, segments x cohorts, firms: too many for this machine (Unable to allocate 48.0 GiB)"
        ]


@pytest.mark.parametrize("people", [1, 2, 3, 31, 32, 33, 63, 65])
@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_any_number_of_people_and_any_seed(people, seed):
    scenario = market({"people": people, "seed": seed, "weeks": 13, "replications": 2})
    tally = simulate(scenario, 1).tally
    assert tally.people.sum() == 2 * people and (tally.people.sum(axis=1) <= -(-people // 32)).all()
    assert tally.window[..., 1].sum() == tally.flow.sum()


def test_the_longest_run():
    """Weeks of a person's memory have 16 bits: 5,200 of burn-in and 5,200 after."""
    scenario = market({"people": 2, "weeks": 5200, "burn_in": 5200, "window": 520, "network.kind": "none"}, (0.6, 0.4))
    run = simulate(scenario, 1, keep_people=True)
    check_week(run.people[0], make_world(scenario), run.tally, 0, 5199)
    assert run.tally.window[..., 1].sum() == run.tally.flow.sum() > 0
