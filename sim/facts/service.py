"""Facts 66 to 77: failures and their repair, satisfaction, regret, friction, and the service anchor."""

from typing import Any

import numpy as np

from sim.facts.markets import Lived, Worlds, among, of, onwards
from sim.facts.providers import moves
from sim.facts.repertoire import Found
from sim.facts.survey import worth
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import Event, Tally
from sim.model.state import COMPLAINED, MAJOR, MINOR, USED, People

SHOPS, BANK, WHEN = "market=retail_us", "market=bank", 26
AFTER = {"fast": (0.0, 0.95), "resolved": (5.0, 0.6), "unresolved": (5.0, 0.3)}  # days, adequacy


def everywhere(worlds: Worlds, preset: str, levers: dict[str, float]) -> dict[str, Any]:
    """Levers of every firm of a preset set to values."""
    return {f"firms.{n}.{k}": v for n in worlds.firms(preset) for k, v in levers.items()}


def _after(t: Tally, outcome: int) -> Array:
    """Chance that the next use is at the same firm, over all firms, after an outcome."""
    rows = t.after[..., outcome, :].sum(axis=-2)
    return 100 * rows[..., 0] / rows.sum(axis=-1)


def fact_66(worlds: Worlds) -> Found:
    lived = {}
    for name, (days, adequacy) in AFTER.items():
        levers = everywhere(worlds, SHOPS, {"recovery_days": days, "recovery_adequacy": adequacy})
        lived[name] = worlds(SHOPS, levers, times=16).counts
    found = {}
    for size, outcome in (("major", MAJOR), ("minor", MINOR)):
        steps = [(lived[name], outcome + COMPLAINED) for name in AFTER] + [(lived["resolved"], outcome)]
        names = [*AFTER, "silent"]
        for n in range(3):
            (a, at), (b, then) = steps[n], steps[n + 1]
            gap = of(lambda x, y, at=at, then=then: _after(x, at) - _after(y, then), a, b)
            found[f"{size}: {names[n]} - {names[n + 1]}"] = gap
    return found


def fact_67(worlds: Worlds) -> Found:
    speak = {"market.complain_minor": 1.0, "market.complain_major": 1.0}
    prompt = {"firms.walmart.recovery_days": 0.0, "firms.walmart.recovery_adequacy": 0.95}
    pair = []
    for rate in (0.0, 1.0):
        failing = {
            f"moves.{p}": {"lever": f"touchpoints.{p}.failure_rate", "week": WHEN, "value": rate}
            for p in ("shop", "website")
        }
        pair.append(worlds(SHOPS, {**speak, **prompt, **failing}))
    j, tallies = pair[0].focus, [estimates.pooled(w.tally, weeks=slice(WHEN, None)) for w in pair]

    def repurchase(t: Tally) -> Array:
        return t.flow[..., j + 1, j + 1] / t.flow[..., j + 1, 1:].sum(axis=-1)

    return {
        "satisfaction, points": of(
            lambda a, b: 100 * (metrics.satisfaction(b) - metrics.satisfaction(a))[..., j], *tallies
        ),
        "repurchase, points": of(lambda a, b: 100 * (repurchase(b) - repurchase(a)), *tallies),
    }


def fact_68(worlds: Worlds) -> Found:
    levers = everywhere(
        worlds, SHOPS, dict(zip(("recovery_days", "recovery_adequacy"), AFTER["resolved"], strict=True))
    )
    counts = worlds(SHOPS, levers, times=16).counts
    gap = of(lambda t: _after(t, int(MAJOR + COMPLAINED)) - _after(t, int(MINOR + COMPLAINED)), counts)
    return {"major - minor, both complained of, points": gap}


def _incident(worlds: Worlds, preset: str) -> tuple[Lived, Lived]:
    """One bad visit of every customer of the focus, and its twin."""
    return worlds(preset), worlds(preset, moves(("", "quality", WHEN, 1, -3.0)))


def fact_69(worlds: Worlds) -> Found:
    found = {}
    for name, preset in (("providers", BANK), ("repertoire", SHOPS)):
        pair = _incident(worlds, preset)
        j, tallies = pair[0].focus, [estimates.weekly(w.tally) for w in pair]

        def said(a: Tally, b: Tally, j: int = j) -> Array:
            answers = [t.event[..., WHEN + 1 : WHEN + 3, j, :].sum(axis=-2) for t in (a, b)]
            rates = [x[..., Event.WOULD_LEAVE] / x[..., Event.ASKED] for x in answers]
            return 100 * (rates[1] - rates[0])

        def done(a: Tally, b: Tally, j: int = j) -> Array:
            uses = [t.flow[..., WHEN + 1 : WHEN + 27, :, j + 1].sum(axis=-1) for t in (a, b)]
            return 100 * (1 - uses[1][..., -1] / uses[0][..., -1])

        def dropped(a: Tally, b: Tally, j: int = j) -> Array:
            uses = [t.flow[..., WHEN + 1 : WHEN + 5, :, j + 1].sum(axis=(-2, -1)) for t in (a, b)]
            return 100 * (1 - uses[1] / uses[0])

        found[f"{name}: said, points"] = of(said, *tallies)
        found[f"{name}: done, %"] = of(done if name == "providers" else dropped, *tallies)
    return found


def fact_70(worlds: Worlds) -> Found:
    quiet, better, worse = (worlds(SHOPS, moves(("", "quality", WHEN, 0, q)) if q else {}) for q in (0.0, 0.5, -0.5))
    j = quiet.focus
    tallies = [estimates.pooled(w.tally, weeks=slice(WHEN, None)) for w in (quiet, better, worse)]

    def ratio(a: Tally, up: Tally, down: Tally) -> Array:
        shares = [metrics.share(t)[..., j] for t in (a, up, down)]
        return (shares[0] - shares[2]) / (shares[1] - shares[0])

    return {"loss below / gain above": of(ratio, *tallies)}


def fact_71(worlds: Worlds) -> Found:
    lived = worlds(SHOPS, at=(52, 64))
    before, after = lived.people[52], lived.people[64]
    c, m = lived.scenario.consumer, lived.scenario.market
    gap = before.bonds["memory"] - before.one["expectation"][:, None]
    on = lived.scenario.mechanisms
    satisfied = on.experience * c.cx_weight * np.where(gap > 0, gap, c.loss_aversion * gap)
    satisfied = satisfied + on.trust * c.trust_weight * (before.bonds["trust"] - m.trust_start)
    count = after.bonds["count"] & USED
    uses = (after.one["uses"] & USED)[:, None] + 0 * count
    customers = (before.bonds["habit"] > 0.1) & (uses > 0)

    def explained(i: Array) -> float:
        who = customers[i]
        return float(np.corrcoef(satisfied[i][who], (count[i] / uses[i])[who])[0, 1] ** 2)

    return {"R2": among(explained, np.arange(len(uses)))}


def fact_72(worlds: Worlds) -> Found:
    pair = [worlds(SHOPS, {"mechanisms.regret": False}, times=2).counts, worlds(SHOPS, times=2).counts]

    def words(a: Tally, b: Tally) -> Array:
        told = [t.event[..., Event.NEGATIVE_WOM].sum(axis=-1) / t.event[..., Event.FAILED].sum(axis=-1) for t in (a, b)]
        return 100 * (told[1] / told[0] - 1)

    return {
        "return after an unrepaired major failure, points": of(
            lambda a, b: _after(b, int(MAJOR)) - _after(a, int(MAJOR)), *pair
        ),
        "bad words, %": of(words, *pair),
    }


def fact_73(worlds: Worlds) -> Found:
    pair = [worlds(BANK, {"window": 52}), worlds(BANK, {"window": 52, **moves(("", "switching_cost", WHEN, 0, 1.7))})]
    j, tallies = pair[0].focus, [estimates.pooled(w.tally, weeks=slice(WHEN, None)) for w in pair]

    def ratio(t: Tally) -> Array:
        return t.event[..., j, Event.POSITIVE_WOM] / t.event[..., j, Event.NEGATIVE_WOM]

    def exits(t: Tally) -> Array:
        return 5200 * (1 - t.flow[..., j + 1, j + 1] / t.flow[..., j + 1, 1:].sum(axis=-1))

    return {
        "exits, points a year": of(lambda a, b: exits(b) - exits(a), *tallies),
        "good words for every bad one": of(lambda a, b: ratio(b) - ratio(a), *tallies),
    }


def fact_74(worlds: Worlds) -> Found:
    lived = worlds(SHOPS, at=(52, 64))
    people = lived.people[52]
    plain = People(*(a.copy() for a in people))
    plain.one["anchor_height"] = 0
    gain = worth(lived, 52)[0] - worth(Lived(lived.scenario, lived.tally, {52: plain}), 52)[0]
    held = np.flatnonzero(people.one["anchor"] >= 0)
    anchor, height = people.one["anchor"][held], people.one["anchor_height"][held]
    other = (anchor + 1) % gain.shape[1]
    return {
        "weight of the anchor": among(lambda g, h: g.sum() / h.sum(), gain[held, anchor], height),
        "weight at another firm": among(lambda g, h: g.sum() / h.sum(), gain[held, other], height),
    }


def fact_75(worlds: Worlds) -> Found:
    weeks = tuple(range(52, 63))
    lived = worlds(BANK, at=weeks)
    people, j = [lived.people[w] for w in weeks], lived.focus
    stayed = np.all([p.one["last"] == j for p in people], axis=0) & (people[-1].one["anchor"] < 0)
    memory = np.column_stack([p.bonds["memory"][stayed, j] for p in people])
    visits = memory[:, :-1] + np.diff(memory, axis=1) / lived.scenario.market.memory_rate

    def peak_end(x: Array, m: Array) -> float:
        return float(np.corrcoef(0.5 * x.max(axis=1) + 0.5 * x[:, -1], m[:, -1])[0, 1])

    def mean(x: Array, m: Array) -> float:
        return float(np.corrcoef(x.mean(axis=1), m[:, -1])[0, 1])

    def end(x: Array, m: Array) -> float:
        better = x[:, -1] > x[:, :-1].mean(axis=1)
        return float(m[better, -1].mean() - m[~better, -1].mean())

    return {
        "r with peak and end": among(peak_end, visits, memory),
        "r with peak and end - r with the mean": among(lambda x, m: peak_end(x, m) - mean(x, m), visits, memory),
        "gain of a good end, CX": among(end, visits, memory),
    }


def _anchored(worlds: Worlds, changes: dict[str, Any], metric: Any, times: float = 1) -> estimates.Estimate:
    """What service moments of the focus do to a metric of it, points."""
    moments = moves(("", "delight_rate", WHEN, 0, 0.08))
    pair = [worlds(SHOPS, c, times=times) for c in (changes, {**changes, **moments})]
    tallies = [estimates.pooled(w.tally, weeks=slice(WHEN, None)) for w in pair]
    return of(lambda a, b: 100 * (metric(b) - metric(a))[..., pair[0].focus], *tallies)


def fact_76(worlds: Worlds) -> Found:
    order = {"consumer.anchor_pull": 1e-4, "consumer.cx_weight": 0.0, "consumer.regret_weight": 0.0}
    return {
        "first looks, points": _anchored(worlds, order, metrics.first_looks),
        "share, points": _anchored(worlds, order, metrics.share, times=16),
        "share where all is looked at, points": _anchored(
            worlds, {**order, "consumer.consideration_size": 6.0}, metrics.share
        ),
    }


def fact_77(worlds: Worlds) -> Found:
    """The month is lived many times over from where people stand, or the dice of so few who leave would hide it."""
    lived = worlds(SHOPS, {"weeks": 52, "firms.walmart.delight_rate": 0.08}, (52,), 64)
    people, j = lived.people[52].one, lived.focus
    mine = people["last"] == j
    anchored = people["anchor"][mine] == j

    def month(quality: float) -> Array:
        levers = {"firms.walmart.delight_rate": 0.01, "firms.walmart.quality": quality}
        return np.sum([p.bonds["count"][mine, j] & USED for p in onwards(lived, 52, levers, 4, times=8)], axis=0)

    def ratio(held: Array, a: Array, b: Array) -> float:
        return float((1 - b[held].sum() / a[held].sum()) / (1 - b[~held].sum() / a[~held].sum()))

    return {"fall, with the anchor here / without": among(ratio, anchored, month(0.0), month(-1.0))}
