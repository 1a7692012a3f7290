"""Attributes that are fields of a row: reading and writing go through to `people.one`, `people.bonds` and the levers.

A holder of such attributes has `model`, `row` (of the person) and, for bonds, `with_firm` (the number of the firm).
"""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

from sim.declare import did_you_mean

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
        return holder.model.life.people.one[self.name][holder.row].item()

    def __set__(self, holder: Any, value: Any) -> None:
        if not self.writable:
            raise AttributeError(f"{self.name} is counted, not set")
        self._write(holder, value)

    def _write(self, holder: Any, value: Any) -> None:
        holder.model.life.people.one[self.name][holder.row] = checked(self.name, value)


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
        holder.model.life.people.one[self.name][holder.row] = j


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
        bits = super().__get__(holder)
        return frozenset(name for k, name in enumerate(holder.model.scandals) if bits >> k & 1)

    def _write(self, holder: Any, value: Iterable[str]) -> None:
        known = holder.model.scandals
        strangers = sorted(set(value) - set(known))
        if strangers:
            raise ValueError(f"{self.name}: {strangers[0]!r} is no scandal{did_you_mean(strangers[0], known)}")
        holder.model.life.people.one[self.name][holder.row] = sum(1 << known.index(name) for name in set(value))


class BondField(Field):
    """A number of the row of `people.bonds` of the person and the firm `with_firm`; nan where there is none."""

    def __get__(self, holder: Any, owner: type | None = None) -> Any:
        if holder is None:
            return self
        j = holder.with_firm
        return holder.model.life.people.bonds[self.name][holder.row, j].item() if j >= 0 else math.nan

    def _write(self, holder: Any, value: Any) -> None:
        if holder.with_firm < 0:
            raise ValueError(f"{self.name}: this person has used no firm yet; set it with bond(firm).{self.name}")
        holder.model.life.people.bonds[self.name][holder.row, holder.with_firm] = checked(self.name, value)


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
