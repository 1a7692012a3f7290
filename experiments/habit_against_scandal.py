"""Does habit protect a firm from a scandal?

Question: how many customers does a data breach cost, the stronger or weaker the habits of the market are?
Design: `bank` with a breach at the focus in week 26, severity 0 (the twin), 1.2 and 3, times habit and state
dependence of 0, 1 and 2 times the category's; the same people with the same draws in every arm, presence solved once.
Reading: change of the focus's share over the two years, in points, paired with the twin replication by replication.
Finding: habit protects, and more against a small scandal than a large one: with twice the category's habit the loss of
share is about half of that without habit at severity 1.2, and about two thirds at severity 3 (20,000 people, 8
replications). Either way it is a few tenths of a per cent of the base: most customers never get round to leaving.
"""

import pandas as pd

from sim import figures, study
from sim.scenario import change

FAST = {"people": 500, "replications": 2}
SEVERITY = "scandals.data_breach.severity"


def main(people: int = 10_000, replications: int = 6) -> pd.DataFrame:
    base = study.scenario("market=bank", "scandal=data_breach", f"people={people}")
    base = change(base, {"weeks": 104, "window": 52})
    column = f"share.{base.focus}"
    rows = []
    for strength in (0.0, 1.0, 2.0):
        habit = {f"consumer.{n}": strength * getattr(base.consumer, n) for n in ("habit_weight", "state_dependence")}
        table = study.sweep(change(base, habit), {SEVERITY: [0.0, 1.2, 3.0]}, replications=replications)
        effect = study.paired(table, SEVERITY, 0.0, column)
        rows.append(effect.assign(habit=strength))
    found = pd.concat(rows, ignore_index=True).rename(columns={"difference": "share_lost", "error": "share_lost.error"})
    found[["share_lost", "share_lost.error"]] *= 100
    print(f"Change of the share of {base.focus}, in points, against the same people without the breach")
    print(found.round(3).to_string(index=False))
    labels = ("habit and state dependence, times the category's", "change of share after the breach, points")
    figure = figures.sweep(found, "habit", "share_lost", [SEVERITY], title="Habit protects", labels=labels)
    study.keep("habit_against_scandal", found, figure)
    return found


if __name__ == "__main__":
    study.play(main, FAST)
