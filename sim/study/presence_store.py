"""Solved presence on disk: `presence.json` in the package for the presets, the user's cache for anything else.

An entry is found by a hash of all that shares depend on, what the rules do included. `python -m sim.study.presence`
makes the file of the package; a test holds it up to date.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sim.compute.files import write_atomic
from sim.compute.jit import CACHE
from sim.engine.loop import simulate
from sim.model.scenario import build

SHIPPED = Path(__file__).parent / "presence.json"
METHOD = "1"  # raised when `calibrate_shares` solves in another way
PROBE: dict[str, Any] = {  # a small market in which every rule has a part
    **{
        "people": 400,
        "weeks": 26,
        "window": 13,
        "burn_in": 6,
        "consumer": {"rate": 1.0, "attention": 0.7, "drift": 0.1},
    },
    "segments": {"a": {}, "b": {"attention": 0.5, "habit_weight": 2.0}},
    "firms": {
        "x": {"presence": 2.0, "quality": 0.5, "touchpoints": {"app": {"failure_rate": 0.2}}},
        "y": {"price": 0.9, "switching_cost": 1.0, "delight_rate": 0.1},
        "z": {"effort": 0.5, "association": 0.3, "ease": 0.4},
    },
}

Entry = dict[str, Any]  # a row of a JSON file: the fields of Solved, and `of`, the setting


class Solved(NamedTuple):
    """Presence as solved, and the shares that it gave."""

    presence: list[float]  # [j], sums to 1
    reached: list[float]  # [j], share
    error: list[float]  # [j], standard error of it
    people: int  # on whom shares were estimated
    rounds: list[int]  # that it took, on few people and on all
    mark: str  # hash of the uses of the first replication


_solved: dict[tuple[str, int], Solved] = {}  # in this process


def find_solved(key: str, people: int) -> Solved | None:
    """The entry under a key, solved on at least so many people: shipped, from this process, or from the cache."""
    ours = shipped().get(key)
    if ours and ours.people >= people:
        return ours
    if (key, people) not in _solved:
        found = _read(folder(), _file(key, people))
        if found is None:
            return None
        _solved[key, people] = found
    return _solved[key, people]


def save_solved(key: str, people: int, solved: Solved) -> None:
    """Keep an entry in this process, and in the cache if that can be written."""
    _solved[key, people] = solved
    place = folder()
    if place is not None:
        with suppress(OSError):
            write_atomic(place / _file(key, people), json.dumps(solved._asdict()).encode())


def _file(key: str, people: int) -> str:
    return f"{key}-{people}.json"


def folder() -> Path | None:
    """The cache: a folder beside the compiled rules; None where those are not kept either."""
    return Path(CACHE) / "presence" if CACHE else None


def _read(place: Path | None, name: str) -> Solved | None:
    """The entry in a file of the cache; None where there is none, or one that is damaged."""
    if place is None:
        return None
    try:
        return solved_of(json.loads((place / name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def solved_of(entry: Mapping[str, Any]) -> Solved:
    """The values of an entry; ValueError or TypeError if it is damaged."""
    found = Solved(**{name: entry[name] for name in Solved._fields if name in entry})
    if not len(found.presence) == len(found.reached) == len(found.error) > 0 or not all(p > 0 for p in found.presence):
        raise ValueError("no presence")
    return found


@cache
def shipped() -> dict[str, Solved]:
    """Key -> entry of the file of the package; empty where that is missing."""
    return {key: solved_of(entry) for key, entry in read_shipped().items()}


def read_shipped() -> dict[str, Entry]:
    """The file of the package as it stands; empty where that is missing."""
    try:
        table: dict[str, Entry] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table


def write_shipped(table: Mapping[str, Entry]) -> None:
    """Write the file of the package, a line an entry."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in table.items())
    SHIPPED.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


@cache
def rules_digest() -> str:
    """A hash of how presence is solved and of what the rules do in a small market, in either regime.

    So an entry holds as long as the rules do the same, however they are written.
    """
    digest = hashlib.sha256(METHOD.encode())
    for regime in ("repertoire", "provider"):
        run = simulate(build({**PROBE, "market": {"regime": regime, "exit_rate": 0.5, "contract_weeks": 9}}), 1)
        for counts in run.tally:
            digest.update(counts.tobytes())
    return digest.hexdigest()[:12]
