"""Facts 93 to 98: tenure, exits by tenure and coming back, from regulators and panels of subscriptions."""

import numpy as np

from sim.facts.providers import SUBSCRIPTION, YEARS, yearly
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.measure import metrics
from sim.measure.estimates import Array
from sim.measure.tally import TENURE, Tally

BACK = (*range(52, 70), *range(72, 109, 4))  # weeks in which is seen who has left and who has come back
QUARTER = 13  # weeks
MONTH, HALF_YEAR, STAYED = 4, 24, 50  # weeks
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


def _sign_ups(runs: RunCache) -> tuple[Array, Array, Array]:
    """Sign-ups to paid services in half a year, [person, month]: those that are the first seen, all, and who stays.

    A panel sees subscriptions once a month, here for two years before; who is there at the end of the month in which
    they signed up and 50 weeks later without a break has stayed for a year.
    """
    start, stop = 2 * YEARS, 2 * YEARS + HALF_YEAR
    months = range(start, stop, MONTH)
    at = tuple(sorted({*range(0, stop + 1, MONTH), *(m + MONTH + STAYED for m in months)}))
    run = runs(SUBSCRIPTION, {"weeks": at[-1]}, at, 2)
    last = {w: run.people[w].one["last"].astype(np.int64) for w in at}
    first, new, stays = [], [], []
    for m in months:
        joined, end = last[m + MONTH], run.people[m + MONTH + STAYED].one
        new.append((joined != last[m]) & (joined >= 0) & (joined < len(run.scenario.firms) - 1))
        first.append(new[-1] & ~np.any([last[w] == joined for w in range(0, m + 1, MONTH)], axis=0))
        stays.append((end["last"] == joined) & (end["tenure"] >= STAYED))
    return np.column_stack(first), np.column_stack(new), np.column_stack(stays)


def fact_96(runs: RunCache) -> Quantities:
    """Less than half of those who subscribe for the first time are still there a year later."""
    first, _, stays = _sign_ups(runs)
    return {"still there, %": from_people(lambda f, s: 100 * s[f].mean(), first, stays)}


def fact_97(runs: RunCache) -> Quantities:
    """A quarter of those who cancel are back within a quarter, two in five within a year."""
    run = runs(SUBSCRIPTION, {"weeks": BACK[-1] + 1}, BACK, 4)
    last = {w: run.people[w].one["last"] for w in BACK}
    gone: list[Array] = []
    soon: list[Array] = []
    late: list[Array] = []
    for w in range(YEARS, YEARS + MONTH):
        left = last[w]
        gone.append((left >= 0) & (left < len(run.scenario.firms) - 1) & (last[w + 1] != left))
        for found, weeks in ((soon, QUARTER), (late, YEARS)):
            found.append(np.any([last[k] == left for k in BACK if w + 1 < k <= w + 1 + weeks], axis=0))
    columns = [np.column_stack(x) for x in (gone, soon, late)]
    return {
        "back within a quarter, %": from_people(lambda g, s, _: 100 * s[g].mean(), *columns),
        "back within a year, %": from_people(lambda g, _, s: 100 * s[g].mean(), *columns),
    }


def fact_98(runs: RunCache) -> Quantities:
    """One in twelve bank customers is there for less than a year."""
    return {"less than a year, %": from_counts(lambda t: _standing(t, 0, YEARS), yearly(runs, "bank"))}
