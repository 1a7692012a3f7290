"""The market of a visitor and its twin, the same people without any event, and what is read of both."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from sim.measure.estimates import Estimate, pooled
from sim.measure.quantity import Quantity, change_of, changes_over
from sim.measure.shares import Share
from sim.measure.tally import WINDOWED, Tally
from sim.mesa import Market
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change, levers
from sim.page import limits, people
from sim.page.events import GameEvent, events_of, members, with_events
from sim.page.history import History, paired_gap, share_gap, stickiness_index
from sim.page.names import in_words, title
from sim.page.person_week import snapshot, told
from sim.study.answer import NO_EVENTS
from sim.study.presets import compose, presets, scenario_and_shares

FIRST_MARKET = "toothpaste_uk"
COMPOSE_LOCK = threading.RLock()  # Hydra composes one scenario at a time


OWN_PREFIX = "own_"
OWN: dict[str, tuple[Scenario, dict[str, Share]]] = {}  # markets fitted to visitors' data, while they are here


def preset_and_shares(market: str) -> tuple[Scenario, dict[str, Share]]:
    """A market with presence solved, and the shares reached: shared by all visitors, and never written to."""
    if market.startswith(OWN_PREFIX) and market not in OWN:
        raise ScenarioError(["the market fitted to your data was not kept after your visit; send the file again"])
    return OWN[market] if market in OWN else _shipped(market)


@lru_cache(maxsize=32)
def _shipped(market: str) -> tuple[Scenario, dict[str, Share]]:
    """A market of conf/."""
    if market not in presets("market"):
        raise ScenarioError([f"market: {market!r} is no preset; there are {', '.join(presets('market'))}"])
    with COMPOSE_LOCK:
        return scenario_and_shares([f"market={market}"])


def preset(market: str) -> Scenario:
    """A market of conf/ with presence solved."""
    return preset_and_shares(market)[0]


@lru_cache(maxsize=32)
def scandal(kind: str) -> dict[str, Any]:
    """The values of a scandal of conf/, without the firm's response, which is left to the visitor."""
    with COMPOSE_LOCK:
        [values] = compose([f"scandal={kind}"])[0]["scandals"].values()
    return {n: v for n, v in values.items() if n not in ("firm", "week", "response", "response_delay")}


@dataclass(frozen=True)
class Difference:
    """What all events did so far to the firm that the answer tells of: market minus twin.

    `share` is value and error, in points; `stickiness` that of the last window that has ended, if any event is in it.
    """

    firm: str
    lost: int
    won: int
    people: Quantity
    percent: Quantity
    base: int
    share: tuple[float, float]
    stickiness: tuple[float, float] | None


class Game:
    """A market under way. Events can be changed at any time, past ones too; traits need a new game."""

    def __init__(self, start: Scenario, week: int = 0, off: Sequence[str] = ()):
        limits.check_limits(start)
        self.start = change(start, NO_EVENTS)
        self.market = Market(self.start, endless=True, agents=False, collect=False)
        self.history = History(self.market)
        self.twin: Market | None = None
        self.twin_history: History | None = None
        self.events: tuple[GameEvent, ...] = ()
        self.watched: int | None = None  # the person whose weeks are told
        self.last_week: dict[str, str] = {}
        found = tuple(replace(e, on=e.key not in off) for e in events_of(start))
        if found:
            self.set_events(found)
        while self.week < min(week, limits.WEEKS):
            self.step()

    @property
    def week(self) -> int:
        return self.market.week

    @property
    def scenario(self) -> Scenario:
        """The scenario as it stands, with the events that are on."""
        return self.market.scenario_now

    @property
    def over(self) -> bool:
        """Whether the last week that the page plays is over."""
        return self.week >= limits.WEEKS

    @property
    def active(self) -> list[GameEvent]:
        """The events that are on, in the order of their weeks."""
        return sorted((e for e in self.events if e.on), key=lambda e: e.week)

    @property
    def firm(self) -> str:
        """The firm that the answer tells of: the focus, or where the first event happens."""
        firms = [e.firm for e in self.active]
        return self.start.focus if self.start.focus in firms or not firms else firms[0]

    def step(self) -> None:
        """One week for the market and its twin."""
        if self.over:
            raise ScenarioError([f"week {limits.WEEKS:,} is the last that the page plays; Reset begins again"])
        before = None if self.watched is None else snapshot(self.market, self.watched)
        for market, history in ((self.market, self.history), (self.twin, self.twin_history)):
            if market and history:
                market.step()
                history.record(market)
        if before is not None and self.watched is not None:
            self.last_week = told(self.market, before, snapshot(self.market, self.watched))

    # ------------------------------------------------------------ events

    def set_events(self, events: Sequence[GameEvent]) -> None:
        """Have these events; where the past would be another, the weeks so far are simulated again."""
        wanted = with_events(self.start, events, self.scenario.weeks)
        limits.check_limits(wanted)
        if self.twin is None:
            self.twin, self.twin_history = self.market.fork(), self.history.fork()
        try:
            self.market.set_events(*members(events))
        except ScenarioError:
            self._replay(wanted)
        self.events = tuple(sorted(events, key=lambda e: e.week))

    def _replay(self, scenario: Scenario) -> None:
        """The market from week 0 again, up to where it was."""
        week = self.week
        market = Market(scenario, endless=True, agents=False, collect=False)
        history = History(market)
        while market.week < week:
            market.step()
            history.record(market)
        self.market, self.history = market, history

    def add(self, *events: GameEvent) -> None:
        """Add events."""
        self.set_events((*self.events, *events))

    def scandal(self, kind: str, firm: str, **values: Any) -> None:
        """A scandal of conf/ breaks at a firm in the coming week."""
        self.add(GameEvent("scandal", self._event_name(kind), firm, self.week, {**scandal(kind), **values}))

    def move(self, lever: str, firm: str, value: float, text: str, weeks: int = 0) -> None:
        """A firm sets a lever from the coming week on, for so many weeks (0 = for good)."""
        name = self._event_name(re.sub(r"\W+", "_", text.replace("%", "percent")).strip("_"))
        self.add(GameEvent("move", name, firm, self.week, {"lever": lever, "value": value, "weeks": weeks}))

    def apologize(self, firm: str, response: float = 0.5) -> None:
        """The firm apologizes for its last scandal in the coming week."""
        own = [e for e in self.active if e.kind == "scandal" and e.firm == firm and e.week <= self.week]
        if not own:
            raise ScenarioError([f"{title(firm)} has nothing to apologize for: it has had no scandal so far"])
        if any(e.key == f"apology.{own[-1].name}" for e in self.events):
            raise ScenarioError([f"{title(firm)} has apologized for the {in_words(own[-1].name)} already"])
        self.add(GameEvent("apology", own[-1].name, firm, self.week, {"response": response}))

    def set_lever(self, path: str, value: float) -> None:
        """Set a lever by its path firms.NAME.LEVER from the coming week on: a move like any other."""
        _, firm, lever = path.split(".", 2)
        again = [e for e in self.events if (e.week, e.firm, e.values.get("lever")) == (self.week, firm, lever)]
        kept = [e for e in self.events if e not in again]
        name = again[0].name if again else self._event_name(f"{firm}_{lever.replace('.', '_')}")
        self.set_events((*kept, GameEvent("move", name, firm, self.week, {"lever": lever, "value": value, "weeks": 0})))

    def lever(self, path: str) -> float:
        """The value of a lever by its path firms.NAME.LEVER, as the coming week has it."""
        _, firm, lever = path.split(".", 2)
        return self.market.competitor[firm].lever(lever)

    def _event_name(self, stem: str) -> str:
        """A name that no event has."""
        taken = {e.name for e in self.events}
        return next(name for name in (stem, *(f"{stem}_{n}" for n in range(2, 99))) if name not in taken)

    def marks(self) -> list[tuple[int, str]]:
        """(week, text) of every event so far and in the coming week."""
        return [(e.week, "apology" if e.kind == "apology" else e.text) for e in self.active if e.week <= self.week]

    # ------------------------------------------------------------ results

    def groups(self) -> list[str]:
        """The groups of people that can be shown: everybody (""), each segment, each age group."""
        cohorts = self.start.cohorts if len(self.start.cohorts) > 1 else ()
        return ["", *self.start.segments, *cohorts]

    def cells(self, group: str = "") -> list[int]:
        """The cells of a group of `groups`."""
        return [n for n, cell in enumerate(self.start.cells) if not group or group in cell]

    def customers(self, market: Market | None = None) -> np.ndarray:
        """[j] people whose last use was at the firm."""
        last = people.last(market or self.market)
        return np.bincount(last[last >= 0], minlength=len(self.start.firms))

    def compared(self) -> Difference | None:
        """The market against its twin; None before an event has acted for a week."""
        active = self.active
        if self.twin is None or self.twin_history is None or not active or self.week <= active[0].week:
            return None
        j = list(self.start.firms).index(self.firm)
        here, there = (people.last(m) == j for m in (self.market, self.twin))
        by_fold = [self._by_fold(flags) for flags in (there & ~here, here & ~there, there)]
        gone, come, there_before = by_fold
        moved, percent = change_of(gone, come, there_before, 1)
        share = share_gap(self.history, self.twin_history, self.cells(), active[0].week)
        points = float(share.value[j]), float(share.error[j])
        lost, won, base = (int(counts.sum()) for counts in by_fold)
        return Difference(self.firm, lost, won, moved, percent, base, points, self._stickiness_gap(j, active[0].week))

    def gaps(self, firm: str, begin: int) -> list[Quantity]:
        """By week from `begin` on, what all events did to the customers of a firm, in % of those without events."""
        if self.twin_history is None:
            return []
        j = list(self.start.firms).index(firm)
        here, there = (np.array([c[:, j] for c in h.customers[begin:]]) for h in (self.history, self.twin_history))
        gap = (here - there).T
        return changes_over(np.maximum(-gap, 0), np.maximum(gap, 0), there.T) if len(here) else []

    def _by_fold(self, flags: np.ndarray) -> np.ndarray:
        """[g] people of each jackknife fold, as the engine counts them."""
        ends = np.cumsum(np.r_[0, flags])
        return np.asarray(np.diff(ends[np.asarray(self.market.shard.edges)]))

    def _stickiness_gap(self, j: int, week: int) -> tuple[float, float] | None:
        """The firm's index in the last window that has ended, market minus twin; None where no event is in it."""
        ended = self.week // self.start.window
        if not self.twin or ended * self.start.window <= week:
            return None
        found = stickiness_index(self.market, *(_window(m, ended - 1) for m in (self.twin, self.market)))
        return float(found.value[j]), float(found.error[j])

    def customers_gained(self) -> Estimate:
        """[j] customers more than in the twin, with the paired error."""
        (here, sizes), (there, _) = (people.customers_by_fold(m) for m in (self.market, self.twin or self.market))
        return paired_gap(here, there, sizes)

    def watch(self, number: int | None) -> None:
        """Tell the weeks of this person from now on."""
        self.watched, self.last_week = number, {}

    def person(self, number: int) -> dict[str, str]:
        """A person in words: label and value."""
        found = people.person(self.market, number) | (self.last_week if number == self.watched else {})
        return found | {"in the twin": people.firm_used(self.twin, number)} if self.twin else found


def _window(market: Market, window: int) -> Tally:
    """The counts of one window that has ended, weeks left out."""
    tally = market.shard.tally
    counts = {n: getattr(tally, n)[:, window : window + 1] for n in WINDOWED}
    return pooled(tally._replace(**counts, **{n: getattr(tally, n)[:, :0] for n in ("flow", "event", "news")}))


def is_lever(start: Scenario, path: str) -> bool:
    """Whether the path is a lever, which acts in a market under way."""
    kind, _, rest = path.partition(".")
    firm, _, lever = rest.partition(".")
    return kind == "firms" and firm in start.firms and lever in levers(start.firms[firm])
