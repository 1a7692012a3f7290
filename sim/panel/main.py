"""The command `panel=FILE`: reads and measures a panel, writes the results, prints them."""

import codecs
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sim.compute.files import unwritable
from sim.panel.files import read
from sim.panel.measures import measure
from sim.panel.options import Options, parse
from sim.panel.report import read_summary, report
from sim.panel.types import Panel, PanelError
from sim.report import streams

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FILES = ("purchases.parquet", "metrics.parquet", "metrics.csv", "report.txt", "stickiness.png", "stickiness.svg")
OUTPUTS = Path("outputs")
OF_MEASURES = ("panel.out", "panel.split", "panel.period", "panel.segment")  # which tell nothing of how a file is read
FIGURE_METRICS = ("share", "stickiness", "penetration", "retention")


def main(path: str, arguments: Sequence[str] = ()) -> int:
    """Measure the panel in a file, as panel.NAME=VALUE say; show the figures and write them to a folder of their own.

    Exit status 2, with what is wrong on stderr, where the file cannot be read or a folder that was named cannot be
    written; nothing is then written.
    """
    try:
        options = parse(arguments)
        _check_out(options.out)
        panel = read(path, options=options)
        frame = measure(panel, options=options)
        folder, failures = write(panel, frame, options)
    except PanelError as error:
        print(error, file=sys.stderr)
        return 2
    _replace_unknown_characters()
    report(panel, frame=frame)
    if folder is not None:
        print(f"written to {folder}: {', '.join(f for f in FILES if (folder / f).exists())}")
    if panel.ordered and len(panel.brands) > 1:
        print(f"now make a market of it: {_calibration(path, arguments)}")
    for sentence in failures:
        print(sentence, file=sys.stderr)
    return 0


def _calibration(path: str, arguments: Sequence[str]) -> str:
    """The command that fits a market to the file as it was read here."""
    kept = [a for a in arguments if a.partition("=")[0] not in OF_MEASURES]
    return streams.plain(shlex.join(["stickiness", "calibrate", f"panel={path}", "out=my_market", *kept]))


def _replace_unknown_characters() -> None:
    """Replace characters that the terminal cannot show, rather than fail on them."""
    codecs.register_error("legible", lambda e: ("+-" if e.object[e.start] == "±" else "?", e.start + 1))  # type: ignore
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="legible")


def write(panel: Panel, frame: "pd.DataFrame", options: Options) -> tuple[Path | None, list[str]]:
    """(the new folder with all files, or None; what could not be written). Nothing that is there is overwritten."""
    wanted = Path(options.out) if options.out else OUTPUTS / f"{datetime.now():%Y-%m-%d}" / f"{datetime.now():%H-%M-%S}"
    _check_out(options.out)
    created = [p for p in (wanted.parent, *wanted.parent.parents) if not p.exists()]
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=wanted.parent, prefix=".draft-") as name:
            draft = Path(name) / "files"
            draft.mkdir()
            failures = _files(panel, frame, draft)
            return _rename_to_free(draft, wanted), failures
    except OSError as error:
        for folder in created:  # those created here, as long as they are empty
            with suppress(OSError):
                folder.rmdir()
        sentence = f"{wanted}: cannot be written ({error.strerror or error})"
        if options.out:
            raise PanelError([f"panel.out: {sentence}"]) from None
        return None, [sentence]


def _check_out(out: str | None) -> None:
    """PanelError if the folder that is named holds something, is a file, or cannot be made."""
    if not out:
        return
    folder = Path(out)
    if os.path.lexists(folder) and not folder.is_dir():
        raise PanelError([f"panel.out: {folder} is a file; name a folder"])
    if folder.is_dir() and any(folder.iterdir()):
        raise PanelError([f"panel.out: {folder} is there and not empty; nothing is overwritten, name another folder"])
    if why := unwritable(folder):
        raise PanelError([f"panel.out: {folder}: cannot be written: {why}"])


def _rename_to_free(draft: Path, wanted: Path) -> Path:
    """Give the folder its name, or the next that is free: two runs may end in one second."""
    for number in range(1, 1000):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            with suppress(OSError):
                os.rename(draft, folder)
                return folder
    raise OSError(f"no free name beside {wanted}")


def _files(panel: Panel, frame: "pd.DataFrame", folder: Path) -> list[str]:
    """Write the files; a figure that cannot be drawn is a sentence, and the rest is kept."""
    from rich.console import Console

    purchase_table(panel).to_parquet(folder / "purchases.parquet", index=False)
    frame.to_parquet(folder / "metrics.parquet", index=False)
    frame.to_csv(folder / "metrics.csv", index=False)
    with open(folder / "report.txt", "w", encoding="utf-8") as file:
        width = 110 + max(map(len, panel.brands), default=0)
        report(panel, Console(file=file, width=width), frame)
    try:
        figure = brand_figure(panel, frame)
        if figure is not None:
            from sim.report import figures

            for kind in ("png", "svg"):
                figures.save(figure, folder / f"stickiness.{kind}", kind)
    except Exception as error:  # the numbers are written already; a failed drawing must not lose them
        for kind in ("png", "svg"):
            (folder / f"stickiness.{kind}").unlink(missing_ok=True)
        return [f"the figure could not be drawn ({' '.join(str(error).split())[:120]})"]
    return []


def purchase_table(panel: Panel) -> "pd.DataFrame":
    """hh, date (or t), choice, quantity, segment of every use that is counted, as a DataFrame."""
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"hh": panel.households[panel.hh].astype(str)})
    if panel.origin is None:
        frame["t"] = panel.t
    else:
        frame["date"] = panel.origin.astype("datetime64[s]") + (panel.t * 86_400).round().astype("timedelta64[s]")
    frame["choice"] = np.array(panel.brands, object)[panel.y]
    for name in ("quantity", "segment"):
        if getattr(panel, name) is not None:
            frame[name] = getattr(panel, name)
    return frame


def brand_figure(panel: Panel, frame: "pd.DataFrame") -> "Figure | None":
    """Share, stickiness and penetration of every brand with 95 % intervals; None for the history of one firm."""
    from sim.report import figures

    rows = frame[(frame["firm"] != "") & frame["metric"].isin(FIGURE_METRICS)]
    parts = [g for g in dict.fromkeys(rows["group"]) if g != "change"]
    rows = rows[rows["group"].isin(parts[: len(figures.PALETTE)])].dropna(subset=["value"])
    if not len(rows) or len(panel.brands) == 1:
        return None
    rows = rows.assign(firm=rows["firm"].str.replace("$", r"\$", regex=False))
    last = list(read_summary(panel))[-1].split(";")[0]
    by = "group" if len(parts) > 1 else ""
    return figures.dots(rows, row="firm", by=by, panel="metric", title=f"How sticky: {last}", label="95 % intervals")
