"""Are the rows of a household in the order in which it bought? Files sorted by brand look like perfect loyalty."""

import numpy as np

from sim.panel.vocabulary import MOMENTS, plain

FEWEST = 5  # households, or switches, below which order cannot be judged


REFUSED = (
    "Repeat rates, switching, habit and the usage ratio out of sample are refused; what only counts purchases is given."
)


def calendar(column: str) -> bool:
    """Whether numbers in a column of that name are days, weeks or months rather than a count of purchases."""
    name = plain(column)
    return any(name == word for words in MOMENTS[2:] for word in words)


def verdict(
    hh: np.ndarray, y: np.ndarray, brands: int, told: bool | None, dated: bool = False
) -> tuple[bool, list[str]]:
    """(whether order is used, sentences about it) from what the user says and what the panel shows.

    `dated`: whether nearly every purchase has a date of its own, which tells the order whatever the brands do.
    """
    credible, reason = judge(hh, y, brands)
    if dated and told is None and not credible and (np.diff(hh) == 0).any():
        return True, [f"The dates tell the order of purchases, although {reason}."]
    if told is False:
        return False, [f"The rows are not in the order of purchases, you say. {REFUSED}"]
    if credible:
        return True, [reason] if reason else []
    if told:
        return True, [f"The order of the rows is used because you say so, but {reason}."]
    return False, [f"The rows do not tell the order of purchases: {reason}. {REFUSED}"]


def judge(hh: np.ndarray, y: np.ndarray, brands: int) -> tuple[bool, str]:
    """(can be taken for the order of purchase, why not, or that it could not be checked).

    Two signs that a file was sorted by brand within households, as Tuna and Ketchup of the R package Ecdat are: more
    than 90 % of the households that could have come back to a brand never did (runs = brands), or no two brands are
    ever switched between in both directions, or in a circle (the switching matrix is triangular).
    """
    if not (np.diff(hh) == 0).any():
        return False, "no household bought twice"
    came_back = could_come_back(hh, y, brands)
    if len(came_back) >= FEWEST and came_back.mean() < 0.1:
        never = 100 * (1 - came_back.mean())
        return False, (
            f"{never:.0f} % of the {len(came_back)} households that could have come back to a brand after another "
            "never did, as happens when rows are sorted by brand"
        )
    moves = switches(hh, y, brands)
    if moves.sum() >= FEWEST and one_way(moves):
        return False, (
            f"all {moves.sum()} switches between brands go one way (the switching matrix is triangular), as happens "
            "when rows are sorted by brand"
        )
    if len(came_back) < FEWEST:
        return True, (
            f"Only {len(came_back)} households bought two brands and one of them again: whether the rows are in the "
            "order of purchase cannot be checked."
        )
    return True, ""


def could_come_back(hh: np.ndarray, y: np.ndarray, brands: int) -> np.ndarray:
    """For each household with two brands or more and more purchases than brands: does it return to a brand it left?"""
    n = np.bincount(hh)
    seen = np.zeros(len(n) * brands, bool)
    seen[hh * brands + y] = True
    kinds = seen.reshape(-1, brands).sum(axis=1)
    starts = np.r_[True, (hh[1:] != hh[:-1]) | (y[1:] != y[:-1])]
    runs = np.bincount(hh[starts], minlength=len(n))
    return (runs > kinds)[(kinds > 1) & (n > kinds)]


def switches(hh: np.ndarray, y: np.ndarray, brands: int) -> np.ndarray:
    """[J, J] how often brand k is bought right after another brand j; 0 on the diagonal."""
    same = hh[1:] == hh[:-1]
    moves = np.zeros((brands, brands), np.int64)
    np.add.at(moves, (y[:-1][same], y[1:][same]), 1)
    np.fill_diagonal(moves, 0)
    return moves


def one_way(moves: np.ndarray) -> bool:
    """Whether some order of the brands makes the matrix triangular: brands that nobody leaves for a brand that is
    still there are taken away until none is left."""
    left = np.arange(len(moves))
    while len(left):
        ends = moves[np.ix_(left, left)].sum(axis=1) == 0
        if not ends.any():
            return False
        left = left[~ends]
    return True
