"""The types of this package: Panel, rows left out, PanelError."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sim.model.declare import ScenarioError

BY_PURCHASE = (
    "hh",
    "t",
    "y",
    "quantity",
    "prices",
    "features",
    "displays",
    "segment",
    "paid",
    "row",
    "when",
)  # arrays [N, ..] of a Panel


class PanelError(ScenarioError):
    """Everything that is wrong with a panel file or its options, one sentence each."""


class LeftOut(NamedTuple):
    """Rows of the file that are no purchases to be counted: how many, and why."""

    rows: int
    reason: str


@dataclass
class Panel:
    """Purchases n = 0 .. N-1, sorted by household, then time, then place in the file.

    A purchase is one brand bought by one household on one occasion, however many lines or units it has.
    """

    brands: tuple[str, ...]  # [J]
    households: np.ndarray  # [H] as they are called in the file, as text; some may have bought nothing
    hh: np.ndarray  # [N] int64, whose purchase
    t: np.ndarray  # [N] float64, as in the file; dates in days since `origin`; else place within the household
    y: np.ndarray  # [N] int64, the brand bought
    prices: np.ndarray | None = None  # [N, J] of every brand at the purchase, money as in the file
    features: np.ndarray | None = None  # [N, J]
    displays: np.ndarray | None = None  # [N, J]
    quantity: np.ndarray | None = None  # [N] units
    weights: np.ndarray | None = None  # [H] how many households each stands for
    segment: np.ndarray | None = None  # [N] text
    paid: np.ndarray | None = None  # [N] price of a unit, where the file has one column of prices; nan where none
    row: np.ndarray | None = None  # [N] of the file's table, from 0
    when: np.ndarray | None = None  # [N] text, the time as written in the file
    origin: np.datetime64 | None = None  # the date that is t = 0, where t is dates
    members: bool = False  # whether households that bought nothing are known
    ordered: bool = True  # whether the rows of a household can be taken for the order in which it bought
    provider: bool = False  # one provider at a time, seen again and again, rather than purchases
    unknown: tuple[str, ...] = ()  # brands with a column of prices or promotions that a known market does not know
    columns: dict[str, str] = field(default_factory=dict)  # what is used for what: role -> column(s)
    rows: int = 0  # of the file
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
