"""What the terminal shows: how far the run is, its table, its market in words, where its files are."""

import math
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from sim.model.fields import Scenario
from sim.report import answer_text, streams
from sim.report.findings import TOO_FEW
from sim.report.folders import near
from sim.report.result import ANSWER_FILES, FILES, Finished
from sim.report.streams import console as _console
from sim.study.answer import Answer
from sim.study.countermeasures import Countermeasure

if TYPE_CHECKING:
    import pandas as pd

CELL, NAME, LABEL = 13, 16, 24  # columns of text: of a figure at least, of a firm, of a label that wraps at least
DIGITS = {"%": 1, "index": 3}  # of a figure of the market, by its unit; 2 of other units
Progress = tuple[Callable[[int, int], None], Callable[[str], None]]


@contextmanager
def progress(scenario: Scenario, what: str = "simulating") -> Iterator[Progress]:
    """(step(done, of), phase(name)): a bar on stderr while it lasts, or one line where stderr is no terminal."""
    console = _console(stderr=True)
    if not compiled():
        console.print("compiling the kernel, once (about 12 s)")
    if not console.is_terminal:
        console.print(f"{what} {scenario.weeks} weeks of {scenario.people:,} people ...", soft_wrap=True)
        yield (lambda done, of: None), (lambda phase: None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        week = bar.add_task(what, total=None)
        yield (
            lambda done, of: bar.update(week, completed=done, total=of, description=f"{what}: week {done} of {of}"),
            lambda phase: bar.update(week, description=phase),
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


def print_run(done: Finished) -> None:
    """Print all there is to say of a single run."""
    console, width, s = _console(), streams.columns(), done.run.scenario
    about = f"{s.people:,} people, {s.weeks} weeks, windows of {s.window}"
    console.print()
    if done.answer:
        _print_answer(done.answer, done.measures)
    console.print(streams.plain(s.title or "A market"), style="bold", end="", soft_wrap=True)
    console.print(f": {about}; value ± half of its 95 % interval\n")
    metrics, left_out = _columns(done, width)
    console.print(_firm_table(done, metrics))
    if left_out:
        console.print(f"{', '.join(left_out)}: in metrics.csv, or on a wider terminal", style="dim", soft_wrap=True)
    console.print(textwrap.fill(_legend(metrics), width), style="dim", soft_wrap=True)
    kinds = [k for k in ("segments", "cohorts") if done.table["group"].str.startswith(k).any()]
    for metric in ("stickiness", "share") if kinds and not done.answer else ():
        console.print(f"\n{_group_title(metric, kinds)}", style="bold")
        console.print(_group_table(done, metric, kinds, width))
    console.print("\nthe market", style="bold")
    for line in (*_market_lines(done), "", *presence_lines(done)):
        console.print(line, soft_wrap=True)


def _print_answer(answer: Answer, measures: Sequence[Countermeasure]) -> None:
    """Print what the events cost, whom, how sure that is, and what would have helped."""
    console, width = _console(), streams.columns()
    for line in answer_text.sentences(answer):
        if line:
            console.print(textwrap.fill(streams.plain(line), width), style="bold", soft_wrap=True)
    heads, rows = answer_text.rows(answer)
    table, left_out = fitted(f"interval: {answer_text.level(answer)}", heads, rows, width)
    console.print(table)
    if left_out:
        names = ", ".join(head.partition("\n")[0] for head in left_out)
        console.print(f"{names}: in answer.csv, or on a wider terminal", style="dim", soft_wrap=True)
    for line in answer_text.lines(answer):
        console.print(textwrap.fill(streams.plain(line), width, subsequent_indent="  "), soft_wrap=True)
    helped = answer_text.measures(measures)
    if helped:
        heads = ["of the loss averted, %", "side effect, customers %", "cost"]
        console.print()
        console.print(fitted("what would have helped (80 %)", heads, helped, width)[0])
        line = "what is known of each, and all of them: python -m sim countermeasures, with the same settings"
        console.print(line, style="dim", soft_wrap=True)
    console.print()


def fitted(name: str, heads: Sequence[str], rows: Sequence[answer_text.Row], width: int) -> tuple[Table, list[str]]:
    """A table of as many columns as the width takes, and the heads of the others; labels wrap, figures are not cut."""
    columns = list(zip(*(cells for _, cells in rows), strict=True))
    widths = [max(map(len, (*head.split("\n"), *cells))) for head, cells in zip(heads, columns, strict=True)]
    ends = accumulate((w + 2 for w in widths), initial=LABEL)
    many = max(1, sum(end <= width for end in ends) - 1)
    table = _grid(name, *heads[:many])
    table.columns[0].no_wrap = False
    for column, wide in zip(table.columns[1:], widths, strict=False):
        column.min_width = wide
    for label, cells in rows:
        table.add_row(streams.plain(label), *cells[:many])
    return table, list(heads[many:])


def print_job(done: Finished) -> None:
    """Print one line on one job of a sweep."""
    _line(f"{_swept(done) or 'as composed'} -> {near(done.folder)}")


def print_files(done: Finished) -> None:
    """Print the one line on the files."""
    _line(f"written to {_files(done)}")


def print_failures(done: Finished, failed: Mapping[str, Exception]) -> None:
    """Print, on stderr, what of a run could not be shown and why, and where the run is."""
    reasons = dict.fromkeys(_reason(error) for error in failed.values())
    what = " and ".join(failed)
    print(f"{what} could not be shown ({'; '.join(reasons)}); the run is kept in {_files(done)}", file=sys.stderr)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return streams.plain(f"{type(error).__name__}: {error}".splitlines()[0])


def _files(done: Finished) -> str:
    there = [name for name in (*ANSWER_FILES, *FILES) if (done.folder / name).is_file()]
    return streams.plain(f"{near(done.folder)}: {', '.join(there)}")


def _line(text: str) -> None:
    _console().print(streams.plain(text), soft_wrap=True)


def _columns(done: Finished, width: int) -> tuple[list[str], list[str]]:
    """The metrics of a firm that fit into the width, and those that do not."""
    from sim.measure.metrics import listed

    provider = done.run.scenario.market.regime == "provider"
    names = [info.name for info in listed("firm", provider) if info.terminal]
    many = _fitting([_column(done.table, "all", name) for name in names], width)
    return names[:many], names[many:]


def _firm_table(done: Finished, metrics: Sequence[str]) -> Table:
    table = _grid("firm", *map(_head, metrics))
    columns = [_column(done.table, "all", metric) for metric in metrics]
    for firm in done.run.scenario.firms:
        _row(table, done, firm, [column[firm] for column in columns])
    return table


def _head(metric: str) -> str:
    """The head of a column in two lines: words and, of a share, %."""
    from sim.measure.metrics import info

    words = info(metric)
    return f"{words.head}\n%" if words.percent else words.head.replace(" ", "\n", 1)


def _legend(metrics: Sequence[str]) -> str:
    from sim.measure.metrics import info

    return "; ".join([f"{info(m).head}: {info(m).note}" for m in metrics if info(m).note] + ["* focus"])


def _group_title(metric: str, kinds: Sequence[str]) -> str:
    return f"{_head(metric).replace(chr(10), ' ')} by {' and '.join(kind[:-1] for kind in kinds)}"


def _group_table(done: Finished, metric: str, kinds: Sequence[str], width: int) -> Table:
    """A metric of every firm by group of people."""
    groups = [g for g in dict.fromkeys(done.table["group"]) if g.partition(".")[0] in ("all", *kinds)]
    columns = [_column(done.table, group, metric) for group in groups]
    many = _fitting(columns, width)
    table = _grid("firm", *[g.partition(".")[2] or g for g in groups[:many]])
    for firm in done.run.scenario.firms:
        _row(table, done, firm, [column[firm] for column in columns[:many]])
    return table


def _fitting(columns: Sequence[dict[str, str]], width: int) -> int:
    """How many of the columns the width takes, two at least."""
    widths = [max(CELL, *(len(cell) + 2 for cell in column.values())) for column in columns]
    ends = accumulate(widths, initial=NAME)
    return max(2, sum(end <= width for end in ends) - 1)


def _grid(*heads: str) -> Table:
    table = Table(header_style="dim")
    table.box, table.pad_edge, table.padding = None, False, (0, 2, 0, 0)
    for n, head in enumerate(heads):
        table.add_column(head, justify="right" if n else "left", no_wrap=True)
    return table


def _row(table: Table, done: Finished, firm: str, cells: Sequence[str]) -> None:
    focus = firm == done.run.scenario.focus
    table.add_row(f"{firm} *" if focus else firm, *cells, style="bold" if focus else "")


def _column(table: "pd.DataFrame", group: str, metric: str) -> dict[str, str]:
    """Firm -> value and half of its interval as text, with as many digits as those of the column deserve."""
    from sim.measure.metrics import info

    rows = table[(table["group"] == group) & (table["metric"] == metric)].set_index("firm")
    percent = info(metric).percent
    scale = 100 if percent else 1
    half = scale * (rows["high"] - rows["low"]) / 2
    coarse = not half.median() < (0.1 if percent else 0.01)
    digits = (1 if percent else 2) + (not coarse)
    return {
        str(firm): _with_error(value * scale, error, digits)
        for firm, value, error in zip(rows.index, rows["value"], half, strict=True)
    }


def _with_error(value: float, error: float, digits: int) -> str:
    """A value ± half of its interval, if it has one; a dash where there is no value: a ratio to nothing."""
    if not math.isfinite(value):
        return "-"
    known = round(value, digits) + 0.0  # no -0.00
    if not math.isfinite(error):
        return TOO_FEW
    return f"{known:.{digits}f} ±{error:.{digits}f}" if error else f"{known:.{digits}f}"


def _market_lines(done: Finished) -> list[str]:
    """The category as a whole, a line a figure."""
    from sim.measure.metrics import listed

    rows = done.table[(done.table["group"] == "all") & (done.table["firm"] == "")].set_index("metric")
    lines = []
    for info in listed("market", done.run.scenario.market.regime == "provider"):
        value, low, high = rows.loc[info.name, ["value", "low", "high"]] * (100 if info.percent else 1)
        words = (info.note or info.words).format(window=done.run.scenario.window)
        if info.terminal and math.isfinite(value):
            shown = _with_error(value, (high - low) / 2, DIGITS.get(info.unit, 2))
            lines.append(f"  {words}: {shown}" if shown == TOO_FEW else f"  {shown}{' %' * info.percent} {words}")
    return lines


def presence_lines(done: Finished) -> list[str]:
    """How far the shares in the reference market may be from those that firms state."""
    shares = done.run.shares
    if not shares:
        return []
    if any(math.isnan(s.reached) for s in shares.values()):
        return ["presence is the share asked for: in the reference market nobody used anything that would tell more"]
    worst = max(shares, key=lambda firm: shares[firm].uncertainty)
    largest = shares[worst]
    lines = [
        "shares: each firm's presence was solved so that the market as its presets have it, without events or values "
        f"from the command line, gives the share that the firm states. Largest standard error: {worst}, "
        f"{100 * largest.uncertainty:.2f} points ({100 * largest.asked:.2f} % stated, {100 * largest.reached:.2f} "
        f"±{100 * largest.error:.2f} % reached); the errors above include it"
    ]
    for firm, s in shares.items():
        if abs(s.reached - s.asked) > 3 * s.error:
            lines.append(
                f"{firm}: no presence gives {100 * s.asked:.2f} %, as asked for; {100 * s.reached:.2f} % it is"
            )
    return lines


def _swept(done: Finished) -> str:
    return " ".join(o.lstrip("+") for o in done.overrides)
