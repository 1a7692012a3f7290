"""The one figure for a slide: how sticky each firm is, how large, and both over time."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sim.measure.metrics import info
from sim.report.figures.style import FOCUS, INK, MARK, REST, draw_band, mark_events, scale_axis, styled, words
from sim.report.findings import INTERVAL, TOO_FEW, against_category, called, finding, wide

if TYPE_CHECKING:
    import pandas as pd

MOST_BARS = 15
NO_CHANGE = "Fewer than two windows have ended:\nmore weeks show how it changes."


@styled
def headline(
    table: "pd.DataFrame",
    series: "pd.DataFrame",
    focus: str,
    events: Mapping[str, int] | None = None,
    second: str = "",
    note: str = "",
) -> Figure:
    """The one figure for a slide: how sticky each firm is, how large, and both over time.

    Group "all" of `table` is drawn; `series` has the metrics stickiness and share; `events` are weeks by label;
    `second` is a line below the title.
    """
    firms = wide(table)
    rank = firms["value"]["share"].rank(ascending=False, method="first")
    shown = firms[(rank <= MOST_BARS) | (firms.index == focus)].sort_values(("value", "stickiness"))
    top = 0.82 if second else 0.86
    layout = ConstrainedLayoutEngine(rect=(0.012, 0.01, 0.976, top - 0.01), wspace=0.05, hspace=0.06)
    figure = Figure(figsize=(12.8, 7.2), layout=layout)
    axes = figure.subplot_mosaic("sht;shu", width_ratios=[1.25, 0.8, 1.5])
    _bars(axes["s"], shown, "stickiness", focus)
    axes["s"].set(title=words("stickiness"), xlabel=info("stickiness").note)
    _benchmark(axes["s"], shown)
    _bars(axes["h"], shown, "share", focus)
    axes["h"].set(title="Market share", xlabel="of all uses", yticklabels=[])
    for name, metric in (("t", "stickiness"), ("u", "share")):
        _over_time(axes[name], series[series["metric"] == metric], focus)
        mark_events(axes[name], events or {}, words=name == "t")
        axes[name].set_title(f"{words(metric)} over time")
        axes[name].set_title("gray: the other firms", loc="right", fontsize=9, weight="normal", color="#777777")
    axes["t"].sharex(axes["u"])
    axes["u"].set(xlabel="week")
    left_out = f" The {len(shown)} largest of {len(firms)} firms are drawn." if len(shown) < len(firms) else ""
    lines = [finding(table, focus), *([second] if second else [])]
    _title(figure, lines, note + left_out)
    return figure


def _bars(axes: Axes, shown: "pd.DataFrame", metric: str, focus: str) -> None:
    value, low, high = (shown[end][metric] for end in ("value", "low", "high"))
    spread = np.array([value - low, high - value])
    colors = [FOCUS if firm == focus else REST for firm in shown.index]
    bars = axes.barh(range(len(shown)), value, color=colors, height=0.66)
    for bar in np.array(bars, object)[np.isnan(spread).any(axis=0)]:
        bar.set_alpha(0.3)
    axes.errorbar(value, range(len(shown)), xerr=spread, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2.5)
    axes.set_yticks(range(len(shown)), [called(firm) for firm in shown.index])
    ends = np.concatenate([[0, 0.01], value, low, high])
    ends = ends[np.isfinite(ends)]  # of few purchases nothing may be known
    far = float(ends.max())
    for row, (at, width, error) in enumerate(zip(value, np.nan_to_num(spread[1]), shown["error"][metric], strict=True)):
        text = f"{100 * at:.1f} %" if metric == "share" else f"{at:.2f}"
        text = "-" if not math.isfinite(at) else text if math.isfinite(error) else TOO_FEW
        bold = "bold" if shown.index[row] == focus else "normal"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        place = max(at + width, 0) if math.isfinite(at) else 0
        axes.text(place + 0.02 * far, row, text, va="center", fontsize=9, weight=bold, bbox=box)
    axes.set_xlim(float(ends.min()), 1.16 * far)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    scale_axis(axes.xaxis, metric, 3 if metric == "share" else 5)
    _bold(axes, shown.index, focus)


def _bold(axes: Axes, firms: Sequence[str], focus: str) -> None:
    for label, firm in zip(axes.get_yticklabels(), firms, strict=True):
        label.set(weight="bold" if firm == focus else "normal", color=FOCUS if firm == focus else INK)


def _benchmark(axes: Axes, shown: "pd.DataFrame") -> None:
    """The line at what the category alone would give: phi of the Dirichlet, or the index of all providers."""
    value = shown["value"]
    category = float((value["stickiness"] - value[against_category(shown)]).mean())
    if math.isfinite(category):
        axes.axvline(category, color=MARK, linewidth=1.6, linestyle=(0, (5, 2)))
        low, high = axes.get_xlim()
        side = "left" if category < 0.75 * high else "right"
        if category - low < 0.5 * (high - low):  # the panel's title stands there
            axes.set_title(axes.get_title(loc="left"), pad=18)
        axes.text(
            category, len(shown) - 0.42, f" category {category:.2f} ", color=MARK, fontsize=9, ha=side, va="bottom"
        )


def _over_time(axes: Axes, rows: "pd.DataFrame", focus: str) -> None:
    """Everybody in thin gray, the focus with its band on top, named at the end of its line."""
    if rows["week"].nunique() < 2:
        axes.text(0.5, 0.5, NO_CHANGE, color="#777777", ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    for firm, line in rows.groupby("firm", sort=False):
        if firm != focus:
            axes.plot(line["week"], line["value"], color=REST, linewidth=0.8, alpha=0.7)
    mine = rows[rows["firm"] == focus]
    draw_band(axes, mine, FOCUS)
    if len(mine):
        last = mine.iloc[-1]
        axes.annotate(
            called(focus), (last["week"], last["value"]), (5, 0), textcoords="offset points",
            color=FOCUS, weight="bold", va="center", fontsize=9, annotation_clip=False,
        )  # fmt: skip
    if (mine["value"].notna() & mine["error"].isna()).any():
        unknown = f"without a band: {TOO_FEW}"
        axes.text(0.99, 0.04, unknown, color=FOCUS, fontsize=9, ha="right", transform=axes.transAxes)
    metric = rows["metric"].iloc[0] if len(rows) else ""
    scale_axis(axes.yaxis, metric)
    top = 1.2 * (mine["value"] + INTERVAL * mine["error"].fillna(0)).max()
    if metric == "share" and top > 0:
        axes.set_ylim(0, top)


def _title(figure: Figure, lines: Sequence[str], note: str) -> None:
    for n, line in enumerate(lines):
        size = min((16, 14)[n], (16 * 88, 16 * 108)[n] / max(1, len(line)))
        figure.text(0.014, 0.967 - 0.05 * n, line, fontsize=size, weight="bold" if n == 0 else "normal", va="top")
    figure.text(0.014, 0.947 - 0.044 * len(lines), note, fontsize=10, color="#555555", va="top")
