"""What is counted: integers only, so that any split of people over threads, shards or machines adds up to the same.

Axes: g group of people, t week, s cell (segment x cohort), w window, j and k firm; where a firm may be missing, 0 is
none and firm j is at j + 1. A group is one thread's piece of work, which alone writes its slice, and also the jackknife
fold that is left out in turn for errors of estimate.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from sim.compute.jit import inlined

FOLDS = 32
LARGEST = 64  # bins of the distribution of category uses per person and window
FIXED = 1 << 20  # unit of the fixed-point counts: expected repeats had the order of uses been shuffled
MOST_PAIRS = (1 << 63) // FIXED  # pairs below which FIXED * pairs fits into 64 bits
TENURE = np.array([0, 1, 2, 4, 8, 13, 26, 52, 104, 156, 208, 260, 312, 364, 416, 468, 520], np.int64)
TENURE_BIN: np.ndarray = np.searchsorted(TENURE, np.arange(TENURE[-1] + 1), "right") - 1  # of each number of uses


class Event(IntEnum):
    """What happens at a firm in a week."""

    FIRST_LOOK = 0
    DELIBERATED = 1
    FAILED = 2
    COMPLAINED = 3
    SATISFIED = 4
    POSITIVE_WOM = 5
    NEGATIVE_WOM = 6
    CAPTIVE = 7  # would have left but for the friction of leaving
    ASKED = 8
    WOULD_LEAVE = 9
    BETTER = 10  # another firm is better by more than half a logit


class Count(IntEnum):
    """What is counted of a firm in a window."""

    USERS = 0
    USES = 1
    CATEGORY = 2  # uses of the category by its users
    SOLE = 3
    ONCE = 4
    PAIRS = 5  # n_ij (n_ij - 1)
    ALL_PAIRS = 6  # n_ij (n_i - 1)
    BEFORE = 7  # users in the window before
    BEFORE_USES = 8  # what those use of it now
    BEFORE_CATEGORY = 9  # and of the category
    REPEATERS = 10  # and how many of them use it now
    ADJACENT = 11  # uses followed, in the window, by a use of the same firm
    SWITCHED = 12  # and by a use of another
    SHUFFLED = 13  # expected ADJACENT had each person's order been shuffled, x FIXED
    SHUFFLED_FOLLOWED = 14  # and expected ADJACENT + SWITCHED, x FIXED


class Tally(NamedTuple):
    """Every count of a run; all int64."""

    people: np.ndarray  # [g, s]
    flow: np.ndarray  # [g, t, s, left, joined] uses
    event: np.ndarray  # [g, t, s, j, Event]
    news: np.ndarray  # [g, t, s, scandal, 3] people who become aware; of those, who switch; who buy more
    window: np.ndarray  # [g, w, s, j, Count]
    both: np.ndarray  # [g, w, s, j, k] users of j who also use k
    buyers: np.ndarray  # [g, w, s, n] people with n uses of the category, the last bin open
    transitions: np.ndarray  # [g, w, s, at start, at end] firm used last, at the two ends of a window
    faithful: np.ndarray  # [g, w, s] people who never changed firm since week 0
    tenure: np.ndarray  # [g, s, j, TENURE bin, 2] uses after so many at the firm: there again, elsewhere
    standing: np.ndarray  # [g, w, s, j, TENURE bin] people by firm used last and uses there since joining
    after: np.ndarray  # [g, s, j, outcome, 2] the same after an outcome (fine, minor, complained, major, complained)

    def __add__(self, other: tuple) -> "Tally":
        """The counts of two parts of the same people."""
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


Array = np.ndarray
Metric = Callable[[Tally], Array]  # a tally without axes of week, window and cell -> values [..., j] or [...]
WEEKLY = ("flow", "event", "news")  # counts with an axis of weeks
WINDOWED = ("window", "both", "buyers", "transitions", "faithful", "standing")  # counts with an axis of windows


def empty_tally(weeks: int, windows: int, cells: int, firms: int, scandals: int, groups: int = FOLDS) -> Tally:
    """A tally of zeros; row 0 of the weekly counts is the burn-in, to be dropped by `counted`."""
    or_none = firms + 1
    shapes = {
        "people": (cells,),
        "flow": (weeks + 1, cells, or_none, or_none),
        "event": (weeks + 1, cells, firms, len(Event)),
        "news": (weeks + 1, cells, scandals, 3),
        "window": (windows, cells, firms, len(Count)),
        "both": (windows, cells, firms, firms),
        "buyers": (windows, cells, LARGEST),
        "transitions": (windows, cells, or_none, or_none),
        "faithful": (windows, cells),
        "tenure": (cells, firms, len(TENURE), 2),
        "standing": (windows, cells, firms, len(TENURE)),
        "after": (cells, firms, 5, 2),
    }
    return Tally(*(np.zeros((groups, *shapes[name]), np.int64) for name in Tally._fields))


def counted(tally: Tally) -> Tally:
    """The tally without the scrap row of the burn-in."""
    return tally._replace(**{name: getattr(tally, name)[:, 1:] for name in WEEKLY})


@inlined
def fixed_point(pairs, total):
    """pairs / total in units of 1 / FIXED, rounded down, in two parts where FIXED * pairs would leave 64 bits."""
    if pairs < MOST_PAIRS:
        return FIXED * pairs // total
    return FIXED * (pairs // total) + FIXED * (pairs % total) // total
