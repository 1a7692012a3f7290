"""A real panel gives the published figures, a sorted one is caught, a broken one is explained."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from sim import panel
from sim.compute.jit import entry_point
from sim.engine.loop import simulate
from sim.measure.counting import count_slice, count_use, count_window
from sim.measure.tally import Count, counted, empty_tally
from sim.model.state import CHANGED, USED, make_people
from sim.panel.panel_metrics import order_z
from tests.markets import market
from tests.panel.panels import little, written

PANELS = Path(__file__).parents[3] / "shared" / "panels"
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
    *("share", "penetration", "frequency", "category_requirements", "solely_loyal", "next_use"),
    *("own_ratio", "own_ratio_lift", "usage_ratio"),
)
FROM_ORDER = {"next_use", "habit_part", "usage_ratio", "repeat_rate", "churn"} | {
    *("repeat", "repeat_shuffled", "repeat_chance", "repeat_by_order", "order_z")
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Where outputs/ may be made."""
    monkeypatch.chdir(tmp_path)


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
    assert found["dirichlet_phi"] == pytest.approx(phi, abs=0.0035)  # published by another optimizer
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
    assert given >= {
        "share",
        "penetration",
        "frequency",
        "category_requirements",
        "solely_loyal",
        "stickiness",
        "excess",
    }
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
    assert "13,705 purchases" in out and "0.442" in out and "refused" in out
    assert "next purchase goes" not in out and "shuffled" not in out


def test_where_customers_go_has_its_errors_and_what_to_do_next_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    hh, habit = np.repeat(np.arange(60), 8), np.repeat(rng.integers(0, 3, 60), 8)
    choice = np.where(rng.random(480) < 0.5, habit, rng.integers(0, 3, 480))
    table = pd.DataFrame({"hh": hh, "t": np.tile(np.arange(8), 60), "choice": np.array(list("abc"))[choice]})
    table.to_csv("my file.csv", index=False)
    assert panel.main("my file.csv", ["panel.out=found", "panel.top=5"]) == 0
    out = capsys.readouterr().out
    matrix = out[out.index("Where the next purchase goes") :].split("\n\n")[0].splitlines()
    flow = panel.tally(panel.read("my file.csv")).flow.sum(axis=(0, 1, 2))[1:, 1:]
    brand = panel.read("my file.csv").brands[0]
    row = next(line for line in matrix if line.strip().startswith(f"{brand} ")).split()
    stay = flow[0, 0] / flow[0].sum()
    assert row[1] == f"{stay:.3f}" and len(row) == 7
    binomial = np.sqrt(stay * (1 - stay) / flow[0].sum())  # of independent purchases; those of a household are not
    assert 0.8 * binomial < float(row[2].lstrip("±")) < 3 * binomial
    assert out.splitlines()[-1].endswith("stickiness calibrate 'panel=my file.csv' out=my_market panel.top=5")


# ---------------------------------------------------------------- counting


def test_names_of_brands_do_not_matter(tmp_path):
    renamed = little().rename(columns=lambda c: c.replace("_a", "_z"))
    renamed["choice"] = renamed.choice.replace("a", "z")
    one, other = (panel.measure(written(x, tmp_path, f"{i}.csv")) for i, x in enumerate((little(), renamed)))
    other["firm"] = other.firm.replace("z", "a")
    merged = one.merge(other, on=["firm", "metric"], validate="1:1")
    assert np.allclose(merged.value_x, merged.value_y, rtol=1e-6, equal_nan=True)
    assert np.allclose(merged.error_x, merged.error_y, rtol=1e-5, atol=1e-9, equal_nan=True)


@entry_point
def lived_through(people, tally, g, start, stop, first, brand, window):
    """Households start to stop - 1 of group g live their purchases as the simulator counts those of people."""
    for i in range(start, stop):
        person, bonds = people.one[i], people.bonds[i]
        tally.people[g, 0] += 1
        w = 0
        for n in range(first[i], first[i + 1]):
            while w < window[n]:
                count_window(people, i, tally, g, 0, w, False)
                w += 1
            left, joined = np.int64(person.last), brand[n]
            count_use(count_slice(tally, g, w + 1, 0, 1), left, joined, person.tenure, 0, (person.uses & USED) > 0)
            person.uses += 1
            if 0 <= left != joined:
                person.uses |= CHANGED
            person.tenure = person.tenure + 1 if joined == left else 1
            person.last = joined
            bonds[joined].count += 1
        while w < tally.window.shape[1]:
            count_window(people, i, tally, g, 0, w, False)
            w += 1


@pytest.mark.parametrize("length", [None, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_those_the_simulator_makes_of_such_people(seed, length, tmp_path):
    table = little(seed, households=40, each=30).sample(frac=0.6, random_state=seed).sort_values(["hh", "t"])
    p = panel.read(written(table, tmp_path))
    window = np.zeros(len(p.hh), np.int64) if length is None else panel.by_time(p, length)
    windows = int(window.max()) + 1
    expected = empty_tally(windows, windows, 1, len(p.brands), 0)
    people = make_people(len(p.households), len(p.brands))
    for name in ("last", "home", "anchor", "target"):
        people.one[name] = -1
    first = np.searchsorted(p.hh, np.arange(len(p.households) + 1))
    lived_through(people, expected, 0, 0, len(p.households), first, p.y, window)
    found = panel.tally(p, window)
    for name, mine, theirs in zip(found._fields, found, counted(expected), strict=True):
        if name not in ("event", "news"):
            assert (mine.sum(axis=0) == theirs.sum(axis=0)).all(), name


def test_any_number_of_uses_is_counted(tmp_path):
    rows = 70_000
    table = pd.DataFrame(
        {"hh": [*([1] * rows), 2, 2, 3, 3], "choice": [*(["a", "b"] * (rows // 2)), "a", "a", "b", "a"]}
    )
    p = panel.read(written(table, tmp_path))
    assert panel.tally(p).window[..., Count.USES].sum() == rows + 4
    found = panel.measure(p).set_index(["firm", "metric"]).value
    assert found["a", "share"] == pytest.approx((rows / 2 + 3) / (rows + 4))
    assert -0.1 < found["a", "stickiness"] < 0.1 and np.isfinite(found["", "dirichlet_phi"])


def test_errors_do_not_go_with_the_numbering_of_households(tmp_path):
    def error(brand_of, numbers, shuffle=None):
        table = pd.DataFrame(
            [(n, t, brand_of(h)) for h, n in enumerate(numbers) for t in range(2)], columns=["hh", "t", "brand"]
        )
        table = table if shuffle is None else table.sample(frac=1, random_state=shuffle)
        found = panel.measure(written(table, tmp_path))
        return float(found[found.metric == "share"].error.iloc[0])

    one = error(lambda h: "AB"[h % 2], range(320))
    for brand_of, numbers, shuffle in (
        (lambda h: "AB"[h < 160], range(320), None),
        (lambda h: "AB"[h % 2], [f"k{7 * h % 320:03d}" for h in range(320)], None),
        (lambda h: "AB"[h // 8 % 2], range(1000, 1320), 5),
    ):
        assert error(brand_of, numbers, shuffle) == pytest.approx(one, rel=1e-9)
    assert one == pytest.approx((0.25 / 320) ** 0.5, rel=0.2)


def test_weights_count_a_household_as_so_many(tmp_path):
    table = little()[["hh", "t", "choice"]]
    twice = pd.concat([table, table[table.hh < 3].assign(hh=lambda x: x.hh + 100)])
    weighted = table.assign(weight=1 + (table.hh < 3))
    one, other = (panel.measure(written(x, tmp_path, f"{i}.csv")) for i, x in enumerate((twice, weighted)))
    merged = one.merge(other, on=["firm", "metric"], validate="1:1")
    merged = merged[merged.metric != "order_z"]  # a test of the rows that are there
    assert len(merged) > 40 and np.allclose(merged.value_x, merged.value_y, rtol=1e-5, equal_nan=True)


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


def test_an_export_overwrites_nothing(lived, tmp_path):
    (tmp_path / "mine.csv").write_text("the purchases of a year")
    with pytest.raises(panel.PanelError, match="nothing is overwritten"):
        panel.export(lived[1], tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "the purchases of a year"


def test_export_small_and_price_moves(tmp_path):
    scenario = market({"moves": {"cut": {"week": 10, "firm": "f1", "lever": "price", "value": 0.5}}})
    frame = panel.small_panel(scenario, households=50, weeks=20)
    assert set(frame.price_f1[frame.t >= 10]) == {0.5} and set(frame.price_f1[frame.t < 10]) == {1.0}
    assert frame.hh.nunique() <= 50 and frame.t.max() <= 19
    few = market({"people": 50, "weeks": 20, "window": 10})
    for name in ("panel.csv", "panel.parquet"):
        p = panel.read(panel.export(few, tmp_path / name))
        assert len(p.brands) == 6
    panel.report(p, Console(file=(screen := io.StringIO())))
    assert "6 brands" in screen.getvalue()


def test_a_newcomer_is_another_household():
    """Where people leave and newcomers take their places, counts start anew, and so does the household."""
    scenario = market({"people": 200, "weeks": 52, "window": 52, "burn_in": 13, "consumer.turnover": 1.0})
    frame = panel.purchases(scenario)
    assert frame.hh.nunique() > 200 and (frame.groupby("hh").t.apply(lambda t: t.is_monotonic_increasing)).all()
    place, weeks = frame.hh % 200, frame.groupby("hh").t.agg(["min", "max"])
    assert place.nunique() <= 200
    earlier = weeks.loc[[hh for hh in weeks.index if hh + 200 in weeks.index]]
    assert (earlier["max"].to_numpy() < weeks.loc[earlier.index + 200, "min"].to_numpy()).all()
