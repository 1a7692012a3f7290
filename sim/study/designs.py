"""A design of many runs, read back as one table: the same people with the same draws in every arm.

`sweep` varies declared fields over values and replications, on all cores; the kernel works outside Python's lock, so
threads are enough. Finished runs are kept in a journal beside the table, so a study that was stopped goes on.
"""

import hashlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.engine.loop import Run, simulate
from sim.measure import metrics
from sim.measure.tally import FOLDS
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.model.paths import bare
from sim.model.scenario import change, to_dict
from sim.study.calibrate_shares import calibrate_shares

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
AGAIN = "try again: "  # how the error begins of a run that may succeed another time
CONTROL = " of the control"


def scenario(*overrides: str) -> Scenario:
    """The market that `python -m sim` would live with these overrides, presence solved."""
    from sim.study.presets import scenario as composed

    return composed(overrides)[0]


def unsettled(*overrides: str) -> Scenario:
    """The same with the shares that firms state, presence not yet solved."""
    from sim.study.presets import compose, forced, stated

    forces = [forced(o) for o in overrides]
    return stated(compose(forces)[0], forces)


def sweep(
    base: Scenario,
    axes: Mapping[str, Sequence[Any]],
    name: str = "",
    folder: Path | str | None = None,
    replications: int | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Every combination of the values of `axes` (dotted path: values), each with the same replications.

    Returns one row a run, sorted: `replication`, a column for each path, `<metric>.<firm>` and its `.error` for every
    metric of a firm, `<metric>` and `<metric>.error` for those of the market, and `error`, empty or why the run
    failed. Shares that firms state are solved once, in `base`. A path may also be a whole member, with dicts as
    values. With `folder` the table is saved there as `<name>.parquet`; a study that was stopped half-way goes on, and
    one whose runs failed for want of memory or of a file makes those again. ScenarioError if no arm can be lived.
    """
    import pandas as pd

    base, _ = calibrate_shares(base)
    axes = _axes(axes)
    many = base.replications if replications is None else replications
    if many < 1:
        raise ScenarioError([f"replications: {many}; at least 1 is needed"])
    arms = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    jobs = [(arm, r) for arm in arms for r in range(many)]
    path, files = Path(folder) / f"{name or 'sweep'}.parquet" if folder else None, _files(base, arms)
    with _journal(path, base, files) as (known, note):
        rows = _lived(base, jobs, known, note, workers or os.cpu_count() or 1, quiet)
    table = pd.DataFrame(rows)
    if path:
        from sim.study.store import write_table

        write_table(table, path, {"base": json.dumps(asdict(base)), "axes": json.dumps(axes)})
        if not table["error"].str.startswith(AGAIN).any():
            path.with_suffix(".journal").unlink(missing_ok=True)
    return table


def _axes(axes: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """The axes with plain values, or a ScenarioError with all that is wrong with them."""
    found, wrong = {}, []
    for path, values in axes.items():
        if path in ("replication", "replications", "error"):
            wrong.append(f"{path}: no axis; `replications=` says how many each arm has")
        elif isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            wrong.append(f"{path}: {values!r} is not a row of values")
        else:
            found[str(path)] = [bare(value) for value in values]
            plain = [_plain(value) for value in found[str(path)]]
            wrong += [f"{path}: no values"] if not plain else []
            wrong += [f"{path}: {v!r} stands there twice" for n, v in enumerate(plain) if v in plain[:n]][:1]
    if wrong:
        raise ScenarioError(wrong)
    return found


def _files(base: Scenario, arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """The files of edges of all arms; ScenarioError if there is no arm that can be lived."""
    found, wrong = [], []
    for arm in arms:
        try:
            network = change(base, arm).network
            found.append(network.edges if network.kind == "file" else "")
        except ScenarioError as error:
            wrong += error.complaints
    if not found:
        raise ScenarioError(list(dict.fromkeys(wrong)))
    return sorted({path for path in found if path})


def _lived(base: Scenario, jobs: list[Any], known: dict[str, Row], note: Any, workers: int, quiet: bool) -> list[Row]:
    rows: list[Row] = [{}] * len(jobs)
    with ThreadPoolExecutor(workers) as pool:
        waiting: dict[Future[Row], int] = {}
        for n, (arm, r) in enumerate(jobs):
            if _key(arm, r) in known:
                rows[n] = {**_begun(arm, r), **known[_key(arm, r)]}
            else:
                waiting[pool.submit(row, base, arm, r)] = n
        try:
            for future in _progress(waiting, len(jobs), quiet):
                found = rows[waiting[future]] = future.result()
                if not found["error"].startswith(AGAIN):
                    note(_key(*jobs[waiting[future]]), found)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return rows


def row(base: Scenario, arm: Mapping[str, Any], replication: int) -> Row:
    """One run as a row: what was varied, every metric with its error, or why it failed."""
    result = _begun(arm, replication)
    try:
        run = simulate(change(base, {**arm, "replications": 1}), threads=1, first=replication)
        result |= figures_of(run)
    except (MemoryError, OSError) as error:
        result["error"] = f"{AGAIN}{type(error).__name__}: {error}"
    except ValueError as error:
        result["error"] = str(error) or type(error).__name__
    return result


def _begun(arm: Mapping[str, Any], replication: int) -> Row:
    return {"replication": replication, **{path: _plain(value) for path, value in arm.items()}, "error": ""}


def figures_of(run: Run) -> Row:
    """Every metric of a run with its standard error, over its people (and replications)."""
    firms = list(run.scenario.firms)
    cells = {"all": range(len(run.scenario.cells))}
    frame = metrics.table(run.tally, firms, cells, run.scenario.market.regime == "provider", run.shares)
    found: Row = {}
    for _, firm, metric, value, error in frame.itertuples(index=False):
        column = f"{metric}.{firm}" if firm else metric
        found[column], found[f"{column}.error"] = value, error
    return found


def summary(table: "pd.DataFrame", by: Sequence[str], columns: Sequence[str]) -> "pd.DataFrame":
    """Mean over replications of `columns` for each combination of the paths `by`: a row each.

    A column has its mean, `.error` (the standard error of the mean), `.low` and `.high` (95 %, Student's t). With one
    replication they are those over its people. `runs` have succeeded, `failed` are left out.
    """
    import pandas as pd

    by = [by] if isinstance(by, str) else list(by)
    _asked(table, by, columns)
    rows = []
    for values, group in table.groupby(by, sort=False, dropna=False) if by else [((), table)]:
        good = group[group["error"] == ""]
        line = dict(zip(by, values, strict=True)) | {"runs": len(good), "failed": len(group) - len(good)}
        for column in columns:
            mean, error, df, low, high = _mean(good[column].to_numpy(float))
            if len(good) == 1 and f"{column}.error" in good:
                error, df = float(good[f"{column}.error"].iloc[0]), FOLDS - 1
                low, high = _interval(mean, error, df)
            line |= {column: mean, f"{column}.error": error, f"{column}.low": low, f"{column}.high": high}
        rows.append(line)
    return pd.DataFrame(rows)


def paired(table: "pd.DataFrame", path: str, control: Any, column: str) -> "pd.DataFrame":
    """Difference of `column` from the arm where `path` equals `control`, replication by replication, same draws.

    Returns one row for each other combination of the swept paths: `difference`; its paired standard `error` with `df`
    degrees of freedom, and the 95 % interval `low` to `high` (Student's t over replications: with 2 to 8 of them it
    covered .94 to .97 of the differences of large firms, .90 to .95 for a firm with six customers); `failed`, how many
    replications are left out since one of the two runs failed or has no such number. With one replication only there
    is no error: ask `twins`, which has one over people. Where all replications give the very same difference there is
    none either, unless nothing at all differs between the runs.
    """
    import pandas as pd

    swept = list(table.columns[1 : table.columns.get_loc("error")]) if "error" in table else []
    _asked(table, [path], [column])
    if path not in swept:
        raise ScenarioError([f"{path}: not swept{did_you_mean(path, swept)}"])
    here = table[path] == _plain(control)
    if not here.any():
        raise ScenarioError(
            [f"{path}: no row has {control!r}; there are {', '.join(map(repr, table[path].unique().tolist()))}"]
        )
    others = [p for p in swept if p != path]
    metrics_of = [c for c in table.select_dtypes("number") if c not in (*swept, "replication")]
    both = table[~here].merge(table[here], "left", on=[*others, "replication"], suffixes=("", CONTROL))
    rows = []
    for values, pair in both.groupby([path, *others], sort=False, dropna=False):
        with np.errstate(invalid="ignore"):
            apart = pair[column].to_numpy(float) - pair[column + CONTROL].to_numpy(float)
        mean, error, df, low, high = _mean(apart)
        ours, theirs = pair[metrics_of], pair[[c + CONTROL for c in metrics_of]]
        if df and np.array_equal(ours.to_numpy(float), theirs.to_numpy(float), equal_nan=True):
            error, low, high = 0.0, mean, mean
        told = (mean, error, df, low, high, int((~np.isfinite(apart)).sum()))
        rows.append((*values, *told))
    return pd.DataFrame(rows, columns=[path, *others, "difference", "error", "df", "low", "high", "failed"])


def _asked(table: "pd.DataFrame", paths: Sequence[str], columns: Sequence[str]) -> None:
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


def _mean(values: metrics.Array) -> tuple[float, float, int, float, float]:
    """Mean, standard error, degrees of freedom and 95 % interval of what is finite; nan where it cannot be told."""
    values = values[np.isfinite(values)]
    mean, df = float(values.mean()) if len(values) else np.nan, max(0, len(values) - 1)
    spread = float(values.std(ddof=1)) if df else np.nan
    error = spread / np.sqrt(len(values)) if spread > 0 else np.nan
    return mean, error, df, *_interval(mean, error, df)


def _interval(mean: float, error: float, df: int) -> tuple[float, float]:
    from scipy.special import stdtrit

    wide = stdtrit(df, 0.975) * error if df else np.nan
    return mean - wide, mean + wide


def _plain(value: Any) -> Any:
    """A value as a cell of a table: a whole member as JSON."""
    value = bare(value)
    return value if isinstance(value, int | float | str | bool) else json.dumps(value, sort_keys=True, default=str)


def _key(arm: Mapping[str, Any], replication: int) -> str:
    return json.dumps([sorted(arm.items()), replication], default=str)


@contextmanager
def _journal(
    path: Path | None, base: Scenario, files: Sequence[str]
) -> Iterator[tuple[dict[str, Row], Callable[[str, Row], None]]]:
    """Rows already known for this very base, and how to note another; nothing is kept without a path."""
    if path is None:
        yield {}, lambda key, found: None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    mark, journal, known = _mark(base, files), path.with_suffix(".journal"), {}
    lines = journal.read_text("utf-8", "replace") if journal.exists() else ""
    for line in lines.splitlines():
        entry = _entry(line)
        if entry and entry[0] == mark:
            known[entry[1]] = entry[2]
    with journal.open("a", encoding="utf-8") as file:
        file.write("\n" if lines and not lines.endswith("\n") else "")  # after a line that was cut short

        def note(key: str, found: Row) -> None:
            file.write(json.dumps([mark, key, found]) + "\n")
            file.flush()

        yield known, note


def _mark(base: Scenario, files: Sequence[str]) -> str:
    """A digest of all that rows depend on: the code, the base (its firms in their order) and files of edges."""
    from sim.engine.cluster import source

    parts = f"{simulate.__module__}.{simulate.__qualname__}"  # not ours, if somebody has put another in its place
    sha = hashlib.sha256(json.dumps([source(), parts, to_dict(base)]).encode())
    for name in files:
        try:
            sha.update(hashlib.sha256(Path(name).read_bytes()).digest())
        except OSError:
            sha.update(name.encode())
    return sha.hexdigest()


def _entry(line: str) -> list[Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:  # the line that was being written when the study was stopped
        return None
    return entry if isinstance(entry, list) and len(entry) == 3 else None


def _progress(waiting: Mapping[Future[Row], int], total: int, quiet: bool) -> Iterator[Future[Row]]:
    if quiet or not sys.stderr.isatty():
        yield from as_completed(waiting)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("runs", total=total, completed=total - len(waiting))
        for future in as_completed(waiting):
            yield future
            bar.advance(task)
