"""Figures of studies, one line each: what is drawn is what their tables say."""

import warnings

import numpy as np
import pytest

from sim import study
from sim.measure import estimates, metrics
from sim.model.declare import ScenarioError
from sim.report import figures
from sim.study import shapley
from sim.study.twins import twins
from tests.markets import market

SMALL = {"people": 400, "weeks": 26, "window": 13, "burn_in": 0, "consumer.rate": 1.0}


@pytest.fixture(scope="module")
def pair():
    return twins(market(SMALL), {"firms.f0.quality": 1.0})


def points(figure):
    """The values of all dots of a figure of dots, sorted."""
    bars = [bar for axes in figure.axes for bar in axes.containers]
    return np.sort(np.concatenate([bar.lines[0].get_xdata() for bar in bars]).astype(float))


def test_twins_are_a_line_a_firm_week_by_week(pair):
    [axes] = figures.twins(pair).axes
    value = pair.difference(metrics.share, by=estimates.weekly).value
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 26]
    assert any(np.array_equal(line, value[:, 0], equal_nan=True) for line in drawn) and len(drawn) == value.shape[1]
    with pytest.raises(ScenarioError, match="'shar' is none of a firm and week; did you mean share"):
        figures.twins(pair, "shar")


def test_leavers_are_those_of_the_table(pair):
    fates = pair.leavers()
    shown = fates[~fates["fate"].isin(("were", "stays"))]["share"]
    for given in (pair, fates):
        np.testing.assert_allclose(points(figures.leavers(given)), np.sort(shown))


def test_anatomy_begins_with_the_index_and_ends_with_chance():
    table = shapley.decompose(market(SMALL), ["taste", "habit"], quiet=True)
    figure = figures.anatomy(table)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "Stickiness index" and labels[-1] == "Chance" and {"Taste", "Habit"} <= {*labels}
    np.testing.assert_allclose(points(figure), np.sort(table["value"]))


def test_a_study_is_drawn_against_what_varies():
    values = [0.0, 0.5, 1.0]
    table = study.run(
        market(SMALL), {"firms.f0.quality": values}, metrics="share", replications=2, workers=1, quiet=True
    )
    [axes] = figures.study(table, "share.f0").axes
    means = table.groupby("firms.f0.quality")["share.f0"].mean()
    assert any(np.allclose(line.get_ydata(), means) for line in axes.lines if len(line.get_xdata()) == 3)
    named = study.run(market(SMALL), study.named({"a": {}, "b": {"firms.f0.quality": 1}}), metrics="share", quiet=True)
    np.testing.assert_allclose(points(figures.study(named, "share.f0")), np.sort(named["share.f0"]))
    with pytest.raises(ScenarioError, match=r"share\.f: no column"):
        figures.study(table, "share.f")


def test_indices_and_what_money_buys_are_those_of_the_tables():
    how = {"workers": 1, "quiet": True}
    found = study.sensitivity(market(SMALL), ["share.f0"], paths=["consumer.state_dependence"], points=4, **how)
    np.testing.assert_allclose(points(figures.sensitivity(found)), np.sort(found.table["value"]))
    assert repr(found) == "<Sensitivity: share.f0: consumer.state_dependence>"
    levers = {"better": {"quality": 1.0}}
    best = study.best(market(SMALL), "f0", levers, {"better": 10}, 10, steps=2, fresh=2, worlds=0, **how)
    np.testing.assert_allclose(points(figures.best(best)), np.sort(best.margin["gain_per_unit"]))


def test_a_fit_is_one_line():
    with warnings.catch_warnings(action="ignore"):
        how = {"points": 64, "keep": 0.5, "workers": 1, "quiet": True}
        fit = study.calibrate(market(SMALL), {"share.f0": (0.2, 0.1)}, paths=["consumer.state_dependence"], **how)
    row = fit.table.iloc[0]
    ends = f"consumer.state_dependence {row.p10:.3g} to {row.p90:.3g}"
    assert repr(fit) == f"<MomentFit to share.f0: {ends}; 0 ridges>"
