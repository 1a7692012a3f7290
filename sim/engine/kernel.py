"""The compiled weekly loop: schedules a block of people and applies the rules to WIDTH of them at a time.

Most people do nothing in most weeks. So a block is scheduled first; those with something to do are then processed cell
by cell, and a week without uses costs no more than its draw. `single.py` does the same for one person after another.
"""

import numpy as np

from sim.compute.bits import add_u32
from sim.compute.jit import entry_point, inlined
from sim.compute.memory import prefetch
from sim.compute.simd import WIDTH, lanes
from sim.engine.buffers import BLOCK, Step
from sim.engine.schedule import (
    ASKED,
    FOLD,
    HEARS,
    PREFETCH,
    PROVOKED,
    RENEWS,
    USES,
    load_batch,
    make_schedule,
    prefetch_ahead,
    select_rows,
)
from sim.engine.single import (
    BIRTH,
    initialize_person,
    load_given,
    news_on,
    record_message,
    record_news,
    record_renewal,
    register,
    step_person,
)
from sim.engine.workspace import scatter, scatter_flags
from sim.measure.counting import count_answer, count_slice, count_visit, count_window
from sim.model.ages import grow_older, outlives, weeks_left
from sim.model.initial import cell_given, cell_of, draw_person
from sim.model.renewal import renew
from sim.model.rules import answer_survey, decay, hear, visit
from sim.model.state import CARRY_WEEKS, carry
from sim.model.timeline import publish, week_row
from sim.model.word_of_mouth import deliver_messages, sort_by_sender, spread_news


@inlined
def step_block(data, buffers, step, g, start, stop, news_now):
    """One week of the people in the rows from start to stop; g is the fold of the first."""
    make_schedule(data, buffers, step, g, start, stop, news_now)
    for s in range(buffers.work.many.shape[0]):
        if data.world.scandals.shape[0] > 0:
            step_news(data, buffers, step, start, s)
        step_survey(data, buffers, step, start, s)
        step_visits(data, buffers, step, start, s)
        if data.world.market[0].renewing > 0 or data.people.left.shape[0] > 0:
            step_renewals(data, buffers, step, start, s)


@inlined
def step_news(data, buffers, step, start, s):
    """The people of cell s who may hear news hear it."""
    people, workspace, work, person = data.people, buffers.workspace, buffers.work, buffers.workspace.person
    public, t = publish(data.world, step.key, step.week, s), week_row(step.week)
    hearers = select_rows(work, s, start, HEARS)
    for at in range(0, hearers, WIDTH):
        i = load_batch(data, buffers, at, hearers, step.first)
        for slot in range(WIDTH):
            person.news[slot] = people.news[workspace.rows[slot]]
        hear(person, workspace.bonds, public, i)
        scatter(workspace, data.person_words, data.bond_words, i)
        scatter_flags(workspace, people.scandal_flags, min(WIDTH, hearers - at))
        for slot in range(min(WIDTH, hearers - at)):
            prefetch_ahead(data, buffers, at + PREFETCH + slot, hearers)
            row = workspace.rows[slot]
            record_news(data, buffers, work.schedule[row - start] >> FOLD, t, s, row, slot)
            work.schedule[row - start] |= PROVOKED * person.provoked[slot]


@inlined
def step_survey(data, buffers, step, start, s):
    """The people of cell s who are asked in the survey answer it."""
    workspace, work = buffers.workspace, buffers.work
    person, bonds = workspace.person, workspace.bonds
    public, t = publish(data.world, step.key, step.week, s), week_row(step.week)
    asked = select_rows(work, s, start, ASKED)
    for at in range(0, asked, WIDTH):
        i = load_batch(data, buffers, at, asked, step.first)
        decay(person, bonds, public.market[0], step.week, i)
        answer_survey(person, bonds, public, i)
        scatter(workspace, data.person_words, data.bond_words, i)
        for slot in range(min(WIDTH, asked - at)):
            prefetch_ahead(data, buffers, at + PREFETCH + slot, asked)
            count_answer(person, data.tally, work.schedule[workspace.rows[slot] - start] >> FOLD, t, s, slot)


@inlined
def step_visits(data, buffers, step, start, s):
    """The uses of cell s: everybody's first, then the second of those who have one, and so on.

    A new list for each use is faster than a batch that goes on until its last person is done: nearly always one of
    WIDTH people has a second use, and the others would wait.
    """
    work, public = buffers.work, publish(data.world, step.key, step.week, s)
    users, use = select_rows(work, s, start, USES), np.int64(0)
    while users > 0:
        visit_batches(data, buffers, step, public, start, s, users, use)
        use, still = use + 1, 0
        for n in range(users):
            row = work.selected[n]
            work.selected[still] = row
            still += (work.schedule[row - start] & USES) > use
        users = still


@inlined
def visit_batches(data, buffers, step, public, start, s, users, use):
    """Use number `use` of the week, from 0, for the selected people of cell s, `users` of them."""
    workspace, work, t = buffers.workspace, buffers.work, week_row(step.week)
    person, g, window = workspace.person, np.int64(-1), public.market[0].window
    counts = count_slice(data.tally, 0, t, s, window)
    for n in range(PREFETCH):
        prefetch_ahead(data, buffers, n, users)
    for at in range(0, users, WIDTH):
        i = load_batch(data, buffers, at, users, step.first)
        for slot in range(WIDTH):
            person.provoked[slot] = work.schedule[workspace.rows[slot] - start] & PROVOKED
        visit(person, workspace.bonds, public, use, i)
        scatter(workspace, data.person_words, data.bond_words, i)
        for slot in range(min(WIDTH, users - at)):
            prefetch_ahead(data, buffers, at + PREFETCH + slot, users)
            schedule = work.schedule[workspace.rows[slot] - start]
            if schedule >> FOLD != g:
                g = schedule >> FOLD
                counts = count_slice(data.tally, g, t, s, window)
            count_visit(person, counts, slot)
            if schedule & USES == use + 1:
                record_message(buffers, s, slot)


@inlined
def step_renewals(data, buffers, step, start, s):
    """The people of cell s for whom something is drawn anew at the end of the week."""
    people, workspace, work, person = data.people, buffers.workspace, buffers.work, buffers.workspace.person
    public = publish(data.world, step.key, step.week, s)
    renewed = select_rows(work, s, start, RENEWS)
    for at in range(0, renewed, WIDTH):
        i = load_batch(data, buffers, at, renewed, step.first)
        for slot in range(WIDTH):
            load_given(people, person, workspace.rows[slot], slot)
            person.outlives[slot] = outlives(people, data.world, workspace.rows[slot], step.week)
        renew(person, workspace.bonds, public, data.world, i)
        scatter(workspace, data.person_words, data.bond_words, i)
        scatter_flags(workspace, people.scandal_flags, min(WIDTH, renewed - at))
        for slot in range(min(WIDTH, renewed - at)):
            record_renewal(people, person, workspace.rows[slot], slot)


@inlined
def initialize_block(data, buffers, step, g, start, stop):
    """Draw the people in the rows from start to stop; g is the fold of the first."""
    world, workspace, work, person = data.world, buffers.workspace, buffers.work, buffers.workspace.person
    assign_cells(data, buffers, step, g, start, stop)
    for s in range(work.many.shape[0]):
        drawn = select_rows(work, s, start, USES)
        for at in range(0, drawn, WIDTH):
            i = load_batch(data, buffers, at, drawn, step.first)
            public = publish(world, step.key, BIRTH, s)
            draw_person(person, workspace.bonds, public, world, WIDTH, i)
            scatter(workspace, data.person_words, data.bond_words, i)
            for slot in range(min(WIDTH, drawn - at)):
                row = workspace.rows[slot]
                register(data, person, work.schedule[row - start] >> FOLD, s, row, slot)


@inlined
def assign_cells(data, buffers, step, g, start, stop):
    """Draw the cells of the people in the rows from start to stop, and list their rows by cell."""
    work, cell = buffers.work, buffers.workspace.person.home
    for s in range(work.many.shape[0]):
        work.many[s] = 0
    for row in range(start, stop, WIDTH):
        i = lanes(min(WIDTH, stop - row))
        cell[i] = cell_of(data.world.cells, step.key, add_u32(work.rank[i], step.first + row))
        for slot in range(min(WIDTH, stop - row)):
            while row + slot >= step.edges[g + 1]:
                g += 1
            s = cell[slot]
            if data.world.given.shape[0] > 0:
                s = cell_given(data.world, step.first + row + slot, s)
            work.schedule[row + slot - start] = 1 | g << FOLD
            work.active[s, work.many[s]] = row + slot
            work.many[s] += 1


@entry_point
def step_folds(data, buffers, key, first, edges, begin, end, week, weeks):
    """One week of the folds from begin to end; of all folds so many weeks, with what has to be done between them."""
    for now in range(week, week + weeks):
        if now > week:
            end_week_before(data, buffers, Step(key, first, edges, now), begin, end)
        g, step, news_now = begin, Step(key, first, edges, now), news_on(data.world, now)
        for start in range(edges[begin], edges[end], BLOCK):
            while start >= edges[g + 1]:
                g += 1
            step_block(data, buffers, step, g, start, min(start + BLOCK, edges[end]), news_now)


@entry_point
def initialize_folds(data, buffers, key, first, edges, begin, end, week):
    """Draw the people of the folds from begin to end."""
    g, step = begin, Step(key, first, edges, week)
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        initialize_block(data, buffers, step, g, start, min(start + BLOCK, edges[end]))


@entry_point
def step_each(data, buffers, key, first, edges, begin, end, week, weeks):
    """As `step_folds`, one person after another."""
    for now in range(week, week + weeks):
        step = Step(key, first, edges, now)
        if now > week:
            end_week_before(data, buffers, step, begin, end)
        for g in range(begin, end):
            for row in range(edges[g], edges[g + 1]):
                step_person(data, buffers, step, g, row)


@entry_point
def initialize_each(data, buffers, key, first, edges, begin, end, week):
    """As `initialize_folds`, one person after another."""
    step = Step(key, first, edges, week)
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            initialize_person(data, buffers, step, g, row)


@entry_point
def deliver_outbox(data, key, first, week, message, just_heard):
    """Deliver messages and fresh news to the people of a shard whom they reach."""
    deliver_messages(data.people, data.world, key, first, message)
    spread_news(data.people, data.world, key, first, week, just_heard)


@inlined
def end_week_before(data, buffers, step, begin, end):
    """End the week before that of `step` where all people are in these folds: as `loop.end_week`."""
    people, world, work, week = data.people, data.world, buffers.work, step.week - 1
    if world.market[0].talk > 0:
        message = work.message[: work.used[0]]
        sort_by_sender(message)
        deliver_messages(people, world, step.key, step.first, message)
        spread_news(people, world, step.key, step.first, week, work.just_heard[: work.used[1]])
    work.used[0] = work.used[1] = 0
    within = week % world.market[0].window
    if within == world.market[0].window - 1:
        close_window_folds(data, step.edges, begin, end, max(-1, week // world.market[0].window), week == -1)
    elif people.carried.shape[0] > 0 and within % CARRY_WEEKS == CARRY_WEEKS - 1:
        carry_folds(data, step.edges, begin, end)
    if people.left.shape[0] > 0 and week >= 0:
        age_folds(data, step.key, step.first, step.edges, begin, end)


@entry_point
def close_window_folds(data, edges, begin, end, window, opening):
    """Count a window that ends (below 0: only reset it), for the folds from begin to end."""
    people = data.people
    for g in range(begin, end):
        for i in range(edges[g], edges[g + 1]):
            prefetch(people.bonds, min(i + WIDTH, edges[end] - 1))
            count_window(people, i, data.tally, g, np.int64(people.cell[i]), window, opening)


@entry_point
def carry_folds(data, edges, begin, end):
    """Carry uses out of counters that are nearly full, for the folds from begin to end."""
    for i in range(edges[begin], edges[end]):
        carry(data.people, i)


@entry_point
def age_folds(data, key, first, edges, begin, end):
    """The end of a week for the ages of the people of the folds from begin to end."""
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            grow_older(data.people, data.world, data.tally, key, add_u32(first, row), g, row)


@entry_point
def draw_ages(data, key, first, edges, begin, end):
    """How long the people of the folds from begin to end are in their cohorts yet, as the run begins."""
    for row in range(edges[begin], edges[end]):
        data.people.left[row] = weeks_left(data.world, key, add_u32(first, row), np.int64(data.people.cell[row]))
