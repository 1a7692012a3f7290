"""Everything private that this package uses of numba, in one place.

The rest of sim/compute uses `numba.extending`. When a new release of numba breaks a line here, do this:

- `Unfinished`, `DeviceCompiler`, `DeviceDispatcher`: delete them, and let `device_function` in jit.py call
  `njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS, **options)`. Results and speed stay the same; the
  first run compiles for about 22 s of CPU time instead of 12.
- `OPTIONS`: an unknown option is an error at import; delete it. Results stay the same, the simulation gets slower.
- `AttributeTemplate`: its public form is one `overload_attribute` per field of `KernelArgs`; it compiles longer.
- `SAFE`: the value that `can_convert_from` returns for a conversion that loses nothing.
- `direct_call`: return the dispatcher itself; a call from Python for one person then takes about 3 us instead of 1.3.
- `array_words`: follow the order of the fields in numba's `ArrayModel`.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import config, typeof
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.registry import CPUDispatcher
from numba.core.typeconv import Conversion
from numba.core.typing.templates import AttributeTemplate

__all__ = ["OPTIONS", "SAFE", "AttributeTemplate", "array_words", "compile_unfinished", "direct_call"]

SAFE = Conversion.safe

# `_nrt` off: the rules keep no reference to an array, and counting references takes longer than a person's week.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False}


class Unfinished(JITCodeLibrary):
    """A library that is only linked into others: it is optimized there, and never becomes machine code by itself."""

    codegen: Any = SimpleNamespace(set_env=lambda name, environment: None)  # it is never run, so it needs none

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


class DeviceCompiler(CompilerBase):
    """Compiles a function into an `Unfinished` library."""

    def define_pipelines(self) -> list[Any]:
        """The default passes, with another library to write to."""
        self.state.library = Unfinished(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


class DeviceDispatcher(CPUDispatcher):
    """A compiled function that only compiled functions can call."""

    def __call__(self, *arguments: object, **named: object) -> None:
        """Always a TypeError, for there is no machine code to call."""
        raise TypeError(f"{self.__name__} has no entry from Python: call it from a compiled function, or its .py_func")


def compile_unfinished(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a function for its compiled callers only; with NUMBA_DISABLE_JIT it is returned as it is."""
    from numba import njit

    compiled = njit(
        pipeline_class=DeviceCompiler, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS, **options
    )(function)
    if isinstance(compiled, CPUDispatcher):
        compiled.__class__ = DeviceDispatcher
    return compiled


def direct_call(entry: Any, arguments: tuple[Any, ...]) -> Callable[..., None]:
    """The machine code of an `entry_point` for arguments of these types: a call skips the look-up of types."""
    if config.DISABLE_JIT:
        return entry
    kinds = tuple(typeof(argument) for argument in arguments)
    if kinds not in entry.overloads:
        entry.compile(kinds)
    found: Callable[..., None] = entry.overloads[kinds].entry_point
    return found


def array_words(array: np.ndarray) -> tuple[int, ...]:
    """The words of numba's `ArrayModel`: no owner, size, size of an item, address, shape, strides."""
    return (0, 0, array.size, array.itemsize, array.ctypes.data, *array.shape, *array.strides)
