"""Attributes of agents that are fields of the engine's arrays: reading and writing go through to them.

An owner of such attributes has `model` (the Market), `row` (of the person) and, for bonds, `with_firm` (the number of
the firm).
"""

import math
from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sim.model.declare import did_you_mean
from sim.model.state import AWARE, BUYCOTTS, FULL, HARMED, PER_WORD, STEP, SWITCHES, window_counts

if TYPE_CHECKING:
    from sim.mesa.model import Market

FLAG_BITS = {"aware_of": AWARE, "switches_over": SWITCHES, "buycotts": BUYCOTTS, "harmed_by": HARMED}

LIMITS = {  # of what may be written; everything else may be any number
    **dict.fromkeys(("attention", "trust", "habit", "familiarity"), (0.0, 1.0)),
    **dict.fromkeys(("anchor_height", "regret", "price_factor"), (0.0, math.inf)),
    "rate": (0.0, 80.0),
}


class Owner(Protocol):
    """What has such attributes: a Consumer or a Bond."""

    model: "Market"
    row: int

    @property
    def with_firm(self) -> int:
        """The number of the firm, or -1."""


class Attribute:
    """A field of the person's record in `people.one`; subclasses say how it is read and written."""

    def __init__(self, about: str, writable: bool = True):
        self.__doc__, self.writable = about, writable

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, owner: Owner | None, kind: type | None = None) -> Any:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Owner, value: Any) -> None:
        if not self.writable:
            raise AttributeError(f"{self.name} is counted, not set")
        self._write(owner, value)

    def _read(self, owner: Owner) -> Any:
        return self._column(owner)[owner.row].item()

    def _write(self, owner: Owner, value: Any) -> None:
        self._column(owner)[owner.row] = checked(self.name, value)

    def _column(self, owner: Owner) -> np.ndarray:
        people = owner.model.people
        return people.rate if self.name == "rate" else np.asarray(people.one[self.name])


class UsesAttribute(Attribute):
    """How often the person used the category in the open window."""

    def _read(self, owner: Owner) -> int:
        return int(window_counts(owner.model.people, owner.row)[0])


class PriceFactorAttribute(Attribute):
    """The person's own price weight over that of the cell; 1 where people have none of their own."""

    def _read(self, owner: Owner) -> float:
        factors = owner.model.people.price_factor
        return float(factors[owner.row]) if len(factors) else 1.0

    def _write(self, owner: Owner, value: object) -> None:
        factors = owner.model.people.price_factor
        if not len(factors):
            raise ValueError(f"{self.name}: people have no price weights of their own (market.price_weight_sd)")
        factors[owner.row] = checked(self.name, value)


class NumberAttribute(Attribute):
    """The person's number."""

    def _read(self, owner: Owner) -> int:
        return owner.model.shard.first + owner.row


def checked(name: str, value: Any) -> float:
    """A number that the field may hold, or a ValueError that says what it may."""
    low, high = LIMITS.get(name, (-math.inf, math.inf))
    if not (isinstance(value, Real) and math.isfinite(value) and low <= float(value) <= high):
        raise ValueError(f"{name}: {value!r} is not a number from {low:g} to {high:g}")
    return float(value)


class FirmAttribute(Attribute):
    """A firm of the person's record, by name; None is no firm."""

    def _read(self, owner: Owner) -> str | None:
        j = super()._read(owner)
        return owner.model.firms[j] if j >= 0 else None

    def _write(self, owner: Owner, value: str | None) -> None:
        owner.model.people.one[self.name][owner.row] = -1 if value is None else firm_number(owner.model, value)


def firm_number(model: "Market", name: str) -> int:
    """The number of a firm, or a ValueError with the likely name."""
    if name not in model.firms:
        raise ValueError(f"{name!r} is no firm{did_you_mean(name, model.firms)}")
    return model.firms.index(name)


class ScandalAttribute(Attribute):
    """A set of scandals of the person's flags, by name."""

    def _read(self, owner: Owner) -> frozenset[str]:
        return frozenset(name for k, name in enumerate(owner.model.scandals) if self._flag(owner, k, None))

    def _write(self, owner: Owner, value: Iterable[str]) -> None:
        value = set(value)
        known = owner.model.scandals
        unknown = sorted(value - set(known))
        if unknown:
            raise ValueError(f"{self.name}: {unknown[0]!r} is no scandal{did_you_mean(unknown[0], known)}")
        for k, name in enumerate(known):
            self._flag(owner, k, name in value)

    def _flag(self, owner: Owner, k: int, value: bool | None) -> bool:
        """Read the flag of scandal k, after setting it where a value is given."""
        words = owner.model.people.scandal_flags[owner.row]
        bit = int(4 * (k % PER_WORD) + FLAG_BITS[self.name])
        word: int = words[k // PER_WORD].item() & 0xFFFFFFFF
        if value is not None:
            word = word & ~(1 << bit) | value << bit
            words[k // PER_WORD] = np.array(word, np.uint32).view(np.int32)
        return word >> bit & 1 == 1


class BondAttribute(Attribute):
    """A field of `people.bonds` of the person and the firm `with_firm`; nan where there is none."""

    def _read(self, owner: Owner) -> Any:
        j, people = owner.with_firm, owner.model.people
        if j < 0:
            return math.nan
        if self.name == "count":
            return int(window_counts(people, owner.row)[1][j])
        value = people.bonds[self.name][owner.row, j].item()
        return value * float(STEP) if self.name == "familiarity" else value

    def _write(self, owner: Owner, value: Any) -> None:
        if owner.with_firm < 0:
            raise ValueError(f"{self.name}: this person has used no firm yet; set it with bond(firm).{self.name}")
        number = checked(self.name, value)
        if self.name == "familiarity":
            number = round(number * float(FULL))
        owner.model.people.bonds[self.name][owner.row, owner.with_firm] = number


class Bonded:
    """The attributes of a person's relation to a firm."""

    taste = BondAttribute("taste for the firm, logit")
    memory = BondAttribute("remembered experience, CX")
    trust = BondAttribute("trust, 0 to 1")
    habit = BondAttribute("habit, 0 to 1")
    regret = BondAttribute("regret, CX")
    familiarity = BondAttribute("familiarity, 0 to 1; 0 = never used")
    count = BondAttribute("uses of the firm in the open window", writable=False)


class Bond(Bonded):
    """A person and a firm: a record of `people.bonds`."""

    def __init__(self, model: "Market", row: int, with_firm: int):
        self.model, self.row, self.with_firm = model, row, with_firm


class LeverOwner(Protocol):
    """What has levers: a Competitor."""

    def lever(self, path: str) -> float:
        """The value of a lever by its path."""

    def set_lever(self, path: str, value: float) -> None:
        """Set a lever by its path."""


class LeverAttribute:
    """A lever of a firm as the coming week will have it; writing adds a move to the scenario, from that week on."""

    def __init__(self, name: str, about: str):
        self.name, self.__doc__ = name, about

    def __get__(self, owner: LeverOwner | None, kind: type | None = None) -> Any:
        return self if owner is None else owner.lever(self.name)

    def __set__(self, owner: LeverOwner, value: float) -> None:
        owner.set_lever(self.name, value)
