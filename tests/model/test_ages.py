"""People who grow older: the cohort of each week by hand, the same bits everywhere, counts that add up."""

import sys

import numpy as np
import pytest

from sim.compute.random import FIRST, Purpose, random_bits, uniform
from sim.engine.checks import check_week
from sim.engine.loop import advance, initialize, simulate
from sim.mesa import Market
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.study.twins import twins
from tests.engine.test_same_bits import WORLDS, digest, elsewhere
from tests.markets import bare, called, market

COHORTS = {
    "young": {"years": 0.2, "weight": 2.0, "turnover": 3.0},
    "middle": {"years": 0.1, "rate": 1.6, "attention": 0.5, "habit_weight": 1.5},
    "old": {"years": 0.15, "attention": 0.8},
}
AGING = {**WORLDS["changing"], "cohorts": COHORTS}
STAY = np.array([10, 5, 8])  # weeks in each, as `years` says
bits, to_part = called(random_bits), called(uniform)


def weeks_of(scenario):
    """The cell of each person in each week, [t, i], and the shard at the end."""
    [shard], found = initialize(scenario), []
    while shard.week < scenario.weeks:
        if shard.week >= 0:
            found.append(shard.people.cell.copy())
        advance([shard])
        check_week(shard.people, shard.world, shard.tally, shard.first, shard.week - 1)
    return np.array(found), shard


def by_hand(first, part, stay, weeks):
    """The cohort in each week of a person who begins in cohort `first` with this part of its time left."""
    cohort, left, path = int(first), 1 + int(np.float32(part) * np.float32(stay[first])), []
    for _ in range(weeks):
        path.append(cohort)
        left -= 1
        if left == 0:
            cohort = (cohort + 1) % len(stay)
            left = int(stay[cohort])
    return path


def test_everybody_is_in_the_cohort_that_the_draw_at_birth_says():
    scenario = market({**AGING, "people": 300})
    cells, _ = weeks_of(scenario)
    found = cells % 3
    key = (scenario.seed, 0)
    draw = [to_part(bits(key, Purpose.CELL, np.uint32(i), FIRST, FIRST)[1]) for i in range(300)]
    expected = [by_hand(found[0, i], draw[i], STAY, scenario.weeks) for i in range(300)]
    assert np.array_equal(found, np.transpose(expected))
    assert np.array_equal(cells // 3, np.broadcast_to(cells[0] // 3, cells.shape))  # segments stay


@pytest.fixture(scope="module")
def run():
    return simulate(market(AGING), 1)


@pytest.mark.parametrize(("threads", "shards"), [(2, 1), (1, 7), (2, 3)])
def test_threads_and_shards(run, threads, shards):
    assert digest(simulate(run.scenario, threads, shards).tally) == digest(run.tally)


@pytest.mark.parametrize("activation", ["kernel", "agents"])
def test_mesa(activation):
    scenario = market({**AGING, "people": 300, "weeks": 20})
    mesa = Market(scenario, activation=activation)
    while mesa.running:
        mesa.step()
    assert digest(mesa.result().tally) == digest(simulate(scenario, 1).tally)


def test_plain_python(tmp_path):
    small = {**AGING, "people": 48, "weeks": 16, "burn_in": 4, "window": 8}
    small["moves"] = {"cut": {"firm": "f3", "lever": "price", "value": 0.7, "week": 5}}
    here = digest(simulate(market(small)).tally)
    assert elsewhere(sys.executable, small, tmp_path, NUMBA_DISABLE_JIT="1") == here


def test_between_cohorts_that_are_alike_nothing_changes_but_where_people_are_counted():
    """So the draws are those of a market in which nobody grows older; what differs between cohorts is all there is."""
    base = market({**WORLDS["changing"], "cohorts": {"young": {}, "middle": {}, "old": {}}})
    older = change(base, {"cohorts.young.years": 0.2, "cohorts.middle.years": 0.3})
    ours, theirs = simulate(base, 1).tally, simulate(older, 1).tally
    at = {name: 1 if name in ("people", "tenure", "after") else 2 for name in ours._fields}
    for name in ours._fields:
        a, b = (getattr(t, name) for t in (ours, theirs))
        assert np.array_equal(a.sum(axis=at[name]), b.sum(axis=at[name])), name
    assert not np.array_equal(ours.flow, theirs.flow)


def test_each_week_is_counted_in_the_cohort_one_is_in_then():
    """Customers of providers use one every week: so uses by cell are people by cell, and so are those of a window."""
    scenario = market({**AGING, "market.regime": "provider", "window": 5, "weeks": 27})
    cells, shard = weeks_of(scenario)
    many = np.array([np.bincount(week, minlength=6) for week in cells])
    run = simulate(scenario, 1)
    assert np.array_equal(run.tally.flow.sum(axis=(0, 3, 4)), many)
    assert np.array_equal(run.tally.buyers.sum(axis=(0, 3)), many[4::5])  # whole windows, by the last of their weeks
    assert np.array_equal(run.tally.people.sum(axis=0), np.bincount(shard.people.cell, minlength=6))


def test_weeks_counted_together_are_the_sum_of_the_weeks(run):
    short = simulate(run.scenario, 1, by_week=False).tally
    for name in run.tally._fields:
        whole, together = getattr(run.tally, name), getattr(short, name)
        weekly = name in ("flow", "event", "news")
        assert np.array_equal(whole.sum(axis=1, keepdims=True) if weekly else whole, together), name


def test_twins_grow_older_alike():
    pair = twins(market({**AGING, "people": 500}), {"firms.f0.quality": 2.0})
    assert np.array_equal(pair.control.tally.people, pair.changed.tally.people)
    assert np.array_equal(pair.control.tally.buyers.sum(axis=3), pair.changed.tally.buyers.sum(axis=3))


def test_ages_are_spread_evenly_and_keep_their_law():
    """A fifth of a cohort of five years moves on in a year; with weights as years, cohorts keep their size."""
    cohorts = {"a": {"years": 5.0, "weight": 5.0}, "b": {"years": 2.0, "weight": 2.0}, "c": {"years": 1.0}}
    many = 20_000
    cells, _ = weeks_of(bare({"cohorts": cohorts, "people": many, "weeks": 53, "mechanisms.turnover": True}))
    first = cells[0] == 0
    moved = (cells[52][first] != 0).mean()
    assert moved == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / first.sum()))
    share = np.array([5, 2, 1]) / 8
    sizes = np.bincount(cells[52], minlength=3) / many
    assert np.abs(sizes - share).max() < 4 * np.sqrt(0.25 / many)
    assert (cells[52][cells[0] == 2] == 0).all()  # a year, and all of the last have given way to newcomers


def test_who_passes_the_last_bound_leaves_and_a_newcomer_without_a_past_begins():
    scenario = market({**AGING, "weeks": 20, "consumer.turnover": 0.0, "consumer.taste_renewal": 0.0})
    stays = change(scenario, {"mechanisms.turnover": False})
    for s in (scenario, stays):
        [shard], newcomers = initialize(s), 0
        for _ in range(s.burn_in + s.weeks):
            before = shard.people.cell % 3
            tastes = shard.people.bonds["taste"].copy()
            advance([shard])
            people, passed = shard.people, (before == 2) & (shard.people.cell % 3 != 2)
            newcomers += passed.sum()
            assert (people.one["last"][passed] == -1).all() and (people.cell[passed] % 3 == 0).all()
            assert (people.bonds["habit"][passed] == 0).all()
            assert ((people.bonds["taste"] != tastes).any(axis=1) == passed).all()
        assert (newcomers > 0) == (s is scenario)


def test_traits_of_the_new_cohort_apply():
    """A rate of use is what it was, times the ratio of the cohorts'; attention is of the law of the new one."""
    quiet = {"mechanisms.turnover": True, "mechanisms.inattention": True, "consumer.attention": 0.8, "people": 4000}
    cohorts = {"a": {"years": 0.1}, "b": {"rate": 1.5, "attention": 0.5}}
    older = bare({**quiet, "weeks": 8, "window": 8, "cohorts": cohorts})
    born = bare({**quiet, "cohorts": {**cohorts, "a": {"weight": 0.0}}})  # everybody in b from the start
    [shard], [alike] = initialize(older), initialize(born)
    cell, rate = shard.people.cell.copy(), shard.people.rate.copy()
    while shard.week < 8:
        advance([shard])
    assert (shard.people.cell == 1).all()
    moved = cell == 0
    assert np.allclose(shard.people.rate[moved], 1.5 * rate[moved], rtol=1e-6)
    assert np.array_equal(shard.people.rate[~moved], rate[~moved])
    assert np.array_equal(shard.people.one["attention"], alike.people.one["attention"])


def test_people_of_an_earlier_run_go_on_growing_older():
    scenario = market({**AGING, "people": 200, "weeks": 13, "consumer.turnover": 0.0})
    whole, _ = weeks_of(change(scenario, {"weeks": 26}))
    first = simulate(scenario, 1, keep_people=True)
    [shard] = initialize(change(scenario, {"burn_in": 0}), start=first.people[0])
    for week in range(13, 26):
        assert np.array_equal(shard.people.cell, whole[week])
        advance([shard])
    off = market({**AGING, "people": 200, "cohorts": {name: {} for name in COHORTS}})
    [fresh] = initialize(scenario, start=simulate(off, 1, keep_people=True).people[0])
    assert (fresh.people.left > 0).all() and (fresh.people.left <= STAY[fresh.people.cell % 3]).all()


def test_a_cohort_that_is_set_in_mesa_begins_anew():
    mesa = Market(market({**AGING, "people": 64, "burn_in": 0}))
    one = mesa.consumers[0]
    one.cohort = "middle"
    for _ in range(5):
        assert one.cohort == "middle"
        mesa.step()
    assert one.cohort == "old"
    with pytest.raises(ScenarioError, match="the years of cohorts: cannot change in a market under way"):
        mesa._change({"cohorts.young.years": 9.0})


def test_years_are_of_cohorts_alone_and_not_below_zero():
    with pytest.raises(ScenarioError) as error:
        market({"cohorts.young": {"years": -1}, "segments.all.years": 3.0})
    assert len(error.value.complaints) == 2
    assert "cohorts.young.years: -1 is outside 0 to 200 years" in str(error.value)
    assert "segments.all.years" in str(error.value)
