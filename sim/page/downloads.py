"""Buttons to download the scenario, the data, the figures and the run, and a link."""

from collections.abc import Callable
from functools import partial

import solara

from sim.page import figure_export
from sim.page.charts import charts, flow
from sim.page.export import data_csv, link, run_parquet, scenario_yaml
from sim.page.session import Session

INSTRUCTIONS = "played.yaml goes to FOLDER/market/; then: python -m sim --config-dir FOLDER market=played"


@solara.component
def Downloads(session: Session):
    """The files, made when a button is pressed, and the link."""
    frame, game = session.frame.value, session.game
    if frame and game:
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


@solara.component
def Link(session: Session, generation: int):
    """The scenario as an address, made again when an event or a lever changes it."""
    session.scenario_changes.value  # noqa: B018
    if session.game:
        attributes = {"href": link(session.market.value, session.game), "target": "_blank", "rel": "noopener"}
        solara.HTML("a", "Link to this scenario", attributes=attributes)
