"""A posterior: draws of numbers of a scenario that were estimated together, from a file.

A column for each path (`consumer.price_weight`), a row for each draw. The first row has the values of the scenario that
was written with the file: a number that is otherwise by now is no longer what was estimated.
"""

from typing import TYPE_CHECKING

import numpy as np

from sim.model.declare import Declaration, did_you_mean, leaves
from sim.model.tables import Columns, columns_of

if TYPE_CHECKING:
    from sim.model.fields import Scenario

Row = dict[str, float]


def posterior_of(s: "Scenario") -> tuple[Row, list[Row]]:
    """The values that the posterior was written with, and its draws; ({}, []) without one.

    Raises ScenarioError for a file that is not the one that the scenario was made with, or cannot be read.
    """
    if not s.posterior:
        return {}, []
    columns = columns_of("posterior", s.posterior, s.posterior_sha256)[1]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)]
    return rows[0], rows[1:]


def posterior_complaints(s: "Scenario", columns: Columns) -> list[str]:
    """Everything in which the columns of a file are no posterior of numbers of this scenario; one of a firm that is
    not there is let pass, for it may have been removed."""
    known = {path: d for path, value, d in leaves(s) if d.low is not None and not isinstance(value, bool)}
    wrong = [] if all(len(c) > 1 for c in columns.values()) and columns else ["has no draws"]
    for name, values in columns.items():
        if name in known:
            wrong += _outside(name, values, known[name])
        elif not name.startswith("firms.") or name.split(".")[1] in s.firms:
            wrong.append(f"column {name}: is no number of the scenario{did_you_mean(name, known)}")
    return [f"posterior: {s.posterior}: {complaint}" for complaint in wrong]


def _outside(name: str, values: np.ndarray, d: Declaration) -> list[str]:
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        return [f"column {name}: not all are numbers"]
    out = values[(values < (d.low or 0)) | (values > (d.high or 0))]
    return [f"column {name}: {out[0]:g} is outside {d.allowed}"] if len(out) else []
