"""The look that all figures share: colors, type, scales, bands, marks of events, and how a figure is saved."""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, ParamSpec

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.measure.metrics import info
from sim.report.findings import INTERVAL, called

if TYPE_CHECKING:
    import pandas as pd

FOCUS, REST, MARK, INK = "#D55E00", "#A6A6A6", "#0072B2", "#222222"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "text.color": INK,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "legend.frameon": False,
    "svg.hashsalt": "sim",
    "text.parse_math": False,  # names and titles are data
    "text.usetex": False,
}
P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """The function, drawing in the style of all figures."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with rc_context(STYLE):  # type: ignore[arg-type]
            return draw(*args, **kwargs)

    return styled


def save(figure: Figure, to: str | Path | IO[bytes], kind: str) -> None:
    """Write a figure as png or svg to a path or an open file: the same figure, the same bytes."""
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context(STYLE):  # type: ignore[arg-type]
        engine = figure.get_layout_engine()
        if engine is not None:  # laid out once, and rounded: the solver differs in its last bits
            engine.execute(figure)
            figure.set_layout_engine("none")
            for axes in figure.axes:
                axes.set_position(tuple(np.round(axes.get_position().bounds, 6)))
        figure.savefig(to, format=kind, dpi=150, metadata=metadata)


def draw_band(axes: Axes, rows: "pd.DataFrame", color: str) -> None:
    """Draw values over the weeks with their 95 % band; a single value with a bar."""
    if not len(rows):
        return
    spread = INTERVAL * rows["error"]
    few = "o" if len(rows) < 14 else ""
    if len(rows) == 1 and spread.notna().all():
        axes.errorbar(rows["week"], rows["value"], spread, color=color, capsize=3)
    axes.plot(rows["week"], rows["value"], color=color, linewidth=1.8, marker=few, markersize=4)
    axes.fill_between(rows["week"], rows["value"] - spread, rows["value"] + spread, color=color, alpha=0.22, lw=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def mark_events(axes: Axes, events: Mapping[str, int], words: bool) -> None:
    """Draw a dashed line at the week of each event, with its name where `words`."""
    for n, (label, week) in enumerate(events.items()):
        axes.axvline(week, color=INK, linewidth=1, linestyle=(0, (3, 2)))
        if words:
            high = 1 - 0.08 * (n % 4)
            axes.annotate(f" {called(label)}", (week, high), xycoords=("data", "axes fraction"), va="top", fontsize=8.5)


def scale_axis(axis: Axis, metric: str, ticks: int = 5) -> None:
    """Set few ticks, in % where the metric is a share."""
    axis.set_major_locator(MaxNLocator(ticks))
    if info(metric).percent:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def with_title(figure: Figure, axes: Axes, title: str, label: str, kinds: int) -> Figure:
    """The figure with its title, the label of its x axis and, of several kinds, a legend."""
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    figure.supxlabel(label, fontsize=10)
    if kinds > 1:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure


def color(n: int) -> str:
    """The color of the n-th of many categories: those of PALETTE and wine, then the same twice as pale each round.

    >>> color(0), color(8)
    ('#0072b2', '#80b8d8')
    """
    bright = (*PALETTE, "#882255")
    part = 0.5 ** (n // len(bright))
    red, green, blue = (1 - part * (1 - c) for c in to_rgb(bright[n % len(bright)]))
    return to_hex((red, green, blue))


def path_words(path: str) -> str:
    """A dotted path in words: its last two names."""
    return " ".join(path.split(".")[-2:]).replace("_", " ")


def words(metric: str) -> str:
    """The label of a metric, or any other name, for people."""
    return called(info(metric).words)
