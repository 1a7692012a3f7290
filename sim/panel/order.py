"""Checks whether the rows of a household are in the order of purchase: a file sorted by brand looks like loyalty."""

import numpy as np

from sim.panel.vocabulary import MOMENTS, normalized

FEWEST = 5  # households, or switches, below which order cannot be judged


REFUSED = (
    "Repeat rates, switching, habit and the usage ratio out of sample are refused; what only counts purchases is given."
)


def is_calendar(column: str) -> bool:
    """Whether numbers in a column of that name are days, weeks or months rather than a count of purchases."""
    name = normalized(column)
    return any(name == word for words in MOMENTS[2:] for word in words)


def trust_order(
    hh: np.ndarray, y: np.ndarray, brands: int, stated: bool | None, dated: bool = False
) -> tuple[bool, list[str]]:
    """(whether order is used, sentences about it) from what the user says and what the panel shows.

    `dated`: whether nearly every purchase has a date of its own, which tells the order whatever the brands do.
    """
    credible, reason = check_order(hh, y, brands)
    if dated and stated is None and not credible and (np.diff(hh) == 0).any():
        return True, [f"The dates tell the order of purchases, although {reason}."]
    if stated is False:
        return False, [f"The rows are not in the order of purchases, you say. {REFUSED}"]
    if credible:
        return True, [reason] if reason else []
    if stated:
        return True, [f"The order of the rows is used because you say so, but {reason}."]
    return False, [f"The rows do not tell the order of purchases: {reason}. {REFUSED}"]


def check_order(hh: np.ndarray, y: np.ndarray, brands: int) -> tuple[bool, str]:
    """(can be taken for the order of purchase, why not, or that it could not be checked).

    Two signs that a file was sorted by brand within households, as Tuna and Ketchup of the R package Ecdat are: more
    than 90 % of the households that could have come back to a brand never did (runs = brands), or no two brands are
    ever switched between in both directions, or in a circle (the switching matrix is triangular).
    """
    if not (np.diff(hh) == 0).any():
        return False, "no household bought twice"
    returned = returns_to_brand(hh, y, brands)
    if len(returned) >= FEWEST and returned.mean() < 0.1:
        never = 100 * (1 - returned.mean())
        return False, (
            f"{never:.0f} % of the {len(returned)} households that could have come back to a brand after another "
            "never did, as happens when rows are sorted by brand"
        )
    moves = switch_counts(hh, y, brands)
    if moves.sum() >= FEWEST and is_triangular(moves):
        return False, (
            f"all {moves.sum()} switches between brands go one way (the switching matrix is triangular), as happens "
            "when rows are sorted by brand"
        )
    if len(returned) < FEWEST:
        return True, (
            f"Only {len(returned)} households bought two brands and one of them again: whether the rows are in the "
            "order of purchase cannot be checked."
        )
    return True, ""


def returns_to_brand(hh: np.ndarray, y: np.ndarray, brands: int) -> np.ndarray:
    """For each household with two brands or more and more purchases than brands: does it return to a brand it left?"""
    n = np.bincount(hh)
    seen = np.zeros(len(n) * brands, bool)
    seen[hh * brands + y] = True
    kinds = seen.reshape(-1, brands).sum(axis=1)
    starts = np.r_[True, (hh[1:] != hh[:-1]) | (y[1:] != y[:-1])]
    runs = np.bincount(hh[starts], minlength=len(n))
    return (runs > kinds)[(kinds > 1) & (n > kinds)]


def switch_counts(hh: np.ndarray, y: np.ndarray, brands: int) -> np.ndarray:
    """[J, J] how often brand k is bought right after another brand j; 0 on the diagonal."""
    same = hh[1:] == hh[:-1]
    moves = np.zeros((brands, brands), np.int64)
    np.add.at(moves, (y[:-1][same], y[1:][same]), 1)
    np.fill_diagonal(moves, 0)
    return moves


def is_triangular(moves: np.ndarray) -> bool:
    """Whether some order of the brands makes the matrix triangular: brands that nobody leaves for a brand that is
    still there are taken away until none is left."""
    left = np.arange(len(moves))
    while len(left):
        ends = moves[np.ix_(left, left)].sum(axis=1) == 0
        if not ends.any():
            return False
        left = left[~ends]
    return True
