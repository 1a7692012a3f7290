"""Presence that was solved before: for the presets in a file of the package, for anything else in the user's cache.

`sim/presence.json` is data, made by `python -m sim.study.presence` and held to be up to date by a test; nothing is set there.
An entry is found by a hash of all that shares depend on, the source of the compiled rules included.
"""

import hashlib
import json
import math
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from numba import config

from sim.compute.random import COMPILED

SHIPPED = Path(__file__).parent / "presence.json"
METHOD = "1"  # raised when `calibrate_shares` solves otherwise
LOOKS: tuple[list[str], ...] = ([], ["weeks=26", "window=13"])  # at each market: its own weeks, and a short look


class Share(NamedTuple):
    """The share that a firm states, and what the presence solved for it gives in the reference market."""

    asked: float
    reached: float
    error: float  # standard error of `reached`, over the people on whom presence was solved

    @property
    def uncertainty(self) -> float:
        """Standard error of the share as the share asked for: what was missed, and what is not known."""
        return math.hypot(self.reached - self.asked, self.error)


class Solved(NamedTuple):
    """Presence as solved, and the shares that it gave."""

    presence: list[float]  # [j], sums to 1
    reached: list[float]  # [j], share
    error: list[float]  # [j], standard error of it
    people: int  # whose uses these are shares of
    rounds: list[int]  # that it took, on few people and on all
    mark: str  # hash of the uses of the first replication


_solved: dict[tuple[str, int], Solved] = {}  # in this process


def find(key: str, people: int) -> Solved | None:
    """What is known under a key for at least so many people: shipped, solved in this process, or in the cache."""
    ours = shipped().get(key)
    if ours and ours.people >= people:
        return ours
    if (key, people) not in _solved:
        found = _read(_file(key, people))
        if found is None:
            return None
        _solved[key, people] = found
    return _solved[key, people]


def keep(key: str, people: int, solved: Solved) -> None:
    """Note what was solved for so many people, in this process and in the cache if that can be written."""
    _solved[key, people] = solved
    path = _file(key, people)
    draft = path.with_name(f".{uuid4().hex}.part")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(solved._asdict()), encoding="utf-8")
        os.replace(draft, path)


def folder() -> Path:
    """Where it is kept: beside the compiled rules, a private folder."""
    return Path(config.CACHE_DIR) / "presence"


def _file(key: str, people: int) -> Path:
    return folder() / f"{key}-{people}.json"


def _read(path: Path) -> Solved | None:
    """The entry in a file; None where there is none, or one that is no longer whole."""
    try:
        return _entry(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _entry(told: Mapping[str, Any]) -> Solved:
    found = Solved(**{name: told[name] for name in Solved._fields if name in told})
    if not len(found.presence) == len(found.reached) == len(found.error) > 0 or not all(p > 0 for p in found.presence):
        raise ValueError("no presence")
    return found


@cache
def shipped() -> dict[str, Solved]:
    """Key -> entry of the file of the package; nothing where that is missing."""
    return {key: _entry(told) for key, told in _table().items()}


def _table() -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told


@cache
def rules() -> str:
    """A hash of how presence is solved and of the source of all compiled rules, whatever its line ends."""
    here = Path(__file__).parent
    told = METHOD + "".join((here / f"{room}.py").read_text(encoding="utf-8") for room in COMPILED)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def settings() -> list[list[str]]:
    """The overrides whose presence is shipped: each market alone, and over the horizons."""
    from sim.study.presets import presets

    return [[f"market={market}", *horizon] for horizon in LOOKS for market in presets("market")]


def remake(words: list[str]) -> None:
    """Bring the shipped file up to date: what still does the same is marked anew, anything else is solved.

    `words` limit what is solved to settings that contain one of them; people=NUMBER says on how many people at least.
    """
    from sim import study
    from sim.study import calibrate_shares as solver

    least = max([int(w.partition("=")[2]) for w in words if w.startswith("people=")], default=solver.SIZES[0])
    words = [w for w in words if not w.startswith("people=")]
    old, new = _table(), dict[str, Any]()
    for overrides in settings():
        name = " ".join(overrides)
        scenario = study.unsettled(*overrides)
        asked = solver.asked_shares(scenario)
        reference = solver.reference_market(scenario, asked)
        key = solver.key_of(reference)
        known = next((_entry(told) for k, told in (old | new).items() if k[:16] == key[:16]), None)
        if known and key not in old | new and not solver.still(reference, known):
            known = None
        if (not known or known.people < least) and (not words or any(w in name for w in words)):
            known = solver.solve(reference, asked, least)
            print(f"{name}: rounds {known.rounds}, errors up to {100 * max(known.error):.3f} points", flush=True)
        if known:
            new[key] = {"of": name, **known._asdict()}
            _write(old | new)
    _write(new)


def _write(table: Mapping[str, Any]) -> None:
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(told)}" for key, told in table.items())
    SHIPPED.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    from sim.study import presence  # as everybody else has it

    presence.remake(sys.argv[1:])
