"""All shards of a population: hired, asked for weeks ahead, and replaced when one of them dies."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sim.engine.cluster.actor import ShardActor, Week, source
from sim.engine.cluster.checkpoints import Checkpoints, name_of
from sim.engine.loop import Run
from sim.measure.tally import FOLDS, Tally, counted
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.network import checked_links, stored_links
from sim.model.state import People
from sim.study.calibrate_shares import calibrate_shares

PREFETCH = 4  # weeks that the driver asks for before the first of them is lived
TRIES = 3  # deaths without a step forward after which it is given up


@dataclass
class ActorPool:
    """The actors of one population, and how to get others."""

    ray: Any
    start: Callable[[], list[Any]]
    files: Checkpoints
    every: int
    actors: list[Any] = field(default_factory=list)

    def ask(self, what: str, *given: Sequence[Any]) -> list[Any]:
        """References to what each actor answers; `given` are lists with an argument for each."""
        arguments = zip(*given, strict=True) if given else ((),) * len(self.actors)
        return [getattr(actor, what).remote(*own) for actor, own in zip(self.actors, arguments, strict=True)]

    def stop(self) -> None:
        """End the processes, those that have not ended by themselves."""
        for actor in self.actors:
            self.ray.kill(actor)
        self.actors = []

    def live(self, replication: int, weeks: int, hears: Callable[[int, list[Week]], None]) -> list[Tally]:
        """The whole story, from the last checkpoint if there is one; the tally of each shard."""
        self.actors = self.actors or self.start()
        shards, start = len(self.actors), self.files.last(replication)
        begins = self.files.paths(replication, start) if start else [None] * shards
        self.ray.get(self.ask("begin", [replication] * shards, [source()] * shards, begins))
        flight: deque[tuple[int, list[Any], list[Any]]] = deque()
        for lived in range(start + 1, weeks + 1):
            outbox = [actor.live.options(num_returns=shards + 1).remote() for actor in self.actors]
            others = ([outbox[i][j] for i in range(shards) if i != j] for j in range(shards))
            ended = [actor.hear.remote(*pieces) for actor, pieces in zip(self.actors, others, strict=True)]
            due = self.files.folder and lived % self.every == 0 and lived < weeks
            saved = self.ask("save", self.files.paths(replication, lived)) if due else []
            flight.append((lived, ended, saved))
            while len(flight) > (PREFETCH if lived < weeks else 0):
                done, ended, saved = flight.popleft()
                hears(done, self.ray.get(ended))
                if self.ray.get(saved):
                    self.files.forget(replication, done)
        return self.ray.get(self.ask("tally"))

    def run_with_recovery(self, replication: int, weeks: int, hears: Callable[[int, list[Week]], None]) -> list[Tally]:
        """`live`, whoever dies; RayError if TRIES times nothing is reached that was not reached before."""
        tries, reached = 0, -1
        while True:
            try:
                return self.live(replication, weeks, hears)
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
    network: Any = None,
    progress: Callable[[int, int], None] | None = None,
    keep_people: bool = False,
    first: int = 0,
    watch: Callable[[int, list[Week]], None] | None = None,
) -> Run:
    """`engine.simulate` with the people in `shards` processes: the same Run.

    They live on the cluster at `address` ("auto" or "HOST:PORT"), on the one this process has already joined, or on
    this machine. `checkpoint` is a folder that every machine sees, written to `every` so many weeks and empty again
    at the end. `watch(lived, weeks)` hears what each shard spent on a week.
    """
    if not 1 <= shards <= FOLDS:
        raise ScenarioError([f"shards: {shards} is not among 1 to {FOLDS}; a shard is whole groups of people"])
    scenario, shares = calibrate_shares(scenario)
    links = checked_links(network, scenario.people) if network is not None else None
    if links is None and scenario.network.kind == "file":
        links = stored_links(scenario)
    files = Checkpoints(Path(checkpoint) if checkpoint else None, name_of(scenario, links), shards)
    weeks, tallies, kept = scenario.burn_in + scenario.weeks, [], []
    with _pool(address, scenario, links, files, every) as pool:
        for r in range(scenario.replications):

            def hears(lived: int, timing: list[Week], done: int = r * weeks) -> None:
                if watch:
                    watch(lived, timing)
                if progress:
                    progress(done + lived, weeks * scenario.replications)

            tallies += pool.run_with_recovery(first + r, weeks, hears)
            if keep_people:
                kept.append(_joined(People, pool.ray.get(pool.ask("people"))))
            files.forget(first + r, weeks)
    return Run(scenario, counted(_joined(Tally, tallies)), shares, kept)


def _joined(kind: Any, parts: Sequence[Any]) -> Any:
    return kind(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


@contextmanager
def _pool(address: str | None, scenario: Scenario, links: Any, files: Checkpoints, every: int) -> Iterator[ActorPool]:
    """A crew on a cluster; what was started for it ends with it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of a death, which is heard of once, and handled
    try:
        import ray
    except ImportError:
        raise ScenarioError(["cluster: ray is missing; pip install -e '.[cluster]'"]) from None
    joined = ray.is_initialized()
    if not joined:
        own = {} if address else {"include_dashboard": False}
        ray.init(address or "local", log_to_driver=False, logging_level="WARNING", **own)
    # An actor that asks for nothing is placed by processors and holds none: after a death the rest take it in.
    actor, network = ray.remote(scheduling_strategy="SPREAD")(ShardActor), ray.put(links)
    pool = ActorPool(
        ray, lambda: [actor.remote(n, files.shards, scenario, network) for n in range(files.shards)], files, every
    )
    try:
        yield pool
    finally:
        pool.stop() if joined else ray.shutdown()
