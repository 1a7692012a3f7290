"""The past of a provider's customers where people come and go: lived in leaps, from one occasion to decide to the next.

Whoever is there in the first week came some time ago, exponentially long where newcomers take the places of those who
leave. A customer decides seldom and learns little between: what a number of uses in a row leaves behind has a closed
form, and the rules of any week decide at the occasions. So people are born with the firm, the tenure and the knowledge
of other firms that years in this market give.
"""

import numpy as np

from sim.compute.bits import add_i32, floor, sqrt, to_float, to_int
from sim.compute.jit import inlined
from sim.compute.random import (
    FIRST,
    HALF,
    ONE,
    TWO,
    ZERO,
    Purpose,
    exp,
    exp2,
    log,
    normal,
    open_uniform,
    random_bits,
    uniform,
)
from sim.compute.simd import any_lane, logical_not, select
from sim.model.draws import log2_left
from sim.model.rules.attend import attention_by_tenure, exit_chance, readiness
from sim.model.rules.choose import choose
from sim.model.rules.consider import consider
from sim.model.rules.learn import revise
from sim.model.state import NOTHING, ONCE, pick
from sim.model.visits import ANCHORED, BLAME, DEPTH, HARM, INCIDENT, PRAISE, REGRET, SORRY, SPREAD, TELLERS

WEEKS_A_YEAR = np.float32(52)
DECISIONS, MORE_DECISIONS = np.float32(60), np.float32(90)  # in the mean; who decides more often lives less of it
FAILURES = 3  # of the past that are told apart in regret
ITERATIONS = 5  # of Newton's method, from below
LATER = 1024  # addresses of the draws of when a visit failed last
ROUNDS = 120  # occasions of the past at most
MORE_ROUNDS = 240  # where attention is more early on; addresses of draws hold no more than 255
NEVER, RARELY, NEARLY = np.float32(1e9), np.float32(1e-6), np.float32(0.9999)


@inlined
def live_past(person, bonds, public, world, i):
    """Live through the years since a person came, up to the first week of the simulation."""
    market, traits, number = public.market[0], public.traits[0], person.number[i]
    for j in range(bonds.taste.shape[0]):
        bonds.memory[j, i] = bonds.habit[j, i] = bonds.familiarity[j, i] = ZERO
        bonds.trust[j, i] = market.trust_start
    person.expectation[i] = ZERO
    came = random_bits(public.key, Purpose.ENTER, number, FIRST, FIRST)[0]
    left = floor(-log(open_uniform(came)) * WEEKS_A_YEAR / traits.turnover)
    often = person.attention[i] + market.incident_attention * world.visits[0, INCIDENT] + RARELY
    if market.contract_weeks > 0:
        often += market.event_attention / np.float32(market.contract_weeks)
    early = market.early_attention > ZERO
    most, rounds = (MORE_DECISIONS, MORE_ROUNDS) if early else (DECISIONS, ROUNDS)
    left = select(left * often > most, floor(most / often), left)
    since, n = left, np.int64(0)
    while n < rounds and any_lane(left > ZERO):
        left = live_on(person, bonds, public, world, since, left, n, i)
        n += 1
    person.home[i] = person.last[i]


@inlined
def live_on(person, bonds, public, world, came, left, n, i):
    """Use the own firm until the next occasion, and decide there; returns the weeks that are left then."""
    number, traits, new = person.number[i], public.traits[0], person.last[i] < 0
    before = attention_by_tenure(person, public.market[0], i)
    wait, looks = weeks_of_attention(before, public, number, n)
    end = weeks_to_contract(person, public, n, i)
    wait, looks = select(end < wait, end, wait), looks & (end >= wait)
    bad = weeks_to_incident(person, public, world, n, i)
    struck = (bad < wait) & logical_not(new)
    wait = select(struck, bad, wait)
    wait = select(new, ZERO, wait)
    spent = select(wait < left, wait, left)
    use_on(person, bonds, public, world, came - left, spent, 2 * n, i)
    left -= spent
    absent = uniform(random_bits(public.key, Purpose.PAST, number, FIRST, 4 * n + 3)[0])
    missed = traits.automaticity * pick(bonds.habit, person.last[i], i)
    if public.market[0].early_attention > ZERO:  # attention has fallen while one waited
        left_of_it = attention_by_tenure(person, public.market[0], i) / select(before > RARELY, before, ONE)
        missed = ONE - (ONE - missed) * left_of_it
    rote = looks & logical_not(struck | new) & (absent < missed)
    decides = (left > ZERO) & logical_not(rote)
    if any_lane(decides):
        strike(person, bonds, public, world, decides & struck, i)
        left = decide_then(person, bonds, public, world, decides, came, left, n, i)
    return left


@inlined
def weeks_of_attention(attention, public, number, n):
    """Weeks until a use that is deliberated unless habit prevents it; and that this is why one looks around.

    Where attention falls with tenure (`attention_by_tenure`) that of now is a bound: at the use as large a part of
    the occasions counts as is left of it, which makes the waiting times those of the weekly rule (thinning: Lewis &
    Shedler 1979).
    """
    wait = geometric(attention, open_uniform(draw_of(public, number, 4 * n)))
    return ONE + wait, wait == wait


@inlined
def weeks_to_contract(person, public, n, i):
    """Weeks until the end of a contract is noticed."""
    market, number = public.market[0], person.number[i]
    end = to_float(person.tenure[i]) * ZERO + NEVER
    if market.contract_weeks > 0:
        term, served = np.float32(market.contract_weeks), to_float(person.tenure[i])
        ready = readiness(person, public, i) if market.readiness > ZERO else served * ZERO + ONE
        missed = geometric(market.event_attention * ready, open_uniform(draw_of(public, number, 4 * n + 1)))
        end = term * (floor(served / term) + ONE + missed) - served
    return end


@inlined
def weeks_to_incident(person, public, world, n, i):
    """Weeks until a bad visit makes one look around."""
    market, number = public.market[0], person.number[i]
    wait = to_float(person.tenure[i]) * ZERO + NEVER
    if market.incident_attention > ZERO:
        chance = wait * ZERO
        for j in range(world.visits.shape[0]):
            chance = select(person.last[i] == j, world.visits[j, INCIDENT], chance)
        if market.readiness > ZERO:
            chance *= readiness(person, public, i)
        chance *= market.incident_attention
        wait = ONE + geometric(chance, open_uniform(draw_of(public, number, 4 * n + 2)))
    return wait


@inlined
def weeks_to_exit(person, market, u, i):
    """Weeks until a decided exit is carried out; the chance falls meanwhile where it is more early on (Newton)."""
    now = exit_chance(person, market, i)
    weeks = geometric(now, u)
    if market.early_attention > ZERO:
        last, fall = -log(ONE - market.exit_rate), log(TWO) / market.early_half_life
        more = -log(ONE - select(now > NEARLY, NEARLY, now)) - last
        weeks = weeks * ZERO
        for _ in range(ITERATIONS):
            left = exp(-fall * weeks)
            short = -log(u) - last * weeks - more / fall * (ONE - left)
            weeks += short / (last + more * left)
        weeks = floor(weeks)
    return weeks


@inlined
def draw_of(public, number, index):
    """A random word of the past."""
    return random_bits(public.key, Purpose.PAST, number, FIRST, index)[0]


@inlined
def geometric(chance, u):
    """How many times in a row what has this chance does not happen."""
    sure = select(chance > NEARLY, NEARLY, select(chance < RARELY, RARELY, chance))
    times = floor(log(u) / log(ONE - sure))
    times = select(chance > NEARLY, times * ZERO, times)
    return select(chance < RARELY, times * ZERO + NEVER, times)


@inlined
def use_on(person, bonds, public, world, lived, weeks, index, i):
    """What so many uses of the own firm in a row leave behind, and the words heard of others meanwhile."""
    market, traits, last = public.market[0], public.traits[0], person.last[i]
    remembered, expected, noise, hope = smoothed(public, person.number[i], weeks, index)
    habit, unknown = exp2(weeks * log2_left(traits.habit_rate)), exp2(weeks * log2_left(market.familiarity_rate))
    fade = exp2(-weeks / market.regret_half_life)
    aim = sorry = a_visit = fails = person.expectation[i] * ZERO
    for j in range(bonds.taste.shape[0]):
        firm, here, visits = public.firms[j], last == j, world.visits[j]
        usual, failing = firm.quality - visits[HARM], public.failures[j, public.failures.shape[1] - 1].failing
        usual += firm.delight_rate * market.delight_peak
        memory, known, trust = bonds.memory[j, i], bonds.familiarity[j, i], bonds.trust[j, i]
        told = told_of(memory, known, visits, public, person.number[i], j, lived, weeks, index)
        felt = usual - traits.anchor_pull * visits[ANCHORED]
        lived = felt + (memory - felt) * remembered + visits[SPREAD] * noise
        bonds.memory[j, i] = select(here, lived, told)
        step = traits.trust_up * (ONE - failing) - traits.trust_down * failing
        step *= ONE - HALF * market.confirmation_bias
        bonds.trust[j, i] = select(here, revise(trust, weeks * step, ZERO), trust)
        bonds.familiarity[j, i] = select(here, ONE - (ONE - known) * unknown, known)
        bonds.habit[j, i] = select(here, ONE - (ONE - bonds.habit[j, i]) * habit, bonds.habit[j, i] * habit)
        sorry = select(here, bonds.regret[j, i], sorry)
        a_visit, fails = select(here, visits[REGRET], a_visit), select(here, failing, fails)
        aim = select(here, usual, aim)
        hope = select(here, visits[SPREAD] * hope, hope)
    sorry = regret_of(sorry, a_visit, fails, weeks, public, person.number[i], index)
    for j in range(bonds.regret.shape[0]):
        bonds.regret[j, i] = select(last == j, sorry, bonds.regret[j, i] * fade)
    moved = select(last >= 0, aim + (person.expectation[i] - aim) * expected + hope, person.expectation[i])
    person.expectation[i] = select(weeks > ZERO, moved, person.expectation[i])
    person.tenure[i] = add_i32(person.tenure[i], select(last >= 0, to_int(weeks), NOTHING))


@inlined
def told_of(memory, known, visits, public, number, j, lived, weeks, index):
    """Memory of a firm after so many weeks of words about it, good and bad at random, by `receive_wom`.

    Each word moves memory a part of the way to where it points: mean and variance are those of such steps (shot noise).
    People differ by a gamma law in how much they hear, so that those who have heard little in the weeks `lived` will.
    """
    market, praise, blame, shape = public.market[0], visits[PRAISE], visits[BLAME], visits[TELLERS] + RARELY
    words, deaf = praise + blame + RARELY * RARELY, ONE - known
    tone = market.delight_threshold * (praise - blame) / words
    heard = words * deaf / shape
    left = exp(-shape * log((ONE + heard * (lived + weeks)) / (ONE + heard * lived)))
    told = tone + (memory - tone) * left
    if index % 2 == 0:  # the time to carry out a decided exit is short
        up, down, good = market.delight_threshold - tone, market.delight_threshold + tone, market.wom_weight * deaf
        bad = good * market.wom_negative
        steps = praise * (TWO - good) + blame * (TWO - bad) + RARELY * RARELY
        wide = sqrt((praise * good * up * up + blame * bad * down * down) / steps)
        z = normal(random_bits(public.key, Purpose.PAST_WORDS, number, j, index)[0])
        told += wide * sqrt(ONE - left * left) * z
    return told


@inlined
def regret_of(before, a_visit, failing, weeks, public, number, index):
    """Regret after so many uses: of the last failures, each some weeks ago, and of the rest as is to be expected."""
    market = public.market[0]
    half_life, often = market.regret_half_life, select(failing > RARELY, failing, failing * ZERO + ONE)
    usual = a_visit / often / (ONE + market.major_share * (market.major_factor - ONE))
    left, kept, regret = weeks, weeks * ZERO + ONE, weeks * ZERO
    for k in range(FAILURES):
        when, how = random_bits(public.key, Purpose.PAST, number, FIRST, LATER * (k + 1) + index)
        ago = ONE + geometric(failing, open_uniform(when))
        failed = ago <= left
        since = select(failed, ago, left)
        kept *= exp2(-since / half_life)
        size = select(uniform(how) < market.major_share, market.major_factor, ONE)
        regret += select(failed, kept * usual * size, ZERO)
        left -= since
    week, rest = exp2(-ONE / half_life), exp2(-left / half_life)
    return regret + kept * (before * rest + a_visit * week / (ONE - week) * (ONE - rest))


@inlined
def smoothed(public, number, weeks, index):
    """What is left of memory and of expectation after so many uses, and the noise of these uses in each, SD of a use.

    Memory and expectation smooth the same visits, so that their noise goes together.
    """
    fast, slow = public.market[0].memory_rate, public.market[0].expectation_rate
    one, other = random_bits(public.key, Purpose.PAST_MEMORY, number, FIRST, index)
    width = sqrt(fast / (TWO - fast))
    joint = sqrt(fast * (TWO - fast)) * slow / (fast + slow - fast * slow) if fast > ZERO else ZERO
    rest = slow / (TWO - slow) - joint * joint
    rest = sqrt(rest) if rest > ZERO else ZERO
    z, own = normal(one), normal(other)
    remembered, expected = exp2(weeks * log2_left(fast)), exp2(weeks * log2_left(slow))
    noise = width * sqrt(ONE - remembered * remembered) * z
    hope = sqrt(ONE - expected * expected) * (joint * z + rest * own)
    return remembered, expected, noise, hope


@inlined
def strike(person, bonds, public, world, struck, i):
    """A visit far below expectation, in memory, expectation and regret."""
    market, last = public.market[0], person.last[i]
    fade = exp2(-ONE / market.regret_half_life)  # to the next use, where one decides
    if any_lane(struck):
        for j in range(bonds.taste.shape[0]):
            here, peak = struck & (last == j), -world.visits[j, DEPTH]
            expected, memory = person.expectation[i], bonds.memory[j, i]
            bonds.memory[j, i] = select(here, memory + market.memory_rate * (peak + expected - memory), memory)
            person.expectation[i] = select(here, expected + market.expectation_rate * peak, expected)
            bonds.regret[j, i] += select(here, world.visits[j, SORRY] * fade, ZERO)


@inlined
def decide_then(person, bonds, public, world, decides, came, left, n, i):
    """Decide by the rules of any week; who leaves does so after the time it takes, or is about to when time is up."""
    market, last, use = public.market[0], person.last[i], n + 1
    for j in range(bonds.considered.shape[0]):
        bonds.considered[j, i] = select(last == j, ONCE, NOTHING)
    consider(person, bonds, public, decides, use, i)
    best, _ = choose(person, bonds, public, use, i)
    moves, delay = decides & (best != last), left * ZERO
    if market.exit_rate < ONE:
        draw = random_bits(public.key, Purpose.EXECUTE, person.number[i], public.week, use)[0]
        delay = weeks_to_exit(person, market, open_uniform(draw), i)
        delay = select(moves & (last >= 0), delay, ZERO)
    spent = select(delay < left, delay, left)
    use_on(person, bonds, public, world, came - left, spent, 2 * n + 1, i)
    late = moves & (delay >= left)
    joins = moves & logical_not(late)
    person.target[i] = select(late, best, person.target[i])
    person.last[i] = select(joins, best, last)
    person.tenure[i] = select(joins, NOTHING, person.tenure[i])
    return left - spent
