"""One call from a design to a table: checked as a whole, simulated on all cores or many machines, resumed."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.model.declare import ScenarioError, leaves
from sim.model.fields import Scenario
from sim.model.paths import bare
from sim.model.scenario import change, to_dict
from sim.study.calibrate_shares import calibrate_shares
from sim.study.designs import Arm, Cell, Changes, Design, as_design, differences
from sim.study.journal import STUDY, TABLE, Journal, Outcome, check_free, code, digest_of, key_of
from sim.study.measures import Keep, Measure, complaints_of, labels
from sim.study.pools import Workers, check_workers, done_by
from sim.study.progress import progress
from sim.study.store import write_table
from sim.study.work import AGAIN, Job, Task, seconds_of

if TYPE_CHECKING:
    import pandas as pd

MOST_RUNS = 1_000_000  # without `yes`
LOOKED_AT = 1000  # arms of a design with too many runs that are checked nevertheless


class Checked(NamedTuple):
    """An arm that can be simulated."""

    cells: tuple[Cell, ...]
    changes: Changes
    key: str  # of its rows in the journal, replications aside
    marks: list[tuple[object, ...]]  # what stands in the columns of the measure, for each row of a run
    seconds: float  # about, of one core for one run


def run(
    base: Scenario,
    design: object,
    *,
    metrics: Sequence[str] | str = (),
    groups: Sequence[str] | str = ("all",),
    keep: Keep = "totals",
    replications: int | None = None,
    workers: Workers = None,
    folder: Path | str | None = None,
    resume: bool = True,
    yes: bool = False,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Simulate every arm of a design with the same people and draws in each replication; one table.

    `design`: axes (a grid), `study.zipped`, `latin_hypercube`, `sobol`, `named` scenarios, a DataFrame, a CSV file.
    A row for each run, and for each of `groups` ("all", "segments.ethical", ...) and window or week that is kept:
    `replication`, the design's columns, `error` (empty, or why the run failed), then `<metric>.<firm>` and its error
    over people. `workers`: a number (all cores), "ray", "slurm", HOST:PORT of a Ray cluster, or an executor. In
    `folder` rows are kept: a stopped study goes on, new arms are added, a finished one costs nothing. ScenarioError
    says all that is wrong before the first run.

    >>> from sim import build
    >>> base = build({"people": 300, "weeks": 13, "segments": {"all": {}}, "firms": {"a": {}, "b": {}}})
    >>> run(base, {"firms.a.quality": [0.0, 1.0]}, replications=2, quiet=True)["firms.a.quality"].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    asked, many = as_design(design), _replications(base, replications)
    names, members = ((n,) if isinstance(n, str) else tuple(n) for n in (metrics, groups))
    measure, place = Measure(names, members, keep), Path(folder) if folder else None
    arms = _checked(base, asked, measure, _complaints(asked, many, workers, yes))
    if place:
        check_free(place, digest_of(base), resume)
    solved, log = calibrate_shares(base)[0], Journal(place, digest_of(base))
    arms = arms if solved is base else _checked(solved, asked, measure, [])
    table = _done(Task(solved, measure, code()), asked, arms, many, log, workers, quiet)
    if place:
        _save(table, place, base)
    return table


def _replications(base: Scenario, asked: object) -> int:
    """How many are asked for, whatever that is; ScenarioError if the base is no scenario."""
    if not isinstance(base, Scenario):
        raise ScenarioError([f"base: {base!r} is no Scenario; sim.build makes one of nested values"])
    return base.replications if asked is None else bare(asked)


def _save(table: "pd.DataFrame", folder: Path, base: Scenario) -> None:
    check_free(folder, digest_of(base))  # again: a long study leaves time for another file of that name
    write_table(table, folder / TABLE, {"base": json.dumps(to_dict(base)), STUDY: digest_of(base)})


def _done(
    task: Task, design: Design, arms: Sequence[Checked], replications: int, log: Journal, workers: Workers, quiet: bool
) -> "pd.DataFrame":
    """The table of all runs, those that the journal has not simulated first."""
    jobs = {f"{arm.key}-{r}": Job(f"{arm.key}-{r}", arm.changes, r) for arm in arms for r in range(replications)}
    with log:
        found = _outcomes(task, jobs, log, workers, max(arm.seconds for arm in arms), quiet)
    return _table(arms, design.columns, replications, found, task.measure)


def _outcomes(
    task: Task, jobs: Mapping[str, Job], journal: Journal, workers: Workers, seconds: float, quiet: bool
) -> dict[str, Outcome]:
    """The outcome of each job by its key, those that are new added to the journal."""
    found = dict(journal.known(jobs))
    todo = [job for key, job in jobs.items() if key not in found]
    work = done_by(workers, task, todo, seconds, journal.path and journal.path.parent)
    with progress(len(jobs), len(found), quiet) as step, closing(work) as done:
        for job, outcome in done:
            found[job.key] = outcome
            if not outcome.error.startswith(AGAIN):
                journal.add(job.key, outcome)
            step(len(found))
    return found


def _complaints(design: Design, replications: int, workers: Workers, yes: bool) -> list[str]:
    """What is wrong with a study, whatever its arms are."""
    whole = isinstance(replications, int) and not isinstance(replications, bool)
    wrong = [] if whole else [f"replications: {replications!r} is not a whole number"]
    wrong += [f"replications: {replications}; at least 1 is needed"] if whole and replications < 1 else []
    wrong += check_workers(workers) + ([] if design.arms else ["design: no arms"])
    runs = len(design.arms) * (max(1, replications) if whole else 1)
    if runs >= MOST_RUNS and not yes:
        many = f"{len(design.arms):,} arms x {replications:,} replications"
        wrong.append(f"design: {many} are {runs:,} runs; say yes=True if that is meant")
    return wrong


def _checked(base: Scenario, design: Design, measure: Measure, wrong: list[str]) -> list[Checked]:
    """The arms as changes that fit the base, or one ScenarioError with all that is wrong with the study.

    Of a study that is wrong already only the first arms are looked at.
    """
    found, kinds, marks = [], {}, {}
    whole = {path for path, value, _ in leaves(base) if isinstance(value, int) and not isinstance(value, bool)}
    taken = [c for c in measure.columns if c in design.columns]
    complaints = dict.fromkeys(wrong + [f"{c}: varied, and a column of what is kept; keep totals" for c in taken])
    for arm in design.arms[:LOOKED_AT] if wrong else design.arms:
        arm = _fitted(base, design, arm, whole)
        changes = {**_changes(arm), "replications": 1}
        try:
            scenario = change(base, changes)
        except ScenarioError as error:
            complaints |= dict.fromkeys(error.complaints)
            continue
        size = scenario.weeks, scenario.window
        kinds[(*size, scenario.market.regime, *scenario.segments, *scenario.cohorts)] = scenario
        if size not in marks and not complaints:
            marks[size] = labels(measure, scenario)
        key = key_of(scenario, measure, code())
        found.append(Checked(arm.cells, changes, key, marks.get(size, []), seconds_of(scenario)))
    complaints |= dict.fromkeys(complaints_of(measure, list(kinds.values()) or [base]))
    if complaints:
        raise ScenarioError(list(complaints))
    return found


def _fitted(base: Scenario, design: Design, arm: Arm, whole: set[str]) -> Arm:
    """The arm as changes of the base; of a spread design, with whole numbers where fields are."""
    changes = differences(base, arm.changes) if isinstance(arm.changes, Scenario) else dict(arm.changes)
    if not design.spread:
        return Arm(arm.cells, changes)
    cells = tuple(round(float(v)) if p in whole else v for p, v in zip(design.columns, arm.cells, strict=True))
    return Arm(cells, dict(zip(design.columns, cells, strict=True)))


def _changes(arm: Arm) -> Changes:
    assert isinstance(arm.changes, Mapping)
    return arm.changes


def _table(
    arms: Sequence[Checked], columns: Sequence[str], replications: int, found: Mapping[str, Outcome], measure: Measure
) -> "pd.DataFrame":
    """The rows in the order of the design, whatever the order in which they came."""
    import pandas as pd

    runs = [(arm, r, found[f"{arm.key}-{r}"]) for arm in arms for r in range(replications)]
    measured = list(dict.fromkeys(c for *_, outcome in runs for c in outcome.figures.columns))
    place = {c: n for n, c in enumerate(measured)}
    values = np.full((sum(len(arm.marks) for arm, *_ in runs), len(measured)), np.nan)
    front: list[tuple[object, ...]] = []
    for arm, r, (figures, error) in runs:
        if figures.columns:
            values[len(front) : len(front) + len(arm.marks), [place[c] for c in figures.columns]] = figures.rows
        front += [(r, *arm.cells, *mark, error) for mark in arm.marks]
    names = ["replication", *columns, *measure.columns, "error"]
    cells = {name: _column([row[k] for row in front]) for k, name in enumerate(names)}
    return pd.concat([pd.DataFrame(cells), pd.DataFrame(values, columns=measured)], axis=1)


def _column(cells: list[object]) -> list[object]:
    """Cells that Parquet can keep in one column: text where numbers, words and switches stand beside each other."""
    kinds = {bool if isinstance(c, bool) else str if isinstance(c, str) else float for c in cells}
    return cells if len(kinds) == 1 else [c if isinstance(c, str) else json.dumps(c) for c in cells]
