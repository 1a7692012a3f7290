"""Files that were once misread without a word: the reading, or the sentence, that they get."""

import numpy as np
import pandas as pd
import pytest

from sim import panel
from sim.panel import PanelError
from tests.panel.panels import BOUGHT, CHOICES, NAMES, Case, check, refused, rows, several
from tests.panel.test_kinds import date, timed

KINDS = {"Aro": "Yogurt", "Bel": "Yogurt", "Cim": "Soda"}
UNITS = "\n".join(
    f"{c},{b},{','.join(str(int(k == x)) for x in CHOICES[c - 1])}" for c in range(1, 7) for k, b in NAMES.items()
)
TWO_ROWS = "hh,week,choice,price,,,feat,,\n,,,Aro,Bel,Cim,Aro,Bel,Cim\n"

TIMES = {
    "week_of_year": timed(lambda w: f"{w:02d}/2021", "Kunde;KW;Marke", said="2021-01-04 to 2021-01-25"),
    "late_week_of_year": timed(lambda w: f"{w + 18}/2021", "Kunde;KW;Marke", said="2021-05-10 to 2021-05-31"),
    "week_after_year": timed(lambda w: f"2021-{w:02d}", "customer,week,brand", said="2021-01-04 to 2021-01-25"),
    "week_after_point": timed(lambda w: f"2021.{w:02d}", "customer,iso_week,brand", said="2021-01-04 to 2021-01-25"),
    "week_as_float": timed(lambda w: f"20210{w}.0", "customer,yearweek,brand", said="2021-01-04 to 2021-01-25"),
    "clock_in_words": timed(lambda w: f"{w + 12}.0{w}.2021, 10:05 Uhr", "Kunde;Bestelldatum;Marke", said="2021-01-13"),
    "colons": timed(lambda w: f"0{w}JAN2021:10:05:00", said="2021-01-01 to 2021-01-04"),
    "short_month_and_clock": timed(
        lambda w: f"zo 3 {('jan.', 'feb.', 'mrt.', 'apr.')[w - 1]} 2021 10:05", said="2021-01-03"
    ),
    "slip_of_a_century": Case(
        rows("customer,date,brand", lambda c, w, b: (c, f"2{w == c == 1:d}21-0{w}-03", b)),
        *(6, 24, 3, "1 rows are decades from the others, as 2121-01-03"),
    ),
    "stand_in": Case(
        several(
            "customer,order_date,brand", lambda c, w, b: [(c, date(w), b), *([(c, "1900-01-01", b)] * (w == c == 1))]
        ),
        *(6, 24, 3, "1  no time (order_date is 1900-01-01, far from all others)"),
    ),
}
PEOPLE = {
    "as_float_or_not": Case(rows("customer,week,brand", lambda c, w, b: (f"{c}.0" if w % 2 else c, w, b)), 6, 24),
    "as_formula": Case(rows("customer_id,date,brand", lambda c, w, b: (f'"=""00{c}"""', date(w), b)), 6, 24),
    "name_and_mail": Case(
        rows("Email,date,brand", lambda c, w, b: (f"Ann <P{c}@x.org>" if w % 2 else f"p{c}@x.org", date(w), b)), 6, 24
    ),
    "guest_with_mail": Case(
        rows("Email,date,brand", lambda c, w, b: ("guest@shop.com" if c == 6 else f"p{c}@x.org", date(w), b)),
        *(5, 20, 3, "4  no customer (Email is empty or guest@shop.com)"),
    ),
    "rounded": Case(
        rows("customer_id,date,brand", lambda c, w, b: ("1.23457E+11" if c < 3 else f"12345{c}", date(w), b)),
        *(4, 16, 3, "8  customer not known (customer_id is 1.23457E+11, rounded by a spreadsheet)"),
    ),
    "total_of_all": Case(
        rows("customer,week,brand,amount", lambda c, w, b: (c, w, b, 2.5)) + "All customers,,,60\n",
        6,
        24,
        said="1  totals",
    ),
    "card_of_nobody": Case(
        rows("card,date,brand", lambda c, w, b: ("0000000" if c == 6 else f"100000{c}", date(w), b)),
        *(5, 20, 3, "4  no customer (card is empty or 0000000)"),
    ),
    "zeros_before_some": Case(
        rows("customer,date,brand", lambda c, w, b: (f"00{c}" if w % 2 else c, date(w), b)),
        *(12, 24, 3, "001 and 1, and 5 more such, are counted as different customers"),
    ),
    "uses_a_week": Case(
        "customer,week,purchases\n" + "".join(f"{c},{w},{(c + w) % 3}\n" for c in range(12) for w in range(1, 9)),
        *(12, 64, 1, "32  nothing bought (purchases is 0)"),
    ),
    "rows_below_their_customer": Case(
        "customer,date,brand\n" + "".join(f"{c if w == 1 else ''},{date(w)},{b}\n" for c, w, b in BOUGHT),
        *(6, 24, 3, "18 rows are of the customer above", "panel.csv", {"empty": "above"}),
    ),
}
BRANDS = {
    "trade_mark": Case(
        rows("hh,week,brand", lambda c, w, b: (c, w, b + "®" * (w % 2))), 6, 24, said="5 ways to write 3 names"
    ),
    "categories": Case(
        rows("customer,date,category,brand", lambda c, w, b: (c, date(w), KINDS[b], b)),
        *(6, 24, 3, "category has 2 values (Yogurt, Soda): brands of different categories do not compete"),
    ),
    "sizes": Case(
        rows("customer,date,product_name", lambda c, w, b: (c, date(w), f"{b} Ketchup {w % 2} l")),
        *(6, 24, 5, "begin alike: products and sizes of a brand count as brands of their own"),
    ),
    "no_answer": Case(
        rows("resp,wave,brand", lambda c, w, b: (c, w, "Don't know" if w == 3 else b)),
        *(6, 18, 3, "6  no answer (brand is Don't know)"),
    ),
    "currencies": Case(
        rows("customer,date,brand,price,currency", lambda c, w, b: (c, date(w), b, 3, "EUR" if c < 4 else "JPY")),
        *(6, 24, 3, "currency has 2 values (EUR, JPY): prices are compared as they are"),
    ),
    "numbered_as_prices_are": Case(
        rows(
            "id,t,choice,price_aro,price_bel,price_cim", lambda c, w, b: (c, w, list(NAMES.values()).index(b), 1, 2, 3)
        ),
        *(6, 24, 3, "0 is aro, 1 is bel, 2 is cim"),
    ),
    "depvar": Case(
        several("id,task,alt,depvar,price", lambda c, w, b: [(c, w, a, int(a == b), 1.5) for a in NAMES.values()]),
        *(6, 24, 3, "alternative that was not chosen (depvar is 0)"),
    ),
    "sign_without_width": Case(
        rows("customer,date,brand", lambda c, w, b: (f"K{c}", date(w), b + "\u200b" * (w % 2))), 6, 24
    ),
    "units_by_month": Case(
        f"customer,brand,2021-01,2021-02,2021-03,2021-04\n{UNITS}\n", 6, 24, said="are read as quantity by month"
    ),
    "header_of_two_lines": Case(
        TWO_ROWS + "".join(f"{c},{w},{b},1.{w},2,3,0,1,0\n" for c, w, b in BOUGHT),
        *(6, 24, 3, "price of brands: price_Aro, price_Bel, price_Cim"),
    ),
}


@pytest.mark.parametrize("name", [*TIMES, *PEOPLE, *BRANDS])
def test_what_was_misread(name, tmp_path):
    check((TIMES | PEOPLE | BRANDS)[name], tmp_path)


def test_rows_without_a_customer_that_may_be_of_the_one_above_are_asked_about(tmp_path):
    lines = [f"{c if w == 1 else ''},{date(w)},{b}" for c, w, b in BOUGHT]
    (tmp_path / "panel.csv").write_text("\n".join(["customer,date,brand", *lines]))
    with pytest.raises(PanelError, match=r"say panel\.empty=above; if they are of guests, panel\.empty=guest"):
        panel.read(tmp_path / "panel.csv")
    read = panel.read(tmp_path / "panel.csv", empty="guest")
    assert len(read.hh) == 6 and any("no customer" in reason for _, reason in read.left_out)


LASTING = rows("customer,provider,start,{}", lambda c, w, b: (c, b, f"20{w + 10}-02-01", "" if w == 4 else 12))


@pytest.mark.parametrize(
    ("content", "months"),
    [
        (LASTING.format("duration_months"), 12),
        (LASTING.format("tenure_days").replace(",12\n", ",365\n"), 12),
        (LASTING.format("duration").replace(",12\n", ",3 months 15 days\n"), 4),
        (LASTING.format("Vertragsdauer (Wochen)").replace(",12\n", ",8\n"), 2),
        (LASTING.format("duration_months").replace(",12\n", ",1\n"), 1),
    ],
)
def test_spells_with_a_duration_instead_of_an_end(content, months, tmp_path):
    (tmp_path / "panel.csv").write_text(content)
    read = panel.read(tmp_path / "panel.csv", lines="keep")
    assert read.provider and "2011-02-01" in str(read.origin + read.t.min().astype(int))
    assert len(read.hh) == 6 * (3 * months + 1)  # the last is open: until the last date that is known, its beginning


@pytest.mark.parametrize(
    ("marked", "returned"), [("2.50 CR", 1), ("CR 2.50", 1), ("$2.50cr", 1), ("2.50 DR", 0), ("2.50 CRC", 0)]
)
def test_a_price_marked_as_a_credit_is_a_return(marked, returned, tmp_path):
    content = rows("customer,date,brand,amount", lambda c, w, b: (c, date(w), b, marked if w == c == 1 else "2.50"))
    (tmp_path / "panel.csv").write_text(content)
    read = panel.read(tmp_path / "panel.csv")
    assert len(read.hh) == 24 - returned
    assert [(n, r) for n, r in read.left_out] == [(1, f"returned (amount below 0, as {marked})")] * returned


def test_a_sign_of_money_that_all_prices_have_is_no_credit(tmp_path):
    (tmp_path / "panel.csv").write_text(rows("customer,date,brand,price", lambda c, w, b: (c, date(w), b, f"CR {w}.5")))
    paid = panel.read(tmp_path / "panel.csv").paid
    assert paid is not None and sorted(np.unique(paid)) == [1.5, 2.5, 3.5, 4.5]


ASKED = {
    "duration_of_no_unit": (LASTING.format("duration"), "is '12' in days, weeks, months or years"),
    "percent_by_brand": (
        rows("customer,week,Aro,Bel,Cim", lambda c, w, b: (c, w, 50 + c, 30 - c - w, f"{20 + w}%")),
        "Aro, Bel, Cim add up to 100 in a row: a table of shares by brand is no record of purchases",
    ),
    "shares_beside_a_count": (
        rows("customer,week,visits,Aro,Bel,Cim", lambda c, w, b: (c, w, w, 0.5, 0.25 + c / 100, 0.25 - c / 100)),
        "Aro, Bel, Cim add up to 1 in a row",
    ),
    "percent_called_bought": (
        rows("customer,week,bought_Aro,bought_Bel", lambda c, w, b: (c, w, 50 + c, 50 - c)),
        "bought_Aro, bought_Bel add up to 100 in a row",
    ),
    "share_by_customer_and_brand": (
        several("customer,month,brand,share", lambda c, w, b: [(c, w, "Aro", 0.7), (c, w, "Bel", 0.3)]),
        "share adds up to 1 over the rows of a customer at a time",
    ),
    "day_and_month_in_both_places": (
        rows("customer,date,brand", lambda c, w, b: (c, f"{w + 12}/0{w}/2021" if c % 2 else f"0{w}/{w + 12}/2021", b)),
        r"'13/01/2021' and '01/13/2021' put the day in different places",
    ),
    "a_row_a_status": (
        several(
            "order_id,customer,date,status,brand",
            lambda c, w, b: [
                (f"{c}{w}", c, date(w, i), s, b) for i, s in enumerate(("paid", "shipped", "delivered"), 3)
            ],
        ),
        r"an order has a row for each status that it went through.*panel\.bought=paid",
    ),
    "alternatives_without_a_choice": (
        several("id,task,alt,price", lambda c, w, b: [(c, w, a, 1.5) for a in NAMES.values()]),
        "every alt is there at every occasion, so a row is an alternative",
    ),
    "numbers_by_month": (
        "customer,2021-01,2021-02,2021-03\n" + "".join(f"{c},{c % 2},{c % 3},1\n" for c in range(9)),
        r"panel\.brand=none says that they are how many were bought",
    ),
    "choices_called_y": (
        rows("hhid,trip,y,p1,p2,p3", lambda c, w, b: (c, w, list(NAMES.values()).index(b) + 1, 1, 2, 3)),
        "no column names the brand; the columns are 'y', 'p1'",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_cannot_be_known_is_asked(name, tmp_path):
    refused(*ASKED[name], tmp_path)


def test_points_of_thousands_beside_numbers_without(tmp_path):
    header, amounts = "Kunde;Datum;Marke;Umsatz", ("950", "1.250", "800", "2.000")
    content = rows(header, lambda c, w, b: (c, date(w), b, amounts[w - 1]), ";")
    (tmp_path / "panel.csv").write_text(content)
    paid = panel.read(tmp_path / "panel.csv").paid
    assert paid is not None and sorted(np.unique(paid)) == [800, 950, 1250, 2000]


def test_sheets_with_the_same_columns_are_one(tmp_path):
    pytest.importorskip("openpyxl")
    table = pd.DataFrame([(c, date(w), b) for c, w, b in BOUGHT], columns=["Customer", "Order Date", "Brand"])
    with pd.ExcelWriter(tmp_path / "panel.xlsx") as book:
        for month, part in table.groupby(table["Order Date"].str[:7]):
            part.to_excel(book, sheet_name=month, index=False)
    read = panel.read(tmp_path / "panel.xlsx")
    assert len(read.hh) == 24 and "4 sheets 2021-01, 2021-02, 2021-03, 2021-04 are read as one" in read.warnings[0]
