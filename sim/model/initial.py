"""Initialization: a person's cell, rate, attention and tastes, drawn once, and the past that follows from them."""

import numpy as np

from sim.compute.bits import sqrt
from sim.compute.jit import inlined
from sim.compute.random import (
    FIRST,
    HALF,
    ONE,
    TWO,
    ZERO,
    Purpose,
    exp,
    exp2,
    gumbel,
    log,
    log_gamma,
    normal,
    open_uniform,
    random_bits,
    uniform,
)
from sim.compute.simd import logical_not, select
from sim.model.draws import beta, draw_variates, drawn_rate, log2_left, price_factor_at, taste_at
from sim.model.past import live_past
from sim.model.population import BLOCKS, CELL, LAST, PRICE, RATE
from sim.model.rules.choose import state_dependence, systematic_utility
from sim.model.rules.learn import revise
from sim.model.state import LOWEST_UTILITY, NOBODY, NOTHING

FIXED_POINT_ROUNDS = 8  # rounds of the fixed point of choice chances and past
WEEKS_A_YEAR = np.float32(52)
MOST_USES = np.float32(1e9)  # before the first week; where hardly anybody ever leaves they would be infinite
SMALL = np.float32(1e-3)  # so that the shape of a gamma, and the chance to deliberate, is never 0
EARLIER = np.int64(65472)  # the start, among addresses of a taste, of the tastes that people had before the first week


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
    Where customers of providers come and go their past is lived; elsewhere it is what is to be expected.
    """
    draw_traits(person, bonds, public, i)
    draw_tastes(person, bonds, public, world, i)
    traits, given = public.traits[0], world.given.shape[0] > 0
    if public.market[0].provider and traits.turnover > ZERO and traits.taste_renewal == ZERO and not given:
        live_past(person, bonds, public, world, i)
    else:
        draw_expected_past(person, bonds, public, world, slots, i)


@inlined
def draw_expected_past(person, bonds, public, world, slots, i):
    """The past as it is to be expected of a person with these tastes, or as it is given."""
    for slot in range(slots if world.given.shape[0] > 0 else 0):
        give_traits(person, bonds, public, world, slot)
    before, since = earlier_uses(person, bonds, public, world, i)
    to_steady_state(person, bonds, public, before, since, i)
    if public.traits[0].turnover > ZERO:
        spread_past(bonds, public, person.number[i], i)
    draw_past(person, bonds, public, before, since, i)
    for slot in range(slots if world.given.shape[0] > 0 else 0):
        give_past(person, bonds, public, world, slot)


@inlined
def draw_traits(person, bonds, public, i):
    """Draw what a person is apart from tastes: rate and attention."""
    market, traits, key, number = public.market[0], public.traits[0], public.key, person.number[i]
    person.rate[i] = drawn_rate(market, traits, key, Purpose.RATE, number, FIRST, FIRST)
    concentration = market.attention_concentration
    person.attention[i] = beta(traits.attention, concentration, key, Purpose.ATTENTION, number, FIRST, FIRST)
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
    number, at = person.number[i], (Purpose.TASTE, FIRST, FIRST)
    draw_variates(bonds, public, world, at, Purpose.PRICE_WEIGHT, number, i)
    for j in range(bonds.taste.shape[0]):
        bonds.taste[j, i] = taste_at(bonds, public, world, at, number, j, i)
    person.price_factor[i] = price_factor_at(bonds, public, world, i)


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
        known_so_far = bonds.familiarity[j, slot] if known != known else known
        if last == j and known_so_far == ZERO:  # but it was used once at least
            known = market.familiarity_rate
        if known == known:
            bonds.familiarity[j, slot] = known
            bonds.memory[j, slot] = public.firms[j].quality if known > ZERO else ZERO
            if known == ZERO:
                bonds.trust[j, slot] = market.trust_start


@inlined
def draw_past(person, bonds, public, before, since, i):
    """Draw which firms a person has ever used, and which one last, from the chances of the steady state."""
    market, key, number = public.market[0], public.key, person.number[i]
    fastest, last = LOWEST_UTILITY, NOBODY
    for j in range(bonds.taste.shape[0]):
        chance = bonds.recall_strength[j, i]
        knows, draw = random_bits(key, Purpose.PAST, number, FIRST, j)
        unused = uniform(knows) < exp(-(before * bonds.regret[j, i] + since * chance))
        bonds.trust[j, i] = select(unused, market.trust_start, bonds.trust[j, i])
        bonds.familiarity[j, i] = select(unused, ZERO, bonds.familiarity[j, i])
        bonds.memory[j, i] = select(unused, ZERO, bonds.memory[j, i])
        bonds.regret[j, i] = ZERO
        race = log(chance) + gumbel(draw)
        faster = logical_not(unused) & (race > fastest)
        fastest, last = select(faster, race, fastest), select(faster, np.int32(j), last)
    person.last[i] = person.home[i] = last
    if public.traits[0].turnover > ZERO:
        remember_last(bonds, public.traits[0], last, i)


@inlined
def remember_last(bonds, traits, last, i):
    """The last of the past uses leaves its step of habit: a firm that was used last has more than expected."""
    for j in range(bonds.habit.shape[0]):
        step = traits.habit_rate * (select(last == j, ONE, ZERO) - bonds.habit[j, i])
        bonds.habit[j, i] += select(last < 0, ZERO, step)


@inlined
def earlier_uses(person, bonds, public, world, i):
    """Uses made with earlier tastes, and with those of today: how long ago people came, and when tastes last changed.

    Without turnover everybody has made `experience` uses; without renewal all of them with the tastes of today. The
    chances of the firms by the tastes of before are left in `bonds.regret`. In a market at rest both times are
    exponential, with the rates of turnover and of renewal.
    """
    market, traits, key, number = public.market[0], public.traits[0], public.key, person.number[i]
    came, changed = random_bits(key, Purpose.ENTER, number, FIRST, FIRST)
    a_week = person.rate[i] * ZERO + ONE if market.provider else person.rate[i]
    uses = a_week * ZERO + market.experience
    for j in range(bonds.taste.shape[0]):
        bonds.regret[j, i] = ZERO
    if traits.turnover > ZERO:
        uses = a_week * (-log(open_uniform(came)) * WEEKS_A_YEAR / traits.turnover)
        uses = select(uses < MOST_USES, uses, a_week * ZERO + MOST_USES)
    since = uses
    if traits.taste_renewal > ZERO:
        total, at = ZERO, (Purpose.RENEW_TASTE, EARLIER, FIRST)
        draw_variates(bonds, public, world, at, Purpose.RENEW_PRICE_WEIGHT, number, i)
        for j in range(bonds.taste.shape[0]):
            weight = exp(taste_at(bonds, public, world, at, number, j, i))
            if public.firms[j].closed > ZERO:
                weight *= ZERO
            bonds.regret[j, i] = weight
            total += weight
        for j in range(bonds.taste.shape[0]):
            bonds.regret[j, i] /= total
        since = a_week * (-log(open_uniform(changed)) * WEEKS_A_YEAR / traits.taste_renewal)
        since = select(since < uses, since, uses)
    return uses - since, since


@inlined
def spread_past(bonds, public, number, i):
    """Habit and memory about their expected values, as exponential smoothing of single uses leaves them.

    After many uses smoothing with the step r has the variance r / (2 - r) of one use: of habit, a Dirichlet of that
    variance; of memory, a normal.
    """
    market, traits, key = public.market[0], public.traits[0], public.key
    many, total = bonds.habit.shape[0], ZERO
    concentration = TWO / traits.habit_rate - TWO if traits.habit_rate > ZERO else ZERO
    if concentration > ZERO:
        whole = ZERO
        for j in range(many):
            mean = bonds.habit[j, i]
            whole += mean
            drawn = exp(log_gamma(concentration * mean + SMALL, key, Purpose.PAST_HABIT, number, FIRST, j))
            if public.firms[j].closed > ZERO:
                drawn *= ZERO
            bonds.shock[j, i] = drawn
            total += drawn
        for j in range(many):
            bonds.habit[j, i] = whole * bonds.shock[j, i] / total
    step = sqrt(market.memory_rate / (TWO - market.memory_rate))
    for j in range(many):
        noise = normal(random_bits(key, Purpose.PAST_MEMORY, number, FIRST, j)[0])
        bonds.memory[j, i] += public.firms[j].consistency_sd * step * noise


@inlined
def to_steady_state(person, bonds, public, before, since, i):
    """The steady state: chances of choice, the past that follows from them, and the chances that follow from that.

    It is the mean field of a person's own history after `before` + `since` uses, the latter with the tastes of today.
    `bonds.recall_strength` holds the chances of today, `bonds.regret` those of before. A firm that is not in the market
    yet has no part in it.
    """
    traits, many = public.traits[0], public.firms.shape[0]
    bonus = ZERO if traits.turnover > ZERO else traits.state_dependence
    for step in range(FIXED_POINT_ROUNDS):
        top = LOWEST_UTILITY
        for j in range(many):
            v = bonds.taste[j, i]
            if step > 0:
                chance = bonds.recall_strength[j, i]
                uses = before * bonds.regret[j, i] + since * chance
                v = systematic_utility(person, bonds, public, j, i) + state_dependence(person, bonds, public, j, i)
                v += bonus * chance - traits.uncertainty * exp(-uses)
            if public.firms[j].closed > ZERO:
                v = select(v == v, LOWEST_UTILITY, LOWEST_UTILITY)
            bonds.shock[j, i] = v
            top = select(v > top, v, top)
        total = ZERO
        for j in range(many):
            weight = exp(bonds.shock[j, i] - top)
            if public.firms[j].closed > ZERO:
                weight *= ZERO
            bonds.recall_strength[j, i] = weight
            total += weight
        if step > 0 and traits.turnover > ZERO:
            total = add_inertia(bonds, traits, total, i)
        person.expectation[i] = ZERO
        for j in range(many):
            bonds.recall_strength[j, i] /= total
            expected_history(person, bonds, public, before, since, j, i)


@inlined
def add_inertia(bonds, traits, total, i):
    """Weights of the firms in the long run, from those of a choice without state dependence; returns their sum.

    Where the firm used last has a bonus g, choices are a reversible Markov chain whose long-run chances are as
    w (total + (exp(g) - 1) w); a firm that is used again without deliberation in a part of the cases has more by that.
    """
    more, new = exp(traits.state_dependence) - ONE, ZERO
    for j in range(bonds.habit.shape[0]):
        weight, deliberates = bonds.recall_strength[j, i], ONE - traits.automaticity * bonds.habit[j, i]
        weight *= (total + more * weight) / select(deliberates > SMALL, deliberates, SMALL)
        bonds.recall_strength[j, i] = weight
        new += weight
    return new


@inlined
def expected_history(person, bonds, public, before, since, j, i):
    """The expected past with firm j of a person who chose it with these chances at each use."""
    market, traits, firm = public.market[0], public.traits[0], public.firms[j]
    chance = bonds.recall_strength[j, i]
    uses = before * bonds.regret[j, i] + since * chance
    failing = public.failures[j, public.failures.shape[1] - 1].failing
    step = (traits.trust_up * (ONE - failing) - traits.trust_down * failing) * (ONE - HALF * market.confirmation_bias)
    bonds.trust[j, i] = revise(market.trust_start, uses * step, ZERO)
    kept = exp2(since * log2_left(traits.habit_rate))
    earlier = kept * (ONE - exp2(before * log2_left(traits.habit_rate)))
    bonds.habit[j, i] = bonds.regret[j, i] * earlier + chance * (ONE - kept)
    bonds.familiarity[j, i] = ONE - exp2(uses * log2_left(market.familiarity_rate))
    bonds.memory[j, i] = firm.quality
    person.expectation[i] += chance * firm.quality
