"""Tells tables of shares by brand, of which no purchase can be read, from records of purchases."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from sim.panel import vocabulary
from sim.panel.table import Table
from sim.panel.values import read_numbers

WHOLES, ROUNDED = (100.0, 1.0), 0.015  # what shares add up to, and how far off they may be, of that
NEARLY_ALL = 0.9  # of the rows
MOST_COLUMNS = 60
SHARE = re.compile(r".*(?:share|percent|percentage|pct|anteil|prozent|aandeel|pourcentage|porcentaje|quota|cuota).*")


def shares_of_brands(table: Table, names: Sequence[str]) -> str:
    """A sentence if some of these columns of numbers hold shares of brands, which add up to 100 (or 1); else ""."""
    values = {n: v for n in names if (v := _numbers(table, n)) is not None}
    for columns in _candidates(list(values)):
        total = np.sum([values[n] for n in columns], axis=0)
        whole = _whole(total)
        if whole and any((values[n] % 1 != 0).any() or (values[n] > 1).any() for n in columns):
            shown = ", ".join(columns[:4]) + (", .." if len(columns) > 4 else "")
            return _sentence(f"{shown} add up to {whole:g} in a row")
    return ""


def shares_in_rows(table: Table, name: str, occasion: Sequence[str]) -> str:
    """A sentence if a column holds shares that add up to 100 (or 1) over the rows of an occasion; else ""."""
    values = _numbers(table, name) if SHARE.fullmatch(vocabulary.normalized(name)) else None
    if values is None or not occasion:
        return ""
    codes = np.column_stack([table.cells[n].codes for n in occasion])
    _, place, many = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    whole = _whole(np.bincount(place.ravel(), values)) if many.mean() > 1 else 0.0
    return _sentence(f"{name} adds up to {whole:g} over the rows of a customer at a time") if whole else ""


def _sentence(what: str) -> str:
    return f"{what}: a table of shares by brand is no record of purchases, which has a row (or a count) for each"


def _numbers(table: Table, name: str) -> np.ndarray | None:
    """[rows] the numbers of a column, 0 where it is empty; None if one is none, or no share."""
    cells = table.cells[name]
    numbers = read_numbers(cells.categories.tolist())
    if not len(numbers) or not ((numbers >= 0) & (numbers <= max(WHOLES))).all():
        return None
    return np.append(numbers, 0.0)[cells.codes]


def _candidates(names: list[str]) -> Iterator[list[str]]:
    """Columns that may be the shares: those called so, all, and all but one."""
    called = [n for n in names if SHARE.fullmatch(vocabulary.normalized(n))]
    each = (called, names, *([n for n in names if n != other] for other in names[:MOST_COLUMNS]))
    yield from (columns for columns in each if len(columns) > 1)


def _whole(total: np.ndarray) -> float:
    """What nearly all of these add up to; 0 if to nothing whole."""
    return next((w for w in WHOLES if (np.abs(total / w - 1) <= ROUNDED).mean() >= NEARLY_ALL), 0.0)
