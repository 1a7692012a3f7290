"""Sixteen at once get what sixteen get one by one, operation by operation, and rows come back as they were laid out."""

import numpy as np
import pytest
from numba import njit

from sim.compute import bits, random
from sim.compute.memory import gather4, prefetch, scatter4
from sim.compute.simd import WIDTH, any_lane, count_trailing_zeros, lanes, logical_not, select
from sim.engine.workspace import gather_words, scatter_words
from sim.measure.tally import TENURE, TENURE_BIN

RNG = np.random.default_rng(5)
REAL = np.concatenate([RNG.normal(0, 3, 14), [0.0, -0.0]]).astype(np.float32)
OTHER = np.concatenate([REAL[:4], RNG.normal(0, 3, 12)]).astype(np.float32)
WHOLE = RNG.integers(-(2**31), 2**31, WIDTH).astype(np.int32)
WORD = RNG.integers(0, 2**32, WIDTH).astype(np.uint32)
ONE = np.uint32(1)
POSITIVE = np.exp(REAL).astype(np.float32)

RULES = {
    "arithmetic": (lambda x, y: (x + y) * x - y / (x * x + np.float32(1)) + -y, REAL, OTHER),
    "comparison": (lambda x, y: select((x < y) | (x == y), x, select(logical_not(x >= y) & (y != x), y, x)),
                   REAL, OTHER),
    "whole numbers": (lambda x, y: bits.add_i32(x, bits.shl_i32(y, 3)) & bits.shr_i32(x, 5), WHOLE, WHOLE[::-1].copy()),
    "halves": (lambda x, y: bits.pack16(bits.low16(x), bits.high16(y)) | bits.signed_byte(x, 8),
               WHOLE, WHOLE[::-1].copy()),
    "bits": (lambda x, y: select(bits.bit(x, 7), bits.with_bit(y, 31), y), WHOLE, WHOLE[::-1].copy()),
    "one for all": (lambda x, y: select(x > np.float32(0), np.float32(2), y) * np.float32(0.5), REAL, OTHER),
    "fma": (lambda x, y: bits.fma(x, y, bits.floor(x)), REAL, OTHER),
    "threefry": (lambda x, y: random.uniform(random.threefry(ONE, x, y, ONE)[1]), WORD, WORD[::-1].copy()),
    "exp and log": (lambda x, y: random.exp(random.log(x) * np.float32(0.3)), POSITIVE, OTHER),
    "root": (lambda x, y: bits.sqrt(x), POSITIVE, OTHER),
    "normal": (lambda x, y: random.normal(x) + random.gumbel(y), WORD, WORD[::-1].copy()),
    "poisson": (lambda x, y: bits.to_float(random.poisson(x, y)), POSITIVE, WORD),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_sixteen_at_once_are_sixteen_one_by_one(name):
    function, x, y = RULES[name]
    inlined = njit(function, error_model="numpy")

    @njit(error_model="numpy")
    def at_once(x, y, out):
        i = lanes(WIDTH)
        out[i] = inlined(x[i], y[i])

    @njit(error_model="numpy")
    def one_by_one(x, y, out):
        for i in range(WIDTH):
            out[i] = inlined(x[i], y[i])

    kind = np.float32 if name not in ("whole numbers", "halves", "bits", "tenure") else np.int32
    found, expected = np.zeros((2, WIDTH), kind)
    at_once(x, y, found)
    one_by_one(x, y, expected)
    assert found.tobytes() == expected.tobytes() and len(set(expected)) > 2


def test_anyone_is_one_of_them():
    @njit
    def asked(x, out):
        i = lanes(WIDTH)
        out[0], out[1] = any_lane(x[i] > 1), any_lane(logical_not(x[i] > 1))

    out = np.zeros(2, np.bool_)
    for x, said in (
        (np.eye(WIDTH)[3] * 2, (True, True)),
        (np.zeros(WIDTH), (False, True)),
        (np.full(WIDTH, 2), (True, False)),
    ):
        asked(x.astype(np.int32), out)
        assert tuple(out) == said


@pytest.mark.parametrize("columns", [4, 6, 7, 55])
def test_rows_are_laid_out_in_lines_and_put_back(columns):
    table = RNG.integers(-(2**31), 2**31, (40, columns)).astype(np.int32)
    rows = RNG.permutation(40)[:WIDTH]
    lines, back, starts = np.zeros((columns, WIDTH), np.int32), np.zeros_like(table), (rows * columns).astype(np.int64)

    @njit
    def there_and_back(lines, table, back, starts):
        gather_words(lines, table, starts, lanes(WIDTH))
        scatter_words(lines, back, starts, lanes(WIDTH))

    there_and_back(lines, table.ravel(), back.ravel(), starts)
    np.testing.assert_array_equal(lines, table[rows].T)
    np.testing.assert_array_equal(back[rows], table[rows])
    assert not np.delete(back, rows, axis=0).any()


def test_four_columns_of_one_row():
    table, out = np.arange(20, dtype=np.int32), np.zeros(20, np.int32)
    starts = np.array([10, 0])
    assert gather4(table, starts, 2, 0) == (12, 13, 14, 15)
    scatter4(out, starts, 1, 1, 5, 6, 7, 8)
    assert out[:6].tolist() == [0, 5, 6, 7, 8, 0]


def test_the_lowest_bit_is_the_same_compiled_and_plain():
    compiled = njit(lambda n: count_trailing_zeros(n))
    numbers = [np.int64(1) << 63, np.int64(1), np.int64(40), np.int64(-1), np.int64(1) << 40]
    assert [compiled(n) for n in numbers] == [count_trailing_zeros(n) for n in numbers] == [63, 0, 3, 0, 40]


def test_a_row_is_brought_near_from_memory_as_it_is():
    @njit
    def near(table, out):
        for row in range(len(table)):
            prefetch(table, row)
            out[row] = table[row, 1]

    table, out = np.arange(60.0).reshape(20, 3), np.zeros(20)
    near(table, out)
    assert out.tolist() == table[:, 1].tolist() and prefetch(table, 0) is None


def test_the_bin_of_a_tenure_begins_where_TENURE_says():
    assert [TENURE_BIN[n] for n in TENURE] == list(range(len(TENURE)))
    assert all(TENURE_BIN[n - 1] == b for b, n in enumerate(TENURE[1:]))


def test_a_rule_called_from_python_says_how_to_call_it():
    with pytest.raises(TypeError, match=r"uniform has no entry from Python"):
        random.uniform(3)
