"""A design of many runs, read back as one table: the same people with the same draws in every arm.

`sweep` varies declared fields over values and replications, on all cores; the kernel works outside Python's lock, so
threads are enough.
"""

import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.measure import metrics
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.paths import bare
from sim.model.scenario import change
from sim.study.calibrate_shares import calibrate_shares
from sim.study.cells import as_cell
from sim.study.journal import STUDY, Add, Row, Study, check_free, journal, mark_of
from sim.study.simulation import simulate

if TYPE_CHECKING:
    import pandas as pd

    from sim.engine.loop import Run

Arm = dict[str, Any]  # dotted path -> value
AGAIN = "try again: "  # how the error begins of a run that may succeed another time


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
    values. With `folder` the table is saved there as `<name>.parquet`; a study that was stopped goes on, and one
    whose runs failed for want of memory or of a file makes those again. ScenarioError if no arm can be simulated, or
    if a file of that name is there that is not this study's own.

    >>> from sim import build
    >>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
    >>> base = build({"people": 300, "weeks": 13, "segments": {"all": {}}, "firms": firms})
    >>> table = sweep(base, {"firms.a.quality": [0.0, 1.0]}, replications=2, quiet=True)
    >>> table[["replication", "firms.a.quality"]].values.tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    import pandas as pd

    base, _ = calibrate_shares(base)
    study = Study(base, _axes(axes), base.replications if replications is None else replications)
    if study.replications < 1:
        raise ScenarioError([f"replications: {study.replications}; at least 1 is needed"])
    arms = [dict(zip(study.axes, values, strict=True)) for values in itertools.product(*study.axes.values())]
    files = _edge_files(base, arms)
    path = Path(folder) / f"{name or 'sweep'}.parquet" if folder else None
    if path:
        check_free(path, study)
    jobs = [(arm, r) for arm in arms for r in range(study.replications)]
    with journal(path, study, mark_of(base, files, _code())) as (known, add):
        table = pd.DataFrame(_rows(base, jobs, known, add, workers or os.cpu_count() or 1, quiet))
    if path:
        _save(table, path, study)
    return table


def _save(table: "pd.DataFrame", path: Path, study: Study) -> None:
    """Write the table; the journal goes unless some runs are to be tried again."""
    from sim.study.store import write_table

    check_free(path, study)  # again: a long study leaves time for another file of that name
    about = {"base": json.dumps(asdict(study.base)), "axes": json.dumps(study.axes), STUDY: study.digest}
    write_table(table, path, about)
    if not table["error"].str.startswith(AGAIN).any():
        path.with_suffix(".journal").unlink(missing_ok=True)


def _code() -> str:
    """What simulates: a digest of the package, and the function (not ours if another was put in its place)."""
    from sim.engine.cluster import source

    return f"{source()} {simulate.__module__}.{simulate.__qualname__}"


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
            cells = [as_cell(value) for value in found[str(path)]]
            wrong += [f"{path}: no values"] if not cells else []
            wrong += [f"{path}: {v!r} stands there twice" for n, v in enumerate(cells) if v in cells[:n]][:1]
    if wrong:
        raise ScenarioError(wrong)
    return found


def _edge_files(base: Scenario, arms: Sequence[Arm]) -> list[str]:
    """The files of edges of all arms; ScenarioError if there is no arm that can be simulated."""
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


def _rows(
    base: Scenario, jobs: Sequence[tuple[Arm, int]], known: Mapping[str, Row], add: Add, workers: int, quiet: bool
) -> list[Row]:
    """A row for each job (arm, replication): those known from the journal, the others simulated and added to it."""
    rows: list[Row] = [{}] * len(jobs)
    with ThreadPoolExecutor(workers) as pool:
        waiting: dict[Future[Row], int] = {}
        for n, (arm, r) in enumerate(jobs):
            if _key(arm, r) in known:
                rows[n] = {**_first_columns(arm, r), **known[_key(arm, r)]}
            else:
                waiting[pool.submit(row, base, arm, r)] = n
        try:
            for future in _progress(waiting, len(jobs), quiet):
                found = rows[waiting[future]] = future.result()
                if not found["error"].startswith(AGAIN):
                    add(_key(*jobs[waiting[future]]), found)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return rows


def row(base: Scenario, arm: Arm, replication: int) -> Row:
    """One run as a row: what was varied, every metric with its error, or why it failed."""
    result = _first_columns(arm, replication)
    try:
        run = simulate(change(base, {**arm, "replications": 1}), threads=1, first=replication)
        result |= figures_of(run)
    except (MemoryError, OSError) as error:
        result["error"] = f"{AGAIN}{type(error).__name__}: {error}"
    except ValueError as error:
        result["error"] = str(error) or type(error).__name__
    return result


def _first_columns(arm: Arm, replication: int) -> Row:
    return {"replication": replication, **{path: as_cell(value) for path, value in arm.items()}, "error": ""}


def figures_of(run: "Run") -> Row:
    """Every metric of a run with its standard error, over its people (and replications)."""
    firms = list(run.scenario.firms)
    cells = {"all": range(len(run.scenario.cells))}
    frame = metrics.table(run.tally, firms, cells, run.scenario.market.regime == "provider", run.shares)
    found: Row = {}
    for line in frame.to_dict("records"):
        column = f"{line['metric']}.{line['firm']}" if line["firm"] else line["metric"]
        found[column], found[f"{column}.error"] = line["value"], line["error"]
    return found


def _key(arm: Arm, replication: int) -> str:
    return json.dumps([sorted(arm.items()), replication], default=str)


def _progress(waiting: Mapping[Future[Row], int], total: int, quiet: bool) -> Iterator[Future[Row]]:
    """The futures as they finish, with a bar on a terminal."""
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
