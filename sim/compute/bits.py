"""Operations on 32 bits with the same result compiled and in plain Python, on every processor and vector width.

Each is a plain Python function; compiled code runs one machine instruction in its place (`_compile`, below).
Numba alone would widen 32-bit integers to 64 and has no fused multiply-add.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from sim.compute.simd import SCALAR, Emit, Vector, broadcast, compiled, joint_kind


def fma(x, y, z):
    """x*y + z in float32, rounded once.

    >>> float(fma(np.float32(3), np.float32(4), np.float32(0.5)))
    12.5
    """
    product = float(x) * float(y)  # exact: 24 + 24 bits fit in 53
    total = product + float(z)
    if not math.isfinite(total):
        return np.float32(total)
    back = total - product
    error = (product - (total - back)) + (float(z) - back)
    if error and not int(np.float64(total).view(np.int64)) & 1:  # round to odd, so that rounding again is exact
        total = math.nextafter(total, math.inf if error > 0 else -math.inf)
    with np.errstate(over="ignore", under="ignore"):
        return np.float32(total)


def floor(x):
    """The largest whole number not above x, as float32."""
    return np.float32(math.floor(x))


def sqrt(x):
    """Square root in float32, correctly rounded."""
    return np.sqrt(np.float32(x))


def to_int(x):
    """A whole float32 as int32."""
    return np.int32(x)


def to_float(x):
    """An int32 as float32."""
    return np.float32(x)


def bits_of(x):
    """The bits of a float32, as int32."""
    return np.float32(x).view(np.int32)


def float_from_bits(x):
    """The float32 with the bits of an int32."""
    return np.int32(x).view(np.float32)


def add_u32(x, y):
    """x + y modulo 2**32."""
    return np.uint32((int(x) + int(y)) & 0xFFFFFFFF)


def xor_u32(x, y):
    """Bitwise exclusive or of 32 bits."""
    return np.uint32(int(x) ^ int(y))


def rotate_u32(x, y):
    """32 bits rotated left by y."""
    return np.uint32((int(x) << int(y) | int(x) >> (32 - int(y))) & 0xFFFFFFFF)


def shr_u32(x, y):
    """32 bits shifted right by y, as a small int32."""
    return np.int32(int(x) >> int(y))


def add_i32(x, y):
    """x + y in int32."""
    return np.int32((int(x) + int(y) + 2**31) % 2**32 - 2**31)


def shl_i32(x, y):
    """An int32 shifted left by y."""
    return np.int32(((int(x) << int(y)) + 2**31) % 2**32 - 2**31)


def shr_i32(x, y):
    """An int32 shifted right by y, sign kept."""
    return np.int32(int(x) >> int(y))


def low16(x):
    """The lower half of an int32, as a whole number from 0 to 65535."""
    return np.int32(int(x) & 0xFFFF)


def high16(x):
    """The upper half of an int32, as a whole number from 0 to 65535."""
    return np.int32((int(x) >> 16) & 0xFFFF)


def signed_byte(x, y):
    """Byte y = 0, 8, 16 or 24 bits up in an int32, as a whole number from -128 to 127."""
    return np.int32(((int(x) >> int(y)) + 128) % 256 - 128)


def pack16(x, y):
    """An int32 of a lower half x and an upper half y.

    >>> int(high16(pack16(np.int32(7), np.int32(9))))
    9
    """
    return np.int32(((int(x) & 0xFFFF | int(y) << 16) + 2**31) % 2**32 - 2**31)


def bit(x, y):
    """Is bit y of an int32 set?"""
    return (int(x) >> int(y)) & 1 == 1


def with_bit(x, y):
    """An int32 with bit y set."""
    return np.int32(((int(x) | 1 << int(y)) + 2**31) % 2**32 - 2**31)


def _compile(python: Callable[..., Any], kinds: str, emit: Emit) -> None:
    """Compile `python` to one instruction, for numbers and vectors; `kinds` are those of result and arguments."""
    result, *given = kinds.split()
    scalar = SCALAR[result](*(SCALAR[kind] for kind in given))

    def typed(context: Any, *arguments: Any) -> Any:
        return Vector(result)(*arguments) if joint_kind(*arguments) else scalar

    def code(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
        if isinstance(sig.return_type, Vector):
            values = [broadcast(context, builder, v, t, k) for v, t, k in zip(values, sig.args, given, strict=True)]
        return emit(builder, *values)

    compiled(python, typed, code)


def _intrinsic(name: str) -> Emit:
    """A call of an LLVM intrinsic on operands of one type."""

    def emit(builder: ir.IRBuilder, *values: ir.Value) -> ir.Value:
        kind = values[0].type
        function = ir.FunctionType(kind, [kind] * len(values))
        element = kind.element if isinstance(kind, ir.VectorType) else kind
        suffix = "f32" if isinstance(element, ir.FloatType) else "i32"
        full = f"{name}.v{kind.count}{suffix}" if isinstance(kind, ir.VectorType) else f"{name}.{suffix}"
        declared = builder.module.globals.get(full) or ir.Function(builder.module, function, full)
        return builder.call(declared, values)

    return emit


def _as_wide(element: ir.Type, value: ir.Value) -> ir.Type:
    """The type with as many lanes as a value has."""
    return ir.VectorType(element, value.type.count) if isinstance(value.type, ir.VectorType) else element


def _cast(name: str, element: ir.Type) -> Emit:
    """A conversion of a number, or of each lane, to another type."""
    return lambda builder, x: getattr(builder, name)(x, _as_wide(element, x))


def _same(x: ir.Value, value: int) -> ir.Value:
    """A constant of the type of x."""
    return ir.Constant(x.type, [value] * x.type.count if isinstance(x.type, ir.VectorType) else value)


def _byte(builder: ir.IRBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
    return builder.ashr(builder.shl(x, builder.sub(_same(x, 24), y)), _same(x, 24))


def _bit(builder: ir.IRBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
    return builder.trunc(builder.lshr(x, y), _as_wide(ir.IntType(1), x))


_compile(fma, "float float float float", _intrinsic("llvm.fma"))
_compile(floor, "float float", _intrinsic("llvm.floor"))
_compile(sqrt, "float float", _intrinsic("llvm.sqrt"))
_compile(to_int, "int float", _cast("fptosi", ir.IntType(32)))
_compile(to_float, "float int", _cast("sitofp", ir.FloatType()))
_compile(bits_of, "int float", _cast("bitcast", ir.IntType(32)))
_compile(float_from_bits, "float int", _cast("bitcast", ir.FloatType()))
_compile(add_u32, "word word word", lambda b, x, y: b.add(x, y))
_compile(xor_u32, "word word word", lambda b, x, y: b.xor(x, y))
_compile(rotate_u32, "word word word", lambda b, x, y: _intrinsic("llvm.fshl")(b, x, x, y))
_compile(shr_u32, "int word word", lambda b, x, y: b.lshr(x, y))
_compile(add_i32, "int int int", lambda b, x, y: b.add(x, y))
_compile(shl_i32, "int int int", lambda b, x, y: b.shl(x, y))
_compile(shr_i32, "int int int", lambda b, x, y: b.ashr(x, y))
_compile(low16, "int int", lambda b, x: b.and_(x, _same(x, 0xFFFF)))
_compile(high16, "int int", lambda b, x: b.lshr(x, _same(x, 16)))
_compile(signed_byte, "int int int", _byte)
_compile(pack16, "int int int", lambda b, x, y: b.or_(b.and_(x, _same(x, 0xFFFF)), b.shl(y, _same(y, 16))))
_compile(bit, "mask int int", _bit)
_compile(with_bit, "int int int", lambda b, x, y: b.or_(x, b.shl(_same(x, 1), y)))
