"""Rows of a table in memory: sixteen at once turned into lines and back, and rows brought near before they are read."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from sim.compute.simd import INT32, INT64, WIDTH, LaneIndex, Vector, compiled, shuffled

LINE = 64  # bytes that come from memory together


@intrinsic
def _gather4(typing, table, starts, column):
    """Four columns, from `column` on, of sixteen rows: each column as sixteen."""

    def code(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        four = ir.VectorType(INT32, 4)
        quads = [builder.load(p, align=4) for p in _quads(context, builder, sig, values, four)]
        wide = [_joined(builder, [quads[k + q] for k in (0, 4, 8, 12)]) for q in range(4)]
        return context.make_tuple(builder, sig.return_type, _turned(builder, wide))

    return types.UniTuple(Vector("int"), 4)(table, starts, column), code


@intrinsic
def _scatter4(typing, table, starts, column, a, b, c, d):
    """The reverse of `_gather4`."""

    def code(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        four = ir.VectorType(INT32, 4)
        wide = _turned(builder, list(values[3:]))
        for person, place in enumerate(_quads(context, builder, sig, values, four)):
            part = list(range(person // 4 * 4, person // 4 * 4 + 4))
            builder.store(shuffled(builder, wide[person % 4], wide[person % 4], part), place, align=4)
        return context.get_dummy_value()

    return types.none(table, starts, column, a, b, c, d), code


def _quads(context: Any, builder: Any, sig: Any, values: Any, four: Any) -> list[Any]:
    """Where the four columns of each of the sixteen rows lie."""
    table, starts = (context.make_array(t)(context, builder, v) for t, v in zip(sig.args[:2], values[:2], strict=True))
    base = builder.gep(table.data, [context.cast(builder, values[2], sig.args[2], types.intp)])
    rows = (builder.load(builder.gep(starts.data, [INT64(person)])) for person in range(WIDTH))
    return [builder.bitcast(builder.gep(base, [row]), four.as_pointer()) for row in rows]


def _joined(builder: Any, quads: list[Any]) -> Any:
    low, high = (shuffled(builder, a, b, list(range(8))) for a, b in (quads[:2], quads[2:]))
    return shuffled(builder, low, high, list(range(16)))


def _turned(builder: Any, wide: list[Any]) -> list[Any]:
    """Four vectors of four quarters: within each quarter rows become columns."""

    def mixed(a: Any, b: Any, order: tuple[int, ...]) -> Any:
        return shuffled(builder, a, b, [4 * q + o % 4 + (WIDTH if o >= 4 else 0) for q in range(4) for o in order])

    low, high, near, far = (0, 4, 1, 5), (2, 6, 3, 7), (0, 1, 4, 5), (2, 3, 6, 7)
    a, b = mixed(wide[0], wide[1], low), mixed(wide[2], wide[3], low)
    c, d = mixed(wide[0], wide[1], high), mixed(wide[2], wide[3], high)
    return [mixed(a, b, near), mixed(a, b, far), mixed(c, d, near), mixed(c, d, far)]


def prefetch(table, row):
    """Have a row of a table brought near, for it will soon be wanted."""


def _prefetch(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    array = context.make_array(sig.args[0])(context, builder, values[0])
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, INT32, INT32, INT32])
    fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    size = builder.extract_value(array.strides, 0)
    begin = builder.gep(builder.bitcast(array.data, byte), [builder.mul(values[1], size)])
    with cgutils.for_range_slice(builder, INT64(0), size, INT64(LINE), INT64) as (offset, _):
        builder.call(fetch, [builder.gep(begin, [offset]), INT32(1), INT32(3), INT32(1)])
    end = builder.gep(begin, [builder.sub(size, INT64(1))])  # rows need not begin where a line of memory does
    builder.call(fetch, [end, INT32(1), INT32(3), INT32(1)])
    return context.get_dummy_value()


compiled(prefetch, lambda context, table, row: types.none(table, types.intp), _prefetch)


def gather4(table, starts, column, i):
    """Four columns, from `column` on, of the rows that begin at starts[i] in a table of words: int32 each."""
    at = starts[i] + column
    return table[at], table[at + 1], table[at + 2], table[at + 3]


def scatter4(table, starts, column, i, a, b, c, d):
    """Write four columns, from `column` on, of the rows that begin at starts[i]."""
    at = starts[i] + column
    table[at], table[at + 1], table[at + 2], table[at + 3] = a, b, c, d


@overload(gather4, jit_options={"forceinline": True})
def _(table, starts, column, i):
    if isinstance(i, LaneIndex):
        return lambda table, starts, column, i: _gather4(table, starts, column)
    return gather4


@overload(scatter4, jit_options={"forceinline": True})
def _(table, starts, column, i, a, b, c, d):
    if isinstance(i, LaneIndex):
        return lambda table, starts, column, i, a, b, c, d: _scatter4(table, starts, column, a, b, c, d)
    return scatter4
