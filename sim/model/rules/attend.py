"""Attend: is this use deliberated, or does it go to the last firm again?"""

import numpy as np

from sim.compute.bits import floor, to_float
from sim.compute.jit import inlined
from sim.compute.random import ONE, ZERO, Purpose, random_bits, uniform
from sim.compute.simd import any_lane, logical_not
from sim.model.state import LONGEST, pick


@inlined
def attend(person, bonds, public, use, i):
    """Deliberate, or use the last firm again? Habit lowers attention, events raise it (#16-22, #29)."""
    last = person.last[i]
    wakes = (last < 0) | (person.provoked[i] != 0)
    chance = person.attention[i] * (ONE - public.traits[0].automaticity * pick(bonds.habit, last, i))
    event = logical_not(last == last)
    if public.market[0].contract_weeks > 0:
        served, term = to_float(person.tenure[i]), np.float32(public.market[0].contract_weeks)
        known = (person.tenure[i] > 0) & (person.tenure[i] < LONGEST)  # at LONGEST uses are no longer told apart
        event = known & (floor(served / term) * term == served)
    for j in range(public.firms.shape[0]):
        if public.firms[j].price_moved > ZERO:
            event |= last == j
    if any_lane(logical_not(wakes | (chance >= ONE))):
        turn, notice = random_bits(public.key, Purpose.ATTEND, person.number[i], public.week, use)
        return wakes | (uniform(turn) < chance) | (event & (uniform(notice) < public.market[0].event_attention))
    return wakes | (chance >= ONE)
