"""Exports of shops, clicks, studies and panels, re-enacted: what is a purchase, and what is left out with a count."""

import pytest

from tests.panel.panels import NAMES, Case, check, rows, several

DUTCH = "Klantnummer;Besteldatum;Bestelnummer;Merk;Aantal;Bedrag;Status"
SHOPIFY = "Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Vendor,Cancelled at"
EVENTS = "event_time,event_type,product_id,brand,price,user_id,user_session"

READ = {
    # rows that are not purchases
    "dutch_canceled": Case(
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
        *(5, 15, 3, "6  canceled (InvoiceNo begins with C)"),
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
    "nothing_bought_quantity_0": Case(
        rows("customer,week,brand,quantity", lambda c, w, b: (c, w, b, 1)) + "7,1,,0\n8,1,Aro,0\n",
        *(8, 24, 3, "2  nothing bought (quantity is 0)"),
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
}


@pytest.mark.parametrize("name", READ)
def test_what_is_no_purchase_is_left_out_with_a_count(name, tmp_path):
    check(READ[name], tmp_path)
