"""Counting: the compiled functions that add what one person did to the tally."""

from typing import NamedTuple

import numpy as np

from sim.compute.jit import inlined
from sim.compute.simd import count_trailing_zeros
from sim.measure.tally import LARGEST, TENURE_BIN, Count, Event, fixed_point
from sim.model.state import BEFORE, CHANGED, USED, in_window


class CountSlice(NamedTuple):
    """The parts of a Tally in which the uses of one group and cell in one week are counted."""

    flow: np.ndarray  # [left, joined]
    event: np.ndarray  # [j, Event]
    tenure: np.ndarray  # [j, TENURE bin, 2]
    after: np.ndarray  # [j, outcome, 2]
    window: np.ndarray  # [j, Count]
    counts: int  # 0 in the burn-in, 1 after, 2 in a window that will be counted


@inlined
def row_of_week(tally, t):
    """The row in which week t - 1 is counted: its own, or that of all weeks where they are counted together."""
    return min(t, tally.flow.shape[1] - 1)


@inlined
def count_slice(tally, g, t, s, window):
    """The slice of group g and cell s in row t, so that indices are worked out once, not at every count."""
    w, r = (t - 1) // window, row_of_week(tally, t)
    counts = 0 if t == 0 else (2 if w < tally.window.shape[1] else 1)
    kept = w if counts == 2 else 0
    of_window = tally.window[g, kept, s] if counts == 2 else tally.event[g, r, s]
    return CountSlice(
        tally.flow[g, r, s], tally.event[g, r, s], tally.tenure[g, s], tally.after[g, s], of_window, counts
    )


@inlined
def count_visit(person, counts, slot):
    """Count the use that the person in a slot of the workspace has just made."""
    joined, outcome, said = person.joined[slot], person.outcome[slot], person.said[slot]
    again = (person.uses[slot] & USED) > 1
    count_use(counts, person.left[slot], joined, person.served[slot], person.past[slot], again)
    if person.first_look[slot] >= 0:
        counts.event[person.first_look[slot], Event.FIRST_LOOK] += 1
        counts.event[person.chosen[slot], Event.DELIBERATED] += 1
    counts.event[joined, Event.SATISFIED] += person.satisfied[slot]
    if outcome > 0:
        counts.event[joined, Event.FAILED] += 1
        counts.event[joined, Event.COMPLAINED] += 1 - outcome % 2
    if person.captive[slot] == 1:
        counts.event[person.left[slot], Event.CAPTIVE] += 1
    if said > 0:
        counts.event[said - 1, Event.POSITIVE_WOM] += 1
    elif said < 0:
        counts.event[-said - 1, Event.NEGATIVE_WOM] += 1


@inlined
def count_use(counts, left, joined, served, outcome, again):
    """Count a use at `joined` after `left` (-1 = no firm); `again` if it is not the window's first."""
    counts.flow[left + 1, joined + 1] += 1
    if left >= 0 and counts.counts > 0:
        moved = np.int64(left != joined)
        counts.tenure[left, TENURE_BIN[min(int(served), len(TENURE_BIN) - 1)], moved] += 1
        counts.after[left, outcome, moved] += 1
        if again and counts.counts == 2:
            counts.window[left, Count.ADJACENT + moved] += 1


@inlined
def count_answer(person, tally, g, t, s, slot):
    """Count what the person in a slot of the workspace has answered to the survey."""
    if person.last[slot] >= 0:
        events = tally.event[g, row_of_week(tally, t), s, person.last[slot]]
        events[Event.ASKED] += 1
        events[Event.WOULD_LEAVE] += person.better[slot] > 0
        events[Event.BETTER] += person.better[slot] > 1


@inlined
def count_news(person, tally, g, t, s, slot):
    """Count of which scandals the person in a slot of the workspace has just become aware."""
    r = row_of_week(tally, t)
    for k in range(tally.news.shape[3]):
        tally.news[g, r, s, k, 0] += (person.just_heard[slot] >> k) & 1
        tally.news[g, r, s, k, 1] += (person.acting[slot] >> k) & 1
        tally.news[g, r, s, k, 2] += (person.backing[slot] >> k) & 1


@inlined
def count_window(people, row, tally, g, s, w, opening):
    """Count a person's uses of the window into window w of the tally (w < 0: only forget them) and start anew.

    `opening`: the burn-in ends, so that the flag of having ever changed firm is cleared too.
    """
    person, bonds, carried = people.one[row], people.bonds[row], people.carried
    total = in_window(person.uses, carried, row, 0)
    if person.uses & (USED | BEFORE):
        used, known = np.int64(0), np.int64(0)
        for j in range(bonds.shape[0]):
            used |= np.int64((bonds[j].count & USED) > 0) << j
            known |= np.int64(bonds[j].count > 0) << j
        while known != 0:
            j = count_trailing_zeros(known)
            known &= known - 1
            n, before = in_window(bonds[j].count, carried, row, j + 1), np.int64(bonds[j].count & BEFORE)
            bonds[j].count = BEFORE if n else 0
            if w >= 0:
                _count_firm(tally.window[g, w, s, j], n, total, before)
                others = used if n else np.int64(0)
                while others != 0:
                    tally.both[g, w, s, j, count_trailing_zeros(others)] += 1
                    others &= others - 1
    if w >= 0:
        tally.buyers[g, w, s, min(total, LARGEST - 1)] += 1
        tally.transitions[g, w, s, person.home + 1, person.last + 1] += 1
        tally.faithful[g, w, s] += (person.uses & CHANGED) == 0
        if person.last >= 0:
            stage = TENURE_BIN[min(int(person.tenure), len(TENURE_BIN) - 1)]
            tally.standing[g, w, s, person.last, stage] += 1
    person.uses = (BEFORE if total else 0) | (0 if opening else person.uses & CHANGED)
    person.home = person.last
    if carried.shape[0] > 0:
        for column in range(carried.shape[1]):
            carried[row, column] = 0


@inlined
def _count_firm(row, n, total, before):
    if n > 0:
        row[Count.USERS] += 1
        row[Count.USES] += n
        row[Count.CATEGORY] += total
        row[Count.SOLE] += n == total
        row[Count.ONCE] += n == 1
        row[Count.PAIRS] += n * (n - 1)
        row[Count.ALL_PAIRS] += n * (total - 1)
        row[Count.SHUFFLED] += fixed_point(n * (n - 1), total)
        row[Count.SHUFFLED_FOLLOWED] += fixed_point(n * (total - 1), total)
    if before:
        row[Count.BEFORE] += 1
        row[Count.BEFORE_USES] += n
        row[Count.BEFORE_CATEGORY] += total
        row[Count.REPEATERS] += n > 0
