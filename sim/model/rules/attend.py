"""Attend: is this use deliberated, or does it go to the last firm again?"""

import numpy as np

from sim.compute.bits import floor, to_float
from sim.compute.jit import inlined
from sim.compute.random import ONE, ZERO, Purpose, exp2, random_bits, uniform
from sim.compute.simd import any_lane, logical_not, select
from sim.model.state import INCIDENT, LONGEST, pick


@inlined
def attend(person, bonds, public, use, i):
    """Deliberate, or use the last firm again? Habit lowers attention, events raise it (#16-22, #29, #69)."""
    market, last = public.market[0], person.last[i]
    wakes = (last < 0) | (person.provoked[i] != 0)
    chance = attention_by_tenure(person, market, i) * (ONE - public.traits[0].automaticity * pick(bonds.habit, last, i))
    event = logical_not(last == last)
    if market.contract_weeks > 0:
        served, term = to_float(person.tenure[i]), np.float32(market.contract_weeks)
        known = (person.tenure[i] > 0) & (person.tenure[i] < LONGEST)  # at LONGEST uses are no longer told apart
        event = known & (floor(served / term) * term == served)
    priced = logical_not(last == last)
    for j in range(public.firms.shape[0]):
        if public.firms[j].price_moved > ZERO:
            priced |= last == j
    if any_lane(logical_not(wakes | (chance >= ONE))):
        turn, notice = random_bits(public.key, Purpose.ATTEND, person.number[i], public.week, use)
        seen, ready = uniform(notice), ONE
        if market.readiness > ZERO:
            ready = readiness(person, public, i)
        event &= seen < market.event_attention * ready
        event |= priced & (seen < market.event_attention * market.price_attention * ready)
        if market.incident_attention > ZERO:
            event |= (person.target[i] == INCIDENT) & (seen < market.incident_attention * ready)
        return wakes | (uniform(turn) < chance) | event
    return wakes | (chance >= ONE)


@inlined
def attention_by_tenure(person, market, i):
    """A person's attention where habit has no part: early after joining a firm it is more than later."""
    attention = person.attention[i]
    if market.early_attention > ZERO:
        attention = attention * newness(person, market, i)
        attention = select(attention > ONE, ONE, attention)
    return attention


@inlined
def exit_chance(person, market, i):
    """Chance that a decided exit is carried out in a week (#24): early after joining it is more than later."""
    chance = person.attention[i] * ZERO + market.exit_rate
    if market.early_attention > ZERO:
        chance *= newness(person, market, i)
    return chance


@inlined
def newness(person, market, i):
    """How much more those notice and carry out who have just joined their firm, 1 for those of long standing."""
    return ONE + market.early_attention * exp2(-to_float(person.tenure[i]) / market.early_half_life)


@inlined
def readiness(person, public, i):
    """How readily a person takes an occasion to reconsider, 1 for one of mean attention: serial switchers (#18)."""
    mean, weight = public.traits[0].attention, public.market[0].readiness
    slope = weight / mean if mean > ZERO else ZERO
    return ONE + slope * (person.attention[i] - mean)
