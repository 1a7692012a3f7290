"""A new scandal in a market: draws of how many act and how long it lasts, such that the loss is what cases foretell.

What the casebook foretells is a change of sales (or customers). The market is lived once without the scandal and on a
grid of force (how many act, how much they mind) and memory; each drawn pair of changes, worst and late, is then looked
up there. So whatever the market's own numbers are, the simulated loss has the casebook's median and spread, as far as
the market can lose so much: where it cannot, the nearest is taken, and counted.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from sim.casebook.cases import Attributes
from sim.casebook.rule import Floats, Rule, Spread, change_of, late_of, logit_of, observed, predict
from sim.engine.loop import Shard, fork, initialize, open_counts
from sim.measure.tally import counted
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study.calibrate_shares import calibrate_shares
from sim.study.fork import can_fork, go_on
from sim.study.priors import uniform
from sim.study.worlds import NEW_SCANDAL

KIND = {"data": "privacy", "conscience": "ethics"}  # of the simulator; any other is service and safety
WORST, LATE = (0, 13), (20, 52)  # weeks after the news over which a change is taken
END = (10, 14)  # the worst of a provider, whose customers are counted as the quarter ends
ALL = ((3.0, 4.0, 1.0), (10.0, 4.0, 1.0), (100.0, 4.0, 1.0), (100.0, 10.0, 1.0), (100.0, 10.0, 5.0))
FORCES = {  # scandals.new.action, severity, and the care for its kind, from next to none to all
    "repertoire": ((0.01, 4.0, 1.0), (0.1, 4.0, 1.0), (0.3, 4.0, 1.0), (1.0, 4.0, 1.0), *ALL),
    "provider": ((0.01, 0.01, 1.0), (0.1, 0.1, 1.0), (0.3, 0.4, 1.0), (1.0, 1.5, 1.0), *ALL),  # all mind who have heard
}
MANY = 9  # forces
MEMORIES = {"repertoire": (0.02, 0.15, 0.5, 0.98), "provider": (0.5,)}  # market.reputation_share; see `_grid`
BUYCOTT, GAINING = 0.95, range(2, 7)  # share of those acting that buy more, and the forces, where the firm gains
FORGOTTEN = 0.02  # the least memory
HALF_LIFE = 75.0  # weeks of the slow memory: the middle of the cases that lasted
SMALL = (1, 2, 3)  # forces that move so few that many people must live them
PEOPLE = {"repertoire": 30_000, "provider": 60_000}  # that live these; a loss of 1 % is then known within a tenth or so
FEWER, CHECKED = 6_000, 12_000  # that live the greater forces; that live the draws
MOST_PEOPLE = 60_000  # that live any of it, where the scenario has more
LEAST = 200  # uses of the firm in its worst stretch, below which no loss can be set


class TooFewUses(ScenarioError):
    """A firm that is used so seldom that no loss can be set: what cases foretell stands alone."""


@dataclass(frozen=True)
class Drawn:
    """Draws of a new scandal: what the casebook foretells, % change, and the changes of the scenario that give it."""

    worst: Floats  # [n] drawn
    late: Floats  # [n]
    changes: list[dict[str, float]]
    beyond: int  # of the draws, how many ask for a change that this market cannot have
    simulated: Floats  # [n, 2] the same changes as the market gave them to other people, worst and late

    @property
    def middle(self) -> dict[str, float]:
        """The changes of the draw in the middle by its worst stretch."""
        return self.changes[int(np.argsort(self.worst, kind="stable")[len(self.worst) // 2])]


def foretold(rule: Rule, known: Attributes, seen: float | None = None) -> tuple[Spread, Spread]:
    """The distributions of the worst stretch and of the late value; `seen` is an observed first stretch, %."""
    worst = predict(rule, known) if seen is None else observed(rule, seen)
    return worst, late_of(rule, worst)


def draws(rule: Rule, known: Attributes, n: int, key: int | str, seen: float | None = None) -> tuple[Floats, Floats]:
    """[n] worst and late changes, %, drawn together: the same for the same key; spread evenly over the worst."""
    worst, _ = foretold(rule, known, seen)
    order = np.argsort([uniform(f"{key}/order", str(k)) for k in range(n)])
    first = worst.quantile((order + np.array([uniform(f"{key}/worst", str(k)) for k in range(n)])) / n)
    line = rule.line[0] + rule.line[1] * logit_of(first, rule.floor)
    errors = np.sort(rule.late_errors)
    picked = [errors[int(uniform(f"{key}/late", str(k)) * len(errors))] for k in range(n)]
    late = change_of(line + np.array(picked))
    late[late > -rule.floor] = 0.0
    return first, late


def in_market(scenario: Scenario, rule: Rule, known: Attributes, n: int, seen: float | None = None) -> Drawn:
    """Draws as changes of a scenario that has the scandal `new`, keyed by its seed.

    Raises ScenarioError where the run ends before the late value could be seen, TooFewUses. How many people live on the
    grid depends on the scenario's only where it has more; other people than those show what the draws do.
    """
    kind = KIND.get(str(known.get("kind")), "service")
    event = scenario.scandals[NEW_SCANDAL]
    if event.week + LATE[1] > scenario.weeks:
        raise ScenarioError(
            [f"weeks: {scenario.weeks} end before a year after week {event.week}; give weeks={event.week + LATE[1]}"]
        )
    many = min(MOST_PEOPLE, scenario.people)
    base, _ = calibrate_shares(change(scenario, {"people": max(FEWER, many), "replications": 1}))
    base = change(
        base,
        {
            f"scandals.{NEW_SCANDAL}.kind": kind,
            "weeks": scenario.weeks if scenario.calendar else event.week + LATE[1],
            "market.reputation_half_life": HALF_LIFE,
        },
    )
    worst, late = draws(rule, known, n, scenario.seed, seen)
    losses, gains = _grid(base, kind, bool((worst > 0).any()))
    changes, beyond, memories = [], 0, MEMORIES[base.market.regime]
    for first, then in zip(worst, late, strict=True):
        found, missed = _gain(gains, first) if first > 0 else _loss(losses, memories, rule.floor, first, then)
        beyond += missed
        force, memory, buycott = found
        changes.append(_changes(base, kind, force, memory, buycott))
    others = change(base, {"seed": base.seed + 1, "people": max(CHECKED, many)})
    return Drawn(worst, late, changes, beyond, measured(others, changes))


def measured(scenario: Scenario, changes: Sequence[Mapping[str, object]]) -> Floats:
    """[changed, 2] % change of the worst stretch and late, for the scandal's firm, against the same without.

    The changes are those of `in_market`, which nobody can tell before the news, so the weeks up to it are run once.
    """
    week, control = scenario.scandals[NEW_SCANDAL].week, change(scenario, {f"scandals.{NEW_SCANDAL}": None})
    before = _started(control, week) if can_fork(control, scenario, week) else None

    def arm(s: Scenario) -> Floats:
        return _uses(fork(before, s) if before else _started(s, week), scenario)

    alone = arm(control)
    if alone[0] < LEAST:
        firm = scenario.scandals[NEW_SCANDAL].firm or scenario.focus
        few = (
            f"of {scenario.people:,} people {alone[0]:.0f} buy at {firm} in {WORST[1]} weeks: too few to tell a loss by"
        )
        raise TooFewUses([few])
    with ThreadPoolExecutor() as pool:
        found = [alone, *pool.map(arm, [change(scenario, c) for c in changes])]
    return 100 * (np.array(found[1:]) / found[0] - 1)


def _started(scenario: Scenario, week: int) -> Shard:
    """All people of a scenario as a week opens."""
    parts = initialize(scenario)
    open_counts(parts)
    return go_on(parts[0], week)


def _uses(shard: Shard, told: Scenario) -> Floats:
    """[2] uses of the scandal's firm in the worst stretch and late, from people as the news breaks."""
    event = told.scandals[NEW_SCANDAL]
    go_on(shard, shard.week + LATE[1])
    firm = list(told.firms).index(event.firm or told.focus)
    weekly = counted(shard.tally).flow[..., firm + 1].sum(axis=(0, 2, 3))
    spans = (END if told.market.regime == "provider" else WORST, LATE)
    return np.array([weekly[event.week + a : event.week + b].sum() for a, b in spans], float)


def _grid(base: Scenario, kind: str, gaining: bool) -> tuple[Floats, Floats]:
    """[memory, force, 2] changes without a buycott, and [force] with it in the worst stretch, if any draw gains.

    One memory for providers: whatever is remembered, those who left one do not come back within a year.
    """
    memories, crowd = MEMORIES[base.market.regime], {"people": max(base.people, PEOPLE[base.market.regime])}
    great = [f for f in range(MANY) if f not in SMALL]
    arms = {f: [_changes(base, kind, float(f), m, 0.0) for m in memories] for f in range(MANY)}
    buying = [_changes(base, kind, float(f), FORGOTTEN, BUYCOTT) for f in GAINING if gaining]
    few = measured(change(base, crowd), [arm for f in SMALL for arm in arms[f]])
    many = measured(base, [*(arm for f in great for arm in arms[f]), *buying])
    gains = many[len(great) * len(memories) :, 0]
    found = np.concatenate([few, many[: len(many) - len(gains)]]).reshape(MANY, len(memories), 2)
    return found[np.argsort([*SMALL, *great])].swapaxes(0, 1), gains


def _changes(base: Scenario, kind: str, force: float, memory: float, buycott: float) -> dict[str, float]:
    """The changes of a force, which is a place on FORCES, between two of them by their logarithms."""
    place, forces = np.arange(MANY), FORCES[base.market.regime]
    action, severity, care = (
        min(max(x), float(np.exp(np.interp(force, place, np.log(x))))) for x in zip(*forces, strict=True)
    )
    event = {"action": action, "severity": severity, "buycott": buycott}
    found = {f"scandals.{NEW_SCANDAL}.{field}": value for field, value in event.items()}
    memories = {"market.reputation_share": memory, "market.reputation_half_life": HALF_LIFE}
    if buycott:
        memories["market.avoidance"] = 0.0  # where the firm gains nobody stays away from it
    return {**found, f"kinds.{kind}.care": care, f"kinds.{kind}.action": 1.0, **memories}


def _loss(
    grid: Floats, memories: Sequence[float], floor: float, worst: float, late: float
) -> tuple[tuple[float, float, float], bool]:
    """(force, memory, buycott) that give the two losses, and whether the market cannot lose as much as the worst."""
    if worst > -floor:
        return (0.0, FORGOTTEN, 0.0), False
    place, target = np.arange(MANY, dtype=float), logit_of(worst, floor)
    curves = [np.maximum.accumulate(logit_of(rows[:, 0], floor / 10)) for rows in grid]
    forces = [float(np.interp(target, _rising(y), place)) for y in curves]
    lates = [np.interp(f, place, logit_of(rows[:, 1], floor / 10)) for f, rows in zip(forces, grid, strict=True)]
    memory = float(np.interp(logit_of(late, floor), _rising(np.maximum.accumulate(lates)), memories))
    force = float(np.interp(memory, memories, forces))
    return (force, memory, 0.0), bool(all(y[-1] < target for y in curves))


def _gain(grid: Floats, worst: float) -> tuple[tuple[float, float, float], bool]:
    places = [float(f) for f in GAINING]
    curve = _rising(np.maximum.accumulate(grid))
    return (float(np.interp(worst, curve, places)), FORGOTTEN, BUYCOTT), bool(worst > curve[-1])


def _rising(y: Floats | Sequence[float]) -> Floats:
    """The same, strictly rising, as interpolation wants it."""
    found: Floats = np.asarray(y, float) + 1e-9 * np.arange(len(y))
    return found
