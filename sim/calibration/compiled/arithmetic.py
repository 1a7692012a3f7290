"""Random numbers and small matrices for compiled code; a stream of random numbers is one 64-bit word of state."""

import math

import numpy as np
from numba import njit

from sim.compute.jit import CACHE

compiled = njit(cache=CACHE is not None, nogil=True, error_model="numpy")

GOLDEN, MIX1, MIX2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S27, S30, S31, S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
TINY = 2.0**-53


@compiled
def uniform(state):
    """A number strictly between 0 and 1 (SplitMix64: Steele, Lea & Flood 2014); `state` [1] uint64 moves on."""
    state[0] += GOLDEN
    z = state[0]
    z = (z ^ (z >> S30)) * MIX1
    z = (z ^ (z >> S27)) * MIX2
    z = z ^ (z >> S31)
    return (np.float64(z >> S11) + 0.5) * TINY


@compiled
def normal(state):
    """A standard normal variate (Box & Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(uniform(state)))
    return radius * math.cos(2.0 * math.pi * uniform(state))


@compiled
def gamma(state, shape):
    """A gamma variate of scale 1 (Marsaglia & Tsang 2000)."""
    boost = 1.0
    if shape < 1.0:
        boost = uniform(state) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(state)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if math.log(uniform(state)) < 0.5 * x * x + d - d * v + d * math.log(v):
                return boost * d * v


@compiled
def root(matrix, lower):
    """Write the Cholesky factor of a symmetric matrix [p, p] to `lower`; False where it is not positive definite."""
    p = matrix.shape[0]
    for i in range(p):
        for j in range(i + 1):
            s = matrix[i, j]
            for k in range(j):
                s -= lower[i, k] * lower[j, k]
            if i == j:
                if not s > 1e-14:
                    return False
                lower[i, i] = math.sqrt(s)
            else:
                lower[i, j] = s / lower[j, j]
        for j in range(i + 1, p):
            lower[i, j] = 0.0
    return True


@compiled
def inverse_of_root(lower, result):
    """Write the inverse of a lower triangular matrix to `result`."""
    p = lower.shape[0]
    for j in range(p):
        for i in range(p):
            result[i, j] = 0.0
        result[j, j] = 1.0 / lower[j, j]
        for i in range(j + 1, p):
            s = 0.0
            for k in range(j, i):
                s -= lower[i, k] * result[k, j]
            result[i, j] = s / lower[i, i]


@compiled
def distance(x, mean, inverse):
    """(x - mean)' S^-1 (x - mean), from the inverse of the root of S."""
    total = 0.0
    for i in range(x.shape[0]):
        s = 0.0
        for k in range(i + 1):
            s += inverse[i, k] * (x[k] - mean[k])
        total += s * s
    return total
