"""The charts as a figure to download, drawn from the same data as the page."""

import io
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.page.charts import Chart
from sim.report.figures import INK, PALETTE, STYLE

GRAYS = ("#8c8c8c", "#bbbbbb", "#6a6a6a")
BRIGHT = (*PALETTE, "#882255")
DARK_COLORS = {6: "#F0E442", 7: "#FFFFFF"}  # too dark to see on a dark page
DASHED = (0, (3, 1.5))


def color(n: int, dark: bool = False) -> str:
    """Okabe & Ito for the first firms, wine for one more, grays for the rest."""
    if n < len(BRIGHT):
        return DARK_COLORS.get(n, BRIGHT[n]) if dark else BRIGHT[n]
    return GRAYS[(n - len(BRIGHT)) % len(GRAYS)]


def figure(charts: list[Chart], flow: Chart, title: str) -> Figure:
    """All charts of the weeks and the switching flow, two rows of four."""
    style: Any = {**STYLE, "font.size": 9}
    with rc_context(style):
        drawn = Figure(figsize=(16.4, 6.2), layout="constrained")
        drawn.suptitle(title, x=0.01, ha="left", fontsize=12)
        panels = drawn.subplots(2, 4).ravel()
        for panel, chart in zip(panels, charts, strict=False):
            _draw(panel, chart)
        _flow(panels[len(charts)], flow)
        for panel in panels[len(charts) + 1 :]:
            panel.set_axis_off()
        handles, names = panels[1].get_legend_handles_labels()
        if names:
            drawn.legend(handles[::-1], names[::-1], loc="outside lower center", ncols=min(10, len(names)), fontsize=8)
        return drawn


def _draw(axes: Axes, chart: Chart) -> None:
    axes.set(title=chart["title"], xlim=chart["x"], ylim=chart["y"])
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if chart["percent"]:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if chart.get("zero"):
        axes.axhline(0, color=INK, lw=0.9)
    if chart["wait"]:
        _wait(axes, chart["wait"])
    for line in chart["lines"]:
        _line(axes, line, "o" if chart.get("dots") else "")
    for bar in chart["bars"]:
        edges = chart["x"][0] + np.arange(len(bar["y"]) + 1)
        axes.stairs(bar["y"], edges, fill=True, color=color(bar["ink"]), label=bar["name"])
    if chart["bars"]:
        axes.legend(loc="lower right", fontsize=8)
    for n, mark in enumerate(chart["marks"]):
        axes.axvline(mark["x"], color=INK, lw=0.9, ls=(0, (4, 2)), zorder=1)
        place = (mark["x"], 0.985 - 0.08 * (n % 6))
        late = mark["x"] > chart["x"][0] + 0.7 * (chart["x"][1] - chart["x"][0])
        aside: Any = {"xytext": (-3, 0), "ha": "right"} if late else {"xytext": (3, 0)}
        how: Any = {"textcoords": "offset points", "va": "top", "fontsize": 7.5, "in_layout": False, **aside}
        axes.annotate(mark["text"], place, xycoords=("data", "axes fraction"), **how)


def _line(axes: Axes, line: Chart, marker: str) -> None:
    x, y = np.array(line["x"]), np.array(line["y"], float)
    till, ink = len(x) - bool(line.get("open")), color(line["ink"])
    name = line["name"] + ": the twin, without the events" * line["dashed"]
    how: Any = {"color": ink, "lw": 2.0 if line["front"] else 0.9, "ls": DASHED if line["dashed"] else "-"}
    axes.plot(x[:till], y[:till], marker=marker, ms=3, label=name, **how)
    if till < len(x) and not line["dashed"]:
        axes.plot(x[till:], y[till:], "o", ms=4, mfc="white", color=ink, clip_on=False)
    if "low" in line:
        low, high = (np.array(line[edge], float) for edge in ("low", "high"))
        axes.fill_between(x[:till], low[:till], high[:till], color=ink, alpha=0.2, lw=0)
        axes.vlines(x[till:], low[till:], high[till:], color=ink, lw=1.4)


def _flow(axes: Axes, flow: Chart) -> None:
    axes.set(title=flow["title"], ylabel="from", xlabel="to")
    axes.tick_params(length=0)
    rows = np.array(flow["rows"], float)
    if not rows.size:
        _wait(axes, flow["wait"])
        return
    away = np.where(np.eye(len(rows), dtype=bool), np.nan, rows)
    axes.imshow(away, cmap="Blues", vmin=0, vmax=max(flow["top"], 1e-9) * 1.3, aspect="auto")
    for a, b in np.argwhere(np.isfinite(rows)):
        axes.text(
            b, a, f"{rows[a, b]:.{0 if a == b or flow['top'] >= 5 else 1}f}", ha="center", va="center", fontsize=7
        )
    names = [name[:10] for name in flow["firms"]]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)


def _wait(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", in_layout=False)


def saved(drawn: Figure, kind: str) -> bytes:
    """The figure as the bytes of a PNG or SVG file."""
    file = io.BytesIO()
    drawn.savefig(file, format=kind, facecolor="white", dpi=200)
    return file.getvalue()
