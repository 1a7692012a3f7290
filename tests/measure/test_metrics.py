"""A metric is declared once: what is said of it is read from there by every table, figure, file and page."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.measure import metrics
from sim.measure.estimates import Estimate, frame
from sim.measure.registry import METRICS, MetricInfo, info, listed, metric
from sim.measure.tally import Tally
from sim.report.figures.style import words

ROOT = Path(__file__).parents[2]

ADDED = """
from sim.measure.registry import metric
from sim.measure.reliability import part
from sim.measure.tally import Event

@metric("complaints", "complaints per use", unit="%", per="week", short="complain", note="of uses",
        rests_on=lambda t: part(t.event[..., Event.COMPLAINED], t.flow[..., 1:].sum(axis=-2)))
def complaints(tally):
    '''Share of uses that end in a complaint.'''
    return tally.event[..., Event.COMPLAINED] / tally.flow[..., 1:].sum(axis=-2)

@metric("visits", "uses of the category", of="market", unit="uses", note="uses in all {window} weeks")
def visits(tally):
    '''Uses of the category.'''
    return tally.flow.sum(axis=(-2, -1))
"""
SHOW = """
import sys
from sim import __main__ as cli
sys.argv = ["stickiness", "people=500", "weeks=26", "burn_in=13", "hydra.run.dir=out"]
assert cli.main() == 0
from sim.report import odd
print("ODD", "| complaints | a firm | % | week | Share of uses that end in a complaint. |" in odd.measures())
from sim.mesa import readings
from sim.study.store import load
known = readings.reading_columns(load("out/run.parquet").scenario, [])
print("MESA", *[c for c in known if "complaints" in c or c == "visits"])
"""
PAGE = """
from sim.page.export import data_csv
from sim.page.game import Game, preset
from sim.model.scenario import change
game = Game(change(preset("toothpaste_uk"), {"people": 300, "burn_in": 13}))
game.step()
print("PAGE", b",complaints," in data_csv(game))
"""


def run(code, folder):
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def test_a_metric_that_is_added_is_in_every_table(tmp_path):
    out = run(ADDED + SHOW, tmp_path)
    head = next(line for line in out.splitlines() if line.startswith("firm "))
    assert "complain" in out and head.split().count("%") == 6 and "complain: of uses" in out
    assert "uses in all 13 weeks" in out and "ODD True" in out
    assert "MESA complaints.colgate" in out and out.split("MESA")[1].split()[-1] == "visits"
    table = pd.read_csv(tmp_path / "out/metrics.csv", keep_default_na=False)
    assert {"all", "segments.ethical"} <= set(table[table.metric == "complaints"].group)
    assert set(table[table.metric == "visits"].firm) == {""}


def test_a_metric_that_is_added_is_in_what_the_page_exports(tmp_path):
    pytest.importorskip("solara")
    assert "PAGE True" in run(ADDED + PAGE, tmp_path)


@pytest.mark.parametrize("declared", METRICS, ids=lambda i: f"{i.name}_{i.regime}")
def test_what_is_declared_is_complete(declared):
    function = METRICS[declared]
    assert function.__doc__ and declared.words and declared.head
    assert declared.name == declared.name.lower() and declared.name.isidentifier()
    assert declared.of == "firm" or not declared.terminal or declared.note or declared.label
    assert "{" not in (declared.note or "").replace("{window}", "")
    if declared.unit == "%":
        assert declared.rests_on is not None, "the error of a share rests on counts"


@pytest.mark.parametrize("regime", ["repertoire", "both"])
def test_a_name_is_declared_once_for_a_kind_of_market(regime):
    before = dict(METRICS)
    with pytest.raises(ValueError, match="stickiness: declared already"):
        metric("stickiness", regime=regime)(lambda tally: tally.people)
    assert before == METRICS


def test_the_two_kinds_of_market_differ_only_in_what_sets_a_firm_against_its_category():
    of_firm, of_market = (
        [set(found(provider)) for provider in (True, False)] for found in (metrics.firm_metrics, metrics.market_metrics)
    )
    assert (of_firm[0] - of_firm[1], of_firm[1] - of_firm[0]) == ({"above_category"}, {"excess"})
    assert of_market[0] - of_market[1] == {"category_index"}
    assert of_market[1] - of_market[0] == {"dirichlet_phi", "polarization"}, "no benchmark of an index over a window"
    assert metrics.firm_metrics(True)["stickiness"] is metrics.lag_index


def test_the_words_of_a_name_that_is_no_metric_are_its_own():
    assert info("trust_in_them") == MetricInfo("trust_in_them") and words("trust_in_them") == "Trust in them"
    assert not info("trust").percent and info("churn").percent


def test_only_what_belongs_to_the_table_is_in_it():
    names = {i.name for i in listed("firm", table=False)} - {i.name for i in listed("firm")}
    assert {"retention", "once_only", "next_use"} <= names


@pytest.mark.parametrize(
    ("value", "axes", "first"),
    [
        (np.array([0.6, 0.4]), {"firm": ["a", "b"]}, ("a", 0.6)),
        (np.array([[0.6, 0.4], [0.5, 0.5]]), {"week": range(2), "firm": ["a", "b"]}, ((0, "a"), 0.6)),
    ],
)
def test_estimates_become_frames_with_labels(value, axes, first):
    found = frame(Estimate(value, value / 10), **axes)
    assert list(found.columns) == ["value", "error"] and list(found.index.names) == list(axes)
    assert found.loc[first[0], "value"] == first[1] and len(found) == value.size


@pytest.mark.parametrize("axes", [{}, {"firm": ["a"]}, {"week": [0], "firm": ["a", "b"]}])
def test_labels_that_do_not_fit_are_refused(axes):
    with pytest.raises(ValueError, match="for an estimate of shape"):
        frame(Estimate(np.array([0.6, 0.4]), np.zeros(2)), **axes)


def test_firms_of_a_bank_lie_on_both_sides_of_their_category():
    """No phi of a Dirichlet, which was .96 beside stickiness of .87, so that every bank looked deficient."""
    market = sim.scenario("market=bank", "people=3000", "burn_in=52", "weeks=52")
    table = sim.simulate(market).table().query("group == 'all'")
    found = table.pivot(index="firm", columns="metric", values="value")
    firms, category = found.drop(index=""), found.loc["", "category_index"]
    assert firms.above_category.min() < 0 < firms.above_category.max()
    assert np.allclose(firms.stickiness - firms.above_category, category)
    assert not {"excess", "dirichlet_phi", "polarization"} & set(found.columns)


def test_who_had_no_firm_to_leave_has_not_switched():
    """A newcomer's first firm is no switch, and who has left the market is not looked for."""
    transitions = np.array([[5, 30, 0], [0, 90, 10], [7, 20, 80]])
    counts = Tally(*(transitions if name == "transitions" else np.zeros(1) for name in Tally._fields))
    assert metrics.switched(counts) == pytest.approx(30 / 200)
