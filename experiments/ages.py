"""Are millennials less loyal, and are older people becoming so too?

Question: how much more does repeat use rise with age than it could fall in ten years, and at what age does it fall?
Design: shops (`retail_us`) and mobile telephony with three age groups, who differ in habit and state dependence (#34),
for ten years: as they are, and with both waning by a tenth a year for everybody, Gould's world (`consumer.drift`; no
such drift is found in panels, #14). The same people with the same draws.
Reading: shops: polarization of the category, the stickiness of all its firms together, in each year; mobile: share of
people still with their firm at the end of the year. By age group, errors over people and replications.
"""

import pandas as pd

from sim import study
from sim.measure import estimates, metrics
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.study.twins import twins

FAST = {"people": 500, "replications": 2, "years": 2}
DRIFT = -0.1  # a year
FALL = "fall in the last year"
MARKETS = {
    "retail_us": ("Shops: polarization", metrics.polarization),
    "mobile": ("Mobile: kept a year", lambda t: 1 - metrics.switched(t)),
}
AGES = {"young": "under 40", "middle": "40 to 59", "old": "60 and over"}


def finding(table: pd.DataFrame) -> list[str]:
    """Repeat use by age in the first year and the last, and what a waning habit takes of it."""
    lines, last = [], table.year.max()
    for market, rows in table.groupby("market", sort=False):
        for age, mine in rows.groupby("age", sort=False):
            level = mine[mine.people == "as they are"].set_index("year")
            (fall,) = mine[mine.people == FALL].itertuples()
            ends = " and ".join(f"{level.value[y]:.3f} ± {level.error[y]:.3f} in year {y}" for y in sorted({1, last}))
            lines.append(f"{market}, {age}: {ends}; waning {said(100 * fall.value, 100 * fall.error)} by year {last}.")
    return lines


def main(people: int = 8_000, replications: int = 3, years: int = 10) -> pd.DataFrame:
    rows, changes = [], []
    for market, (words, metric) in MARKETS.items():
        size = f"people={people}", f"replications={replications}", f"weeks={52 * years}", "window=52"
        base = study.scenario(f"market={market}", "ages=three", *size)
        pair = twins(base, {"consumer.drift": DRIFT})
        for age, label in AGES.items():
            cells = [n for n, (_, cohort) in enumerate(base.cells) if cohort == age]
            counts = [estimates.by_window(run.tally, cells) for run in (pair.control, pair.changed)]
            for case, tally in zip(("as they are", "waning"), counts, strict=True):
                found = estimates.estimate(metric, tally)
                lines = zip(found.value, found.error, strict=True)
                rows += [(words, label, case, year + 1, *line) for year, line in enumerate(lines)]
            fall = estimates.difference(metric, *counts)
            changes.append((words, label, FALL, years, fall.value[-1], fall.error[-1]))
    columns = ["market", "age", "people", "year", "value", "error"]
    table, falls = pd.DataFrame(rows, columns=columns), pd.DataFrame(changes, columns=columns)
    print(table[table.year.isin([1, years])].round(4).to_string(index=False))
    print(falls.round(4).to_string(index=False))
    title = "Repeat use by age, as people are and with habit that wanes"
    picture = figures.curves(table, "year", ["age", "people"], "market", title, ("year", "repeat use"))
    table = pd.concat([table, falls], ignore_index=True)
    keep("ages", table, picture, finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
