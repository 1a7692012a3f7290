"""Files as shops, panels, studies and logs write them, re-enacted: what counts as a purchase, what is said of it."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from sim import panel
from sim.panel.report import read_as

CASES = Path(__file__).parents[2] / "shared" / "cases"
CHOICES = ("BCAC", "BAAA", "BABC", "AAAC", "ABBB", "AABA")
NAMES = {"A": "Aro", "B": "Bel", "C": "Cim"}
BOUGHT = [(c, w, NAMES[b]) for c, choices in enumerate(CHOICES, 1) for w, b in enumerate(choices, 1)]  # 24 purchases


class Case(NamedTuple):
    """A file's content, and what is expected: households, purchases, brands, and something that is said."""

    content: str | bytes
    households: int
    purchases: int
    brands: int = 3
    said: str = ""
    name: str = "panel.csv"
    options: dict | None = None


def rows(header, row, sep=",", keep=lambda c, w, b: True):
    """A file with a row for each purchase."""
    lines = [sep.join(map(str, row(c, w, b))) for c, w, b in BOUGHT if keep(c, w, b)]
    return "\n".join([header, *lines]) + "\n"


def several(header, many):
    """A file with several rows for each purchase."""
    return "\n".join([header, *(",".join(map(str, r)) for c, w, b in BOUGHT for r in many(c, w, b))]) + "\n"


def zipped(text):
    with zipfile.ZipFile(stream := io.BytesIO(), "w") as archive:
        archive.writestr("export/panel.csv", text)
    return stream.getvalue()


PLAIN = rows("customer,week,brand", lambda c, w, b: (c, w, b))
DUTCH = "Klantnummer;Besteldatum;Bestelnummer;Merk;Aantal;Bedrag;Status"
SHOPIFY = "Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Vendor,Cancelled at"
EVENTS = "event_time,event_type,product_id,brand,price,user_id,user_session"
OLIST = "order_id,customer_id,customer_unique_id,order_status,order_purchase_timestamp,order_approved_at,brand"

READ = {
    # rows that are not purchases
    "dutch_cancelled": Case(
        rows(
            DUTCH,
            lambda c, w, b: (
                c,
                f"{7 * w:02d}-{w:02d}-2021",
                f"{c}{w}",
                b,
                1,
                "2,50",
                "Geannuleerd" if w > 3 else "Voltooid",
            ),
            ";",
        ),
        *(6, 18, 3, "6  Status is Geannuleerd"),
    ),
    "french_returned_latin_1": Case(
        rows(
            "Numéro client;Date de commande;Marque;Quantité",
            lambda c, w, b: (c, f"{7 * w:02d}/{w:02d}/2021", b, -1 if w == 1 else 2),
            ";",
        ).encode("latin-1"),
        *(6, 18, 3, "6  returned (Quantité below 0)"),
    ),
    "german_storno": Case(
        rows(
            "Kunden-Nr.;Rechnungsdatum;Marke;Menge;Storno",
            lambda c, w, b: (c, f"{7 * w:02d}.{w:02d}.21", b, 1, "ja" if w == 2 else "nein"),
            ";",
        ),
        *(6, 18, 3, "6  Storno"),
    ),
    "spanish": Case(
        rows(
            "ID Cliente,Fecha de compra,Marca,Cantidad,Estado",
            lambda c, w, b: (c, f"{7 * w:02d}/{w:02d}/2021", b, 1, "Devuelto" if w > 3 else "Entregado"),
        ),
        *(6, 18, 3, "6  Estado is Devuelto"),
    ),
    "portuguese": Case(
        rows(
            "cod_cliente,data_compra,marca,situacao",
            lambda c, w, b: (c, f"2021-{w:02d}-03", b, "cancelado" if w > 3 else "entregue"),
        ),
        *(6, 18, 3, "6  situacao is cancelado"),
    ),
    "italian": Case(
        rows(
            "Codice cliente;Data ordine;Marca;Stato",
            lambda c, w, b: (c, f"{7 * w:02d}/{w:02d}/2021", b, "Reso" if w > 3 else "Consegnato"),
            ";",
        ),
        *(6, 18, 3, "6  Stato is Reso"),
    ),
    "credit_notes_and_no_id": Case(
        rows(
            "InvoiceNo,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
            lambda c, w, b: (
                f"{'C' * (w == 4)}5{c}{w}",
                b,
                -1 if w == 4 else 6,
                f"{w}/{7 * w}/2010 8:26",
                2.5,
                "" if c == 3 else f"{c}.0",
                "UK",
            ),
        ),
        *(5, 15, 3, "6  cancelled (InvoiceNo begins with C)"),
    ),
    "guests_by_name": Case(
        rows("email,order date,vendor", lambda c, w, b: ("guest" if w == 3 else f"p{c}@x", f"2021-0{w}-03", b)),
        6,
        18,
        3,
        "6  no customer",
    ),
    "clicks": Case(
        several(
            EVENTS,
            lambda c, w, b: [
                (f"2019-10-0{w} 0{i}:00:00 UTC", e, 1, b, 9, c, f"s{c}{w}")
                for i, e in enumerate(["view", "cart", "remove_from_cart", "purchase"])
            ],
        ),
        6,
        24,
        3,
        "24  event_type is cart",
    ),
    "visits_of_items": Case(
        several(
            "timestamp,visitorid,event,itemid,transactionid",
            lambda c, w, b: [
                (1433221332117 + w * 259200000 + i, c, e, b, "" if i < 2 else f"9{c}{w}")
                for i, e in enumerate(["view", "addtocart", "transaction"])
            ],
        ),
        6,
        24,
        3,
        "24  event is addtocart",
    ),
    "taobao": Case(
        several(
            "user_id,item,behavior_type,time",
            lambda c, w, b: [(c, b, e, f"2014-12-0{w} {i:02d}") for i, e in enumerate(["pv", "fav", "cart", "buy"])],
        ),
        6,
        24,
        3,
        "24  behavior_type is pv",
    ),
    "nothing_bought_0": Case(
        rows("hh,day,choice", lambda c, w, b: (c, w, {"Aro": 1, "Bel": 2, "Cim": 0}[b])),
        6,
        20,
        2,
        "4  nothing bought (choice is 0)",
    ),
    "nothing_bought_word": Case(
        rows("hh,day,choice", lambda c, w, b: (c, w, "no purchase" if b == "Cim" else b)), 6, 20, 2, "4  nothing bought"
    ),
    "nothing_bought_99": Case(
        rows("hh,day,choice", lambda c, w, b: (c, w, {"Aro": 1, "Bel": 2, "Cim": 99}[b])),
        6,
        20,
        2,
        "4  nothing bought (choice is 99)",
    ),
    "0_is_a_brand": Case(
        rows("hh,day,choice", lambda c, w, b: (c, w, {"Aro": 1, "Bel": 2, "Cim": 0}[b])),
        6,
        24,
        3,
        options={"none": "no"},
    ),
    "long_yes_no": Case(
        several(
            "respondent,task,alternative,chosen,price",
            lambda c, w, b: [(c, w, a, "ja" if a == b else "nein", -1) for a in NAMES.values()],
        ),
        6,
        24,
        3,
        "48  alternative that was not chosen",
    ),
    "long_brand_bought_01": Case(
        several("hh,trip,brand,bought", lambda c, w, b: [(c, w, a, int(a == b and w < 4)) for a in NAMES.values()]),
        6,
        18,
        3,
        "54  alternative that was not chosen",
    ),
    "long_with_none": Case(
        several(
            "resp_id,task,alt,choice",
            lambda c, w, b: [(c, w, a, int(a == (b if w < 4 else "None"))) for a in (*NAMES.values(), "None")],
        ),
        6,
        18,
        3,
        "6  nothing bought (alt is None)",
    ),
    "wide_01": Case(
        rows("id,choice_Aro,choice_Bel,choice_Cim", lambda c, w, b: (c, *(int(a == b) for a in NAMES.values()))),
        6,
        24,
        3,
        "read as chosen by alternative",
    ),
    "wide_beside_prices": Case(
        rows(
            "hh,week,Aro,Bel,Cim,price_Aro,price_Bel,price_Cim",
            lambda c, w, b: (c, w, *("TRUE" if a == b else "FALSE" for a in NAMES.values()), 1, 2, 3),
        ),
        6,
        24,
        3,
        "read as chosen by alternative",
    ),
    # lines and occasions
    "lines_of_an_order": Case(
        several(
            "customer,date,order id,brand,article",
            lambda c, w, b: [(c, f"2021-0{w}-03", f"{c}{w}", b, a) for a in ("x", "y", "z")],
        ),
        6,
        24,
        3,
        "48  further lines of one brand by one customer at one order",
    ),
    "lines_of_a_day": Case(
        several("customer,date,brand,article", lambda c, w, b: [(c, f"2021-0{w}-03", b, a) for a in ("x", "y")]),
        6,
        24,
        3,
        "24  further lines of one brand by one customer at one time",
    ),
    "every_row_twice": Case(
        several("customer,date,brand,quantity", lambda c, w, b: [(c, f"2021-0{w}-03", b, 2)] * 2),
        6,
        24,
        3,
        "24  repeats of a row",
    ),
    "lines_kept": Case(
        several("customer,date,brand", lambda c, w, b: [(c, f"2021-0{w}-03", b)] * 2),
        6,
        48,
        3,
        options={"lines": "keep"},
    ),
    "orders_with_one_head": Case(
        several(
            SHOPIFY,
            lambda c, w, b: [
                (
                    f"#1{c}{w}",
                    f"p{c}@x.org",
                    "refunded" if w == 4 else "paid",
                    f"2024-0{w}-01 10:00:00 -0500",
                    2,
                    "mug",
                    b,
                    "",
                ),
                (f"#1{c}{w}", f"p{c}@x.org", "", f"2024-0{w}-01 10:00:00 -0500", 1, "cup", "Dor", ""),
            ],
        ),
        *(6, 36, 4, "12  Financial Status is refunded"),
    ),
    # columns
    "marketplace": Case(
        rows(
            OLIST,
            lambda c, w, b: (
                f"o{c}{w}",
                f"x{c}{w}",
                f"u{c}",
                "canceled" if w > 3 else "delivered",
                f"2017-10-0{w} 10:56:33",
                f"2017-10-0{w} 11:56:33",
                b,
            ),
        ),
        6,
        18,
        3,
        "customer: customer_unique_id; time: order_purchase_timestamp",
    ),
    "webshop": Case(
        rows(
            "Order Number,Order Status,Order Date,Customer User ID,Email (Billing),Item Name,Quantity",
            lambda c, w, b: (f"{c}{w}", "Completed", f"2024-0{w}-01 10:00", c, f"p{c}@x", b, 1),
        ),
        6,
        24,
        3,
        "customer: Customer User ID",
    ),
    "scanner": Case(
        rows(
            "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,TRANS_TIME,WEEK_NO,MANUFACTURER",
            lambda c, w, b: (c, f"269{c}{w}", w, 1, 1, 1.39, 1631, 1, b),
        ),
        6,
        24,
        3,
        "time: DAY; clock: TRANS_TIME",
    ),
    "card": Case(
        rows(
            "CardNumber;DateTime;Article;Brand;Qty;Amount",
            lambda c, w, b: (f"00{c}", f"2021-0{w}-03 10:00:00", f"{b} 500 g", b, 1, "1,99"),
            ";",
        ),
        6,
        24,
        3,
        "customer: CardNumber; time: DateTime; brand: Brand",
    ),
    "date_and_clock": Case(
        rows("Customer,Date,Time,Brand", lambda c, w, b: (c, "2021-01-01", f"{w + 8}:30", b)), 6, 24, 3, "clock: Time"
    ),
    "year_and_month": Case(
        rows("customer,year,month,brand", lambda c, w, b: (c, 2020 + (w > 2), w if w < 3 else w - 2, b)),
        6,
        24,
        3,
        "2020-01-01 to 2021-02-01",
    ),
    "price_columns_of_no_brand": Case(
        rows("customer,week,brand,price_usd,price_total", lambda c, w, b: (c, w, b, 1, 2)),
        6,
        24,
        3,
        "price_total: left aside, as no brand is called total",
    ),
    "ids_with_zeros": Case(
        rows("customer,week,brand", lambda c, w, b: (f"{c % 3:03d}" if c > 3 else c % 3, w, b)), 6, 24
    ),
    "seconds": Case(
        rows("uid,timestamp,merchant", lambda c, w, b: (c, 1609459200 + 86400 * w, b)),
        6,
        24,
        3,
        "2021-01-02 to 2021-01-05",
    ),
    "american_two_digits": Case(
        rows("customer,date,brand", lambda c, w, b: (c, f"{w}/{7 * w}/21", b)), 6, 24, 3, "2021-01-07 to 2021-04-28"
    ),
    "months_in_words": Case(
        rows("customer,date,brand", lambda c, w, b: (c, f"{w} {['Jan', 'März', 'août', 'dic'][w - 1]} 2021", b)),
        6,
        24,
        3,
        "2021-01-01 to 2021-12-04",
    ),
    "dates_said": Case(
        rows("customer,date,brand", lambda c, w, b: (c, f"0{w}/0{w + 1}/2021", b)),
        6,
        24,
        3,
        "2021-02-01 to 2021-05-04",
        options={"dates": "dmy"},
    ),
    # shapes of files
    "utf_16": Case(PLAIN.replace(",", "\t").encode("utf-16"), 6, 24, name="panel.txt"),
    "bom": Case(b"\xef\xbb\xbf" + PLAIN.encode(), 6, 24),
    "comments": Case("# exported by us\n# in 2021\n" + PLAIN + "# end\n", 6, 24, 3, "1  comment"),
    "names_in_a_comment": Case("# " + PLAIN.replace(",", " "), 6, 24),
    "title_above": Case("Sales report\nYear: 2021\n\n" + PLAIN, 6, 24, 3, "before the header left aside"),
    "sep_tab": Case("sep=\t\n" + PLAIN.replace(",", "\t"), 6, 24),
    "pipes": Case(PLAIN.replace(",", "|"), 6, 24),
    "quoted_row_names": Case(
        "\n".join(
            f'"{i}" ' * (i > 0) + " ".join(f'"{x}"' for x in line.split(","))
            for i, line in enumerate(PLAIN.splitlines())
        ),
        6,
        24,
        name="panel.txt",
    ),
    "ends_with_separators": Case(
        "\n".join(line + ";" * (i > 0) for i, line in enumerate(PLAIN.replace(",", ";").splitlines())), 6, 24
    ),
    "gzip": Case(gzip.compress(PLAIN.encode()), 6, 24, name="panel.csv.gz"),
    "zip": Case(zipped(PLAIN), 6, 24, name="panel.zip"),
    "no_header_by_number": Case(PLAIN.split("\n", 1)[1], 6, 24, options={"customer": 1, "time": 2, "brand": 3}),
    "ragged_line": Case(PLAIN + "7,1,Aro,too,many\n", 6, 24, 3, "1 line with more cells than the header left out"),
    # who is counted
    "members": Case(PLAIN + "7,,\n8,,\n9,,\n", 9, 24, 3, "3  customers who never bought"),
    "size": Case(PLAIN, 20, 24, 3, "20 households (6 bought)", options={"size": 20}),
    "filtered": Case(
        rows("customer,week,brand,country", lambda c, w, b: (c, w, b, "UK" if c < 3 else "FR" if c < 5 else "DE")),
        4,
        16,
        3,
        "8  not country = UK,FR",
        options={"filter": "country=UK,FR"},
    ),
    "filtered_out": Case(
        rows("customer,week,brand,Amount", lambda c, w, b: (c, w, b, w)), 6, 18, options={"filter": ["Amount>1"]}
    ),
    "between": Case(
        rows("customer,date,brand", lambda c, w, b: (c, f"2021-0{w}-03", b)),
        6,
        12,
        3,
        "6  before 2021-02-01",
        options={"start": "2021-02-01", "end": "2021-03-03"},
    ),
    "bought_said": Case(
        rows("customer,date,brand,status", lambda c, w, b: (c, f"2021-0{w}-03", b, "QX"[w % 2])),
        6,
        12,
        3,
        "12  status is X",
        options={"bought": "Q"},
    ),
    "pooled": Case(PLAIN, 6, 24, 2, "pooled as `other`", options={"top": 1}),
}


@pytest.mark.parametrize("name", READ)
def test_a_file_as_people_have_them(name, tmp_path):
    case = READ[name]
    path = tmp_path / case.name
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    p = panel.read(path, **(case.options or {}))
    said = "\n".join([*read_as(p), *p.warnings])
    assert (len(p.households), len(p.hh), len(p.brands)) == (case.households, case.purchases, case.brands), said
    assert case.said in said, said
    dropped = sum(n for n, _ in p.left_out)
    assert p.rows == len(p.hh) + dropped, "every row of the file is a purchase or left out with a reason"


ASKED = {
    "day_or_month": (
        rows("customer,date,brand", lambda c, w, b: (c, f"0{w}/0{w + 1}/2021", b)),
        "panel.dates=dmy (2021-02-01), panel.dates=mdy (2021-01-02)",
    ),
    "first_of_months": (
        rows("customer,date,brand", lambda c, w, b: (c, f"01.0{w}.2021".replace(".", "-"), b)),
        "panel.dates=mdy",
    ),
    "status_unknown": (
        rows("customer,date,brand,status", lambda c, w, b: (c, f"2021-0{w}-03", b, "Q" if w == 1 else "paid")),
        "panel.bought=paid,Q",
    ),
    "views_only": (
        rows("customer,date,brand,event_type", lambda c, w, b: (c, f"2021-0{w}-03", b, "view")),
        "panel.bought=view",
    ),
    "no_header": (PLAIN.split("\n", 1)[1], "looks like a purchase, not like names of columns"),
    "no_header_words": ("k1;3 Jan 2021;Aro\n" * 2 + "k2;4 Feb 2021;Bel\n" * 2, "looks like a purchase"),
    "which_brand": (rows("customer,date,colour", lambda c, w, b: (c, f"2021-0{w}-03", b)), "panel.brand=COLUMN"),
    "id_of_the_row": (
        "id,date,brand\n" + "".join(f"{i},2021-01-0{i},Aro\n" for i in range(1, 9)),
        "numbers the rows and not the customers",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_not_clear_is_asked(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, question = ASKED[name]
    (tmp_path / "panel.csv").write_text(content)
    assert panel.main("panel.csv") == 2
    streams = capsys.readouterr()
    assert question in streams.err and not streams.out
    assert [p.name for p in tmp_path.iterdir()] == ["panel.csv"]


def test_advice_can_be_followed_word_for_word(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = rows("customer,date,colour", lambda c, w, b: (c, f"0{w}/0{w + 1}/2021", b))
    (tmp_path / "panel.csv").write_text(content)
    assert panel.main("panel.csv") == 2
    assert panel.main("panel.csv", ["panel.brand=colour"]) == 2
    advice = capsys.readouterr().err.split("say which: ")[1].split(" ")[0]
    assert panel.main("panel.csv", ["panel.brand=colour", advice]) == 0
    assert panel.main("panel.csv", ["brand=colour", "panel.dates=mdy"]) == 0
    assert "24 purchases" in capsys.readouterr().out


def test_options_are_checked_all_at_once(capsys):
    wrong = [
        "panel.costumer=x",
        "panel.top=many",
        "panel.dates=dmmy",
        "people=10",
        "panel.split=",
        "panel.size=2",
        "size=3",
    ]
    assert panel.main("nowhere.csv", wrong) == 2
    said = capsys.readouterr().err
    for sentence in (
        "panel.costumer: unknown; did you mean customer?",
        "panel.top: 'many' is not a whole number",
        "panel.dates: 'dmmy' is not known; did you mean dmy?",
        "people=10: a panel is measured as it is",
        "panel.split: has no value",
        "size: given twice",
    ):
        assert sentence in said


def test_quantities_are_given_beside_purchases(tmp_path):
    content = rows("customer,week,brand,quantity", lambda c, w, b: (c, w, b, 9 if b == "Cim" else 1))
    (tmp_path / "panel.csv").write_text(content)
    found = panel.measure(tmp_path / "panel.csv").set_index(["firm", "metric"]).value
    assert found["Cim", "share"] == pytest.approx(4 / 24)
    assert found["Cim", "unit_share"] == pytest.approx(36 / 56)


def test_lines_add_up_their_quantities(tmp_path):
    content = several(
        "customer,date,brand,article,quantity",
        lambda c, w, b: [(c, f"2021-0{w}-03", b, a, q) for a, q in (("x", 2), ("y", 3))],
    )
    (tmp_path / "panel.csv").write_text(content)
    assert (panel.read(tmp_path / "panel.csv").quantity == 5).all()


def test_parquet_with_an_index_dates_and_missing_ids(tmp_path):
    frame = pd.DataFrame(BOUGHT, columns=["customer", "week", "brand"])
    frame["date"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(7 * frame.week, unit="D")
    frame["customer"] = frame.customer.where(frame.week < 4).astype(float)
    frame.set_index(["customer", "date"]).drop(columns="week").to_parquet(tmp_path / "panel.parquet")
    p = panel.read(tmp_path / "panel.parquet")
    assert list(p.households) == list("123456") and len(p.hh) == 18 and str(p.origin) == "2021-01-08"


def test_a_workbook(tmp_path):
    pytest.importorskip("openpyxl")
    frame = pd.DataFrame(BOUGHT, columns=["Kunde", "Datum", "Marke"])
    frame["Datum"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(7 * frame.Datum, unit="D")
    with pd.ExcelWriter(tmp_path / "panel.xlsx") as writer:
        pd.DataFrame({"note": ["made by us"]}).to_excel(writer, sheet_name="About", index=False)
        frame.to_excel(writer, sheet_name="Orders", index=False, startrow=3)
    p = panel.read(tmp_path / "panel.xlsx")
    assert (len(p.households), len(p.hh), str(p.origin)) == (6, 24, "2021-01-08")
    with pytest.raises(panel.PanelError, match="did you mean Orders"):
        panel.read(tmp_path / "panel.xlsx", sheet="Order")


def test_a_workbook_without_its_package_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(pd, "read_excel", lambda *a, **k: (_ for _ in ()).throw(ImportError("no openpyxl")))
    with zipfile.ZipFile(tmp_path / "panel.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(panel.PanelError, match=r"needs the package openpyxl: pip install 'stickiness\[excel\]'"):
        panel.read(tmp_path / "panel.xlsx")


# ---------------------------------------------------------------- the cases beside this checkout

SHARED = {  # households, purchases, brands
    "camel_case": (6, 24, 3),
    "choice_zero": (6, 16, 3),
    "chosen_rows": (6, 24, 3),
    "day_first_two_digit_year": (6, 24, 3),
    "entrant": (7, 28, 2),
    "events": (6, 6, 3),
    "guest_checkout": (6, 21, 3),
    "id_is_order": (6, 24, 3),
    "iso_first_of_month": (6, 24, 3),
    "leading_zero_ids": (6, 24, 3),
    "line_items": (4, 12, 3),
    "long_true_false": (3, 9, 3),
    "non_buyers": (9, 24, 3),
    "order_date": (6, 24, 3),
    "price_decimal_comma": (6, 24, 3),
    "price_each": (6, 24, 3),
    "quantity": (6, 24, 3),
    "returns": (6, 18, 3),
    "sep_line": (6, 24, 3),
    "shop_export": (6, 24, 3),
    "weights": (6, 24, 3),
    "whitespace": (6, 24, 3),
}
SAID = {
    "choice_zero": "nothing bought (choice is 0)",
    "day_first_two_digit_year": "2021-01-03 to 2021-02-21",
    "entrant": "The dates tell the order of purchases",
    "events": "12  event_type is view",
    "guest_checkout": "3  no customer (customer is empty)",
    "id_is_order": "customer: customerNumber",
    "order_date": "not in the order of time; they have been sorted",
    "price_each": "price (below 0 = returned): Price Each",
    "returns": "6  returned (quantity below 0)",
    "weights": "Households are weighted by weight",
}


def shared(name):
    path = next((p for p in CASES.glob(f"{name}.*") if p.suffix != ".md"), None)
    if path is None:
        pytest.skip("the cases are not beside this checkout")
    return path


@pytest.mark.parametrize("name", SHARED)
def test_a_case_is_read_as_its_note_says(name):
    p = panel.read(shared(name))
    said = "\n".join([*read_as(p), *p.warnings])
    assert (len(p.households), len(p.hh), len(p.brands)) == SHARED[name], said
    assert SAID.get(name, "") in said, said
    assert "day or the month" not in said
    assert np.isfinite(panel.measure(p).query("metric == 'share'").value).all()


def test_the_figures_of_cases():
    found = {
        n: panel.measure(shared(n)).set_index(["firm", "metric"]).value for n in ("quantity", "non_buyers", "entrant")
    }
    assert found["quantity"]["Cim", "unit_share"] == pytest.approx(0.64, abs=0.005)
    assert found["non_buyers"]["", "category_penetration"] == pytest.approx(0.67, abs=0.005)
    assert found["entrant"]["New", "churn"] == 0 and 0 < found["entrant"]["Old", "churn"] < 1


def test_a_case_without_header_is_told_so():
    with pytest.raises(panel.PanelError, match=r"the first line .* looks like a purchase, not like names of columns"):
        panel.read(shared("no_header"))
