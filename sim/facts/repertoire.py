"""Facts 1 to 15: how people buy again where any number of firms may be used."""

import numpy as np
from scipy import stats

from sim.facts.runs import ALL_OFF, FactRun, Quantities, RunCache, from_counts
from sim.measure import dirichlet, estimates, metrics
from sim.measure.estimates import Array, Estimate, Metric
from sim.measure.tally import Count, Tally

TOOTHPASTE, YEAR = "market=toothpaste_uk", {"window": 52}
GOODS = ("toothpaste_uk", "beer_us", "food_us", "retail_us", "restaurants_us")
PROVIDERS = ("bank", "mobile", "broadband_uk", "energy_nl", "health_insurance_nl")


def quarter(runs: RunCache) -> Tally:
    """The toothpaste market counted by the quarter."""
    return runs(TOOTHPASTE, times=12).counts


def yearly(runs: RunCache, market: str, times: float = 6) -> Tally:
    """A market counted by the year."""
    return runs(f"market={market}", YEAR, times=times).counts


def year(runs: RunCache) -> Tally:
    """The same people counted by the year."""
    return yearly(runs, "toothpaste_uk", 12)


def rank(tally: Tally, one: Metric, other: Metric) -> Estimate:
    """Spearman's correlation over firms of two metrics."""
    return from_counts(
        lambda t: np.array([stats.spearmanr(*row)[0] for row in zip(one(t), other(t), strict=True)]), tally
    )


def category_rate(tally: Tally) -> Array:
    """Uses of the category by the firm's users."""
    return tally.window[..., Count.CATEGORY] / tally.window[..., Count.USERS]


def least(metric: Metric, tally: Tally) -> Estimate:
    """The metric at the firm where it is least."""
    return from_counts(lambda t: metric(t).min(axis=-1), tally)


def most(metric: Metric, tally: Tally) -> Estimate:
    """The metric at the firm where it is most."""
    return from_counts(lambda t: metric(t).max(axis=-1), tally)


def mean(metric: Metric, tally: Tally) -> Estimate:
    """The metric in the mean of firms."""
    return from_counts(lambda t: metric(t).mean(axis=-1), tally)


def fact_1(runs: RunCache) -> Quantities:
    """Uses of the category by person follow the negative binomial distribution (NBD)."""

    def distance(t: Tally) -> Array:
        simulated = t.buyers.cumsum(axis=-1) / t.buyers.sum(axis=-1, keepdims=True)
        law = dirichlet.category_distribution(1.456, 0.78)[: simulated.shape[-1]].cumsum()
        return np.abs(simulated[..., : len(law)] - law).max(axis=-1)

    counts = quarter(runs)
    return {"KS distance": from_counts(distance, counts), "M a quarter": from_counts(metrics.category_mean, counts)}


def fact_2(runs: RunCache) -> Quantities:
    """The heaviest fifth of buyers makes about half of the purchases."""

    def top_fifth(t: Tally) -> Array:
        people = t.buyers[..., :0:-1]
        uses, bought = np.arange(t.buyers.shape[-1] - 1, 0, -1), people.sum(axis=-1, keepdims=True)
        within = np.clip(0.2 * bought - (people.cumsum(axis=-1) - people), 0, people)
        return (within * uses).sum(axis=-1) / (people * uses).sum(axis=-1)

    return {
        "top fifth, quarter": from_counts(top_fifth, quarter(runs)),
        "top fifth, year": from_counts(top_fifth, year(runs)),
    }


def fact_3(runs: RunCache) -> Quantities:
    """Double jeopardy: small firms have far fewer buyers, who buy slightly less often."""

    def tenfold(t: Tally) -> Array:
        rows = zip(np.log(metrics.penetration(t)), np.log(metrics.frequency(t)), strict=True)
        return np.array([10 ** np.polyfit(b, w, 1)[0] for b, w in rows])

    counts = year(runs)
    return {
        "rank correlation": rank(counts, metrics.penetration, metrics.frequency),
        "w at ten times the penetration": from_counts(tenfold, counts),
    }


def fact_4(runs: RunCache) -> Quantities:
    """w (1 - b) is the same for all brands: purchases per buyer rise with penetration."""

    def variation(t: Tally) -> Array:
        constant = metrics.frequency(t) * (1 - metrics.penetration(t))
        return constant.std(axis=-1) / constant.mean(axis=-1)

    return {"CV, quarter": from_counts(variation, quarter(runs)), "CV, year": from_counts(variation, year(runs))}


def fact_5(runs: RunCache) -> Quantities:
    """Share of category requirements is below one half and rises a little with share."""
    return {
        "least SCR, year": least(metrics.category_requirements, year(runs)),
        "most SCR, year": most(metrics.category_requirements, year(runs)),
        "mean SCR, quarter": mean(metrics.category_requirements, quarter(runs)),
        "rank correlation with share": rank(year(runs), metrics.share, metrics.category_requirements),
    }


def fact_6(runs: RunCache) -> Quantities:
    """Few buyers are solely loyal, and the fewer the longer the window."""
    return {
        "least, year": least(metrics.solely_loyal, year(runs)),
        "most, year": most(metrics.solely_loyal, year(runs)),
        "mean, quarter": mean(metrics.solely_loyal, quarter(runs)),
    }


def fact_7(runs: RunCache) -> Quantities:
    """The brand with a penetration of about 5 %: how its buyers divide their purchases."""
    counts = year(runs)
    brand = int(np.abs(metrics.penetration(counts).mean(axis=0) - 0.05).argmin())
    leader = int(metrics.share(counts).mean(axis=0).argmax())

    def gap(t: Tally) -> Array:
        expected = metrics.duplication_coefficient(t) * metrics.penetration(t)[..., leader]
        return 100 * (metrics.duplication(t)[..., brand, leader] - expected)

    laws = {
        "w": metrics.frequency,
        "once": metrics.once_only,
        "sole": metrics.solely_loyal,
        "SCR": metrics.category_requirements,
    }
    found = {name: from_counts(lambda t, law=law: law(t)[..., brand], counts) for name, law in laws.items()}
    return {
        "b": from_counts(lambda t: metrics.penetration(t)[..., brand], counts),
        **found,
        "duplication gap": from_counts(gap, counts),
    }


def fact_8(runs: RunCache) -> Quantities:
    """Duplication of purchase: who buys j buys k in proportion to the penetration of k."""

    def fit(t: Tally) -> Array:
        other = ~np.eye(t.both.shape[-1], dtype=bool)
        b = np.broadcast_to(metrics.penetration(t)[..., None, :], t.both.shape)[..., other]
        pairs = zip(b, metrics.duplication(t)[..., other], strict=True)
        return np.array([np.corrcoef(x, y)[0, 1] ** 2 for x, y in pairs])

    return {
        "R2, year": from_counts(fit, year(runs)),
        "D, quarter": from_counts(metrics.duplication_coefficient, quarter(runs)),
        "D, year": from_counts(metrics.duplication_coefficient, year(runs)),
    }


def fact_9(runs: RunCache) -> Quantities:
    """Natural monopoly: large firms attract more of the light buyers."""
    return {"rank correlation": rank(year(runs), metrics.share, category_rate)}


def fact_10(runs: RunCache) -> Quantities:
    """The next use is at j with chance phi + (1 - phi) m_j, with tastes alone."""
    law = {"market.taste_concentration": 1.3, "mechanisms.taste": True}
    counts = runs(TOOTHPASTE, {**YEAR, **ALL_OFF, **law}, times=12).counts

    def residual(t: Tally) -> Array:
        m = metrics.share(t)
        phi = metrics.polarization(t)[..., None]
        return np.abs(metrics.next_use(t) - (phi + (1 - phi) * m)).max(axis=-1)

    return {"largest residual": from_counts(residual, counts)}


def fact_11(runs: RunCache) -> Quantities:
    """Polarization of packaged goods lies in the range that was measured."""
    return {m: from_counts(metrics.polarization, yearly(runs, m)) for m in GOODS}


def lag_polarization(t: Tally) -> Array:
    """Polarization of a market of providers: agreement of the firms at the two ends of a window beyond chance."""
    known = t.transitions[..., 1:, 1:]
    stayed = np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))
    chance: Array = ((known.sum(axis=-2) / known.sum(axis=(-2, -1))[..., None]) ** 2).sum(axis=-1)
    return (stayed - chance) / (1 - chance)


def fact_12(runs: RunCache) -> Quantities:
    """Markets are of a repertoire or of a subscription: polarization is low or high."""

    goods = {f"{m} (at most .63)": from_counts(metrics.polarization, yearly(runs, m)) for m in GOODS}
    return goods | {f"{m} (at least .8)": from_counts(lag_polarization, yearly(runs, m)) for m in PROVIDERS}


def fact_13(runs: RunCache) -> Quantities:
    """Excess loyalty rises with share."""

    def gap(t: Tally) -> Array:
        row, size = metrics.pair_index(t), metrics.share(t)[0]
        return row[:, size.argmax()] - row[:, size.argmin()]

    def correlation(t: Tally) -> Array:
        pairs = zip(metrics.share(t), metrics.pair_index(t), strict=True)
        return np.array([np.corrcoef(m, phi)[0, 1] for m, phi in pairs])

    counts = year(runs)
    return {"correlation": from_counts(correlation, counts), "largest - smallest": from_counts(gap, counts)}


def _slope(run: FactRun, metric: Metric) -> Estimate:
    def slope(t: Tally) -> Array:
        values = metric(t)
        return np.polyfit(np.arange(values.shape[-1]) * run.scenario.window / 52, values.T, 1)[0]

    return from_counts(slope, estimates.by_window(run.tally))


def fact_14(runs: RunCache) -> Quantities:
    """Polarization and switching have no trend without a cause."""
    goods = {m: _slope(runs(f"market={m}", {**YEAR, "weeks": 260}), metrics.polarization) for m in GOODS[:1]}
    return goods | {m: _slope(runs(f"market={m}"), metrics.switched) for m in PROVIDERS[:1]}


def fact_15(runs: RunCache) -> Quantities:
    """With every mechanism off stickiness is zero."""
    counts = runs(TOOTHPASTE, {**YEAR, **ALL_OFF}).counts
    index = estimates.estimate(metrics.pair_index, counts)
    off = np.sqrt(np.mean((index.value / index.error) ** 2))
    return {"root mean square z": Estimate(off, off / np.sqrt(2 * len(index.value)))}
