"""The figure of an answer, for one slide: what the events did over time, to whom, and what would have helped."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from sim.measure.quantity import Quantity
from sim.report.answer_text import between, counted, digits, events_words, level, sentences, start
from sim.report.figures.style import FOCUS, INK, MARK, REST, styled
from sim.report.findings import TOO_FEW, called
from sim.study.answer import Answer
from sim.study.countermeasures import Countermeasure

LONGEST = 92  # characters of a title at full size
Bar = tuple[str, Quantity]


@styled
def answer(found: Answer, measures: Sequence[Countermeasure] = (), note: str = "", titled: bool = True) -> Figure:
    """Change of customers over the weeks with its band, by group at the worst and, if given, countermeasures.

    Of those, the six that avert most and lose no customers of their own. `titled`: the answer and the note on top.
    """
    helped = [(m.label, m.averted) for m in measures if m.averted.known and m.averted.value > 0 and not m.loses]
    place = (0.012, 0.01, 0.976, 0.8 if titled else 0.98)
    layout = ConstrainedLayoutEngine(rect=place, wspace=0.06, hspace=0.12)
    figure = Figure(figsize=(12.8, 7.2 if titled else 6.0), layout=layout)
    groups: list[Bar] = [("All customers", found.worst.total.percent)]
    groups += [(called(name.partition(".")[2]), change.percent) for name, change in found.worst.groups.items()]
    axes = figure.subplot_mosaic("tg;th" if helped else "tg", width_ratios=[1.35, 1])
    _over_time(axes["t"], found)
    unit = "% of the customers there would be without it"
    _bars(axes["g"], groups, f"Whom, {counted(found.worst.weeks)} after {start(found)}", unit)
    if helped:
        _bars(axes["h"], helped[:6], "What would have helped", "% of the loss averted (80 %)", MARK)
    first, *others = sentences(found)
    lines = [first, *([" ".join(others)] if others else []), note]
    for n, line in enumerate(lines if titled else ()):
        size = min(17 if n == 0 else 13, 17 * LONGEST / max(1, len(line)))
        weight, color = ("bold", INK) if n == 0 else ("normal", INK if n < len(lines) - 1 else "#555555")
        figure.text(0.014, 0.965 - 0.052 * n, line, fontsize=size, weight=weight, color=color, va="top")
    return figure


def _over_time(axes: Axes, found: Answer) -> None:
    what = events_words(found).partition(" (")[0]
    known = [(n + 1, q) for n, q in enumerate(found.weekly) if math.isfinite(q.value)]
    weeks = [0, *(week for week, _ in known)]
    value = [0.0, *(q.value for _, q in known)]
    low, high = ([0.0, *(getattr(q, end) for _, q in known)] for end in ("low", "high"))
    axes.fill_between(weeks, low, high, color=FOCUS, alpha=0.2, lw=0)
    axes.plot(weeks, value, color=FOCUS, linewidth=2.2)
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_title(f"Customers of {called(found.firm)}, with {what} against without")
    axes.set(xlabel=f"weeks after {start(found)}", ylabel="difference, % of customers")
    axes.set_xlim(0, max(weeks) or 1)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.text(0.99, 0.985, f"band: {level(found)}", transform=axes.transAxes, ha="right", va="top", color="#555555")
    if not found.worst.total.percent.detected and found.worst.total.percent.known:
        said = f"no change detected; {between(found.worst.total.percent)} %"
        axes.text(0.5, 0.04, said, transform=axes.transAxes, ha="center", color=FOCUS)


def _bars(axes: Axes, bars: Sequence[Bar], title: str, unit: str, color: str = FOCUS) -> None:
    """Horizontal bars with their intervals, the first at the top; pale where the interval holds 0."""
    first, ends = color == FOCUS, [0.0]  # the first of the groups is everybody
    for n, (_, q) in enumerate(bars):
        shade = color if q.detected else REST
        axes.barh(-n, q.value if math.isfinite(q.value) else 0, color=shade, height=0.62)
        if q.known:
            axes.plot([q.low, q.high], [-n, -n], color=INK, linewidth=1.3)
            ends += [q.low, q.high]
    span = max(ends) - min(ends) or 1.0
    for n, (_, q) in enumerate(bars):
        text = f"{q.value + 0.0:+.{digits(q)}f}".replace("-", "\N{MINUS SIGN}") if q.known else TOO_FEW
        axes.text(
            max(ends) + 0.04 * span, -n, text, va="center", fontsize=9, weight="bold" if first and n == 0 else "normal"
        )
    axes.set_xlim(min(ends) - 0.04 * span, max(ends) + 0.22 * span)
    axes.set_yticks(-np.arange(len(bars)), [name for name, _ in bars])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.axvline(0, color=INK, linewidth=1)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set(title=title, xlabel=unit)


@styled
def countermeasures(measures: Sequence[Countermeasure], title: str, note: str = "") -> Figure:
    """One figure for a table of countermeasures: what each averts of the loss, with its interval."""
    figure = Figure(figsize=(12.8, 7.2), layout=ConstrainedLayoutEngine(rect=(0.012, 0.01, 0.976, 0.84), wspace=0.06))
    axes = figure.subplots(1, 2, width_ratios=[1.5, 1])
    averted = [(m.label, m.averted) for m in measures]
    _bars(axes[0], averted, "Of the scandal's loss in the first year", "% averted (80 %)", MARK)
    levers = [(m.label, m.besides) for m in measures if m.besides.value or not m.besides.known]
    _bars(axes[1], levers, "Besides, with no scandal at all", "customers won or lost after a year, % (80 %)", MARK)
    figure.text(0.014, 0.965, title, fontsize=min(17, 17 * LONGEST / max(1, len(title))), weight="bold", va="top")
    figure.text(0.014, 0.913, note, fontsize=10, color="#555555", va="top")
    return figure
