"""One wrong step and your customer is gone?

Question: what does one moral scandal cost, the more severe it is, the more it is amplified, and the more ethical
consumers there are?
Design: shops (`retail_us`, the focus Target, free to leave) and banks (`bank`, Lloyds) with a moral scandal in week 13:
severity .75, 1.5 and 3 logit; not passed on, or passed on to .9 others by everyone who hears; 3, 12 or 60 % of the
people ethical. Each against the same people without the scandal.
Reading: change of the focus's sales (the bank's customers) in the quarter after the news, in %, and of its customers at
the news how many are elsewhere half a year later because of it, in the worst case. Paired errors.
"""

from itertools import product

import pandas as pd

from sim import study
from sim.engine.loop import simulate
from sim.measure import metrics
from sim.measure.estimates import Estimate
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.report.headlines import PEOPLE, in_worlds, sentences
from sim.study.twins import Twins, spells, with_and_without_events

FAST = {"people": 300, "replications": 1, "worlds": 2}
MARKETS = {"retail_us": ("target", "Shops: sales"), "bank": ("lloyds", "Banks: customers")}
SEVERITY, AMPLIFIED, ETHICAL = (0.75, 1.5, 3.0), (0.0, 0.9), (3, 12, 60)
WEEK, QUARTER = 13, 13
OTHERS = 88  # the weight of the other two segments together


def finding(table: pd.DataFrame) -> list[str]:
    """What the scandal costs with today's people, at its worst, and by how much each of the three makes it larger."""
    lines = []
    for market, rows in table.groupby("market", sort=False):
        at = rows.set_index(["severity", "told on", "ethical"])
        today, worst = (SEVERITY[1], AMPLIFIED[0], ETHICAL[1]), (SEVERITY[-1], AMPLIFIED[-1], ETHICAL[-1])
        cost = {name: said(at.value[key], at.error[key], "%") for name, key in (("today", today), ("at worst", worst))}
        lines.append(f"{market}: " + "; ".join(f"{name} {words}" for name, words in cost.items()) + ".")
        for n, name in enumerate(at.index.names):
            alone = tuple(worst[k] if k == n else today[k] for k in range(len(today)))
            lines.append(f"{market}, {name} {worst[n]:g} alone: {said(at.value[alone], at.error[alone], '%')}.")
    return lines


def title_of(table: pd.DataFrame) -> str:
    """The most that one wrong step costs anywhere in the design."""
    worst = table.loc[table.value.idxmin()]
    return f"One wrong step, at its worst: {said(worst.value, worst.error, '%')} in the quarter after"


def margins(base: Scenario) -> dict[str, Estimate]:
    """By how much less than a tenth one scandal costs."""
    j, first = list(base.firms).index(base.focus), WEEK if base.market.regime == "repertoire" else WEEK + QUARTER - 1
    found = with_and_without_events(base).relative(metrics.share, by=spells(first, WEEK + QUARTER))
    return {"one moral scandal costs less than a tenth": Estimate(0.1 + found.value[0, j], found.error[0, j])}


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds, with scandals of this kind as they differ, hardly anybody is gone."""
    tables = [pd.DataFrame()]
    for market, (focus, words) in MARKETS.items() if worlds else ():
        base = study.scenario(f"market={market}", f"focus={focus}", "weeks=39", "window=13")
        step = {"firm": focus, "week": WEEK, "kind": "ethics", "severity": SEVERITY[1]}
        found = in_worlds(change(base, {"scandals.step": step}), margins, worlds, people)
        tables.append(found.assign(claim=f"{words}: " + found.claim))
    return pd.concat(tables)


def main(people: int = 10_000, replications: int = 4, worlds: int = 0) -> pd.DataFrame:
    rows = []
    for market, (focus, words) in MARKETS.items():
        size = f"people={people}", f"replications={replications}", "weeks=39", "window=13", f"focus={focus}"
        for percent in ETHICAL:
            weight = f"segments.ethical.weight={OTHERS * percent / (100 - percent)}"
            base = study.scenario(f"market={market}", weight, *size)
            j, control = list(base.firms).index(focus), simulate(base)
            for severity, contagion in product(SEVERITY, AMPLIFIED):
                step = {"firm": focus, "week": WEEK, "kind": "ethics", "severity": severity, "contagion": contagion}
                pair = Twins(control, simulate(change(base, {"scandals.step": step})))
                first = WEEK if market == "retail_us" else WEEK + QUARTER - 1
                found = pair.relative(metrics.share, by=spells(first, WEEK + QUARTER))
                rows.append((words, severity, contagion, percent, 100 * found.value[0, j], 100 * found.error[0, j]))
        fates = pair.leavers().query("firm == @focus").set_index("fate")[["share", "error"]]
        saved = pair.variance_saved(metrics.share)[j]
        print(f"{words}: common draws save {saved:.1%} of the variance of the share")
        print(f"{words} of {focus}, the worst case: fates of its customers, %\n{(100 * fates).round(2).to_string()}")
    table = pd.DataFrame(rows, columns=["market", "severity", "told on", "ethical", "value", "error"])
    print("Change in the quarter after the news, %, against the same people without the scandal")
    print(table.round(2).to_string(index=False))
    passed_on = "told on to " + table["told on"].astype(str)
    shown = table.assign(severity="severity " + table.severity.astype(str), passed_on=passed_on)
    labels = "ethical consumers, % of people", "change in the quarter after, %"
    title = title_of(table)
    picture = figures.curves(shown, "ethical", ["severity", "passed_on"], "market", title, labels)
    keep("one_wrong_step", table, picture, finding=finding(table) + sentences(headlines(worlds, min(people, PEOPLE))))
    return table


if __name__ == "__main__":
    play(main, FAST)
