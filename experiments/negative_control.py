"""Negative control: with rows shuffled within households there is no habit. Is none found?

    python experiments/negative_control.py PANEL.csv [PANEL.csv ...]

Question: does the estimator take taste for habit?
Design: whole rows (choice, prices, promotions) are shuffled within each household twenty times, and the choice rule
with habit is fitted each time, by chains of half the usual length. Tastes stay as they were; the order of purchases,
and so habit, is gone.
Reading: weight of habit in standard errors (less than 2.5), and what it adds to the repeat rate (less than .015),
as means over the shuffles: each holds, or misses, by two standard errors, or is undecided. The errors of the means are
of the order of rows, of the sampler and of the free runs, not of the households. Exit status 1 unless all hold.
Finding: on the three open scanner panels twenty shuffles hold, each in both: the weight of habit is -.026 ± .030 in
yogurt, -.037 ± .026 in cracker and -.009 ± .031 in catsup, and it adds -.0020 ± .0027, -.0025 ± .0022 and
-.0002 ± .0028 to the repeat rate. So what is found in the order of purchases is told by their order. With tastes, not
utility at rest, normal over households it was +.236 ± .034 and +.0195 ± .0028 in cracker: habit made up for households
who lie further apart than a normal. With chances at rest taken at usual prices and promotions, not at the household's
own, it is +.184 ± .039 and +.0167 ± .0033 in catsup: those chances are sharper than the mean of what happens.
"""

import sys
from pathlib import Path

from sim.calibration.habit import MOST_ADDED, MOST_ERRORS, Control, control_of
from sim.calibration.market import prepared
from sim.facts.scoreboard import HOLDS
from sim.panel import PanelError, read


def main(path: str, percent: int = 50, shuffles: int = 20) -> Control:
    """Print the control of a panel. `percent` of the full length of the sampler."""
    choices = prepared(read(path))[0]
    control = control_of(choices, 1, lambda what, done: None, percent / 100, shuffles)
    print(f"\n{Path(path).stem}: {len(choices.y):,} purchases of {len(choices.households):,} households")
    for k, habit in enumerate(control.each, 1):
        print(f"shuffle {k}: weight {habit.weight:+.3f} ± {habit.error:.3f}, repeat rate {habit.added:+.4f}")
    mean, (weight, added), verdicts = control.mean, control.spread, control.verdicts
    print(
        f"mean weight {mean.weight:+.3f} ± {weight:.3f} (of a shuffle ± {mean.error:.3f}), so "
        f"{abs(mean.weight) / mean.error:.1f} ± {weight / mean.error:.1f} errors, at most {MOST_ERRORS}: {verdicts[0]}"
    )
    print(
        f"mean of what it adds to the repeat rate {mean.added:+.4f} ± {added:.4f}, at most {MOST_ADDED}: {verdicts[1]}"
    )
    return control


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        sys.exit(0 if all([*(main(path).verdict == HOLDS for path in sys.argv[1:])]) else 1)
    except PanelError as error:
        sys.exit(str(error))
