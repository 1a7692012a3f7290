"""What a fact that holds is worth: its class, by rules that code applies, and what the NBD-Dirichlet says of it.

By construction: a parameter or the form of a law makes it so (the row says which). Theorem: people who have tastes and
nothing else, the NBD-Dirichlet, pass it too. Calibrated: a number was fitted to it. Held out: marked so, and no preset
or declared default cites it. Emergent: none of these.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import fields
from functools import cache

import numpy as np

from sim.facts import contracts, repertoire, shelf
from sim.facts.repertoire import GOODS, PROVIDERS, lag_polarization
from sim.facts.runs import ALL_OFF, RunCache, from_counts
from sim.facts.scoreboard import HOLDS, NOT_MODELED, Fact, check, facts, verdict
from sim.measure import metrics
from sim.model.declare import declaration
from sim.model.fields import Consumer, Firm, Kind, Market, Network, Scandal, Scenario, Segment, Touchpoint
from sim.model.scenario import change
from sim.study.calibrate_shares import asked_shares
from sim.study.presets import CONF

CONSTRUCTION, CALIBRATED, THEOREM = "by construction", "calibrated", "theorem"
EMERGENT, HELD_OUT = "emergent", "held out"
CLASSES = (CONSTRUCTION, THEOREM, CALIBRATED, EMERGENT, HELD_OUT)
DECLARED = (Consumer, Segment, Kind, Touchpoint, Firm, Scandal, Market, Network)
CITED = re.compile(r"#(\d+)(?:[-–](\d+))?")


def class_of(fact: Fact, theorems: Collection[int] = ()) -> str:
    """The class of a fact; those that the NBD-Dirichlet passes (`theorems`) are theorems."""
    if fact.not_modeled:
        return NOT_MODELED
    if fact.construction:
        return CONSTRUCTION
    if fact.number in theorems:
        return THEOREM
    if fact.calibrated or fact.number in fitted_to():
        return CALIBRATED
    return HELD_OUT if fact.held_out and fact.number not in cited() else EMERGENT


@cache
def cited() -> dict[int, list[str]]:
    """The facts that presets and declared defaults cite as a number's source, and where; a range cites all of it."""
    found: dict[int, list[str]] = {}
    for where, text in _sources():
        for number in _numbers(text):
            found.setdefault(number, []).append(where)
    return found


@cache
def fitted_to() -> set[int]:
    """The facts to which a preset says that a number of it was calibrated."""
    return {number for _, text in _sources() if "calibrated" in text for number in _numbers(text)}


def _sources() -> Iterator[tuple[str, str]]:
    """Where and what each comment in conf/ and each source of a declared default says."""
    for file in sorted(CONF.glob("*/*.yaml")):
        for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if " #" in f" {line}":
                yield f"{file.parent.name}/{file.name}:{n}", f" {line}".split(" #", 1)[1]
    for kind in DECLARED:
        yield from ((f"{kind.__name__}.{f.name}", declaration(f).source) for f in fields(kind))


def _numbers(text: str) -> Iterator[int]:
    for first, last in CITED.findall(text):
        yield from range(int(first), int(last or first) + 1)


def theorems(runs: RunCache) -> set[int]:
    """The facts that people with tastes alone pass, as polarized as the shipped market: the NBD-Dirichlet.

    Asked are the facts of repeat buying, which are measured in markets without events. What cannot be measured where
    nothing but tastes acts is no theorem.
    """
    tuned = {
        f"market={m}": {"market.taste_concentration": concentration(runs, m), "market.exit_rate": 1.0}
        for m in (*GOODS, *PROVIDERS)
    }
    off = [name.partition(".")[2] for name in ALL_OFF if name != "mechanisms.taste"]
    tastes = RunCache(runs.people, runs.seed, off, tuned, presence_as_share)
    asked = sorted(n for n in repeat_buying() if not facts()[n].construction)
    return {n for n, found in check(tastes, asked).items() if verdict(facts()[n], found) == HOLDS}


def concentration(runs: RunCache, market: str) -> float:
    """S of the Dirichlet with the polarization of a shipped market, over the lag of a year for providers."""
    metric = metrics.polarization if market in GOODS else lag_polarization
    phi = float(from_counts(metric, runs(f"market={market}", {"window": 52}, times=6).counts).value)
    return float(np.clip(1 / phi - 1, 0.05, 1000))


def presence_as_share(scenario: Scenario, _: str) -> Scenario:
    """The scenario with presence equal to the stated shares, which solves them where tastes alone act."""
    shares = dict(zip(scenario.firms, asked_shares(scenario).tolist(), strict=True))
    presence = {f"firms.{name}.presence": share for name, share in shares.items()}
    return change(scenario, {**presence, **{f"firms.{name}.share": None for name in shares}})


@cache
def repeat_buying() -> set[int]:
    """The numbers of the facts that the NBD-Dirichlet could explain."""
    modules = (repertoire, shelf, contracts)
    return {int(n[5:]) for module in modules for n in vars(module) if n.startswith("fact_")} | {18, 20, 21}
