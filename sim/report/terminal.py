"""What the terminal shows: how far the run is, its table, its market in words, where its files are."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

from rich.table import Table

from sim.model.fields import Scenario
from sim.report import streams
from sim.report.findings import TOO_FEW, changed
from sim.report.folders import near
from sim.report.result import FILES, Finished
from sim.report.streams import console as _console

COLUMNS = {
    "stickiness": "stickiness\nindex",
    "usage_ratio": "usage\nratio",
    "excess": "excess",
    "share": "share\n%",
    "penetration": "penetration\n%",
    "category_requirements": "SCR\n%",
    "repeat_rate": "repeat\n%",
    "churn": "churn\n%",
}
CELL, NAME = 13, 16  # columns of text: of a figure at least, of a firm
LEGEND = (
    "stickiness: 0 = chance, 1 = customers use nothing else; usage ratio: uses here per use elsewhere, by those who "
    "used it\nin the window before; excess: stickiness beyond the category's; SCR: share of customers' uses; * focus"
)
MARKET = {
    "category_penetration": ("of people use the category in {window} weeks", True),
    "category_mean": ("uses a person in {window} weeks", False),
    "polarization": ("polarization of the category", False),
    "dirichlet_phi": ("phi of the Dirichlet, what size and category alone would give", False),
    "switched": ("of people are elsewhere after {window} weeks", True),
    "deliberated": ("of uses are deliberated", True),
    "wom_ratio": ("good messages a bad one", False),
}


@contextmanager
def progress(scenario: Scenario) -> Iterator[tuple[Callable[[int, int], None], Callable[[str], None]]]:
    """(step(done, of), said(what)): a bar on stderr while it lasts, or one line where stderr is no terminal."""
    console = _console(stderr=True)
    if not compiled():
        console.print("compiling the kernel, once (about 12 s)")
    if not console.is_terminal:
        console.print(f"living {scenario.weeks} weeks of {scenario.people:,} people ...")
        yield (lambda done, of: None), (lambda what: None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    words = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*words, console=console, transient=True) as bar:
        week = bar.add_task("", total=None)
        yield (
            lambda done, of: bar.update(week, completed=done, total=of, description=f"week {done} of {of}"),
            lambda what: bar.update(week, description=what),
        )


def compiled() -> bool:
    """Whether the kernel is on disk, compiled for this Python and this version of its source."""
    from sim.engine import kernel

    cache = getattr(kernel.step_folds, "_cache", None)
    if cache is None:  # numba is told to compile nothing
        return True
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    made = Path(cache.cache_path).glob(f"kernel.step_folds-*.{python}.*.nbc")
    source = os.stat(kernel.__file__).st_mtime
    return any(file.stat().st_mtime >= source for file in made)


def everything(done: Finished) -> None:
    """All there is to say of a single run."""
    console, width, s = _console(), streams.columns(), done.run.scenario
    about = f"{s.people:,} people, {s.weeks} weeks, windows of {s.window}"
    console.print()
    console.print(streams.plain(s.title or "A market"), style="bold", end="", soft_wrap=True)
    console.print(f": {about}; value ± standard error\n")
    console.print(_firms(done, width))
    console.print(LEGEND, style="dim", soft_wrap=True)
    kinds = [k for k in ("segments", "cohorts") if done.table["group"].str.startswith(k).any()]
    for metric in ("stickiness", "share") if kinds else ():
        console.print("", _by_group(done, metric, kinds, width), sep="\n")
    console.print("\nthe market", style="bold")
    for line in (*_market(done), "", *_changed(done), *_asked(done)):
        console.print(line, soft_wrap=True)


def one_line(done: Finished) -> None:
    """One line on one job of a sweep."""
    _line(f"{_swept(done) or 'as composed'} -> {near(done.folder)}")


def summary(jobs: Sequence[Finished]) -> None:
    """Swept values by the headline of the focus, a row a run."""
    varied = _varied(jobs)
    table = _grid("the sweep", *[key for key, _ in varied], "focus", "stickiness", "share %")
    for n, done in enumerate(jobs):
        focus = done.run.scenario.focus
        headline = [_column(done.table, "all", metric)[focus] for metric in ("stickiness", "share")]
        table.add_row(*[streams.plain(values[n]) for _, values in varied], focus, *headline)
    _console().print(table)
    _line(f"written to {near(jobs[0].folder.parent)}")


def where(done: Finished) -> None:
    """The one line on the files."""
    _line(f"written to {_files(done)}")


def not_shown(done: Finished, failed: Mapping[str, Exception]) -> None:
    """The sentence, on stderr, on what of a run could not be shown, and where the run is."""
    reasons = dict.fromkeys(_reason(error) for error in failed.values())
    what = " and ".join(failed)
    print(f"{what} could not be shown ({'; '.join(reasons)}); the run is kept in {_files(done)}", file=sys.stderr)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return streams.plain(f"{type(error).__name__}: {error}".splitlines()[0])


def _files(done: Finished) -> str:
    there = [name for name in FILES if (done.folder / name).is_file()]
    return streams.plain(f"{near(done.folder)}: {', '.join(there)}")


def _line(text: str) -> None:
    _console().print(streams.plain(text), soft_wrap=True)


def _firms(done: Finished, width: int) -> Table:
    columns = _fitting([_column(done.table, "all", metric) for metric in COLUMNS], width)
    table = _grid("", "firm", *list(COLUMNS.values())[: len(columns)])
    if len(columns) < len(COLUMNS):
        table.caption = f"{', '.join(list(COLUMNS)[len(columns) :])}: in metrics.csv, or on a wider terminal"
    for firm in done.run.scenario.firms:
        _row(table, done, firm, [column[firm] for column in columns])
    return table


def _by_group(done: Finished, metric: str, kinds: Sequence[str], width: int) -> Table:
    found = [g for g in dict.fromkeys(done.table["group"]) if g.partition(".")[0] in ("all", *kinds)]
    columns = _fitting([_column(done.table, group, metric) for group in found], width)
    heads = [g.partition(".")[2] or g for g in found[: len(columns)]]
    table = _grid(f"{COLUMNS[metric].replace(chr(10), ' ')} by {' and '.join(k[:-1] for k in kinds)}", "firm", *heads)
    for firm in done.run.scenario.firms:
        _row(table, done, firm, [column[firm] for column in columns])
    return table


def _fitting(columns: Sequence[dict[str, str]], width: int) -> Sequence[dict[str, str]]:
    """As many of the columns as the width takes, two at least."""
    widths = [max(CELL, *(len(cell) + 2 for cell in column.values())) for column in columns]
    ends = accumulate(widths, initial=NAME)
    return columns[: max(2, sum(end <= width for end in ends) - 1)]


def _grid(title: str, *heads: str) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="dim")
    table.box, table.pad_edge, table.padding = None, False, (0, 2, 0, 0)
    for n, head in enumerate(heads):
        table.add_column(head, justify="right" if n else "left", no_wrap=True)
    return table


def _row(table: Table, done: Finished, firm: str, cells: Sequence[str]) -> None:
    focus = firm == done.run.scenario.focus
    table.add_row(f"{firm} *" if focus else firm, *cells, style="bold" if focus else "")


def _column(table: Any, group: str, metric: str) -> dict[str, str]:
    """Firm -> value and error as text, with as many digits as the errors of the column deserve."""
    rows = table[(table["group"] == group) & (table["metric"] == metric)].set_index("firm")
    percent = COLUMNS.get(metric, "").endswith("%")
    scale = 100 if percent else 1
    coarse = not rows["error"].median() * scale < (0.05 if percent else 0.005)
    digits = (1 if percent else 2) + (not coarse)
    return {
        str(firm): _text(value * scale, error * scale, digits)
        for firm, value, error in zip(rows.index, rows["value"], rows["error"], strict=True)
    }


def _text(value: float, error: float, digits: int) -> str:
    if value != value:
        return "-"
    return f"{value:.{digits}f} ±{error:.{digits}f}" if error == error else TOO_FEW


def _market(done: Finished) -> list[str]:
    """The category as a whole, a line a figure."""
    rows = done.table[(done.table["group"] == "all") & (done.table["firm"] == "")].set_index("metric")
    lines = []
    for metric, (template, percent) in MARKET.items():
        words = template.format(window=done.run.scenario.window)
        value, error = rows.loc[metric, ["value", "error"]] * (100 if percent else 1)
        if value == value:
            shown = _text(value, error, 1 if percent else 3)
            lines.append(f"  {words}: {shown}" if error != error else f"  {shown}{' %' if percent else ''} {words}")
    return lines


def _changed(done: Finished) -> list[str]:
    """What the events changed."""
    return [changed(done.effect), ""] if done.effect else []


def _asked(done: Finished) -> list[str]:
    """What is known of the shares that firms state: how far the solved presence may be off, on draws of its own."""
    shares = done.run.shares
    if not shares:
        return []
    if any(s.reached != s.reached for s in shares.values()):
        return ["presence is the share asked for: in the reference market nobody used anything that would tell more"]
    worst = max(shares, key=lambda firm: shares[firm].uncertainty)
    told = shares[worst]
    lines = [
        "presence was solved for the reference market (the presets without values on the command line, scandals and "
        "levers), on people of its own: shares there are those asked for up to a standard error of "
        f"{100 * told.uncertainty:.2f} points ({worst}: {100 * told.asked:.2f} % asked, "
        f"{100 * told.reached:.2f} ±{100 * told.error:.2f} % reached), which the errors above include"
    ]
    for firm, s in shares.items():
        if abs(s.reached - s.asked) > 3 * s.error:
            lines.append(
                f"{firm}: no presence gives {100 * s.asked:.2f} %, as asked for; {100 * s.reached:.2f} % it is"
            )
    return lines


def _swept(done: Finished) -> str:
    return " ".join(o.lstrip("+") for o in done.overrides)


def _varied(jobs: Sequence[Finished]) -> list[tuple[str, list[str]]]:
    """The overrides that differ between jobs: (key, value by job)."""
    pairs = [dict(o.lstrip("+").partition("=")[::2] for o in done.overrides) for done in jobs]
    keys = dict.fromkeys(key for job in pairs for key in job)
    columns = [(key, [job.get(key, "") for job in pairs]) for key in keys]
    return [(key, values) for key, values in columns if len(set(values)) > 1]
