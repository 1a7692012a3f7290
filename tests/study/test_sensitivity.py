"""Sensitivity: cases with known indices, dice apart from numbers, and what is wrong said at once."""

import numpy as np
import pytest

from sim.model.declare import ScenarioError
from sim.study.indices import indices, sensitivity
from tests.markets import market

pytest.importorskip("SALib")
SMALL = {"people": 200, "weeks": 13, "burn_in": 4}


def ishigami(points):
    """Ishigami & Homma (1990), a = 7, b = .1, of three uniform numbers between -pi and pi."""
    x = np.pi * (2 * points - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def g_function(points, a=(0.0, 1.0, 4.5, 9.0)):
    """Sobol's g-function, of which both indices are known."""
    return np.prod([(np.abs(4 * points[:, k] - 2) + c) / (1 + c) for k, c in enumerate(a)], axis=0)


def with_dice(function, sd, many, seed=1):
    """The function in `many` replications, with dice of each point and with a shift of each replication."""
    draw = np.random.default_rng(seed)

    def model(points):
        noise = draw.normal(0, sd, (many, len(points), 1)) + draw.normal(0, sd, (many, 1, 1))
        return function(points)[None, :, None] + noise

    return model


def test_sobol_finds_the_indices_of_ishigami():
    found = indices(with_dice(ishigami, 0.0, 1), ["x1", "x2", "x3"], ["y"], "sobol", points=1024).table
    np.testing.assert_allclose(found["first"], [0.3139, 0.4424, 0.0], atol=0.03)
    np.testing.assert_allclose(found["value"], [0.5576, 0.4424, 0.2437], atol=0.03)
    assert (np.abs(found["value"] - [0.5576, 0.4424, 0.2437]) < 4 * found["error"]).all()
    assert found["error_dice"].isna().all()


def test_sobol_finds_the_indices_of_the_g_function():
    a = np.array([0.0, 1.0, 4.5, 9.0])
    parts = 1 / (3 * (1 + a) ** 2)
    whole = np.prod(1 + parts) - 1
    total = parts * np.prod(1 + parts) / (1 + parts) / whole
    found = indices(with_dice(g_function, 0.0, 1), list("abcd"), ["y"], "sobol", points=2048).table
    np.testing.assert_allclose(found["first"], parts / whole, atol=0.03)
    np.testing.assert_allclose(found["value"], total, atol=0.03)


def test_dice_are_told_apart_from_numbers():
    """Indices stay, and both standard deviations come out: that of Ishigami is 3.72, the dice are 1.5 * sqrt(2)."""
    found = indices(with_dice(ishigami, 1.5, 24), ["x1", "x2", "x3"], ["y"], "sobol", points=512)
    assert found.dice["parameters"][0] == pytest.approx(3.72, rel=0.05)
    assert found.dice["dice"][0] == pytest.approx(1.5 * np.sqrt(2), rel=0.25)
    np.testing.assert_allclose(found.table["first"], [0.3139, 0.4424, 0.0], atol=0.06)
    assert (found.table["error_dice"] > 0).all()


def test_morris_finds_what_a_straight_line_is_made_of():
    """A straight line: an effect is slope x the span of quantiles, the same everywhere."""
    slopes = np.array([3.0, -1.0, 0.0])
    found = indices(lambda points: (points @ slopes)[None, :, None], list("abc"), ["y"], "morris", points=10)
    span = 0.9
    np.testing.assert_allclose(found.table["value"], span * np.abs(slopes), atol=1e-9)
    np.testing.assert_allclose(found.table["signed"], span * slopes, atol=1e-9)
    np.testing.assert_allclose(found.table["spread"], 0, atol=1e-9)
    assert found.largest(2) == ["a", "b"]


def test_morris_ranks_the_g_function():
    found = indices(lambda points: g_function(points)[None, :, None], list("abcd"), ["y"], "morris", points=40)
    assert found.largest(4) == ["a", "b", "c", "d"]


def test_failed_runs_are_left_out_with_their_part_of_the_design():
    def model(points):
        figures = (points @ [1.0, 2.0])[None, :, None]
        figures[0, 4] = np.nan
        return figures

    found = indices(model, ["a", "b"], ["y"], "morris", points=8)
    assert found.dice["left_out"][0] == 1
    np.testing.assert_allclose(found.table["value"], [0.9, 1.8], atol=1e-9)
    with pytest.raises(ScenarioError, match="too few"):
        indices(lambda points: np.full((1, len(points), 1), np.nan), ["a"], ["y"], "morris", points=8)


def test_of_a_scenario_the_same_numbers_matter_whoever_simulates():
    base, paths = market(SMALL), ["consumer.state_dependence", "market.taste_concentration"]
    ask = {"paths": paths, "points": 6, "replications": 2, "quiet": True}
    one = sensitivity(base, ["stickiness.f0", "share.f0"], workers=1, **ask)
    two = sensitivity(base, ["stickiness.f0", "share.f0"], workers=2, **ask)
    assert one.table.equals(two.table) and one.dice.equals(two.dice)
    assert (one.table[one.table.column == "stickiness.f0"]["value"] > 0).all()
    assert (one.dice["dice"] > 0).all()


def test_of_what_a_change_does():
    base = market(SMALL)
    ask = {"paths": ["consumer.state_dependence"], "points": 4, "replications": 1, "quiet": True}
    none = sensitivity(base, ["share.f0"], change={"firms.f0.quality": base.firms["f0"].quality}, **ask)
    assert (none.table[["value", "signed", "spread"]] == 0).all(axis=None)
    some = sensitivity(base, ["share.f0"], "sobol", change={"firms.f0.quality": 1.0}, **ask)
    assert some.dice["mean"][0] > 0


def test_everything_wrong_is_said_at_once():
    with pytest.raises(ScenarioError) as told:
        sensitivity(market(SMALL), ["shares.f0"], "moris", paths=["consumer.state_dependance"], replications=0)
    text = str(told.value)
    for part in (
        "'moris' is not known; did you mean morris",
        "state_dependance: has no prior",
        "'shares'",
        "replications",
    ):
        assert part in text
    with pytest.raises(ScenarioError, match="power of 2"):
        sensitivity(market(SMALL), ["share.f0"], "sobol", points=6)
    with pytest.raises(ScenarioError, match=r"'share\.f9' is none"):
        sensitivity(market(SMALL), ["share.f9"])
