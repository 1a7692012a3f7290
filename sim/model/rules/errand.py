"""Errand: some uses are for another purpose than usual, and go to what is at hand."""

import numpy as np

from sim.compute.jit import inlined
from sim.compute.random import ZERO, Purpose, random_bits, uniform
from sim.compute.simd import select
from sim.model.rules.choose import scandal_disutility
from sim.model.rules.find import any_short, is_out
from sim.model.state import LOWEST_UTILITY, NOTHING, SWITCHES

MISSING = np.float32(-1e38)  # of what is out of stock: below all else that is in the market


@inlined
def on_errand(public, number, use):
    """Whether a use is an errand: a trip for little, or for something special (Kahn & Schmittlein 1989)."""
    draw = random_bits(public.key, Purpose.ERRAND, number, public.week, use)[0]
    return uniform(draw) < public.market[0].errands


@inlined
def at_hand(person, bonds, public, use, i):
    """The firm that is at hand on an errand: by presence, whatever one's taste and habit, but none that one shuns."""
    best, highest = NOTHING, LOWEST_UTILITY
    short = any_short(public.firms)
    for j in range(public.firms.shape[0]):
        v = bonds.shock[j, i] + public.firms[j].at_hand + public.firms[j].availability
        v -= scandal_disutility(person, public, j, SWITCHES, i)
        if short:
            v = select(is_out(public, person.number[i], j, use), MISSING, v)
        if public.firms[j].closed > ZERO:
            v = select(v == v, LOWEST_UTILITY, v)
        better = v > highest
        best, highest = select(better, np.int32(j), best), select(better, v, highest)
    return best


@inlined
def resume(person, errand, i):
    """After an errand the last firm of one's routine is what it was, and so is the time with it."""
    person.last[i] = select(errand, person.left[i], person.last[i])
    person.tenure[i] = select(errand, person.served[i], person.tenure[i])
