"""Arrays lent to compiled code: described once in memory, for as many calls as there will be.

Numba unpacks each array of its arguments at every call from Python, which takes longer than one person's week, and has
compiled code hand each on, word by word, wherever a rule calls a rule, which took a third of the time to compile. A
loan is one address: whoever needs an array reads there where it lies.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from llvmlite import ir
from numba import typeof, types
from numba.core import cgutils
from numba.core.datamodel import models, register_default
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, unbox


class KernelArgs:
    """A named tuple of arrays and of such tuples, and the address at which it is described: both live as long as this.

    In plain Python its fields are those of the tuple; compiled, a tuple among them is itself a loan.
    """

    def __init__(self, things: Any):
        self.things = things
        self._description = np.array([*_described(things)], np.int64)
        self.address = self._description.ctypes.data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["things"], name)

    @cached_property
    def _numba_type_(self) -> Any:
        kind = _kind(self.things)
        if kind not in _TYPES:  # numba is slow to say
            _TYPES[kind] = KernelArgsType(_typed(self.things))
        return _TYPES[kind]


_TYPES: dict[Any, Any] = {}


def _kind(thing: Any) -> Any:
    """What decides how compiled code sees a thing."""
    if isinstance(thing, tuple):
        return type(thing), *map(_kind, thing)
    return thing.dtype, thing.ndim, _packed(thing), thing.flags.writeable, thing.flags.aligned


def _packed(array: np.ndarray) -> bool:
    """Does each row follow the one before? NumPy says so of every single row, which would be a type of its own."""
    steps = np.cumprod([array.itemsize, *(max(1, n) for n in array.shape[:0:-1])])
    return array.size == 0 or array.strides == tuple(int(n) for n in steps[::-1])


def _typed(thing: Any) -> Any:
    """Numba's type of a thing."""
    if isinstance(thing, tuple):
        return types.BaseTuple.from_types([_typed(part) for part in thing], type(thing))
    return typeof(thing) if _packed(thing) else typeof(thing).copy(layout="A")


def _described(thing: Any) -> Iterator[int]:
    """What compiled code knows of an array (numba's `ArrayModel`), a word each; nobody counts who borrows it."""
    if isinstance(thing, tuple):
        for part in thing:
            yield from _described(part)
    else:
        yield from (0, 0, thing.size, thing.itemsize, thing.ctypes.data, *thing.shape, *thing.strides)


class KernelArgsType(types.Type):
    """A loan of a tuple of things; its value is the address of their description."""

    def __init__(self, things: Any):
        self.things = things
        self.parts = [KernelArgsType(t) if isinstance(t, types.BaseTuple) else t for t in things]
        super().__init__(name=f"loan of {things}")


@register_default(KernelArgsType)
class _KernelArgsModel(models.OpaqueModel):
    pass


@unbox(KernelArgsType)
def _address(kind: Any, arguments: Any, context: Any) -> Any:
    number = context.pyapi.object_getattr_string(arguments, "address")
    address = context.pyapi.long_as_voidptr(number)
    context.pyapi.decref(number)
    return NativeValue(address)


def _part(context: Any, builder: Any, arguments: Any, address: Any, place: int) -> Any:
    things = builder.bitcast(address, context.get_data_type(arguments.things).as_pointer())
    part = cgutils.gep_inbounds(builder, things, 0, place)
    return (
        builder.bitcast(part, address.type)
        if isinstance(arguments.parts[place], KernelArgsType)
        else _read(builder, part)
    )


def _read(builder: Any, place: Any) -> Any:
    """A value, word by word, and the optimizer's leave to read it when and as often as it likes: it does not change."""
    kind = place.type.pointee
    if not isinstance(kind, ir.Aggregate):
        word = builder.load(place)
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
        return word
    value = ir.Constant(kind, ir.Undefined)
    for k in range(len(kind)):
        value = builder.insert_value(value, _read(builder, cgutils.gep_inbounds(builder, place, 0, k)), k)
    return value


@infer_getattr
class _Names(AttributeTemplate):
    key = KernelArgsType

    def generic_resolve(self, arguments: Any, name: str) -> Any:
        return dict(zip(arguments.things.fields, arguments.parts, strict=True)).get(name)


@lower_getattr_generic(KernelArgsType)
def _named(context: Any, builder: Any, arguments: Any, address: Any, name: str) -> Any:
    return _part(context, builder, arguments, address, arguments.things.fields.index(name))
