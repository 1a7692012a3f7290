"""Everybody, fast: the rules over all people, week after week, and between weeks what the crowd hears.

A group of people is the unit of work: one thread at a time lives it and alone writes its slice of the tally, so the
result is the same whatever the threads or shards.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim.draws import Purpose, rule, uniform, words
from sim.rules import born, listen, live
from sim.scenario import Scenario, ScenarioError, change
from sim.tally import GROUPS, Tally, close_window, counted, empty_tally
from sim.world import RECORDS, People, World, make_people, make_world

SCANDALOUS = ("heard", "acts", "backs", "harmed", "news", "fresh", "message", "changed")  # of the last story only
THREADED = 100_000  # people from which a single run is worth several threads


@dataclass
class Run:
    """A scenario and what was counted when it was lived; groups of all replications along the first axis."""

    scenario: Scenario
    tally: Tally
    shares: dict[str, tuple[float, float]] = field(default_factory=dict)  # firm: (share asked for, share reached)
    people: list[People] = field(default_factory=list)  # as they stand at the end, one a replication


@dataclass
class Life:
    """A shard of one replication in the middle of its story."""

    scenario: Scenario
    world: World
    people: People
    tally: Tally
    key: tuple[int, int]
    groups: range
    edges: np.ndarray  # row at which each group begins, [GROUPS + 1]
    week: int


@rule
def _live_groups(people, world, tally, key, edges, first, stop, week):
    for g in range(first, stop):
        for i in range(edges[g], edges[g + 1]):
            live(people, world, tally, key, i, g, week)


@rule
def _bear_groups(people, world, tally, key, edges, first, stop, week):
    for g in range(first, stop):
        for i in range(edges[g], edges[g + 1]):
            born(people, world, key, i)
            tally.people[g, people.one[i].cell] += 1


@rule
def _close_groups(people, tally, edges, first, stop, window, opening):
    for g in range(first, stop):
        for i in range(edges[g], edges[g + 1]):
            close_window(people.one[i], people.bonds[i], tally, g, window)
            if opening:
                people.one[i].changed = 0


@rule
def listener(world, key, sender, link):
    """The person at the end of a link: stored, or ring neighbour that leads anywhere with chance `rewiring`."""
    if world.starts.shape[0] > 0:
        return world.listeners[world.starts[sender] + link]
    n = world.market[0].people
    astray, where = words(key, Purpose.LINK, sender, 0, link)
    if uniform(astray) < world.market[0].rewiring:
        return min((np.int64(where) * n) >> 32, n - 1)
    step = link // 2 + 1
    return (sender + (step if link % 2 == 0 else -step)) % n


@rule
def degree(world, sender):
    """How many people hear this one."""
    if world.starts.shape[0] > 0:
        return world.starts[sender + 1] - world.starts[sender]
    return world.market[0].neighbours


@rule
def _deliver(people, world, key, week, tellers):
    """Bring what the tellers have to say to those rows of `people` that hear it, in the order of the tellers."""
    first, rows, m = people.one[0].number, people.one.shape[0], world.market[0]
    for a in range(tellers.shape[0]):
        teller = tellers[a]
        many = degree(world, teller.number)
        for link in range(many):
            i = listener(world, key, teller.number, link) - first
            if 0 <= i < rows and i + first != teller.number:
                if teller.message != 0:
                    listen(people.bonds[i, abs(teller.message) - 1], teller.message > 0, m)
                if teller.fresh != 0:
                    _pass_on(people.one[i], world, key, week, teller, link, np.float32(many))


@rule
def _pass_on(me, world, key, week, teller, link, many):
    """Each scandal the teller has just heard of reaches me with chance contagion x voice / listeners (#64)."""
    for k in range(world.scandals.shape[0]):
        if (teller.fresh >> k) & 1 == 1:
            chance = world.scandals[k].contagion * world.traits[teller.cell].voice / many
            told = words(key, Purpose.PASS, teller.number, week, ((link << 5) | k) & 0xFFFF)[0]
            if uniform(told) < chance:
                me.news |= np.uint32(1 << k)


def begin(
    scenario: Scenario, replication: int = 0, shards: int = 1, network: Any = None, start: People | None = None
) -> list[Life]:
    """The people of a replication, ready for their first week of burn-in, in shards of whole groups.

    They are born, or those of `start` (an earlier run's people), who keep what they like, know and do, not the news.
    """
    if start is not None and start.bonds.shape != (scenario.people, len(scenario.firms)):
        raise ScenarioError(
            [f"start: {start.bonds.shape} people x firms for {scenario.people} x {len(scenario.firms)}"]
        )
    world = make_world(scenario, network)
    size = (scenario.weeks, scenario.weeks // scenario.window, len(scenario.cells), len(scenario.firms))
    firsts = np.arange(GROUPS + 1) * scenario.people // GROUPS
    lives = []
    for shard in range(shards):
        groups = range(shard * GROUPS // shards, (shard + 1) * GROUPS // shards)
        people = make_people(firsts[groups.start], firsts[groups.stop], len(scenario.firms))
        tally = empty_tally(*size, scandals=len(world.scandals))
        edges = firsts - firsts[groups.start]
        life = Life(scenario, world, people, tally, (scenario.seed, replication), groups, edges, -scenario.burn_in)
        if start is None:
            _by_group(life, _bear_groups, None)
        else:
            _adopt(life, start)
        lives.append(life)
    return lives


def _adopt(life: Life, start: People) -> None:
    """Put the people of an earlier run into the rows of a shard; what the last story left behind is forgotten."""
    one, rows = life.people.one, life.people.one["number"].copy()
    one[:], life.people.bonds[:] = start.one[rows], start.bonds[rows]
    for name in SCANDALOUS:
        one[name] = 0
    one["seen"] = life.week
    one["uses"], life.people.bonds["count"], one["home"] = 0, 0, one["last"]
    for g in life.groups:
        cells = one["cell"][life.edges[g] : life.edges[g + 1]]
        life.tally.people[g] = np.bincount(cells, minlength=life.tally.people.shape[1])


def _by_group(life: Life, work: Callable[..., None], pool: ThreadPoolExecutor | None) -> None:
    """All groups in one call, or group by group as the threads of the pool come free."""
    pieces = [(g, g + 1) for g in life.groups] if pool else [(life.groups.start, life.groups.stop)]

    def piece(groups: tuple[int, int]) -> None:
        work(life.people, life.world, life.tally, life.key, life.edges, *groups, life.week)

    for _ in (pool.map if pool else map)(piece, pieces):
        pass


def live_week(life: Life, pool: ThreadPoolExecutor | None = None) -> None:
    """Everybody of a shard lives the week; RuntimeError past the last, for which the tally has no room."""
    if life.week >= life.scenario.weeks:
        raise RuntimeError(f"week {life.week} is beyond the last of the scenario ({life.scenario.weeks - 1})")
    _by_group(life, _live_groups, pool)


def close(life: Life, window: int, opening: bool = False) -> None:
    """Count a window that ends (below 0: forget it); `opening` starts the story's own counts."""
    _close_groups(life.people, life.tally, life.edges, life.groups.start, life.groups.stop, window, opening)


def advance(lives: Sequence[Life], pool: ThreadPoolExecutor | None = None) -> None:
    """One week for every shard: live, then hear one another, then close the window if it ends here."""
    for life in lives:
        live_week(life, pool)
    end_week(lives)


def end_week(lives: Sequence[Life]) -> None:
    """Between weeks, once everybody has lived: hear one another, then close the window if it ends here."""
    if lives[0].world.market["talk"][0]:
        exchange(lives)
    for life in lives:
        week, window = life.week, life.scenario.window
        if week == -1:
            close(life, -1, True)
        elif week < -1 and week % window == window - 1:
            close(life, -1)
        elif week >= 0 and week % window == window - 1:
            close(life, week // window)
        life.week += 1


def exchange(lives: Sequence[Life]) -> None:
    """What was told this week reaches the neighbours, in every shard, in the order of the senders' numbers."""
    tellers: np.ndarray = np.concatenate([_tellers(life.people.one) for life in lives]).view(RECORDS)
    for life in lives:
        if len(tellers) and len(life.people.one):
            _deliver(life.people, life.world, life.key, life.week, tellers)


def _tellers(one: np.ndarray) -> np.ndarray:
    return one[(one["message"] != 0) | (one["fresh"] != 0)]


def simulate(
    scenario: Scenario,
    threads: int | None = None,
    shards: int = 1,
    network: Any = None,
    progress: Callable[[int, int], None] | None = None,
    keep_people: bool = False,
    first: int = 0,
    start: Sequence[People] | None = None,
) -> Run:
    """Live the scenario, all its replications, and return what was counted.

    Shares that firms state are reproduced first (`settle`). `threads` defaults to the processors at hand for large
    populations; `network` is (starts, listeners), see `world.links`; `progress(done, of)` hears of every
    week; `first` is the number of the first replication; `start` gives the people of an earlier
    run (`keep_people`), one a replication, to begin with.
    """
    scenario, shares = settle(scenario)
    tallies, kept = [], []
    total = scenario.replications * (scenario.burn_in + scenario.weeks)
    threads = threads or (os.cpu_count() or 1 if scenario.people >= THREADED else 1)
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        for r in range(first, first + scenario.replications):
            lives = begin(scenario, r, shards, network, start[r - first] if start else None)
            if scenario.burn_in == 0:
                for life in lives:
                    close(life, -1, True)
            for week in range(scenario.burn_in + scenario.weeks):
                advance(lives, pool)
                if progress:
                    progress((r - first) * (scenario.burn_in + scenario.weeks) + week + 1, total)
            tally = lives[0].tally
            for life in lives[1:]:
                tally = tally + life.tally
            tallies.append(counted(tally))
            if keep_people:
                kept.append(People(*(np.concatenate(a) for a in zip(*(x.people for x in lives), strict=True))))
    return Run(scenario, Tally(*(np.concatenate(a) for a in zip(*tallies, strict=True))), shares, kept)


def settle(
    scenario: Scenario, people: int = 20_000, tolerance: float = 0.0015, most: int = 12
) -> tuple[Scenario, dict[str, tuple[float, float]]]:
    """Presence such that the simulated shares are those the firms state, and (asked, reached) for each firm.

    Share inversion as in Berry (1994): ln presence moves by ln asked - ln reached, a tenth less because habit makes
    shares respond more than in proportion, until every share is within `tolerance`; on a story without scandals and
    moves, with the draws of the scenario's own seed.
    """
    asked = {name: f.share for name, f in scenario.firms.items() if f.share is not None}
    if not asked:
        return scenario, {}
    rest = [name for name in scenario.firms if name not in asked]
    presence = sum(scenario.firms[name].presence for name in rest)
    left = max(0.0, 1 - sum(asked.values()))
    target = {**asked, **{name: left * scenario.firms[name].presence / presence for name in rest}}
    want = np.array([target[name] for name in scenario.firms])
    want /= want.sum()
    log_presence, best = np.log(want), (np.inf, np.log(want), want)
    for _ in range(most):
        trial = _with_presence(scenario, log_presence)
        reached = _quiet_shares(trial, people)
        worst = float(np.abs(reached - want).max())
        if worst < best[0]:
            best = (worst, log_presence.copy(), reached)
        if worst < tolerance:
            break
        log_presence = log_presence + 0.9 * np.log(want / np.maximum(reached, 1e-6))
    shares = {name: (float(want[j]), float(best[2][j])) for j, name in enumerate(scenario.firms) if name in asked}
    return _with_presence(scenario, best[1]), shares


def _with_presence(scenario: Scenario, log_presence: np.ndarray) -> Scenario:
    presence = np.exp(log_presence - log_presence.max())
    presence /= presence.sum()
    values = {f"firms.{name}.presence": float(presence[j]) for j, name in enumerate(scenario.firms)}
    return change(scenario, {**values, **{f"firms.{name}.share": None for name in scenario.firms}})


def _quiet_shares(scenario: Scenario, people: int) -> np.ndarray:
    """Shares of uses over a year without events; for providers shares of people."""
    weeks = min(scenario.weeks, 52)
    quiet = change(
        scenario,
        {"people": min(people, scenario.people), "replications": 1, "weeks": weeks, "window": weeks}
        | {"scandals": {}, "moves": {}},
    )
    uses = simulate(quiet).tally.flow.sum(axis=(0, 1, 2, 3))[1:]
    return uses / max(1, uses.sum())
