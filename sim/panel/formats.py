"""The shapes in which other packages read purchases: transactions, RFM summary, choices long and wide."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.model.declare import did_you_mean
from sim.panel.types import PanelError

if TYPE_CHECKING:
    import pandas as pd

FIRST_DAY = "2024-01-01"  # of week 0, a Monday
LEVERS = ("price", "feat", "disp")
OF_ONE_FIRM = "rfm"


class Format(NamedTuple):
    """A shape of a file."""

    make: "Callable[[pd.DataFrame, str, int], pd.DataFrame]"  # purchases, firm, weeks -> table
    columns: str
    readers: str


def shaped(purchases: "pd.DataFrame", format: str, firm: str | None = None, weeks: int | None = None) -> "pd.DataFrame":
    """Purchases (hh, t, trip, choice, price_<firm>) in one of FORMATS.

    `firm` is the one whose customers an RFM summary is of; `weeks` is how long they were watched (default: to the last
    purchase). PanelError for a format or firm that there is not.

    >>> import pandas as pd
    >>> bought = pd.DataFrame({"hh": [0, 0, 0, 1], "t": [1, 1, 4, 2], "trip": [0, 1, 2, 0], "choice": list("aaab")})
    >>> bought = bought.assign(price_a=1.0, price_b=1.5)
    >>> shaped(bought, "rfm", "a", weeks=10)
       customer_id  frequency  recency  T  monetary_value
    0            0          1        3  8             1.0
    >>> shaped(bought, "long").query("obs_id == 4")[["hh", "alt", "choice", "price"]]
       hh alt  choice  price
    6   1   a       0    1.0
    7   1   b       1    1.5
    """
    check_format(format, firm, firms_of(purchases))
    if format == OF_ONE_FIRM and firm is None:
        raise PanelError([f"firm: an RFM summary is of the customers of one firm: {', '.join(firms_of(purchases))}"])
    last = int(purchases["t"].max()) + 1 if len(purchases) else 1
    return FORMATS[format].make(purchases, firm or "", weeks or last)


def check_format(format: str, firm: str | None, firms: Sequence[str]) -> None:
    """PanelError that lists what is wrong with the name of a format or of a firm."""
    wrong = []
    if format not in FORMATS:
        known = "; ".join(f"{name} ({f.readers})" for name, f in FORMATS.items())
        wrong.append(f"format: {format!r} is none of {known}")
    if firm is not None and firm not in firms:
        wrong.append(f"firm: {firm!r} is no firm of this market{did_you_mean(firm, list(firms))}")
    if wrong:
        raise PanelError(wrong)


def firms_of(purchases: "pd.DataFrame") -> list[str]:
    """The firms of a table of purchases, in the order of its price columns."""
    return [name.removeprefix("price_") for name in purchases.columns if name.startswith("price_")]


def _as_it_is(purchases: "pd.DataFrame", firm: str, weeks: int) -> "pd.DataFrame":
    return purchases


def _paid(purchases: "pd.DataFrame") -> np.ndarray:
    firms = firms_of(purchases)
    chosen = purchases["choice"].map({name: j for j, name in enumerate(firms)}).to_numpy(int)
    return purchases[[f"price_{name}" for name in firms]].to_numpy(float)[np.arange(len(chosen)), chosen]


def _transactions(purchases: "pd.DataFrame", firm: str, weeks: int) -> "pd.DataFrame":
    import pandas as pd

    date = pd.Timestamp(FIRST_DAY) + pd.to_timedelta(7 * purchases["t"], unit="D")
    columns = {"customer_id": purchases["hh"], "date": date.dt.strftime("%Y-%m-%d"), "firm": purchases["choice"]}
    return pd.DataFrame(columns | {"monetary_value": _paid(purchases)})


def _rfm(purchases: "pd.DataFrame", firm: str, weeks: int) -> "pd.DataFrame":
    """By customer of the firm, in weeks: those with a purchase after the first, first to last, first to the end."""
    own = purchases.assign(paid=_paid(purchases))[purchases["choice"] == firm]
    spent = own.groupby(["hh", "t"], as_index=False)["paid"].sum()
    later = spent[spent["t"] > spent.groupby("hh")["t"].transform("min")]
    by = spent.groupby("hh")["t"]
    table = by.agg(frequency="size", first="min", last="max")
    table["frequency"] -= 1
    table["recency"], table["T"] = table["last"] - table["first"], weeks - 1 - table["first"]
    table["monetary_value"] = later.groupby("hh")["paid"].mean().reindex(table.index).fillna(0.0)
    table = table.drop(columns=["first", "last"]).rename_axis("customer_id")
    return table.reset_index()


def _kinds(purchases: "pd.DataFrame", firms: Sequence[str]) -> list[str]:
    return [kind for kind in LEVERS if f"{kind}_{firms[0]}" in purchases]


def _long(purchases: "pd.DataFrame", firm: str, weeks: int) -> "pd.DataFrame":
    import pandas as pd

    firms, n = firms_of(purchases), len(purchases)
    many = len(firms)
    table = pd.DataFrame({"obs_id": np.repeat(np.arange(1, n + 1), many)})
    for name in ("hh", "t"):
        table[name] = np.repeat(purchases[name].to_numpy(), many)
    table["alt"] = np.tile(np.array(firms, object), n)
    table["choice"] = (table["alt"].to_numpy() == np.repeat(purchases["choice"].to_numpy(), many)).astype(int)
    for kind in _kinds(purchases, firms):
        table[kind] = purchases[[f"{kind}_{name}" for name in firms]].to_numpy(float).ravel()
    return table


def _wide(purchases: "pd.DataFrame", firm: str, weeks: int) -> "pd.DataFrame":
    import pandas as pd

    firms = firms_of(purchases)
    codes = {name: j for j, name in enumerate(firms, 1)}
    table = pd.DataFrame({"hh": purchases["hh"], "t": purchases["t"], "choice": purchases["choice"].map(codes)})
    blocks = [f"{kind}_{name}" for kind in _kinds(purchases, firms) for name in firms]
    table = pd.concat([table, purchases[blocks]], axis=1)
    return table.rename(columns={name: re.sub(r"\W", "_", name) for name in blocks})


FORMATS = {
    "panel": Format(_as_it_is, "hh, t (week), trip, choice, price_FIRM", "stickiness"),
    "transactions": Format(_transactions, "customer_id, date, firm, monetary_value", "lifetimes, PyMC-Marketing"),
    "rfm": Format(
        _rfm, "customer_id, frequency, recency, T (weeks), monetary_value", "lifetimes, PyMC-Marketing; of one firm"
    ),
    "long": Format(_long, "obs_id, hh, t, alt, choice (0/1), price", "xlogit, choice-learn"),
    "wide": Format(_wide, "hh, t, choice (1, 2, ...), price_FIRM", "biogeme"),
}
