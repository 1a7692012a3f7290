"""Arrays lent to compiled code: described once, for as many calls as there will be.

Numba unpacks every array of its arguments at every call, which takes longer than one person's week, and compiles the
unpacking into every entry.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numba import typeof, types
from numba.core.datamodel import models, register_default
from numba.core.typing.templates import signature
from numba.extending import NativeValue, unbox

from sim.lanes import compiled


class Loan:
    """Arrays, or tuples of arrays, and where it is described in memory how compiled code would hold them."""

    def __init__(self, *things: Any):
        self.things = things
        self._description = np.array([*_described(things)], np.int64)
        self.address = self._description.ctypes.data

    @cached_property
    def _numba_type_(self) -> Any:
        return LoanType(typeof(self.things))


def _described(thing: Any) -> Iterator[int]:
    """What compiled code knows of arrays (numba's `ArrayModel`), a word each; nobody counts who borrows them."""
    if isinstance(thing, tuple):
        for part in thing:
            yield from _described(part)
    else:
        yield from (0, 0, thing.size, thing.itemsize, thing.ctypes.data, *thing.shape, *thing.strides)


def borrowed(loan):
    """The things that are lent."""
    return loan.things


class LoanType(types.Type):
    """A loan of things of a type; its value is the address of their description."""

    def __init__(self, things: Any):
        self.things = things
        super().__init__(name=f"loan of {things}")


@register_default(LoanType)
class _LoanModel(models.OpaqueModel):
    pass


@unbox(LoanType)
def _address(kind: Any, loan: Any, context: Any) -> Any:
    number = context.pyapi.object_getattr_string(loan, "address")
    address = context.pyapi.long_as_voidptr(number)
    context.pyapi.decref(number)
    return NativeValue(address)


def _borrowed(context: Any, builder: Any, sig: Any, values: Any) -> Any:
    model = context.data_model_manager[sig.return_type]
    return model.load_from_data_pointer(builder, builder.bitcast(values[0], model.get_data_type().as_pointer()))


compiled(borrowed, lambda context, loan: signature(loan.things, loan), _borrowed)
