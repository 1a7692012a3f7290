"""Further kinds of file that people have, re-enacted: names of columns, times, lines that are no rows, shapes."""

import pytest

from sim import panel
from tests.panel.panels import NAMES, Case, check, rows, several

MONTHS, MONATE = ["Jan", "Feb", "Mar", "Apr"], ["Januar", "Februar", "März", "April"]


def date(week, day=3):
    return f"2021-{week:02d}-{day:02d}"


def timed(write, header="customer,date,brand", households=6, purchases=24, said="2021-01", **options):
    """A case in which only the time is written in another way."""
    sep = ";" if ";" in header else ","
    return Case(rows(header, lambda c, w, b: (c, write(w), b), sep), households, purchases, 3, said, options=options)


TIMES = {
    "serial": timed(lambda w: 44200 + 7 * w, said="2021-01-11 to"),
    "seconds": timed(lambda w: 1609459200.5 + 604800 * w, "customer,created,brand", said="2021-01-08 to"),
    "milliseconds": timed(lambda w: 1609459200000 + 604800000 * w, "customer,ts,brand", said="2021-01-08 to"),
    "microseconds": timed(lambda w: (1609459200 + 604800 * w) * 10**6, "customer,event_timestamp,brand"),
    "year_week": timed(lambda w: f"20210{w}", "customer,yearweek,brand", said="2021-01-04 to 2021-01-25"),
    "week_year": timed(lambda w: f"KW 0{w}/2021", "Kunde;Kalenderwoche;Marke", said="2021-01-04 to 2021-01-25"),
    "quarter": timed(lambda w: f"Q{w} 2021", "customer,quarter,brand", said="2021-01-01 to 2021-10-01"),
    "quarter_first": timed(lambda w: f"{w}Q21", "customer,quarter,brand", said="2021-01-01 to 2021-10-01"),
    "month_of_two_digit_year": timed(lambda w: f"{MONTHS[w - 1]}-21", "customer,month,brand", said="to 2021-04-01"),
    "german_month": timed(lambda w: f"{MONATE[w - 1]} 2021", "Kunde;Monat;Marke", said="to 2021-04-01"),
    "year_and_name_of_month": timed(
        lambda w: f"2021,{MONTHS[w - 1]}", "customer,year,month,brand", said="to 2021-04-01"
    ),
    "javascript": timed(lambda w: f"Fri {MONTHS[w - 1]} 08 2021 10:00:00 GMT+0100 (CET)", said="to 2021-04-08"),
    "month_day_year": timed(lambda w: f"{MONTHS[w - 1]}-13-21", said="2021-01-13 to 2021-04-13"),
    "run_together": timed(lambda w: f"130{w}2021", said="2021-01-13 to 2021-04-13"),
    "run_together_year_first": timed(lambda w: f"210{w}{w + 12}", said="2021-01-13 to 2021-04-16"),
    "two_ways": timed(lambda w: f"2021-0{w}-03" if w % 2 else f"0{w}/13/2021", said="2021-01-03 to 2021-04-13"),
    "two_digits_and_dashes": timed(lambda w: f"{w + 12}-0{w}-21", said="2021-01-13 to 2021-04-16"),
    "week_ending": timed(date, "customer,Week Ending,brand"),
    "another_name": timed(date, "passenger,flight_date,airline", said="flight_date is taken for the time"),
    "number_of_order": Case(
        rows("order_id,user_id,order_number,brand", lambda c, w, b: (f"9{c}{w}", c, w, b)),
        6,
        24,
        said="time: order_number",
    ),
    "as_another_column_tells": Case(
        rows("customer,order date,ship date,brand", lambda c, w, b: (c, f"0{w}/05/2021", f"{w + 12}/05/2021", b)),
        *(6, 24, 3, "order date is read as ship date, which is dmy"),
    ),
}

NAMED = {
    "brand_of_a_product": Case(
        rows(
            "order_id,date_created,status,customer_id,line_item_name,qty,product_brand",
            lambda c, w, b: (f"5{c}{w}", date(w), "wc-completed" if w < 4 else "wc-canceled", c, f"{b} paste", 1, b),
        ),
        *(6, 18, 3, "brand: product_brand"),
    ),
    "sent_and_canceled": Case(
        rows(
            "bestelnummer;besteldatum;klant-id;merk;aantal;prijs per stuk;verzendstatus",
            lambda c, w, b: (f"A{c}{w}", date(w), c, b, 1, "€ 3,95", "VERZONDEN" if w < 4 else "GEANNULEERD"),
            ";",
        ),
        *(6, 18, 3, "6  verzendstatus is GEANNULEERD"),
    ),
    "orders_that_all_begin_with_c": Case(
        rows(
            "N° commande;Date commande;Client;Marque;Qté;Prix unitaire TTC;Statut",
            lambda c, w, b: (f"C{c}{w}", date(w), c, b, 1, "12,50 €", "Livrée" if w < 4 else "Remboursée"),
            ";",
        ),
        *(6, 18, 3, "6  Statut is Remboursée"),
    ),
    "receipts": Case(
        rows("Kundenkartennummer;Bondatum;Bonnr;Marke", lambda c, w, b: (f"00{c}", date(w), f"{c}{w}", b), ";"),
        *(6, 24, 3, "time: Bondatum"),
    ),
    "card": Case(rows("Kaartnummer;Transactiedatum;Merknaam", lambda c, w, b: (c, date(w), b), ";"), 6, 24),
    "swedish": Case(rows("Kundnr;Köpdatum;Varumärke;Antal", lambda c, w, b: (c, date(w), b, 1), ";"), 6, 24),
    "name_of_customer": Case(
        rows("Fecha pedido;Nombre cliente;Marca", lambda c, w, b: (date(w), f"A {c}", b), ";"), 6, 24
    ),
    "two_languages": Case(rows("Customer #,Date (UTC),Brand/Marke", lambda c, w, b: (c, date(w), b)), 6, 24),
    "names_of_tables": Case(
        rows("o.id,o.customer_id,o.created_at,l.brand", lambda c, w, b: (f"{c}{w}", c, date(w), b)), 6, 24
    ),
    "analytics": Case(
        several(
            "event_date,event_timestamp,event_name,user_pseudo_id,item_brand",
            lambda c, w, b: [
                (f"20210{w}03", 1609459200000000 + w * 604800000000 + i, e, f"u{c}.1", b)
                for i, e in enumerate(["view_item", "add_to_cart", "purchase"])
            ],
        ),
        *(6, 24, 3, "24  event_name is view_item"),
    ),
    "conjoint": Case(
        several(
            "sys_RespNum,Task,Concept,Brand,Price,Response",
            lambda c, w, b: [(c, w, k, a, 1.5, int(a == b)) for k, a in enumerate(NAMES.values())],
        ),
        *(6, 24, 3, "chosen: Response"),
    ),
    "prices_after_the_brand": Case(
        rows("hh,week,brand,ARO price,BEL price,CIM price", lambda c, w, b: (c, w, b, 1, 2, 3)),
        *(6, 24, 3, "price of brands: ARO price, BEL price, CIM price"),
    ),
    "prices_of_p": Case(
        rows("hh,week,choice,p_Aro,p_Bel,p_Cim", lambda c, w, b: (c, w, b, 1, 2, 3)),
        6,
        24,
        said="price of brands: p_Aro",
    ),
    "prices_joined": Case(
        rows("hh,week,choice,priceAro,priceBel,priceCim", lambda c, w, b: (c, w, b, 1, 2, 3)), 6, 24, said="priceBel"
    ),
}

ROWS = {
    "units_that_came_back": Case(
        rows(
            "created_at,customer_id,manufacturer,qty_ordered,qty_canceled,qty_refunded",
            lambda c, w, b: (date(w), c, b, 1, 0, int(w == 1)),
        ),
        *(6, 18, 3, "6  returned (qty_canceled + qty_refunded is the quantity)"),
    ),
    "test_orders": Case(
        rows("customer,date,brand,is_test_order", lambda c, w, b: (c, date(w), b, int(w == 4))),
        6,
        18,
        said="is_test_order",
    ),
    "sale_or_return": Case(
        rows("customer,date,brand,Sale/Return", lambda c, w, b: (c, date(w), b, "Return" if w == 4 else "Sale")),
        *(6, 18, 3, "6  Sale/Return is Return"),
    ),
    "shipping_and_discounts": Case(
        several(
            "customer,date,order_id,description",
            lambda c, w, b: [(c, date(w), f"{c}{w}", text) for text in (b, "POSTAGE", "Discount")],
        ),
        *(6, 24, 3, "48  no product (description is POSTAGE, Discount)"),
    ),
    "used_or_not": Case(
        rows("id,t,bought", lambda c, w, b: (c, w, int(b == "Aro"))), *(6, 12, 1, "12  nothing bought (bought is 0)")
    ),
    "guests_are_0": Case(
        rows("Order Date,Customer User ID,Brands", lambda c, w, b: (date(w), 0 if c == 6 else 90 + c, b)),
        *(5, 20, 3, "4  no customer"),
    ),
    "spent": Case(
        rows("account,booking date,amount,counterparty", lambda c, w, b: (c, date(w), 3.5 if w == 4 else -3.5, b)),
        *(6, 18, 3, "6  received (amount above 0)"),
    ),
    "mail_in_capitals": Case(
        rows("email,date,brand", lambda c, w, b: (f"P{c}@X.org" if w % 2 else f"p{c}@x.org", date(w), b)), 6, 24
    ),
    "brands_in_capitals": Case(
        rows("customer,date,brand", lambda c, w, b: (c, date(w), b.upper() if c % 2 else b)),
        *(6, 24, 3, "brand: 6 ways to write 3 names"),
    ),
    "blanks_and_dashes": Case(
        rows("customer,date,brand", lambda c, w, b: (f" K{c} ", date(w), "-" if w == 3 else f" {b}\u00a0")),
        *(6, 18, 3, "6  no brand"),
    ),
    "no_brand": Case(
        rows("customer,date,brand", lambda c, w, b: (c, date(w), "Other" if w == 3 else b)),
        6,
        24,
        4,
        "Other is no brand",
    ),
    "total": Case(
        rows("customer,week,brand,quantity", lambda c, w, b: (c, w, b, 2)) + "Grand Total,,,48\n",
        6,
        24,
        said="1  totals",
    ),
    "totals_of_customers": Case(
        several("customer,week,brand", lambda c, w, b: [(c, w, b), *([(f"Summe {c}", "", "")] if w == 4 else [])]),
        *(6, 24, 3, "6  totals"),
    ),
    "text_below": Case(
        rows("customer,date,brand", lambda c, w, b: (c, date(w), b)) + "\nSource: panel 2021\n24 rows\n",
        *(6, 24, 3, "2  text below the rows"),
    ),
    "header_again": Case(
        several(
            "customer,date,brand", lambda c, w, b: [(c, date(w), b), *([("customer", "date", "brand")] * (w == 4))]
        ),
        *(6, 24, 3, "6  the header once more"),
    ),
    "title_with_commas": Case(
        "Sales report\nBy Ann, 2022-01-05\n\n" + rows("customer,date,brand", lambda c, w, b: (c, date(w), b)),
        *(6, 24, 3, "2 lines before the header left aside"),
    ),
    "title_of_a_sheet": Case(
        "Umsatz;;;\nvon 1.1. bis 31.12.;;;\n;;;\n"
        + rows("Kunde;Datum;Marke;Betrag", lambda c, w, b: (c, date(w), b, "1,5"), ";"),
        *(6, 24, 3, "3 lines before the header left aside"),
    ),
    "single_quotes": Case(
        rows("'customer','date','brand'", lambda c, w, b: (f"'{c}'", f"'{date(w)}'", f"'{b}'")), 6, 24
    ),
    "carets": Case(rows("customer^date^brand", lambda c, w, b: (c, date(w), b), "^"), 6, 24),
    "wide_alone": Case(
        rows("hh,week,Aro,Bel,Cim", lambda c, w, b: (c, w, *(int(a == b) for a in NAMES.values()))),
        *(6, 24, 3, "read as chosen by alternative"),
    ),
    "wide_units": Case(
        rows("hh,week,qty_Aro,qty_Bel,qty_Cim", lambda c, w, b: (c, w, *(2 * (a == b) for a in NAMES.values()))),
        *(6, 24, 3, "read as quantity by brand"),
    ),
    "wide_waves": Case(
        "respondent,wave 1,wave 2,wave 3,wave 4\n"
        + "\n".join(f"{c}," + ",".join("ABAB"[c % 2 :][:2] * 2) for c in range(9)),
        *(9, 36, 2, "read as provider by period"),
    ),
    "wide_years": Case(
        "id," + ",".join(f"bank_{y}" for y in range(2018, 2023)) + "\n" + "\n".join(f"{c},A,A,B,B,A" for c in range(9)),
        *(9, 45, 2, "read as provider by year"),
    ),
}


@pytest.mark.parametrize("name", TIMES)
def test_times_as_people_write_them(name, tmp_path):
    check(TIMES[name], tmp_path)


@pytest.mark.parametrize("name", NAMED)
def test_columns_as_exports_call_them(name, tmp_path):
    check(NAMED[name], tmp_path)


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_are_none_and_shapes(name, tmp_path):
    check(ROWS[name], tmp_path)


SPELLS = {
    "open_in_words": (
        "klantnummer;energieleverancier;ingangsdatum;einddatum",
        "{c};{a};01-01-2021;30-06-2021",
        "heden",
    ),
    "open_at_the_end_of_time": (
        "Kunden-Nr;Anbieter;Vertragsbeginn;Vertragsende",
        "{c};{a};01.01.2021;30.06.2021",
        "31.12.9999",
    ),
    "canceled": ("customer_id;plan;started_at;canceled_at", "{c};{a};2021-01-01;2021-06-30", ""),
}


@pytest.mark.parametrize("name", SPELLS)
def test_spells_that_are_still_open(name, tmp_path):
    header, first, end = SPELLS[name]
    then = ";".join(
        [
            *first.split(";")[:2],
            "01-07-2021" if "-01-2" in first else "01.07.2021" if "." in first else "2021-07-01",
            end,
        ]
    )
    lines = [line.format(c=c, a=a) for c in range(6) for line, a in ((first, "AB"[c % 2]), (then, "BA"[c % 2]))]
    (tmp_path / "spells.csv").write_text("\n".join([header, *lines]))
    p = panel.read(tmp_path / "spells.csv")
    assert p.provider and len(p.households) == 6 and str(p.origin) == "2021-01-01" and p.t.max() == 181


REFUSED = {
    "sums": (
        "month,brand,customers\n2021-01,A,10\n2021-01,B,20\n2021-02,A,11\n",
        "customers holds numbers: if they are how many, this file tells of no household",
    ),
    "a_row_a_customer": (
        "customer_id,frequency,recency,T,monetary_value\n" + "\n".join(f"{c},{c % 3},{c},{c + 20},2" for c in range(9)),
        "every customer has one row, as in a summary",
    ),
    "brands_as_columns": (
        rows("hh,week,Aro,Bel", lambda c, w, b: (c, w, 3 * (b == "Aro"), 2 * (b == "Bel"))),
        "if Aro, Bel are brands, call them bought_Aro",
    ),
    "several_in_a_cell": (
        rows("customer,date,brands", lambda c, w, b: (c, date(w), f"{b}|Aro" if w == 4 and b != "Aro" else b)),
        "names several brands in one cell",
    ),
    "spells_of_weeks": (
        "customer,provider,start_week,end_week\n1,A,1,30\n1,B,31,\n2,A,1,\n",
        "start_week: '1' is no date; the start and end of a spell are dates",
    ),
    "codes_of_actions": (
        rows("user_id,time,brand,action_type", lambda c, w, b: (c, w, b, w % 2)),
        "action_type: are rows with",
    ),
    "json": ('[{"customer": 1, "brand": "Aro"}]', "a JSON file; a panel is a CSV, Excel or Parquet file"),
    "html": ("<html><table></table></html>", "an HTML or XML file; a panel is a CSV, Excel or Parquet file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_panel_gets_its_sentence(name, tmp_path):
    content, sentence = REFUSED[name]
    (tmp_path / "file.csv").write_text(content)
    with pytest.raises(panel.PanelError) as caught:
        panel.read(tmp_path / "file.csv")
    assert len(caught.value.complaints) <= 2 and sentence in caught.value.complaints[0]


def test_a_column_of_type_that_tells_nothing_is_said(tmp_path):
    case = Case(rows("customer,date,brand,type", lambda c, w, b: (c, date(w), b, "R" if w == 4 else "S")), 6, 24)
    check(case._replace(said="type (S, R) is not used"), tmp_path)


def test_a_customer_with_most_purchases_is_said(tmp_path):
    lines = [f"{c},{w},{'abc'[(c + w) % 3]}" for c in range(1, 30) for w in range(2)]
    lines += [f"walk-in customers,{w},{'abc'[w % 3]}" for w in range(99)]
    (tmp_path / "panel.csv").write_text("\n".join(["customer,week,brand", *lines]))
    said = "\n".join(panel.read(tmp_path / "panel.csv").warnings)
    assert "customer walk-in customers has 99 of 157 purchases; if it stands for guests, leave it out" in said
