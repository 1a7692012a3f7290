"""The work of a study, in batches that any process of any machine can do: from changes to figures, or to an error."""

from collections.abc import Sequence
from typing import NamedTuple

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study.designs import Changes
from sim.study.journal import NOTHING, Outcome, code
from sim.study.measures import Measure, measured
from sim.study.simulation import simulate

AGAIN = "try again: "  # how the error begins of a run that may succeed another time
PERSON_WEEKS, OVERHEAD = 3e7, 0.005  # a second and core simulates so many; seconds that a run takes beside that
LONGEST = 1.0  # seconds of a batch, beyond which it is a single run: what a kill may lose on each worker


class Job(NamedTuple):
    """One run: its arm, its replication, and the key under which its rows are kept."""

    key: str
    changes: Changes
    replication: int


class Task(NamedTuple):
    """What all runs of a study share."""

    base: Scenario
    measure: Measure
    code: str  # which code must do it


def seconds_of(scenario: Scenario) -> float:
    """About how long one replication takes one core."""
    return OVERHEAD + scenario.people * (scenario.weeks + scenario.burn_in) / PERSON_WEEKS


def batches_of(jobs: Sequence[Job], seconds: float, workers: int, longest: float = LONGEST) -> list[list[Job]]:
    """The jobs in order, in batches of at most `longest` seconds, and so small that all workers end together."""
    many = max(1, min(int(longest / seconds), len(jobs) // (4 * workers)))
    return [list(jobs[start : start + many]) for start in range(0, len(jobs), many)]


def do_batch(task: Task, batch: Sequence[Job]) -> list[Outcome]:
    """The outcome of each job, in another process; ScenarioError where that has other code."""
    if task.code != code():
        raise ScenarioError(["workers: they have another version of this package; install the same everywhere"])
    return [outcome(task, job) for job in batch]


_last: list[tuple[str, Scenario]] = []  # the arm whose replications are being simulated


def _arm(task: Task, job: Job) -> Scenario:
    """The scenario of a job; that of the job before, where it is another replication of it."""
    arm, _, _ = job.key.rpartition("-")  # a hash of the scenario, in a study
    for known, scenario in _last[-1:]:
        if arm and known == arm:
            return scenario
    scenario = change(task.base, job.changes)
    _last[:] = [(arm, scenario)]
    return scenario


def outcome(task: Task, job: Job) -> Outcome:
    """The figures of one run, or why it failed."""
    try:
        scenario = _arm(task, job)
        weekly, first = task.measure.keep != "totals", job.replication
        run = simulate(scenario, threads=1, first=first, by_week=weekly)
        return Outcome(measured(run, task.measure))
    except (MemoryError, OSError) as error:
        return Outcome(NOTHING, f"{AGAIN}{type(error).__name__}: {error}")
    except ValueError as error:
        return Outcome(NOTHING, str(error) or type(error).__name__)
    except Exception as error:  # a fault of ours: the other runs go on, and the row says it
        return Outcome(NOTHING, f"{type(error).__name__}: {error}")
