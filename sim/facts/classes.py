"""What a fact that holds is worth: its class, by rules that code applies.

By construction: a parameter or the form of a law makes it so (the row says which). Theorem: people who have tastes and
nothing else, the NBD-Dirichlet, pass it too. Calibrated: a number was fitted to it. Held out: marked so, and no preset
or declared default cites it. Emergent: none of these.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING

from sim.model.declare import declaration
from sim.model.fields import Cohort, Consumer, Firm, Kind, Market, Network, Scandal, Segment, Touchpoint
from sim.study.presets import CONF

if TYPE_CHECKING:
    from sim.facts.scoreboard import Fact

CONSTRUCTION, CALIBRATED, THEOREM = "by construction", "calibrated", "theorem"
EMERGENT, HELD_OUT = "emergent", "held out"
NOT_MODELED = "not modeled"
CLASSES = (CONSTRUCTION, THEOREM, CALIBRATED, EMERGENT, HELD_OUT)
DECLARED = (Consumer, Segment, Cohort, Kind, Touchpoint, Firm, Scandal, Market, Network)
CITED = re.compile(r"#(\d+)(?:[-–](\d+))?")


def class_of(fact: "Fact", theorems: Collection[int] = ()) -> str:
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
