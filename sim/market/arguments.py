"""From the arguments of a Market to its scenario, and what is wrong with them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from sim.calibrate_shares import calibrate_shares
from sim.declare import did_you_mean
from sim.market.agents import Competitor, Consumer
from sim.scenario import Scenario, ScenarioError, build, change, leaves

MOST_AGENTS = 100_000  # people up to which each gets an agent unasked


@cache
def default() -> Scenario:
    from sim.run.compose import scenario

    return scenario()[0]


def declared(base: Scenario | Mapping[str, Any] | None, rng: Any, kwargs: dict[str, Any]) -> Scenario:
    """The scenario of a Market's arguments, presence solved."""
    if isinstance(kwargs.pop("scenario", None), Scenario | Mapping):
        raise TypeError("Market: give the scenario first or as base=...; Mesa passes its own as scenario=... on Reset")
    scenario = default() if base is None else base if isinstance(base, Scenario) else build(base)
    changes: dict[str, Any] = {path.replace("__", "."): value for path, value in kwargs.items()}
    known = [path for path, _, _ in leaves(scenario)]
    strangers = [p for p, v in changes.items() if p not in known and not (v is None or isinstance(v, Mapping))]
    if strangers:
        raise ScenarioError([f"{path}: unknown{_meant(path, known)}" for path in strangers])
    if rng is not None:
        if "seed" in changes:
            raise TypeError("Market: seed and rng both say which draws; give one")
        whole = isinstance(rng, int | np.integer)
        changes["seed"] = int(rng) if whole else int(np.random.default_rng(rng).integers(2**32))
    return calibrate_shares(change(scenario, {"replications": 1, **changes}))[0]


def _meant(path: str, known: list[str]) -> str:
    """The nearest known path; the list of all would fill a page."""
    meant = did_you_mean(path, known)
    return meant if meant.startswith("; did") else ""


def check(activation: str, agents: bool, people: int, consumer: type, competitor: type) -> None:
    if activation not in ("kernel", "agents"):
        raise ValueError(f"activation: {activation!r} is neither 'kernel' nor 'agents'")
    if not (issubclass(consumer, Consumer) and issubclass(competitor, Competitor)):
        raise TypeError("consumer_class and competitor_class must be subclasses of Consumer and Competitor")
    if activation == "kernel" and getattr(consumer, "step", None) is not Consumer.step:
        raise TypeError(
            f"{consumer.__name__}.step would never be called: activation='kernel' lives the rules for everybody at "
            "once; use activation='agents'"
        )
    if activation == "agents" and not agents:
        raise ValueError(
            f"activation='agents' needs an agent for each of {people:,} people; above {MOST_AGENTS:,} they are made "
            "only with agents=True"
        )
