"""Facts 106 to 113: who answers a price, a reminder, a bad visit or free switching, and who comes back."""

import numpy as np

from sim.facts.providers import EVENT, PRICE_NOTICE, SEEN, SUBSCRIPTION, YEARS, moves, yearly
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.facts.shelf import SHELVES
from sim.facts.word_of_mouth import fact_62
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import Event, Tally
from sim.model.state import USED

BANK, QUARTER = "market=bank", 13
DEAL, OFF = 4, 0.8  # weeks of a promotion, and the price in them
RAISED = 1.6  # of Netflix in 2011: from 9.99 to 15.98 dollars


def fact_106(runs: RunCache) -> Quantities:
    """Who buys because of a promotion has mostly bought the brand in the year before."""
    found = {}
    for name, preset in SHELVES.items():
        base = runs(preset, times=6).scenario
        deal = moves(("", "price", YEARS, DEAL, OFF * base.firms[base.focus].price))
        size = {"window": YEARS, "weeks": YEARS + DEAL + 1}
        at = (YEARS - 1, YEARS + DEAL)
        quiet, event = (runs(preset, {**size, **changes}, at, 6) for changes in ({}, deal))
        j = quiet.focus
        before = quiet.people[at[0]].bonds["count"][:, j] & USED
        usual, drawn = (run.people[at[1]].bonds["count"][:, j] & USED for run in (quiet, event))
        extra = (drawn > 0) & (usual == 0)
        found[name] = from_people(lambda b, e: 100 * (b[e] > 0).mean(), before, extra)
    return found


def fact_107(runs: RunCache) -> Quantities:
    """Bad visits are behind about half of the switching of banks."""
    pair = [runs(BANK, {"weeks": 10 * YEARS, **c}).counts for c in ({}, {"mechanisms.incident": False})]
    return {
        "switching due to bad visits, %": from_counts(
            lambda a, b: 100 * (1 - metrics.switched(b) / metrics.switched(a)), *pair
        )
    }


def fact_108(runs: RunCache) -> Quantities:
    """Some of those who left a bank are back within three years."""
    at = tuple(range(0, 10 * YEARS + 1, YEARS))
    run = runs(BANK, {"weeks": at[-1]}, at)
    last = np.array([run.people[week].one["last"] for week in at]).T

    def back(last: Array) -> float:
        moved = last[:, 1:] != last[:, :-1]
        years = range(last.shape[1] - 4)
        seen = [(last[:, y + 2 : y + 5] == last[:, y, None]).any(axis=1) & moved[:, y] for y in years]
        return float(100 * np.mean(seen) / np.mean([moved[:, y] for y in years]))

    return {"back within three years, %": from_people(back, last)}


def fact_109(runs: RunCache) -> Quantities:
    """A subscription that costs 60 % more loses some per cent of its customers in a quarter."""
    rise = moves(("netflix", "price", EVENT, 0, RAISED))
    pair = [estimates.weekly(runs(SUBSCRIPTION, c).tally) for c in ({}, rise)]

    def lost(quiet: Tally, event: Tally) -> Array:
        base = [t.flow[..., EVENT + QUARTER, :, 1].sum(axis=-1) for t in (quiet, event)]
        return 100 * (base[1] / base[0] - 1)

    return {"customers after a quarter, %": from_counts(lost, *pair)}


def fact_110(runs: RunCache) -> Quantities:
    """Where switching is made easy by law, some more switch."""
    costly = yearly(runs, "bank_uk")
    free = runs("market=bank_uk", {"window": YEARS, "mechanisms.switching_cost": False}, times=6).counts
    return {
        "switching, %": from_counts(lambda a, b: 100 * (metrics.switched(b) / metrics.switched(a) - 1), costly, free)
    }


def fact_111(runs: RunCache) -> Quantities:
    """Customers who are asked to look at their plan leave more often in the quarter after."""
    asked = SEEN | moves(("kpn", "price", EVENT, 0, PRICE_NOTICE))
    pair = [estimates.weekly(runs("market=mobile", c, times=4).tally) for c in ({}, asked)]

    def more(quiet: Tally, event: Tally) -> Array:
        left = []
        for t in (quiet, event):
            out = t.flow[..., EVENT : EVENT + QUARTER, 1, 1:].sum(axis=-2)
            left.append(out.sum(axis=-1) - out[..., 0])
        return 100 * (left[1] - left[0]) / quiet.flow[..., EVENT, 1, 1:].sum(axis=-1)

    return {"more leave in a quarter, points": from_counts(more, *pair)}


def fact_112(runs: RunCache) -> Quantities:
    """Of the customers who look around of their own accord, a quarter leave."""

    def leave(t: Tally) -> Array:
        had, looked = t.flow[..., 1:, 1:], t.event[..., Event.DELIBERATED].sum(axis=-1) - t.flow[..., 0, :].sum(axis=-1)
        left: Array = had.sum(axis=(-2, -1)) - np.trace(had, axis1=-2, axis2=-1)
        return 100 * left / looked

    return {market: from_counts(leave, yearly(runs, market)) for market in ("bank", "mobile")}


def fact_113(runs: RunCache) -> Quantities:
    """A good word moves the chance to choose nearly twice as far as a bad one."""
    return {"good / bad": fact_62(runs)["good / bad"]}
