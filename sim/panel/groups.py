"""Parts of a panel to be measured: periods, before and after a date, segments."""

from collections.abc import Iterator

import numpy as np

from sim.model.declare import did_you_mean
from sim.panel.count import select_households, select_purchases
from sim.panel.dates import parse_date
from sim.panel.options import Options
from sim.panel.types import Panel, PanelError

MOST_PARTS = 400


def groups(panel: Panel, options: Options) -> Iterator[tuple[str, Panel, np.ndarray]]:
    """(name, part, [H] the households in it): all, then what the options ask for.

    A part of the time has all households, whether they buy in it or not; a segment has those that buy in it.
    """
    wrong: list[str] = []
    parts = [("all", panel)]
    segments: list[tuple[str, Panel, np.ndarray]] = []
    parts += _split(panel, options.split, wrong) if options.split else []
    parts += _periods(panel, options.period, wrong) if options.period else []
    if panel.segment is not None:
        names = sorted(set(panel.segment))
        if len(names) > MOST_PARTS:
            wrong.append(
                f"panel.segment: {segment_column(panel)} has {len(names)} values; at most {MOST_PARTS} are measured"
            )
        else:
            segments = [(f"segment.{name}", *_members(panel, panel.segment == name)) for name in names]
    if wrong:
        raise PanelError(wrong)
    yield from ((name, part, np.ones(len(panel.households), bool)) for name, part in parts)
    yield from segments


def segment_column(panel: Panel) -> str:
    """The column of segments."""
    return panel.columns.get("segment", "the column")


def _members(panel: Panel, rows: np.ndarray) -> tuple[Panel, np.ndarray]:
    part = select_purchases(panel, rows)
    keep = np.bincount(part.hh, minlength=len(panel.households)) > 0
    part.members = False
    return select_households(part, keep), keep


def _split(panel: Panel, text: str, wrong: list[str]) -> list[tuple[str, Panel]]:
    at = parse_date(text)
    if panel.origin is not None and np.isfinite(at):
        at -= float(panel.origin.astype(np.int64))
    late = panel.t >= at
    if not np.isfinite(at):
        wrong.append(f"panel.split: {text!r} is neither a number nor a date such as 2024-12-31")
    elif late.all() or not late.any():
        wrong.append(f"panel.split: all purchases are {'from ' + text + ' on' if late.all() else 'before ' + text}")
    return [("before", select_purchases(panel, ~late)), ("after", select_purchases(panel, late))]


def _periods(panel: Panel, text: str, wrong: list[str]) -> list[tuple[str, Panel]]:
    found = _numbered(panel, text, wrong)
    if found is None:
        return []
    number, names = found
    if len(names) > MOST_PARTS:
        wrong.append(f"panel.period: {text} makes {len(names)} periods; at most {MOST_PARTS} are measured")
        return []
    return [
        (f"period.{name}", select_purchases(panel, number == i)) for i, name in enumerate(names) if (number == i).any()
    ]


def _numbered(panel: Panel, text: str, wrong: list[str]) -> tuple[np.ndarray, list[str]] | None:
    """[N] the period of each purchase, and the names of the periods."""
    known = ("week", "month", "quarter", "year")
    number = text.removesuffix("d").replace(".", "", 1).isdecimal() and float(text.removesuffix("d")) > 0
    if not number and text not in known:
        wrong.append(f"panel.period: {text!r} is no number of units of time{did_you_mean(text, known)}")
        return None
    if not number and panel.origin is None:
        wrong.append(f"panel.period: {text} needs dates, but time is in numbers; say how many of them make a period")
        return None
    if text == "week" or number:
        length = 7.0 if text == "week" else float(text.removesuffix("d"))
        index = np.floor((panel.t - panel.t.min()) / length).astype(np.int64)
        starts = panel.t.min() + length * np.arange(index.max() + 1)
        return index, [_period_name(panel, s) for s in starts[: MOST_PARTS + 1]]
    days = panel.origin + np.floor(panel.t).astype(np.int64)
    months = days.astype("datetime64[M]").astype(np.int64)
    index = months // {"month": 1, "quarter": 3, "year": 12}[text]
    first = np.arange(index.min(), index.max() + 1)
    if text == "quarter":
        names = [f"{1970 + i // 4}-Q{i % 4 + 1}" for i in first]
    else:
        names = [str(np.datetime64(int(i), "M" if text == "month" else "Y")) for i in first]
    return index - index.min(), names


def _period_name(panel: Panel, t: float) -> str:
    return f"{t:g}" if panel.origin is None else str(panel.origin + int(t))
