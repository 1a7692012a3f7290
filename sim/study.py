"""A design of many runs, read back as one table: the same people with the same draws in every arm.

`sweep` varies declared fields over values and replications, on all cores; the kernel works outside Python's lock, so
threads are enough. Finished runs are kept in a journal beside the table, so a study that was stopped goes on.
"""

import hashlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import metrics
from sim.calibrate_shares import calibrate_shares
from sim.engine import Run, simulate
from sim.scenario import Scenario, ScenarioError, change

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def scenario(*overrides: str) -> Scenario:
    """The market that `python -m sim` would live with these overrides, presence solved."""
    from sim.run.compose import scenario as composed

    return composed(overrides)[0]


def unsettled(*overrides: str) -> Scenario:
    """The same with the shares that firms state, presence not yet solved."""
    from sim.run.compose import compose, forced, stated

    forces = [forced(o) for o in overrides]
    return stated(compose(forces)[0], forces)


def keep(name: str, table: "pd.DataFrame", figure: Any, folder: Path | str = "outputs/experiments") -> None:
    """Write an experiment's table (Parquet) and figure (PNG, SVG) whole or not at all, and say where."""
    from sim import figures
    from sim.store import write_atomic, write_table

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(table, folder / f"{name}.parquet", {"experiment": name})
    for kind in ("png", "svg"):
        write_atomic(folder / f"{name}.{kind}", partial(figures.save, figure, kind=kind))
    print(f"\n{folder / name}.parquet, .png and .svg")


def play(main: Callable[..., Any], fast: Mapping[str, int]) -> None:
    """Run an experiment as its script is asked: --fast takes the arguments `fast`, NAME=NUMBER sets one of `main`."""
    words = sys.argv[1:]
    known = main.__code__.co_varnames[: main.__code__.co_argcount]
    numbers = {name: value for name, _, value in (word.partition("=") for word in words if word != "--fast")}
    if not all(name in known and value.isdigit() for name, value in numbers.items()):
        sys.exit(f"usage: {sys.argv[0]} [--fast] " + " ".join(f"[{name}=NUMBER]" for name in known))
    main(**(dict(fast) if "--fast" in words else {}) | {name: int(value) for name, value in numbers.items()})


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
    values. With `folder` the table is saved there as `<name>.parquet`; a study that was stopped half-way goes on.
    """
    import pandas as pd

    base, _ = calibrate_shares(base)
    runs = range(replications if replications is not None else base.replications)
    arms = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    jobs = [(arm, r) for arm in arms for r in runs]
    path = Path(folder) / f"{name or 'sweep'}.parquet" if folder else None
    with _journal(path, base) as (known, note):
        rows = _lived(base, jobs, known, note, workers or os.cpu_count() or 1, quiet)
    table = pd.DataFrame(rows)
    if path:
        from sim.store import write_table

        write_table(table, path, {"base": json.dumps(asdict(base)), "axes": json.dumps(dict(axes), default=list)})
        path.with_suffix(".journal").unlink(missing_ok=True)
    return table


def _lived(base: Scenario, jobs: list[Any], known: dict[str, Row], note: Any, workers: int, quiet: bool) -> list[Row]:
    rows: list[Row] = [{}] * len(jobs)
    with ThreadPoolExecutor(workers) as pool:
        waiting: dict[Future[Row], int] = {}
        for n, (arm, r) in enumerate(jobs):
            if _key(arm, r) in known:
                rows[n] = known[_key(arm, r)]
            else:
                waiting[pool.submit(row, base, arm, r)] = n
        try:
            for future in _progress(waiting, len(jobs), quiet):
                rows[waiting[future]] = future.result()
                note(_key(*jobs[waiting[future]]), future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return rows


def row(base: Scenario, arm: Mapping[str, Any], replication: int) -> Row:
    """One run as a row: what was varied, every metric with its error, or why it failed."""
    result: Row = {"replication": replication, **{p: _plain(v) for p, v in arm.items()}, "error": ""}
    try:
        run = simulate(change(base, {**arm, "replications": 1}), threads=1, first=replication)
        result |= figures_of(run)
    except (ScenarioError, ValueError, MemoryError, OSError) as error:
        result["error"] = str(error)
    return result


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
    """Mean over replications and its standard error, for each combination of the paths `by`.

    With one replication the error is that over its people; with more, that of the mean over replications.
    """
    import pandas as pd

    rows = []
    for values, group in table[table.error == ""].groupby(list(by), sort=False, dropna=False):
        line = dict(zip(by, values if isinstance(values, tuple) else (values,), strict=True))
        for column in columns:
            n = len(group)
            alone = group[f"{column}.error"].iloc[0]
            line[column] = group[column].mean()
            line[f"{column}.error"] = alone if n == 1 else group[column].std(ddof=1) / np.sqrt(n)
        rows.append(line)
    return pd.DataFrame(rows)


def paired(table: "pd.DataFrame", path: str, control: Any, column: str) -> "pd.DataFrame":
    """Difference of `column` from the arm where `path` equals `control`, replication by replication, same draws.

    Returns one row for each other combination of the swept paths: `difference` and its paired standard `error`.
    """
    swept = [c for c in table.columns[1 : table.columns.get_loc("error")] if c != path]
    index = [*swept, "replication"]
    here = table[table[path] == control].set_index(index)[column]
    rows = table[table[path] != control].join(here.rename("control"), on=index)
    rows["difference"] = rows[column] - rows["control"]
    groups = rows.groupby([path, *swept], sort=False)["difference"]
    return groups.agg(difference="mean", error=lambda d: d.std(ddof=1) / np.sqrt(len(d))).reset_index()


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool) else json.dumps(value, default=str)


def _key(arm: Mapping[str, Any], replication: int) -> str:
    return json.dumps([arm, replication], sort_keys=True, default=str)


@contextmanager
def _journal(path: Path | None, base: Scenario) -> Iterator[tuple[dict[str, Row], Callable[[str, Row], None]]]:
    """Rows already known for this very base, and how to note another; nothing is kept without a path."""
    if path is None:
        yield {}, lambda key, found: None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(repr(base).encode()).hexdigest()
    journal, known = path.with_suffix(".journal"), {}
    if journal.exists():
        for line in journal.read_text().splitlines():
            entry = _entry(line)
            if entry and entry[0] == mark:
                known[entry[1]] = entry[2]
    with journal.open("a") as file:

        def note(key: str, found: Row) -> None:
            file.write(json.dumps([mark, key, found]) + "\n")
            file.flush()

        yield known, note


def _entry(line: str) -> list[Any] | None:
    try:
        entry: list[Any] = json.loads(line)
    except ValueError:  # the line that was being written when the study was stopped
        return None
    return entry


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
