"""Is a firm better off with service moments or with better quality?

Question: at the same average experience delivered, what moves stickiness and share more: noteworthy moments, which
make anchors, or quality at every visit?
Design: `toothpaste_uk`, where everything is looked at, and the same with 1.4 looks a use, where the search starts
somewhere. From week 0 the focus delivers 0, .1, .2 or .4 CX more on average: as quality, or as moments (2 CX each) at
half that rate; the same people with the same draws.
Reading: change of the focus's share and stickiness against doing nothing, paired.
"""

import pandas as pd

from sim import study
from sim.model.fields import Scenario
from sim.report import figures
from sim.report.experiment import keep, largest, play, said

FAST = {"people": 500, "replications": 2}
NAMES = {"quality": "quality", "delight_rate": "moments"}
DELIVERED = (0.0, 0.1, 0.2, 0.4)  # CX a visit, on average


def moves(base: Scenario, kind: str, extra: float) -> dict[str, object]:
    """The lever of the focus that delivers `extra` CX a visit from week 0 on."""
    firm = base.firms[base.focus]
    value = firm.quality + extra if kind == "quality" else firm.delight_rate + extra / base.market.delight_peak
    return {"lever": kind, "week": 0, "value": value}


def finding(table: pd.DataFrame) -> list[str]:
    """What moments and quality win of share and of stickiness at the most that is delivered, and which wins more."""
    lines = []
    for size, rows in table[table.delivered == table.delivered.max()].groupby("consideration_size"):
        for metric in ("share", "stickiness"):
            mine = rows.assign(
                value=100 * rows[metric], error=100 * rows[f"{metric}.error"], lever=rows.lever.map(NAMES)
            )
            gains = "; ".join(f"{r.lever} {said(r.value, r.error)}" for r in mine.itertuples())
            lines.append(f"{size:g} firms looked at, {metric} (x 100): {gains}. More by {largest(mine, 'lever')}.")
    return lines


def main(people: int = 10_000, replications: int = 6) -> pd.DataFrame:
    rows = []
    for size in (9.0, 1.4):
        base = study.scenario(f"people={people}", f"consumer.consideration_size={size}")
        for kind in ("quality", "delight_rate"):
            arms = {"moves.lever": [moves(base, kind, extra) for extra in DELIVERED]}
            table = study.run(base, arms, replications=replications)
            for extra, arm in list(zip(DELIVERED, table["moves.lever"].unique(), strict=True))[1:]:
                none = table["moves.lever"].iloc[0]
                line = {"consideration_size": size, "lever": kind, "delivered": extra}
                for metric in ("share", "stickiness"):
                    pair = table[table["moves.lever"].isin([none, arm])]
                    effect = study.paired(pair, "moves.lever", none, f"{metric}.{base.focus}").iloc[0]
                    line |= {metric: effect["difference"], f"{metric}.error": effect["error"]}
                rows.append(line)
    found = pd.DataFrame(rows)
    print("Change against doing nothing, same people and draws")
    print(found.round(4).to_string(index=False))
    labels = ("experience delivered on average, CX a visit more", "gain of share, points")
    title = "What moments and quality win at the same experience delivered"
    shown = found.assign(points=100 * found["share"], **{"points.error": 100 * found["share.error"]})
    figure = figures.sweep(shown, "delivered", "points", ["consideration_size", "lever"], title=title, labels=labels)
    keep("anchors_or_quality", found, figure, finding=finding(found))
    return found


if __name__ == "__main__":
    play(main, FAST)
