"""One wrong step and your customer is gone?

Question: how many customers does one moral scandal cost, the more severe it is, the more it is amplified, and the more
ethical consumers there are?
Design: shops (`retail_us`, the focus Target, free to leave) and banks (`bank`, Lloyds) with a moral scandal after half
a year: severity .75, 1.5 and 3 logit; not passed on, or passed on to .9 others by everyone who hears; 3, 12 or 60 % of
the people ethical. Each against the same people without the scandal.
Reading: of those who were its customers when the news broke, how many are elsewhere at the end because of it, less
those who are there because of it; in a year and a half, with paired errors.
Finding: to be measured.
"""

from itertools import product

import pandas as pd

from sim import figures, study
from sim.twins import twins

FAST = {"people": 300, "replications": 1}
MARKETS = {"retail_us": ("target", "Shops: free to leave"), "bank": ("lloyds", "Banks: one until left")}
SEVERITY, AMPLIFIED, ETHICAL = (0.75, 1.5, 3.0), (0.0, 0.9), (3, 12, 60)
COLUMNS = ["market", "severity", "told on", "ethical", "value", "error"]


def main(people: int = 4_000, replications: int = 2) -> pd.DataFrame:
    rows = []
    for market, (focus, words) in MARKETS.items():
        size = f"people={people}", f"replications={replications}", "weeks=104", f"focus={focus}"
        for percent in ETHICAL:
            weights = f"segments.ethical.weight={88 * percent / (100 - percent)}"  # the other two weigh 88 together
            base = study.scenario(f"market={market}", weights, *size)
            for severity, told in product(SEVERITY, AMPLIFIED):
                step = {"firm": focus, "week": 26, "kind": "ethics", "severity": severity, "contagion": told}
                fates = twins(base, {"scandals.step": step}).people()
                here = fates[fates.firm == focus]
                lost = (here.fate == "leaves_because").astype(float) - (here.fate == "stays_because")
                rows.append((words, severity, told, percent, 100 * lost.mean(), 100 * lost.sem()))
        print(f"{words}: done", flush=True)
    table = pd.DataFrame(rows, columns=COLUMNS)
    print("Customers gone at the end because of the scandal, % of those who were there")
    print(table.round(2).to_string(index=False))
    shown = table.assign(
        severity="severity " + table.severity.astype(str), **{"told on": "told on to " + table["told on"].astype(str)}
    )
    labels = "ethical consumers, % of people", "gone because of it, % of the firm's customers"
    title = "One wrong step: the customer stays"
    study.keep(
        "one_wrong_step", table, figures.curves(shown, "ethical", ["severity", "told on"], "market", title, labels)
    )
    return table


if __name__ == "__main__":
    study.play(main, FAST)
