"""The service anchor: what it gains, how it fades, and how hard one falls from it.

Question: a firm makes noteworthy moments for half a year, then stops, and later its quality drops: what does the anchor
bring while it lasts, how long does it stay, and does the drop hurt more because of it?
Design: shops with few looks (`retail_us`, 1.4 looks, the focus Target), where the search starts somewhere (#33, #76).
From week 0 a moment in 8 % of uses instead of 1 %, for 26 weeks; from week 26 quality 1 CX lower for 26 weeks; either,
and both; the same with anchors switched off, where moments are no more than good visits.
Reading: change of share in four-week spells against the same people without, in points; and the drop that comes after
the moments against the drop alone. Paired errors.
Finding: moments in 8 % of the visits gain .26 +- .014 points of share (of Target's 10) in their half-year, against .18
+- .012 for the same good visits where no anchors form. In the half-year after they stop .12 +- .02 is left (.10 +- .01
without anchors), then .03 +- .01 either way: what the anchor adds fades faster than its half-life of 26 weeks, because
visits below expectation wear it off. A quality drop of 1 CX costs 1.51 +- .03 points where there are anchors and 1.28
+- .03 where there are none, so the anchor is double-edged (#77) by a sixth; but half a year of moments before the drop
adds nothing to it that is detected (.02 +- .014 more): too few people get an anchor from them, and too few still hold
it.
"""

import pandas as pd

from sim import study
from sim.measure import estimates, metrics
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study.twins import spells, twins

FAST = {"people": 500, "replications": 2}
HALF, SPELL, WEEKS = 26, 4, 104  # weeks
MOMENTS = {"lever": "delight_rate", "week": 0, "weeks": HALF, "value": 0.08}
DROP = {"lever": "quality", "week": HALF, "weeks": HALF, "value": -1.0}
ARMS = {
    "delight_rate": {"moves.m": MOMENTS},
    "drop": {"moves.d": DROP},
    "both": {"moves.m": MOMENTS, "moves.d": DROP},
}


def effects(base: Scenario, world: str) -> list[tuple]:
    """Rows: world, effect, weeks from and to, value and error, for spells of four weeks and for half-years."""
    cells, j, rows = range(len(base.cells)), list(base.firms).index(base.focus), []
    lived = {arm: twins(base, changes) for arm, changes in ARMS.items()}
    runs = {"nothing": lived["delight_rate"].control} | {arm: pair.changed for arm, pair in lived.items()}
    for step in (SPELL, HALF):
        by = spells(*range(0, WEEKS + 1, step))
        share = {arm: metrics.share(estimates.folds(by(run.tally, cells)))[..., j] for arm, run in runs.items()}
        drop = share["drop"] - share["nothing"]
        effect = {
            "delight_rate": share["delight_rate"] - share["nothing"],
            "drop alone": drop,
            "what moments add to the drop": share["both"] - share["delight_rate"] - drop,
        }
        for name, folds in effect.items():
            lines = enumerate(zip(*estimates.jackknife(100 * folds), strict=True))
            rows += [(world, name, n * step, (n + 1) * step, *line) for n, line in lines]
    return rows


def main(people: int = 10_000, replications: int = 12) -> pd.DataFrame:
    size = f"people={people}", f"replications={replications}", f"weeks={WEEKS}"
    base = study.scenario("market=retail_us", "focus=target", "consumer.consideration_size=1.4", *size)
    rows = effects(base, "with anchors") + effects(change(base, {"mechanisms.anchor": False}), "without anchors")
    table = pd.DataFrame(rows, columns=["world", "effect", "from", "to", "value", "error"])
    long = table["to"] - table["from"] == HALF
    print("Change of share by half-year, points, against the same people without")
    print(table[long].round(3).to_string(index=False))
    shown = table[~long & (table.effect != "drop alone")].assign(week=(table["from"] + table["to"]) / 2)
    title = "The anchor's gain fades in months; what moments add to a later drop"
    picture = figures.curves(shown, "week", ["world"], "effect", title, ("week", "change of share, points"))
    keep("service_anchor", table, picture)
    return table


if __name__ == "__main__":
    play(main, FAST)
