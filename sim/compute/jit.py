"""Compiles functions to machine code and says where the result is cached."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import config, njit

from sim.compute.cache import private_folder
from sim.compute.numba_private import OPTIONS, compile_unfinished

COMPILED = (
    "calibration/compiled/*.py",
    "compute/*.py",
    "model/*.py",
    "model/rules/*.py",
    "measure/tally.py",
    "measure/counting.py",
    "engine/buffers.py",
    "engine/kernel.py",
    "engine/schedule.py",
    "engine/single.py",
    "engine/workspace.py",
)
CHECKED = os.environ.get("STICKINESS_CHECKED", "0") not in ("", "0")  # slow, with all checks: see `engine.checks`
if CHECKED:
    OPTIONS["boundscheck"] = True


def _cache_folder() -> str | None:
    """The folder of compiled code, or None; it is named after the sources of everything that is compiled.

    Numba looks only at the file of the function itself; a changed rule must also renew the kernel that contains it.
    """
    package = Path(__file__).parents[1]
    sources = [path.read_bytes() for pattern in COMPILED for path in sorted(package.glob(pattern))]
    digest = hashlib.sha256(b"".join(sources)).hexdigest()
    folder = private_folder(f"{'checked' if CHECKED else 'kernel'}-{digest[:12]}")
    return None if folder is None else str(folder)


CACHE = _cache_folder()
config.CACHE_DIR = CACHE or config.CACHE_DIR
entry_point = njit(cache=CACHE is not None, no_cfunc_wrapper=True, **OPTIONS)  # what Python calls


def device_function(function: Callable[..., Any]) -> Any:
    """Compile a function as part of each `entry_point` that leads to it; in plain Python it stays what it is."""
    return compile_unfinished(function)


def inlined(function: Callable[..., Any]) -> Any:
    """A `device_function` that is always compiled in place, for functions that take many arrays."""
    return compile_unfinished(function, forceinline=True)
