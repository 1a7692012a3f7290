"""The page: controls on the left, results on the right."""

from html import escape
from pathlib import Path
from typing import Any

import solara
import solara.lab

from sim.model.scenario import MOST_FIRMS
from sim.page.controls import Events, Player, Start, choice
from sim.page.data_panel import OwnDataPanel, OwnDataReport
from sim.page.decision import Decision
from sim.page.downloads import Downloads
from sim.page.figure_export import color
from sim.page.names import in_words, title
from sim.page.parameters import Parameters
from sim.page.session import Session


def css() -> str:
    """The style sheet, with the colors of firms by theme."""
    themes = {"light": False, "dark": True}
    inks = {t: " ".join(f"--ink{n}: {color(n, dark)};" for n in range(MOST_FIRMS)) for t, dark in themes.items()}
    rules = [f".theme--{theme} {{ {ink} }}" for theme, ink in inks.items()]
    return "\n".join([*rules, (Path(__file__).parent / "style.css").read_text(encoding="utf-8")])


@solara.component_vue("address.vue")
def Address(query: str, event_moved: Any):
    """The address bar shows the state; going back shows an earlier one."""


@solara.component_vue("people.vue")
def PeopleCanvas(picture: Any, tip: str, event_point: Any, event_pick: Any):
    """The people; pointing at one shows who it is."""


@solara.component_vue("weeks.vue")
def WeekCharts(charts: Any, flow: Any):
    """The charts of the weeks and the switching flow."""


@solara.component_vue("firms.vue")
def FirmTable(rows: Any, firm: str, event_choose: Any):
    """The table of firms; a click puts one in view."""


@solara.component
def Page():
    """The page of one visitor."""
    session = solara.use_memo(Session, [])
    router = solara.use_router()

    def begin():
        session.open(router.search or "")
        return session.close

    solara.use_effect(begin, [])
    Address(query=session.address.value, event_moved=session.moved)
    style = solara.use_memo(css, [])
    with solara.Column(gap="0px"):
        solara.Title("Stickiness: play a market")
        solara.Style(style)
        with solara.AppBar():
            solara.lab.ThemeToggle()
        with solara.Sidebar():
            Sidebar(session)
        Main(session)


@solara.component
def Sidebar(session: Session):
    """The controls."""
    begun = session.generation.value  # a new game makes new controls
    with solara.Column(gap="4px", style={"padding": "8px 12px", "width": "100%"}):
        Start(session)
        if not begun:
            return
        solara.HTML("h2", "Events", classes=["section"])
        Events(session)
        solara.HTML("h2", "Parameters", classes=["section"])
        Parameters(session)
        solara.HTML("h2", "Link, state and files", classes=["section"])
        Downloads(session)
        OwnDataPanel(session)


@solara.component
def Main(session: Session):
    """The results; each part is rendered again when its own part of the frame changes."""
    begun = session.generation.value
    with solara.Column(gap="0px"):
        Messages(session)
        Player(session)
        if begun:
            with solara.Div(classes=["main-grid"]):
                with solara.Div(classes=["area-summary"]):
                    Summary(session)
                with solara.Div(classes=["area-decide"]):
                    Decision(session)
                    OwnDataReport(session)
                with solara.Div(classes=["area-firms"]):
                    FirmsPanel(session)
                    ViewControls(session)
                    PersonTable(session)
                with solara.Div(classes=["area-people"]):
                    PeoplePanel(session)
                with solara.Div(classes=["area-weeks"]):
                    WeeksPanel(session)


@solara.component
def Messages(session: Session):
    """Errors, and what the page is busy with."""
    with solara.Div(classes=["messages"]):
        for problem in session.problems.value:
            solara.Error(problem, dense=True, classes=["problem"])
        if session.busy.value:
            solara.Info(session.busy.value, dense=True)


@solara.component
def Summary(session: Session):
    """The week, and what the events did that the market has and its twin has not."""
    frame, game = session.frame.value, session.game
    if frame is None or game is None:
        return
    opening = f"<h1>{escape(game.start.title or session.market.value)}, week {frame.week}.</h1> "
    html = [f"{opening}<p>{escape(frame.summary['text'])}</p>"]
    for figure in frame.summary["figures"]:
        big, error = (escape(figure.get(part, "").replace("-", "−")) for part in ("big", "error"))
        html.append(
            f'<div><div class="big">{big} <small>{error}</small></div><div class="small">{figure["small"]}</div></div>'
        )
    solara.HTML("div", unsafe_innerHTML="".join(html), classes=["summary"])


@solara.component
def FirmsPanel(session: Session):
    """The table of firms of the last frame."""
    frame = session.frame.value
    if frame:
        choose = lambda firm: session.change_view(firm=firm)  # noqa: E731
        FirmTable(rows=frame.rows, firm=session.view.value.firm, event_choose=choose)


@solara.component
def PeoplePanel(session: Session):
    """The picture of the people of the last frame."""
    frame = session.frame.value
    if frame:
        PeopleCanvas(picture=frame.people, tip=session.tip.value, event_point=session.point, event_pick=session.pick)


@solara.component
def WeeksPanel(session: Session):
    """The charts of the last frame."""
    frame = session.frame.value
    if frame:
        WeekCharts(charts=frame.charts, flow=frame.flow)


@solara.component
def ViewControls(session: Session):
    """Choose the firm and group in view, and whether the lines are firms or segments."""
    game, view = session.game, session.view.value
    session.generation.value  # noqa: B018  another game has other firms
    if game is None:
        return
    with solara.Columns([1, 1, 1], gutters_dense=True, style={"margin-top": "10px"}, classes=["view"]):
        firms = {title(f): f for f in game.start.firms}
        choice("Firm in view", firms, view.firm, lambda f: session.change_view(firm=f))
        kinds = {"firms": False, "segments": True}
        choice("Lines are", kinds, view.segments, lambda segments: session.change_view(segments=segments))
        groups = {in_words(g) or "everybody": g for g in game.groups()}
        choice("People in view", groups, view.group, lambda g: session.change_view(group=g))
    solara.Text(
        "Thick line: the firm in view, with its 95 % interval. Dashed: the twin, the same people without any event.",
        classes=["hint"],
    )


@solara.component
def PersonTable(session: Session):
    """The person who was clicked."""
    frame = session.frame.value
    if frame and frame.person:
        rows = "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in frame.person.items())
        solara.HTML("table", unsafe_innerHTML=rows, classes=["person"])
