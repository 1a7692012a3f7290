"""The weeks as plain data: lines, bands, bars and a table of flows, for the browser and for figures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sim.measure.estimates import Estimate
from sim.page.game import Game
from sim.page.history import History
from sim.page.names import in_words, title
from sim.report.findings import INTERVAL

WEEKS_SHOWN = 156  # weeks on the time axis
SMOOTH = 4  # weeks of a share's mean
RECENT = 13  # weeks of the switching flow
NOT_STARTED = "Press Step or Play."

Chart = dict[str, Any]
Read = Callable[[History, list[int]], Estimate]  # [x, j]


@dataclass(frozen=True)
class View:
    """Which firm is in front, which group of people, and whether lines are firms or the segments of that firm."""

    firm: str
    group: str = ""
    segments: bool = False


def charts(game: Game, view: View) -> list[Chart]:
    """The events' effect, share, stickiness, trust, awareness and messages by week."""
    begin = max(0, game.week - WEEKS_SHOWN)
    marks = [{"x": week, "text": text} for week, text in game.marks() if week >= begin]
    found = [_gap(game, view, begin), _share(game, view, begin), _stickiness(game, view, begin)]
    found += [_trust(game, view, begin)]
    found += [_awareness(game, view, begin), _messages(game, view, begin)]
    common = {"x": [begin, max(begin + 26, game.week)], "marks": marks}
    return [{"lines": [], "bars": [], "percent": False, "wait": "", **common, **chart} for chart in found]


def flow(game: Game, view: View) -> Chart:
    """Where the next use goes, in percent of those who used the firm of the row, over the last weeks."""
    weeks = min(RECENT, game.week)
    firms = [title(f) for f in game.start.firms]
    heading = f"Switching flow, last {weeks} weeks, %" if weeks else "Switching flow, %"
    chart = {"title": heading, "firms": firms, "rows": [], "top": 0.0, "wait": "" if weeks else NOT_STARTED}
    if weeks:
        counts = np.sum([f[game.cells(view.group)].sum(axis=0) for f in game.history.flow[-weeks:]], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = 100 * counts / counts.sum(axis=1, keepdims=True)
        away = rows[~np.eye(len(rows), dtype=bool)]
        chart |= {"rows": numbers(rows), "top": float(np.nanmax(away)) if np.isfinite(away).any() else 0.0}
    return chart


def numbers(values: ArrayLike) -> list[Any]:
    """Values rounded to four decimals, None for nan: what a browser reads."""
    rounded = np.round(np.asarray(values, float), 4)
    objects = rounded.astype(object)
    objects[~np.isfinite(rounded)] = None
    found: list[Any] = objects.tolist()
    return found


def _runs(game: Game) -> Iterator[tuple[History, bool]]:
    """The twin first, so that the market is drawn over it."""
    if game.twin and game.twin_history:
        yield game.twin_history, True
    yield game.history, False


def _lines(game: Game, view: View, x: np.ndarray, read: Read, band: bool = True) -> list[Chart]:
    """A line for each firm, or for each segment; the twin's dashed where a line is in front."""
    firms, segments = list(game.start.firms), list(game.start.segments)
    j = firms.index(view.firm)
    lines: list[Chart] = []
    for history, dashed in _runs(game):
        if view.segments:
            picks = [(in_words(name), n, read(history, game.cells(name)), j, True) for n, name in enumerate(segments)]
        else:
            found = read(history, game.cells(view.group))
            order = [k for k in range(len(firms)) if k != j and not dashed]
            picks = [(title(firms[k]), k, found, k, k == j) for k in (*order, j)]
        for name, ink, found, k, front in picks:
            value, error = found.value[:, k], found.error[:, k]
            line = {"name": name, "ink": ink, "front": front, "dashed": dashed, "x": x.tolist()}
            spread = INTERVAL * error if band and front and not dashed else None
            edges = {} if spread is None else {"low": numbers(value - spread), "high": numbers(value + spread)}
            lines.append({**line, "y": numbers(value), **edges})
    return lines


def _span(lines: list[Chart], above: float = 1.3) -> list[float]:
    """The axis from 0 to somewhat above the highest point, to leave space for the marks."""
    return [0, min(1.0, max([above * y for line in lines for y in line["y"] if y is not None] or [1.0]))]


def _share(game: Game, view: View, begin: int) -> Chart:
    of = f" of {title(view.firm)}" if view.segments else ""
    chart: Chart = {"title": f"Share of uses{of}, mean of {SMOOTH} weeks", "percent": True, "y": [0, 1]}
    if game.week < 1:
        return {**chart, "wait": NOT_STARTED}
    x = np.arange(begin, game.week) + 1
    lines = _lines(game, view, x, lambda history, cells: history.share(cells, begin, SMOOTH))
    return {**chart, "lines": lines, "y": _span(lines)}


def _stickiness(game: Game, view: View, begin: int) -> Chart:
    """The index in windows that have ended; one that is open would be read as if it were whole."""
    window = game.start.window
    of = f" of {title(view.firm)}" if view.segments else ""
    chart: Chart = {"title": f"Stickiness index{of}, windows of {window} weeks", "y": [0, 1], "dots": True}
    ended = range(begin // window, game.week // window)
    if not ended:
        return {**chart, "wait": NOT_STARTED if game.week < 1 else f"The first window ends in week {window}."}
    x = np.array([(w + 1) * window for w in ended])

    def read(history: History, cells: list[int]) -> Estimate:
        market = game.market if history is game.history else game.twin
        assert market
        return Estimate(*np.array([history.index(market, w, cells) for w in ended]).swapaxes(0, 1))

    lines = _lines(game, view, x, read)
    return {**chart, "lines": lines, "y": _span(lines, 1.4)}


def _gap(game: Game, view: View, begin: int) -> Chart:
    """The firm's customers with the events minus without them, % of those without, with the 95 % interval."""
    name = view.firm if not game.active else game.firm
    chart: Chart = {"title": f"Effect on the customers of {title(name)}, %", "y": [-1, 1], "zero": True}
    if not game.active:
        return {**chart, "wait": "No event so far."}
    first = max(begin, game.active[0].week)
    gaps = game.gaps(name, first)
    if not gaps:
        return {**chart, "wait": NOT_STARTED}
    x = (np.arange(first, first + len(gaps)) + 1).tolist()
    columns = {"y": "value", "low": "low", "high": "high"}
    line = {n: numbers([getattr(q, end) for q in gaps]) for n, end in columns.items()}
    found = [v for values in line.values() for v in values if v is not None]
    low, high = min([-0.1, *found]), max([0.1, *found])
    ink = list(game.start.firms).index(name)
    front = {"name": title(name), "ink": ink, "front": True, "dashed": False, "x": x, **line}
    return {**chart, "lines": [front], "y": [1.1 * low, max(1.3 * high, 0.25 * (high - low))], "unit": " %"}


def _trust(game: Game, view: View, begin: int) -> Chart:
    x = np.arange(begin, game.week + 1)

    def read(history: History, cells: list[int]) -> Estimate:
        value = history.mean_trust(cells, begin)
        return Estimate(value, np.zeros_like(value))

    lines = _lines(game, view, x, read, band=False)
    known = [y for line in lines for y in line["y"] if y is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    heading = f"Trust in {title(view.firm)}" if view.segments else "Mean trust"
    return {"title": heading, "lines": lines, "y": [max(0.0, low - 0.04), min(1.0, high + 0.3 * (high - low) + 0.03)]}


def _awareness(game: Game, view: View, begin: int) -> Chart:
    chart: Chart = {"title": "Awareness: share of people who have heard of it", "percent": True, "y": [0, 1.15]}
    out = [(k, n) for k, n in enumerate(game.market.scandals) if game.scenario.scandals[n].week < game.week]
    if not out:
        return {**chart, "wait": "No scandal so far."}
    if view.segments:
        k, name = out[-1]
        chart["title"] = f"Awareness of the {in_words(name)}"
        lines = [(k, name, group, n) for n, group in enumerate(game.start.segments)]
    else:
        lines = [(k, name, view.group, k) for k, name in out]
    drawn = []
    for k, name, group, ink in lines:
        week = game.scenario.scandals[name].week
        y = np.r_[0, game.history.awareness(game.cells(group), k, week)][max(0, begin - week) :]
        heading = in_words(group if view.segments else name)
        x = np.arange(max(begin, week), game.week + 1).tolist()
        drawn.append({"name": heading, "ink": ink, "front": True, "dashed": False, "x": x, "y": numbers(y)})
    return {**chart, "lines": drawn}


def _messages(game: Game, view: View, begin: int) -> Chart:
    chart: Chart = {"title": f"Messages a week about {title(view.firm)}: good up, bad down", "y": [-1, 1]}
    if game.week < 1:
        return {**chart, "wait": NOT_STARTED}
    j = list(game.start.firms).index(view.firm)
    if view.segments:
        many = game.history.people.sum(axis=0)
        lines: list[Chart] = []
        for n, name in enumerate(game.start.segments):
            cells = game.cells(name)
            y = 1000 * game.history.messages(cells, begin, j).sum(axis=1) / max(1, many[cells].sum())
            x = (np.arange(begin, game.week) + 1).tolist()
            lines.append({"name": in_words(name), "ink": n, "front": True, "dashed": False, "x": x, "y": numbers(y)})
        top = 1.3 * max(1.0, *(y for line in lines for y in line["y"]))
        return {
            "title": f"Word of mouth about {title(view.firm)}: messages a week per 1,000 people",
            "lines": lines,
            "y": [0, top],
        }
    positive, negative = game.history.messages(game.cells(view.group), begin, j).T
    bars = [
        {"name": "positive", "ink": 0, "y": positive.tolist()},
        {"name": "negative", "ink": 1, "y": (-negative).tolist()},
    ]
    return {**chart, "bars": bars, "y": [-1.25 * max(1, negative.max()), 1.5 * max(1, positive.max())]}
