"""The page: what is played at the left, what comes of it at the right."""

from html import escape
from pathlib import Path
from typing import Any

import solara
import solara.lab

from sim.model.scenario import MOST_FIRMS
from sim.page.controls import Events, Player, Start, named
from sim.page.downloads import Downloads
from sim.page.figure_export import color
from sim.page.parameters import Parameters
from sim.page.people import plain, title
from sim.page.session import Session


def css() -> str:
    """The style sheet, with the colors of firms by theme."""
    themes = {"light": False, "dark": True}
    inks = {t: " ".join(f"--ink{n}: {color(n, dark)};" for n in range(MOST_FIRMS)) for t, dark in themes.items()}
    told = [f".theme--{theme} {{ {ink} }}" for theme, ink in inks.items()]
    return "\n".join([*told, (Path(__file__).parent / "style.css").read_text(encoding="utf-8")])


@solara.component_vue("people.vue")
def PeopleDrawn(picture: Any, tip: str, event_point: Any, event_pick: Any):
    """The people, who tell who they are."""


@solara.component_vue("weeks.vue")
def WeeksDrawn(charts: Any, flow: Any):
    """The weeks."""


@solara.component_vue("firms.vue")
def FirmsDrawn(rows: Any, firm: str, event_choose: Any):
    """The firms; a click puts one in view."""


@solara.component
def Page():
    """A market to play."""
    visit = solara.use_memo(Session, [])
    router = solara.use_router()

    def begin():
        visit.open(router.search or "")
        return visit.close

    solara.use_effect(begin, [])
    style = solara.use_memo(css, [])
    with solara.Column(gap="0px"):
        solara.Title("Stickiness: play a market")
        solara.Style(style)
        with solara.AppBar():
            solara.lab.ThemeToggle()
        with solara.Sidebar():
            Sidebar(visit)
        Main(visit)


@solara.component
def Sidebar(visit: Session):
    """What is played."""
    begun = visit.generation.value  # a new market makes new controls
    with solara.Column(gap="4px", style={"padding": "8px 12px", "width": "100%"}):
        Start(visit)
        Player(visit)
        if not begun:
            return
        solara.HTML("div", "Make something happen", classes=["section"])
        Events(visit)
        solara.HTML("div", "Levers and traits", classes=["section"])
        Parameters(visit)
        solara.HTML("div", "Take home", classes=["section"])
        Downloads(visit)


@solara.component
def Main(visit: Session):
    """What comes of it; each part is made anew when its own part of the frame is."""
    begun = visit.generation.value
    with solara.Column(gap="0px"):
        Said(visit)
        if begun:
            with solara.Div(classes=["board"]):
                with solara.Div(classes=["area-said"]):
                    Verdict(visit)
                with solara.Div(classes=["area-firms"]):
                    Firms(visit)
                    Viewing(visit)
                    Person(visit)
                with solara.Div(classes=["area-people"]):
                    People(visit)
                with solara.Div(classes=["area-weeks"]):
                    Weeks(visit)


@solara.component
def Said(visit: Session):
    """What is wrong, and what is being waited for."""
    with solara.Div(classes=["said"]):
        for problem in visit.problems.value:
            solara.Error(problem, dense=True, classes=["problem"])
        if visit.busy.value:
            solara.Info(visit.busy.value, dense=True)
            solara.ProgressLinear(True)


@solara.component
def Verdict(visit: Session):
    """The week, and what the events did in which the market differs from its twin."""
    frame, game = visit.frame.value, visit.game
    if frame is None or game is None:
        return
    opening = f"<b>{escape(game.start.title or visit.market.value)}, week {frame.week}.</b> "
    told = [f"<p>{opening}{escape(frame.verdict['words'])}</p>"]
    for figure in frame.verdict["figures"]:
        big, error = (escape(figure.get(part, "").replace("-", "−")) for part in ("big", "error"))
        told.append(
            f'<div><div class="big">{big} <small>{error}</small></div><div class="small">{figure["small"]}</div></div>'
        )
    solara.HTML("div", unsafe_innerHTML="".join(told), classes=["verdict"])


@solara.component
def Firms(visit: Session):
    frame = visit.frame.value
    if frame:
        FirmsDrawn(rows=frame.rows, firm=visit.view.value.firm, event_choose=lambda firm: visit.look(firm=firm))


@solara.component
def People(visit: Session):
    frame = visit.frame.value
    if frame:
        PeopleDrawn(picture=frame.people, tip=visit.tip.value, event_point=visit.point, event_pick=visit.pick)


@solara.component
def Weeks(visit: Session):
    frame = visit.frame.value
    if frame:
        WeeksDrawn(charts=frame.charts, flow=frame.flow)


@solara.component
def Viewing(visit: Session):
    """Which firm, of whom, and whether the lines are firms or segments."""
    game, view = visit.game, visit.view.value
    visit.generation.value  # noqa: B018  another market has other firms
    if game is None:
        return
    with solara.Columns([1, 1, 1], gutters_dense=True, style={"margin-top": "10px"}, classes=["view"]):
        named("Firm in view", {title(f): f for f in game.start.firms}, view.firm, lambda f: visit.look(firm=f))
        kinds = ("firms", "segments")
        named("Lines are", {k: k for k in kinds}, kinds[view.segments], lambda k: visit.look(segments=k == "segments"))
        groups = {plain(g) or "everybody": g for g in game.groups()}
        named("People in view", groups, view.group, lambda g: visit.look(group=g))
    solara.Text(
        "Thick: in view, with the 95 % band. Dashed: the twin, without the events that the sentence above names.",
        classes=["hint"],
    )


@solara.component
def Person(visit: Session):
    """Who was clicked on."""
    frame = visit.frame.value
    if frame and frame.person:
        rows = "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in frame.person.items())
        solara.HTML("table", unsafe_innerHTML=rows, classes=["person"])
