"""What one takes home, as buttons: scenario, data, figures, link."""

from collections.abc import Callable
from functools import partial

import solara

from sim.page import paper
from sim.page.charts import charts, flow
from sim.page.export import data_csv, link, run_parquet, scenario_yaml
from sim.page.visit import Visit

HOW = "played.yaml goes to FOLDER/market/; then: python -m sim --config-dir FOLDER market=played"


@solara.component
def TakeHome(visit: Visit):
    """Nothing here is made before it is asked for, but the link."""
    frame, stage = visit.frame.value, visit.stage
    if frame and stage:
        Files(visit, frame.week >= stage.start.window, visit.curtain.value)
        Link(visit, visit.curtain.value)
        solara.Text(HOW, classes=["hint"])


@solara.component
def Files(visit: Visit, ended: bool, curtain: int):
    """A button a file; the run as it is kept on disk once a window has ended."""
    stage = visit.stage
    if stage is None:
        return

    def locked(make: Callable[[], bytes]) -> bytes:
        with visit.lock:
            return make()

    def figure(kind: str) -> bytes:
        view = visit.view.value
        title = f"{stage.start.title or visit.market.value}, {view.group or 'everybody'}"
        return paper.saved(paper.figure(charts(stage, view), flow(stage, view), title), kind)

    files: dict[str, tuple[str, Callable[[], bytes]]] = {
        "played.yaml": ("Scenario, YAML", lambda: scenario_yaml(stage).encode()),
        "played.csv": ("Data, CSV", lambda: data_csv(stage)),
        "weeks.png": ("Figure, PNG", lambda: figure("png")),
        "weeks.svg": ("Figure, SVG", lambda: figure("svg")),
    }
    if ended:
        files["run.parquet"] = ("Run, Parquet", lambda: run_parquet(stage))
    with solara.Row(gap="2px", style={"flex-wrap": "wrap"}):
        for name, (label, make) in files.items():
            with solara.FileDownload(partial(locked, make), filename=name).key(name):
                solara.Button(label, text=True, small=True, icon_name="mdi-download")
    if not ended:
        solara.Text(f"The run as Parquet: from week {stage.start.window} on, a window.", classes=["hint"])


@solara.component
def Link(visit: Visit, curtain: int):
    """The scenario as an address, made anew when the story changes."""
    visit.story.value  # noqa: B018
    if visit.stage:
        attributes = {"href": link(visit.market.value, visit.stage), "target": "_blank", "rel": "noopener"}
        solara.HTML("a", "Link to this scenario", attributes=attributes)
