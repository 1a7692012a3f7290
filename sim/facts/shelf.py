"""Facts 78 to 92: magnitudes of repeat buying and of the response to price, from published panels."""

import numpy as np

from sim.facts.providers import moves
from sim.facts.runs import Quantities, RunCache, from_counts, from_people
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import TENURE, Count, Tally
from sim.model.state import USED

FOOD, PASTE = "market=food_us", "market=toothpaste_uk"
GROCERIES = "market=grocery_us"
SHELVES = {"toothpaste_uk": PASTE, "food_us": FOOD}
YEAR, WEEK = 52, 26
CUT = 0.9  # a price a tenth lower
HEAVY = 0.8  # the heaviest fifth of buyers lie above this quantile


def _cut(runs: RunCache, preset: str, weeks: int, factor: float = CUT) -> tuple[int, Tally, Tally]:
    """The focus, and weekly counts without and with its price lower for so many weeks (0 = for good) from WEEK on."""
    quiet = runs(preset, times=6)
    firm = quiet.scenario.firms[quiet.scenario.focus]
    lower = runs(preset, moves(("", "price", WEEK, weeks, factor * firm.price)), times=6)
    return quiet.focus, estimates.weekly(quiet.tally), estimates.weekly(lower.tally)


def _uses(t: Tally, span: slice) -> Array:
    """Uses of each firm in a span of weeks, [..., j]."""
    return t.flow[..., span, :, 1:].sum(axis=(-3, -2))


def fact_78(runs: RunCache) -> Quantities:
    """A price of one per cent less sells over two per cent more."""
    found = {}
    for name, preset in SHELVES.items():
        j, *pair = _cut(runs, preset, 0)
        span = slice(WEEK, WEEK + 26)
        found[name] = from_counts(
            lambda a, b, j=j, s=span: np.log(_uses(b, s)[..., j] / _uses(a, s)[..., j]) / np.log(CUT), *pair
        )
    return found


def fact_79(runs: RunCache) -> Quantities:
    """And sells a quarter of a per cent less of a rival."""
    found = {}
    for name, preset in SHELVES.items():
        j, *pair = _cut(runs, preset, 0)

        def cross(a: Tally, b: Tally, j: int = j) -> Array:
            span = slice(WEEK, WEEK + 26)
            return np.delete(np.log(_uses(b, span) / _uses(a, span)) / np.log(CUT), j, axis=-1).mean(axis=-1)

        found[name] = from_counts(cross, *pair)
    return found


def fact_80(runs: RunCache) -> Quantities:
    """Of what a promotion sells more, rivals lose a third."""
    j, *pair = _cut(runs, FOOD, 4, 0.8)

    def lost(a: Tally, b: Tally) -> Array:
        more = _uses(b, slice(WEEK, WEEK + 4)) - _uses(a, slice(WEEK, WEEK + 4))
        return -100 * np.delete(more, j, axis=-1).sum(axis=-1) / more[..., j]

    return {"lost by rivals, % of the gain": from_counts(lost, *pair)}


def _bought(runs: RunCache, preset: str, window: int, *at: int, times: float = 6) -> list[Array]:
    """What each person has bought of each firm, [i, j], in the windows so far when the weeks `at` open."""
    run = runs(preset, {"window": window, "weeks": max(at) + 1}, at, times)
    return [(run.people[week].bonds["count"] & USED).astype(float) for week in at]


def _repeat(first: Array, then: Array) -> float:
    """Of the buyers of a firm, in the mean of firms: share who buy it in another window."""
    return float(np.mean([(then[:, j] > 0)[first[:, j] > 0].mean() for j in range(first.shape[1])]))


def fact_81(runs: RunCache) -> Quantities:
    """Within a year a sixth of repeat buying wears off."""
    first, next_quarter, a_year_on = _bought(runs, PASTE, 13, 12, 25, 64, times=12)
    return {
        "erosion in a year, %": from_people(
            lambda a, b, c: 100 * (1 - _repeat(a, c) / _repeat(a, b)), first, next_quarter, a_year_on
        )
    }


def fact_82(runs: RunCache) -> Quantities:
    """Over half of a year's buyers do not buy in the next, and two thirds not four years on."""
    years = _bought(runs, PASTE, YEAR, 51, 103, 259, times=4)
    return {
        "gone in year 2, %": from_people(lambda a, b, c: 100 * (1 - _repeat(a, b)), *years),
        "gone in year 5, %": from_people(lambda a, b, c: 100 * (1 - _repeat(a, c)), *years),
        "year 5 - year 2, points": from_people(lambda a, b, c: 100 * (_repeat(a, b) - _repeat(a, c)), *years),
    }


def _top_fifth(bought: Array) -> float:
    """Share of a firm's purchases that the heaviest fifth of its buyers make."""
    heavy = np.sort(bought[bought > 0])[::-1]
    whole = int(len(heavy) / 5)
    return float((heavy[:whole].sum() + (len(heavy) / 5 - whole) * heavy[whole]) / heavy.sum())


def fact_83(runs: RunCache) -> Quantities:
    """The heaviest fifth of a brand's buyers make between half and two thirds of its sales."""
    found = {}
    for name, preset in SHELVES.items():
        (bought,) = _bought(runs, preset, YEAR, 51)
        found[name] = from_people(lambda x: float(np.mean([_top_fifth(x[:, j]) for j in range(x.shape[1])])), bought)
    return found


def fact_84(runs: RunCache) -> Quantities:
    """Half of the heaviest fifth of a brand's buyers are not among the heaviest in the next year."""

    def dropped(first: Array, then: Array) -> float:
        """Ties at the edge of the heaviest fifth count in part."""
        at, before = (np.quantile(x[x > 0], HEAVY) for x in (then, first))
        weight = [
            (x > edge) + (x == edge) * (0.2 * (x > 0).sum() - (x > edge).sum()) / max((x == edge).sum(), 1)
            for x, edge in ((first, before), (then, at))
        ]
        return float(100 * (1 - (weight[0] * weight[1]).sum() / weight[0].sum()))

    first, then = _bought(runs, PASTE, YEAR, 51, 103)
    return {"no longer heavy, %": from_people(dropped, first[:, 0], then[:, 0])}


def _food(runs: RunCache) -> Tally:
    return runs(FOOD, {"window": YEAR, "weeks": 2 * YEAR}, times=12).counts


def fact_85(runs: RunCache) -> Quantities:
    """The order of purchases adds some points of repeat to what tastes give."""

    def adds(t: Tally) -> Array:
        w = t.window.sum(axis=-2)
        repeat = w[..., Count.ADJACENT] / w[..., [Count.ADJACENT, Count.SWITCHED]].sum(axis=-1)
        return repeat - w[..., Count.SHUFFLED] / w[..., Count.SHUFFLED_FOLLOWED]

    return {"repeat - shuffled": from_counts(adds, _food(runs))}


def fact_86(runs: RunCache) -> Quantities:
    """Customers use a brand about half as often again as chance would have it, twice at most."""

    def lift(t: Tally) -> Array:
        m, scr, n = metrics.share(t), metrics.category_requirements(t), np.arange(t.buyers.shape[-1])
        met = 1 - (1 - m[..., None]) ** n
        chance = m * (t.buyers * n).sum(axis=-1)[..., None] / (t.buyers[..., None, :] * n * met).sum(axis=-1)
        return (m * (scr / (1 - scr)) / (chance / (1 - chance))).sum(axis=-1)

    def lift_later(t: Tally) -> Array:
        m, kept = metrics.share(t), t.window[..., Count.BEFORE_USES] / t.window[..., Count.BEFORE_CATEGORY]
        return (m * (kept / (1 - kept)) / (m / (1 - m))).sum(axis=-1)

    counts = _food(runs)
    return {"usage ratio / chance": from_counts(lift, counts), "later / chance": from_counts(lift_later, counts)}


def fact_87(runs: RunCache) -> Quantities:
    """Later purchases go to the earlier favorite in three of five to five of six cases."""
    before, later = _bought(runs, FOOD, 36, 35, 52)
    regular = before.sum(axis=1) >= 4

    def stays(a: Array, b: Array, r: Array) -> float:
        favorite = a[r].argmax(axis=1)
        return float(b[r][np.arange(len(favorite)), favorite].sum() / b[r].sum())

    return {"with the favorite": from_people(stays, before, later, regular)}


def fact_88(runs: RunCache) -> Quantities:
    """Brands of one category differ in polarization, more than the Dirichlet allows."""

    def spread(t: Tally) -> Array:
        phi = metrics.pair_index(t)
        return phi.max(axis=-1) - phi.min(axis=-1)

    return {"largest - smallest phi": from_counts(spread, _food(runs))}


def fact_89(runs: RunCache) -> Quantities:
    """The longer the run of one brand, the likelier the next purchase continues it."""
    counts, found = _food(runs), {}
    for first, label in ((1, "after 1"), (2, "after 2 or 3"), (4, "after 4 to 7"), (8, "after 8 to 12")):
        n = int(np.flatnonzero(first == TENURE)[0])

        def again(t: Tally, n: int = n) -> Array:
            rows = t.tenure[..., n, :].sum(axis=-2)
            return rows[..., 0] / rows.sum(axis=-1)

        found[label] = from_counts(again, counts)
    return found


def fact_90(runs: RunCache) -> Quantities:
    """Without habit the repeat rate of a shelf is some points lower."""

    def repeat(t: Tally) -> Array:
        w = t.window.sum(axis=-2)
        return w[..., Count.ADJACENT] / w[..., [Count.ADJACENT, Count.SWITCHED]].sum(axis=-1)

    off = runs(FOOD, {"window": YEAR, "weeks": 2 * YEAR, "mechanisms.habit": False}, times=12).counts
    return {"repeat due to habit": from_counts(lambda a, b: repeat(a) - repeat(b), _food(runs), off)}


def fact_91(runs: RunCache) -> Quantities:
    """A price promotion leaves nothing behind."""
    found: dict[str, Estimate] = {}
    for name, preset in SHELVES.items():
        j, *pair = _cut(runs, preset, 4, 0.8)

        def left(a: Tally, b: Tally, j: int = j) -> Array:
            more = []
            for span in (slice(WEEK, WEEK + 4), slice(WEEK + 17, WEEK + 30)):
                uses = [_uses(t, span) for t in (a, b)]
                more.append(uses[1] / uses[1].sum(axis=-1, keepdims=True) - uses[0] / uses[0].sum(-1, keepdims=True))
            return more[1][..., j] / more[0][..., j]

        found[name] = from_counts(left, *pair)
    return found


def fact_92(runs: RunCache) -> Quantities:
    """Hardly anybody buys all groceries at one chain for a year."""
    run = runs(GROCERIES, {"window": YEAR, "weeks": YEAR}, (YEAR - 1,), 2)
    bought = (run.people[YEAR - 1].bonds["count"] & USED) > 0
    return {"at one chain only, %": from_people(lambda x: 100 * (x.sum(1) == 1).sum() / x.any(1).sum(), bought)}
