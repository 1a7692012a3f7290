"""Hear: learning of a scandal, and acting on it."""

from sim.compute.bits import bit, with_bit
from sim.compute.jit import inlined
from sim.compute.random import FIRST, ONE, ZERO, Purpose, exp, random_bits, uniform
from sim.compute.simd import any_lane, logical_not, select
from sim.model.rules.learn import revise
from sim.model.state import AWARE, BUYCOTTS, HARMED, NOBODY, NOTHING, ONCE, SWITCHES, has_flag, set_flag


@inlined
def hear(person, bonds, public, i):
    """Learn of scandals from the news, from neighbors or by being harmed; some people then reconsider their firm."""
    person.provoked[i] = person.just_heard[i] = person.acting[i] = person.backing[i] = NOTHING
    for k in range(public.scandals.shape[0]):
        scandal = public.scandals[k]
        if public.week >= scandal.week:
            learns = bit(person.news[i], k)
            harmed = logical_not(learns) & learns
            if public.week == scandal.week and scandal.harmed_share > ZERO:
                own = uniform(random_bits(public.key, Purpose.HARM, person.number[i], FIRST, k)[0])
                harmed = (person.last[i] == scandal.firm) & (own < scandal.harmed_share)
            if public.news_exposure[k] > ZERO:
                news = uniform(random_bits(public.key, Purpose.HEAR, person.number[i], public.week, k)[0])
                learns |= news < public.news_exposure[k] * public.traits[0].exposure
            learns = (learns | harmed) & logical_not(has_flag(person, k, AWARE, i))
            if any_lane(learns):
                react(person, bonds, public, k, learns, harmed, i)


@inlined
def react(person, bonds, public, k, learns, harmed, i):
    """On hearing of scandal k trust falls, and some people act: most turn away, some buy more (a buycott).

    Whether the intention to leave becomes action is drawn once per person and scandal (#35-41, #48), with a higher
    chance where the harm is one's own (#37, #38). Where care is negative those who act buy more (#52).
    """
    market, scandal = public.market[0], public.scandals[k]
    act, back = random_bits(public.key, Purpose.ACT, person.number[i], FIRST, k)
    chance = public.traits[0].action * scandal.action
    if scandal.harm_action != ONE:
        chance = select(harmed, chance * scandal.harm_action, chance)
    acts = learns & (uniform(act) < chance)
    buycott = scandal.buycott if public.care[scandal.kind] >= ZERO else ONE
    backs = acts & (uniform(back) < buycott)
    set_flag(person, k, AWARE, learns, i)
    set_flag(person, k, SWITCHES, acts, i)
    set_flag(person, k, BUYCOTTS, backs, i)
    set_flag(person, k, HARMED, learns & harmed, i)
    person.just_heard[i] = select(learns, with_bit(person.just_heard[i], k), person.just_heard[i])
    person.acting[i] = select(acts, with_bit(person.acting[i], k), person.acting[i])
    person.backing[i] = select(backs, with_bit(person.backing[i], k), person.backing[i])
    for j in range(bonds.trust.shape[0]):
        if public.attribution[k, j] > ZERO:
            fall = market.trust_scandal * scandal.severity * public.care[scandal.kind] * public.attribution[k, j]
            trust = bonds.trust[j, i]
            bonds.trust[j, i] = select(learns, revise(trust, -fall, market.confirmation_bias), trust)
            mine = acts & logical_not(backs) & (person.last[i] == j)
            person.provoked[i] = select(mine, ONCE, person.provoked[i])
    if market.avoidance > ZERO:
        think_again(person, public, k, learns, uniform(act), i)


@inlined
def think_again(person, public, k, learns, draw, i):
    """Of those who are about to join a firm, some decide anew on hearing bad news of it: as many as avoid it now.

    Whoever preferred a firm does so still, after a loss of utility, with a chance of at least exp(-loss).
    """
    weight = public.market[0].avoidance * public.scandals[k].severity * public.care[public.scandals[k].kind]
    for j in range(public.attribution.shape[1]):
        loss = weight * public.attribution[k, j] * public.salience[k]
        if loss > ZERO:
            deterred = learns & (person.target[i] == j) & (draw < ONE - exp(-loss))
            person.target[i] = select(deterred, NOBODY, person.target[i])
            person.provoked[i] = select(deterred, ONCE, person.provoked[i])
