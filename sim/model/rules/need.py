"""Need: how often the category is used this week, and what has decayed since the last use."""

import numpy as np

from sim.compute.bits import add_i32, to_float
from sim.compute.jit import inlined
from sim.compute.random import FIRST, ONE, Purpose, exp2, poisson, random_bits, uniform
from sim.compute.simd import select
from sim.model.state import ONCE


@inlined
def need(market, rate, key, number, week):
    """Uses this week: Poisson at the person's rate (#1), or one of a provider; whether the person is surveyed.

    And whether anything may be drawn anew at the end of the week (`renew`, which uses the same draw).
    """
    occasion, survey = random_bits(key, Purpose.NEED, number, week, FIRST)
    u = uniform(survey)
    asked, renews = u < market.survey, ONE - u <= market.renewing
    if market.provider:
        return select(asked, ONCE, ONCE), asked, renews
    return poisson(rate, occasion), asked, renews


@inlined
def decay(person, bonds, market, week, i):
    """Regret and anchor fade with the weeks since the last use."""
    weeks = to_float(add_i32(np.int32(week), -person.seen[i]))
    person.seen[i] = week
    person.anchor_height[i] *= exp2(-weeks / market.anchor_half_life)
    fade = exp2(-weeks / market.regret_half_life)
    for j in range(bonds.regret.shape[0]):
        bonds.regret[j, i] *= fade
