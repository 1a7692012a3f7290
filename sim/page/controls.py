"""The controls: the market, its speed, and events by hand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import solara

from sim.page.events import GameEvent
from sim.page.game import OWN, Game, scandal
from sim.page.names import in_words, title
from sim.page.session import SPEEDS, Session
from sim.study.presets import presets

T = TypeVar("T")
PEOPLE_CHOICES = (1_000, 2_500, 10_000, 50_000, 100_000, 1_000_000)
SIZES = {
    "severity": "severity, logit",
    "response": "share of loss",
    "value": "value",
}  # what can be changed of an event
ELSEWHERE = ("outage", "new")  # scandals with a control of their own, or drawn from the casebook (scandal=new)
FIRST_SCANDALS = ("data_breach", "moral_scandal")  # the scandals offered first


@solara.component
def Start(session: Session):
    """Preset, people, reset."""
    markets = {in_words(name): name for name in presets("market")}
    if session.market.value in OWN:
        markets["your data"] = session.market.value
    choice("Market", markets, session.market.value, session.choose)

    def resize(people: int) -> None:
        session.people.value = people
        session.reset()

    sizes = sorted({*PEOPLE_CHOICES, session.people.value})
    choice("People", {f"{n:,}": n for n in sizes}, session.people.value, resize)


@solara.component
def Player(session: Session):
    """Play, step, reset, speed."""
    playing, off = session.playing.value, bool(session.busy.value) or not session.generation.value
    with solara.Row(gap="6px", classes=["player"]):
        if playing:
            solara.Button("Pause", icon_name="mdi-pause", on_click=session.pause, color="primary", small=True)
        else:
            solara.Button(
                "Play", icon_name="mdi-play", on_click=session.play, color="primary", small=True, disabled=off
            )
        solara.Button("Step", icon_name="mdi-step-forward", on_click=session.step, small=True, disabled=off or playing)
        busy = bool(session.busy.value)
        solara.Button("Reset", icon_name="mdi-restart", on_click=session.reset, small=True, disabled=busy)
        solara.Button("Defaults", on_click=session.restore, small=True, text=True, disabled=busy)
        choice("Weeks a second", {str(n): n for n in SPEEDS}, session.speed.value, session.speed.set)


@solara.component
def Events(session: Session):
    """Events at a firm, from the coming week on, and the list of all."""
    firm, on_firm = solara.use_state("")
    session.generation.value  # noqa: B018  another game has other firms
    game = session.game
    if game is None:
        return
    firms = list(game.start.firms)
    at = firm if firm in firms else game.start.focus
    choice("At the firm", {title(f): f for f in firms}, at, on_firm)
    ScandalEvents(session, at)
    FirmEvents(session, at)
    EventList(session)


@solara.component
def ScandalEvents(session: Session, firm: str):
    """A scandal of a kind and severity, an outage, an apology."""
    kind, on_kind = solara.use_state(FIRST_SCANDALS[0])
    severity, on_severity = solara.use_state(1.2)

    def choose(name: str) -> None:
        on_kind(name)
        on_severity(float(scandal(name)["severity"]))

    kinds = [*FIRST_SCANDALS, *(n for n in presets("scandal") if n not in (*FIRST_SCANDALS, *ELSEWHERE))]
    choice("Scandal", {in_words(k): k for k in kinds}, kind, choose)
    solara.SliderFloat(f"Severity {severity:.1f} logit", value=severity, on_value=on_severity, min=0, max=10, step=0.1)
    button = partial(EventButton, session, firm)
    start = lambda game: game.scandal(kind, firm, severity=severity)  # noqa: E731
    button("Start the scandal", "mdi-alert", start, color="primary")
    with solara.Columns([1, 1], gutters_dense=True):
        button("Outage", "mdi-power-plug-off", lambda game: game.scandal("outage", firm))
        button("Apologize", "mdi-hand-heart", lambda game: game.apologize(firm))


@solara.component
def FirmEvents(session: Session, firm: str):
    """A service campaign, a change of price."""
    percent, on_percent = solara.use_state(10)
    button = partial(EventButton, session, firm)
    campaign = lambda game: game.move("delight_rate", firm, 0.08, "service campaign", weeks=13)  # noqa: E731
    button("Service campaign, 13 weeks", "mdi-star", campaign)
    solara.SliderInt(f"Price {percent:+d} %", value=percent, on_value=on_percent, min=-30, max=30, step=5)
    text = f"price {'down' if percent < 0 else 'up'} {abs(percent)} %"
    change = lambda game: game.move("price", firm, _price(game, firm, percent), text)  # noqa: E731
    button("Change the price", "mdi-tag", change)


@solara.component
def EventList(session: Session):
    """Every event: on or off, its week, its size, remove; and undo."""
    session.scenario_changes.value  # noqa: B018
    game, off = session.game, bool(session.busy.value)
    if game is None or not (game.events or session.undo.value):
        return
    with solara.Row(gap="6px", classes=["section"], style={"align-items": "center"}):
        solara.HTML("h2", "All events")
        undo = not session.undo.value or off
        solara.Button("Undo", icon_name="mdi-undo", on_click=session.take_back, small=True, disabled=undo)
    for event in game.events:
        EventRow(session, event).key(f"{event.key} {event.week} {event.on} {event.values}")


@solara.component
def EventRow(session: Session, event: GameEvent):
    """One event that can be changed."""
    size = next((n for n in SIZES if n in event.values), "")
    edit = partial(session.edit, event)
    with solara.Div(classes=["event", *([] if event.on else ["off"])]):
        name = f"{event.text}, {title(event.firm)}"
        solara.Switch(label=name, value=event.on, on_value=lambda on: edit(on=on))
        with solara.Row(gap="8px"):
            week = lambda n: edit(week=max(0, n)) if n is not None and n != event.week else None  # noqa: E731
            solara.InputInt("week", value=event.week, on_value=week, dense=True)
            if size:
                put = lambda v: edit(**{size: v}) if v is not None and v != event.values[size] else None  # noqa: E731
                solara.InputFloat(SIZES[size], value=float(event.values[size]), on_value=put, dense=True)
            solara.Button("Remove", on_click=lambda: session.remove(event), small=True, text=True)


@solara.component
def EventButton(
    session: Session, firm: str, label: str, icon: str, event: Callable[[Game], None], color: str | None = None
):
    """A button that adds an event and puts its firm in view."""

    def add() -> None:
        session.view.value = replace(session.view.value, firm=firm)
        session.act(event)

    off = not session.generation.value or bool(session.busy.value)
    solara.Button(label, icon_name=icon, on_click=add, color=color, small=True, block=True, disabled=off)


@solara.component_vue("choice.vue")
def Choice(label: str, values: list[str], value: str, event_pick: Callable):
    """A choice of the browser's own: by keyboard and on a phone as everywhere."""


def choice(label: str, values: Mapping[str, T], value: T, on_value: Callable[[T], None]) -> None:
    """A choice among values by their names."""
    shown = next((name for name, v in values.items() if v == value), next(iter(values)))

    def pick(name: str) -> None:
        if name in values and name != shown:
            on_value(values[name])

    Choice(label=label, values=list(values), value=shown, event_pick=pick)


def _price(game: Game, firm: str, percent: int) -> float:
    """The firm's price after a change in percent."""
    return game.lever(f"firms.{firm}.price") * (1 + percent / 100)
