"""Consider: the consideration set, the firms among which one chooses."""

import numpy as np

from sim.compute.jit import inlined
from sim.compute.random import ZERO, Purpose, gumbel, random_bits, uniform
from sim.compute.simd import any_lane, logical_not, select
from sim.model.rules.find import any_closed, is_closed
from sim.model.state import LOWEST_UTILITY, NOBODY, NOTHING, ONCE


@inlined
def consider(person, bonds, public, wakes, use, i):
    """Consider the anchor or the last firm first, then what comes to mind (#32, #33, #76). Returns the first firm.

    A firm that is not in the market is not considered.
    """
    market, size = public.market[0], public.traits[0].consideration_size
    many, few = bonds.considered.shape[0], np.int64(size)
    first = person.last[i]
    extra, start = random_bits(public.key, Purpose.LOOK, person.number[i], public.week, use)
    pulls = uniform(start) * market.delight_threshold < market.anchor_start * person.anchor_height[i]
    anchored = (person.anchor[i] >= 0) & pulls
    first = select(anchored, person.anchor[i], first)
    closed = any_closed(public.firms)
    if closed:
        first = select(is_closed(public.firms, first), person.last[i], first)
        first = select(is_closed(public.firms, first), NOBODY, first)
    number = select(uniform(extra) < size - np.float32(few), np.int32(few + 1), np.int32(few))
    lost = wakes & (first < 0)
    if few < many or any_lane(lost):
        recall(person, bonds, public, use, i)
    if any_lane(lost):
        first = select(lost, most_salient(bonds, logical_not(lost), i), first)
    for j in range(many):
        bonds.considered[j, i] = select(wakes & ((first == j) | (number >= many)), ONCE, bonds.considered[j, i])
    for looks in range(1, min(many, few + 1)):
        another = wakes & (number > looks) & (number < many)
        if any_lane(another):
            next_one = most_salient(bonds, logical_not(another), i)
            for j in range(many):
                bonds.considered[j, i] = select(another & (next_one == j), ONCE, bonds.considered[j, i])
    if closed:
        leave_out_closed(bonds, public.firms, i)
    return first


@inlined
def leave_out_closed(bonds, firms, i):
    """A firm that is not in the market cannot be chosen."""
    for j in range(firms.shape[0]):
        if firms[j].closed > ZERO:
            bonds.considered[j, i] = select(bonds.considered[j, i] == 1, NOTHING, NOTHING)


@inlined
def recall(person, bonds, public, use, i):
    """How strongly each firm comes to mind: availability, own taste, association, own habit, chance."""
    draw_gumbels(bonds.recall_strength, person.number[i], public.key, Purpose.RECALL, public.week, use, i)
    for j in range(public.firms.shape[0]):
        strength = public.market[0].recall_taste * bonds.taste[j, i] + public.firms[j].availability
        strength += public.firms[j].association + public.market[0].recall_habit * bonds.habit[j, i]
        bonds.recall_strength[j, i] += strength
        if public.firms[j].closed > ZERO:
            bonds.recall_strength[j, i] = select(strength == strength, LOWEST_UTILITY, LOWEST_UTILITY)


@inlined
def most_salient(bonds, anew, i):
    """The firm not yet considered that comes to mind first; where `anew`, of all firms."""
    best, most = NOTHING, LOWEST_UTILITY
    for j in range(bonds.considered.shape[0]):
        strength = bonds.recall_strength[j, i]
        stronger = (strength > most) & (anew | (bonds.considered[j, i] == 0))
        best, most = select(stronger, np.int32(j), best), select(stronger, strength, most)
    return best


@inlined
def draw_gumbels(row, number, key, purpose, week, use, i):
    """A Gumbel shock for each firm at a use; each has its own address, so no firm moves another's draw."""
    for pair in range(row.shape[0] // 2):
        even, odd = random_bits(key, purpose, number, week, (use << 8) | pair)
        row[2 * pair, i] = gumbel(even)
        row[2 * pair + 1, i] = gumbel(odd)
