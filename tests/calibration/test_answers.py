"""A calibrated market answers what any market does: a price, an entry, a lever, a scandal, countermeasures."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sim import __main__ as cli
from sim.calibration.choices import choices_of, price_index, ranked_brands
from sim.calibration.fit import basic_terms
from sim.calibration.posterior import Posterior
from sim.calibration.preset import price_shift
from sim.calibration.twin import OF_BRAND, OF_MARKET
from sim.panel import read
from sim.study.presets import scenario
from sim.study.simulation import simulate
from tests.calibration.panels import drawn

LINE = "tastes, prices, promotions and habit from its panel; scandals, quality, effort and entry from literature"
SIZE = ("people=800", "weeks=26", "replications=1")


@pytest.fixture
def shares(made):
    """Shares of the firms in a run of the calibrated market, by what is asked."""

    def of(*asked: str) -> dict[str, float]:
        run = simulate(scenario(f"market={made[0] / 'market'}", *SIZE, *asked))
        table = run.table()
        rows = table[(table.group == "all") & (table.metric == "share")]
        return dict(zip(rows.firm, rows.value, strict=True))

    return of


def test_people_go_on_from_their_history(made, shares):
    """Shares of the first half year are near those of the panel: tastes and habits are those of its households."""
    _, train, _ = made
    seen, found = train.choice.value_counts(normalize=True), shares()
    for firm, share in seen.items():
        assert found[firm] == pytest.approx(share, abs=0.12)


def test_a_price_a_lever_and_an_entry_move_shares(shares):
    asis = shares()
    assert shares("firms.a.price=1.3")["a"] < asis["a"] - 0.03
    cut = shares("+moves.cut={firm: c, lever: price, week: 0, value: 0.7}")
    assert cut["c"] > asis["c"] + 0.03
    assert shares("firms.a.quality=-2")["a"] < asis["a"] - 0.02  # what quality does is from literature
    new = shares("+firm@firms.newcomer=standard", "firms.newcomer.presence=1")
    assert new["newcomer"] > 0 and sum(new.values()) == pytest.approx(1) and new["a"] < asis["a"]


def test_a_deep_deal_does_not_move_the_scale_of_prices(tmp_path):
    """Prices of firms are near 1, the mean, also where price acts by its logarithm and one purchase was nearly free."""
    frame = drawn(20, 8)
    frame.loc[3, "price_a"] = 0.01
    frame.to_csv(tmp_path / "p.csv", index=False)
    panel = read(tmp_path / "p.csv")
    choices = choices_of(panel, ranked_brands(panel))
    terms = replace(basic_terms(choices), log_price=True)
    posterior = Posterior(choices.brands, choices.brands, terms, {}, {}, "", choices.households, np.zeros(0, np.uint64))
    assert price_index(choices, terms).min() < -4
    assert price_shift(posterior, choices, None) == 0
    weeks = choices.nth
    cheapest = (
        price_index(choices, terms)[weeks == weeks[price_index(choices, terms)[:, 0].argmin()]].mean(axis=0).min()
    )
    assert price_shift(posterior, choices, weeks) == pytest.approx(max(0, 0.05 - 1 - cheapest))


def said(monkeypatch, capsys, folder, *arguments: str) -> str:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["stickiness", *arguments, *SIZE])
    status, out = cli.main(), capsys.readouterr()
    assert status == 0, out.err
    return " ".join(out.out.split())


def test_a_scandal_is_answered_with_a_line_on_what_the_panel_tells(made, tmp_path, monkeypatch, capsys):
    text = said(
        monkeypatch,
        capsys,
        tmp_path,
        f"market={made[0] / 'market'}",
        "scandal=data_breach",
        "scandals.data_breach.week=4",
    )
    assert LINE in text and "customers" in text


def test_countermeasures_of_a_calibrated_market(made, tmp_path, monkeypatch, capsys):
    market = f"market={made[0] / 'market'}"
    text = said(
        monkeypatch, capsys, tmp_path, "countermeasures", market, "scandal=data_breach", "scandals.data_breach.week=4"
    )
    assert LINE in text and "of the loss averted" in text


def test_the_twin_is_like_its_panel(made):
    """Figures of free runs of the same households: shares, penetration, SCR and repeat, with the errors of both."""
    folder, train, _ = made
    table = pd.read_csv(folder / "market" / "twin.csv", keep_default_na=False)
    assert set(table.metric) == {*OF_BRAND, *OF_MARKET}
    by = table.set_index(["firm", "metric"])
    for firm, share in train.choice.value_counts(normalize=True).items():
        assert by.loc[(firm, "share"), "panel"] == pytest.approx(share)
        buyers = train.groupby("hh").choice.agg(lambda c, firm=firm: firm in set(c)).mean()
        assert by.loc[(firm, "penetration"), "panel"] == pytest.approx(buyers)
    off = (table.twin - table.panel) / np.hypot(table.error.astype(float), table.spread)
    assert (off.abs() < 3.5).mean() > 0.9
    assert by.xs("share", level="metric").twin.sum() == pytest.approx(1)
