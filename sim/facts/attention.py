"""Facts 29 to 34 and 46 to 50: habit, consideration, age, trust, and the way from saying to doing."""

import numpy as np

from sim.facts.providers import PRICE_NOTICE, SEEN, moves
from sim.facts.repertoire import TOOTHPASTE, YEAR, year
from sim.facts.runs import ALL_OFF, FactRun, Quantities, RunCache, copy_of, from_counts, from_people
from sim.facts.survey import search, utilities
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import Event, Tally
from sim.model.state import USED

CARS, SURVEY_WEEK = "market=cars_us ages=three", 52
NOVICE = (-2, -1, 13, 14, 26)
NOVICES = {"market.experience": 0.0, "consumer.turnover": 0.0, "burn_in": 4, "weeks": 104}


def fact_29(runs: RunCache) -> Quantities:
    """Habit approaches its limit exponentially, and one miss does little harm."""
    novices = runs("market=bank", NOVICES, NOVICE)
    some, more = novices.people[13], novices.people[26]
    rows = np.arange(len(some.one))
    steady = (more.one["tenure"] == 26 + 4) & (some.one["last"] == more.one["last"])
    left = [1 - p.bonds["habit"][rows, p.one["last"]] for p in (some, more)]
    uses = [13 + 4, 26 + 4]
    rate = [1 - gap[steady] ** (1 / n) for gap, n in zip(left, uses, strict=True)]

    names = list(novices.scenario.firms)
    closed = SEEN | moves(("lloyds", "price", 52, 0, PRICE_NOTICE), ("lloyds", "presence", 52, 1, 1e-6))
    opened = moves(
        *((n, "price", 53, 0, novices.scenario.firms[n].price * PRICE_NOTICE) for n in names if n != "lloyds")
    )
    miss = {"market.exit_rate": 1.0, "consumer.consideration_size": 8.0}
    without, once = (
        runs("market=bank", miss, (156,)),
        runs("market=bank", {**miss, **closed, **opened}, (53, 54, 156)),
    )
    missed = (once.people[53].one["last"] != 0) & (once.people[54].one["last"] == 0)
    for run in (without, once):
        missed &= (run.people[156].one["last"] == 0) & (run.people[156].one["tenure"] > 100)
    habit = [run.people[156].bonds["habit"][missed, 0] for run in (without, once)]
    return {
        "uses until 95 %": from_people(lambda r: (np.log(0.05) / np.log(1 - r)).mean(), rate[1]),
        "step, later / earlier": from_people(lambda a, b: b.mean() / a.mean(), *rate),
        "habit lost by one miss, %": from_people(lambda a, b: 100 * (1 - b.mean() / a.mean()), *habit),
    }


def fact_30(runs: RunCache) -> Quantities:
    """State dependence exists beyond differences in taste."""

    def part(t: Tally) -> Array:
        return (metrics.habit_part(t) * metrics.share(t)).sum(axis=-1)

    tastes = {**YEAR, **ALL_OFF, "mechanisms.taste": True}
    on, off = (runs(TOOTHPASTE, {**tastes, "mechanisms.habit": h}, times=6).counts for h in (True, False))
    return {
        "the shelf": from_counts(part, year(runs)),
        "taste and habit alone": from_counts(part, on),
        "taste alone": from_counts(part, off),
    }


def fact_32(runs: RunCache) -> Quantities:
    """Consideration sets are small."""
    found = {}
    for market in ("bank", "energy_nl", "retail_us"):
        looks = search(runs(f"market={market}", at=(SURVEY_WEEK,)), SURVEY_WEEK).consideration_size
        found[market] = from_people(np.mean, looks)
    return found


def fact_33(runs: RunCache) -> Quantities:
    """Hardly anybody searches online."""
    run = runs("market=social_network", at=(SURVEY_WEEK,))
    found = search(run, SURVEY_WEEK)
    stays = from_people(lambda first, best: 100 * (first == best).mean(), found.first, found.best)
    return {"firms looked at": from_people(np.mean, found.consideration_size), "first look wins, %": stays}


def fact_34(runs: RunCache) -> Quantities:
    """Repeat rises with age, for new cars."""
    run = runs(CARS, times=8)

    def repeat(*cohorts: str) -> estimates.Estimate:
        def values(*tallies: Tally) -> Array:
            known = [t.flow[..., 1:, 1:] for t in tallies]
            rates = [np.trace(k, axis1=-2, axis2=-1) / k.sum(axis=(-2, -1)) for k in known]
            return 100 * (rates[0] - rates[1] if len(rates) > 1 else rates[0])

        return from_counts(values, *(estimates.pooled(run.tally, run.cells(cohort=c)) for c in cohorts))

    return {
        "young": repeat("young"),
        "middle": repeat("middle"),
        "old": repeat("old"),
        "middle - young": repeat("middle", "young"),
        "old - middle": repeat("old", "middle"),
    }


def fact_46(runs: RunCache) -> Quantities:
    """A bad experience moves trust more than a good one, most where trust is middling."""
    run = runs("market=bank", NOVICES, NOVICE)

    def steps(first: int) -> tuple[Array, Array, Array]:
        before, after = run.people[first], run.people[first + 1]
        rows, last = np.arange(len(before.one)), after.one["last"]
        prior, posterior = (p.bonds["trust"][rows, last] for p in (before, after))
        return np.abs(2 * prior - 1), posterior - prior, after.one["outcome"] > 0

    (sure, step, bad), (later, after, worse) = steps(-2), steps(13)
    middling = sure < 0.5
    return {
        "bad / good": from_people(lambda m, d, b: -d[b & m].mean() / d[~b & m].mean(), middling, step, bad),
        "bad, sure / middling": from_people(
            lambda m, d, b, s, e, w: e[w & (s > 0.8)].mean() / d[b & m].mean(), middling, step, bad, later, after, worse
        ),
    }


def fact_47(runs: RunCache) -> Quantities:
    """A loss weighs about twice as much as a gain."""
    run, values = runs("market=retail_us", at=(SURVEY_WEEK, SURVEY_WEEK + 12)), []
    for gap in (-1, 0, 1):
        people = copy_of(run.people[SURVEY_WEEK])
        people.bonds["memory"][:, run.focus] = people.one["expectation"] + gap
        values.append(utilities(FactRun(run.scenario, run.tally, {SURVEY_WEEK: people}), SURVEY_WEEK)[0][:, run.focus])
    return {"loss / gain": from_people(lambda low, now, high: (now - low).mean() / (high - now).mean(), *values)}


def fact_48(runs: RunCache) -> Quantities:
    """Behavior changes by about half of what intentions change by, less under habit."""
    pair = [runs("market=retail_us", c, times=6) for c in ({}, moves(("", "quality", SURVEY_WEEK, 0, -1.0)))]
    j, span = pair[0].focus, slice(SURVEY_WEEK + 4, None)

    def d(before: Array, after: Array) -> Array:
        mean = (before + after) / 2
        return (after - before) / np.sqrt(mean * (1 - mean))

    def ratio(a: Tally, b: Tally) -> Array:
        said = [t.event[..., j, Event.WOULD_LEAVE] / t.event[..., j, Event.ASKED] for t in (a, b)]
        done = [1 - t.flow[..., j + 1, j + 1] / t.flow[..., j + 1, 1:].sum(axis=-1) for t in (a, b)]
        return d(*done) / d(*said)

    def of_segments(*names: str) -> list[Tally]:
        cells = [n for name in names for n in pair[0].cells(name)]
        return [estimates.pooled(w.tally, cells, span) for w in pair]

    habitual, others = of_segments("habitual"), of_segments("ethical", "skeptical")
    return {
        "behavior / intention": from_counts(ratio, *of_segments("")),
        "habitual - others": from_counts(lambda a, b, c, e: ratio(a, b) - ratio(c, e), *habitual, *others),
    }


CONSCIENCE = "market=retail_us scandal=moral_scandal"


def _said_and_done(runs: RunCache, preset: str) -> tuple[Array, ...]:
    """Of customers who say they would leave for a scandal of conscience: uses without and with it, habit, lead."""
    changes: list[dict[str, object]] = [{"scandals": {}}, {}]
    pair = [runs(preset, {"weeks": 33, **c}, (26, 28, 33), 24) for c in changes]
    j = pair[0].focus
    values, losses = zip(*(utilities(w, 28) for w in pair), strict=True)
    said = []
    for v in (values[0], values[1] - losses[1]):
        rivals = np.delete(v, j, axis=1).max(axis=1)
        said.append(rivals > v[:, j])
    chosen = (pair[0].people[26].one["last"] == j) & said[1] & ~said[0]
    uses = [(w.people[33].bonds["count"][chosen, j] & USED).astype(float) for w in pair]
    lead = (values[0][:, j] - np.delete(values[0], j, axis=1).max(axis=1))[chosen]
    ethical = np.isin(pair[0].people[26].cell[chosen], pair[0].cells("ethical"))
    return *uses, ethical, pair[0].people[26].bonds["habit"][chosen, j], lead


def fact_49(runs: RunCache) -> Quantities:
    """Few of those who say so for ethical reasons do leave."""
    quiet, event, ethical, *_ = _said_and_done(runs, CONSCIENCE)
    quiet, event = quiet[ethical], event[ethical]
    return {"of those who say so, do, %": from_people(lambda a, b: 100 * (1 - b.sum() / a.sum()), quiet, event)}


def fact_50(runs: RunCache) -> Quantities:
    """Habit and the lack of close substitutes keep people from doing what they say."""
    quiet, event, ethical, habit, lead = _said_and_done(runs, "market=food_us scandal=moral_scandal")
    quiet, event, habit, lead = (x[ethical] for x in (quiet, event, habit, lead))

    def gap(a: Array, b: Array, x: Array) -> float:
        low, high = x < np.median(x), x >= np.median(x)
        return 100 * ((1 - b[low].sum() / a[low].sum()) - (1 - b[high].sum() / a[high].sum()))

    return {
        "little habit - much, points": from_people(gap, quiet, event, habit),
        "close substitute - far, points": from_people(gap, quiet, event, lead),
    }
