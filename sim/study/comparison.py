"""What the table of a sweep says: means over replications, and differences between arms with the same draws."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.measure.estimates import Array
from sim.measure.tally import FOLDS
from sim.model.declare import ScenarioError, did_you_mean
from sim.study.cells import as_cell

if TYPE_CHECKING:
    import pandas as pd

CONTROL = " of the control"  # ends the names of the control's columns


class Mean(NamedTuple):
    """A mean, its standard error, degrees of freedom and 95 % interval (Student's t); nan where it is not known."""

    mean: float
    error: float
    df: int
    low: float
    high: float


def summary(table: "pd.DataFrame", by: Sequence[str] | str, columns: Sequence[str]) -> "pd.DataFrame":
    """Mean over replications of `columns` for each combination of the paths `by`: a row each.

    A column has its mean, `.error` (the standard error of the mean), `.low` and `.high` (95 %, Student's t). With one
    replication they are those over its people. `runs` have succeeded, `failed` are left out. ScenarioError if the
    table has no such columns, or if all its runs failed.

    >>> import pandas as pd
    >>> runs = pd.DataFrame({"x": [0, 0, 1, 1], "error": "", "share.a": [0.2, 0.4, 0.5, 0.7]})
    >>> summary(runs, "x", ["share.a"]).round(3)[["x", "runs", "share.a", "share.a.error"]]
       x  runs  share.a  share.a.error
    0  0     2      0.3            0.1
    1  1     2      0.6            0.1
    """
    import pandas as pd

    by = [by] if isinstance(by, str) else list(by)
    _check_columns(table, by, columns)
    rows = []
    for values, group in table.groupby(by, sort=False, dropna=False) if by else [((), table)]:
        good = group[group["error"] == ""]
        line = dict(zip(by, values, strict=True)) | {"runs": len(good), "failed": len(group) - len(good)}
        for column in columns:
            found = _mean(good[column].to_numpy(float))
            if len(good) == 1 and f"{column}.error" in good:
                error = float(good[f"{column}.error"].iloc[0])
                found = Mean(found.mean, error, FOLDS - 1, *_interval(found.mean, error, FOLDS - 1))
            ends = {f"{column}.{name}": getattr(found, name) for name in ("error", "low", "high")}
            line |= {column: found.mean, **ends}
        rows.append(line)
    return pd.DataFrame(rows)


def paired(table: "pd.DataFrame", path: str, control: object, column: str) -> "pd.DataFrame":
    """Difference of `column` from the arm where `path` equals `control`, replication by replication, same draws.

    A row for each other combination of the swept paths: `difference`; its paired standard `error` with `df` degrees
    of freedom; the 95 % interval `low` to `high` (Student's t over replications); `failed`, how many replications are
    left out because one of the two runs failed or has no such number. With one replication there is no error: ask
    `twins`, which has one over people. Where all replications give the very same difference there is none either,
    unless nothing at all differs between the runs. In 2,400 replications of 200 people the intervals held the true
    difference in .935 to .973 of the cases for two large firms, in .90 to .99 for a firm of 3 %.

    >>> import pandas as pd
    >>> runs = {"replication": [0, 1, 0, 1], "x": [0, 0, 1, 1], "error": "", "share.a": [0.2, 0.4, 0.5, 0.8]}
    >>> paired(pd.DataFrame(runs), "x", 0, "share.a").round(3)[["x", "difference", "error", "df"]]
       x  difference  error  df
    0  1        0.35   0.05   1
    """
    import pandas as pd

    swept = list(table.columns[1 : table.columns.get_loc("error")]) if "error" in table else []
    _check_columns(table, [path], [column])
    here = _control_rows(table, path, control, swept)
    others = [p for p in swept if p != path]
    metrics_of = [c for c in table.select_dtypes("number") if c not in (*swept, "replication")]
    both = table[~here].merge(table[here], "left", on=[*others, "replication"], suffixes=("", CONTROL))
    rows = []
    for values, pair in both.groupby([path, *others], sort=False, dropna=False):
        with np.errstate(invalid="ignore"):
            gaps = pair[column].to_numpy(float) - pair[column + CONTROL].to_numpy(float)
        gaps[(pair[["error", "error" + CONTROL]].fillna("") != "").any(axis=1)] = np.nan
        found = _mean(gaps)
        changed, same = pair[metrics_of], pair[[c + CONTROL for c in metrics_of]]
        if found.df and np.array_equal(changed.to_numpy(float), same.to_numpy(float), equal_nan=True):
            found = Mean(found.mean, 0.0, found.df, found.mean, found.mean)
        rows.append((*values, *found, int((~np.isfinite(gaps)).sum())))
    return pd.DataFrame(rows, columns=[path, *others, "difference", "error", "df", "low", "high", "failed"])


def _control_rows(table: "pd.DataFrame", path: str, control: object, swept: Sequence[str]) -> "pd.Series":
    """Which rows are of the control arm; ScenarioError if there are none."""
    if path not in swept:
        raise ScenarioError([f"{path}: not swept{did_you_mean(path, swept)}"])
    here = table[path] == as_cell(control)
    if not here.any():
        values = ", ".join(map(repr, table[path].unique().tolist()))
        raise ScenarioError([f"{path}: no row has {control!r}; there are {values}"])
    return here


def _check_columns(table: "pd.DataFrame", paths: Sequence[str], columns: Sequence[str]) -> None:
    """ScenarioError unless the table of a sweep has all of them."""
    if "error" in table and len(table) and (table["error"] != "").all():
        raise ScenarioError([f"the table: every run failed; the first: {table['error'].iloc[0]}"])
    known = [c for c in map(str, table.columns) if not c.endswith(".error")]
    wrong = []
    for name in (*paths, "error", *columns):
        if name not in table:
            meant = did_you_mean(name, known)
            wrong.append(f"{name}: no column of the table{meant if meant.startswith('; did') else ''}")
    if wrong:
        raise ScenarioError(wrong)


def _mean(values: Array) -> Mean:
    """The mean of the finite values."""
    values = values[np.isfinite(values)]
    mean, df = float(values.mean()) if len(values) else np.nan, max(0, len(values) - 1)
    spread = float(values.std(ddof=1)) if df else np.nan
    error = spread / np.sqrt(len(values)) if spread > 0 else np.nan
    return Mean(mean, error, df, *_interval(mean, error, df))


def _interval(mean: float, error: float, df: int) -> tuple[float, float]:
    from scipy.special import stdtrit

    wide = stdtrit(df, 0.975) * error if df else np.nan
    return mean - wide, mean + wide
