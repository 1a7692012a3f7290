"""Are millennials less loyal, and are older people becoming so too?

Question: how much more does repeat use rise with age than it could fall in ten years, and at what age does it fall?
Design: shops (`retail_us`) and mobile telephony with three age groups, who differ in habit and state dependence (#34),
for ten years: as they are, and with both waning by a tenth a year for everybody, Gould's world (`consumer.drift`; no
such drift is found in panels, #14). The same people with the same draws.
Reading: shops: polarization of the category, the stickiness of all its firms together, in each year; mobile: share of
people still with their firm at the end of the year. By age group, errors over people and replications.
Finding: repeat use rises with age, by more than ten years of waning take. In shops polarization is .44, .55 and .67 +-
.01 from young to old, in mobile telephony 75, 85 and 93 +- .5 % stay a year, and as they are they keep near their level
(.43, .52 and .65, 78, 86 and 93 % in the tenth year). If habit wanes by a tenth a year for all alike, those who have
most of it lose most: after ten years shops lose .03 +- .002 of polarization among the young, .10 +- .003 in the middle
and .18 +- .005 among the old, mobile 4, 8 and 10 +- .4 points. So it would indeed be "older people too", and the ages
would grow alike; that panels see no fall (#14) speaks against it.
"""

import pandas as pd

from sim import study
from sim.measure import estimates, metrics
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study.twins import twins

FAST = {"people": 500, "replications": 2, "years": 2}
DRIFT = -0.1  # a year
MARKETS = {
    "retail_us": ("Shops: polarization", metrics.polarization),
    "mobile": ("Mobile: kept a year", lambda t: 1 - metrics.switched(t)),
}
AGES = {"young": "under 40", "middle": "40 to 59", "old": "60 and over"}


def main(people: int = 8_000, replications: int = 3, years: int = 10) -> pd.DataFrame:
    rows, changes = [], []
    for market, (words, metric) in MARKETS.items():
        size = f"people={people}", f"replications={replications}", f"weeks={52 * years}", "window=52"
        base = study.scenario(f"market={market}", "ages=three", *size)
        pair = twins(base, {"consumer.drift": DRIFT})
        for age, label in AGES.items():
            cells = [n for n, (_, cohort) in enumerate(base.cells) if cohort == age]
            counts = [estimates.by_window(run.tally, cells) for run in (pair.control, pair.changed)]
            for world, tally in zip(("as they are", "waning"), counts, strict=True):
                found = estimates.estimate(metric, tally)
                lines = zip(found.value, found.error, strict=True)
                rows += [(words, label, world, year + 1, *line) for year, line in enumerate(lines)]
            fall = estimates.difference(metric, *counts)
            changes.append((words, label, "fall in the last year", years, fall.value[-1], fall.error[-1]))
    columns = ["market", "age", "people", "year", "value", "error"]
    table, falls = pd.DataFrame(rows, columns=columns), pd.DataFrame(changes, columns=columns)
    print(table[table.year.isin([1, years])].round(4).to_string(index=False))
    print(falls.round(4).to_string(index=False))
    title = "Age sets the level of repeat use; only a drift that panels do not show lowers it"
    picture = figures.curves(table, "year", ["age", "people"], "market", title, ("year", "repeat use"))
    table = pd.concat([table, falls], ignore_index=True)
    keep("ages", table, picture)
    return table


if __name__ == "__main__":
    play(main, FAST)
