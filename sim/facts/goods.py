"""Facts 150 to 159: what shoppers do purchase by purchase, at a deal, in a strike, and where brands are others."""

from functools import partial

import numpy as np

from sim.engine.loop import advance, initialize
from sim.facts.providers import moves
from sim.facts.runs import Changes, Quantities, RunCache, from_counts, from_people
from sim.facts.shelf import FOOD, GROCERIES, PASTE, WEEK, YEAR, _bought, _repeat, _uses
from sim.measure import estimates
from sim.measure.estimates import Array
from sim.measure.tally import Tally
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.model.state import window_counts

QUARTER, MONTH = 13, 4  # weeks
STRUCK, STRIKE, REFUSED = ("albertsons", "tom_thumb", "kroger"), 20, 0.5  # chains, weeks, visits that go elsewhere
TWICE = 2.0  # as present as before: the brand of another place
DEAL, OFF, CYCLE = 2, 0.77, 13  # weeks of a deal, its price as a part of the usual one, weeks from one to the next


def fact_150(runs: RunCache) -> Quantities:
    """In a month one shopper in eight uses one chain alone."""

    def alone(x: Array) -> float:
        chains = (x > 0).sum(axis=1)
        return float(100 * (chains == 1).sum() / (chains > 0).sum())

    return {"one chain alone, %": from_people(alone, *_bought(runs, GROCERIES, MONTH + 1, 54, times=2))}


def fact_151(runs: RunCache) -> Quantities:
    """After a strike of months most customers are back at once, and a tenth to a quarter of what was lost is not."""
    firms = runs.scenario(GROCERIES, {}, 1).firms
    away = {name: 1 - (1 - REFUSED) * (1 - firms[name].out_of_stock) for name in STRUCK}
    strike = moves(*((name, "out_of_stock", WEEK, STRIKE, missed) for name, missed in away.items()))
    pair = [runs(GROCERIES, changes, times=2) for changes in ({}, strike)]
    struck = [list(firms).index(name) for name in STRUCK]
    over = WEEK + STRIKE

    def lost(a: Tally, b: Tally, first: int, stop: int) -> Array:
        quiet, event = (_uses(t, slice(first, stop))[..., struck].sum(axis=-1) for t in (a, b))
        return 1 - event / quiet

    def left(a: Tally, b: Tally, first: int, stop: int) -> Array:
        return 100 * lost(a, b, first, stop) / lost(a, b, WEEK, over)

    spans = {"in the month after, % of the loss": (over, over + MONTH)}
    spans |= {"half a year after, % of the loss": (over + 2 * QUARTER - MONTH, over + 2 * QUARTER + MONTH)}
    weekly = [estimates.weekly(run.tally) for run in pair]
    return {name: from_counts(partial(left, first=a, stop=b), *weekly) for name, (a, b) in spans.items()}


def fact_152(runs: RunCache) -> Quantities:
    """Who comes to where a brand is stronger soon buys it more, but for years not as often as those born there."""
    base = runs.scenario(FOOD, {}, 1)
    name, size = base.focus, {"weeks": WEEK + 5 * YEAR + QUARTER}
    presence = TWICE * base.firms[name].presence
    places: tuple[Changes, ...] = ({}, {f"firms.{name}.presence": presence}, moves(("", "presence", WEEK, 0, presence)))
    quiet, born, moved = (estimates.weekly(runs(FOOD, {**size, **place}, times=6).tally) for place in places)
    j = list(base.firms).index(name)

    def closed(a: Tally, b: Tally, c: Tally, first: int) -> Array:
        span = slice(first, first + QUARTER)
        here, there, came = (_uses(t, span)[..., j] / _uses(t, span).sum(axis=-1) for t in (a, b, c))
        return 100 * (came - here) / (there - here)

    return {
        label: from_counts(partial(closed, first=first), quiet, born, moved)
        for label, first in (("at once, % of the gap", WEEK), ("in five years, % of the gap", WEEK + 5 * YEAR))
    }


def _sequences(scenario: Scenario) -> tuple[Array, Array, Array]:
    """Every use in the weeks that count, a person's in order: number of the person, week and firm.

    Of several uses in a week the last firm and its uses in a row are known, the others are in random order.
    """
    (shard,) = initialize(change(scenario, {"weeks": scenario.weeks + 1, "window": scenario.weeks + 1}))
    rng, rows = np.random.default_rng(scenario.seed), []
    before = window_counts(shard.people)[1]
    for week in range(-scenario.burn_in, scenario.weeks):
        advance([shard])
        now, one = window_counts(shard.people)[1], shard.people.one
        used = np.where(np.any(now < before, axis=1)[:, None], 0, now - before)  # of who leaves nothing is seen
        before = now
        if week >= 0:
            person, place, firm = _in_order(used, one["last"].astype(int), one["tenure"].astype(int), rng)
            rows.append(np.column_stack([person, np.full(len(firm), week), place, firm]))
    table = np.concatenate(rows)
    table = table[np.lexsort(table.T[2::-1])]
    return table[:, 0].astype(int), table[:, 1].astype(int), table[:, 3].astype(int)


def _in_order(used: Array, last: Array, tenure: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Of each use of a week, by the uses of each firm [i, j]: the person, its place in the order, and the firm."""
    mine = np.arange(used.shape[1]) == last[:, None]
    late = np.where(mine, np.minimum(tenure[:, None], used), 0)
    grids = [grid.ravel() for grid in np.indices(used.shape)]
    first, second = ([np.repeat(grid, part.ravel()) for grid in grids] for part in (used - late, late))
    person, firm = first
    place, pick = rng.random((2, len(firm)))
    again = ((used - late) * mine).sum(axis=1) > 0  # the last firm earlier too: right before the last ones came another
    other, most = again[person] & (firm != last[person]), np.full(len(used), -1.0)
    np.maximum.at(most, person[other], pick[other])
    place = np.where(other & (pick == most[person]), 1.0, place)
    return np.append(person, second[0]), np.append(place, np.full(len(second[0]), 2.0)), np.append(firm, second[1])


def _each(people: int, person: Array, *columns: Array) -> list[Array]:
    """Of each person, the sum of columns that have a row a use."""
    return [np.bincount(person, column, people) for column in columns]


def _agree(person: Array, firm: Array, lag: int) -> tuple[Array, Array]:
    """Of uses with one of the same person `lag` later: whose they are, and whether it is of the same firm."""
    same = person[lag:] == person[:-lag]
    return person[:-lag][same], (firm[lag:] == firm[:-lag])[same]


def fact_153(runs: RunCache) -> Quantities:
    """Two or three purchases apart the same brand is bought nearly as often as in a row."""
    scenario = runs.scenario(FOOD, {"weeks": 2 * YEAR}, 6)
    person, _, firm = _sequences(scenario)
    columns = []
    for lag in (1, 2, 3):
        whose, same = _agree(person, firm, lag)
        columns.append(_each(scenario.people, whose, same, np.ones(len(same))))

    def ratio(same: Array, pairs: Array, before: Array, adjacent: Array) -> float:
        return float(same.sum() / pairs.sum() / (before.sum() / adjacent.sum()))

    return {
        "two apart / in a row": from_people(ratio, *columns[1], *columns[0]),
        "three apart / in a row": from_people(ratio, *columns[2], *columns[0]),
    }


def _after_switch(person: Array, firm: Array) -> tuple[Array, Array, Array, Array]:
    """Of uses that change the firm: number of the use, whose it is, whether the next is back there, or stays."""
    three = (person[2:] == person[:-2]) & (firm[1:-1] != firm[:-2])
    at = np.flatnonzero(three) + 1
    return at, person[at], firm[at + 1] == firm[at - 1], firm[at + 1] == firm[at]


def fact_154(runs: RunCache) -> Quantities:
    """Who has changed brand goes back to the old one less often than to the new one again."""
    scenario = runs.scenario(FOOD, {"weeks": 2 * YEAR}, 2)
    person, _, firm = _sequences(scenario)
    _, whose, back, stays = _after_switch(person, firm)
    columns = _each(scenario.people, whose, back, stays)
    return {"back / stay": from_people(lambda b, s: float(b.sum() / s.sum()), *columns)}


def _deals(firms: list[str], prices: list[float], weeks: int) -> tuple[Changes, Array]:
    """Deals of all firms, one after the other, and [t, j] whether a firm has one in a week."""
    on, rows = np.zeros((weeks, len(firms)), bool), []
    for j, (firm, price) in enumerate(zip(firms, prices, strict=True)):
        for start in range(DEAL * j, weeks - DEAL, CYCLE):
            on[start : start + DEAL, j] = True
            rows.append((firm, "price", start, DEAL, OFF * price))
    return moves(*rows), on


def _dealing(runs: RunCache, times: float) -> tuple[Scenario, Changes, Array]:
    """Food with deals of all brands in turn: the scenario, its changes, and [t, j] which are on."""
    base = runs.scenario(FOOD, {}, 1)
    changes, on = _deals(list(base.firms), [firm.price for firm in base.firms.values()], 2 * YEAR)
    changes = {**changes, "weeks": 2 * YEAR}
    return runs.scenario(FOOD, changes, times), changes, on


def fact_155(runs: RunCache) -> Quantities:
    """At a deal three times as many of those who bought another brand last take it, and a third more of its own."""
    _, changes, on = _dealing(runs, 6)
    tally = estimates.weekly(runs(FOOD, changes, times=6).tally)
    firms = range(on.shape[1])

    def ratio(t: Tally, own: bool) -> Array:
        """Pooled over brands by Mantel and Haenszel."""
        above = below = np.zeros(t.flow.shape[0])
        for j in firms:
            rows = [j + 1] if own else [k + 1 for k in firms if k != j]
            chose = [t.flow[..., week, :, :][..., rows, j + 1].sum(axis=(-2, -1)) for week in (on[:, j], ~on[:, j])]
            all_of = [t.flow[..., week, :, :][..., rows, 1:].sum(axis=(-3, -2, -1)) for week in (on[:, j], ~on[:, j])]
            above = above + chose[0] * all_of[1] / sum(all_of)
            below = below + chose[1] * all_of[0] / sum(all_of)
        return above / below

    return {
        "others' buyers, times": from_counts(partial(ratio, own=False), tally),
        "own buyers, times": from_counts(partial(ratio, own=True), tally),
    }


def fact_156(runs: RunCache) -> Quantities:
    """Who changes brand at a deal is back at the next purchase in a third of cases, and stays in half."""
    scenario, _, on = _dealing(runs, 2)
    person, week, firm = _sequences(scenario)
    at, whose, back, stays = _after_switch(person, firm)
    deal = on[week[at], firm[at]]
    columns = _each(scenario.people, whose, back & deal, stays & deal, deal)
    return {
        "back, %": from_people(lambda b, _, n: float(100 * b.sum() / n.sum()), *columns),
        "stay, %": from_people(lambda _, s, n: float(100 * s.sum() / n.sum()), *columns),
    }


def fact_157(runs: RunCache) -> Quantities:
    """After a purchase at a deal the brand is bought again somewhat less often than after another."""
    scenario, _, on = _dealing(runs, 2)
    person, week, firm = _sequences(scenario)
    followed = person[1:] == person[:-1]
    deal, same = on[week[:-1], firm[:-1]][followed], (firm[1:] == firm[:-1])[followed]
    columns = _each(scenario.people, person[:-1][followed], deal & same, deal, ~deal & same, ~deal)
    return {
        "after a deal - after another": from_people(
            lambda a, n, b, m: float(a.sum() / n.sum() - b.sum() / m.sum()), *columns
        )
    }


def fact_158(runs: RunCache) -> Quantities:
    """What a year of twice the advertising sold more, the next two years sell again."""
    heavy = moves(("", "advertising", 0, YEAR, TWICE))
    pair = [runs(PASTE, {"weeks": 3 * YEAR, **changes}, times=12) for changes in ({}, heavy)]
    j = pair[0].focus

    def later(a: Tally, b: Tally) -> Array:
        first, next_two = ((_uses(b, s) - _uses(a, s))[..., j] for s in (slice(0, YEAR), slice(YEAR, 3 * YEAR)))
        return next_two / first

    return {"next two years / first": from_counts(later, *(estimates.weekly(run.tally) for run in pair))}


def fact_159(runs: RunCache) -> Quantities:
    """Repeat buying erodes as fast among heavy as among light buyers, and least for the leader."""
    quarters = _bought(runs, PASTE, QUARTER, 12, 25, 64, times=12)

    def erosion(first: Array, soon: Array, late: Array) -> float:
        return 1 - _repeat(first, late) / _repeat(first, soon)

    def heavy(first: Array, soon: Array, late: Array) -> float:
        once, more = np.where(first == 1, first, 0), np.where(first > 1, first, 0)
        return erosion(more, soon, late) / erosion(once, soon, late)

    def leader(*columns: Array) -> float:
        one, others = [x[:, :1] for x in columns], [x[:, 1:] for x in columns]
        return erosion(*one) / erosion(*others)

    return {"heavy / light": from_people(heavy, *quarters), "leader / others": from_people(leader, *quarters)}
