"""Buttons to download the scenario, the data, the figures and the run, and a link."""

import io
from collections.abc import Callable
from functools import partial

import solara

from sim.model.declare import ScenarioError
from sim.page import figure_export
from sim.page.charts import charts, flow
from sim.page.export import data_csv, run_parquet, scenario_yaml
from sim.page.limits import ADDRESS, LINK
from sim.page.session import Session
from sim.page.upload import Upload
from sim.report import answer_text, html_report

INSTRUCTIONS = "played.yaml goes to FOLDER/market/; then: python -m sim --config-dir FOLDER market=played"


@solara.component
def Downloads(session: Session):
    """The files, made when a button is pressed, and the link."""
    frame, game = session.frame.value, session.game
    if frame and game:
        session.questions.decision.value  # noqa: B018
        Files(session, frame.week >= game.start.window, session.generation.value)
        Link(session, session.generation.value)
        solara.Text(INSTRUCTIONS, classes=["hint"])


@solara.component
def Files(session: Session, ended: bool, generation: int):
    """A button per file; the run can be downloaded once a window has ended."""
    game = session.game
    if game is None:
        return

    def locked(make: Callable[[], bytes]) -> bytes:
        with session.lock:
            return make()

    def figure(kind: str) -> bytes:
        view = session.view.value
        title = f"{game.start.title or session.market.value}, {view.group or 'everybody'}"
        return figure_export.saved(figure_export.figure(charts(game, view), flow(game, view), title), kind)

    files: dict[str, tuple[str, Callable[[], bytes]]] = {
        "played.yaml": ("Scenario, YAML", lambda: scenario_yaml(game).encode()),
        "played.csv": ("Data, CSV", lambda: data_csv(game)),
        "weeks.png": ("Figure, PNG", lambda: figure("png")),
        "weeks.svg": ("Figure, SVG", lambda: figure("svg")),
        **_answer_files(session),
    }
    if ended:
        files["run.parquet"] = ("Run, Parquet", lambda: run_parquet(game))
    with solara.Row(gap="2px", style={"flex-wrap": "wrap"}):
        for name, (label, make) in files.items():
            with solara.FileDownload(partial(locked, make), filename=name).key(name):
                solara.Button(label, text=True, small=True, icon_name="mdi-download")
    if not ended:
        solara.Text(
            f"The run as Parquet: from week {game.start.window} on, when the first window ends.", classes=["hint"]
        )


def _answer_files(session: Session) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """The answer as figure and data, once there is one; every figure with its errors."""
    q = session.questions
    if q.decision.value is None:
        return {}

    def parquet() -> bytes:
        file = io.BytesIO()
        answer_text.table(q.report().answer).to_parquet(file, index=False)
        return file.getvalue()

    return {
        "answer.png": ("Answer, PNG", lambda: html_report.figure(q.report(), "png")),
        "answer.svg": ("Answer, SVG", lambda: html_report.figure(q.report(), "svg")),
        "answer.csv": ("Answer, CSV", lambda: html_report.answer_csv(q.report().answer)),
        "answer.parquet": ("Answer, Parquet", parquet),
    }


@solara.component_vue("upload.vue")
def FileUpload(label: str, accept: str, most: int, event_part: Callable):
    """A file of bounded size, sent in parts."""


@solara.component
def Link(session: Session, generation: int):
    """The state as an address, and as a file; a file opens it again."""
    state, upload = session.state.value, solara.use_memo(Upload, [])
    problem, on_problem = solara.use_state("")

    def part(found: object) -> None:
        try:
            on_problem("")
            whole = upload.add(found)
            if whole:
                session.opened(*whole)
        except ScenarioError as error:
            on_problem("; ".join(error.complaints))

    if not state:
        return
    attributes = {"href": state, "target": "_blank", "rel": "noopener"}
    if len(state) <= ADDRESS:
        solara.HTML("a", "Link to this state", attributes=attributes)
    else:
        solara.Text("This state is too long for an address: save it as a file.", classes=["hint"])
    with solara.FileDownload(lambda: session.state.value.encode(), filename="state.txt").key("state.txt"):
        solara.Button("State, file", text=True, small=True, icon_name="mdi-download")
    FileUpload(label="Open a state from a file", accept=".txt", most=LINK, event_part=part)
    if problem:
        solara.Error(problem, dense=True)
