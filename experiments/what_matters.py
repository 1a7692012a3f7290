"""Which of all the numbers that nobody knows exactly matter?

Question: for a bank's stickiness, and for what a data breach costs it, which free numbers decide, and are the dice
small beside them?
Design: `bank`, every number with a prior varied over it (presence held). Morris's screening with the same people and
draws at all points, in 2 replications; then Sobol's indices of the numbers that it names for the stickiness, the others
as they are.
Reading: `value` of morris is the mean size of the change when a number goes from its 5 % to its 95 % quantile; of sobol
the share of the variance that would be left if all else were known. `error` is over the points, `error_dice` over the
replications.
"""

import pandas as pd

from sim import study
from sim.report import figures
from sim.report.experiment import keep, play

FAST = {"people": 200, "points": 4, "sobol_points": 4}
BREACH = {"scandals.breach": {"kind": "privacy", "week": 26, "severity": 3.0, "action": 3.0}}
SHORT = ("market=bank", "weeks=78", "burn_in=26", "window=26")
KEPT, NAMED = 6, 5  # numbers that Sobol's indices are of, and that a finding names
MUCH = 0.1  # of what the largest does, above which a number is counted


def finding(table: pd.DataFrame, dice: pd.DataFrame) -> list[str]:
    """The largest of each question with their errors, and how large the dice are beside the numbers."""
    lines = []
    for (question, method), rows in table.groupby(["question", "method"], sort=False):
        top = rows.sort_values("value", ascending=False, kind="stable").head(NAMED)
        text = ", ".join(f"{r.path} {r.value:.3g} ± {r.error:.2g}" for r in top.itertuples())
        much = (rows["value"] > MUCH * rows["value"].max()).sum()
        spread = dice[(dice["question"] == question) & (dice["method"] == method)].iloc[0]
        sizes = f"standard deviation {spread['parameters']:.3g} of the numbers, {spread['dice']:.3g} of the dice"
        most = f"{much} of {len(rows)} numbers do more than {MUCH:.0%} of what the first does"
        lines.append(f"{question}, {method}: {text}; {most}; {sizes}.")
    return lines


def main(people: int = 2_000, points: int = 12, sobol_points: int = 64) -> pd.DataFrame:
    base = study.scenario(*SHORT, f"people={people}")
    focus = base.focus
    asked = {"stickiness": (f"stickiness.{focus}", None), "loss after a breach": (f"share.{focus}", BREACH)}
    tables, dice = [], []
    for question, (column, happens) in asked.items():
        found = study.sensitivity(base, [column], change=happens, points=points)
        results = [found]
        if happens is None:
            results.append(study.sensitivity(base, [column], "sobol", paths=found.largest(KEPT), points=sobol_points))
        for one in results:
            tables.append(one.table.assign(question=question, method=one.method))
            dice.append(one.dice.assign(question=question, method=one.method))
    table, spread = pd.concat(tables, ignore_index=True), pd.concat(dice, ignore_index=True)
    print(spread.to_string(index=False))
    shown = table[table["method"] == "morris"]
    top = shown.sort_values("value", ascending=False).groupby("question").head(12)
    figure = figures.dots(
        top, "path", panel="question", title="Which numbers matter", label="change from 5 % to 95 %, 95 %"
    )
    keep("what_matters", table, figure, finding=finding(table, spread))
    return table


if __name__ == "__main__":
    play(main, FAST)
