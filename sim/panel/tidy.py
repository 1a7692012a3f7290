"""Leaves out lines that are no rows (comments, totals, a footer), and makes names that differ in capitals one."""

import numpy as np

from sim.panel import statuses
from sim.panel.row_set import Rows


def drop_what_is_no_row(rows: Rows) -> None:
    """A line of comment below the header, and rows without anything."""
    codes = [rows.column(n)[0] for n in rows.table.names]
    filled = np.sum([c >= 0 for c in codes], axis=0)
    rows.drop(filled == 0, "empty")
    _, texts = rows.column(rows.table.names[0])
    marks = [t.startswith(("#", "%", "//")) for t in texts]
    rows.drop((filled == 1) & rows.marked(rows.table.names[0], texts, marks), "comment")
    if rows.table.header:
        named = [rows.marked(n, t, [x == n for x in t]) for n in rows.table.names if (t := rows.column(n)[1])]
        rows.drop(np.all(named, axis=0), "the header once more")
    _drop_totals(rows)
    _drop_footer(rows, filled)


def _drop_footer(rows: Rows, filled: np.ndarray) -> None:
    """Lines of text below the rows: only their first cell is filled, with more than a word, as no customer's is."""
    name = rows.columns.customer
    if name != rows.table.names[0]:
        return
    _, texts = rows.column(name)
    words = rows.marked(name, texts, [" " in t for t in texts])
    full = np.flatnonzero(filled > 1)
    below = (filled == 1) & (np.arange(rows.table.rows) > (full[-1] if len(full) else -1)) & words
    if not (words & (filled > 1)).any():
        rows.drop(below, "text below the rows")


def _drop_totals(rows: Rows) -> None:
    """Sums below the rows, or below those of a customer: no household is called `Total` and has no brand or time."""
    columns = rows.columns
    beside = [n for n in (columns.brand, columns.time or columns.start) if n]
    if columns.customer and beside:
        _, texts = rows.column(columns.customer)
        totals = rows.marked(columns.customer, texts, [statuses.TOTAL.fullmatch(t) is not None for t in texts])
        rows.drop(totals & np.any([rows.column(n)[0] < 0 for n in beside], axis=0), "totals")


def merge_spellings(rows: Rows) -> None:
    """Mail addresses that differ in capitals are of one customer, names of brands that do of one brand."""
    for role, name in (("customer", rows.columns.customer), ("brand", rows.columns.brand)):
        texts = rows.column(name)[1] if name else []
        folded = {t.casefold() for t in texts}
        if len(folded) == len(texts) or (role == "customer" and np.mean(["@" in t for t in texts]) < 0.9):
            continue
        if role == "brand" and max(map(len, folded)) < 2:
            continue
        codes, kinds = rows.column(name)[0], len(folded)
        merged = _merge(rows, name, codes, texts)
        rows.notes.append(
            f"{name}: {len(texts)} ways to write {kinds} names; those that differ in capitals are one: {merged}."
        )


def _merge(rows: Rows, name: str, codes: np.ndarray, texts: list[str]) -> str:
    """Make texts that differ in capitals one, that of a price column or the commonest; an example of it."""
    import pandas as pd

    many = np.bincount(codes[codes >= 0], minlength=len(texts))
    best: dict[str, int] = {}
    for i in np.lexsort((-many, np.array([t not in rows.columns.brands for t in texts]))).tolist():
        best.setdefault(texts[i].casefold(), i)
    kept = sorted(best.values())
    place = {i: k for k, i in enumerate(kept)}
    to = np.append([place[best[t.casefold()]] for t in texts], -1)
    rows.table.cells[name] = pd.Categorical.from_codes(to[codes], pd.Index([texts[i] for i in kept], dtype=object))
    odd = next(t for i, t in enumerate(texts) if best[t.casefold()] != i)
    return f"{odd} is {texts[best[odd.casefold()]]}"
