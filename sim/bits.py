"""Operations on 32 bits that give the same bits compiled, as plain Python, on every processor and vector width.

Each is a plain Python function; compiled code runs the one machine instruction named beside it instead.
Numba alone would widen 32-bit integers to 64 and has no fused multiply-add.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

f32, i32, u32 = types.float32, types.int32, types.uint32
FLOAT, INT = ir.FloatType(), ir.IntType(32)
Emit = Callable[..., Any]


def _compile1(python: Any, result: Any, a: Any, emit: Emit) -> None:
    @intrinsic
    def instruction(typing, x):
        return result(a), lambda context, builder, signature, values: emit(builder, *values)

    overload(python, jit_options={"forceinline": True})(lambda x: lambda x: instruction(x))


def _compile2(python: Any, result: Any, a: Any, emit: Emit) -> None:
    @intrinsic
    def instruction(typing, x, y):
        return result(a, a), lambda context, builder, signature, values: emit(builder, *values)

    overload(python, jit_options={"forceinline": True})(lambda x, y: lambda x, y: instruction(x, y))


def _compile3(python: Any, result: Any, a: Any, emit: Emit) -> None:
    @intrinsic
    def instruction(typing, x, y, z):
        return result(a, a, a), lambda context, builder, signature, values: emit(builder, *values)

    overload(python, jit_options={"forceinline": True})(lambda x, y, z: lambda x, y, z: instruction(x, y, z))


def _call(name: str, kind: Any, arguments: int) -> Emit:
    def emit(builder: Any, *values: Any) -> Any:
        declared = builder.module.declare_intrinsic(name, [kind], ir.FunctionType(kind, [kind] * arguments))
        return builder.call(declared, values)

    return emit


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


def root(x):
    """Square root in float32, correctly rounded."""
    return np.sqrt(np.float32(x))


def to_int(x):
    """A whole float32 as int32."""
    return np.int32(x)


def to_float(x):
    """An int32 as float32."""
    return np.float32(x)


def int_of(x):
    """The bits of a float32, as int32."""
    return np.float32(x).view(np.int32)


def float_of(x):
    """The float32 with the bits of an int32."""
    return np.int32(x).view(np.float32)


def add(x, y):
    """x + y modulo 2**32."""
    return np.uint32((int(x) + int(y)) & 0xFFFFFFFF)


def xor(x, y):
    """Bitwise exclusive or of 32 bits."""
    return np.uint32(int(x) ^ int(y))


def rotate(x, y):
    """32 bits rotated left by y."""
    return np.uint32((int(x) << int(y) | int(x) >> (32 - int(y))) & 0xFFFFFFFF)


def right(x, y):
    """32 bits shifted right by y, as a small int32."""
    return np.int32(int(x) >> int(y))


def iadd(x, y):
    """x + y in int32."""
    return np.int32((int(x) + int(y) + 2**31) % 2**32 - 2**31)


def ishift(x, y):
    """An int32 shifted left by y."""
    return np.int32(((int(x) << int(y)) + 2**31) % 2**32 - 2**31)


def iright(x, y):
    """An int32 shifted right by y, sign kept."""
    return np.int32(int(x) >> int(y))


_compile3(fma, f32, f32, _call("llvm.fma", FLOAT, 3))
_compile1(floor, f32, f32, _call("llvm.floor", FLOAT, 1))
_compile1(root, f32, f32, _call("llvm.sqrt", FLOAT, 1))
_compile1(to_int, i32, f32, lambda b, x: b.fptosi(x, INT))
_compile1(to_float, f32, i32, lambda b, x: b.sitofp(x, FLOAT))
_compile1(int_of, i32, f32, lambda b, x: b.bitcast(x, INT))
_compile1(float_of, f32, i32, lambda b, x: b.bitcast(x, FLOAT))
_compile2(add, u32, u32, lambda b, x, y: b.add(x, y))
_compile2(xor, u32, u32, lambda b, x, y: b.xor(x, y))
_compile2(
    rotate,
    u32,
    u32,
    lambda b, x, y: b.call(b.module.declare_intrinsic("llvm.fshl", [INT], ir.FunctionType(INT, [INT] * 3)), [x, x, y]),
)
_compile2(right, i32, u32, lambda b, x, y: b.lshr(x, y))
_compile2(iadd, i32, i32, lambda b, x, y: b.add(x, y))
_compile2(ishift, i32, i32, lambda b, x, y: b.shl(x, y))
_compile2(iright, i32, i32, lambda b, x, y: b.ashr(x, y))
