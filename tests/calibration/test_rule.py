"""The likelihood's rule is that of the simulator: the same utilities, the same memory."""

import numpy as np
import pytest

from sim.calibration.compiled.likelihood import Data, common_utility, household, log_chance, remember
from sim.compute.jit import entry_point
from sim.engine.workspace import make_workspace
from sim.model.rules.choose import state_dependence, systematic_utility
from sim.model.rules.learn import learn
from sim.model.scenario import build
from sim.model.timeline import make_world, publish

FIRMS, PEOPLE, USES = 4, 8, 30
RATE, HABIT, FEATURE, DISPLAY = 0.35, 1.7, 0.9, 0.4


@entry_point
def utilities(world, workspace, week, result):
    public = publish(world, (np.int64(1), np.int64(0)), week, np.int64(0))
    person, bonds = workspace.person, workspace.bonds
    for j in range(result.shape[0]):
        for i in range(result.shape[1]):
            result[j, i] = systematic_utility(person, bonds, public, j, i) + state_dependence(
                person, bonds, public, j, i
            )


@entry_point
def learn_of(world, workspace, week, bought):
    public = publish(world, (np.int64(1), np.int64(0)), week, np.int64(0))
    for i in range(bought.shape[0]):
        workspace.person.joined[i] = bought[i]
        learn(workspace.person, workspace.bonds, public, np.float32(0), np.float32(0), i)


def test_utilities_and_habit_are_those_of_the_rules_for_random_people():
    rng = np.random.default_rng(3)
    prices, features = rng.uniform(0.6, 1.4, (USES, FIRMS)), rng.integers(0, 2, (USES, FIRMS)).astype(float)
    displays = rng.uniform(0, 1, (USES, FIRMS))
    consumer = {"state_dependence": 0, "habit_weight": HABIT, "habit_rate": RATE, "uncertainty": 0, "trust_up": 0}
    consumer |= {"trust_down": 0, "feature_weight": FEATURE, "display_weight": DISPLAY, "price_weight": 1}
    workspace = make_workspace(FIRMS, 0)
    taste, weight = rng.normal(0, 1.5, (PEOPLE, FIRMS)), rng.lognormal(1.2, 0.5, PEOPLE)
    memory = rng.dirichlet(np.ones(FIRMS), PEOPLE)
    workspace.bonds.taste[:, :PEOPLE], workspace.bonds.habit[:, :PEOPLE] = taste.T, memory.T
    workspace.bonds.trust[:] = 0.6  # where trust starts
    workspace.person.last[:], workspace.person.anchor[:] = 0, -1
    workspace.person.price_factor[:PEOPLE] = weight
    common = np.array([FEATURE, DISPLAY, HABIT, np.log(RATE / (1 - RATE))])
    z, found = np.empty(FIRMS), np.empty((FIRMS, PEOPLE), np.float32)
    bought = rng.integers(0, FIRMS, (USES, PEOPLE)).astype(np.int32)
    for n in range(USES):
        firms = {
            f"f{j}": {"price": prices[n, j], "feature": features[n, j], "display": displays[n, j], "delight_rate": 0}
            for j in range(FIRMS)
        }
        settings = {"market": {"taste_law": "normal", "price_weight_sd": 0.5}, "consumer": consumer}
        scenario = build({"segments": {"all": {}}, "firms": firms, "people": 2, "weeks": 1, "window": 1, **settings})
        world = make_world(scenario)
        utilities(world, workspace, 0, found)
        for i in range(PEOPLE):
            common_utility(np.stack([features[n], displays[n]], axis=1), common, memory[i], z)
            mine = taste[i] - weight[i] * (prices[n] - 1) + z
            rule = found[:, i] - found[0, i]
            assert np.abs(mine - mine[0] - rule).max() < 1e-4
            relative = taste[i, 1:] - taste[i, 0]
            y = int(bought[n, i])
            chance = np.exp(mine - mine.max()) / np.exp(mine - mine.max()).sum()
            assert log_chance(relative, weight[i], prices[n] - 1, z, y) == pytest.approx(np.log(chance[y]), abs=1e-9)
            remember(memory[i], RATE, y)
        learn_of(world, workspace, 0, bought[n])
    assert np.abs(workspace.bonds.habit[:, :PEOPLE].T - memory).max() < 1e-5


def test_a_household_is_the_sum_of_its_purchases_and_a_given_first_one_is_left_out():
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    y, start = np.array([0, 2, 1, 1, 0]), np.array([0, 5])
    theta = np.array([0.3, -0.2, np.log(2.0)])
    each = [log_chance(theta, 2.0, x[n], z[n], y[n]) for n in range(5)]
    for skip in (0, 1):
        data = Data(start, y, x, np.zeros((5, 3, 0)), np.ones(3) / 3, skip, True)
        assert household(data, z, theta, 0) == pytest.approx(sum(each[skip:]))
