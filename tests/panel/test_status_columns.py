"""Rows that came back, were never paid or say so in another column or language; prices of an order and of a line."""

import numpy as np
import pytest

from sim import panel
from sim.panel.statuses import meaning
from tests.panel.panels import Case, check, rows, several
from tests.panel.test_kinds import date


def told(header, other, kept, said, sep=","):
    """A case in which one column tells that the purchases of week 4 were none."""
    return Case(rows(header, lambda c, w, b: (c, date(w), b, *other(w)), sep), 6, kept, 3, said)


READ = {
    "kind": told("customer,date,brand,kind", lambda w: ["return" if w == 4 else "order"], 18, "6  kind is return"),
    "by_its_words": told(
        "customer,date,brand,direction", lambda w: ["Refund" if w == 4 else "Sale"], 18, "6  direction is Refund"
    ),
    "status_twice": told(
        "customer,date,brand,Status,Status", lambda w: ["paid", "Canceled" if w == 4 else "Sent"], 18, "is Canceled"
    ),
    "belegart": told(
        "Debitor;Belegdatum;Marke;Belegart", lambda w: ["Gutschrift" if w == 4 else "Rechnung"], 18, "6  Belegart", ";"
    ),
    "credit_memo": told(
        "Customer,Date,Brand,Transaction Type", lambda w: ["Credit Memo" if w == 4 else "Invoice"], 18, "Credit Memo"
    ),
    "refund_of_a_payment": told(
        "Name,Date,Brand,Type", lambda w: ["Payment Refund" if w == 4 else "Express Checkout Payment"], 18, "6  Type is"
    ),
    "paid": told("customer,date,brand,paid", lambda w: ["no" if w == 4 else "yes"], 18, "6  paid is no"),
    "valid": told("customer,date,brand,is_valid", lambda w: [int(w != 4)], 18, "6  is_valid is 0"),
    "all_valid": told("customer,date,brand,is_valid", lambda w: [1], 24, "All 24 rows"),
    "in_part_paid_back": told(
        "customer,date,brand,total,refunded_amount", lambda w: [5, 5 if w == 4 else 2.5], 18, "6  paid back"
    ),
    "below_0_in_the_total_of_the_line": told(
        "customer,date,brand,qty,unit_price,line_total", lambda w: [2, 3, -6 if w == 4 else 6], 18, "line_total below 0"
    ),
    "ticket_called_return": told(
        "passenger,date,airline,journey",
        lambda w: ["Return" if w == 4 else "One way"],
        24,
        "journey is Return in 6 rows",
    ),
    "code_beside_its_name": told(
        "customer,date,brand,status_id,status",
        lambda w: [w, "Canceled" if w == 4 else "Sent"],
        18,
        "6  status is Canceled",
    ),
    "stage_of_a_deal": told(
        "Account ID,Close Date,Brand,Stage", lambda w: ["Closed Lost" if w == 4 else "Closed Won"], 18, "Closed Lost"
    ),
    "booking": told(
        "guest_id,date,hotel,booking_status", lambda w: ["No-Show" if w == 4 else "Check-Out"], 18, "6  booking_status"
    ),
    "reason_of_a_return": told(
        "customer,date,brand,return_reason", lambda w: ["too small" if w == 4 else ""], 18, "6  return_reason is given"
    ),
    "avoir": told(
        "Client;Date;Marque;Nature", lambda w: ["Avoir" if w == 4 else "Facture"], 18, "6  Nature is Avoir", ";"
    ),
    "debit_or_credit": told(
        "account_id,date,merchant,debit_credit", lambda w: ["credit" if w == 4 else "debit"], 18, "6  received"
    ),
    "soll_haben": told("Kunde;Datum;Marke;Soll/Haben", lambda w: ["H" if w == 4 else "S"], 18, "6  received", ";"),
    "debit_and_credit": told(
        "iban,date,merchant,debit,credit",
        lambda w: ["", 3] if w == 4 else [2.5, ""],
        *(18, "6  received (credit and no debit)"),
    ),
    "kinds_of_cards": told("customer,date,brand,card_type", lambda w: ["credit" if w == 4 else "debit"], 24, "All 24"),
    "reversed": told("patient_id,date,brand,reversed_flag", lambda w: ["Y" if w == 4 else "N"], 18, "6  reversed_flag"),
    "empty_but_for_the_canceled": told(
        "customer,date,brand,status", lambda w: ["Canceled" if w == 4 else ""], 18, "6  status is Canceled"
    ),
    "number_of_a_phone": told("msisdn,snapshot_month,operator,x", lambda w: [1], 24, "time: snapshot_month"),
}


@pytest.mark.parametrize("name", READ)
def test_what_was_not_bought_is_left_out_with_a_count(name, tmp_path):
    check(READ[name], tmp_path)


OTHER = """channel: online order, phone order, checkout; payment_method: Visa, Invoice, PayPal
ticket_type: Single, Return; packaging: Returnable bottle, One-way bottle; customer_type: New, Returning
is_returning_customer: TRUE, FALSE; shipping_method: Return label, Standard shipping
loyalty_status: Gold, Silver; marital_status: married, single; membership_status: active, canceled
card_status: active, lost; review_status: approved, rejected; member: yes, no
coupon_type: free shipping, void after 30 days; newsletter: confirmed, unconfirmed; valid_coupon: yes, no
device: app, web; return_rate: 0.1, 0.2; days_to_return: 0, 14; season: returning, new
complete_set: yes, no; membership: active, expired"""


def test_columns_that_do_not_tell_what_was_bought(tmp_path):
    for column in OTHER.replace("\n", "; ").split("; "):
        name, values = column.split(": ")
        kinds = values.split(", ")
        content = rows(f"customer_id,date,brand,{name}", lambda c, w, b, k=kinds: (c, date(w), b, k[(c + w) % len(k)]))
        (tmp_path / "panel.csv").write_text(content)
        assert len(panel.read(tmp_path / "panel.csv").hh) == 24, column


WORDS = {
    "bought": (
        "Wysłane|Zapłacone|Levererad|Skickad|Leveret|Levert|Sendt|Toimitettu|Maksettu|Doručeno|Vyřízeno|Kargolandı|Livrat|"
        "Kiszállítva|Доставлен|完了|已完成|In Bearbeitung|In behandeling|In lavorazione|Réglée|Evaso|Faturado"
        "|abgeholt|bezorgd|Express Checkout Payment|Zahlung"
    ),
    "canceled": (
        "Zwrócone|Makulerad|Återbetald|Annulleret|Kansellert|Peruttu|Palautettu|Zrušeno|Vráceno|İptal edildi|Törölve|"
        "Anulat|Отменён|キャンセル|已取消|Rückgängig|zurückgesendet|teruggestuurd|Credit Memo|REVERSAL|"
        "Nota di credito|fehlgeschlagen"
    ),
    "unfinished": "not paid|nicht bezahlt|niet betaald|non payé|no pagado|Unbezahlt|Zahlung ausstehend",
}


def test_statuses_of_many_languages():
    wrong = {w: meaning(w) for said, words in WORDS.items() for w in words.split("|") if meaning(w) != said}
    assert not wrong


@pytest.mark.parametrize("status", ["status", "contract_status", "canceled"])
def test_a_spell_that_was_canceled_was_one(status, tmp_path):
    words = ("yes", "no") if status == "canceled" else ("canceled", "active")
    lines = [f"{c},A,2021-01-01,2021-06-30,{words[0]}\n{c},B,2021-07-01,,{words[1]}" for c in range(6)]
    (tmp_path / "spells.csv").write_text("\n".join([f"customer_id,operator,start_date,end_date,{status}", *lines]))
    read = panel.read(tmp_path / "spells.csv")
    assert read.brands == ("A", "B") and len(read.hh) == 6 * 7
    assert any(f"{status} ({words[0]}, {words[1]}) is not used" in w for w in read.warnings)


def test_the_price_of_a_line_is_no_total_of_an_order(tmp_path):
    header = "Name,Email,Created at,Total,Lineitem quantity,Lineitem price,Vendor"
    content = several(header, lambda c, w, b: [(f"#{c}{w}", f"p{c}@x", date(w), 99, 2, w, b)])
    (tmp_path / "panel.csv").write_text(content)
    read = panel.read(tmp_path / "panel.csv")
    assert read.paid is not None and sorted(np.unique(read.paid)) == [1, 2, 3, 4]
    assert "Lineitem price is taken for the price, not Total; panel.price=COLUMN says otherwise." in read.warnings


def test_a_code_of_status_is_asked_about(tmp_path):
    (tmp_path / "panel.csv").write_text(
        rows("customer,date,brand,order_status_id", lambda c, w, b: (c, date(w), b, 7 if w == 1 else 5))
    )
    with pytest.raises(panel.PanelError, match="order_status_id: are rows with 5, 7 purchases"):
        panel.read(tmp_path / "panel.csv")


def test_the_example_of_what_was_bought_was_not_canceled(tmp_path):
    content = rows("customer,date,brand,status", lambda c, w, b: (c, date(w), b, "Canceled" if w == 1 else "Q"))
    (tmp_path / "panel.csv").write_text(content)
    with pytest.raises(panel.PanelError, match=r"say which values are, e\.g\. panel\.bought=Q, or"):
        panel.read(tmp_path / "panel.csv")


def test_what_was_bought_may_be_said_of_one_of_two_statuses(tmp_path):
    header = "customer,date,brand,order_status,payment_status"
    content = rows(header, lambda c, w, b: (c, date(w), b, "QX"[w % 2], "paid" if w < 4 else "refunded"))
    (tmp_path / "panel.csv").write_text(content)
    assert len(panel.read(tmp_path / "panel.csv", bought="Q").hh) == 6
