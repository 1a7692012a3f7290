"""Facts 93 to 98: tenure, exits by tenure and coming back, from regulators and panels of subscriptions."""

import numpy as np

from sim.facts.providers import SUBSCRIPTION, YEARS, yearly
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.measure import metrics
from sim.measure.estimates import Array
from sim.measure.tally import TENURE, Tally

BACK = (56, 60, 64, 69, 82, 95, 108)  # weeks in which is seen who has come back, from that in which the exit is seen
PAID = slice(0, -1)  # the last firm of the streaming market is doing without


def _standing(t: Tally, low: int, high: float) -> Array:
    """Share of people, %, by the uses since they joined their firm: from `low` to below `high`."""
    bins = np.flatnonzero((low <= TENURE) & (high > TENURE))
    return 100 * t.standing[..., bins].sum(axis=(-2, -1)) / t.standing.sum(axis=(-2, -1))


def fact_93(runs: RunCache) -> Quantities:
    """Over half of British account holders have had their bank for more than ten years."""
    counts = runs("market=bank_uk", {"window": YEARS, "weeks": 10 * YEARS}, times=4).counts
    return {"over ten years, %": from_counts(lambda t: _standing(t, 10 * YEARS, np.inf), counts)}


def fact_94(runs: RunCache) -> Quantities:
    """Within three years a quarter switch broadband and a twelfth their bank."""
    found = {}
    for market in ("broadband_uk", "bank_uk"):
        counts = runs(f"market={market}", {"weeks": 3 * YEARS, "window": YEARS}, times=4).counts
        found[f"{market}, %"] = from_counts(lambda t: 100 * metrics.ever_switched(t), counts)
    return found


def _stay(t: Tally, first: int, stop: int) -> Array:
    """Chance to stay with a paid service from `first` to `stop` weeks after joining."""
    bins = np.flatnonzero((max(first, 1) <= TENURE) & (stop > TENURE))
    stayed, left = np.moveaxis(t.tenure[..., PAID, :, :].sum(axis=-3)[..., bins, :], -1, 0)
    widths = np.diff(np.append(TENURE[bins], stop))
    survival: Array = np.prod((1 - left / (stayed + left)) ** widths, axis=-1)
    return survival


def fact_95(runs: RunCache) -> Quantities:
    """Subscribers in their first year cancel twice as often as those in their second."""
    counts = yearly(runs, "streaming")

    def ratio(t: Tally) -> Array:
        return np.log(_stay(t, 0, YEARS)) / np.log(_stay(t, YEARS, 2 * YEARS))

    return {"first year / second": from_counts(ratio, counts)}


def fact_96(runs: RunCache) -> Quantities:
    """Less than half of new subscribers are still there a year later."""
    return {"still there, %": from_counts(lambda t: 100 * _stay(t, 0, YEARS), yearly(runs, "streaming"))}


def fact_97(runs: RunCache) -> Quantities:
    """A quarter of those who cancel are back within a quarter, two in five within a year."""
    run = runs(SUBSCRIPTION, {"weeks": 110}, (YEARS, *BACK), 4)
    last = [run.people[w].one["last"] for w in (YEARS, *BACK)]
    gone = (last[0] < len(run.scenario.firms) - 1) & (last[1] != last[0])
    seen = np.column_stack([last[n] == last[0] for n in range(2, len(last))])[gone]
    return {
        "back within a quarter, %": from_people(lambda x: 100 * x[:, :3].any(axis=1).mean(), seen),
        "back within a year, %": from_people(lambda x: 100 * x.any(axis=1).mean(), seen),
    }


def fact_98(runs: RunCache) -> Quantities:
    """One in twelve bank customers is there for less than a year."""
    return {"less than a year, %": from_counts(lambda t: _standing(t, 0, YEARS), yearly(runs, "bank"))}
