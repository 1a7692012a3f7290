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
from sim.model.population import BLOCKS, CELL, LAST, PRICE, RATE
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
def draw_person(person, bonds, public, world, slots, i):
    """Draw a person once: rate, attention, tastes, and the past that their tastes imply.

    i are the lanes of the workspace that are drawn; what is given of people takes the place of a draw, slot by slot.
    """
    draw_traits(person, bonds, public, i)
    draw_tastes(person, bonds, public, world, i)
    for slot in range(slots if world.given.shape[0] > 0 else 0):
        give_traits(person, bonds, public, world, slot)
    to_steady_state(person, bonds, public, i)
    draw_past(person, bonds, public, i)
    for slot in range(slots if world.given.shape[0] > 0 else 0):
        give_past(person, bonds, public, world, slot)


@inlined
def draw_traits(person, bonds, public, i):
    """Draw what a person is apart from tastes: rate and attention."""
    market, traits, key, number = public.market[0], public.traits[0], public.key, person.number[i]
    gamma = log_gamma(market.rate_shape, key, Purpose.RATE, number, FIRST)
    person.rate[i] = traits.rate * exp(gamma) / market.rate_shape
    person.attention[i] = beta(traits.attention, market.attention_concentration, key, Purpose.ATTENTION, number)
    person.last[i] = person.target[i] = person.anchor[i] = NOBODY
    person.seen[i] = -market.burn_in
    person.anchor_height[i] = ZERO
    person.tenure[i] = person.outcome[i] = person.message[i] = person.uses[i] = NOTHING
    for j in range(bonds.taste.shape[0]):
        bonds.regret[j, i] = ZERO
        bonds.count[j, i] = NOTHING


@inlined
def draw_tastes(person, bonds, public, world, i):
    """Draw tastes for all firms, and the factor on price weight, which is log-normal with median 1.

    Log-gamma tastes, ln Gamma(S x presence), make a logit over tastes alone choose with Dirichlet(S x presence)
    chances: with all else off the market is the NBD-Dirichlet. Normal tastes may covary, with ln price weight too.
    """
    market, key, number, many = public.market[0], public.key, person.number[i], bonds.taste.shape[0]
    own = normal(random_bits(key, Purpose.PRICE_WEIGHT, number, FIRST, FIRST)[0])
    person.price_factor[i] = exp(market.price_weight_sd * own)
    if world.taste_factor.shape[0] == 0:
        for j in range(many):
            bonds.taste[j, i] = taste(market, world.presence[j], key, number, j)
    else:
        bonds.shock[many, i] = own
        for j in range(many):
            bonds.shock[j, i] = normal(random_bits(key, Purpose.TASTE, number, FIRST, j)[0])
        for j in range(many):
            bonds.taste[j, i] = log(world.presence[j]) + correlated(bonds.shock, world.taste_factor, j, i)
        person.price_factor[i] = exp(correlated(bonds.shock, world.taste_factor, many, i))


@inlined
def correlated(shock, factor, row, i):
    """Row `row` of a lower triangle times independent normal variates."""
    total = factor[row, 0] * shock[0, i]
    for k in range(1, row + 1):
        total += factor[row, k] * shock[k, i]
    return total


@inlined
def row_of(number, people, persons):
    """The person of the file that person `number` of so many people starts from."""
    if people < persons:
        return np.int64(number) * np.int64(persons) // np.int64(people)
    return np.int64(number) % np.int64(persons)


@inlined
def cell_given(world, number, drawn):
    """The cell that is given for a person, or the one drawn."""
    given, many = world.given[row_of(number, world.market[0].people, world.given.shape[0])], world.presence.shape[0]
    cell = given[BLOCKS * many + CELL]
    return np.int32(cell) if cell == cell else np.int32(drawn)


@inlined
def give_traits(person, bonds, public, world, slot):
    """What is given of a person's traits and tastes takes the place of the draws; nan is not given."""
    many = world.presence.shape[0]
    given = world.given[row_of(person.number[slot], public.market[0].people, world.given.shape[0])]
    for j in range(many):
        if given[j] == given[j]:
            bonds.taste[j, slot] = log(world.presence[j]) + given[j]
    price, rate = given[BLOCKS * many + PRICE], given[BLOCKS * many + RATE]
    if price == price:
        person.price_factor[slot] = price
    if rate == rate:
        person.rate[slot] = public.traits[0].rate * rate


@inlined
def give_past(person, bonds, public, world, slot):
    """What is given of a person's past takes the place of the draws; a firm used before is remembered as it is."""
    market, many = public.market[0], world.presence.shape[0]
    given = world.given[row_of(person.number[slot], market.people, world.given.shape[0])]
    last = given[BLOCKS * many + LAST]
    if last == last:
        person.last[slot] = person.home[slot] = np.int32(last)
    for j in range(many):
        habit, known = given[many + j], given[2 * many + j]
        if habit == habit:
            bonds.habit[j, slot] = habit
        if last == j and not known > ZERO and bonds.familiarity[j, slot] == ZERO:
            known = market.familiarity_rate
        if known == known:
            bonds.familiarity[j, slot] = known
            bonds.memory[j, slot] = public.firms[j].quality if known > ZERO else ZERO
            if known == ZERO:
                bonds.trust[j, slot] = market.trust_start


@inlined
def draw_past(person, bonds, public, i):
    """Draw which firms a person has ever used, and which one last, from the chances of the steady state."""
    market, key, number = public.market[0], public.key, person.number[i]
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
