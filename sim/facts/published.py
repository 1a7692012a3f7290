"""Facts 114 to 125: magnitudes that were written down, with their bands, before anybody had looked at them here."""

import numpy as np

from sim.facts.contracts import _standing
from sim.facts.providers import EVENT, SUBSCRIPTION, YEARS, moves, yearly
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.facts.shelf import GROCERIES, PASTE, SHELVES, WEEK, YEAR, _bought, _cut, _uses
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import WEEKLY, WINDOWED, Tally

DEAL, OFF, DIP = 4, 0.8, 6  # weeks of a promotion, its price, and the weeks in which a dip after it is looked for
QUARTER, DEARER = 13, 1.25  # weeks; the price of Netflix from 7.99 to 9.99 dollars
ENTRANT, ENTRY = "gibbs", 52  # the brand that is new, and its first week
ENTRY_MONTH = 4  # weeks: who joins in them is a cohort
REGULAR = 12  # visits a year from which on somebody has a primary store


def fact_114(runs: RunCache) -> Quantities:
    """After a promotion less is sold for some weeks: a part of what it brought."""
    found = {}
    for name, preset in SHELVES.items():
        j, *pair = _cut(runs, preset, DEAL, OFF)

        def dip(a: Tally, b: Tally, j: int = j) -> Array:
            during, after = slice(WEEK, WEEK + DEAL), slice(WEEK + DEAL, WEEK + DEAL + DIP)
            gain, loss = ((_uses(b, span) - _uses(a, span))[..., j] for span in (during, after))
            return -100 * loss / gain

        found[name] = from_counts(dip, *pair)
    return found


def fact_115(runs: RunCache) -> Quantities:
    """Three quarters of a promotion's elasticity are brand switching."""
    found = {}
    for name, preset in {**SHELVES, "beer_us": "market=beer_us"}.items():
        j, *pair = _cut(runs, preset, DEAL, OFF)

        def switching(a: Tally, b: Tally, j: int = j) -> Array:
            uses = [_uses(t, slice(WEEK, WEEK + DEAL)) for t in (a, b)]
            shares = [u[..., j] / u.sum(axis=-1) for u in uses]
            return np.log(shares[1] / shares[0]) / np.log(uses[1][..., j] / uses[0][..., j])

        found[name] = from_counts(switching, *pair)
    return found


def fact_116(runs: RunCache) -> Quantities:
    """About half have ever changed their supplier of energy."""
    counts = runs("market=energy_gb", {"weeks": 10 * YEARS, "window": YEARS}, times=2).counts
    return {"ever in ten years, %": from_counts(lambda t: 100 * metrics.ever_switched(t), counts)}


def fact_117(runs: RunCache) -> Quantities:
    """Within three years a quarter change their mobile network and a third their supplier of energy."""
    found = {}
    for market in ("mobile_uk", "energy_gb"):
        counts = runs(f"market={market}", {"weeks": 3 * YEARS, "window": YEARS}, times=4).counts
        found[f"{market}, %"] = from_counts(lambda t: 100 * metrics.ever_switched(t), counts)
    return found


def fact_118(runs: RunCache) -> Quantities:
    """A subscription that costs a quarter more loses a few per cent of its customers."""
    rise = moves(("netflix", "price", EVENT, 0, DEARER))
    pair = [estimates.weekly(runs(SUBSCRIPTION, c, times=4).tally) for c in ({}, rise)]

    def lost(quiet: Tally, event: Tally) -> Array:
        base = [t.flow[..., EVENT + QUARTER, :, 1].sum(axis=-1) for t in (quiet, event)]
        return 100 * (base[1] / base[0] - 1)

    return {"customers after a quarter, %": from_counts(lost, *pair)}


def fact_119(runs: RunCache) -> Quantities:
    """Within half a year a new brand is bought as often by its buyers as an old one of its size."""
    run = runs(PASTE, {f"firms.{ENTRANT}.enters": ENTRY}, times=12)
    j = list(run.scenario.firms).index(ENTRANT)
    weeks, windows = slice(ENTRY + 2 * QUARTER, ENTRY + 4 * QUARTER), slice(6, 8)
    later = {name: getattr(run.tally, name)[:, weeks] for name in WEEKLY}
    later |= {name: getattr(run.tally, name)[:, windows] for name in WINDOWED}

    def ratio(t: Tally) -> Array:
        b, w = metrics.penetration(t), metrics.frequency(t)
        usual = np.delete(w * (1 - b), j, axis=-1).mean(axis=-1)
        return w[..., j] * (1 - b[..., j]) / usual

    return {"purchases a buyer, new / old": from_counts(ratio, estimates.pooled(run.tally._replace(**later)))}


def fact_120(runs: RunCache) -> Quantities:
    """Customers leave two to three times as often in the first year as in the fifth.

    A year of a contract ends when it is renewed or not, so who has decided at the end of it not to stay has left in it.
    """
    starts = range(0, 4 * YEARS, 4 * ENTRY_MONTH)
    at = tuple(sorted({*starts, *(w + YEARS + 1 for w in starts)}))
    found = {}
    for market in ("bank", "energy_nl"):
        run = runs(f"market={market}", {"weeks": at[-1]}, at, 8)
        new, old, gone = [], [], []
        for w in starts:
            before, after = run.people[w].one, run.people[w + YEARS + 1].one
            served = before["tenure"].astype(np.int64) * (before["last"] >= 0)
            new.append((served > 0) & (served <= ENTRY_MONTH))
            old.append((served > 4 * YEARS) & (served <= 4 * YEARS + ENTRY_MONTH) & (before["target"] < 0))
            stays = (after["last"] == before["last"]) & (after["tenure"] > YEARS)
            gone.append(~(stays & (after["target"] < 0)))
        columns = (np.column_stack(x) for x in (new, old, gone))
        found[market] = from_people(lambda n, o, g: g[n].mean() / g[o].mean(), *columns)
    return found


def fact_121(runs: RunCache) -> Quantities:
    """The heaviest twentieth of a brand's buyers make a fifth of its sales."""

    def heaviest(bought: Array) -> float:
        found = []
        for j in range(bought.shape[1]):
            heavy = np.sort(bought[bought[:, j] > 0, j])[::-1]
            many = len(heavy) / 20
            found.append((heavy[: int(many)].sum() + (many % 1) * heavy[int(many)]) / heavy.sum())
        return float(100 * np.mean(found))

    return {name: from_people(heaviest, *_bought(runs, preset, YEAR, 51)) for name, preset in SHELVES.items()}


def fact_122(runs: RunCache) -> Quantities:
    """Of those who change their supplier of energy over half do so for the first time in years."""
    at = tuple(range(0, 6 * YEARS + 1, YEARS))
    run = runs("market=energy_gb", {"weeks": at[-1] + 1}, at, 4)
    last = np.array([run.people[week].one["last"] for week in at]).T
    known = (last >= 0).all(axis=1)
    moved = last[:, 1:] != last[:, :-1]
    now, before = known & moved[:, -1], moved[:, :-1].any(axis=1)
    return {"first in six years, %": from_people(lambda n, b: 100 * (1 - b[n].mean()), now, before)}


def fact_123(runs: RunCache) -> Quantities:
    """Few change their primary store within a year."""

    def changed(a: Array, b: Array) -> float:
        regular = (a.sum(axis=1) >= REGULAR) & (b.sum(axis=1) >= REGULAR)
        return float(100 * (a[regular].argmax(axis=1) != b[regular].argmax(axis=1)).mean())

    return {"another primary store, %": from_people(changed, *_bought(runs, GROCERIES, YEAR, 51, 103, times=2))}


def fact_124(runs: RunCache) -> Quantities:
    """Four in five of a store's customers come less often than once a week."""

    def rare(bought: Array) -> float:
        return float(100 * np.mean([(x[x > 0] < QUARTER).mean() for x in bought.T]))

    return {"less than weekly, %": from_people(rare, *_bought(runs, GROCERIES, QUARTER, QUARTER - 1, times=2))}


def fact_125(runs: RunCache) -> Quantities:
    """One in ten has a mobile network for less than a year, one in eight for one to two years."""
    counts = yearly(runs, "mobile")
    return {
        "less than a year, %": from_counts(lambda t: _standing(t, 0, YEARS), counts),
        "one to two years, %": from_counts(lambda t: _standing(t, YEARS, 2 * YEARS), counts),
    }
