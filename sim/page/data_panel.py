"""The part of the page for a visitor's own purchase file."""

import threading
from collections.abc import Callable
from functools import partial

import solara

from sim.model.declare import ScenarioError
from sim.page import own_data
from sim.page.downloads import FileUpload
from sim.page.limits import UPLOAD
from sim.page.session import Session
from sim.page.upload import Upload


def _run(
    session: Session,
    work: Callable[[], own_data.OwnData],
    on_problems: Callable[[list[str]], None],
    on_busy: Callable[[str], None],
) -> None:
    """Do what takes a while; what is wrong becomes sentences."""
    try:
        on_problems([])
        made = work()
        if session.own.value and session.own.value.market:
            session.own.value.forget()
        session.own.value = made
        if session.closed:
            made.forget()
    except ScenarioError as error:
        on_problems(error.complaints[:10])
    except Exception as error:
        on_problems([f"this cannot be done with these data ({type(error).__name__})"])
    finally:
        on_busy("")


def _fitted(session: Session, found: own_data.OwnData, on_busy: Callable[[str], None]) -> own_data.OwnData:
    """A market fitted to a file, saying how far it is; ends when the visitor has left."""

    def said(what: str, done: float) -> None:
        if session.closed:
            raise ScenarioError(["the visitor has left"])
        on_busy(f"Fitting a market: {what}, {done:.0%} …")

    return own_data.calibrate(found, said)


@solara.component
def OwnDataPanel(session: Session):
    """Upload, what was understood, calibrate, play."""
    upload = solara.use_memo(Upload, [])
    busy, on_busy = solara.use_state("")
    problems, on_problems = solara.use_state([])
    found = session.own.value

    def later(what: str, work: Callable[[], own_data.OwnData]) -> None:
        on_busy(what)
        threading.Thread(target=_run, args=(session, work, on_problems, on_busy), daemon=True).start()

    def part(data: object) -> None:
        try:
            if whole := upload.add(data):
                later("Reading …", lambda: own_data.read(*whole))
        except ScenarioError as error:
            on_problems(error.complaints)

    solara.HTML("h2", "Your own data", classes=["section"])
    FileUpload(label="A purchase file: who, when, which brand", accept=".csv,.tsv,.txt", most=UPLOAD, event_part=part)
    for problem in problems:
        solara.Error(problem, dense=True, classes=["problem"])
    if busy:
        solara.Info(busy, dense=True)
    if found is None:
        solara.Text("The file is read in memory, measured, and not kept.", classes=["hint"])
        return
    if not found.market:
        fit = partial(later, "Fitting a market …", partial(_fitted, session, found, on_busy))
        solara.Button("Fit a market to it", on_click=fit, small=True, block=True, disabled=bool(busy))
    else:
        play = partial(session.choose, found.market)
        solara.Button("Play the fitted market", on_click=play, small=True, block=True, color="primary")


@solara.component
def OwnDataReport(session: Session):
    """What was understood of the file and its measures, and the fitted market beside it; closed once it is played."""
    found = session.own.value
    if found is None:
        return
    solara.HTML("h2", f"Your data: {found.name}")
    shown = own_data.shown(found, session.market.value)
    solara.HTML("div", unsafe_innerHTML=shown, classes=["own"])
