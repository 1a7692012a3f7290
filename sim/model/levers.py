"""Levers of the firms as calendar and moves have left them, and who is in the market, by week."""

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.model.calendar import calendar_weeks, levers_in
from sim.model.fields import Firm, Scenario

Integers = npt.NDArray[np.int64]

NO_LEVERS = ("group", "share", "enters", "leaves", "touchpoints")  # of the fields of a firm


def weeks_of_change(s: Scenario) -> list[int]:
    """The burn-in (-1) and the weeks from which the levers of firms may be other than before."""
    starts = {m.week for m in s.moves.values()}
    ends = {m.week + m.weeks for m in s.moves.values() if m.weeks}
    return [-1, *sorted(week for week in starts | ends | calendar_weeks(s) if week < s.weeks)]


def spells(s: Scenario, changes: Sequence[int]) -> Integers:
    """[t] which of the weeks of change was the last."""
    return np.searchsorted(changes, np.arange(-1, s.weeks), side="right") - 1


def levers_at(s: Scenario, week: int) -> dict[str, Firm]:
    """The firms as calendar and moves have left them in a week; later moves win, and any move over the calendar."""
    firms, by_calendar = s.firms, levers_in(s, week)
    active = [m for m in s.moves.values() if m.week <= week and (m.weeks == 0 or week < m.week + m.weeks)]
    if active or by_calendar:
        firms = copy.deepcopy(firms)
    for (name, lever), value in by_calendar.items():
        if name in firms:
            setattr(firms[name], lever, value)
    for move in sorted(active, key=lambda m: m.week):
        firm, (*path, name) = firms[move.firm or s.focus], move.lever.split(".")
        setattr(firm.touchpoints[path[1]] if path else firm, name, move.value)
    return firms


def value_at(firm: Firm, lever: str) -> float:
    """The value of a lever by its path, for instance touchpoints.app.failure_rate."""
    *path, name = lever.split(".")
    return float(getattr(firm.touchpoints[path[1]] if path else firm, name))


def may_be_closed(s: Scenario, name: str) -> bool:
    """Whether a firm enters late or leaves."""
    return s.firms[name].enters > 0 or 0 < s.firms[name].leaves < s.weeks


def is_open(firm: Firm, week: int) -> bool:
    """Whether a firm is in the market in a week (below 0: the burn-in).

    >>> [is_open(Firm(enters=2, leaves=4), week) for week in range(-1, 5)]
    [False, False, False, True, True, False]
    """
    return week >= firm.enters - (firm.enters == 0) and (firm.leaves == 0 or week < firm.leaves)
