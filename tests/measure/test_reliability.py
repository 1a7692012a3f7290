"""Errors that rest on too few: nan rather than +- 0.00; and what many can tell stays told."""

import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.measure import estimates, metrics
from sim.measure.estimates import estimate, folds, jackknife
from sim.measure.reliability import MIN_BASE, MIN_GROUPS
from sim.measure.tally import FOLDS, Count, Event, empty_tally
from sim.model.scenario import build, change
from sim.report import result


def counted(event, at_risk, people=1000, groups=FOLDS):
    """A pooled tally of two firms where so many of those at risk, by group, are sole users."""
    tally = estimates.pooled(empty_tally(1, 1, 1, 2, 0, groups))
    tally.people[:] = people // groups
    for j in (0, 1):
        tally.window[:, j, Count.SOLE], tally.window[:, j, Count.USERS] = event, at_risk
    return tally


def in_groups(many, each=1):
    return np.where(np.arange(FOLDS) < many, each, 0)


@pytest.mark.parametrize("many", [0, 1, 2, 5, MIN_GROUPS - 1])
@pytest.mark.parametrize("turned", [False, True])
def test_a_share_of_few_has_no_error_but_keeps_its_value(many, turned):
    event = in_groups(many)
    found = estimate(metrics.solely_loyal, counted(9 - event if turned else event, 9))
    assert np.isnan(found.error[0]) and found.value[0] == pytest.approx(abs(turned - many / 9 / FOLDS))


def test_from_enough_groups_on_the_error_is_the_jackknife():
    tally = counted(in_groups(MIN_GROUPS), 9)
    assert estimate(metrics.solely_loyal, tally).error[0] == jackknife(metrics.solely_loyal(folds(tally))).error[0] > 0


@pytest.mark.parametrize("event", [0, 1])
@pytest.mark.parametrize("people", [10_000, 10**7])
def test_a_share_near_0_or_1_of_many_is_known_within_three_of_them(event, people):
    at_risk = people // FOLDS
    found = estimate(metrics.solely_loyal, counted(at_risk * event, at_risk, people))
    assert found.value[0] == event
    assert 2 * found.error[0] == pytest.approx(3 / (at_risk * FOLDS)) and found.error[0] < 0.01


def test_uses_of_few_people_are_not_many():
    """A base of many uses by a handful of people tells no more than a handful."""
    found = estimate(metrics.solely_loyal, counted(0, 10_000, people=64))
    assert np.isnan(found.error[0])
    assert np.isnan(estimate(metrics.solely_loyal, counted(0, (MIN_BASE - 1) // FOLDS)).error[0])


def test_a_ratio_is_as_well_known_as_its_rarer_side():
    tally = counted(0, 0, people=10_000)
    tally.event[:, 0, Event.POSITIVE_WOM] = 300
    tally.event[:, 0, Event.NEGATIVE_WOM] = in_groups(4)
    assert np.isnan(estimate(metrics.wom_ratio, tally).error)
    tally.event[:, 0, Event.NEGATIVE_WOM] = 20
    assert estimate(metrics.wom_ratio, tally).error == 0  # many in every group, and all alike


@pytest.mark.parametrize(("people", "expected"), [(200, 10), (1_000, 40)])
def test_intervals_that_are_told_hold_the_truth(people, expected):
    """Simulated coverage: without the rule the intervals of rare shares miss far too often."""
    rng, truth, each = np.random.default_rng(1), np.repeat(np.geomspace(0.0005, 0.5, 12), 60), people // FOLDS
    held, told = [], []
    for p in truth:
        tally = counted(rng.binomial(each, p, FOLDS), each, people)
        value, raw = jackknife(metrics.solely_loyal(folds(tally)))
        error = estimate(metrics.solely_loyal, tally).error[0]
        held.append(abs(value[0] - p) <= 1.96 * raw[0])
        told.append(abs(value[0] - p) <= 1.96 * error if np.isfinite(error) else np.nan)
    rare = truth < 5 / people
    assert np.mean(np.array(held)[rare]) < 0.8 < 0.92 < np.nanmean(told)
    assert np.isfinite(told).mean() > expected / 100


@pytest.fixture(scope="module")
def sparse():
    """Few people who hardly ever use anything, as with cars."""
    firms = {n: {"presence": p} for n, p in (("one", 0.6), ("two", 0.38), ("three", 0.02))}
    about = {"segments": {"all": {}}, "people": 400, "weeks": 30, "window": 13, "consumer": {"rate": 0.02}}
    return simulate(build({"firms": firms, **about}))


def test_no_cell_of_a_sparse_market_is_falsely_certain(sparse):
    table = sparse.table()
    told = table[table.value.notna() & table.firm.ne("")]
    assert not (told.error == 0).any()
    few = told[(told.metric == "stickiness") & (told.firm == "three")]
    assert few.error.isna().all()


def test_every_metric_of_the_table_says_what_it_rests_on():
    assert [info.name for info in metrics.listed("firm") if info.rests_on is None] == []


def test_only_windows_that_have_ended_are_told(sparse):
    story = result.over_time(sparse)
    sticky = story[story.metric == "stickiness"]
    assert sorted(set(sticky.week)) == [6.5, 19.5]  # of 30 weeks, two windows of 13
    assert story.week.max() < 30 and not (story.error == 0).any()


@pytest.mark.parametrize("replications", [1, 3])
def test_counts_of_all_replications_are_at_hand(sparse, replications):
    more = simulate(change(sparse.scenario, {"replications": replications}))
    known = estimate(metrics.pair_index, estimates.pooled(more.tally)).error
    groups = (more.tally.window[..., Count.PAIRS].sum(axis=(1, 2)) > 0).sum(axis=0)
    assert (np.isfinite(known) <= (groups >= MIN_GROUPS)).all()
