"""The market of a visitor and its twin, which goes on without the latest events, and what is read of both."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sim.measure.estimates import Estimate, pooled
from sim.mesa import Market
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import levers
from sim.page import limits, people
from sim.page.history import History, paired_gap, share_gap, stickiness_index
from sim.page.names import in_words, title
from sim.study.presets import compose, presets, scenario

READABLE = 100_000  # people up to whom the open window is read every week; with more it takes longer than a week
FIRST_MARKET = "toothpaste_uk"
COMPOSE_LOCK = threading.RLock()  # Hydra composes one scenario at a time


@lru_cache(maxsize=32)
def preset(market: str) -> Scenario:
    """A market of conf/ with presence calibrated: shared by all visitors, and never written to."""
    if market not in presets("market"):
        raise ScenarioError([f"market: {market!r} is no preset; there are {', '.join(presets('market'))}"])
    with COMPOSE_LOCK:
        return scenario(f"market={market}")


@lru_cache(maxsize=32)
def scandal(kind: str) -> dict[str, Any]:
    """The values of a scandal of conf/, without the firm's response, which is left to the visitor."""
    with COMPOSE_LOCK:
        [values] = compose([f"scandal={kind}"])[0]["scandals"].values()
    kept = {name: value for name, value in values.items() if name not in ("firm", "week", "response_delay")}
    return {**kept, "response": 0.0}


@dataclass(frozen=True)
class GameEvent:
    """An event of the market that its twin has not."""

    text: str
    firm: str
    week: int


@dataclass(frozen=True)
class Difference:
    """What the events did to the firm of the first of them: people lost and won, share and index, market minus twin.

    `error` is the standard error of `net` over people, paired; `base` the customers the firm has in the twin.
    """

    lost: int
    won: int
    error: float
    base: int
    share: tuple[float, float]
    stickiness: tuple[float, float]

    @property
    def net(self) -> int:
        return self.won - self.lost


class Game:
    """A market under way. Levers act from the coming week on, in the twin as well; traits need a new game."""

    def __init__(self, start: Scenario):
        limits.check_limits(start)
        self.start = start
        self.market = Market(start, endless=True, agents=False, collect=False)
        self.history = History(self.market)
        self.twin: Market | None = None
        self.twin_history: History | None = None
        self.events: list[GameEvent] = []  # in which the market differs from the twin, since it branched off

    @property
    def week(self) -> int:
        return self.market.week

    @property
    def scenario(self) -> Scenario:
        """The scenario as it stands, events by hand included."""
        return self.market.scenario_now

    @property
    def over(self) -> bool:
        """Whether the last week that the page plays is over."""
        return self.week >= limits.WEEKS

    def step(self) -> None:
        """One week for the market and its twin."""
        if self.over:
            raise ScenarioError([f"week {limits.WEEKS:,} is the last that the page plays; Reset begins again"])
        for market, history in ((self.market, self.history), (self.twin, self.twin_history)):
            if market and history:
                market.step()
                history.record(market)

    # ------------------------------------------------------------ events by hand

    def _add_event(
        self, kind: str, name: str, firm: str, text: str, keep_twin: bool, values: Mapping[str, Any]
    ) -> None:
        """Add an event from the coming week on; a copy without it becomes the twin, unless the old twin is kept."""
        twin = self.market.fork() if self.twin is None or not keep_twin else None
        self.market.add_event(kind, name, **values if kind == "apology" else {"firm": firm, **values})
        if twin is not None:
            self.twin, self.twin_history, self.events = twin, self.history.fork(), []
        self.events.append(GameEvent(text, firm, self.week))

    def scandal(self, kind: str, firm: str, keep_twin: bool = False, **values: Any) -> None:
        """A scandal of conf/ breaks at a firm."""
        values = {**scandal(kind), **values}
        self._add_event("scandal", self._event_name(kind), firm, in_words(kind), keep_twin, values)

    def move(self, lever: str, firm: str, value: float, text: str, keep_twin: bool = False, weeks: int = 0) -> None:
        """A firm sets a lever, for so many weeks (0 = for good)."""
        name = self._event_name(re.sub(r"\W+", "_", text).strip("_"))
        self._add_event("move", name, firm, text, keep_twin, {"lever": lever, "value": value, "weeks": weeks})

    def apologize(self, firm: str, keep_twin: bool = False, response: float = 0.5) -> None:
        """The firm apologizes for its last scandal."""
        s = self.scenario
        own = [n for n, c in s.scandals.items() if (c.firm or s.focus) == firm and c.week <= self.week]
        if not own:
            raise ScenarioError([f"{title(firm)} has nothing to apologize for: it has had no scandal so far"])
        if s.scandals[own[-1]].response:
            raise ScenarioError([f"{title(firm)} has apologized for the {in_words(own[-1])} already"])
        if s.scandals[own[-1]].week == self.week:
            raise ScenarioError([f"{in_words(own[-1])} breaks in the coming week; step first, then apologize"])
        text = f"apology for the {in_words(own[-1])}"
        self._add_event("apology", own[-1], firm, text, keep_twin, {"response": response})

    def set_lever(self, path: str, value: float) -> None:
        """Set a lever by its path firms.NAME.LEVER, from the coming week on, in the market and in the twin."""
        _, firm, lever = path.split(".", 2)
        name = f"{firm}_{lever.replace('.', '_')}_w{self.week}"
        for market in (self.market, self.twin):
            if market:
                market.add_event("move", name, **{"firm": firm, "lever": lever, "value": value})

    def _event_name(self, stem: str) -> str:
        taken = {**self.scenario.scandals, **self.scenario.moves}
        name = f"{stem}_w{self.week}"
        return name if name not in taken else f"{name}_{len(taken)}"

    def marks(self) -> list[tuple[int, str]]:
        """(week, text) of every event so far and in the coming week."""
        s = self.scenario
        found = [(c.week, in_words(name)) for name, c in s.scandals.items()]
        found += [(m.week, in_words(name)) for name, m in s.moves.items()]
        found += [(c.week + c.response_delay, "response") for c in s.scandals.values() if c.response]
        return sorted((week, text) for week, text in found if week <= self.week)

    # ------------------------------------------------------------ results

    def groups(self) -> list[str]:
        """The groups of people that can be shown: everybody (""), each segment, each age group."""
        cohorts = self.start.cohorts if len(self.start.cohorts) > 1 else ()
        return ["", *self.start.segments, *cohorts]

    def cells(self, group: str = "") -> list[int]:
        """The cells of a group of `groups`."""
        return [n for n, cell in enumerate(self.start.cells) if not group or group in cell]

    def stickiness(self, market: Market | None = None, cells: list[int] | None = None) -> Estimate:
        """The index of each firm in the open window as if it ended now; nan where `readable` is not."""
        if not self.readable:
            return Estimate(*np.full((2, len(self.start.firms)), np.nan))
        return stickiness_index(self.market, pooled((market or self.market).now, cells))

    @property
    def readable(self) -> bool:
        """Whether the open window is read: with many people only when it ends."""
        return self.week > 0 and (self.start.people <= READABLE or self.week % self.start.window == 0)

    def customers(self, market: Market | None = None) -> np.ndarray:
        """[j] people whose last use was at the firm."""
        last = people.last(market or self.market)
        return np.bincount(last[last >= 0], minlength=len(self.start.firms))

    def compared(self) -> Difference | None:
        """The market against its twin; None before both have gone on for a week."""
        if self.twin is None or self.twin_history is None or self.week <= self.events[0].week:
            return None
        j = list(self.start.firms).index(self.events[0].firm)
        here, there = (people.last(m) == j for m in (self.market, self.twin))
        share = share_gap(self.history, self.twin_history, self.cells(), self.events[0].week)
        sticky = Estimate(*np.full((2, len(self.start.firms)), np.nan))
        if self.readable:
            sticky = stickiness_index(self.market, pooled(self.twin.now), pooled(self.market.now))
        points, sticky_gap = ((float(e.value[j]), float(e.error[j])) for e in (share, sticky))
        lost, won = int((there & ~here).sum()), int((here & ~there).sum())
        error = self.customers_gained().error[j]
        return Difference(lost, won, float(error), int(there.sum()), points, sticky_gap)

    def customers_gained(self) -> Estimate:
        """[j] customers more than in the twin, with the paired error."""
        (here, sizes), (there, _) = (people.customers_by_fold(m) for m in (self.market, self.twin or self.market))
        return paired_gap(here, there, sizes)

    def person(self, number: int) -> dict[str, str]:
        """A person in words: label and value."""
        found = people.person(self.market, number)
        return found | {"in the twin": people.firm_used(self.twin, number)} if self.twin else found


def is_lever(start: Scenario, path: str) -> bool:
    """Whether the path is a lever, which acts in a market under way."""
    kind, _, rest = path.partition(".")
    firm, _, lever = rest.partition(".")
    return kind == "firms" and firm in start.firms and lever in levers(start.firms[firm])
