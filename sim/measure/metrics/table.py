"""The table of a run: every metric with its error, for everybody and for each group of people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.measure.estimates import Estimate, estimate, folds, pooled
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


def table(
    tally: Tally,
    firms: Sequence[str],
    groups: Mapping[str, Sequence[int]],
    provider: bool,
    shares: Mapping[str, Share] | None = None,
) -> "pd.DataFrame":
    """Every metric with its error as a tidy frame: group, firm ("" = the market), metric, value, error.

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
            found = estimate(metric, counts, folded)
            value, error = with_presence(found, firms, shares or {}) if name in OF_PRESENCE else found
            rows += [(group, firm, name, float(value[j]), float(error[j])) for j, firm in enumerate(firms)]
        for name, metric in market_metrics().items():
            value, error = estimate(metric, counts, folded)
            rows.append((group, "", name, float(value), float(error)))
    return pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])
