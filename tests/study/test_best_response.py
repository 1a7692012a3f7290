"""Firms that answer each other: an equilibrium that is known, a cycle that is named, and everything wrong at once."""

import numpy as np
import pytest

from sim import study
from sim.measure.estimates import Estimate
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.study import best_response
from tests.markets import ALL_OFF, market

TWO = {"people": 4000, "weeks": 26, "window": 13, "burn_in": 0}
GRID = [round(0.7 + 0.1 * n, 1) for n in range(12)]  # 0.7 to 1.8


def duopoly(**changes):
    return market({**ALL_OFF, "mechanisms.price": True, **TWO, **changes}, (0.5, 0.5))


def test_two_alike_come_to_the_prices_of_a_logit_equilibrium():
    """All off but price, half the market each: p = c + 1 / (beta (1 - share)), c + 2 / beta (Anderson et al. 1992)."""
    base = duopoly(**{"consumer.price_weight": 4.0})
    found = study.rivals(base, {"f0": ("price", GRID), "f1": ("price", GRID)}, {"f0": 0.8, "f1": 0.8})
    assert found.settled and found.cycle == [] and "nobody moves" in repr(found)
    assert found.values == {"f0": pytest.approx(1.3, abs=0.11), "f1": pytest.approx(1.3, abs=0.11)}
    assert (found.checked["gain"] < 2 * found.checked["error"] + 1e-3).all(), "nor on draws that nobody has seen"
    moves = found.path[found.path["after"] != found.path["before"]]
    assert len(moves) and (moves["gain"] > 2 * moves["error"]).all()


def test_a_cycle_is_named(monkeypatch):
    """Who matches pennies never comes to rest: one gains by being alike, the other by being different."""

    def best(game, state, n):
        wanted = state[1 - n] if n == 0 else (0.9 if state[0] == 1.0 else 1.0)
        found = (wanted, state[1]) if n == 0 else (state[0], wanted)
        return found, Estimate(np.float64(found != state), np.float64(0.1))

    monkeypatch.setattr(best_response, "_best", best)
    values = ("price", [0.9, 1.0])
    found = study.rivals(duopoly(), {"f0": values, "f1": values}, {"f0": 0.5, "f1": 0.5})
    assert not found.settled and "a cycle of 4" in repr(found)
    assert {tuple(state.values()) for state in found.cycle} == {(a, b) for a in (0.9, 1.0) for b in (0.9, 1.0)}


def test_it_is_the_same_again_and_shares_its_draws():
    base = change(duopoly(), {"people": 500})
    asked = {"f0": ("price", [0.8, 1.0]), "f1": ("price", [0.8, 1.0])}
    one, two = (study.rivals(base, asked, {"f0": 0.5, "f1": 0.5}) for _ in range(2))
    assert one.path.equals(two.path) and one.values == two.values


def test_everything_wrong_at_once():
    asked = {"f0": ("prise", [1.0]), "f9": ("price", [1.0]), "f1": ("price", [-1.0, 99.0])}
    with pytest.raises(ScenarioError) as error:
        study.rivals(duopoly(), asked, {"f0": 0.5, "g": 0.5}, week=99)
    for text in (
        "week: 99 is outside 0 to 25",
        "costs: 'g' is no firm",
        "choices.f0: 'prise' is no lever; did you mean price",
        "choices: 'f9' is no firm",
        "costs: none for f1",
        "choices.f1.value: -1 is outside 0 to 10 for price",
        "choices.f1.value: 99 is outside 0 to 10 for price",
    ):
        assert text in str(error.value), text
