"""A table of text: every cell as it is written, without blanks at its ends."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

EMPTY = {
    *("", "NA", "N/A", "n/a", "#N/A", "nan", "NaN", "NAN", "NULL", "null", "<NA>", "NaT", "-", "--", ".", "?"),
    *("\\N", "(null)", "(blank)", "(leer)", "(vide)", "#NULL!", "#VALUE!", "#REF!", "#DIV/0!", "n.a.", "k.A."),
}


UNSEEN = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")  # signs without width
WHOLE = re.compile(r"-?\d+(?:\.0)?")
AS_TEXT = re.compile(r'="([^"]*)"')  # ="00123", as where a spreadsheet is to take digits for text


@dataclass
class Table:
    """Cells as text: of every column the code of each row's text (-1 = empty) and the texts."""

    names: list[str]
    cells: "dict[str, pd.Categorical]"
    rows: int
    first_line: int = 2  # the line of row 0 as an editor counts
    header: bool = True
    comma: bool = False  # whether ; separates columns, so that numbers have decimal commas
    notes: list[str] = field(default_factory=list)


def from_frame(frame: "pd.DataFrame", notes: list[str]) -> Table:
    """A Table of a DataFrame of any types."""
    names = [str(c) for c in frame.columns]
    cells = {name: _column_as_text(frame.iloc[:, i]) for i, name in enumerate(names)}
    return Table(names, cells, len(frame), notes=notes)


def _column_as_text(column: "pd.Series") -> "pd.Categorical":
    import pandas as pd

    codes, values = pd.factorize(column)
    return clean_codes(codes, [_cell_text(v) for v in values])


def _cell_text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | np.floating) and float(value).is_integer() and abs(float(value)) < 2**53:
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def encoded(column: "pd.Series") -> "pd.Categorical":
    import pandas as pd

    codes, values = pd.factorize(column)
    return clean_codes(codes, values.to_numpy(object).tolist())


def whole_numbers(table: Table, name: str) -> None:
    """Make 7.0 and 7 the same in a column of names that are all whole numbers."""
    cells = table.cells[name]
    texts = cells.categories.tolist()
    if any(t.endswith(".0") for t in texts) and all(WHOLE.fullmatch(t) for t in texts):
        table.cells[name] = clean_codes(np.asarray(cells.codes, np.int64), [t.removesuffix(".0") for t in texts])


def clean_codes(codes: np.ndarray, texts: list[str]) -> "pd.Categorical":
    """Cells of texts stripped of blanks, those that mean nothing made missing, equal ones made one."""
    import pandas as pd

    stripped = [" ".join(UNSEEN.sub("", AS_TEXT.sub(r"\1", t)).split()) for t in texts]
    if stripped and all(len(t) > 1 and t[0] == t[-1] == "'" for t in stripped if t):
        stripped = [t[1:-1].strip() for t in stripped]
    places, names = pd.factorize(np.array([None if t in EMPTY else t for t in stripped], object))
    codes = np.append(places, -1)[codes]
    return pd.Categorical.from_codes(codes, pd.Index(names, dtype=object))
