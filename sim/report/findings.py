"""What a table of metrics allows to be said: sentences for the slide and the terminal, none beyond its errors.

A difference that is not detected is given with its interval: it is not "no difference".
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

INTERVAL = 2.04  # standard errors on either side, 95 %: t with 31 degrees of freedom, as errors rest on 32 groups
TOO_FEW = "too few to tell"  # where a value has no error that can be known


def finding(table: "pd.DataFrame", focus: str) -> str:
    """What the headline figure shows of the focus against its category, in a sentence that its errors allow."""
    firms = wide(table)
    row, against = firms.loc[focus], against_category(firms)
    value, beyond = row["value"]["stickiness"], row["value"][against]
    known, error = row["error"]["stickiness"], row["error"][against]
    name, benchmark = called(focus), f"{value:.2f} against {value - beyond:.2f}"
    if not math.isfinite(value):
        return f"{name}: {TOO_FEW} how sticky its customers are" if len(firms) > 1 else f"{name} has no rivals"
    if not math.isfinite(beyond) and math.isfinite(known):
        return f"{name} has a stickiness of {value:.2f}"
    if not math.isfinite(beyond):
        return f"{name}: {TOO_FEW} how sticky its customers are"
    if not math.isfinite(error):
        return f"{name}: {TOO_FEW} whether it is more sticky than its category ({benchmark})"
    low, high = row["low"][against], row["high"][against]
    if not low <= 0 <= high:
        return f"{name} is {'more' if beyond > 0 else 'less'} sticky than its category: {benchmark}"
    return f"{name}, stickiness {value:.2f}: no difference from its category detected ({_between(low, high)})"


def against_category(firms: "pd.DataFrame") -> str:
    """The metric that sets a firm against its category: `excess` in a repertoire market, `above_category` else."""
    return "excess" if "excess" in firms["value"] else "above_category"


def _between(low: float, high: float) -> str:
    """The 95 % interval in words, with as many digits as it deserves."""
    wide = (high - low) / 2
    digits = 2 if wide <= 0 else max(1, min(4, math.ceil(0.3 - math.log10(wide))))
    return f"between {low:+.{digits}f} and {high:+.{digits}f}"


def wide(table: "pd.DataFrame") -> "pd.DataFrame":
    """Group "all" with a row a firm and columns (value, error, low or high, metric).

    A table without `low` and `high`, as that of a panel, has them here at INTERVAL errors on either side.
    """
    rows = table[(table["group"] == "all") & (table["firm"] != "")]
    if "low" not in rows:
        reach = INTERVAL * rows["error"]
        rows = rows.assign(low=rows["value"] - reach, high=rows["value"] + reach)
    return rows.pivot(index="firm", columns="metric", values=["value", "error", "low", "high"])


def called(name: str) -> str:
    """A firm's or an event's name for people; capitals where it has no vowel.

    >>> called("close_up"), called("vw")
    ('Close up', 'VW')
    """
    if not set(name.lower()) & set("aeiouy"):
        return name.upper()
    return (name[:1].upper() + name[1:]).replace("_", " ")
