"""Facts 178 to 181, 183, 184 and 194: prices that change for good, how well people choose, whom a discount brings."""

import numpy as np

from sim.facts.providers import EVENT, SUBSCRIPTION, YEARS, _base, moves
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.facts.shelf import WEEK, _cut, _uses
from sim.measure import estimates
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import Tally

BEER, DEARER = "market=beer_us", 1.1
SIXTEEN = 16  # weeks of the experiment in shops
OFF, QUARTER = 0.65, 13  # price of a discount by 35 %, and its weeks
VALUED = tuple(range(EVENT + 2 * QUARTER, EVENT + 10 * QUARTER, QUARTER))  # weeks in which customers are counted


def fact_178(runs: RunCache) -> Quantities:
    """Beer that costs a per cent more for good is drunk by a third of a per cent less."""
    firms = runs(BEER, {"weeks": 3 * YEARS}, times=2).scenario.firms
    dear = moves(*((name, "price", EVENT, 0, DEARER * firm.price) for name, firm in firms.items()))
    pair = [estimates.weekly(runs(BEER, {"weeks": 3 * YEARS, **c}, times=2).tally) for c in ({}, dear)]

    def elasticity(a: Tally, b: Tally) -> Array:
        uses = [_uses(t, slice(EVENT + YEARS, EVENT + 2 * YEARS)).sum(axis=-1) for t in (a, b)]
        return np.log(uses[1] / uses[0]) / np.log(DEARER)

    return {"category, second year": from_counts(elasticity, *pair)}


def fact_179(runs: RunCache) -> Quantities:
    """A supermarket whose prices are a tenth lower for good sells three per cent more."""
    j, *pair = _cut(runs, "market=retail_us", 0)

    def gained(a: Tally, b: Tally) -> Array:
        uses = [_uses(t, slice(WEEK, WEEK + SIXTEEN))[..., j] for t in (a, b)]
        return 100 * (uses[1] / uses[0] - 1)

    return {"uses, %": from_counts(gained, *pair)}


def _customers(runs: RunCache, market: str, rise: float, weeks: int, times: float) -> tuple[Tally, Tally, int]:
    """Weekly counts without and with the focus's price higher for good from EVENT on, over `weeks` more; the focus."""
    length = {"weeks": EVENT + weeks + 1}
    quiet = runs(f"market={market}", length, times=times)
    price = rise * quiet.scenario.firms[quiet.scenario.focus].price
    dear = runs(f"market={market}", {**length, **moves(("", "price", EVENT, 0, price))}, times=times)
    return estimates.weekly(quiet.tally), estimates.weekly(dear.tally), quiet.focus


def _elasticity(runs: RunCache, market: str, rise: float, weeks: int, times: float) -> Estimate:
    """Relative change of the focus's customers for one of its price, so many weeks later."""
    a, b, j = _customers(runs, market, rise, weeks, times)
    return from_counts(lambda x, y: np.log(_base(y, j)[..., -1] / _base(x, j)[..., -1]) / np.log(rise), a, b)


def fact_180(runs: RunCache) -> Quantities:
    """In the long run broadband that costs a per cent more has one to three per cent fewer customers."""
    return {"ten years": _elasticity(runs, "broadband_uk", DEARER, 10 * YEARS, 4)}


def fact_181(runs: RunCache) -> Quantities:
    """Who changes supplier for the price gets a quarter to a half of what could be saved, and many pay more."""
    at = (YEARS, 2 * YEARS)
    run = runs("market=energy_nl", {"weeks": at[-1] + 1}, at, 4)
    price = np.array([firm.price for firm in run.scenario.firms.values()])
    before, after = (run.people[week].one["last"] for week in at)
    moved = (before != after) & (before >= 0) & (after >= 0)
    was, now = price[before], price[after]

    def saved(m: Array, was: Array, now: Array) -> float:
        return float(100 * (was - now)[m].sum() / (was - price.min())[m].sum())

    return {
        "saved, % of what could be": from_people(saved, moved, was, now),
        "pay more, %": from_people(lambda m, a, b: 100 * (b > a)[m].mean(), moved, was, now),
    }


def fact_183(runs: RunCache) -> Quantities:
    """A premium of eight euros a month more, where others took none, cost two German insurers 7 and 9 % in a year."""
    a, b, j = _customers(runs, "health_insurance_nl", 1.08, YEARS, 8)
    return {"insured, %": from_counts(lambda x, y: 100 * (_base(y, j) / _base(x, j) - 1)[..., -1], a, b)}


def fact_184(runs: RunCache) -> Quantities:
    """Customers whom a discount of a third has brought are worth half of the others."""
    deal = moves(("netflix", "price", EVENT, QUARTER, OFF))
    worth = []
    for changes in ({}, deal):
        run = runs(SUBSCRIPTION, {"weeks": VALUED[-1] + 1, **changes}, (EVENT - 1, EVENT + QUARTER, *VALUED), 3)
        last = [run.people[week].one["last"] == run.focus for week in (EVENT - 1, EVENT + QUARTER, *VALUED)]
        worth += [~last[0] & last[1], np.mean(last[2:], axis=0)]
    return {"discounted / others": from_people(lambda a, x, b, y: y[b].mean() / x[a].mean(), *worth)}


def fact_194(runs: RunCache) -> Quantities:
    """Within a year a health insurer feels a tenth to a fifth of what a price does in the end."""
    a, b, j = _customers(runs, "health_insurance_nl", 1.05, 20 * YEARS, 8)

    def part(x: Tally, y: Tally) -> Array:
        change = np.log(_base(y, j) / _base(x, j))
        return change[..., EVENT + YEARS] / change[..., -1]

    return {"a year / twenty": from_counts(part, a, b)}
