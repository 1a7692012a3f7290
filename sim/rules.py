"""How a consumer lives a week: hear, need, attend, consider, choose, experience, learn, tell.

The whole behaviour of the model. It is written for one person and lived by sixteen at once, by the agents of Mesa one
by one, on a GPU one a thread, and in plain Python, always with the same bits: `select` gives each their own, `if` asks
what is the same for all or whether it concerns anyone. Within a week a person touches only what lies on their desk:
`me` and `bonds`, one to each firm; and reads what the world published before it: `m` the category, `c` the traits of
their cell, `firms` the levers of the week. i is the person (or sixteen), j a firm, k a scandal. Utilities are in logit
units, experience in CX units, time in weeks; `key` is (seed, replication).
"""

import numpy as np

from sim.bits import bit, floor, iadd, to_float, with_bit
from sim.draws import FIRST, HALF, ONE, TWO, ZERO, Purpose, exp, exp2, gumbel, normal, poisson, rule, uniform, words
from sim.lanes import anyone, no, select
from sim.person import ACTS, BACKS, CHANGED, HARMED, HEARD, LONGEST, pick, tell_story, told
from sim.tally import tenure_bin

_f, _i = np.float32, np.int32
LOWEST, YEAR = _f(-3e38), _f(52)
NOBODY, NOTHING, ONCE = _i(-1), _i(0), _i(1)
FINE, MINOR, MAJOR, COMPLAINED = _i(0), _i(1), _i(3), _i(1)  # outcomes of a visit; a complaint adds one


# ---------------------------------------------------------------- hear


@rule
def hear(me, bonds, m, c, scandals, blame, airing, key, week, i):
    """Learn of scandals from the broadcast, from neighbours or one's own skin; some are provoked to reconsider."""
    me.provoked[i] = me.fresh[i] = me.acting[i] = me.backing[i] = NOTHING
    for k in range(scandals.shape[0]):
        scandal = scandals[k]
        if week >= scandal.week:
            learns = bit(me.news[i], k)
            harmed = no(learns) & learns
            if week == scandal.week and scandal.hit > ZERO:
                skin = uniform(words(key, Purpose.HARM, me.number[i], FIRST, k)[0])
                harmed = (me.last[i] == scandal.firm) & (skin < scandal.hit)
            if airing[k] > ZERO:
                news = uniform(words(key, Purpose.HEAR, me.number[i], week, k)[0])
                learns |= news < airing[k] * c.exposure
            learns = (learns | harmed) & no(told(me, k, HEARD, i))
            if anyone(learns):
                react(me, bonds, m, c, scandal, blame[k], key, k, learns, harmed, i)


@rule
def react(me, bonds, m, c, scandal, blame, key, k, learns, harmed, i):
    """On hearing of scandal k: trust falls, and some act on it, a few by buying more.

    Once per person and scandal it is drawn whether the intention to leave becomes action (#35-41, #48).
    """
    act, back = words(key, Purpose.ACT, me.number[i], FIRST, k)
    acts = learns & (uniform(act) < c.action * scandal.action)
    backs = acts & (uniform(back) < scandal.buycott)
    tell_story(me, k, HEARD, learns, i)
    tell_story(me, k, ACTS, acts, i)
    tell_story(me, k, BACKS, backs, i)
    tell_story(me, k, HARMED, learns & harmed, i)
    me.fresh[i] = select(learns, with_bit(me.fresh[i], k), me.fresh[i])
    me.acting[i] = select(acts, with_bit(me.acting[i], k), me.acting[i])
    me.backing[i] = select(backs, with_bit(me.backing[i], k), me.backing[i])
    for j in range(bonds.trust.shape[0]):
        if blame[j] > ZERO:
            fall = m.trust_scandal * scandal.severity * care(c, scandal.kind) * blame[j]
            bonds.trust[j, i] = select(learns, revise(bonds.trust[j, i], -fall, m.confirm), bonds.trust[j, i])
            mine = acts & no(backs) & (me.last[i] == j)
            me.provoked[i] = select(mine, ONCE, me.provoked[i])


@rule
def care(c, kind):
    """How much one cares for a kind of scandal: conscience, data or service."""
    return c.care_ethics if kind == 0 else (c.care_privacy if kind == 1 else c.care_service)


# ---------------------------------------------------------------- need


@rule
def need(m, rate, key, number, week):
    """How many uses this week, Poisson at the person's rate (#1) or one of a provider; and whether one is surveyed."""
    occasion, survey = words(key, Purpose.NEED, number, week, FIRST)
    asked = uniform(survey) < m.survey
    if m.provider:
        return select(asked, ONCE, ONCE), asked
    return poisson(rate, occasion), asked


@rule
def forget(me, bonds, m, week, i):
    """Regret and anchor fade with the weeks since the last use."""
    weeks = to_float(iadd(_i(week), -me.seen[i]))
    me.seen[i] = week
    me.anchor_height[i] *= exp2(-weeks / m.anchor_half_life)
    fade = exp2(-weeks / m.regret_half_life)
    for j in range(bonds.regret.shape[0]):
        bonds.regret[j, i] *= fade


# ---------------------------------------------------------------- a use: attend, consider, choose


@rule
def visit(me, bonds, m, c, firms, details, scandals, blame, echo, key, week, use, i):
    """One use of the category, from attention to what is told of it."""
    if use == 0:
        forget(me, bonds, m, week, i)
        me.message[i] = NOTHING
    decide(me, bonds, m, c, firms, scandals, blame, echo, key, week, use, i)
    settle_in(me, bonds, week, i)
    x, harm = experience(me, m, firms, details, key, week, use, i)
    peak = learn(me, bonds, m, c, x, harm, i)
    tell(me, bonds, m, c, firms, peak, key, week, use, i)


@rule
def decide(me, bonds, m, c, firms, scandals, blame, echo, key, week, use, i):
    """Which firm is used: the last one again, or a deliberate choice, carried out with a delay (#24)."""
    last, target = me.last[i], me.target[i]
    waiting = target >= 0
    goes = last == last
    if m.execution < ONE:
        goes = uniform(words(key, Purpose.EXECUTE, me.number[i], week, use)[0]) < m.execution
    leaves = waiting & goes
    joined = select(leaves, target, last)
    target = select(leaves, NOBODY, target)
    for j in range(bonds.looked.shape[0]):
        bonds.looked[j, i] = select(last == j, ONCE, NOTHING)
    me.first[i] = me.chosen[i] = NOBODY
    me.kept[i] = NOTHING
    wakes = attend(me, bonds, m, c, firms, key, week, use, i) & no(waiting)
    if anyone(wakes):
        first = consider(me, bonds, m, c, firms, wakes, key, week, use, i)
        best, free = choose(me, bonds, m, c, firms, scandals, blame, echo, key, week, use, i)
        later = (best != last) & (last >= 0) & no(goes)
        target = select(wakes & later, best, target)
        joined = select(wakes, select(later, last, best), joined)
        me.first[i] = select(wakes, first, NOBODY)
        me.chosen[i] = select(wakes, best, NOBODY)
        me.kept[i] = select(wakes & (best == last) & (free != last), ONCE, NOTHING)
    me.target[i] = target
    me.left[i] = last
    me.joined[i] = joined


@rule
def attend(me, bonds, m, c, firms, key, week, use, i):
    """Deliberate, or use the last firm again? Habit numbs attention; events wake it (#16-22, #29)."""
    last = me.last[i]
    wakes = (last < 0) | (me.provoked[i] != 0)
    chance = me.attention[i] * (ONE - c.automaticity * pick(bonds.habit, last, i))
    event = no(last == last)
    if m.contract_weeks > 0:
        served, term = to_float(me.tenure[i]), _f(m.contract_weeks)
        known = (me.tenure[i] > 0) & (me.tenure[i] < LONGEST)  # at LONGEST uses are no longer told apart
        event = known & (floor(served / term) * term == served)
    for j in range(firms.shape[0]):
        if firms[j].price_moved > ZERO:
            event |= last == j
    if anyone(no(wakes | (chance >= ONE))):
        turn, notice = words(key, Purpose.ATTEND, me.number[i], week, use)
        return wakes | (uniform(turn) < chance) | (event & (uniform(notice) < m.event_attention))
    return wakes | (chance >= ONE)


@rule
def consider(me, bonds, m, c, firms, wakes, key, week, use, i):
    """Look: at the anchor or the last firm first, then by what comes to mind (#32, #33, #76). Returns the first."""
    many, few = bonds.looked.shape[0], np.int64(c.looks)
    first = me.last[i]
    extra, start = words(key, Purpose.LOOK, me.number[i], week, use)
    anchored = (me.anchor[i] >= 0) & (uniform(start) * m.moment_size < m.anchor_start * me.anchor_height[i])
    first = select(anchored, me.anchor[i], first)
    number = select(uniform(extra) < c.looks - _f(few), _i(few + 1), _i(few))
    lost = wakes & (first < 0)
    if few < many or anyone(lost):
        come_to_mind(me, bonds, m, firms, key, week, use, i)
    if anyone(lost):
        first = select(lost, strongest(bonds, no(lost), i), first)
    for j in range(many):
        bonds.looked[j, i] = select(wakes & ((first == j) | (number >= many)), ONCE, bonds.looked[j, i])
    for looks in range(1, min(many, few + 1)):
        another = wakes & (number > looks) & (number < many)
        if anyone(another):
            next_one = strongest(bonds, no(another), i)
            for j in range(many):
                bonds.looked[j, i] = select(another & (next_one == j), ONCE, bonds.looked[j, i])
    return first


@rule
def come_to_mind(me, bonds, m, firms, key, week, use, i):
    """How strongly each firm comes to mind: availability, own taste, association, own habit, chance."""
    draw_gumbels(bonds.strength, me.number[i], key, Purpose.RECALL, week, use, i)
    for j in range(firms.shape[0]):
        strength = m.recall_taste * bonds.taste[j, i] + firms[j].availability
        strength += firms[j].association + m.recall_habit * bonds.habit[j, i]
        bonds.strength[j, i] += strength


@rule
def strongest(bonds, anew, i):
    """The firm not yet looked at that comes to mind first; for those who look `anew` whatever they looked at."""
    best, most = NOTHING, LOWEST
    for j in range(bonds.looked.shape[0]):
        strength = bonds.strength[j, i]
        stronger = (strength > most) & (anew | (bonds.looked[j, i] == 0))
        best, most = select(stronger, _i(j), best), select(stronger, strength, most)
    return best


@rule
def draw_gumbels(row, number, key, purpose, week, use, i):
    """Each firm's own shock at a use: two firms share a block of words, no firm moves another's."""
    for pair in range(row.shape[0] // 2):
        even, odd = words(key, purpose, number, week, (use << 8) | pair)
        row[2 * pair, i] = gumbel(even)
        row[2 * pair + 1, i] = gumbel(odd)


@rule
def choose(me, bonds, m, c, firms, scandals, blame, echo, key, week, use, i):
    """The highest utility among the firms looked at; and what it would be but for the friction of leaving."""
    last = me.last[i]
    draw_gumbels(bonds.shock, me.number[i], key, Purpose.CHOOSE, week, use, i)
    friction = leaving(firms, last)
    best, free, highest, freest = NOTHING, NOTHING, LOWEST, LOWEST
    for j in range(firms.shape[0]):
        v = appeal(me, bonds, m, c, firms[j], j, i) + inertia(me, bonds, c, week, j, i)
        v -= pressure(me, c, scandals, blame, echo, j, ACTS, i)
        v += bonds.shock[j, i]
        seen = bonds.looked[j, i] == 1
        freer = seen & (v > freest)
        free, freest = select(freer, _i(j), free), select(freer, v, freest)
        v -= select(last == j, ZERO, friction)
        better = seen & (v > highest)
        best, highest = select(better, _i(j), best), select(better, v, highest)
    return best, free


@rule
def leaving(firms, last):
    """The trouble of leaving the firm used last."""
    friction = ZERO
    for j in range(firms.shape[0]):
        if firms[j].exit_friction > ZERO:
            friction = select(last == j, firms[j].exit_friction, friction)
    return friction


@rule
def appeal(me, bonds, m, c, f, j, i):
    """What firm j is worth to me, inertia and scandals aside: V of the model, term by term."""
    known = bonds.familiarity[j, i]
    v = bonds.taste[j, i] + f.availability
    v += c.cx_weight * kink(bonds.memory[j, i] - me.expectation[i], c.loss_aversion)
    v -= f.effort
    v += (f.ease + f.association) * known
    v -= c.price_weight * (f.price - ONE)
    v += c.trust_weight * (bonds.trust[j, i] - m.trust_start)
    v -= c.regret_weight * bonds.regret[j, i]
    v += select(me.anchor[i] == j, c.anchor_pull * me.anchor_height[i], ZERO)
    v -= select(known == ZERO, c.uncertainty, ZERO)
    v -= select(me.last[i] == j, ZERO, m.friction_deterrence * f.exit_friction)
    return v


@rule
def inertia(me, bonds, c, week, j, i):
    """State dependence and habit (#29, #30); `drift` lets them grow or wane over the years (#14)."""
    v = select(me.last[i] == j, c.state_dependence, ZERO) + c.habit_weight * bonds.habit[j, i]
    if week > 0 and c.drift != ZERO:
        v *= exp(c.drift * _f(week) / YEAR)
    return v


@rule
def pressure(me, c, scandals, blame, echo, j, whom, i):
    """What scandals take from firm j: attention and reputation, two speeds (#58, #59); of those who act, or HEARD."""
    total = ZERO
    for k in range(scandals.shape[0]):
        weight = care(c, scandals[k].kind) * blame[k, j] * echo[k]
        if weight > ZERO:
            loss = select(told(me, k, HARMED, i), scandals[k].severity + scandals[k].hit_severity, scandals[k].severity)
            loss = select(told(me, k, whom, i), loss * weight, ZERO)
            total += select(told(me, k, BACKS, i), -loss, loss)
    return total


@rule
def kink(x, loss_aversion):
    """A loss weighs more than a gain (#47, #70)."""
    return select(x > ZERO, x, loss_aversion * x)


@rule
def answer(me, bonds, m, c, firms, scandals, blame, echo, i):
    """The survey: what deliberate, frictionless choice with full memory of every scandal heard of would say."""
    own, best = LOWEST, LOWEST
    for j in range(firms.shape[0]):
        v = appeal(me, bonds, m, c, firms[j], j, i) - pressure(me, c, scandals, blame, echo, j, HEARD, i)
        mine = me.last[i] == j
        own = select(mine, v, own)
        best = select(mine | (v <= best), best, v)
    me.better[i] = select(best > own + HALF, _i(2), select(best > own, ONCE, NOTHING))


# ---------------------------------------------------------------- experience


@rule
def settle_in(me, bonds, week, i):
    """The use itself: it is counted, and whoever comes from another firm starts anew with this one."""
    left, joined = me.left[i], me.joined[i]
    me.past[i] = me.outcome[i]
    me.stage[i] = tenure_bin(me.tenure[i])
    again, served = left == joined, me.tenure[i]
    served = select(served < LONGEST, iadd(served, ONCE), served)
    me.tenure[i] = select(again, served, ONCE)
    uses = iadd(me.uses[i], ONCE)
    moved = no(again) & (left >= 0)
    if week >= 0:
        uses = select(moved, uses | _i(CHANGED), uses)
    me.uses[i] = uses
    me.last[i] = joined
    for j in range(bonds.count.shape[0]):
        bonds.count[j, i] = iadd(bonds.count[j, i], select(joined == j, ONCE, NOTHING))


@rule
def experience(me, m, firms, details, key, week, use, i):
    """What a firm delivers: quality, noise, a moment perhaps, and at most one failing detail and its repair (#66, #67).

    Returns the experience and the harm left unrepaired, both in CX. Satisfaction after a solved complaint may exceed
    what was delivered; it is counted, and nothing else follows from it.
    """
    j = me.joined[i]
    quality, noisy, moments, repair = firms[0].quality, firms[0].consistency_sd, firms[0].moments, firms[0].repair
    for k in range(1, firms.shape[0]):
        here = j == k
        quality = select(here, firms[k].quality, quality)
        noisy = select(here, firms[k].consistency_sd, noisy)
        moments = select(here, firms[k].moments, moments)
        repair = select(here, firms[k].repair, repair)
    noise, moment = words(key, Purpose.VISIT, me.number[i], week, use)
    x = quality + noisy * normal(noise)
    x += select(uniform(moment) < moments, m.moment_peak, ZERO)
    delight, left, me.outcome[i] = ZERO, ZERO, FINE
    if can_fail(details):
        where, how = words(key, Purpose.FAIL, me.number[i], week, use)
        harm = failure(details, j, uniform(where))
        failed = harm > ZERO
        if anyone(failed):
            major = uniform(how) < m.major_share
            harm *= select(major, m.major_factor, ONE)
            speaks = uniform(words(key, Purpose.COMPLAIN, me.number[i], week, use)[0])
            complains = failed & (speaks < select(major, m.complain_major, m.complain_minor))
            repaired = select(complains, harm * repair, ZERO)
            delight = select(complains, m.paradox * repair, ZERO)
            outcome = iadd(select(major, MAJOR, MINOR), select(complains, COMPLAINED, NOTHING))
            me.outcome[i] = select(failed, outcome, FINE)
            left = harm - repaired
            x -= left
    me.satisfied[i] = select(x + delight >= me.expectation[i], ONCE, NOTHING)
    return x, left


@rule
def can_fail(details):
    """Does any firm have a detail that may fail?"""
    fails = False
    for k in range(details.shape[0]):
        fails |= details[k, details.shape[1] - 1].failing > ZERO
    return fails


@rule
def failure(details, j, u):
    """Harm of the touchpoint that fails, 0 when none does: one draw decides over all of them."""
    harm = ZERO
    for k in range(details.shape[0]):
        for p in range(details.shape[1] - 1, -1, -1):
            harm = select((j == k) & (u < details[k, p].failing), details[k, p].severity, harm)
    return harm


# ---------------------------------------------------------------- learn


@rule
def learn(me, bonds, m, c, x, harm, i):
    """Memory, anchor, expectation, trust, regret, familiarity and habit after a visit; returns x - expectation."""
    j, expected = me.joined[i], me.expectation[i]
    peak = x - expected
    sorry, hurt = ZERO, harm > ZERO
    if anyone(hurt):
        missed = forgone(me, bonds, j, i) - x
        sorry = select(hurt & (missed > ZERO), select(harm < missed, harm, missed), ZERO)
    felt = set_anchor(me, j, peak, m.moment_size, c.anchor_pull, i)
    evidence = select(hurt, -c.trust_down, c.trust_up)
    me.expectation[i] = expected + m.expectation_rate * peak
    for k in range(bonds.habit.shape[0]):
        here = j == k
        memory, trust, known = bonds.memory[k, i], bonds.trust[k, i], bonds.familiarity[k, i]
        bonds.regret[k, i] += select(here, sorry, ZERO)
        bonds.memory[k, i] = select(here, memory + m.memory_rate * (felt + expected - memory), memory)
        bonds.trust[k, i] = select(here, revise(trust, evidence, m.confirm), trust)
        bonds.familiarity[k, i] = select(here, known + m.familiarity_rate * (ONE - known), known)
        bonds.habit[k, i] += c.habit_rate * (select(here, ONE, ZERO) - bonds.habit[k, i])
    return peak


@rule
def forgone(me, bonds, j, i):
    """The best experience forgone: the best remembered among firms looked at and known, or what was expected (#72)."""
    best = me.expectation[i]
    for k in range(bonds.memory.shape[0]):
        known = (j != k) & (bonds.looked[k, i] == 1) & (bonds.familiarity[k, i] > ZERO)
        best = select(known & (bonds.memory[k, i] > best), bonds.memory[k, i], best)
    return best


@rule
def set_anchor(me, j, peak, moment_size, pull, i):
    """A peak makes an anchor, the strongest stands; a visit below expectation wears it off (#74-77).

    Returns the peak as felt: at the anchor firm a fall is felt from the anchor, so it hurts more.
    """
    anchor, height = me.anchor[i], me.anchor_height[i]
    strikes = (peak > moment_size) & (peak > height) & (pull > ZERO)
    falls = no(strikes) & (anchor == j) & (peak < ZERO)
    felt = select(falls, peak - pull * height, peak)
    worn = height + peak
    worn = select(worn > ZERO, worn, ZERO)
    height = select(strikes, peak, select(falls, worn, height))
    me.anchor[i] = select(height == ZERO, NOBODY, select(strikes, j, anchor))
    me.anchor_height[i] = height
    return felt


@rule
def revise(trust, step, confirm):
    """Trust moves by `step`, less for the already convinced (#46), and stays between 0 and 1."""
    sure = TWO * trust - ONE
    moved = trust + step * (ONE - confirm * select(sure > ZERO, sure, -sure))
    return select(moved < ZERO, ZERO, select(moved > ONE, ONE, moved))


# ---------------------------------------------------------------- tell


@rule
def tell(me, bonds, m, c, firms, peak, key, week, use, i):
    """A peak or a trough makes a message that neighbours may hear next week (#60).

    One whom friction kept has something else to tell: beyond mild friction goodwill is lost (#27, #73).
    """
    j, kept = me.joined[i], me.kept[i] == 1
    good = no(kept) & (peak > m.moment_size)
    bad = no(kept) & (-peak > m.moment_size)
    if anyone(kept):
        excess = leaving(firms, me.left[i]) - m.friction_mild
        resents = kept & (excess > ZERO)
        loss = select(resents, m.friction_backlash * excess, ZERO)
        for k in range(bonds.memory.shape[0]):
            bonds.memory[k, i] -= select(me.left[i] == k, loss, ZERO)
        bad |= resents
    me.said[i] = NOTHING
    if anyone(good | bad):
        chance = select(good, m.word_good, m.word_bad) * c.voice
        says = (good | bad) & (uniform(words(key, Purpose.TELL, me.number[i], week, use)[0]) < chance)
        word = iadd(j, ONCE)
        me.said[i] = select(says, select(good, word, -word), NOTHING)
        me.message[i] = select(says, me.said[i], me.message[i])


@rule
def listen(bond, known, good, m):
    """A neighbour's message moves memory of a firm, less the more it was used oneself (#62)."""
    heard = m.moment_size if good else -m.moment_size
    bond.memory += m.word_weight * (ONE - known) * (heard - bond.memory)
