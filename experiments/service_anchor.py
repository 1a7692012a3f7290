"""The service anchor: what it gains, how it fades, and how hard one falls from it.

Question: a firm makes noteworthy moments for half a year, then stops, and later its quality drops: what does the anchor
bring while it lasts, how long does it stay, and does the drop hurt more because of it?
Design: shops with few looks (`retail_us`, 1.4 looks, the focus Target), where the search starts somewhere (#33, #76).
From week 0 a moment in 8 % of uses instead of 1 %, for 26 weeks; from week 26 quality 1 CX lower for 26 weeks; either,
and both; the same with anchors switched off, where moments are no more than good visits.
Reading: change of share in four-week spells against the same people without, in points; and the drop that comes after
the moments against the drop alone. Paired errors.
"""

import pandas as pd

from sim import study
from sim.measure import estimates, metrics
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play, said
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


def effects(base: Scenario, setting: str) -> list[tuple]:
    """Rows: setting, effect, weeks from and to, value and error, for spells of four weeks and for half-years."""
    cells, j, rows = range(len(base.cells)), list(base.firms).index(base.focus), []
    pairs = {arm: twins(base, changes) for arm, changes in ARMS.items()}
    runs = {"nothing": pairs["delight_rate"].control} | {arm: pair.changed for arm, pair in pairs.items()}
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
            rows += [(setting, name, n * step, (n + 1) * step, *line) for n, line in lines]
    return rows


def finding(table: pd.DataFrame) -> list[str]:
    """The change of share in each half-year, with anchors and without."""
    long = table[table["to"] - table["from"] == HALF]
    lines = []
    for (effect, setting), rows in long.groupby(["effect", "setting"], sort=False):
        spells = "; ".join(f"weeks {r[3]} to {r[4]} {said(r[5], r[6])}" for r in rows.itertuples())
        lines.append(f"{effect.replace('delight_rate', 'moments')}, {setting}: {spells}.")
    return lines


def main(people: int = 10_000, replications: int = 12) -> pd.DataFrame:
    size = f"people={people}", f"replications={replications}", f"weeks={WEEKS}"
    base = study.scenario("market=retail_us", "focus=target", "consumer.consideration_size=1.4", *size)
    rows = effects(base, "with anchors") + effects(change(base, {"mechanisms.anchor": False}), "without anchors")
    table = pd.DataFrame(rows, columns=["setting", "effect", "from", "to", "value", "error"])
    long = table["to"] - table["from"] == HALF
    print("Change of share by half-year, points, against the same people without")
    print(table[long].round(3).to_string(index=False))
    shown = table[~long & (table.effect != "drop alone")].assign(week=(table["from"] + table["to"]) / 2)
    title = "What moments bring while they last and after, and what they add to a later drop"
    picture = figures.curves(shown, "week", ["setting"], "effect", title, ("week", "change of share, points"))
    keep("service_anchor", table, picture, finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
