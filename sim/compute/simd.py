"""A vector type for compiled code: one number for each of WIDTH people, side by side in the registers (SIMD).

A rule is written once, for one person, with operators, comparisons and `select`. Indexed by a plain row it works on one
person, indexed by `lanes(n)` on WIDTH people at a time; only the first n of them count, the other lanes repeat the
first. Every operation is exact or correctly rounded, so a vector gives the same bits as one person after another.
"""

import inspect
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, lower_builtin, lower_cast, models, register_model, type_callable

from sim.compute.numba_private import SAFE

WIDTH = 16
Emit = Callable[..., ir.Value]  # (builder, *values) -> value
ELEMENT = {"float": ir.FloatType(), "int": ir.IntType(32), "word": ir.IntType(32), "mask": ir.IntType(1)}
SCALAR = {"float": types.float32, "int": types.int32, "word": types.uint32, "mask": types.boolean}
KIND = {types.float32: "float", types.int32: "int", types.uint32: "word"}
INT8, INT32, INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


class Vector(types.Type):
    """WIDTH numbers of one kind: float32 (`float`), int32 (`int`), uint32 (`word`) or truth values (`mask`)."""

    def __init__(self, kind: str):
        self.kind = kind
        super().__init__(name=f"vector_{kind}")

    def unify(self, context: Any, other: types.Type) -> types.Type | None:
        """A variable that is a number on one path and a vector on another is a vector."""
        return self if isinstance(other, types.Number | types.Boolean) else None

    def can_convert_from(self, context: Any, other: types.Type) -> Any:
        """A number may stand where a vector is wanted: all lanes get it."""
        return SAFE if isinstance(other, types.Number | types.Boolean) else None


class LaneIndex(types.Type):
    """The index of WIDTH people; its value is how many of them count."""

    def __init__(self) -> None:
        super().__init__(name="lane_index")


LANE_INDEX = LaneIndex()
INDEX = {1: LANE_INDEX, 2: types.Tuple((types.intp, LANE_INDEX))}


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector):
        super().__init__(manager, kind, llvm_vector(kind.kind))


@register_model(LaneIndex)
class _LaneIndexModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: LaneIndex):
        super().__init__(manager, kind, INT64)


def llvm_vector(kind: str) -> ir.VectorType:
    """LLVM's type of a vector."""
    return ir.VectorType(ELEMENT[kind], WIDTH)


def joint_kind(*kinds: types.Type) -> str | None:
    """The kind of the first vector among the types of operands; None if there is none, or a type that is no number."""
    found = [t.kind for t in kinds if isinstance(t, Vector)]
    numbers = all(isinstance(t, Vector | types.Number | types.Boolean) for t in kinds)
    return found[0] if found and numbers else None


def broadcast(context: Any, builder: ir.IRBuilder, value: ir.Value, kind: types.Type, to: str) -> ir.Value:
    """The vector of kind `to` with a number in all lanes; a vector is returned as it is."""
    if isinstance(kind, Vector):
        return value
    value = context.cast(builder, value, kind, SCALAR[to])
    if value.type != ELEMENT[to]:  # numba keeps a truth value in a byte
        value = builder.trunc(value, ELEMENT[to])
    undefined = ir.Constant(llvm_vector(to), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(INT32, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(INT32, WIDTH), [0] * WIDTH))


def compiled(python: Callable[..., Any], typed: Callable[..., Any], code: Callable[..., ir.Value]) -> None:
    """Compile calls of `python` in place: `typed` gives the signature of a call, `code` its instructions.

    An `overload` would be a function of its own, compiled again for all types it is called with.
    """

    _type_call(python, typed)
    lower_builtin(python, types.VarArg(types.Any))(code)


def _type_call(python: Callable[..., Any], typed: Callable[..., Any]) -> None:
    """Tell numba that `typed(context, *types of arguments)` gives the signature of a call, or None."""

    @type_callable(python)
    def _(context: Any) -> Callable[..., Any]:
        def signature(*arguments: types.Type) -> Any:
            return typed(context, *arguments)

        signature.__signature__ = parameters  # type: ignore[attr-defined]  # numba wants the names of the parameters
        return signature

    parameters = inspect.signature(python)


def _operator(emit: dict[str, Emit], result: str, *functions: Callable[..., Any]) -> None:
    """Compile operators on vectors: `emit` gives the instruction for each kind, `result` the kind if it is another."""

    def typed(context: Any, *operands: types.Type) -> Any:
        kind = joint_kind(*operands)
        return Vector(result or kind)(*operands) if kind in emit else None

    def code(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
        kind = joint_kind(*sig.args) or ""
        operands = (broadcast(context, builder, v, t, kind) for v, t in zip(values, sig.args, strict=True))
        return emit[kind](builder, *operands)

    for function in functions:
        _type_call(function, typed)
        lower_builtin(function, Vector, Vector)(code)
        lower_builtin(function, Vector)(code)
        for number in (types.Number, types.Boolean):
            lower_builtin(function, Vector, number)(code)
            lower_builtin(function, number, Vector)(code)


def _integer(name: str, kinds: str = "int word") -> dict[str, Emit]:
    return {kind: lambda b, *v: getattr(b, name)(*v) for kind in kinds.split()}


def _float(name: str) -> dict[str, Emit]:
    return {"float": lambda b, *v: getattr(b, name)(*v)}


def _comparison(sign: str) -> dict[str, Emit]:
    return {
        "float": lambda b, x, y: b.fcmp_ordered(sign, x, y),
        "int": lambda b, x, y: b.icmp_signed(sign, x, y),
        "word": lambda b, x, y: b.icmp_unsigned(sign, x, y),
    }


_operator(_float("fadd") | _integer("add"), "", operator.add, operator.iadd)
_operator(_float("fsub") | _integer("sub"), "", operator.sub, operator.isub)
_operator(_float("fmul") | _integer("mul"), "", operator.mul, operator.imul)
_operator(_float("fdiv"), "", operator.truediv, operator.itruediv)
_operator(_float("fneg") | _integer("neg"), "", operator.neg)
_operator(_integer("and_", "int word mask"), "", operator.and_, operator.iand)
_operator(_integer("or_", "int word mask"), "", operator.or_, operator.ior)
for _sign in ("lt <", "le <=", "gt >", "ge >=", "eq ==", "ne !="):
    _name, _symbol = _sign.split()
    _operator(_comparison(_symbol), "mask", getattr(operator, _name))


@lower_cast(types.Number, Vector)
@lower_cast(types.Boolean, Vector)
def _cast(context: Any, builder: ir.IRBuilder, one: types.Type, many: Vector, value: ir.Value) -> ir.Value:
    return broadcast(context, builder, value, one, many.kind)


def select(when, yes, no):
    """`yes if when else no`, with both computed; each lane gets its own.

    >>> select(2 > 1, 10, 20)
    10
    """
    return yes if when else no


def any_lane(when):
    """Is it true in any lane that counts? (Of a number: is it true?)"""
    return when


def logical_not(when):
    """Is it not true? In each lane, of a mask."""
    return not when


def _kind(yes: types.Type, no: types.Type) -> str:
    return joint_kind(yes, no) or KIND.get(yes) or KIND.get(no) or ("mask" if yes == types.boolean else "int")


def _type_select(context: Any, when: types.Type, yes: types.Type, no: types.Type) -> Any:
    if joint_kind(when, yes, no):
        return Vector(_kind(yes, no))(when, yes, no)
    either = context.unify_types(yes, no)
    return either(types.boolean, either, either)


def _select(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
    when, *both = values
    if isinstance(sig.return_type, Vector):
        kind = sig.return_type.kind
        both = [broadcast(context, builder, v, t, kind) for v, t in zip(both, sig.args[1:], strict=True)]
    return builder.select(when, *both)


def _any_lane(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
    if sig.args[0] == types.boolean:
        return values[0]
    bits = builder.bitcast(values[0], ir.IntType(WIDTH))
    return builder.icmp_unsigned("!=", bits, bits.type(0))


def _logical_not(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
    return builder.not_(values[0])


def _truth(kind: types.Type) -> types.Type:
    return kind if joint_kind(kind) else types.boolean


compiled(select, _type_select, _select)
compiled(any_lane, lambda context, when: types.boolean(_truth(when)), _any_lane)
compiled(logical_not, lambda context, when: _truth(when)(_truth(when)), _logical_not)


@intrinsic
def lanes(typing, people):
    """The index of WIDTH people side by side, of whom the first `people` count."""
    return LANE_INDEX(types.int64), lambda context, builder, sig, values: values[0]


@intrinsic
def mask_bits(typing, when):
    """A mask as the WIDTH lowest bits of an int64."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
        return builder.zext(builder.bitcast(values[0], ir.IntType(WIDTH)), INT64)

    return types.int64(when), code


def count_trailing_zeros(bits):
    """The place of the lowest bit that is set in an int64.

    >>> count_trailing_zeros(40)
    3
    """
    return (int(bits) & -int(bits)).bit_length() - 1


def _count_trailing_zeros(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
    count = builder.module.declare_intrinsic("llvm.cttz", [INT64], ir.FunctionType(INT64, [INT64, ELEMENT["mask"]]))
    return builder.call(count, [values[0], ELEMENT["mask"](0)])


compiled(count_trailing_zeros, lambda context, bits: types.int64(types.int64), _count_trailing_zeros)


def _by_lanes(array: types.Type, index: types.Type) -> bool:
    last = index[-1] if isinstance(index, types.BaseTuple) else index
    return isinstance(array, types.Array) and isinstance(last, LaneIndex)


@type_callable(operator.getitem)
def _type_get(context: Any) -> Callable[..., Any]:
    return lambda array, index: Vector(KIND[array.dtype])(array, INDEX[array.ndim]) if _by_lanes(array, index) else None


@type_callable(operator.setitem)
def _type_set(context: Any) -> Callable[..., Any]:
    return lambda array, index, value: types.none(array, INDEX[array.ndim], value) if _by_lanes(array, index) else None


def _address(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value], kind: str) -> ir.Value:
    """Where the WIDTH numbers of an array, or of a row of it, begin."""
    array = context.make_array(sig.args[0])(context, builder, values[0])
    address = builder.bitcast(array.data, INT8.as_pointer())
    if sig.args[0].ndim == 2:
        row, stride = builder.extract_value(values[1], 0), builder.extract_value(array.strides, 0)
        address = builder.gep(address, [builder.mul(row, stride)])
    return builder.bitcast(address, llvm_vector(kind).as_pointer())


def _get(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
    return builder.load(_address(context, builder, sig, values, sig.return_type.kind), align=4)


def _set(context: Any, builder: ir.IRBuilder, sig: Any, values: list[ir.Value]) -> ir.Value:
    kind = KIND[sig.args[0].dtype]
    vector = broadcast(context, builder, values[2], sig.args[2], kind)
    builder.store(vector, _address(context, builder, sig, values, kind), align=4)
    return context.get_dummy_value()


for _index in INDEX.values():
    lower_builtin(operator.getitem, types.Array, _index)(_get)
    lower_builtin(operator.setitem, types.Array, _index, types.Any)(_set)
