"""Facts 160 to 169: sign-ups and returns to subscriptions, health insurers, an outage; written down before a look."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sim.facts.providers import EVENT, SUBSCRIPTION, YEARS, moves
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.facts.scandals import TwinRuns
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import TENURE, Event, Tally

MONTH, YEAR, TWO_YEARS = 4, 13, 26  # weeks; looks in a year, and in two
SIGN_UPS = range(TWO_YEARS, TWO_YEARS + 6)  # looks after which people sign up in the month that follows
SERIAL = 3  # cancellations in two years that make a serial churner
HEALTH, DEARER = "market=health_insurance_nl", 1.05
SOON, LATER = 10, 16  # weeks after an outage


class SignUps(NamedTuple):
    """Sign-ups to paid services in half a year, seen once a month: [person, month]."""

    new: Array  # bool, whether there is one
    before: Array  # int, earlier spells there that were seen in the two years before and since
    cancels: Array  # int, paid services canceled in the two years before
    stays: dict[int, Array]  # by looks since, bool: there without a break


def _sign_ups_by_month(runs: RunCache) -> SignUps:
    """What a panel that looks once a month sees of sign-ups."""
    looks = SIGN_UPS[-1] + 1 + YEAR + 1
    run = runs(SUBSCRIPTION, {"weeks": MONTH * looks}, tuple(range(0, MONTH * looks, MONTH)), 2)
    last = np.column_stack([run.people[MONTH * k].one["last"].astype(np.int64) for k in range(looks)])
    tenure = np.column_stack([run.people[MONTH * k].one["tenure"].astype(np.int64) for k in range(looks)])
    paid = (last >= 0) & (last < len(run.scenario.firms) - 1)
    gone = paid[:, :-1] & (last[:, 1:] != last[:, :-1])
    new, before, cancels = [], [], []
    stays: dict[int, list[Array]] = {3: [], 6: [], YEAR: []}
    for k in SIGN_UPS:
        joined = last[:, k + 1]
        there = last[:, : k + 1] == joined[:, None]
        new.append(paid[:, k + 1] & (joined != last[:, k]))
        before.append(there[:, 0] + (there[:, 1:] & ~there[:, :-1]).sum(axis=1))
        cancels.append(gone[:, k - TWO_YEARS : k].sum(axis=1))
        for after, found in stays.items():
            end = k + 1 + after
            found.append((last[:, end] == joined) & (tenure[:, end] >= MONTH * after))
    stayed = {after: np.column_stack(found) for after, found in stays.items()}
    return SignUps(np.column_stack(new), np.column_stack(before), np.column_stack(cancels), stayed)


def _percent(of: Array, who: Array) -> float:
    return float(100 * of[who].mean())


def fact_160(runs: RunCache) -> Quantities:
    """Those who sign up again stay less often than the first time."""
    seen = _sign_ups_by_month(runs)
    groups = {"second time": seen.new & (seen.before == 1), "third or more": seen.new & (seen.before >= 2)}
    return {f"{name}, %": from_people(_percent, seen.stays[YEAR], who) for name, who in groups.items()}


def fact_161(runs: RunCache) -> Quantities:
    """A third of all sign-ups are of people who left the same service within the year before."""
    looks = SIGN_UPS[-1] + 2
    run = runs(SUBSCRIPTION, {"weeks": MONTH * looks}, tuple(range(0, MONTH * looks, MONTH)), 2)
    last = np.column_stack([run.people[MONTH * k].one["last"].astype(np.int64) for k in range(looks)])
    new, back = [], []
    for k in SIGN_UPS:
        joined = last[:, k + 1]
        new.append((joined >= 0) & (joined < len(run.scenario.firms) - 1) & (joined != last[:, k]))
        back.append((last[:, k - YEAR + 1 : k + 1] == joined[:, None]).any(axis=1))
    return {"left it within a year, %": from_people(_percent, np.column_stack(back), np.column_stack(new))}


def fact_162(runs: RunCache) -> Quantities:
    """Two in five subscriptions are in their first year, a few more without the largest service."""
    counts = runs(SUBSCRIPTION, {"window": YEARS}, times=6).counts

    def first_year(t: Tally, services: slice) -> Array:
        paid = t.standing[..., services, :]
        return 100 * paid[..., TENURE < YEARS].sum(axis=(-2, -1)) / paid.sum(axis=(-2, -1))

    return {
        "all, %": from_counts(lambda t: first_year(t, slice(0, -1)), counts),
        "without the largest, %": from_counts(lambda t: first_year(t, slice(1, -1)), counts),
    }


def fact_163(runs: RunCache) -> Quantities:
    """Of those who are no serial churners six in ten are there three months later, a few less after six."""
    seen = _sign_ups_by_month(runs)
    steady = seen.new & (seen.cancels < SERIAL)
    return {
        "after three months, %": from_people(_percent, seen.stays[3], steady),
        "after six months, %": from_people(_percent, seen.stays[6], steady),
    }


def fact_164(runs: RunCache) -> Quantities:
    """A hard core of a fourteenth has changed its health insurer more than twice in twelve years."""
    at = tuple(range(0, 12 * YEARS + 1, YEARS))
    run = runs(HEALTH, {"weeks": at[-1] + 1}, at, 2)
    changes = np.zeros(len(run.people[0].one), np.int64)
    for first, end in pairwise(at):
        had, has = (run.people[week].one["last"].astype(np.int64) for week in (first, end))
        known = run.people[end].bonds["familiarity"][np.arange(len(had)), had] > 0  # of a newcomer it is not
        changes += (had >= 0) & (has != had) & known
    return {"more than twice, %": from_people(lambda n: 100 * (n > 2).mean(), changes)}


def fact_165(runs: RunCache) -> Quantities:
    """People under 40 change their health insurer twice as often as those to 60, older ones less often."""
    run = runs(f"{HEALTH} ages=three", {"window": YEARS}, times=4)
    by_age = {age: estimates.pooled(run.tally, run.cells(cohort=age)) for age in ("young", "middle", "old")}

    def ratio(a: Tally, b: Tally) -> Array:
        return metrics.switched(a) / metrics.switched(b)

    return {f"{age} / middle": from_counts(ratio, by_age[age], by_age["middle"]) for age in ("young", "old")}


def fact_166(runs: RunCache) -> Quantities:
    """A premium one per cent higher costs a health insurer one or two per cent of its customers within a year."""
    pair = [runs(HEALTH, {"weeks": 2 * YEARS + 1, **c}, times=8) for c in ({}, moves(("", "price", EVENT, 0, DEARER)))]
    j = pair[0].focus + 1

    def elasticity(quiet: Tally, event: Tally) -> Array:
        uses = [t.flow[..., 2 * YEARS, :, j].sum(axis=-1) for t in (quiet, event)]
        return np.log(uses[1] / uses[0]) / np.log(DEARER)

    return {"elasticity, a year": from_counts(elasticity, *(estimates.weekly(run.tally) for run in pair))}


def fact_167(runs: RunCache) -> Quantities:
    """Of those who think of another health insurer a fifth to a third change."""

    def change(t: Tally) -> Array:
        had, looked = t.flow[..., 1:, 1:], t.event[..., Event.DELIBERATED].sum(axis=-1) - t.flow[..., 0, :].sum(axis=-1)
        left: Array = had.sum(axis=(-2, -1)) - np.trace(had, axis1=-2, axis2=-1)
        return 100 * left / looked

    return {"change, of those who look, %": from_counts(change, runs(HEALTH, {"window": YEARS}, times=6).counts)}


def fact_168(runs: RunCache) -> Quantities:
    """Of serial churners' sign-ups somewhat fewer are there three months later."""
    seen = _sign_ups_by_month(runs)
    serial = seen.new & (seen.cancels >= SERIAL) & (seen.cancels <= SERIAL + 1)
    return {"after three months, %": from_people(_percent, seen.stays[3], serial)}


def fact_169(runs: RunCache) -> Quantities:
    """Ten weeks after an outage customers come and go as before."""
    pair = TwinRuns(runs, "market=mobile scandal=outage", times=8, changes={"weeks": 79})

    def pace(quiet: Tally, event: Tally) -> Array:
        gap = [(t.flow[..., :, pair.focus + 1].sum(axis=-1)) for t in (quiet, event)]
        lost = (gap[0] - gap[1])[..., pair.week : pair.week + LATER + 1]
        return (lost[..., LATER] - lost[..., SOON]) / (LATER - SOON) / (lost[..., SOON] / SOON)

    return {"lost a week, 10 to 16 / first 10": from_counts(pace, *pair.tallies)}
