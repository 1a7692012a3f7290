"""The service anchor: what it gains, how it fades, and how hard one falls from it.

Question: a firm makes noteworthy moments for half a year, then stops, and later its quality drops: what does the anchor
bring while it lasts, how long does it stay, and does the drop hurt more because of it?
Design: shops with few looks (`retail_us`, 1.4 looks, the focus Target), where the search starts somewhere (#33, #76).
From week 0 a moment in 8 % of uses instead of 1 %, for 26 weeks; from week 26 quality 1 CX lower for 26 weeks; either,
and both; the same with anchors switched off, where moments are no more than good visits.
Reading: change of share in four-week spells against the same people without, in points; and the drop that comes after
the moments against the drop alone. Paired errors.
Finding: to be measured.
"""

import pandas as pd

from sim import figures, metrics, study
from sim.scenario import Scenario, change
from sim.twins import Twins, spells, twins

FAST = {"people": 500, "replications": 2}
HALF, SPELL, WEEKS = 26, 4, 104  # weeks
MOMENTS = {"lever": "moments", "week": 0, "weeks": HALF, "value": 0.08}
DROP = {"lever": "quality", "week": HALF, "weeks": HALF, "value": -1.0}
ARMS = {
    "moments": {"moves.m": MOMENTS},
    "the drop alone": {"moves.d": DROP},
    "moments, then drop": {"moves.m": MOMENTS, "moves.d": DROP},
}


def effects(base: Scenario, world: str) -> tuple[list[tuple], list[tuple]]:
    """Rows (world, arm, week or half-year, value, error) of the series, and of the half-years with the drop alone."""
    firms, edges = list(base.firms), [*range(0, WEEKS + 1, SPELL)]
    j, series, halves = firms.index(base.focus), [], []
    pairs = {arm: twins(base, changes) for arm, changes in ARMS.items()}
    pairs["the drop after moments"] = Twins(pairs["moments"].changed, pairs["moments, then drop"].changed)
    for arm, pair in pairs.items():
        found = pair.difference(metrics.share, by=spells(*edges))
        weeks = zip(edges, found.value[:, j], found.error[:, j], strict=False)
        series += [(world, arm, week + SPELL / 2, 100 * value, 100 * error) for week, value, error in weeks]
        half = pair.difference(metrics.share, by=spells(*range(0, WEEKS + 1, HALF)))
        each = zip(half.value[:, j], half.error[:, j], strict=True)
        halves += [(world, arm, n + 1, 100 * value, 100 * error) for n, (value, error) in enumerate(each)]
    return series, halves


def main(people: int = 10_000, replications: int = 6) -> pd.DataFrame:
    size = f"people={people}", f"replications={replications}", f"weeks={WEEKS}"
    base = study.scenario("market=retail_us", "focus=target", "consumer.looks=1.4", *size)
    both = [effects(base, "with anchors"), effects(change(base, {"mechanisms.anchor": False}), "without anchors")]
    columns = ["world", "arm", "week", "value", "error"]
    table, halves = (pd.DataFrame([row for rows in both for row in rows[n]], columns=columns) for n in (0, 1))
    print("Change of share by half-year, points, against the same people without")
    print(halves.rename(columns={"week": "half-year"}).round(3).to_string(index=False))
    shown = table[table.arm != "moments, then drop"]
    title = "The anchor gains share, fades when the moments stop, and makes a later drop hurt more"
    picture = figures.curves(shown, "week", "arm", "world", title, ("week", "change of share, points"))
    study.keep("service_anchor", table, picture)
    return table


if __name__ == "__main__":
    study.play(main, FAST)
