"""Negative control: with rows shuffled within households there is no habit. Is none found?

    python experiments/negative_control.py PANEL.csv [PANEL.csv ...]

Question: does the estimator take taste for habit?
Design: whole rows (choice, prices, promotions) are shuffled within each household five times, and the choice rule with
habit is fitted each time. Tastes stay as they were; the order of purchases, and so habit, is gone.
Reading: weight of habit in standard errors (less than 2.5), and what it adds to the repeat rate (less than .015),
as means over the shuffles. Exit status 1 if a panel fails.
"""

import sys
from pathlib import Path

from sim.calibration.habit import MOST_ADDED, MOST_ERRORS, Control, with_control
from sim.calibration.market import prepared
from sim.panel import PanelError, read


def main(path: str, percent: int = 100) -> Control:
    """Print the control of a panel. `percent` of the full length of the sampler."""
    choices = prepared(read(path))[0]
    control = with_control(choices, (), 1, lambda what, done: None, percent / 100)[1]
    print(f"\n{Path(path).stem}: {len(choices.y):,} purchases of {len(choices.households):,} households")
    for k, habit in enumerate(control.each, 1):
        print(f"shuffle {k}: weight {habit.weight:+.3f} ± {habit.error:.3f}, repeat rate {habit.added:+.4f}")
    mean = control.mean
    print(
        f"{'PASS' if control.passed else 'FAIL'}  mean: weight {mean.weight:+.3f} ± {mean.error:.3f} "
        f"(|t| {abs(mean.weight) / mean.error:.1f}, at most {MOST_ERRORS}); "
        f"repeat rate {mean.added:+.4f} (at most {MOST_ADDED})"
    )
    return control


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        sys.exit(0 if all([*(main(path).passed for path in sys.argv[1:])]) else 1)
    except PanelError as error:
        sys.exit(str(error))
