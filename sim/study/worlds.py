"""The kept worlds of a market, conf/kept_worlds/NAME.csv, and what they say of a scenario in that market.

A file has a row a world: by how much it misses what was measured, the value of every free number, and the presence of
firms that gives them their shares there. Its first row is the preset itself. `experiments/worlds.py` makes it.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sim.model.declare import ScenarioError, leaves
from sim.model.fields import Scenario
from sim.model.posterior import posterior_of
from sim.model.scenario import change
from sim.study.presets import CONF
from sim.study.priors import draw, priors_of

FOLDER = CONF / "kept_worlds"
NEW_SCANDAL = "new"  # of the scandal in a scenario that is predicted from its attributes
PRESET, NAME, MISS = "preset", "world", "miss"
SAME_PRESENCE = 0.1  # of presence: what is solved again on other people differs by less
MOST_TRIES = 4  # draws for each world that is wanted: some contradict themselves
OWN = ""  # the name of the worlds of a scenario's own posterior
PRIOR = "numbers drawn from their priors; no worlds are kept for this market, so they need not give what was measured"


@dataclass(frozen=True)
class KeptWorlds:
    """The worlds of a file: what they were matched to, the preset's own values, and the values of each world."""

    name: str
    about: str
    preset: Mapping[str, float]
    worlds: tuple[Mapping[str, float], ...]
    misses: tuple[float, ...]  # of each world
    preset_miss: float


@dataclass(frozen=True)
class Plausible:
    """Worlds for a scenario, as changes of it, and in a sentence where they come from."""

    worlds: tuple[Mapping[str, object], ...]
    source: str


def read(path: Path) -> KeptWorlds:
    """The worlds of a file; ScenarioError where it is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    about = " ".join(line[1:].strip() for line in lines if line.startswith("#"))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    try:
        values = [{p: float(v) for p, v in row.items() if p not in (NAME, MISS)} for row in rows]
        misses = [float(row[MISS]) for row in rows]
        if not rows or rows[0][NAME] != PRESET:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ScenarioError([f"{path}: is no file of worlds"]) from None
    return KeptWorlds(path.stem, about, values[0], tuple(values[1:]), tuple(misses[1:]), misses[0])


@cache
def shipped() -> tuple[KeptWorlds, ...]:
    """All files of conf/kept_worlds."""
    return tuple(read(path) for path in sorted(FOLDER.glob("*.csv")))


def kept_for(scenario: Scenario) -> KeptWorlds | None:
    """The kept worlds of the market with these firms; of several, those whose preset is most like the scenario."""
    values = _values(scenario)
    firms = {f"firms.{name}.presence" for name in scenario.firms}
    found = [k for k in shipped() if {p for p in k.preset if p.endswith(".presence")} == firms]
    return max(found, key=lambda k: sum(values.get(p) == v for p, v in k.preset.items()), default=None)


def own_worlds(scenario: Scenario) -> KeptWorlds | None:
    """The draws of the scenario's own posterior; None without one."""
    preset, draws = posterior_of(scenario)
    return KeptWorlds(OWN, "", preset, tuple(draws), (), 0.0) if draws else None


def plausible(scenario: Scenario, many: int) -> Plausible:
    """So many worlds: of its own posterior or kept ones where the market has them, draws from the priors where not.

    A number that the scenario has otherwise than the market's preset (a lever, a value on the command line), or that
    is not the market's (an event), is drawn from its prior around what the scenario says. Fewer come back only where
    most draws contradict the scenario.
    """
    kept, priors = own_worlds(scenario) or kept_for(scenario), priors_of(scenario)
    same = _same(scenario, kept) if kept else frozenset()
    whole = {p for p, v, _ in leaves(scenario) if isinstance(v, int)}
    found: list[Mapping[str, object]] = []
    for n in range(MOST_TRIES * many):
        if len(found) == many:
            break
        world: dict[str, object] = {**draw(scenario, n, priors)}
        if kept:
            of = kept.worlds[n % len(kept.worlds)]
            world |= {p: int(v) if p in whole else v for p, v in of.items() if p in same}
        if possible(scenario, world):
            found.append(world)
    return Plausible(tuple(found), _source(kept, len(found), same, len(set(priors) - same)))


def possible(scenario: Scenario, world: Mapping[str, object]) -> bool:
    """Whether the scenario with the numbers of a world contradicts nothing."""
    try:
        change(scenario, dict(world))
    except ScenarioError:
        return False
    return True


def _source(kept: KeptWorlds | None, many: int, same: frozenset[str], drawn: int) -> str:
    if kept is None or not same:
        return PRIOR
    if kept.name == OWN:
        told = [p for p in same if len({world[p] for world in kept.worlds}) > 1]
        return f"posterior of the market's own panel for {len(told)} numbers; {drawn} others drawn from their priors"
    again = f", used {-(-many // len(kept.worlds))} times" if many > len(kept.worlds) else ""
    rest = f"; {drawn} numbers of events or unlike the preset's drawn from their priors" if drawn else ""
    return f"kept for {kept.name}: draws that give what was measured there ({len(kept.worlds)} in all{again}){rest}"


def _values(scenario: Scenario) -> dict[str, float]:
    return {p: float(v) for p, v, _ in leaves(scenario) if isinstance(v, int | float) and not isinstance(v, bool)}


def _same(scenario: Scenario, kept: KeptWorlds) -> frozenset[str]:
    """The paths whose values are those of the preset; presence only where all firms have the preset's."""
    values = _values(scenario)
    same = {p for p, v in kept.preset.items() if p in values and abs(values[p] - v) <= 1e-6 * abs(v)}
    presence = {p for p in kept.preset if p.endswith(".presence")}
    near = all(abs(values.get(p, 0.0) - kept.preset[p]) <= SAME_PRESENCE * kept.preset[p] for p in presence)
    stated = any(firm.share is not None for firm in scenario.firms.values())
    return frozenset(same | presence if near and not stated else same - presence)
