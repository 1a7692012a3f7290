"""The Dirichlet against the published example (UK toothpaste 1973), its own algebra, and dice."""

import numpy as np
import pytest
from scipy import special, stats

from sim.measure import dirichlet
from sim.measure.dirichlet import Dirichlet

SHARES = [0.25, 0.19, 0.10, 0.10, 0.09, 0.08, 0.03, 0.02]
BUYERS = [0.20, 0.17, 0.09, 0.08, 0.08, 0.07, 0.03, 0.02]
EIGHT = Dirichlet(1.456, 0.779, 1.55, SHARES)
PUBLISHED = dirichlet.fit(0.56, 0.56 * 2.6, SHARES, BUYERS)
FULL = Dirichlet(4.0, 0.8, 1.3, [0.4, 0.3, 0.2, 0.1])
MODELS = [
    Dirichlet(10.0, 20.0, 1.0, [0.6, 0.2]),
    EIGHT,
    PUBLISHED,
    FULL,
    Dirichlet(60.0, np.inf, 0.2, [0.7, 0.3]),
    Dirichlet(0.3, 0.02, np.inf, [0.5, 0.4]),
]


def buy(model, people, seed, windows=1):
    """Purchases [window, person, brand] of people who live the model's story."""
    dice = np.random.default_rng(seed)
    rates = dice.gamma(model.shape, model.mean / model.shape, people)
    chances = dice.dirichlet(model.concentration * np.array(model.shares), people)
    return np.stack([dice.multinomial(dice.poisson(rates), chances) for _ in range(windows)])


def estimate(bought):
    """M, K by zeros, S untrimmed, and M, K by likelihood, of purchases [person, brand]."""
    uses = bought.sum(1)
    shares, buyers = bought.sum(0) / bought.sum(), (bought > 0).mean(0)
    model = dirichlet.fit((uses > 0).mean(), uses.mean(), shares, buyers, trim=False)
    return np.array([model.mean, model.shape, model.concentration, *dirichlet.fit_nbd(np.bincount(uses))])


# The published example


def test_fit_of_the_published_example():
    assert PUBLISHED.mean == pytest.approx(1.456)
    assert PUBLISHED.shape == pytest.approx(0.779, abs=5e-4)
    assert PUBLISHED.concentration == pytest.approx(1.295, abs=5e-4)
    assert dirichlet.fit(0.56, 1.456, SHARES, BUYERS, trim=False).concentration == pytest.approx(1.550, abs=5e-4)


@pytest.mark.parametrize(
    ("measure", "decimals", "printed"),
    [
        ("penetration", 2, [0.20, 0.16, 0.09, 0.09, 0.08, 0.07, 0.03, 0.02]),
        ("frequency", 2, [1.82, 1.76, 1.68, 1.68, 1.67, 1.66, 1.62, 1.61]),
        ("category_rate", 2, [3.16, 3.22, 3.30, 3.30, 3.31, 3.32, 3.37, 3.38]),
    ],
)
def test_user_guide_buying_table(measure, decimals, printed):
    assert getattr(dirichlet, measure)(PUBLISHED).round(decimals).tolist() == printed


def test_user_guide_frequency_and_duplication_tables():
    first, last = dirichlet.distribution(PUBLISHED, 5)[[0, -1]].round(2).tolist()
    assert first == [0.80, 0.12, 0.04, 0.02, 0.01, 0.0] and last == [0.98, 0.01, 0.0, 0.0, 0.0, 0.0]
    assert dirichlet.duplication(PUBLISHED)[0].round(2).tolist() == [
        1,
        0.19,
        0.10,
        0.10,
        0.09,
        0.08,
        0.03,
        0.02,
    ]


QUARTER = {
    "penetration": (3, [0.205, 0.161, 0.089, 0.089, 0.081, 0.072, 0.028, 0.019]),
    "frequency": (2, [1.77, 1.72, 1.63, 1.63, 1.62, 1.61, 1.56, 1.55]),
    "category_rate": (2, [3.20, 3.26, 3.35, 3.35, 3.36, 3.37, 3.43, 3.44]),
    "category_requirements": (2, [0.56, 0.53, 0.49, 0.49, 0.48, 0.48, 0.46, 0.45]),
    "solely_loyal": (2, [0.43, 0.40, 0.36, 0.36, 0.36, 0.35, 0.33, 0.33]),
    "once_buyers": (2, [0.61, 0.63, 0.66, 0.66, 0.66, 0.67, 0.69, 0.69]),
}
YEAR = {  # .405 and .155 are printed .41 and .16, as when the sum is cut at n = 50: see below
    "penetration": (2, [0.40, 0.33, 0.19, 0.19, 0.17, 0.16, 0.06, 0.04]),
    "frequency": (1, [3.6, 3.4, 3.0, 3.0, 3.0, 3.0, 2.8, 2.8]),
    "category_requirements": (2, [0.405, 0.37, 0.32, 0.32, 0.31, 0.31, 0.28, 0.28]),
    "solely_loyal": (2, [0.18, 0.155, 0.13, 0.13, 0.12, 0.12, 0.11, 0.11]),
}


@pytest.mark.parametrize(("periods", "columns"), [(1, QUARTER), (4, YEAR)])
def test_evidence_table(periods, columns):
    table = dirichlet.table(dirichlet.over(EIGHT, periods), [f"brand {j}" for j in range(8)])
    assert table.index.name == "brand" and table["share"].tolist() == SHARES
    for column, (decimals, printed) in columns.items():
        assert table[column].to_numpy() == pytest.approx(printed, abs=0.5 * 10.0**-decimals), column


def test_the_sum_reaches_far_enough():
    """Cut at n = 50, as NBDdirichlet is, the year's first SCR is .409; the full sum has .4046."""
    year = dirichlet.over(EIGHT, 4)
    n = np.arange(2000)
    uses = stats.nbinom.pmf(n, 0.779, 0.779 / (0.779 + year.mean))
    none = special.betaln(1.55 * 0.25, 1.55 * 0.75 + n) - special.betaln(1.55 * 0.25, 1.55 * 0.75)
    full, cut = (year.mean * 0.25 / (n * uses * -np.expm1(none))[:most].sum() for most in (2000, 51))
    assert dirichlet.category_requirements(year)[0] == pytest.approx(full, rel=1e-8)
    assert (round(full, 4), round(cut, 3)) == (0.4046, 0.409)


def test_evidence_period_repeat():
    assert dirichlet.repeat_rate(EIGHT)[[0, -1]].round(2).tolist() == [0.54, 0.44]


# Its own algebra


@pytest.mark.parametrize("model", MODELS)
def test_purchases_by_count_agree_with_every_other_measure(model):
    most = len(dirichlet.category_distribution(model.mean, model.shape))
    chances = dirichlet.distribution(model, most)
    r, buyers = np.arange(most + 1), dirichlet.penetration(model)
    assert chances.sum(1) == pytest.approx(1, abs=1e-9)
    assert chances @ r == pytest.approx(model.mean * np.array(model.shares), rel=1e-8)
    assert 1 - chances[:, 0] == pytest.approx(buyers, abs=1e-9)
    assert chances @ r == pytest.approx(dirichlet.frequency(model) * buyers, rel=1e-8)
    assert chances[:, 1] == pytest.approx(dirichlet.once_buyers(model) * buyers, abs=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_category_by_closed_form(model):
    n = np.arange(len(uses := dirichlet.category_distribution(model.mean, model.shape)))
    variance = model.mean + model.mean**2 / model.shape
    zero = np.exp(-model.mean) if model.shape == np.inf else (1 + model.mean / model.shape) ** -model.shape
    assert uses.sum() == pytest.approx(1, abs=1e-9)
    assert uses @ n == pytest.approx(model.mean, rel=2e-10)
    assert uses @ (n - model.mean) ** 2 == pytest.approx(variance, rel=1e-6)
    assert dirichlet.category_penetration(model) == pytest.approx(1 - zero, rel=1e-12)


def test_the_category_as_one_brand_and_duplication_symmetry():
    whole = Dirichlet(4.0, 0.8, 1.3, [1.0])
    assert dirichlet.penetration(whole)[0] == pytest.approx(dirichlet.category_penetration(whole))
    assert [dirichlet.category_requirements(whole)[0], dirichlet.solely_loyal(whole)[0]] == pytest.approx([1, 1])
    two = Dirichlet(4.0, 0.8, 1.3, [0.4, 0.6])  # who buys A and not B is a sole user of A
    assert 1 - dirichlet.duplication(two)[0, 1] == pytest.approx(dirichlet.solely_loyal(two)[0])
    buyers, shared = dirichlet.penetration(FULL), dirichlet.duplication(FULL)
    assert shared * buyers[:, None] == pytest.approx((shared * buyers[:, None]).T)
    assert np.diag(shared).tolist() == [1, 1, 1, 1]


def test_pairs_of_uses_agree_in_phi_plus_chance():
    """P(next = j | last = j) = phi + (1 - phi) m_j: read off the factorial moment of r_j."""
    r = np.arange(400)
    pairs = dirichlet.distribution(FULL, 399) @ (r * (r - 1))
    shares, all_pairs = np.array(FULL.shares), FULL.mean**2 * (1 + 1 / FULL.shape)
    again = pairs / (all_pairs * shares)
    assert (again - shares) / (1 - shares) == pytest.approx(FULL.phi, rel=1e-6)
    assert FULL.phi == pytest.approx(1 / 2.3)


def test_without_loyalty_brands_are_chosen_by_chance():
    """S = inf thins the category: r_j is NBD(M m_j, K); with Poisson use, brands are independent as well."""
    chance = Dirichlet(4.0, 0.8, np.inf, [0.4, 0.3, 0.2, 0.1])
    for j, share in enumerate(chance.shares):
        expected = stats.nbinom.pmf(np.arange(9), 0.8, 0.8 / (0.8 + 4 * share))
        assert dirichlet.distribution(chance, 8)[j] == pytest.approx(expected, rel=1e-7)
    poisson = Dirichlet(4.0, np.inf, np.inf, chance.shares)
    buyers = -np.expm1(-4 * np.array(chance.shares))
    assert dirichlet.penetration(poisson) == pytest.approx(buyers)
    assert dirichlet.duplication(poisson)[0, 1:] == pytest.approx(buyers[1:])
    assert dirichlet.repeat_rate(poisson) == pytest.approx(buyers)
    assert chance.phi == 0
    near = Dirichlet(4.0, 1e5, 1e7, chance.shares)
    assert dirichlet.penetration(near) == pytest.approx(buyers, rel=1e-4)


def test_total_loyalty_makes_every_buyer_a_sole_user():
    loyal = Dirichlet(4.0, 0.8, 1e-12, [0.4, 0.3, 0.2, 0.1])
    assert dirichlet.solely_loyal(loyal) == pytest.approx(1)
    assert dirichlet.category_requirements(loyal) == pytest.approx(1)
    assert dirichlet.duplication(loyal) == pytest.approx(np.eye(4), abs=1e-9)
    category = dirichlet.category_penetration(loyal)
    assert dirichlet.penetration(loyal) == pytest.approx(np.array(loyal.shares) * category)
    assert loyal.phi == pytest.approx(1)


def test_windows_add_up():
    assert dirichlet.over(dirichlet.over(EIGHT, 2), 2) == dirichlet.over(EIGHT, 4)
    assert (np.diff([dirichlet.penetration(dirichlet.over(EIGHT, t)) for t in (1, 2, 4, 52)], axis=0) > 0).all()


# The way back


@pytest.mark.parametrize(
    "model", [EIGHT, FULL, Dirichlet(30.0, 1.5, 8.0, [0.5, 0.3, 0.1]), Dirichlet(5, np.inf, 0.1, [0.6])]
)
def test_fit_inverts_the_model(model):
    b, B = dirichlet.penetration(model), dirichlet.category_penetration(model)
    each = dirichlet.concentrations(model.mean, model.shape, model.shares, b)
    assert each == pytest.approx(model.concentration, rel=1e-8)
    back = dirichlet.fit(B, model.mean, model.shares, b)
    assert (back.shape, back.concentration) == pytest.approx((model.shape, model.concentration), rel=1e-5)


def test_dice_are_recovered_within_two_standard_errors():
    bought = buy(FULL, 20_000, seed=3)[0]
    blocks = np.arange(20_000) % 20
    without = np.array([estimate(bought[blocks != block]) for block in range(20)])
    errors = np.sqrt(19 / 20 * ((without - without.mean(0)) ** 2).sum(0))
    truth = np.array([4.0, 0.8, 1.3, 4.0, 0.8])
    assert (errors < 0.05 * truth).all()
    assert (abs(estimate(bought) - truth) < 2 * errors).all()


def test_dice_show_the_shares_of_buyers_that_the_formulas_give():
    bought, again = buy(FULL, 40_000, seed=4, windows=2)
    buyers, uses = bought > 0, bought.sum(1, keepdims=True)
    seen = {
        "solely_loyal": bought == uses,
        "once_buyers": bought == 1,
        "repeat_rate": again > 0,
    }
    for measure, having in seen.items():
        expected = getattr(dirichlet, measure)(FULL)
        error = np.sqrt(expected * (1 - expected) / buyers.sum(0))
        assert (abs((having & buyers).sum(0) / buyers.sum(0) - expected) < 3 * error).all(), measure
    both = (buyers[:, :, None] & buyers[:, None, :]).sum(0) / buyers.sum(0)[:, None]
    assert both == pytest.approx(dirichlet.duplication(FULL), abs=3 * np.sqrt(0.25 / buyers.sum(0).min()))
    rate = (buyers * uses).sum(0) / buyers.sum(0)
    assert rate == pytest.approx(dirichlet.category_rate(FULL), rel=0.03)
    assert bought.sum(0) / (buyers * uses).sum(0) == pytest.approx(dirichlet.category_requirements(FULL), rel=0.03)


def test_likelihood_has_its_top_at_the_fit():
    counts = np.bincount(buy(FULL, 3_000, seed=5)[0].sum(1))
    mean, shape = dirichlet.fit_nbd(counts)

    def likelihood(mean, shape):
        return counts @ stats.nbinom.logpmf(np.arange(len(counts)), shape, shape / (shape + mean))

    for factor in (0.99, 1.01):
        assert likelihood(mean * factor, shape) < likelihood(mean, shape) > likelihood(mean, shape * factor)
    assert dirichlet.fit_nbd([*(counts * 7), 0, 0]) == pytest.approx((mean, shape), rel=1e-9)


def test_outlier_rule_of_the_box_plot():
    for fifth, kept in ((1.365, True), (1.4, False)):  # fences about .6 and 1.8, upper notch 1.369 and 1.379
        values = np.array([1.0, 1.1, 1.2, 1.3, fifth, 9.0, -5.0])
        assert dirichlet._ordinary(values).tolist() == [True] * 4 + [kept, False, False]
    assert dirichlet._ordinary(np.array([2.0, 2.0, 2.0])).all() and dirichlet._ordinary(np.array([2.0])).all()


# Degenerate markets


def test_a_brand_without_buyers_has_no_buyers_to_measure():
    model = Dirichlet(4.0, 0.8, 1.3, [0.6, 0.4, 0.0])
    table = dirichlet.table(model)
    assert table["penetration"][2] == pytest.approx(0, abs=1e-12)
    assert table.loc[2, "frequency":].isna().all() and table.loc[:1].notna().all(axis=None)
    others = dirichlet.duplication(model)
    assert np.isnan(others[2]).all() and others[:2, 2] == pytest.approx(0, abs=1e-12)
    fitted = dirichlet.fit(dirichlet.category_penetration(model), 4.0, model.shares, table["penetration"])
    assert fitted.concentration == pytest.approx(1.3)


def test_poisson_use_has_an_infinite_shape():
    assert dirichlet.shape_from_zeros(0.9, 2.0) == np.inf
    assert dirichlet.shape_from_zeros(1.0, 50.0) == np.inf
    assert dirichlet.fit_nbd([0, 0, 10]) == (2.0, np.inf)
    assert dirichlet.fit_nbd(stats.poisson.pmf(np.arange(40), 3.0))[1] > 1e5
    assert dirichlet.fit(1.0, 50.0, [0.5], [0.9], shape=2.0).shape == 2.0


def test_penetrations_no_concentration_gives_go_to_the_nearer_end():
    each = dirichlet.concentrations(4.0, 0.8, [0.4, 0.3, 0.2], [0.99, 0.01, 0.2])
    assert each[0] == pytest.approx(30) and each[1] == pytest.approx(0, abs=1e-9) and 0 < each[2] < 30
    assert dirichlet.concentrations(4.0, 0.8, [0.4], [0.99], largest=100)[0] == pytest.approx(100)


def test_extremes_stay_finite():
    for model in (
        Dirichlet(1.0, 1e-3, 1.0, [0.5, 0.5]),
        Dirichlet(2e3, 0.5, 2.0, [0.9, 1e-6]),
        Dirichlet(1e-6, 1, 1, [1]),
    ):
        assert np.isfinite(dirichlet.table(model)).all(axis=None)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Dirichlet(0, 1, 1, [0.5]), "mean M"),
        (lambda: Dirichlet(np.nan, 1, 1, [0.5]), "mean M"),
        (lambda: Dirichlet(1, 0, 1, [0.5]), "shape K"),
        (lambda: Dirichlet(1, 1, -1, [0.5]), "concentration S"),
        (lambda: Dirichlet(1, 1, 1, [0.6, 0.6]), "shares must"),
        (lambda: Dirichlet(1, 1, 1, [-0.1, 0.6]), "shares must"),
        (lambda: Dirichlet(1, 1, 1, [np.nan]), "shares must"),
        (lambda: Dirichlet(1, 1, 1, []), "one number per brand"),
        (lambda: dirichlet.over(EIGHT, 0), "mean M"),
        (lambda: dirichlet.fit(0.0, 1.0, [0.5], [0.3]), "category penetration B"),
        (lambda: dirichlet.fit(0.5, 0.4, [0.5], [0.3]), "less than one use per category buyer"),
        (lambda: dirichlet.fit(0.5, 1.0, [0.5, 0.5], [0.3]), "2 shares but 1 penetrations"),
        (lambda: dirichlet.fit(0.5, 1.0, [0.5], [1.3]), "from 0 to 1"),
        (lambda: dirichlet.fit(0.5, 1.0, [0.5, 0.5], [0.3, 0.0]), "without buyers"),
        (lambda: dirichlet.fit(0.5, 1.0, [1.0, 0.0], [0.5, 0.0]), "no brand"),
        (lambda: dirichlet.fit_nbd([]), "nobody used"),
        (lambda: dirichlet.fit_nbd([100]), "nobody used"),
        (lambda: dirichlet.fit_nbd([0, 0]), "nobody used"),
        (lambda: dirichlet.fit_nbd([1, -1, 3]), "not be negative"),
        (lambda: dirichlet.fit_nbd([1, np.nan]), "people by uses"),
    ],
)
def test_complaints(call, words):
    with pytest.raises(ValueError, match=words):
        call()
