"""Sixteen people at once: a compiled type whose value is one number of each of sixteen people, side by side.

A rule is written for one person, in operators, comparisons and `select`; indexed by a plain row it is lived by one
person, indexed by `lanes(n)` by sixteen, in the machine's vector registers (two or four of them where they are
narrower). Of the sixteen only the first n are people; the others repeat the first. Every operation is exact or
correctly rounded, so that sixteen at once get the same bits as sixteen one by one.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models, register_default
from numba.core.imputils import lower_builtin, lower_cast
from numba.core.typeconv import Conversion
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic

WIDTH = 16
Emit = Callable[..., Any]
ELEMENT = {"float": ir.FloatType(), "int": ir.IntType(32), "word": ir.IntType(32), "mask": ir.IntType(1)}
ONE = {"float": types.float32, "int": types.int32, "word": types.uint32, "mask": types.boolean}
KIND = {types.float32: "float", types.int32: "int", types.uint32: "word"}
INT32, INT64 = ir.IntType(32), ir.IntType(64)


class Vector(types.Type):
    """Sixteen float32, int32, uint32 (`word`) or truths (`mask`)."""

    def __init__(self, kind: str):
        self.kind = kind
        super().__init__(name=f"lanes_{kind}")

    def unify(self, context: Any, other: Any) -> Any:
        """A variable that is one number here and sixteen there is sixteen."""
        return self if isinstance(other, types.Number | types.Boolean) else None

    def can_convert_from(self, context: Any, other: Any) -> Any:
        """One number may stand for sixteen equal ones."""
        return Conversion.safe if isinstance(other, types.Number | types.Boolean) else None


class LaneIndex(types.Type):
    """The index of sixteen people; its value is how many of them there are."""

    def __init__(self) -> None:
        super().__init__(name="sixteen")


LANE_INDEX = LaneIndex()
INDEX = {1: LANE_INDEX, 2: types.Tuple((types.intp, LANE_INDEX))}


@register_default(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector):
        super().__init__(manager, kind, vector(kind.kind))


@register_default(LaneIndex)
class _LaneIndexModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: LaneIndex):
        super().__init__(manager, kind, INT64)


def vector(kind: str) -> Any:
    """The machine's type of sixteen."""
    return ir.VectorType(ELEMENT[kind], WIDTH)


def joint_kind(*kinds: Any) -> str | None:
    """What operands have in common if at least one is sixteen and none is anything but numbers."""
    found = [t.kind for t in kinds if isinstance(t, Vector)]
    plain = all(isinstance(t, Vector | types.Number | types.Boolean) for t in kinds)
    return found[0] if found and plain else None


def broadcast(context: Any, builder: Any, value: Any, kind: Any, to: str) -> Any:
    """Sixteen of a number, or the sixteen that it is."""
    if isinstance(kind, Vector):
        return value
    value = context.cast(builder, value, kind, ONE[to])
    if value.type != ELEMENT[to]:  # numba keeps a truth in a byte
        value = builder.trunc(value, ELEMENT[to])
    nothing = ir.Constant(vector(to), ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(INT32, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(INT32, WIDTH), [0] * WIDTH))


def shuffled(builder: Any, a: Any, b: Any, order: list[int]) -> Any:
    """The elements of a and b in an order."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, len(order)), order))


def compiled(python: Any, typed: Callable[..., Any], code: Emit) -> None:
    """Compile calls of `python` in place: `typed` gives a call's signature, `code` its instructions.

    As an `overload` it would be a function of its own, compiled anew for all types it is called with.
    """

    @infer_global(python)
    class _(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            return typed(self.context, *args)

    lower_builtin(python, types.VarArg(types.Any))(code)


# ---------------------------------------------------------------- operators


def _operator(emit: dict[str, Emit], result: str, *functions: Any) -> None:
    def code(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        kind = joint_kind(*sig.args) or ""
        pair = (broadcast(context, builder, v, t, kind) for v, t in zip(values, sig.args, strict=True))
        return emit[kind](builder, *pair)

    for function in functions:

        @infer_global(function)
        class _(AbstractTemplate):
            def generic(self, args: Any, kws: Any) -> Any:
                kind = joint_kind(*args)
                return signature(Vector(result or kind), *args) if kind in emit else None

        lower_builtin(function, Vector, Vector)(code)
        lower_builtin(function, Vector)(code)
        for number in (types.Number, types.Boolean):
            lower_builtin(function, Vector, number)(code)
            lower_builtin(function, number, Vector)(code)


def _whole(name: str, kinds: str = "int word") -> dict[str, Emit]:
    return {kind: lambda b, *v: getattr(b, name)(*v) for kind in kinds.split()}


def _real(name: str) -> dict[str, Emit]:
    return {"float": lambda b, *v: getattr(b, name)(*v)}


def _order(sign: str) -> dict[str, Emit]:
    return {
        "float": lambda b, x, y: b.fcmp_ordered(sign, x, y),
        "int": lambda b, x, y: b.icmp_signed(sign, x, y),
        "word": lambda b, x, y: b.icmp_unsigned(sign, x, y),
    }


_operator(_real("fadd") | _whole("add"), "", operator.add, operator.iadd)
_operator(_real("fsub") | _whole("sub"), "", operator.sub, operator.isub)
_operator(_real("fmul") | _whole("mul"), "", operator.mul, operator.imul)
_operator(_real("fdiv"), "", operator.truediv, operator.itruediv)
_operator(_real("fneg") | _whole("neg"), "", operator.neg)
_operator(_whole("and_", "int word mask"), "", operator.and_, operator.iand)
_operator(_whole("or_", "int word mask"), "", operator.or_, operator.ior)
for _sign in ("lt <", "le <=", "gt >", "ge >=", "eq ==", "ne !="):
    _name, _symbol = _sign.split()
    _operator(_order(_symbol), "mask", getattr(operator, _name))


@lower_cast(types.Number, Vector)
@lower_cast(types.Boolean, Vector)
def _cast(context: Any, builder: Any, one: Any, many: Any, value: Any) -> Any:
    return broadcast(context, builder, value, one, many.kind)


# ---------------------------------------------------------------- one choice, one question


def select(when, yes, logical_not):
    """`yes if when else logical_not`, both worked out; of sixteen people each gets their own."""
    return yes if when else logical_not


def any_lane(when):
    """Is it true of anyone?"""
    return when


def logical_not(when):
    """Is it not true?"""
    return not when


def _kind(yes: Any, other: Any) -> str:
    return joint_kind(yes, other) or KIND.get(yes) or KIND.get(other) or ("mask" if yes == types.boolean else "int")


def _choice(context: Any, when: Any, yes: Any, other: Any) -> Any:
    if joint_kind(when, yes, other):
        return signature(Vector(_kind(yes, other)), when, yes, other)
    either = context.unify_types(yes, other)
    return signature(either, types.boolean, either, either)


def _select(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    when, *both = values
    if isinstance(sig.return_type, Vector):
        both = [
            broadcast(context, builder, v, t, sig.return_type.kind) for v, t in zip(both, sig.args[1:], strict=True)
        ]
    return builder.select(when, *both)


def _any_lane(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    if sig.args[0] == types.boolean:
        return values[0]
    bits = builder.bitcast(values[0], ir.IntType(WIDTH))
    return builder.icmp_unsigned("!=", bits, bits.type(0))


def _logical_not(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    return builder.not_(values[0])


def _truth(kind: Any) -> Any:
    return kind if joint_kind(kind) else types.boolean


compiled(select, _choice, _select)
compiled(any_lane, lambda context, when: signature(types.boolean, _truth(when)), _any_lane)
compiled(logical_not, lambda context, when: signature(_truth(when), _truth(when)), _logical_not)


# ---------------------------------------------------------------- rows of sixteen


@intrinsic
def lanes(typing, people):
    """The index of sixteen people side by side, of whom the first `people` count."""
    return LANE_INDEX(types.int64), lambda context, builder, sig, values: values[0]


@intrinsic
def mask_bits(typing, when):
    """Sixteen truths as the sixteen lowest bits of an int64."""

    def code(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return builder.zext(builder.bitcast(values[0], ir.IntType(WIDTH)), INT64)

    return types.int64(when), code


def count_trailing_zeros(bits):
    """The place of the lowest bit that is set in an int64."""
    return (int(bits) & -int(bits)).bit_length() - 1


def _count_trailing_zeros(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    count = builder.module.declare_intrinsic("llvm.cttz", [INT64], ir.FunctionType(INT64, [INT64, ELEMENT["mask"]]))
    return builder.call(count, [values[0], ELEMENT["mask"](0)])


compiled(count_trailing_zeros, lambda context, bits: types.int64(types.int64), _count_trailing_zeros)


def _by_lanes(array: Any, index: Any) -> bool:
    last = index[-1] if isinstance(index, types.BaseTuple) else index
    return isinstance(array, types.Array) and isinstance(last, LaneIndex)


@infer_global(operator.getitem)
class _Get(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        array, index = args
        return signature(Vector(KIND[array.dtype]), array, INDEX[array.ndim]) if _by_lanes(array, index) else None


@infer_global(operator.setitem)
class _Set(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        array, index, value = args
        return signature(types.none, array, INDEX[array.ndim], value) if _by_lanes(array, index) else None


def _place(context: Any, builder: Any, sig: Any, values: Any, kind: str) -> Any:
    array = context.make_array(sig.args[0])(context, builder, values[0])
    place = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    if sig.args[0].ndim == 2:
        row, stride = builder.extract_value(values[1], 0), builder.extract_value(array.strides, 0)
        place = builder.gep(place, [builder.mul(row, stride)])
    return builder.bitcast(place, vector(kind).as_pointer())


def _get(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    place = _place(context, builder, sig, values, sig.return_type.kind)
    return builder.load(place, align=4)


def _set(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    kind = KIND[sig.args[0].dtype]
    builder.store(
        broadcast(context, builder, values[2], sig.args[2], kind), _place(context, builder, sig, values, kind), align=4
    )
    return context.get_dummy_value()


for _index in INDEX.values():
    lower_builtin(operator.getitem, types.Array, _index)(_get)
    lower_builtin(operator.setitem, types.Array, _index, types.Any)(_set)
