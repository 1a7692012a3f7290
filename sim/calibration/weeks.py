"""The weeks of a panel: rates of use, and prices of brands where only prices paid are known."""

from dataclasses import replace

import numpy as np

from sim.panel.one_firm import truncated_nbd
from sim.panel.order import is_calendar
from sim.panel.types import Panel

UNITS = ("date", "week", "day", "none")
DAYS = 7.0
MOST_WEEKS, FEWEST_WEEKS = 5200, 4
KNOWN = 0.5  # of the purchases must have a price paid
SHAPES = (0.05, 100.0)  # of the NBD, as the simulator takes them
RATES = (0.001, 10.0)  # uses a week, as the simulator takes them
WEEKS = ""  # the name of the weeks in a table of prices

Prices = dict[str, list[float]]  # by brand, a price a week; WEEKS: the numbers of the weeks


def unit_of(panel: Panel) -> tuple[str, str]:
    """(unit of time, a sentence on it): dates, weeks or days; none where times only count purchases."""
    if panel.origin is not None:
        return "date", ""
    column = panel.columns.get("time", "")
    nth = np.arange(len(panel.t)) - np.searchsorted(panel.hh, panel.hh)
    if not column or np.allclose(panel.t, nth) or np.allclose(panel.t, nth + 1):
        return "none", "Purchases are numbered, not dated: how often households use the category is not in this panel."
    name = "day" if is_calendar(column) and any(w in column.lower() for w in ("day", "tag", "dag", "jour")) else "week"
    return name, f"{column} is taken for a number of {name}s; time=week, time=day or time=none says otherwise."


def weeks_of(panel: Panel, unit: str) -> np.ndarray | None:
    """[N] the week of each purchase, whole numbers on one scale for all files; None without a time."""
    if unit == "date" and panel.origin is not None:
        days = panel.origin.astype("datetime64[D]").astype(np.int64) + panel.t
        return np.floor((days + 3) / DAYS).astype(np.int64)  # from Monday to Sunday
    if unit in ("week", "day"):
        return np.floor(panel.t / (DAYS if unit == "day" else 1.0)).astype(np.int64)
    return None


def rates(panel: Panel, weeks: np.ndarray | None) -> tuple[float | None, float | None, np.ndarray | None]:
    """(mean uses a week, gamma shape K, [H] expected rate of each household relative to the mean); None = not told.

    Without a time the panel tells how households differ, if they were watched equally long, but not how often they
    buy. A list of buyers lacks those who did not buy: the NBD is then fitted to those of one purchase and more.
    """
    n = np.bincount(panel.hh, minlength=len(panel.households)).astype(float)
    mean, shape = _nbd(n) if panel.members else truncated_nbd(n[n > 0], np.ones(int((n > 0).sum())))
    if not (np.isfinite(mean) and mean > 0):
        return None, None, None
    shape = float(np.clip(shape, *SHAPES))
    relative = (shape + n) / (shape / mean + 1) / mean
    span = 0.0 if weeks is None else float(weeks.max() - weeks.min() + 1)
    return (float(np.clip(mean / span, *RATES)) if span >= FEWEST_WEEKS else None), shape, relative


def _nbd(n: np.ndarray) -> tuple[float, float]:
    from sim.measure.dirichlet import fit_nbd

    return fit_nbd(np.bincount(n.astype(np.int64)))


def by_week(weeks: np.ndarray, y: np.ndarray, values: np.ndarray, brands: int) -> tuple[np.ndarray, np.ndarray]:
    """(numbers of the weeks [w], mean value by week and brand [w, j]); where there is none the last before holds.

    `values` is [N, j], of every brand at every purchase, or [N], of the brand bought, nan where unknown.
    """
    first, last = int(weeks.min()), int(weeks.max())
    many = last - first + 1
    place = weeks - first
    if values.ndim == 2:
        total = np.stack([np.bincount(place, values[:, j], minlength=many) for j in range(brands)], axis=1)
        count = np.repeat(np.bincount(place, minlength=many)[:, None], brands, axis=1).astype(float)
    else:
        known = np.isfinite(values) & (y >= 0)
        cell = place[known] * brands + y[known]
        total = np.bincount(cell, values[known], minlength=many * brands).reshape(many, brands)
        count = np.bincount(cell, minlength=many * brands).reshape(many, brands).astype(float)
    with np.errstate(invalid="ignore"):
        mean = total / count
    everywhere = total.sum() / max(count.sum(), 1)
    for j in range(brands):
        have = np.flatnonzero(count[:, j] > 0)
        if not len(have):
            mean[:, j] = everywhere
            continue
        source = np.clip(np.searchsorted(have, np.arange(many), "right") - 1, 0, None)
        mean[:, j] = mean[have[source], j]
    return np.arange(first, last + 1), mean


def prices_by_week(panel: Panel, weeks: np.ndarray | None) -> tuple[Prices, str]:
    """(price of every brand in every week from the prices paid, a sentence); no prices where they cannot be had."""
    if panel.paid is None or panel.prices is not None:
        return {}, "" if panel.prices is not None else "The file has no prices: what price does is not in this panel."
    known = np.isfinite(panel.paid)
    if known.mean() < KNOWN:
        return {}, "Most prices paid are missing: what price does is not taken from this panel."
    if weeks is None or weeks.max() - weeks.min() >= MOST_WEEKS:
        return {}, (
            "The file has one column of prices, of what was bought, and no dates: the prices of the other brands at a "
            "purchase cannot be had from it, so what price does is not taken from this panel."
        )
    numbers, mean = by_week(weeks, panel.y, panel.paid, len(panel.brands))
    seen = len(np.unique(weeks[known] * len(panel.brands) + panel.y[known])) / mean.size
    sentence = (
        "The file has one column of prices, of what was bought: the price of a brand in a week is the mean paid for it "
        f"then, or else the last before ({100 * seen:.0f} % of weeks and brands have one). Deals that few took are not "
        "seen, sizes and varieties are mixed, so price weights are likely too low."
    )
    return {WEEKS: numbers.astype(float).tolist()} | {
        b: mean[:, j].tolist() for j, b in enumerate(panel.brands)
    }, sentence


def with_prices(panel: Panel, weeks: np.ndarray | None, prices: Prices) -> Panel:
    """The panel with the prices of its weeks; before the first week of the table its first, after it its last."""
    if not prices or weeks is None:
        return panel
    table = np.array([prices[b] for b in panel.brands]).T
    place = np.clip(weeks - int(prices[WEEKS][0]), 0, len(table) - 1)
    return replace(panel, prices=np.ascontiguousarray(table[place]))
