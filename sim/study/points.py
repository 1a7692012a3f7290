"""Figures of a scenario at many points of its priors: what sensitivity, calibration and plausible worlds ask alike.

A point gives the quantile (0 to 1) of each free number. Every replication uses the same people and draws at all points,
so that what differs between points is owed to the numbers, and what differs between replications to the dice.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from sim.measure.tally import Array
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.model.scenario import change as changed
from sim.study.calibrate_shares import calibrate_shares
from sim.study.designs import Changes, named
from sim.study.measures import Measure, complaints_of, metrics_of
from sim.study.pools import Workers, check_workers
from sim.study.prior_laws import Prior
from sim.study.priors import priors_of, values
from sim.study.runs import run

T = TypeVar("T")
Model = Callable[[Array], Array]  # points [point, number] in 0 to 1 -> figures [replication, point, column]


def columns_of(scenario: Scenario, metric: str) -> list[str]:
    """The columns of a metric in the table of a study, without errors; [] where the scenario has no such metric."""
    found = metrics_of(Measure((metric,)), scenario)
    return [c for i in found for c in ([f"{i.name}.{f}" for f in scenario.firms] if i.of == "firm" else [i.name])]


def column_complaints(scenario: Scenario, columns: Sequence[str]) -> list[str]:
    """What is wrong with columns such as "share.lloyds"."""
    wrong = [] if columns else ["metrics: none"]
    for column in columns:
        metric = column.partition(".")[0]
        of_metric = complaints_of(Measure((metric,)), [scenario])
        known = [] if of_metric else columns_of(scenario, metric)
        wrong += of_metric or ([] if column in known else [f"metrics: {column!r} is none{did_you_mean(column, known)}"])
    return list(dict.fromkeys(wrong))


def prior_complaints(paths: Sequence[str], priors: Mapping[str, Prior]) -> list[str]:
    """What is wrong with the numbers that are to vary."""
    wrong = [] if paths else ["paths: no number varies"]
    wrong += [f"{p}: stands there twice" for n, p in enumerate(paths) if p in paths[:n]]
    return wrong + [f"{p}: has no prior here{did_you_mean(p, priors)}" for p in paths if p not in priors]


def attempted(wrong: list[str], make: Callable[[], T]) -> T | None:
    """What `make` gives; None if it raises a ScenarioError, whose complaints are added to `wrong`."""
    try:
        return make()
    except ScenarioError as error:
        wrong += error.complaints
        return None


def whole_complaints(**numbers: tuple[object, int]) -> list[str]:
    """What is wrong with whole numbers, each with the least that it may be."""
    return [
        f"{name}: {value!r} is not a whole number from {least} on"
        for name, (value, least) in numbers.items()
        if isinstance(value, bool) or not isinstance(value, int) or value < least
    ]


def chosen(base: Scenario, paths: Sequence[str] | None, priors: Mapping[str, Prior] | None) -> dict[str, Prior]:
    """The priors of the numbers that vary: those named, or all that are free; ScenarioError for others."""
    known = dict(priors_of(base) if priors is None else priors)
    wanted = list(known) if paths is None else list(paths)
    if wrong := prior_complaints(wanted, known):
        raise ScenarioError(wrong)
    return {path: known[path] for path in wanted}


def model_of(
    base: Scenario,
    columns: Sequence[str],
    priors: Mapping[str, Prior],
    change: Changes | None = None,
    *,
    replications: int = 1,
    own_dice: bool = False,
    workers: Workers = None,
    folder: Path | str | None = None,
    quiet: bool = False,
) -> Model:
    """The figures of a scenario as a function of quantiles; with `change`, what that changes them by.

    Presence is solved once, for the base, and held. A run that fails has nan. With
    `own_dice` each point has draws of its own. ScenarioError for what is misspelled.
    """
    wrong = column_complaints(base, columns) + check_workers(workers) + whole_complaints(replications=(replications, 1))
    attempted(wrong, lambda: changed(base, change or {}))
    if wrong:
        raise ScenarioError(wrong)
    solved, metrics = calibrate_shares(base)[0], tuple(dict.fromkeys(c.partition(".")[0] for c in columns))

    def figures(points: Array) -> Array:
        rows: list[dict[str, object]] = []
        for n, point in enumerate(points):
            seed = {"seed": (solved.seed + 1 + n) % 2**31} if own_dice else {}
            rows.append({**values(solved, dict(zip(priors, map(float, point), strict=True)), priors), **seed})
        arms = {f"{n}": row for n, row in enumerate(rows)}
        if change is not None:
            arms |= {f"{n} changed": {**row, **change} for n, row in enumerate(rows)}
        how = {"replications": replications, "workers": workers, "folder": folder, "quiet": quiet}
        table = run(solved, named(arms), metrics=metrics, **how)  # type: ignore[arg-type]
        found = table[list(columns)].to_numpy(float).reshape(len(arms), replications, len(columns)).swapaxes(0, 1)
        return found if change is None else found[:, len(rows) :] - found[:, : len(rows)]

    return figures
