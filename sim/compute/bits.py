"""Operations on 32 bits that give the same bits compiled, as plain Python, on every processor and vector width.

Each is a plain Python function; compiled code runs the one machine instruction named beside it instead.
Numba alone would widen 32-bit integers to 64 and has no fused multiply-add.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core.typing.templates import signature

from sim.compute.simd import ONE, Vector, broadcast, compiled, joint_kind

Emit = Callable[..., Any]


def _compile(python: Any, kinds: str, emit: Emit) -> None:
    """Compile `python` to one instruction; `kinds` of the result and the arguments, for one person and for sixteen."""
    result, *given = kinds.split()
    one = ONE[result](*(ONE[k] for k in given))

    def typed(context: Any, *arguments: Any) -> Any:
        return signature(Vector(result), *arguments) if joint_kind(*arguments) else one

    def code(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        if isinstance(sig.return_type, Vector):
            values = [broadcast(context, builder, v, t, k) for v, t, k in zip(values, sig.args, given, strict=True)]
        return emit(builder, *values)

    compiled(python, typed, code)


def _call(name: str) -> Emit:
    """A call of an LLVM intrinsic on operands of one type."""

    def emit(builder: Any, *values: Any) -> Any:
        kind = values[0].type
        one = kind.element if isinstance(kind, ir.VectorType) else kind
        suffix = "f32" if isinstance(one, ir.FloatType) else "i32"
        full = f"{name}.v{kind.count}{suffix}" if isinstance(kind, ir.VectorType) else f"{name}.{suffix}"
        declared = builder.module.globals.get(full)
        if declared is None:
            declared = ir.Function(builder.module, ir.FunctionType(kind, [kind] * len(values)), full)
        return builder.call(declared, values)

    return emit


def _cast(name: str, one: Any) -> Emit:
    """A conversion to another type of as many."""
    return lambda b, x: getattr(b, name)(x, ir.VectorType(one, x.type.count) if hasattr(x.type, "count") else one)


def fma(x, y, z):
    """x*y + z in float32, rounded once."""
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
    """An int32 of a lower half x and an upper half y."""
    return np.int32(((int(x) & 0xFFFF | int(y) << 16) + 2**31) % 2**32 - 2**31)


def bit(x, y):
    """Is bit y of an int32 set?"""
    return (int(x) >> int(y)) & 1 == 1


def with_bit(x, y):
    """An int32 with bit y set."""
    return np.int32(((int(x) | 1 << int(y)) + 2**31) % 2**32 - 2**31)


def _byte(b: Any, x: Any, y: Any) -> Any:
    return b.ashr(b.shl(x, b.sub(_same(x, 24), y)), _same(x, 24))


def _same(x: Any, value: int) -> Any:
    """A constant of the type of x."""
    return ir.Constant(x.type, [value] * x.type.count if isinstance(x.type, ir.VectorType) else value)


def _bit(b: Any, x: Any, y: Any) -> Any:
    return b.trunc(
        b.lshr(x, y), ir.VectorType(ir.IntType(1), x.type.count) if hasattr(x.type, "count") else ir.IntType(1)
    )


_compile(fma, "float float float float", _call("llvm.fma"))
_compile(floor, "float float", _call("llvm.floor"))
_compile(sqrt, "float float", _call("llvm.sqrt"))
_compile(to_int, "int float", _cast("fptosi", ir.IntType(32)))
_compile(to_float, "float int", _cast("sitofp", ir.FloatType()))
_compile(bits_of, "int float", _cast("bitcast", ir.IntType(32)))
_compile(float_from_bits, "float int", _cast("bitcast", ir.FloatType()))
_compile(add_u32, "word word word", lambda b, x, y: b.add(x, y))
_compile(xor_u32, "word word word", lambda b, x, y: b.xor(x, y))
_compile(rotate_u32, "word word word", lambda b, x, y: _call("llvm.fshl")(b, x, x, y))
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
