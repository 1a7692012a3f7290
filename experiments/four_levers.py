"""Graves' four levers, one at a time, at equal cost.

Question: what does each of the four levers of Graves (2015) bring, for what a price cut of 2 % costs?
Design: shops (`retail_us`) and toothpaste; the focus pulls one lever all along, also before week 0 and in what people
remember when they are born, sized so that a customer finds a use worth as much more as at a 2 % lower price: 1
association; 2 effort and ease, half each; 3 failures made good at once, and for the rest of the money a more even
experience, worth the loss that it spares (assumption: of a visit's spread memory carries sqrt(a / (2 - a)), a its
rate); 4 noteworthy moments; and the price cut itself. Same people and draws.
Reading: change of share, stickiness index, penetration and uses per user of the focus in two years; paired errors.
Finding: as shipped the anchor, most of which is plain quality. For 2 % of its price Target gains .39 +- .02 points of
share by moments, .24 +- .01 by association or simplicity, .21 +- .02 without regret, and .25 +- .01 by the price cut;
Macleans .51 +- .02, .37 to .41 +- .02, .14 +- .03, and .46 +- .02. The index (of 100) rises most with the anchor too
(+.7 +- .2 and +1.2 +- .2), by .3 to .6 +- .1 with association and simplicity, and with evenness no rise is detected
(-.3 +- .2, -.4 +- .2): an even firm wins newcomers, who are less sticky. Making failures good is so rare that it costs
next to nothing; nearly all of lever 3's money is evenness. With anchors switched off four fifths of the anchor's gain
stay (.30 of .37 points), plain quality of equal worth brings as much in shops, and with `cx_weight` .8 lever 3 brings
most and the anchor least.
"""

import math

import pandas as pd

from sim import study
from sim.measure import metrics
from sim.model.fields import Scenario
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study import shapley
from sim.study.twins import twins

FAST = {"people": 500, "replications": 2}
MARKETS = {"retail_us": "target", "toothpaste_uk": "macleans"}
BUDGET = 0.02  # of the price


def no_regret(base: Scenario, worth: float) -> dict[str, float]:
    """Every complaint solved at once and in full, and what is left of `worth` (logit) in evenness."""
    c, m, firm = base.consumer, base.market, base.firms[base.focus]
    told = (1 - m.major_share) * m.complain_minor + m.major_share * m.major_factor * m.complain_major
    harm = sum(p.use * p.failure_rate * p.severity for p in firm.touchpoints.values()) * told
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
        "4 service anchor": {"delight_rate": firm.delight_rate + worth / c.cx_weight / base.market.delight_peak},
        "a price cut": {"price": firm.price - BUDGET},
    }


def main(people: int = 10_000, replications: int = 4) -> pd.DataFrame:
    rows = []
    for market, focus in MARKETS.items():
        base = study.scenario(f"market={market}", f"focus={focus}", f"people={people}", f"replications={replications}")
        measures = {"share": metrics.share, "stickiness index": shapley.index(base), "penetration": metrics.penetration}
        measures["uses per user, %"] = metrics.frequency
        j = list(base.firms).index(focus)
        for lever, changes in levers(base).items():
            pair = twins(base, {f"firms.{focus}.{name}": value for name, value in changes.items()})
            for name, metric in measures.items():
                found = (pair.relative if "%" in name else pair.difference)(metric)
                rows.append((market, lever, name, 100 * found.value[j], 100 * found.error[j]))
    table = pd.DataFrame(rows, columns=["market", "lever", "metric", "value", "error"])
    print("Change, in points (index x 100), against the same people without the lever")
    print(table.round(3).to_string(index=False))
    title = "What the four levers bring at equal cost"
    keep("four_levers", table, figures.dots(table, "lever", "market", "metric", title, "points, for 2 % of the price"))
    return table


if __name__ == "__main__":
    play(main, FAST)
