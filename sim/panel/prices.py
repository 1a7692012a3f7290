"""Reads prices, features and displays of every brand at every row of a file."""

from collections.abc import Sequence

import numpy as np

from sim.panel.alternatives import alternative_blocks
from sim.panel.row_set import MOST_BAD, Rows
from sim.panel.row_times import times_as_written
from sim.panel.types import Panel
from sim.panel.values import read_numbers, truths
from sim.panel.vocabulary import OF_ALL, OF_ONE, normalized

FEWEST_ORDERS = 5  # of several brands, to tell whether amounts are of orders
Blocks = dict[str, dict[str, np.ndarray]]  # kind -> brand -> [rows of the file]


def read_blocks(rows: Rows) -> Blocks:
    """Price, feat and disp of every brand that has such columns; a price of 0 or none becomes the brand's median."""
    return {
        kind: {b: _numbers(rows, name, kind == "price") for b, name in zip(rows.columns.brands, names, strict=True)}
        for kind, names in rows.columns.blocks.items()
    }


def take_block_rows(
    found: dict[str, np.ndarray] | None, brands: Sequence[str], names: Sequence[str], at: np.ndarray
) -> np.ndarray | None:
    """[N, J] at the file's rows `at` for the brands `names`; of pooled `brands`, the mean is that of `other`."""
    if not found:
        return None
    pooled = [b for b in brands if b not in names]
    parts = [found[n][at] if n in found else np.mean([found[b][at] for b in pooled], axis=0) for n in names]
    return np.column_stack(parts)


def add_what_was_seen(panel: Panel, rows: Rows, blocks: Blocks, called: Sequence[str]) -> None:
    """Add to a panel, at the rows `panel.row`, times as written, prices paid, prices and promotions of every brand.

    `called` are the brands of the file, of which those that are no brand of the panel are pooled.
    """
    assert panel.row is not None
    panel.when, panel.paid = times_as_written(rows, panel.row), prices_paid(rows, panel.row)
    of_alternatives = alternative_blocks(rows, panel.row, panel.brands)
    panel.prices, panel.features, panel.displays = (
        of_alternatives.get(kind, take_block_rows(blocks.get(kind), called, panel.brands, panel.row))
        for kind in ("price", "feat", "disp")
    )


def prices_paid(rows: Rows, at: np.ndarray) -> np.ndarray | None:
    """[len(at)] price of a unit at some rows, from one column of prices or of amounts; nan where there is none."""
    if not rows.columns.price:
        return None
    amount = _one_column(rows, rows.columns.price, at)
    if _is_of_order(rows):
        rows.notes.append(
            f"{rows.columns.price} is the same in all lines of an order: the amount of the order, no price of a brand."
        )
        return None
    name = normalized(rows.columns.price)
    if rows.columns.quantity and (OF_ALL.search(name) or not OF_ONE.search(name)):
        amount = amount / _one_column(rows, rows.columns.quantity, at)
    spent = np.isfinite(amount) & (amount != 0)
    if spent.any() and np.median(amount[spent]) < 0:  # as in a bank's statement
        amount = -amount
    return np.where(spent & (amount > 0), amount, np.nan)


def _is_of_order(rows: Rows) -> bool:
    """Whether amounts, not called prices, are the same in all lines of each order of several brands."""
    name, order = rows.columns.price, rows.columns.order
    if not order or not rows.columns.brand or OF_ONE.search(normalized(name)):
        return False
    at = np.flatnonzero(rows.keep & (rows.column(order)[0] >= 0))
    number, brand, amount = (rows.column(n)[0][at] for n in (order, rows.columns.brand, name))
    brands, amounts = (
        np.bincount(np.unique(np.column_stack([number, what]), axis=0)[:, 0]) for what in (brand, amount)
    )
    several = brands > 1
    return int(several.sum()) >= FEWEST_ORDERS and bool((amounts[several] == 1).all())


def _one_column(rows: Rows, name: str, at: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return rows.numbers(name)[at]


def _numbers(rows: Rows, name: str, price: bool) -> np.ndarray:
    codes, texts = rows.column(name)
    yes = None if price else truths(texts)
    numbers = read_numbers(texts, rows.options.decimal, rows.table.comma) if yes is None else yes.astype(float)
    values = np.append(numbers, np.nan)[codes]
    text, negative = np.isnan(values) & (codes >= 0), values < 0
    said = [
        _report_bad_cells(rows, name, bad & rows.keep, what)
        for bad, what in ((text, "is not a number"), (negative, "is negative"))
    ]
    values[negative] = np.nan
    empty = np.isnan(values) | (price & (values == 0))
    if price and empty[rows.keep].all():
        if not any(said):
            rows.wrong.append(f"{name}: no row has a price; leave the column out of the file")
    elif empty[rows.keep].any():
        usual = float(np.median(values[~empty & rows.keep])) if price else 0.0
        many = int(empty[rows.keep].sum())
        rows.notes.append(f"{name}: {many} cells are empty{' or 0' if price else ''}; {usual:g} is taken there.")
        values = np.where(empty, usual, values)
    return values


def _report_bad_cells(rows: Rows, name: str, bad: np.ndarray, what: str) -> bool:
    """Say what is wrong with some cells; whether that is so many that the file is refused."""
    if not bad.any():
        return False
    sentence = f"{name}: {str(rows.table.cells[name][np.flatnonzero(bad)[0]])!r} {what}, in {rows.lines(bad)}"
    refused = bool(bad.sum() > max(1, MOST_BAD * rows.keep.sum()))
    (rows.wrong if refused else rows.notes).append(sentence if refused else f"{sentence}; read as empty.")
    return refused
