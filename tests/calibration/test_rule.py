"""The likelihood's rule is that of the simulator: the same utilities, the same memory."""

import numpy as np
import pytest

from sim.calibration.choices import Terms, before
from sim.calibration.compiled.likelihood import (
    Data,
    begin,
    common_utility,
    fill_common,
    household,
    log_chance,
    remember,
    settle,
)
from sim.calibration.fit import VARIANTS
from sim.compute.jit import entry_point
from sim.engine.workspace import make_workspace
from sim.model.initial import to_steady_state
from sim.model.rules.choose import state_dependence, systematic_utility
from sim.model.rules.learn import learn
from sim.model.scenario import build
from sim.model.timeline import make_world, publish

FIRMS, PEOPLE, USES = 4, 8, 30
RATE, HABIT, FEATURE, DISPLAY = 0.35, 1.7, 0.9, 0.4
TREND = 0.5, -0.8, 0.3  # of all firms but the first


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


@entry_point
def to_rest(world, workspace, many):
    public = publish(world, (np.int64(1), np.int64(0)), np.int64(0), np.int64(0))
    for i in range(many):
        to_steady_state(workspace.person, workspace.bonds, public, np.float32(0), np.float32(1000), i)


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
    terms = Terms((1 / FIRMS,) * FIRMS, 1.0, False, True, True)
    f = np.stack([features, displays], axis=-1)
    data = before(terms, VARIANTS["simulator"])._replace(f=f, to_come=np.zeros(USES))
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
            common_utility(data, n, common, memory[i], z)
            mine = taste[i] - weight[i] * (prices[n] - 1) + z
            rule = found[:, i] - found[0, i]
            assert np.abs(mine - mine[0] - rule).max() < 1e-4
            y = int(bought[n, i])
            chance = np.exp(mine - mine.max()) / np.exp(mine - mine.max()).sum()
            assert log_chance(taste[i], z, 0.0, weight[i], prices[n] - 1, z, y) == pytest.approx(
                np.log(chance[y]), abs=1e-9
            )
            remember(memory[i], RATE, y)
        learn_of(world, workspace, 0, bought[n])
    assert np.abs(workspace.bonds.habit[:, :PEOPLE].T - memory).max() < 1e-5


def market(rng, skip=0, told=0):
    """(six purchases of one household, its parameters, what is common).

    Common are the weight of a feature, three trends, beginning (not given the first purchase), habit and its rate.
    """
    x, f = rng.normal(0, 0.2, (6, FIRMS)), rng.integers(0, 2, (6, FIRMS, 1)).astype(float)
    y, share, usual = rng.integers(0, FIRMS, 6), rng.dirichlet(np.ones(FIRMS)), rng.normal(0, 0.2, FIRMS)
    to_come, usual_f = np.exp(-np.arange(6.0)), np.full((FIRMS, 1), 0.3)
    data = Data(np.array([0, 6]), np.array([told]), y, x, f, to_come, share, usual, usual_f, True, skip, True, True)
    theta = np.append(rng.normal(0, 1.5, FIRMS - 1), 1.2)
    began = [] if skip else [0.4]
    return data, theta, np.array([FEATURE, *TREND, *began, 1.0, np.log(RATE / (1 - RATE))])


def test_people_of_these_tastes_who_are_born_in_the_simulator_rest_where_the_likelihood_says():
    rng = np.random.default_rng(5)
    data, theta, common = market(rng)
    consumer = {"state_dependence": 0, "habit_weight": 1.0, "habit_rate": RATE, "uncertainty": 0, "trust_up": 0}
    consumer |= {"trust_down": 0, "feature_weight": FEATURE, "price_weight": 1, "turnover": 0}
    firms = {f"f{j}": {"price": 1 + data.usual_x[j], "feature": 0.3, "delight_rate": 0} for j in range(FIRMS)}
    settings = {"market": {"taste_law": "normal", "price_weight_sd": 0.5}, "consumer": consumer}
    scenario = build({"segments": {"all": {}}, "firms": firms, "people": 2, "weeks": 1, "window": 1, **settings})
    workspace, taste, found = make_workspace(FIRMS, 0), np.empty(FIRMS), np.empty((PEOPLE, FIRMS))
    workspace.person.last[:], workspace.person.anchor[:] = 0, -1
    for i in range(PEOPLE):
        theta = np.append(rng.normal(0, 1.5, FIRMS - 1), rng.normal(1.2, 0.5))
        settle(data, 0, common, theta, np.exp(theta[-1]), taste, found[i], np.empty(FIRMS))
        workspace.bonds.taste[:, i] = taste
        workspace.person.price_factor[i] = np.exp(theta[-1])
    to_rest(make_world(scenario), workspace, PEOPLE)
    assert np.abs(found - workspace.bonds.habit[:, :PEOPLE].T).max() < 1e-3


@pytest.mark.parametrize("habit", [True, False])
@pytest.mark.parametrize(("skip", "told"), [(0, 0), (1, 0), (0, 4)])
def test_a_household_is_the_sum_of_its_known_purchases_by_its_tastes_and_its_memory(skip, told, habit):
    data, theta, common = market(np.random.default_rng(2), skip, told)
    data.y[3] = -1
    taste, own, z = np.empty(FIRMS), np.empty(FIRMS), np.empty((6, FIRMS))
    settle(data, 0, common, theta, np.exp(1.2), taste, own, np.empty(FIRMS))
    at_rest = np.append(0, theta[:-1])
    usual = at_rest - np.exp(1.2) * data.usual_x + FEATURE * 0.3
    moving = FEATURE * data.f[:, :, 0] - np.outer(data.to_come, [0, *TREND])
    each = [at_rest - np.exp(1.2) * data.x[n] + moving[n] for n in range(told)] or [usual]
    np.testing.assert_allclose(own, np.mean([np.exp(v) / np.exp(v).sum() for v in each], axis=0))
    np.testing.assert_allclose(taste, at_rest - own)
    memory = data.share.copy() if skip else data.share + (own - data.share) / (1 + np.exp(-0.4))
    first = memory.copy()
    each = []
    for n in range(6):
        v = taste + moving[n] - np.exp(1.2) * data.x[n] + memory * habit
        each.append(v[data.y[n]] - np.log(np.exp(v).sum()) if data.y[n] >= 0 else 0)
        if data.y[n] >= 0:
            remember(memory, RATE, data.y[n])
    data = data._replace(habit=habit)
    fill_common(data, common, z)
    assert household(data, z, common, theta, 0, np.empty((4, FIRMS))) == pytest.approx(sum(each[skip:]))
    begin(data, common, own, memory)
    np.testing.assert_allclose(memory, first)
