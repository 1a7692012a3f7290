"""Facts 185 to 189, 191 and 193: who gains from a boycott, what is said, who follows whom, what is left of a habit."""

import numpy as np

from sim.facts.boycotts import BEER
from sim.facts.providers import EVENT, moves
from sim.facts.repertoire import yearly
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.facts.scandals import QUARTER, TwinRuns
from sim.facts.shelf import WEEK, _uses
from sim.measure import estimates
from sim.measure.estimates import Array
from sim.measure.tally import Event, Tally

AWAY, RETURN, SEEN = 4, 2, 8  # weeks off a network; weeks after in which use is measured, from and to
LATER = 60, 69  # weeks after the news: the four to the next year's summer, and around
STUDY = 95  # weeks: 22 months


def fact_185(runs: RunCache) -> Quantities:
    """The nearest substitutes of a boycotted beer gain the most."""
    pair = TwinRuns(runs, BEER, times=4)
    near = [list(pair.event.scenario.firms).index(name) for name in ("coors_light", "miller_lite")]
    return {"Coors Light and Miller Lite, %": pair.sales(0, QUARTER, *near)}


def fact_186(runs: RunCache) -> Quantities:
    """A year and a quarter after the boycott a third of its share was still missing."""
    return {"after 15 months, %": TwinRuns(runs, BEER, times=4).sales(*LATER)}


def _said(t: Tally) -> Array:
    """Customers, %, who say that they would leave."""
    answers = t.event.sum(axis=-2)
    said: Array = 100 * answers[..., Event.WOULD_LEAVE] / answers[..., Event.ASKED]
    return said


def fact_187(runs: RunCache) -> Quantities:
    """One in eight bank customers says that they are likely to leave within the year."""
    return {"would leave, %": from_counts(_said, yearly(runs, "bank"))}


def fact_188(runs: RunCache) -> Quantities:
    """Who has seen somebody they know leave a mobile network leaves it more often."""
    at = (EVENT, EVENT + 4, EVENT + 4 + QUARTER)
    run = runs("market=mobile", {"weeks": at[-1] + 1}, at, 6)
    first, then, later = (run.people[week].one["last"] for week in at)
    gone, seen = first != then, np.zeros(len(first), bool)
    for step in range(1, run.scenario.network.neighbors // 2 + 1):
        for side in (step, -step):
            seen |= np.roll(gone, side) & (np.roll(first, side) == first)
    leaves = then != later

    def ratio(stay: Array, seen: Array, leaves: Array) -> float:
        return float(leaves[stay & seen].mean() / leaves[stay & ~seen].mean())

    return {"leave, seen / not seen": from_people(ratio, ~gone, seen, leaves)}


def fact_189(runs: RunCache) -> Quantities:
    """Satisfaction explains a twelfth of how long mobile customers stay."""
    at = tuple(range(EVENT, EVENT + STUDY + 1, 19))
    run = runs("market=mobile", {"weeks": at[-1] + 1}, at, 2)
    people, c, m = run.people[EVENT], run.scenario.consumer, run.scenario.market
    rows = np.flatnonzero(people.one["last"] >= 0)
    firm = people.one["last"][rows].astype(int)
    gap = people.bonds["memory"][rows, firm] - people.one["expectation"][rows]
    satisfied = c.cx_weight * np.where(gap > 0, gap, c.loss_aversion * gap)
    satisfied = satisfied + c.trust_weight * (people.bonds["trust"][rows, firm] - m.trust_start)
    there = np.logical_and.accumulate([run.people[week].one["last"][rows] == firm for week in at[1:]])
    return {"R2": from_people(lambda s, y: np.corrcoef(s, y)[0, 1] ** 2, satisfied, there.sum(axis=0))}


def fact_191(runs: RunCache) -> Quantities:
    """Four weeks without Facebook make people use it a fifth to a quarter less afterwards."""
    away = moves(("facebook", "out_of_stock", WEEK, AWAY, 1.0))
    pair = [runs("market=social_network", c) for c in ({}, away)]
    j, span = pair[0].focus, slice(WEEK + AWAY + RETURN, WEEK + AWAY + SEEN)
    return {
        "use afterwards, %": from_counts(
            lambda a, b: 100 * (_uses(b, span)[..., j] / _uses(a, span)[..., j] - 1),
            *(estimates.weekly(run.tally) for run in pair),
        )
    }


def fact_193(runs: RunCache) -> Quantities:
    """One in nine mobile customers thinks of another network."""
    return {"would leave, %": from_counts(_said, yearly(runs, "mobile"))}
