"""Figures of metrics over weeks, over swept values and over any other axis: small multiples, lines and curves."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from sim.report.figures.style import (
    FOCUS,
    INK,
    MARK,
    PALETTE,
    draw_band,
    mark_events,
    path_words,
    scale_axis,
    styled,
    with_title,
    words,
)
from sim.report.findings import INTERVAL, called

if TYPE_CHECKING:
    import pandas as pd

MOST_PANELS = 20


@styled
def series(
    table: "pd.DataFrame",
    metric: str,
    focus: str = "",
    events: Mapping[str, int] | None = None,
    by: str = "firm",
    same_scale: bool = True,
) -> Figure:
    """Small multiples: a metric over the weeks, one panel for every value of `by`, with its band of error."""
    rows = table[table["metric"] == metric]
    members = list(dict.fromkeys(rows[by]))[:MOST_PANELS]
    across = min(len(members), math.ceil(math.sqrt(len(members) * 1.3)))
    down = math.ceil(len(members) / across)
    figure = Figure(figsize=(1.2 + 2.7 * across, 1.0 + 1.8 * down), layout="constrained")
    grid = figure.subplots(down, across, sharex=True, sharey=same_scale, squeeze=False)
    for n, (panel, member) in enumerate(zip(grid.flat, members, strict=False)):
        color = FOCUS if member == focus else MARK
        draw_band(panel, rows[rows[by] == member], color)
        mark_events(panel, events or {}, words=False)
        panel.set_title(called(member), fontsize=10, color=FOCUS if member == focus else INK)
        scale_axis(panel.yaxis, metric)
        if n + across >= len(members):
            panel.tick_params(labelbottom=True)
            panel.set_xlabel("week")
    for panel in grid.flat[len(members) :]:
        panel.set_visible(False)
    marks = ", ".join(f"{called(label)} in week {week}" for label, week in (events or {}).items())
    figure.suptitle(f"{words(metric)} over time", x=0.01, ha="left", weight="bold")
    if marks:
        figure.text(0.99, 0.985, f"dashed: {marks}", ha="right", va="top", fontsize=9, color="#555555")
    return figure


@styled
def sweep(
    table: "pd.DataFrame",
    x: str,
    metric: str,
    by: Sequence[str] = (),
    error: str = "",
    title: str = "",
    labels: tuple[str, str] = ("", ""),
) -> Figure:
    """A metric against a swept value, one line for every combination of the other axes `by`.

    A row of `table` is a run: a column a swept path, the metric and its error (`metric`.error unless named);
    `title` says the finding, `labels` what the axes show, with their units.
    """
    error = error or f"{metric}.error"
    figure = Figure(figsize=(7.6, 4.6), layout="constrained")
    axes = figure.subplots()
    groups = [((), table)] if not by else list(table.groupby(list(by), sort=False))
    for n, (values, rows) in enumerate(groups):
        rows = rows.sort_values(x)
        label = ", ".join(f"{path_words(b)} {v}" for b, v in zip(by, values, strict=True))
        spread = INTERVAL * rows[error] if error in rows else None
        color, dashes = PALETTE[n % len(PALETTE)], ("-", "--", ":")[n // len(PALETTE) % 3]
        axes.errorbar(rows[x], rows[metric], spread, color=color, linestyle=dashes, marker="o", capsize=3, label=label)
    axes.set(xlabel=labels[0] or x, ylabel=labels[1], title=title or f"{words(metric)} by {path_words(x)}")
    scale_axis(axes.yaxis, metric)
    if by:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@styled
def curves(
    table: "pd.DataFrame",
    x: str,
    by: Sequence[str] = (),
    panel: str = "",
    title: str = "",
    labels: tuple[str, str] = ("", ""),
) -> Figure:
    """Values over `x` with their bands of error: a color for each first of `by`, a dash for each second.

    A panel with its own scale for each value of the column `panel`; `labels` are those of the axes, with units.
    """
    kinds = list(dict.fromkeys(table[list(by)].itertuples(index=False, name=None)))
    first = list(dict.fromkeys(kind[:1] for kind in kinds))
    rest = list(dict.fromkeys(kind[1:] for kind in kinds))
    panels = list(dict.fromkeys(table[panel])) if panel else [""]
    figure = Figure(figsize=(1.6 + 4.2 * len(panels), 4.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        shown = table[table[panel] == name] if panel else table
        for kind in kinds:
            mine = shown[
                np.logical_and.reduce([shown[b] == value for b, value in zip(by, kind, strict=True)] or [True])
            ]
            n, m = first.index(kind[:1]), rest.index(kind[1:]) if len(rest) > 1 else first.index(kind[:1])
            color, spread = PALETTE[n % len(PALETTE)], INTERVAL * mine["error"]
            look = {"color": color, "linewidth": 1.8, "label": words(", ".join(map(str, kind)))}
            axes.plot(mine[x], mine["value"], ("-", "--", ":", "-.")[m % 4], **look)
            axes.fill_between(mine[x], mine["value"] - spread, mine["value"] + spread, color=color, alpha=0.18, lw=0)
        if shown["value"].min() <= 0 <= shown["value"].max():
            axes.axhline(0, color="#BBBBBB", linewidth=1, zorder=0)
        axes.set_title(words(str(name)), fontsize=10)
    figure.supylabel(labels[1], fontsize=10)
    return with_title(figure, axes, title, labels[0], len(kinds))
