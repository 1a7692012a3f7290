"""What the page keeps of every week: a few small arrays, so that a frame costs the same in any week."""

from collections.abc import Sequence
from copy import copy

import numpy as np

from sim.measure.estimates import Estimate, difference, estimate, jackknife, pooled
from sim.measure.metrics import firm_metrics
from sim.measure.tally import WINDOWED, Array, Count, Event, Metric, Tally
from sim.mesa import Market
from sim.page import people

FEW = 10  # pairs of uses, or customers, that stayed, or that did not: with fewer an index says nothing

Cells = Sequence[int]


class History:
    """The weeks of one market; `record` is called after each. g is a fold of people, s cell, j firm, k scandal."""

    def __init__(self, market: Market):
        cells, firms = len(market.cells), len(market.firms)
        tally = market.shard.tally
        self.people = tally.people  # [g, s]
        self.trust = [people.mean_trust(market)]  # of [s, j], the first before week 0
        self.uses = [np.zeros((len(tally.people), cells, firms), np.int64)]  # [g, s, j] since week 0
        self.flow: list[Array] = []  # [s, j, j] a week
        self.message_counts: list[Array] = []  # [s, j, positive and negative] a week
        self.customers: list[Array] = []  # [g, j] whose last use was at the firm, by week
        self.news: list[Array] = []  # [s, k] people who first hear of it, a week
        self._index: dict[tuple[int, ...], Estimate] = {}

    def record(self, market: Market) -> None:
        """Keep the last week of the market."""
        t, tally = market.week, market.shard.tally
        flow, event = tally.flow[:, t], tally.event[:, t]
        self.people = tally.people
        self.trust.append(people.mean_trust(market))
        self.uses.append(self.uses[-1] + flow[..., 1:].sum(axis=2))
        self.flow.append(flow[:, :, 1:, 1:].sum(axis=0))
        self.message_counts.append(event[..., [Event.POSITIVE_WOM, Event.NEGATIVE_WOM]].sum(axis=0))
        self.customers.append(people.customers_by_fold(market)[0])
        self.news.append(tally.news[:, t, :, :, 0].sum(axis=0))

    def fork(self) -> "History":
        """A copy that goes on by itself."""
        twin = copy(self)
        for name in ("trust", "uses", "flow", "message_counts", "customers", "news"):
            setattr(twin, name, list(getattr(self, name)))
        twin._index = dict(self._index)
        return twin

    def uses_by_week(self, cells: Cells, begin: int = 0, smooth: int = 1) -> Array:
        """[g, t, j] uses by some cells from week `begin` on, each with the weeks before it, `smooth` in all."""
        total = np.array([u[:, cells].sum(axis=1) for u in self.uses[max(0, begin + 1 - smooth) :]]).swapaxes(0, 1)
        ends = np.arange(begin + 1, len(self.uses)) - (len(self.uses) - total.shape[1])
        return total[:, ends] - total[:, np.maximum(ends - smooth, 0)]

    def share(self, cells: Cells, begin: int = 0, smooth: int = 1) -> Estimate:
        """[t, j] share of uses, and its error over people."""
        return jackknife(shares(self.uses_by_week(cells, begin, smooth)))

    def mean_trust(self, cells: Cells, begin: int = 0) -> Array:
        """[t, j] mean trust of the people of some cells; the first row is before week `begin`."""
        count = self.people.sum(axis=0)[cells]
        rows = np.array([row[cells] for row in self.trust[begin:]])
        return np.asarray(np.nansum(rows * count[:, None], axis=1) / max(1, count.sum()))

    def awareness(self, cells: Cells, k: int, week: int) -> Array:
        """[t] share of people who have heard of a scandal, at the end of each week since it broke."""
        found = [n[cells, k].sum() if k < n.shape[1] else 0 for n in self.news[week:]]
        return np.cumsum(found) / max(1, self.people.sum(axis=0)[cells].sum())

    def messages(self, cells: Cells, begin: int, j: int) -> Array:
        """[t, positive and negative] messages about a firm."""
        return np.array([w[cells, j].sum(axis=0) for w in self.message_counts[begin:]]).reshape(-1, 2)

    def index(self, market: Market, window: int, cells: Cells) -> Estimate:
        """[j] stickiness in a window that has ended; computed once."""
        key = (window, *cells)
        if key not in self._index:
            tally = market.shard.tally
            counts = {n: getattr(tally, n)[:, window : window + 1] for n in WINDOWED}
            none = {n: getattr(tally, n)[:, :0] for n in ("flow", "event", "news")}
            self._index[key] = stickiness_index(market, pooled(tally._replace(**counts, **none), cells))
        return self._index[key]


def index_metric(market: Market) -> Metric:
    """The stickiness index of the market's regime."""
    return firm_metrics(market.scenario_now.market.regime == "provider")["stickiness"]


def stickiness_index(market: Market, counts: Tally, other: Tally | None = None) -> Estimate:
    """[j] the index of pooled counts, or the difference `other` minus these; nan where too few uses support it.

    That is where fewer than FEW of its pairs of uses (or customers of a provider) stayed, or fewer did not.
    """
    known = index_metric(market)
    found = estimate(known, counts) if other is None else difference(known, counts, other)
    seen = np.min([_sample(market, c) for c in (counts, other or counts)], axis=(0, 1))
    unknown = (seen < FEW) | ~(found.error > 0)
    return Estimate(np.where(unknown, np.nan, found.value), np.where(unknown, np.nan, found.error))


def _sample(market: Market, counts: Tally) -> Array:
    """[stayed or not, j] how many pairs of uses, or customers of a provider, the index rests on."""
    if market.scenario_now.market.regime == "provider":
        known = counts.transitions.sum(axis=0)[1:, 1:]
        stayed, seen = np.diagonal(known), known.sum(axis=-1)
    else:
        stayed, seen = counts.window.sum(axis=0)[:, [Count.PAIRS, Count.ALL_PAIRS]].T
    return np.array([stayed, seen - stayed])


def paired_gap(here: Array, there: Array, sizes: Array) -> Estimate:
    """[...] counts `here` [g, ...] minus those `there`, with the paired error over folds of `sizes` people [g]."""
    gap, total = here - there, sizes.sum()
    rest = (total - sizes).reshape(-1, *[1] * (gap.ndim - 1))
    without = total * (gap.sum(axis=0) - gap) / np.maximum(rest, 1)
    return jackknife(np.concatenate([gap.sum(axis=0, keepdims=True), without]))


def shares(uses: Array) -> Array:
    """[fold, ..., j] shares of uses [g, ..., j]: of everybody, then of everybody but each group."""
    total = uses.sum(axis=0, keepdims=True)
    folds = np.concatenate([total, total - uses[uses.reshape(len(uses), -1).sum(axis=1) > 0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(folds / folds.sum(axis=-1, keepdims=True))


def share_gap(market: History, twin: History, cells: Cells, week: int) -> Estimate:
    """[j] share of uses since a week, market minus twin, with the paired error."""
    since = [c.uses[-1][:, cells].sum(axis=1) - c.uses[week][:, cells].sum(axis=1) for c in (market, twin)]
    folds = [np.concatenate([u.sum(axis=0, keepdims=True), u.sum(axis=0) - u]) for u in since]
    with np.errstate(divide="ignore", invalid="ignore"):
        here, there = (f / f.sum(axis=-1, keepdims=True) for f in folds)
        return jackknife(here - there)
