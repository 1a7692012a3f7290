"""A calendar: prices and promotions by week and firm, from a file, in place of the levers of the firms.

Columns: `week` (0 is the first that counts), `firm`, and one or more of `price`, `feature`, `display`, which are levers
of a firm; `price_change`, instead of `price`, is added to the firm's own price, so that its deals stay as they are
where that price is another. A row sets what it gives, from its week on, until a later row of the same firm: a file may
have a row for every week, or only where something changes. Where a row leaves a value empty the one before it holds;
before the first row, and in the burn-in, the firm's own values do. Rows after the last week of a run are not reached.
Moves of the scenario are made on top of it, and win.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import lru_cache

import numpy as np

from sim.model.declare import ScenarioError, declaration, did_you_mean
from sim.model.fields import Firm, Scenario
from sim.model.tables import Columns, columns_of

LEVERS = ("price", "feature", "display")
ADDED = "price_change"  # to the firm's own price
COLUMNS = (*LEVERS, ADDED)
MOST_SHOWN = 20  # rows that are complained of one by one

Steps = dict[tuple[str, str], tuple[list[int], list[float]]]  # (firm, lever) -> weeks, and the value from each on


def levers_in(s: Scenario, week: int) -> dict[tuple[str, str], float]:
    """What the calendar sets in a week: (firm, lever) -> value; nothing without one, or in the burn-in.

    Raises ScenarioError for a file that is not the one that the scenario was made with, or cannot be read.
    """
    if not s.calendar or week < 0:
        return {}
    found = {}
    for (firm, column), (weeks, values) in _steps(s.calendar, s.calendar_sha256).items():
        at = bisect_right(weeks, week)
        if at and column == ADDED:
            found[firm, "price"] = s.firms[firm].price + values[at - 1] if firm in s.firms else values[at - 1]
        elif at:
            found[firm, column] = values[at - 1]
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
        for lever in COLUMNS:
            value = float(columns[lever][row]) if lever in columns else np.nan
            if not np.isnan(value):
                weeks, values = steps.setdefault((str(columns["firm"][row]), lever), ([], []))
                weeks.append(int(columns["week"][row]))
                values.append(value)
    return steps


def calendar_hides(s: Scenario, paths: Iterable[str]) -> Iterator[str]:
    """A sentence for each of the paths that sets what the calendar sets from its first week on."""
    try:
        steps = _steps(s.calendar, s.calendar_sha256) if s.calendar else {}
    except ScenarioError:  # a file that is elsewhere is read, and held to its digest, when it is needed
        return
    for path in paths:
        parts = path.split(".")
        if len(parts) == 3 and parts[0] == "firms" and (parts[1], parts[2]) in steps:
            first = steps[parts[1], parts[2]][0][0]
            yield (
                f"{path}: has no effect from week {first} on, as the calendar ({s.calendar}) sets it; use a move, "
                f"+moves.cut={{firm: {parts[1]}, lever: {parts[2]}, value: ...}}, or 'calendar=\"\"' without one"
            )


def calendar_complaints(s: Scenario, columns: Columns) -> list[str]:
    """Everything in which the columns of a calendar are none for this scenario."""
    wrong = [f"column {name}: missing" for name in ("week", "firm") if name not in columns]
    known = ("week", "firm", *COLUMNS)
    wrong += [f"column {name}: unknown{did_you_mean(name, known)}" for name in columns if name not in known]
    if not set(COLUMNS) & set(columns):
        wrong.append(f"columns: none of {', '.join(COLUMNS)}")
    if "price" in columns and ADDED in columns:
        wrong.append(f"columns: price and {ADDED}; give one of them")
    numbers = [name for name in columns if name in known and name != "firm"]
    wrong += [f"column {name}: not all are numbers" for name in numbers if columns[name].dtype.kind != "f"]
    if not wrong:
        wrong = list(_wrong_rows(s, columns))
        wrong = [*wrong[:MOST_SHOWN], *([f"and {len(wrong) - MOST_SHOWN:,} more"] if len(wrong) > MOST_SHOWN else [])]
    return [f"calendar: {s.calendar}: {complaint}" for complaint in wrong]


def _wrong_rows(s: Scenario, columns: Columns) -> Iterator[str]:
    ranges = {f.name: declaration(f) for f in fields(Firm)}
    last = int(next(declaration(f).high or 0 for f in fields(Scenario) if f.name == "weeks")) - 1  # of any run
    seen: set[tuple[float, str]] = set()
    given = [lever for lever in LEVERS if lever in columns]
    added = columns.get(ADDED)
    for n, (week, firm) in enumerate(zip(columns["week"].tolist(), map(str, columns["firm"]), strict=True), 1):
        if firm not in s.firms:
            yield f"row {n}: {firm!r} is no firm{did_you_mean(firm, s.firms)}"
        if not (week == week and week == int(week) and 0 <= week <= last):
            yield f"row {n}: week {week:g} is outside 0 to {last}"
        if (week, firm) in seen:
            yield f"row {n}: {firm} in week {week:g} is there already"
        seen.add((week, firm))
        for lever in given:
            value, d = float(columns[lever][n - 1]), ranges[lever]
            if not np.isnan(value) and not (d.low or 0) <= value <= (d.high or 0):
                yield f"row {n}: {lever} {value:g} is outside {d.allowed}"
        own = s.firms[firm].price if firm in s.firms else 0.0
        if added is not None and not np.isnan(float(added[n - 1])):
            value, d = own + float(added[n - 1]), ranges["price"]
            if not (d.low or 0) <= value <= (d.high or 0):
                yield f"row {n}: firms.{firm}.price {own:g} and {ADDED} {float(added[n - 1]):g} are outside {d.allowed}"
