"""The runs that facts are measured on: each is simulated once, whichever facts ask for it.

A run is a preset, as one writes it on the command line, and changes to it. Presence is solved for the market without
events and then held, so that runs of one market are twins: the same people with the same draws.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, fields
from threading import Lock
from typing import TypeVar

import numpy as np

from sim.engine.loop import advance, initialize
from sim.measure.estimates import Array, Estimate, folds, jackknife, pooled
from sim.measure.tally import FOLDS, Tally, counted
from sim.model.fields import Mechanisms, Scenario
from sim.model.scenario import change
from sim.model.state import People
from sim.study.calibrate_shares import calibrate_shares
from sim.study.presets import uncalibrated

ALL_OFF = {f"mechanisms.{f.name}": False for f in fields(Mechanisms)}
Quantities = dict[str, Estimate]  # of a fact: name -> value and error
Changes = Mapping[str, object]  # dotted path -> value
Solve = Callable[[Scenario, str], Scenario]  # a scenario with shares, and its preset -> the one that is simulated
Result = TypeVar("Result")

MOST = 2_000_000_000  # bytes of runs that a cache keeps
_composing = Lock()  # Hydra composes one configuration at a time


@dataclass
class FactRun:
    """A scenario, what was counted, and the state of the people when the weeks asked for opened."""

    scenario: Scenario
    tally: Tally
    people: dict[int, People]  # by week

    @property
    def size(self) -> int:
        """Bytes of counts and people."""
        return sum(array.nbytes for kept in (self.tally, *self.people.values()) for array in kept)

    @property
    def counts(self) -> Tally:
        """Counts of everybody, weeks and windows summed."""
        return pooled(self.tally)

    @property
    def focus(self) -> int:
        """The number of the focus firm."""
        return list(self.scenario.firms).index(self.scenario.focus)

    def cells(self, segment: str = "", cohort: str = "") -> list[int]:
        """The numbers of the cells of a segment, of a cohort, or of both."""
        return [n for n, (s, c) in enumerate(self.scenario.cells) if segment in ("", s) and cohort in ("", c)]


class RunCache:
    """Simulates runs when they are first asked for, from any thread, and keeps the latest, MOST bytes of them.

    In all of them the mechanisms `off` are off; `tuned` gives a preset (`market=bank`) other numbers (path: value).
    `solve` makes presence of shares (default: as every run does), and may change other numbers too.
    """

    def __init__(
        self,
        people: int = 20_000,
        seed: int = 1,
        off: Sequence[str] = (),
        tuned: Mapping[str, Mapping[str, float]] | None = None,
        solve: Solve | None = None,
    ):
        self.people, self.seed, self.tuned, self.solve = people, seed, tuned or {}, solve
        self.off = {f"mechanisms.{name}": False for name in off}
        self._kept: dict[str, Future] = {}
        self._sizes: dict[str, int] = {}  # of runs, bytes, in the order in which they were asked for
        self._lock = Lock()

    def __call__(
        self, preset: str, changes: Changes | None = None, at: Sequence[int] = (), times: float = 1
    ) -> FactRun:
        """The run of a preset (`scandal=coop_bank`) after changes, with `times` the people.

        `at` are the weeks for which the state of the people is kept.
        """
        changes = {**(changes or {}), **self.off}
        key = json.dumps([preset, changes, list(at), times])
        run = self._once(key, lambda: self._simulate(preset, changes, at, times))
        self._forget(key, run.size)
        return run

    def scenario(self, preset: str, changes: Changes, times: float) -> Scenario:
        """What is simulated of a preset after changes, with `times` the people, presence solved."""
        size = {"people": int(self.people * times), "seed": self.seed}
        return change(self._calibrated(preset), {**size, **changes, **self.off})

    def firms(self, preset: str) -> list[str]:
        """The names of the firms of a preset."""
        return list(self._calibrated(preset).firms)

    def _simulate(self, preset: str, changes: Changes, at: Sequence[int], times: float) -> FactRun:
        scenario = self.scenario(preset, changes, times)
        (shard,), people = initialize(scenario), {}
        for week in range(-scenario.burn_in, scenario.weeks):
            if week in at:
                people[week] = copy_of(shard.people)
            advance([shard])
        if scenario.weeks in at:
            people[scenario.weeks] = shard.people
        return FactRun(scenario, counted(shard.tally), people)

    def _forget(self, key: str, size: int) -> None:
        """Forget the runs that were asked for longest ago, where all together are too large."""
        with self._lock:
            self._sizes.pop(key, None)
            self._sizes[key] = size
            while sum(self._sizes.values()) > MOST and len(self._sizes) > 1:
                oldest = next(iter(self._sizes))
                self._kept.pop(oldest, None)
                del self._sizes[oldest]

    def _calibrated(self, preset: str) -> Scenario:
        """The scenario of a preset, with the tuned numbers, presence solved."""
        stated = self._once(f"stated {preset}", lambda: _composed(preset))
        stated = change(stated, {k: v for word in preset.split() for k, v in self.tuned.get(word, {}).items()})
        solve = self.solve or (lambda scenario, _: calibrate_shares(scenario)[0])
        return self._once(f"solved {preset}", lambda: solve(stated, preset))

    def _once(self, key: str, make: Callable[[], Result]) -> Result:
        """What `make` returns, which is called by the first thread that asks for the key; the others wait."""
        with self._lock:
            first = key not in self._kept
            future = self._kept.setdefault(key, Future())
        if first:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
                raise
        result: Result = future.result()
        return result


def _composed(preset: str) -> Scenario:
    with _composing:
        return uncalibrated(*preset.split())


def copy_of(people: People) -> People:
    """The state of people that later weeks do not change."""
    return People(*(array.copy() for array in people))


def continue_from(run: FactRun, week: int, changes: Changes, weeks: int, times: int) -> Iterator[People]:
    """The state of the people some weeks after `week`, after changes; `times` times, each with other draws."""
    length = weeks + 1  # no window closes, so that what was used in these weeks is still counted
    scenario = change(run.scenario, {**changes, "burn_in": 0, "weeks": length, "window": length})
    for n in range(1, times + 1):
        (shard,) = initialize(scenario, n, start=run.people[week])
        for _ in range(weeks):
            advance([shard])
        yield shard.people


def from_counts(metric: Callable[..., Array], *tallies: Tally) -> Estimate:
    """A number made of one or more tallies of the same people, with its (paired) standard error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return jackknife(np.asarray(metric(*map(folds, tallies))))


def from_people(number: Callable[..., float], *columns: Array) -> Estimate:
    """A number made of columns with a row a person, and its standard error: each fold of people left out in turn."""
    rows = len(columns[0])
    fold = np.searchsorted(np.arange(1, FOLDS + 1) * rows // FOLDS, np.arange(rows), side="right")
    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = [number(*(c[fold != f] for c in columns)) for f in range(FOLDS)]
        return jackknife(np.array([number(*columns), *left_out]))
