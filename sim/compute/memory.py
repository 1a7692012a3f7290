"""Gathers rows of a table into vectors, scatters them back, and prefetches rows before they are read."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from sim.compute.simd import INT8, INT32, INT64, WIDTH, LaneIndex, Vector

LINE = 64  # bytes of a cache line
FOUR = ir.VectorType(INT32, 4)


@intrinsic
def _gather4(typing, table, starts, column):
    """Four columns, from `column` on, of WIDTH rows: each column is a vector."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
        quads = [builder.load(p, align=4) for p in _quads(context, builder, sig, values)]
        wide = [_concatenated(builder, [quads[k + q] for k in (0, 4, 8, 12)]) for q in range(4)]
        return context.make_tuple(builder, sig.return_type, _transposed(builder, wide))

    return types.UniTuple(Vector("int"), 4)(table, starts, column), code


@intrinsic
def _scatter4(typing, table, starts, column, a, b, c, d):
    """The reverse of `_gather4`."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
        wide = _transposed(builder, list(values[3:]))
        for person, address in enumerate(_quads(context, builder, sig, values)):
            part = list(range(person // 4 * 4, person // 4 * 4 + 4))
            builder.store(_shuffled(builder, wide[person % 4], wide[person % 4], part), address, align=4)
        return context.get_dummy_value()

    return types.none(table, starts, column, a, b, c, d), code


def _quads(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> list[ir.Value]:
    """The addresses of the four columns, for each of the WIDTH rows."""
    table, starts = (context.make_array(t)(context, builder, v) for t, v in zip(sig.args[:2], values[:2], strict=True))
    base = builder.gep(table.data, [context.cast(builder, values[2], sig.args[2], types.intp)])
    rows = (builder.load(builder.gep(starts.data, [INT64(person)])) for person in range(WIDTH))
    return [builder.bitcast(builder.gep(base, [row]), FOUR.as_pointer()) for row in rows]


def _shuffled(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, order: list[int]) -> ir.Value:
    """The elements of a and b in an order."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, len(order)), order))


def _concatenated(builder: ir.IRBuilder, quads: list[ir.Value]) -> ir.Value:
    """Four vectors of four as one."""
    low, high = (_shuffled(builder, a, b, list(range(8))) for a, b in (quads[:2], quads[2:]))
    return _shuffled(builder, low, high, list(range(16)))


def _transposed(builder: ir.IRBuilder, wide: list[ir.Value]) -> list[ir.Value]:
    """Four vectors of four quarters, with each quarter transposed: rows become columns."""

    def mixed(a: ir.Value, b: ir.Value, order: tuple[int, ...]) -> ir.Value:
        return _shuffled(builder, a, b, [4 * q + o % 4 + (WIDTH if o >= 4 else 0) for q in range(4) for o in order])

    low, high, near, far = (0, 4, 1, 5), (2, 6, 3, 7), (0, 1, 4, 5), (2, 3, 6, 7)
    a, b = mixed(wide[0], wide[1], low), mixed(wide[2], wide[3], low)
    c, d = mixed(wide[0], wide[1], high), mixed(wide[2], wide[3], high)
    return [mixed(a, b, near), mixed(a, b, far), mixed(c, d, near), mixed(c, d, far)]


def prefetch(table, row):
    """Start loading a row of a table into the cache, for it will be read soon. In plain Python: nothing."""


@intrinsic
def _prefetch_line(typing, table, row, offset):
    """Start loading the line of memory that holds the byte `offset` of a row."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
        array = context.make_array(sig.args[0])(context, builder, values[0])
        kind = ir.FunctionType(ir.VoidType(), [INT8.as_pointer(), INT32, INT32, INT32])
        name = "llvm.prefetch.p0"
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        size = builder.extract_value(array.strides, 0)
        begin = builder.gep(builder.bitcast(array.data, INT8.as_pointer()), [builder.mul(values[1], size)])
        write, keep, data = INT32(1), INT32(3), INT32(1)
        builder.call(function, [builder.gep(begin, [values[2]]), write, keep, data])
        return context.get_dummy_value()

    return types.none(table, types.intp, types.intp), code


@overload(prefetch, jit_options={"forceinline": True})
def _(table, row):
    def lines(table, row):
        size = table.strides[0]
        for offset in range(0, size, LINE):
            _prefetch_line(table, row, offset)
        _prefetch_line(table, row, size - 1)  # a row need not begin where a line of memory does

    return lines


def gather4(table, starts, column, i):
    """Four columns, from `column` on, of the rows that begin at starts[i] in a table of words [n]; int32 each."""
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
