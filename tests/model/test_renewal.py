"""Newcomers, tastes and rates that change, shortages and deals: known answers, and markets that stay at rest."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from experiments.at_rest import drift, yearly
from sim.engine.loop import advance, initialize, simulate
from sim.measure import estimates, metrics
from sim.model.scenario import change
from sim.model.timeline import make_world
from sim.study.presets import uncalibrated
from tests.markets import SHARES, bare, market
from tests.model.test_laws import agree

CONCENTRATION, PEOPLE, LAG = 1.3, 8000, 78
TASTES = {"mechanisms.taste": True, "mechanisms.turnover": True, "mechanisms.renewal": True}
PROVIDER = {
    **TASTES,
    **{"market.regime": "provider", "market.taste_concentration": CONCENTRATION, "people": PEOPLE},
    **{"weeks": 104, "window": 104, "consumer.attention": 1.0},
}


def people_at(scenario, *weeks):
    """The records of the people after each of these weeks, and their rates."""
    (shard,), found = initialize(scenario), []
    for week in range(-scenario.burn_in, max(weeks) + 1):
        advance([shard])
        if week in weeks:
            found.append((shard.people.one.copy(), shard.people.rate.copy(), shard.people.bonds.copy()))
    return found


def same_firm(scenario, rows=slice(None)):
    """Of people: the chance-corrected agreement of the firms used in week 0 and LAG weeks later, and its error.

    Who has left at the end of week 0 agrees by chance alone; who leaves at the end of the last week is left out.
    """
    before, after = (one["last"][rows] for one, _, _ in people_at(scenario, 0, LAG))
    before, after = before[after >= 0], after[after >= 0]
    stayed, many = before >= 0, len(before)
    chance = (np.bincount(before[stayed], minlength=6) / stayed.sum()) @ (np.bincount(after, minlength=6) / many)
    same = ((before == after) & stayed).sum() + chance * (~stayed).sum()
    return (same / many - chance) / (1 - chance), np.sqrt(same / many * (1 - same / many) / many) / (1 - chance)


@pytest.mark.parametrize(
    "often",
    [
        {},
        {"consumer.taste_renewal": 0.5},
        {"consumer.turnover": 0.5},
        {"consumer.turnover": 0.3, "consumer.taste_renewal": 0.4, "consumer.rate_renewal": 1.0},
        {"consumer.taste_renewal": 0.5, "mechanisms.renewal": False},
        {"consumer.turnover": 0.5, "mechanisms.turnover": False},
    ],
)
def test_agreement_of_two_choices_falls_with_the_chance_that_tastes_are_still_the_same(often):
    """With tastes alone it is phi (1 - h) ^ weeks, phi = 1 / (1 + S), h the chance a week that tastes are new."""
    scenario = bare({**PROVIDER, **often, "seed": 5})
    on, c = scenario.mechanisms, scenario.consumer
    a_week = (c.turnover * on.turnover + c.taste_renewal * on.renewal) / 52
    found, error = same_firm(scenario)
    assert found == pytest.approx((1 - a_week) ** LAG / (1 + CONCENTRATION), abs=2.5 * error)


def test_turnover_by_age():
    """The old stay as they are, the young are replaced four times as often as the typical consumer."""
    cohorts = {"young": {"turnover": 4.0}, "old": {"turnover": 0.0}}
    scenario = bare({**PROVIDER, "cohorts": cohorts, "consumer.turnover": 0.2, "people": 2 * PEOPLE, "seed": 6})
    ((cell),) = [shard.people.cell for shard in initialize(scenario)]
    for age, a_week in ((0, 0.8 / 52), (1, 0.0)):
        found, error = same_firm(scenario, cell == age)
        assert found == pytest.approx((1 - a_week) ** LAG / (1 + CONCENTRATION), abs=2.5 * error)


def test_rates_and_tastes_keep_their_law():
    """After years of renewal rates are gamma, choices Dirichlet, and rates are as correlated as they should be."""
    often = {"consumer.turnover": 0.4, "consumer.taste_renewal": 1.0, "consumer.rate_renewal": 0.8}
    size = {"market.rate_shape": 0.8, "consumer.rate": 0.3, "weeks": 209, "window": 1, "people": PEOPLE}
    scenario = bare({**TASTES, **size, **often, "market.taste_concentration": CONCENTRATION})
    (_, first, tastes), (_, last, anew) = people_at(scenario, 0, 208)
    assert stats.kstest(last / 0.3 * 0.8, stats.gamma(0.8).cdf).pvalue > 0.01
    kept, expected = (first == last).mean(), (1 - 1.2 / 52) ** 208
    assert kept == pytest.approx(expected, abs=2.5 * np.sqrt(expected / PEOPLE))
    weight = np.exp(anew["taste"].astype(float))
    chances = weight / weight.sum(axis=1, keepdims=True)
    for j, share in enumerate(SHARES):
        law = stats.beta(CONCENTRATION * share, CONCENTRATION * (1 - share))
        assert stats.kstest(chances[:, j], law.cdf).pvalue > 0.001
    same = (tastes["taste"] == anew["taste"]).all(axis=1).mean()
    expected = (1 - 1.4 / 52) ** 208
    assert same == pytest.approx(expected, abs=2.5 * np.sqrt(expected / PEOPLE))


def test_newcomers_know_nothing():
    """Newcomers without a use yet, as many as turnover says, have no past with any firm; nobody talks to them here."""
    changes = {"consumer.rate": 2.0, "market.rate_shape": 50.0, "network.kind": "none"}
    scenario = market({"consumer.turnover": 2.0, "people": PEOPLE, **changes})
    (one, _, bonds), *_ = people_at(scenario, 30)
    new = one["last"] < 0
    assert new.mean() == pytest.approx(2 / 52 / (1 - np.exp(-2)), abs=2.5 * np.sqrt(2 / 52 / PEOPLE))
    for name, value in {"habit": 0, "familiarity": 0, "memory": 0, "regret": 0, "trust": 0.6, "count": 0}.items():
        np.testing.assert_allclose(bonds[name][new], value, rtol=1e-6)
    assert (one["uses"][new] == 0).all() and (one["anchor"][new] < 0).all() and (one["tenure"][new] == 0).all()


def test_shares_where_firms_are_out_of_stock():
    """A share is the mean over what is in stock of its share of that; where nothing is, all are found elsewhere."""
    out = np.array([0.5, 0.2, 0.0, 0.3, 0.9, 0.1])
    firms = {f"firms.f{j}.out_of_stock": q for j, q in enumerate(out)}
    size = {"people": PEOPLE, "consumer.rate": 1.0, "mechanisms.shortage": True}
    run = simulate(bare({**size, **firms}))
    expected = np.zeros(6)
    for stock in product((0, 1), repeat=6):
        here = np.array(stock) * SHARES
        chance = np.where(stock, 1 - out, out).prod()
        expected += chance * (here if here.any() else np.array(SHARES)) / (here.sum() or 1)
    agree(estimates.estimate(metrics.share, estimates.pooled(run.tally)), expected)


def test_who_is_inattentive_looks_where_the_own_firm_is_missing():
    """Without attention a customer leaves in a week in which the own firm is out of stock, never otherwise."""
    changes = {"market.regime": "provider", "consumer.attention": 0.0, "mechanisms.inattention": True}
    changes |= {"firms.f0.out_of_stock": 0.25, "mechanisms.shortage": True, "people": PEOPLE, "weeks": 1, "window": 1}
    run = simulate(bare(changes))
    flow = estimates.pooled(run.tally).flow.sum(axis=0)[1:, 1:]
    base = flow[0].sum()
    assert 1 - flow[0, 0] / base == pytest.approx(0.25, abs=2.5 * np.sqrt(0.25 * 0.75 / base))
    assert (flow[1:] == np.diag(np.diag(flow)[1:], 1)[:-1]).all()


@pytest.mark.parametrize(("week", "deal"), [(26, 1.0), (34, 0.5), (99, 0.0)])
def test_a_new_price_acts_at_once_and_half_as_much_after_a_half_life(week, deal):
    """Among people alike: a logit with price_weight and, of deal_weight, what is left of the price's novelty."""
    changes = {"mechanisms.price": True, "people": 30_000, "weeks": 100, "consumer.rate": 1.0}
    changes |= {"consumer.price_weight": 1.5, "consumer.deal_weight": 3.0, "market.price_half_life": 8.0}
    run = simulate(bare({**changes, "moves.cut": {"firm": "f1", "lever": "price", "week": 26, "value": 0.8}}))
    odds = np.array(SHARES) * np.exp([0, 0.2 * (1.5 + deal * 3.0), 0, 0, 0, 0])
    counts = estimates.pooled(run.tally, weeks=slice(week, week + 1))
    agree(estimates.estimate(metrics.share, counts), odds / odds.sum())


@pytest.mark.parametrize(("week", "more"), [(26, 0.05), (34, 0.025), (25, 0.0)])
def test_a_deal_brings_more_uses_of_the_category_while_it_is_new(week, more):
    """A fifth off a quarter of the market is 5 % off the category; with elasticity 2 the log of uses is 10 % higher."""
    cut = {"moves.cut": {"firm": "f1", "lever": "price", "week": 26, "value": 0.8}, "market.deal_expansion": 2.0}
    lower = {**cut, "weeks": 100, "market.price_half_life": 8.0}
    season = {on: make_world(bare({**lower, "mechanisms.price": on})).season for on in (True, False)}
    assert np.log(season[True][week + 1]) == pytest.approx(2 * more) and (season[False] == 1).all()


@pytest.mark.parametrize(("week", "index"), [(25, 1.0), (26, 1.1), (90, 1.1)])
def test_the_category_is_used_less_as_long_as_it_is_dearer(week, index):
    """All a tenth dearer for good, with elasticity .5: the uses are 1.1 to the power -.5 of what they were."""
    dear = {f"moves.m{n}": {"firm": f"f{n}", "lever": "price", "week": 26, "value": 1.1} for n in range(len(SHARES))}
    changes = {**dear, "weeks": 100, "market.category_elasticity": 0.5}
    season = {on: make_world(bare({**changes, "mechanisms.price": on})).season for on in (True, False)}
    assert season[True][week + 1] == pytest.approx(index**-0.5) and (season[False] == 1).all()


def test_all_purchases_of_toothpaste_are_deliberated():
    """The preset says that a shelf is looked over, so habit must not skip it (#30)."""
    firms = {f"firms.{name}.share": None for name in uncalibrated("market=toothpaste_uk").firms}
    run = simulate(change(uncalibrated("market=toothpaste_uk"), {**firms, "people": 500}))
    assert (metrics.deliberated(estimates.pooled(run.tally)) == 1).all()


RESTLESS = {"consumer.turnover": 0.0, "market.experience": 3.0}


@pytest.mark.parametrize(("changes", "rests"), [({}, True), (RESTLESS, False)])
def test_a_market_with_turnover_is_born_at_rest(changes, rests):
    """None of four metrics drifts over ten years; the same test finds the drift of a market that is not at rest."""
    often = {"consumer.turnover": 0.05, "consumer.taste_renewal": 0.2, "consumer.rate_renewal": 0.2}
    size = {"people": PEOPLE, "burn_in": 52, "weeks": 520, "window": 52, "seed": 3}
    run = simulate(market({**size, **often, **changes}))
    years = [yearly(run.tally, year) for year in range(1, 10)]
    laws = (metrics.penetration, metrics.category_requirements, metrics.pair_index, metrics.deliberated)
    z = np.array([found.value / found.error for found in (drift(law, years) for law in laws)])
    assert (np.abs(z) < stats.norm.isf(0.025 / len(laws))).all() == rests, z
