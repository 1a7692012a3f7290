"""Learn: what a visit leaves behind in memory, trust, habit, familiarity, regret and anchor."""

from sim.compute.jit import inlined
from sim.compute.random import ONE, TWO, ZERO
from sim.compute.simd import any_lane, logical_not, select
from sim.model.state import NOBODY


@inlined
def learn(person, bonds, public, x, harm, i):
    """Memory, anchor, expectation, trust, regret, familiarity and habit after a visit; returns x - expectation."""
    market, traits = public.market[0], public.traits[0]
    j, expected = person.joined[i], person.expectation[i]
    peak = x - expected
    sorry, hurt = ZERO, harm > ZERO
    if any_lane(hurt):
        missed = forgone(person, bonds, j, i) - x
        sorry = select(hurt & (missed > ZERO), select(harm < missed, harm, missed), ZERO)
    felt = set_anchor(person, j, peak, market.delight_threshold, traits.anchor_pull, i)
    evidence = select(hurt, -traits.trust_down, traits.trust_up)
    person.expectation[i] = expected + market.expectation_rate * peak
    for k in range(bonds.habit.shape[0]):
        here = j == k
        memory, trust, known = bonds.memory[k, i], bonds.trust[k, i], bonds.familiarity[k, i]
        bonds.regret[k, i] += select(here, sorry, ZERO)
        bonds.memory[k, i] = select(here, memory + market.memory_rate * (felt + expected - memory), memory)
        bonds.trust[k, i] = select(here, revise(trust, evidence, market.confirmation_bias), trust)
        bonds.familiarity[k, i] = select(here, known + market.familiarity_rate * (ONE - known), known)
        bonds.habit[k, i] += traits.habit_rate * (select(here, ONE, ZERO) - bonds.habit[k, i])
    return peak


@inlined
def forgone(person, bonds, j, i):
    """The best experience forgone: the best remembered of the known firms considered, or what was expected (#72)."""
    best = person.expectation[i]
    for k in range(bonds.memory.shape[0]):
        known = (j != k) & (bonds.considered[k, i] == 1) & (bonds.familiarity[k, i] > ZERO)
        best = select(known & (bonds.memory[k, i] > best), bonds.memory[k, i], best)
    return best


@inlined
def set_anchor(person, j, peak, delight_threshold, pull, i):
    """A peak makes an anchor, and the highest is kept; a visit below expectation wears it off (#74-77).

    Returns the peak as felt: a visit to the anchor firm below expectation is compared with the anchor and hurts more.
    """
    anchor, height = person.anchor[i], person.anchor_height[i]
    strikes = (peak > delight_threshold) & (peak > height) & (pull > ZERO)
    falls = logical_not(strikes) & (anchor == j) & (peak < ZERO)
    felt = select(falls, peak - pull * height, peak)
    worn = height + peak
    worn = select(worn > ZERO, worn, ZERO)
    height = select(strikes, peak, select(falls, worn, height))
    person.anchor[i] = select(height == ZERO, NOBODY, select(strikes, j, anchor))
    person.anchor_height[i] = height
    return felt


@inlined
def revise(trust, step, confirmation_bias):
    """Trust moves by `step`, less where it is already far from neutral (#46), and stays between 0 and 1."""
    sure = TWO * trust - ONE
    moved = trust + step * (ONE - confirmation_bias * select(sure > ZERO, sure, -sure))
    return select(moved < ZERO, ZERO, select(moved > ONE, ONE, moved))
