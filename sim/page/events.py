"""The events of a market as a list: each can be changed, moved in time, switched off and taken back.

The twin of a market is the same people without any of them; an event's own effect is the market against the same
market without that event, the others kept.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sim.model.fields import Move, Scandal, Scenario
from sim.model.scenario import change
from sim.page.names import in_words

SILENT = {"reach": 0.0, "harmed_share": 0.0, "outage": 0.0, "severity": 0.0}  # a scandal that nobody hears of
KINDS = ("scandal", "move", "apology")


@dataclass(frozen=True)
class GameEvent:
    """One event; `name` is that of the scandal or move in the scenario, of an apology that of its scandal."""

    kind: str
    name: str
    firm: str
    week: int
    values: dict[str, Any] = field(hash=False)  # of a scandal or move without firm and week; of an apology: response
    on: bool = True

    @property
    def key(self) -> str:
        """Its address in links."""
        return f"{self.kind}.{self.name}"

    @property
    def text(self) -> str:
        """What it is, in words."""
        return f"{'apology for the ' * (self.kind == 'apology')}{in_words(self.name)}"


def events_of(scenario: Scenario) -> tuple[GameEvent, ...]:
    """The events of a scenario, in the order of their weeks; a scandal's response is an event of its own."""
    found = []
    for name, s in scenario.scandals.items():
        values = {n: v for n, v in asdict(s).items() if n not in ("firm", "week", "response", "response_delay")}
        firm = s.firm or scenario.focus
        found.append(GameEvent("scandal", name, firm, s.week, values))
        if s.response:
            found.append(GameEvent("apology", name, firm, s.week + s.response_delay, {"response": s.response}))
    for name, m in scenario.moves.items():
        values = {n: v for n, v in asdict(m).items() if n not in ("firm", "week")}
        found.append(GameEvent("move", name, m.firm or scenario.focus, m.week, values))
    return tuple(sorted(found, key=lambda e: e.week))


def with_events(plain: Scenario, events: Sequence[GameEvent], weeks: int = 0) -> Scenario:
    """The scenario with those of the events that are on; ScenarioError with all that is wrong with them."""
    scandals, moves = members(events)
    last = max([weeks, plain.weeks, *(e.week + 1 for e in events if e.on)])
    return change(plain, {"weeks": last, "scandals": scandals, "moves": moves})


def members(events: Sequence[GameEvent]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scandals and the moves of those of the events that are on, in full, by name."""
    scandals: dict[str, Any] = {}
    moves: dict[str, Any] = {}
    for e in sorted(events, key=lambda e: KINDS.index(e.kind)):  # an apology needs its scandal
        if not e.on:
            continue
        if e.kind == "scandal":
            scandals[e.name] = asdict(Scandal(firm=e.firm, week=e.week, **e.values))
        elif e.kind == "move":
            moves[e.name] = asdict(Move(firm=e.firm, week=e.week, **e.values))
        elif e.name in scandals:
            delay = max(0, e.week - scandals[e.name]["week"])
            scandals[e.name] |= {**e.values, "response_delay": delay}
    return scandals, moves


def without(scenario: Scenario, event: GameEvent) -> Scenario:
    """The scenario without one event and the others kept; a scandal keeps its number, by which others draw."""
    if event.kind == "move":
        return change(scenario, {f"moves.{event.name}": None})
    silent = SILENT if event.kind == "scandal" else {"response": 0.0}
    return change(scenario, {f"scandals.{event.name}.{name}": value for name, value in silent.items()})


def changed(events: Sequence[GameEvent], old: GameEvent, **values: Any) -> tuple[GameEvent, ...]:
    """The events with another week, or on or off, or other values (`response`, `severity`, `value`), of one of them."""
    own = {name: v for name, v in values.items() if name in ("week", "on", "firm")}
    new = replace(old, **own, values={**old.values, **{n: v for n, v in values.items() if n not in own}})
    return tuple(new if e is old else e for e in events)


def removed(events: Sequence[GameEvent], old: GameEvent) -> tuple[GameEvent, ...]:
    """The events without one; an apology goes with its scandal."""
    gone = {old.key} | ({f"apology.{old.name}"} if old.kind == "scandal" else set())
    return tuple(e for e in events if e.key not in gone)
