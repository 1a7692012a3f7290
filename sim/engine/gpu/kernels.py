"""The kernels that are launched on the GPU: a thread a person, or a thread a part of the people for messages."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import config, cuda

from sim.engine.buffers import KernelData, Step, ThreadBuffers
from sim.engine.gpu.translate import translate
from sim.engine.single import step_person
from sim.engine.workspace import Workspace
from sim.measure.counting import count_window
from sim.measure.tally import FOLDS
from sim.model.ages import grow_older
from sim.model.state import BOND, PER_WORD, PERSON, Bonds, People, Person, carry
from sim.model.word_of_mouth import deliver_messages, spread_news


class Kernels(NamedTuple):
    """What is launched on the GPU; each is a kernel of numba.cuda."""

    step: Any  # a thread a person
    deliver: Any  # a thread a part of the people
    close: Any  # a thread a person
    carry: Any  # a thread a person
    age: Any  # a thread a person


class RowOutbox(NamedTuple):
    """The outbox of one person: the fields of a WorkList that `step_person` uses."""

    message: np.ndarray  # [1, 3] int32, as in Outbox
    just_heard: np.ndarray  # [1, 3] int32
    used: np.ndarray  # [2] int64


@cache
def kernels(firms: int, scandals: int) -> Kernels:
    """The kernels for so many firms and scandals, which decide the size of a thread's workspace."""
    return Kernels(step_kernel(firms, scandals), deliver_kernel(), close_kernel(), carry_kernel(), age_kernel())


@cuda.jit(device=True)
def atomic_add(counts, where, n):
    """Add to a count that other threads add to."""
    cuda.atomic.add(counts, where, np.int64(n))


@cuda.jit(device=True)
def no_prefetch(table, row):
    """In place of `prefetch`: while one thread waits for memory, the GPU runs others."""


@cache
def on_device(function: Any) -> Any:
    """A function of the model, with all that it calls, as a device function."""
    made = translate(function, {"atomic_add": atomic_add, "prefetch": no_prefetch}, on_device)
    return made if config.ENABLE_CUDASIM else cuda.jit(device=True)(made)


@cuda.jit(device=True)
def fold_of(world, number):
    """The fold of a person, as `initialize` assigns them."""
    return ((number + 1) * FOLDS - 1) // world.market[0].people


def step_kernel(firms: int, scandals: int) -> Any:
    """One week of everybody; the memory of a Workspace with one lane is the thread's own."""
    person_words, bond_words, more = PERSON.itemsize // 4, BOND.itemsize // 4 * firms, firms + 1
    own, flags = len(Person._fields) - 7, max(1, -(-scandals // PER_WORD))
    step_one, assemble = on_device(step_person), on_device(workspace_of)

    @cuda.jit
    def step_week(people, rows, world, tally, key, first, week, outbox):
        row = cuda.grid(1)
        if row < people.rate.shape[0]:
            one, two = cuda.local.array((person_words, 1), np.int32), cuda.local.array((bond_words, 1), np.int32)
            number, rate = cuda.local.array(1, np.uint32), cuda.local.array(1, np.float32)
            factor = cuda.local.array(1, np.float32)
            line, scandal_flags = cuda.local.array((own, 1), np.int32), cuda.local.array((flags, 1), np.int32)
            known, count = cuda.local.array((firms, 1), np.float32), cuda.local.array((firms, 1), np.int32)
            considered, recall = cuda.local.array((firms, 1), np.int32), cuda.local.array((more, 1), np.float32)
            shock, here = cuda.local.array((more, 1), np.float32), cuda.local.array(1, np.int32)
            starts, used = cuda.local.array((2, 1), np.int64), cuda.local.array(2, np.int64)
            used[0] = used[1] = 0
            outbox.message[row, 2] = outbox.just_heard[row, 2] = 0
            work = RowOutbox(outbox.message[row : row + 1], outbox.just_heard[row : row + 1], used)
            scratch = (number, rate, factor, line, scandal_flags), (known, count, considered, recall, shock)
            buffers = ThreadBuffers(assemble(one, two, here, starts, scratch), work)  # type: ignore[arg-type]
            data, step = KernelData(rows[0], rows[1], people, world, tally), Step(key, first, used, week)
            step_one(data, buffers, step, fold_of(world, first + row), row)

    return step_week


def workspace_of(one, two, here, starts, scratch):
    """A Workspace of arrays: the words of a person and of the bonds, and what is in no row of memory."""
    (number, rate, factor, line, flags), (known, count, considered, recall, shock) = scratch
    real, bond = one.view(np.float32), two.view(np.float32)
    person = Person(
        number, rate, factor, line[0], real[0], real[1], real[2], flags, line[1], line[2], line[3], line[4], line[5],
        line[6], line[7], line[8], line[9], line[10], line[11], line[12], line[13], line[14], line[15], line[16],
        line[17], line[18], line[19], line[20], line[21], line[22], line[23], line[24],
    )  # fmt: skip
    taste, memory, trust, habit, regret = bond[0::6], bond[1::6], bond[2::6], bond[3::6], bond[4::6]
    bonds = Bonds(taste, memory, trust, habit, regret, known, count, considered, recall, shock)
    return Workspace(person, bonds, one, two, here, starts)


def deliver_kernel() -> Any:
    """Messages and fresh news to everybody; each thread delivers all of them to its own part of the people."""
    deliver, spread = on_device(deliver_messages), on_device(spread_news)

    @cuda.jit
    def deliver_outbox(people, world, key, first, week, outbox):
        part, parts, many = cuda.grid(1), cuda.gridsize(1), people.rate.shape[0]
        a, b = many * part // parts, many * (part + 1) // parts
        rate, cell, news = people.rate[a:b], people.cell[a:b], people.news[a:b]
        flags, one, bonds = people.scandal_flags[a:b], people.one[a:b], people.bonds[a:b]
        own = People(rate, cell, news, flags, one, bonds, people.carried, people.price_factor, people.left)
        deliver(own, world, key, first + a, outbox.message)
        spread(own, world, key, first + a, week, outbox.just_heard)

    return deliver_outbox


def close_kernel() -> Any:
    """The end of a window for everybody."""
    close_one = on_device(count_window)

    @cuda.jit
    def close_window(people, world, tally, first, window, opening):
        row = cuda.grid(1)
        if row < people.rate.shape[0]:
            close_one(people, row, tally, fold_of(world, first + row), np.int64(people.cell[row]), window, opening)

    return close_window


def carry_kernel() -> Any:
    """Uses carried out of nearly full counters, for everybody."""
    carry_one = on_device(carry)

    @cuda.jit
    def carry_over(people):
        row = cuda.grid(1)
        if row < people.rate.shape[0]:
            carry_one(people, row)

    return carry_over


def age_kernel() -> Any:
    """The end of a week for everybody's age."""
    age_one = on_device(grow_older)

    @cuda.jit
    def grow_up(people, world, tally, key, first):
        row = cuda.grid(1)
        if row < people.rate.shape[0]:
            age_one(people, world, tally, key, np.uint32(first + row), fold_of(world, first + row), row)

    return grow_up
