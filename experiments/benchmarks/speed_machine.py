"""What this machine can do at most, measured: bytes a second by where they lie, multiply-adds a second.

Loops of a line that the compiler turns into vector code, many times over the same memory, so that nothing but the
memory or the arithmetic units is in the way. In-place update reads and writes every byte (both are counted); a triad
reads two arrays and writes a third, counted as STREAM counts. The arithmetic is chains of 16 multiply-adds on each
element of an array that stays in the first cache, a chain for each element, so that enough of them are under way.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numba import njit

f = np.float32
CHAIN = 16
AT_LEAST = 0.04  # seconds a take, at which the clock's grain does not matter
CACHES = "/sys/devices/system/cpu/cpu0/cache"


@njit(nogil=True, cache=True, error_model="numpy")
def _update(x, times):
    factor = f(0.999)
    for _ in range(times):
        for i in range(x.shape[0]):
            x[i] = x[i] * factor


@njit(nogil=True, cache=True, error_model="numpy")
def _triad(x, times):
    third = x.shape[0] // 3
    for n in range(times):
        factor = f(n)
        for i in range(third):
            x[i] = x[third + i] + factor * x[2 * third + i]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _chains(x, times):
    a, b = f(0.999), f(0.001)
    for _ in range(times):
        for i in range(x.shape[0]):
            v = x[i]
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
            x[i] = v


def caches() -> dict[str, int]:
    """Bytes of each cache as Linux tells them; elsewhere the usual ones."""
    found = {}
    for folder in sorted(Path(CACHES).glob("index*")):
        level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction" and size.endswith("K"):
            found[f"L{level}"] = int(size[:-1]) * 1024
    return found or {"L1d": 32 << 10, "L2": 1 << 20, "L3": 32 << 20}


def places() -> dict[str, int]:
    """Working sets that lie in each cache but the first, and beyond the last: bytes."""
    sizes = list(caches().items())
    inside = {name: size // 2 for name, size in sizes[1:]}
    return {**inside, "DRAM": min(8 * sizes[-1][1], 1 << 29)}


def rate(work: Callable[..., None], floats: int, amount: float, threads: int) -> Callable[[], float]:
    """A take of `amount` a pass over `floats`, a second, in each thread its own: processor time of one, wall of two."""
    arrays = [np.ones(floats, f) for _ in range(threads)]
    clock = time.process_time if threads == 1 else time.perf_counter
    work(arrays[0], 1)
    since = time.perf_counter()
    work(arrays[0], 2)
    times = int(AT_LEAST / max((time.perf_counter() - since) / 2, 1e-7)) + 1

    def take() -> float:
        with ThreadPoolExecutor(threads) as pool:
            since = clock()
            list(pool.map(lambda x: work(x, times), arrays))
            return amount * times * threads / (clock() - since)

    return take


def limits(threads: tuple[int, ...] = (1, 2)) -> dict[tuple[str, str, int], Callable[[], float]]:
    """Takes of every limit: (what, unit, threads). Two threads share the outer cache, so each has half of it."""
    found = {}
    for n in threads:
        for place, size in places().items():
            floats = size // 4 // (n if place != "L2" else 1) // 48 * 48
            found[f"in-place update, {place}", "GB/s", n] = rate(_update, floats, 8e-9 * floats, n)
            found[f"triad, {place}", "GB/s", n] = rate(_triad, floats, 4e-9 * floats, n)
        found["multiply-adds", "GFLOP/s", n] = rate(_chains, 2048, 2e-9 * CHAIN * 2048, n)
    return found


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
