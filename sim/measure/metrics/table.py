"""The table of a run: every metric with its error, for everybody and for each group of people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.measure.estimates import Estimate, estimate_interval, folds, pooled
from sim.measure.intervals import Interval, Z
from sim.measure.registry import firm_metrics, market_metrics
from sim.measure.shares import Share
from sim.measure.tally import Tally

if TYPE_CHECKING:
    import pandas as pd

OF_PRESENCE = ("share", "penetration")  # what the error of solved presence moves


def with_presence(found: Estimate, firms: Sequence[str], shares: Mapping[str, Share]) -> Estimate:
    """The estimate of a share with the error of the presence solved for it, which is independent of the run's draws."""
    solved = [shares[name].uncertainty / shares[name].asked if name in shares else 0.0 for name in firms]
    return Estimate(found.value, np.hypot(found.error, found.value * np.array(solved)))


def widened(ends: Interval, of_people: Estimate, whole: Estimate) -> Interval:
    """The interval of an estimate to which an error that is independent of its people has been added."""
    with np.errstate(invalid="ignore"):
        added = Z * np.sqrt(np.maximum(whole.error**2 - of_people.error**2, 0))
        value = of_people.value
        return Interval(value - np.hypot(value - ends.low, added), value + np.hypot(ends.high - value, added))


def table(
    tally: Tally,
    firms: Sequence[str],
    groups: Mapping[str, Sequence[int]],
    provider: bool,
    shares: Mapping[str, Share] | None = None,
) -> "pd.DataFrame":
    """Every metric as a tidy frame: group, firm ("" = the market), metric, value, error, low, high.

    `error` is the standard error, `low` and `high` the ends of the 95 % interval (`sim.measure.intervals`).

    `groups` names sets of cells, for instance the segments; the first is usually everybody. With the `shares` of a
    run, errors of share and penetration include that of solved presence, in proportion (for penetration that is its
    most: it moves less than share does). Other metrics hardly depend on the size of a firm.
    """
    import pandas as pd

    rows = []
    for group, cells in groups.items():
        counts = pooled(tally, cells)
        folded = folds(counts)
        for name, metric in firm_metrics(provider).items():
            found, ends = estimate_interval(metric, counts, folded)
            if name in OF_PRESENCE:
                whole = with_presence(found, firms, shares or {})
                found, ends = whole, widened(ends, found, whole)
            columns = [*found, *ends]
            rows += [(group, firm, name, *(float(c[j]) for c in columns)) for j, firm in enumerate(firms)]
        for name, metric in market_metrics(provider).items():
            found, ends = estimate_interval(metric, counts, folded)
            rows.append((group, "", name, *map(float, (*found, *ends))))
    return pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error", "low", "high"])
