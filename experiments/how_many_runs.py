"""How many people and replications does a question need?

Question: `study.plan` says how many people and replications bring a paired difference within a half width of the true
one. Is it right as often as it says, 95 % of the time, and what do shared draws save?
Design: three questions of two markets, each planned anew and asked as planned, `replications` times with other draws
(seeds). The true difference is that of 40 pairs of runs with 20 times the people of the pilot, on draws of their own.
Reading: `right` is the share of studies whose estimate is within the half width, and its error; it should be .93 to
.97. `people` is what was planned on average (in 16 replications), `unpaired` what it would take without shared draws.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim import change, study
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study.planning import CONFIDENCE
from sim.study.runs import run

FAST = {"people": 500, "replications": 3}
SHORT = ("weeks=26", "burn_in=13", "window=13")
QUESTIONS = {  # market: change, column, half width
    "price of toothpaste": (("market=toothpaste_uk",), {"firms.colgate.price": 0.9}, "share.colgate", 0.0015),
    "quality of toothpaste": (("market=toothpaste_uk",), {"firms.colgate.quality": 0.5}, "stickiness.colgate", 0.008),
    "breach of a bank": (
        ("market=bank",),
        {"scandals.breach": {"firm": "lloyds", "week": 4, "kind": "privacy", "severity": 3.0, "action": 3.0}},
        "share.lloyds",
        0.0008,
    ),
}
TRUE, TIMES = 40, 20  # pairs of runs for the true difference, and how many times as many people they have


def difference(base, changes, column, people, replications):
    """The paired difference of a column and its error, with so many people and replications."""
    metric = column.partition(".")[0]
    arms = study.named({"control": {}, "arm": changes})
    table = run(change(base, {"people": people}), arms, metrics=[metric], replications=replications, quiet=True)
    return study.paired(table, "scenario", "control", column).iloc[0]


def finding(table: pd.DataFrame) -> list[str]:
    """How often a plan was right, and how many people it takes, by question."""
    return [
        f"{r.question}: right in {r.right:.3f} ± {r.error:.3f} of studies of {r.people:.0f} people a run; "
        f"without shared draws {r.unpaired / r.people:.0f} times as many."
        for r in table.rename(columns={"right.error": "error"}).itertuples()
    ]


def draw(table: pd.DataFrame) -> Figure:
    """How far each question is from the 95 % that a plan is right."""
    shown = table.assign(value=100 * (table["right"] - CONFIDENCE), error=100 * table["right.error"])
    label = f"studies within the half width, less {CONFIDENCE:.0%}, points, 95 %"
    return figures.dots(shown, "question", title="A plan is right as often as it says", label=label)


def main(people: int = 2000, replications: int = 300) -> pd.DataFrame:
    rows = []
    for name, (overrides, changes, column, half_width) in QUESTIONS.items():
        base = study.scenario(*overrides, *SHORT, f"people={people}")
        true = difference(change(base, {"seed": 2**30}), changes, column, TIMES * people, TRUE)
        right, plans = [], []
        for n in range(replications):
            ours = change(base, {"seed": n + 1})
            plans.append(study.plan(ours, changes, column, half_width, quiet=True))
            found = difference(ours, changes, column, plans[-1].people, plans[-1].replications)
            right.append(abs(found["difference"] - true["difference"]) <= half_width)
        share = np.mean(right)
        rows.append(
            {
                "question": name,
                "column": column,
                "half_width": half_width,
                "true": true["difference"],
                "true.error": true["error"],
                "right": share,
                "right.error": np.sqrt(max(share * (1 - share), 0.25 / len(right)) / len(right)),
                "people": np.mean([p.people for p in plans]),
                "runs": np.mean([p.replications for p in plans]),
                "unpaired": np.mean([p.unpaired for p in plans]),
            }
        )
        print(pd.DataFrame(rows[-1:]).round(4).to_string(index=False, header=len(rows) == 1), flush=True)
    table = pd.DataFrame(rows)
    keep("how_many_runs", table, draw(table), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
