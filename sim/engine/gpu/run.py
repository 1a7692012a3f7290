"""Runs a scenario on the GPU: people are initialized on the CPU, stepped on the GPU, and the tally comes back."""

from typing import Any

import numpy as np
from numba import config, cuda

from sim.engine.gpu.kernels import kernels
from sim.engine.gpu.rounding import as_on_cpu
from sim.engine.loop import Run, Shard, carries, ending, initialize, open_counts, window_ended
from sim.engine.policies import last_window, moves_made, react
from sim.measure.tally import Tally, counted
from sim.model.fields import Scenario
from sim.model.state import BOND, PERSON, People, as_int32
from sim.model.timeline import World
from sim.model.word_of_mouth import Outbox

THREADS = 128  # in a block
PARTS = 4096  # threads that deliver messages, each to its own part of the people


def simulate_on_gpu(scenario: Scenario, first: int = 0) -> Run:
    """As `sim.engine.loop.simulate`, on the GPU; the same tally to the bit. Presence must be solved."""
    tallies, moves = [], []
    with as_on_cpu():
        for r in range(first, first + scenario.replications):
            [shard] = initialize(scenario, r)
            tallies.append(run_shard(shard))
            moves.append(moves_made(scenario, shard.scenario))
    tally = Tally(*(np.concatenate(a) for a in zip(*tallies, strict=True)))
    return Run(scenario, tally, moves=moves if scenario.policies else [])


def run_shard(shard: Shard) -> Tally:
    """Step a whole replication from its first week to its last on the GPU; returns what was counted."""
    scenario, launch = shard.scenario, kernels(len(shard.scenario.firms), len(shard.world.scandals))
    open_counts([shard])
    world, tally = World(*map(upload, shard.world)), Tally(*map(upload, shard.tally))
    people, rows = upload_people(shard.people)
    outbox = Outbox(*(upload(np.zeros((scenario.people, 3), np.int32)) for _ in Outbox._fields))
    blocks, talk = -(-scenario.people // THREADS), shard.world.market["talk"][0]
    while shard.week < scenario.weeks:
        launch.step[blocks, THREADS](people, rows, world, tally, shard.key, 0, shard.week, outbox)
        if talk:
            sent = Outbox(*(table[table[:, 2] != 0] for table in map(download, outbox)))
            if any(map(len, sent)):
                parts = -(-min(PARTS, scenario.people) // THREADS)
                launch.deliver[parts, THREADS](people, world, shard.key, 0, shard.week, Outbox(*map(upload, sent)))
        ends = ending(shard)
        if ends:
            launch.close[blocks, THREADS](people, world, tally, 0, *ends)
        elif carries(shard):
            launch.carry[blocks, THREADS](people)
        if len(shard.people.left) and shard.week >= 0:
            launch.age[blocks, THREADS](people, world, tally, shard.key, 0)
        shard.week += 1
        if window_ended(shard):
            react([shard], last_window(Tally(*map(download, tally)), shard.week - 1, scenario.window))
            world = world._replace(firms=upload(shard.world.firms), failures=upload(shard.world.failures))
    return counted(Tally(*map(download, tally)))


def upload(array: np.ndarray) -> Any:
    """An array in the GPU's memory; where a GPU is only simulated, the array."""
    return array if config.ENABLE_CUDASIM else cuda.to_device(np.ascontiguousarray(array))


def download(array: Any) -> np.ndarray:
    """An array from the GPU's memory."""
    return np.asarray(array) if config.ENABLE_CUDASIM else array.copy_to_host()


def upload_people(people: People) -> tuple[People, tuple[Any, Any]]:
    """The people, and their records as words: two views of the same memory of the GPU."""
    rows = upload(as_int32(people.one)), upload(as_int32(people.bonds))
    if config.ENABLE_CUDASIM:
        return people, rows
    one, bonds = rows[0].view(PERSON), rows[1].view(BOND).reshape(people.bonds.shape)
    rate, cell, news = map(upload, (people.rate, people.cell, people.news))
    more = map(upload, (people.carried, people.price_factor, people.left))
    return People(rate, cell, news, upload(people.scandal_flags), one, bonds, *more), rows
