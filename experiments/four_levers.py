"""Graves' four levers, one at a time, at equal cost.

Question: what does each of the four levers of Graves (2015) bring, for what a price cut of 2 % costs?
Design: shops (`retail_us`) and toothpaste; the focus pulls one lever, sized so that a customer finds a use worth as
much more as at a 2 % lower price: 1 association; 2 effort and ease, half each; 3 failures made good at once, and, for
the rest, a more even experience, worth the loss that it spares (assumption: of a visit's spread memory carries
sqrt(a / (2 - a)), a its rate); 4 noteworthy moments; the price cut itself; and plain quality, as much more as the
moments deliver on average. Pulled from birth (also before week 0 and in what people remember when they are born), from
week 0, and from birth where no anchors form, so that moments are good visits and no more. Same people and draws.
Reading: change of share, stickiness index, penetration and uses per user of the focus in two years; paired errors.
"""

import math

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
MARKETS = {"retail_us": "target", "toothpaste_uk": "macleans"}
BUDGET = 0.02  # of the price
ANCHOR, QUALITY = "4 service anchor", "plain quality"
SETTINGS = BIRTH, LATER, NO_ANCHOR = ("from birth", "from week 0", "no anchors form")


def no_regret(base: Scenario, worth: float) -> dict[str, float]:
    """Every complaint solved at once and in full, and what is left of `worth` (logit) in evenness."""
    c, m, firm = base.consumer, base.market, base.firms[base.focus]
    complained = (1 - m.major_share) * m.complain_minor + m.major_share * m.major_factor * m.complain_major
    harm = sum(p.use * p.failure_rate * p.severity for p in firm.touchpoints.values()) * complained
    unrepaired = 1 - firm.recovery_adequacy * 2 ** (-firm.recovery_days / m.repair_half_life)
    spread = math.sqrt(m.memory_rate / (2 - m.memory_rate)) * (c.loss_aversion - 1) / math.sqrt(2 * math.pi)
    evener = max(0.0, worth / c.cx_weight - harm * unrepaired) / spread
    return {"recovery_days": 0.0, "recovery_adequacy": 1.0, "consistency_sd": max(0.0, firm.consistency_sd - evener)}


def levers(base: Scenario) -> dict[str, dict[str, float]]:
    """What the focus changes in each arm."""
    c, firm = base.consumer, base.firms[base.focus]
    worth = BUDGET * c.price_weight
    return {
        "1 association": {"association": firm.association + worth},
        "2 simplify": {"effort": firm.effort - worth / 2, "ease": firm.ease + worth / 2},
        "3 no regret": no_regret(base, worth),
        ANCHOR: {"delight_rate": min(1.0, firm.delight_rate + worth / c.cx_weight / base.market.delight_peak)},
        QUALITY: {"quality": firm.quality + worth / c.cx_weight},
        "a price cut": {"price": firm.price - BUDGET},
    }


def changes_of(base: Scenario, setting: str, values: dict[str, float]) -> dict[str, object]:
    """The levers of the focus at these values, from birth or from week 0."""
    if setting != LATER:
        return {f"firms.{base.focus}.{name}": value for name, value in values.items()}
    return {f"moves.{n}": {"firm": base.focus, "lever": n, "week": 0, "value": v} for n, v in values.items()}


def finding(table: pd.DataFrame) -> list[str]:
    """What each lever brings, which brings most, and how much of the anchor's gain is plain quality."""
    lines = []
    for market, rows in table.groupby("market", sort=False):
        for metric in ("share", "stickiness index"):
            for setting, mine in rows[rows.metric == metric].groupby("setting", sort=False):
                gains = "; ".join(f"{r.lever} {said(r.value, r.error)}" for r in mine.itertuples())
                lines.append(f"{market}, {metric}, {setting}: {gains}. Most: {largest(mine, 'lever')}.")
        share = rows[rows.metric == "share"].set_index(["setting", "lever"])
        with_anchor, without = (share.loc[(case, ANCHOR)] for case in (BIRTH, NO_ANCHOR))
        kept = without.value / with_anchor.value
        spread = abs(kept) * math.hypot(without.error / without.value, with_anchor.error / with_anchor.value)
        left = f"{100 * kept:.0f} ± {100 * spread:.0f} %"
        lines.append(f"{market}: where no anchors form {left} of the moments' gain of share stay.")
    return lines


def margins(base: Scenario) -> dict[str, Estimate]:
    """By how much the anchor, from birth, brings more share than the other levers and than the price cut."""
    j, control = list(base.firms).index(base.focus), simulate(base)
    asked = {n: v for n, v in levers(base).items() if n != QUALITY}
    runs = {n: simulate(change(base, changes_of(base, BIRTH, v))) for n, v in asked.items()}
    gains = {n: at(Twins(control, run).difference(metrics.share), j) for n, run in runs.items()}
    return {
        "of the four levers the service anchor brings most share": least(
            [less(gains[ANCHOR], gain) for name, gain in gains.items() if name[0] in "123"]
        ),
        "it brings more than a price cut of the same cost": less(gains[ANCHOR], gains["a price cut"]),
    }


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds the service anchor is the best of the levers."""
    tables = [pd.DataFrame()]
    for market, focus in MARKETS.items() if worlds else ():
        found = in_worlds(study.scenario(f"market={market}", f"focus={focus}"), margins, worlds, people)
        tables.append(found.assign(claim=f"{market}: " + found.claim))
    return pd.concat(tables)


def main(people: int = 10_000, replications: int = 4, worlds: int = 0) -> pd.DataFrame:
    rows = []
    for market, focus in MARKETS.items():
        size = f"people={people}", f"replications={replications}"
        stated = study.scenario(f"market={market}", f"focus={focus}", *size)
        measures = {"share": metrics.share, "stickiness index": shapley.index(stated)}
        measures |= {"penetration": metrics.penetration, "uses per user, %": metrics.frequency}
        j = list(stated.firms).index(focus)
        for setting in SETTINGS:
            base = change(stated, {"mechanisms.anchor": setting != NO_ANCHOR})
            for lever, values in levers(base).items():
                pair = twins(base, changes_of(base, setting, values))
                for name, metric in measures.items():
                    found = (pair.relative if "%" in name else pair.difference)(metric)
                    rows.append((market, setting, lever, name, 100 * found.value[j], 100 * found.error[j]))
    table = pd.DataFrame(rows, columns=["market", "setting", "lever", "metric", "value", "error"])
    print("Change, in points (index x 100), against the same people without the lever")
    print(table.round(3).to_string(index=False))
    shown = table.assign(market=table.market + ", " + table.setting)
    title = "What the four levers bring at equal cost"
    picture = figures.dots(shown, "lever", "market", "metric", title, "points, for 2 % of the price")
    keep("four_levers", table, picture, finding=finding(table) + sentences(headlines(worlds, min(people, PEOPLE))))
    return table


if __name__ == "__main__":
    play(main, FAST)
