"""Draws against published answers, float64, the laws they are named after, plain Python and other processors."""

import math
import os
import platform
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding
from numba import njit, vectorize
from scipy import special, stats

from sim.compute import bits, random
from sim.compute.random import Purpose
from tests.markets import called

LEAST = 1e-3  # seeds are fixed: a p-value below this is a defect of the generator, or of the seed chosen here
ERRORS = 3.0  # standard errors a moment may be off
MANY = 200_000
WORDS = np.arange(2**23, dtype=np.uint32) << np.uint32(9)  # one word for every value of `open_uniform`
INSIDE = (np.arange(2**23) + 0.5) / 2**23


def compiled(function, *kinds):
    """`function` over arrays of float32 or uint32."""
    return vectorize([f"{'int64' if function is random.poisson else 'float32'}({', '.join(kinds)})"])(function.py_func)


@njit
def _words(out, seed, replication, purpose, person, week, index):
    for i in range(len(person)):
        out[i] = random.random_bits((seed, replication), purpose, person[i], week[i], index[i])


@njit
def _log_gamma(out, shape, seed, purpose):
    for i in range(len(out)):
        out[i] = random.log_gamma(shape, (seed, 0), purpose, i, 0, 0)


def _fma(x, y, z):
    return bits.fma(x, y, z)


def random_bits(seed=1, replication=0, purpose=Purpose.CHOOSE, person=0, week=0, index=0, count=MANY):
    """Words [count, 2] of persons `person`, `person` + 1, ..., at one week and index."""
    out = np.zeros((count, 2), np.uint32)
    people = person + np.arange(count)
    _words(out, seed, replication, int(purpose), people, np.full(count, week), np.full(count, index))
    return out


# Counter, key -> words, from the file kat_vectors of Random123.
KNOWN = {
    "zeros": ("00000000 00000000", "00000000 00000000", "6b200159 99ba4efe"),
    "ones": ("ffffffff ffffffff", "ffffffff ffffffff", "1cb996fc bb002be7"),
    "pi": ("243f6a88 85a308d3", "13198a2e 03707344", "c4923a9c 483df7a0"),
}


@pytest.mark.parametrize("plain", [False, True], ids=["compiled", "python"])
@pytest.mark.parametrize("name", KNOWN)
def test_threefry_gives_the_published_answers(name, plain, monkeypatch):
    function = random.threefry.py_func if plain else called(random.threefry)
    if plain:
        monkeypatch.setattr(random, "_mix", random._mix.py_func)
    counter, key, answer = ([np.uint32(int(w, 16)) for w in text.split()] for text in KNOWN[name])
    assert list(function(*key, *counter)) == answer


def sweep(low, high):
    """About a million float32 evenly spaced in value, ends and zero included."""
    return np.union1d(np.linspace(low, high, 1_000_001), [0.0, low, high]).astype(np.float32)


def positives(step=1009):
    """Float32 evenly spaced in their bits from the least to the largest normal number, all near 1, and the edges."""
    ends = np.array([np.finfo(np.float32).tiny, 0.75, 1, np.finfo(np.float32).max], np.float32).view(np.int32)
    near = np.arange(ends[2] - 200_000, ends[2] + 200_000)
    return np.concatenate([ends, np.arange(ends[0], ends[3], step), near]).astype(np.int32).view(np.float32)


# name -> inputs, float64 truth, what the error is divided by, the figure the docstring of sim.compute.random states
ACCURACY = {
    "exp2": (lambda: sweep(-126, 126), np.exp2, lambda x, y: y, 2e-7),
    "exp": (lambda: sweep(-87, 87), np.exp, lambda x, y: y * np.maximum(1, abs(x)), 2e-7),
    "log": (positives, np.log, lambda x, y: np.where(y == 0, 1e-30, abs(y)), 1.1e-7),
    "normal": (lambda: WORDS, lambda w: special.ndtri(INSIDE), lambda x, y: 1, 1e-6),
    "gumbel": (lambda: WORDS, lambda w: -np.log(-np.log(INSIDE)), lambda x, y: 1, 6e-7),
}


@pytest.mark.parametrize("name", ACCURACY)
def test_elementary_functions_are_as_accurate_as_stated(name):
    inputs, truth, scale, stated = ACCURACY[name]
    x = inputs()
    exact = x.astype(np.float64)
    right = truth(exact)
    error = np.abs(compiled(getattr(random, name), x.dtype.name)(x) - right) / scale(exact, right)
    assert stated / 2 < error.max() < stated  # the docstring promises neither too much nor too little


def test_normal_is_symmetric_monotone_and_relatively_accurate():
    x = compiled(random.normal, "uint32")(WORDS)
    assert np.array_equal(x, -x[::-1])
    assert np.all(np.diff(x) >= 0)
    assert np.max(np.abs(x / special.ndtri(INSIDE) - 1)) < 2.8e-7


@pytest.mark.parametrize(("beyond", "edge"), [(-127, -126), (-1e30, -126), (127, 126), (np.inf, 126)])
def test_exp2_is_clipped_at_the_normal_numbers(beyond, edge):
    assert called(random.exp2)(np.float32(beyond)) == 2.0**edge


def test_uniform_and_within_are_their_exact_grids():
    assert np.array_equal(compiled(random.uniform, "uint32")(WORDS), np.arange(2**23) / 2**23)
    assert called(random.uniform)(np.uint32(2**32 - 1)) == 1 - 2.0**-24
    assert np.array_equal(compiled(random.open_uniform, "uint32")(WORDS), INSIDE)


LAWS = {"uniform": stats.uniform(), "open_uniform": stats.uniform(), "normal": stats.norm(), "gumbel": stats.gumbel_r()}


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("name", LAWS)
def test_continuous_draws_follow_their_law(name, lane):
    x = compiled(getattr(random, name), "uint32")(random_bits(seed=3)[:, lane]).astype(np.float64)
    assert stats.kstest(x, LAWS[name].cdf).pvalue > LEAST
    mean, variance, kurtosis = LAWS[name].stats("mvk")
    assert abs(x.mean() - mean) < ERRORS * math.sqrt(variance / MANY)
    assert abs(x.var() - variance) < ERRORS * variance * math.sqrt((kurtosis + 2) / MANY)


@pytest.mark.parametrize("mean", [0.11, 0.9, 2.5, 12, 30, 80])
def test_poisson_follows_its_law(mean):
    law = stats.poisson(float(np.float32(mean)))
    n = compiled(random.poisson, "float32", "uint32")(np.float32(mean), random_bits(seed=4)[:, 0])
    low, high = (int(q) for q in law.ppf([10 / MANY, 1 - 10 / MANY]))
    edges = np.arange(low, high + 1)
    expected = MANY * np.diff(np.concatenate([[0], law.cdf(edges), [1]]))
    seen = np.bincount(np.clip(n, low, high + 1) - low, minlength=len(expected))
    assert stats.chisquare(seen, expected).pvalue > LEAST
    assert abs(n.mean() - law.mean()) < ERRORS * math.sqrt(law.var() / MANY)
    assert abs(n.var() - law.var()) < ERRORS * law.var() * math.sqrt((2 + 1 / law.mean()) / MANY)


def test_the_highest_word_is_no_outlier_of_poisson():
    means = np.append(np.geomspace(1e-3, 80, 20_001), [81, 1e3, 1e30]).astype(np.float32)
    highest = compiled(random.poisson, "float32", "uint32")(means, np.uint32(2**32 - 1))
    assert np.all(highest <= stats.poisson.ppf(1 - 2.0**-24, np.minimum(means, 80.0)) + 3)
    assert compiled(random.poisson, "float32", "uint32")(np.float32(0), np.uint32(2**32 - 1)) == 0


ADDRESSES = [(1, Purpose.RATE), (2, Purpose.ATTENTION), (3, Purpose.TASTE), (2**32 - 1, Purpose.TASTE)]


@pytest.mark.parametrize("shape", [0.02, 0.3, 1, 4, 300])
def test_log_gamma_follows_its_law(shape):
    shape = np.float32(shape)
    mean, variance, fourth = special.digamma(shape), special.polygamma(1, shape), special.polygamma(3, shape)
    offs = []
    for seed, purpose in ADDRESSES:
        x = np.zeros(MANY, np.float32)
        _log_gamma(x, shape, seed, int(purpose))
        assert stats.kstest(x[:20_000], stats.loggamma(float(shape)).cdf).pvalue > LEAST
        spread = math.sqrt((fourth + 2 * variance**2) / MANY)
        square = np.mean((x.astype(np.float64) - mean) ** 2)
        offs.append(((x.mean(dtype=np.float64) - mean) / math.sqrt(variance / MANY), (square - variance) / spread))
    assert np.all(np.abs(offs) < ERRORS)
    assert np.all(np.abs(np.sum(offs, 0)) < ERRORS * math.sqrt(len(offs)))


PLACES = {
    "seed": [0, 1, 2, 2**32 - 1],
    "replication": [0, 1, 2**24 - 1],
    "purpose": [Purpose.CELL, Purpose.RATE, 255],
    "person": [0, 1, 2**31 - 1],
    "week": [-32_767, -52, -1, 0, 1, 32_767],
    "index": [0, 1, 65_535],
}


def test_every_part_of_an_address_changes_the_words():
    grid = np.array(np.meshgrid(*PLACES.values())).reshape(len(PLACES), -1).T
    at = called(random.random_bits)
    found = {tuple(at((s, r), p, i, t, k)) for s, r, p, i, t, k in grid.tolist()}
    assert len(found) == len(grid)


@pytest.mark.parametrize("part", PLACES)
def test_neighboring_addresses_are_uncorrelated(part):
    here = {"seed": 5, "replication": 1, "purpose": Purpose.NEED, "person": 7, "week": -1, "index": 3}
    one = random_bits(**here).astype(np.float64)
    other = random_bits(**{**here, part: here[part] + 1}).astype(np.float64)
    correlation = np.corrcoef(np.concatenate([one, other], 1).T)
    assert np.max(np.abs(correlation[~np.eye(4, dtype=bool)])) < 4 / math.sqrt(MANY)


def test_purposes_are_numbered_in_order_without_repeat():
    """A number is part of the address of every draw: 23 to 30 are not in use."""
    values = [p.value for p in Purpose.__members__.values()]
    assert values == [*range(1, 23), *range(31, 31 + len(values) - 22)]
    assert max(Purpose) < 256  # the replication begins at bit 8 of the key


def nearest(exact):
    """The float32 nearest to a fraction, ties to even; for numbers that are normal in float32."""
    if exact == 0:
        return 0.0
    exponent = abs(exact.numerator).bit_length() - exact.denominator.bit_length()
    exponent -= abs(exact) < Fraction(2) ** exponent
    step = Fraction(2) ** (exponent - 23)
    return float(round(exact / step) * step)


def random_triples(dice, count):
    x, y, z = (dice.uniform(1, 2, (3, count)) * 2.0 ** dice.integers(-15, 15, (3, count))).astype(np.float32)
    return x, -y, z


def cancelling_triples(dice, count):
    x, y, _ = random_triples(dice, count)
    return x, y, -(x * y)


def tied_triples(dice, count):
    """x*y lies half way between two float32, and z breaks the tie, or does not, or far below what float64 sees."""
    x = (1 + dice.integers(0, 2**10, count) * 2.0**-10 + 2.0**-12).astype(np.float32)
    y = np.full(count, 1 + 2.0**-12, np.float32)
    return x, y, (dice.choice([-1, 0, 1], count) * 2.0 ** -dice.integers(24, 100, count)).astype(np.float32)


def distant_triples(dice, count):
    x, y, _ = random_triples(dice, count)
    far = 2.0 ** dice.integers(-60, 60, count) * dice.choice([-1, 1], count)
    return x, y, (x * y * far).astype(np.float32)


@pytest.mark.parametrize("triples", [random_triples, cancelling_triples, tied_triples, distant_triples])
def test_fma_rounds_once_compiled_and_as_plain_python(triples):
    x, y, z = triples(np.random.default_rng(8), 4000)
    rows = list(zip(x.tolist(), y.tolist(), z.tolist(), strict=True))
    exact = [nearest(Fraction(a) * Fraction(b) + Fraction(c)) for a, b, c in rows]
    assert [float(bits.fma(*row)) for row in rows] == exact
    assert vectorize(["float32(float32, float32, float32)"])(_fma)(x, y, z).tolist() == exact


# Prints a hash of many draws, and the widest registers in which the loop over `normal` multiplies vectors.
DIGEST = r"""
import hashlib
import re
import numpy as np
from numba import njit
from sim.compute import random as d

def each(function):
    @njit(error_model="numpy")
    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])
    return loop

@njit(error_model="numpy")
def fly(counter, first, second):
    for i in range(counter.shape[0]):
        first[i], second[i] = d.threefry(np.uint32(5), np.uint32(7), counter[i], np.uint32(9))

@njit(error_model="numpy")
def branch(out):
    for i in range(out.shape[1]):
        key = (2**32 - 1, 3)
        w, v = d.random_bits(key, 9, i, 50 - i, i & 7)
        out[0, i] = d.poisson(np.float32(0.1) * np.float32(i % 300), w)
        out[1, i] = d.log_gamma(np.float32(0.01) * np.float32(1 + i % 400), key, 4, i, 0, 1)

n = 700
first, second, branched = np.zeros(n, np.uint32), np.zeros(n, np.uint32), np.zeros((2, n), np.float32)
fly(np.arange(n, dtype=np.uint32), first, second)
branch(branched)
real, positive = np.linspace(-130, 130, n).astype(np.float32), np.geomspace(1e-37, 1e38, n).astype(np.float32)
digest = hashlib.sha256(first.tobytes() + second.tobytes() + branched.tobytes())
inputs = {d.uniform: first, d.open_uniform: first, d.gumbel: second, d.exp2: real, d.exp: real, d.log: positive}
for function, x in [*inputs.items(), (d.normal, second)]:
    loop, out = each(function), np.zeros(n, np.float32)
    loop(x, out)
    digest.update(out.tobytes())
code = "".join(loop.inspect_asm().values()) if hasattr(loop, "inspect_asm") else ""
print(digest.hexdigest(), max(re.findall(r"mulps\s.*([xyz]mm)", code), default="none"))
"""


def digest(cache, **environment):
    """(hash, widest registers) of DIGEST run in a process of its own, compiled afresh."""
    root = Path(__file__).parents[2]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    environment = {**clean, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(root), **environment}
    done = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return digest(tmp_path_factory.mktemp("host"))[0]


def test_plain_python_draws_the_same_bits(reference, tmp_path):
    assert digest(tmp_path, NUMBA_DISABLE_JIT="1") == [reference, "none"]


@pytest.mark.parametrize("level", ["0", "1"])
def test_every_optimization_level_draws_the_same_bits(reference, tmp_path, level):
    assert digest(tmp_path, NUMBA_OPT=level)[0] == reference


@pytest.mark.parametrize(
    ("processor", "features", "widest", "needs"),
    [
        ("x86-64", "", "none", "sse2"),  # no fused multiply-add in the processor: the C library's, one at a time
        ("x86-64-v3", "+prefer-128-bit", "xmm", "fma"),
        ("x86-64-v3", "", "ymm", "fma"),
        ("x86-64-v4", "-prefer-256-bit", "zmm", "avx512f"),
    ],
    ids=["no fma", "128", "256", "512"],
)
def test_every_vector_width_draws_the_same_bits(reference, tmp_path, processor, features, widest, needs):
    if platform.machine().lower() not in ("x86_64", "amd64"):
        pytest.skip("vector widths are those of x86-64")
    if not binding.get_host_cpu_features().get(needs):
        pytest.skip(f"this processor has no {needs}")
    found = digest(tmp_path, NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES=features)
    assert found == [reference, widest]
