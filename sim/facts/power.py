"""The power of each fact: how often it misses when the numbers that were not calibrated are others that could be true.

A fact that never misses says nothing of the model. Numbers are redrawn from conf/priors.yaml, the same quantile of a
number in every preset; what a preset says was calibrated stays, and presence is solved anew.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

import yaml

from sim.facts.runs import RunCache, Solve
from sim.facts.scoreboard import MISSES, check, verdicts
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study.calibrate_shares import asked_shares, reference_market, solve
from sim.study.presets import CONF
from sim.study.priors import priors_of, uniform, values

FILE = CONF / "facts_power.yaml"  # what experiments/fact_power.py found
ROUGH = 4_000  # people on whom presence is solved in a redraw
BASE = re.compile(r"  - ([a-z]\w*)")  # in the defaults of a preset: another of its group that it changes
SOME = 0.3  # power above which a fact that holds says something


def missed(people: int, key: int, numbers: Iterable[int]) -> list[int]:
    """The facts that miss in a redraw."""
    found = check(RunCache(people, solve=redraw(key)), numbers)
    return [n for n, verdict in verdicts(found).items() if verdict == MISSES]


def redraw(key: int) -> Solve:
    """How a run cache makes its scenarios in redraw `key`."""

    def redrawn(stated: Scenario, preset: str) -> Scenario:
        fixed, priors = calibrated_numbers(preset), priors_of(stated)
        chances = {path: uniform(f"power {key}", path) for path in priors if path not in fixed}
        return roughly_solved(change(stated, values(stated, chances, priors)))

    return redrawn


def roughly_solved(scenario: Scenario) -> Scenario:
    """The scenario with presence in place of shares, solved on a few people: near enough for numbers that are drawn."""
    if all(firm.share is None for firm in scenario.firms.values()):
        return scenario
    asked = asked_shares(scenario)
    found = solve(replace(reference_market(scenario, asked), people=ROUGH), asked, ROUGH)
    presence = {f"firms.{n}.presence": p for n, p in zip(scenario.firms, found.presence, strict=True)}
    return change(scenario, {**presence, **{f"firms.{n}.share": None for n in scenario.firms}})


@cache
def calibrated_numbers(preset: str) -> frozenset[str]:
    """The paths of the numbers that the files of a preset (`market=bank scandal=fraud`) say were calibrated."""
    found: set[str] = set()
    for word in preset.split():
        group, _, name = word.partition("=")
        file = CONF / group / f"{name}.yaml"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        found |= set(_calibrated(text))
        for line in text.splitlines():
            if line.strip().startswith("- override /market:"):
                found |= calibrated_numbers(f"market={line.partition(':')[2].split('#')[0].strip()}")
            elif base := BASE.fullmatch(line):
                found |= calibrated_numbers(f"{group}={base[1]}")
    return frozenset(found)


def _calibrated(text: str) -> Iterator[str]:
    """The paths, by indentation, of the lines whose comment says "calibrated"."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        if not colon or name.strip().startswith(("#", "-")):
            continue
        depth = len(name) - len(name.lstrip())
        above = [*(a for a in above if a[0] < depth), (depth, name.strip())]
        if "calibrated" in rest.partition("#")[2]:
            path = ".".join(n for _, n in above)
            inline = yaml.safe_load(rest.partition("#")[0] or "null")
            yield from (f"{path}.{n}" for n in inline) if isinstance(inline, dict) else (path,)


@cache
def shipped() -> dict[int, float]:
    """The power of each fact, as experiments/fact_power.py found it; {} where it has not been run."""
    if not FILE.is_file():
        return {}
    found = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {int(number): float(power) for number, power in found["power"].items()}
