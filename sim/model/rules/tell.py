"""Tell: word of mouth, sent and received."""

from sim.compute.bits import add_i32
from sim.compute.jit import inlined
from sim.compute.random import ONE, ZERO, Purpose, random_bits, uniform
from sim.compute.simd import any_lane, logical_not, select
from sim.model.rules.choose import switching_cost
from sim.model.state import NOTHING, ONCE


@inlined
def tell(person, bonds, public, peak, use, i):
    """A peak or a trough may make a message that neighbors receive next week (#60).

    A captive person has another message: beyond a tolerated switching cost memory of the firm suffers (#27, #73).
    """
    market = public.market[0]
    j, captive = person.joined[i], person.captive[i] == 1
    good = logical_not(captive) & (peak > market.delight_threshold)
    bad = logical_not(captive) & (-peak > market.delight_threshold)
    if any_lane(captive):
        excess = switching_cost(public.firms, person.left[i]) - market.switching_cost_tolerated
        resents = captive & (excess > ZERO)
        loss = select(resents, market.switching_cost_backlash * excess, ZERO)
        for k in range(bonds.memory.shape[0]):
            bonds.memory[k, i] -= select(person.left[i] == k, loss, ZERO)
        bad |= resents
    person.said[i] = NOTHING
    if any_lane(good | bad):
        chance = select(good, market.positive_wom, market.negative_wom) * public.traits[0].voice
        draw = random_bits(public.key, Purpose.TELL, person.number[i], public.week, use)[0]
        says = (good | bad) & (uniform(draw) < chance)
        word = add_i32(j, ONCE)
        person.said[i] = select(says, select(good, word, -word), NOTHING)
        person.message[i] = select(says, person.said[i], person.message[i])


@inlined
def receive_wom(bond, known, good, market):
    """A neighbor's message moves memory of a firm, the less the better one knows it oneself (#62).

    What is only told has no loss aversion (#46): with `wom_negative` at 1 / loss aversion bad words move utility as
    much as good ones where a bad experience is expected, and less where a good one is.
    """
    heard = market.delight_threshold if good else -market.delight_threshold
    weight = market.wom_weight if good else market.wom_weight * market.wom_negative
    bond.memory += weight * (ONE - known) * (heard - bond.memory)
