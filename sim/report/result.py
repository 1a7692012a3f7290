"""What is made of a run: its metrics over the weeks, what its events changed, its files."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.measure import estimates
from sim.model.fields import Move, Scandal, Scenario
from sim.model.scenario import change
from sim.report.findings import Effect

if TYPE_CHECKING:
    import pandas as pd

    from sim.engine.loop import Run

TABLES = ("run.parquet", "metrics.parquet", "metrics.csv")
FIGURES = ("stickiness.png", "stickiness.svg")
FILES = TABLES + FIGURES


class Finished(NamedTuple):
    """A run that is written to files: its overrides, the run, its table of metrics, its folder."""

    overrides: list[str]
    run: "Run"
    table: "pd.DataFrame"
    folder: Path
    effect: Effect | None = None


def over_time(run: "Run") -> "pd.DataFrame":
    """Stickiness by window and share by part of a window (by week for providers): week, firm, metric, value, error.

    Windows and parts that have ended only; the week is the middle of each.
    """
    import pandas as pd

    from sim.measure import metrics

    s, provider = run.scenario, run.scenario.market.regime == "provider"
    sticky = estimates.estimate(metrics.firm_metrics(provider)["stickiness"], estimates.by_window(run.tally))
    rows = [((w + 0.5) * s.window, "stickiness", v, e) for w, (v, e) in enumerate(zip(*sticky, strict=True))]
    step = 1 if provider else max(1, s.window // 3)
    for week in range(0, s.weeks - step + 1, step):
        part = estimates.pooled(run.tally, weeks=slice(week, week + step))
        found = metrics.with_presence(estimates.estimate(metrics.share, part), list(s.firms), run.shares)
        rows.append((week + step / 2, "share", *found))
    flat = [(w, firm, m, float(v[j]), float(e[j])) for w, m, v, e in rows for j, firm in enumerate(s.firms)]
    return pd.DataFrame(flat, columns=["week", "firm", "metric", "value", "error"])


def event_weeks(scenario: Scenario) -> dict[str, int]:
    """Scandals and moves in the order of their weeks: what they are, in words -> week."""
    weeks = {f"{name} (scandal)": scandal.week for name, scandal in scenario.scandals.items()}
    weeks |= {f"{name} ({move.lever} {move.value:g})": move.week for name, move in scenario.moves.items()}
    return dict(sorted(weeks.items(), key=lambda item: item[1]))


def without_events(scenario: Scenario) -> Scenario | None:
    """The same people with the same draws, but no scandals and moves; None where there are none, or no rivals."""
    comparable = len(scenario.firms) > 1 and event_weeks(scenario)
    return change(scenario, {"scandals": {}, "moves": {}}) if comparable else None


def effect(run: "Run", control: "Run") -> Effect:
    """What the events did to a firm, from the first of them to the end: the run minus `without_events` of it.

    The firm is the focus or, where none of the events is at the focus, that of the first event. Paired differences of
    share and, relative, of uses, with their errors; these are nan where the uses of the firm differ in fewer than
    MIN_GROUPS groups of people.
    """
    from sim.measure import metrics
    from sim.measure.reliability import MIN_GROUPS

    s = run.scenario
    happened: list[Scandal | Move] = [*s.scandals.values(), *s.moves.values()]
    earliest = min(happened, key=lambda event: event.week)
    first, firms = earliest.week, {event.firm or s.focus for event in happened}
    firm = s.focus if s.focus in firms else earliest.firm
    j = list(s.firms).index(firm)
    ours, theirs = (estimates.pooled(r.tally, weeks=slice(first, None)) for r in (run, control))
    points = estimates.difference(metrics.share, theirs, ours)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = estimates.jackknife(metrics.uses(estimates.folds(ours)) / metrics.uses(estimates.folds(theirs)) - 1)
    enough = (metrics.uses(ours) != metrics.uses(theirs)).sum(axis=0)[j] >= MIN_GROUPS
    found = ((float(e.value[j]), float(e.error[j]) if enough else float("nan")) for e in (points, relative))
    return Effect(firm, _kind(s), first, *found)


def _kind(scenario: Scenario) -> str:
    """The events in a word or two."""
    many = len(scenario.scandals) + len(scenario.moves)
    return "the events" if many > 1 else "the scandal" if scenario.scandals else "the move"
