"""The worlds that the facts look at: a world is lived once, whichever facts ask for it.

A world is a preset, as one would write it on the command line, and changes to it. Presence is solved for the quiet
market and then held, so that worlds of one market are twins: the same people with the same draws.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any

import numpy as np

from sim import study
from sim.engine.loop import advance, initialize
from sim.measure.estimates import Array, Estimate, folds, jackknife, pooled
from sim.measure.tally import FOLDS, Tally, counted
from sim.model.fields import Mechanisms, Scenario
from sim.model.scenario import change
from sim.model.state import People
from sim.study.calibrate_shares import calibrate_shares

BARE = {f"mechanisms.{f.name}": False for f in fields(Mechanisms)}


@dataclass
class Lived:
    """A scenario, what was counted, and the people as they stood when the weeks asked for opened."""

    scenario: Scenario
    tally: Tally
    people: dict[int, People]

    @property
    def counts(self) -> Tally:
        """Everybody's counts, weeks and windows summed."""
        return pooled(self.tally)

    @property
    def focus(self) -> int:
        """The number of the firm the story is about."""
        return list(self.scenario.firms).index(self.scenario.focus)

    def cells(self, segment: str = "", cohort: str = "") -> list[int]:
        """The numbers of the cells of a segment, of a cohort, or of both."""
        return [n for n, (s, c) in enumerate(self.scenario.cells) if segment in ("", s) and cohort in ("", c)]


COMPOSING = Lock()  # Hydra composes one configuration at a time


def _stated(preset: str) -> Scenario:
    with COMPOSING:
        return study.uncalibrated(*preset.split())


class Worlds:
    """Lives worlds as they are asked for, from any thread, and keeps them.

    In all of them the mechanisms `off` are off; `tuned` gives a preset (`market=bank`) other numbers (path: value).
    """

    def __init__(
        self,
        people: int = 20_000,
        seed: int = 1,
        off: Sequence[str] = (),
        tuned: Mapping[str, Mapping[str, float]] | None = None,
    ):
        self.people, self.seed, self.tuned = people, seed, tuned or {}
        self.off = {f"mechanisms.{name}": False for name in off}
        self._kept: dict[str, Future[Any]] = {}
        self._lock = Lock()

    def __call__(
        self, preset: str, changes: Mapping[str, Any] | None = None, at: Sequence[int] = (), times: float = 1
    ) -> Lived:
        """The world of a preset (`scandal=coop_bank`) after changes (dotted path: value), with `times` the people."""
        changes = {**(changes or {}), **self.off}
        key = json.dumps([preset, changes, list(at), times])
        return self._once(key, lambda: self._live(preset, changes, at, times))

    def firms(self, preset: str) -> list[str]:
        """The names of the firms of a preset."""
        return list(self._settled(preset).firms)

    def _live(self, preset: str, changes: Mapping[str, Any], at: Sequence[int], times: float) -> Lived:
        size = {"people": int(self.people * times), "seed": self.seed}
        scenario = change(self._settled(preset), {**size, **changes})
        (shard,), people = initialize(scenario), {}
        for week in range(-scenario.burn_in, scenario.weeks):
            if week in at:
                people[week] = People(*(a.copy() for a in shard.people))
            advance([shard])
        if scenario.weeks in at:
            people[scenario.weeks] = shard.people
        return Lived(scenario, counted(shard.tally), people)

    def _settled(self, preset: str) -> Scenario:
        stated = self._once(f"stated {preset}", lambda: _stated(preset))
        stated = change(stated, {k: v for word in preset.split() for k, v in self.tuned.get(word, {}).items()})
        return self._once(f"solved {preset}", lambda: calibrate_shares(stated)[0])

    def _once(self, key: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            mine = key not in self._kept
            future: Future[Any] = self._kept.setdefault(key, Future())
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()


def onwards(lived: Lived, week: int, changes: Mapping[str, Any], weeks: int, times: int) -> Iterator[People]:
    """The people as they stand some weeks after `week`, after changes: lived so many times, each with other draws."""
    length = weeks + 1  # no window closes, so that what was used in these weeks is still counted
    scenario = change(lived.scenario, {**changes, "burn_in": 0, "weeks": length, "window": length})
    for n in range(1, times + 1):
        (shard,) = initialize(scenario, n, start=lived.people[week])
        for _ in range(weeks):
            advance([shard])
        yield shard.people


def of(metric: Callable[..., Any], *tallies: Tally) -> Estimate:
    """A number made of one or more tallies of the same people, with its (paired) standard error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return jackknife(np.asarray(metric(*map(folds, tallies))))


def among(number: Callable[..., Any], *columns: Array) -> Estimate:
    """A number made of columns with a row a person, with its standard error: each group of people left out in turn."""
    rows = len(columns[0])
    group = np.searchsorted(np.arange(1, FOLDS + 1) * rows // FOLDS, np.arange(rows), side="right")
    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = [number(*(c[group != g] for c in columns)) for g in range(FOLDS)]
        return jackknife(np.array([number(*columns), *left_out]))
