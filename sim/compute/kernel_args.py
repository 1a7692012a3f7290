"""Arguments of compiled code: arrays described once in memory, and passed as one address.

Numba unpacks every array at each call from Python, which takes longer than one person's week, and it copies the
description of each array wherever a compiled function calls another, which took a third of the time to compile.
Compiled code reads each array descriptor through this one pointer instead.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from llvmlite import ir
from numba import typeof, types
from numba.extending import NativeValue, infer_getattr, lower_getattr_generic, models, register_model, unbox

from sim.compute.numba_private import AttributeTemplate, array_words
from sim.compute.simd import INT32


class KernelArgs:
    """A named tuple of arrays and of such tuples, kept in memory together with the address of its description.

    In plain Python its fields are those of the tuple; in compiled code a tuple among them is a KernelArgs too.
    """

    def __init__(self, fields: Any):
        self.fields = fields
        self._description = np.array(_described(fields), np.int64)
        self.address = self._description.ctypes.data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["fields"], name)

    @cached_property
    def _numba_type_(self) -> Any:
        kind = _kind(self.fields)
        if kind not in _TYPES:  # typeof is slow
            _TYPES[kind] = KernelArgsType(_typed(self.fields))
        return _TYPES[kind]


_TYPES: dict[Any, Any] = {}


def _kind(thing: Any) -> Any:
    """What numba's type depends on, as a key of _TYPES."""
    if isinstance(thing, tuple):
        return type(thing), *map(_kind, thing)
    return thing.dtype, thing.ndim, _packed(thing), thing.flags.writeable, thing.flags.aligned


def _packed(array: np.ndarray) -> bool:
    """Is the array contiguous? NumPy also says so of a slice with a single row, which would get another type."""
    if array.flags.c_contiguous and array.size and 1 not in array.shape:
        return True
    step, packed = array.itemsize, True
    for many, stride in zip(reversed(array.shape), reversed(array.strides), strict=True):
        packed = packed and stride == step
        step *= max(1, many)
    return array.size == 0 or packed


def _typed(thing: Any) -> Any:
    """Numba's type of an array or a tuple."""
    if isinstance(thing, tuple):
        return types.BaseTuple.from_types([_typed(part) for part in thing], type(thing))
    return typeof(thing) if _packed(thing) else typeof(thing).copy(layout="A")


def _described(thing: Any) -> Sequence[int]:
    """The descriptors of all arrays, one after another, a word each."""
    if not isinstance(thing, tuple):
        return array_words(thing)
    return [word for part in thing for word in _described(part)]


class KernelArgsType(types.Type):
    """Numba's type of KernelArgs; its value is the address of the description."""

    def __init__(self, layout: types.BaseTuple):
        self.layout = layout
        self.parts = [KernelArgsType(t) if isinstance(t, types.BaseTuple) else t for t in layout]
        super().__init__(name=f"arguments of {layout}")


@register_model(KernelArgsType)
class _KernelArgsModel(models.OpaqueModel):
    pass


@unbox(KernelArgsType)
def _unbox(kind: KernelArgsType, arguments: ir.Value, context: Any) -> NativeValue:
    number = context.pyapi.object_getattr_string(arguments, "address")
    address = context.pyapi.long_as_voidptr(number)
    context.pyapi.decref(number)
    return NativeValue(address)


def _part(context: Any, builder: ir.IRBuilder, arguments: KernelArgsType, address: ir.Value, n: int) -> ir.Value:
    """Field number n: an array, or the address at which the description of a tuple begins."""
    layout = builder.bitcast(address, context.get_data_type(arguments.layout).as_pointer())
    part = builder.gep(layout, [INT32(0), INT32(n)], inbounds=True)
    if isinstance(arguments.parts[n], KernelArgsType):
        return builder.bitcast(part, address.type)
    return _read(builder, part)


def _read(builder: ir.IRBuilder, address: ir.Value) -> ir.Value:
    """The value at an address, word by word; it never changes, so the optimizer may read it at any time."""
    kind = address.type.pointee
    if not isinstance(kind, ir.Aggregate):
        word = builder.load(address)
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
        return word
    value = ir.Constant(kind, ir.Undefined)
    for k in range(len(kind)):
        part = builder.gep(address, [INT32(0), INT32(k)], inbounds=True)
        value = builder.insert_value(value, _read(builder, part), k)
    return value


@infer_getattr
class _FieldTypes(AttributeTemplate):
    key = KernelArgsType

    def generic_resolve(self, arguments: KernelArgsType, name: str) -> types.Type | None:
        return dict(zip(arguments.layout.fields, arguments.parts, strict=True)).get(name)


@lower_getattr_generic(KernelArgsType)
def _field(context: Any, builder: ir.IRBuilder, arguments: KernelArgsType, address: ir.Value, name: str) -> ir.Value:
    return _part(context, builder, arguments, address, arguments.layout.fields.index(name))
