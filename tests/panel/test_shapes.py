"""Columns by any name, files of any kind, and who is counted: each is read as the panel that it is."""

import gzip

import pytest

from tests.panel.panels import PLAIN, Case, check, rows, zipped

OLIST = "order_id,customer_id,customer_unique_id,order_status,order_purchase_timestamp,order_approved_at,brand"

READ = {
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
    "months_by_name": Case(
        rows("Name;Monat;Marke", lambda c, w, b: (f"K {c}", ["Januar", "Februar", "März", "April"][w - 1], b), ";"),
        *(6, 24, 3, "customer: Name; time: Monat"),
    ),
    "feature_columns_and_price_each": Case(
        rows(
            "hh,week,brand,price_Aro,price_Bel,price_Cim,price_each,feat_Aro,feat_Bel,feat_Cim",
            lambda c, w, b: (c, w, b, 1, 2, 3, 9, 0, 1, 0),
        ),
        *(6, 24, 3, "price of brands: price_Aro, price_Bel, price_Cim;"),
    ),
    "entrant_by_number_of_month": Case(
        "\n".join(
            [
                "subscriber,month,operator",
                *(f"{c},{m},{'Old' if m < c else 'New'}" for c in range(1, 8) for m in range(1, 7)),
            ]
        ),
        *(7, 42, 2, "The dates tell the order of purchases"),
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
    "title_above_tabs": Case("Sales report\n\n" + PLAIN.replace(",", "\t"), 6, 24, 3, "1 line before the header"),
    "title_above_decimal_commas": Case(
        "Bericht\n"
        + "\n".join(
            f"{x};{'Betrag' if i == 0 else '2,50'}" for i, x in enumerate(PLAIN.replace(",", ";").splitlines())
        ),
        6,
        24,
        3,
        "1 line before the header",
    ),
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
def test_columns_and_files_as_people_have_them(name, tmp_path):
    check(READ[name], tmp_path)
