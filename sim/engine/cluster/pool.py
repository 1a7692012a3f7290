"""Starts the actors of a population, schedules their weeks ahead, and replaces them when one dies."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sim.engine.cluster.actor import ShardActor, WeekTiming, source
from sim.engine.cluster.checkpoints import Checkpoints, name_of
from sim.engine.cluster.join import join_cluster
from sim.engine.loop import Run, sum_of, window_ends
from sim.engine.shard import refuse_unsolved
from sim.measure.tally import FOLDS, Tally, counted
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.network import Links, checked_links, stored_links
from sim.model.scenario import files_of
from sim.model.state import People

AHEAD = 4  # weeks that the driver requests before the first of them is done
TRIES = 3  # failures in a row without a further checkpoint, after which the run is given up
Report = Callable[[int, list[WeekTiming]], None]  # (weeks done, timing of each shard)
Table = TypeVar("Table", People, Tally)


@dataclass
class ActorPool:
    """The actors of one population, and how to start others."""

    ray: Any  # the package
    start: Callable[[], list[Any]]
    files: Checkpoints
    every: int  # weeks between checkpoints
    scenario: Scenario
    actors: list[Any] = field(default_factory=list)

    def call(self, method: str, *given: Sequence[Any]) -> list[Any]:
        """References to the result of a method of each actor; `given` are lists with an argument for each."""
        arguments = zip(*given, strict=True) if given else ((),) * len(self.actors)
        return [getattr(actor, method).remote(*own) for actor, own in zip(self.actors, arguments, strict=True)]

    def stop(self) -> None:
        """End the processes that have not ended by themselves."""
        for actor in self.actors:
            self.ray.kill(actor)
        self.actors = []

    def run(self, replication: int, weeks: int, report: Report) -> list[Tally]:
        """All weeks of a replication, from the last checkpoint if there is one; returns the tally of each shard."""
        self.actors = self.actors or self.start()
        shards, start = len(self.actors), self.files.last(replication)
        saved = self.files.paths(replication, start) if start else [None] * shards
        self.ray.get(self.call("initialize", [replication] * shards, [source()] * shards, saved))
        pending: deque[tuple[int, list[Any], list[Any]]] = deque()
        for week in range(start + 1, weeks + 1):
            asked = self._request_week()
            if window_ends(self.scenario, week - self.scenario.burn_in - 1):
                counts = sum_of(self.ray.get(self.call("window")))
                self.call("react", [counts] * shards)
            due = self.files.folder and week % self.every == 0 and week < weeks
            pending.append((week, asked, self._request_save(replication, week) if due else []))
            while len(pending) > (AHEAD if week < weeks else 0):
                done, timing, written = pending.popleft()
                report(done, self.ray.get(timing))
                if self.ray.get(written):
                    self.files.forget(replication, done)
        return self.ray.get(self.call("tally"))

    def _request_week(self) -> list[Any]:
        """References to the timing of a week of every actor; outboxes go from actor to actor."""
        shards = len(self.actors)
        outbox = [actor.step.options(num_returns=shards + 1).remote() for actor in self.actors]
        others = ([outbox[i][j] for i in range(shards) if i != j] for j in range(shards))
        return [actor.finish_week.remote(*pieces) for actor, pieces in zip(self.actors, others, strict=True)]

    def _request_save(self, replication: int, week: int) -> list[Any]:
        return self.call("save", self.files.paths(replication, week))

    def run_with_recovery(self, replication: int, weeks: int, report: Report) -> list[Tally]:
        """`run`, whichever actors die; RayError after TRIES failures without a further checkpoint."""
        tries, reached = 0, -1
        while True:
            try:
                return self.run(replication, weeks, report)
            except self.ray.exceptions.RayError as error:
                cause = getattr(error, "cause", None) or error
                if not isinstance(cause, self.ray.exceptions.RayError):
                    raise cause from None
                before, reached = reached, self.files.last(replication)
                tries = tries + 1 if reached == before else 1
                if tries == TRIES:
                    raise
                self.stop()


def simulate(
    scenario: Scenario,
    shards: int,
    address: str | None = None,
    checkpoint: str | Path | None = None,
    every: int = 26,
    network: Links | None = None,
    progress: Callable[[int, int], None] | None = None,
    keep_people: bool = False,
    first: int = 0,
    watch: Report | None = None,
) -> Run:
    """As `sim.engine.loop.simulate`, with the people in `shards` processes: the same Run.

    The cluster is the one at `address` ("auto" or "HOST:PORT"), the one that this process has already joined, or this
    machine. `checkpoint` is a folder that every machine sees; it is written to `every` so many weeks, and empty again
    at the end. `watch(week, timing)` gets what each shard spent on a week. ScenarioError if presence is not solved.
    """
    if not 1 <= shards <= FOLDS:
        raise ScenarioError([f"shards: {shards} is not among 1 to {FOLDS}; a shard is whole folds of people"])
    refuse_unsolved(scenario)
    stored = stored_links(scenario) if scenario.network.kind == "file" else None
    links = stored if network is None else checked_links(network, scenario.people)
    files = Checkpoints(Path(checkpoint) if checkpoint else None, name_of(scenario, links), shards)
    weeks, tallies, kept, moves = scenario.burn_in + scenario.weeks, [], [], []
    with _pool(address, scenario, links, files, every) as pool:
        for r in range(scenario.replications):

            def report(week: int, timing: list[WeekTiming], before: int = r * weeks) -> None:
                if watch:
                    watch(week, timing)
                if progress:
                    progress(before + week, weeks * scenario.replications)

            tallies += pool.run_with_recovery(first + r, weeks, report)
            moves += [pool.ray.get(pool.actors[0].moves.remote())] if scenario.policies else []
            if keep_people:
                kept.append(_concatenated(People, pool.ray.get(pool.call("people"))))
            files.forget(first + r, weeks)
    return Run(scenario, counted(_concatenated(Tally, tallies)), {}, kept, moves)


def _concatenated(kind: type[Table], parts: Sequence[Table]) -> Table:
    return kind(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


@contextmanager
def _pool(
    address: str | None, scenario: Scenario, links: Links | None, files: Checkpoints, every: int
) -> Iterator[ActorPool]:
    """A pool of actors on a cluster; what was started for it ends with it."""
    ray, joined = join_cluster(address, "cluster")
    # An actor that requests nothing is placed where a core is free, and holds none: after a death the rest take it in.
    actor, network = ray.remote(scheduling_strategy="SPREAD")(ShardActor), ray.put(links)
    named = ray.put(files_of(scenario))

    def start() -> list[Any]:
        return [actor.remote(n, files.shards, scenario, network, named) for n in range(files.shards)]

    pool = ActorPool(ray, start, files, every, scenario)
    try:
        yield pool
    finally:
        pool.stop() if joined else ray.shutdown()
