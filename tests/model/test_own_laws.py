"""Price weights of people's own, covarying tastes, promotions and given people, against closed forms.

Bounds and false alarms as in `test_laws`.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from sim.engine.loop import simulate
from sim.measure import estimates, metrics
from sim.model.declare import ScenarioError
from sim.model.scenario import build, change, to_dict
from sim.model.tastes import cholesky, covariance
from sim.study.twins import twins
from tests.markets import SHARES, bare, market
from tests.model.test_laws import agree

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
PRICES = np.array([0.8, 1.0, 1.2, 1.0, 0.9, 1.1])
PRICED = {"mechanisms.price": True, "consumer.price_weight": 3.0}
PRICED |= {f"firms.f{j}.price": float(p) for j, p in enumerate(PRICES)}
COVARIANCE = {
    "f0": {"f0": 1.0, "f1": 0.6, "price_weight": -0.35},
    "f1": {"f1": 1.5, "f2": -0.4},
    "f2": {"f2": 0.8, "price_weight": 0.2},
}
COVARYING = {"market.taste_law": "normal", "market.taste_sd": 0.7, "market.price_weight_sd": 0.6}


def shares(prices, sd, weight=3.0, promotion=0.0):
    """[j] market shares of people with log-normal price weights of median `weight`: the mixed logit."""
    weights = weight * np.exp(sd * NODES)
    v = np.log(SHARES) - weights[:, None] * (np.asarray(prices) - 1) + promotion
    return WEIGHTS @ special.softmax(v, axis=1)


@pytest.fixture(scope="module")
def covarying():
    scenario = market({**COVARYING, "people": 40_000, "weeks": 13, "taste_covariance": COVARIANCE, "seed": 3})
    return scenario, simulate(scenario, keep_people=True).people[0]


def test_tastes_and_price_weights_have_the_stated_means_and_covariance(covarying):
    scenario, people = covarying
    drawn = np.column_stack([people.bonds["taste"], np.log(people.price_factor)]).astype(float)
    expected, many = covariance(scenario), len(drawn)
    assert expected[5, 5] == pytest.approx(0.7**2) and expected[6, 6] == pytest.approx(0.6**2)
    means = np.append(np.log(np.array(SHARES) / sum(SHARES)), 0)
    z = (drawn.mean(axis=0) - means) / np.sqrt(np.diag(expected) / many)
    found, variances = np.cov(drawn.T), np.diag(expected)
    error = np.sqrt((np.outer(variances, variances) + expected**2) / many)
    zs = np.concatenate([z, ((found - expected) / error)[np.tril_indices(7)]])
    assert np.abs(zs).max() < 3.5, zs.round(1)  # 35 numbers
    assert np.sqrt((zs**2).mean()) < 1.35


def test_price_weights_are_log_normal_whatever_the_law_of_tastes():
    for law in ("log_gamma", "normal"):
        changes = {"people": 40_000, "weeks": 13, "market.price_weight_sd": 0.8, "market.taste_law": law}
        factors = simulate(market(changes), keep_people=True).people[0].price_factor
        logs = np.log(factors.astype(float))
        assert abs(logs.mean()) < 3 * 0.8 / 200 and abs(logs.std() - 0.8) < 3 * 0.8 / 283
        assert factors.mean() == pytest.approx(np.exp(0.32), rel=0.03)


@pytest.mark.parametrize("sd", [0.0, 0.8])
def test_shares_are_those_of_a_mixed_logit(sd):
    run = simulate(bare({**PRICED, "people": 20_000, "market.price_weight_sd": sd, "market.rate_shape": 50.0}))
    agree(estimates.estimate(metrics.share, estimates.pooled(run.tally)), shares(PRICES, sd))


@pytest.mark.parametrize("sd", [0.0, 0.8])
def test_own_price_elasticities_are_those_of_a_mixed_logit(sd):
    base = bare({**PRICED, "people": 20_000, "market.price_weight_sd": sd, "market.rate_shape": 50.0})
    found, expected = [], []
    for j in range(6):
        dearer = PRICES * np.where(np.arange(6) == j, 1.05, 1)
        value, error = twins(base, {f"firms.f{j}.price": float(dearer[j])}).relative(metrics.share)
        found.append((value[j] / 0.05, error[j] / 0.05))
        expected.append((shares(dearer, sd)[j] / shares(PRICES, sd)[j] - 1) / 0.05)
    agree(estimates.Estimate(*np.transpose(found)), expected)
    if sd == 0:  # the point elasticity of a logit, up to the size of the step
        np.testing.assert_allclose(expected, -3 * PRICES * (1 - shares(PRICES, 0)), rtol=0.12)


def test_heterogeneity_is_large_enough_to_be_seen():
    assert abs(shares(PRICES, 0.8) - shares(PRICES, 0.0)).max() > 0.01


def test_feature_and_display_enter_as_a_logit():
    changes = {"firms.f1.feature": 1.0, "firms.f2.display": 0.5, "firms.f3.feature": 0.5, "firms.f3.display": 1.0}
    weights = {"consumer.feature_weight": 0.9, "consumer.display_weight": -0.6}
    v = np.array([0, 0.9, -0.3, 0.45 - 0.6, 0, 0])
    run = simulate(bare({**PRICED, **changes, **weights, "people": 20_000}))
    agree(estimates.estimate(metrics.share, estimates.pooled(run.tally)), shares(PRICES, 0.0, promotion=v))
    off = simulate(bare({**PRICED, **changes, **weights, "mechanisms.price": False, "people": 2000}))
    assert (off.tally.flow == simulate(bare({"people": 2000})).tally.flow).all()


def test_known_people_choose_by_multinomial_logit(tmp_path):
    rng = np.random.default_rng(2)
    tastes, factors = rng.normal(0, 1.2, (40, 6)), rng.lognormal(0, 0.7, 40)
    frame = pd.DataFrame(tastes, columns=[f"taste.f{j}" for j in range(6)]).assign(price_weight=factors, rate=1.0)
    frame.to_parquet(tmp_path / "people.parquet")
    changes = {"mechanisms.taste": True, "population": str(tmp_path / "people.parquet"), "people": 8000}
    scenario = bare({**PRICED, **changes, "consumer.rate": 1.0})
    v = np.log(np.array(SHARES)) + tastes - 3 * factors[:, None] * (PRICES - 1)
    run = simulate(scenario)
    agree(estimates.estimate(metrics.share, estimates.pooled(run.tally)), special.softmax(v, axis=1).mean(axis=0))
    people = simulate(change(scenario, {"people": 40, "weeks": 13, "window": 13}), keep_people=True).people[0]
    np.testing.assert_allclose(people.price_factor, factors, rtol=1e-6)
    np.testing.assert_allclose(people.bonds["taste"], np.log(np.array(SHARES) / sum(SHARES)) + tastes, atol=1e-5)
    assert (people.rate == 1).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"taste_covariance": {"f9": {"f0": 1}}}, ["taste_covariance.f9: neither a firm nor price_weight; known: f0"]),
        (
            {"taste_covariance": {"f0": {"f1": 0.5}, "f1": {"f0": 0.4}}},
            ["f0.f1: 0.5, and f1.f0 is 0.4; a covariance is"],
        ),
        ({"taste_covariance": {"f0": {"f0": 1, "f1": 5}, "f1": {"f1": 1}}}, ["not positive semi-definite", "-4"]),
        ({"taste_covariance": {"f0": {"f0": 1, "price_weight": 0.9}}}, ["not positive semi-definite"]),
        ({"taste_covariance": {"price_weight": {"price_weight": 1}}}, ["given by market.price_weight_sd"]),
        ({"taste_covariance": {"f0": {"f0": -1}}}, ["not positive semi-definite"]),
        ({"market.taste_law": "log_gamma", "taste_covariance": {"f0": {"f0": 1}}}, ["market.taste_law is log_gamma"]),
        ({"taste_covariance": {"f0": {"f0": "x"}}}, ["taste_covariance.f0.f0: 'x' is not a number"]),
        ({"taste_covariance": {"f0": [1, 2]}}, ["taste_covariance.f0: [1, 2] is not a set of named numbers"]),
    ],
)
def test_what_is_no_covariance_is_refused(changes, says):
    with pytest.raises(ScenarioError) as caught:
        market({**COVARYING, **changes})
    assert len(caught.value.complaints) == 1 and all(word in str(caught.value) for word in says)


def test_a_covariance_of_rank_one_rounded_in_a_file_is_taken():
    row = np.array([1.0, 0.5, -0.7, 0.2])
    assert cholesky(np.outer(row, row).round(4)) is not None
    lower = cholesky(np.outer(row, row))
    np.testing.assert_allclose(lower @ lower.T, np.outer(row, row), atol=1e-6)


def test_changes_reach_into_the_covariance_and_a_removed_firm_leaves_it():
    scenario = market({**COVARYING, "taste_covariance": COVARIANCE})
    assert build(to_dict(scenario)) == scenario
    assert change(scenario, {"taste_covariance.f0.f0": 2.0}).taste_covariance["f0"]["f0"] == 2.0
    left = change(scenario, {"firms.f1": None})
    assert set(left.taste_covariance) == {"f0", "f2"} and "f1" not in left.taste_covariance["f0"]
    entered = change(scenario, {"firms.new": {"presence": 0.1}})
    assert covariance(entered)[6, 6] == pytest.approx(0.7**2)
    both = twins(change(scenario, {"people": 500}), {"taste_covariance.f0.f1": 0.0})
    assert np.abs(both.difference(metrics.share).value).max() > 0


def test_a_season_multiplies_the_uses_of_its_week_and_of_no_other():
    factors = {"w3": 2.0, "w10": 0.0, "w52": 0.5}
    base = bare({"people": 20_000, "weeks": 104, "market.rate_shape": 50.0})
    uses = [simulate(change(base, {"market.season": season})).tally.flow for season in ({}, factors)]
    plain, seasonal = (flow.sum(axis=(0, 2, 3, 4)).astype(float) for flow in uses)
    expected = np.array([factors.get(f"w{week % 52 + 1}", 1.0) for week in range(104)])
    same = expected == 1
    assert (plain[same] == seasonal[same]).all() and (seasonal[expected == 0] == 0).all()
    moved = ~same & (expected > 0)
    z = (seasonal[moved] - 20_000 * 0.25 * expected[moved]) / np.sqrt(20_000 * 0.25 * expected[moved] * 1.1)
    assert len(z) == 4 and np.abs(z).max() < 3
    with pytest.raises(ScenarioError, match=r"^market.season.w53: no week of the year; w1 to w52$"):
        change(base, {"market.season": {"w53": 1.0}})
