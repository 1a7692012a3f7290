"""Facts 126 to 133: what firms, regulators and field studies recorded, written down before anybody had looked here."""

import numpy as np

from sim.facts.providers import EVENT, PRICE_NOTICE, SEEN, SUBSCRIPTION, moves
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.facts.shelf import GROCERIES, _bought
from sim.measure import estimates
from sim.measure.estimates import Array
from sim.measure.tally import Tally
from sim.model.state import USED

QUARTER, MONTH = 13, 4  # weeks
SHUT = 4  # weeks: at a visit a week as many occasions as two days of commuting have
SCANDAL = 26  # week of the scandal in `market=bank scandal=moral_scandal`
LONG = 156  # weeks after which a customer counts as disengaged


def _subscribers_lost(runs: RunCache, firm: str, times: float, weeks: int) -> estimates.Estimate:
    """Change of a service's subscribers, %, some weeks after its price is so many times what it was."""
    pair = [runs(SUBSCRIPTION, c, times=4) for c in ({}, moves((firm, "price", EVENT, 0, times)))]
    j = list(pair[0].scenario.firms).index(firm) + 1

    def lost(quiet: Tally, event: Tally) -> Array:
        base = [t.flow[..., EVENT + weeks, :, j].sum(axis=-1) for t in (quiet, event)]
        return 100 * (base[1] / base[0] - 1)

    return from_counts(lost, *(estimates.weekly(run.tally) for run in pair))


def fact_126(runs: RunCache) -> Quantities:
    """A rise of a ninth costs a subscription a few per cent within half a year."""
    return {"subscribers after two quarters, %": _subscribers_lost(runs, "netflix", 15.49 / 13.99, 2 * QUARTER)}


def fact_127(runs: RunCache) -> Quantities:
    """A rise of what subscribers pay by a fifth costs another one or two per cent within a quarter."""
    return {"subscribers after a quarter, %": _subscribers_lost(runs, "disney", 7.14 / 5.95, QUARTER)}


def fact_128(runs: RunCache) -> Quantities:
    """A scandal of conscience keeps new customers away from a bank, and old ones stay."""
    preset = "market=bank scandal=moral_scandal"
    weeks = {"weeks": SCANDAL + 2 * QUARTER}
    pair = [runs(preset, changes, times=12) for changes in ({**weeks, "scandals": {}}, weeks)]
    j, after = pair[0].focus + 1, slice(SCANDAL + MONTH, SCANDAL + MONTH + 9)

    def change(quiet: Tally, event: Tally, opened: bool) -> Array:
        counts = []
        for t in (quiet, event):
            flow = t.flow[..., after, :, :].sum(axis=-3)
            both = flow[..., :, j] if opened else flow[..., j, 1:]
            counts.append(both.sum(axis=-1) - flow[..., j, j])
        return 100 * (counts[1] / counts[0] - 1)

    tallies = [estimates.weekly(run.tally) for run in pair]
    return {
        "accounts opened, %": from_counts(lambda a, b: change(a, b, True), *tallies),
        "accounts closed, %": from_counts(lambda a, b: change(a, b, False), *tallies),
    }


def fact_129(runs: RunCache) -> Quantities:
    """Of those who are forced to try another way once in twenty stays with it."""
    shut = moves(("walmart", "out_of_stock", 52, SHUT, 1.0))
    at = (51, 51 + 2 * QUARTER)
    kept = []
    for changes in ({}, shut):
        run = runs("market=retail_us", {"window": QUARTER, "weeks": at[-1] + 1, **changes}, at, 6)
        before, after = (run.people[week].bonds["count"] & USED for week in at)
        mine = (before.argmax(axis=1) == run.focus) & (before.sum(axis=1) >= QUARTER // 2)
        mine &= after.sum(axis=1) >= QUARTER // 2
        kept.append((mine, after.argmax(axis=1) == run.focus))
    (mine, quiet), (_, event) = kept
    return {"stay elsewhere, %": from_people(lambda m, a, b: 100 * (a[m].mean() - b[m].mean()), mine, quiet, event)}


def fact_130(runs: RunCache) -> Quantities:
    """Half of those who buy a new car in America buy the make they had."""
    counts = runs("market=cars_us", times=8).counts

    def repeat(t: Tally) -> Array:
        known = t.flow[..., 1:, 1:]
        return 100 * np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))

    return {"same make, %": from_counts(repeat, counts)}


def fact_131(runs: RunCache) -> Quantities:
    """Of a person's trips for groceries seven in ten go to the primary store."""

    def primary(x: Array) -> float:
        return float(100 * x.max(axis=1).sum() / x.sum())

    return {"to the primary store, %": from_people(primary, *_bought(runs, GROCERIES, QUARTER, 51, times=2))}


def fact_132(runs: RunCache) -> Quantities:
    """In a month people shop at four chains."""

    def chains(x: Array) -> float:
        return float((x > 0).sum(axis=1)[x.sum(axis=1) > 0].mean())

    return {"chains a month": from_people(chains, *_bought(runs, GROCERIES, MONTH + 1, 54, times=2))}


def fact_133(runs: RunCache) -> Quantities:
    """A fifth to a quarter of customers of long standing leave where they are shown a better offer and helped."""
    looks = SEEN | moves(("british_gas", "price", EVENT, 0, PRICE_NOTICE)) | {"market.event_attention": 1.0}
    at = (EVENT, EVENT + 1)
    run = runs("market=energy_gb", {**looks, "weeks": EVENT + 2}, at, 4)
    before, after = (run.people[week].one for week in at)
    mine = (before["last"] == run.focus) & (before["target"] < 0) & (before["tenure"] >= LONG)
    leaves = mine & ((after["last"] != run.focus) | (after["target"] >= 0))
    return {"leave, %": from_people(lambda m, x: 100 * x.sum() / m.sum(), mine, leaves)}
