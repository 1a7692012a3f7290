"""What is played: a market, the twin that lives without the last event, and what is read of both."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sim.market import Market
from sim.metrics import Estimate, difference, estimate, firm_metrics, folds, jackknife, pooled, share
from sim.run.compose import compose, presets, scenario
from sim.scenario import Scenario, ScenarioError, levers
from sim.tally import Tally

LOOKED_AT = 100_000  # people of whom mean trust is taken
FIRST = "toothpaste_uk"
COMPOSING = threading.RLock()  # Hydra composes for one visitor at a time


@lru_cache(maxsize=32)
def preset(market: str) -> Scenario:
    """A market of conf/, presence solved: the same for every visitor, and never written to."""
    if market not in presets("market"):
        raise ScenarioError([f"market: {market!r} is no preset; there are {', '.join(presets('market'))}"])
    with COMPOSING:
        return scenario([f"market={market}"])[0]


@lru_cache(maxsize=32)
def scandal(kind: str) -> dict[str, Any]:
    """The numbers of a scandal of conf/."""
    with COMPOSING:
        [values] = compose([f"scandal={kind}"])[0]["scandals"].values()
    return {name: value for name, value in values.items() if name not in ("firm", "week")}


@dataclass(frozen=True)
class Last:
    """The event that the twin does without."""

    words: str
    firm: str
    week: int


@dataclass(frozen=True)
class Difference:
    """What the last event did to its firm, against the twin: people who use another firm, points, index."""

    lost: int
    won: int
    share: tuple[float, float]
    stickiness: tuple[float, float]

    @property
    def net(self) -> int:
        return self.won - self.lost


class Stage:
    """A market under way. Levers act from the coming week on, in the twin as well; traits need a new stage."""

    def __init__(self, start: Scenario):
        self.start = start
        self.market = Market(start, endless=True, agents=False, collect=False)
        self.twin: Market | None = None
        self.last: Last | None = None
        self.trust = [self._trust(self.market)]  # [week][group, firm]; group 0 is everybody, then the segments
        self.twin_trust: list[np.ndarray] = []

    @property
    def week(self) -> int:
        return self.market.week

    @property
    def scenario(self) -> Scenario:
        """The scenario as it stands, events by hand included."""
        found: Scenario = self.market.life.scenario
        return found

    def step(self) -> None:
        """One week for the market and its twin."""
        for market, rows in ((self.market, self.trust), (self.twin, self.twin_trust)):
            if market:
                market.step()
                rows.append(self._trust(market))

    def _trust(self, market: Market) -> np.ndarray:
        people, s = market.life.people, self.start
        every = max(1, len(people.one) // LOOKED_AT)
        trust = people.bonds["trust"][::every]
        segment = people.cell[::every] // len(s.cohorts)
        of = [trust.mean(axis=0)]
        return np.array(of + [trust[segment == n].mean(axis=0) for n in range(len(s.segments))])

    # ------------------------------------------------------------ events by hand

    def happen(self, kind: str, name: str, firm: str, words: str, keep_twin: bool, values: Mapping[str, Any]) -> None:
        """An event from the coming week on; what goes on without it becomes the twin, unless the old one is kept."""
        twin = self.market.fork() if self.twin is None or not keep_twin else None
        self.market.add_event(kind, name, **values if kind == "apology" else {"firm": firm, **values})
        if twin is not None:
            self.twin, self.last = twin, Last(words, firm, self.week)
            self.twin_trust = list(self.trust)

    def scandal(self, kind: str, firm: str, keep_twin: bool = False, **values: Any) -> None:
        """A scandal of conf/ breaks at a firm."""
        values = {**scandal(kind), **values}
        self.happen("scandal", self._name(kind), firm, kind.replace("_", " "), keep_twin, values)

    def move(self, lever: str, firm: str, value: float, words: str, keep_twin: bool = False, weeks: int = 0) -> None:
        """A firm sets a lever, for so many weeks (0 = for good)."""
        name = self._name(re.sub(r"\W+", "_", words))
        self.happen("move", name, firm, words, keep_twin, {"lever": lever, "value": value, "weeks": weeks})

    def apologise(self, firm: str, keep_twin: bool = False, response: float = 0.5) -> None:
        """The firm answers its last scandal."""
        s = self.scenario
        own = [n for n, c in s.scandals.items() if (c.firm or s.focus) == firm and c.week <= self.week]
        if not own:
            raise ScenarioError([f"{firm} has nothing to apologise for: no scandal of its own so far"])
        if s.scandals[own[-1]].week == self.week:
            raise ScenarioError([f"{own[-1]} breaks in the coming week; step first, then apologise"])
        words = f"apology for the {_plain(own[-1])}"
        self.happen("apology", own[-1], firm, words, keep_twin, {"response": response})

    def pull(self, path: str, value: float) -> None:
        """A lever by its path firms.NAME.LEVER, from the coming week on, with the twin as without."""
        _, firm, lever = path.split(".", 2)
        name = f"{firm}_{lever.replace('.', '_')}_w{self.week}"
        for market in (self.market, self.twin):
            if market:
                market.add_event("move", name, **{"firm": firm, "lever": lever, "value": value})

    def _name(self, stem: str) -> str:
        taken = {**self.scenario.scandals, **self.scenario.moves}
        name = f"{stem}_w{self.week}"
        return name if name not in taken else f"{name}_{len(taken)}"

    def marks(self) -> list[tuple[int, str]]:
        """(week, words) of everything that has happened."""
        s = self.scenario
        told = [(c.week, _plain(n)) for n, c in s.scandals.items()] + [(m.week, _plain(n)) for n, m in s.moves.items()]
        told += [(c.week + c.response_delay, "response") for c in s.scandals.values() if c.response]
        return sorted((week, words) for week, words in told if week <= self.week)

    # ------------------------------------------------------------ what is read

    def cells(self, group: str) -> list[int] | None:
        """The cells of a segment; None for everybody."""
        return [n for n, (s, _) in enumerate(self.start.cells) if s == group] if group else None

    def stickiness(self, market: Market | None = None, group: str = "") -> Estimate:
        """The index of each firm in the open window as if it ended now; nan where `readable` is not."""
        market = market or self.market
        if not self.readable:
            return Estimate(*np.full((2, len(self.start.firms)), np.nan))
        return estimate(self._index, pooled(market.now, self.cells(group)))

    @property
    def readable(self) -> bool:
        """Whether the open window is read: of many people only as it ends, a reading takes longer than the week."""
        return self.week > 0 and (self.start.people <= LOOKED_AT or self.week % self.start.window == 0)

    @property
    def _index(self) -> Any:
        return firm_metrics(self.start.market.regime == "provider")["stickiness"]

    def customers(self) -> np.ndarray:
        """[j] people whose last use was at the firm."""
        last = self.market.life.people.one["last"]
        return np.bincount(last[last >= 0], minlength=len(self.start.firms))

    def compared(self) -> Difference | None:
        """The market against its twin; None before both have lived a week."""
        if self.twin is None or self.last is None or self.week <= self.last.week:
            return None
        j = list(self.start.firms).index(self.last.firm)
        here, there = (m.life.people.one["last"] == j for m in (self.market, self.twin))
        gap = _share_gap(self.twin.tally, self.market.tally, self.last.week)
        nothing = Estimate(*np.full((2, len(self.start.firms)), np.nan))
        read = self.readable
        index = difference(self._index, pooled(self.twin.now), pooled(self.market.now)) if read else nothing
        points, sticky = ((float(e.value[j]), float(e.error[j])) for e in (gap, index))
        return Difference(int((there & ~here).sum()), int((here & ~there).sum()), points, sticky)

    def person(self, row: int) -> dict[str, str]:
        """Who somebody is, in words."""
        one, bonds = self.market.life.people.one[row], self.market.life.people.bonds[row]
        firms, (segment, cohort) = list(self.start.firms), self.start.cells[self.market.life.people.cell[row]]
        last = int(one["last"])
        said = {"person": f"{int(one['number']):,}", "segment": _plain(segment), "uses": _name(firms, last)}
        if cohort != "all":
            said["age"] = _plain(cohort)
        if last >= 0:
            said["trust in it"] = f"{float(bonds[last]['trust']):.2f}"
            said["habit"] = f"{float(bonds[last]['habit']):.2f}"
            said["uses since joining"] = f"{int(one['tenure'])}"
        said["buys"] = f"{float(one['rate']) * 52:.1f} times a year"
        if one["anchor"] >= 0 and one["anchor_height"] > 0:
            said["anchored at"] = f"{_name(firms, int(one['anchor']))} ({float(one['anchor_height']):.1f} CX)"
        heard = [_plain(n) for k, n in enumerate(self.market.scandals) if one["heard"] >> k & 1]
        acted = [_plain(n) for k, n in enumerate(self.market.scandals) if one["acts"] >> k & 1]
        said["has heard of"] = ", ".join(heard) or "no scandal"
        if acted:
            said["acts on"] = ", ".join(acted)
        if self.twin:
            said["in the twin"] = _name(firms, int(self.twin.life.people.one["last"][row]))
        return said


def is_lever(start: Scenario, path: str) -> bool:
    """Whether a change acts in a market under way."""
    kind, _, rest = path.partition(".")
    firm, _, lever = rest.partition(".")
    return kind == "firms" and firm in start.firms and lever in levers(start.firms[firm])


def _share_gap(twin: Tally, market: Tally, since: int) -> Estimate:
    """Market share since a week, market minus twin, with the paired error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = [share(folds(pooled(t, weeks=slice(since, None)))) for t in (twin, market)]
        return jackknife(values[1] - values[0])


def _name(firms: list[str], j: int) -> str:
    return _plain(firms[j]) if j >= 0 else "nobody yet"


def _plain(name: str) -> str:
    return re.sub(r"_w\d+(_\d+)?$", "", name).replace("_", " ")
