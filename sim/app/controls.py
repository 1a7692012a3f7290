"""The controls: knobs made from the declarations, grouped by firm and segment, and the events by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import reacton.ipyvuetify as v
import solara

from sim.app.stage import scandal
from sim.app.visit import SPEEDS, Visit
from sim.declare import Declaration, leaves
from sim.run.compose import presets

CROWDS = (1_000, 2_500, 10_000, 50_000, 100_000, 1_000_000)
KINDS = ("data_breach", "moral_scandal")  # the scandals offered first
PARTS = {
    "consumer": "Typical consumer",
    "market": "Category",
    "network": "Who hears whom",
    "mechanisms": "Mechanisms on and off",
}
RUN = ("seed", "burn_in", "window")


def plain(name: str) -> str:
    """A name without its underscores."""
    return name.replace("_", " ").replace(".", ": ")


@solara.component
def Start(visit: Visit):
    """Preset, people, reset."""
    solara.Select("Market", values=presets("market"), value=visit.market.value, on_value=visit.choose, dense=True)

    def crowd(people: int) -> None:
        visit.people.value = people
        visit.reset()

    sizes = sorted({*CROWDS, visit.people.value})
    solara.Select("People", values=sizes, value=visit.people.value, on_value=crowd, dense=True)


@solara.component
def Player(visit: Visit):
    """Play, step, reset, speed."""
    playing, off = visit.playing.value, bool(visit.busy.value) or not visit.curtain.value
    with solara.Row(gap="6px", classes=["player"]):
        if playing:
            solara.Button("Pause", icon_name="mdi-pause", on_click=visit.pause, color="primary", small=True)
        else:
            solara.Button("Play", icon_name="mdi-play", on_click=visit.play, color="primary", small=True, disabled=off)
        solara.Button("Step", icon_name="mdi-step-forward", on_click=visit.step, small=True, disabled=off or playing)
        busy = bool(visit.busy.value)
        solara.Button("Reset", icon_name="mdi-restart", on_click=visit.reset, small=True, disabled=busy)
    solara.SliderValue("Weeks a second", value=visit.speed, values=list(SPEEDS))


@solara.component
def Events(visit: Visit):
    """What can happen to a firm: press a button, and the coming week has it."""
    stage, begun = visit.stage, visit.curtain.value
    kind, on_kind = solara.use_state(KINDS[0])
    firm, on_firm = solara.use_state("")
    severity, on_severity = solara.use_state(1.2)
    price, on_price = solara.use_state(10)
    if stage is None:
        return
    firms = list(stage.start.firms)
    at = firm if firm in firms else stage.start.focus
    keep = visit.keep_twin.value

    def choose(name: str) -> None:
        on_kind(name)
        on_severity(float(scandal(name)["severity"]))

    def fire(what: str) -> None:
        visit.firm.value = at
        happen = {
            "scandal": lambda s: s.scandal(kind, at, keep, severity=severity),
            "outage": lambda s: s.scandal("outage", at, keep),
            "campaign": lambda s: s.move("moments", at, 0.08, "anchor campaign", keep, weeks=13),
            "price": lambda s: s.move("price", at, _price(s, at, price), f"price move of {price:+d} %", keep),
            "apology": lambda s: s.apologise(at, keep),
        }
        visit.act(happen[what])

    first = [*KINDS, *(n for n in presets("scandal") if n not in (*KINDS, "outage"))]
    solara.Select("At the firm", values=firms, value=at, on_value=on_firm, dense=True)
    solara.Select("Scandal", values=first, value=kind, on_value=choose, dense=True)
    solara.SliderFloat("Severity, logit", value=severity, on_value=on_severity, min=0, max=10, step=0.1)
    off = not begun or bool(visit.busy.value)
    button = partial(solara.Button, small=True, block=True, disabled=off)
    button("Break the scandal", icon_name="mdi-alert", color="warning", on_click=lambda: fire("scandal"))
    with solara.Columns([1, 1], gutters_dense=True):
        button("Outage", icon_name="mdi-power-plug-off", on_click=lambda: fire("outage"))
        button("Apologise", icon_name="mdi-hand-heart", on_click=lambda: fire("apology"))
    button("Anchor campaign, 13 weeks", icon_name="mdi-star", on_click=lambda: fire("campaign"))
    solara.SliderInt("Price, %", value=price, on_value=on_price, min=-30, max=30, step=5)
    button("Move the price", icon_name="mdi-tag", on_click=lambda: fire("price"))
    solara.Switch(label="Keep the twin: compare with before the first event", value=visit.keep_twin)


def _price(stage: Any, firm: str, percent: int) -> float:
    return float(stage.market.competitor[firm].lever("price")) * (1 + percent / 100)


@solara.component
def Knobs(visit: Visit):
    """Every number there is, by firm, segment and part; only what is open is made."""
    opened, on_opened = solara.use_state("")
    firm, on_firm = solara.use_state("")
    segment, on_segment = solara.use_state("")
    stage, begun = visit.stage, visit.curtain.value
    if stage is None or not begun:
        return
    s = stage.start
    when = "Levers act from the coming week on, in the twin as well. Traits act at the next Reset."
    solara.Text(when, classes=["hint"])
    waiting = visit.waiting()
    if waiting:
        solara.Text(f"Waiting for Reset: {', '.join(waiting)}.", classes=["hint", "waiting"])
    toggle = lambda name: on_opened("" if opened == name else name)  # noqa: E731
    if _header("Levers of a firm", opened, toggle):
        name = firm if firm in s.firms else s.focus
        solara.Select("Firm", values=list(s.firms), value=name, on_value=on_firm, dense=True)
        _leaves(visit, s.firms[name], f"firms.{name}.", skip=("share", "group"))
    if _header("Traits of a segment", opened, toggle):
        kinds = [f"segments.{n}" for n in s.segments] + [f"cohorts.{n}" for n in s.cohorts]
        name = segment if segment in kinds else kinds[0]
        solara.Select("Segment or age group", values=kinds, value=name, on_value=on_segment, dense=True)
        group, _, member = name.partition(".")
        _leaves(visit, getattr(s, group)[member], f"{name}.")
    for part, title in PARTS.items():
        if _header(title, opened, toggle):
            _leaves(visit, getattr(s, part), f"{part}.", skip=("edges", "kind" if part == "network" else "edges"))
    if _header("Seed, window and burn-in", opened, toggle):
        for path, value, d in leaves(s):
            if path in RUN:
                Knob(visit, path, path, value, d).key(path)


def _header(title: str, opened: str, toggle: Callable[[str], None]) -> bool:
    icon = "mdi-chevron-down" if opened == title else "mdi-chevron-right"
    solara.Button(title, icon_name=icon, text=True, on_click=lambda: toggle(title), classes=["fold"])
    return opened == title


def _leaves(visit: Visit, node: Any, prefix: str, skip: tuple[str, ...] = ()) -> None:
    for path, value, d in leaves(node):
        if path not in skip:
            Knob(visit, prefix + path, path, value, d).key(f"{visit.market.value} {prefix}{path}")


@solara.component
def Knob(visit: Visit, path: str, name: str, declared: Any, d: Declaration):
    """A switch, a choice, or a slider with its number; help says what it means and how far it goes."""
    value = visit.value(path, declared)
    put = partial(visit.set, path)
    range_ = "on or off" if isinstance(value, bool) else d.allowed
    with solara.Tooltip(f"{d.about} ({range_}); {path}"), solara.Div(classes=["knob"]):
        if isinstance(value, bool):
            solara.Switch(label=f"{plain(name)}: {d.about}", value=value, on_value=put)
        elif d.choices:
            solara.Select(plain(name), values=list(d.choices), value=value, on_value=put, dense=True)
        elif d.low is not None and value is not None:
            _number(name, value, d, put)


@solara.component
def _number(name: str, value: float, d: Declaration, put: Callable[[Any], None]):
    low, high = float(d.low or 0), float(d.high or 0)
    top = min(high, max(4 * abs(value), 4 * abs(d.default or 0), 1.0 if high > 1 else high))
    bottom = max(low, -top)
    whole = isinstance(d.default, int)
    step = 1 if whole else 10 ** _places(top - bottom)
    slider = v.Slider(v_model=value, min=bottom, max=max(top, value), step=step, dense=True, hide_details=True)
    v.use_event(slider, "change", lambda *data: put(int(data[-1]) if whole else float(data[-1])))
    unit = f" [{d.unit}]" if d.unit not in ("", "-") else ""
    solara.Text(plain(name) + unit, classes=["knob-name"])
    with solara.Row(gap="4px"):
        solara.Div(children=[slider], style={"flex": "1"})
        box = solara.InputInt if whole else solara.InputFloat
        box("", value=value, on_value=lambda n: put(n) if n is not None else None, dense=True, classes=["knob-box"])


def _places(width: float) -> int:
    """The power of ten that cuts a range into a hundred steps or more."""
    from math import floor, log10

    return floor(log10(width / 100)) if width > 0 else -2
