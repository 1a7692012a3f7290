"""Customers of providers are born at rest; what a visit is expected to bring is what visits bring."""

import sys

import numpy as np
import pytest
from scipy import stats

from experiments.at_rest import drift, yearly
from sim.engine.loop import initialize, simulate
from sim.measure import estimates, metrics
from sim.measure.tally import TENURE, Event
from sim.model.visits import ANCHORED, HARM, INCIDENT, REGRET, expected_visits
from tests.engine.test_same_bits import digest, elsewhere
from tests.markets import market

LIVING = {
    "market.regime": "provider",
    "consumer.turnover": 0.05,
    "consumer.attention": 0.005,
    "market.attention_concentration": 60.0,
    "market.incident_attention": 0.05,
    "market.contract_weeks": 52,
    "market.event_attention": 0.2,
    "market.exit_rate": 0.2,
    "firms.f1.switching_cost": 1.5,
}


def long_customers(tally):
    """Share of people who have been with their firm for six years and more."""
    return tally.standing[..., TENURE >= 312].sum(axis=(-2, -1)) / tally.standing.sum(axis=(-2, -1))


EARLY = {"market.early_attention": 4.0, "market.early_half_life": 10.0}
STAYING = {"consumer.turnover": 0.0}  # where nobody comes the past is drawn as it is expected


@pytest.mark.parametrize(("changes", "rests"), [({}, True), (EARLY, True), (STAYING, False)])
def test_providers_with_turnover_are_born_at_rest(changes, rests):
    """None of five metrics drifts over eight years; of a past without tenures the same test finds the drift."""
    size = {"people": 8_000, "burn_in": 52, "weeks": 416, "window": 52, "seed": 4}
    run = simulate(market({**LIVING, **size, **changes}))
    years = [yearly(run.tally, year) for year in range(1, 8)]
    laws = (metrics.switched, metrics.would_leave, metrics.category_requirements, metrics.penetration, long_customers)
    z = np.array([found.value / found.error for found in (drift(law, years) for law in laws)])
    assert (np.abs(z) < stats.norm.isf(0.025 / len(laws))).all() == rests, z


def test_years_in_the_market_are_exponential():
    """Where nobody ever looks around tenure is the time since one came, in whole weeks."""
    still = {"consumer.attention": 0.0, "market.incident_attention": 0.0, "market.contract_weeks": 0}
    (shard,) = initialize(market({**LIVING, **still, "people": 8_000}))
    law = stats.expon(scale=52 / 0.05)
    assert stats.kstest(shard.people.one["tenure"] + 0.5, law.cdf).pvalue > 0.01
    assert ((shard.people.bonds["familiarity"] > 0).sum(axis=1) <= 1).all(), "of one firm at most anything is known"


def test_expected_visits_are_what_visits_bring():
    """Everybody speaks of each visit far below or above what was expected: as many as was worked out."""
    loud = {"market.negative_wom": 1.0, "market.positive_wom": 1.0, "market.wom_weight": 0.0, "consumer.anchor_pull": 0}
    scenario = market({**LIVING, **loud, "firms.f0.delight_rate": 0.1, "firms.f1.switching_cost": 0.0, "people": 8_000})
    tally = estimates.pooled(simulate(scenario).tally)
    uses, bad = tally.flow[..., 1:].sum(axis=(0, 1)), tally.event[..., Event.NEGATIVE_WOM].sum(axis=0)
    found, expected = bad / uses, expected_visits(scenario, 8)[:, INCIDENT]
    np.testing.assert_allclose(found[:3], expected[:3], rtol=0.06)
    assert expected[0] > 1.1 * expected[1]


def test_the_same_bits_in_plain_python(tmp_path):
    scenario = {**LIVING, **EARLY, "market.readiness": 0.5, "people": 150, "weeks": 4, "window": 4, "burn_in": 2}
    plain = elsewhere(sys.executable, scenario, tmp_path, NUMBA_DISABLE_JIT="1")
    assert plain == digest(simulate(market(scenario)).tally)


def told(people):
    """Memory of firms that a person never used."""
    used = people.bonds["familiarity"] > 0
    return people.bonds["memory"][~used]


def sorry(people):
    """Regret about the own firm."""
    own = people.one["last"] >= 0
    return people.bonds["regret"][own, people.one["last"][own]]


def waiting(people):
    """Whether a person has decided to leave and has not left."""
    return (people.one["target"] >= 0).astype(float)


@pytest.mark.parametrize(("of", "spreads"), [(told, True), (sorry, True), (waiting, False)])
def test_people_are_born_as_they_are_after_many_years(of, spreads):
    """What people have heard of firms that they do not know, what they regret, and how many are about to leave."""
    size = {"people": 8_000, "burn_in": 0, "consumer.turnover": 0.2, "consumer.attention": 0.02, "seed": 3}
    failing = {"firms.f0.touchpoints.branch": {"failure_rate": 0.05, "severity": 2.0}}
    worlds = [market({**LIVING, **size, **failing, "weeks": w, "window": min(w, 52)}) for w in (1, 1040)]
    born, old = (of(simulate(world, keep_people=True).people[0]) for world in worlds)
    assert abs(born.mean() - old.mean()) < 4 * np.hypot(*(x.std() / np.sqrt(8_000) for x in (born, old)))
    assert not spreads or born.std() == pytest.approx(old.std(), rel=0.1)


@pytest.mark.parametrize("threshold", [1.0, 2.0])
def test_what_anchors_and_failures_do_to_a_visit_is_what_was_worked_out(threshold):
    """Of customers who never look around: mean memory of the firm and mean regret, with failures and with delight."""
    still = {"consumer.attention": 0.0, "market.incident_attention": 0.0, "market.contract_weeks": 0}
    touch = {"firms.f0.touchpoints.branch": {"failure_rate": 0.1, "severity": 1.0}, "firms.f0.delight_rate": 0.1}
    size = {"people": 8_000, "weeks": 52, "market.delight_threshold": threshold, "consumer.anchor_pull": 0.4}
    scenario = market({**LIVING, **still, **touch, **size})
    run = simulate(scenario, keep_people=True)
    (people,), visits, firm = run.people, expected_visits(scenario, 8)[0], scenario.firms["f0"]
    long = people.bonds[(people.one["last"] == 0) & (people.one["tenure"] > 200), 0]
    usual = firm.quality + firm.delight_rate * scenario.market.delight_peak - visits[HARM] - 0.4 * visits[ANCHORED]
    week = 2 ** (-1 / scenario.market.regret_half_life)
    for found, expected in ((long["memory"], usual), (long["regret"], visits[REGRET] / (1 - week))):
        assert abs(found.mean() - expected) < 4 * found.std() / np.sqrt(len(found)), (found.mean(), expected)
