"""A calendar: prices and promotions by week and firm, from a file, in place of the levers of the firms.

Columns: `week` (0 is the first that counts), `firm`, and one or more of `price`, `feature`, `display`, which are levers
of a firm. A row sets what it gives, from its week on, until a later row of the same firm: a file may have a row for
every week, or only where something changes. Where a row leaves a value empty the one before it holds; before the first
row, and in the burn-in, the firm's own values do. Moves of the scenario are made on top of it, and win.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache

import numpy as np

from sim.model.declare import declaration, did_you_mean
from sim.model.fields import Firm, Scenario
from sim.model.tables import Columns, columns_of

LEVERS = ("price", "feature", "display")
MOST_SHOWN = 20  # rows that are complained of one by one

Steps = dict[tuple[str, str], tuple[list[int], list[float]]]  # (firm, lever) -> weeks, and the value from each on


def levers_in(s: Scenario, week: int) -> dict[tuple[str, str], float]:
    """What the calendar sets in a week: (firm, lever) -> value; nothing without one, or in the burn-in.

    Raises ScenarioError for a file that is not the one that the scenario was made with, or cannot be read.
    """
    if not s.calendar or week < 0:
        return {}
    found = {}
    for place, (weeks, values) in _steps(s.calendar, s.calendar_sha256).items():
        at = bisect_right(weeks, week)
        if at:
            found[place] = values[at - 1]
    return found


def calendar_weeks(s: Scenario) -> set[int]:
    """The weeks from which the calendar sets something; none without one."""
    steps = _steps(s.calendar, s.calendar_sha256) if s.calendar else {}
    return {week for weeks, _ in steps.values() for week in weeks}


@lru_cache(8)
def _steps(path: str, sha256: str) -> Steps:
    columns = columns_of("calendar", path, sha256)[1]
    steps: Steps = {}
    for row in np.argsort(columns["week"], kind="stable").tolist():
        for lever in LEVERS:
            value = float(columns[lever][row]) if lever in columns else np.nan
            if not np.isnan(value):
                weeks, values = steps.setdefault((str(columns["firm"][row]), lever), ([], []))
                weeks.append(int(columns["week"][row]))
                values.append(value)
    return steps


def calendar_complaints(s: Scenario, columns: Columns) -> list[str]:
    """Everything in which the columns of a calendar are none for this scenario."""
    wrong = [f"column {name}: missing" for name in ("week", "firm") if name not in columns]
    known = ("week", "firm", *LEVERS)
    wrong += [f"column {name}: unknown{did_you_mean(name, known)}" for name in columns if name not in known]
    if not set(LEVERS) & set(columns):
        wrong.append(f"columns: none of {', '.join(LEVERS)}")
    numbers = [name for name in columns if name in known and name != "firm"]
    wrong += [f"column {name}: not all are numbers" for name in numbers if columns[name].dtype.kind != "f"]
    if not wrong:
        wrong = list(_wrong_rows(s, columns))
        wrong = [*wrong[:MOST_SHOWN], *([f"and {len(wrong) - MOST_SHOWN:,} more"] if len(wrong) > MOST_SHOWN else [])]
    return [f"calendar: {s.calendar}: {complaint}" for complaint in wrong]


def _wrong_rows(s: Scenario, columns: Columns) -> Iterator[str]:
    ranges = {f.name: declaration(f) for f in fields(Firm)}
    seen: set[tuple[float, str]] = set()
    given = [lever for lever in LEVERS if lever in columns]
    for n, (week, firm) in enumerate(zip(columns["week"].tolist(), map(str, columns["firm"]), strict=True), 1):
        if firm not in s.firms:
            yield f"row {n}: {firm!r} is no firm{did_you_mean(firm, s.firms)}"
        if not (week == week and week == int(week) and 0 <= week < s.weeks):
            yield f"row {n}: week {week:g} is outside 0 to {s.weeks - 1}"
        if (week, firm) in seen:
            yield f"row {n}: {firm} in week {week:g} is there already"
        seen.add((week, firm))
        for lever in given:
            value, d = float(columns[lever][n - 1]), ranges[lever]
            if not np.isnan(value) and not (d.low or 0) <= value <= (d.high or 0):
                yield f"row {n}: {lever} {value:g} is outside {d.allowed}"
