"""A real panel gives the published figures, a sorted one is caught, a broken one is explained."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from sim import panel
from sim.engine import simulate
from sim.panel.columns import find
from sim.panel.measures import order_z
from sim.panel.order import judge, one_way
from sim.tally import Count
from tests.markets import market

PANELS = Path(__file__).parents[2] / "shared" / "panels"
IN_ORDER, SORTED = ("catsup", "cracker", "yogurt"), ("ketchup", "tuna")
needs_panels = pytest.mark.skipif(not PANELS.is_dir(), reason="the panels are not beside this checkout")

# README of the panels, section 3: the market.
MARKETS = {  # n/hh, phi, S, D
    "catsup": (9.3, 0.235, 3.25, 0.96),
    "cracker": (24.2, 0.463, 1.16, 1.05),
    "yogurt": (24.1, 0.498, 1.01, 1.03),
    "ketchup": (2.5, 0.251, 2.98, 0.80),
    "tuna": (4.4, 0.226, 3.43, 0.98),
}
REPEATS = {  # R, chance, shuffled, R - shuffled, z
    "catsup": (0.570, 0.380, 0.544, 0.026, 4),
    "cracker": (0.773, 0.404, 0.754, 0.019, 5),
    "yogurt": (0.856, 0.329, 0.742, 0.114, 20),
}
# Section 3: share, penetration, purchases a buyer, SCR, sole, repeat; section 5: U, U/U0, U out of sample.
BRANDS = """
catsup   heinz41   0.065 0.377 1.61  0.169 0.000 0.263   0.20 1.41 0.15
catsup   heinz32   0.521 0.847 5.74  0.592 0.063 0.682   1.45 1.32 1.09
catsup   heinz28   0.304 0.850 3.34  0.347 0.020 0.504   0.53 1.13 0.58
catsup   hunts32   0.110 0.403 2.54  0.291 0.025 0.386   0.41 2.18 0.46
cracker  sunshine  0.073 0.485 3.62  0.143 0.000 0.386   0.17 1.77 0.09
cracker  kleebler  0.069 0.426 3.90  0.159 0.000 0.495   0.19 2.08 0.15
cracker  nabisco   0.544 0.890 14.81 0.610 0.215 0.842   1.56 1.31 2.32
cracker  private   0.314 0.596 12.78 0.492 0.037 0.805   0.97 2.11 0.95
yogurt   yoplait   0.339 0.730 11.21 0.479 0.110 0.842   0.92 1.78 1.05
yogurt   dannon    0.402 0.770 12.60 0.529 0.195 0.886   1.12 1.66 1.10
yogurt   hiland    0.029 0.260 2.73  0.149 0.000 0.448   0.17 3.64 0.13
yogurt   weight    0.229 0.440 12.57 0.491 0.023 0.876   0.97 3.16 0.96
ketchup  heinz     0.510 0.640 2.02  0.657 0.570
ketchup  hunts     0.206 0.355 1.47  0.433 0.409
ketchup  delmonte  0.052 0.109 1.20  0.303 0.310
ketchup  stb       0.233 0.323 1.83  0.530 0.415
tuna     skw       0.442 0.686 2.85  0.525 0.321
tuna     cosw      0.163 0.363 1.99  0.298 0.174
tuna     sko       0.178 0.353 2.24  0.353 0.217
tuna     coso      0.140 0.348 1.79  0.269 0.187
tuna     pw        0.077 0.143 2.36  0.355 0.167
"""
COLUMNS = (
    *("share", "penetration", "frequency", "requirements", "sole_users", "next_use"),
    *("own_ratio", "own_ratio_lift", "usage_ratio"),
)
FROM_ORDER = {"next_use", "habit_part", "usage_ratio", "repeat_rate", "churn"} | {
    *("repeat", "repeat_shuffled", "repeat_chance", "repeat_by_order", "order_z")
}


@pytest.fixture(scope="module")
def measured():
    """{(firm, metric): value} of each panel, measured once."""
    if not PANELS.is_dir():
        pytest.skip("the panels are not beside this checkout")
    frames = {name: panel.measure(PANELS / f"{name}.csv") for name in MARKETS}
    return {name: {(r.firm, r.metric): (r.value, r.error) for r in f.itertuples()} for name, f in frames.items()}


def printed(value, text):
    """Whether a value is what the table prints: off by half of the last decimal at most."""
    decimals = len(text.partition(".")[2])
    return abs(value - float(text)) <= 0.5 * 10**-decimals + 1e-4


@pytest.mark.parametrize("row", BRANDS.strip().splitlines(), ids=lambda row: "_".join(row.split()[:2]))
def test_brands_as_published(measured, row):
    name, brand, *texts = row.split()
    for metric, text in zip(COLUMNS, texts, strict=False):
        value, error = measured[name][brand, metric]
        assert printed(value, text), f"{metric}: {value:.4f}, published {text}"
        assert np.isnan(error) or 0 < error < 5  # nan: too few to tell


@pytest.mark.parametrize("name", MARKETS)
def test_markets_as_published(measured, name):
    found = {metric: value for (firm, metric), (value, _) in measured[name].items() if not firm}
    mean, phi, s, d = MARKETS[name]
    assert found["category_mean"] == pytest.approx(mean, abs=0.051)
    assert found["duplication_coefficient"] == pytest.approx(d, abs=0.0051)
    assert found["dirichlet_phi"] == pytest.approx(phi, abs=0.0035)  # published by another optimiser
    assert found["concentration"] == pytest.approx(s, rel=0.02)


@pytest.mark.parametrize("name", IN_ORDER)
def test_repeats_as_published(measured, name):
    found = {metric: value for (firm, metric), (value, _) in measured[name].items() if not firm}
    names = ("repeat", "repeat_chance", "repeat_shuffled", "repeat_by_order")
    assert [found[n] for n in names] == pytest.approx(REPEATS[name][:4], abs=0.00051)
    assert round(found["order_z"]) == REPEATS[name][4]


@needs_panels
@pytest.mark.parametrize("name", IN_ORDER)
def test_where_the_next_purchase_goes(name):
    p = panel.read(PANELS / f"{name}.csv")
    flow = panel.tally(p).flow.sum(axis=(0, 1, 2))[1:, 1:]
    table = pd.read_csv(PANELS / f"{name}.csv")
    after = table.groupby("hh").choice.shift(-1)
    expected = pd.crosstab(table.choice, after).loc[list(p.brands), list(p.brands)]
    assert (flow == expected.to_numpy()).all()


@pytest.mark.parametrize("name", SORTED)
def test_a_file_sorted_by_brand_gives_counts_but_no_order(measured, name):
    p = panel.read(PANELS / f"{name}.csv")
    assert not p.ordered
    assert any("100 %" in w and "sorted by brand" in w and "refused" in w for w in p.warnings)
    given = {metric for _, metric in measured[name]}
    assert not given & FROM_ORDER
    assert given >= {"share", "penetration", "frequency", "requirements", "sole_users", "stickiness", "excess"}
    assert all(np.isfinite(value) for value, _ in measured[name].values())


@needs_panels
@pytest.mark.parametrize("name", IN_ORDER)
@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_rows_have_no_order(name, seed, tmp_path):
    table = pd.read_csv(PANELS / f"{name}.csv")
    mixed = table.sample(frac=1, random_state=seed).sort_values("hh", kind="stable")
    mixed["t"] = mixed.groupby("hh").cumcount()
    assert abs(order_z(panel.read(written(mixed, tmp_path)))) < 2.5


@needs_panels
def test_heavy_buyers_are_noticed():
    assert any("fewer than 14 purchases" in w for w in panel.read(PANELS / "cracker.csv").warnings)
    assert not any("fewer than" in w for w in panel.read(PANELS / "tuna.csv").warnings)
    assert all("among buyers" in " ".join(panel.read(PANELS / f"{n}.csv").warnings) for n in MARKETS)


@needs_panels
def test_the_report_of_a_sorted_panel(capsys):
    assert panel.main(str(PANELS / "tuna.csv")) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "13705 purchases" in out and "0.442" in out and "refused" in out
    assert "next purchase goes" not in out and "shuffled" not in out


# ---------------------------------------------------------------- files


def written(table, folder, name="panel.csv", **kw):
    """The path of a table written as a file."""
    path = folder / name
    if name.endswith(".parquet"):
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, **kw)
    return path


def little(seed=3, households=12, each=9):
    """A panel of 12 households in the order of purchase, brands a, b, c with prices and a feature."""
    rng = np.random.default_rng(seed)
    n = households * each
    table = pd.DataFrame({"hh": np.repeat(np.arange(households), each), "t": np.tile(np.arange(each), households)})
    table["choice"] = rng.choice(list("abc"), n, p=[0.5, 0.3, 0.2])
    for brand in "abc":
        table[f"price_{brand}"] = rng.uniform(1, 2, n).round(2)
        table[f"feat_{brand}"] = rng.integers(0, 2, n)
    return table


def same(one, other):
    return (
        one.brands == other.brands
        and np.array_equal(one.hh, other.hh)
        and np.array_equal(one.y, other.y)
        and np.array_equal(one.prices, other.prices)
        and np.array_equal(one.features, other.features)
    )


def test_long_wide_and_parquet_are_the_same_panel(tmp_path):
    long = panel.read(written(little(), tmp_path))
    assert long.ordered and long.displays is None and long.prices.shape == (108, 3)
    wide = little().drop(columns="t").rename(columns=lambda c: c.replace("_", ".").replace("hh", "id"))
    wide.insert(0, "rownames", np.arange(1, 109))
    assert same(long, panel.read(written(wide, tmp_path, "wide.csv")))
    assert same(long, panel.read(written(wide.rename(columns={"rownames": ""}), tmp_path, "nameless.csv")))
    assert same(long, panel.read(written(little(), tmp_path, "panel.parquet")))
    assert same(long, panel.read(written(little(), tmp_path, "semicolon.csv", sep=";")))
    named = little().rename(columns={"hh": "family", "t": "trip", "choice": "pick"})
    assert same(long, panel.read(written(named, tmp_path, "named.csv"), "family", "trip", "pick"))


def test_rows_out_of_order_are_sorted_and_said_so(tmp_path):
    mixed = panel.read(written(little().sample(frac=1, random_state=0), tmp_path))
    assert same(mixed, panel.read(written(little(), tmp_path, "straight.csv")))
    assert any("not in the order of time" in w for w in mixed.warnings)


def test_dates_and_ties(tmp_path):
    dated = little()
    dated["t"] = (pd.Timestamp("2024-02-28") + pd.to_timedelta(dated.t // 2, unit="D")).dt.strftime("%d.%m.%Y")
    p = panel.read(written(dated, tmp_path))
    assert p.t.min() == 0 and p.t.max() == 4
    assert any("2024-02-28 to 2024-03-03" in w for w in p.warnings)
    assert any("share their time" in w for w in p.warnings)
    assert same(p, panel.read(written(little(), tmp_path, "straight.csv")))


def test_a_household_number_stands_beside_a_purchase_number():
    found, wrong = find(["hid", "id", "choice", "price.a", "price.b"])
    assert (found.household, found.brands, wrong) == ("hid", ("a", "b"), [])


def test_prices_of_zero_or_none_are_replaced_by_the_median(tmp_path):
    holed = little()
    holed.loc[[2, 5], "price_a"] = [0.0, np.nan]
    p = panel.read(written(holed, tmp_path))
    usual = holed.price_a[holed.price_a > 0].median()
    assert p.prices[2, 0] == p.prices[5, 0] == usual
    assert any("price_a: 2 cells" in w for w in p.warnings)


def test_a_brand_nobody_buys_is_left_out(tmp_path):
    p = panel.read(written(little().assign(price_d=1.0, feat_d=0), tmp_path))
    assert p.brands == ("a", "b", "c") and p.prices.shape[1] == 3 and "Nobody buys d; left out." in p.warnings


def test_your_word_on_order_counts(tmp_path):
    path = written(little().sort_values(["hh", "choice"]).assign(t=little().t.to_numpy()), tmp_path)
    assert not panel.read(path).ordered
    believed = panel.read(path, ordered=True)
    assert believed.ordered and any("because you say so" in w for w in believed.warnings)
    assert not panel.read(written(little(), tmp_path), ordered=False).ordered


def test_signs_of_a_sorted_file():
    assert one_way(np.array([[0, 0, 0], [4, 0, 0], [2, 3, 0]]))
    assert not one_way(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]))
    once = np.arange(20)
    assert judge(once, once % 2, 2) == (False, "no household bought twice")


def broken(**changes):
    return little().assign(**changes)


def cell(column, value, row=4):
    table = little()
    table[column] = table[column].astype(object)
    table.loc[row, column] = value
    return table


BAD = {
    "empty": (b"", "the file is empty"),
    "only_header": (b"hh,t,choice\n", "no purchases"),
    "one_column": (b"hello\nworld\n", "the only column is 'hello'"),
    "not_text": (b"PK\x03\x04\x00\x00\x00", "not a text file"),
    "latin_1": (b"hh,choice\n1,caf\xe9\n2,tea\n", "no UTF-8"),
    "ragged": (b"hh,choice\n1,a\n2,b,c,d\n", "not a CSV file"),
    "no_household": (little().drop(columns="hh"), "no column names the household"),
    "near_household": (little().rename(columns={"hh": "housholds"}), "did you mean housholds for household?"),
    "two_households": (broken(customer=1), "hh and customer could each be the household"),
    "no_brand": (little().rename(columns={"choice": "bought"}), "no column names the brand"),
    "two_brands": (broken(product="x"), "choice and product could each be the brand"),
    "text_price": (cell("price_b", "cheap"), "price_b: 'cheap' is not a number, in line 6"),
    "negative_price": (cell("price_b", -1), "price_b: '-1.0' is negative, in line 6"),
    "endless_price": (cell("price_b", "inf"), "price_b: 'inf' is not a number"),
    "no_price_at_all": (broken(price_b=np.nan), "price_b: no row has a price"),
    "text_feature": (cell("feat_c", "yes"), "feat_c: 'yes' is not a number"),
    "missing_feature": (little().drop(columns="feat_b"), "feat_b: missing"),
    "feature_of_whom": (broken(feat_bb=0), "'bb' has no price column"),
    "two_prices": (broken(**{"price.a": 1.0}), "price_a and price.a both are the price of a"),
    "missing_brand": (cell("choice", None), "choice: the brand is missing in line 6"),
    "missing_household": (cell("hh", None), "hh: the household is missing in line 6"),
    "brand_without_price": (cell("choice", "aa"), "'aa' is bought but has no price column; did you mean"),
    "one_household": (broken(hh=1), "only one household"),
    "one_brand": (broken(choice="a")[["hh", "t", "choice"]], "only one brand (a)"),
    "one_priced_brand": (broken(choice="a"), "only one brand (a)"),
    "bad_time": (cell("t", "later"), "t: 'later' is neither a number nor a date, in line 6"),
    "no_time": (cell("t", None), "t: 'nan' is neither"),
    "row_an_alternative": (broken(choice=little().t % 2)[["hh", "t", "choice"]], "always 0 or 1"),
    "too_many_brands": (broken(choice=np.arange(108))[["hh", "t", "choice"]], "at most 64"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_explained(name, tmp_path, capsys):
    content, sentence = BAD[name]
    path = tmp_path / "panel.csv"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.to_csv(path, index=False)
    with pytest.raises(panel.PanelError) as caught:
        panel.read(path)
    assert any(sentence in c for c in caught.value.complaints), caught.value.complaints
    assert panel.main(str(path)) == 2
    streams = capsys.readouterr()
    assert sentence in streams.err and "Traceback" not in streams.err and not streams.out


def test_bad_places(tmp_path):
    (tmp_path / "panel.parquet").write_bytes(b"no parquet")
    for path, sentence in {
        tmp_path / "none.csv": "no such file",
        tmp_path: "cannot be read",
        tmp_path / "panel.parquet": "cannot be read as parquet",
        tmp_path / "panel.xlsx": "spreadsheet",
    }.items():
        with pytest.raises(panel.PanelError, match=sentence):
            panel.read(path)
    with pytest.raises(panel.PanelError, match="household=hhh: there is no such column; did you mean hh"):
        panel.read(written(little(), tmp_path), household="hhh")


def test_everything_wrong_is_said_at_once(tmp_path):
    table = cell("price_b", "cheap")
    table.loc[7, "choice"] = None
    table.loc[8, "price_a"] = -2
    with pytest.raises(panel.PanelError) as caught:
        panel.read(written(table, tmp_path))
    assert len(caught.value.complaints) == 3


# ---------------------------------------------------------------- counting


def test_names_of_brands_do_not_matter(tmp_path):
    renamed = little().rename(columns=lambda c: c.replace("_a", "_z"))
    renamed["choice"] = renamed.choice.replace("a", "z")
    one, other = (panel.measure(written(x, tmp_path, f"{i}.csv")) for i, x in enumerate((little(), renamed)))
    other["firm"] = other.firm.replace("z", "a")
    merged = one.merge(other, on=["firm", "metric"], validate="1:1")
    assert np.allclose(merged.value_x, merged.value_y, rtol=1e-6, equal_nan=True)
    assert np.allclose(merged.error_x, merged.error_y, rtol=1e-5, atol=1e-9, equal_nan=True)


def test_windows_by_time_add_up(tmp_path):
    p = panel.read(written(little(), tmp_path))
    whole, parts = panel.tally(p), panel.tally(p, panel.by_time(p, 3))
    assert parts.window.shape[1] == 3
    assert (parts.window[..., Count.USES].sum(axis=1) == whole.window[:, 0, ..., Count.USES]).all()
    assert whole.people.sum() == parts.people.sum() == 12
    with pytest.raises(ValueError, match="must rise"):
        panel.tally(p, np.arange(108)[::-1])


def test_households_that_buy_once_or_never_change(tmp_path):
    once = pd.DataFrame({"hh": range(40), "brand": list("ab") * 20})
    frame = panel.measure(written(once, tmp_path))
    assert not set(frame.metric) & FROM_ORDER
    sole = pd.DataFrame({"hh": np.repeat(range(40), 5), "brand": np.repeat(list("ab") * 20, 5)})
    found = panel.measure(written(sole, tmp_path)).set_index(["firm", "metric"]).value
    assert found["a", "stickiness"] == 1 and found["", "repeat"] == 1
    assert found["", "dirichlet_phi"] == pytest.approx(1)
    assert np.isnan(found["", "order_z"])


# ---------------------------------------------------------------- simulated panels


@pytest.fixture(scope="module")
def lived():
    scenario = market({"people": 400, "weeks": 52, "window": 52})
    return scenario, panel.purchases(scenario)


def test_a_simulated_panel_holds_every_use_that_was_counted(lived):
    scenario, frame = lived
    flow = simulate(scenario).tally.flow.sum(axis=(0, 2))
    joined = flow[:, :, 1:].sum(axis=1)
    written_down = pd.crosstab(frame.t, frame.choice).reindex(range(52), fill_value=0)[list(scenario.firms)]
    assert (written_down.to_numpy() == joined).all()
    assert frame.equals(panel.purchases(scenario))


def test_a_simulated_panel_keeps_the_order_but_within_busy_weeks(lived, tmp_path):
    scenario, frame = lived
    p = panel.read(written(frame, tmp_path))
    assert p.ordered and p.brands == tuple(f"f{j}" for j in range(6)) and (p.prices == 1).all()
    window = simulate(scenario).tally.window.sum(axis=(0, 1, 2, 3))
    mine = panel.tally(p).window.sum(axis=(0, 1, 2, 3))
    for exact in (Count.USERS, Count.USES, Count.PAIRS):
        assert mine[exact] == window[exact]
    followed = [Count.ADJACENT, Count.SWITCHED]
    assert mine[followed].sum() == window[followed].sum()
    assert mine[Count.ADJACENT] == pytest.approx(window[Count.ADJACENT], rel=0.01)


def test_export_small_and_price_moves(tmp_path):
    scenario = market({"moves": {"cut": {"week": 10, "firm": "f1", "lever": "price", "value": 0.5}}})
    frame = panel.small(scenario, households=50, weeks=20)
    assert set(frame.price_f1[frame.t >= 10]) == {0.5} and set(frame.price_f1[frame.t < 10]) == {1.0}
    assert frame.hh.nunique() <= 50 and frame.t.max() <= 19
    few = market({"people": 50, "weeks": 20, "window": 10})
    for name in ("panel.csv", "panel.parquet"):
        p = panel.read(panel.export(few, tmp_path / name))
        assert len(p.brands) == 6
    panel.report(p, Console(file=(screen := io.StringIO())))
    assert "6 brands" in screen.getvalue()
