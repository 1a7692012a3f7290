"""How a consumer lives a week: hear, need, attend, consider, choose, experience, learn, tell.

The whole behavior of the model. It is written for one person and lived by sixteen at once, by the agents of Mesa one
by one, on a GPU one a thread, and in plain Python, always with the same bits: `select` gives each their own, `if` asks
what is the same for all or whether it concerns anyone. Within a week a person touches only what lies on their desk:
`person` and `bonds`, one to each firm; and reads what the world published before it: `market` the category, `traits` the traits of
their cell, `firms` the levers of the week. i is the person (or sixteen), j a firm, k a scandal. Utilities are in logit
units, experience in CX units, time in weeks; `key` is (seed, replication).
"""

import numpy as np

from sim.compute.bits import add_i32, bit, floor, to_float, with_bit
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
    inlined,
    normal,
    poisson,
    random_bits,
    uniform,
)
from sim.compute.simd import any_lane, logical_not, select
from sim.measure.tally import tenure_bin
from sim.model.state import AWARE, BUYCOTTS, CHANGED, HARMED, LONGEST, SWITCHES, has_flag, pick, set_flag

_f, _i = np.float32, np.int32
LOWEST, YEAR = _f(-3e38), _f(52)
NOBODY, NOTHING, ONCE = _i(-1), _i(0), _i(1)
FINE, MINOR, MAJOR, COMPLAINED = _i(0), _i(1), _i(3), _i(1)  # outcomes of a visit; a complaint adds one


# ---------------------------------------------------------------- hear


@inlined
def hear(person, bonds, market, traits, scandals, attribution, news_exposure, key, week, i):
    """Learn of scandals from the broadcast, from neighbors or one's own skin; some are provoked to reconsider."""
    person.provoked[i] = person.just_heard[i] = person.acting[i] = person.backing[i] = NOTHING
    for k in range(scandals.shape[0]):
        scandal = scandals[k]
        if week >= scandal.week:
            learns = bit(person.news[i], k)
            harmed = logical_not(learns) & learns
            if week == scandal.week and scandal.harmed_share > ZERO:
                skin = uniform(random_bits(key, Purpose.HARM, person.number[i], FIRST, k)[0])
                harmed = (person.last[i] == scandal.firm) & (skin < scandal.harmed_share)
            if news_exposure[k] > ZERO:
                news = uniform(random_bits(key, Purpose.HEAR, person.number[i], week, k)[0])
                learns |= news < news_exposure[k] * traits.exposure
            learns = (learns | harmed) & logical_not(has_flag(person, k, AWARE, i))
            if any_lane(learns):
                react(person, bonds, market, traits, scandal, attribution[k], key, k, learns, harmed, i)


@inlined
def react(person, bonds, market, traits, scandal, attribution, key, k, learns, harmed, i):
    """On hearing of scandal k: trust falls, and some act on it, a few by buying more.

    Once per person and scandal it is drawn whether the intention to leave becomes action (#35-41, #48).
    """
    act, back = random_bits(key, Purpose.ACT, person.number[i], FIRST, k)
    acts = learns & (uniform(act) < traits.action * scandal.action)
    backs = acts & (uniform(back) < scandal.buycott)
    set_flag(person, k, AWARE, learns, i)
    set_flag(person, k, SWITCHES, acts, i)
    set_flag(person, k, BUYCOTTS, backs, i)
    set_flag(person, k, HARMED, learns & harmed, i)
    person.just_heard[i] = select(learns, with_bit(person.just_heard[i], k), person.just_heard[i])
    person.acting[i] = select(acts, with_bit(person.acting[i], k), person.acting[i])
    person.backing[i] = select(backs, with_bit(person.backing[i], k), person.backing[i])
    for j in range(bonds.trust.shape[0]):
        if attribution[j] > ZERO:
            fall = market.trust_scandal * scandal.severity * care(traits, scandal.kind) * attribution[j]
            bonds.trust[j, i] = select(
                learns, revise(bonds.trust[j, i], -fall, market.confirmation_bias), bonds.trust[j, i]
            )
            mine = acts & logical_not(backs) & (person.last[i] == j)
            person.provoked[i] = select(mine, ONCE, person.provoked[i])


@inlined
def care(traits, kind):
    """How much one cares for a kind of scandal: conscience, data or service."""
    return traits.care_ethics if kind == 0 else (traits.care_privacy if kind == 1 else traits.care_service)


# ---------------------------------------------------------------- need


@inlined
def need(market, rate, key, number, week):
    """How many uses this week, Poisson at the person's rate (#1) or one of a provider; and whether one is surveyed."""
    occasion, survey = random_bits(key, Purpose.NEED, number, week, FIRST)
    asked = uniform(survey) < market.survey
    if market.provider:
        return select(asked, ONCE, ONCE), asked
    return poisson(rate, occasion), asked


@inlined
def decay(person, bonds, market, week, i):
    """Regret and anchor fade with the weeks since the last use."""
    weeks = to_float(add_i32(_i(week), -person.seen[i]))
    person.seen[i] = week
    person.anchor_height[i] *= exp2(-weeks / market.anchor_half_life)
    fade = exp2(-weeks / market.regret_half_life)
    for j in range(bonds.regret.shape[0]):
        bonds.regret[j, i] *= fade


# ---------------------------------------------------------------- a use: attend, consider, choose


@inlined
def visit(person, bonds, market, traits, firms, failures, scandals, attribution, salience, key, week, use, i):
    """One use of the category, from attention to what is told of it."""
    if use == 0:
        decay(person, bonds, market, week, i)
        person.message[i] = NOTHING
    decide(person, bonds, market, traits, firms, scandals, attribution, salience, key, week, use, i)
    record_use(person, bonds, week, i)
    x, harm = experience(person, market, firms, failures, key, week, use, i)
    peak = learn(person, bonds, market, traits, x, harm, i)
    tell(person, bonds, market, traits, firms, peak, key, week, use, i)


@inlined
def decide(person, bonds, market, traits, firms, scandals, attribution, salience, key, week, use, i):
    """Which firm is used: the last one again, or a deliberate choice, carried out with a delay (#24)."""
    last, target = person.last[i], person.target[i]
    waiting = target >= 0
    goes = last == last
    if market.exit_rate < ONE:
        goes = uniform(random_bits(key, Purpose.EXECUTE, person.number[i], week, use)[0]) < market.exit_rate
    leaves = waiting & goes
    joined = select(leaves, target, last)
    target = select(leaves, NOBODY, target)
    for j in range(bonds.considered.shape[0]):
        bonds.considered[j, i] = select(last == j, ONCE, NOTHING)
    person.first_look[i] = person.chosen[i] = NOBODY
    person.captive[i] = NOTHING
    wakes = attend(person, bonds, market, traits, firms, key, week, use, i) & logical_not(waiting)
    if any_lane(wakes):
        first = consider(person, bonds, market, traits, firms, wakes, key, week, use, i)
        best, frictionless = choose(
            person, bonds, market, traits, firms, scandals, attribution, salience, key, week, use, i
        )
        later = (best != last) & (last >= 0) & logical_not(goes)
        target = select(wakes & later, best, target)
        joined = select(wakes, select(later, last, best), joined)
        person.first_look[i] = select(wakes, first, NOBODY)
        person.chosen[i] = select(wakes, best, NOBODY)
        person.captive[i] = select(wakes & (best == last) & (frictionless != last), ONCE, NOTHING)
    person.target[i] = target
    person.left[i] = last
    person.joined[i] = joined


@inlined
def attend(person, bonds, market, traits, firms, key, week, use, i):
    """Deliberate, or use the last firm again? Habit numbs attention; events wake it (#16-22, #29)."""
    last = person.last[i]
    wakes = (last < 0) | (person.provoked[i] != 0)
    chance = person.attention[i] * (ONE - traits.automaticity * pick(bonds.habit, last, i))
    event = logical_not(last == last)
    if market.contract_weeks > 0:
        served, term = to_float(person.tenure[i]), _f(market.contract_weeks)
        known = (person.tenure[i] > 0) & (person.tenure[i] < LONGEST)  # at LONGEST uses are no longer told apart
        event = known & (floor(served / term) * term == served)
    for j in range(firms.shape[0]):
        if firms[j].price_moved > ZERO:
            event |= last == j
    if any_lane(logical_not(wakes | (chance >= ONE))):
        turn, notice = random_bits(key, Purpose.ATTEND, person.number[i], week, use)
        return wakes | (uniform(turn) < chance) | (event & (uniform(notice) < market.event_attention))
    return wakes | (chance >= ONE)


@inlined
def consider(person, bonds, market, traits, firms, wakes, key, week, use, i):
    """Look: at the anchor or the last firm first, then by what comes to mind (#32, #33, #76). Returns the first."""
    many, few = bonds.considered.shape[0], np.int64(traits.consideration_size)
    first = person.last[i]
    extra, start = random_bits(key, Purpose.LOOK, person.number[i], week, use)
    anchored = (person.anchor[i] >= 0) & (
        uniform(start) * market.delight_threshold < market.anchor_start * person.anchor_height[i]
    )
    first = select(anchored, person.anchor[i], first)
    number = select(uniform(extra) < traits.consideration_size - _f(few), _i(few + 1), _i(few))
    lost = wakes & (first < 0)
    if few < many or any_lane(lost):
        recall(person, bonds, market, firms, key, week, use, i)
    if any_lane(lost):
        first = select(lost, most_salient(bonds, logical_not(lost), i), first)
    for j in range(many):
        bonds.considered[j, i] = select(wakes & ((first == j) | (number >= many)), ONCE, bonds.considered[j, i])
    for looks in range(1, min(many, few + 1)):
        another = wakes & (number > looks) & (number < many)
        if any_lane(another):
            next_one = most_salient(bonds, logical_not(another), i)
            for j in range(many):
                bonds.considered[j, i] = select(another & (next_one == j), ONCE, bonds.considered[j, i])
    return first


@inlined
def recall(person, bonds, market, firms, key, week, use, i):
    """How strongly each firm comes to mind: availability, own taste, association, own habit, chance."""
    draw_gumbels(bonds.recall_strength, person.number[i], key, Purpose.RECALL, week, use, i)
    for j in range(firms.shape[0]):
        recall_strength = market.recall_taste * bonds.taste[j, i] + firms[j].availability
        recall_strength += firms[j].association + market.recall_habit * bonds.habit[j, i]
        bonds.recall_strength[j, i] += recall_strength


@inlined
def most_salient(bonds, anew, i):
    """The firm not yet looked at that comes to mind first; for those who look `anew` whatever they looked at."""
    best, most = NOTHING, LOWEST
    for j in range(bonds.considered.shape[0]):
        recall_strength = bonds.recall_strength[j, i]
        stronger = (recall_strength > most) & (anew | (bonds.considered[j, i] == 0))
        best, most = select(stronger, _i(j), best), select(stronger, recall_strength, most)
    return best


@inlined
def draw_gumbels(row, number, key, purpose, week, use, i):
    """Each firm's own shock at a use: two firms share a block of words, no firm moves another's."""
    for pair in range(row.shape[0] // 2):
        even, odd = random_bits(key, purpose, number, week, (use << 8) | pair)
        row[2 * pair, i] = gumbel(even)
        row[2 * pair + 1, i] = gumbel(odd)


@inlined
def choose(person, bonds, market, traits, firms, scandals, attribution, salience, key, week, use, i):
    """The highest utility among the firms looked at; and what it would be but for the friction of leaving."""
    last = person.last[i]
    draw_gumbels(bonds.shock, person.number[i], key, Purpose.CHOOSE, week, use, i)
    cost = switching_cost(firms, last)
    best, frictionless, highest, freest = NOTHING, NOTHING, LOWEST, LOWEST
    for j in range(firms.shape[0]):
        v = systematic_utility(person, bonds, market, traits, firms[j], j, i) + state_dependence(
            person, bonds, traits, week, j, i
        )
        v -= scandal_disutility(person, traits, scandals, attribution, salience, j, SWITCHES, i)
        v += bonds.shock[j, i]
        seen = bonds.considered[j, i] == 1
        freer = seen & (v > freest)
        frictionless, freest = select(freer, _i(j), frictionless), select(freer, v, freest)
        v -= select(last == j, ZERO, cost)
        better = seen & (v > highest)
        best, highest = select(better, _i(j), best), select(better, v, highest)
    return best, frictionless


@inlined
def switching_cost(firms, last):
    """The trouble of leaving the firm used last."""
    cost = ZERO
    for j in range(firms.shape[0]):
        if firms[j].switching_cost > ZERO:
            cost = select(last == j, firms[j].switching_cost, cost)
    return cost


@inlined
def systematic_utility(person, bonds, market, traits, firm, j, i):
    """What firm j is worth to me, inertia and scandals aside: V of the model, term by term."""
    known = bonds.familiarity[j, i]
    v = bonds.taste[j, i] + firm.availability
    v += traits.cx_weight * gain_loss(bonds.memory[j, i] - person.expectation[i], traits.loss_aversion)
    v -= firm.effort
    v += (firm.ease + firm.association) * known
    v -= traits.price_weight * (firm.price - ONE)
    v += traits.trust_weight * (bonds.trust[j, i] - market.trust_start)
    v -= traits.regret_weight * bonds.regret[j, i]
    v += select(person.anchor[i] == j, traits.anchor_pull * person.anchor_height[i], ZERO)
    v -= select(known == ZERO, traits.uncertainty, ZERO)
    v -= select(person.last[i] == j, ZERO, market.switching_cost_deterrence * firm.switching_cost)
    return v


@inlined
def state_dependence(person, bonds, traits, week, j, i):
    """State dependence and habit (#29, #30); `drift` lets them grow or wane over the years (#14)."""
    v = select(person.last[i] == j, traits.state_dependence, ZERO) + traits.habit_weight * bonds.habit[j, i]
    if week > 0 and traits.drift != ZERO:
        v *= exp(traits.drift * _f(week) / YEAR)
    return v


@inlined
def scandal_disutility(person, traits, scandals, attribution, salience, j, whom, i):
    """What scandals take from firm j: attention and reputation, two speeds (#58, #59); of those who act, or HEARD."""
    total = ZERO
    for k in range(scandals.shape[0]):
        weight = care(traits, scandals[k].kind) * attribution[k, j] * salience[k]
        if weight > ZERO:
            loss = select(
                has_flag(person, k, HARMED, i), scandals[k].severity + scandals[k].harm_severity, scandals[k].severity
            )
            loss = select(has_flag(person, k, whom, i), loss * weight, ZERO)
            total += select(has_flag(person, k, BUYCOTTS, i), -loss, loss)
    return total


@inlined
def gain_loss(x, loss_aversion):
    """A loss weighs more than a gain (#47, #70)."""
    return select(x > ZERO, x, loss_aversion * x)


@inlined
def answer_survey(person, bonds, market, traits, firms, scandals, attribution, salience, i):
    """The survey: what deliberate, frictionless choice with full memory of every scandal heard of would say."""
    own, best = LOWEST, LOWEST
    for j in range(firms.shape[0]):
        v = systematic_utility(person, bonds, market, traits, firms[j], j, i) - scandal_disutility(
            person, traits, scandals, attribution, salience, j, AWARE, i
        )
        mine = person.last[i] == j
        own = select(mine, v, own)
        best = select(mine | (v <= best), best, v)
    person.better[i] = select(best > own + HALF, _i(2), select(best > own, ONCE, NOTHING))


# ---------------------------------------------------------------- experience


@inlined
def record_use(person, bonds, week, i):
    """The use itself: it is counted, and whoever comes from another firm starts anew with this one."""
    left, joined = person.left[i], person.joined[i]
    person.past[i] = person.outcome[i]
    person.stage[i] = tenure_bin(person.tenure[i])
    again, served = left == joined, person.tenure[i]
    served = select(served < LONGEST, add_i32(served, ONCE), served)
    person.tenure[i] = select(again, served, ONCE)
    uses = add_i32(person.uses[i], ONCE)
    moved = logical_not(again) & (left >= 0)
    if week >= 0:
        uses = select(moved, uses | _i(CHANGED), uses)
    person.uses[i] = uses
    person.last[i] = joined
    for j in range(bonds.count.shape[0]):
        bonds.count[j, i] = add_i32(bonds.count[j, i], select(joined == j, ONCE, NOTHING))


@inlined
def experience(person, market, firms, failures, key, week, use, i):
    """What a firm delivers: quality, noise, a moment perhaps, and at most one failing detail and its repair (#66, #67).

    Returns the experience and the harm left unrepaired, both in CX. Satisfaction after a solved complaint may exceed
    what was delivered; it is counted, and nothing else follows from it.
    """
    j = person.joined[i]
    quality, noisy, moments, repair = firms[0].quality, firms[0].consistency_sd, firms[0].delight_rate, firms[0].repair
    for k in range(1, firms.shape[0]):
        here = j == k
        quality = select(here, firms[k].quality, quality)
        noisy = select(here, firms[k].consistency_sd, noisy)
        moments = select(here, firms[k].delight_rate, moments)
        repair = select(here, firms[k].repair, repair)
    noise, moment = random_bits(key, Purpose.VISIT, person.number[i], week, use)
    x = quality + noisy * normal(noise)
    x += select(uniform(moment) < moments, market.delight_peak, ZERO)
    delight, left, person.outcome[i] = ZERO, ZERO, FINE
    if can_fail(failures):
        where, how = random_bits(key, Purpose.FAIL, person.number[i], week, use)
        harm = failure(failures, j, uniform(where))
        failed = harm > ZERO
        if any_lane(failed):
            major = uniform(how) < market.major_share
            harm *= select(major, market.major_factor, ONE)
            speaks = uniform(random_bits(key, Purpose.COMPLAIN, person.number[i], week, use)[0])
            complains = failed & (speaks < select(major, market.complain_major, market.complain_minor))
            repaired = select(complains, harm * repair, ZERO)
            delight = select(complains, market.recovery_paradox * repair, ZERO)
            outcome = add_i32(select(major, MAJOR, MINOR), select(complains, COMPLAINED, NOTHING))
            person.outcome[i] = select(failed, outcome, FINE)
            left = harm - repaired
            x -= left
    person.satisfied[i] = select(x + delight >= person.expectation[i], ONCE, NOTHING)
    return x, left


@inlined
def can_fail(failures):
    """Does any firm have a detail that may fail?"""
    fails = False
    for k in range(failures.shape[0]):
        fails |= failures[k, failures.shape[1] - 1].failing > ZERO
    return fails


@inlined
def failure(failures, j, u):
    """Harm of the touchpoint that fails, 0 when none does: one draw decides over all of them."""
    harm = ZERO
    for k in range(failures.shape[0]):
        for p in range(failures.shape[1] - 1, -1, -1):
            harm = select((j == k) & (u < failures[k, p].failing), failures[k, p].severity, harm)
    return harm


# ---------------------------------------------------------------- learn


@inlined
def learn(person, bonds, market, traits, x, harm, i):
    """Memory, anchor, expectation, trust, regret, familiarity and habit after a visit; returns x - expectation."""
    j, expected = person.joined[i], person.expectation[i]
    peak = x - expected
    sorry, hurt = ZERO, harm > ZERO
    if any_lane(hurt):
        missed = forgone(person, bonds, j, i) - x
        sorry = select(hurt & (missed > ZERO), select(harm < missed, harm, missed), ZERO)
    felt = set_anchor(person, j, peak, market.delight_threshold, traits.anchor_pull, i)
    evidence = select(hurt, -traits.trust_down, traits.trust_up)
    person.expectation[i] = expected + market.expectation_rate * peak
    for k in range(bonds.habit.shape[0]):
        here = j == k
        memory, trust, known = bonds.memory[k, i], bonds.trust[k, i], bonds.familiarity[k, i]
        bonds.regret[k, i] += select(here, sorry, ZERO)
        bonds.memory[k, i] = select(here, memory + market.memory_rate * (felt + expected - memory), memory)
        bonds.trust[k, i] = select(here, revise(trust, evidence, market.confirmation_bias), trust)
        bonds.familiarity[k, i] = select(here, known + market.familiarity_rate * (ONE - known), known)
        bonds.habit[k, i] += traits.habit_rate * (select(here, ONE, ZERO) - bonds.habit[k, i])
    return peak


@inlined
def forgone(person, bonds, j, i):
    """The best experience forgone: the best remembered among firms looked at and known, or what was expected (#72)."""
    best = person.expectation[i]
    for k in range(bonds.memory.shape[0]):
        known = (j != k) & (bonds.considered[k, i] == 1) & (bonds.familiarity[k, i] > ZERO)
        best = select(known & (bonds.memory[k, i] > best), bonds.memory[k, i], best)
    return best


@inlined
def set_anchor(person, j, peak, delight_threshold, pull, i):
    """A peak makes an anchor, the strongest stands; a visit below expectation wears it off (#74-77).

    Returns the peak as felt: at the anchor firm a fall is felt from the anchor, so it hurts more.
    """
    anchor, height = person.anchor[i], person.anchor_height[i]
    strikes = (peak > delight_threshold) & (peak > height) & (pull > ZERO)
    falls = logical_not(strikes) & (anchor == j) & (peak < ZERO)
    felt = select(falls, peak - pull * height, peak)
    worn = height + peak
    worn = select(worn > ZERO, worn, ZERO)
    height = select(strikes, peak, select(falls, worn, height))
    person.anchor[i] = select(height == ZERO, NOBODY, select(strikes, j, anchor))
    person.anchor_height[i] = height
    return felt


@inlined
def revise(trust, step, confirm):
    """Trust moves by `step`, less for the already convinced (#46), and stays between 0 and 1."""
    sure = TWO * trust - ONE
    moved = trust + step * (ONE - confirm * select(sure > ZERO, sure, -sure))
    return select(moved < ZERO, ZERO, select(moved > ONE, ONE, moved))


# ---------------------------------------------------------------- tell


@inlined
def tell(person, bonds, market, traits, firms, peak, key, week, use, i):
    """A peak or a trough makes a message that neighbors may hear next week (#60).

    One whom friction kept has something else to tell: beyond mild friction goodwill is lost (#27, #73).
    """
    j, kept = person.joined[i], person.captive[i] == 1
    good = logical_not(kept) & (peak > market.delight_threshold)
    bad = logical_not(kept) & (-peak > market.delight_threshold)
    if any_lane(kept):
        excess = switching_cost(firms, person.left[i]) - market.switching_cost_tolerated
        resents = kept & (excess > ZERO)
        loss = select(resents, market.switching_cost_backlash * excess, ZERO)
        for k in range(bonds.memory.shape[0]):
            bonds.memory[k, i] -= select(person.left[i] == k, loss, ZERO)
        bad |= resents
    person.said[i] = NOTHING
    if any_lane(good | bad):
        chance = select(good, market.positive_wom, market.negative_wom) * traits.voice
        says = (good | bad) & (uniform(random_bits(key, Purpose.TELL, person.number[i], week, use)[0]) < chance)
        word = add_i32(j, ONCE)
        person.said[i] = select(says, select(good, word, -word), NOTHING)
        person.message[i] = select(says, person.said[i], person.message[i])


@inlined
def receive_wom(bond, known, good, market):
    """A neighbor's message moves memory of a firm, less the more it was used oneself (#62)."""
    heard = market.delight_threshold if good else -market.delight_threshold
    bond.memory += market.wom_weight * (ONE - known) * (heard - bond.memory)
