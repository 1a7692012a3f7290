"""Prices and promotions of every brand where a row is an alternative of a choice, and one of them was chosen."""

import re
from collections.abc import Sequence

import numpy as np

from sim.panel.brand_columns import BLOCKS
from sim.panel.row_set import Rows
from sim.panel.values import read_numbers, truths
from sim.panel.vocabulary import normalized

MOST_MISSING = 0.2  # of the cells; these have the brand's mean


def alternative_blocks(rows: Rows, at: np.ndarray, brands: Sequence[str]) -> dict[str, np.ndarray]:
    """[len(at), J] by kind (price, feat, disp): of all alternatives of the choices whose chosen rows are `at`.

    Empty where a row is no alternative, where there are no such columns, or where too many alternatives are missing.
    Prices must be above 0: standardized ones are left aside.
    """
    columns = rows.columns
    if not columns.chosen or columns.blocks or not columns.brand:
        return {}
    occasion, brands = _occasions(rows), list(brands)
    codes, texts = rows.column(columns.brand)
    rank = np.append(np.array([brands.index(t) if t in brands else -1 for t in texts], np.int64), -1)[codes]
    asked = np.full(int(occasion.max(initial=0)) + 1, -1)
    asked[occasion[at]] = np.arange(len(at))
    place = asked[occasion]
    known = (place >= 0) & (rank >= 0)
    found = {}
    for kind, name in _columns(rows).items():
        values = _values(rows, name, kind)
        table = np.full((len(at), len(brands)), np.nan)
        table[place[known], rank[known]] = values[known]
        missing = np.isnan(table)
        if (
            missing.mean() > MOST_MISSING
            or missing.all(axis=0).any()
            or (kind == "price" and (values[known] <= 0).any())
        ):
            continue
        found[kind] = np.where(missing, np.nanmean(table, axis=0), table)
    return found


def _occasions(rows: Rows) -> np.ndarray:
    """[rows] the number of the choice that each row is an alternative of."""
    columns = rows.columns
    names = [columns.customer, columns.choice_set or columns.time, columns.order]
    codes = np.stack([rows.column(name)[0] for name in names if name], axis=1)
    return np.unique(codes, axis=0, return_inverse=True)[1].ravel()


def _columns(rows: Rows) -> dict[str, str]:
    """The one column of each kind, by name."""
    found = {"price": rows.price_of_alternatives} if rows.price_of_alternatives else {}
    for kind in ("feat", "disp"):
        words = "|".join(BLOCKS[kind])
        hits = [n for n in rows.table.names if re.fullmatch(f"(?:on)?(?:{words})s?", normalized(n))]
        found |= {kind: hits[0]} if len(hits) == 1 else {}
    return found


def _values(rows: Rows, name: str, kind: str) -> np.ndarray:
    codes, texts = rows.column(name)
    yes = None if kind == "price" else truths(texts)
    numbers = read_numbers(texts, rows.options.decimal, rows.table.comma) if yes is None else yes.astype(float)
    return np.append(numbers, np.nan)[codes]
