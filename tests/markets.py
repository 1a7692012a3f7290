"""Small markets for the tests: the least that shows what is tested."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from numba import njit

from sim.model.fields import Mechanisms, Scenario
from sim.model.scenario import build, change

ALL_OFF = {f"mechanisms.{f.name}": False for f in fields(Mechanisms)}
SHARES = (0.3, 0.25, 0.2, 0.15, 0.07, 0.03)


def market(changes: Mapping[str, Any] | None = None, shares: tuple[float, ...] = SHARES) -> Scenario:
    """A lively market of firms f0, f1, ... with these presences; `changes` by dotted path."""
    firms = {f"f{j}": {"presence": p, "touchpoints": {"app": {}, "shop": {"use": 0.4}}} for j, p in enumerate(shares)}
    base = build({"people": 2000, "weeks": 52, "burn_in": 13, "segments": {"all": {}}, "firms": firms})
    return change(base, changes or {})


def bare(changes: Mapping[str, Any] | None = None, shares: tuple[float, ...] = SHARES) -> Scenario:
    """The same with every mechanism off: people choose by presence alone."""
    return change(market({"burn_in": 0}, shares), {**ALL_OFF, **(changes or {})})


def called(inlined):
    """A rule that Python can call; by itself it can only be called by other rules."""
    return njit(lambda *arguments: inlined(*arguments)) if hasattr(inlined, "py_func") else inlined
