"""Exports of ten kinds, re-enacted from their headers: what a stranger has, with the names and quirks it comes with."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from tests.calibration.panels import drawn

BRANDS = {"a": "Aro", "b": "Bel", "c": "Cim"}


def bought(households: int = 40, purchases: int = 10) -> pd.DataFrame:
    """Household, number, brand, prices, features, and a date: about one purchase a week, of which none are alike."""
    frame = drawn(households, purchases, price_weight=3.0)
    rng = np.random.default_rng(7)
    frame["brand"] = frame.choice.map(BRANDS)
    days = rng.integers(2, 12, len(frame))
    frame["day"] = frame.assign(step=days).groupby("hh").step.cumsum()
    frame["date"] = pd.Timestamp("2023-01-02") + pd.to_timedelta(frame.day, unit="D")
    frame["paid"] = [row[f"price_{row.choice}"] for _, row in frame.iterrows()]
    return frame


class Export(NamedTuple):
    """A kind of export: how the file is called, what is in it, and the words that a user adds."""

    name: str
    text: Callable[[pd.DataFrame], str]
    options: tuple[str, ...] = ()
    refused: str = ""  # what calibrate says where no market can be made of it


def lines(header: str, rows: list[tuple], sep: str = ",") -> str:
    """A file of these rows."""
    return "\n".join([header, *(sep.join(map(str, row)) for row in rows)]) + "\n"


def shopify(f: pd.DataFrame) -> str:
    """A row a line item; the order's own columns are filled in its first row only; some are refunded."""
    rows = []
    for n, r in enumerate(f.sort_values("date").itertuples()):
        at, state = f"{r.date:%Y-%m-%d} 10:1{n % 10}:00 -0500", "refunded" if n % 40 == 0 else "paid"
        head = (f"#{1001 + n}", f"{r.hh}@example.org", state, at, "fulfilled", "USD", r.paid, 0, r.paid, "", at)
        rows.append(
            (*head, 1, f"{r.brand} 75 ml", r.paid, f"{r.brand}-75", "true", "fulfilled", r.brand, 7_000_000 + n)
        )
        if n % 5 == 0:
            other = (f"#{1001 + n}", f"{r.hh}@example.org", *[""] * 8, at)
            rows.append((*other, 2, f"{r.brand} 30 ml", 0.5, f"{r.brand}-30", "true", "fulfilled", r.brand, ""))
    header = (
        "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Total,Discount Code,"
        "Created at,"
        "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem requires shipping,"
        "Lineitem fulfillment status,Vendor,Id"
    )
    return lines(header, rows)


def woocommerce(f: pd.DataFrame) -> str:
    """A row an item, guests without a customer, canceled and failed orders; the brand is an attribute."""
    rows = []
    for n, r in enumerate(f.sort_values("date").itertuples()):
        state = "Refunded" if n % 30 == 0 else "Failed" if n % 31 == 0 else "Completed"
        mail = "" if n % 50 == 0 else f"{r.hh}@example.org"
        rows.append((5000 + n, state, f"{r.date:%Y-%m-%d} 09:05", "Ann", "Doe", mail, r.paid, f"SKU{n % 3}", 1))
        rows[-1] += (f"{r.brand} paste", r.brand, 1, r.paid, "")
    header = (
        "Order Number,Order Status,Order Date,First Name (Billing),Last Name (Billing),Email (Billing),"
        "Order Total Amount,SKU,Item #,Item Name,Brand,Quantity (- Refund),Item Cost,Coupon Code"
    )
    return lines(header, rows)


def magento(f: pd.DataFrame) -> str:
    """A row an order of one shop, without items."""
    rows = [
        (
            f"{n:09d}",
            "Main Website Store",
            f'"{r.date:%b} {r.date.day}, {r.date:%Y} 9:05:12 AM"',
            "Ann Doe",
            "Ann Doe",
            f"{r.paid:.4f}",
            f"{r.paid:.4f}",
            "canceled" if n % 30 == 0 else "complete",
            f"{r.hh}@example.org",
            "General",
        )
        for n, r in enumerate(f.sort_values("date").itertuples(), 1)
    ]
    header = (
        "ID,Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base),Grand Total (Purchased),Status,"
        "Customer Email,Customer Group"
    )
    return lines(header, rows)


def amazon(f: pd.DataFrame) -> str:
    """The order history of many buyers, as they gave it to a study: titles, no brand of its own."""
    rows = [
        (
            f"{r.date:%Y-%m-%d}",
            r.paid,
            1.0,
            "NJ",
            f"{r.brand} Whitening Paste 75 ml",
            f"B00{r.brand.upper()}",
            "PASTE",
            f"R_{r.hh}",
        )
        for r in f.itertuples()
    ]
    header = (
        "Order Date,Purchase Price Per Unit,Quantity,Shipping Address State,Title,ASIN/ISBN (Product Code),Category,"
        "Survey ResponseID"
    )
    return lines(header, rows)


def loyalty_card(f: pd.DataFrame) -> str:
    """A row an article on a receipt, decimal commas, days first, returns as negative amounts."""
    rows = []
    for n, r in enumerate(f.sort_values("date").itertuples()):
        head = (f"{int(r.hh[1:]):08d}", f"{r.date:%d.%m.%Y}", f"{9:02d}:{n % 60:02d}", 17, f"B{n:07d}", "Zahnpflege")
        rows.append((*head, r.brand, 1, f"{r.paid:.2f}".replace(".", ",")))
        if n % 25 == 0:
            rows.append((*head[:4], f"R{n:07d}", head[5], r.brand, -1, f"-{r.paid:.2f}".replace(".", ",")))
    return lines("Kartennummer;Datum;Uhrzeit;Filiale;Bon-Nr.;Warengruppe;Marke;Menge;Betrag", rows, ";")


def scanner(f: pd.DataFrame) -> str:
    """A row a product on a trip, brands by description, coupons and weights of households."""
    rows = [
        (
            int(r.hh[1:]) + 30000000,
            900000 + n,
            f"{r.date:%Y-%m-%d}",
            11111,
            f"{r.brand.upper()} PASTE",
            r.paid,
            1,
            0.0,
            round(0.8 + int(r.hh[1:]) % 5 / 10, 1),
        )
        for n, r in enumerate(f.itertuples())
    ]
    header = (
        "household_code,trip_code_uc,purchase_date,store_code_uc,brand_descr,total_price_paid,quantity,coupon_value,"
        "projection_factor"
    )
    return lines(header, rows)


def choices_wide(f: pd.DataFrame) -> str:
    """As R writes a data frame of choices: row names, prices and features of all alternatives."""
    rows = [
        (f'"{n}"', int(r.hh[1:]) + 1, f'"{r.brand}"', r.price_a, r.price_b, r.price_c, r.feat_a, r.feat_b, r.feat_c)
        for n, r in enumerate(f.itertuples(), 1)
    ]
    blocks = [f'"{kind}.{b}"' for kind in ("price", "feat") for b in BRANDS.values()]
    return lines(",".join(['""', '"id"', '"choice"', *blocks]), rows)


def choices_long(f: pd.DataFrame) -> str:
    """A row an alternative, chosen or not, with its price and feature."""
    rows = [
        (int(r.hh[1:]) + 1, n, brand, int(r.choice == b), getattr(r, f"price_{b}"), getattr(r, f"feat_{b}"))
        for n, r in enumerate(f.itertuples(), 1)
        for b, brand in BRANDS.items()
    ]
    return lines("id,obsID,alt,choice,price,feat", rows)


def spells(f: pd.DataFrame) -> str:
    """Providers of customers, from and to."""
    rows = []
    for i in range(1, 121):
        rows.append((i, "ABC"[i % 3], "2021-01-01", f"2022-{1 + i % 11:02d}-28" if i % 4 == 0 else ""))
        if i % 4 == 0:
            rows.append((i, "ABC"[(i + 1) % 3], f"2022-{2 + i % 11:02d}-01", ""))
    return lines("customer_id,provider,start_date,end_date", rows)


def events(f: pd.DataFrame) -> str:
    """Views, carts and purchases of a shop's visitors."""
    rows = []
    for n, r in enumerate(f.itertuples()):
        for k, kind in enumerate(("view", "cart", "purchase")):
            at = f"{r.date:%Y-%m-%d} 0{k + 1}:00:00 UTC"
            head = at, kind, 1000 + ord(r.choice), "2053013563173241677", "care.paste"
            rows.append((*head, r.brand.lower(), r.paid, int(r.hh[1:]) + 500, f"s{n}"))
    header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
    return lines(header, rows)


def cdnow(f: pd.DataFrame) -> str:
    """Customer, date, number and dollars, with spaces and no header; one firm."""
    rows = [(f" {int(r.hh[1:]) + 1:05d}", f"{r.date:%Y%m%d}", 1, f"{r.paid * 10:6.2f}") for r in f.itertuples()]
    return "\n".join(" ".join(map(str, row)) for row in rows) + "\n"


ONE_FIRM = "one firm only"
CDNOW = ("panel.customer=1", "panel.time=2", "panel.quantity=3", "panel.price=4", "panel.brand=none")
EXPORTS = {
    "shopify": Export("orders_export_1.csv", shopify),
    "woocommerce": Export("orders-2023.csv", woocommerce),
    "magento": Export("export.csv", magento, refused=ONE_FIRM),
    "amazon": Export("amazon-purchases.csv", amazon, ("panel.brand=Title",)),
    "loyalty_card": Export("Bonposten.csv", loyalty_card),
    "scanner": Export("purchases_2023.csv", scanner),
    "choices_wide": Export("Catsup.csv", choices_wide),
    "choices_long": Export("yogurt.csv", choices_long),
    "spells": Export("contracts.csv", spells),
    "events": Export("2023-Jan.csv", events),
    "cdnow": Export("CDNOW_master.txt", cdnow, CDNOW, refused=ONE_FIRM),
}
