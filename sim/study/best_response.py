"""Rivals that answer: each firm in turn sets its lever to what pays best, until nobody moves or they go in circles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from sim.measure.estimates import Estimate, folds_of, jackknife
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.events import Move
from sim.model.fields import Scenario
from sim.model.levers import value_at
from sim.model.scenario import levers, move_complaints
from sim.study.calibrate_shares import calibrate_shares
from sim.study.simulation import simulate

if TYPE_CHECKING:
    import pandas as pd

Choices = Mapping[str, tuple[str, Sequence[float]]]  # firm -> lever, and the values among which it chooses
State = tuple[float, ...]  # the value of each firm's lever, in the order of `Choices`


@dataclass
class Rivals:
    """What firms that answer each other came to."""

    path: "pd.DataFrame"  # turn, firm, lever, before, after, gain and error of what it did, money a person and week
    values: dict[str, float]  # of each firm's lever, at the end
    settled: bool  # whether nobody gains by another move, on the draws on which they moved
    cycle: list[dict[str, float]]  # the values that come again and again; empty where they do not
    checked: "pd.DataFrame"  # of each firm: the best other value, its gain and error, on draws that nobody has seen

    def __repr__(self) -> str:
        """One line: where they stopped, and why."""
        ended = "nobody moves" if self.settled else f"a cycle of {len(self.cycle)}" if self.cycle else "not settled"
        return f"<Rivals: {ended} after {len(self.path)} turns; {self.values}>"


@dataclass
class _Game:
    """What is asked, and the payoffs known so far."""

    base: Scenario
    choices: Choices
    costs: Mapping[str, float]
    week: int
    start: State
    known: dict[State, np.ndarray] = field(default_factory=dict)  # [fold, firm], money a person and week


def rivals(
    base: Scenario,
    choices: Choices,
    costs: Mapping[str, float],
    *,
    week: int = 0,
    rounds: int = 20,
    sure: float = 2.0,
) -> Rivals:
    """Let firms answer each other in turn, each with the value of its lever that earns it most, on shared draws.

    A firm earns (price - cost) for every use from `week` on; `costs` are those of a use, in units of the average price.
    Levers are set in that week, for good. A firm moves only for a gain of more than `sure` paired standard errors, so
    that nobody runs after chance. Where the same values come again at the same turn, that is a cycle, and it is named.
    ScenarioError with all that is wrong.
    """
    wrong = _complaints(base, choices, costs, week)
    if wrong:
        raise ScenarioError(wrong)
    solved = calibrate_shares(base)[0]
    start = tuple(value_at(solved.firms[firm], lever) for firm, (lever, _) in choices.items())
    game = _Game(solved, choices, costs, week, start)
    return _play(game, rounds, sure)


def _play(game: _Game, rounds: int, sure: float) -> Rivals:
    state, rows, history, still = game.start, list[tuple[object, ...]](), [game.start], 0
    seen, many, cycle = dict[tuple[State, int], int](), len(game.choices), list[State]()
    for turn in range(rounds * many):
        n = turn % many
        if still == many:
            break
        if (state, n) in seen:
            cycle = list(dict.fromkeys(history[seen[state, n] :]))
            break
        seen[state, n] = turn
        found, gain = _best(game, state, n)
        if not gain.value > sure * gain.error:
            found, gain = state, Estimate(np.zeros(()), np.zeros(()))
        firm, (lever, _) = list(game.choices.items())[n]
        rows.append((turn + 1, firm, lever, state[n], found[n], *map(float, gain)))
        still = 0 if found != state else still + 1
        state = found
        history.append(state)
    return _result(game, state, rows, still == many, cycle)


def _best(game: _Game, state: State, n: int) -> tuple[State, Estimate]:
    """The value of firm n's lever that earns most beside the others' values, and its gain over the one it has."""
    now = _payoffs(game, state)[:, n]
    others = [(*state[:n], float(value), *state[n + 1 :]) for value in list(game.choices.values())[n][1]]
    gains = {other: jackknife(_payoffs(game, other)[:, n] - now) for other in others if other != state}
    if not gains:
        return state, Estimate(np.zeros(()), np.zeros(()))
    best = max(gains, key=lambda other: float(gains[other].value))
    return best, gains[best]


def _payoffs(game: _Game, state: State) -> np.ndarray:
    """[fold, firm] what each firm earns a person and week; simulated once for a state."""
    if state not in game.known:
        s = _scenario(game, state)
        tally, firms = simulate(s).tally, list(s.firms)
        uses = tally.flow[:, game.week :, ..., 1:].sum(axis=(1, 2, 3))
        people = folds_of(tally.people.sum(axis=1)) * (s.weeks - game.week)
        columns = []
        for n, (firm, (lever, _)) in enumerate(game.choices.items()):
            price = state[n] if lever == "price" else s.firms[firm].price
            columns.append((price - game.costs[firm]) * folds_of(uses[:, firms.index(firm)]) / people)
        game.known[state] = np.stack(columns, 1)
    return game.known[state]


def _scenario(game: _Game, state: State) -> Scenario:
    moves = dict(game.base.moves)
    for firm, before, value, (lever, _) in zip(game.choices, game.start, state, game.choices.values(), strict=True):
        if value != before:
            moves[f"{firm}_answers"] = Move(firm=firm, lever=lever, week=game.week, value=value)
    return replace(game.base, moves=moves)


def _result(game: _Game, state: State, rows: list[tuple[object, ...]], settled: bool, cycle: list[State]) -> Rivals:
    import pandas as pd

    fresh = replace(game, base=replace(game.base, seed=(game.base.seed + 1) % 2**32), known={})
    checked = []
    for n, (firm, (lever, _)) in enumerate(game.choices.items()):
        other, gain = _best(fresh, state, n)
        checked.append((firm, lever, state[n], other[n], float(gain.value), float(gain.error)))
    columns = ["turn", "firm", "lever", "before", "after", "gain", "error"]
    return Rivals(
        path=pd.DataFrame(rows, columns=columns),
        values=dict(zip(game.choices, state, strict=True)),
        settled=settled,
        cycle=[dict(zip(game.choices, found, strict=True)) for found in cycle],
        checked=pd.DataFrame(checked, columns=["firm", "lever", "value", "best_other", "gain", "error"]),
    )


def _complaints(base: Scenario, choices: Choices, costs: Mapping[str, float], week: int) -> list[str]:
    wrong = [] if 0 <= week < base.weeks else [f"week: {week} is outside 0 to {base.weeks - 1}"]
    if len(choices) < 2:
        wrong.append("choices: rivals are two firms at least")
    wrong += [f"costs: {f!r} is no firm of the choices{did_you_mean(f, choices)}" for f in costs if f not in choices]
    for firm, (lever, values) in choices.items():
        if firm not in base.firms:
            wrong.append(f"choices: {firm!r} is no firm{did_you_mean(firm, base.firms)}")
            continue
        wrong += [] if firm in costs else [f"costs: none for {firm}"]
        if lever not in levers(base.firms[firm]):
            wrong.append(f"choices.{firm}: {lever!r} is no lever{did_you_mean(lever, levers(base.firms[firm]))}")
            continue
        for value in values:
            move = Move(firm=firm, lever=lever, week=min(max(week, 0), base.weeks - 1), value=value)
            wrong += [c.replace("moves.", "choices.", 1) for c in move_complaints(base, firm, move)]
    return wrong
