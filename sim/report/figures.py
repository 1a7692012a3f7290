"""One function per figure: a table in, a Figure out. A figure never sees a model, and never a screen.

Tables are tidy frames: that of `metrics.table` (group, firm, metric, value, error), a series (week, firm, metric,
value, error), or a study (a row a run). Bars and bands are 95 % intervals. Colors are those of Okabe & Ito, which all
kinds of eyes tell apart; the firm in focus is vermilion and the others are gray.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.report.findings import INTERVAL, TOO_FEW, Effect, called, changed, finding, wide

FOCUS, REST, MARK, INK = "#D55E00", "#A6A6A6", "#0072B2", "#222222"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MOST_BARS, MOST_PANELS = 15, 20
PERCENT = ("share", "penetration", "churn", "category_requirements", "repeat_rate", "solely_loyal", "would_leave")
WORDS = {"category_requirements": "share of category requirements", "usage_ratio": "uses here per use elsewhere"}
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


def _styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with rc_context(STYLE):  # type: ignore[arg-type]
            return draw(*args, **kwargs)

    return styled


@_styled
def headline(
    table: Any,
    series: Any,
    focus: str,
    events: Mapping[str, int] | None = None,
    effect: Effect | None = None,
    note: str = "",
) -> Figure:
    """The one figure for a slide: how sticky each firm is, how large, and both over time.

    Group "all" of `table` is drawn; `series` has the metrics stickiness and share; `events` are weeks by label;
    `effect` is what they did to the focus, for the title.
    """
    firms = wide(table)
    rank = firms["value"]["share"].rank(ascending=False, method="first")
    shown = firms[(rank <= MOST_BARS) | (firms.index == focus)].sort_values(("value", "stickiness"))
    top = 0.86 if effect is None else 0.82
    layout = ConstrainedLayoutEngine(rect=(0.012, 0.01, 0.976, top - 0.01), wspace=0.05, hspace=0.06)
    figure = Figure(figsize=(12.8, 7.2), layout=layout)
    axes = figure.subplot_mosaic("sht;shu", width_ratios=[1.25, 0.8, 1.5])
    _bars(axes["s"], shown, "stickiness", focus)
    axes["s"].set(title="Stickiness index", xlabel="0 = chance, 1 = customers use nothing else")
    _benchmark(axes["s"], shown)
    _bars(axes["h"], shown, "share", focus)
    axes["h"].set(title="Market share", xlabel="of all uses", yticklabels=[])
    for name, metric in (("t", "stickiness"), ("u", "share")):
        _over_time(axes[name], series[series["metric"] == metric], focus)
        _mark(axes[name], events or {}, words=name == "t")
        axes[name].set_title(f"{_words(metric)} over time")
        axes[name].set_title("gray: the other firms", loc="right", fontsize=9, weight="normal", color="#777777")
    axes["t"].sharex(axes["u"])
    axes["u"].set(xlabel="week")
    left_out = f" The {len(shown)} largest of {len(firms)} firms are drawn." if len(shown) < len(firms) else ""
    lines = [finding(table, focus), *([changed(effect)] if effect else [])]
    _title(figure, lines, note + left_out)
    return figure


@_styled
def series(
    table: Any,
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
        _band(panel, rows[rows[by] == member], color)
        _mark(panel, events or {}, words=False)
        panel.set_title(called(member), fontsize=10, color=FOCUS if member == focus else INK)
        _scale(panel.yaxis, metric)
        if n + across >= len(members):
            panel.tick_params(labelbottom=True)
            panel.set_xlabel("week")
    for panel in grid.flat[len(members) :]:
        panel.set_visible(False)
    marks = ", ".join(f"{called(label)} in week {week}" for label, week in (events or {}).items())
    figure.suptitle(f"{_words(metric)} over time", x=0.01, ha="left", weight="bold")
    if marks:
        figure.text(0.99, 0.985, f"dashed: {marks}", ha="right", va="top", fontsize=9, color="#555555")
    return figure


@_styled
def sweep(
    table: Any,
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
        label = ", ".join(f"{_path(b)} {v}" for b, v in zip(by, values, strict=True))
        spread = INTERVAL * rows[error] if error in rows else None
        color, dashes = PALETTE[n % len(PALETTE)], ("-", "--", ":")[n // len(PALETTE) % 3]
        axes.errorbar(rows[x], rows[metric], spread, color=color, linestyle=dashes, marker="o", capsize=3, label=label)
    axes.set(xlabel=labels[0] or x, ylabel=labels[1], title=title or f"{_words(metric)} by {_path(x)}")
    _scale(axes.yaxis, metric)
    if by:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@_styled
def side_by_side(panels: Mapping[str, tuple[Any, Any, Any]], names: Sequence[str], title: str = "") -> Figure:
    """Dots with their errors against ticks, what theory or a source expects: a panel for each label.

    `panels` gives (value, error, expected) by label, arrays over `names`.
    """
    rows = np.arange(len(names))[::-1]
    figure = Figure(figsize=(1.5 + 3.1 * len(panels), 2.0 + 0.34 * len(names)), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (label, panel) in zip(grid, panels.items(), strict=True):
        value, error, expected = (np.asarray(a, float) for a in panel)
        axes.hlines(rows, *_reach(value, error, expected), color="#EEEEEE", zorder=0)
        axes.plot(expected, rows, "|", color=INK, markersize=17, markeredgewidth=2.2, label="expected")
        axes.errorbar(value, rows, xerr=INTERVAL * error, fmt="o", color=FOCUS, capsize=3, label="simulated, 95 %")
        axes.set(xlabel=label)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    grid[0].set_yticks(rows, [called(n) for n in names])
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


@_styled
def dots(table: Any, row: str, by: str = "", panel: str = "", title: str = "", label: str = "") -> Figure:
    """Values with their errors, a line for each `row`, a color for each `by`, a panel with its own scale each `panel`.

    `table` has the columns value and error, and is drawn in its own order.
    """
    rows, kinds = list(dict.fromkeys(table[row])), list(dict.fromkeys(table[by])) if by else [""]
    panels = list(dict.fromkeys(table[panel])) if panel else [""]
    size = (4.2 + 3.1 * len(panels), 1.7 + (0.28 + 0.11 * len(kinds)) * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    for axes, name in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True):
        axes.axvline(0, color="#BBBBBB", linewidth=1, zorder=0)
        for n, kind in enumerate(kinds):
            mine = table[((table[panel] == name) if panel else True) & ((table[by] == kind) if by else True)]
            places = [rows.index(r) + 0.16 * (n - (len(kinds) - 1) / 2) for r in mine[row]]
            look = {
                "fmt": "os^Dvp*"[n % 7],
                "color": PALETTE[n % len(PALETTE)],
                "capsize": 3,
                "label": _words(str(kind)),
            }
            axes.errorbar(mine["value"], places, xerr=INTERVAL * mine["error"], **look)
        axes.set_title(_words(str(name)), fontsize=10)
        axes.set_yticks(range(len(rows)), [_words(str(r)) for r in rows])
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_ylim(len(rows) - 0.5, -0.5)
    return _finished(figure, axes, title, label, len(kinds) if by else 0)


@_styled
def curves(
    table: Any, x: str, by: Sequence[str] = (), panel: str = "", title: str = "", labels: tuple[str, str] = ("", "")
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
            look = {"color": color, "linewidth": 1.8, "label": _words(", ".join(map(str, kind)))}
            axes.plot(mine[x], mine["value"], ("-", "--", ":", "-.")[m % 4], **look)
            axes.fill_between(mine[x], mine["value"] - spread, mine["value"] + spread, color=color, alpha=0.18, lw=0)
        if shown["value"].min() <= 0 <= shown["value"].max():
            axes.axhline(0, color="#BBBBBB", linewidth=1, zorder=0)
        axes.set_title(_words(str(name)), fontsize=10)
    figure.supylabel(labels[1], fontsize=10)
    return _finished(figure, axes, title, labels[0], len(kinds))


def _finished(figure: Figure, axes: Any, title: str, label: str, kinds: int) -> Figure:
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    figure.supxlabel(label, fontsize=10)
    if kinds > 1:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure


def save(figure: Figure, to: Any, kind: str) -> None:
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


def _bars(axes: Any, shown: Any, metric: str, focus: str) -> None:
    value, spread = shown["value"][metric], INTERVAL * shown["error"][metric]
    colors = [FOCUS if firm == focus else REST for firm in shown.index]
    bars = axes.barh(range(len(shown)), value, color=colors, height=0.66)
    for bar in np.array(bars, object)[spread.isna().to_numpy()]:
        bar.set_alpha(0.3)
    axes.errorbar(value, range(len(shown)), xerr=spread, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2.5)
    axes.set_yticks(range(len(shown)), [called(firm) for firm in shown.index])
    ends = np.concatenate([[0, 0.01], value - spread.fillna(0), value + spread.fillna(0)])
    ends = ends[np.isfinite(ends)]  # of few purchases nothing may be known
    far = float(ends.max())
    for row, (at, width, error) in enumerate(zip(value, spread.fillna(0), shown["error"][metric], strict=True)):
        text = f"{100 * at:.1f} %" if metric == "share" else f"{at:.2f}"
        text = "-" if not math.isfinite(at) else text if math.isfinite(error) else TOO_FEW
        bold = "bold" if shown.index[row] == focus else "normal"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        place = max(at + width, 0) if math.isfinite(at) else 0
        axes.text(place + 0.02 * far, row, text, va="center", fontsize=9, weight=bold, bbox=box)
    axes.set_xlim(float(ends.min()), 1.16 * far)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    _scale(axes.xaxis, metric, 3 if metric == "share" else 5)
    _bold(axes, shown.index, focus)


def _bold(axes: Any, firms: Any, focus: str) -> None:
    for label, firm in zip(axes.get_yticklabels(), firms, strict=True):
        label.set(weight="bold" if firm == focus else "normal", color=FOCUS if firm == focus else INK)


def _benchmark(axes: Any, shown: Any) -> None:
    """The line at what the category alone would give: stickiness less excess, the same for every firm."""
    phi = float((shown["value"]["stickiness"] - shown["value"]["excess"]).mean())
    if math.isfinite(phi):
        axes.axvline(phi, color=MARK, linewidth=1.6, linestyle=(0, (5, 2)))
        low, high = axes.get_xlim()
        side = "left" if phi < 0.75 * high else "right"
        if phi - low < 0.5 * (high - low):  # the panel's title stands there
            axes.set_title(axes.get_title(loc="left"), pad=18)
        axes.text(phi, len(shown) - 0.42, f" category {phi:.2f} ", color=MARK, fontsize=9, ha=side, va="bottom")


def _over_time(axes: Any, rows: Any, focus: str) -> None:
    """Everybody in thin gray, the focus with its band on top, named at the end of its line."""
    for firm, line in rows.groupby("firm", sort=False):
        if firm != focus:
            axes.plot(line["week"], line["value"], color=REST, linewidth=0.8, alpha=0.7)
    mine = rows[rows["firm"] == focus]
    _band(axes, mine, FOCUS)
    if len(mine):
        last = mine.iloc[-1]
        axes.annotate(
            called(focus), (last["week"], last["value"]), (5, 0), textcoords="offset points",
            color=FOCUS, weight="bold", va="center", fontsize=9, annotation_clip=False,
        )  # fmt: skip
    if (mine["value"].notna() & mine["error"].isna()).any():
        words = f"without a band: {TOO_FEW}"
        axes.text(0.99, 0.04, words, color=FOCUS, fontsize=9, ha="right", transform=axes.transAxes)
    metric = rows["metric"].iloc[0] if len(rows) else ""
    _scale(axes.yaxis, metric)
    top = 1.2 * (mine["value"] + INTERVAL * mine["error"].fillna(0)).max()
    if metric == "share" and top > 0:
        axes.set_ylim(0, top)


def _band(axes: Any, rows: Any, color: str) -> None:
    if not len(rows):
        return
    spread = INTERVAL * rows["error"]
    few = "o" if len(rows) < 14 else ""
    axes.plot(rows["week"], rows["value"], color=color, linewidth=1.8, marker=few, markersize=4)
    axes.fill_between(rows["week"], rows["value"] - spread, rows["value"] + spread, color=color, alpha=0.22, lw=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _mark(axes: Any, events: Mapping[str, int], words: bool) -> None:
    for n, (label, week) in enumerate(events.items()):
        axes.axvline(week, color=INK, linewidth=1, linestyle=(0, (3, 2)))
        if words:
            text = f" {called(label)}"
            place = {"xycoords": ("data", "axes fraction"), "va": "top", "fontsize": 8.5}
            axes.annotate(text, (week, 1 - 0.08 * (n % 4)), **place)


def _title(figure: Figure, lines: Sequence[str], note: str) -> None:
    for n, line in enumerate(lines):
        size = min((16, 14)[n], (16 * 88, 16 * 108)[n] / max(1, len(line)))
        figure.text(0.014, 0.967 - 0.05 * n, line, fontsize=size, weight="bold" if n == 0 else "normal", va="top")
    figure.text(0.014, 0.947 - 0.044 * len(lines), note, fontsize=10, color="#555555", va="top")


def _scale(axis: Any, metric: str, ticks: int = 5) -> None:
    axis.set_major_locator(MaxNLocator(ticks))
    if metric in PERCENT:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def _reach(value: Any, error: Any, expected: Any) -> tuple[float, float]:
    ends = np.concatenate([value - INTERVAL * np.nan_to_num(error), value + INTERVAL * np.nan_to_num(error), expected])
    return float(np.nanmin(ends)), float(np.nanmax(ends))


def _path(path: str) -> str:
    return " ".join(path.split(".")[-2:]).replace("_", " ")


def _words(metric: str) -> str:
    return called(WORDS.get(metric, metric))
