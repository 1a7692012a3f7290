"""Parameters as sliders, made from their declarations: levers by firm, traits by segment, category, mechanisms."""

from collections.abc import Callable
from functools import partial
from math import floor, log10
from typing import Any

import solara

from sim.model.declare import Declaration, leaves
from sim.page.controls import choice
from sim.page.names import spaced, title
from sim.page.session import Session

SECTIONS = {
    "consumer": "Typical consumer",
    "market": "Category",
    "network": "Social network",
    "mechanisms": "Mechanisms on and off",
}
RUN = ("seed", "burn_in", "window")


@solara.component
def Parameters(session: Session):
    """Every parameter, by firm, segment and part; only the open part is made."""
    opened, on_opened = solara.use_state("")
    firm, on_firm = solara.use_state("")
    segment, on_segment = solara.use_state("")
    game, begun = session.game, session.generation.value
    if game is None or not begun:
        return
    s = game.start
    when = "A lever acts from the coming week on and is an event like any other. Traits act at the next Reset."
    solara.Text(when, classes=["hint"])
    waiting = session.waiting()
    if waiting:
        solara.Text(f"Waiting for Reset: {', '.join(waiting)}.", classes=["hint", "waiting"])
    toggle = lambda name: on_opened("" if opened == name else name)  # noqa: E731
    if _header("Levers of a firm", opened, toggle):
        name = firm if firm in s.firms else s.focus
        choice("Firm", {title(f): f for f in s.firms}, name, on_firm)
        _leaves(session, s.firms[name], f"firms.{name}.", skip=("share", "group"))
    if _header("Traits of a segment", opened, toggle):
        kinds = [f"segments.{n}" for n in s.segments] + [f"cohorts.{n}" for n in s.cohorts]
        name = segment if segment in kinds else kinds[0]
        choice("Segment or age group", {spaced(k): k for k in kinds}, name, on_segment)
        group, _, member = name.partition(".")
        _leaves(session, getattr(s, group)[member], f"{name}.")
    for part, label in SECTIONS.items():
        if _header(label, opened, toggle):
            _leaves(session, getattr(s, part), f"{part}.", skip=("edges", "kind" if part == "network" else "edges"))
    if _header("Kinds of scandal", opened, toggle):
        for name, kind in s.kinds.items():
            _leaves(session, kind, f"kinds.{name}.", skip=("meaning",))
    if _header("Seed, window and burn-in", opened, toggle):
        for path, value, d in leaves(s):
            if path in RUN:
                Parameter(session, path, path, value, d).key(path)


def _header(title: str, opened: str, toggle: Callable[[str], None]) -> bool:
    icon = "mdi-chevron-down" if opened == title else "mdi-chevron-right"
    solara.Button(title, icon_name=icon, text=True, on_click=lambda: toggle(title), classes=["fold"])
    return opened == title


def _leaves(session: Session, node: Any, prefix: str, skip: tuple[str, ...] = ()) -> None:
    for path, value, d in leaves(node):
        if path not in skip:
            Parameter(session, prefix + path, path, value, d).key(f"{session.market.value} {prefix}{path}")


@solara.component
def Parameter(session: Session, path: str, name: str, declared: Any, d: Declaration):
    """A switch, a choice, or a slider with its number; the tooltip says what it means and its range."""
    session.scenario_changes.value  # noqa: B018  an event may have set a lever
    value = session.value(path, declared)
    put = partial(session.set, path)
    range_ = "on or off" if isinstance(value, bool) else d.allowed
    about = f"{d.about} ({range_}); {path}"
    with solara.Div(classes=["parameter"]):
        if isinstance(value, bool):
            solara.Switch(label=f"{spaced(name)}: {d.about}", value=value, on_value=put)
        elif d.choices:
            choice(spaced(name), {str(c): c for c in d.choices}, value, put)
        elif d.low is not None and value is not None:
            _number(name, value, d, put, (about, session.wrong.value.get(path, "")))
        elif path in session.wrong.value:
            solara.HTML("div", session.wrong.value[path], classes=["wrong"], attributes={"role": "alert"})


@solara.component_vue("number.vue")
def Number(label: str, value: float, low: float, high: float, step: float, about: str, wrong: str, event_put: Callable):
    """A slider and a box for one number, what it means, and what is wrong with it."""


@solara.component
def _number(name: str, value: float, d: Declaration, put: Callable[[Any], None], said: tuple[str, str]):
    low, high = float(d.low or 0), float(d.high or 0)
    top = min(high, max(4 * abs(value), 4 * abs(float(d.default or 0)), 1.0 if high > 1 else high))
    bottom = max(low, -top)
    whole = isinstance(d.default, int)
    step = 1 if whole else 10 ** _places(top - bottom)
    unit = f" [{d.unit}]" if d.unit not in ("", "-") else ""
    shown = value if whole else float(f"{value:.4g}")
    send = lambda v: put(int(v) if whole else float(v))  # noqa: E731
    edges = {"low": round(bottom, 6), "high": max(top, value), "step": step}
    Number(label=spaced(name) + unit, value=shown, **edges, about=said[0], wrong=said[1], event_put=send)


def _places(width: float) -> int:
    """The power of ten that cuts a range into a hundred steps or more."""
    return floor(log10(width / 100)) if width > 0 else -2
