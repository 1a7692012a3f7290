"""How a consumer lives a week: hear, need, attend, consider, choose, experience, learn, tell.

The whole behaviour of the model, one person at a time; compiled over everybody by `engine`, called one by one by the
Mesa agents, and the same as plain Python. Within a week a person touches only `me` and their `bonds`, one to each
firm, and reads what the world published before it: `m` the category, `c` the traits of their cell, `firms` the levers
of the week. Index i is the person, j a firm, k a scandal. Utilities are in logit units, experience in CX units, time
in weeks; `key` is (seed, replication).
"""

import numpy as np

from sim.draws import (
    HALF,
    ONE,
    TWO,
    ZERO,
    Purpose,
    exp,
    exp2,
    gumbel,
    inlined,
    log,
    log_gamma,
    normal,
    poisson,
    rule,
    uniform,
    words,
)
from sim.tally import Event, record_use

_f = np.float32
LOWEST, YEAR = _f(-3e38), _f(52)
RESTS = 8  # rounds in which a newborn's chances and past settle
FINE, MINOR, MAJOR, COMPLAINED = 0, 1, 3, 1  # outcomes of a visit; a complaint adds one


@inlined
def live(people, world, tally, key, i, g, week):
    """One week of consumer i of group g; weeks below 0 are burn-in, counted in row t = 0 of the tally and dropped."""
    t = week + 1 if week >= 0 else 0
    me, bonds = people.one[i], people.bonds[i]
    m, c, firms = world.market[0], world.traits[me.cell], world.firms[t]
    events = tally.event[g, t, me.cell]
    me.message = 0
    provoked = False
    if world.scandals.shape[0] > 0:
        counted = tally.news[g, t, me.cell]
        provoked = hear(me, bonds, m, c, world.scandals, world.blame, world.airing[t], key, week, counted)
    occasion, survey = words(key, Purpose.NEED, me.number, week, 0)
    uses, asked = need(m, me.rate, occasion), uniform(survey) < m.survey
    if uses > 0 or asked:
        forget(me, bonds, m, week)
    if asked:
        answer(me, bonds, m, c, firms, world.scandals, world.blame, world.echo[t], events)
    for use in range(uses):
        last = me.last
        joined, looked, kept = decide(
            me, bonds, m, c, firms, world.scandals, world.blame, world.echo[t], key, week, use, provoked, events
        )
        record_use(me, bonds, tally, g, t, m.window, last, joined)
        me.tenure = me.tenure + 1 if joined == last else 1
        me.last = joined
        x, harm = experience(me, m, firms[joined], world.details[t, joined], key, week, use, events[joined])
        peak = learn(me, bonds, m, c, joined, looked, x, harm)
        if kept:
            resent(me, bonds, m, c, firms, last, key, week, use, events)
        else:
            tell(me, m, c, joined, peak, key, week, use, events)


# ---------------------------------------------------------------- hear


@rule
def hear(me, bonds, m, c, scandals, blame, airing, key, week, counted):
    """Learn of scandals from the broadcast, from neighbours or one's own skin; true if one at my firm provokes me."""
    provoked = False
    me.fresh = 0
    for k in range(scandals.shape[0]):
        scandal = scandals[k]
        if (me.heard >> k) & 1 == 0 and week >= scandal.week:
            told = (me.news >> k) & 1 == 1
            harmed = False
            if week == scandal.week and me.last == scandal.firm:
                harmed = uniform(words(key, Purpose.HARM, me.number, 0, k)[0]) < scandal.hit
            chance = airing[k] * c.exposure
            if told or harmed or uniform(words(key, Purpose.HEAR, me.number, week, k)[0]) < chance:
                provoked = react(me, bonds, m, c, scandal, blame[k], key, k, harmed, counted[k]) or provoked
    return provoked


@rule
def react(me, bonds, m, c, scandal, blame, key, k, harmed, counted):
    """On hearing of scandal k: trust falls, and some act on it, a few by buying more; true if it is about my firm.

    Once per person and scandal it is drawn whether the intention to leave becomes action (#35-41, #48).
    """
    bit = np.uint32(1 << k)
    me.heard |= bit
    me.fresh |= bit
    act, back = words(key, Purpose.ACT, me.number, 0, k)
    acts = uniform(act) < c.action * scandal.action
    backs = acts and uniform(back) < scandal.buycott
    if harmed:
        me.harmed |= bit
    if acts:
        me.acts |= bit
    if backs:
        me.backs |= bit
    for j in range(bonds.shape[0]):
        fall = m.trust_scandal * scandal.severity * care(c, scandal.kind) * blame[j]
        bonds[j].trust = revise(bonds[j].trust, -fall, m.confirm)
    counted[0] += 1
    counted[1] += acts
    counted[2] += backs
    return acts and not backs and me.last >= 0 and blame[me.last] > ZERO


@rule
def care(c, kind):
    """How much one cares for a kind of scandal: conscience, data or service."""
    return c.care_ethics if kind == 0 else (c.care_privacy if kind == 1 else c.care_service)


# ---------------------------------------------------------------- need


@rule
def need(m, rate, word):
    """How many uses this week: Poisson at the person's rate (#1), or one of a provider."""
    return 1 if m.provider else poisson(rate, word)


@rule
def forget(me, bonds, m, week):
    """Regret and anchor fade with the weeks since the last use."""
    weeks = _f(week - me.seen)
    me.seen = week
    me.anchor_height *= exp2(-weeks / m.anchor_half_life)
    fade = exp2(-weeks / m.regret_half_life)
    for j in range(bonds.shape[0]):
        bonds[j].regret *= fade


# ---------------------------------------------------------------- attend, consider, choose


@rule
def decide(me, bonds, m, c, firms, scandals, blame, echo, key, week, use, provoked, events):
    """Which firm is used: the last one again, or a deliberate choice, carried out with a delay (#24).

    Returns the firm, the set of firms looked at (a bit each), and whether only friction kept me.
    """
    last, target = me.last, me.target
    goes = uniform(words(key, Purpose.EXECUTE, me.number, week, use)[0]) < m.execution
    if target >= 0:
        if goes:
            me.target = -1
        return (target if goes else last), np.int64(1) << last, False
    if not attend(me, bonds, m, c, firms, key, week, use, provoked):
        return last, np.int64(1) << last, False
    first, looked = consider(me, bonds, m, c, firms, key, week, use)
    best, kept = choose(me, bonds, m, c, firms, scandals, blame, echo, key, week, use, looked)
    events[first, Event.FIRST_LOOK] += 1
    events[best, Event.DELIBERATED] += 1
    if best != last and last >= 0 and not goes:
        me.target = best
        best = last
    return best, looked, kept


@rule
def attend(me, bonds, m, c, firms, key, week, use, provoked):
    """Deliberate, or use the last firm again? Habit numbs attention; events wake it (#16-22, #29)."""
    if me.last < 0 or provoked:
        return True
    chance = me.attention * (ONE - c.automaticity * bonds[me.last].habit)
    turn, notice = words(key, Purpose.ATTEND, me.number, week, use)
    ends = m.contract_weeks > 0 and me.tenure > 0 and me.tenure % m.contract_weeks == 0
    event = ends or firms[me.last].price_moved > ZERO
    return uniform(turn) < chance or (event and uniform(notice) < m.event_attention)


@rule
def consider(me, bonds, m, c, firms, key, week, use):
    """The firms looked at: the anchor or the last first, then by what comes to mind (#32, #33, #76).

    Returns the first firm and the set, a bit for each firm.
    """
    extra, start = words(key, Purpose.LOOK, me.number, week, use)
    few = np.int64(c.looks)
    number = few + 1 if uniform(extra) < c.looks - _f(few) else few
    first = np.int64(me.last)
    if me.anchor >= 0 and uniform(start) * m.moment_size < m.anchor_start * me.anchor_height:
        first = np.int64(me.anchor)
    if first < 0:
        first = recall(me, bonds, m, firms, key, week, use, np.int64(0))
    if number >= bonds.shape[0]:
        return first, (np.int64(1) << bonds.shape[0]) - 1
    looked = np.int64(1) << first
    for _ in range(number - 1):
        looked |= np.int64(1) << recall(me, bonds, m, firms, key, week, use, looked)
    return first, looked


@rule
def recall(me, bonds, m, firms, key, week, use, looked):
    """The firm not yet looked at that comes to mind: availability, own taste, association, own habit, chance."""
    best, strongest = 0, LOWEST
    for j in range(bonds.shape[0]):
        if (looked >> j) & 1 == 0:
            strength = m.recall_taste * bonds[j].taste + firms[j].availability
            strength += firms[j].association + m.recall_habit * bonds[j].habit
            strength += gumbel(word_of(key, Purpose.RECALL, me.number, week, use, j))
            if strength > strongest:
                best, strongest = j, strength
    return best


@rule
def choose(me, bonds, m, c, firms, scandals, blame, echo, key, week, use, looked):
    """The highest utility among the firms looked at; and whether only the friction of leaving kept me."""
    last = me.last
    best, free, highest, freest = 0, 0, LOWEST, LOWEST
    friction = firms[last].exit_friction if last >= 0 else ZERO
    for j in range(bonds.shape[0]):
        if (looked >> j) & 1 == 1:
            v = appeal(me, bonds[j], m, c, firms[j], j) + inertia(me, bonds[j], c, week, j)
            v -= pressure(me, c, scandals, blame, echo, j, me.acts)
            v += gumbel(word_of(key, Purpose.CHOOSE, me.number, week, use, j))
            if v > freest:
                free, freest = j, v
            v -= friction if j != last else ZERO
            if v > highest:
                best, highest = j, v
    return best, best == last and free != last


@rule
def word_of(key, purpose, number, week, use, j):
    """Firm j's own random word at a use: two firms share a block, no firm moves another's."""
    even, odd = words(key, purpose, number, week, (use << 8) | (j >> 1))
    return odd if j & 1 else even


@rule
def appeal(me, bond, m, c, f, j):
    """What firm j is worth to me, inertia and scandals aside: V of the model, term by term."""
    v = bond.taste + f.availability
    v += c.cx_weight * kink(bond.memory - me.expectation, c.loss_aversion)
    v -= f.effort
    v += (f.ease + f.association) * bond.familiarity
    v -= c.price_weight * (f.price - ONE)
    v += c.trust_weight * (bond.trust - m.trust_start)
    v -= c.regret_weight * bond.regret
    v += c.anchor_pull * me.anchor_height if j == me.anchor else ZERO
    v -= c.uncertainty if bond.familiarity == ZERO else ZERO
    v -= m.friction_deterrence * f.exit_friction if j != me.last else ZERO
    return v


@rule
def inertia(me, bond, c, week, j):
    """State dependence and habit (#29, #30); `drift` lets them grow or wane over the years (#14)."""
    v = c.state_dependence if j == me.last else ZERO
    v += c.habit_weight * bond.habit
    return v * exp(c.drift * _f(week) / YEAR) if week > 0 and c.drift != ZERO else v


@rule
def pressure(me, c, scandals, blame, echo, j, moved):
    """What the scandals in the set `moved` take from firm j: attention and reputation, two speeds (#58, #59)."""
    total = ZERO
    if moved == 0:
        return total
    for k in range(scandals.shape[0]):
        if (moved >> k) & 1 == 1:
            loss = scandals[k].severity + (scandals[k].hit_severity if (me.harmed >> k) & 1 == 1 else ZERO)
            loss *= care(c, scandals[k].kind) * blame[k, j] * echo[k]
            total += -loss if (me.backs >> k) & 1 == 1 else loss
    return total


@rule
def kink(x, loss_aversion):
    """A loss weighs more than a gain (#47, #70)."""
    return x if x > ZERO else loss_aversion * x


@rule
def answer(me, bonds, m, c, firms, scandals, blame, echo, events):
    """The survey: what deliberate, frictionless choice with full memory of every scandal heard of would say."""
    if me.last < 0:
        return
    own, best = LOWEST, LOWEST
    for j in range(bonds.shape[0]):
        v = appeal(me, bonds[j], m, c, firms[j], j) - pressure(me, c, scandals, blame, echo, j, me.heard)
        if j == me.last:
            own = v
        elif v > best:
            best = v
    events[me.last, Event.ASKED] += 1
    events[me.last, Event.WOULD_LEAVE] += best > own
    events[me.last, Event.BETTER] += best > own + HALF


# ---------------------------------------------------------------- experience


@rule
def experience(me, m, f, details, key, week, use, events):
    """What a firm delivers: quality, noise, a moment perhaps, and at most one failing detail and its repair (#66, #67).

    Returns the experience and the harm left unrepaired, both in CX. Satisfaction after a solved complaint may exceed
    what was delivered; it is counted, and nothing else follows from it.
    """
    noise, moment = words(key, Purpose.VISIT, me.number, week, use)
    x = f.quality + f.consistency_sd * normal(noise)
    x += m.moment_peak if uniform(moment) < f.moments else ZERO
    where, how = words(key, Purpose.FAIL, me.number, week, use)
    harm, repaired, outcome, delight = failure(details, uniform(where)), ZERO, FINE, ZERO
    if harm > ZERO:
        major = uniform(how) < m.major_share
        harm *= m.major_factor if major else ONE
        outcome = MAJOR if major else MINOR
        speaks = uniform(words(key, Purpose.COMPLAIN, me.number, week, use)[0])
        if speaks < (m.complain_major if major else m.complain_minor):
            outcome += COMPLAINED
            repaired, delight = harm * f.repair, m.paradox * f.repair
            events[Event.COMPLAINED] += 1
        events[Event.FAILED] += 1
    x += repaired - harm
    events[Event.SATISFIED] += x + delight >= me.expectation
    me.outcome = outcome
    return x, harm - repaired


@rule
def failure(details, u):
    """Harm of the touchpoint that fails, 0 when none does: one draw decides over all of them."""
    harm = ZERO
    for p in range(details.shape[0] - 1, -1, -1):
        if u < details[p].failing:
            harm = details[p].severity
    return harm


# ---------------------------------------------------------------- learn


@rule
def learn(me, bonds, m, c, j, looked, x, harm):
    """Memory, anchor, expectation, trust, regret, familiarity and habit after a visit; returns x - expectation."""
    bond, expected = bonds[j], me.expectation
    peak = x - expected
    missed = forgone(me, bonds, j, looked) - x
    if missed > ZERO and harm > ZERO:
        bond.regret += harm if harm < missed else missed
    felt = set_anchor(me, j, peak, m.moment_size, c.anchor_pull)
    bond.memory += m.memory_rate * (felt + expected - bond.memory)
    me.expectation += m.expectation_rate * peak
    bond.trust = revise(bond.trust, -c.trust_down if harm > ZERO else c.trust_up, m.confirm)
    bond.familiarity += m.familiarity_rate * (ONE - bond.familiarity)
    for k in range(bonds.shape[0]):
        bonds[k].habit += c.habit_rate * ((ONE if k == j else ZERO) - bonds[k].habit)
    return peak


@rule
def forgone(me, bonds, j, looked):
    """The best experience forgone: the best remembered among firms looked at and known, or what was expected (#72)."""
    best = me.expectation
    for k in range(bonds.shape[0]):
        known = k != j and (looked >> k) & 1 == 1 and bonds[k].familiarity > ZERO
        if known and bonds[k].memory > best:
            best = bonds[k].memory
    return best


@rule
def set_anchor(me, j, peak, moment_size, pull):
    """A peak makes an anchor, the strongest stands; a visit below expectation wears it off (#74-77).

    Returns the peak as felt: at the anchor firm a fall is felt from the anchor, so it hurts more.
    """
    felt = peak
    if peak > moment_size and peak > me.anchor_height and pull > ZERO:
        me.anchor = j
        me.anchor_height = peak
    elif me.anchor == j and peak < ZERO:
        felt = peak - pull * me.anchor_height
        worn = me.anchor_height + peak
        me.anchor_height = worn if worn > ZERO else ZERO
    if me.anchor_height == ZERO:
        me.anchor = -1
    return felt


@rule
def revise(trust, step, confirm):
    """Trust moves by `step`, less for the already convinced (#46), and stays between 0 and 1."""
    sure = TWO * trust - ONE
    moved = trust + step * (ONE - confirm * (sure if sure > ZERO else -sure))
    return ZERO if moved < ZERO else (ONE if moved > ONE else moved)


# ---------------------------------------------------------------- tell


@rule
def tell(me, m, c, j, peak, key, week, use, events):
    """A peak or a trough makes a message that neighbours may hear next week (#60)."""
    if peak > m.moment_size:
        say(me, j, True, m.word_good * c.voice, key, week, use, events)
    elif -peak > m.moment_size:
        say(me, j, False, m.word_bad * c.voice, key, week, use, events)


@rule
def resent(me, bonds, m, c, firms, j, key, week, use, events):
    """One whom friction kept: beyond mild friction goodwill is lost, and told (#27, #73)."""
    events[j, Event.KEPT] += 1
    excess = firms[j].exit_friction - m.friction_mild
    if excess > ZERO:
        bonds[j].memory -= m.friction_backlash * excess
        say(me, j, False, m.word_bad * c.voice, key, week, use, events)


@rule
def say(me, j, good, chance, key, week, use, events):
    """Perhaps leave the week's message, +-(j + 1)."""
    if uniform(words(key, Purpose.TELL, me.number, week, use)[0]) < chance:
        me.message = j + 1 if good else -(j + 1)
        events[j, Event.GOOD_WORD if good else Event.BAD_WORD] += 1


@rule
def listen(bond, good, m):
    """A neighbour's message moves memory of a firm, less the more it was used oneself (#62)."""
    told = m.moment_size if good else -m.moment_size
    bond.memory += m.word_weight * (ONE - bond.familiarity) * (told - bond.memory)


# ---------------------------------------------------------------- who one is


@rule
def born(people, world, key, i):
    """Who person i is, drawn once: cell, rate, attention, tastes, and the past their tastes imply.

    Log-gamma tastes, ln Gamma(S x presence), make a logit over tastes alone choose with Dirichlet(S x presence)
    chances: with all else off the market is the NBD-Dirichlet.
    """
    me, bonds, m = people.one[i], people.bonds[i], world.market[0]
    u, s = uniform(words(key, Purpose.CELL, me.number, 0, 0)[0]), 0
    while s < world.cells.shape[0] - 1 and u >= world.cells[s]:
        s += 1
    c = world.traits[s]
    me.cell = s
    me.rate = c.rate * exp(log_gamma(m.rate_shape, key, Purpose.RATE, me.number, 0)) / m.rate_shape
    me.attention = beta(c.attention, m.attention_concentration, key, Purpose.ATTENTION, me.number)
    me.last = me.target = me.anchor = -1
    me.seen = -m.burn_in
    fastest = LOWEST
    for j in range(bonds.shape[0]):
        bonds[j].taste = taste(m, world.presence[j], key, me.number, j)
    rest(me, bonds, m, c, world.firms[0], world.details[0])
    for j in range(bonds.shape[0]):
        chance = bonds[j].regret  # where `rest` left it
        bonds[j].regret = ZERO
        knows, draw = words(key, Purpose.PAST, me.number, 0, j)
        if uniform(knows) < exp(-m.experience * chance):
            forgotten(bonds[j], m)
        elif log(chance) + gumbel(draw) > fastest:
            fastest, me.last = log(chance) + gumbel(draw), j
    me.home = me.last


@rule
def rest(me, bonds, m, c, firms, details):
    """Bring a person to rest: the chances of choice, the past that follows from them, the chances that follow from it.

    The mean field of one's own history after `experience` uses. Nobody regrets yet: `regret` carries the chances.
    """
    for j in range(bonds.shape[0]):
        bonds[j].regret = ZERO
    for step in range(RESTS):
        total, strongest = ZERO, LOWEST
        for j in range(bonds.shape[0]):
            chance, bonds[j].regret = bonds[j].regret, ZERO
            v = bonds[j].taste
            if step > 0:
                v = appeal(me, bonds[j], m, c, firms[j], j) + inertia(me, bonds[j], c, 0, j)
                v += c.state_dependence * chance - c.uncertainty * exp(-m.experience * chance)
            bonds[j].regret = v
            strongest = v if v > strongest else strongest
        for j in range(bonds.shape[0]):
            bonds[j].regret = exp(bonds[j].regret - strongest)
            total += bonds[j].regret
        me.expectation = ZERO
        for j in range(bonds.shape[0]):
            bonds[j].regret /= total
            remember(me, bonds[j], m, c, firms[j], details[j], bonds[j].regret)


@rule
def remember(me, bond, m, c, f, details, chance):
    """The past with a firm, expected of one who chose it with this chance at each of `experience` uses."""
    uses = m.experience * chance
    failing = details[details.shape[0] - 1].failing
    step = (c.trust_up * (ONE - failing) - c.trust_down * failing) * (ONE - HALF * m.confirm)
    bond.trust = revise(m.trust_start, uses * step, ZERO)
    bond.habit = chance * (ONE - exp2(m.experience * log2_left(c.habit_rate)))
    bond.familiarity = ONE - exp2(uses * log2_left(m.familiarity_rate))
    bond.memory = f.quality
    me.expectation += chance * f.quality


@rule
def forgotten(bond, m):
    """A firm never used: nothing is known of it."""
    bond.trust = m.trust_start
    bond.familiarity = bond.memory = ZERO


@rule
def log2_left(rate):
    """log2(1 - rate), at most 126 halvings."""
    left = ONE - rate
    return log(left) / log(TWO) if left > _f(1e-38) else _f(-126)


@rule
def taste(m, presence, key, who, j):
    """Person number `who`'s taste for firm j, drawn once."""
    if m.taste_law == 0:
        return log(presence)
    if m.taste_law == 1:
        return log_gamma(m.taste_concentration * presence, key, Purpose.TASTE, who, j)
    return log(presence) + m.taste_sd * normal(words(key, Purpose.TASTE, who, 0, j)[0])


@rule
def beta(mean, concentration, key, purpose, who):
    """A beta variate of this mean: heterogeneous attention (#18); 0 and 1 are certain."""
    if mean <= ZERO or mean >= ONE:
        return mean
    a = log_gamma(mean * concentration, key, purpose, who, 0)
    b = log_gamma((ONE - mean) * concentration, key, purpose, who, 1)
    return ONE / (ONE + exp(b - a))
