"""What is counted: integers only, so that any split of people over threads, shards or machines adds up to the same.

Axes: g group of people, t week, s cell (segment x cohort), w window, j and k firm, 0 = nobody where a firm may be
missing (then firm j is j + 1). A group is at once the piece of work of one thread, which alone writes its slice, and
the fold that is left out in turn for errors of estimate.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from sim.draws import rule

GROUPS = 32
LARGEST = 64  # category uses a person and window told apart in the distribution of buyers
FIXED = 1 << 20  # unit of the fixed-point counts: expected repeats had the order of uses been shuffled
TENURE = np.array([0, 1, 2, 4, 8, 13, 26, 52, 104, 156, 208, 260, 312, 364, 416, 468, 520], np.int64)


class Event(IntEnum):
    """What happens at a firm in a week."""

    FIRST_LOOK = 0
    DELIBERATED = 1
    FAILED = 2
    COMPLAINED = 3
    SATISFIED = 4
    GOOD_WORD = 5
    BAD_WORD = 6
    KEPT = 7  # would have left but for the friction of leaving
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
    FOLLOWED = 12  # uses followed by any use
    SHUFFLED = 13  # expected ADJACENT had each person's order been shuffled, x FIXED
    SHUFFLED_FOLLOWED = 14  # and expected FOLLOWED, x FIXED


class Tally(NamedTuple):
    """Every count of a run; all int64."""

    people: np.ndarray  # [g, s]
    flow: np.ndarray  # [g, t, s, left, joined] uses
    event: np.ndarray  # [g, t, s, j, Event]
    news: np.ndarray  # [g, t, s, scandal, 3] who hears of it; of those who act; of those who buy more
    window: np.ndarray  # [g, w, s, j, Count]
    both: np.ndarray  # [g, w, s, j, k] users of j who also use k
    buyers: np.ndarray  # [g, w, s, n] people with n uses of the category, the last bin open
    kept: np.ndarray  # [g, w, s, at start, at end] firm used last, at the two ends of a window
    faithful: np.ndarray  # [g, w, s] people who never changed firm since week 0
    tenure: np.ndarray  # [g, s, j, TENURE bin, 2] uses after so many at the firm; of which elsewhere
    standing: np.ndarray  # [g, w, s, j, TENURE bin] people by firm used last and uses there since joining
    after: np.ndarray  # [g, s, j, outcome, 2] uses after an outcome (fine, minor, complained, major, complained)

    def __add__(self, other: tuple) -> "Tally":
        """The counts of two parts of the same people."""
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


def empty_tally(weeks: int, windows: int, cells: int, firms: int, scandals: int, groups: int = GROUPS) -> Tally:
    """A tally of zeros; row 0 of the weekly counts is the burn-in, to be dropped by `counted`."""
    nobody = firms + 1
    shapes = {
        "people": (cells,),
        "flow": (weeks + 1, cells, nobody, nobody),
        "event": (weeks + 1, cells, firms, len(Event)),
        "news": (weeks + 1, cells, scandals, 3),
        "window": (windows, cells, firms, len(Count)),
        "both": (windows, cells, firms, firms),
        "buyers": (windows, cells, LARGEST),
        "kept": (windows, cells, nobody, nobody),
        "faithful": (windows, cells),
        "tenure": (cells, firms, len(TENURE), 2),
        "standing": (windows, cells, firms, len(TENURE)),
        "after": (cells, firms, 5, 2),
    }
    return Tally(*(np.zeros((groups, *shapes[name]), np.int64) for name in Tally._fields))


def counted(tally: Tally) -> Tally:
    """The tally without the scrap row of the burn-in."""
    return tally._replace(**{name: getattr(tally, name)[:, 1:] for name in ("flow", "event", "news")})


@rule
def tenure_bin(uses):
    """The TENURE bin of a number of uses since joining."""
    b = 0
    for edge in range(1, len(TENURE)):
        if uses >= TENURE[edge]:
            b = edge
    return b


@rule
def record_use(me, bonds, tally, g, t, window, left, joined):
    """Count a use at `joined` after `left` (-1 = nobody) in row t."""
    tally.flow[g, t, me.cell, left + 1, joined + 1] += 1
    if left >= 0 and t > 0:
        moved = left != joined
        b = tenure_bin(me.tenure)
        tally.tenure[g, me.cell, left, b, 0] += 1
        tally.tenure[g, me.cell, left, b, 1] += moved
        tally.after[g, me.cell, left, me.outcome, 0] += 1
        tally.after[g, me.cell, left, me.outcome, 1] += moved
        w = (t - 1) // window
        if me.uses > 0 and w < tally.window.shape[1]:
            tally.window[g, w, me.cell, left, Count.FOLLOWED] += 1
            tally.window[g, w, me.cell, left, Count.ADJACENT] += not moved
        if moved:
            me.changed = 1
    me.uses += 1
    bonds[joined].count += 1


@rule
def close_window(me, bonds, tally, g, w):
    """Count the uses of the window into window w of the tally (w < 0: only forget them) and start anew."""
    total, used = me.uses, np.int64(0)
    firms = bonds.shape[0]
    for j in range(firms):
        n = np.int64(bonds[j].count)
        used |= np.int64(n > 0) << j
        if w >= 0:
            _count_firm(tally.window[g, w, me.cell, j], n, total, (me.before >> j) & 1)
        bonds[j].count = 0
    if w >= 0:
        tally.buyers[g, w, me.cell, min(total, LARGEST - 1)] += 1
        tally.kept[g, w, me.cell, me.home + 1, me.last + 1] += 1
        tally.faithful[g, w, me.cell] += 1 - me.changed
        for j in range(firms):
            if (used >> j) & 1:
                for k in range(firms):
                    tally.both[g, w, me.cell, j, k] += (used >> k) & 1
        if me.last >= 0:
            tally.standing[g, w, me.cell, me.last, tenure_bin(me.tenure)] += 1
    me.uses = 0
    me.before = used
    me.home = me.last


@rule
def _count_firm(row, n, total, before):
    if n > 0:
        row[Count.USERS] += 1
        row[Count.USES] += n
        row[Count.CATEGORY] += total
        row[Count.SOLE] += n == total
        row[Count.ONCE] += n == 1
        row[Count.PAIRS] += n * (n - 1)
        row[Count.ALL_PAIRS] += n * (total - 1)
        row[Count.SHUFFLED] += (FIXED * n * (n - 1)) // total
        row[Count.SHUFFLED_FOLLOWED] += (FIXED * n * (total - 1)) // total
    if before:
        row[Count.BEFORE] += 1
        row[Count.BEFORE_USES] += n
        row[Count.BEFORE_CATEGORY] += total
        row[Count.REPEATERS] += n > 0
