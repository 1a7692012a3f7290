"""The figures read after every week: each metric of the firms and of the market, by the name of its column.

Weekly metrics (`share`, `would_leave`, `satisfaction`, `uses`, word of mouth) are of the last week. Windowed metrics
(`stickiness`, `penetration`, ...) are of the open window as if it ended now, so that the last week of a window gives
the figures of that window in the run's own table. `awareness` is of everybody, since the scandal broke.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from sim.engine.kernel import BLOCK
from sim.engine.loop import Shard, close_window
from sim.engine.policies import last_window
from sim.measure.estimates import pooled
from sim.measure.metrics import awareness, firm_metrics, info, market_metrics, uses
from sim.measure.tally import WINDOWED, Event, Metric, Tally, empty_tally
from sim.model.declare import did_you_mean
from sim.model.fields import Scenario
from sim.model.state import People


def positive_wom(tally: Tally) -> np.ndarray:
    """Positive word of mouth about the firm: messages sent."""
    return np.asarray(tally.event[..., Event.POSITIVE_WOM])


def negative_wom(tally: Tally) -> np.ndarray:
    """Negative word of mouth about the firm: messages sent."""
    return np.asarray(tally.event[..., Event.NEGATIVE_WOM])


SENT: dict[str, Metric] = {"uses": uses, "positive_wom": positive_wom, "negative_wom": negative_wom}


def of_firms(scenario: Scenario) -> dict[str, Metric]:
    """The metrics of a firm that are read, by name."""
    return {**firm_metrics(scenario.market.regime == "provider"), **SENT}


def of_market(scenario: Scenario) -> dict[str, Metric]:
    """The metrics of the market that are read, by name."""
    return market_metrics(scenario.market.regime == "provider")


def reading_columns(scenario: Scenario, scandals: list[str]) -> list[str]:
    """The names of all readings: metric.firm, trust.firm, metric of the category, awareness.scandal."""
    firms = [f"{name}.{firm}" for name in (*of_firms(scenario), "trust") for firm in scenario.firms]
    return [*firms, *of_market(scenario), *(f"awareness.{name}" for name in scandals)]


def now(shard: Shard) -> Tally:
    """Counts of the last week and of the open window as if it ended now, on axes of length 1.

    `news` keeps all weeks: who has heard of a scandal so far. Before the first week the axes are empty.
    """
    t, w = shard.week, (shard.week - 1) // shard.scenario.window
    week = {n: getattr(shard.tally, n)[:, 1 : t + 1][:, -1:] for n in ("flow", "event")}
    window = {n: getattr(shard.tally, n)[:, w : w + 1] for n in WINDOWED}
    if t % shard.scenario.window:
        window = _as_if_ended(shard, window["window"])
    return shard.tally._replace(**week, **window, news=shard.tally.news[:, 1 : t + 1])


def _as_if_ended(shard: Shard, begun: np.ndarray) -> dict[str, np.ndarray]:
    """The open window's counts, closed on copies of the people, a few at a time to stay within the caches."""
    scratch = empty_tally(0, 1, begun.shape[2], begun.shape[3], 0)._replace(window=begun.copy())
    step = 1 + BLOCK * len(shard.folds) // max(1, len(shard.people.one))
    for g in range(shard.folds.start, shard.folds.stop, step):
        groups = range(g, min(g + step, shard.folds.stop))
        first, stop = shard.edges[groups.start], shard.edges[groups.stop]
        copied = People(*(rows[first:stop].copy() for rows in shard.people))
        close_window(replace(shard, people=copied, tally=scratch, folds=groups, edges=shard.edges - first), 0)
    return {n: getattr(scratch, n) for n in WINDOWED}


def read_all(shard: Shard, counts: Tally, scandals: list[str]) -> dict[str, float]:
    """Every reading by its column, from the counts of `now`."""
    everybody = Tally(*(a.sum(axis=0) for a in pooled(counts)))
    found: dict[str, float] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, metric in of_firms(shard.scenario).items():
            found |= _named(name, shard.scenario.firms, metric(everybody))
        found |= _named("trust", shard.scenario.firms, shard.people.bonds["trust"].mean(axis=0, dtype=np.float64))
        found |= {name: float(metric(everybody)) for name, metric in of_market(shard.scenario).items()}
        found |= _named("awareness", scandals, awareness(everybody))
    return found


def weekly_reading(shard: Shard, metric: str, firm: str) -> float:
    """A metric of a firm that is counted by the week, as of the last week; nan before the first."""
    if metric not in SENT and info(metric).per != "week":
        raise ValueError(f"{metric!r} is no metric of a week{did_you_mean(metric, of_firms(shard.scenario))}")
    week = {n: getattr(shard.tally, n)[:, shard.week : shard.week + 1].sum(axis=(0, 1, 2)) for n in ("flow", "event")}
    counts = Tally(*(np.zeros(0, np.int64) for _ in Tally._fields))._replace(**week)
    return _of_firm(shard, metric, firm, counts) if shard.week > 0 else math.nan


def window_reading(shard: Shard, metric: str, firm: str) -> float:
    """A metric of a firm in the last complete window; nan before its end."""
    window = shard.scenario.window
    last = shard.week // window * window - 1
    return _of_firm(shard, metric, firm, last_window(shard.tally, last, window)) if last > 0 else math.nan


def _of_firm(shard: Shard, metric: str, firm: str, counts: Tally) -> float:
    known = of_firms(shard.scenario)
    if metric not in known:
        raise ValueError(f"{metric!r} is no metric of a firm{did_you_mean(metric, known)}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(known[metric](counts)[list(shard.scenario.firms).index(firm)])


def _named(name: str, members: Iterable[str], values: np.ndarray) -> dict[str, float]:
    return {f"{name}.{member}": float(value) for member, value in zip(members, values, strict=True)}
