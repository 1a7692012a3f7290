"""Schedules the week of a block of people, and loads those with something to do, WIDTH at a time."""

import numpy as np

from sim.compute.bits import add_u32
from sim.compute.jit import inlined
from sim.compute.memory import prefetch
from sim.compute.simd import WIDTH, count_trailing_zeros, lanes, mask_bits, select
from sim.engine.workspace import gather, gather_flags, set_row
from sim.model.ages import outlives
from sim.model.rules import need
from sim.model.timeline import week_row

USES, ASKED, HEARS, PROVOKED, RENEWS = (
    np.int64(n) for n in (255, 256, 512, 1024, 2048)
)  # bits of a person's schedule of the week
FOLD = np.int64(16)  # from which bit on a schedule holds the person's fold
PREFETCH = 2 * WIDTH  # prefetch distance, in people


@inlined
def make_schedule(data, buffers, step, g, start, stop, news_now):
    """How many uses, a survey, news: for the rows from start to stop; and their folds, g being that of the first."""
    people, person, work, market = data.people, buffers.workspace.person, buffers.work, data.world.market[0]
    season = data.world.season[week_row(step.week)]
    for row in range(start, stop, WIDTH):
        many = min(WIDTH, stop - row)
        i = lanes(many)
        if many == WIDTH:
            rate, news = people.rate[row : row + WIDTH][i], people.news[row : row + WIDTH][i]
        else:
            for slot in range(many):
                person.rate[slot], person.news[slot] = people.rate[row + slot], people.news[row + slot]
            rate, news = person.rate[i], person.news[i]
        uses, asked, renews = need(market, rate * season, step.key, add_u32(work.rank[i], step.first + row), step.week)
        schedule = uses + select(asked, ASKED, 0) + select((news != 0) | news_now, HEARS, 0)
        schedule += select(renews, RENEWS, 0)
        work.schedule[row - start : row - start + WIDTH][i] = schedule
        for slot in range(many if people.left.shape[0] > 0 else 0):
            work.schedule[row - start + slot] |= RENEWS * outlives(people, data.world, row + slot, step.week)
    list_active(people.cell, work, step.edges, g, start, stop)


@inlined
def list_active(cell, work, edges, g, start, stop):
    """List, by cell, the rows from start to stop with anything scheduled, and note their folds."""
    for s in range(work.many.shape[0]):
        work.many[s] = 0
    for row in range(start, stop, WIDTH):
        i = lanes(WIDTH)
        scheduled = mask_bits(work.schedule[row - start : row - start + WIDTH][i] != 0)
        active = scheduled & ((1 << min(WIDTH, stop - row)) - 1)
        while active != 0:
            n = row + count_trailing_zeros(active)
            active &= active - 1
            while n >= edges[g + 1]:
                g += 1
            work.schedule[n - start] |= g << FOLD
            s = cell[n]
            work.active[s, work.many[s]] = n
            work.many[s] += 1


@inlined
def select_rows(work, s, start, wanted):
    """Select the rows of cell s whose schedule has any of the bits `wanted`; returns how many."""
    many = 0
    for n in range(work.many[s]):
        row = work.active[s, n]
        work.selected[many] = row
        many += (work.schedule[row - start] & wanted) != 0
    return many


@inlined
def load_batch(data, buffers, at, listed, first):
    """Gather the selected rows from `at` on, the last lanes repeating the first; returns the index of the lanes."""
    workspace, work = buffers.workspace, buffers.work
    many = min(WIDTH, listed - at)
    for slot in range(WIDTH):
        set_row(workspace, slot, work.selected[at + (slot if slot < many else 0)])
    i = lanes(many)
    workspace.person.number[i] = add_u32(workspace.rows[i], first)
    gather(workspace, data.person_words, data.bond_words, i)
    gather_flags(workspace, data.people.scandal_flags, WIDTH)
    if data.people.price_factor.shape[0] > 0:
        for slot in range(WIDTH):
            workspace.person.price_factor[slot] = data.people.price_factor[workspace.rows[slot]]
    return i


@inlined
def prefetch_ahead(data, buffers, n, listed):
    """Prefetch selected row n, if there is one; call it while earlier results are being counted."""
    if n < listed:
        row = buffers.work.selected[n]
        prefetch(data.people.one, row)
        prefetch(data.people.bonds, row)
        if data.people.price_factor.shape[0] > 0:
            prefetch(data.people.price_factor, row)
