"""Experience: what the firm delivers at a visit, and what goes wrong."""

from sim.compute.bits import add_i32
from sim.compute.jit import inlined
from sim.compute.random import ONE, ZERO, Purpose, normal, random_bits, uniform
from sim.compute.simd import any_lane, select
from sim.model.fields import Firm, Market
from sim.model.state import COMPLAINED, FINE, MAJOR, MINOR, NOTHING, ONCE


@inlined
def experience(person, public, use, i):
    """What a firm delivers: quality, noise, perhaps delight, and at most one failing touchpoint and its repair (#66).

    Returns the experience and the harm left unrepaired, both in CX. Satisfaction after a solved complaint may exceed
    what was delivered (#67); it is counted, and nothing else follows from it.
    """
    market, firms, failures = public.market[0], public.firms, public.failures
    j = person.joined[i]
    quality, spread = firms[0].quality, firms[0].consistency_sd
    delights, repairs = firms[0].delight_rate, firms[0].repair
    for k in range(1, firms.shape[0]):
        here = j == k
        quality = select(here, firms[k].quality, quality)
        spread = select(here, firms[k].consistency_sd, spread)
        delights = select(here, firms[k].delight_rate, delights)
        repairs = select(here, firms[k].repair, repairs)
    noise, moment = random_bits(public.key, Purpose.VISIT, person.number[i], public.week, use)
    x = quality + spread * normal(noise)
    x += select(uniform(moment) < delights, market.delight_peak, ZERO)
    delight, left, person.outcome[i] = ZERO, ZERO, FINE
    if can_fail(failures):
        where, how = random_bits(public.key, Purpose.FAIL, person.number[i], public.week, use)
        harm = failure_harm(failures, j, uniform(where))
        failed = harm > ZERO
        if any_lane(failed):
            major = uniform(how) < market.major_share
            harm *= select(major, market.major_factor, ONE)
            speaks = uniform(random_bits(public.key, Purpose.COMPLAIN, person.number[i], public.week, use)[0])
            complains = failed & (speaks < select(major, market.complain_major, market.complain_minor))
            repaired = select(complains, harm * repairs, ZERO)
            delight = select(complains, market.recovery_paradox * repairs, ZERO)
            outcome = add_i32(select(major, MAJOR, MINOR), select(complains, COMPLAINED, NOTHING))
            person.outcome[i] = select(failed, outcome, FINE)
            left = harm - repaired
            x -= left
    person.satisfied[i] = select(x + delight >= person.expectation[i], ONCE, NOTHING)
    return x, left


@inlined
def can_fail(failures):
    """Whether any firm has a touchpoint that may fail."""
    fails = False
    for k in range(failures.shape[0]):
        fails |= failures[k, failures.shape[1] - 1].failing > ZERO
    return fails


@inlined
def failure_harm(failures, j, u):
    """Harm of the touchpoint that fails, 0 when none does: one draw `u` decides over all of them (#63)."""
    harm = ZERO
    for k in range(failures.shape[0]):
        for p in range(failures.shape[1] - 1, -1, -1):
            harm = select((j == k) & (u < failures[k, p].failing), failures[k, p].severity, harm)
    return harm


def repair(firm: Firm, market: Market) -> float:
    """Share of the harm that a solved complaint repairs: adequacy, halved with every half-life of delay (#66).

    >>> repair(Firm(recovery_adequacy=0.6, recovery_days=5), Market(repair_half_life=5))
    0.3
    """
    return float(firm.recovery_adequacy * 2 ** (-firm.recovery_days / market.repair_half_life))
