"""Choose: the utility of a firm, term by term, and the highest of those considered."""

import numpy as np

from sim.compute.bits import floor, to_float
from sim.compute.jit import inlined
from sim.compute.random import HALF, ONE, ZERO, Purpose, exp
from sim.compute.simd import select
from sim.model.rules.consider import draw_gumbels
from sim.model.state import AWARE, BUYCOTTS, HARMED, INCIDENT, LOWEST_UTILITY, NOTHING, ONCE, SWITCHES, USED, has_flag

WEEKS_A_YEAR = np.float32(52)


@inlined
def choose(person, bonds, public, use, i):
    """The firm of highest utility among those considered; and which it would be without switching cost."""
    last = person.last[i]
    draw_gumbels(bonds.shock, person.number[i], public.key, Purpose.CHOOSE, public.week, use, i)
    cost = switching_cost(public.firms, last)
    best, frictionless, highest, highest_free = NOTHING, NOTHING, LOWEST_UTILITY, LOWEST_UTILITY
    for j in range(public.firms.shape[0]):
        v = systematic_utility(person, bonds, public, j, i) + state_dependence(person, bonds, public, j, i)
        v -= scandal_disutility(person, public, j, SWITCHES, i)
        if public.market[0].avoidance > ZERO:
            avoided = public.market[0].avoidance * scandal_disutility(person, public, j, AWARE, i)
            v -= select(last == j, ZERO, avoided)
        v += bonds.shock[j, i]
        considered = bonds.considered[j, i] == 1
        better = considered & (v > highest_free)
        frictionless, highest_free = select(better, np.int32(j), frictionless), select(better, v, highest_free)
        v -= select(last == j, ZERO, cost)
        better = considered & (v > highest)
        best, highest = select(better, np.int32(j), best), select(better, v, highest)
    return best, frictionless


@inlined
def switching_cost(firms, last):
    """Cost of leaving the firm used last, in logit (#27)."""
    cost = ZERO
    for j in range(firms.shape[0]):
        if firms[j].switching_cost > ZERO:
            cost = select(last == j, firms[j].switching_cost, cost)
    return cost


@inlined
def systematic_utility(person, bonds, public, j, i):
    """Systematic utility of firm j without state dependence and scandals: V of the model, term by term (c1)."""
    market, traits, firm = public.market[0], public.traits[0], public.firms[j]
    known = bonds.familiarity[j, i]
    v = bonds.taste[j, i] + firm.availability
    v += traits.cx_weight * gain_loss(bonds.memory[j, i] - person.expectation[i], traits.loss_aversion)
    v -= firm.effort
    v += (firm.ease + firm.association) * known
    if firm.points > ZERO:
        v += firm.points * points_held(bonds, firm, j, i)
    cost = traits.price_weight * (firm.price - ONE) + traits.deal_weight * firm.deal
    if market.loyalty_penalty > ZERO and market.provider:
        settled = (person.last[i] == j) & (to_float(person.tenure[i]) >= WEEKS_A_YEAR)
        cost += traits.price_weight * select(settled, market.loyalty_penalty, ZERO)
    promotion = traits.feature_weight * firm.feature + traits.display_weight * firm.display
    if market.own_price_weights:
        v -= person.price_factor[i] * cost - promotion
    else:
        v -= cost - promotion
    v += traits.trust_weight * (bonds.trust[j, i] - market.trust_start)
    v -= traits.regret_weight * bonds.regret[j, i]
    v += select(person.anchor[i] == j, traits.anchor_pull * person.anchor_height[i], ZERO)
    v -= select(known == ZERO, traits.uncertainty, ZERO)
    v -= select(person.last[i] == j, ZERO, market.switching_cost_deterrence * firm.switching_cost)
    return v


@inlined
def points_held(bonds, firm, j, i):
    """How far on the way to the next reward of firm j a person is, 0 to 1: by uses in the window so far.

    The pull grows toward the reward and starts anew after it (Kivetz, Urminsky & Zheng 2006); what was collected is
    lost at the end of the window (Lewis 2004), and only those who collect have a cost of switching (Hartmann & Viard
    2008).
    """
    earned = to_float(bonds.count[j, i] & np.int32(USED)) / firm.points_uses
    return earned - floor(earned)


@inlined
def state_dependence(person, bonds, public, j, i):
    """State dependence and habit (#29, #30); `drift` lets them grow or wane over the years (#14)."""
    traits = public.traits[0]
    v = select(person.last[i] == j, traits.state_dependence, ZERO) + traits.habit_weight * bonds.habit[j, i]
    if public.week > 0 and traits.drift != ZERO:
        v *= exp(traits.drift * np.float32(public.week) / WEEKS_A_YEAR)
    return v


@inlined
def scandal_disutility(person, public, j, flag, i):
    """Utility that scandals take from firm j where `flag` is set: severity x care x attribution x salience (c6).

    Where care is negative a scandal speaks for the firm; own harm counts against it all the same.
    """
    total = ZERO
    for k in range(public.scandals.shape[0]):
        scandal = public.scandals[k]
        weight = public.care[scandal.kind] * public.attribution[k, j] * public.salience[k]
        if weight != ZERO:
            harm = scandal.harm_severity if weight > ZERO else -scandal.harm_severity
            loss = select(has_flag(person, k, HARMED, i), scandal.severity + harm, scandal.severity)
            loss = select(has_flag(person, k, flag, i), loss * weight, ZERO)
            total += select(has_flag(person, k, BUYCOTTS, i), -loss if weight > ZERO else loss, loss)
    return total


@inlined
def incident_disutility(person, bonds, public, j, i):
    """Utility that a critical incident takes from its firm in an answer: in part the firm is taken to be like it (#69).

    What is said follows the last visit, what is done follows memory: the gap between intention and action.
    """
    market, traits = public.market[0], public.traits[0]
    gap = bonds.memory[j, i] - person.expectation[i]
    worse = gap + market.delight_threshold
    felt = gap - market.incident_recall * worse
    loss = traits.cx_weight * (gain_loss(gap, traits.loss_aversion) - gain_loss(felt, traits.loss_aversion))
    fresh = (person.target[i] == INCIDENT) & (person.last[i] == j) & (worse > ZERO)
    return select(fresh, loss, ZERO)


@inlined
def gain_loss(x, loss_aversion):
    """A difference from what was expected: a loss weighs more than a gain (#47, #70)."""
    return select(x > ZERO, x, loss_aversion * x)


@inlined
def answer_survey(person, bonds, public, i):
    """The survey answer: a deliberate choice without switching cost or inertia, with every scandal heard of in mind.

    A bad last visit is in mind too.
    """
    own, best = LOWEST_UTILITY, LOWEST_UTILITY
    for j in range(public.firms.shape[0]):
        v = systematic_utility(person, bonds, public, j, i) - scandal_disutility(person, public, j, AWARE, i)
        if public.firms[j].closed > ZERO:
            v = select(v == v, LOWEST_UTILITY, LOWEST_UTILITY)
        if public.market[0].incident_recall > ZERO:
            v -= incident_disutility(person, bonds, public, j, i)
        mine = person.last[i] == j
        own = select(mine, v, own)
        best = select(mine | (v <= best), best, v)
    person.better[i] = select(best > own + HALF, np.int32(2), select(best > own, ONCE, NOTHING))
