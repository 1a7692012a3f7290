"""Runs the simulation: the kernel each week, message exchange between weeks."""

import operator
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import reduce
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from sim.compute.html import html_table, with_error
from sim.compute.jit import CHECKED
from sim.engine.checks import check_week
from sim.engine.kernel import carry_folds, deliver_outbox
from sim.engine.policies import as_moves, last_window, moves_made, react
from sim.engine.shard import (
    CORES,
    INITIALIZE,
    STEP_FOLDS,
    Pool,
    Shard,
    close_window,
    fork,
    grow_older,
    initialize,
    kernel_data,
    one_by_one,
    step_week,
)
from sim.engine.threads import end_if_stopped
from sim.engine.threads import threads as threads_of
from sim.measure import estimates, metrics
from sim.measure.groups import groups
from sim.measure.shares import Share
from sim.measure.tally import Tally, counted
from sim.model.events import Move
from sim.model.fields import Scenario
from sim.model.network import Links
from sim.model.state import CARRY_WEEKS, People

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CORES",
    "INITIALIZE",
    "STEP_FOLDS",
    "THREADED",
    "Run",
    "Shard",
    "advance",
    "carries",
    "close_window",
    "end_week",
    "ending",
    "exchange",
    "fork",
    "initialize",
    "one_by_one",
    "simulate",
    "step_week",
    "together",
]

AT_ONCE = 1_000_000  # person-weeks between two looks at whether to stop: a small part of a second
THREADED = 100_000  # people from which threads are worth it
APART = 10_000_000  # people, all threads together, up to which each thread has memory for a replication of its own


@dataclass
class Run:
    """A scenario and what was counted when it was simulated; folds of all replications along the first axis."""

    scenario: Scenario
    tally: Tally
    shares: dict[str, Share] = field(default_factory=dict)  # by firm, where presence was solved for stated shares
    people: list[People] = field(default_factory=list)  # at the end of the run, one a replication
    moves: list[dict[str, Move]] = field(default_factory=list)  # that policies made, one dict a replication

    def __repr__(self) -> str:
        """One line: of which scenario, in how many replications."""
        return f"<Run of {self.scenario!r}, {self.scenario.replications} replications>"

    def _repr_html_(self) -> str:
        """Share and stickiness of each firm, as a notebook shows them."""
        provider = self.scenario.market.regime == "provider"
        counts, firms = estimates.pooled(self.tally), list(self.scenario.firms)
        share = metrics.with_presence(estimates.estimate(metrics.share, counts), firms, self.shares)
        sticky = estimates.estimate(metrics.firm_metrics(provider)["stickiness"], counts)
        cells = ([with_error(*pair) for pair in zip(*found, strict=True)] for found in (share, sticky))
        return html_table(repr(self), ["firm", "share", "stickiness"], zip(firms, *cells, strict=True))

    def as_moves(self, replication: int = 0) -> Scenario:
        """The scenario of a replication (0 = the first of this run), the moves that its policies made in their place.

        Simulated with `first` the number of that replication, it gives the same counts.
        """
        return as_moves(self.scenario, self.moves[replication] if self.moves else {})

    def table(self) -> "pd.DataFrame":
        """Every metric with its standard error: group, firm ("" = the market), metric, value, error; a row each."""
        s = self.scenario
        return metrics.table(self.tally, list(s.firms), groups(s), s.market.regime == "provider", self.shares)


def simulate(
    scenario: Scenario,
    threads: int | None = None,
    shards: int = 1,
    network: Links | None = None,
    progress: Callable[[int, int], None] | None = None,
    keep_people: bool = False,
    first: int = 0,
    start: Sequence[People] | None = None,
    by_week: bool = True,
) -> Run:
    """Run all replications of a scenario whose presence is solved, and return what was counted.

    `sim.simulate` solves presence first; here a scenario that still states shares is a ScenarioError. `threads`
    defaults to all cores for large populations; `network` is (starts, recipients), see `sim.model.network.links`;
    `progress(done, of)` is called for every week, maybe after some of them; `first` is the number of the first
    replication; `start` gives the people of an earlier run (`keep_people`), one a replication, to begin with. Not
    `by_week`, what is counted by week is summed over all weeks, unless policies need it.

    >>> from sim.model.scenario import build
    >>> simulate(build({"people": 64, "weeks": 13, "segments": {"all": {}}, "firms": {"a": {}}})).tally.people.sum()
    np.int64(64)
    """
    runs, weeks, done = scenario.replications, scenario.burn_in + scenario.weeks, count(1)
    threads = threads or (CORES if scenario.people * runs >= THREADED else 1)
    apart = 1 < threads <= runs and scenario.people * threads <= APART  # a thread a replication, or several in one

    def replication(r: int) -> tuple[Tally, People | None, dict[str, Move]]:
        inner = None if apart else pool
        parts = initialize(scenario, first + r, shards, network, start[r] if start else None, inner, None, by_week)
        open_counts(parts)
        while parts[0].week < scenario.weeks:
            for _ in range(advance(parts, inner, AT_ONCE)):
                if progress:
                    progress(next(done), runs * weeks)
        return _all_counts(parts), _all_people(parts) if keep_people else None, moves_made(scenario, parts[0].scenario)

    with threads_of(threads) if threads > 1 else nullcontext() as pool:
        tallies, people, moves = zip(*(pool.map if pool and apart else map)(replication, range(runs)), strict=True)
    return Run(scenario, together(tallies), {}, list(filter(None, people)), list(moves) if scenario.policies else [])


def together(tallies: Sequence[Tally]) -> Tally:
    """The folds of all replications; one alone is not copied, which takes as long as four weeks of 10,000 people."""
    return tallies[0] if len(tallies) == 1 else Tally(*(np.concatenate(a) for a in zip(*tallies, strict=True)))


def open_counts(parts: Sequence[Shard]) -> None:
    """Start the counts that run from week 0 on, where no week of burn-in does it at its end."""
    for shard in parts:
        if shard.week == 0:
            close_window(shard, -1, True)


def advance(parts: Sequence[Shard], pool: Pool = None, person_weeks: int = 0) -> int:
    """One week of every shard: step, exchange messages, close the window if it ends here.

    People who are one shard are stepped through more weeks at once, if they are no more than so many `person_weeks`.
    Returns how many weeks it were.
    """
    end_if_stopped()
    weeks = 1 if pool or len(parts) > 1 or CHECKED else _undisturbed(parts[0], person_weeks)
    for shard in parts:
        step_week(shard, pool, weeks)
    end_week(parts, pool)
    return weeks


def _undisturbed(shard: Shard, person_weeks: int) -> int:
    """The weeks until the run ends, or firms with policies may react."""
    s = shard.scenario
    left = s.window - shard.week % s.window if s.policies else s.weeks - shard.week
    return max(1, min(left, s.weeks - shard.week, person_weeks // max(1, len(shard.people.one))))


def end_week(parts: Sequence[Shard], pool: Pool = None, reacts: bool = True) -> None:
    """What follows a week, once every shard has stepped: exchange messages, close the window if it ends here.

    People grow older. Then firms with policies react, unless there are other shards elsewhere that have counted a part.
    """
    if parts[0].world.market["talk"][0]:
        exchange(parts)
    for shard in parts:
        ends = ending(shard)
        if ends:
            close_window(shard, *ends, pool)
        elif carries(shard):
            carry_folds(kernel_data(shard), shard.edges, shard.folds.start, shard.folds.stop)
        grow_older(shard)
        if CHECKED:
            check_week(shard.people, shard.world, shard.tally, shard.first, shard.week)
        shard.week += 1
    if reacts and window_ended(parts[0]):
        react(parts, sum_of(window_counts(shard) for shard in parts))


def window_ended(shard: Shard) -> bool:
    """Whether a window has just ended to which firms with policies may react."""
    return window_ends(shard.scenario, shard.week - 1)


def window_ends(s: Scenario, week: int) -> bool:
    """Whether a window to which firms with policies may react ends with a week."""
    return bool(s.policies) and week >= 0 and week % s.window == s.window - 1


def window_counts(shard: Shard) -> Tally:
    """What this shard has counted in the window that has just ended, over all its people."""
    return last_window(shard.tally, shard.week - 1, shard.scenario.window)


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """The counts of all parts of the same people."""
    return reduce(operator.add, tallies)


def ending(shard: Shard) -> tuple[int, bool] | None:
    """The window that ends with this week, and whether week 0 comes next: the arguments of `close_window`, or None."""
    week, window = shard.week, shard.scenario.window
    if week == -1:
        return -1, True
    return (max(-1, week // window), False) if week % window == window - 1 else None


def carries(shard: Shard) -> bool:
    """Is it time to carry uses out of counters that might fill before the window ends?"""
    return len(shard.people.carried) > 0 and shard.week % shard.scenario.window % CARRY_WEEKS == CARRY_WEEKS - 1


def exchange(parts: Sequence[Shard]) -> None:
    """Deliver the week's messages and fresh news to every shard, in the order of the senders' numbers."""
    message, just_heard = parts[0].outbox
    if len(parts) > 1:
        message, just_heard = (np.concatenate(rows) for rows in zip(*(shard.outbox for shard in parts), strict=True))
    if not len(message) + len(just_heard):
        return
    message = message[np.argsort(message[:, 0])]
    for shard in parts:
        if len(shard.people.one):
            deliver_outbox(kernel_data(shard), shard.key, shard.first, shard.week, message, just_heard)


def _all_counts(parts: Sequence[Shard]) -> Tally:
    """What all shards counted."""
    return counted(sum_of(shard.tally for shard in parts))


def _all_people(parts: Sequence[Shard]) -> People:
    """The people of all shards."""
    return People(*(np.concatenate(rows) for rows in zip(*(shard.people for shard in parts), strict=True)))
