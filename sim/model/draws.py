"""What people are drawn from: laws of rates, attention, tastes and price weights over people, at keyed addresses."""

import numpy as np

from sim.compute.jit import inlined
from sim.compute.random import ONE, SECOND, TWO, ZERO, exp, log, log_gamma, normal, random_bits
from sim.compute.simd import select


@inlined
def draw_variates(bonds, public, world, at, own_purpose, number, i):
    """Independent normal variates: of price weight and, where tastes covary, of the tastes; into `bonds.shock`.

    `at` is the purpose and the first two addresses of a draw of tastes.
    """
    key, many, (purpose, start, index) = public.key, bonds.taste.shape[0], at
    bonds.shock[many, i] = normal(random_bits(key, own_purpose, number, start, index)[0])
    if world.taste_factor.shape[0] > 0:
        for j in range(many):
            bonds.shock[j, i] = normal(random_bits(key, purpose, number, start, index + j)[0])


@inlined
def taste_at(bonds, public, world, at, number, j, i):
    """The taste for firm j that is drawn at an address; after `draw_variates` of the same address."""
    purpose, start, index = at
    if world.taste_factor.shape[0] == 0:
        return drawn_taste(public.market[0], world.presence[j], public.key, purpose, number, start, index + j)
    return log(world.presence[j]) + correlated(bonds.shock, world.taste_factor, j, i)


@inlined
def price_factor_at(bonds, public, world, i):
    """The factor on price weight by the variates of `draw_variates`."""
    many = bonds.taste.shape[0]
    if world.taste_factor.shape[0] == 0:
        return exp(public.market[0].price_weight_sd * bonds.shock[many, i])
    return exp(correlated(bonds.shock, world.taste_factor, many, i))


@inlined
def correlated(shock, factor, row, i):
    """Row `row` of a lower triangle times independent normal variates."""
    total = factor[row, 0] * shock[0, i]
    for k in range(1, row + 1):
        total += factor[row, k] * shock[k, i]
    return total


@inlined
def drawn_rate(market, traits, key, purpose, number, start, index):
    """A person's rate of use, uses/week, drawn at an address: gamma over people."""
    gamma = log_gamma(market.rate_shape, key, purpose, number, start, index)
    return traits.rate * exp(gamma) / market.rate_shape


@inlined
def drawn_taste(market, presence, key, purpose, number, start, index):
    """A person's taste for a firm of this presence, drawn at an address."""
    if market.taste_law == 1:
        return log_gamma(market.taste_concentration * presence, key, purpose, number, start, index)
    own = market.taste_sd * normal(random_bits(key, purpose, number, start, index)[0])
    return log(presence) + (own if market.taste_law == 2 else own * ZERO)


@inlined
def beta(mean, concentration, key, purpose, number, start, index):
    """A beta variate of this mean: heterogeneous attention (#18); 0 and 1 are certain."""
    if mean <= ZERO or mean >= ONE:
        return select(number == number, mean, mean)
    a = log_gamma(mean * concentration, key, purpose, number, start, index)
    b = log_gamma((ONE - mean) * concentration, key, purpose, number, start, index + SECOND)
    return ONE / (ONE + exp(b - a))


@inlined
def log2_left(rate):
    """log2(1 - rate), at most 126 halvings."""
    left = ONE - rate
    return log(left) / log(TWO) if left > np.float32(1e-38) else np.float32(-126)
