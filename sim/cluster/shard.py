"""A shard of people in a process of its own, and what it exchanges with the others."""

import hashlib
import pickle
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sim.crowd import Told, reach
from sim.engine import Life, begin, close, end_week, live_week
from sim.person import People
from sim.scenario import Scenario, ScenarioError
from sim.store import write_atomic
from sim.tally import GROUPS, Tally, empty_tally


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

    def begin(self, replication: int, version: str, checkpoint: str | None) -> None:
        """Be born, or go on from a file."""
        if version != source():
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


def source() -> str:
    """The version of this package: a digest of its files."""
    here = Path(__file__).parents[1]
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(here.rglob("*.py")))).hexdigest()
