"""Merges the lines of one occasion to one use of each brand, and small brands to `other`."""

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


def order_numbers_hold(lines: Lines, dated: bool) -> bool:
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


def order_of_each_day(lines: Lines, numbers: np.ndarray) -> tuple[np.ndarray | None, str]:
    """([L] codes of orders whose numbers begin with 1 anew at every time, None if they do not; what to say of it)."""
    assert lines.order is not None
    new = np.r_[True, (np.diff(lines.hh) != 0) | (np.diff(lines.t) != 0)][: len(lines.hh)]
    time = np.cumsum(new) - 1
    lowest = np.full(int(time.max(initial=-1)) + 1, np.inf)
    np.minimum.at(lowest, time, numbers)
    if not (np.isfinite(numbers).all() and (lowest == 1).mean() > SAME_TIME and numbers.max(initial=0) > 1):
        return None, "is not taken for the order, as its rows are of several times."
    return group_equal(time * (lines.order.max() + 1) + lines.order)[
        1
    ], "begins with 1 anew at every time of a customer."


def merge_lines(lines: Lines, brands: int) -> tuple[np.ndarray, np.ndarray]:
    """(which lines are the first of their household, occasion and brand; [L] the place of its first among those)."""
    new = np.r_[True, (np.diff(lines.hh) != 0) | (np.diff(lines.t) != 0)][: len(lines.hh)]
    occasion = np.cumsum(new)  # lines are sorted by household and time
    if lines.order is not None:
        of_order = lines.hh * (lines.order.max(initial=0) + 1) + lines.order
        occasion = np.where(lines.order >= 0, of_order * 2 + 1, occasion * 2)
        occasion = group_equal(occasion)[1]
    first, place = group_equal(occasion * brands + lines.y)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.sort(first), rank[place]


def group_equal(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(where each distinct key is first met, the number of each key's group); fast where keys are nearly sorted."""
    order = np.argsort(keys, kind="stable")
    new = np.r_[True, np.diff(keys[order]) != 0][: len(keys)]
    group = np.empty(len(keys), np.int64)
    group[order] = np.cumsum(new) - 1
    return order[new], group


def codes_in_use(codes: np.ndarray) -> np.ndarray:
    """The codes from 0 on that occur, sorted."""
    return np.flatnonzero(np.bincount(codes))


def repeated_rows(codes: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """[len(rows)] whether every cell of a row is that of an earlier one."""
    key, size = np.zeros(len(rows), np.int64), 1
    for column in codes:
        kinds = int(column.max(initial=0)) + 2
        if size * kinds >= 1 << 62:
            key = group_equal(key)[1]
            size = int(key.max(initial=0)) + 1
        key, size = key * kinds + column[rows] + 1, size * kinds
    again = np.ones(len(rows), bool)
    again[group_equal(key)[0]] = False
    return again


def pool_small(names: list[str], y: np.ndarray, top: int) -> tuple[list[str], np.ndarray, str]:
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
