"""The knobs, made from the declarations: levers by firm, traits by segment, the category, the mechanisms."""

from collections.abc import Callable
from functools import partial
from math import floor, log10
from typing import Any

import reacton.ipyvuetify as v
import solara

from sim.model.declare import Declaration, leaves
from sim.page.controls import named
from sim.page.people import title
from sim.page.session import Session

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
def Parameters(visit: Session):
    """Every number there is, by firm, segment and part; only what is open is made."""
    opened, on_opened = solara.use_state("")
    firm, on_firm = solara.use_state("")
    segment, on_segment = solara.use_state("")
    game, begun = visit.game, visit.generation.value
    if game is None or not begun:
        return
    s = game.start
    when = "Levers act from the coming week on, in the twin as well. Traits act at the next Reset."
    solara.Text(when, classes=["hint"])
    waiting = visit.waiting()
    if waiting:
        solara.Text(f"Waiting for Reset: {', '.join(waiting)}.", classes=["hint", "waiting"])
    toggle = lambda name: on_opened("" if opened == name else name)  # noqa: E731
    if _header("Levers of a firm", opened, toggle):
        name = firm if firm in s.firms else s.focus
        named("Firm", {title(f): f for f in s.firms}, name, on_firm)
        _leaves(visit, s.firms[name], f"firms.{name}.", skip=("share", "group"))
    if _header("Traits of a segment", opened, toggle):
        kinds = [f"segments.{n}" for n in s.segments] + [f"cohorts.{n}" for n in s.cohorts]
        name = segment if segment in kinds else kinds[0]
        named("Segment or age group", {plain(k): k for k in kinds}, name, on_segment)
        group, _, member = name.partition(".")
        _leaves(visit, getattr(s, group)[member], f"{name}.")
    for part, words in PARTS.items():
        if _header(words, opened, toggle):
            _leaves(visit, getattr(s, part), f"{part}.", skip=("edges", "kind" if part == "network" else "edges"))
    if _header("Kinds of scandal", opened, toggle):
        for name, kind in s.kinds.items():
            _leaves(visit, kind, f"kinds.{name}.", skip=("meaning",))
    if _header("Seed, window and burn-in", opened, toggle):
        for path, value, d in leaves(s):
            if path in RUN:
                Knob(visit, path, path, value, d).key(path)


def _header(title: str, opened: str, toggle: Callable[[str], None]) -> bool:
    icon = "mdi-chevron-down" if opened == title else "mdi-chevron-right"
    solara.Button(title, icon_name=icon, text=True, on_click=lambda: toggle(title), classes=["fold"])
    return opened == title


def _leaves(visit: Session, node: Any, prefix: str, skip: tuple[str, ...] = ()) -> None:
    for path, value, d in leaves(node):
        if path not in skip:
            Knob(visit, prefix + path, path, value, d).key(f"{visit.market.value} {prefix}{path}")


@solara.component
def Knob(visit: Session, path: str, name: str, declared: Any, d: Declaration):
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
    top = min(high, max(4 * abs(value), 4 * abs(float(d.default or 0)), 1.0 if high > 1 else high))
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
        shown, typed = value if whole else float(f"{value:.4g}"), lambda n: put(n) if n is not None else None
        box("", value=shown, on_value=typed, dense=True, classes=["knob-box"])


def _places(width: float) -> int:
    """The power of ten that cuts a range into a hundred steps or more."""
    return floor(log10(width / 100)) if width > 0 else -2
