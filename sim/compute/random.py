"""Random draws without state: each is a pure function of (seed, replication, purpose, person, week, index).

Threefry2x32 with 20 rounds (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
Key = (seed, replication and purpose), counter = (person, week and index), so neither one more purpose nor one more
person moves another draw. The elementary functions are polynomials in float32 with explicit fused multiply-adds:
the same bits everywhere. Accuracy against float64 (held by tests): exp2 2e-7 relative, exp 2e-7 relative times |x|
where |x| is above 1, log 1.1e-7 relative, normal 1e-6 absolute (2.8e-7 relative, symmetric, monotone), gumbel 6e-7
absolute.
"""

from enum import IntEnum

import numpy as np

from sim.compute.bits import (
    add_i32,
    add_u32,
    bits_of,
    float_from_bits,
    floor,
    fma,
    rotate_u32,
    shl_i32,
    shr_i32,
    shr_u32,
    sqrt,
    to_float,
    to_int,
    xor_u32,
)
from sim.compute.jit import device_function, inlined
from sim.compute.simd import any_lane, logical_not, select


class Purpose(IntEnum):
    """What a draw decides. Append only: a number is part of the address; 23 to 30 are not in use."""

    CELL = 1
    RATE = 2
    ATTENTION = 3
    TASTE = 4
    PAST = 5
    HEAR = 6
    ACT = 7
    NEED = 8
    SURVEY = 9
    ATTEND = 10
    LOOK = 11
    RECALL = 12
    CHOOSE = 13
    EXECUTE = 14
    VISIT = 15
    FAIL = 16
    COMPLAIN = 17
    TELL = 18
    LINK = 19
    PASS = 20
    HARM = 21
    PRICE_WEIGHT = 22
    ENTER = 31
    RENEW_RATE = 32
    RENEW_ATTENTION = 33
    RENEW_TASTE = 34
    STOCK = 35
    PAST_HABIT = 36
    PAST_MEMORY = 37
    RENEW_PRICE_WEIGHT = 38
    ERRAND = 39
    PAST_WORDS = 40


_f, _i, _u = np.float32, np.int32, np.uint32
ZERO, HALF, ONE, TWO = _f(0), _f(0.5), _f(1), _f(2)
R = tuple(_u(r) for r in (13, 15, 26, 6, 17, 29, 16, 24))
R0, R1, R2, R3, R4, R5, R6, R7 = R
N1, N2, N3, N4, N5 = (_u(n) for n in (1, 2, 3, 4, 5))
PARITY = _u(0x1BD11BDA)
S8, S9, S23 = _u(8), _u(9), _i(23)
STEP24, STEP23, HALF23 = _f(2**-24), _f(2**-23), _f(2**-24)
# Minimax polynomials (Lawson iteration in float64, coefficients rounded to float32).
E1, E2, E3, E4, E5 = (_f(c) for c in (0.693147004, 0.240222424, 0.0555073358, 0.00967151299, 0.00132647273))
L2, L3, L4, L5 = (_f(c) for c in (-0.500000596, 0.333335489, -0.24993442, 0.199770764))
L6, L7, L8, L9 = (_f(c) for c in (-0.16822812, 0.149839208, -0.120673761, 0.0541325212))
LN2, LOG2E, ROOT2 = _f(np.log(2)), _f(1 / np.log(2)), _f(np.sqrt(2))
FIRST, SECOND = np.int64(0), np.int64(1)  # typed: numba compiles a function anew for every literal
THREE_QUARTERS, LOWEST, HIGHEST = _i(0x3F400000), _f(-126), _f(126)
# Giles (2010), "Approximating the erfinv function", single precision.
CENTER = tuple(
    _f(c)
    for c in (
        *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087),
        *(-0.00125372503, -0.00417768164, 0.246640727, 1.50140941),
    )
)
TAIL = tuple(
    _f(c)
    for c in (
        *(-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773),
        *(-0.0076224613, 0.00943887047, 1.00167406, 2.83297682),
    )
)
TWO_AND_HALF, THREE, FIVE, THIRD, NINE, EIGHTY = (_f(c) for c in (2.5, 3, 5, 1 / 3, 9, 80))
C0, C1, C2, C3, C4, C5, C6, C7, C8 = CENTER
T0, T1, T2, T3, T4, T5, T6, T7, T8 = TAIL


@inlined
def _mix(x, y, a, b, c, d):
    x = add_u32(x, y)
    y = xor_u32(rotate_u32(y, a), x)
    x = add_u32(x, y)
    y = xor_u32(rotate_u32(y, b), x)
    x = add_u32(x, y)
    y = xor_u32(rotate_u32(y, c), x)
    x = add_u32(x, y)
    return x, xor_u32(rotate_u32(y, d), x)


@device_function
def threefry(key0, key1, counter0, counter1):
    """Threefry2x32-20: two random 32-bit words from a 64-bit key and a 64-bit counter."""
    key2 = xor_u32(xor_u32(key0, key1), PARITY)
    x, y = _mix(add_u32(counter0, key0), add_u32(counter1, key1), R0, R1, R2, R3)
    x, y = _mix(add_u32(x, key1), add_u32(y, add_u32(key2, N1)), R4, R5, R6, R7)
    x, y = _mix(add_u32(x, key2), add_u32(y, add_u32(key0, N2)), R0, R1, R2, R3)
    x, y = _mix(add_u32(x, key0), add_u32(y, add_u32(key1, N3)), R4, R5, R6, R7)
    x, y = _mix(add_u32(x, key1), add_u32(y, add_u32(key2, N4)), R0, R1, R2, R3)
    return add_u32(x, key2), add_u32(y, add_u32(key0, N5))


@inlined
def random_bits(key, purpose, person, week, index):
    """Two 32-bit words at an address. key = (seed, replication < 2**24); week in +-32767; index < 65536."""
    when = _u(((week & 0xFFFF) << 16) | index)
    return threefry(_u(key[0]), _u((key[1] << 8) | purpose), person, when)


@inlined
def uniform(word):
    """A number in [0, 1) on a grid of 2**-24: `uniform(w) < p` has chance p."""
    return to_float(shr_u32(word, S8)) * STEP24


@inlined
def open_uniform(word):
    """A number strictly inside (0, 1), on the midpoints of a grid of 2**-23."""
    return fma(to_float(shr_u32(word, S9)), STEP23, HALF23)


@inlined
def exp2(x):
    """2**x, x clipped to +-126."""
    x = select(x < LOWEST, LOWEST, select(x > HIGHEST, HIGHEST, x))
    n = floor(x + HALF)
    r = x - n
    p = fma(r, fma(r, fma(r, fma(r, fma(r, E5, E4), E3), E2), E1), ONE)
    return float_from_bits(add_i32(bits_of(p), shl_i32(to_int(n), S23)))


@inlined
def exp(x):
    """e**x."""
    return exp2(x * LOG2E)


@inlined
def log(x):
    """Natural logarithm of a positive normal number."""
    bits = bits_of(x)
    e = shr_i32(add_i32(bits, -THREE_QUARTERS), S23)
    t = float_from_bits(add_i32(bits, -shl_i32(e, S23))) - ONE
    high = fma(t, fma(t, fma(t, fma(t, L9, L8), L7), L6), L5)
    p = fma(t, fma(t, fma(t, high, L4), L3), L2)
    return fma(to_float(e), LN2, fma(t * t, p, t))


@device_function
def normal(word):
    """A standard normal variate, by inversion (Giles 2010)."""
    x = fma(TWO, open_uniform(word), -ONE)
    w = -log((ONE - x) * (ONE + x))
    c = w - TWO_AND_HALF
    t = sqrt(w) - THREE
    center = fma(c, fma(c, fma(c, fma(c, fma(c, fma(c, fma(c, fma(c, C0, C1), C2), C3), C4), C5), C6), C7), C8)
    tail = fma(t, fma(t, fma(t, fma(t, fma(t, fma(t, fma(t, fma(t, T0, T1), T2), T3), T4), T5), T6), T7), T8)
    return ROOT2 * x * select(w < FIVE, center, tail)


@device_function
def gumbel(word):
    """A standard Gumbel variate: the highest of V + gumbel is a logit choice."""
    return -log(-log(open_uniform(word)))


@device_function
def poisson(mean, word):
    """A Poisson variate by inversion, at most 255; a mean above 80 counts as 80 (exp(-mean) must be normal).

    Zero, one and two are found without a branch: a branch that is hard to predict costs more than the arithmetic.
    """
    mean = select(mean > EIGHTY, EIGHTY, mean)
    u = uniform(word)
    none = exp(-mean)
    once = none * mean
    p, before = once * mean * HALF, none + once
    total = before + p
    two = (u >= before) & (before > none)
    n = select(u >= none, select(two, _i(2), _i(1)), _i(0))
    going = two & (u >= total) & (total > before)
    while any_lane(going):  # rounding may keep the sum below the highest u for ever, hence total > before
        n = add_i32(n, select(going, _i(1), _i(0)))
        p = select(going, p * mean / to_float(n), p)
        before = select(going, total, before)
        total = select(going, total + p, total)
        going = going & (u >= total) & (total > before) & (n < 255)
    return n


@device_function
def log_gamma(shape, key, purpose, person, start, index):
    """The logarithm of a gamma variate, scale 1, any shape > 0 (Marsaglia & Tsang 2000, boosted below 1).

    The logarithm, because a gamma of small shape underflows; the week of the address counts the attempts, of which
    there are at most 64, from `start` on.
    """
    boost, _ = random_bits(key, purpose, person, start, index)
    d = shape + ONE - THIRD
    c = ONE / sqrt(NINE * d)
    attempt = 0
    value = open_uniform(boost) * ZERO + d
    rejected = value > ZERO
    while any_lane(rejected) and attempt < 64:
        attempt += 1
        w0, w1 = random_bits(key, purpose, person, start + attempt, index)
        x = normal(w0)
        v = fma(c, x, ONE)
        possible = rejected & (v > ZERO)
        v = select(possible, v * v * v, ONE)
        value = select(possible, d * v, value)
        accepted = log(open_uniform(w1)) < HALF * x * x + d - value + d * log(v)
        rejected = rejected & logical_not(possible & accepted)
    return log(value) + log(open_uniform(boost)) / shape
