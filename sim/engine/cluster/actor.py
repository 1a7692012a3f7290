"""A shard of people in a process of its own, and what it exchanges with the others."""

import hashlib
import pickle
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.compute.files import write_atomic
from sim.engine.loop import Shard, end_week, initialize, open_counts, step_week, window_counts
from sim.engine.policies import moves_made, react
from sim.engine.shard import no_messages
from sim.measure.tally import FOLDS, Tally, empty_tally
from sim.model.declare import ScenarioError
from sim.model.events import Move
from sim.model.fields import Scenario
from sim.model.network import Links
from sim.model.state import People
from sim.model.tables import Columns, keep
from sim.model.word_of_mouth import Outbox, mark_recipients


class WeekTiming(NamedTuple):
    """What a week of one shard took."""

    sent: int  # bytes for other shards
    stepping: float  # seconds
    exchanging: float  # seconds between weeks: finding recipients, delivering, closing a window


class ShardActor:
    """One shard of the population, in a process of its own; its calls are carried out in their order."""

    shard: Shard
    timing: WeekTiming

    def __init__(
        self, place: int, shards: int, scenario: Scenario, network: Links | None, files: Mapping[str, Columns]
    ) -> None:
        keep(files)
        self.place, self.shards, self.scenario = place, shards, scenario
        # Ray's arrays are read-only, for which everything would be compiled again.
        self.network = network and (np.array(network[0]), np.array(network[1]))
        self.shard_of = np.array([((g + 1) * shards - 1) // FOLDS for g in range(FOLDS)])

    def initialize(self, replication: int, version: str, checkpoint: str | None) -> None:
        """Draw the people, or read them from a checkpoint."""
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
            open_counts([self.shard])

    def _empty_tally(self) -> Tally:
        s, scandals = self.scenario, len(self.shard.world.scandals)
        return empty_tally(s.weeks, s.weeks // s.window, len(s.cells), len(s.firms), scandals)

    def step(self) -> tuple[Outbox | None, ...]:
        """One week of everybody here; returns an outbox for each shard, then None."""
        started = time.perf_counter()
        step_week(self.shard)
        stepped = time.perf_counter()
        outbox = [self._parted(rows) for rows in self.shard.outbox]
        pieces = [Outbox(*piece) for piece in zip(*outbox, strict=True)]
        self.shard.outbox, pieces[self.place] = pieces[self.place], no_messages()
        sent = sum(rows.nbytes for piece in pieces for rows in piece)
        self.timing = WeekTiming(sent, stepped - started, time.perf_counter() - stepped)
        return (*pieces, None)

    def _parted(self, outbox: np.ndarray) -> list[np.ndarray]:
        """The rows that reach anybody in each shard."""
        reached = np.zeros((len(outbox), self.shards), np.bool_)
        if self.shard.world.market["talk"][0]:
            mark_recipients(self.shard.world, self.shard.key, self.shard_of, outbox, reached)
        return [outbox[here] for here in reached.T]

    def finish_week(self, *pieces: Outbox) -> WeekTiming:
        """The end of the week, with the messages from the other shards."""
        started = time.perf_counter()
        self.shard.outbox = Outbox(*(np.concatenate(rows) for rows in zip(self.shard.outbox, *pieces, strict=True)))
        end_week([self.shard], reacts=False)
        return self.timing._replace(exchanging=self.timing.exchanging + time.perf_counter() - started)

    def window(self) -> Tally:
        """What this shard has counted in the window that has just ended."""
        return window_counts(self.shard)

    def react(self, counts: Tally) -> None:
        """Let firms react to what all shards have counted in the window."""
        react([self.shard], counts)

    def moves(self) -> dict[str, Move]:
        """The moves that policies have made."""
        return moves_made(self.scenario, self.shard.scenario)

    def save(self, checkpoint: str) -> None:
        """Write a checkpoint: everything that is needed to continue."""
        saved = replace(self.shard, tally=empty_tally(0, 0, 0, 0, 0, 0)), self.tally()
        write_atomic(checkpoint, lambda file: pickle.dump(saved, file, protocol=5))

    def tally(self) -> Tally:
        """What was counted of the folds of this shard."""
        return Tally(*(counts[self.shard.folds.start : self.shard.folds.stop] for counts in self.shard.tally))

    def people(self) -> People:
        """The people of this shard."""
        return self.shard.people


def source() -> str:
    """The version of this package: a digest of its files."""
    package = Path(__file__).parents[2]
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(package.rglob("*.py")))).hexdigest()
