"""What is made of a run: its metrics over the weeks, its events, its files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sim.measure import estimates
from sim.model.fields import Scenario
from sim.study.answer import Answer
from sim.study.countermeasures import Countermeasure

if TYPE_CHECKING:
    import pandas as pd

    from sim.engine.loop import Run

TABLES = ("run.parquet", "metrics.parquet", "metrics.csv")
ANSWER_TABLES = ("answer.csv", "answer.parquet")  # of runs with events
FIGURES = ("stickiness.png", "stickiness.svg")
ANSWER_FIGURES = ("answer.png", "answer.svg")  # of runs with events
FILES = TABLES + FIGURES
ANSWER_FILES = ANSWER_TABLES + ANSWER_FIGURES


class Finished(NamedTuple):
    """A run that is written to files: its overrides, the run, its table of metrics, its folder."""

    overrides: list[str]
    run: "Run"
    table: "pd.DataFrame"
    folder: Path
    answer: Answer | None = None  # of a run with events
    measures: Sequence[Countermeasure] = ()  # of a run with a scandal


def over_time(run: "Run") -> "pd.DataFrame":
    """Stickiness by window and share by part of a window (by week for providers): week, firm, metric, value, error.

    Windows and parts that have ended only; the week is the middle of each.
    """
    import pandas as pd

    from sim.measure import metrics

    s, provider = run.scenario, run.scenario.market.regime == "provider"
    sticky = estimates.estimate(metrics.firm_metrics(provider)["stickiness"], estimates.by_window(run.tally))
    rows = [((w + 0.5) * s.window, "stickiness", *found) for w, found in enumerate(zip(*sticky, strict=True))]
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


def comparable(scenario: Scenario) -> bool:
    """Whether there are events, and rivals to go to: then what they did can be told."""
    return len(scenario.firms) > 1 and bool(event_weeks(scenario))
