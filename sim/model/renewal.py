"""Renewal: people who leave and newcomers in their places; tastes and rates of use that change over the years."""

import numpy as np

from sim.compute.jit import inlined
from sim.compute.random import FIRST, ONE, ZERO, Purpose, random_bits, uniform
from sim.compute.simd import any_lane, select
from sim.model.draws import beta, draw_variates, drawn_rate, price_factor_at, taste_at
from sim.model.state import NOBODY, NOTHING

WEEKS_A_YEAR = np.float32(52)
SLOTS, ATTEMPTS = 1023, 64  # of addresses: for a week, so many attempts of a gamma; weeks beyond are in the index


@inlined
def renew(person, bonds, public, world, i):
    """At the end of a week a few people leave, others' tastes or rates of use are drawn anew.

    Each happens at a constant chance a week and draws from the law of the start, so that this law stays what it is
    while people change (renewal: Howard 1965, Sabavala & Morrison 1981, Fader & Lattin 1993). Which of the three is
    decided by the draw of `need`. Who passes the bound of the last cohort leaves too.
    """
    traits, number, when = public.traits[0], person.number[i], public.week + public.market[0].burn_in
    start, index = when % SLOTS * ATTEMPTS, when // SLOTS * ATTEMPTS
    u = ONE - uniform(random_bits(public.key, Purpose.NEED, number, public.week, FIRST)[1])
    turnover = traits.turnover / WEEKS_A_YEAR
    tastes = turnover + traits.taste_renewal / WEEKS_A_YEAR
    leaves = (u <= turnover) | (person.outlives[i] != 0)
    anew = leaves | (u <= tastes)
    rates = leaves | ((u > tastes) & (u <= tastes + traits.rate_renewal / WEEKS_A_YEAR))
    if any_lane(anew):
        at = (Purpose.RENEW_TASTE, start, index)
        draw_variates(bonds, public, world, at, Purpose.RENEW_PRICE_WEIGHT, number, i)
        for j in range(bonds.taste.shape[0]):
            fresh = taste_at(bonds, public, world, at, number, j, i)
            bonds.taste[j, i] = select(anew, fresh, bonds.taste[j, i])
        person.price_factor[i] = select(anew, price_factor_at(bonds, public, world, i), person.price_factor[i])
    if any_lane(rates):
        fresh = drawn_rate(public.market[0], traits, public.key, Purpose.RENEW_RATE, number, start, index)
        person.rate[i] = select(rates, fresh, person.rate[i])
    if any_lane(leaves):
        concentration = public.market[0].attention_concentration
        fresh = beta(traits.attention, concentration, public.key, Purpose.RENEW_ATTENTION, number, start, index)
        person.attention[i] = select(leaves, fresh, person.attention[i])
        forget(person, bonds, public, leaves, i)


@inlined
def forget(person, bonds, public, leaves, i):
    """A newcomer has no past: has used no firm, and has heard of nothing."""
    for word in range(person.scandal_flags.shape[0]):
        person.scandal_flags[word, i] = select(leaves, NOTHING, person.scandal_flags[word, i])
    person.last[i] = select(leaves, NOBODY, person.last[i])
    person.home[i] = select(leaves, NOBODY, person.home[i])
    person.target[i] = select(leaves, NOBODY, person.target[i])
    person.anchor[i] = select(leaves, NOBODY, person.anchor[i])
    person.anchor_height[i] = select(leaves, ZERO, person.anchor_height[i])
    person.expectation[i] = select(leaves, ZERO, person.expectation[i])
    person.tenure[i] = select(leaves, NOTHING, person.tenure[i])
    person.outcome[i] = select(leaves, NOTHING, person.outcome[i])
    person.message[i] = select(leaves, NOTHING, person.message[i])
    person.uses[i] = select(leaves, NOTHING, person.uses[i])
    for j in range(bonds.taste.shape[0]):
        bonds.memory[j, i] = select(leaves, ZERO, bonds.memory[j, i])
        bonds.trust[j, i] = select(leaves, public.market[0].trust_start, bonds.trust[j, i])
        bonds.habit[j, i] = select(leaves, ZERO, bonds.habit[j, i])
        bonds.regret[j, i] = select(leaves, ZERO, bonds.regret[j, i])
        bonds.familiarity[j, i] = select(leaves, ZERO, bonds.familiarity[j, i])
        bonds.count[j, i] = select(leaves, NOTHING, bonds.count[j, i])
