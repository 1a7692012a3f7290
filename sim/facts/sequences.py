"""Facts 171 to 177 and 195: the order of purchases, who comes back, and how many firms are used side by side."""

import numpy as np

from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.facts.shelf import FOOD, YEAR, _bought
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import Tally
from sim.model.state import USED

NONE, SEVERAL = -1, -2  # purchases of a week: none, or more than one, whose order is not known
MEALS, NETWORKS = "market=restaurants_us", "market=social_network"
WEEKS = 12  # of a quarter before its last week opens
MONTH = 4  # weeks


def _sequence(runs: RunCache) -> Array:
    """[i, week] the firm that each person bought of food in a week of a year, NONE or SEVERAL."""
    run = runs(FOOD, {"window": YEAR + 1, "weeks": YEAR + 1}, tuple(range(YEAR + 1)), 0.5)
    people = [run.people[week].one for week in range(YEAR + 1)]
    uses = np.array([p["uses"] & USED for p in people], np.int64)
    last = np.array([p["last"] for p in people[1:]], np.int64)
    bought = np.diff(uses, axis=0)
    return np.where(bought == 0, NONE, np.where(bought == 1, last, SEVERAL)).T


def _lags(bought: Array, lag: int) -> tuple[Array, list[Array]]:
    """Which purchases have `lag` earlier ones by the same person, and the firms of all these, the earliest first."""
    who, when = np.nonzero(bought != NONE)
    firm, many = bought[who, when], len(who) - lag
    firms = [firm[n : n + many] for n in range(lag + 1)]
    return (who[:many] == who[lag:]) & np.all([f != SEVERAL for f in firms], axis=0), firms


def fact_171(runs: RunCache) -> Quantities:
    """The next purchase is of the same brand a little more often than the fifth from now."""

    def drop(bought: Array) -> float:
        known, firms = _lags(bought, 5)
        now = firms[-1]
        return float((now == firms[-2])[known].mean() - (now == firms[0])[known].mean())

    return {"agreement, next - fifth": from_people(drop, _sequence(runs))}


def fact_172(runs: RunCache) -> Quantities:
    """Four in five of a chain's customers in one year are back in the next."""
    j = runs.firms(MEALS).index("panera")
    first, then = (x[:, j] > 0 for x in _bought(runs, MEALS, YEAR, 51, 103, times=2))
    return {"back in the next year, %": from_people(lambda a, b: 100 * b[a].mean(), first, then)}


def _repeat(t: Tally, *firms: int) -> Array:
    """Purchases that repeat the last make, %, of those whose last make is one of these firms (none: any)."""
    known = t.flow[..., 1:, 1:]
    at = list(firms) or list(range(known.shape[-1]))
    return 100 * known[..., at, at].sum(axis=-1) / known[..., at, :].sum(axis=(-2, -1))


def fact_173(runs: RunCache) -> Quantities:
    """Of the American households that had a Ford three in five buy one again."""
    run = runs("market=cars_us", times=8)
    j = list(run.scenario.firms).index("ford")
    return {"Ford, %": from_counts(lambda t: _repeat(t, j), run.counts)}


def fact_174(runs: RunCache) -> Quantities:
    """In Germany a half to two thirds buy the make they had, of Volkswagen's customers up to seven in ten."""
    run = runs("market=cars_de", times=8)
    j = list(run.scenario.firms).index("vw")
    return {
        "any make, %": from_counts(_repeat, run.counts),
        "Volkswagen, %": from_counts(lambda t: _repeat(t, j), run.counts),
    }


def _month(runs: RunCache) -> Array:
    """[i, j] whether a person used a network in four weeks."""
    (bought,) = _bought(runs, NETWORKS, MONTH + 1, 54, times=1)
    used: Array = bought > 0
    return used


def fact_175(runs: RunCache) -> Quantities:
    """Three in five who use social networks use more than one."""
    return {
        "more than one, %": from_people(lambda x: 100 * (x.sum(axis=1) > 1).sum() / x.any(axis=1).sum(), _month(runs))
    }


def fact_176(runs: RunCache) -> Quantities:
    """Nine in ten users of the smaller networks use Facebook too."""
    names = runs.firms(NETWORKS)
    home, others = names.index("facebook"), [names.index(n) for n in ("instagram", "snapchat", "twitter")]

    def also(x: Array) -> float:
        return float(100 * np.mean([x[x[:, j], home].mean() for j in others]))

    return {"also Facebook, %": from_people(also, _month(runs))}


def fact_177(runs: RunCache) -> Quantities:
    """Half of those who eat at quick restaurants do so every week, one in five three times a week."""
    (bought,) = _bought(runs, MEALS, WEEKS + 1, WEEKS, times=1)
    uses = bought.sum(axis=1)

    def often(a_week: int) -> Estimate:
        return from_people(lambda x: 100 * (x >= a_week * WEEKS).sum() / (x > 0).sum(), uses)

    return {"weekly and more, %": often(1), "three times a week and more, %": often(3)}


def fact_195(runs: RunCache) -> Quantities:
    """Who bought a brand twice and another once buys it again more often if the other came first."""

    def gap(bought: Array) -> float:
        known, (first, second, third, then) = _lags(bought, 3)
        other_first, other_last = known & (second == third) & (first != second), known & (first == second)
        other_last &= second != third
        return float((then == third)[other_first].mean() - (then == first)[other_last].mean())

    return {"other first - other last": from_people(gap, _sequence(runs))}
