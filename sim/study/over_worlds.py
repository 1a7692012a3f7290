"""One answer out of many, each given in a world as plausible as the others: median, 80 % interval, what decides."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.measure.quantity import Parts, Quantity, nothing
from sim.measure.tally import Array
from sim.model.fields import Scenario

if TYPE_CHECKING:
    from sim.study.answer import Answer

LEVEL = 0.8  # of an interval over worlds
Z80 = 1.281552  # standard errors of a normal law on either side of 80 %
PEOPLE, SPAN = 5_000, 104  # people in a world at most, and weeks after the last event
PERSON_WEEKS = 45e6  # that fit into the seconds an answer may take, both runs of every world together
MOST, LEAST = 50, 5  # worlds by default
FEWEST = 5  # worlds that give an interval
CASES = "scandals."  # numbers that differ from case to case; all others are parameters of the model
MOST_DRIVERS = 3


def affordable(scenario: Scenario, last: int) -> int:
    """How many worlds take a few seconds, `last` being the week of the last event; the same on every machine."""
    of = size(replace(scenario, weeks=span(scenario, last)))
    weeks = scenario.burn_in + of["weeks"]
    many = int(PERSON_WEEKS / (2 * of["people"] * weeks * max(1.0, len(scenario.firms) / 10)))
    return min(MOST, many) if many >= LEAST else 0


def span(scenario: Scenario, last: int) -> int:
    """The weeks of a scenario of which an answer tells."""
    return max(scenario.window, min(scenario.weeks, last + SPAN))


def size(scenario: Scenario) -> dict[str, int]:
    """The people of a world: no more than the parameters need, whose spread is far above that of the dice."""
    return {"people": min(scenario.people, PEOPLE), "weeks": scenario.weeks, "replications": 1}


def known(scenario: Scenario, world: Mapping[str, object]) -> dict[str, object]:
    """The changes of a world without those of events that the scenario does not have: a control has none."""
    there = {f"scandals.{name}." for name in scenario.scandals} | {f"moves.{name}." for name in scenario.moves}
    events = ("scandals.", "moves.")
    return {p: v for p, v in world.items() if not p.startswith(events) or any(p.startswith(t) for t in there)}


def merged(drawn: Sequence["Answer"], alone: "Answer", worlds: Sequence[Mapping[str, object]]) -> "Answer":
    """The answer over all worlds; `alone` is that with the scenario's own numbers, and gives what does not vary."""
    cases = _columns(worlds, [p for p in _paths(worlds) if p.startswith(CASES)])
    weeks = min(len(one.weekly) for one in drawn)
    same = [replace(one, weekly=one.weekly[:weeks], events={}, people=alone.people) for one in drawn]
    found: Answer = _merge(same, replace(alone, weekly=alone.weekly[:weeks]), cases)
    return replace(found, events=alone.events)


def _merge(parts: Sequence[Any], alone: Any, cases: Array) -> Any:
    """Quantities over worlds, whatever they are nested in."""
    if any(part is None for part in parts) or alone is None:
        return None
    first = parts[0]
    if isinstance(first, Quantity):
        return over(parts, alone, cases)
    if isinstance(first, dict):
        return {key: _merge([part[key] for part in parts], alone[key], cases) for key in first}
    if isinstance(first, tuple):
        return tuple(_merge(same, one, cases) for *same, one in zip(*parts, alone, strict=True))
    if is_dataclass(first) and not isinstance(first, type):
        names = [f.name for f in fields(first)]
        values = {n: _merge([getattr(p, n) for p in parts], getattr(alone, n), cases) for n in names}
        return type(first)(**values)
    if isinstance(first, float):
        return float(np.median(parts))
    return first


def over(values: Sequence[Quantity], alone: Quantity, cases: Array) -> Quantity:
    """Median and 80 % interval of a quantity over worlds, with the variance by where it comes from.

    The variance between worlds is that of parameters and cases and of the dice of each world, which had draws of its
    own; the dice of the answer are those of the scenario itself, of which more people may have been simulated.
    """
    found = np.array([q.value for q in values])
    if (~np.isnan(found)).sum() < FEWEST:
        return nothing(float(np.nanmedian(found)) if (~np.isnan(found)).any() else math.nan)
    middle, low, high = (float(np.nanquantile(found, q, method="inverted_cdf")) for q in (0.5, 0.1, 0.9))
    finite = np.isfinite(found)
    if not finite.all():
        return Quantity(middle, low, high, Parts(), LEVEL)
    variance, dice = float(found.var(ddof=1)), float(np.nanmean([q.parts.dice**2 for q in values]))
    between = max(0.0, variance - dice)
    own = alone.parts.dice if math.isfinite(alone.parts.dice) else math.sqrt(dice)
    of_cases = between * explained(found, cases)
    parts = Parts(own, alone.parts.presence, math.sqrt(between - of_cases), math.sqrt(of_cases))
    narrower = math.sqrt((between + own**2) / variance) if variance else 1.0
    shift = 0.0 if math.isnan(parts.presence) else Z80 * parts.presence
    reach = [math.hypot(min(1.0, narrower) * abs(end - middle), shift) for end in (low, high)]
    return Quantity(middle, middle - reach[0], middle + reach[1], parts, LEVEL)


def explained(values: Array, columns: Array) -> float:
    """Share of the variance between worlds that a straight line in the ranks of some numbers explains, adjusted."""
    n, k = columns.shape
    if not k or n < k + 3 or not values.var():
        return 0.0
    design = np.column_stack([np.ones(n), columns])
    ranks = _ranks(values)
    left = ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    r2 = 1 - left.var() / ranks.var()
    return float(np.clip(1 - (1 - r2) * (n - 1) / (n - k - 1), 0, 1))


def influence(drawn: Sequence["Answer"], worlds: Sequence[Mapping[str, object]]) -> tuple[tuple[str, float], ...]:
    """Every number that the worlds vary with the rank correlation of it and the change at the worst, largest first."""
    effect = np.array([one.worst.total.percent.value for one in drawn])
    paths = _paths(worlds)
    if len(effect) < FEWEST or not np.isfinite(effect).all() or not effect.std():
        return ()
    ranks, columns = _ranks(effect), _columns(worlds, paths)
    found = [(p, float(np.corrcoef(ranks, columns[:, n])[0, 1])) for n, p in enumerate(paths) if columns[:, n].std()]
    return tuple(sorted(found, key=lambda pair: -abs(pair[1])))


def drivers(found: Sequence[tuple[str, float]], many: int) -> tuple[tuple[str, float], ...]:
    """Those of `influence` over so many worlds whose ranks go most with the change at the worst.

    Only those that stand out among as many as there are (5 % that any does by chance, Bonferroni).
    """
    from scipy.special import ndtri

    if not found:
        return ()
    least = float(ndtri(1 - 0.025 / len(found))) / math.sqrt(many - 1)
    return tuple(pair for pair in found if abs(pair[1]) > least)[:MOST_DRIVERS]


def _paths(worlds: Sequence[Mapping[str, object]]) -> list[str]:
    """The paths of numbers that all worlds set."""
    numeric = [{p for p, v in world.items() if isinstance(v, int | float)} for world in worlds]
    return sorted(set.intersection(*numeric)) if numeric else []


def _columns(worlds: Sequence[Mapping[str, object]], paths: Sequence[str]) -> Array:
    """[world, path] ranks."""
    values = np.array([[world[p] for p in paths] for world in worlds], float).reshape(len(worlds), len(paths))
    return np.apply_along_axis(_ranks, 0, values) if len(paths) else values


def _ranks(values: Array) -> Array:
    from scipy.stats import rankdata

    ranked: Array = rankdata(values)
    return ranked
