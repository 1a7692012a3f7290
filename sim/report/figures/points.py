"""Figures of values with their errors as dots: against what is expected, or a line a row."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from sim.report.figures.style import FOCUS, INK, PALETTE, REST, styled, with_title, words
from sim.report.findings import INTERVAL, called

if TYPE_CHECKING:
    import pandas as pd


@styled
def side_by_side(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    names: Sequence[str],
    title: str = "",
    legend: tuple[str, str] = ("expected", "simulated, 95 %"),
) -> Figure:
    """Dots with their errors against ticks, what theory or a source expects: a panel for each label.

    `panels` gives (value, error, expected) by label, arrays over `names`. `legend` says what ticks and dots are.
    """
    rows = np.arange(len(names))[::-1]
    figure = Figure(figsize=(1.5 + 3.1 * len(panels), 2.0 + 0.34 * len(names)), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (label, panel) in zip(grid, panels.items(), strict=True):
        value, error, expected = (np.asarray(a, float) for a in panel)
        axes.hlines(rows, *_range(value, error, expected), color="#EEEEEE", zorder=0)
        axes.plot(expected, rows, "|", color=INK, markersize=17, markeredgewidth=2.2, label=legend[0])
        axes.errorbar(value, rows, xerr=INTERVAL * error, fmt="o", color=FOCUS, capsize=3, label=legend[1])
        axes.set(xlabel=label)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    grid[0].set_yticks(rows, [called(n) for n in names])
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


@styled
def dots(table: "pd.DataFrame", row: str, by: str = "", panel: str = "", title: str = "", label: str = "") -> Figure:
    """Values with their errors, a line for each `row`, a color for each `by`, a panel with its own scale each `panel`.

    `table` has the columns value and error, and is drawn in its own order.
    """
    rows, kinds = list(dict.fromkeys(table[row])), list(dict.fromkeys(table[by])) if by else [""]
    panels, every = list(dict.fromkeys(table[panel])) if panel else [""], np.ones(len(table), bool)
    size = (4.2 + 3.1 * len(panels), 1.7 + (0.28 + 0.11 * len(kinds)) * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    for axes, name in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True):
        axes.axvline(0, color="#BBBBBB", linewidth=1, zorder=0)
        for n, kind in enumerate(kinds):
            mine = table[((table[panel] == name) if panel else every) & ((table[by] == kind) if by else every)]
            places = [rows.index(r) + 0.16 * (n - (len(kinds) - 1) / 2) for r in mine[row]]
            look = {
                "fmt": "os^Dvp*"[n % 7],
                "color": PALETTE[n % len(PALETTE)],
                "capsize": 3,
                "label": words(str(kind)),
            }
            axes.errorbar(mine["value"], places, xerr=INTERVAL * mine["error"], **look)
        axes.set_title(words(str(name)), fontsize=10)
        axes.set_yticks(range(len(rows)), [words(str(r)) for r in rows])
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_ylim(len(rows) - 0.5, -0.5)
    return with_title(figure, axes, title, label, len(kinds) if by else 0)


def _range(value: np.ndarray, error: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    ends = np.concatenate([value - INTERVAL * np.nan_to_num(error), value + INTERVAL * np.nan_to_num(error), expected])
    return float(np.nanmin(ends)), float(np.nanmax(ends))


@styled
def predicted(panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]], title: str) -> Figure:
    """Predicted against observed, a panel a statistic: (observed, predicted, its standard deviation) by kind of data.

    The line is where both are equal; bars are 1.96 standard deviations.
    """
    columns = 2
    figure = Figure(figsize=(8.0, 7.6), layout="constrained")
    axes = figure.subplots(-(-len(panels) // columns), columns).ravel()
    for axis, (name, kinds) in zip(axes, panels.items(), strict=False):
        high = 0.0
        for color, (kind, (seen, expected, spread)) in zip((REST, FOCUS), sorted(kinds.items()), strict=False):
            known = np.isfinite(seen) & np.isfinite(expected)
            color = FOCUS if kind == "held out" else color
            axis.errorbar(
                seen[known], expected[known], 1.96 * spread[known], fmt="o", ms=4, lw=1, color=color, label=kind
            )
            high = max([high, *(seen[known]), *(expected[known])])
        axis.plot([0, 1.05 * high], [0, 1.05 * high], color=INK, lw=0.8)
        axis.set(title=name, xlabel="observed", ylabel="predicted", xlim=(0, 1.08 * high), ylim=(0, 1.12 * high))
    axes[0].legend(loc="upper left", title="bars: 95 %", alignment="left")
    figure.suptitle(title, x=0.02, ha="left", weight="bold")
    return figure
