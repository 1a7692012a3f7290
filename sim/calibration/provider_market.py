"""The simulated market of providers that a panel is compared with: its people, seen as in the panel."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sim.calibration.histories import ABSENT, Histories
from sim.calibration.provider_figures import MOVES, of_firms, of_market
from sim.calibration.settings import number
from sim.engine.loop import advance, initialize
from sim.model.fields import Firm, Scenario
from sim.model.state import LONGEST, USED
from sim.panel.folds import PANEL_FOLDS

SETTLE_WEEKS = 13  # before the first period, for what the lived past leaves out
LEAST_PRESENCE = 1e-6
MOST_COST = 4.0  # logit, of leaving a firm
USUAL_COST = 0.3  # of them all to begin with, so that that of one may be less
STEP = 1.0  # largest change of a logarithm or cost in a round
SLOPE = 0.6  # expected fall of ln churn for one logit of switching cost, where it is not known better
FLOOR = 1e-5  # of a rate or share


class Aims(NamedTuple):
    """What the market is to have, with errors: shares, churn a period by firm, and moves a period of all."""

    share: np.ndarray
    churn: np.ndarray
    churn_error: np.ndarray  # inf where a firm's own churn is not told
    moves: float


def observe(market: Scenario, like: Histories, people: int, seed: int) -> Histories:
    """The histories of a market's people, over as many periods as a panel has; newcomers are customers of their own."""
    at = np.round(np.arange(like.periods) * like.weeks).astype(np.int64)
    length = int(at[-1]) + 1
    size = {"people": people, "weeks": length + 1, "window": length + 1, "burn_in": SETTLE_WEEKS, "seed": seed}
    (shard,) = initialize(replace(market, **size, replications=1))  # type: ignore[arg-type]
    y = np.empty((people, like.periods), np.int8)
    anew = np.zeros((people, like.periods), bool)
    before, age = np.zeros(people, np.int64), np.full(people, -1, np.int32)
    for _ in range(SETTLE_WEEKS):
        advance([shard])
    for m, week in enumerate(at.tolist()):
        while shard.week <= week:
            advance([shard])
        one = shard.people.one
        uses = (one["uses"] & USED).astype(np.int64)
        y[:, m], anew[:, m] = one["last"], (uses < before + like.weeks - 1) & (m > 0)
        before = uses
        if m == 0 and (like.age >= 0).any():
            served = one["tenure"].astype(np.int64)
            age = np.where(served < LONGEST, served // max(like.weeks, 1.0), -1).astype(np.int32)
    return _persons(like, y, anew, age)


def _persons(like: Histories, y: np.ndarray, anew: np.ndarray, age: np.ndarray) -> Histories:
    """A row a person; where one was replaced, another begins."""
    nth = anew.cumsum(axis=1)
    begin = np.r_[0, np.cumsum(nth[:, -1] + 1)]
    i, m = np.nonzero(y >= 0)
    rows = np.full((int(begin[-1]), y.shape[1]), ABSENT, np.int8)
    rows[begin[i] + nth[i, m], m] = y[i, m]
    ages = np.full(len(rows), -1, np.int32)
    ages[begin[:-1]] = age
    there = (rows >= 0).any(axis=1)
    fold = np.arange(there.sum()) % PANEL_FOLDS
    return replace(like, y=rows[there], age=ages[there], fold=fold, names=np.flatnonzero(there))


def with_firms(base: Scenario, names: Sequence[str], share: np.ndarray, prices: np.ndarray | None) -> Scenario:
    """The market of a preset with these firms, each like the preset's typical one, without events."""
    firm = typical(base)
    usual = [f.switching_cost for f in base.firms.values() if f.switching_cost <= 1.0]
    cost = max(USUAL_COST, float(np.mean(usual or [0.0])))
    firms = {
        name: replace(
            firm,
            presence=float(max(share[j], LEAST_PRESENCE)),
            share=None,
            price=1.0 if prices is None else float(prices[j]),
            switching_cost=cost,
        )
        for j, name in enumerate(names)
    }
    turnover = replace(base.consumer, turnover=max(base.consumer.turnover, 0.001))
    return replace(base, firms=firms, consumer=turnover, focus=names[0], scandals={}, moves={}, policies={})


def typical(base: Scenario) -> Firm:
    """The preset's firm that most others are like: of the usual touchpoints, price and ease."""
    firms = list(base.firms.values())
    kinds = [(f.effort, f.ease, f.delight_rate, tuple(f.touchpoints)) for f in firms]
    return firms[max(range(len(firms)), key=lambda n: (kinds.count(kinds[n]), firms[n].share or 0.0))]


def changed(market: Scenario, numbers: Mapping[str, float]) -> Scenario:
    """The market with other numbers of `consumer` and `market` (dotted path: value)."""
    parts: dict[str, dict[str, float]] = {"consumer": {}, "market": {}}
    for path, value in numbers.items():
        part, _, name = path.partition(".")
        parts[part][name] = value
    consumer, category = replace(market.consumer, **parts["consumer"]), replace(market.market, **parts["market"])  # type: ignore[arg-type]
    return replace(market, consumer=consumer, market=category)


def with_levels(market: Scenario, log_presence: np.ndarray, cost: np.ndarray, attention: float) -> Scenario:
    """The market with presence, switching costs and attention."""
    presence = np.exp(log_presence - log_presence.max())
    presence = np.maximum(presence / presence.sum(), LEAST_PRESENCE)
    firms = {
        name: replace(firm, presence=float(f"{p:.6g}"), switching_cost=float(f"{c:.4g}"))
        for (name, firm), p, c in zip(market.firms.items(), presence, cost, strict=True)
    }
    consumer = replace(market.consumer, attention=float(f"{min(attention, 1.0):.5g}"))
    return replace(market, firms=firms, consumer=consumer)


def settle(market: Scenario, like: Histories, aims: Aims, people: int, rounds: int, seed: int) -> Scenario:
    """The market with presence, switching costs and attention such that shares, churn and moves are those aimed at.

    A firm's cost departs from that of all by what its churn tells beyond chance (normal, `cost_sd` in the settings).
    Rounds have the same dice; their last half is averaged, for near the aim only dice move.
    """
    firms = list(market.firms.values())
    log_presence = np.log([max(f.presence, LEAST_PRESENCE) for f in firms])
    base = np.array([f.switching_cost for f in firms])
    usual, cost, attention = float(base.mean()), base, market.consumer.attention
    trust = (SLOPE / aims.churn_error) ** 2
    weight = trust / (trust + number("provider", "cost_sd") ** -2.0)
    kept = []
    for n in range(rounds):
        h = observe(with_levels(market, log_presence, cost, attention), like, people, seed)
        figures = of_firms(h)
        share, churn = figures["share"].value(), figures["churn"].value()
        moves = float(of_market(h)[MOVES].value())
        gain = 1.0 if n < rounds // 2 else 0.5
        log_presence = log_presence - gain * _step(np.log(np.maximum(share, FLOOR) / np.maximum(aims.share, FLOOR)))
        level = np.log(max(moves, FLOOR) / aims.moves)
        attention *= float(np.exp(-gain * _step(level)))
        excess = np.log(np.maximum(churn, FLOOR) / np.maximum(aims.churn, FLOOR)) - level
        own = weight * (np.nan_to_num(excess) / SLOPE + cost - usual)
        own -= aims.share @ own
        cost = np.clip(cost + gain * _step(usual + own - cost), 0.0, MOST_COST)
        if n >= rounds // 2:
            kept.append((log_presence, cost, np.log(attention)))
    middle = [np.mean([k[part] for k in kept], axis=0) for part in range(3)]
    return with_levels(market, middle[0], middle[1], float(np.exp(middle[2])))


def _step(x: "np.ndarray | float") -> np.ndarray:
    return np.clip(x, -STEP, STEP)
