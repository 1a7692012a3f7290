"""The runs of a sweep of Hydra's as one table, whichever launcher made them: swept values, figures, failures."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sim.compute.files import write_atomic
from sim.model.declare import ScenarioError
from sim.report import streams
from sim.report.folders import near

if TYPE_CHECKING:
    import pandas as pd

SWEEP, FAILED = "sweep.parquet", "failed.json"  # in the folder of a sweep, and of a job that failed
OWN = "stickiness.sweep"  # key in the metadata of the table


class SweepJob(NamedTuple):
    """One job of a sweep: its folder, its overrides, its figures, or why it has none."""

    folder: Path
    overrides: Mapping[str, str]
    figures: Mapping[str, float]
    focus: str = ""
    error: str = ""


def keep_failure(folder: Path, overrides: Sequence[str], error: BaseException) -> None:
    """Write down why a job of a sweep failed, in its folder."""
    text = str(error) if isinstance(error, ScenarioError) else f"{type(error).__name__}: {error}"
    write_atomic(folder / FAILED, json.dumps({"overrides": list(overrides), "error": text}).encode(), new=True)


def collect(folder: Path) -> tuple["pd.DataFrame", list[SweepJob]]:
    """Write `sweep.parquet` into the folder of a sweep, from the files of its jobs; returns the table and the jobs.

    A row a job: `job`, a column for each override that differs, `error`, then `<metric>.<firm>` and its error. An
    earlier table of a sweep is replaced. ScenarioError where there are no jobs, or a file of that name is another.
    """
    import pandas as pd

    from sim.study.store import write_table

    jobs = [_job(path) for path in _folders(folder)]
    if not jobs:
        raise ScenarioError([f"{near(folder)}: no runs of a sweep are in it"])
    target = folder / SWEEP
    if os.path.lexists(target) and not _is_own(target):
        raise ScenarioError([f"{near(target)}: is there already and is not the table of a sweep; move or rename it"])
    swept = _swept(jobs)
    names = list(dict.fromkeys(name for job in jobs for name in job.figures))
    rows = [
        {
            "job": str(job.folder.relative_to(folder)),
            **{key: values[n] for key, values in swept.items()},
            "error": job.error,
            **{name: job.figures.get(name, float("nan")) for name in names},
        }
        for n, job in enumerate(jobs)
    ]
    table = pd.DataFrame(rows)
    write_table(table, target, {OWN: "1"})
    return table, jobs


def show_sweep(folder: Path, table: "pd.DataFrame", jobs: Sequence[SweepJob]) -> None:
    """Print swept values by the headline of the focus, a row a run, and what failed."""
    from rich.table import Table

    console, swept = streams.console(), list(table.columns[1 : table.columns.get_loc("error")])
    shown = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for n, head in enumerate([*swept, "focus", "stickiness", "share %"]):
        shown.add_column(head, justify="right" if n else "left", no_wrap=True)
    for job in jobs:
        values = [streams.plain(job.overrides.get(key, "")) for key in swept]
        figures = [_with_error(job, "stickiness", 1, 2), _with_error(job, "share", 100, 1)]
        shown.add_row(*values, streams.plain(job.focus), *(["failed", ""] if job.error else figures))
    console.print("the sweep", style="bold")
    console.print(shown)
    for job in jobs:
        if job.error:
            console.print(streams.plain(f"{near(job.folder)}: {job.error}"), soft_wrap=True)
    console.print(streams.plain(f"written to {near(folder)}: {SWEEP}, and a folder for each run"), soft_wrap=True)


def main(words: Sequence[str]) -> int:
    """`stickiness collect DIR`: the status is 1 where runs failed."""
    if len(words) != 1 or not words[0].strip():
        raise ScenarioError(["collect: needs the folder of one sweep, as in: collect multirun/2030-01-31/12-00-00"])
    folder = Path(os.path.abspath(words[0]))
    if not folder.is_dir():
        raise ScenarioError([f"collect: {words[0]} is no folder"])
    table, jobs = collect(folder)
    show_sweep(folder, table, jobs)
    return int(any(job.error for job in jobs))


def _folders(folder: Path) -> list[Path]:
    """The folders of jobs, 2 before 10."""
    found = {path.parent for name in ("run.parquet", FAILED) for path in folder.rglob(name)}
    return sorted(found - {folder}, key=lambda p: [(len(x), x) for x in re.split(r"(\d+)", str(p.relative_to(folder)))])


def _job(folder: Path) -> SweepJob:
    from sim.study import store

    if not (folder / "run.parquet").exists():
        try:
            about = json.loads((folder / FAILED).read_bytes())
            return SweepJob(folder, _pairs(about["overrides"]), {}, error=str(about["error"]))
        except (ValueError, TypeError, KeyError) as error:
            raise ScenarioError([f"{near(folder / FAILED)}: damaged: {error}"]) from None
    about = store.describe(folder / "run.parquet")
    scenario = about["scenario"]
    return SweepJob(folder, _pairs(about["notes"].get("overrides", [])), _figures(folder), scenario.get("focus", ""))


def _pairs(overrides: Sequence[str]) -> dict[str, str]:
    pairs = (str(override).partition("=") for override in overrides)
    return {key.lstrip("+"): value for key, _, value in pairs}


def _figures(folder: Path) -> dict[str, float]:
    """The metrics of everybody, as a study names them."""
    import pandas as pd

    found: dict[str, float] = {}
    try:
        table = pd.read_parquet(folder / "metrics.parquet")
    except (OSError, ValueError) as error:
        raise ScenarioError([f"{near(folder / 'metrics.parquet')}: cannot be read: {error}"]) from None
    for line in table[table["group"] == "all"].to_dict("records"):
        name = f"{line['metric']}.{line['firm']}" if line["firm"] else line["metric"]
        found |= {name: line["value"], f"{name}.error": line["error"]}
    return found


def _swept(jobs: Sequence[SweepJob]) -> dict[str, list[object]]:
    """The overrides that differ between jobs, as numbers where all are numbers."""
    keys = dict.fromkeys(key for job in jobs for key in job.overrides)
    columns = {key: [job.overrides.get(key, "") for job in jobs] for key in keys}
    return {key: _typed(values) for key, values in columns.items() if len(set(values)) > 1}


def _typed(values: Sequence[str]) -> list[object]:
    for kind in (int, float):
        try:
            return [kind(value) for value in values]
        except ValueError:
            continue
    return list(values)


def _with_error(job: SweepJob, metric: str, scale: float, digits: int) -> str:
    value, error = (job.figures.get(f"{metric}.{job.focus}{end}", float("nan")) for end in ("", ".error"))
    known = f"±{scale * error:.{digits}f}" if error == error else "±?"
    return f"{scale * value:.{digits}f} {known}" if value == value else "-"


def _is_own(path: Path) -> bool:
    from sim.study.store import StoreError, read_metadata

    try:
        return not path.is_symlink() and OWN in read_metadata(path)
    except StoreError:
        return False
