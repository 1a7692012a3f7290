"""One person's week, and what every week records: for plain Python, the checked mode, agents of Mesa and the GPU."""

import numpy as np

from sim.compute.jit import inlined
from sim.compute.random import ZERO
from sim.engine.workspace import gather, gather_flags, scatter, scatter_flags, set_row
from sim.measure.counting import count_answer, count_news, count_slice, count_visit
from sim.model.ages import outlives
from sim.model.initial import cell_given, cell_of, draw_person
from sim.model.renewal import renew
from sim.model.rules import answer_survey, decay, hear, need, visit
from sim.model.timeline import publish, week_row

BIRTH = -1  # the week whose tables the expected history of new people is computed from


@inlined
def step_person(data, buffers, step, g, row):
    """One week of the person in a row of fold g, in the order in which a batch does it."""
    people, world, tally, workspace = data.people, data.world, data.tally, buffers.workspace
    person, bonds, i, t = workspace.person, workspace.bonds, 0, week_row(step.week)
    s = np.int64(people.cell[row])
    public = publish(world, step.key, step.week, s)
    set_row(workspace, i, row)
    person.number[i] = step.first + row
    gather(workspace, data.person_words, data.bond_words, i)
    gather_flags(workspace, people.scandal_flags, 1)
    if people.price_factor.shape[0] > 0:
        person.price_factor[i] = people.price_factor[row]
    rate = people.rate[row] * world.season[t]
    uses, asked, renews = need(public.market[0], rate, step.key, person.number[i], step.week)
    person.outlives[i] = outlives(people, world, row, step.week)
    person.provoked[i] = 0
    if people.news[row] != 0 or news_on(world, step.week):
        person.news[i] = people.news[row]
        hear(person, bonds, public, i)
        scatter_flags(workspace, people.scandal_flags, 1)
        record_news(data, buffers, g, t, s, row, i)
    if asked:
        decay(person, bonds, public.market[0], step.week, i)
        answer_survey(person, bonds, public, i)
        count_answer(person, tally, g, t, s, i)
    for use in range(uses):
        visit(person, bonds, public, use, i)
        count_visit(person, count_slice(tally, g, t, s, public.market[0].window), i)
    if uses > 0:
        record_message(buffers, s, i)
    if renews or person.outlives[i] != 0:
        load_given(people, person, row, i)
        renew(person, bonds, public, world, i)
        scatter_flags(workspace, people.scandal_flags, 1)
        record_renewal(people, person, row, i)
    scatter(workspace, data.person_words, data.bond_words, i)


@inlined
def initialize_person(data, buffers, step, g, row):
    """Draw the person in a row of fold g."""
    world, workspace, person, i = data.world, buffers.workspace, buffers.workspace.person, 0
    set_row(workspace, i, row)
    person.number[i] = step.first + row
    s = np.int64(cell_of(world.cells, step.key, person.number[i]))
    if world.given.shape[0] > 0:
        s = np.int64(cell_given(world, person.number[i], s))
    draw_person(person, workspace.bonds, publish(world, step.key, BIRTH, s), world, 1, i)
    register(data, person, g, s, row, i)
    scatter(workspace, data.person_words, data.bond_words, i)


@inlined
def register(data, person, g, s, row, slot):
    """Write cell, rate and factor on price weight of the new person in a slot, and count them."""
    people, tally = data.people, data.tally
    people.cell[row] = s
    people.rate[row] = person.rate[slot]
    if people.price_factor.shape[0] > 0:
        people.price_factor[row] = person.price_factor[slot]
    tally.people[g, s] += 1


@inlined
def load_given(people, person, row, slot):
    """Read the rate, and the factor on price weight, of the person in a row into a slot."""
    person.rate[slot] = people.rate[row]
    if people.price_factor.shape[0] > 0:
        person.price_factor[slot] = people.price_factor[row]


@inlined
def record_renewal(people, person, row, slot):
    """Write what may have been drawn anew; a newcomer has no uses that were carried out of a counter."""
    people.rate[row] = person.rate[slot]
    if people.price_factor.shape[0] > 0:
        people.price_factor[row] = person.price_factor[slot]
    if person.last[slot] < 0 and people.carried.shape[0] > 0:
        for column in range(people.carried.shape[1]):
            people.carried[row, column] = 0


@inlined
def news_on(world, week):
    """Can anybody hear of a scandal this week other than from a neighbor?"""
    t = week_row(week)
    for k in range(world.scandals.shape[0]):
        breaks = week == world.scandals[k].week and world.scandals[k].harmed_share > ZERO
        if breaks or world.news_exposure[t, k] > ZERO:
            return True
    return False


@inlined
def record_news(data, buffers, g, t, s, row, slot):
    """Count, and put into the outbox, the scandals that the person in a slot has just heard of."""
    people, person, work = data.people, buffers.workspace.person, buffers.work
    people.news[row] = 0
    if person.just_heard[slot] != 0:
        count_news(person, data.tally, g, t, s, slot)
        n = work.used[1]
        work.just_heard[n, 0], work.just_heard[n, 1] = person.number[slot], s
        work.just_heard[n, 2] = person.just_heard[slot]
        work.used[1] = n + 1


@inlined
def record_message(buffers, s, slot):
    """Put the message of the person in a slot into the outbox, if there is one."""
    person, work = buffers.workspace.person, buffers.work
    if person.message[slot] != 0:
        n = work.used[0]
        work.message[n, 0], work.message[n, 1], work.message[n, 2] = person.number[slot], s, person.message[slot]
        work.used[0] = n + 1
