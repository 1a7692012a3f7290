"""The columns of a panel file as numbers and codes; what is wrong with a cell is said with its line in the file."""

from typing import Any

import numpy as np

from sim.panel.columns import Columns


def _rows(bad: np.ndarray) -> str:
    """'line 3', 'lines 3, 5, 9 and 12 more', counted as an editor does, the header being line 1."""
    lines = np.flatnonzero(bad) + 2
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return f"line{'s' if len(lines) > 1 else ''} " + ", ".join(map(str, lines[:3])) + more


def codes(table: Any, column: str, what: str, wrong: list[str]) -> tuple[list[Any], np.ndarray]:
    """The sorted names in a column and the place of each row's; a whole number has no decimals in its name."""
    import pandas as pd

    cells = table[column]
    missing = cells.isna().to_numpy()
    if cells.dtype.kind == "f" and (cells.dropna() % 1 == 0).all() and (cells.dropna().abs() < 2**53).all():
        cells = cells.astype("Int64")
    if what == "brand" or cells.dtype.kind not in "iu":
        cells = cells.astype("string").str.strip()
        missing = missing | (cells == "").fillna(False).to_numpy(bool)
    if missing.any():
        wrong.append(f"{column}: the {what} is missing in {_rows(missing)}")
    places, names = pd.factorize(cells.mask(missing) if missing.any() else cells, sort=True)
    return list(names), places.astype(np.int64)


def times(cells: Any, column: str, wrong: list[str], notes: list[str]) -> np.ndarray:
    """Numbers as they are; dates as days since the first."""
    import pandas as pd

    numbers = pd.to_numeric(cells, errors="coerce")
    if cells.dtype.kind not in "mM" and numbers.notna().sum() >= cells.notna().sum() / 2:
        stamps, days = None, numbers.to_numpy(float)
    else:
        stamps = _dates(cells, column, notes)
        days = ((stamps - stamps.min()) / pd.Timedelta(days=1)).to_numpy(float)
    bad = ~np.isfinite(days)
    if bad.any():
        example = str(cells[bad].iloc[0])
        wrong.append(f"{column}: {example!r} is neither a number nor a date, in {_rows(bad)}")
    elif stamps is not None:
        notes.append(f"{column} is read as dates, {stamps.min():%Y-%m-%d} to {stamps.max():%Y-%m-%d}.")
    return days


def _dates(cells: Any, column: str, notes: list[str]) -> Any:
    """Dates of one format throughout; where both readings are possible the month is taken to come first."""
    import warnings

    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = (pd.to_datetime(cells, errors="coerce", dayfirst=d, utc=True) for d in (False, True))
    best = second if second.notna().sum() > first.notna().sum() else first
    if first.notna().all() and second.notna().all() and not first.equals(second):
        notes.append(f"{column} could start with the day or the month; the month is taken. Write 2024-12-31.")
    return best


def block(table: Any, columns: Columns, kind: str, wrong: list[str], notes: list[str]) -> np.ndarray | None:
    """[N, J] of prices, features or displays; a price of 0 or none is replaced by the brand's median."""
    if not columns.blocks.get(kind):
        return None
    return np.column_stack(
        [_numbers(table[column], column, kind == "price", wrong, notes) for column in columns.blocks[kind]]
    )


def _numbers(cells: Any, column: str, price: bool, wrong: list[str], notes: list[str]) -> np.ndarray:
    import pandas as pd

    values = pd.to_numeric(cells, errors="coerce").to_numpy(float)
    text = np.isnan(values) & cells.notna().to_numpy() | np.isinf(values)
    for bad, what in ((text, "is not a number"), (values < 0, "is negative")):
        if bad.any():
            wrong.append(f"{column}: {str(cells[bad].iloc[0])!r} {what}, in {_rows(bad)}")
    empty = np.isnan(values) | (price & (values == 0))
    if empty.all() and price:
        wrong.append(f"{column}: no row has a price; leave the column out of the file")
    elif empty.any():
        usual = float(np.median(values[~empty])) if price else 0.0
        notes.append(f"{column}: {empty.sum()} cells are empty{' or 0' if price else ''}; {usual:g} is taken there.")
        values = np.where(empty, usual, values)
    return values
