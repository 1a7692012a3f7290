"""Anatomy: parts that add up, known cases, twins, and who left because of it."""

from dataclasses import fields
from itertools import permutations

import numpy as np
import pytest

from sim.engine.loop import initialize, simulate
from sim.measure import estimates, metrics
from sim.measure.reliability import MIN_GROUPS
from sim.model.declare import ScenarioError
from sim.model.fields import Scandal
from sim.model.scenario import change
from sim.study import shapley
from sim.study.fates import first_difference
from sim.study.twins import spells, twins, with_and_without_events
from tests.markets import bare, market

SMALL = {"people": 600, "weeks": 26, "burn_in": 4, "consumer.rate": 1.0}
PROVIDER = {**SMALL, "market.regime": "provider", "consumer.attention": 0.3}
SCANDAL = {"scandals.fraud": {"firm": "f0", "week": 9, "severity": 4.0, "action": 8.0}}
THREE = (0.5, 0.3, 0.2)


def parts(table):
    """Rows of mechanisms and chance by mechanism and firm, and the index they make up."""
    wide = table.pivot(index="mechanism", columns="firm", values="value")
    return wide.drop("stickiness"), wide.loc["stickiness"]


@pytest.mark.parametrize("changes", [SMALL, PROVIDER], ids=["repertoire", "provider"])
def test_parts_add_up_to_the_index(changes):
    scenario = market(changes, THREE)
    table = shapley.decompose(scenario, permutations=4)
    made_of, index = parts(table)
    metric = shapley.index(scenario)
    expected = estimates.estimate(metric, estimates.pooled(simulate(scenario).tally))
    np.testing.assert_allclose(made_of.sum(), index, atol=1e-12)
    np.testing.assert_array_equal(index, expected.value)
    np.testing.assert_array_equal(table[table.mechanism == "stickiness"].error, expected.error)
    chance = table[table.mechanism == "chance"]
    assert (chance.value.abs() < 4 * chance.error).all()
    assert ((table.error**2 - table.error_people**2 - table.error_orders**2).abs() < 1e-12).all()


def test_shares_are_the_mean_over_all_orders_of_joining():
    players = ("taste", "habit", "trust")
    scenario = market(SMALL, THREE)

    def worth(coalition):
        only = change(scenario, {f"mechanisms.{m}": m in coalition for m in players})
        return metrics.pair_index(estimates.folds(estimates.pooled(simulate(only).tally)))[0]

    orders = list(permutations(players))
    exact = shapley.decompose(scenario, players, permutations=8)
    assert (exact.error_orders == 0).all()
    for m in players:
        gains = [worth(o[: o.index(m) + 1]) - worth(o[: o.index(m)]) for o in orders]
        np.testing.assert_allclose(exact[exact.mechanism == m].value, np.mean(gains, axis=0), atol=1e-12)


def test_orders_drawn_come_close_to_all_coalitions():
    """A game with synergies whose worths are known: every plan shares out all of it, and their mean is Shapley's."""
    players = "abcdefg"

    def worth(coalition):
        return sum(map(players.index, coalition)) ** 1.5 + 9 * ({"a", "g"} <= coalition)

    def shares(plan):
        gains = [(m, w * (worth(c | {m}) - worth(c))) for w, m, c in plan]
        return [sum(g for joins, g in gains if joins == m) for m in players]

    (every,) = shapley._plans(players, 20, seed=1)
    drawn = np.array([shares(plan) for plan in shapley._plans(players, 16, seed=1)])
    assert len(drawn) == 8
    np.testing.assert_allclose([*drawn.sum(axis=1), sum(shares(every))], worth(set(players)))
    many = np.array([shares(plan) for seed in range(50) for plan in shapley._plans(players, 16, seed)])
    assert (np.abs(many.mean(axis=0) - shares(every)) < 4 * many.std(axis=0) / np.sqrt(len(many))).all()


@pytest.mark.parametrize("mechanism", ["taste", "habit", "consideration", "inattention"])
def test_a_world_of_one_mechanism_is_made_of_it(mechanism):
    strong = {"consumer.attention": 0.5, "consumer.consideration_size": 1.5, "consumer.state_dependence": 2.0}
    scenario = bare({**SMALL, f"mechanisms.{mechanism}": True, **strong}, THREE)
    made_of, index = parts(shapley.decompose(scenario))
    np.testing.assert_allclose(made_of.loc[mechanism], index - made_of.loc["chance"], atol=1e-12)
    assert (made_of.drop([mechanism, "chance"]) == 0).all(axis=None)
    assert made_of.loc[mechanism].mean() > 0.05


def test_tastes_alone_give_the_index_of_the_dirichlet():
    changes = {**SMALL, "people": 3000, "mechanisms.taste": True, "market.taste_concentration": 1.5}
    table = shapley.decompose(bare(changes, THREE), mechanisms=("taste", "habit"))
    taste = table[table.mechanism == "taste"]
    assert ((taste.value - 1 / (1 + 1.5)).abs() < 4 * taste.error).all()


def test_what_cannot_matter_gets_nothing():
    """No anchor is ever made, and leaving costs nothing."""
    table = shapley.decompose(
        market({**SMALL, "market.delight_threshold": 10.0}, THREE), ("habit", "anchor", "switching_cost")
    )
    idle = table[table.mechanism.isin(["anchor", "switching_cost"])]
    assert (idle[["value", "error"]] == 0).all(axis=None)
    habit = table[table.mechanism == "habit"]
    assert (habit.value > 0).all() and (habit.error > 0).all()


def test_worlds_that_are_the_same_are_lived_once(monkeypatch):
    lived = []
    monkeypatch.setattr(shapley, "simulate", lambda s, **how: lived.append(s) or simulate(s, **how))
    shapley.decompose(market(SMALL, THREE), ("taste", "switching_cost", "association", "ease", "scandal", "price"))
    assert len(lived) == 2


def test_one_firm_of_the_table():
    scenario = market(SMALL, THREE)
    one, every = (shapley.decompose(scenario, ("taste", "habit"), firm=firm) for firm in ("f1", ""))
    assert one.equals(every[every.firm == "f1"].reset_index(drop=True))


def test_nothing_is_captive_without_friction():
    for changes in (SMALL, PROVIDER):
        table = shapley.captive(market(changes, THREE))
        assert (table[table.part == "captive"][["value", "error"]] == 0).all(axis=None)


def test_friction_makes_captives_and_the_parts_add_up():
    held = market({**PROVIDER, **{f"firms.f{j}.switching_cost": 1.7 for j in range(3)}}, THREE)
    table = shapley.captive(held).pivot(index="firm", columns="part")
    value, error = table["value"], table["error"]
    np.testing.assert_allclose(value["free"] + value["captive"], value["index"], atol=1e-12)
    assert (value["captive"] > 3 * error["captive"]).all()


def test_a_scandal_nobody_hears_makes_no_difference():
    unheard = {"scandals.x": {"firm": "f0", "week": 3, "reach": 0.0, "contagion": 0.9}}
    pair = twins(market(SMALL, THREE), unheard)
    for found in (pair.difference(metrics.pair_index), pair.difference(metrics.share, by=estimates.weekly)):
        assert not found.value.any() and not found.error.any()
    fates = pair.leavers().groupby("fate").people.sum()
    assert fates["leaves_because"] == fates["stays_because"] == fates["came_back"] == 0


def test_twins_are_told_apart_better_than_strangers():
    pair = twins(market(SMALL, THREE), SCANDAL)
    paired = pair.difference(metrics.share)
    alone = [
        estimates.estimate(metrics.share, estimates.pooled(run.tally)).error for run in (pair.control, pair.changed)
    ]
    assert paired.value[0] < -2 * paired.error[0]
    assert (paired.error < 0.7 * np.hypot(*alone)).all()


def test_differences_by_week_by_window_and_by_segment():
    split = market({**SMALL, "segments.other": {"care": {"ethics": 0.0}, "trust_weight": 0.0}}, THREE)
    pair = twins(split, SCANDAL)
    weekly = pair.difference(metrics.share, by=estimates.weekly).value
    assert weekly.shape == (26, 3) and not weekly[:9].any() and weekly[9:, 0].mean() < 0
    assert pair.difference(metrics.pair_index, by=estimates.by_window).value.shape == (2, 3)
    caring, other = (pair.difference(metrics.share, segment).value[0] for segment in ("all", "other"))
    assert caring < 2 * min(other, 0.0) and caring < -0.01


@pytest.mark.parametrize("changes", [SMALL, PROVIDER], ids=["repertoire", "provider"])
def test_everyone_who_was_there_meets_one_fate(changes):
    pair = twins(market({**changes, "replications": 2}, THREE), SCANDAL)
    table = pair.leavers().pivot(index="firm", columns="fate", values="people")
    table_of = table[["stays", "leaves_anyway", "leaves_because", "stays_because"]]
    assert (table_of.sum(axis=1) == table["were"]).all()
    assert (table["came_back"] <= table["stays"]).all()
    assert table["leaves_because"]["f0"] > 3 * table["stays_because"]["f0"]
    assert table["leaves_because"]["f0"] > table["leaves_because"]["f1"]


def test_fates_agree_with_what_was_counted():
    """From week 0 to the end is one window: the tally knows who stayed in each world."""
    better = {"moves.better": {"firm": "f0", "lever": "quality", "value": 1.0, "week": 0}}
    pair = twins(market({**PROVIDER, "window": 26}, THREE), better)
    table = pair.leavers().pivot(index="firm", columns="fate", values="people")
    for run, only in ((pair.control, "leaves_because"), (pair.changed, "stays_because")):
        kept = run.tally.transitions.sum(axis=(0, 1, 2))[1:, 1:]
        np.testing.assert_array_equal(table["were"], kept.sum(axis=1))
        np.testing.assert_array_equal(table["stays"] + table[only], np.diag(kept))
    assert table["stays_because"]["f0"] > table["leaves_because"]["f0"]


def test_the_week_of_the_change():
    base = market(SMALL, THREE)
    cut = {"moves.cut": {"firm": "f0", "week": 5, "value": 0.9}}
    assert first_difference(base, change(base, SCANDAL)) == 9
    assert first_difference(base, change(base, SCANDAL | cut)) == 5
    assert first_difference(change(base, SCANDAL), change(base, SCANDAL | cut)) == 5
    assert first_difference(base, change(base, {**SCANDAL, "consumer.consideration_size": 2.0})) == 0


def test_what_is_wrong_is_said():
    base = market(SMALL, THREE)
    with pytest.raises(ScenarioError, match=r"seed: twins cannot differ(.|\n)*firms: twins have the same"):
        twins(base, {"seed": 2, "firms.f9": {}})
    with pytest.raises(ScenarioError, match=r"firms.f0.share: twins keep presence"):
        twins(base, {"firms.f0.share": 0.4})
    with pytest.raises(ScenarioError, match=r"'tastes' is none; did you mean"):
        shapley.decompose(base, ("tastes",))
    with pytest.raises(ScenarioError, match=r"firm: 'f7' is none"):
        shapley.decompose(base, firm="f7")
    with pytest.raises(ScenarioError, match=r"segment: 'none' is none"):
        twins(base, {}).difference(metrics.share, "none")


@pytest.mark.parametrize("changes", [SMALL, PROVIDER], ids=["repertoire", "provider"])
def test_every_person_has_a_fate_and_the_counts_are_theirs(changes):
    careless = {"care": {"ethics": 0.0}, "trust_weight": 0.0}
    two = market({**changes, "replications": 2, "segments.other": careless}, THREE)
    pair = twins(two, SCANDAL)
    people, counted = pair.people(), pair.leavers().set_index(["firm", "fate"]).people
    assert len(people) == 2 * 600 and not people.duplicated(["replication", "number"]).any()
    for (firm, fate), many in people.groupby(["firm", "fate"]).size().items():
        assert counted.get((firm, fate), many) == many
    assert people.came_back.sum() == counted.xs("came_back", level="fate").sum()
    assert (people[people.came_back].fate == "stays").all()
    apart = [pair.leavers(segment=name).people for name in ("all", "other")]
    assert (apart[0] + apart[1]).tolist() == pair.leavers().people.tolist()


def test_a_relative_change_and_the_variance_saved():
    pair = twins(market(SMALL, THREE), SCANDAL)
    share = [
        estimates.estimate(metrics.share, estimates.pooled(run.tally)).value for run in (pair.control, pair.changed)
    ]
    found = pair.relative(metrics.share)
    np.testing.assert_allclose(found.value, share[1] / share[0] - 1)
    assert (found.error > 0).all() and found.value[0] < 0
    saved = pair.variance_saved(metrics.share)
    assert (saved > 0.5).all() and (saved < 1).all()
    assert (twins(market(SMALL, THREE), {}).variance_saved(metrics.share) == 1).all()


def test_spells_sum_weeks():
    pair = twins(market(SMALL, THREE), SCANDAL)
    found = pair.difference(metrics.share, by=spells(0, 9, 26)).value
    assert not found[0].any() and found[1, 0] < 0
    whole = pair.difference(metrics.share, by=spells(0, 26)).value
    np.testing.assert_allclose(whole[0], pair.difference(metrics.share).value)


def test_events_and_the_same_people_without_it():
    told = change(market(SMALL, THREE), SCANDAL)
    pair = with_and_without_events(told)
    assert pair.changed.scenario == told and not pair.control.scenario.scandals
    assert (
        pair.difference(metrics.share).value[0]
        == twins(market(SMALL, THREE), SCANDAL).difference(metrics.share).value[0]
    )


def test_who_joined_and_who_left_is_what_the_base_changed_by():
    weekly = estimates.weekly(simulate(market({**PROVIDER, "window": 26}, THREE)).tally)
    start, end = weekly.transitions.sum(axis=0)[1:, 1:].sum(axis=1), weekly.transitions.sum(axis=0)[1:, 1:].sum(axis=0)
    moved = metrics.joined(weekly) - metrics.left(weekly)
    np.testing.assert_array_equal(end - start, moved.sum(axis=(0, 1)))


# ---------------------------------------------------------------- what too few can tell


def test_a_difference_that_a_handful_makes_has_no_error():
    """Rivals of a small breach: some groups of people differ, and an error of 0 or of three people's luck is none."""
    breach = {"scandals.breach": {"firm": "f0", "week": 9, "kind": "privacy", "severity": 1.0, "reach": 0.05}}
    pair = twins(market({**PROVIDER, "people": 300}, THREE), breach)
    counts = [estimates.pooled(run.tally) for run in (pair.control, pair.changed)]
    raw, told = estimates.difference(metrics.share, *counts), pair.difference(metrics.share)
    apart = (metrics.share(counts[0]) != metrics.share(counts[1])).sum(axis=0)
    assert (apart < MIN_GROUPS).any(), "else this shows nothing"
    np.testing.assert_array_equal(told.value, raw.value)
    np.testing.assert_array_equal(told.error, np.where(apart < MIN_GROUPS, np.nan, raw.error))
    assert np.isnan(pair.relative(metrics.share).error).tolist() == (apart < MIN_GROUPS).tolist()


@pytest.mark.parametrize("changes", [SMALL, PROVIDER], ids=["repertoire", "provider"])
def test_up_to_where_worlds_differ_their_difference_is_known(changes):
    pair = twins(market({**changes, "people": 200}, THREE), SCANDAL)
    weekly = pair.difference(metrics.share, by=estimates.weekly)
    assert not weekly.error[:9].any(), "0 before the news"
    assert not (weekly.error[9:] == 0).any()
    windows = pair.difference(metrics.retention, by=estimates.by_window)
    assert windows.error.shape == (2, 3) and not (windows.error == 0).any()
    parts = pair.difference(metrics.share, by=spells(0, 5, 9, 10, 26))
    assert not parts.error[:2].any() and not (parts.error[2:] == 0).any()
    later = {"moves.cut": {"firm": "f0", "week": 20, "value": 0.5}}
    late = twins(market({**changes, "people": 200}, THREE), later)
    late = late.difference(metrics.retention, by=estimates.by_window)
    assert not late.error[0].any() and not (late.error[1] == 0).any()


def test_worlds_that_are_the_same_differ_by_nothing_for_certain():
    for changes in (
        {},
        {"scandals.x": {"week": 3, "reach": 0.0, "harmed_share": 0.0, "contagion": 0.9}},
        {"title": "another"},
    ):
        pair = twins(market(SMALL, THREE), changes)
        for by in (estimates.pooled, estimates.weekly, estimates.by_window, spells(0, 9, 26)):
            found = pair.difference(metrics.share, by=by)
            assert not found.value.any() and not found.error.any()


def test_fates_that_too_few_met_have_no_error():
    pair = twins(market({**PROVIDER, "people": 400}, THREE), SCANDAL)
    table = pair.leavers()
    few = (table.fate != "were") & ((table.people < MIN_GROUPS) | (table.share * table.people > 0) & (table.share == 1))
    assert few.any() and table[few].error.isna().all()
    assert not ((table.error == 0) & (table.fate != "were")).any()
    assert (table[table.fate == "were"].error == 0).all() and table.error.gt(0).any()


# ---------------------------------------------------------------- one line each


def test_what_stands_for_it_is_one_line():
    base = market(SMALL, THREE)
    pair = twins(base, {"firms.f0.quality": 1.0, **SCANDAL})
    for thing in (base, pair, pair.control, initialize(base)[0]):
        assert "\n" not in repr(thing) and len(repr(thing)) < 350 and "600 people, 26 weeks, 3 firms" in repr(thing)
    more = len(fields(Scandal)) - 2  # of its fields two are shown
    assert "firms.f0.quality 0.0 -> 1.0" in repr(pair) and f", {more} more" in repr(pair)
    assert "no difference" in repr(twins(base, {}))
    assert repr(base) == repr(change(base, {})) != repr(change(base, {"consumer.consideration_size": 2.5}))
    assert base == change(base, {}) and base != change(base, {"consumer.consideration_size": 2.5})
    assert len(repr(twins(base, {f"firms.f{j}.price": 1.1 for j in range(3)}))) < 350
