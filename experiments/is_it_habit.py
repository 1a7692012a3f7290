"""Is it habit or taste, in a purchase panel of yours?

    python experiments/is_it_habit.py PANEL.csv [panel.NAME=VALUE ...]

Question: people buy again what they bought before. Is it because they did (habit), or because they like it (taste)?
Design: the simulator's choice rule with habit is fitted to the panel, households differing in tastes and price weights.
How households began is not known, so it is fitted twice: between market shares and where each rests, or given the first
(Wooldridge 2005). The control shuffles the rows within each household, five times: what is then found is no habit.
Reading: weight of habit, and how many points of the repeat rate vanish when habit is switched off in free runs.
"""

import sys
from pathlib import Path

import numpy as np

from sim.calibration.choices import Choices
from sim.calibration.habit import BEGINNINGS, MOST_ERRORS, SHUFFLES, Control, Habit, control_of, estimates
from sim.calibration.market import prepared
from sim.facts.scoreboard import MISSES, UNDECIDED
from sim.panel import PanelError, read
from sim.panel.options import parse


def row(name: str, habit: Habit) -> str:
    """A line of the table."""
    added = f"{habit.added:+8.3f} ± {habit.added_error:.3f}" if np.isfinite(habit.added) else ""
    return f"{name:<44}{habit.weight:7.2f} ± {habit.error:.2f} {added:>18}"


def finding(found: dict[str, Habit], control: Control, observed: float) -> str:
    """A sentence that the errors allow."""
    if control.verdict == MISSES:
        return (
            f"the control finds habit where there is none ({control.mean.weight:.2f} ± {control.mean.error:.2f}), so "
            "this panel does not tell habit from taste"
        )
    least = min(found.values(), key=lambda h: h.weight / h.error)
    if least.weight < MOST_ERRORS * least.error:
        return "habit is not told from none: repeat buying here may be taste alone"
    share = found["simulator"].added
    unsure = f"; {SHUFFLES} shuffles do not tell whether the control holds" if control.verdict == UNDECIDED else ""
    return (
        f"both: habit holds {100 * share:.0f} of the {100 * observed:.0f} points of the repeat rate, by free runs "
        f"without it; {100 * (observed - share):.0f} remain with tastes, prices and chance{unsure}"
    )


def measured(choices: Choices, part: float = 1.0) -> tuple[dict[str, Habit], Control, float]:
    """(habit by how households are taken to begin, the control, the observed repeat rate)."""
    variants = tuple(n for n in BEGINNINGS if n == "simulator" or (np.diff(choices.start) > 1).any())
    later = np.flatnonzero(choices.nth > 0)
    observed = float((choices.y[later] == choices.y[later - 1]).mean())
    found = estimates({"as it is": choices}, variants, 1, lambda what, done: None, part)
    control = control_of(choices, 1, lambda what, done: None, part)
    return {variant: habit for (_, variant), habit in found.items()}, control, observed


def main(path: str, options: list[str], percent: int = 100) -> str:
    """Print the figures of a panel; returns the finding. `percent` of the full length of the sampler."""
    choices, *_, about = prepared(read(path, options=parse(options)))
    print(f"{Path(path).stem}: {len(choices.households):,} households, {len(choices.y):,} purchases", *about, sep="\n")
    found, control, observed = measured(choices, percent / 100)
    print(f"repeat rate: {observed:.3f}\n\n{'':<44}{'weight, logit':>14} {'repeat rate':>18}")
    for name, habit in found.items():
        print(row(BEGINNINGS[name], habit))
    print(row(f"rows shuffled within household, mean of {SHUFFLES}", control.mean))
    said = finding(found, control, observed)
    print(f"\nFinding: {said}.")
    return said


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        main(sys.argv[1], sys.argv[2:])
    except PanelError as error:
        sys.exit(str(error))
