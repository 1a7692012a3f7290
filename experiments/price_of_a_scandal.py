"""What is the price of a scandal: which price rise would do the same damage, and which cut would win it back?

Question: how much share does a bank lose by a data breach, how far would its price have to rise for the same loss, and
how far to fall, from the week after, for its share to be that of the same people without the breach?
Design: `bank`, 5 % on the price at a time without the breach, and off it with the breach, from the week after the
breach to the end; the same people and draws in all arms and the control. The rise and the cut at which the difference
is zero by a straight line between neighbors, in each replication.
Reading: `difference` is of the share against neither breach nor price, paired, in points; `price` is in % of its own.
"""

import numpy as np
import pandas as pd

from sim import study
from sim.report import figures
from sim.report.experiment import keep, play, said

FAST = {"people": 300, "replications": 2}
WEEK, SHORT = 26, ("market=bank", "weeks=104", "burn_in=26", "window=26")
BREACH = {"scandals.breach": {"kind": "privacy", "week": WEEK, "severity": 3.0, "action": 3.0}}
STEPS = tuple(n / 20 for n in range(9))  # of the price, 0 to .4
ARMS = {"breach, price cut": (-1, BREACH), "price rise alone": (1, {})}  # the sign of the step, and what else happens
SAME, BACK = "would do the same damage", "would make up for it"


def crossing(gaps: np.ndarray) -> float:
    """The first step at which a difference that began below zero is zero; nan where none of them reaches it."""
    if gaps[0] >= 0:
        return 0.0
    above = np.flatnonzero(gaps >= 0)
    if not len(above):
        return float("nan")
    n = above[0]
    return float(STEPS[n - 1] + (STEPS[n] - STEPS[n - 1]) * gaps[n - 1] / (gaps[n - 1] - gaps[n]))


def finding(table: pd.DataFrame, steps: dict[str, np.ndarray], weeks: int) -> list[str]:
    """What the breach costs, and the rise and the cut that are worth as much."""
    lost = table[(table["arm"] == "breach, price cut") & (table["price"] == 0)].iloc[0]
    lines = [f"the breach alone changes the share of {weeks} weeks by {said(lost['value'], lost['error'])}."]
    for (what, found), change in zip(steps.items(), ("more", "less"), strict=True):
        known = 100 * found[np.isfinite(found)]
        if len(known) == len(found):
            error = known.std(ddof=1) / np.sqrt(len(known))
            lines.append(f"a price that is {known.mean():.0f} ± {error:.0f} % {change} {what}.")
        else:
            many = f"{len(found) - len(known)} of {len(found)} replications"
            lines.append(f"in {many} no price up to {STEPS[-1]:.0%} {change} {what}.")
    return lines


def main(people: int = 4_000, replications: int = 12) -> pd.DataFrame:
    base = study.scenario(*SHORT, f"people={people}")
    focus, marks = base.focus, list[tuple[str, float]]()
    arms: dict[str, dict[str, object]] = {"neither": {}}
    for arm, (sign, happens) in ARMS.items():
        for step in STEPS:
            value = base.firms[focus].price * (1 + sign * step)
            move = {"moves.price": {"firm": focus, "lever": "price", "week": WEEK + 1, "value": value}}
            if step or happens:
                arms[f"{arm} {step}"] = {**happens, **(move if step else {})}
                marks.append((arm, 0.0 + 100 * sign * step))
    column = f"share.{focus}"
    runs = study.run(base, study.named(arms), metrics=["share"], replications=replications)
    table = study.paired(runs, "scenario", "neither", column)
    table = table.assign(**pd.DataFrame(marks, columns=["arm", "price"]))
    table = table.assign(value=100 * table["difference"], error=100 * table["error"])
    wide = runs.pivot(index="replication", columns="scenario", values=column)
    cut, rise = (np.array([wide.get(f"{arm} {s}", wide["neither"]) for s in STEPS]).T for arm in ARMS)
    same = np.array([crossing(row) for row in cut[:, :1] - rise])
    back = np.array([crossing(row) for row in cut - wide["neither"].to_numpy()[:, None]])
    print(table[["arm", "price", "value", "error"]].to_string(index=False))
    figure = figures.curves(
        table,
        "price",
        ["arm"],
        title="What a breach costs, and what a price does",
        labels=("change of the price, %", "change of the share, points"),
    )
    found = finding(table, {SAME: same, BACK: back}, base.weeks)
    keep("price_of_a_scandal", table, figure, finding=found)
    return table


if __name__ == "__main__":
    play(main, FAST)
