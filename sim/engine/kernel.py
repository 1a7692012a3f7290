"""Lives, many at a time: what is compiled around the rules, for rows of people in a group, a block and a week.

Within a block, first everybody's week is planned, which for most is nothing; then those with something to do are taken
cell by cell and sixteen at a time to a desk (`person`), and live it by the rules. So a use that does not happen costs
no more than its draw. The same, one by one, is for plain Python, the checked mode, the agents of Mesa and the card.
"""

from typing import NamedTuple

import numpy as np

from sim.compute.bits import add_u32
from sim.compute.jit import entry_point, inlined
from sim.compute.memory import prefetch
from sim.compute.random import ZERO
from sim.compute.simd import WIDTH, count_trailing_zeros, lanes, mask_bits, select
from sim.engine.workspace import Workspace, gather, gather_flags, scatter, scatter_flags, set_row
from sim.measure.counting import count_answer, count_news, count_slice, count_visit, count_window
from sim.measure.tally import Tally
from sim.model.initial import cell_of, draw_person
from sim.model.rules import answer_survey, decay, hear, need, visit
from sim.model.state import People, carry
from sim.model.timeline import World, publish, week_row
from sim.model.word_of_mouth import deliver_messages, spread_news

BLOCK = 32768  # people whose week is planned at a time: enough that every cell fills its sixteens
USES, ASKED, HEARS, PROVOKED = (np.int64(n) for n in (255, 256, 512, 1024))  # bits of a person's plan of the week
PREFETCH = 2 * WIDTH  # people whose rows are on their way from memory while others live
BIRTH = -1  # the week whose tables the past of the newborn rests on
GROUP = np.int64(16)  # from which bit on a plan holds the person's group


class WorkList(NamedTuple):
    """What is planned for a block of people in a week, and where what they have to tell is noted."""

    schedule: np.ndarray  # [BLOCK + WIDTH] int32
    active: np.ndarray  # [s, BLOCK + WIDTH] int32 rows of a cell with anything planned
    many: np.ndarray  # [s] int64 how many
    selected: np.ndarray  # [BLOCK + WIDTH] int32 those of them who are in hand
    rank: np.ndarray  # [WIDTH] uint32 0, 1, 2, ...
    message: np.ndarray  # [n, 3] as in Told
    just_heard: np.ndarray  # [n, 3]
    used: np.ndarray  # [2] int64 how many of each


class KernelData(NamedTuple):
    """What lives and what is read and counted."""

    person_words: np.ndarray  # int32, `people.one` as words
    bond_words: np.ndarray  # int32, `people.bonds` as words
    people: People
    world: World
    tally: Tally


class ThreadBuffers(NamedTuple):
    """Where one thread works."""

    workspace: Workspace
    work: WorkList


# ---------------------------------------------------------------- one by one


@inlined
def step_person(data, buffers, key, first, g, row, week):
    """One week of the person in a row of group g: what sixteen at once do, in the order in which one does it."""
    people, world, tally, workspace = data.people, data.world, data.tally, buffers.workspace
    person, bonds, i, t = workspace.person, workspace.bonds, 0, week_row(week)
    s = np.int64(people.cell[row])
    public = publish(world, key, week, s)
    set_row(workspace, i, row)
    person.number[i] = first + row
    gather(workspace, data.person_words, data.bond_words, i)
    gather_flags(workspace, people.scandal_flags, 1)
    uses, asked = need(public.market[0], people.rate[row], key, person.number[i], week)
    person.provoked[i] = 0
    if people.news[row] != 0 or news_on(world, week):
        person.news[i] = people.news[row]
        hear(person, bonds, public, i)
        scatter_flags(workspace, people.scandal_flags, 1)
        record_news(data, buffers, g, t, s, first, row, i)
    if asked:
        decay(person, bonds, public.market[0], week, i)
        answer_survey(person, bonds, public, i)
        count_answer(person, tally, g, t, s, i)
    for use in range(uses):
        visit(person, bonds, public, use, i)
        count_visit(person, count_slice(tally, g, t, s, public.market[0].window), i)
    if uses > 0:
        record_message(buffers, s, i)
    scatter(workspace, data.person_words, data.bond_words, i)


@inlined
def initialize_person(data, buffers, key, first, g, row):
    """The person in a row of group g is born."""
    world, workspace, person, i = data.world, buffers.workspace, buffers.workspace.person, 0
    set_row(workspace, i, row)
    person.number[i] = first + row
    s = np.int64(cell_of(world.cells, key, person.number[i]))
    draw_person(person, workspace.bonds, publish(world, key, BIRTH, s), world.presence, i)
    register(data, person, g, s, row, i)
    scatter(workspace, data.person_words, data.bond_words, i)


@inlined
def register(data, person, g, s, row, slot):
    """Enter the newborn at a place of the desk."""
    people, tally = data.people, data.tally
    people.cell[row] = s
    people.rate[row] = person.rate[slot]
    tally.people[g, s] += 1


@inlined
def news_on(world, week):
    """Can anybody hear of a scandal this week but from a neighbor?"""
    t = week_row(week)
    for k in range(world.scandals.shape[0]):
        if world.news_exposure[t, k] > ZERO or (
            week == world.scandals[k].week and world.scandals[k].harmed_share > ZERO
        ):
            return True
    return False


@inlined
def record_news(data, buffers, g, t, s, first, row, slot):
    """Count and note the scandals that the person at a place of the desk has just heard of."""
    people, person, work = data.people, buffers.workspace.person, buffers.work
    people.news[row] = 0
    if person.just_heard[slot] != 0:
        count_news(person, data.tally, g, t, s, slot)
        n = work.used[1]
        work.just_heard[n, 0], work.just_heard[n, 1], work.just_heard[n, 2] = first + row, s, person.just_heard[slot]
        work.used[1] = n + 1


@inlined
def record_message(buffers, s, slot):
    """Note the message that the person at a place of the desk leaves this week."""
    person, work = buffers.workspace.person, buffers.work
    if person.message[slot] != 0:
        n = work.used[0]
        work.message[n, 0], work.message[n, 1], work.message[n, 2] = person.number[slot], s, person.message[slot]
        work.used[0] = n + 1


# ---------------------------------------------------------------- sixteen at once


@inlined
def load_batch(data, buffers, at, listed, first):
    """Lay sixteen of the list out on the desk, the last few repeating the first; returns their index."""
    workspace, work = buffers.workspace, buffers.work
    many = min(WIDTH, listed - at)
    for slot in range(WIDTH):
        set_row(workspace, slot, work.selected[at + (slot if slot < many else 0)])
    i = lanes(many)
    workspace.person.number[i] = add_u32(workspace.rows[i], first)
    gather(workspace, data.person_words, data.bond_words, i)
    gather_flags(workspace, data.people.scandal_flags, WIDTH)
    return i


@inlined
def prefetch_ahead(data, buffers, n, listed):
    """Have the row of person n of the list brought near, if there is one; best asked while those before are counted."""
    if n < listed:
        row = buffers.work.selected[n]
        prefetch(data.people.one, row)
        prefetch(data.people.bonds, row)


@inlined
def schedule(data, buffers, key, first, edges, g, start, stop, week, air):
    """What the week holds for the rows from start to stop: how many uses, a survey, news; and whose group it is."""
    people, person, work, market = data.people, buffers.workspace.person, buffers.work, data.world.market[0]
    for s in range(work.many.shape[0]):
        work.many[s] = 0
    for row in range(start, stop, WIDTH):
        many = min(WIDTH, stop - row)
        i = lanes(many)
        if many == WIDTH:
            rate, news = people.rate[row : row + WIDTH][i], people.news[row : row + WIDTH][i]
        else:
            for slot in range(many):
                person.rate[slot], person.news[slot] = people.rate[row + slot], people.news[row + slot]
            rate, news = person.rate[i], person.news[i]
        uses, asked = need(market, rate, key, add_u32(work.rank[i], first + row), week)
        schedule = uses + select(asked, ASKED, 0) + select((news != 0) | air, HEARS, 0)
        work.schedule[row - start : row - start + WIDTH][i] = schedule
    for row in range(start, stop, WIDTH):
        i = lanes(WIDTH)
        active = mask_bits(work.schedule[row - start : row - start + WIDTH][i] != 0) & (
            (1 << min(WIDTH, stop - row)) - 1
        )
        while active != 0:
            somebody = row + count_trailing_zeros(active)
            active &= active - 1
            while somebody >= edges[g + 1]:
                g += 1
            work.schedule[somebody - start] |= g << GROUP
            s = people.cell[somebody]
            work.active[s, work.many[s]] = somebody
            work.many[s] += 1


@inlined
def select_rows(work, s, start, schedule):
    """Put those of cell s for whom something of `schedule` is planned into the list; how many."""
    many = 0
    for n in range(work.many[s]):
        row = work.active[s, n]
        work.selected[many] = row
        many += (work.schedule[row - start] & schedule) != 0
    return many


@inlined
def step_block(data, buffers, key, first, edges, g, start, stop, week, air):
    """One week of the people in the rows from start to stop; g is the group of the first."""
    schedule(data, buffers, key, first, edges, g, start, stop, week, air)
    for s in range(buffers.work.many.shape[0]):
        if data.world.scandals.shape[0] > 0:
            step_news(data, buffers, key, first, start, week, s)
        step_survey(data, buffers, key, first, start, week, s)
        step_visits(data, buffers, key, first, start, week, s)


@inlined
def step_news(data, buffers, key, first, start, week, s):
    """Those of cell s for whom there may be news hear it."""
    people, world, workspace, work, person = (
        data.people,
        data.world,
        buffers.workspace,
        buffers.work,
        buffers.workspace.person,
    )
    public, hearers, t = publish(world, key, week, s), select_rows(work, s, start, HEARS), week_row(week)
    for at in range(0, hearers, WIDTH):
        i = load_batch(data, buffers, at, hearers, first)
        for slot in range(WIDTH):
            person.news[slot] = people.news[workspace.rows[slot]]
        hear(person, workspace.bonds, public, i)
        scatter(workspace, data.person_words, data.bond_words, i)
        scatter_flags(workspace, people.scandal_flags, min(WIDTH, hearers - at))
        for slot in range(min(WIDTH, hearers - at)):
            prefetch_ahead(data, buffers, at + PREFETCH + slot, hearers)
            row = workspace.rows[slot]
            record_news(data, buffers, work.schedule[row - start] >> GROUP, t, s, first, row, slot)
            work.schedule[row - start] |= PROVOKED * person.provoked[slot]


@inlined
def step_survey(data, buffers, key, first, start, week, s):
    """Those of cell s whom the survey asks answer."""
    world, workspace, work, person, bonds = (
        data.world,
        buffers.workspace,
        buffers.work,
        buffers.workspace.person,
        buffers.workspace.bonds,
    )
    asked, t = select_rows(work, s, start, ASKED), week_row(week)
    public = publish(world, key, week, s)
    for at in range(0, asked, WIDTH):
        i = load_batch(data, buffers, at, asked, first)
        decay(person, bonds, public.market[0], week, i)
        answer_survey(person, bonds, public, i)
        scatter(workspace, data.person_words, data.bond_words, i)
        for slot in range(min(WIDTH, asked - at)):
            prefetch_ahead(data, buffers, at + PREFETCH + slot, asked)
            count_answer(person, data.tally, work.schedule[workspace.rows[slot] - start] >> GROUP, t, s, slot)


@inlined
def step_visits(data, buffers, key, first, start, week, s):
    """Those of cell s who use the category do: everybody's first use, then the second of those who have one, and on.

    Lists that are made anew for each use won over sixteen who go on together until the last has done: nearly always
    one of them has a second use, and fifteen would wait.
    """
    world, tally, workspace, work, person, bonds = (
        data.world,
        data.tally,
        buffers.workspace,
        buffers.work,
        buffers.workspace.person,
        buffers.workspace.bonds,
    )
    t = week_row(week)
    public = publish(world, key, week, s)
    users, use, g = select_rows(work, s, start, USES), np.int64(0), np.int64(-1)
    counts = count_slice(tally, 0, t, s, public.market[0].window)
    while users > 0:
        for n in range(PREFETCH):
            prefetch_ahead(data, buffers, n, users)
        for at in range(0, users, WIDTH):
            i = load_batch(data, buffers, at, users, first)
            for slot in range(WIDTH):
                person.provoked[slot] = work.schedule[workspace.rows[slot] - start] & PROVOKED
            visit(person, bonds, public, use, i)
            scatter(workspace, data.person_words, data.bond_words, i)
            for slot in range(min(WIDTH, users - at)):
                prefetch_ahead(data, buffers, at + PREFETCH + slot, users)
                schedule = work.schedule[workspace.rows[slot] - start]
                if schedule >> GROUP != g:
                    g = schedule >> GROUP
                    counts = count_slice(tally, g, t, s, public.market[0].window)
                count_visit(person, counts, slot)
                if schedule & USES == use + 1:
                    record_message(buffers, s, slot)
        use, still = use + 1, 0
        for n in range(users):
            row = work.selected[n]
            work.selected[still] = row
            still += (work.schedule[row - start] & USES) > use
        users = still


@inlined
def initialize_block(data, buffers, key, first, edges, g, start, stop):
    """The people in the rows from start to stop are born; g is the group of the first."""
    world, workspace, work, person, cells = (
        data.world,
        buffers.workspace,
        buffers.work,
        buffers.workspace.person,
        buffers.work.many.shape[0],
    )
    for s in range(cells):
        work.many[s] = 0
    for row in range(start, stop, WIDTH):
        i = lanes(min(WIDTH, stop - row))
        person.home[i] = cell_of(world.cells, key, add_u32(work.rank[i], first + row))
        for slot in range(min(WIDTH, stop - row)):
            while row + slot >= edges[g + 1]:
                g += 1
            s = person.home[slot]
            work.schedule[row + slot - start] = 1 | g << GROUP
            work.active[s, work.many[s]] = row + slot
            work.many[s] += 1
    for s in range(cells):
        newborn = select_rows(work, s, start, USES)
        for at in range(0, newborn, WIDTH):
            i = load_batch(data, buffers, at, newborn, first)
            public = publish(world, key, BIRTH, s)
            draw_person(person, workspace.bonds, public, world.presence, i)
            scatter(workspace, data.person_words, data.bond_words, i)
            for slot in range(min(WIDTH, newborn - at)):
                row = workspace.rows[slot]
                register(data, person, work.schedule[row - start] >> GROUP, s, row, slot)


# ---------------------------------------------------------------- groups


@entry_point
def step_groups(data, buffers, key, first, edges, begin, end, week):
    g, air = begin, news_on(data.world, week)
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        step_block(data, buffers, key, first, edges, g, start, min(start + BLOCK, edges[end]), week, air)


@entry_point
def initialize_groups(data, buffers, key, first, edges, begin, end, week):
    g = begin
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        initialize_block(data, buffers, key, first, edges, g, start, min(start + BLOCK, edges[end]))


@entry_point
def step_each(data, buffers, key, first, edges, begin, end, week):
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            step_person(data, buffers, key, first, g, row, week)


@entry_point
def initialize_each(data, buffers, key, first, edges, begin, end, week):
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            initialize_person(data, buffers, key, first, g, row)


@entry_point
def deliver_outbox(data, key, first, week, message, just_heard):
    deliver_messages(data.people, data.world, key, first, message)
    spread_news(data.people, data.world, key, first, week, just_heard)


@entry_point
def close_window_groups(data, edges, begin, end, window, opening):
    people = data.people
    for g in range(begin, end):
        for i in range(edges[g], edges[g + 1]):
            prefetch(people.bonds, min(i + WIDTH, edges[end] - 1))
            count_window(people, i, data.tally, g, np.int64(people.cell[i]), window, opening)


@entry_point
def carry_groups(data, edges, begin, end):
    for i in range(edges[begin], edges[end]):
        carry(data.people, i)
