"""Periods, before and after, segments, providers, one firm: what a panel tells beside the whole, and what is kept."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim import panel
from sim.panel.concentration import concentrations
from sim.panel.folds import fold_of
from sim.panel.main import FILES
from tests.panel.panels import written


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Where outputs/ may be made."""
    monkeypatch.chdir(tmp_path)


def dated(households=120, each=12, seed=4):
    """Purchases of two years; Aro is left for Bel from 2023 on; the north likes Cim."""
    rng = np.random.default_rng(seed)
    hh = np.repeat(np.arange(households), each)
    day = np.sort(rng.integers(0, 730, (households, each)), axis=1).ravel()
    late, north = day >= 365, hh < households // 2
    aro, cim = np.where(late, 0.2, 0.6), np.where(north, 0.3, 0.05)
    u = rng.random(len(hh))
    brand = np.where(u < cim, "Cim", np.where(u < cim + aro * (1 - cim), "Aro", "Bel"))
    date = (pd.Timestamp("2022-01-01") + pd.to_timedelta(day, unit="D")).strftime("%Y-%m-%d")
    return pd.DataFrame({"customer": hh, "date": date, "brand": brand, "region": np.where(north, "north", "south")})


def test_before_and_after_a_date_and_the_change(tmp_path):
    table = dated()
    found = panel.measure(written(table, tmp_path), split="2023-01-01").set_index(["group", "firm", "metric"])
    for group, rows in (("before", table.date < "2023-01-01"), ("after", table.date >= "2023-01-01")):
        part = table[rows].drop_duplicates(["customer", "date", "brand"])
        expected = part.brand.value_counts(normalize=True)
        for brand in ("Aro", "Bel", "Cim"):
            assert found.value[group, brand, "share"] == pytest.approx(expected[brand])
    change = found.loc["change", "Aro", "share"]
    assert change.value == pytest.approx(found.value["after", "Aro", "share"] - found.value["before", "Aro", "share"])
    assert change.value < -5 * change.error < 0
    parted = np.hypot(found.error["before", "Aro", "share"], found.error["after", "Aro", "share"])
    assert change.error == pytest.approx(parted, rel=0.6), "paired over the same households"


def test_periods_cover_the_whole(tmp_path):
    path = written(dated(), tmp_path)
    whole = panel.read(path)
    for period, parts in (("month", 24), ("quarter", 8), ("year", 2), ("73", 10)):
        found = panel.measure(path, period=period)
        names = [g for g in dict.fromkeys(found.group) if g.startswith("period.")]
        assert len(names) == parts
        uses = found[(found.metric == "category_mean") & found.group.isin(names)].value.sum() * len(whole.households)
        assert uses == pytest.approx(len(whole.hh))
    assert names[0] == "period.2022-01-01" and "period.2022-Q3" in set(panel.measure(path, period="quarter").group)


def test_segments_are_of_their_own_households(tmp_path):
    table = dated()
    found = panel.measure(written(table, tmp_path), segment="region").set_index(["group", "firm", "metric"]).value
    south = table[table.region == "south"].drop_duplicates(["customer", "date", "brand"])
    assert found["segment.south", "Cim", "share"] == pytest.approx((south.brand == "Cim").mean())
    reach = south[south.brand == "Cim"].customer.nunique() / south.customer.nunique()
    assert found["segment.south", "Cim", "penetration"] == pytest.approx(reach)
    alone = (
        panel.measure(written(table[table.region == "south"], tmp_path, "south.csv"))
        .set_index(["firm", "metric"])
        .value
    )
    assert found["segment.south"].dropna().to_dict() == pytest.approx(
        alone[[i for i in alone.index if i in found["segment.south"].dropna().index]].to_dict(), rel=1e-6
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"split": "soon"}, "panel.split: 'soon' is neither a number nor a date"),
        ({"split": "2030-01-01"}, "all purchases are before 2030-01-01"),
        ({"period": "fortnight"}, "panel.period: 'fortnight' is no number of units of time"),
        ({"period": "0.1"}, "at most 400"),
        ({"segment": "regoin"}, "panel.segment=regoin: there is no such column; did you mean region?"),
        ({"start": "12"}, "panel.from: '12', but date holds dates"),
        ({"filter": "region=east"}, "panel.filter: region is never 'east'"),
        ({"filter": "rigeon=east"}, "panel.filter: there is no column 'rigeon'; did you mean region?"),
        ({"size": 3}, "panel.size: 3 is not from 120"),
    ],
)
def test_what_cannot_be_done_is_said(options, sentence, tmp_path):
    path = written(dated(), tmp_path)
    with pytest.raises(panel.PanelError) as caught:
        panel.measure(path, **options)
    assert sentence in str(caught.value)


def insured(customers=300, months=36, seed=2):
    """Months with an insurer, left with chance .02 a month; with the joint counts a year apart."""
    rng = np.random.default_rng(seed)
    state, rows = rng.integers(0, 2, customers), []
    for month in range(months):
        move = rng.random(customers) < 0.02
        state = np.where(move, rng.integers(0, 3, customers), state)
        rows += [(c, f"{2020 + month // 12}-{month % 12 + 1:02d}", "ABC"[s]) for c, s in enumerate(state)]
    return pd.DataFrame(rows, columns=["policyholder", "month", "insurer"])


def test_providers_are_measured_a_year_apart(tmp_path):
    table = insured().sample(frac=1, random_state=1)
    frame = panel.measure(written(table, tmp_path))
    found = frame.set_index(["firm", "metric"]).value
    wide = table.pivot(index="policyholder", columns="month", values="insurer")
    now, then = wide.iloc[:, :-12].to_numpy().ravel(), wide.iloc[:, 12:].to_numpy().ravel()
    for insurer in "ABC":
        stayed = (then[now == insurer] == insurer).mean()
        m = (then == insurer).mean()
        assert found[insurer, "retention"] == pytest.approx(stayed)
        assert found[insurer, "stickiness"] == pytest.approx((stayed - m) / (1 - m))
    assert found["", "switched"] == pytest.approx((now != then).mean())
    shares_now, shares_then = ([(year == insurer).mean() for insurer in "ABC"] for year in (now, then))
    chance = np.dot(shares_now, shares_then)
    assert found["", "category_index"] == pytest.approx(((now == then).mean() - chance) / (1 - chance))
    above = found["A", "stickiness"] - found["", "category_index"]
    assert found["A", "above_category"] == pytest.approx(above)
    assert not {"excess", "dirichlet_phi", "polarization"} & {m for _, m in found.index}
    tenures = [m for m in frame.metric if m.startswith("retention_from_")]
    assert len(tenures) >= 5 and (found.loc[""].loc[tenures] > 0.95).all()


def test_spells_and_a_column_a_month_are_the_same_providers(tmp_path):
    table = insured(months=30)
    long = panel.read(written(table, tmp_path))
    wide = table.pivot(index="policyholder", columns="month", values="insurer").reset_index()
    assert (panel.read(written(wide, tmp_path, "wide.csv")).y == long.y).all()
    table["day"] = pd.to_datetime(table.month)
    run = (
        table.sort_values(["policyholder", "day"])
        .groupby("policyholder")
        .insurer.transform(lambda s: (s != s.shift()).cumsum())
    )
    spells = table.assign(run=run).groupby(["policyholder", "run", "insurer"]).day.agg(["min", "max"]).reset_index()
    spells["end_date"] = spells["max"] + pd.offsets.MonthBegin(1)
    spells.loc[spells.end_date == spells.end_date.max(), "end_date"] = pd.NaT
    spells = spells.rename(columns={"min": "start_date"})[["policyholder", "insurer", "start_date", "end_date"]]
    part = panel.read(written(spells, tmp_path, "spells.csv"))
    assert part.provider and abs(len(part.hh) - len(long.hh)) <= 300  # the last month is open
    one, other = (panel.measure(p).set_index(["firm", "metric"]).value for p in (long, part))
    assert np.allclose(one.loc[["A", "B"]], other.loc[["A", "B"]].reindex(one.loc[["A", "B"]].index), atol=0.02)


def test_the_history_of_one_firm(tmp_path):
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.8, 1 / 0.02, 3000) / 365  # M, K of a year: 40 x .8, .8 / .02
    n = rng.poisson(rate * 0.05 * 365)
    rows = [(c, d) for c, k in enumerate(n) for d in np.sort(rng.choice(365, k, replace=False))]
    table = pd.DataFrame(rows, columns=["customer_id", "day"])
    table["date"] = (pd.Timestamp("2023-01-01") + pd.to_timedelta(table.day, unit="D")).dt.strftime("%Y-%m-%d")
    table = table.assign(amount=9.99).drop(columns="day")
    found = panel.measure(written(table, tmp_path)).set_index("metric")
    bought = n[n > 0]
    assert found.value["frequency"] == pytest.approx(bought.mean())
    assert found.value["again"] == pytest.approx((bought > 1).mean())
    assert found.error["again"] == pytest.approx(np.sqrt(np.var(bought > 1) / len(bought)), rel=0.25)
    assert found.value["nbd_mean"] == pytest.approx(n.mean(), rel=0.1)
    assert found.value["nbd_shape"] == pytest.approx(0.8, rel=0.2)
    assert 0 < found.value["active_1"] < 1 and "share" not in found.index
    assert panel.main("panel.csv") == 0


def test_the_dirichlet_of_a_known_market_is_found_with_its_error():
    rng = np.random.default_rng(0)
    taste = rng.dirichlet(1.5 * np.array([0.5, 0.3, 0.15, 0.05]), 2000)
    x = np.array([rng.multinomial(n, p) for n, p in zip(rng.integers(0, 15, 2000), taste, strict=True)])
    s = concentrations(x, np.arange(2000) % 50)
    assert len(s) == 51 and s[0] == pytest.approx(1.5, rel=0.1)
    alone = concentrations(x[np.arange(2000) % 50 != 7], np.zeros(1500 + 460, int))
    assert s[8] == pytest.approx(alone[0], rel=1e-6)
    weighted = concentrations(x[:500], np.arange(500) % 50, np.r_[np.full(250, 2.0), np.ones(250)])
    doubled = concentrations(np.r_[x[:500], x[:250]], np.zeros(750, int))
    assert weighted[0] == pytest.approx(doubled[0], rel=1e-6)


def test_folds_are_equal_parts(tmp_path):
    p = panel.read(written(dated(households=1000, each=3), tmp_path))
    assert set(np.bincount(fold_of(p), minlength=100)) == {10}


# ---------------------------------------------------------------- what is kept


def test_a_panel_is_kept_as_a_run_is(tmp_path, capsys):
    written(dated(), tmp_path)
    assert panel.main("panel.csv", ["panel.split=2023-01-01", "panel.out=mine"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Columns used: customer: customer; time: date; brand: brand")
    assert {p.name for p in Path("mine").iterdir()} == set(FILES)
    stored, text = pd.read_parquet("mine/metrics.parquet"), pd.read_csv("mine/metrics.csv", keep_default_na=True)
    assert {"all", "before", "after", "change"} == set(stored.group)
    assert np.allclose(stored.value, text.value, equal_nan=True)
    again = panel.measure("mine/purchases.parquet", brand="choice", split="2023-01-01")
    assert np.allclose(again.value, stored.value, equal_nan=True)
    assert Path("mine/report.txt").read_text("utf-8").startswith("Columns used")
    assert not [p for p in Path().iterdir() if p.name.startswith(".")]


def test_nothing_of_the_users_is_overwritten(tmp_path, capsys):
    written(dated(), tmp_path)
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("all I have")
    assert panel.main("panel.csv", ["panel.out=mine"]) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert [p.name for p in Path("mine").iterdir()] == ["thesis.txt"] and not Path("outputs").exists()
    for _ in range(2):
        assert panel.main("panel.csv") == 0
    assert len(list(Path("outputs").glob("*/*"))) == 2


def test_a_folder_that_takes_no_files_costs_no_figures(tmp_path, capsys):
    written(dated(), tmp_path)
    Path("outputs").write_text("a file where a folder is wanted")
    assert panel.main("panel.csv") == 0
    streams = capsys.readouterr()
    assert "How sticky" in streams.out and "cannot be written" in streams.err
    assert Path("outputs").read_text() == "a file where a folder is wanted"


def test_a_brand_with_a_strange_name_costs_no_figures(tmp_path, capsys):
    table = dated().replace({"brand": {"Aro": "[bold]$x_{$ 5 % ^", "Bel": "\U0001f600 très"}})
    written(table, tmp_path)
    assert panel.main("panel.csv", ["panel.out=mine"]) == 0
    out = capsys.readouterr().out
    assert "[bold]$x_{$ 5 % ^" in out and "Traceback" not in out
    assert "[bold]$x_{$ 5 % ^" in set(pd.read_csv("mine/metrics.csv").firm)


def test_an_ascii_pipe_shows_the_figures(tmp_path):
    written(dated(), tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "sim", "panel=panel.csv"],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "COLUMNS": ""},
        capture_output=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0 and b"How sticky" in done.stdout and not done.stderr, done.stderr
    assert json.dumps(done.stdout.decode("ascii"))


# ---------------------------------------------------------------- sizes


def test_thirty_brands_take_seconds(tmp_path):
    import time

    rng = np.random.default_rng(1)
    taste = rng.dirichlet(np.full(30, 0.1), 2000)
    rows = [(h, t, f"b{rng.choice(30, p=taste[h]):02d}") for h in range(2000) for t in range(5)]
    path = written(pd.DataFrame(rows, columns=["hh", "t", "brand"]), tmp_path)
    start = time.process_time()
    panel.measure(path)
    assert time.process_time() - start < 5


def test_a_million_rows_and_a_household_of_many(tmp_path):
    rng = np.random.default_rng(1)
    rows = 300_000
    hh = np.r_[rng.integers(1, 20_000, rows - 100_000), np.zeros(100_000, int)]
    table = pd.DataFrame({"customer": hh, "t": np.arange(rows), "brand": rng.choice(list("abcd"), rows)})
    p = panel.read(written(table, tmp_path))
    assert len(p.hh) == rows and np.bincount(p.hh).max() == 100_000
    found = panel.measure(p).set_index(["firm", "metric"])
    assert np.allclose(found.value["a", "share"], (table.brand == "a").mean()) and np.isfinite(
        found.value["a", "stickiness"]
    )


def test_more_rows_than_are_read_is_a_sentence(tmp_path, monkeypatch):
    from sim.panel import source

    monkeypatch.setattr(source, "MOST_ROWS", 100)
    path = written(dated(), tmp_path)
    with pytest.raises(panel.PanelError, match="more than 100 rows; at most 100 are read"):
        panel.read(path)
    with pytest.raises(panel.PanelError, match="1,440 rows; at most 100 are read"):
        panel.read(written(dated(), tmp_path, "panel.parquet"))
