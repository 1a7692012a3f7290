"""Facts 60 to 65: what people tell one another, and how far it goes."""

import numpy as np

from sim.compute.jit import entry_point
from sim.facts.repertoire import year, yearly
from sim.facts.runs import FactRun, Quantities, RunCache, copy_of, from_counts, from_people
from sim.facts.survey import utilities
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import Event, Tally
from sim.model.rules.tell import receive_wom
from sim.model.state import STEP, People
from sim.model.timeline import make_world

MARKETS = ("toothpaste_uk", "retail_us", "bank", "mobile")
ONE_MORNING = {"scandals.moral_scandal.news_weeks": 1}


def fact_60(runs: RunCache) -> Quantities:
    """People speak well of firms about three times as often as badly, but in a crisis."""
    crisis = runs("market=bank scandal=outage")
    j, week = crisis.focus, next(iter(crisis.scenario.scandals.values())).week

    def ratio(t: Tally) -> Array:
        event = t.event[..., week : week + 2, j, :].sum(axis=-2)
        return event[..., Event.POSITIVE_WOM] / event[..., Event.NEGATIVE_WOM]

    calm = {market: from_counts(metrics.wom_ratio, yearly(runs, market)) for market in MARKETS}
    return {**calm, "in a crisis": from_counts(ratio, estimates.weekly(crisis.tally))}


def fact_61(runs: RunCache) -> Quantities:
    """Good word of mouth is distributed as market share is."""

    def follows(t: Tally) -> Array:
        pairs = zip(t.event[..., Event.POSITIVE_WOM], metrics.share(t), strict=True)
        return np.array([np.corrcoef(random_bits, share)[0, 1] for random_bits, share in pairs])

    return {"r": from_counts(follows, year(runs))}


@entry_point
def _tell_all(bonds, j, good, market):
    for i in range(bonds.shape[0]):
        receive_wom(bonds[i, j], np.float32(bonds[i, j].familiarity) * STEP, good, market)


def _moved(run: FactRun, week: int) -> tuple[Array, Array, Array]:
    """Of each person and firm: the chance to choose it, and the change of it after good and after bad word of it."""

    def chances(people: People) -> Array:
        v = utilities(FactRun(run.scenario, run.tally, {week: people}), week)[0].astype(float)
        v = np.exp(v - v.max(axis=1, keepdims=True))
        return v / v.sum(axis=1, keepdims=True)

    before, world = chances(run.people[week]), make_world(run.scenario)

    def after(good: bool) -> Array:
        moved = np.zeros_like(before)
        for j in range(before.shape[1]):
            after_message = copy_of(run.people[week])
            _tell_all(after_message.bonds, j, good, world.market[0])
            moved[:, j] = chances(after_message)[:, j] - before[:, j]
        return moved

    return before, after(True), after(False)


def fact_62(runs: RunCache) -> Quantities:
    """Good word moves choice at least as much as bad word; both are resisted by those decided."""
    run = runs("market=retail_us", at=(52,))
    p, good, bad = _moved(run, 52)

    def against_middling(p: Array, moved: Array, low: float, high: float) -> float:
        return float(moved[(p >= low) & (p <= high)].mean() / moved[(p > 0.3) & (p < 0.7)].mean())

    return {
        "good / bad": from_people(lambda g, b: g.mean() / -b.mean(), good, bad),
        "bad, of the likely / of the middling": from_people(lambda p, b: against_middling(p, b, 0.8, 1.0), p, bad),
        "good, of the unlikely / of the middling": from_people(lambda p, g: against_middling(p, g, 0.0, 0.1), p, good),
    }


def fact_63(runs: RunCache) -> Quantities:
    """Few uses have a failure."""

    def bad(t: Tally) -> Array:
        return 100 * t.event[..., Event.FAILED].sum(axis=-1) / t.flow.sum(axis=(-2, -1))

    return {market: from_counts(bad, yearly(runs, market)) for market in MARKETS}


def fact_64(runs: RunCache) -> Quantities:
    """News travels one step from the broadcast, hardly ever more."""
    run = runs("market=retail_us scandal=moral_scandal", ONE_MORNING)
    week = run.scenario.scandals["moral_scandal"].week

    def generations(t: Tally) -> Array:
        return t.news[..., week:, 0, 0]

    def shallow(t: Tally) -> Array:
        heard = generations(t)
        return 100 * heard[..., :2].sum(axis=-1) / heard.sum(axis=-1)

    def secondary(t: Tally) -> Array:
        return generations(t)[..., 1] / generations(t)[..., 0]

    counts = estimates.weekly(run.tally)
    return {"within one degree, %": from_counts(shallow, counts), "told on by each": from_counts(secondary, counts)}


def fact_65(runs: RunCache) -> Quantities:
    """Most people have heard of a national scandal within weeks."""

    def aware(t: Tally) -> Array:
        return t.news[..., 0, 0] / t.people

    found = {}
    for name in ("dieselgate_us", "breach_facebook", "breach_talktalk"):
        run = runs(f"scandal={name}")
        week = next(iter(run.scenario.scandals.values())).week
        found[name] = from_counts(aware, estimates.pooled(run.tally, weeks=slice(week, week + 6)))
    return found
