"""Histories of customers who have one provider at a time: where each was in every period, and what came next.

A panel and its simulated twin are read by the same functions, so that what is compared is measured in one way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sim.panel.folds import fold_of
from sim.panel.types import Panel

ABSENT = -1
WEEKS_A_MONTH, WEEKS_A_QUARTER, WEEKS_A_YEAR = 52 / 12, 13.0, 52.0
LONGEST_GAP = 2  # periods that may lack in a file between two with one firm
RECENT = 24  # months in which moves are counted
MOST_MOVES = 3  # recent moves that are told apart
MOST_WEEKS = 468  # of a history: the simulator counts uses in windows of ten years
HALF = 0.5
NEVER = -(10**6)  # a period long before any
WORDS = {  # in the name of a column of numbered periods
    WEEKS_A_YEAR: ("year", "jahr", "jaar", "annee", "anno", "ano", "wave", "welle", "golf"),
    WEEKS_A_QUARTER: ("quarter", "quartal", "kwartaal", "trimest"),
    1.0: ("week", "woche", "semaine", "semana", "settimana"),
}


@dataclass
class Histories:
    """Customers i in periods m, each with one of the firms j or with none."""

    firms: tuple[str, ...]
    y: np.ndarray  # [i, m] int8, the firm, ABSENT = not a customer of any
    age: np.ndarray  # [i] int32, periods with the first firm before period 0; -1 = not known
    weeks: float  # of a period
    fold: np.ndarray  # [i] left out together for errors
    names: np.ndarray  # [i] place in the panel's households

    @property
    def periods(self) -> int:
        """How many."""
        return int(self.y.shape[1])

    def until(self, period: int) -> "Histories":
        """The first so many periods, of the customers who are in them."""
        there = np.any(self.y[:, :period] >= 0, axis=1)
        return self.taken(there, slice(0, period))

    def taken(self, rows: np.ndarray, columns: slice) -> "Histories":
        """Some customers and periods."""
        fold, names = self.fold[rows], self.names[rows]
        return replace(self, y=self.y[rows][:, columns], age=self.age[rows], fold=fold, names=names)


class Standing(NamedTuple):
    """What is known of customers [i] at a period, from their past alone."""

    last: np.ndarray  # firm, or ABSENT
    tenure: np.ndarray  # periods seen with it, this one included
    fresh: np.ndarray  # whether the beginning of that was seen
    before: np.ndarray  # the firm before it, or ABSENT
    moves: np.ndarray  # [i, MOST_MOVES] periods of the last moves, the latest first; NEVER


class Events(NamedTuple):
    """Customers at a period and at the next, a row each."""

    who: np.ndarray
    period: np.ndarray
    now: np.ndarray
    then: np.ndarray  # ABSENT = of no firm
    months: np.ndarray  # with the firm so far
    fresh: np.ndarray
    before: np.ndarray
    moves: np.ndarray  # recent ones, MOST_MOVES at most


def start(many: int) -> Standing:
    """Customers of whom nothing is known."""
    nobody = np.full(many, ABSENT, np.int64)
    return Standing(nobody, np.zeros(many, np.int64), np.zeros(many, bool), nobody, np.full((many, MOST_MOVES), NEVER))


def seen(state: Standing, y: np.ndarray, period: int, age: np.ndarray | None = None) -> Standing:
    """The state after a period in which they are with the firms `y`; `age` where this is the first period of all."""
    here, again = y >= 0, (y >= 0) & (y == state.last)
    moved = here & (state.last >= 0) & ~again
    tenure = np.where(again, state.tenure + 1, np.where(here, 1, 0))
    fresh = np.where(again, state.fresh, here)
    if age is not None:
        fresh, tenure = here & (age >= 0), tenure + np.where(here, np.maximum(age, 0), 0)
    before = np.where(moved | (~here & (state.last >= 0)), state.last, state.before)
    latest = np.column_stack([np.full(len(y), period), state.moves[:, :-1]])
    return Standing(np.where(here, y, ABSENT), tenure, fresh, before, np.where(moved[:, None], latest, state.moves))


def recent(state: Standing, period: int, weeks: float) -> np.ndarray:
    """[i] moves in the last RECENT months, MOST_MOVES at most."""
    return (state.moves > period - max(1, round(RECENT * WEEKS_A_MONTH / weeks))).sum(axis=1)


def walk(h: Histories) -> Iterator[tuple[int, Standing]]:
    """The state of all customers after each period."""
    state = start(len(h.y))
    for period in range(h.periods):
        state = seen(state, h.y[:, period].astype(np.int64), period, h.age if period == 0 else None)
        yield period, state


def events(h: Histories, first: int = 0) -> Events:
    """What follows each period of each customer, from period `first` on."""
    parts: list[tuple[np.ndarray, ...]] = []
    per_month = h.weeks / WEEKS_A_MONTH
    for period, state in walk(h):
        if first <= period < h.periods - 1:
            i = np.flatnonzero(state.last >= 0)
            then, moves = h.y[i, period + 1].astype(np.int64), recent(state, period, h.weeks)[i]
            months = state.tenure[i] * per_month
            parts.append(
                (i, np.full(len(i), period), state.last[i], then, months, state.fresh[i], state.before[i], moves)
            )
    return Events(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def weeks_of_period(panel: Panel, unit: str | None = None) -> tuple[float, str]:
    """(weeks of a period of the panel, a sentence on it); `unit` of numbered times: week or day."""
    gap = step_of(panel)
    if panel.origin is not None:
        if gap <= 32:
            return WEEKS_A_MONTH, "A customer's provider is taken once a month, the last of the month."
        usual = min((WEEKS_A_QUARTER, WEEKS_A_YEAR / 2, WEEKS_A_YEAR), key=lambda w: abs(np.log(w * 7 / gap)))
        return usual, f"Customers are seen every {gap:.0f} days; that is taken for {usual:g} weeks."
    if unit in ("week", "day"):
        return gap * (1.0 if unit == "week" else 1 / 7), ""
    name = panel.columns.get("time", "").lower()
    years = panel.t.min() >= 1900 and panel.t.max() <= 2100
    weeks = WEEKS_A_YEAR if years else next((w for w, hits in WORDS.items() if any(x in name for x in hits)), None)
    told = f"A step of {name or 'time'} is taken for {'a month' if weeks is None else f'{weeks * gap:g} weeks'}"
    return gap * (weeks or WEEKS_A_MONTH), f"{told}; time=week or time=day says otherwise."


def histories_of(panel: Panel, most: int, unit: str | None = None) -> tuple[Histories, list[str]]:
    """(the histories of at most so many customers, sentences on what was done).

    Brands are in the order of their customers, the largest first. Of a list of spells that begins with those who were
    still there when leaving was first seen, only the time from then on counts: before it nobody could be seen to leave.
    """
    weeks, sentence = weeks_of_period(panel, unit)
    said = [sentence] if sentence else []
    if panel.weights is not None:
        said.append("Weights of customers are not used: the estimates hold for the customers as they are.")
    index = periods_of(panel, weeks, step_of(panel))
    index -= index.min()
    fold = fold_of(panel)
    sizes, keep = np.bincount(panel.hh, minlength=len(panel.households)), np.ones(len(panel.households), bool)
    if (sizes > 0).sum() > most:
        share = most / (sizes > 0).sum()
        keep = fold < max(1, int(share * (fold.max() + 1)))
        said.append(f"The market is fitted to {int((keep & (sizes > 0)).sum()):,} of {(sizes > 0).sum():,} customers.")
    order = np.argsort(-np.bincount(panel.y, minlength=len(panel.brands)), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    ids = np.flatnonzero(keep & (sizes > 0))
    place = np.full(len(keep), -1)
    place[ids] = np.arange(len(ids))
    rows = keep[panel.hh]
    y = np.full((len(ids), int(index.max()) + 1), ABSENT, np.int8)
    y[place[panel.hh[rows]], index[rows]] = rank[panel.y[rows]]
    said += _filled(y)
    h = Histories(
        tuple(panel.brands[j] for j in order), y, np.full(len(ids), -1, np.int32), weeks, fold[ids] % 100, ids
    )
    return _watched(h, "start" in panel.columns, said), said


def step_of(panel: Panel) -> float:
    """The usual time between two rows of a customer, in the file's unit; days where it has dates."""
    gaps = np.diff(panel.t)[np.diff(panel.hh) == 0]
    gaps = gaps[gaps > 0]
    return float(np.median(gaps)) if len(gaps) else 1.0


def periods_of(panel: Panel, weeks: float, step: float) -> np.ndarray:
    """[N] the number of the period of each row, on one scale for all files."""
    if panel.origin is None:
        return np.rint(panel.t / step).astype(np.int64)
    days = panel.origin.astype("datetime64[D]") + np.floor(panel.t).astype(np.int64)
    if abs(weeks - WEEKS_A_MONTH) < 1e-9:
        return np.asarray(days.astype("datetime64[M]").astype(np.int64))
    return np.rint(days.astype(np.int64) / (weeks * 7)).astype(np.int64)


def _filled(y: np.ndarray) -> list[str]:
    """Fill short gaps between two periods with one firm; what was done in words."""
    holes = 0
    for width in range(1, LONGEST_GAP + 1):
        for m in range(1, y.shape[1] - width):
            lacks = (y[:, m : m + width] < 0).all(axis=1) & (y[:, m - 1] >= 0) & (y[:, m - 1] == y[:, m + width])
            y[lacks, m : m + width] = y[lacks, m - 1][:, None]
            holes += int(lacks.sum()) * width
    return [f"{holes:,} periods that lack between two with one firm are taken to be with it."] if holes else []


def _watched(h: Histories, spells: bool, said: list[str]) -> Histories:
    """The periods in which leaving can be seen, at most MOST_WEEKS; `age` where a file of spells tells it."""
    first = max(0, h.periods - int(MOST_WEEKS / h.weeks))
    if spells:
        left = ((h.y[:, :-1] >= 0) & (h.y[:, 1:] != h.y[:, :-1])).any(axis=0)
        begins = int(np.argmax(left)) if left.any() else 0
        from_first = (h.y[h.y[:, begins] >= 0, 0] >= 0).mean()  # most of them: the file's own first day is their start
        first, spells = (max(first, begins), True) if from_first < HALF else (first, False)
    if not first:
        return h
    said.append(f"The first {first} periods only tell how long customers had been there.")
    run = np.zeros(len(h.y), np.int32)
    for m in range(first):
        run = np.where((h.y[:, m] >= 0) & (h.y[:, m] == h.y[:, m + 1]), run + 1, 0).astype(np.int32)
    age = np.where(h.y[:, first] >= 0, run, -1).astype(np.int32) if spells else h.age
    there = np.any(h.y[:, first:] >= 0, axis=1)
    return replace(h, age=age).taken(there, slice(first, None))
