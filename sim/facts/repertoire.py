"""Facts 1 to 15: how people buy again where any number of firms may be used."""

from typing import Any

import numpy as np
from scipy import stats

from sim.facts.markets import BARE, Lived, Worlds, of
from sim.measure import dirichlet, estimates, metrics
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import Count, Tally

Found = dict[str, Estimate]
SHELF, YEAR = "market=toothpaste_uk", {"window": 52}
GOODS = ("toothpaste_uk", "beer_us", "food_us", "retail_us", "restaurants_us")
PROVIDERS = ("bank", "mobile", "broadband_uk", "energy_nl", "health_insurance_nl")


def quarter(worlds: Worlds) -> Tally:
    """The shelf counted by the quarter."""
    return worlds(SHELF, times=12).counts


def yearly(worlds: Worlds, market: str, times: float = 6) -> Tally:
    """A market counted by the year."""
    return worlds(f"market={market}", YEAR, times=times).counts


def year(worlds: Worlds) -> Tally:
    """The people of the shelf counted by the year."""
    return yearly(worlds, "toothpaste_uk", 12)


def rank(tally: Tally, one: Any, other: Any) -> Estimate:
    """Spearman's correlation over firms of two metrics."""
    return of(lambda t: np.array([stats.spearmanr(*row)[0] for row in zip(one(t), other(t), strict=True)]), tally)


def category_rate(tally: Tally) -> Array:
    """Uses of the category by the firm's users."""
    return tally.window[..., Count.CATEGORY] / tally.window[..., Count.USERS]


def least(metric: Any, tally: Tally) -> Estimate:
    """The metric at the firm where it is least."""
    return of(lambda t: metric(t).min(axis=-1), tally)


def most(metric: Any, tally: Tally) -> Estimate:
    """The metric at the firm where it is most."""
    return of(lambda t: metric(t).max(axis=-1), tally)


def mean(metric: Any, tally: Tally) -> Estimate:
    """The metric in the mean of firms."""
    return of(lambda t: metric(t).mean(axis=-1), tally)


def fact_1(worlds: Worlds) -> Found:
    def distance(t: Tally) -> Array:
        simulated = t.buyers.cumsum(axis=-1) / t.buyers.sum(axis=-1, keepdims=True)
        law = dirichlet.category_distribution(1.456, 0.78)[: simulated.shape[-1]].cumsum()
        return np.abs(simulated[..., : len(law)] - law).max(axis=-1)

    counts = quarter(worlds)
    return {"KS distance": of(distance, counts), "M a quarter": of(metrics.category_mean, counts)}


def fact_2(worlds: Worlds) -> Found:
    def top_fifth(t: Tally) -> Array:
        people = t.buyers[..., :0:-1]
        uses, bought = np.arange(t.buyers.shape[-1] - 1, 0, -1), people.sum(axis=-1, keepdims=True)
        within = np.clip(0.2 * bought - (people.cumsum(axis=-1) - people), 0, people)
        return (within * uses).sum(axis=-1) / (people * uses).sum(axis=-1)

    return {"top fifth, quarter": of(top_fifth, quarter(worlds)), "top fifth, year": of(top_fifth, year(worlds))}


def fact_3(worlds: Worlds) -> Found:
    def tenfold(t: Tally) -> Array:
        rows = zip(np.log(metrics.penetration(t)), np.log(metrics.frequency(t)), strict=True)
        return np.array([10 ** np.polyfit(b, w, 1)[0] for b, w in rows])

    counts = year(worlds)
    return {
        "rank correlation": rank(counts, metrics.penetration, metrics.frequency),
        "w at ten times the penetration": of(tenfold, counts),
    }


def fact_4(worlds: Worlds) -> Found:
    def variation(t: Tally) -> Array:
        constant = metrics.frequency(t) * (1 - metrics.penetration(t))
        return constant.std(axis=-1) / constant.mean(axis=-1)

    return {"CV, quarter": of(variation, quarter(worlds)), "CV, year": of(variation, year(worlds))}


def fact_5(worlds: Worlds) -> Found:
    return {
        "least SCR, year": least(metrics.category_requirements, year(worlds)),
        "most SCR, year": most(metrics.category_requirements, year(worlds)),
        "mean SCR, quarter": mean(metrics.category_requirements, quarter(worlds)),
        "rank correlation with share": rank(year(worlds), metrics.share, metrics.category_requirements),
    }


def fact_6(worlds: Worlds) -> Found:
    return {
        "least, year": least(metrics.solely_loyal, year(worlds)),
        "most, year": most(metrics.solely_loyal, year(worlds)),
        "mean, quarter": mean(metrics.solely_loyal, quarter(worlds)),
    }


def fact_7(worlds: Worlds) -> Found:
    counts = year(worlds)
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
    found = {name: of(lambda t, law=law: law(t)[..., brand], counts) for name, law in laws.items()}
    return {"b": of(lambda t: metrics.penetration(t)[..., brand], counts), **found, "duplication gap": of(gap, counts)}


def fact_8(worlds: Worlds) -> Found:
    def fit(t: Tally) -> Array:
        other = ~np.eye(t.both.shape[-1], dtype=bool)
        b = np.broadcast_to(metrics.penetration(t)[..., None, :], t.both.shape)[..., other]
        pairs = zip(b, metrics.duplication(t)[..., other], strict=True)
        return np.array([np.corrcoef(x, y)[0, 1] ** 2 for x, y in pairs])

    return {
        "R2, year": of(fit, year(worlds)),
        "D, quarter": of(metrics.duplication_coefficient, quarter(worlds)),
        "D, year": of(metrics.duplication_coefficient, year(worlds)),
    }


def fact_9(worlds: Worlds) -> Found:
    return {"rank correlation": rank(year(worlds), metrics.share, category_rate)}


def fact_10(worlds: Worlds) -> Found:
    law = {"market.taste_concentration": 1.3, "mechanisms.taste": True}
    counts = worlds(SHELF, {**YEAR, **BARE, **law}, times=12).counts

    def residual(t: Tally) -> Array:
        m = metrics.share(t)
        phi = metrics.polarization(t)[..., None]
        return np.abs(metrics.next_use(t) - (phi + (1 - phi) * m)).max(axis=-1)

    return {"largest residual": of(residual, counts)}


def fact_11(worlds: Worlds) -> Found:
    return {m: of(metrics.polarization, yearly(worlds, m)) for m in GOODS}


def fact_12(worlds: Worlds) -> Found:
    def lag(t: Tally) -> Array:
        known = t.transitions[..., 1:, 1:]
        stayed = np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))
        chance = ((known.sum(axis=-2) / known.sum(axis=(-2, -1))[..., None]) ** 2).sum(axis=-1)
        return (stayed - chance) / (1 - chance)

    goods = {f"{m} (at most .63)": of(metrics.polarization, yearly(worlds, m)) for m in GOODS}
    return goods | {f"{m} (at least .8)": of(lag, yearly(worlds, m)) for m in PROVIDERS}


def fact_13(worlds: Worlds) -> Found:
    def gap(t: Tally) -> Array:
        row, size = metrics.pair_index(t), metrics.share(t)[0]
        return row[:, size.argmax()] - row[:, size.argmin()]

    def correlation(t: Tally) -> Array:
        pairs = zip(metrics.share(t), metrics.pair_index(t), strict=True)
        return np.array([np.corrcoef(m, phi)[0, 1] for m, phi in pairs])

    counts = year(worlds)
    return {"correlation": of(correlation, counts), "largest - smallest": of(gap, counts)}


def _slope(lived: Lived, metric: Any) -> Estimate:
    def slope(t: Tally) -> Array:
        values = metric(t)
        return np.polyfit(np.arange(values.shape[-1]) * lived.scenario.window / 52, values.T, 1)[0]

    return of(slope, estimates.by_window(lived.tally))


def fact_14(worlds: Worlds) -> Found:
    goods = {m: _slope(worlds(f"market={m}", {**YEAR, "weeks": 260}), metrics.polarization) for m in GOODS[:1]}
    return goods | {m: _slope(worlds(f"market={m}"), metrics.switched) for m in PROVIDERS[:1]}


def fact_15(worlds: Worlds) -> Found:
    counts = worlds(SHELF, {**YEAR, **BARE}).counts
    index = estimates.estimate(metrics.pair_index, counts)
    off = np.sqrt(np.mean((index.value / index.error) ** 2))
    return {"root mean square z": Estimate(off, off / np.sqrt(2 * len(index.value)))}
