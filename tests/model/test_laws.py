"""Known results in closed form: each test states its expectation, and the simulator lies within its standard error.

The bound is 2 standard errors for one number; for many at once the same chance of a false alarm is shared out
(Bonferroni), which `agree` computes. Seeds are fixed, so a pass is a pass for good; over many seeds the z of these
tests have mean 0 and standard deviation 1.
"""

import numpy as np
import pytest
from scipy import special, stats

from sim.engine.loop import advance, close_window, initialize, simulate, step_week
from sim.engine.workspace import make_workspace
from sim.measure import dirichlet, estimates, metrics
from sim.measure.tally import TENURE, Count
from sim.model.rules import decay
from sim.model.state import USED
from sim.model.timeline import make_world
from tests.markets import SHARES, bare, called, market

M, K, S = 1.456, 0.78, 1.3
TOOTHPASTE = (0.25, 0.19, 0.14, 0.10, 0.10, 0.09, 0.08, 0.03, 0.02)


def agree(estimate, expected):
    """All values within 2 standard errors of the closed form, at the family-wise level of one such test."""
    z = np.ravel((estimate.value - np.asarray(expected)) / estimate.error)
    z = z[np.isfinite(z)]
    bound = stats.t.isf(stats.t.sf(2, 31) / len(z), 31)
    assert len(z) and np.all(np.abs(z) < bound), f"z = {z.round(2)}, bound {bound:.2f}"


@pytest.fixture(scope="module")
def dirichlet_world():
    scenario = bare(
        {
            "mechanisms.taste": True,
            "seed": 2,
            "people": 20_000,
            "weeks": 104,
            "consumer.rate": M / 13,
            "market.rate_shape": K,
            "market.taste_concentration": S,
        },
        TOOTHPASTE,
    )
    return estimates.pooled(simulate(scenario).tally)


@pytest.mark.parametrize(
    ("metric", "law"),
    [
        (metrics.penetration, dirichlet.penetration),
        (metrics.frequency, dirichlet.frequency),
        (metrics.category_requirements, dirichlet.category_requirements),
        (metrics.solely_loyal, dirichlet.solely_loyal),
        (metrics.once_only, dirichlet.once_buyers),
        (metrics.repeat_rate, dirichlet.repeat_rate),
        (metrics.duplication, dirichlet.duplication),
    ],
    ids=lambda f: f.__name__,
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_tastes_alone_are_the_nbd_dirichlet(dirichlet_world, metric, law):
    model = dirichlet.Dirichlet(M, K, S, TOOTHPASTE)
    found = estimates.estimate(metric, dirichlet_world)
    expected = law(model)
    if expected.ndim == 2:  # a brand's buyers all buy it: no law to test on the diagonal
        expected = np.where(np.eye(len(expected)), np.nan, expected)
    agree(found, expected)


def test_tastes_alone_give_every_firm_the_same_stickiness(dirichlet_world):
    agree(estimates.estimate(metrics.pair_index, dirichlet_world), 1 / (1 + S))
    agree(estimates.estimate(metrics.shuffled_index, dirichlet_world), 1 / (1 + S))
    agree(estimates.estimate(metrics.excess, dirichlet_world), 0)
    agree(estimates.estimate(metrics.habit_part, dirichlet_world), 0)


def test_category_uses_are_negative_binomial(dirichlet_world):
    observed = dirichlet_world.buyers.sum(axis=0)[:40]
    expected = stats.nbinom.pmf(np.arange(40), K, K / (K + M))
    chi = estimates.estimate(lambda t: t.buyers[..., :12] / t.buyers.sum(axis=-1)[..., None], dirichlet_world)
    agree(chi, expected[:12])
    assert abs(np.cumsum(observed) / dirichlet_world.buyers.sum() - np.cumsum(expected)).max() < 0.01
    agree(estimates.estimate(metrics.category_penetration, dirichlet_world), 1 - (1 + M / K) ** -K)


@pytest.fixture(scope="module")
def null_world():
    return estimates.pooled(simulate(bare({"people": 8000})).tally)


def test_without_taste_and_habit_nobody_sticks(null_world):
    agree(estimates.estimate(metrics.pair_index, null_world), 0)
    agree(estimates.estimate(metrics.adjacent_index, null_world), 0)


def test_equal_tastes_choose_by_multinomial_logit(null_world):
    presence = np.array(SHARES) / sum(SHARES)
    agree(estimates.estimate(metrics.share, null_world), presence)
    assert np.allclose(presence, special.softmax(np.log(presence)))


def test_price_enters_as_a_logit():
    prices = np.array([0.8, 1.0, 1.2, 1.0, 0.9, 1.1])
    changes = {f"firms.f{j}.price": float(p) for j, p in enumerate(prices)}
    run = simulate(bare({"mechanisms.price": True, "people": 8000, "consumer.price_weight": 2.0, **changes}))
    expected = special.softmax(np.log(np.array(SHARES)) - 2 * (prices - 1))
    agree(estimates.estimate(metrics.share, estimates.pooled(run.tally)), expected)


def test_normal_tastes_are_the_mixed_logit():
    changes = {
        "mechanisms.taste": True,
        "market.taste_law": "normal",
        "market.taste_sd": 1.2,
        "people": 8000,
        "market.rate_shape": 50.0,
    }
    run = simulate(bare(changes))
    z = np.random.default_rng(0).normal(size=(200_000, len(SHARES)))
    chances = special.softmax(np.log(np.array(SHARES)) + 1.2 * z, axis=1)
    m = chances.mean(axis=0)
    pooled = estimates.pooled(run.tally)
    agree(estimates.estimate(metrics.share, pooled), m)
    agree(estimates.estimate(metrics.pair_index, pooled), ((chances**2).mean(axis=0) / m - m) / (1 - m))


@pytest.mark.parametrize("gamma", [0.5, 1.5])
def test_state_dependence_is_a_markov_chain(gamma):
    shares = (0.7, 0.3)
    changes = {"mechanisms.habit": True, "consumer.state_dependence": gamma, "consumer.habit_weight": 0.0}
    run = simulate(bare({**changes, "people": 8000, "burn_in": 52, "weeks": 104}, shares))
    stay = [special.expit(np.log(shares[j] / shares[1 - j]) + gamma) for j in (0, 1)]
    stationary = (1 - stay[1]) / (2 - stay[0] - stay[1])
    pooled = estimates.pooled(run.tally)
    agree(estimates.estimate(metrics.share, pooled), [stationary, 1 - stationary])
    agree(estimates.estimate(metrics.switching, pooled), [[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]])


def test_inattention_repeats_the_last_firm():
    a = 0.3
    run = simulate(
        bare(
            {
                "mechanisms.inattention": True,
                "consumer.attention": a,
                "people": 8000,
                "burn_in": 52,
                "market.attention_concentration": 1e4,
                "consumer.automaticity": 0.0,
            },
            (0.6, 0.4),
        )
    )
    pooled = estimates.pooled(run.tally)
    agree(estimates.estimate(metrics.share, pooled), [0.6, 0.4])
    agree(estimates.estimate(metrics.adjacent_index, pooled), 1 - a)
    agree(estimates.estimate(metrics.deliberated, pooled), a)


def test_habit_reaches_95_percent_after_three_over_rate_uses():
    eta = 0.045
    scenario = bare(
        {
            "people": 64,
            "weeks": 200,
            "market.regime": "provider",
            "consumer.habit_rate": eta,
            "market.experience": 0.0,
            "window": 200,
        },
        (1.0,),
    )
    run = simulate(scenario, keep_people=True)
    habit = run.people[0].bonds["habit"]
    np.testing.assert_allclose(habit, 1 - (1 - eta) ** 200, rtol=1e-5)
    uses = round(3 / eta)
    assert 1 - (1 - eta) ** uses == pytest.approx(0.95, abs=0.006)  # the rule: 95 % after 3/rate uses
    shorter = simulate(
        bare(
            {
                "people": 64,
                "weeks": uses,
                "window": uses,
                "market.regime": "provider",
                "consumer.habit_rate": eta,
                "market.experience": 0.0,
            },
            (1.0,),
        ),
        keep_people=True,
    )
    np.testing.assert_allclose(shorter.people[0].bonds["habit"], 1 - (1 - eta) ** uses, rtol=1e-5)


@pytest.mark.parametrize("half_life", [4.0, 26.0])
def test_memory_of_a_scandal_has_two_half_lives(half_life):
    scandal = {"firm": "f0", "week": 4}
    shard = initialize(market({"scandals.x": scandal, "market.reputation_half_life": half_life, "people": 16}))[0]
    m, since = shard.scenario.market, np.arange(52 - 4)
    slow = (1 - m.residue) * 0.5 ** (since / half_life) + m.residue
    fast = 0.5 ** (since / m.attention_half_life)
    expected = (1 - m.reputation_share) * fast + m.reputation_share * slow
    np.testing.assert_allclose(shard.world.salience[1 + 4 :, 0], expected, rtol=1e-6)
    assert not shard.world.salience[: 1 + 4].any()


def test_regret_and_anchor_halve_with_their_half_lives():
    scenario = market({"people": 1, "market.regret_half_life": 8.0, "market.anchor_half_life": 26.0})
    world, workspace, fade = make_world(scenario), make_workspace(6, 0), called(decay)
    workspace.bonds.regret[:], workspace.person.anchor_height[:] = 2.0, 3.0
    fade(workspace.person, workspace.bonds, world.market[0], 26, 0)
    np.testing.assert_allclose(workspace.bonds.regret[:, 0], 2 * 0.5 ** (26 / 8), rtol=1e-6)
    np.testing.assert_allclose(workspace.person.anchor_height[0], 1.5, rtol=1e-6)


def test_awareness_follows_broadcast_and_contagion_of_the_mean_field():
    mark_recipients, contagion, weeks = 0.2, 0.5, 3
    scandal = {"firm": "f0", "week": 2, "reach": mark_recipients, "contagion": contagion, "news_weeks": weeks}
    changes = {"scandals.x": scandal, "network.rewiring": 1.0, "network.neighbors": 16, "people": 20_000, "weeks": 26}
    run = simulate(bare({**changes, "mechanisms.scandal": True, "mechanisms.word_of_mouth": True}))
    news = estimates.weekly(run.tally)._replace(people=run.tally.people.sum(axis=1))
    found = estimates.estimate(lambda t: np.cumsum(metrics.awareness(t), axis=-2)[..., 0], news)
    aware, just_heard, curve = 0.0, 0.0, np.zeros(26)
    news_on = 1 - (1 - mark_recipients) ** (1 / weeks)
    for week in range(2, 26):
        told = 1 - np.exp(-contagion * just_heard)  # Poisson number of fresh neighbors, each telling with chance R/k
        just_heard = (1 - aware) * (1 - (1 - news_on * (week < 2 + weeks)) * (1 - told))
        aware += just_heard
        curve[week] = aware
    assert np.abs(found.value - curve).max() < 0.01  # the mean field neglects chance in finite populations
    assert curve[-1] > 1.5 * mark_recipients  # contagion matters here


def test_decided_exits_wait_a_geometric_time():
    p = 0.2
    run = simulate(
        bare(
            {
                "market.regime": "provider",
                "mechanisms.switching_cost": True,
                "market.exit_rate": p,
                "people": 4000,
                "weeks": 104,
                "window": 104,
                "market.experience": 50.0,
            },
            (0.5, 0.5),
        )
    )
    # decide every week with chance 1/2 for the other firm; it is carried out at once with chance p, or waits 1/p
    switched = run.tally.flow.sum(axis=(0, 2))[52:]
    rate = (switched[:, 1, 2] + switched[:, 2, 1]).sum() / switched.sum()
    # renewal: a cycle is Geometric(1/2) deliberations to decide, then switch now (p) or after Geometric(p) more weeks
    mean_cycle = 1 / 0.5 + (1 - p) * (1 / p)
    assert rate == pytest.approx(1 / mean_cycle, rel=0.03)


def test_hazard_falls_with_tenure_by_sorting_alone():
    run = simulate(bare({"mechanisms.taste": True, "people": 8000, "weeks": 156, "consumer.rate": 1.0}))
    found = estimates.estimate(lambda t: t.tenure[..., 1].sum(-2) / t.tenure.sum((-3, -1)), estimates.pooled(run.tally))
    early, late = np.searchsorted(TENURE, [1, 52])
    assert found.value[early] - found.value[late] > 5 * np.hypot(found.error[early], found.error[late])


def test_jackknife_covers():
    """The standard error of the pair index is right: over independent replications z has standard deviation 1."""
    run = simulate(bare({"mechanisms.taste": True, "people": 1000, "replications": 60, "weeks": 26}))
    groups = run.tally.people.shape[0] // 60
    z = []
    for r in range(60):
        one = type(run.tally)(*(a[r * groups : (r + 1) * groups] for a in run.tally))
        value, error = estimates.estimate(metrics.pair_index, estimates.pooled(one))
        z.append((value[0] - 1 / (1 + 2.2)) / error[0])
    low, high = np.sqrt(stats.chi2.ppf([0.001, 0.999], 59) / 59)
    assert low * 0.95 < np.std(z, ddof=1) < high * 1.15  # t with 31 degrees of freedom is a little wider
    assert abs(np.mean(z)) < 3 / np.sqrt(60) * high


def test_counts_of_a_window_are_those_of_the_definition():
    """Pairs, users, sole users recomputed from the people themselves."""
    shard = initialize(market({"people": 500, "weeks": 13, "window": 13}))[0]
    for _ in range(13 + 12):
        advance([shard])
    step_week(shard)
    n = shard.people.bonds["count"].astype(int) & USED
    total = n.sum(axis=1, keepdims=True)
    close_window(shard, 0)
    window = shard.tally.window.sum(axis=(0, 1, 2))
    np.testing.assert_array_equal(window[:, Count.USES], n.sum(axis=0))
    np.testing.assert_array_equal(window[:, Count.USERS], (n > 0).sum(axis=0))
    np.testing.assert_array_equal(window[:, Count.PAIRS], (n * (n - 1)).sum(axis=0))
    np.testing.assert_array_equal(window[:, Count.ALL_PAIRS], (n * (total - 1)).sum(axis=0))
    np.testing.assert_array_equal(window[:, Count.SOLE], ((n == total) & (n > 0)).sum(axis=0))
