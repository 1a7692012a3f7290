"""How long until a first result, and how many bytes a person takes.

A start is a fresh Python, from its first instruction to 10,000 people simulated for 104 weeks; cold is with no compiled
code in the cache (an empty NUMBA_CACHE_DIR). Bytes are those of every array that a shard of people keeps, its tally and
the scenario's tables aside, at two numbers of firms or more: a line through them says what a person costs, and what a
person and firm. What the process really grows by, where the system says so, stands beside it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim.engine.loop import Shard, initialize
from sim.model.fields import Scenario
from sim.model.scenario import change

PEOPLE, MANY, WEEKS = 10_000, 200_000, 104
START = f"""
import json, os, sys, time
from pathlib import Path
from sim.engine import loop
from sim import study
from sim.model.scenario import change

def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

scenario = study.scenario("market=toothpaste_uk", "people={PEOPLE}", "weeks={WEEKS}")
loop.simulate(scenario, threads=1)
found = {{"seconds": time.time() - float(sys.argv[1]), "work": time.process_time()}}
if os.path.exists("/proc/self/statm"):
    before = memory()
    shards = loop.initialize(change(scenario, {{"people": {MANY}}}))
    loop.advance(shards)
    found["resident"] = (memory() - before) / {MANY}
print(json.dumps(found))
"""


def printed_by(*command: str, folder: str | None = None) -> str:
    """What a fresh Python prints."""
    kept = {"NUMBA_CACHE_DIR": folder} if folder else {}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, *command], env={**os.environ, **kept}, cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout


def start(folder: str | None = None) -> dict[str, float]:
    """Seconds to a first result, those the processor worked, and bytes a person that the process grows by."""
    found: dict[str, float] = json.loads(printed_by("-c", START, str(time.time()), folder=folder))
    return found


def help_time() -> float:
    """Seconds of `python -m sim --help`."""
    since = time.perf_counter()
    printed_by("-m", "sim", "--help")
    return time.perf_counter() - since


def starts(cold: bool, rounds: int) -> dict[tuple[str, int, str], list[float]]:
    """(what, people, unit): a figure a round; the difference in work between cold and warm is compiling."""
    found: dict[tuple[str, int, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as empty:
        first = start(empty) if cold else {}
        warm = [start(empty if cold else None) for _ in range(rounds + (not cold))][not cold :]
    found["help", 0, "s"] = [help_time() for _ in range(rounds)]
    found["warm start", PEOPLE, "s"] = [one["seconds"] for one in warm]
    if cold:
        found["cold start", PEOPLE, "s"] = [first["seconds"]]
        found["compiling", PEOPLE, "s"] = [first["work"] - one["work"] for one in warm]
    if "resident" in warm[0]:
        found["resident", MANY, "bytes/person"] = [one["resident"] for one in warm]
    return found


def arrays(base: Scenario, of_firms: Callable[[Scenario, int], Scenario], numbers: tuple[int, ...]) -> dict[int, float]:
    """Bytes a person by number of firms."""
    some = change(base, {"people": 2 * PEOPLE})
    return {number: held(initialize(of_firms(some, number))) / some.people for number in numbers}


def held(parts: Sequence[Shard]) -> int:
    """Bytes of the arrays that shards hold, each counted once however it is looked at."""
    seen: dict[int, int] = {}
    for shard in parts:
        for name, part in vars(shard).items():
            if name not in ("world", "tally", "scenario", "data"):
                seen |= {id(a): a.nbytes for a in _arrays(part, 0)}
    return sum(seen.values())


def _arrays(part: Any, depth: int) -> Iterator[np.ndarray]:
    if isinstance(part, np.ndarray):
        while isinstance(part.base, np.ndarray):
            part = part.base
        yield part
    elif depth < 4:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else None
        inner = getattr(part, "__dict__", {}).values() if inner is None else inner
        for one in inner:
            yield from _arrays(one, depth + 1)
