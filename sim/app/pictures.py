"""What is drawn of a stage: the people, and the weeks. A stage goes in, a Figure comes out; never a screen."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.app.stage import Stage
from sim.figures import INTERVAL, PALETTE, STYLE
from sim.market import Market
from sim.metrics import by_window, estimate, pooled, share, switching, weekly
from sim.tally import Event, Tally

MOST = 10_000  # people drawn
SHOWN = 156  # weeks on the time axes
SMOOTH = 4  # weeks of a share's mean
RECENT = 13  # weeks of the switching flow


@dataclass(frozen=True)
class Ink:
    """Colours of a theme."""

    text: str
    faint: str
    paper: str
    other: str


LIGHT, DARK = Ink("#222222", "#777777", "#ffffff", "#8c8c8c"), Ink("#eeeeee", "#a5a5a5", "#1e1e1e", "#9a9a9a")


def colours(firms: list[str], dark: bool) -> list[str]:
    """Okabe & Ito for the first firms, greys for the rest."""
    ink = DARK if dark else LIGHT
    bright = [*PALETTE[:6], "#F0E442" if dark else "#000000"]
    greys = [ink.other, ink.faint, "#bbbbbb" if not dark else "#666666"]
    return [bright[j] if j < len(bright) else greys[(j - len(bright)) % len(greys)] for j in range(len(firms))]


# ---------------------------------------------------------------- the people


def seats(stage: Stage, most: int = MOST) -> tuple[np.ndarray, list[tuple[str, int, int]]]:
    """Rows of people by segment, [down, across], -1 where nobody sits, and (segment, first line, people) of each.

    Of more than `most` people every so many-th is drawn.
    """
    one, start = stage.market.life.people.one, stage.start
    drawn = np.arange(0, len(one), max(1, -(-len(one) // most)))
    segment = stage.market.life.people.cell[drawn] // len(start.cohorts)
    across = max(20, int(np.ceil(np.sqrt(len(drawn) * 1.9))))
    head = max(2, across // 24)
    lines: list[np.ndarray] = []
    heads: list[tuple[str, int, int]] = []
    for n, name in enumerate(start.segments):
        rows = drawn[segment == n]
        heads.append((name, len(lines), int((stage.market.life.people.cell // len(start.cohorts) == n).sum())))
        full = np.full(-(-len(rows) // across) * across, -1)
        full[: len(rows)] = rows
        lines += [np.full(across, -1)] * head + list(full.reshape(-1, across))
    return np.array(lines), heads


def people(stage: Stage, places: np.ndarray, heads: list[tuple[str, int, int]], dark: bool) -> Figure:
    """Everybody in the colour of the firm used last; a dot marks those with a service anchor."""
    one, ink = stage.market.life.people.one, DARK if dark else LIGHT
    palette = np.array([to_rgb(c) for c in colours(list(stage.start.firms), dark)] + [to_rgb(ink.faint)])
    picture = np.zeros((*places.shape, 4))
    seated = places >= 0
    picture[seated, :3] = palette[one["last"][places[seated]]]
    picture[seated, 3] = 1
    down, across = places.shape
    figure = Figure(figsize=(7, 7 * down / across), dpi=110)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(picture, interpolation="nearest", aspect="auto", extent=(0, across, down, 0))
    anchored = seated & (one["anchor"][places] >= 0) & (one["anchor_height"][places] > 0.5)
    y, x = np.nonzero(anchored)
    axes.plot(x + 0.5, y + 0.5, ".", ms=2.4, color=ink.paper, mew=0)
    for name, line, many in heads:
        words = f"{name.replace('_', ' ')}: {many:,} people"
        axes.text(0, line + max(2, across // 24) * 0.5, words, va="center", fontsize=11, color=ink.text, weight="bold")
    axes.set(xlim=(0, across), ylim=(down, 0))
    axes.axis("off")
    return figure


# ---------------------------------------------------------------- the weeks


def weeks(stage: Stage, firm: str, group: str, dark: bool) -> Figure:
    """Share, stickiness, trust, awareness, messages and switching; the firm in view in front, its twin dashed."""
    ink = DARK if dark else LIGHT
    rc = {**STYLE, "text.color": ink.text, "axes.labelcolor": ink.text, "axes.edgecolor": ink.faint}
    rc |= {"xtick.color": ink.faint, "ytick.color": ink.faint, "axes.facecolor": "none", "font.size": 9}
    with rc_context(rc):  # type: ignore[arg-type]
        figure = Figure(figsize=(12.4, 5.7), dpi=110)
        places = [(0.045 + 0.333 * c, 0.575 - 0.5 * r, 0.265, 0.345) for r in (0, 1) for c in (0, 1, 2)]
        places[5] = (0.745, 0.115, 0.25, 0.305)
        panels = [figure.add_axes(place) for place in places]
        j, palette = list(stage.start.firms).index(firm), colours(list(stage.start.firms), dark)
        begin = max(0, stage.week - SHOWN)
        _shares(panels[0], stage, j, group, palette, begin)
        _stickiness(panels[1], stage, j, group, palette)
        _trust(panels[2], stage, j, group, palette, begin)
        _awareness(panels[3], stage, group)
        _messages(panels[4], stage, j, group, begin, ink)
        _flow(panels[5], stage, group, dark)
        for panel in panels[:5]:
            panel.set_xlim(begin, max(begin + 26, stage.week))
            panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            _mark(panel, stage, begin, ink)
        for panel in panels[3:5]:
            panel.set_xlabel("week")
        return figure


def _mark(axes: Axes, stage: Stage, begin: int, ink: Ink) -> None:
    for n, (week, words) in enumerate(m for m in stage.marks() if m[0] >= begin):
        axes.axvline(week, color=ink.text, lw=0.9, ls=(0, (4, 2)), zorder=1)
        place = (week, 0.985 - 0.09 * (n % 3))
        axes.annotate(
            words, place, (3, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
            fontsize=7.5, va="top", color=ink.text,
        )  # fmt: skip


def _lines(axes: Axes, x: Any, rows: np.ndarray, j: int, palette: list[str], **how: Any) -> None:
    for k in sorted(range(rows.shape[1]), key=lambda k: k == j):
        front = k == j
        axes.plot(x, rows[:, k], color=palette[k], lw=2.2 if front else 0.9, alpha=1 if front else 0.75, **how)


def _recent(market: Market, group: str, stage: Stage, begin: int) -> Tally:
    tally, t = market.tally, max(0, begin - SMOOTH)
    tally = tally._replace(**{n: getattr(tally, n)[:, t:] for n in ("flow", "event", "news")})
    return weekly(tally, stage.cells(group))


def _shares(axes: Axes, stage: Stage, j: int, group: str, palette: list[str], begin: int) -> None:
    axes.set_title(f"Share of uses, mean of {SMOOTH} weeks")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if stage.week < 1:
        return _wait(axes)
    found = _smoothed_share(stage, stage.market, group, begin)
    x = np.arange(stage.week - len(found.value), stage.week) + 1
    _lines(axes, x, found.value, j, palette)
    _band(axes, x, found.value[:, j], found.error[:, j], palette[j])
    if stage.twin:
        twin = _smoothed_share(stage, stage.twin, group, begin)
        axes.plot(x, twin.value[:, j], color=palette[j], lw=1.6, ls=(0, (3, 1.5)))
    axes.set_ylim(0, float(np.nanmax(found.value)) * 1.3)


def _smoothed_share(stage: Stage, market: Market, group: str, begin: int) -> Any:
    counts = _recent(market, group, stage, begin)
    total = np.cumsum(counts.flow, axis=1)
    total[:, SMOOTH:] -= total[:, :-SMOOTH].copy()
    only = counts._replace(**{n: getattr(counts, n)[:, :0] for n in ("event", "news")})
    return estimate(share, only._replace(flow=total))


def _band(axes: Axes, x: Any, value: np.ndarray, error: np.ndarray, colour: str) -> None:
    wide = INTERVAL * error
    axes.fill_between(x, value - wide, value + wide, color=colour, alpha=0.2, lw=0)


def _stickiness(axes: Axes, stage: Stage, j: int, group: str, palette: list[str]) -> None:
    window = stage.start.window
    axes.set_title(f"Stickiness index by window of {window} weeks")
    if stage.week < 1:
        return _wait(axes)
    ended = stage.week // window
    axes.set_ylim(0, 1)
    if ended:
        found = estimate(stage._index, by_window(stage.market.tally, stage.cells(group)))
        x = (np.arange(ended) + 1) * window
        _lines(axes, x, found.value, j, palette, marker="o", ms=3)
        _band(axes, x, found.value[:, j], found.error[:, j], palette[j])
        axes.set_ylim(0, min(1.0, max(0.05, 1.35 * float(np.nanmax(found.value)))))
        if stage.twin:
            twin = estimate(stage._index, by_window(stage.twin.tally, stage.cells(group)))
            axes.plot(x, twin.value[:, j], color=palette[j], lw=1.6, ls=(0, (3, 1.5)))
    if stage.readable and (stage.week % window >= window / 2 or not ended):
        now = stage.stickiness(group=group)
        spread = INTERVAL * now.error[j]
        axes.errorbar(stage.week, now.value[j], spread, fmt="o", mfc="none", ms=6, color=palette[j], lw=1.4)
    axes.text(0.98, 0.03, "open circle: so far", transform=axes.transAxes, ha="right", fontsize=8, alpha=0.8)


def _trust(axes: Axes, stage: Stage, j: int, group: str, palette: list[str], begin: int) -> None:
    axes.set_title("Trust, mean of everybody")
    g = 1 + list(stage.start.segments).index(group) if group else 0
    x = np.arange(begin, stage.week + 1)
    rows = np.array([row[g] for row in stage.trust[begin:]])
    _lines(axes, x, rows, j, palette)
    if stage.twin:
        twin = [row[g, j] for row in stage.twin_trust[begin:]]
        axes.plot(x, twin, color=palette[j], lw=1.6, ls=(0, (3, 1.5)))
    low, high = float(np.nanmin(rows)), float(np.nanmax(rows))
    axes.set_ylim(max(0, low - 0.05), min(1, high + 0.08))


def _awareness(axes: Axes, stage: Stage, group: str) -> None:
    axes.set_title("Awareness: who has heard of the scandal")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylim(0, 1)
    out = [(k, n) for k, n in enumerate(stage.market.scandals) if stage.scenario.scandals[n].week < stage.week]
    if not out:
        return _wait(axes, "No scandal so far.")
    counted = weekly(stage.market.tally, stage.cells(group))
    news = counted.news.sum(axis=0)[..., 0].cumsum(axis=0) / counted.people.sum()
    for n, (k, _) in enumerate(out):
        colour = PALETTE[n % 6]
        week = stage.scenario.scandals[stage.market.scandals[k]].week
        axes.plot(np.arange(week, stage.week + 1), np.r_[0, news[week:, k]], color=colour, lw=2)
    return None


def _messages(axes: Axes, stage: Stage, j: int, group: str, begin: int, ink: Ink) -> None:
    firm = list(stage.start.firms)[j].replace("_", " ")
    axes.set_title(f"Messages a week about {firm}")
    if stage.week < 1:
        return _wait(axes)
    counts = weekly(stage.market.tally, stage.cells(group)).event.sum(axis=0)[begin:, j]
    edges = np.arange(begin, stage.week + 1)
    axes.stairs(counts[:, Event.GOOD_WORD], edges, fill=True, color=PALETTE[0])
    axes.stairs(-counts[:, Event.BAD_WORD], edges, fill=True, color=PALETTE[1])
    high, low = counts[:, Event.GOOD_WORD].max(), counts[:, Event.BAD_WORD].max()
    axes.set_ylim(-1.2 * max(1, low), 1.5 * max(1, high))
    axes.axhline(0, color=ink.faint, lw=0.8)
    axes.yaxis.set_major_formatter(lambda v, _: f"{abs(v):g}")
    axes.text(0.02, 0.03, "bad", transform=axes.transAxes, color=PALETTE[1], weight="bold")
    axes.text(0.02, 0.9, "good", transform=axes.transAxes, color=PALETTE[5], weight="bold")
    return None


def _flow(axes: Axes, stage: Stage, group: str, dark: bool) -> None:
    axes.set_title(f"Switching flow, last {min(RECENT, max(1, stage.week))} weeks, %")
    axes.set(ylabel="from")
    if stage.week < 1:
        axes.set_xticks([])
        axes.set_yticks([])
        return _wait(axes)
    firms = list(stage.start.firms)
    counts = pooled(stage.market.tally, stage.cells(group), slice(max(0, stage.week - RECENT), None))
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = switching(counts._replace(flow=counts.flow.sum(axis=0)))
    shade = LinearSegmentedColormap.from_list("flow", [DARK.paper if dark else "#ffffff", PALETTE[5 if dark else 0]])
    away = np.where(np.eye(len(firms), dtype=bool), np.nan, rows)
    top = float(np.nanmax(away)) if np.isfinite(away).any() else 0
    axes.imshow(away, cmap=shade, vmin=0, vmax=max(top, 1e-9), aspect="auto")
    size = 8 if len(firms) <= 9 else 6
    digits = 0 if top >= 0.05 else 1 if top >= 0.005 else 2
    for a in range(len(firms)):
        for b in range(len(firms)):
            if np.isfinite(rows[a, b]):
                words = f"{100 * rows[a, b]:.0f} %" if a == b else f"{100 * rows[a, b]:.{digits}f}"
                strong = a != b and rows[a, b] > 0.6 * top
                ink = ("#000000" if dark else "#ffffff") if strong else (DARK if dark else LIGHT).text
                axes.text(b, a, words, ha="center", va="center", fontsize=size, color=ink)
    names = [f.replace("_", " ")[:9] for f in firms]
    axes.set_xticks(range(len(firms)), names, rotation=30, ha="right", fontsize=size)
    axes.set_yticks(range(len(firms)), names, fontsize=size)
    axes.tick_params(length=0)
    return None


def _wait(axes: Axes, words: str = "Press Step or Play.") -> None:
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", alpha=0.7)


def png(figure: Figure) -> bytes:
    """The figure as a transparent PNG, quickly packed."""
    FigureCanvasAgg(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", transparent=True, pil_kwargs={"compress_level": 1})
    return file.getvalue()


def saved(figure: Figure, kind: str, dark: bool) -> bytes:
    """The figure as a file to keep, on paper of its theme."""
    file = io.BytesIO()
    figure.savefig(file, format=kind, facecolor=(DARK if dark else LIGHT).paper, dpi=200)
    return file.getvalue()
