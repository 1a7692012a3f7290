"""Files re-enacted anew from the headers of real exports, which were misread or asked about without need."""

import numpy as np
import pytest

from sim import panel
from tests.panel.panels import BOUGHT, NAMES, Case, check, refused, rows, several
from tests.panel.test_kinds import date, timed

BRANDS = list(NAMES.values())


def translated(header, encoding="utf-8", said=""):
    """A file of customer, date, brand and quantity under names in another language, written in an old encoding."""
    return Case(rows(header, lambda c, w, b: (c, date(w), b, 2)).encode(encoding), 6, 24, 3, said)


COLUMNS = {
    "russian": translated("Клиент,Дата чека,Бренд,Кол-во", "cp1251", "Windows-1251 (Cyrillic)"),
    "ukrainian": translated("Код клієнта,Дата покупки,Бренд,Кількість", said="quantity: Кількість"),
    "chinese": translated("会员号,购买日期,品牌,数量", "gbk", "GB 18030 (Chinese)"),
    "japanese": translated("顧客ID,購入日,ブランド,数量", "cp932", "Shift JIS (Japanese)"),
    "korean": translated("고객번호,구매일자,브랜드,수량", "cp949", "Windows-949 (Korean)"),
    "greek": translated("Κωδικός πελάτη,Ημερομηνία αγοράς,Μάρκα,Ποσότητα", "cp1253", "Windows-1253 (Greek)"),
    "polish": translated("Numer klienta,Data zakupu,Marka,Ilość", "cp1250", "Windows-1250 (Central European)"),
    "hungarian": translated("Vevőkód,Vásárlás dátuma,Márka,Mennyiség", said="quantity: Mennyiség"),
    "hebrew": translated("מספר לקוח,תאריך קנייה,מותג,כמות", said="quantity: כמות"),
    "sap": translated("KUNNR,FKDAT,ARKTX,FKIMG", said="quantity: FKIMG"),
    "number_of_the_line": Case(
        several(
            "Order Number,Email,Order Date,Item #,Item Name",
            lambda c, w, b: [(f"{c}{w}", f"p{c}@x.org", date(w), n + 1, x) for n, x in enumerate((b, "Dot"))],
        ),
        *(6, 48, 4, "brand: Item Name"),
    ),
    "seller_of_all": Case(
        rows("Customer,Order Date,Seller,Title", lambda c, w, b: (c, date(w), "Amazon.com", b)), *(6, 24, 3, "Title")
    ),
    "number_of_a_transaction_in_an_order": Case(
        several(
            "Transaction ID,Order ID,Buyer,Sale Date,Item Name",
            lambda c, w, b: [(f"9{c}{w}{n}", f"{c}{w}", f"b{c}", date(w), b) for n in range(2)],
        ),
        *(6, 24, 3, "order: Order ID"),
    ),
    "kind_of_ticket": Case(
        rows("ID\tTICKET\tCHOICE", lambda c, w, b: (c, 1 + c % 2, 1 + BRANDS.index(b)), "\t"), *(6, 24, 3, "All 24")
    ),
    "summed_points": Case(
        rows(
            "client_id,transaction_datetime,purchase_sum,points_spent,bonus,brand_id",
            lambda c, w, b: (c, date(w), 9, 0, 0, b),
        ),
        *(6, 24),
    ),
    "features_and_displays": Case(
        rows("hh,occ,disp_Aro,disp_Bel,disp_Cim,chosen_brand", lambda c, w, b: (c, w, w % 2, c % 2, 0, b)),
        *(6, 24, 3, "choice_set: occ"),
    ),
    "yes_is_1_and_no_is_2": Case(
        several("resp,task,brand,chosen", lambda c, w, b: [(c, w, x, 1 if x == b else 2) for x in BRANDS]),
        *(6, 24, 3, "1 is taken for chosen"),
    ),
    "time_of_an_alternative": Case(
        several(
            "id,chid,alt,choice,time", lambda c, w, b: [(c, w, x, x == b, 9 * w % 7 + n) for n, x in enumerate(BRANDS)]
        ),
        *(6, 24, 3, "time differs between the alternatives of a choice"),
    ),
    "chosen_or_not_chosen": Case(
        several(
            "Subject,Choice Set,Brand,Response",
            lambda c, w, b: [(c, w, x, "Chosen" if x == b else "Not chosen") for x in BRANDS],
        ),
        *(6, 24),
    ),
    "units_after_the_brand": Case(
        "hh,date,Aro_qty,Bel_qty,Cim_qty\n"
        + "".join(f"{c},{date(w)},{','.join(str(2 * (b == x)) for x in BRANDS)}\n" for c, w, b in BOUGHT),
        *(6, 24, 3, "48  nothing bought"),
    ),
    "weeks_with_none": Case(
        "household,week1,week2,week3,week4,week5\n"
        + "".join(f"{c},{','.join(b for k, _, b in BOUGHT if k == c)},0\n" for c in range(1, 7)),
        *(6, 24, 3, "read as choice by period"),
    ),
    "header_with_a_separator_too_many": Case(
        rows("customer;date;brand;", lambda c, w, b: (c, date(w), b), ";"), *(6, 24, 3)
    ),
}
TIMES = {
    "zone": timed(lambda w: f"2021-0{w}-03T00:30:00+02:00", said="2021-01-03 to 2021-04-03"),
    "summer_time": timed(lambda w: f"2021-0{w + 2}-03T00:30:00+0{1 + w // 3}:00", said="2021-03-03 to 2021-06-03"),
    "weeks_ending": timed(lambda w: f"4 w/e {w + 12} Jan 21", "Household,Period,Brand", said="2021-01-13"),
    "fourteen_digits": timed(lambda w: f"20210{w}03101500", "hh,scan_ts,brand", said="2021-01-03 to 2021-04-03"),
    "clock_with_a_word": timed(
        lambda w: f"{w + 12}/01/2021;10h15", "Client;Date passage;Heure passage;Marque", said="clock: Heure passage"
    ),
}
ROWS = {
    "canceled_flag": Case(
        rows("msno,transaction_date,brand,is_cancel", lambda c, w, b: (c, date(w), b, int(w == 4))),
        *(6, 18, 3, "6  is_cancel"),
    ),
    "all_of_the_total": Case(
        rows(
            "Customer Email,Purchase Date,Grand Total (Base),Grand Total (Purchased),Total Refunded,Brand",
            lambda c, w, b: (f"p{c}@x.org", date(w), "$12.00", "$12.00", "$12.00" if w == 4 else "", b),
        ),
        *(6, 18, 3, "6  paid back (Total Refunded is all of it)"),
    ),
    "refund_of_what": Case(
        rows("customer,date,brand,Amount Refunded", lambda c, w, b: (c, date(w), b, 5 if w == 4 else 0)),
        *(6, 24, 3, "Amount Refunded: not used, as no column tells what was paid"),
    ),
    "charges": Case(
        rows(
            "Email,Charge Date,Product Title,Charge Status",
            lambda c, w, b: (f"p{c}@x.org", date(w), b, ("SUCCESS", "SUCCESS", "ERROR", "REFUNDED")[w - 1]),
        ),
        *(6, 12, 3, "6  Charge Status is ERROR"),
    ),
    "hire_that_ends": Case(
        rows("customer,pickup_date,return_date,company", lambda c, w, b: (c, date(w), date(w, 5), b)),
        *(6, 24, 3, "return_date has a date in nearly every row"),
    ),
    "ride": Case(
        rows("user,started_at,ended_at,operator", lambda c, w, b: (c, f"{date(w)} 10:05", f"{date(w)} 10:17", b)),
        *(6, 24, 3, "a row is a use, not a time with a provider"),
    ),
    "session": Case(
        rows("card,session_start,session_end,network", lambda c, w, b: (c, date(w), date(w, 4), b)),
        *(6, 24, 3, "time: session_start"),
    ),
    "bills": Case(
        rows(
            "invoice_id,customer,created,plan,status",
            lambda c, w, b: (f"{c}{w}", c, date(w), b, "void" if w == 4 else "paid"),
        ),
        *(6, 18, 3, "6  status is void"),
    ),
    "numbers_of_missing": Case(
        rows("hh,week,brand", lambda c, w, b: (c, w, 97 + w if c == w < 3 else 1 + BRANDS.index(b))),
        *(6, 22, 3, "98 and 99 beside 1, 2, .."),
    ),
    "trips_of_a_day": Case(
        several("PersonID,Day,TripNo,Brand", lambda c, w, b: [(c, w, n, b) for n in (1, 2)]),
        *(6, 48, 3, "TripNo begins with 1 anew"),
    ),
}


@pytest.mark.parametrize("name", [*COLUMNS, *TIMES, *ROWS])
def test_exports_are_read(name, tmp_path):
    check({**COLUMNS, **TIMES, **ROWS}[name], tmp_path)


def spells(header, line):
    """Spells of 14 customers, each with three providers for five months."""
    turns = [(c, k, ("EDF", "Ovo", "Eon")[(c + k) % 3]) for c in range(14) for k in range(3)]
    day = [f"202{1 + m // 12}-{m % 12 + 1:02d}-01" for m in range(16)]
    return header + "\n" + "".join(line(c, p, day[5 * k], day[5 * k + 5] if k < 2 else "") + "\n" for c, k, p in turns)


SPELLS = {
    "recurly": spells(
        "uuid,account_code,plan_name,quantity,activated_at,canceled_at,expires_at",
        lambda c, p, a, z: f"{c}-{a},a{c},{p},1,{a},{z},{z}",
    ),
    "chargebee": spells(
        "customers.id,subscriptions.plan_id,subscriptions.status,subscriptions.started_at,subscriptions.cancelled_at",
        lambda c, p, a, z: f"a{c},{p},{'canceled' if z else 'active'},{a},{z}",
    ),
    "energy": spells(
        "MPAN,Supplier,Effective From Date,Effective To Date", lambda c, p, a, z: f"12{c:011d},{p},{a},{z}"
    ),
}


@pytest.mark.parametrize("name", SPELLS)
def test_spells_of_subscriptions_and_supplies(name, tmp_path):
    (tmp_path / "panel.csv").write_text(SPELLS[name])
    p = panel.read(tmp_path / "panel.csv")
    assert p.provider and len(p.households) == 14 and len(p.hh) == 14 * 11  # to the first day of the last spell


LOG = "customer,switch_date,from_bank,to_bank,status\n" + "".join(
    f"{c},2021-{m:02d}-13,{'ABC'[(c + k) % 3]},{'ABC'[(c + k + 1) % 3]},{s}\n"
    for c in range(9)
    for k, (m, s) in enumerate(((2 + c % 3, "completed"), (7, "completed"), (9, "rejected")))
)


def test_a_log_of_switches_is_read_as_spells(tmp_path):
    (tmp_path / "panel.csv").write_text(LOG)
    p = panel.read(tmp_path / "panel.csv")
    first = [p.brands[p.y[p.hh == h][0]] for h in range(9)]
    then = [p.brands[p.y[p.hh == h][-1]] for h in range(9)]
    # from the first of March, after the first switch of all, to the first of July, before the last
    assert p.provider and [len(p.hh[p.hh == h]) for h in range(9)] == [5] * 9
    assert first == ["ABC"[(c + (c % 3 == 0)) % 3] for c in range(9)]
    assert then == ["ABC"[(c + 1) % 3] for c in range(9)]
    said = " ".join(p.warnings)
    assert "Who never switched is not in such a file" in said and "9 switches that were not made" in said


REFUSED = {
    "churn": (
        "customerID,gender,tenure,Contract,Churn\n" + "".join(f"{c},f,{c % 40},Monthly,No\n" for c in range(30)),
        "a table of churn does not say where customers come from",
    ),
    "records": (
        rows("order_id,customer_id,date,line_items", lambda c, w, b: (f"{c}{w}", c, date(w), f"[{{sku: {b}}}]")),
        "line_items holds records of several fields",
    ),
    "orders_for_brands": (
        "customer,date,description,shade\n" + "".join(f"{c},{date(w)},Order {c}{w},{b}\n" for c, w, b in BOUGHT),
        "no column names the brand",
    ),
    "encoding": (
        rows("customer,date,brand", lambda c, w, b: (c, date(w), b)),
        "panel.encoding: 'klingon' is not known",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_list_of_purchases(name, tmp_path):
    refused(*REFUSED[name], tmp_path, **({"encoding": "klingon"} if name == "encoding" else {}))


def test_the_encoding_can_be_named(tmp_path):
    names = dict(zip(BRANDS, ("Аро", "Бел", "Цим"), strict=True))
    content = rows("customer,date,brand", lambda c, w, b: (c, date(w), names[b]))
    (tmp_path / "panel.csv").write_bytes(content.encode("cp1251"))
    assert set(panel.read(tmp_path / "panel.csv", encoding="cp1251").brands) == set(names.values())
    assert np.all([ord(b[0]) < 256 for b in panel.read(tmp_path / "panel.csv").brands])  # cannot be known
