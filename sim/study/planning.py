"""How many people and replications a question needs, from a small pilot with the same draws in both arms."""

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.model.scenario import change as changed
from sim.study.calibrate_shares import calibrate_shares
from sim.study.journal import Outcome, code
from sim.study.measures import Measure, complaints_of
from sim.study.pools import Workers, check_workers, done_by
from sim.study.progress import progress
from sim.study.work import Job, Task, seconds_of

PILOT = 16  # pairs of runs in the pilot
PILOT_PEOPLE = 2000  # in each of them, at most
FIRST = 2**23  # number of the pilot's first replication: no run and no solver of presence has these draws
LEAST, MOST = 200, 1_000_000  # people of a planned run; of fewer, some figures cannot be known
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Plan:
    """What a paired comparison needs; `study.run` with these people and replications makes it."""

    people: int
    replications: int
    half_width: float
    spread: float  # standard deviation of the difference between two runs of so many `people`
    unpaired: int  # people of each run, in as many replications, if the arms had draws of their own
    seconds: float  # about, of one core, for both arms

    def __repr__(self) -> str:
        """One sentence."""
        return (
            f"<Plan: {self.people:,} people in {self.replications} replications of each arm for ± {self.half_width:g} "
            f"(unpaired: {self.unpaired:,} people); about {self.seconds:,.0f} s of one core>"
        )


class Pair(NamedTuple):
    """One column of both arms, by replication of the pilot."""

    control: np.ndarray
    arm: np.ndarray


def plan(
    base: Scenario,
    change: Mapping[str, object],
    column: str,
    half_width: float,
    *,
    replications: int = PILOT,
    workers: Workers = None,
    quiet: bool = False,
) -> Plan:
    """People and replications for which the paired difference of `column` is within `half_width` of the true one.

    It is so in 95 % of the studies planned like this: Stein's two-stage rule on a pilot of 16 pairs of runs with at
    most 2,000 people and draws that no study has, `people x replications = (t SD / half_width)^2` of the pilot's. The
    variance is taken to fall as 1 / people. `column` is a metric of a firm ("share.lloyds") or of the market, and
    `change` what `sim.change` takes. ScenarioError if something is wrong, or if the pilot cannot tell. Source: Stein
    (1945), Ann. Math. Stat. 16, 243-258.

    >>> from sim import build
    >>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
    >>> base = build({"people": 300, "weeks": 13, "segments": {"all": {}}, "firms": firms})
    >>> plan(base, {"firms.a.quality": 0.5}, "share.a", 0.05, quiet=True).replications
    16
    """
    _check(base, change, column, half_width, replications, workers)
    base = calibrate_shares(changed(base, {"replications": 1}))[0]
    people = min(base.people, PILOT_PEOPLE)
    pair = _pilot(changed(base, {"people": people}), change, column, workers, quiet)
    gaps, apart = np.std(pair.arm - pair.control, ddof=1), math.hypot(pair.arm.std(ddof=1), pair.control.std(ddof=1))
    if not np.isfinite(gaps):
        raise ScenarioError([f"{column}: not known in every run of {people:,} people; give `base` more people"])
    if gaps == 0:
        raise ScenarioError([f"{column}: the change makes no difference in {PILOT} runs of {people:,} people"])
    needed = people * (student(PILOT - 1) * gaps / half_width) ** 2  # people of all replications
    many = max(replications, math.ceil(needed / MOST))
    each = max(LEAST, math.ceil(needed / many))
    seconds = 2 * many * seconds_of(changed(base, {"people": each}))
    unpaired = math.ceil(each * (apart / gaps) ** 2)
    return Plan(each, many, half_width, float(gaps * math.sqrt(people / each)), unpaired, seconds)


def student(df: int) -> float:
    """The quantile of Student's t that a two-sided 95 % interval reaches to."""
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + CONFIDENCE) / 2))


def _check(
    base: Scenario, change: Mapping[str, object], column: str, half_width: float, replications: int, workers: Workers
) -> None:
    wrong = check_workers(workers)
    metric, _, firm = column.partition(".")
    wrong += complaints_of(Measure((metric,)), [base])
    if firm and firm not in base.firms:
        wrong.append(f"{column}: {firm!r} is no firm{did_you_mean(firm, base.firms)}")
    if not half_width > 0:
        wrong.append(f"half_width: {half_width} is not above 0")
    if replications < 2:
        wrong.append(f"replications: {replications}; at least 2 are needed for an error")
    try:
        if changed(base, change) == base:
            wrong.append("change: nothing is changed")
    except ScenarioError as error:
        wrong += error.complaints
    if wrong:
        raise ScenarioError(wrong)


def _pilot(base: Scenario, change: Mapping[str, object], column: str, workers: Workers, quiet: bool) -> Pair:
    """The column in both arms of every replication of the pilot."""
    task = Task(base, Measure((column.partition(".")[0],)), code())
    jobs = [Job(arm, c, FIRST + r) for r in range(PILOT) for arm, c in (("control", {}), ("arm", change))]
    found: dict[tuple[str, int], float] = {}
    work = done_by(workers, task, jobs, seconds_of(base), None)
    with progress(len(jobs), 0, quiet) as step, closing(work) as done:
        for job, outcome in done:
            found[job.key, job.replication - FIRST] = _value(outcome, column)
            step(len(found))
    return Pair(*(np.array([found[arm, r] for r in range(PILOT)]) for arm in ("control", "arm")))


def _value(outcome: Outcome, column: str) -> float:
    if outcome.error:
        raise ScenarioError([f"the pilot: {outcome.error}"])
    if column not in outcome.figures.columns:
        known = [c for c in outcome.figures.columns if not c.endswith(".error")]
        raise ScenarioError([f"{column}: no column{did_you_mean(column, known)}"])
    return float(outcome.figures.rows[0, outcome.figures.columns.index(column)])
