"""Does habit protect a firm from a scandal?

Question: how many customers does a data breach cost, the stronger or weaker the habits of the market are?
Design: `bank` with a breach at the focus in week 26, severity 1.2 and 3, times habit and state dependence of 0, 1 and 2
times the category's; each against the same people with the same draws without the breach, presence solved once.
Reading: change of the focus's share over the two years, in points, with its paired error.
"""

import math

import pandas as pd

from sim import study
from sim.measure import metrics
from sim.measure.estimates import Estimate
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.report.headlines import PEOPLE, at, in_worlds, less, sentences
from sim.study.twins import with_and_without_events

FAST = {"people": 500, "replications": 2, "worlds": 2}


def finding(table: pd.DataFrame) -> list[str]:
    """What the breach costs at each strength of habit, and whether the strongest habit loses less than none."""
    lines = []
    for severity, rows in table.groupby("severity"):
        costs = "; ".join(f"habit x {r.habit:g}: {said(r.share_lost, r.error)}" for r in rows.itertuples())
        first, last = rows.iloc[0], rows.iloc[-1]
        spared = said(last.share_lost - first.share_lost, math.hypot(first.error, last.error))
        lines.append(f"severity {severity:g}: {costs}; strongest habit less none: {spared}.")
    return lines


def habits(base: Scenario, strength: float) -> dict[str, object]:
    """Habit and state dependence so many times as strong."""
    return {f"consumer.{n}": strength * getattr(base.consumer, n) for n in ("habit_weight", "state_dependence")}


def margins(base: Scenario) -> dict[str, Estimate]:
    """By how much less a breach costs where habit is twice as strong than where there is none."""
    j = list(base.firms).index(base.focus)
    none, strong = (
        at(with_and_without_events(change(base, habits(base, x))).difference(metrics.share), j) for x in (0.0, 2.0)
    )
    return {"the stronger the habit, the less a breach costs": less(strong, none)}


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds habit protects."""
    if not worlds:
        return pd.DataFrame()
    base = study.scenario("market=bank", "scandal=data_breach", "weeks=104")
    return in_worlds(base, margins, worlds, people)


def main(people: int = 10_000, replications: int = 6, worlds: int = 0) -> pd.DataFrame:
    size = f"people={people}", f"replications={replications}", "weeks=104"
    base = study.scenario("market=bank", "scandal=data_breach", *size)
    j, rows = list(base.firms).index(base.focus), []
    for severity in (base.scandals["data_breach"].severity, 3.0):
        for strength in (0.0, 1.0, 2.0):
            habit = habits(base, strength)
            pair = with_and_without_events(change(base, {**habit, "scandals.data_breach.severity": severity}))
            lost = pair.difference(metrics.share)
            rows.append((strength, severity, 100 * lost.value[j], 100 * lost.error[j]))
            print(f"common draws save {pair.variance_saved(metrics.share)[j]:.1%} of the variance", flush=True)
    found = pd.DataFrame(rows, columns=["habit", "severity", "share_lost", "share_lost.error"])
    print(f"Change of the share of {base.focus}, in points, against the same people without the breach")
    print(found.round(3).to_string(index=False))
    labels = ("habit and state dependence, times the category's", "change of share after the breach, points")
    figure = figures.sweep(
        found, "habit", "share_lost", ["severity"], title="What a breach costs, by habit", labels=labels
    )
    lines = finding(found.rename(columns={"share_lost.error": "error"}))
    keep("habit_against_scandal", found, figure, finding=lines + sentences(headlines(worlds, min(people, PEOPLE))))
    return found


if __name__ == "__main__":
    play(main, FAST)
