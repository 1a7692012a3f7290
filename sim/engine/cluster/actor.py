"""A shard of people in a process of its own, and what it exchanges with the others."""

import hashlib
import pickle
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sim.compute.files import write_atomic
from sim.engine.loop import Shard, close_window, end_week, initialize, step_week
from sim.measure.tally import FOLDS, Tally, empty_tally
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.state import People
from sim.model.word_of_mouth import Outbox, mark_recipients


class Week(NamedTuple):
    """What a week of one shard took."""

    sent: int  # bytes for other shards
    living: float  # seconds
    talking: float  # seconds between weeks: who hears what, hearing it, closing a window


class ShardActor:
    """One piece of the population, in a process of its own somewhere; its calls are carried out in their order."""

    shard: Shard
    timing: Week

    def __init__(self, place: int, shards: int, scenario: Scenario, network: Any) -> None:
        self.place, self.shards, self.scenario = place, shards, scenario
        # Ray's arrays are read-only, for which all rules would be compiled anew.
        self.network = network and tuple(np.array(links) for links in network)
        self.shard_of = np.array([((g + 1) * shards - 1) // FOLDS for g in range(FOLDS)])

    def initialize(self, replication: int, version: str, checkpoint: str | None) -> None:
        """Be born, or go on from a file."""
        if version != source():
            raise ScenarioError(["cluster: machines differ in their version of this package; install the same on all"])
        if checkpoint:
            with open(checkpoint, "rb") as file:
                self.shard, own = pickle.load(file)
            self.shard.tally = self._empty_tally()
            for counts, saved in zip(self.tally(), own, strict=True):
                counts[:] = saved
        else:
            [self.shard] = initialize(self.scenario, replication, self.shards, self.network, only=self.place)
            if self.shard.week == 0:
                close_window(self.shard, -1, True)

    def _empty_tally(self) -> Tally:
        s, scandals = self.scenario, len(self.shard.world.scandals)
        return empty_tally(s.weeks, s.weeks // s.window, len(s.cells), len(s.firms), scandals)

    def live(self) -> tuple[Any, ...]:
        """A week of everybody here; what each shard can hear of it."""
        started = time.perf_counter()
        step_week(self.shard)
        lived = time.perf_counter()
        outbox = [self._parted(rows) for rows in self.shard.outbox]
        pieces = [Outbox(*piece) for piece in zip(*outbox, strict=True)]
        self.shard.outbox, pieces[self.place] = pieces[self.place], Outbox(*np.zeros((2, 0, 3), np.int32))
        sent = sum(rows.nbytes for piece in pieces for rows in piece)
        self.timing = Week(sent, lived - started, time.perf_counter() - lived)
        return (*pieces, None)

    def _parted(self, outbox: np.ndarray) -> list[np.ndarray]:
        heard = np.zeros((len(outbox), self.shards), np.bool_)
        if self.shard.world.market["talk"][0]:
            mark_recipients(self.shard.world, self.shard.key, self.shard_of, outbox, heard)
        return [outbox[here] for here in heard.T]

    def hear(self, *pieces: Outbox) -> Week:
        """The end of the week, with what the other shards have to tell."""
        started = time.perf_counter()
        self.shard.outbox = Outbox(*(np.concatenate(rows) for rows in zip(self.shard.outbox, *pieces, strict=True)))
        end_week([self.shard])
        return self.timing._replace(talking=self.timing.talking + time.perf_counter() - started)

    def save(self, checkpoint: str) -> None:
        """Write down everything that is needed to go on."""
        saved = replace(self.shard, tally=empty_tally(0, 0, 0, 0, 0, 0)), self.tally()
        write_atomic(checkpoint, lambda file: pickle.dump(saved, file, protocol=5))

    def tally(self) -> Tally:
        """What was counted of the groups that live here."""
        return Tally(*(counts[self.shard.groups.start : self.shard.groups.stop] for counts in self.shard.tally))

    def people(self) -> People:
        """As they stand."""
        return self.shard.people


def source() -> str:
    """The version of this package: a digest of its files."""
    here = Path(__file__).parents[1]
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(here.rglob("*.py")))).hexdigest()
