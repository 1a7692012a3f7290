"""Leaves out lines that are no rows (comments, totals, a footer), and makes names that differ in capitals one."""

import re
import unicodedata

import numpy as np

from sim.panel import statuses
from sim.panel.row_set import Rows

ALIKE = 0.05  # of the ids must have one that is nearly the same, to be worth a word


def drop_what_is_no_row(rows: Rows) -> None:
    """A line of comment below the header, and rows without anything."""
    codes = [rows.column(n)[0] for n in rows.table.names]
    filled = np.sum([c >= 0 for c in codes], axis=0)
    rows.drop(filled == 0, "empty")
    _, texts = rows.column(rows.table.names[0])
    marks = [t.startswith(("#", "%", "//")) or re.fullmatch(r"[-+=|_: ]{3,}", t) is not None for t in texts]
    rows.drop((filled == 1) & rows.marked(rows.table.names[0], texts, marks), "comment")
    if rows.table.header:
        named = [rows.marked(n, t, [x == n for x in t]) for n in rows.table.names if (t := rows.column(n)[1])]
        rows.drop(np.all(named, axis=0), "the header once more")
    _drop_totals(rows)
    _drop_footer(rows, filled)


def _drop_footer(rows: Rows, filled: np.ndarray) -> None:
    """Lines of text below or between the rows.

    Only their first cell is filled, with more than a word, as no customer's is.
    """
    name = rows.columns.customer
    if name != rows.table.names[0]:
        return
    _, texts = rows.column(name)
    words = rows.marked(name, texts, [" " in t for t in texts])
    full = np.flatnonzero(filled > 1)
    below = np.arange(rows.table.rows) > (full[-1] if len(full) else -1)
    if not (words & (filled > 1)).any():
        rows.drop((filled == 1) & words & below, "text below the rows")
        rows.drop((filled == 1) & words, "text between the rows")


def _drop_totals(rows: Rows) -> None:
    """Sums below the rows, or below those of a customer: no household is called `Total` and has no brand or time."""
    columns = rows.columns
    beside = [n for n in (columns.brand, columns.time or columns.start) if n]
    if columns.customer and beside:
        _, texts = rows.column(columns.customer)
        totals = rows.marked(columns.customer, texts, [statuses.TOTAL.fullmatch(t) is not None for t in texts])
        rows.drop(totals & np.any([rows.column(n)[0] < 0 for n in beside], axis=0), "totals")


def fill_from_above(rows: Rows) -> None:
    """Rows below that of a customer who is named once, as in a table of a pivot or with merged cells."""
    name = rows.columns.customer
    codes, texts = rows.column(name)
    blank = rows.keep & (codes < 0)
    named = codes[rows.keep & (codes >= 0)]
    if rows.columns.order or len(texts) < 2 or len(np.unique(named)) < len(named) or blank.sum() < len(named) / 2:
        return
    if rows.options.empty is None:
        rows.wrong.append(
            f"{name}: is empty in {blank.sum()} of {rows.keep.sum()} rows, and nobody is named twice; if these rows "
            "are of the customer above, say panel.empty=above; if they are of guests, panel.empty=guest"
        )
    elif rows.options.empty == "above":
        _fill_down(rows, [n for n in (name, rows.columns.time) if n])
        rows.notes.append(f"{name}: {blank.sum()} rows are of the customer above.")


def _fill_down(rows: Rows, names: list[str]) -> None:
    import pandas as pd

    for name in names:
        cells = rows.table.cells[name]
        codes = np.asarray(cells.codes, np.int64)
        source = np.maximum.accumulate(np.where(codes >= 0, np.arange(len(codes)), -1))
        filled = np.where(rows.keep & (source >= 0), codes[source], codes)
        rows.table.cells[name] = pd.Categorical.from_codes(filled, cells.categories)


def merge_spellings(rows: Rows) -> None:
    """Mail addresses that differ in capitals are of one customer, names of brands that do of one brand."""
    for role, name in (("customer", rows.columns.customer), ("brand", rows.columns.brand)):
        texts = rows.column(name)[1] if name else []
        folded = {fold(t) for t in texts}
        if len(folded) == len(texts) or (role == "customer" and np.mean(["@" in t for t in texts]) < 0.9):
            if role == "customer":
                _say_alike(rows, name, texts)
            continue
        if role == "brand" and max(map(len, folded)) < 2:
            continue
        codes, kinds = rows.column(name)[0], len(folded)
        merged = _merge(rows, name, codes, texts)
        rows.notes.append(
            f"{name}: {len(texts)} ways to write {kinds} names; those that differ in capitals are one: {merged}."
        )


def _say_alike(rows: Rows, name: str, texts: list[str]) -> None:
    """Customers whose ids differ in capitals or in zeros before them may be the same."""
    bare: dict[str, list[str]] = {}
    for text in texts:
        bare.setdefault(fold(text).lstrip("0"), []).append(text)
    several = [same for same in bare.values() if len(same) > 1]
    if len(several) > ALIKE * len(texts):
        rows.notes.append(
            f"{name}: {' and '.join(several[0][:2])}, and {len(several) - 1} more such, are counted as different "
            "customers; write them in one way if they are the same."
        )


def fold(text: str) -> str:
    """A name as it is compared: without capitals and signs of trade marks; of Ann <ann@x.org> the address.

    >>> fold("ARO\u00ae"), fold("Ann <Ann@x.org>")
    ('aro', 'ann@x.org')
    """
    mail = re.fullmatch(r".*<([^<>@\s]+@[^<>\s]+)>", text)
    return (
        unicodedata.normalize("NFC", re.sub("[\u00ae\u2122\u00a9]", "", mail[1] if mail else text)).strip().casefold()
    )


def _merge(rows: Rows, name: str, codes: np.ndarray, texts: list[str]) -> str:
    """Make texts that differ in capitals one, that of a price column or the commonest; an example of it."""
    import pandas as pd

    many = np.bincount(codes[codes >= 0], minlength=len(texts))
    best: dict[str, int] = {}
    for i in np.lexsort((-many, np.array([t not in rows.columns.brands for t in texts]))).tolist():
        best.setdefault(fold(texts[i]), i)
    kept = sorted(best.values())
    place = {i: k for k, i in enumerate(kept)}
    to = np.append([place[best[fold(t)]] for t in texts], -1)
    rows.table.cells[name] = pd.Categorical.from_codes(to[codes], pd.Index([texts[i] for i in kept], dtype=object))
    odd = next(t for i, t in enumerate(texts) if best[fold(t)] != i)
    return f"{odd} is {texts[best[fold(odd)]]}"
