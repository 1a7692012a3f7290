"""What is made of a run: its metrics by group, its story over the weeks, what its events changed, its files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.scenario import Scenario

if TYPE_CHECKING:
    from sim.engine import Run

FILES = ("run.parquet", "metrics.parquet", "metrics.csv", "stickiness.png", "stickiness.svg")


class Finished(NamedTuple):
    """A run that is written down: its overrides, the run, its table of metrics, its folder."""

    overrides: list[str]
    run: "Run"
    table: Any
    folder: Path


def groups(scenario: Scenario) -> dict[str, Sequence[int]]:
    """Cells by the name of a group: all, and each segment and cohort where there is more than one."""
    cells = scenario.cells
    named: dict[str, Sequence[int]] = {"all": range(len(cells))}
    for n, (kind, members) in enumerate((("segments", scenario.segments), ("cohorts", scenario.cohorts))):
        if len(members) > 1:
            named |= {f"{kind}.{m}": [i for i, cell in enumerate(cells) if cell[n] == m] for m in members}
    return named


def measured(run: "Run") -> Any:
    """Every metric of a run with its error, for everybody and for each group."""
    from sim import metrics

    s = run.scenario
    return metrics.table(run.tally, list(s.firms), groups(s), s.market.regime == "provider", run.shares)


def story(run: "Run") -> Any:
    """Stickiness by window and share by part of a window (by week for providers): week, firm, metric, value, error."""
    import pandas as pd

    from sim import metrics

    s, provider = run.scenario, run.scenario.market.regime == "provider"
    sticky = metrics.estimate(metrics.firm_metrics(provider)["stickiness"], metrics.by_window(run.tally))
    rows = [((w + 0.5) * s.window, "stickiness", v, e) for w, (v, e) in enumerate(zip(*sticky, strict=True))]
    step = 1 if provider else max(1, s.window // 3)
    for week in range(0, s.weeks - step + 1, step):
        part = metrics.pooled(run.tally, weeks=slice(week, week + step))
        found = metrics.with_presence(metrics.estimate(metrics.share, part), list(s.firms), run.shares)
        rows.append((week + step / 2, "share", *found))
    flat = [(w, firm, m, float(v[j]), float(e[j])) for w, m, v, e in rows for j, firm in enumerate(s.firms)]
    return pd.DataFrame(flat, columns=["week", "firm", "metric", "value", "error"])


def events(scenario: Scenario) -> dict[str, int]:
    """Scandals and moves in the order of their weeks: what they are, in words -> week."""
    weeks = {f"{name} (scandal)": scandal.week for name, scandal in scenario.scandals.items()}
    weeks |= {f"{name} ({move.lever} {move.value:g})": move.week for name, move in scenario.moves.items()}
    return dict(sorted(weeks.items(), key=lambda item: item[1]))


def changed(run: "Run") -> tuple[float, float, float] | None:
    """Share of the focus in the window before the first event and in the last, and the error of the difference."""
    from sim import metrics

    s = run.scenario
    first = min(events(s).values(), default=0)
    if first == 0:
        return None
    spans = slice(max(0, first - s.window), first), slice(max(first, s.weeks - s.window), None)
    with np.errstate(invalid="ignore"):
        before, after = (metrics.share(metrics.folds(metrics.pooled(run.tally, weeks=span))) for span in spans)
    j, difference = list(s.firms).index(s.focus), metrics.jackknife(after - before)
    return float(before[0, j]), float(after[0, j]), float(difference.error[j])
