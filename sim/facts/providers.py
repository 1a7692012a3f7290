"""Facts 16 to 28: how people stay with a provider, and what it takes to leave one."""

from functools import cache

import numpy as np

from sim.facts.repertoire import PROVIDERS, yearly
from sim.facts.runs import FactRun, Quantities, RunCache, from_counts, from_people
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import TENURE, Event, Tally
from sim.study.presets import uncalibrated

YEARS = 52
SUBSCRIPTION = "market=streaming"
PRICE_NOTICE = 1.0001  # a price that hardly moved: it makes customers look, and changes nothing else


def switched_a_year(runs: RunCache, market: str) -> Estimate:
    """People who switch provider in a year, %."""
    return from_counts(lambda t: 100 * metrics.switched(t), yearly(runs, market))


def fact_16(runs: RunCache) -> Quantities:
    """Few people switch provider in a year, and how many depends on the sector."""
    return {
        "health insurance, % a year": switched_a_year(runs, "health_insurance_nl"),
        "energy, % a year": switched_a_year(runs, "energy_nl"),
    }


def fact_17(runs: RunCache) -> Quantities:
    """Switching a year that the share of long tenures implies."""

    def implied(t: Tally) -> Array:
        long = t.standing[..., np.flatnonzero(TENURE >= 156)].sum(axis=(-2, -1)) / t.standing.sum(axis=(-2, -1))
        return 100 * (1 - long ** (1 / 3))

    return {m: from_counts(implied, yearly(runs, m)) for m in ("bank", "mobile")}


def fact_18(runs: RunCache) -> Quantities:
    """People differ in inertia: fewer have ever switched than if all were alike."""
    counts = yearly(runs, "health_insurance_nl")

    def ratio(t: Tally) -> Array:
        return metrics.ever_switched(t) / (1 - (1 - metrics.switched(t)) ** 10)

    return {"ever in ten years / if all were alike": from_counts(ratio, counts)}


def fact_19(runs: RunCache) -> Quantities:
    """Most people could have a better offer elsewhere."""

    def better(t: Tally) -> Array:
        return 100 * t.event[..., Event.BETTER].sum(axis=-1) / t.event[..., Event.ASKED].sum(axis=-1)

    return {"better elsewhere, %": from_counts(better, yearly(runs, "health_insurance_nl"))}


def fact_20(runs: RunCache) -> Quantities:
    """Retention rises with tenure, because those who leave easily have left."""

    def retained(t: Tally, year: int) -> Array:
        stayed, left = np.moveaxis(t.tenure.sum(axis=-3), -1, 0)
        bins = np.flatnonzero(year - 1 == TENURE // YEARS)
        widths = np.append(np.diff(TENURE), 1)
        bins = bins[TENURE[bins] > 0]  # nobody uses a firm again before the first use
        return np.prod((1 - left[..., bins] / (stayed + left)[..., bins]) ** widths[bins], axis=-1)

    counts = yearly(runs, "health_insurance_nl")
    return {
        "year 1": from_counts(lambda t: retained(t, 1), counts),
        "year 6": from_counts(lambda t: retained(t, 6), counts),
        "year 6 - year 1": from_counts(lambda t: retained(t, 6) - retained(t, 1), counts),
    }


def fact_21(runs: RunCache) -> Quantities:
    """Providers show double jeopardy in churn, and sector and share explain most of it."""
    tallies = [yearly(runs, m) for m in PROVIDERS]

    def columns(folds: tuple[Tally, ...]):
        for n in range(len(folds[0].people)):
            one = [Tally(*(a[n] for a in t)) for t in folds]
            yield [metrics.share(t) for t in one], [metrics.churn(t) for t in one]

    def slope(*folds: Tally) -> Array:
        found = []
        for shares, churns in columns(folds):
            x = np.concatenate([s - s.mean() for s in shares])
            y = np.concatenate([c - c.mean() for c in churns])
            found.append((x @ y) / (x @ x))
        return np.array(found)

    def explained(*folds: Tally) -> Array:
        found = []
        for shares, churns in columns(folds):
            sector = np.repeat(np.eye(len(shares)), [len(s) for s in shares], axis=0)
            x, y = np.column_stack([sector, np.concatenate(shares)]), np.concatenate(churns)
            rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
            found.append(1 - rest.var() / y.var())
        return np.array(found)

    return {"slope on share": from_counts(slope, *tallies), "R2": from_counts(explained, *tallies)}


def moves(*rows: tuple[str, str, int, int, float]) -> dict[str, object]:
    """Changes that move levers: rows of firm, lever, week, weeks, value."""
    names = ("firm", "lever", "week", "weeks", "value")
    return {f"moves.{row[0]}_{row[1]}_{row[2]}": dict(zip(names, row, strict=True)) for row in rows}


EVENT, MONTH = 52, 52 / 12  # the week of what happens, weeks
SEEN = {"market.price_attention": 1.0}  # where a price stands for what nobody can overlook: a card that is replaced
CARD_EXPIRY = SEEN | moves(("netflix", "price", EVENT, 0, PRICE_NOTICE))


def _exits(tally: Tally, firm: int) -> Array:
    """Customers who leave the firm, [..., t], from weekly counts."""
    out = tally.flow[..., firm + 1, 1:]
    return out.sum(axis=-1) - out[..., firm]


def _joins(tally: Tally, firm: int) -> Array:
    """Customers who come to the firm, [..., t]."""
    into = tally.flow[..., 1:, firm + 1]
    return into.sum(axis=-1) - into[..., firm]


def _base(tally: Tally, firm: int) -> Array:
    """The firm's customers, [..., t]."""
    return tally.flow[..., firm + 1, 1:].sum(axis=-1)


def fact_22(runs: RunCache) -> Quantities:
    """Forced attention triggers exits: a replaced card makes every subscriber decide."""
    quiet, event = runs(SUBSCRIPTION), runs(SUBSCRIPTION, CARD_EXPIRY)
    j, after = quiet.focus, slice(EVENT, EVENT + 13)
    pair = estimates.weekly(quiet.tally), estimates.weekly(event.tally)

    def caused(a: Tally, b: Tally) -> Array:
        return 100 * (_exits(b, j) - _exits(a, j))[..., after].sum(axis=-1) / _base(a, j)[..., EVENT]

    def monthly(a: Tally) -> Array:
        return 100 * MONTH * _exits(a, j)[..., :EVENT].sum(axis=-1) / _base(a, j)[..., :EVENT].sum(axis=-1)

    return {
        "exits of the event, % of base": from_counts(caused, *pair),
        "exits a month before, %": from_counts(monthly, pair[0]),
    }


def fact_23(runs: RunCache) -> Quantities:
    """Trouble with canceling raises the revenue of sellers."""
    services = ("netflix", "amazon", "disney", "hbo", "apple")
    worse = moves(*((s, "effort", EVENT, 0, 0.8) for s in services))
    weeks = range(EVENT, 2 * EVENT)
    noticed = moves(*((s, "price", w, 1, PRICE_NOTICE + 1e-3 * (w % 2)) for s in services for w in weeks))
    pair = [estimates.weekly(runs(SUBSCRIPTION, c).tally) for c in (worse, worse | noticed | SEEN)]

    def lost(a: Tally, b: Tally) -> Array:
        kept = [t.flow[..., EVENT : 2 * EVENT, :, 1:-1].sum(axis=(-3, -2, -1)) for t in (a, b)]
        return 100 * (kept[1] / kept[0] - 1)

    return {"revenue of the year, %": from_counts(lost, *pair)}


def fact_24(runs: RunCache) -> Quantities:
    """Few of those who want to leave do so within a month."""
    weeks = (EVENT + 1, EVENT + 5, EVENT + 6, EVENT + 14)
    event = runs(SUBSCRIPTION, CARD_EXPIRY, weeks)
    target = [event.people[w].one["target"] >= 0 for w in weeks]
    decided = target[0] & (event.people[weeks[0]].one["last"] == event.focus)
    month = [t[decided] for t in target]

    def within(_: Array, four: Array, five: Array, __: Array) -> float:
        return float(1 - four.mean() ** (1 - MONTH % 1) * five.mean() ** (MONTH % 1))

    def delay(_: Array, __: Array, ___: Array, quarter: Array) -> float:
        return float(1 / (1 - quarter.mean() ** (1 / (weeks[-1] - weeks[0]))) / MONTH)

    return {"carried out within a month": from_people(within, *month), "mean delay, months": from_people(delay, *month)}


def fact_25(runs: RunCache) -> Quantities:
    """A contract that is hard to leave deters joiners."""
    deterring = moves(("netflix", "switching_cost", 0, 0, 0.25))
    pair = [runs(SUBSCRIPTION, c, times=4) for c in ({}, deterring)]
    j, tallies = pair[0].focus, [estimates.weekly(w.tally) for w in pair]

    def taken(a: Tally, b: Tally) -> Array:
        return 100 * (_joins(b, j)[..., :26].sum(axis=-1) / _joins(a, j)[..., :26].sum(axis=-1) - 1)

    def base(a: Tally, b: Tally) -> Array:
        return 100 * (_base(b, j)[..., 104] / _base(a, j)[..., 104] - 1)

    return {
        "joiners, first half year, %": from_counts(taken, *tallies),
        "subscribers after two years, %": from_counts(base, *tallies),
    }


def fact_26(runs: RunCache) -> Quantities:
    """A trial of a rival makes a third stay with it; removing switching cost moves little share.

    The trial puts everybody who looks with the rival, which is then as present as the others; who is decided after it
    has two weeks more to carry it out in. Switching cost is taken, in a week, from a market whose firms have some.
    """
    quiet = runs(SUBSCRIPTION)
    firms, j = quiet.scenario.firms, quiet.focus
    rival = list(firms)[j + 1]
    levers = SEEN | moves(
        (quiet.scenario.focus, "price", EVENT, 0, PRICE_NOTICE),
        (rival, "presence", EVENT, 2, 1e3 * firms[rival].presence),
        (rival, "price", EVENT + 2, 0, PRICE_NOTICE),
    )
    trial = runs(SUBSCRIPTION, levers, (EVENT, EVENT + 2, EVENT + 3), 12)
    before, during, after = (trial.people[w].one["last"] for w in (EVENT, EVENT + 2, EVENT + 3))
    tried = (before == j) & (during == j + 1)
    decided = trial.people[EVENT + 3].one["target"]
    stays = (after == j + 1) & ((decided < 0) | (decided == j + 1))
    costly = runs("market=mobile", times=4)
    without = moves(*((firm, "switching_cost", EVENT, 0, 0.0) for firm in costly.scenario.firms))
    free = runs("market=mobile", without, times=4)
    span = slice(EVENT, EVENT + YEARS)

    def gain(a: Tally, b: Tally) -> Array:
        uses = [t.flow[..., span, :, 1:].sum(axis=(-3, -2)) for t in (a, b)]
        return 100 * np.abs(uses[1] / uses[1].sum(-1, keepdims=True) - uses[0] / uses[0].sum(-1, keepdims=True)).max(-1)

    return {
        "stay with the rival after a trial, %": from_people(lambda t, s: 100 * s[t].mean(), tried, stays),
        "share moved by removing switching cost, points": from_counts(
            gain, estimates.weekly(costly.tally), estimates.weekly(free.tally)
        ),
    }


CONTROL = 0.11  # of those who could, stayed in the study's group without a dark pattern
STEPS = 12  # halvings of the interval in which the price lies at which as many stay


def _decided(runs: RunCache, price: float, cost: float, times: float) -> tuple[FactRun, Array, Array]:
    """The run in which everybody is asked in the week EVENT: who was a customer, and who has decided to stay."""
    levers = moves(("netflix", "price", EVENT, 0, price), ("netflix", "switching_cost", EVENT, 0, cost))
    run = runs(SUBSCRIPTION, {**levers, **SEEN, "weeks": EVENT + 2}, (EVENT, EVENT + 1), times)
    before, after = (run.people[w].one for w in (EVENT, EVENT + 1))
    mine = before["last"] == run.focus
    return run, mine, mine & (after["last"] == run.focus) & (after["target"] < 0)


@cache
def _phone_only() -> float:
    """The switching cost of cancellation by telephone only, as shipped (`lever=cancel_by_phone`)."""
    return uncalibrated(SUBSCRIPTION, "lever=cancel_by_phone").moves["switching_cost"].value


def fact_27(runs: RunCache) -> Quantities:
    """Dark patterns make people stay, and aggressive ones make them speak badly.

    The price is that at which as many stay without any pattern as in the study. Mild is a switching cost that nobody
    resents (`market.switching_cost_tolerated`), aggressive that of `lever=cancel_by_phone`.
    """
    low, high = 1.0, 10.0
    for _ in range(STEPS):
        price = (low + high) / 2
        _, mine, stays = _decided(runs, price, 0.0, 2)
        low, high = (price, high) if stays.sum() > CONTROL * mine.sum() else (low, price)
    mild = runs(SUBSCRIPTION).scenario.market.switching_cost_tolerated
    plain, some, much = (_decided(runs, high, cost, 12) for cost in (0.0, mild, _phone_only()))

    def words(a: Tally, b: Tally) -> Array:
        bad = [t.event[..., EVENT, plain[0].focus, Event.NEGATIVE_WOM] for t in (a, b)]
        return 100 * (bad[1] - bad[0]) / _base(a, plain[0].focus)[..., EVENT]

    none, *others = (estimates.weekly(x[0].tally) for x in (plain, some, much))
    found = {"stay, plain, %": from_people(lambda m, s: 100 * s.sum() / m.sum(), *plain[1:])}
    for name, case, counts in (("mild", some, others[0]), ("aggressive", much, others[1])):
        found[f"{name} / plain"] = from_people(lambda a, b: b.sum() / a.sum(), plain[2], case[2])
        found[f"bad words, {name}, % of base"] = from_counts(words, none, counts)
    return found
