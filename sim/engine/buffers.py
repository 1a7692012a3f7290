"""What the compiled loop reads, writes and works in: the arguments of its functions, as named tuples."""

from typing import NamedTuple

import numpy as np

from sim.compute.simd import WIDTH
from sim.engine.workspace import Workspace, make_workspace
from sim.measure.tally import Tally
from sim.model.state import People
from sim.model.timeline import World
from sim.model.word_of_mouth import Outbox

BLOCK = 32768  # people whose week is scheduled at a time: enough that the batches of every cell are full


class Step(NamedTuple):
    """Which week of which people: the same for all rows of a shard."""

    key: tuple[int, int]  # seed, replication
    first: np.uint32  # the number of the person in row 0
    edges: np.ndarray  # [fold + 1] int64, the row at which each fold begins
    week: int


class WorkList(NamedTuple):
    """What a block of people does in a week, and what they send."""

    schedule: np.ndarray  # [BLOCK + WIDTH] int32, bits as in `schedule.py`
    active: np.ndarray  # [s, BLOCK + WIDTH] int32 rows of a cell with anything scheduled
    many: np.ndarray  # [s] int64 how many
    selected: np.ndarray  # [BLOCK + WIDTH] int32 those of them that are being processed
    rank: np.ndarray  # [WIDTH] uint32 0, 1, 2, ...
    message: np.ndarray  # [n, 3] int32, as in Outbox
    just_heard: np.ndarray  # [n, 3] int32, as in Outbox
    used: np.ndarray  # [2] int64 how many rows of each are in use


class KernelData(NamedTuple):
    """The state, the tables and the tally."""

    person_words: np.ndarray  # int32 [n], `people.one` as words
    bond_words: np.ndarray  # int32 [n], `people.bonds` as words
    people: People
    world: World
    tally: Tally


class ThreadBuffers(NamedTuple):
    """The memory of one thread."""

    workspace: Workspace
    work: WorkList


def make_buffers(firms: int, scandals: int, cells: int, people: int) -> ThreadBuffers:
    """The memory of a thread that steps up to `people` people."""
    rows = BLOCK + WIDTH
    outbox = Outbox(*np.zeros((2, people, 3), np.int32))  # untouched pages are not committed by the OS
    work = WorkList(
        schedule=np.zeros(rows, np.int32),
        active=np.zeros((cells, rows), np.int32),
        many=np.zeros(cells, np.int64),
        selected=np.zeros(rows, np.int32),
        rank=np.arange(WIDTH, dtype=np.uint32),
        message=outbox.message,
        just_heard=outbox.just_heard,
        used=np.zeros(2, np.int64),
    )
    return ThreadBuffers(make_workspace(firms, scandals), work)
