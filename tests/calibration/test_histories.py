"""Histories: who was where when, what is known of it, and what is counted of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sim.calibration import histories
from sim.calibration.histories import ABSENT, Histories, events, histories_of, walk
from sim.calibration.provider_chances import Chances, kinds_of, next_firm, table_of
from sim.calibration.provider_figures import MOVES, RETURNS, exits, of_firms, of_market, retention, tenure_name
from sim.calibration.provider_forecast import Waiting, predict, simulate
from sim.calibration.provider_market import observe, with_firms
from sim.panel import read
from sim.study.presets import uncalibrated


def table(y, first="2020-01"):
    """Customers' months with a provider, as a file has them."""
    i, m = np.nonzero(y >= 0)
    months = (np.datetime64(first) + m).astype("datetime64[D]").astype(str)
    return pd.DataFrame(
        {"customer": [f"c{n}" for n in i], "month": months, "provider": np.array(list("ABCDEF"))[y[i, m]]}
    )


def some(*rows, weeks=52 / 12, age=None):
    """Histories written as text, a letter a period, "." = none."""
    y = np.array([["abcdef".find(x) for x in row] for row in rows], np.int8)
    many = len(rows)
    ages = np.full(many, -1, np.int32) if age is None else np.array(age, np.int32)
    firms = tuple("abcdef"[: int(y.max()) + 1])
    return Histories(firms, y, ages, weeks, np.arange(many), np.arange(many))


def test_what_follows_each_period():
    h = some("aabba", ".bbb.", "abab.")
    e = events(h)
    of = {(w, p): (n, t, round(m), f, b, k) for w, p, n, t, m, f, b, k in zip(*e, strict=True)}
    assert len(of) == 4 + 3 + 4
    assert of[0, 0] == (0, 0, 1, False, ABSENT, 0) and of[0, 1] == (0, 1, 2, False, ABSENT, 0)
    assert of[0, 2] == (1, 1, 1, True, 0, 1) and of[0, 3] == (1, 0, 2, True, 0, 1)
    assert of[1, 1] == (1, 1, 1, True, ABSENT, 0), "who comes later is seen from the beginning"
    assert of[1, 3] == (1, ABSENT, 3, True, ABSENT, 0) and of[2, 2] == (0, 1, 1, True, 1, 2)


def test_an_age_tells_the_beginning():
    e = events(some("aaa", age=[7]))
    assert e.months.round().tolist() == [8, 9] and e.fresh.all()


def test_figures_by_hand():
    h = some("aabb", "abba", "aaaa", "bb..")
    figures, firms = of_market(h), of_firms(h)
    assert figures[MOVES].value() == 3 / 10
    assert (figures[RETURNS].hits.sum(), figures[RETURNS].of.sum()) == (1, 1)
    assert figures["ever moved"].value() == 2 / 3 and figures["moved twice"].value() == 1 / 3
    assert figures[tenure_name(0)].value() == pytest.approx(1 / 3)
    assert firms["churn"].value() == pytest.approx([2 / 6, 1 / 4])
    assert firms["joins"].value() == pytest.approx([1 / 3, 2 / 3])
    assert firms["switching"].value() == pytest.approx([0, 2 / 3, 1 / 3, 0])
    assert exits(h)[2] == 1


def test_retention_is_kaplan_meier():
    value, _, watched = retention(some("ab.", "abb", "aba", ".bb", ".ba"))
    assert watched.tolist() == [4] and value.tolist() == [0.5]


@pytest.mark.parametrize(
    ("rows", "column", "weeks"),
    [
        ([("2020-01-01", "2020-02-01"), ("2020-01-31", "2020-02-29")], "date", 52 / 12),
        ([("2018-06-01", "2019-06-01"), ("2018-06-01", "2019-06-03")], "date", 52.0),
        ([("2020-01-01", "2020-04-01"), ("2020-01-01", "2020-04-01")], "date", 13.0),
        ([(2018, 2019), (2019, 2020)], "year", 52.0),
        ([(1, 2), (1, 2)], "week", 1.0),
        ([(1, 2), (2, 3)], "month", 52 / 12),
    ],
)
def test_the_length_of_a_period(rows, column, weeks, tmp_path):
    frame = pd.DataFrame(
        [(f"c{i}", t, "AB"[(i + k) % 2]) for i, times in enumerate(rows) for k, t in enumerate(times)],
        columns=["customer", column, "provider"],
    )
    frame.to_csv(tmp_path / "p.csv", index=False)
    h, said = histories_of(read(tmp_path / "p.csv", provider="yes"), 100)
    assert h.weeks == pytest.approx(weeks) and said


def test_short_gaps_are_filled_and_long_ones_are_not(tmp_path):
    y = np.array([[0, -1, 0, 0, 1, 1], [1, -1, 0, 0, 0, 0], [0, 1, -1, -1, -1, 1]], np.int8)
    table(y).to_csv(tmp_path / "p.csv", index=False)
    h, said = histories_of(read(tmp_path / "p.csv"), 100)
    assert h.firms == ("A", "B") and h.y.tolist() == [[0, 0, 0, 0, 1, 1], [1, -1, 0, 0, 0, 0], [0, 1, -1, -1, -1, 1]]
    assert any("1 periods that lack" in s for s in said)


def test_spells_from_before_leaving_was_seen_only_tell_tenure(tmp_path):
    """A list of customers with old spells holds those who stayed; nobody could be seen to leave before."""
    rows = [(f"c{i}", "A", f"{2010 + i % 8}-03-01", "") for i in range(20)]
    rows += [(f"d{i}", "B", "2015-01-01", f"2020-0{1 + i}-01") for i in range(5)]
    rows += [(f"d{i}", "A", f"2020-0{1 + i}-01", "") for i in range(5)] + [("e", "B", "2020-08-01", "2020-12-01")]
    pd.DataFrame(rows, columns=["customer", "provider", "start", "end"]).to_csv(tmp_path / "p.csv", index=False)
    h, said = histories_of(read(tmp_path / "p.csv"), 100)
    assert h.periods < 15 and any("only tell how long" in s for s in said)
    assert h.age.max() == (2019 - 2010) * 12 + 9 and (h.age[h.y[:, 0] >= 0] >= 0).all()
    assert h.y[:, 0].max() >= 0 and histories.step_of(read(tmp_path / "p.csv")) > 27


def test_how_customers_and_firms_are_called_does_not_matter(tmp_path):
    rng = np.random.default_rng(1)
    y = np.where(rng.random((60, 8)) < 0.8, 0, rng.integers(0, 3, (60, 8))).astype(np.int8)
    frame = table(y)
    other = frame.assign(
        customer="x" + (1000 - frame.customer.str[1:].astype(int)).astype(str),
        provider=frame.provider.map({"A": "zeta", "B": "beta", "C": "alpha"}),
    )
    found = []
    for name, one in (("a", frame), ("b", other.sort_values(["customer", "month"]))):
        one.to_csv(tmp_path / f"{name}.csv", index=False)
        h, _ = histories_of(read(tmp_path / f"{name}.csv"), 30)
        found.append(sorted((row.tolist(), int(fold)) for row, fold in zip(h.y, h.fold, strict=True)))
    assert found[0] == found[1] and len(found[0]) < 60


def test_newcomers_of_a_market_are_customers_of_their_own():
    base = with_firms(uncalibrated("market=bank"), ("a", "b"), np.array([0.6, 0.4]), None)
    often = replace(base, consumer=replace(base.consumer, turnover=1.0))
    like = some("a" * 24, "b" * 24)
    h = observe(often, like, 500, 1)
    rate, error, gone = exits(h)
    assert len(h.y) > 500 + 0.7 * gone and rate == pytest.approx(1.0, abs=4 * error + 0.1)
    ends = [np.flatnonzero(row >= 0) for row in h.y]
    assert all(np.ptp(at) == len(at) - 1 or np.ptp(at) <= len(at) + 1 for at in ends), "each is there once"
    again = observe(often, like, 500, 1)
    assert (again.y == h.y).all()


def chances():
    """Of two firms: a new customer leaves with chance .5, any other with .1."""
    leaving = np.full((2, 8, 5), 0.1)
    leaving[:, 0, :] = 0.5
    joining = np.zeros((3, 3, 2))
    joining[:, 0] = [0.75, 0.25]
    joining[:, 1, 1] = joining[:, 2, 0] = 1.0
    return Chances(("A", "B"), ("a", "b"), 52 / 12, 30.0, 1, leaving, leaving, joining)


def test_the_next_firm_follows_from_the_past():
    w = Waiting(np.array(["x", "y"]), np.array([[0, 0, 0, 0, 0], [-1, -1, -1, -1, 1]]), np.full((2, 5), -1))
    w.asked[:, 4] = [0, 1]
    rows, p = predict(chances(), w)
    assert rows.tolist() == [0, 1] and p == pytest.approx(np.array([[0.9, 0.1], [0.75, 0.25]]))
    w.y[0, 3] = -1  # a period that lacks: two steps
    assert predict(chances(), w)[1][0] == pytest.approx([0.5**2, 1 - 0.5**2])


def test_who_is_there_from_the_first_period_on_is_no_newcomer():
    """One-step chances of the customers of a market, forecast and counted, are the same."""
    base = with_firms(uncalibrated("market=bank"), ("a", "b"), np.array([0.6, 0.4]), None)
    h = observe(base, some("a" * 20, "b" * 20), 600, 1)
    table = table_of(h, ("a", "b"), 1, 30.0, np.ones(2))
    y = h.y.astype(np.int64)
    there = (y >= 0) & (np.arange(20) > 0)
    asked = np.where(there, there.cumsum().reshape(there.shape) - 1, -1)
    rows, p = predict(table, Waiting(h.names.astype(str), y, asked))
    i, m = np.nonzero(there)
    found = np.full(y.shape, np.nan)
    found[i[rows], m[rows]] = 1 - p[np.arange(len(rows)), np.maximum(y[i[rows], m[rows] - 1], 0)]
    for period, state in walk(h):
        at = np.flatnonzero((state.last >= 0) & (y[:, min(period + 1, 19)] >= 0) & (period < 19))
        bins, kinds = kinds_of(state, period, h.weeks)
        expected = table.leaving[state.last[at], bins[at], kinds[at]]
        assert found[at, min(period + 1, 19)] == pytest.approx(expected)


def test_free_runs_have_the_chances_that_are_told():
    many = 4000
    w = Waiting(np.array([f"c{i}" for i in range(many)]), np.full((many, 2), 1), np.full((many, 2), -1))
    w.asked[:, 1] = np.arange(many)
    _, paths = simulate(chances(), w, 2, 1)
    assert paths.mean(axis=1) == pytest.approx([0.5, 0.5], abs=0.03) and (paths[0] != paths[1]).any()
    assert (simulate(chances(), w, 2, 1)[1] == paths).all() and (simulate(chances(), w, 2, 2)[1] != paths).any()
    state = histories.seen(histories.start(1), np.array([0]), 0)
    assert next_firm(chances(), state, 0, np.ones(1))[0].tolist() == [0.5, 0.5]
