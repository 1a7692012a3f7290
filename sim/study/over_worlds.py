"""One answer out of many, each given in a world as plausible as the others: median, 80 % interval, what decides."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.measure.quantity import Parts, Quantity, nothing
from sim.measure.tally import Array
from sim.model.fields import Scenario

if TYPE_CHECKING:
    from sim.study.answer import Answer, Change, Moment

LEVEL = 0.8  # of an interval over worlds
Z80 = 1.281552  # standard errors of a normal law on either side of 80 %
PEOPLE, SPAN = 5_000, 104  # people in a world at most, and weeks after the last event
PERSON_WEEKS = 45e6  # that fit into the seconds an answer may take, both runs of every world together
MOST, LEAST = 50, 5  # worlds by default
FEWEST = 5  # worlds that give an interval
CASES = "scandals."  # numbers that differ from case to case; all others are parameters of the model
MOST_DRIVERS = 3
ADDING = ("left_because", "never_came", "stayed_because", "came_because")  # the people behind a change
FEW_NUMBERS = 10  # that are the same by chance, where a case has neither one thing nor the other
PERMUTATIONS = 1_000  # of worlds, to know what correlation chance gives


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
    same = [replace(one, weekly=one.weekly[:weeks], events={}, moves=alone.moves, people=alone.people) for one in drawn]
    found: Answer = _merge(same, replace(alone, weekly=alone.weekly[:weeks]), cases)
    quarter, year = (_adding_up(getattr(found, n), [getattr(one, n) for one in drawn]) for n in ("quarter", "year"))
    worst = _adding_up(found.worst, [one.worst for one in drawn]) or found.worst
    return replace(found, events=alone.events, worst=worst, quarter=quarter, year=year)


def _adding_up(moment: "Moment | None", drawn: Sequence["Moment"]) -> "Moment | None":
    """The moment with groups, rivals and the people behind it so large that they add up to the whole.

    Medians of parts do not: in most worlds nobody of a small group may move. A part is the median of the whole times
    its share of the sum over worlds; its interval is that over worlds. Where no change is detected medians stay.
    """
    if moment is None:
        return None
    whole, totals = moment.total, [one.total for one in drawn]
    if not (whole.people.detected and whole.percent.detected):
        return moment
    people = [total.people for total in totals]
    causes = {
        name: _part(getattr(moment.causes, name), [getattr(one.causes, name) for one in drawn], whole.people, people)
        for name in ADDING
    }
    return replace(
        moment,
        causes=replace(moment.causes, **causes),
        groups={n: _parts(c, [one.groups[n] for one in drawn], whole, totals) for n, c in moment.groups.items()},
        rivals={n: _parts(c, [one.rivals[n] for one in drawn], whole, totals) for n, c in moment.rivals.items()},
    )


def _parts(change: "Change", drawn: Sequence["Change"], whole: "Change", totals: Sequence["Change"]) -> "Change":
    """`_part` of a change in each of its units."""
    units = [f.name for f in fields(change) if getattr(change, f.name) and getattr(whole, f.name)]
    given = {u: ([getattr(c, u) for c in drawn], getattr(whole, u), [getattr(t, u) for t in totals]) for u in units}
    return replace(change, **{u: _part(getattr(change, u), *others) for u, others in given.items()})


def _part(part: Quantity, drawn: Sequence[Quantity], whole: Quantity, totals: Sequence[Quantity]) -> Quantity:
    total = sum(q.value for q in totals)
    value = whole.value * sum(q.value for q in drawn) / total if total else math.nan
    if not part.known or not math.isfinite(value):
        return part
    return replace(part, value=value, low=min(part.low, value), high=max(part.high, value))


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
        return float(np.quantile(parts, 0.5, method="inverted_cdf"))
    return first


def over(values: Sequence[Quantity], alone: Quantity, cases: Array) -> Quantity:
    """Median and 80 % interval of a quantity over worlds, with the variance by where it comes from.

    The variance between worlds is that of parameters and cases and of the dice of each world, which had draws of its
    own; the dice of the answer are those of the scenario itself, of which more people may have been simulated.
    """
    found = np.array([q.value for q in values])
    there = ~np.isnan(found)  # where there are such customers
    if there.sum() < FEWEST:
        return nothing(float(np.nanmedian(found)) if there.any() else math.nan)
    values, found, cases = [q for q in values if q.value == q.value], found[there], cases[there]
    middle, low, high = (float(np.quantile(found, q, method="inverted_cdf")) for q in (0.5, 0.1, 0.9))
    if not np.isfinite(found).all():
        return Quantity(middle, low, high, Parts(), LEVEL)
    if not found.var():  # the same in all, as where nobody acts: no more is known than from the scenario's own run
        return alone if alone.value == middle else nothing(middle)
    errors = [q.parts.dice for q in values if not math.isnan(q.parts.dice)]
    if not errors:  # each world has too few to tell
        return nothing(middle)
    variance, dice = float(found.var(ddof=1)), float(np.mean(np.square(errors)))
    between = max(0.0, variance - dice)
    own = alone.parts.dice if math.isfinite(alone.parts.dice) else math.sqrt(dice)
    share = explained(found, cases)  # nan: parameters and cases together
    of_cases = 0.0 if math.isnan(share) else between * share
    errors_of = math.sqrt(between - of_cases), math.nan if math.isnan(share) else math.sqrt(of_cases)
    parts = Parts(own, alone.parts.presence, *errors_of)
    narrower = math.sqrt((between + own**2) / variance) if variance else 1.0
    shift = 0.0 if math.isnan(parts.presence) else Z80 * parts.presence
    reach = [math.hypot(min(1.0, narrower) * abs(end - middle), shift) for end in (low, high)]
    return Quantity(middle, middle - reach[0], middle + reach[1], parts, LEVEL)


def explained(values: Array, columns: Array) -> float:
    """Share of the variance between worlds that a straight line in the ranks of some numbers explains, adjusted.

    nan where there are too few worlds for so many numbers.
    """
    n, k = columns.shape
    if not k or not values.var():
        return 0.0
    if n < k + 3:
        return math.nan
    design = np.column_stack([np.ones(n), columns])
    ranks = _ranks(values)
    left = ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    r2 = 1 - left.var() / ranks.var()
    return float(np.clip(1 - (1 - r2) * (n - 1) / (n - k - 1), 0, 1))


def drivers(drawn: Sequence["Answer"], worlds: Sequence[Mapping[str, object]]) -> tuple[tuple[str, float], ...]:
    """The numbers whose ranks go most with the change at the worst, with the rank correlation.

    Numbers are taken by field (`fields_of`). Only those that stand out among as many as there are: of permutations of
    the worlds one in twenty has any correlation as large.
    """
    return decisive(_worst(drawn), worlds, drawn[0].firm) if drawn else ()


def influence(drawn: Sequence["Answer"], worlds: Sequence[Mapping[str, object]]) -> tuple[tuple[str, float], ...]:
    """As `drivers`, of every field that the worlds vary, whether it stands out or not."""
    names, table, ranks = _standardized(_worst(drawn), worlds, drawn[0].firm if drawn else "")
    found = zip(names, (table @ ranks / max(1, len(ranks))).tolist(), strict=True)
    return tuple(sorted(found, key=lambda pair: -abs(pair[1])))


def decisive(values: Array, worlds: Sequence[Mapping[str, object]], firm: str = "") -> tuple[tuple[str, float], ...]:
    """The fields that go most with a value of each world, with the rank correlation; () where none stands out.

    >>> worlds = [{"a.x": float(n), "a.y": float(n * 7 % 10)} for n in range(10)]
    >>> decisive(np.arange(10.0) ** 2, worlds), decisive(np.array([float(n * 3 % 10) for n in range(10)]), worlds)
    ((('a.x', 1.0),), ())
    """
    names, table, ranks = _standardized(values, worlds, firm)
    if not names:
        return ()
    random = np.random.default_rng(len(ranks))
    chance = [np.abs(table @ random.permutation(ranks)).max() / len(ranks) for _ in range(PERMUTATIONS)]
    least = np.quantile(chance, 0.95)
    found = zip(names, (table @ ranks / len(ranks)).tolist(), strict=True)
    clear = [(name, r) for name, r in found if abs(r) > least]
    return tuple(sorted(clear, key=lambda pair: -abs(pair[1]))[:MOST_DRIVERS])


def _worst(drawn: Sequence["Answer"]) -> Array:
    return np.array([one.worst.total.percent.value for one in drawn])


def _standardized(values: Array, worlds: Sequence[Mapping[str, object]], firm: str) -> tuple[list[str], Array, Array]:
    """The fields that vary, their standardized ranks [field, world], and those of the values; empty for too few.

    A world that is used again, with other numbers of a case, counts once.
    """
    if len(values) < FEWEST or not np.isfinite(values).all() or not values.std():
        return [], np.empty((0, 0)), np.empty(0)
    paths = _paths(worlds)
    once = _once(np.array([[world[p] for p in paths] for world in worlds], float).reshape(len(worlds), len(paths)))
    place = {path: n for n, path in enumerate(paths)}
    single, values = once @ _columns(worlds, paths), once @ values
    means = {name: single[:, [place[p] for p in some]].mean(axis=1) for name, some in fields_of(paths, firm).items()}
    columns = {name: _ranks(column) for name, column in means.items() if column.std()}
    if len(values) < FEWEST or not values.std():
        return [], np.empty((0, 0)), np.empty(0)
    ranks = _ranks(values)
    table = np.array([(c - c.mean()) / c.std() for c in columns.values()]).reshape(len(columns), len(ranks))
    return list(columns), table, (ranks - ranks.mean()) / ranks.std()


def fields_of(paths: Sequence[str], firm: str = "") -> dict[str, list[str]]:
    """Paths by field: those of a firm by itself, and those of all others, of segments and of cohorts together.

    >>> list(fields_of(["firms.a.ease", "firms.b.ease", "firms.c.ease", "segments.x.rate", "consumer.rate"], "a"))
    ['firms.a.ease', 'firms.*.ease (rivals)', 'segments.*.rate', 'consumer.rate']
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        group, _, rest = path.partition(".")
        member, _, field = rest.partition(".")
        field = re.sub(r"^(touchpoints|care)\.\w+", r"\1.*", field)
        if group == "firms" and member == firm:
            name = f"firms.{firm}.{field}"
        elif group in ("firms", "segments", "cohorts"):
            name = f"{group}.*.{field}" + " (rivals)" * (group == "firms" and bool(firm))
        else:
            name = path
        found.setdefault(name, []).append(path)
    return found


def _once(numbers: Array) -> Array:
    """[distinct, world] weights that average worlds of which most numbers are the same: they are one world."""
    vary = numbers[:, (numbers != numbers[:1]).any(axis=0)]
    most = max(FEW_NUMBERS, 0.5 * vary.shape[1])
    first = [next(k for k in range(n + 1) if k == n or (vary[k] == row).sum() >= most) for n, row in enumerate(vary)]
    same = np.array([[f == k for f in first] for k in sorted(set(first))], float)
    weights: Array = same / same.sum(axis=1, keepdims=True)
    return weights


def _paths(worlds: Sequence[Mapping[str, object]]) -> list[str]:
    """The paths of numbers that all worlds set."""
    numeric = [{p for p, v in world.items() if isinstance(v, int | float)} for world in worlds]
    return sorted(set.intersection(*numeric)) if numeric else []


def _columns(worlds: Sequence[Mapping[str, object]], paths: Sequence[str]) -> Array:
    """[world, path] ranks."""
    values = np.array([[world[p] for p in paths] for world in worlds], float).reshape(len(worlds), len(paths))
    return np.apply_along_axis(_ranks, 0, values) if len(paths) else values


def _ranks(values: Array) -> Array:
    import pandas as pd

    ranked: Array = pd.Series(values).rank().to_numpy()
    return ranked
