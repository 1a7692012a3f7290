"""Facts 60 to 65: what people tell one another, and how far it goes."""

import numpy as np

from sim.compute.jit import entry_point
from sim.facts.markets import Lived, Worlds, among, of
from sim.facts.repertoire import Found, year, yearly
from sim.facts.survey import worth
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import Event, Tally
from sim.model.rules.tell import receive_wom
from sim.model.state import STEP, People
from sim.model.timeline import make_world

TALKS = ("toothpaste_uk", "retail_us", "bank", "mobile")
ONE_MORNING = {"scandals.moral_scandal.news_weeks": 1}


def fact_60(worlds: Worlds) -> Found:
    crisis = worlds("market=bank scandal=outage")
    j, week = crisis.focus, next(iter(crisis.scenario.scandals.values())).week

    def ratio(t: Tally) -> Array:
        event = t.event[..., week : week + 2, j, :].sum(axis=-2)
        return event[..., Event.POSITIVE_WOM] / event[..., Event.NEGATIVE_WOM]

    calm = {market: of(metrics.wom_ratio, yearly(worlds, market)) for market in TALKS}
    return {**calm, "in a crisis": of(ratio, estimates.weekly(crisis.tally))}


def fact_61(worlds: Worlds) -> Found:
    def follows(t: Tally) -> Array:
        pairs = zip(t.event[..., Event.POSITIVE_WOM], metrics.share(t), strict=True)
        return np.array([np.corrcoef(random_bits, share)[0, 1] for random_bits, share in pairs])

    return {"r": of(follows, year(worlds))}


@entry_point
def _tell_all(bonds, j, good, market):
    for i in range(bonds.shape[0]):
        receive_wom(bonds[i, j], np.float32(bonds[i, j].familiarity) * STEP, good, market)


def _moved(lived: Lived, week: int) -> tuple[Array, Array, Array]:
    """Of each person and firm: the chance to choose it, and the change of it after good and after bad word of it."""

    def chances(people: People) -> Array:
        v = worth(Lived(lived.scenario, lived.tally, {week: people}), week)[0].astype(float)
        v = np.exp(v - v.max(axis=1, keepdims=True))
        return v / v.sum(axis=1, keepdims=True)

    before, world = chances(lived.people[week]), make_world(lived.scenario)

    def after(good: bool) -> Array:
        moved = np.zeros_like(before)
        for j in range(before.shape[1]):
            told = People(*(a.copy() for a in lived.people[week]))
            _tell_all(told.bonds, j, good, world.market[0])
            moved[:, j] = chances(told)[:, j] - before[:, j]
        return moved

    return before, after(True), after(False)


def fact_62(worlds: Worlds) -> Found:
    lived = worlds("market=retail_us", at=(52,))
    p, good, bad = _moved(lived, 52)

    def against_middling(p: Array, moved: Array, low: float, high: float) -> float:
        return float(moved[(p >= low) & (p <= high)].mean() / moved[(p > 0.3) & (p < 0.7)].mean())

    return {
        "good / bad": among(lambda g, b: g.mean() / -b.mean(), good, bad),
        "bad, of the likely / of the middling": among(lambda p, b: against_middling(p, b, 0.8, 1.0), p, bad),
        "good, of the unlikely / of the middling": among(lambda p, g: against_middling(p, g, 0.0, 0.1), p, good),
    }


def fact_63(worlds: Worlds) -> Found:
    def bad(t: Tally) -> Array:
        return 100 * t.event[..., Event.FAILED].sum(axis=-1) / t.flow.sum(axis=(-2, -1))

    return {market: of(bad, yearly(worlds, market)) for market in TALKS}


def fact_64(worlds: Worlds) -> Found:
    lived = worlds("market=retail_us scandal=moral_scandal", ONE_MORNING)
    week = lived.scenario.scandals["moral_scandal"].week

    def generations(t: Tally) -> Array:
        return t.news[..., week:, 0, 0]

    def shallow(t: Tally) -> Array:
        heard = generations(t)
        return 100 * heard[..., :2].sum(axis=-1) / heard.sum(axis=-1)

    def secondary(t: Tally) -> Array:
        return generations(t)[..., 1] / generations(t)[..., 0]

    counts = estimates.weekly(lived.tally)
    return {"within one degree, %": of(shallow, counts), "told on by each": of(secondary, counts)}


def fact_65(worlds: Worlds) -> Found:
    def aware(t: Tally) -> Array:
        return t.news[..., 0, 0] / t.people

    found = {}
    for name in ("dieselgate_us", "breach_facebook", "breach_talktalk"):
        lived = worlds(f"scandal={name}")
        week = next(iter(lived.scenario.scandals.values())).week
        found[name] = of(aware, estimates.pooled(lived.tally, weeks=slice(week, week + 6)))
    return found
