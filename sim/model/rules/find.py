"""Find: what is out of stock when it is wanted, and which firms are not in the market."""

from sim.compute.jit import inlined
from sim.compute.random import ZERO, Purpose, random_bits, uniform
from sim.compute.simd import logical_not, select
from sim.model.state import NOTHING, ONCE


@inlined
def any_short(firms):
    """Whether any firm may be out of stock this week."""
    short = False
    for j in range(firms.shape[0]):
        short |= firms[j].out_of_stock > ZERO
    return short


@inlined
def any_closed(firms):
    """Whether any firm is not in the market this week: it has not entered yet, or it has left."""
    closed = False
    for j in range(firms.shape[0]):
        closed |= firms[j].closed > ZERO
    return closed


@inlined
def is_closed(firms, firm):
    """Whether a person's firm (-1 = none) is not in the market this week."""
    closed = firm != firm
    for j in range(firms.shape[0]):
        if firms[j].closed > ZERO:
            closed |= firm == j
    return closed


@inlined
def is_out(public, number, j, use):
    """Whether firm j is out of stock at this use of this person; one that is not in the market is."""
    draw = random_bits(public.key, Purpose.STOCK, number, public.week, (use << 8) | j)[0]
    return (uniform(draw) < public.firms[j].out_of_stock) | (public.firms[j].closed > ZERO)


@inlined
def misses(public, number, firm, use):
    """Whether a person's own firm is out of stock at this use."""
    out = number != number
    for j in range(public.firms.shape[0]):
        if public.firms[j].out_of_stock > ZERO:
            out |= (firm == j) & is_out(public, number, j, use)
    return out


@inlined
def leave_out_missing(person, bonds, public, wakes, use, i):
    """What is out of stock cannot be chosen: another firm considered is, or if none is left any that is in stock.

    Where nothing is in stock the choice is as ever: it is found elsewhere.
    """
    number, many = person.number[i], public.firms.shape[0]
    some, other = NOTHING, NOTHING
    for j in range(many):
        here = logical_not(is_out(public, number, j, use))
        some |= select(here & (bonds.considered[j, i] == 1), ONCE, NOTHING)
        other |= select(here, ONCE, NOTHING)
    for j in range(many):
        here, considered = select(is_out(public, number, j, use), NOTHING, ONCE), bonds.considered[j, i]
        found = select(some == 1, considered & here, select(other == 1, here, considered))
        bonds.considered[j, i] = select(wakes, found, considered)
