"""What does the model get right, of all that has been measured, and what is that worth?

Question: which of the facts do the simulated customers reproduce, with the presets as they are shipped, and which of
these say something: are not made so, not fitted, no theorem, and would miss if the numbers were others?
Design: each preset is simulated once and read by every fact that asks for it; differences are of twins, same draws.
Classes by the rules of sim/facts/classes.py, power from conf/facts_power.yaml (experiments/fact_power.py).
`--fast` simulates 10,000 people a run instead of 40,000; `--seed=N` another seed; numbers (`3 22`) check those facts;
`--stable` compares the verdicts of four seeds; `--update` keeps what was found, of the
facts checked, in conf/facts_found.yaml.
Reading: each quantity with its standard error beside its limits, and its margin in standard errors. A fact holds when
all of its quantities lie within by two or more, misses when one lies outside by two, and is else undecided.
"""

import sys

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.facts import classes, power, record, scoreboard, theorems
from sim.facts.runs import RunCache
from sim.report import figures
from sim.report.experiment import keep

FAST, FULL = 10_000, 40_000  # people a run
COLORS = {scoreboard.HOLDS: figures.MARK, scoreboard.MISSES: figures.FOCUS, scoreboard.UNDECIDED: figures.INK}


def place(row: pd.Series, value: float) -> float:
    """Where a value lies: 0 at the lower limit, 1 at the upper; with one limit, its own size is the unit."""
    width = row.high - row.low if np.isfinite(row.high - row.low) else max(abs(row.value), 1e-9)
    at = (value - row.low) / width if np.isfinite(row.low) else 1 + (value - row.high) / width
    return float(np.clip(at, -0.6, 1.6))


def draw(table: pd.DataFrame) -> Figure:
    """Every fact on a line of its own, a panel a class: each quantity as a mark between its limits, or beyond them."""
    measured = table[table.verdict != classes.NOT_MODELED]
    groups = [(name, rows) for name in classes.CLASSES if len(rows := measured[measured["class"] == name])]
    sizes = [rows.fact.nunique() for _, rows in groups]
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(9, 0.19 * sum(sizes) + 0.7 * len(groups) + 1), layout="constrained")
        panels = figure.subplots(len(groups), sharex=True, squeeze=False, height_ratios=[n + 2 for n in sizes])[:, 0]
        for axes, (name, rows) in zip(panels, groups, strict=True):
            _draw_class(axes, name, rows)
        panels[-1].set(xticks=[0, 1], xticklabels=["lower limit", "upper limit"], xlim=(-0.7, 1.7))
        whole = measured.drop_duplicates("fact").verdict.value_counts()
        said = ", ".join(f"{whole.get(v, 0)} {v}" for v in COLORS)
        figure.suptitle(f"What was measured (gray) and what is simulated: {said}", fontsize=11)
    return figure


def _draw_class(axes: Axes, name: str, rows: pd.DataFrame) -> None:
    numbers = sorted(rows.fact.unique(), reverse=True)
    axes.axvspan(0, 1, color=figures.REST, alpha=0.25, linewidth=0)
    for row in rows.itertuples():
        y, color = numbers.index(row.fact), COLORS[row.verdict]
        reach = figures.INTERVAL * np.nan_to_num(row.error)
        axes.plot([place(row, row.value + side * reach) for side in (-1, 1)], [y, y], color=color, linewidth=1.2)
        strong = row.power > power.SOME
        axes.plot(place(row, row.value), y, "D" if strong else "o", color=color, markersize=4)
    axes.set_yticks(range(len(numbers)), [f"#{n}" for n in numbers], fontsize=6)
    hold = rows[rows.verdict == scoreboard.HOLDS].fact.nunique()
    title = f"{name}: {hold} of {len(numbers)} hold (diamonds: power above {power.SOME:g})"
    axes.set(ylim=(-1, len(numbers)))
    axes.set_title(title, fontsize=9, loc="left")


def main(people: int = FULL, seed: int = 1, numbers: list[int] | None = None, update: bool = False) -> pd.DataFrame:
    runs = RunCache(people, seed)
    known = record.known_theorems() if numbers else theorems.theorems(runs)
    table = scoreboard.table(scoreboard.check(runs, numbers), known, power.shipped())
    for name in (*classes.CLASSES, classes.NOT_MODELED):
        rows = table[table["class"] == name]
        if len(rows) and (not numbers or name != classes.NOT_MODELED):
            print(f"\n== {name}: {rows.fact.nunique()} ==\n{scoreboard.as_text(rows, numbers)}")
    if update:
        record.keep_found(table, people, seed)
    if not numbers:
        print(f"\n{record.counts(table)}")
        keep("facts", table, draw(table), finding=[record.sentence(table)])
    return table


def stable(people: int, numbers: list[int] | None = None) -> pd.DataFrame:
    """Verdicts by fact and seed; printed are those that depend on the seed."""
    by_seed = {seed: scoreboard.verdicts(scoreboard.check(RunCache(people, seed), numbers)) for seed in (1, 2, 3, 4)}
    table = pd.DataFrame(by_seed).rename_axis(index="fact", columns="seed")
    changing = table[table.nunique(axis=1) > 1]
    print(f"{len(table) - len(changing)} of {len(table)} verdicts are the same with every seed")
    print(changing.to_string() if len(changing) else "")
    return table


if __name__ == "__main__":
    options = [a for a in sys.argv[1:] if a.startswith("--")]
    seeds = [int(a.split("=")[1]) for a in options if a.startswith("--seed=")]
    asked = [int(a) for a in sys.argv[1:] if a.isdigit()]
    size = FAST if "--fast" in options else FULL
    if "--stable" in options:
        stable(size, asked or None)
    else:
        main(size, *(seeds or [1]), asked or None, "--update" in options)
