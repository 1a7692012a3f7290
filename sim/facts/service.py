"""Facts 66 to 77: failures and their repair, satisfaction, regret, friction, and the service anchor."""

import numpy as np

from sim.facts.providers import moves
from sim.facts.runs import FactRun, Quantities, RunCache, continue_from, copy_of, from_counts, from_people
from sim.facts.survey import utilities
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Metric
from sim.measure.tally import Event, Tally
from sim.model.state import COMPLAINED, MAJOR, MINOR, USED

SHOPS, BANK, EVENT_WEEK = "market=retail_us", "market=bank", 26
REPAIRS = {"fast": (0.0, 0.95), "resolved": (5.0, 0.6), "unresolved": (5.0, 0.3)}  # days, adequacy


def everywhere(runs: RunCache, preset: str, levers: dict[str, float]) -> dict[str, float]:
    """Levers of every firm of a preset set to values."""
    return {f"firms.{n}.{k}": v for n in runs.firms(preset) for k, v in levers.items()}


def _after(t: Tally, outcome: int) -> Array:
    """Chance that the next use is at the same firm, over all firms, after an outcome."""
    rows = t.after[..., outcome, :].sum(axis=-2)
    return 100 * rows[..., 0] / rows.sum(axis=-1)


def fact_66(runs: RunCache) -> Quantities:
    """The sooner and the better a failure is repaired, the more customers come back."""
    tallies = {}
    for name, (days, adequacy) in REPAIRS.items():
        levers = everywhere(runs, SHOPS, {"recovery_days": days, "recovery_adequacy": adequacy})
        tallies[name] = runs(SHOPS, levers, times=16).counts
    found = {}
    for size, outcome in (("major", MAJOR), ("minor", MINOR)):
        steps = [(tallies[name], outcome + COMPLAINED) for name in REPAIRS] + [(tallies["resolved"], outcome)]
        names = [*REPAIRS, "silent"]
        for n in range(3):
            (a, at), (b, then) = steps[n], steps[n + 1]
            gap = from_counts(lambda x, y, at=at, then=then: _after(x, at) - _after(y, then), a, b)
            found[f"{size}: {names[n]} - {names[n + 1]}"] = gap
    return found


def fact_67(runs: RunCache) -> Quantities:
    """Recovery paradox: a repaired failure can raise satisfaction, and does not raise repurchase."""
    speak = {"market.complain_minor": 1.0, "market.complain_major": 1.0}
    prompt = {"firms.walmart.recovery_days": 0.0, "firms.walmart.recovery_adequacy": 0.95}
    pair = []
    for rate in (0.0, 1.0):
        failing = {
            f"moves.{p}": {"lever": f"touchpoints.{p}.failure_rate", "week": EVENT_WEEK, "value": rate}
            for p in ("shop", "website")
        }
        pair.append(runs(SHOPS, {**speak, **prompt, **failing}))
    j, tallies = pair[0].focus, [estimates.pooled(w.tally, weeks=slice(EVENT_WEEK, None)) for w in pair]

    def repurchase(t: Tally) -> Array:
        return t.flow[..., j + 1, j + 1] / t.flow[..., j + 1, 1:].sum(axis=-1)

    return {
        "satisfaction, points": from_counts(
            lambda a, b: 100 * (metrics.satisfaction(b) - metrics.satisfaction(a))[..., j], *tallies
        ),
        "repurchase, points": from_counts(lambda a, b: 100 * (repurchase(b) - repurchase(a)), *tallies),
    }


def fact_68(runs: RunCache) -> Quantities:
    """Severe failures cost more repurchase than minor ones, both complained of."""
    levers = everywhere(
        runs, SHOPS, dict(zip(("recovery_days", "recovery_adequacy"), REPAIRS["resolved"], strict=True))
    )
    counts = runs(SHOPS, levers, times=16).counts
    gap = from_counts(lambda t: _after(t, int(MAJOR + COMPLAINED)) - _after(t, int(MINOR + COMPLAINED)), counts)
    return {"major - minor, both complained of, points": gap}


def _incident(runs: RunCache, preset: str) -> tuple[FactRun, FactRun]:
    """One bad visit of every customer of the focus, and its twin."""
    return runs(preset), runs(preset, moves(("", "quality", EVENT_WEEK, 1, -3.0)))


def fact_69(runs: RunCache) -> Quantities:
    """What customers say and do after one bad experience."""
    found = {}
    for name, preset in (("providers", BANK), ("repertoire", SHOPS)):
        pair = _incident(runs, preset)
        j, tallies = pair[0].focus, [estimates.weekly(w.tally) for w in pair]

        def said(a: Tally, b: Tally, j: int = j) -> Array:
            answers = [t.event[..., EVENT_WEEK + 1 : EVENT_WEEK + 3, j, :].sum(axis=-2) for t in (a, b)]
            rates = [x[..., Event.WOULD_LEAVE] / x[..., Event.ASKED] for x in answers]
            return 100 * (rates[1] - rates[0])

        def done(a: Tally, b: Tally, j: int = j) -> Array:
            uses = [t.flow[..., EVENT_WEEK + 1 : EVENT_WEEK + 27, :, j + 1].sum(axis=-1) for t in (a, b)]
            return 100 * (1 - uses[1][..., -1] / uses[0][..., -1])

        def dropped(a: Tally, b: Tally, j: int = j) -> Array:
            uses = [t.flow[..., EVENT_WEEK + 1 : EVENT_WEEK + 5, :, j + 1].sum(axis=(-2, -1)) for t in (a, b)]
            return 100 * (1 - uses[1] / uses[0])

        found[f"{name}: said, points"] = from_counts(said, *tallies)
        found[f"{name}: done, %"] = from_counts(done if name == "providers" else dropped, *tallies)
    return found


def fact_70(runs: RunCache) -> Quantities:
    """Worse quality costs more share than better quality gains."""
    quiet, better, worse = (
        runs(SHOPS, moves(("", "quality", EVENT_WEEK, 0, q)) if q else {}) for q in (0.0, 0.5, -0.5)
    )
    j = quiet.focus
    tallies = [estimates.pooled(w.tally, weeks=slice(EVENT_WEEK, None)) for w in (quiet, better, worse)]

    def ratio(a: Tally, up: Tally, down: Tally) -> Array:
        shares = [metrics.share(t)[..., j] for t in (a, up, down)]
        return (shares[0] - shares[2]) / (shares[1] - shares[0])

    return {"loss below / gain above": from_counts(ratio, *tallies)}


def fact_71(runs: RunCache) -> Quantities:
    """Satisfaction explains a small part of the variance in loyalty."""
    run = runs(SHOPS, at=(52, 64))
    before, after = run.people[52], run.people[64]
    j, c, m, on = run.focus, run.scenario.consumer, run.scenario.market, run.scenario.mechanisms
    uses = after.one["uses"] & USED
    mine = (before.one["last"] == j) & (uses > 0)
    gap = before.bonds["memory"][mine, j] - before.one["expectation"][mine]
    satisfied = on.experience * c.cx_weight * np.where(gap > 0, gap, c.loss_aversion * gap)
    satisfied = satisfied + on.trust * c.trust_weight * (before.bonds["trust"][mine, j] - m.trust_start)
    sticky = (after.bonds["count"][mine, j] & USED) / uses[mine]
    return {"R2": from_people(lambda s, y: np.corrcoef(s, y)[0, 1] ** 2, satisfied, sticky)}


def fact_72(runs: RunCache) -> Quantities:
    """Regret makes people leave, and does not make them speak badly."""
    pair = [runs(SHOPS, {"mechanisms.regret": False}, times=2).counts, runs(SHOPS, times=2).counts]

    def words(a: Tally, b: Tally) -> Array:
        rates = [
            t.event[..., Event.NEGATIVE_WOM].sum(axis=-1) / t.event[..., Event.FAILED].sum(axis=-1) for t in (a, b)
        ]
        return 100 * (rates[1] / rates[0] - 1)

    return {
        "return after an unrepaired major failure, points": from_counts(
            lambda a, b: _after(b, int(MAJOR)) - _after(a, int(MAJOR)), *pair
        ),
        "bad words, %": from_counts(words, *pair),
    }


def fact_73(runs: RunCache) -> Quantities:
    """Switching cost holds customers who are angry."""
    pair = [runs(BANK, {"window": 52}), runs(BANK, {"window": 52, **moves(("", "switching_cost", EVENT_WEEK, 0, 1.7))})]
    j, tallies = pair[0].focus, [estimates.pooled(w.tally, weeks=slice(EVENT_WEEK, None)) for w in pair]

    def ratio(t: Tally) -> Array:
        return t.event[..., j, Event.POSITIVE_WOM] / t.event[..., j, Event.NEGATIVE_WOM]

    def exits(t: Tally) -> Array:
        return 5200 * (1 - t.flow[..., j + 1, j + 1] / t.flow[..., j + 1, 1:].sum(axis=-1))

    return {
        "exits, points a year": from_counts(lambda a, b: exits(b) - exits(a), *tallies),
        "good words for every bad one": from_counts(lambda a, b: ratio(b) - ratio(a), *tallies),
    }


def fact_74(runs: RunCache) -> Quantities:
    """An anchor moves the judgment of its own firm, and of no other."""
    run = runs(SHOPS, at=(52, 64))
    people = run.people[52]
    plain = copy_of(people)
    plain.one["anchor_height"] = 0
    gain = utilities(run, 52)[0] - utilities(FactRun(run.scenario, run.tally, {52: plain}), 52)[0]
    held = np.flatnonzero(people.one["anchor"] >= 0)
    anchor, height = people.one["anchor"][held], people.one["anchor_height"][held]
    other = (anchor + 1) % gain.shape[1]
    return {
        "weight of the anchor": from_people(lambda g, h: g.sum() / h.sum(), gain[held, anchor], height),
        "weight at another firm": from_people(lambda g, h: g.sum() / h.sum(), gain[held, other], height),
    }


def fact_75(runs: RunCache) -> Quantities:
    """Memory follows the peak and the end of the experience."""
    weeks = tuple(range(52, 63))
    run = runs(BANK, at=weeks)
    people, j = [run.people[w] for w in weeks], run.focus
    stayed = np.all([p.one["last"] == j for p in people], axis=0) & (people[-1].one["anchor"] < 0)
    memory = np.column_stack([p.bonds["memory"][stayed, j] for p in people])
    visits = memory[:, :-1] + np.diff(memory, axis=1) / run.scenario.market.memory_rate

    def peak_end(x: Array, m: Array) -> float:
        return float(np.corrcoef(0.5 * x.max(axis=1) + 0.5 * x[:, -1], m[:, -1])[0, 1])

    def mean(x: Array, m: Array) -> float:
        return float(np.corrcoef(x.mean(axis=1), m[:, -1])[0, 1])

    def end(x: Array, m: Array) -> float:
        better = x[:, -1] > x[:, :-1].mean(axis=1)
        return float(m[better, -1].mean() - m[~better, -1].mean())

    return {
        "r with peak and end": from_people(peak_end, visits, memory),
        "r with peak and end - r with the mean": from_people(lambda x, m: peak_end(x, m) - mean(x, m), visits, memory),
        "gain of a good end, CX": from_people(end, visits, memory),
    }


def _anchored(runs: RunCache, changes: dict[str, float], metric: Metric, times: float = 1) -> estimates.Estimate:
    """What service moments of the focus do to a metric of it, points."""
    moments = moves(("", "delight_rate", EVENT_WEEK, 0, 0.08))
    pair = [runs(SHOPS, c, times=times) for c in (changes, {**changes, **moments})]
    tallies = [estimates.pooled(w.tally, weeks=slice(EVENT_WEEK, None)) for w in pair]
    return from_counts(lambda a, b: 100 * (metric(b) - metric(a))[..., pair[0].focus], *tallies)


def fact_76(runs: RunCache) -> Quantities:
    """An anchor acts through the order of search, and not where all firms are considered."""
    order = {"consumer.anchor_pull": 1e-4, "consumer.cx_weight": 0.0, "consumer.regret_weight": 0.0}
    return {
        "first looks, points": _anchored(runs, order, metrics.first_looks),
        "share, points": _anchored(runs, order, metrics.share, times=16),
        "share where all is looked at, points": _anchored(
            runs, {**order, "consumer.consideration_size": 6.0}, metrics.share
        ),
    }


def fact_77(runs: RunCache) -> Quantities:
    """An anchor makes a fall of quality hurt more.

    The month is simulated several times from one state: so few leave in one that chance would hide it.
    """
    run = runs(SHOPS, {"weeks": 52, "firms.walmart.delight_rate": 0.08}, (52,), 64)
    people, j = run.people[52].one, run.focus
    mine = people["last"] == j
    anchored = people["anchor"][mine] == j

    def month(quality: float) -> Array:
        levers = {"firms.walmart.delight_rate": 0.01, "firms.walmart.quality": quality}
        return np.sum([p.bonds["count"][mine, j] & USED for p in continue_from(run, 52, levers, 4, times=8)], axis=0)

    def ratio(held: Array, a: Array, b: Array) -> float:
        return float((1 - b[held].sum() / a[held].sum()) / (1 - b[~held].sum() / a[~held].sum()))

    return {"fall, with the anchor here / without": from_people(ratio, anchored, month(0.0), month(-1.0))}
