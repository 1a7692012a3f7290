"""Plans of levers: how much of each a firm uses, in steps, what that costs, and which changes of a scenario it is.

A lever sets numbers of a firm. A part of it, its dose, moves each number that part of the way from where the firm is to
where the whole lever puts it, and costs that part of what the whole lever costs.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import yaml

from sim.model.declare import ScenarioError, did_you_mean, leaves
from sim.model.fields import Move, Scenario
from sim.model.scenario import levers as numbers_of
from sim.study.presets import CONF, presets

Steps = tuple[int, ...]  # of each lever
LeverNames = Sequence[str] | Mapping[str, Mapping[str, float]]
ROUNDING = 1e-9  # relative, by which a sum of costs may exceed a budget


@dataclass(frozen=True)
class Lever:
    """A lever of a firm: the moves that make it, and what the whole of it costs."""

    name: str
    moves: Mapping[str, Move]
    cost: float


@dataclass(frozen=True)
class Levers:
    """The levers of a firm that a budget is spent on, each in `steps` equal steps."""

    firm: str
    levers: tuple[Lever, ...]
    steps: int
    budget: float

    def cost(self, plan: Steps) -> float:
        """What a plan costs."""
        return math.fsum(n / self.steps * lever.cost for n, lever in zip(plan, self.levers, strict=True))

    def affordable(self, plan: Steps) -> bool:
        """Whether the budget pays for it."""
        return self.cost(plan) <= self.budget * (1 + ROUNDING)

    def most(self, before: Steps, n: int) -> int:
        """The most steps of the n-th lever that the budget pays for once the steps `before` are paid."""
        rest = (0,) * (len(self.levers) - len(before) - 1)
        return max(k for k in range(self.steps + 1) if k == 0 or self.affordable((*before, k, *rest)))

    def all(self) -> Iterator[Steps]:
        """Every plan that the budget pays for."""
        yield from filter(self.affordable, product(range(self.steps + 1), repeat=len(self.levers)))

    def count(self) -> int:
        """How many plans there are, those that cost too much included."""
        return (self.steps + 1) ** len(self.levers)

    def alone(self) -> list[Steps]:
        """As much as the budget pays for of each lever alone."""
        many = len(self.levers)
        return [(0,) * n + (self.most((0,) * n, n),) + (0,) * (many - n - 1) for n in range(many)]

    def changes(self, scenario: Scenario, plan: Steps) -> dict[str, object]:
        """The plan as changes of a scenario, in which the firm may be anywhere."""
        found: dict[str, object] = {}
        here = {
            path: float(v) for path, v, d in leaves(scenario.firms[self.firm]) if d.low is not None and v is not None
        }
        for n, lever in zip(plan, self.levers, strict=True):
            for name, move in lever.moves.items() if n else ():
                now = here[move.lever]
                value = now + n / self.steps * (move.value - now)
                found[f"moves.{lever.name}_{name}"] = replace(move, firm=self.firm, value=value)
        return found


def levers_of(
    scenario: Scenario, firm: str, names: LeverNames, costs: Mapping[str, float], budget: float, steps: int
) -> Levers:
    """The levers by the names of conf/lever/, or by names with the numbers that each sets from week 0 on.

    `costs` come before those of the files. One ScenarioError says all that is wrong: unknown names, levers that the
    firm does not have, costs that nobody gave, a budget that pays for no step.
    """
    wrong = [] if firm in scenario.firms else [f"firm: {firm!r} is none{did_you_mean(firm, scenario.firms)}"]
    wrong += [] if names else ["levers: none"]
    wrong += [f"costs.{name}: no lever of this study{did_you_mean(name, names)}" for name in costs if name not in names]
    found = []
    for name in dict.fromkeys(names):
        moves, told = _moves(name, names, wrong)
        cost = costs.get(name, told)
        if moves and firm in scenario.firms:
            known = numbers_of(scenario.firms[firm])
            here = {n: m for n, m in moves.items() if m.lever in known}
            missing = ", ".join(m.lever for m in moves.values() if m.lever not in known)
            wrong += [] if here else [f"levers.{name}: {firm} has no {missing}"]
            moves = here
        if cost is None:
            wrong.append(f"costs.{name}: not given; say what the whole lever costs, in the unit of the budget")
        elif isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 < cost < math.inf:
            wrong.append(f"costs.{name}: {cost!r} is not a number above 0")
        else:
            found.append(Lever(name, moves, float(cost)))
    wrong += _of_budget(budget, found, steps)
    if wrong:
        raise ScenarioError(wrong)
    return Levers(firm, tuple(found), steps, float(budget))


def _of_budget(budget: object, found: Sequence[Lever], steps: int) -> list[str]:
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget < math.inf:
        return [f"budget: {budget!r} is not a number above 0"]
    if not found or not isinstance(steps, int) or steps < 1:
        return []
    cheapest = min(found, key=lambda lever: lever.cost)
    least = cheapest.cost / steps
    if budget < least * (1 - ROUNDING):
        return [f"budget: {budget:g} pays for nothing; the cheapest step, of {cheapest.name}, costs {least:g}"]
    return []


def _moves(name: str, names: LeverNames, wrong: list[str]) -> tuple[dict[str, Move], float | None]:
    """The moves of a lever by name, and the cost that its file gives."""
    if isinstance(names, Mapping):
        return {f"{n}": Move("", path, 0, 0, value) for n, (path, value) in enumerate(names[name].items())}, None
    if name not in presets("lever"):
        wrong.append(f"levers: {name!r} is none{did_you_mean(name, presets('lever'))}")
        return {}, None
    file = yaml.safe_load((CONF / "lever" / f"{name}.yaml").read_text(encoding="utf-8"))
    return {n: Move(**move) for n, move in file["moves"].items()}, (file.get("costs") or {}).get(name)
