"""A purchase file of the visitor's own: read, measured, fitted, played. The file itself is deleted once it is read."""

import io
import secrets
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

from sim.model.declare import ScenarioError
from sim.page import limits
from sim.page.game import COMPOSE_LOCK, OWN, OWN_PREFIX
from sim.report.html_report import escape
from sim.study.presets import scenario_and_shares

if TYPE_CHECKING:
    from sim.panel import Panel

KINDS = (".csv", ".tsv", ".txt")
WIDTH = 100  # columns of the report
SEED = 1
TURN = threading.Semaphore(1)  # one visitor's fit at a time: it uses all cores


@dataclass
class OwnData:
    """What has been made of a visitor's file; nothing of it outlives their visit."""

    name: str
    panel: "Panel"
    report: str  # what was understood, left out and measured
    fitted: str = ""  # the report of the calibration
    market: str = ""  # the name under which the calibrated market is played
    folder: str = field(default="", repr=False)

    def forget(self) -> None:
        """Delete the calibrated market."""
        OWN.pop(self.market, None)
        limits.OWN_FILES.difference_update({f for f in limits.OWN_FILES if self.folder and f.startswith(self.folder)})
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def read(name: str, content: bytes) -> OwnData:
    """Read and measure a file; ScenarioError with all that is wrong with it."""
    from rich.console import Console

    from sim import panel
    from sim.panel import PanelError

    suffix = Path(name).suffix.lower()
    if suffix not in KINDS:
        raise ScenarioError([f"{name}: the page reads {', '.join(KINDS)}; the command line reads more: panel=FILE"])
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"purchases{suffix}"
            path.write_bytes(content)
            found = panel.read(path)
        shown = io.StringIO()
        panel.report(found, Console(file=shown, width=WIDTH), panel.measure(found))
    except PanelError as error:
        raise ScenarioError([line.replace(str(path), name) for line in str(error).splitlines()]) from None
    return OwnData(name, found, shown.getvalue())


def shown(data: OwnData, played: str) -> str:
    """The reports as HTML, the latest open; none once the fitted market is played, for they would hide it."""
    parts = [("Read and measured", data.report), ("The market fitted to it", data.fitted)]
    told = [(title, text) for title, text in parts if text]
    latest = "" if data.market and played == data.market else told[-1][0]
    return "".join(
        f"<details{' open' * (title == latest)}><summary>{title}</summary><section tabindex='0' aria-label='{title}'>"
        f"<pre>{escape(text)}</pre></section></details>"
        for title, text in told
    )


def calibrate(data: OwnData, progress: Callable[[str, float], None]) -> OwnData:
    """Fit a market to the file, and make it one that can be played; ScenarioError where it tells too little."""
    from sim.calibration.market import REPORT, calibrate, write
    from sim.panel import PanelError

    folder = Path(mkdtemp(prefix="stickiness-"))
    try:
        title = f"{Path(data.name).stem}, your data"
        with TURN:
            write(calibrate(data.panel, progress, SEED, None, title), folder)
        with COMPOSE_LOCK:
            made, shares = scenario_and_shares([f"market={folder}"])
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, PanelError):
            raise ScenarioError(str(error).splitlines()) from None
        raise
    market = f"{OWN_PREFIX}{secrets.token_hex(8)}"
    OWN[market] = made, shares
    limits.OWN_FILES.update(filter(None, (made.calendar, made.population, made.posterior)))
    fitted = (folder / REPORT).read_text(encoding="utf-8")
    return OwnData(data.name, data.panel, data.report, fitted, market, str(folder))
