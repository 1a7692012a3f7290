"""Attributes that are fields of a row: reading and writing go through to `people` and the levers.

A holder of such attributes has `model`, `row` (of the person) and, for bonds, `with_firm` (the number of the firm).
"""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from sim.model.declare import did_you_mean
from sim.model.state import AWARE, BUYCOTTS, FULL, HARMED, PER_WORD, STEP, SWITCHES, window_counts

STORY = {"heard": AWARE, "acts": SWITCHES, "backs": BUYCOTTS, "harmed": HARMED}

LIMITS = {  # of what may be written; everything else may be any number
    **dict.fromkeys(("attention", "trust", "habit", "familiarity"), (0.0, 1.0)),
    **dict.fromkeys(("anchor_height", "regret"), (0.0, math.inf)),
    "rate": (0.0, 80.0),
}


class Field:
    """A number of the person's row of `people.one`."""

    def __init__(self, about: str, writable: bool = True):
        self.__doc__, self.writable = about, writable

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, holder: Any, owner: type | None = None) -> Any:
        if holder is None:
            return self
        if self.name == "uses":
            return int(window_counts(holder.model.shard.people, holder.row)[0])
        return self._read(holder)

    def _read(self, holder: Any) -> Any:
        return self._column(holder)[holder.row].item()

    def _column(self, holder: Any) -> Any:
        people = holder.model.shard.people
        return people.rate if self.name == "rate" else people.one[self.name]

    def __set__(self, holder: Any, value: Any) -> None:
        if not self.writable:
            raise AttributeError(f"{self.name} is counted, not set")
        self._write(holder, value)

    def _write(self, holder: Any, value: Any) -> None:
        self._column(holder)[holder.row] = checked(self.name, value)


class Number(Field):
    """The person's number."""

    def _read(self, holder: Any) -> Any:
        return holder.model.shard.first + holder.row


def checked(name: str, value: Any) -> float:
    """A number that the field may hold, or a ValueError that says what it may."""
    low, high = LIMITS.get(name, (-math.inf, math.inf))
    if not (isinstance(value, Real) and math.isfinite(value) and low <= float(value) <= high):
        raise ValueError(f"{name}: {value!r} is not a number from {low:g} to {high:g}")
    return float(value)


class FirmField(Field):
    """A firm of the person's row, by name; None is nobody."""

    def __get__(self, holder: Any, owner: type | None = None) -> Any:
        if holder is None:
            return self
        j = super().__get__(holder)
        return holder.model.firms[j] if j >= 0 else None

    def _write(self, holder: Any, value: Any) -> None:
        j = -1 if value is None else firm_number(holder.model, value)
        holder.model.shard.people.one[self.name][holder.row] = j


def firm_number(model: Any, name: str) -> int:
    """The number of a firm, or a ValueError with the likely name."""
    if name not in model.firms:
        raise ValueError(f"{name!r} is no firm{did_you_mean(name, model.firms)}")
    return int(model.firms.index(name))


class ScandalField(Field):
    """A set of scandals of the person's row, by name."""

    def __get__(self, holder: Any, owner: type | None = None) -> Any:
        if holder is None:
            return self
        return frozenset(name for k, name in enumerate(holder.model.scandals) if self._bit(holder, k, None))

    def _write(self, holder: Any, value: Iterable[str]) -> None:
        value = set(value)
        known = holder.model.scandals
        strangers = sorted(value - set(known))
        if strangers:
            raise ValueError(f"{self.name}: {strangers[0]!r} is no scandal{did_you_mean(strangers[0], known)}")
        for k, name in enumerate(known):
            self._bit(holder, k, name in value)

    def _bit(self, holder: Any, k: int, set_to: bool | None) -> bool:
        """Read, or set, whether it is true of scandal k."""
        scandal_flags, bit = (
            holder.model.shard.people.scandal_flags[holder.row],
            int(4 * (k % PER_WORD) + STORY[self.name]),
        )
        word: int = scandal_flags[k // PER_WORD].item() & 0xFFFFFFFF
        if set_to is not None:
            word = word & ~(1 << bit) | set_to << bit
            scandal_flags[k // PER_WORD] = np.array(word, np.uint32).view(np.int32)
        return word >> bit & 1 == 1


class BondField(Field):
    """A number of the row of `people.bonds` of the person and the firm `with_firm`; nan where there is none."""

    def __get__(self, holder: Any, owner: type | None = None) -> Any:
        if holder is None:
            return self
        j = holder.with_firm
        if j < 0:
            return math.nan
        if self.name == "count":
            return int(window_counts(holder.model.shard.people, holder.row)[1][j])
        value = holder.model.shard.people.bonds[self.name][holder.row, j].item()
        return value * float(STEP) if self.name == "familiarity" else value

    def _write(self, holder: Any, value: Any) -> None:
        if holder.with_firm < 0:
            raise ValueError(f"{self.name}: this person has used no firm yet; set it with bond(firm).{self.name}")
        held = checked(self.name, value)
        if self.name == "familiarity":
            held = round(held * float(FULL))
        holder.model.shard.people.bonds[self.name][holder.row, holder.with_firm] = held


class Bonded:
    """What a person has with a firm."""

    taste = BondField("taste for the firm, logit")
    memory = BondField("remembered experience, CX")
    trust = BondField("trust, 0 to 1")
    habit = BondField("habit, 0 to 1")
    regret = BondField("regret, CX")
    familiarity = BondField("familiarity, 0 to 1; 0 = never used")
    count = BondField("uses of the firm in the open window", writable=False)


class Bond(Bonded):
    """A person and a firm: a row of `people.bonds`."""

    def __init__(self, model: Any, row: int, with_firm: int):
        self.model, self.row, self.with_firm = model, row, with_firm


class Lever:
    """A lever of a firm as the coming week will have it; writing makes a move of the story, from that week on."""

    def __init__(self, name: str, about: str):
        self.name, self.__doc__ = name, about

    def __get__(self, holder: Any, owner: type | None = None) -> Any:
        return self if holder is None else holder.lever(self.name)

    def __set__(self, holder: Any, value: Any) -> None:
        holder.pull(self.name, value)
