"""Presence that was solved before: for the presets in a file of the package, for anything else in the user's cache.

`presence.json` beside it is data, made by `python -m sim.study.presence`; a test holds it up to date.
An entry is found by a hash of all that shares depend on, what the rules do included.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from numba import config


SHIPPED = Path(__file__).parent / "presence.json"
METHOD = "1"  # raised when `calibrate_shares` solves otherwise
SMALL: dict[str, Any] = {  # a market in which every rule has a part
    **{"people": 400, "weeks": 26, "window": 13, "burn_in": 6, "consumer": {"rate": 1.0, "attention": 0.7, "drift": 0.1}},
    "segments": {"a": {}, "b": {"attention": 0.5, "habit_weight": 2.0}},
    "firms": {
        "x": {"presence": 2.0, "quality": 0.5, "touchpoints": {"app": {"failure_rate": 0.2}}},
        "y": {"price": 0.9, "switching_cost": 1.0, "delight_rate": 0.1},
        "z": {"effort": 0.5, "association": 0.3, "ease": 0.4},
    },
}
LOOKS: tuple[list[str], ...] = ([], ["weeks=26", "window=13"])  # at each market: its own weeks, and a short look


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
    """A hash of how presence is solved, and of what the rules make of a small market in either regime.

    So an entry holds as long as the rules do the same, however they are written.
    """
    from sim.engine.loop import simulate
    from sim.model.scenario import build

    told = hashlib.sha256(METHOD.encode())
    for regime in ("repertoire", "provider"):
        run = simulate(build({**SMALL, "market": {"regime": regime, "exit_rate": 0.5, "contract_weeks": 9}}), 1)
        for counts in run.tally:
            told.update(counts.tobytes())
    return told.hexdigest()[:12]


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
        known = next((_entry(told) for k, told in (old | new).items() if k == key or told["of"] == name), None)
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
