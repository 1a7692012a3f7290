"""Tables that are no list of purchases: sums, ratings, months as columns, sequences in a cell; marks of money."""

import zipfile

import numpy as np
import pandas as pd
import pytest

from sim import panel
from tests.panel.panels import BOUGHT, NAMES, Case, check, rows, several
from tests.panel.test_kinds import date

SUMS = "".join(f"{c},{b},{(c * k) % 5}\n" for c in range(1, 13) for k, b in enumerate(NAMES.values(), 1))
SUM = sum((c * k) % 5 for c in range(1, 13) for k in (1, 2, 3))
WIDE = "respondent,{}\n" + "".join(f"{c},{','.join('ABC'[(c * m) % 3] for m in range(4))}\n" for c in range(9))

READ = {
    "address_of_several_lines": Case(
        rows("customer,date,address,brand", lambda c, w, b: (c, date(w), '"1, High St\n\nYork"', b)), 6, 24
    ),
    "header_of_several_lines": Case(
        rows('"Customer\nID","Order\nDate",Brand', lambda c, w, b: (c, date(w), b)), 6, 24, said="customer: Customer ID"
    ),
    "months_by_name": Case(WIDE.format("Jan,Feb,Mar,Apr"), 9, 36, said="read as provider by month"),
    "last_purchases": Case(WIDE.format("purchase_1,purchase_2,purchase_3,purchase_4"), 9, 36, said="choice by period"),
    "purchases_by_month": Case(
        rows("customer,month,brand,n_purchases", lambda c, w, b: (c, f"2021-0{w}", b, 3)),
        *(6, 24, 3, "A row is one use, however many n_purchases it tells of"),
    ),
    "sums_of_units": Case(
        f"customer,brand,units\n{SUMS}",
        *(12, sum(bool((c * k) % 5) for c in range(1, 13) for k in (1, 2, 3))),
        said="if units is a sum over many purchases",
    ),
    "lines_below_a_table_of_orders": Case(
        rows("Record,Order Number,Buyer Username,Item Title", lambda c, w, b: (w, f"{c}{w}", f"u{c}", b))
        + '24,"record(s) downloaded,"," from Jan-01-21",\n',
        *(6, 24, 3, "1  no brand"),
    ),
    "units_by_brand_where_nothing_is_empty": Case(
        rows(
            "hh,date,units.Aro,units.Bel,units.Cim",
            lambda c, w, b: (c, date(w), *(["", 2][a == b] for a in NAMES.values())),
        ),
        *(6, 24, 3, "48  nothing bought (quantity is 0)"),
    ),
    "clock_of_six_digits": Case(
        rows("card,date,time,brand", lambda c, w, b: (c, f"2021010{w}", f"{9 - w}3000", b)),
        *(6, 24, 3, "time: date; clock: time"),
    ),
    "nobody_in_particular": Case(
        rows("Kunde;Datum;Marke", lambda c, w, b: ("Laufkundschaft" if c == 6 else f"Fa. {c}", date(w), b), ";"),
        *(5, 20, 3, "4  no customer (Kunde is empty or Laufkundschaft)"),
    ),
    "costs_and_availability": Case(
        rows(
            "ID,task,choice,av_Aro,av_Bel,av_Cim,cost_Aro,cost_Bel,cost_Cim",
            lambda c, w, b: (c, w, list(NAMES.values()).index(b) + 1, 1, 1, int(b == "Cim"), 1, 2, 3),
        ),
        *(6, 24, 3, "av_Cim: not used; every brand counts as one that could have been chosen every time"),
    ),
    "every_line_in_quotes": Case(rows('"customer,date,brand"', lambda c, w, b: (f'"{c}', date(w), f'{b}"')), 6, 24),
    "rules_of_a_database": Case(
        rows(" customer | date | brand \n----------+------+------", lambda c, w, b: (c, date(w), b), "|")
        + "(24 rows)\n",
        *(6, 24, 3, "1  comment"),
    ),
    "text_between_the_rows": Case(
        several(
            "customer,date,brand", lambda c, w, b: [(c, date(w), b), *([("Page 2 of 9",)] if c == 3 and w == 4 else [])]
        ),
        *(6, 24, 3, "1  text between the rows"),
    ),
    "averages_below_the_rows": Case(
        rows("customer,date,brand,amount", lambda c, w, b: (c, date(w), b, 2)) + "Average,,,2\nCount,24,,\n",
        *(6, 24, 3, "2  totals"),
    ),
    "merk_gekocht": Case(rows("Panelist;Datum;Merk gekocht", lambda c, w, b: (c, date(w), b), ";"), 6, 24),
    "pieces_with_a_point": Case(
        rows("Kunde;Datum;Marke;Menge", lambda c, w, b: (c, date(w), b, f"{-1 if w == 4 else 1},00 Stk."), ";"),
        *(6, 18, 3, "6  returned (Menge below 0)"),
    ),
}


@pytest.mark.parametrize("name", READ)
def test_tables_of_other_shapes(name, tmp_path):
    check(READ[name], tmp_path)


def test_sums_by_brand_are_written_out(tmp_path):
    (tmp_path / "panel.csv").write_text(f"customer,brand,purchases\n{SUMS}")
    read = panel.read(tmp_path / "panel.csv")
    assert len(read.hh) == SUM and not read.ordered
    share = np.bincount(read.y) / len(read.y)
    for k, brand in enumerate(NAMES.values(), 1):
        of_brand = sum((c * k) % 5 for c in range(1, 13))
        assert share[read.brands.index(brand)] == pytest.approx(of_brand / SUM)


@pytest.mark.parametrize(
    "none",
    ["keine davon", "Geen van deze", "Aucun des deux", "status quo", "I would not buy any", "None of these", "neither"],
)
def test_the_alternative_of_no_purchase_in_many_words(none, tmp_path):
    content = several(
        "resp,taak,alternatief,keuze",
        lambda c, w, b: [(c, w, a, int(a == (none if w == 4 else b))) for a in (*NAMES.values(), none)],
    )
    (tmp_path / "panel.csv").write_text(content)
    read = panel.read(tmp_path / "panel.csv")
    assert len(read.hh) == 18 and read.brands == ("Aro", "Bel", "Cim")


PRICED = "id,t,choice,price_Aro,price_Bel,price_Cim"


@pytest.mark.parametrize(
    ("code", "options", "purchases", "brands"),
    [
        (0, {}, 18, ("Aro", "Bel", "Cim")),
        (99, {}, 18, ("Aro", "Bel", "Cim")),
        (4, {"none": "4"}, 18, ("Aro", "Bel", "Cim")),
        (4, {"none": "no"}, 24, ("1", "2", "3", "4")),
    ],
)
def test_a_code_beside_those_of_brands_with_prices(code, options, purchases, brands, tmp_path):
    content = rows(PRICED, lambda c, w, b: (c, w, code if w == 3 else list(NAMES.values()).index(b) + 1, 1, 2, 3))
    (tmp_path / "panel.csv").write_text(content)
    read = panel.read(tmp_path / "panel.csv", **options)
    assert (len(read.hh), read.brands) == (purchases, brands)


def test_a_code_that_has_no_price_is_asked_about(tmp_path):
    content = rows(PRICED, lambda c, w, b: (c, w, 4 if w == 3 else list(NAMES.values()).index(b) + 1, 1, 2, 3))
    (tmp_path / "panel.csv").write_text(content)
    with pytest.raises(panel.PanelError, match=r"choice: 4 has no column of prices.*say panel\.none=4"):
        panel.read(tmp_path / "panel.csv")


def test_the_amount_of_an_order_is_no_price_of_a_brand(tmp_path):
    lines = several(
        "customer,order_id,date,brand,order_total",
        lambda c, w, b: [(c, f"{c}{w}", date(w), a, c + w) for a in (b, "Dor")],
    )
    (tmp_path / "panel.csv").write_text(lines)
    read = panel.read(tmp_path / "panel.csv")
    assert read.paid is None and any("order_total is the same in all lines of an order" in w for w in read.warnings)


ASKED = {
    "ratings": (
        several("respondent,wave,brand,rating", lambda c, w, b: [(c, w, a, 3 + (a == b)) for a in NAMES.values()]),
        "every brand is there at every occasion",
    ),
    "records": (
        rows("customer,date,item", lambda c, w, b: (c, date(w), f'"{{""brand"": ""{b}"", ""qty"": {w}}}"')),
        "item names several brands in one cell",
    ),
    "sequences": (
        "customer,brand\n" + "".join(f"{c},{'-'.join('ABC'[(c * m + m) % 3] for m in range(4))}\n" for c in range(9)),
        "brand names several brands in one cell",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_no_list_of_purchases_is_refused(name, tmp_path):
    content, sentence = ASKED[name]
    (tmp_path / "panel.csv").write_text(content)
    with pytest.raises(panel.PanelError, match=sentence):
        panel.read(tmp_path / "panel.csv")


@pytest.mark.parametrize("mark", ["{},-", "Rs. {}/-", "Fr. {}.-", "{} kr.", "{}.–"])
def test_amounts_without_cents_are_no_returns(mark, tmp_path):
    content = rows("customer;date;brand;amount", lambda c, w, b: (c, date(w), b, mark.format(w)), ";")
    (tmp_path / "panel.csv").write_text(content)
    read = panel.read(tmp_path / "panel.csv")
    assert len(read.hh) == len(BOUGHT) and read.paid is not None and sorted(np.unique(read.paid)) == [1, 2, 3, 4]


def test_a_sheet_whose_first_column_has_no_name(tmp_path, monkeypatch):
    lines = [[i, c, date(w), b] for i, (c, w, b) in enumerate(BOUGHT)]
    head = [["Sales 2021", *[None] * 3], [None] * 4, [None, "Customer No.", "Order Date", "Brand"]]
    sheet = pd.DataFrame([*head, *lines, [None, "Grand total", None, None]], dtype=object)
    monkeypatch.setattr(pd, "read_excel", lambda *a, **k: {"Data": sheet})
    with zipfile.ZipFile(tmp_path / "panel.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    read = panel.read(tmp_path / "panel.xlsx")
    assert (len(read.households), len(read.hh), read.brands) == (6, 24, ("Aro", "Bel", "Cim"))
    assert [reason for _, reason in read.left_out] == ["totals"]
