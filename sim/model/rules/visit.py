"""Visit: one use of the category, from attention to word of mouth; and which firm it goes to."""

import numpy as np

from sim.compute.bits import add_i32
from sim.compute.jit import inlined
from sim.compute.random import ONE, ZERO, Purpose, random_bits, uniform
from sim.compute.simd import any_lane, logical_not, select
from sim.model.rules.attend import attend, exit_chance
from sim.model.rules.choose import choose, scandal_disutility
from sim.model.rules.consider import consider
from sim.model.rules.errand import at_hand, on_errand, resume
from sim.model.rules.experience import experience
from sim.model.rules.find import any_closed, any_short, is_closed, leave_out_missing, misses
from sim.model.rules.learn import learn
from sim.model.rules.need import decay
from sim.model.rules.tell import tell
from sim.model.state import CHANGED, INCIDENT, LONGEST, NOBODY, NOTHING, ONCE, SWITCHES


@inlined
def visit(person, bonds, public, use, i):
    """One use of the category: attend, consider, choose, experience, learn, tell."""
    if use == 0:
        decay(person, bonds, public.market[0], public.week, i)
        person.message[i] = NOTHING
    errand = decide(person, bonds, public, use, i)
    if any_pause(public.firms):
        plan_return(person, public, use, i)
    record_use(person, bonds, public.week, i)
    x, harm = experience(person, public, use, i)
    peak = learn(person, bonds, public, x, harm, i)
    if public.market[0].incident_attention + public.market[0].incident_recall > ZERO:
        note_incident(person, public.market[0], peak, i)
    tell(person, bonds, public, peak, use, i)
    if public.market[0].errands > ZERO:
        resume(person, errand, i)


@inlined
def decide(person, bonds, public, use, i):
    """Which firm is used: the last one again, or a deliberate choice, carried out later (#24), early on sooner.

    Who has, or was about to join, a firm that has left the market chooses anew. Returns whether it is an errand.
    """
    market, last, target = public.market[0], person.last[i], person.target[i]
    waiting, goes = target >= 0, last == last
    if market.exit_rate < ONE:
        draw = random_bits(public.key, Purpose.EXECUTE, person.number[i], public.week, use)[0]
        goes = uniform(draw) < exit_chance(person, market, i)
    anew = logical_not(last == last)
    if any_closed(public.firms):
        late, over = is_closed(public.firms, target), is_closed(public.firms, last)
        target = select(late, NOBODY, target)
        waiting &= logical_not(late)
        goes |= over
        anew = (late | over) & logical_not(waiting)
    leaves = waiting & goes
    joined = select(leaves, target, last)
    target = select(leaves, NOBODY, target)
    for j in range(bonds.considered.shape[0]):
        bonds.considered[j, i] = select(last == j, ONCE, NOTHING)
    person.first_look[i], person.chosen[i], person.captive[i] = NOBODY, NOBODY, NOTHING
    wakes = attend(person, bonds, public, use, i) | anew
    if any_short(public.firms):
        wakes |= misses(public, person.number[i], last, use)
    errand = logical_not(last == last)
    if market.errands > ZERO:
        errand = on_errand(public, person.number[i], use)
    wakes = (wakes | errand) & logical_not(waiting)
    if any_lane(wakes):
        first, best, frictionless = deliberate(person, bonds, public, wakes, errand, use, i)
        later = (best != last) & (last >= 0) & logical_not(goes)
        target = select(wakes & later, best, target)
        joined = select(wakes, select(later, last, best), joined)
        person.first_look[i] = select(wakes, first, NOBODY)
        person.chosen[i] = select(wakes, best, NOBODY)
        person.captive[i] = select(wakes & (best == last) & (frictionless != last), ONCE, NOTHING)
    person.target[i], person.left[i], person.joined[i] = target, last, joined
    return errand


@inlined
def deliberate(person, bonds, public, wakes, errand, use, i):
    """The firm considered first, the one chosen, and which it would be without switching cost."""
    first = consider(person, bonds, public, wakes, use, i)
    if any_short(public.firms):
        leave_out_missing(person, bonds, public, wakes, use, i)
    best, frictionless = choose(person, bonds, public, use, i)
    if public.market[0].errands > ZERO:
        best = select(errand, at_hand(person, bonds, public, use, i), best)
        frictionless = select(errand, best, frictionless)
    return first, best, frictionless


@inlined
def any_pause(firms):
    """Whether some come to any firm for a while only."""
    found = False
    for j in range(firms.shape[0]):
        found |= firms[j].pause > ZERO
    return found


@inlined
def plan_return(person, public, use, i):
    """Some of those who change firm do so for a while: they mean to be back, as soon as they get round to it (#24).

    Nobody means to be back with a firm that has left the market, or whose scandal sent them away.
    """
    left, joined = person.left[i], person.joined[i]
    chance = resents = person.attention[i] * ZERO
    for j in range(public.firms.shape[0]):
        chance = select(joined == j, public.firms[j].pause, chance)
        resents = select(left == j, scandal_disutility(person, public, j, SWITCHES, i), resents)
    draw = random_bits(public.key, Purpose.EXECUTE, person.number[i], public.week, use)[1]
    returns = (joined != left) & (left >= 0) & (person.target[i] < 0) & (uniform(draw) < chance)
    returns &= logical_not((resents > ZERO) | is_closed(public.firms, left))
    person.target[i] = select(returns, left, person.target[i])


@inlined
def record_use(person, bonds, week, i):
    """Record the use: it counts, and after a change of firm tenure starts anew."""
    left, joined = person.left[i], person.joined[i]
    person.past[i] = person.outcome[i]
    again, served = left == joined, person.tenure[i]
    person.served[i] = served
    longer = select(served < LONGEST, add_i32(served, ONCE), served)
    person.tenure[i] = select(again, longer, ONCE)
    uses = add_i32(person.uses[i], ONCE)
    moved = logical_not(again) & (left >= 0)
    if week >= 0:
        uses = select(moved, uses | np.int32(CHANGED), uses)
    person.uses[i] = uses
    person.last[i] = joined
    for j in range(bonds.count.shape[0]):
        bonds.count[j, i] = add_i32(bonds.count[j, i], select(joined == j, ONCE, NOTHING))


@inlined
def note_incident(person, market, peak, i):
    """A visit far below expectation is a critical incident: it stays in mind until the next use (#69).

    It wakes attention then (`attend`), and weighs in what is said meanwhile (`answer_survey`).
    """
    target = person.target[i]
    fresh = select(-peak > market.delight_threshold, INCIDENT, NOBODY)
    person.target[i] = select(target >= 0, target, fresh)
