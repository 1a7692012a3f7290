"""The arguments of a Market, checked: its scenario, its activation and classes, the reporters of its agents."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from sim.mesa.agents import Competitor, Consumer
from sim.model.declare import ScenarioError, leaves, unknown
from sim.model.fields import Scenario
from sim.model.scenario import build, change
from sim.study.calibrate_shares import calibrate_shares

Reporter = str | Callable[..., Any] | Sequence[Any]  # as Mesa has them
MOST_AGENTS = 100_000  # people up to which each gets an agent unasked


@cache
def default() -> Scenario:
    """The market of `python -m sim` without arguments."""
    from sim.study.presets import scenario

    return scenario()


def scenario_of(base: Scenario | Mapping[str, Any] | None, rng: Any, kwargs: dict[str, Any]) -> Scenario:
    """The scenario of a Market's arguments, with presence calibrated to shares.

    Raises ScenarioError with all unknown or impossible values, TypeError where two arguments contradict.
    """
    if isinstance(kwargs.pop("scenario", None), Scenario | Mapping):
        raise TypeError("Market: give the scenario first or as base=...; Mesa passes its own as scenario=... on Reset")
    scenario = default() if base is None else base if isinstance(base, Scenario) else build(base)
    changes: dict[str, Any] = {path.replace("__", "."): value for path, value in kwargs.items()}
    known = [path for path, _, _ in leaves(scenario)]
    wrong = [p for p, v in changes.items() if p not in known and not (v is None or isinstance(v, Mapping))]
    if wrong:
        raise ScenarioError([f"{path}: {_suggestion(path, known)}" for path in wrong])
    if rng is not None:
        if "seed" in changes:
            raise TypeError("Market: seed and rng both say which draws; give one")
        whole = isinstance(rng, int | np.integer)
        changes["seed"] = int(rng) if whole else int(np.random.default_rng(rng).integers(2**32))
    return calibrate_shares(change(scenario, {"replications": 1, **changes}))[0]


def _suggestion(path: str, known: list[str]) -> str:
    """That it is unknown, and the nearest known path; the list of all would be too long."""
    return unknown(path, known).partition("; known")[0]


def check_arguments(activation: str, agents: bool, people: int, consumer: type, competitor: type) -> None:
    """TypeError or ValueError where activation, agents and classes do not go together."""
    if activation not in ("kernel", "agents"):
        raise ValueError(f"activation: {activation!r} is neither 'kernel' nor 'agents'")
    if not (issubclass(consumer, Consumer) and issubclass(competitor, Competitor)):
        raise TypeError("consumer_class and competitor_class must be subclasses of Consumer and Competitor")
    if activation == "kernel" and getattr(consumer, "step", None) is not Consumer.step:
        raise TypeError(
            f"{consumer.__name__}.step would never be called: activation='kernel' simulates everybody at once; "
            "use activation='agents'"
        )
    if activation == "agents" and not agents:
        raise ValueError(
            f"activation='agents' needs an agent for each of {people:,} people; above {MOST_AGENTS:,} they are made "
            "only with agents=True"
        )


def reporters_of(wanted: Any) -> dict[str, Callable[[Any], Any]]:
    """The four kinds of reporter that Mesa knows, as functions of an agent; ScenarioError with all that are none.

    >>> list(reporters_of({"trust": "trust", "firm": lambda agent: agent.last}))
    ['trust', 'firm']
    """
    if not isinstance(wanted, Mapping | None):
        raise ScenarioError([f"agent_reporters: {wanted!r} is not a set of reporters by name"])
    wanted = wanted or {}
    found = {name: parts for name, reporter in wanted.items() if (parts := _parts(reporter))}
    wrong = [
        f"agent_reporters.{name}: {reporter!r} is no name of an attribute, function or [function, [parameters]]"
        for name, reporter in wanted.items()
        if name not in found
    ]
    if wrong:
        raise ScenarioError(wrong)
    return {name: partial(_report, function, more) for name, (function, more) in found.items()}


def model_reporters_of(wanted: Any, taken: Sequence[str]) -> dict[str, Callable[[Any], Any]]:
    """Reporters of the market beside its readings, as functions of it; ScenarioError with all that are none.

    They are those of Mesa: the name of an attribute, a function of the model, or [function, [parameters]], which Mesa
    calls without the model.
    """
    if not isinstance(wanted, Mapping | None):
        raise ScenarioError([f"model_reporters: {wanted!r} is not a set of reporters by name"])
    wanted = dict(wanted or {})
    parts = {name: _parts(reporter) for name, reporter in wanted.items()}
    wrong = [
        f"model_reporters.{name}: {wanted[name]!r} is no name of an attribute, function or [function, [parameters]]"
        for name, found in parts.items()
        if not found
    ]
    wrong += [f"model_reporters.{name}: there is a reading of that name" for name in parts if name in taken]
    if wrong:
        raise ScenarioError(wrong)
    listed = {name for name in parts if isinstance(wanted[name], list | tuple)}
    return {name: partial(_call_alone if name in listed else _call, *found) for name, found in parts.items() if found}


def _call(function: Callable[..., Any], more: Sequence[Any], model: Any) -> Any:
    return function(model, *more)


def _call_alone(function: Callable[..., Any], more: Sequence[Any], model: Any) -> Any:
    return function(*more)


def _parts(reporter: Any) -> tuple[Callable[..., Any], Sequence[Any]] | None:
    """The function that a reporter calls with an agent, and its other arguments; None for what is no reporter."""
    if isinstance(reporter, str):
        return getattr, (reporter, None)
    if callable(reporter):
        return reporter, ()
    listed = isinstance(reporter, list | tuple) and len(reporter) == 2 and callable(reporter[0])
    return (reporter[0], reporter[1]) if listed and isinstance(reporter[1], list | tuple) else None


def _report(function: Callable[..., Any], more: Sequence[Any], agent: Any) -> Any:
    try:
        return function(agent, *more)
    except AttributeError:
        if isinstance(agent, Competitor):  # Mesa calls the reporters of all agents, competitors included
            return None
        raise
