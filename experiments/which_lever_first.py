"""Which lever first, if a bank can pay for one and a half of them?

Question: four levers at the same cost each (what they really cost only the firm knows): how much of which raises a
bank's share most, how much of the gain on the draws of the search is left on fresh ones, and does the order hold in
other plausible worlds?
Design: `bank`, `study.best` with association, simplify, no_regret and service_anchor at 100 each, a budget of 150, in
quarters of a lever; shared draws in the search, fresh ones to confirm, worlds drawn from all priors (presence held).
Reading: `gain` is of the share, on fresh draws, with its standard error; `behind` how far a plan is behind the best.
"""

import pandas as pd

from sim import study
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.study.optimum import Best

FAST = {"people": 200, "trials": 10, "worlds": 3}
LEVERS = ("association", "simplify", "no_regret", "service_anchor")
COST, BUDGET = 100.0, 150.0  # of each lever, and in all: set by the user, in any unit
SHORT = ("market=bank", "weeks=130", "burn_in=26", "window=26")


def finding(found: Best) -> list[str]:
    """The best plan and what is left of its gain; the order of levers alone, and in how many worlds each is first."""
    alone = found.confirmed[(found.confirmed[list(LEVERS)] > 0).sum(axis=1) == 1].sort_values("gain", ascending=False)
    order = [
        f"{row[list(LEVERS)].astype(float).idxmax()} {said(100 * row['gain'], 100 * row['error'])}"
        for _, row in alone.iterrows()
    ]
    worlds = found.worlds
    lines = [
        "the best plan is " + ", ".join(f"{dose:.0%} of {name}" for name, dose in found.plan.items() if dose) + ".",
        f"on the draws of the search it gains {said(100 * found.searched.value, 100 * found.searched.error)} of share, "
        f"on fresh ones {said(100 * found.gain.value, 100 * found.gain.error)}.",
        f"one lever alone, on fresh draws: {'; '.join(order)}.",
    ]
    if len(worlds):
        first = worlds[[f"alone.{name}" for name in LEVERS]].idxmax(axis=1).value_counts()
        firsts = ", ".join(f"{name.removeprefix('alone.')} in {n}" for name, n in first.items())
        behind = 100 * (worlds["best_other"] - worlds["gain"]).clip(lower=0).mean()
        better = f"of {len(worlds)} plausible worlds it is better than nothing in {(worlds['gain'] > 0).sum()}"
        lines.append(f"{better}, and {behind:.2f} points behind the best confirmed plan of each on average.")
        lines.append(f"alone, in these worlds, the first is {firsts}.")
    return lines


def main(people: int = 2_000, trials: int = 48, worlds: int = 16) -> pd.DataFrame:
    base = study.scenario(*SHORT, f"people={people}")
    costs = dict.fromkeys(LEVERS, COST)
    found = study.best(base, base.focus, LEVERS, costs, BUDGET, trials=trials, worlds=worlds)
    print(f"{found}\n\n{found.confirmed.to_string(index=False)}\n\n{found.margin.to_string(index=False)}")
    keep("which_lever_first", found.confirmed, figures.best(found), finding=finding(found))
    return found.confirmed


if __name__ == "__main__":
    play(main, FAST)
