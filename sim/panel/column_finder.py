"""The columns of a file by role, and the search for one of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.model.declare import did_you_mean
from sim.panel import vocabulary
from sim.panel.options import Options
from sim.panel.table import Table

OTHERS = ("choice_set", "start", "end", "duration")


@dataclass
class Columns:
    """The names, in the file, of the columns that are used; "" for none."""

    customer: str = ""
    time: str = ""
    clock: str = ""  # time of day beside a date
    parts: tuple[str, ...] = ()  # year and month, week or day where no one column is the time
    brand: str = ""
    quantity: str = ""
    price: str = ""
    order: str = ""
    weight: str = ""
    segment: str = ""
    chosen: str = ""  # whether the alternative of the row was chosen
    choice_set: str = ""
    start: str = ""  # of a spell with a provider
    end: str = ""
    duration: str = ""  # of a spell without an end
    status: tuple[str, ...] = ()
    refunds: tuple[str, ...] = ()  # columns that say whether the row was canceled or returned
    returned: tuple[str, ...] = ()  # how many of the quantity were
    flags: tuple[str, ...] = ()  # columns that say whether the row was paid, completed, valid
    paid_back: tuple[str, ...] = ()  # amounts
    direction: tuple[str, ...] = ()  # debit or credit, or two columns of these amounts
    amounts: list[str] = field(default_factory=list)  # other columns of prices than `price`
    brands: tuple[str, ...] = ()  # that have a price, or else a promotion
    blocks: dict[str, list[str]] = field(default_factory=dict)  # price, feat, disp: a column for each of `brands`
    one_firm: bool = False  # there is no column of brands: a history of one firm
    notes: list[str] = field(default_factory=list)

    def tells(self) -> tuple[str, ...]:
        """The columns that tell purchases from other rows."""
        return (*self.status, *self.flags, *self.refunds, *self.returned, *self.paid_back, *self.direction)

    def used(self) -> dict[str, str]:
        """Role -> column, of those in use."""
        single = ("customer", "time", "clock", "brand", "order", "quantity", "price", "weight", "segment", "chosen")
        found = {role: getattr(self, role) for role in (*single, *OTHERS) if getattr(self, role)}
        several = {
            "time": self.parts,
            "status": (*self.status, *self.flags, *self.direction),
            "canceled": (*self.refunds, *self.returned, *self.paid_back),
        }
        found |= {role: ", ".join(names) for role, names in several.items() if names}
        if "price" in found:
            found["price (below 0 = returned)"] = found.pop("price")
        return found | {f"{kind} of brands": ", ".join(names) for kind, names in self.blocks.items()}


class Finder:
    """Looks for one column after another; what is taken for one thing is not taken for another."""

    def __init__(self, table: Table, options: Options):
        self.table, self.options = table, options
        self.taken: list[str] = []
        self.wrong: list[str] = []
        self.notes: list[str] = []

    def unused(self) -> list[str]:
        return [n for n in self.table.names if n and n not in self.taken]

    def texts(self, name: str) -> list[str]:
        return self.table.cells[name].categories.tolist()

    def named(self, role: str) -> str | None:
        """The column that the user names for a role; "" where there is to be none, None where none is named."""
        named_column = self.options.named(role)
        if named_column is None:
            return None
        if named_column in self.table.names:
            self.taken.append(named_column)
            return named_column
        if named_column.lower() == "none":
            return ""
        alike = [n for n in self.table.names if vocabulary.normalized(n) == vocabulary.normalized(named_column) != ""]
        if len(alike) == 1:
            self.taken.append(alike[0])
            return alike[0]
        if named_column.isdecimal() and 1 <= int(named_column) <= len(self.table.names):
            self.taken.append(self.table.names[int(named_column) - 1])
            return self.table.names[int(named_column) - 1]
        self.wrong.append(
            f"panel.{role}={named_column}: there is no such column{did_you_mean(named_column, self.table.names)}"
        )
        return ""

    def matching(self, patterns: Sequence[str]) -> list[str]:
        return [n for n in self.unused() if self.called(n, patterns)]

    def called(self, name: str, patterns: Sequence[str]) -> bool:
        """Whether a column has one of these names."""
        return any(re.fullmatch(p, t) for p in patterns for t in self._ways(name))

    def _ways(self, name: str) -> set[str]:
        """A name as it is, without brackets, and its halves where it is Brand/Marke or orders.customer_id."""
        parts = {name, *(part for part in name.split("/") if len(part) > 2)}
        without = [re.sub(r"[(\[].*?[)\]]", "", n) for n in self.table.names]
        if without.count(without[self.table.names.index(name)]) == 1:  # not price (Heinz), price (Hunts)
            parts.add(without[self.table.names.index(name)])
        if all("." in n for n in self.table.names):
            parts.add(name.rpartition(".")[2])
        return {vocabulary.normalized(p) for p in parts} - {""}

    def take(self, name: str) -> str:
        if name:
            self.taken.append(name)
        return name

    def first(self, role: str, patterns: Sequence[str]) -> str:
        """The named column, or the first with a usual name."""
        named_column = self.named(role)
        if named_column is not None:
            return named_column
        hits = self.matching(patterns)
        if len(hits) > 1:
            self.notes.append(
                f"{hits[0]} is taken for the {role}, not {', '.join(hits[1:])}; panel.{role}=COLUMN says otherwise."
            )
        return self.take(hits[0] if hits else "")


def codes_of(table: Table, name: str) -> tuple[np.ndarray, list[str]]:
    """[rows] the code of each cell (-1 = empty) and the texts."""
    cells = table.cells[name]
    return np.asarray(cells.codes, np.int64), cells.categories.tolist()
