"""One function per figure: a table in, a Figure out. A figure never sees a model, and never a screen.

Tables are tidy frames: that of a run (group, firm, metric, value, error), a series (week, firm, metric, value, error),
or a study (a row a run). Bars and bands are 95 % intervals. Colors are those of Okabe & Ito, which all kinds of eyes
tell apart; the firm in focus is vermilion and the others are gray.
"""

from sim.report.figures.answer import answer, countermeasures
from sim.report.figures.lines import curves, series, sweep
from sim.report.figures.points import dots, predicted, side_by_side
from sim.report.figures.slide import MOST_BARS, headline
from sim.report.figures.studies import anatomy, best, leavers, sensitivity, study, twins
from sim.report.figures.style import FOCUS, INK, MARK, PALETTE, REST, STYLE, color, save
from sim.report.findings import INTERVAL

__all__ = [
    "FOCUS",
    "INK",
    "INTERVAL",
    "MARK",
    "MOST_BARS",
    "PALETTE",
    "REST",
    "STYLE",
    "anatomy",
    "answer",
    "best",
    "color",
    "countermeasures",
    "curves",
    "dots",
    "headline",
    "leavers",
    "predicted",
    "save",
    "sensitivity",
    "series",
    "side_by_side",
    "study",
    "sweep",
    "twins",
]
