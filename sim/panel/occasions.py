"""Lines of one occasion become one use of each brand; small brands become `other`."""

from dataclasses import dataclass

import numpy as np

DAY = 1.0
SAME_TIME = 0.9  # of the orders must be of one day for their number to be that of an order


@dataclass
class Lines:
    """Lines of purchases, sorted by household, time and place in the file."""

    row: np.ndarray  # [L] in the file
    hh: np.ndarray
    t: np.ndarray
    y: np.ndarray
    order: np.ndarray | None  # [L] code of the order, -1 = none


def orders_are_orders(lines: Lines, dated: bool) -> bool:
    """Whether the lines of an order are of one day (of one time, where times are numbers)."""
    assert lines.order is not None
    known = lines.order >= 0
    keys = np.unique(lines.hh[known] * (lines.order.max() + 1) + lines.order[known], return_inverse=True)[1]
    if not len(keys):
        return False
    low, high = np.full(keys.max() + 1, np.inf), np.full(keys.max() + 1, -np.inf)
    np.minimum.at(low, keys, lines.t[known])
    np.maximum.at(high, keys, lines.t[known])
    several = np.bincount(keys) > 1
    return not several.any() or float((high - low <= (DAY if dated else 0))[several].mean()) >= SAME_TIME


def merged(lines: Lines, brands: int) -> tuple[np.ndarray, np.ndarray]:
    """(which lines are the first of their household, occasion and brand; [L] the place of its first among those)."""
    by_time = np.unique(lines.hh, return_inverse=True)[1], np.unique(lines.t, return_inverse=True)[1]
    occasion = by_time[0] * (by_time[1].max(initial=0) + 1) + by_time[1]
    if lines.order is not None:
        of_order = by_time[0] * (lines.order.max(initial=0) + 1) + lines.order
        occasion = np.where(lines.order >= 0, of_order * 2 + 1, occasion * 2)
    occasion = np.unique(occasion, return_inverse=True)[1]
    _, first, place = np.unique(occasion * brands + lines.y, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.sort(first), rank[place]


def same_rows(codes: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """[len(rows)] whether every cell of a row is that of an earlier one."""
    key = np.zeros(len(rows), np.int64)
    for column in codes:
        key = np.unique(key * (column.max(initial=0) + 2) + column[rows] + 1, return_inverse=True)[1]
    again = np.ones(len(rows), bool)
    again[np.unique(key, return_index=True)[1]] = False
    return again


def pooled(names: list[str], y: np.ndarray, top: int) -> tuple[list[str], np.ndarray, str]:
    """Brands and codes with all but the `top` largest brands as `other`; and a sentence on it."""
    sizes = np.bincount(y, minlength=len(names))
    largest = np.sort(np.argsort(-sizes, kind="stable")[:top])
    other = "other" if "other" not in [names[i] for i in largest] else "other (pooled)"
    code = np.full(len(names), len(largest))
    code[largest] = np.arange(len(largest))
    left = 1 - sizes[largest].sum() / max(len(y), 1)
    sentence = (
        f"{len(names) - len(largest)} small brands, {100 * left:.0f} % of purchases, are pooled as `{other}`, "
        f"which is no brand: "
        f"its stickiness means nothing. panel.top=N keeps the N largest."
    )
    return [*(names[i] for i in largest), other], code[y], sentence
