"""Why does loyalty fall: details that fail, ethical consumers, skeptical consumers?

Question: which of the three reasons that Gould (2018) gives for falling loyalty moves stickiness, and by how much?
Design: shops (`retail_us`) and banks. The details of every firm, or of the focus alone, fail twice as often and it can
be left by telephone only; the share of ethical consumers, or of skeptical ones, goes to the top of what is known
(30 % and 40 %); a moral scandal or a data breach at the focus, with today's people and with those. All as shipped, the
three reasons also without regret and at the low ends of the evidence (regret .2, failures .02 a visit), on which what
failing details cost rests. The same people with the same draws in every arm, presence held.
Reading: change of the stickiness index and of the share of the focus over two years, with paired errors.
"""

import pandas as pd

from sim import study
from sim.engine.loop import simulate
from sim.measure import metrics
from sim.measure.estimates import Estimate
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, largest, play, said
from sim.report.headlines import PEOPLE, at, in_worlds, least, less, sentences
from sim.study import shapley
from sim.study.twins import Twins, twins

FAST = {"people": 500, "replications": 2, "worlds": 2}
MARKETS = {"retail_us": "Shops", "bank": "Banks"}
ETHICAL, SKEPTICAL = 30.0, 40.0  # % of people, the upper ends (#49; #41)
REGRET, FAILURE = 0.2, 0.02  # logit/CX and a visit, the lower ends (#72, #63)
SHIPPED, NO_REGRET, LOW = "as shipped", "without regret", "low ends"
REASONS = {
    "1 details fail, everywhere": "details that fail",
    "2 more ethical consumers": "ethical consumers",
    "3 more skeptical consumers": "skeptical consumers",
}
INDEX = "stickiness index"


def failure_rates(base: Scenario, firms: list[str], factor: float, least: float = 0.0) -> dict[str, object]:
    """At these firms every touchpoint fails so many times as often, or `least` where that is said."""
    points = [(firm, name, p) for firm in firms for name, p in base.firms[firm].touchpoints.items()]
    return {f"firms.{f}.touchpoints.{n}.failure_rate": least or factor * p.failure_rate for f, n, p in points}


def more(base: Scenario, segment: str, percent: float) -> dict[str, object]:
    """So many per cent of the people are of the segment; the others keep their proportions."""
    others = sum(s.weight for name, s in base.segments.items() if name != segment)
    return {f"segments.{segment}.weight": others * percent / (100 - percent)}


def settings(base: Scenario) -> dict[str, Scenario]:
    """The market as it is shipped, and with less to regret."""
    low = {"consumer.regret_weight": REGRET, **failure_rates(base, list(base.firms), 0, FAILURE)}
    return {SHIPPED: base, NO_REGRET: change(base, {"mechanisms.regret": False}), LOW: change(base, low)}


def arms(base: Scenario, every: bool) -> dict[str, dict[str, object]]:
    """What changes in each arm: every one, or the three reasons alone."""
    week, focus = base.weeks // 4, base.focus
    scandal = {"scandals.wrong": {"firm": focus, "kind": "ethics", "week": week}}
    breach = {"scandals.breach": {"firm": focus, "kind": "privacy", "week": week, "harmed_share": 0.04}}
    ethical, skeptical = more(base, "ethical", ETHICAL), more(base, "skeptical", SKEPTICAL)
    here = failure_rates(base, [focus], 2)
    found = {
        "1 details fail, everywhere": failure_rates(base, list(base.firms), 2),
        "1 details fail, at the focus": here,
        "1 ... and leaving by phone only": here | {f"firms.{focus}.switching_cost": 1.7},
        "2 more ethical consumers": ethical,
        "2 a moral scandal": scandal,
        "2 both": ethical | scandal,
        "3 more skeptical consumers": skeptical,
        "3 a data breach": breach,
        "3 both": skeptical | breach,
    }
    return {arm: changes for arm, changes in found.items() if every or arm in REASONS}


def finding(table: pd.DataFrame) -> list[str]:
    """What each reason costs the index in each setting, which costs most, and what scandals and the telephone do."""
    lines = []
    for market, rows in table[table.metric == INDEX].groupby("market", sort=False):
        for setting, mine in rows.groupby("setting", sort=False):
            three = mine[mine.arm.isin(list(REASONS))].assign(reason=lambda t: t.arm.map(REASONS))
            costs = "; ".join(f"{r.reason} {said(r.value, r.error)}" for r in three.itertuples())
            most = largest(three.assign(value=-three.value), "reason")
            lines.append(f"{market}, {setting}: index (x 100) by {costs}. Most: {most}.")
        rest = rows[(rows.setting == SHIPPED) & ~rows.arm.isin(list(REASONS))]
        costs = "; ".join(f"{r.arm[2:].removeprefix('... ')} {said(r.value, r.error)}" for r in rest.itertuples())
        lines.append(f"{market}, {SHIPPED}: {costs}.")
    return lines


def margins(base: Scenario) -> dict[str, Estimate]:
    """By how much failing details cost more of the index than each of the other reasons."""
    j = list(base.firms).index(base.focus)
    control, index = simulate(base), shapley.index(base)
    pairs = (Twins(control, simulate(change(base, c))) for c in arms(base, False).values())
    details, *others = (at(pair.difference(index), j) for pair in pairs)
    return {"of the three reasons, details that fail cost the index most": least([less(o, details) for o in others])}


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds failing details are what costs most."""
    tables = [pd.DataFrame()]
    for market, words in MARKETS.items() if worlds else ():
        found = in_worlds(study.scenario(f"market={market}", "weeks=104"), margins, worlds, people)
        tables.append(found.assign(claim=f"{words}: " + found.claim))
    return pd.concat(tables)


def main(people: int = 10_000, replications: int = 3, worlds: int = 0) -> pd.DataFrame:
    rows = []
    for market, words in MARKETS.items():
        base = study.scenario(f"market={market}", f"people={people}", f"replications={replications}", "weeks=104")
        j = list(base.firms).index(base.focus)
        for setting, case in settings(base).items():
            for arm, changes in arms(case, setting == SHIPPED).items():
                pair = twins(case, changes)
                for name, metric in ((INDEX, shapley.index(case)), ("share", metrics.share)):
                    found = pair.difference(metric)
                    rows.append((words, setting, name, arm, 100 * found.value[j], 100 * found.error[j]))
    table = pd.DataFrame(rows, columns=["market", "setting", "metric", "arm", "value", "error"])
    print("Change at the focus, in points (index x 100), against the same people without it")
    print(table.round(2).to_string(index=False))
    shown = table.assign(panel=table.market + ": " + table.metric)
    title = "Three reasons for falling loyalty, and what each moves"
    picture = figures.dots(shown, "arm", "setting", "panel", title, "points")
    keep("three_reasons", table, picture, finding=finding(table) + sentences(headlines(worlds, min(people, PEOPLE))))
    return table


if __name__ == "__main__":
    play(main, FAST)
