"""Who a consumer is: drawn once, with the past that follows from it."""

import numpy as np

from sim.draws import (
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
    rule,
    uniform,
    words,
)
from sim.lanes import no, select
from sim.rules import LOWEST, NOBODY, NOTHING, appeal, inertia, revise

_f, _i = np.float32, np.int32
RESTS = 8  # rounds in which a newborn's chances and past settle


@rule
def cell_of(cells, key, number):
    """The cell of a person, segment x cohort, by the cells' cumulative shares."""
    u = uniform(words(key, Purpose.CELL, number, FIRST, FIRST)[0])
    cell = NOTHING
    for s in range(cells.shape[0] - 1):
        cell = select(u >= cells[s], _i(s + 1), cell)
    return cell


@rule
def born(me, bonds, m, c, firms, details, presence, key, i):
    """Who a person is, drawn once: rate, attention, tastes, and the past their tastes imply.

    Log-gamma tastes, ln Gamma(S x presence), make a logit over tastes alone choose with Dirichlet(S x presence)
    chances: with all else off the market is the NBD-Dirichlet.
    """
    number = me.number[i]
    me.rate[i] = c.rate * exp(log_gamma(m.rate_shape, key, Purpose.RATE, number, FIRST)) / m.rate_shape
    me.attention[i] = beta(c.attention, m.attention_concentration, key, Purpose.ATTENTION, number)
    me.last[i] = me.target[i] = me.anchor[i] = NOBODY
    me.seen[i] = -m.burn_in
    me.anchor_height[i] = ZERO
    me.tenure[i] = me.outcome[i] = me.message[i] = me.uses[i] = NOTHING
    for j in range(firms.shape[0]):
        bonds.taste[j, i] = taste(m, presence[j], key, number, j)
        bonds.regret[j, i] = ZERO
        bonds.count[j, i] = NOTHING
    rest(me, bonds, m, c, firms, details, i)
    fastest, last = LOWEST, NOBODY
    for j in range(firms.shape[0]):
        chance = bonds.strength[j, i]
        knows, draw = words(key, Purpose.PAST, number, FIRST, j)
        stranger = uniform(knows) < exp(-m.experience * chance)
        bonds.trust[j, i] = select(stranger, m.trust_start, bonds.trust[j, i])
        bonds.familiarity[j, i] = select(stranger, ZERO, bonds.familiarity[j, i])
        bonds.memory[j, i] = select(stranger, ZERO, bonds.memory[j, i])
        race = log(chance) + gumbel(draw)
        faster = no(stranger) & (race > fastest)
        fastest, last = select(faster, race, fastest), select(faster, _i(j), last)
    me.last[i] = me.home[i] = last


@rule
def rest(me, bonds, m, c, firms, details, i):
    """Bring a person to rest: the chances of choice, the past that follows from them, the chances that follow from it.

    The mean field of one's own history after `experience` uses; `bonds.strength` carries the chances.
    """
    many = firms.shape[0]
    for step in range(RESTS):
        top = LOWEST
        for j in range(many):
            v = bonds.taste[j, i]
            if step > 0:
                chance = bonds.strength[j, i]
                v = appeal(me, bonds, m, c, firms[j], j, i) + inertia(me, bonds, c, FIRST, j, i)
                v += c.state_dependence * chance - c.uncertainty * exp(-m.experience * chance)
            bonds.shock[j, i] = v
            top = select(v > top, v, top)
        total = ZERO
        for j in range(many):
            weight = exp(bonds.shock[j, i] - top)
            bonds.strength[j, i] = weight
            total += weight
        me.expectation[i] = ZERO
        for j in range(many):
            bonds.strength[j, i] /= total
            remember(me, bonds, m, c, firms[j], details[j], j, i)


@rule
def remember(me, bonds, m, c, f, details, j, i):
    """The past with firm j, expected of one who chose it with this chance at each of `experience` uses."""
    chance = bonds.strength[j, i]
    uses = m.experience * chance
    failing = details[details.shape[0] - 1].failing
    step = (c.trust_up * (ONE - failing) - c.trust_down * failing) * (ONE - HALF * m.confirm)
    bonds.trust[j, i] = revise(m.trust_start, uses * step, ZERO)
    bonds.habit[j, i] = chance * (ONE - exp2(m.experience * log2_left(c.habit_rate)))
    bonds.familiarity[j, i] = ONE - exp2(uses * log2_left(m.familiarity_rate))
    bonds.memory[j, i] = f.quality
    me.expectation[i] += chance * f.quality


@rule
def log2_left(rate):
    """log2(1 - rate), at most 126 halvings."""
    left = ONE - rate
    return log(left) / log(TWO) if left > _f(1e-38) else _f(-126)


@rule
def taste(m, presence, key, number, j):
    """Person number's taste for firm j, drawn once."""
    if m.taste_law == 1:
        return log_gamma(m.taste_concentration * presence, key, Purpose.TASTE, number, j)
    own = m.taste_sd * normal(words(key, Purpose.TASTE, number, FIRST, j)[0])
    return log(presence) + (own if m.taste_law == 2 else own * ZERO)


@rule
def beta(mean, concentration, key, purpose, number):
    """A beta variate of this mean: heterogeneous attention (#18); 0 and 1 are certain."""
    if mean <= ZERO or mean >= ONE:
        return select(number == number, mean, mean)
    a = log_gamma(mean * concentration, key, purpose, number, FIRST)
    b = log_gamma((ONE - mean) * concentration, key, purpose, number, SECOND)
    return ONE / (ONE + exp(b - a))
