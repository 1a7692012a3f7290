"""The weeks as plain data: lines, bands, bars and a table of flows, drawn by the browser and, to keep, on paper."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.measure.estimates import Estimate
from sim.page.game import Game
from sim.page.history import History
from sim.page.people import plain, title
from sim.report.findings import INTERVAL

SHOWN = 156  # weeks on the time axes
SMOOTH = 4  # weeks of a share's mean
RECENT = 13  # weeks of the switching flow
FIRST = "Press Step or Play."

Chart = dict[str, Any]
Read = Callable[[History, list[int]], Estimate]  # [x, j]


@dataclass(frozen=True)
class View:
    """Which firm is in front, of whom, and whether the lines are firms or, of that firm, segments."""

    firm: str
    group: str = ""
    segments: bool = False


def charts(game: Game, view: View) -> list[Chart]:
    """Share, stickiness, trust, awareness and messages by week."""
    begin = max(0, game.week - SHOWN)
    marks = [{"x": week, "words": words} for week, words in game.marks() if week >= begin]
    found = [_share(game, view, begin), _stickiness(game, view, begin), _trust(game, view, begin)]
    found += [_awareness(game, view, begin), _messages(game, view, begin)]
    common = {"x": [begin, max(begin + 26, game.week)], "marks": marks}
    return [{"lines": [], "bars": [], "percent": False, "wait": "", **common, **chart} for chart in found]


def flow(game: Game, view: View) -> Chart:
    """Where the next use goes, per cent of those who used the firm of the row, over the last weeks."""
    weeks = min(RECENT, game.week)
    firms = [title(f) for f in game.start.firms]
    said = f"Switching flow, last {weeks} weeks, %" if weeks else "Switching flow, %"
    chart = {"title": said, "firms": firms, "rows": [], "top": 0.0, "wait": "" if weeks else FIRST}
    if weeks:
        counts = np.sum([f[game.cells(view.group)].sum(axis=0) for f in game.past.flow[-weeks:]], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = 100 * counts / counts.sum(axis=1, keepdims=True)
        away = rows[~np.eye(len(rows), dtype=bool)]
        chart |= {"rows": numbers(rows), "top": float(np.nanmax(away)) if np.isfinite(away).any() else 0.0}
    return chart


def numbers(values: Any) -> list[Any]:
    """Four digits of each, None for nan: what a browser reads."""
    rounded = np.round(np.asarray(values, float), 4)
    told = rounded.astype(object)
    told[~np.isfinite(rounded)] = None
    found: list[Any] = told.tolist()
    return found


def _worlds(game: Game) -> Iterator[tuple[Any, History, bool]]:
    """The twin first, so that the market is drawn over it."""
    if game.twin and game.twin_past:
        yield game.twin, game.twin_past, True
    yield game.market, game.past, False


def _lines(game: Game, view: View, x: np.ndarray, read: Read, band: bool = True) -> list[Chart]:
    """A line for each firm, or for each segment; the twin's dashed where a line is in front."""
    firms, segments = list(game.start.firms), list(game.start.segments)
    j = firms.index(view.firm)
    lines: list[Chart] = []
    for _, past, dashed in _worlds(game):
        if view.segments:
            picks = [(plain(name), n, read(past, game.cells(name)), j, True) for n, name in enumerate(segments)]
        else:
            found = read(past, game.cells(view.group))
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
    """From 0 to somewhat above the highest point, for room for the marks."""
    return [0, min(1.0, max([above * y for line in lines for y in line["y"] if y is not None] or [1.0]))]


def _share(game: Game, view: View, begin: int) -> Chart:
    of = f" of {title(view.firm)}" if view.segments else ""
    chart: Chart = {"title": f"Share of uses{of}, mean of {SMOOTH} weeks", "percent": True, "y": [0, 1]}
    if game.week < 1:
        return {**chart, "wait": FIRST}
    x = np.arange(begin, game.week) + 1
    lines = _lines(game, view, x, lambda past, cells: past.share(cells, begin, SMOOTH))
    return {**chart, "lines": lines, "y": _span(lines)}


def _stickiness(game: Game, view: View, begin: int) -> Chart:
    window = game.start.window
    of = f" of {title(view.firm)}" if view.segments else ""
    chart: Chart = {"title": f"Stickiness index{of}, windows of {window} weeks", "y": [0, 1], "dots": True}
    ended = range(begin // window, game.week // window)
    sofar = bool(game.week % window) and game.readable
    if not ended and not sofar:
        return {**chart, "wait": FIRST if game.week < 1 else f"The first window ends in week {window}."}
    x = np.array([(w + 1) * window for w in ended] + [game.week] * sofar)

    def read(past: History, cells: list[int]) -> Estimate:
        market = game.market if past is game.past else game.twin
        assert market
        found = [past.index(market, w, cells) for w in ended]
        return Estimate(*np.array(found + [game.stickiness(market, cells)] * sofar).swapaxes(0, 1))

    lines = _lines(game, view, x, read)
    for line in lines:
        line["open"] = sofar
    return {**chart, "lines": lines, "y": _span(lines, 1.4), "note": "open circle: so far" * sofar}


def _trust(game: Game, view: View, begin: int) -> Chart:
    x = np.arange(begin, game.week + 1)

    def read(past: History, cells: list[int]) -> Estimate:
        value = past.trusted(cells, begin)
        return Estimate(value, np.zeros_like(value))

    lines = _lines(game, view, x, read, band=False)
    known = [y for line in lines for y in line["y"] if y is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    said = f"Trust in {title(view.firm)}" if view.segments else "Trust, mean of everybody in view"
    return {"title": said, "lines": lines, "y": [max(0.0, low - 0.04), min(1.0, high + 0.3 * (high - low) + 0.03)]}


def _awareness(game: Game, view: View, begin: int) -> Chart:
    chart: Chart = {"title": "Awareness: who has heard of it", "percent": True, "y": [0, 1.15]}
    out = [(k, n) for k, n in enumerate(game.market.scandals) if game.scenario.scandals[n].week < game.week]
    if not out:
        return {**chart, "wait": "No scandal so far."}
    if view.segments:
        k, name = out[-1]
        chart["title"] = f"Awareness of the {plain(name)}"
        lines = [(k, name, group, n) for n, group in enumerate(game.start.segments)]
    else:
        lines = [(k, name, view.group, k) for k, name in out]
    drawn = []
    for k, name, group, ink in lines:
        week = game.scenario.scandals[name].week
        y = np.r_[0, game.past.heard(game.cells(group), k, week)][max(0, begin - week) :]
        said = plain(group if view.segments else name)
        x = np.arange(max(begin, week), game.week + 1).tolist()
        drawn.append({"name": said, "ink": ink, "front": True, "dashed": False, "x": x, "y": numbers(y)})
    return {**chart, "lines": drawn}


def _messages(game: Game, view: View, begin: int) -> Chart:
    chart: Chart = {"title": f"Messages a week about {title(view.firm)}: good ↑, bad ↓", "y": [-1, 1]}
    if game.week < 1:
        return {**chart, "wait": FIRST}
    j = list(game.start.firms).index(view.firm)
    if view.segments:
        many = game.past.people.sum(axis=0)
        lines: list[Chart] = []
        for n, name in enumerate(game.start.segments):
            cells = game.cells(name)
            y = 1000 * game.past.told(cells, begin, j).sum(axis=1) / max(1, many[cells].sum())
            x = (np.arange(begin, game.week) + 1).tolist()
            lines.append({"name": plain(name), "ink": n, "front": True, "dashed": False, "x": x, "y": numbers(y)})
        top = 1.3 * max(1.0, *(y for line in lines for y in line["y"]))
        return {"title": f"Messages about {title(view.firm)}, a week and 1,000 people", "lines": lines, "y": [0, top]}
    good, bad = game.past.told(game.cells(view.group), begin, j).T
    bars = [{"name": "good", "ink": 0, "y": good.tolist()}, {"name": "bad", "ink": 1, "y": (-bad).tolist()}]
    return {**chart, "bars": bars, "y": [-1.25 * max(1, bad.max()), 1.5 * max(1, good.max())]}
