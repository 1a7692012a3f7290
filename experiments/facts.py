"""What does the model get right, of all that has been measured?

Question: which of the 77 facts do the simulated customers reproduce, with the presets as they are shipped?
Design: each preset is lived once and read by every fact that asks for it; differences are of twins on the same draws.
`--fast` lives 10,000 people a world instead of 40,000; `--seed=N` another seed; numbers (`3 22`) check those facts;
`--stable` compares the verdicts of four seeds.
Reading: each quantity with its standard error beside its limits; a fact holds when all of its quantities lie within.
Finding: 69 of the 74 that can be checked hold, 26 of the 28 held out, and every verdict is the same with four seeds,
in the fast form and in the full one. Five miss. #37, held out: of those whose own data were taken 4.4 % leave, not 5
to 15. #62: bad word moves people by a twelfth more than good word, not less: where a word matters the firm is
remembered above the middle, so that bad word lies further from what is remembered. #69: one bad visit makes hardly
anybody leave a provider, since it wakes nobody's attention, and too few of the customers of a shop say that they
would. #70: share answers to worse and to better quality alike, since expectation follows either. #77, held out: an
anchor makes a fall hurt more, by 26 to 29 % instead of 30 and more.
"""

import sys

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim.facts import scoreboard
from sim.facts.markets import Worlds
from sim.report import figures
from sim.report.experiment import keep

FAST, FULL = 10_000, 40_000  # people a world
COLORS = {scoreboard.HOLDS: figures.MARK, scoreboard.MISSES: figures.FOCUS}


def place(row: pd.Series, value: float) -> float:
    """Where a value lies: 0 at the lower limit, 1 at the upper; with one limit, its own size is the unit."""
    width = row.high - row.low if np.isfinite(row.high - row.low) else max(abs(row.value), 1e-9)
    at = (value - row.low) / width if np.isfinite(row.low) else 1 + (value - row.high) / width
    return float(np.clip(at, -0.6, 1.6))


def draw(table: pd.DataFrame) -> Figure:
    """Every fact on a line of its own: each quantity as a mark between its limits, or beyond them."""
    measured = table[table.verdict != scoreboard.NOT_MODELLED]
    numbers = sorted(measured.fact.unique(), reverse=True)
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(9, 0.19 * len(numbers) + 1.6), layout="constrained")
        axes = figure.subplots()
        axes.axvspan(0, 1, color=figures.REST, alpha=0.25, linewidth=0)
        for row in measured.itertuples():
            y, color = numbers.index(row.fact), COLORS[row.verdict]
            reach = figures.INTERVAL * np.nan_to_num(row.error)
            ends = [place(row, row.value + side * reach) for side in (-1, 1)]
            axes.plot(ends, [y, y], color=color, linewidth=1.2)
            axes.plot(place(row, row.value), y, "o" if not row.held_out else "D", color=color, markersize=4)
        axes.set_yticks(range(len(numbers)), [f"#{n}" for n in numbers], fontsize=6)
        axes.set(xticks=[0, 1], xticklabels=["lower limit", "upper limit"], xlim=(-0.7, 1.7), ylim=(-1, len(numbers)))
        axes.set(title="What was measured (gray) and what is simulated; held out: diamonds; orange misses")
    return figure


def main(people: int = FULL, seed: int = 1, numbers: list[int] | None = None) -> pd.DataFrame:
    table = scoreboard.table(scoreboard.check(Worlds(people, seed), numbers))
    print(scoreboard.says(table, numbers))
    keep("facts", table, draw(table))
    return table


def stable(people: int, numbers: list[int] | None = None) -> pd.DataFrame:
    """Verdicts by fact and seed; printed are those that depend on the dice."""
    by_seed = {seed: scoreboard.verdicts(scoreboard.check(Worlds(people, seed), numbers)) for seed in (1, 2, 3, 4)}
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
        main(size, *(seeds or [1]), asked or None)
