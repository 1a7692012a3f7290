"""What histories of providers' customers show: moves by tenure, by firm, from firm to firm; with errors."""

from typing import NamedTuple

import numpy as np

from sim.calibration.histories import WEEKS_A_MONTH, WEEKS_A_YEAR, Events, Histories, events
from sim.measure.estimates import jackknife

TENURES = np.array([0, 3, 6, 10, 13, 22, 25, 37])  # months that a customer has been there, beyond which a bin begins
MOVES, LATELY, EVER, TWICE, RETURNS = "moves", "moves, of who moved lately", "ever moved", "moved twice", "returns"
FEWEST = 10  # events from which a figure is one


class Figure(NamedTuple):
    """Counts by fold; the figure is the sum of one over that of the other."""

    hits: np.ndarray  # [fold, ...]
    of: np.ndarray  # [fold, ...]

    def value(self) -> np.ndarray:
        """Of everybody."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found: np.ndarray = self.hits.sum(axis=0) / self.of.sum(axis=0)
        return found

    def error(self) -> np.ndarray:
        """Jackknife over folds of customers."""
        with np.errstate(divide="ignore", invalid="ignore"):
            top, bottom = (np.concatenate([c.sum(axis=0)[None], c.sum(axis=0) - c]) for c in (self.hits, self.of))
            return np.asarray(jackknife(top / bottom)[1])

    def known(self) -> np.ndarray:
        """Whether there are events enough, and as many that did not happen."""
        hits, of = self.hits.sum(axis=0), self.of.sum(axis=0)
        return np.asarray((hits >= FEWEST) & (of - hits >= FEWEST))


Figures = dict[str, Figure]


def tenure_name(bin: int) -> str:
    """A bin of tenure in words.

    >>> tenure_name(0), tenure_name(7)
    ('moves, months 1 to 3', 'moves, months 38 and more')
    """
    low = int(TENURES[bin]) + 1
    return f"moves, months {low} to {TENURES[bin + 1]}" if bin + 1 < len(TENURES) else f"moves, months {low} and more"


def of_market(h: Histories, first: int = 0, e: Events | None = None) -> Figures:
    """Shares of customers who move in a period (of all, by tenure, of recent movers), ever, twice, and back again.

    Tenure counts where its beginning was seen.
    """
    e = events(h, first) if e is None else e
    fold, folds = h.fold[e.who], int(h.fold.max()) + 1
    stays_in = e.then >= 0
    moved = stays_in & (e.then != e.now)

    def figure(hits: np.ndarray, of: np.ndarray) -> Figure:
        return Figure(np.bincount(fold[hits & of], minlength=folds), np.bincount(fold[of], minlength=folds))

    found = {MOVES: figure(moved, stays_in), LATELY: figure(moved, stays_in & (e.moves > 0))}
    bins = np.searchsorted(TENURES, e.months - 1e-6, "right") - 1
    for b in range(len(TENURES)):
        found[tenure_name(b)] = figure(moved, stays_in & e.fresh & (bins == b))
    found[RETURNS] = figure(e.then == e.before, moved & (e.before >= 0) & (e.before != e.now))
    many = np.bincount(e.who[moved], minlength=len(h.y))
    whole = (h.y[:, first] >= 0) & (h.y[:, -1] >= 0)
    for name, least in ((EVER, 1), (TWICE, 2)):
        counts = (np.bincount(h.fold[rows], minlength=folds) for rows in (whole & (many >= least), whole))
        found[name] = Figure(*counts)
    return found


def retention(h: Histories, e: Events | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(part of new customers who have not moved elsewhere after k periods, its error, how many were watched then), [k].

    Kaplan & Meier 1958, of customers whose beginning is seen; who leaves all firms, or is seen no longer, is censored.
    """
    e = events(h) if e is None else e
    rows = e.fresh & (e.then >= 0)
    served = np.rint(e.months[rows] * WEEKS_A_MONTH / h.weeks).astype(np.int64)
    longest, folds = int(served.max(initial=0)), int(h.fold.max()) + 1
    left, of = (
        _by(h.fold[e.who[rows][use]], served[use] - 1, folds, max(longest, 1))
        for use in ((e.then != e.now)[rows], np.ones(len(served), bool))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        top, bottom = (np.concatenate([c.sum(axis=0)[None], c.sum(axis=0) - c]) for c in (left, of))
        value, error = jackknife(np.cumprod(1 - top / bottom, axis=1))
    return value, error, of.sum(axis=0)


def of_firms(h: Histories, first: int = 0, e: Events | None = None) -> Figures:
    """By firm: share of customers in the last year, churn (moves elsewhere), part of those who come; and switching.

    `switching` [j * k] is the part of all moves that goes from j to k.
    """
    e = events(h, first) if e is None else e
    fold, many, folds = h.fold[e.who], len(h.firms), int(h.fold.max()) + 1
    year = slice(max(first, h.periods - max(1, round(WEEKS_A_YEAR / h.weeks))), None)
    i, m = np.nonzero(h.y[:, year] >= 0)
    standing = _by(h.fold[i], h.y[:, year][i, m].astype(np.int64), folds, many)
    stays_in = e.then >= 0
    moved = stays_in & (e.then != e.now)
    leave, risk, join = (
        _by(fold[rows], to[rows], folds, many) for rows, to in ((moved, e.now), (stays_in, e.now), (moved, e.then))
    )
    new_i, new_m = np.nonzero((h.y[:, first:-1] < 0) & (h.y[:, first + 1 :] >= 0))
    new = _by(h.fold[new_i], h.y[new_i, first + new_m + 1].astype(np.int64), folds, many)
    pairs = _by(fold[moved], e.now[moved] * many + e.then[moved], folds, many * many)
    return {
        "share": _shares(standing),
        "churn": Figure(leave, risk),
        "joins": _shares(join + new),
        "switching": _shares(pairs),
    }


def _by(fold: np.ndarray, at: np.ndarray, folds: int, many: int) -> np.ndarray:
    return np.bincount(fold * many + at, minlength=folds * many).reshape(folds, many)


def _shares(counts: np.ndarray) -> Figure:
    return Figure(counts, np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape))


def exits(h: Histories) -> tuple[float, float, int]:
    """(how often a customer leaves all firms, 1/year; its standard error; how many did)."""
    e = events(h)
    gone = int((e.then < 0).sum())
    years = max(len(e.who), 1) * h.weeks / WEEKS_A_YEAR
    return gone / years, float(np.sqrt(max(gone, 1))) / years, gone


def a_year(rate: float, weeks: float) -> float:
    """The part who move in a year, of a part who move in a period of so many weeks.

    >>> round(a_year(0.01, 52 / 12), 3)
    0.114
    """
    return float(1 - (1 - rate) ** (WEEKS_A_YEAR / weeks))
