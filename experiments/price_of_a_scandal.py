"""What is the price of a scandal: which price cut would have done the same damage, and which would win it back?

Question: how many customer-weeks does a bank lose by a data breach, and how far would its price have to fall, from the
week after, for its share to be that of the same people without the breach?
Design: `bank`, 2 % off the price at a time from the week after the breach to the end, the same people and draws in all
arms and the control; the cut that makes the difference zero by a straight line between neighbors, in each replication.
Reading: `difference` is of the share, breach and cut against neither, paired; `price` is 1 for the category's average.
"""

import numpy as np
import pandas as pd

from sim import study
from sim.report import figures
from sim.report.experiment import keep, play, said

FAST = {"people": 300, "replications": 2}
WEEK, SHORT = 26, ("market=bank", "weeks=104", "burn_in=26", "window=26")
BREACH = {"scandals.breach": {"kind": "privacy", "week": WEEK, "severity": 3.0, "action": 3.0}}
CUTS = (0.0, 0.02, 0.04, 0.06, 0.1, 0.15)


def crossing(cuts: np.ndarray, gaps: np.ndarray) -> float:
    """The first cut at which a difference that began below zero is zero; nan where none of them reaches it."""
    if gaps[0] >= 0:
        return 0.0
    above = np.flatnonzero(gaps >= 0)
    if not len(above):
        return float("nan")
    n = above[0]
    return float(cuts[n - 1] + (cuts[n] - cuts[n - 1]) * gaps[n - 1] / (gaps[n - 1] - gaps[n]))


def finding(table: pd.DataFrame, cuts: np.ndarray, weeks: int) -> list[str]:
    known, lost = cuts[np.isfinite(cuts)], table.iloc[0]
    first = f"the breach alone changes the share by {said(100 * lost['difference'], 100 * lost['error'])}."
    if len(known) == len(cuts):
        mean, error = 100 * known.mean(), 100 * known.std(ddof=1) / np.sqrt(len(known))
        return [first, f"it is made up for, over {weeks} weeks, by {mean:.1f} ± {error:.1f} % off the price."]
    many = len(cuts) - len(known)
    return [first, f"in {many} of {len(cuts)} replications {CUTS[-1]:.0%} off does not make up for it."]


def main(people: int = 4_000, replications: int = 12) -> pd.DataFrame:
    base = study.scenario(*SHORT, f"people={people}")
    focus, arms = base.focus, {"neither": {}}
    price = base.firms[focus].price
    for cut in CUTS:
        move = {"firm": focus, "lever": "price", "week": WEEK + 1, "value": price * (1 - cut)}
        arms[f"{cut}"] = {**BREACH, **({"moves.cut": move} if cut else {})}
    column = f"share.{focus}"
    runs = study.run(base, study.named(arms), metrics=["share"], replications=replications)
    table = study.paired(runs, "scenario", "neither", column)
    table = table.assign(firm=focus, cut=table["scenario"].astype(float), value=table["difference"])
    wide = runs.pivot(index="replication", columns="scenario", values=column)
    gaps = np.array([wide[f"{cut}"] - wide["neither"] for cut in CUTS]).T
    cuts = np.array([crossing(np.array(CUTS), row) for row in gaps])
    print(table[["cut", "difference", "error", "low", "high"]].to_string(index=False))
    figure = figures.curves(
        table,
        "cut",
        ["firm"],
        title="What a price cut wins back after a breach",
        labels=("share of the price taken off", "share, against neither"),
    )
    keep("price_of_a_scandal", table, figure, finding=finding(table, cuts, base.weeks - WEEK))
    return table


if __name__ == "__main__":
    play(main, FAST)
