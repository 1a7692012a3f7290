"""The benchmark runs and says what it should; how fast is not for a test to judge."""

import re

import numpy as np
import pytest

from experiments.benchmarks import speed, speed_machine
from experiments.benchmarks.speed_starts import held
from sim import study
from sim.engine.loop import advance, initialize
from sim.model.scenario import change
from tests.markets import market


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    return speed.main(fast=True, busy=True, folder=folder), folder


def test_the_fast_form_measures_every_kind_of_figure(run):
    table, folder = run
    shown = {re.sub(r"\d+", "n", what) for what in table.what}
    places = [p for p in speed_machine.places() if p != "L1d"]
    assert shown >= {
        *("kernel", "kernel, a core held", "Mesa, idiomatic", "Market by agents", "no network", "n scandal", "n firms"),
        *("hardly a use", "a use a week", "multiply-adds", "multiply-adds in its time", "processors had, kernel"),
        *("arrays", "arrays, a person and firm", "arrays, a person beside", "help", "warm start"),
        *(re.sub(r"\d", "n", f"{what}, {place}") for what in ("in-place update", "triad") for place in places),
    }
    kernel = table[table.what == "kernel"]
    assert set(zip(kernel.people, kernel.threads, strict=True)) == {(n, t) for n in speed.FAST.sizes for t in (1, 2)}
    assert {path.suffix for path in folder.iterdir()} == {".parquet", ".png", ".svg"}


def test_figures_and_ratios_are_positive_and_in_order(run):
    table = run[0]
    for columns in (["low", "median", "high"], ["least", "ratio", "most"]):
        figures = table[columns].to_numpy()
        figures = figures[~np.isnan(figures).any(axis=1)]
        assert len(figures) and np.isfinite(figures).all() and (np.diff(figures) >= 0).all()
        assert (figures[:, 1] > 0).all()
    compared = table.what.isin(["kernel", "Mesa, idiomatic", "Market by agents", "no network"])
    assert table.ratio[compared].notna().all()


def test_a_claim_is_met_or_missed_or_not_looked_at(run):
    said = list(speed.verdicts(run[0]))
    assert len(said) == 9 and all(re.match(r" *(met|missed|disturbed|not looked at)  ", line) for line in said)
    assert sum("not looked at" in line for line in said) == 5  # a million people, 20 firms, Mesa at 100,000: full form


def test_a_market_of_so_many_firms_and_variants_are_scenarios():
    """Each changes what its name says, from a market that lives."""
    base = change(study.scenario("market=toothpaste_uk"), {"people": 100})
    assert [len(speed.of_firms(base, n).firms) for n in speed.FIRMS] == list(speed.FIRMS)
    made = {what: change(base, changes) for what, changes in speed.variants(base, every=True).items()}
    assert len(made["60 cells"].cells) == 60 and len(made["1 segment"].cells) == 1
    assert len(made["16 scandals"].scandals) == 16 and not made["taste off"].mechanisms.taste


def test_arrays_are_counted_once_however_they_are_looked_at():
    """Bytes grow with people and nothing else, and a week later they are the same."""
    few, many = (initialize(market({"people": n})) for n in (4096, 12_288))
    size = held(few)
    assert size > 0 and held(many) == pytest.approx(3 * size, rel=0.2)
    advance(few)
    assert held(few) == pytest.approx(size, rel=0.05)
