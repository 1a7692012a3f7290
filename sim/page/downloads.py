"""What one takes home, as buttons: scenario, data, figures, link."""

from collections.abc import Callable
from functools import partial

import solara

from sim.page import figure_export
from sim.page.charts import charts, flow
from sim.page.export import data_csv, link, run_parquet, scenario_yaml
from sim.page.session import Session

HOW = "played.yaml goes to FOLDER/market/; then: python -m sim --config-dir FOLDER market=played"


@solara.component
def Downloads(visit: Session):
    """Nothing here is made before it is asked for, but the link."""
    frame, game = visit.frame.value, visit.game
    if frame and game:
        Files(visit, frame.week >= game.start.window, visit.generation.value)
        Link(visit, visit.generation.value)
        solara.Text(HOW, classes=["hint"])


@solara.component
def Files(visit: Session, ended: bool, generation: int):
    """A button a file; the run as it is kept on disk once a window has ended."""
    game = visit.game
    if game is None:
        return

    def locked(make: Callable[[], bytes]) -> bytes:
        with visit.lock:
            return make()

    def figure(kind: str) -> bytes:
        view = visit.view.value
        title = f"{game.start.title or visit.market.value}, {view.group or 'everybody'}"
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
        solara.Text(f"The run as Parquet: from week {game.start.window} on, a window.", classes=["hint"])


@solara.component
def Link(visit: Session, generation: int):
    """The scenario as an address, made anew when the story changes."""
    visit.scandal_flags.value  # noqa: B018
    if visit.game:
        attributes = {"href": link(visit.market.value, visit.game), "target": "_blank", "rel": "noopener"}
        solara.HTML("a", "Link to this scenario", attributes=attributes)
