"""Everybody, on many machines: shards of one population as Ray actors, with the same result as one process.

A shard is whole groups of people, so there are at most GROUPS of them, each a process with one thread. Between weeks
it sends every other shard what somebody there can hear, and nothing else: 12 bytes a message or piece of fresh news,
from actor to actor; the driver hands on references, some weeks ahead of the actors. The market needs nothing: its
story is in the scenario, and counts are added up at the end.

Deaths: whoever dies, actor or node, takes part of the population along, and the others are soon waiting for it. Then
all begin again where all of them last stood together. That is a checkpoint: a file a shard, whole or not at all, in a
folder that all machines share. Neither the object store (it dies with its node) nor the driver (which holds no people)
would do; and the folder outlives the driver, so the same call made again goes on from there. Without a folder they
begin again at birth, which costs time only, for every draw is a function of its address.

Every machine has this package installed in one version (which is checked) and sees the folder; only the driver reads
the files of a scenario. `experiments/cluster.py` shows two nodes, kills one, and says what 10^9 people cost.
"""

import hashlib
import json
import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sim.crowd import Told, reach
from sim.engine import Life, Run, begin, close, end_week, live_week, settle
from sim.person import People
from sim.scenario import Scenario, ScenarioError, to_dict
from sim.store import write_atomic
from sim.tally import GROUPS, Tally, counted, empty_tally
from sim.world import stored_links

AHEAD = 4  # weeks that the driver asks for before the first of them is lived
TRIES = 3  # deaths without a step forward after which it is given up


class Week(NamedTuple):
    """What a week of one shard took."""

    sent: int  # bytes for other shards
    living: float  # seconds
    talking: float  # seconds: to find out who hears what, and to hear


class Shard:
    """One piece of the population, in a process of its own somewhere; its calls are carried out in their order."""

    life: Life
    spent: Week

    def __init__(self, place: int, shards: int, scenario: Scenario, network: Any) -> None:
        self.place, self.shards, self.scenario = place, shards, scenario
        # Ray's arrays are read-only, for which all rules would be compiled anew.
        self.network = network and tuple(np.array(links) for links in network)
        self.shard_of = np.array([((g + 1) * shards - 1) // GROUPS for g in range(GROUPS)])

    def begin(self, replication: int, source: str, checkpoint: str | None) -> None:
        """Be born, or go on from a file."""
        if source != _source():
            raise ScenarioError(["cluster: machines differ in their version of this package; install the same on all"])
        if checkpoint:
            with open(checkpoint, "rb") as file:
                self.life, own = pickle.load(file)
            self.life.tally = self._empty_tally()
            for counts, saved in zip(self.tally(), own, strict=True):
                counts[:] = saved
        else:
            [self.life] = begin(self.scenario, replication, self.shards, self.network, only=self.place)
            if self.life.week == 0:
                close(self.life, -1, True)

    def _empty_tally(self) -> Tally:
        s, scandals = self.scenario, len(self.life.world.scandals)
        return empty_tally(s.weeks, s.weeks // s.window, len(s.cells), len(s.firms), scandals)

    def live(self) -> tuple[Any, ...]:
        """A week of everybody here; what each shard can hear of it."""
        started = time.perf_counter()
        live_week(self.life)
        lived = time.perf_counter()
        told = [self._parted(rows) for rows in self.life.told]
        pieces = [Told(*piece) for piece in zip(*told, strict=True)]
        self.life.told, pieces[self.place] = pieces[self.place], Told(*np.zeros((2, 0, 3), np.int32))
        sent = sum(rows.nbytes for piece in pieces for rows in piece)
        self.spent = Week(sent, lived - started, time.perf_counter() - lived)
        return (*pieces, None)

    def _parted(self, told: np.ndarray) -> list[np.ndarray]:
        heard = np.zeros((len(told), self.shards), np.bool_)
        if self.life.world.market["talk"][0]:
            reach(self.life.world, self.life.key, self.shard_of, told, heard)
        return [told[here] for here in heard.T]

    def hear(self, *pieces: Told) -> Week:
        """The end of the week, with what the other shards have to tell."""
        started = time.perf_counter()
        self.life.told = Told(*(np.concatenate(rows) for rows in zip(self.life.told, *pieces, strict=True)))
        end_week([self.life])
        return self.spent._replace(talking=self.spent.talking + time.perf_counter() - started)

    def save(self, checkpoint: str) -> None:
        """Write down everything that is needed to go on."""
        saved = replace(self.life, tally=empty_tally(0, 0, 0, 0, 0, 0)), self.tally()
        write_atomic(checkpoint, lambda file: pickle.dump(saved, file, protocol=5))

    def tally(self) -> Tally:
        """What was counted of the groups that live here."""
        return Tally(*(counts[self.life.groups.start : self.life.groups.stop] for counts in self.life.tally))

    def people(self) -> People:
        """As they stand."""
        return self.life.people


@dataclass
class Checkpoints:
    """The files of one population in a folder, named after all that decides what is in them."""

    folder: Path | None
    name: str
    shards: int

    def paths(self, replication: int, lived: int) -> list[str]:
        """A file a shard, after so many weeks lived."""
        stem = f"{self.name}-{replication}-{lived}"
        return [
            str((self.folder or Path()).absolute() / f"{stem}-{n}of{self.shards}.shard") for n in range(self.shards)
        ]

    def last(self, replication: int) -> int:
        """After how many weeks all shards last wrote one; 0 = never."""
        found = self.folder.glob(f"{self.name}-{replication}-*-0of{self.shards}.shard") if self.folder else ()
        weeks = (int(path.name.split("-")[2]) for path in found)
        return max((w for w in weeks if all(Path(p).exists() for p in self.paths(replication, w))), default=0)

    def forget(self, replication: int, before: int) -> None:
        """Remove those that are older."""
        for path in self.folder.glob(f"{self.name}-{replication}-*.shard") if self.folder else ():
            if int(path.name.split("-")[2]) < before:
                path.unlink(missing_ok=True)


@dataclass
class Crew:
    """The actors of one population, and how to get others."""

    ray: Any
    hire: Callable[[], list[Any]]
    files: Checkpoints
    every: int
    actors: list[Any] = field(default_factory=list)

    def ask(self, what: str, *given: Sequence[Any]) -> list[Any]:
        """References to what each actor answers; `given` are lists with an argument for each."""
        arguments = zip(*given, strict=True) if given else ((),) * len(self.actors)
        return [getattr(actor, what).remote(*own) for actor, own in zip(self.actors, arguments, strict=True)]

    def dismiss(self) -> None:
        """End the processes, those that have not ended by themselves."""
        for actor in self.actors:
            self.ray.kill(actor)
        self.actors = []

    def live(self, replication: int, weeks: int, hears: Callable[[int, list[Week]], None]) -> list[Tally]:
        """The whole story, from the last checkpoint if there is one; the tally of each shard."""
        self.actors = self.actors or self.hire()
        shards, start = len(self.actors), self.files.last(replication)
        begins = self.files.paths(replication, start) if start else [None] * shards
        self.ray.get(self.ask("begin", [replication] * shards, [_source()] * shards, begins))
        flight: deque[tuple[int, list[Any], list[Any]]] = deque()
        for lived in range(start + 1, weeks + 1):
            told = [actor.live.options(num_returns=shards + 1).remote() for actor in self.actors]
            others = ([told[i][j] for i in range(shards) if i != j] for j in range(shards))
            ended = [actor.hear.remote(*pieces) for actor, pieces in zip(self.actors, others, strict=True)]
            due = self.files.folder and lived % self.every == 0 and lived < weeks
            saved = self.ask("save", self.files.paths(replication, lived)) if due else []
            flight.append((lived, ended, saved))
            while len(flight) > (AHEAD if lived < weeks else 0):
                done, ended, saved = flight.popleft()
                hears(done, self.ray.get(ended))
                if self.ray.get(saved):
                    self.files.forget(replication, done)
        return self.ray.get(self.ask("tally"))

    def outlive(self, replication: int, weeks: int, hears: Callable[[int, list[Week]], None]) -> list[Tally]:
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
                self.dismiss()


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
    if not 1 <= shards <= GROUPS:
        raise ScenarioError([f"shards: {shards} is not among 1 to {GROUPS}; a shard is whole groups of people"])
    scenario, shares = settle(scenario)
    links = network if network is not None or scenario.network.kind != "file" else stored_links(scenario)
    files = Checkpoints(Path(checkpoint) if checkpoint else None, _name(scenario, links), shards)
    weeks, tallies, kept = scenario.burn_in + scenario.weeks, [], []
    with _crew(address, scenario, links, files, every) as crew:
        for r in range(scenario.replications):

            def hears(lived: int, spent: list[Week], done: int = r * weeks) -> None:
                if watch:
                    watch(lived, spent)
                if progress:
                    progress(done + lived, weeks * scenario.replications)

            tallies += crew.outlive(first + r, weeks, hears)
            if keep_people:
                kept.append(_joined(People, crew.ray.get(crew.ask("people"))))
            files.forget(first + r, weeks)
    return Run(scenario, counted(_joined(Tally, tallies)), shares, kept)


def _joined(kind: Any, parts: Sequence[Any]) -> Any:
    return kind(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


@contextmanager
def _crew(address: str | None, scenario: Scenario, links: Any, files: Checkpoints, every: int) -> Iterator[Crew]:
    """A crew on a cluster; what was started for it ends with it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ScenarioError(["cluster: ray is missing; pip install -e '.[cluster]'"]) from None
    joined = ray.is_initialized()
    if not joined:
        own = {} if address else {"include_dashboard": False}
        ray.init(address or "local", log_to_driver=False, logging_level="WARNING", **own)
    # An actor that asks for nothing is placed by processors and holds none: after a death the rest take it in.
    actor, network = ray.remote(scheduling_strategy="SPREAD")(Shard), ray.put(links)
    crew = Crew(
        ray, lambda: [actor.remote(n, files.shards, scenario, network) for n in range(files.shards)], files, every
    )
    try:
        yield crew
    finally:
        crew.dismiss() if joined else ray.shutdown()


def _source() -> str:
    """The version of this package: a digest of its files."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(here.rglob("*.py")))).hexdigest()


def _name(scenario: Scenario, links: Any) -> str:
    """A name for all that decides what people do."""
    sha = hashlib.sha256((_source() + json.dumps(to_dict(scenario), sort_keys=True)).encode())
    for rows in links or ():
        sha.update(np.ascontiguousarray(rows).data)
    return sha.hexdigest()[:16]
