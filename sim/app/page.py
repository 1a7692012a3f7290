"""The page: what is played at the left, what comes of it at the right."""

from functools import partial
from html import escape
from typing import Any

import solara
import solara.lab

from sim.app.controls import Events, Knobs, Player, Start
from sim.app.export import data_csv, link, run_parquet, scenario_yaml
from sim.app.pictures import saved, weeks
from sim.app.visit import Visit

CSS = """
.v-application .firms { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums }
.firms th { text-align: right; font-weight: 500; opacity: .7; padding: 2px 6px; border-bottom: 1px solid #8888 }
.firms td { text-align: right; padding: 2px 6px; white-space: nowrap }
.firms th:first-child, .firms td:first-child { text-align: left }
.firms .focus { font-weight: 700; background: #8883 }
.firms small { opacity: .75; font-weight: 400 }
.firms .chip { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 7px }
.verdict { font-size: 17px; line-height: 1.35; padding: 8px 12px; border-left: 4px solid #D55E00; background: #8882 }
.hint { font-size: 12px; opacity: .8 } .waiting { color: #D55E00; opacity: 1 }
.fold { justify-content: flex-start !important; padding: 0 4px !important; text-transform: none !important }
.knob { padding: 0 4px } .knob-name { font-size: 12px } .knob-box { max-width: 82px; font-size: 13px }
.knob-box .v-text-field__details { display: none }
.section { font-size: 15px; font-weight: 600; margin: 10px 0 4px } .pictures img { width: 100%; display: block }
.person { font-size: 13px }
.person td { padding: 1px 8px 1px 0; vertical-align: top } .person td:first-child { opacity: .7 }
.view .v-input { padding-top: 14px }
.v-navigation-drawer { min-width: 326px !important; max-width: 326px !important; width: 326px !important }
.v-navigation-drawer .v-btn { text-transform: none } .player .v-btn { min-width: 78px !important }
"""


@solara.component_vue("people.vue")
def People(src: str, tip: str, event_point: Any, event_pick: Any, event_theme: Any):
    """The picture of the people, which tells where the pointer is."""


@solara.component
def Page():
    """A market to play."""
    visit = solara.use_memo(Visit, [])
    router = solara.use_router()

    def begin():
        visit.open(router.search or "")
        return visit.close

    solara.use_effect(begin, [])
    seen = [visit.dark.value, visit.firm.value, visit.group.value]
    solara.use_effect(visit.look, seen)
    solara.Title("Stickiness: play a market")
    solara.Style(CSS)
    with solara.AppBar():
        solara.lab.ThemeToggle()
    with solara.Sidebar():
        Sidebar(visit)
    Main(visit)


@solara.component
def Sidebar(visit: Visit):
    """What is played."""
    visit.curtain.value  # noqa: B018  a new market makes new controls
    with solara.Column(gap="4px", style={"padding": "8px 12px", "width": "100%"}):
        Start(visit)
        Player(visit)
        solara.HTML("div", "Make something happen", classes=["section"])
        Events(visit)
        solara.HTML("div", "Levers and traits", classes=["section"])
        Knobs(visit)
        solara.HTML("div", "Take home", classes=["section"])
        TakeHome(visit)


@solara.component
def Main(visit: Visit):
    """What comes of it."""
    frame = visit.frame.value
    with solara.Column(gap="8px", style={"padding": "8px 14px"}):
        for problem in visit.problems.value:
            solara.Error(problem, dense=True, classes=["problem"])
        if visit.busy.value:
            solara.Info(visit.busy.value, dense=True)
            solara.ProgressLinear(True)
        if frame is None or visit.stage is None:
            return
        _headline(visit)
        with solara.Columns([6, 7], gutters_dense=True):
            with solara.Column(gap="4px"):
                solara.HTML("div", unsafe_innerHTML=frame.table)
                _view(visit)
                _person(visit)
            with solara.Column(gap="2px"):
                words = "Each square is a person, in the colour of the firm used last; a dot: anchored. Point or click."
                solara.Text(" ".join((words, frame.drawn_of)), classes=["hint"])
                People(
                    src=frame.people,
                    tip=visit.tip.value,
                    event_point=visit.point,
                    event_pick=visit.pick,
                    event_theme=visit.dark.set,
                )
        with solara.Div(classes=["pictures"]):
            solara.HTML("img", attributes={"src": frame.weeks, "alt": "The weeks: share, stickiness, trust, awareness"})


def _headline(visit: Visit) -> None:
    frame, stage = visit.frame.value, visit.stage
    assert frame and stage
    opening = f"{stage.start.title or visit.market.value}, week {frame.week}. "
    invite = "Press Play, or make something happen: a twin will live on beside it without the event."
    solara.HTML("div", escape(opening + (frame.headline or invite)), classes=["verdict"])


def _view(visit: Visit) -> None:
    stage = visit.stage
    assert stage
    with solara.Columns([1, 1], gutters_dense=True, style={"margin-top": "12px"}, classes=["view"]):
        solara.Select("Firm in view", values=list(stage.start.firms), value=visit.firm, dense=True)
        everybody = "everybody"
        solara.Select(
            "People in view",
            values=[everybody, *stage.start.segments],
            value=visit.group.value or everybody,
            on_value=lambda g: visit.group.set("" if g == everybody else g),
            dense=True,
        )
    words = "Thick: the firm in view, with its 95 % band. Dashed: its twin without the last event."
    solara.Text(words, classes=["hint"])


def _person(visit: Visit) -> None:
    if visit.picked.value is None:
        solara.Text("Click on a square to keep a person in view.", classes=["hint"])
        return
    rows = "".join(f"<tr><td>{k}</td><td>{v}</td></tr>" for k, v in visit.who(visit.picked.value).items())
    solara.HTML("table", unsafe_innerHTML=rows, classes=["person"])


@solara.component
def TakeHome(visit: Visit):
    """Scenario, data, figures, link."""
    stage, frame = visit.stage, visit.frame.value
    if stage is None or frame is None:
        return

    def locked(make: Any) -> Any:
        with visit.lock:
            return make()

    def figure(kind: str) -> bytes:
        drawn = weeks(stage, visit.firm.value, visit.group.value, visit.dark.value)
        return saved(drawn, kind, visit.dark.value)

    files: dict[str, tuple[str, Any]] = {"played.yaml": ("Scenario, YAML", partial(scenario_yaml, stage))}
    files["played.csv"] = ("Data, CSV", partial(data_csv, stage))
    if frame.week >= stage.start.window:
        files["run.parquet"] = ("Run, Parquet", partial(run_parquet, stage))
    files["weeks.png"] = ("Figure, PNG", partial(figure, "png"))
    files["weeks.svg"] = ("Figure, SVG", partial(figure, "svg"))
    with solara.Row(gap="2px", style={"flex-wrap": "wrap"}):
        for name, (label, make) in files.items():
            with solara.FileDownload(partial(locked, make), filename=name).key(name):
                solara.Button(label, text=True, small=True, icon_name="mdi-download")
    if frame.week < stage.start.window:
        solara.Text(f"The run as Parquet: from week {stage.start.window} on, a window.", classes=["hint"])
    address = link(visit.market.value, stage)
    solara.HTML("a", "Link to this scenario", attributes={"href": address, "target": "_blank", "rel": "noopener"})
    how = "played.yaml goes to FOLDER/market/; then: python -m sim --config-dir FOLDER market=played"
    solara.Text(how, classes=["hint"])
