"""Initialization: a person's cell, rate, attention and tastes, drawn once, and the past that follows from them."""

import numpy as np

from sim.compute.jit import inlined
from sim.compute.random import (
    FIRST,
    HALF,
    ONE,
    SECOND,
    TWO,
    ZERO,
    Purpose,
    exp,
    exp2,
    gumbel,
    log,
    log_gamma,
    normal,
    random_bits,
    uniform,
)
from sim.compute.simd import logical_not, select
from sim.model.rules.choose import state_dependence, systematic_utility
from sim.model.rules.learn import revise
from sim.model.state import LOWEST_UTILITY, NOBODY, NOTHING

FIXED_POINT_ROUNDS = 8  # rounds of the fixed point of choice chances and past


@inlined
def cell_of(cells, key, number):
    """The cell of a person, segment x cohort, by the cells' cumulative shares."""
    u = uniform(random_bits(key, Purpose.CELL, number, FIRST, FIRST)[0])
    cell = NOTHING
    for s in range(cells.shape[0] - 1):
        cell = select(u >= cells[s], np.int32(s + 1), cell)
    return cell


@inlined
def draw_person(person, bonds, public, presence, i):
    """Draw a person once: rate, attention, tastes, and the past that their tastes imply.

    Log-gamma tastes, ln Gamma(S x presence), make a logit over tastes alone choose with Dirichlet(S x presence)
    chances: with all else off the market is the NBD-Dirichlet.
    """
    market, traits, key, number = public.market[0], public.traits[0], public.key, person.number[i]
    gamma = log_gamma(market.rate_shape, key, Purpose.RATE, number, FIRST)
    person.rate[i] = traits.rate * exp(gamma) / market.rate_shape
    person.attention[i] = beta(traits.attention, market.attention_concentration, key, Purpose.ATTENTION, number)
    person.last[i] = person.target[i] = person.anchor[i] = NOBODY
    person.seen[i] = -market.burn_in
    person.anchor_height[i] = ZERO
    person.tenure[i] = person.outcome[i] = person.message[i] = person.uses[i] = NOTHING
    for j in range(bonds.taste.shape[0]):
        bonds.taste[j, i] = taste(market, presence[j], key, number, j)
        bonds.regret[j, i] = ZERO
        bonds.count[j, i] = NOTHING
    to_steady_state(person, bonds, public, i)
    fastest, last = LOWEST_UTILITY, NOBODY
    for j in range(bonds.taste.shape[0]):
        chance = bonds.recall_strength[j, i]
        knows, draw = random_bits(key, Purpose.PAST, number, FIRST, j)
        unused = uniform(knows) < exp(-market.experience * chance)
        bonds.trust[j, i] = select(unused, market.trust_start, bonds.trust[j, i])
        bonds.familiarity[j, i] = select(unused, ZERO, bonds.familiarity[j, i])
        bonds.memory[j, i] = select(unused, ZERO, bonds.memory[j, i])
        race = log(chance) + gumbel(draw)
        faster = logical_not(unused) & (race > fastest)
        fastest, last = select(faster, race, fastest), select(faster, np.int32(j), last)
    person.last[i] = person.home[i] = last


@inlined
def to_steady_state(person, bonds, public, i):
    """The steady state: chances of choice, the past that follows from them, and the chances that follow from that.

    It is the mean field of a person's own history after `experience` uses. `bonds.recall_strength` holds the chances.
    """
    market, traits, many = public.market[0], public.traits[0], public.firms.shape[0]
    for step in range(FIXED_POINT_ROUNDS):
        top = LOWEST_UTILITY
        for j in range(many):
            v = bonds.taste[j, i]
            if step > 0:
                chance = bonds.recall_strength[j, i]
                v = systematic_utility(person, bonds, public, j, i) + state_dependence(person, bonds, public, j, i)
                v += traits.state_dependence * chance - traits.uncertainty * exp(-market.experience * chance)
            bonds.shock[j, i] = v
            top = select(v > top, v, top)
        total = ZERO
        for j in range(many):
            weight = exp(bonds.shock[j, i] - top)
            bonds.recall_strength[j, i] = weight
            total += weight
        person.expectation[i] = ZERO
        for j in range(many):
            bonds.recall_strength[j, i] /= total
            expected_history(person, bonds, public, j, i)


@inlined
def expected_history(person, bonds, public, j, i):
    """The expected past with firm j of a person who chose it with this chance at each of `experience` uses."""
    market, traits, firm = public.market[0], public.traits[0], public.firms[j]
    chance = bonds.recall_strength[j, i]
    uses = market.experience * chance
    failing = public.failures[j, public.failures.shape[1] - 1].failing
    step = (traits.trust_up * (ONE - failing) - traits.trust_down * failing) * (ONE - HALF * market.confirmation_bias)
    bonds.trust[j, i] = revise(market.trust_start, uses * step, ZERO)
    bonds.habit[j, i] = chance * (ONE - exp2(market.experience * log2_left(traits.habit_rate)))
    bonds.familiarity[j, i] = ONE - exp2(uses * log2_left(market.familiarity_rate))
    bonds.memory[j, i] = firm.quality
    person.expectation[i] += chance * firm.quality


@inlined
def log2_left(rate):
    """log2(1 - rate), at most 126 halvings."""
    left = ONE - rate
    return log(left) / log(TWO) if left > np.float32(1e-38) else np.float32(-126)


@inlined
def taste(market, presence, key, number, j):
    """Person number's taste for firm j, drawn once."""
    if market.taste_law == 1:
        return log_gamma(market.taste_concentration * presence, key, Purpose.TASTE, number, j)
    own = market.taste_sd * normal(random_bits(key, Purpose.TASTE, number, FIRST, j)[0])
    return log(presence) + (own if market.taste_law == 2 else own * ZERO)


@inlined
def beta(mean, concentration, key, purpose, number):
    """A beta variate of this mean: heterogeneous attention (#18); 0 and 1 are certain."""
    if mean <= ZERO or mean >= ONE:
        return select(number == number, mean, mean)
    a = log_gamma(mean * concentration, key, purpose, number, FIRST)
    b = log_gamma((ONE - mean) * concentration, key, purpose, number, SECOND)
    return ONE / (ONE + exp(b - a))
