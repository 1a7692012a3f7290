"""The rows of a file that are still in, and why others are not."""

import numpy as np

from sim.panel.column_finder import Columns, codes_of
from sim.panel.options import Options
from sim.panel.table import Table
from sim.panel.types import LeftOut
from sim.panel.values import read_numbers

MOST_BAD = 0.2  # of the rows may be unreadable


class Rows:
    """The rows still in; `wrong` is what must be corrected or answered before anything can be measured."""

    def __init__(self, table: Table, columns: Columns, options: Options):
        self.table, self.columns, self.options = table, columns, options
        self.keep = np.ones(table.rows, bool)
        self.left_out: list[LeftOut] = []
        self.notes: list[str] = []
        self.wrong: list[str] = []
        self.no_purchase: np.ndarray | None = None  # [rows] whether nothing was bought
        self.price_of_alternatives = ""  # column of prices where a row is an alternative
        self.members = False  # whether some customers are there who never bought
        self.zero_is_somebody = False  # whether a customer 0 is surely one, and does not stand for guests

    def drop(self, rows: np.ndarray, reason: str) -> int:
        """Leave rows out, unless they are already; how many that were."""
        rows = rows & self.keep
        many = int(rows.sum())
        if many:
            self.left_out.append(LeftOut(many, reason))
            self.keep &= ~rows
        return many

    def column(self, name: str) -> tuple[np.ndarray, list[str]]:
        return codes_of(self.table, name)

    def numbers(self, name: str) -> np.ndarray:
        """[rows] the numbers of a column; nan where a cell is empty or holds none."""
        codes, texts = self.column(name)
        return np.append(read_numbers(texts, self.options.decimal, self.table.comma), np.nan)[codes]

    def lines(self, bad: np.ndarray) -> str:
        """'line 3', 'lines 3, 5, 9 and 12 more', counted as an editor does."""
        lines = np.flatnonzero(bad) + self.table.first_line
        more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
        return f"line{'s' if len(lines) > 1 else ''} " + ", ".join(map(str, lines[:3])) + more

    def marked(self, name: str, texts: list[str], which: list[bool]) -> np.ndarray:
        """[rows] whether the cell's text is one of those marked."""
        codes, _ = self.column(name)
        return np.append(np.array(which, bool), False)[codes]

    def unreadable(self, bad: np.ndarray, column: str, what: str) -> None:
        """Leave out rows with a bad cell; where they are too many to be slips, say so instead."""
        bad = bad & self.keep
        many, of = int(bad.sum()), int(self.keep.sum())
        if not many:
            return
        example = str(self.table.cells[column][np.flatnonzero(bad)[0]])
        if many > max(1, MOST_BAD * of):
            self.wrong.append(f"{column}: {example!r} {what}, in {many} of {of} rows ({self.lines(bad)})")
        self.drop(bad, f"{column} {what} ({example!r}; {self.lines(bad)})")
