"""Facts 134 to 145: British bank accounts, networks and suppliers of energy, from regulators, surveys and reports."""

import numpy as np

from sim.facts.providers import EVENT, YEARS, moves, switched_a_year
from sim.facts.runs import FactRun, Quantities, RunCache, from_counts, from_people
from sim.facts.scandals import TwinRuns
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import TENURE, Tally
from sim.model.timeline import make_world
from sim.model.visits import INCIDENT, expected_visits

ACCOUNTS, NETWORKS, SUPPLIERS = "market=bank_uk", "market=mobile_uk", "market=energy_gb"
BRITISH = ("bank_uk", "mobile_uk", "energy_gb")
QUARTER = 13  # weeks
SINCE_OPENING = 15  # years: of energy, from 1999 to the survey of 2014
SINCE_MOBILES = 14  # years: from 1999, when people came to have mobiles, to the survey of 2013
LONG, TRIAL = 156, 10  # weeks that a customer of long standing has been there; that a trial took
RISE = 1.07  # of a dual-fuel bill where electricity costs an eighth more


def fact_134(runs: RunCache) -> Quantities:
    """In a year one in thirty British people changes bank, one in thirteen network, one in eight supplier."""
    return {f"{market}, % a year": switched_a_year(runs, market) for market in BRITISH}


def _looks(run: FactRun, week: int) -> tuple[Array, Array]:
    """Who has a firm, [i], and of each of these the chance to look around in a week: unprompted or after a bad visit.

    Prices that move and contracts that end are not part of it.
    """
    world, people = make_world(run.scenario), run.people[week]
    (market,) = world.market  # as it acts, what is switched off left out
    settled = people.one["last"] >= 0
    last, traits = people.one["last"][settled], world.traits[people.cell[settled]]
    attention, habit = people.one["attention"][settled], people.bonds["habit"][settled, last]
    alone = attention * (1 - traits["automaticity"] * habit)
    ready = 1 + market["readiness"] * (attention / traits["attention"] - 1)
    struck = market["incident_attention"] * expected_visits(run.scenario, 0)[last, INCIDENT] * ready
    return settled, 1 - (1 - alone) * (1 - np.minimum(struck, 1))


def fact_135(runs: RunCache) -> Quantities:
    """Fifteen years after the market of energy was opened a third of households had never thought of leaving."""
    run = runs(SUPPLIERS, {"weeks": YEARS + 1}, (YEARS,), 4)
    _, looks = _looks(run, YEARS)
    comes = run.scenario.consumer.turnover / YEARS  # a week

    def never(chance: Array) -> float:
        ends = chance + comes
        since = np.exp(-ends * SINCE_OPENING * YEARS)
        return float(100 * (since + comes / ends * (1 - since)).mean())

    return {"never considered, %": from_people(never, looks)}


def fact_136(runs: RunCache) -> Quantities:
    """Over a third of account holders have had their bank for more than twenty years."""
    one = runs(ACCOUNTS, {"weeks": YEARS + 1}, (YEARS,), 4).people[YEARS].one
    tenure = one["tenure"][one["last"] >= 0]
    return {"over twenty years, %": from_people(lambda t: 100 * (t >= 20 * YEARS).mean(), tenure)}


def fact_137(runs: RunCache) -> Quantities:
    """In a year one account holder in six looks at other accounts."""
    _, looks = _looks(runs(ACCOUNTS, {"weeks": YEARS + 1}, (YEARS,), 4), YEARS)
    return {"looked in a year, %": from_people(lambda q: 100 * (1 - (1 - q) ** YEARS).mean(), looks)}


def fact_138(runs: RunCache) -> Quantities:
    """Two people in five have never changed their bank."""
    people = runs(ACCOUNTS, {"weeks": YEARS + 1}, (YEARS,), 4).people[YEARS]
    used = (people.bonds["familiarity"] > 0).sum(axis=1)[people.one["last"] >= 0]
    return {"never changed, %": from_people(lambda n: 100 * (n <= 1).mean(), used)}


def fact_139(runs: RunCache) -> Quantities:
    """Two thirds have had their network for more than three years, and half never had another."""
    changes = {"weeks": SINCE_MOBILES * YEARS, "window": YEARS}
    counts = runs(NETWORKS, changes, times=2).counts

    def standing(t: Tally) -> Array:
        return 100 * t.standing[..., TENURE >= LONG].sum(axis=(-2, -1)) / t.standing.sum(axis=(-2, -1))

    return {
        "over three years, %": from_counts(standing, counts),
        "never changed, %": from_counts(lambda t: 100 * (1 - metrics.ever_switched(t)), counts),
    }


def fact_140(runs: RunCache) -> Quantities:
    """Where a message is enough to change network, some more do."""
    changes: tuple[dict[str, object], ...] = ({}, {"mechanisms.switching_cost": False})
    pair = [runs(NETWORKS, {"window": YEARS, **c}, times=6).counts for c in changes]

    def more(costly: Tally, free: Tally) -> Array:
        return 100 * (metrics.switched(free) / metrics.switched(costly) - 1)

    return {"switching, %": from_counts(more, *pair)}


def _exit_ratio(runs: RunCache, market: str, some: tuple[str, ...], others: tuple[str, ...]) -> Estimate:
    """How often customers of some firms leave, relative to those of others."""
    run = runs(f"market={market}", {"window": YEARS}, times=6)
    names = list(run.scenario.firms)

    def exits(t: Tally, firms: tuple[str, ...]) -> Array:
        rows = [names.index(f) + 1 for f in firms]
        left = [t.flow[..., j, 1:].sum(axis=-1) - t.flow[..., j, j] for j in rows]
        return np.sum(left, axis=0) / t.flow[..., rows, 1:].sum(axis=(-2, -1))

    return from_counts(lambda t: exits(t, some) / exits(t, others), run.counts)


def fact_141(runs: RunCache) -> Quantities:
    """Customers of small suppliers of energy leave half as often again as those of the six large ones."""
    six = ("british_gas", "edf", "eon", "npower", "scottish_power", "sse")
    return {"small / large": _exit_ratio(runs, "energy_gb", ("first_utility", "others"), six)}


def fact_142(runs: RunCache) -> Quantities:
    """A supplier of energy that charges seven per cent more loses one to three per cent of its customers by it."""
    rise = moves(("", "price", EVENT, 0, RISE))
    pair = [runs(SUPPLIERS, c, times=4) for c in ({}, rise)]
    j = pair[0].focus + 1

    def change(quiet: Tally, event: Tally) -> Array:
        base = [t.flow[..., EVENT + QUARTER, :, j].sum(axis=-1) for t in (quiet, event)]
        return 100 * (base[1] / base[0] - 1)

    return {"customers after a quarter, %": from_counts(change, *(estimates.weekly(run.tally) for run in pair))}


def fact_143(runs: RunCache) -> Quantities:
    """Of customers of long standing who are left alone two in a hundred leave in ten weeks."""

    def leave(t: Tally) -> Array:
        stayed, left = np.moveaxis(t.tenure.sum(axis=-3)[..., TENURE >= LONG, :].sum(axis=-2), -1, 0)
        return 100 * (1 - (1 - left / (stayed + left)) ** TRIAL)

    return {"leave in ten weeks, %": from_counts(leave, runs(SUPPLIERS, {"window": YEARS}, times=6).counts)}


def fact_144(runs: RunCache) -> Quantities:
    """Customers of the smallest network leave half as often again as those of the two largest."""
    return {"Three / EE and O2": _exit_ratio(runs, "mobile_uk", ("three",), ("ee", "o2"))}


def fact_145(runs: RunCache) -> Quantities:
    """In the quarter of its outage half as many people move to a bank."""
    pair = TwinRuns(runs, f"{ACCOUNTS} scandal=outage", times=8)
    j, span = pair.focus + 1, slice(pair.week, pair.week + QUARTER)

    def fewer(quiet: Tally, event: Tally) -> Array:
        came = [(t.flow[..., span, 1:, j].sum(axis=-1) - t.flow[..., span, j, j]).sum(axis=-1) for t in (quiet, event)]
        return 100 * (came[1] / came[0] - 1)

    return {"came from other banks, %": from_counts(fewer, *pair.tallies)}
