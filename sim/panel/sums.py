"""Tables of sums: how often each customer bought each brand, in a row for each."""

import re
from dataclasses import replace

import numpy as np

from sim.panel import vocabulary
from sim.panel.column_finder import Columns, codes_of
from sim.panel.table import Table
from sim.panel.values import read_numbers

MOST_PURCHASES = 20_000_000


def sums_by_brand(table: Table, columns: Columns) -> bool:
    """Whether a file without a time has one row for each customer and brand."""
    if not (columns.customer and columns.brand) or columns.time or columns.parts or columns.start or columns.chosen:
        return False
    keys = np.column_stack([codes_of(table, n)[0] for n in (columns.customer, columns.brand)])
    several = len(np.unique(keys[:, 0])) < len(keys)
    return several and len(np.unique(keys, axis=0)) == len(keys)


def written_out(table: Table, columns: Columns) -> Table:
    """A table of sums with a row for each purchase, where a column tells how many these were."""
    name = columns.quantity
    counts = re.fullmatch(vocabulary.COUNTS, vocabulary.normalized(name)) is not None
    if counts and columns.brand and columns.time:
        columns.notes.append(f"A row is one use, however many {name} it tells of; the share in units counts them all.")
    if not name or not sums_by_brand(table, columns):
        return table
    if not counts:
        columns.notes.append(
            f"There is one row for each customer and brand, and no time: if {name} is a sum over many purchases, "
            "shares and repeats are not those of purchases."
        )
        return table
    import pandas as pd

    codes, texts = codes_of(table, name)
    many = np.nan_to_num(np.append(read_numbers(texts), 1.0)[codes], nan=1.0)
    times = np.maximum(many, 1).astype(np.int64)
    if times.sum() > MOST_PURCHASES:
        return table
    cells = {
        n: pd.Categorical.from_codes(np.repeat(np.asarray(c.codes), times), c.categories)
        for n, c in table.cells.items()
    }
    cells[name] = pd.Categorical(np.where(np.repeat(many, times) > 0, "1", "0"))
    columns.notes.append(
        f"There is one row for each customer and brand: {name} tells how many purchases it stands for, whose order is "
        "not known."
    )
    return replace(table, cells=cells, rows=int(times.sum()))
