"""Compiling: which functions become machine code, with which options, and where the result is cached."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from numba import config, njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.registry import CPUDispatcher

from sim.compute.cache import private_folder

COMPILED = (
    "compute/*.py",
    "model/*.py",
    "model/rules/*.py",
    "measure/tally.py",
    "engine/kernel.py",
    "engine/workspace.py",
)


CHECKED = os.environ.get("STICKINESS_CHECKED", "0") not in ("", "0")  # slow and loud, see `checked`


def _cache_folder() -> str | None:
    """Where compiled rules are kept, if anywhere: a folder named after the sources of all compiled rooms.

    Numba looks at a function's own file only; a rule that changes must also renew the engine that contains it.
    """
    here = Path(__file__).parents[1]
    sources = hashlib.sha256(b"".join(p.read_bytes() for part in COMPILED for p in sorted(here.glob(part))))
    folder = private_folder(f"{'checked' if CHECKED else 'kernel'}-{sources.hexdigest()[:12]}")
    return None if folder is None else str(folder)


CACHE = _cache_folder()


config.CACHE_DIR = CACHE or config.CACHE_DIR


class _Ingredient(JITCodeLibrary):
    """Code that goes into other code only: it is optimized with that, and never becomes machine code of its own."""

    codegen: Any = SimpleNamespace(set_env=lambda name, environment: None)  # nobody runs it, so it needs none

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


class _Part(CompilerBase):
    """Compiles a rule for those that call it only."""

    def define_pipelines(self):
        self.state.library = _Ingredient(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


class _Rule(CPUDispatcher):
    """A compiled function that only compiled functions call."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        raise TypeError(f"{self.__name__} has no entry from Python: call it from a compiled function, or its .py_func")


# Without reference counting (_nrt=False): the rules only borrow arrays, and counting cost more than living.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False}


entry_point = njit(cache=CACHE is not None, no_cfunc_wrapper=True, **OPTIONS)  # what Python calls


def device_function(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a function together with each `entry_point` that leads to it; in plain Python it stays what it is."""
    options |= {"pipeline_class": _Part, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled = njit(**OPTIONS, **options)(function)
    if isinstance(compiled, CPUDispatcher):
        compiled.__class__ = _Rule
    return compiled


def inlined(function: Callable[..., Any]) -> Any:
    """A `device_function` compiled in place, for functions that are passed many arrays, unlike the draws."""
    return device_function(function, forceinline=True)
