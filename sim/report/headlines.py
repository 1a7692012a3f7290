"""In how many plausible worlds a finding holds: the same comparison in each, and what decides where it does not.

A finding is a margin above 0: one cost less another, a gain less what it is compared with. In each world the people,
the draws and all free numbers are others (sim/study/worlds.py).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from sim.engine.loop import CORES
from sim.measure.estimates import Estimate
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report.findings import INTERVAL
from sim.study.over_worlds import decisive
from sim.study.worlds import plausible

if TYPE_CHECKING:
    import pandas as pd

Margins = Callable[[Scenario], Mapping[str, Estimate]]  # claim: by how much it holds, with error
PEOPLE = 4_000  # in a world
HOLDS, REVERSED, OPEN = "holds", "reversed", "too close to tell"


def less(a: Estimate, b: Estimate) -> Estimate:
    """One estimate less another, as if they were independent.

    >>> found = less(Estimate(np.array(3.0), np.array(0.3)), Estimate(np.array(1.0), np.array(0.4)))
    >>> float(found.value), float(found.error)
    (2.0, 0.5)
    """
    return Estimate(a.value - b.value, np.hypot(a.error, b.error))


def least(margins: Sequence[Estimate]) -> Estimate:
    """The smallest of several margins: that of a claim that needs them all."""
    return min(margins, key=lambda margin: float(margin.value))


def at(estimate: Estimate, j: int, factor: float = 1.0) -> Estimate:
    """An estimate of firm j, times a factor."""
    return Estimate(factor * estimate.value[j], abs(factor) * estimate.error[j])


def verdict(margin: float, error: float) -> str:
    """Whether a margin is above 0, below it, or within its 95 % interval of it.

    >>> verdict(2.0, 0.5), verdict(-2.0, 0.5), verdict(0.4, 0.5)
    ('holds', 'reversed', 'too close to tell')
    """
    if not (math.isfinite(margin) and math.isfinite(error) and abs(margin) > INTERVAL * error):
        return OPEN
    return HOLDS if margin > 0 else REVERSED


def in_worlds(base: Scenario, margins: Margins, many: int, people: int) -> "pd.DataFrame":
    """The margins of every claim in so many plausible worlds, of so many people each; presence is solved in `base`.

    A row a claim: claim, worlds, holds, reversed, open (too close to tell), share of worlds in which it holds and its
    error, median margin, `decides` (the numbers that go with the margin, or that there are too few worlds to tell),
    `source` of the worlds.
    """
    import pandas as pd

    asked, found = plausible(base, many), dict[str, list[Estimate]]()

    def one(n: int) -> Mapping[str, Estimate]:
        size = {"people": people, "replications": 1, "seed": base.seed + 1 + n}
        return margins(change(base, {**asked.worlds[n], **size}))

    with ThreadPoolExecutor(CORES) as pool:
        for claims in pool.map(one, range(len(asked.worlds))):
            for claim, margin in claims.items():
                found.setdefault(claim, []).append(margin)
    rows = []
    for claim, some in found.items():
        counts = [verdict(float(m.value), float(m.error)) for m in some]
        share = counts.count(HOLDS) / len(counts)
        values = np.array([float(m.value) for m in some])
        clear = decisive(values, asked.worlds, base.focus)
        named = ", ".join(f"{path} ({r:+.2f})" for path, r in clear)
        row = {"claim": claim, "worlds": len(counts), "holds": counts.count(HOLDS), "reversed": counts.count(REVERSED)}
        row |= {"open": counts.count(OPEN), "share": share, "share.error": math.sqrt(share * (1 - share) / len(counts))}
        row |= {"median": float(np.nanmedian(values)), "decides": named, "source": asked.source}
        rows.append(row)
    return pd.DataFrame(rows)


def sentences(table: "pd.DataFrame") -> list[str]:
    """A sentence a claim: in how many worlds it holds, and what decides."""
    lines = []
    for row in table.to_dict("records"):
        counts = f"holds in {row['holds']} of {row['worlds']} plausible worlds"
        rest = [f"{name} in {row[key]}" for name, key in ((REVERSED, "reversed"), (OPEN, "open")) if row[key]]
        if row["holds"] == row["worlds"]:
            why = ""
        elif row["decides"]:
            why = f"; what decides (rank correlation with the margin): {row['decides']}"
        else:
            why = "; no number stands out as what decides" if row["worlds"] > 1 else ""
        lines.append(f"{row['claim']}: {', '.join([counts, *rest])}{why}.")
    return lines
