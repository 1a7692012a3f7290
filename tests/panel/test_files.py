"""Files as people have them become one panel; a broken one is explained, a slip in it is counted."""

import numpy as np
import pandas as pd
import pytest

from sim import panel
from sim.panel.columns import find_columns
from sim.panel.options import Options
from sim.panel.order import check_order, is_triangular
from sim.panel.table import from_frame
from tests.panel.panels import little, written


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Where outputs/ may be made."""
    monkeypatch.chdir(tmp_path)


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


def test_the_number_of_a_choice_is_found_by_what_it_parts_whatever_it_is_called(tmp_path):
    """Rows are alternatives; each choice of a household is several rows, one of them chosen, with their prices."""
    frame = little()
    each = [
        frame[["hh", "t", "choice"]].assign(brand=b, price=frame[f"price_{b}"], feature=frame[f"feat_{b}"])
        for b in "abc"
    ]
    rows = pd.concat(each).sort_values(["hh", "t", "brand"])
    rows = rows.assign(taken=np.where(rows.choice == rows.brand, "ja", "nein")).drop(columns="choice")
    called = {"t": "Kaufakt", "brand": "Alternative", "price": "Preis", "taken": "gewählt"}
    long = panel.read(written(rows.rename(columns=called), tmp_path, "alternatives.csv"))
    assert long.columns["choice_set"] == "Kaufakt" and same(long, panel.read(written(little(), tmp_path)))
    wrong = rows.assign(t=rows.t // 2).rename(columns=called)  # two are chosen in each
    assert "choice_set" not in panel.read(written(wrong, tmp_path, "two.csv"), ordered=True).columns


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
    once = dated.drop_duplicates(["hh", "t", "choice"])
    assert len(p.hh) == len(once) < 108
    assert sum(n for n, _ in p.left_out) == 108 - len(once)
    every = panel.read(tmp_path / "panel.csv", lines="keep")
    assert same(every, panel.read(written(little(), tmp_path, "straight.csv")))


def test_a_household_number_stands_beside_a_purchase_number():
    table = pd.DataFrame(
        [[1, 1, "a", 1.0, 2.0], [2, 2, "b", 1.0, 2.0]], columns=["hid", "id", "choice", "price.a", "price.b"]
    )
    found, wrong = find_columns(from_frame(table, []), Options())
    assert (found.customer, found.brands, wrong) == ("hid", ("a", "b"), [])


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
    assert is_triangular(np.array([[0, 0, 0], [4, 0, 0], [2, 3, 0]]))
    assert not is_triangular(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]))
    once = np.arange(20)
    assert check_order(once, once % 2, 2) == (False, "no household bought twice")


def broken(**changes):
    return little().assign(**changes)


def cell(column, value, row=4):
    table = little()
    table[column] = table[column].astype(object)
    table.loc[row, column] = value
    return table


BAD = {
    "empty": (b"", "the file is empty"),
    "blank": (b"  \n\n", "the file is empty"),
    "only_header": (b"hh,t,choice\n", "no purchases"),
    "one_column": (b"hello\nworld\n", "the only column is 'hello'"),
    "a_picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00", "not a text file"),
    "broken_zip": (b"PK\x03\x04\x00\x00\x00", "cannot be read"),
    "broken_gzip": (b"\x1f\x8b\x08\x00nonsense", "cannot be read"),
    "ragged": (b"hh,choice\n1,a\n2,b,c,d\n", "not a CSV file"),
    "unquoted_decimal_commas": (b"hh,choice,price\n1,a,1,99\n2,b,2,99\n1,a,3,5\n", "decimal commas"),
    "no_household": (little().drop(columns="hh"), "no column names the household"),
    "near_household": (little().rename(columns={"hh": "housholds"}), "did you mean housholds for household?"),
    "two_households": (broken(customer=1), "hh and customer could each be the household"),
    "no_brand": (little().rename(columns={"choice": "bought"}), "no column names the brand"),
    "two_brands": (broken(product=["x", "y", "z"] * 36), "choice and product could each be the brand"),
    "no_price_at_all": (broken(price_b=np.nan), "price_b: no row has a price"),
    "prices_of_text": (broken(price_b="cheap"), "price_b: 'cheap' is not a number"),
    "prices_below_0": (broken(price_b=-1.0), "price_b: '-1.0' is negative"),
    "missing_feature": (little().drop(columns="feat_b"), "feat_b: missing"),
    "feature_of_whom": (broken(feat_bb=0), "'bb' has no price column"),
    "two_prices": (broken(**{"price.a": 1.0}), "price_a and price.a both are the price of a"),
    "brands_without_price": (
        broken(choice=little().choice.replace("a", "aa")),
        "'aa' is bought but has no price column; did you mean",
    ),
    "one_household": (broken(hh=1), "only one household"),
    "one_brand": (broken(choice="a")[["hh", "t", "choice"]], "only one brand (a)"),
    "one_priced_brand": (broken(choice="a"), "only one brand (a)"),
    "times_of_text": (broken(t="later"), "t: 'later' is neither a number nor a date"),
    "row_an_alternative": (broken(choice=little().t % 2)[["hh", "t", "choice"]], "always 0 or 1"),
    "nobody_known": (broken(hh="guest"), "empty in 108 of 108 rows"),
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


SLIPS = {  # one bad cell: the file is read, and the cell is told of
    "text_price": (cell("price_b", "cheap"), "price_b: 'cheap' is not a number, in line 6; read as empty"),
    "negative_price": (cell("price_b", -1), "price_b: '-1' is negative, in line 6"),
    "endless_price": (cell("price_b", "inf"), "price_b: 'inf' is not a number"),
    "text_feature": (cell("feat_c", "maybe"), "feat_c: 'maybe' is not a number"),
    "missing_brand": (cell("choice", None), "no brand (choice is empty)"),
    "missing_household": (cell("hh", None), "no customer (hh is empty)"),
    "brand_without_price": (cell("choice", "aa"), "'aa' is bought but has no price column; did you mean"),
    "bad_time": (cell("t", "later"), "t is neither a number nor a date ('later'; line 6)"),
    "no_time": (cell("t", None), "no time (t is empty)"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_one_bad_row_refuses_no_file(name, tmp_path):
    table, sentence = SLIPS[name]
    p = panel.read(written(table, tmp_path))
    said = [*p.warnings, *(reason for _, reason in p.left_out)]
    assert any(sentence in w for w in said), said
    assert len(p.hh) == 108 - sum(n for n, _ in p.left_out) >= 107


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_to_a_file_is_a_traceback(seed, tmp_path):
    rng = np.random.default_rng(seed)
    content = bytearray(little().rename(columns={"t": "date"}).to_csv(index=False).encode())
    scraps = [
        b'"',
        b",",
        b"\n",
        b";",
        b"#",
        b"\x00",
        b"\x8d",
        b"\xb2",
        b"1e400",
        b"sep=ab",
        b"2021-13-45",
        b"NaN",
        b"-",
    ]
    for _ in range(rng.integers(1, 30)):
        at = int(rng.integers(len(content)))
        content[at : at + int(rng.integers(0, 30))] = scraps[rng.integers(len(scraps))]
    (tmp_path / "panel.csv").write_bytes(bytes(content))
    try:
        p = panel.read(tmp_path / "panel.csv")
        panel.measure(p)
    except panel.PanelError as error:
        assert all(c.startswith(str(tmp_path)) for c in error.complaints)
    else:
        assert p.rows == len(p.hh) + sum(n for n, _ in p.left_out)


def test_bad_places(tmp_path):
    (tmp_path / "panel.parquet").write_bytes(b"no parquet")
    for path, sentence in {
        tmp_path / "none.csv": "no such file",
        tmp_path: "cannot be read",
        tmp_path / "panel.parquet": "cannot be read as parquet",
        tmp_path / "panel.xlsx": "no such file",
    }.items():
        with pytest.raises(panel.PanelError, match=sentence):
            panel.read(path)
    with pytest.raises(panel.PanelError, match="customer=hhh: there is no such column; did you mean hh"):
        panel.read(written(little(), tmp_path), household="hhh")


def test_everything_wrong_is_said_at_once(tmp_path):
    table = little().assign(price_b="cheap", price_a=-2.0, t="later")
    with pytest.raises(panel.PanelError) as caught:
        panel.read(written(table, tmp_path))
    assert len(caught.value.complaints) == 3
    with pytest.raises(panel.PanelError) as caught:
        panel.read(tmp_path / "panel.csv", customer="hhh", brand="choise", dates="mmm", top="many")
    assert len(caught.value.complaints) == 2  # what is asked for comes before the file
    with pytest.raises(panel.PanelError) as caught:
        panel.read(tmp_path / "panel.csv", customer="hhh", brand="choise")
    assert len(caught.value.complaints) == 2


def test_many_brands_are_pooled(tmp_path):
    table = pd.DataFrame({"hh": np.repeat(range(60), 5), "t": list(range(5)) * 60, "choice": np.arange(300) % 191})
    table.loc[table.t < 3, "choice"] = table.hh % 3 + 200
    p = panel.read(written(table, tmp_path))
    assert len(p.brands) == 13 and p.brands[-1] == "other" and len(p.hh) == 300
    assert any("pooled as `other`" in w and "panel.top=N" in w for w in p.warnings)
    few = panel.read(tmp_path / "panel.csv", top=3)
    assert few.brands == ("200", "201", "202", "other")
    assert np.bincount(few.y).tolist() == [60, 60, 60, 120]
    with pytest.raises(panel.PanelError, match="above 64"):
        panel.read(tmp_path / "panel.csv", top=65)


def test_prices_of_pooled_brands_are_their_mean(tmp_path):
    p = panel.read(written(little(), tmp_path), top=1)
    whole = panel.read(tmp_path / "panel.csv")
    largest = int(np.bincount(whole.y).argmax())
    others = [j for j in range(3) if j != largest]
    assert np.allclose(p.prices[:, 1], whole.prices[:, others].mean(axis=1))


@pytest.mark.parametrize("column", ["cancelled", "canceled", "Is_Cancelled", "cancelled_at"])
def test_both_spellings_of_canceled_are_known(column, tmp_path):
    flags = [0, 1, 0, 0, 0]
    rows = pd.DataFrame({"customer": [1, 1, 2, 2, 3], "date": range(5), "brand": list("abaab"), column: flags})
    found = panel.read(written(rows, tmp_path))
    assert len(found.hh) == 4 and found.columns["canceled"] == column
