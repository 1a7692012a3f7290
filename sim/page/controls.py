"""The controls: the market, its speed, and events by hand."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import solara

from sim.page.game import scandal
from sim.page.names import plain, title
from sim.page.session import SPEEDS, Session
from sim.study.presets import presets

SIZES = (1_000, 2_500, 10_000, 50_000, 100_000, 1_000_000)
KINDS = ("data_breach", "moral_scandal")  # the scandals offered first


@solara.component
def Start(session: Session):
    """Preset, people, reset."""
    markets = {plain(name): name for name in presets("market")}
    named("Market", markets, session.market.value, session.choose)

    def resize(people: int) -> None:
        session.people.value = people
        session.reset()

    sizes = sorted({*SIZES, session.people.value})
    named("People", {f"{n:,}": n for n in sizes}, session.people.value, resize)


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
    solara.SliderValue("Weeks a second", value=session.speed, values=list(SPEEDS))


@solara.component
def Events(session: Session):
    """Events at a firm, from the coming week on."""
    game, begun = session.game, session.generation.value
    kind, on_kind = solara.use_state(KINDS[0])
    firm, on_firm = solara.use_state("")
    severity, on_severity = solara.use_state(1.2)
    price, on_price = solara.use_state(10)
    if game is None:
        return
    firms = list(game.start.firms)
    at = firm if firm in firms else game.start.focus
    keep = session.keep_twin.value

    def choose(name: str) -> None:
        on_kind(name)
        on_severity(float(scandal(name)["severity"]))

    def fire(what: str) -> None:
        moved = f"price {'down' if price < 0 else 'up'} {abs(price)} %"
        session.view.value = replace(session.view.value, firm=at)
        happen = {
            "scandal": lambda s: s.scandal(kind, at, keep, severity=severity),
            "outage": lambda s: s.scandal("outage", at, keep),
            "campaign": lambda s: s.move("delight_rate", at, 0.08, "service campaign", keep, weeks=13),
            "price": lambda s: s.move("price", at, _price(s, at, price), moved, keep),
            "apology": lambda s: s.apologize(at, keep),
        }
        session.act(happen[what])

    first = [*KINDS, *(n for n in presets("scandal") if n not in (*KINDS, "outage"))]
    named("At the firm", {title(f): f for f in firms}, at, on_firm)
    named("Scandal", {plain(k): k for k in first}, kind, choose)
    solara.SliderFloat(f"Severity {severity:.1f} logit", value=severity, on_value=on_severity, min=0, max=10, step=0.1)
    off = not begun or bool(session.busy.value)
    button = partial(solara.Button, small=True, block=True, disabled=off)
    button("Start the scandal", icon_name="mdi-alert", color="warning", on_click=lambda: fire("scandal"))
    with solara.Columns([1, 1], gutters_dense=True):
        button("Outage", icon_name="mdi-power-plug-off", on_click=lambda: fire("outage"))
        button("Apologize", icon_name="mdi-hand-heart", on_click=lambda: fire("apology"))
    button("Service campaign, 13 weeks", icon_name="mdi-star", on_click=lambda: fire("campaign"))
    solara.SliderInt(f"Price {price:+d} %", value=price, on_value=on_price, min=-30, max=30, step=5)
    button("Change the price", icon_name="mdi-tag", on_click=lambda: fire("price"))
    solara.Switch(label="Keep the twin: compare with no events at all", value=session.keep_twin)


def named(label: str, values: dict[str, Any], value: Any, on_value: Callable[[Any], None]) -> None:
    """A choice among values by their names."""
    shown = next(name for name, v in values.items() if v == value)
    solara.Select(label, values=list(values), value=shown, on_value=lambda n: on_value(values[n]), dense=True)


def _price(game: Any, firm: str, percent: int) -> float:
    return float(game.market.competitor[firm].lever("price")) * (1 + percent / 100)
