"""Metrics of a firm, [..., j]: how many use it, how often, who comes back, and what its customers say."""

import numpy as np

from sim.measure.metrics.index import adjacent_index, followed, retained, shuffled_index
from sim.measure.registry import metric
from sim.measure.reliability import in_window, odds, part
from sim.measure.tally import TENURE, Array, Count, Event, Tally


def uses(tally: Tally) -> Array:
    """Uses of the firm."""
    return np.asarray(tally.flow[..., 1:].sum(axis=-2))


@metric(
    "usage_ratio",
    "uses here per use elsewhere",
    unit="ratio",
    needs="before",
    rests_on=lambda t: odds(*in_window(Count.BEFORE_USES, Count.BEFORE_CATEGORY)(t)[:2]),
    short="usage ratio",
    note="uses here per use elsewhere, by those who used it in the window before",
)
def usage_ratio(tally: Tally) -> Array:
    """How much more often customers use you than all your competitors together (c5, level 0).

    Uses of the firm over uses of the others, in a window, by those who used it in the window before.
    """
    own, category = tally.window[..., Count.BEFORE_USES], tally.window[..., Count.BEFORE_CATEGORY]
    return own / (category - own)


@metric(
    "share",
    unit="%",
    per="week",
    needs="uses",
    rests_on=lambda t: part(uses(t), uses(t).sum(axis=-1, keepdims=True)),
)
def share(tally: Tally) -> Array:
    """Market share: the firm's part of all uses."""
    return uses(tally) / uses(tally).sum(axis=-1, keepdims=True)


@metric(
    "penetration",
    unit="%",
    needs="uses",
    rests_on=lambda t: part(t.window[..., Count.USERS], t.buyers.sum(axis=-1)[..., None]),
)
def penetration(tally: Tally) -> Array:
    """Share of people who use the firm in a window."""
    return tally.window[..., Count.USERS] / tally.buyers.sum(axis=-1)[..., None]


@metric(
    "frequency",
    "uses per user",
    unit="uses",
    needs="uses",
    rests_on=lambda t: (t.window[..., Count.USERS],) * 3,
    terminal=False,
)
def frequency(tally: Tally) -> Array:
    """Uses per user in a window (w)."""
    return tally.window[..., Count.USES] / tally.window[..., Count.USERS]


@metric(
    "category_requirements",
    "share of category requirements",
    unit="%",
    needs="uses",
    rests_on=in_window(Count.USES, Count.CATEGORY),
    short="SCR",
    note="share of customers' uses",
)
def category_requirements(tally: Tally) -> Array:
    """Share of category requirements (SCR): the firm's part of its users' uses, in a window."""
    return tally.window[..., Count.USES] / tally.window[..., Count.CATEGORY]


@metric("solely_loyal", unit="%", needs="uses", rests_on=in_window(Count.SOLE, Count.USERS), terminal=False)
def solely_loyal(tally: Tally) -> Array:
    """Share of users who use nothing else in a window."""
    return tally.window[..., Count.SOLE] / tally.window[..., Count.USERS]


@metric("once_only", "used once", unit="%", needs="uses", rests_on=in_window(Count.ONCE, Count.USERS), table=False)
def once_only(tally: Tally) -> Array:
    """Share of users with a single use of the firm in a window."""
    return tally.window[..., Count.ONCE] / tally.window[..., Count.USERS]


@metric("repeat_rate", unit="%", needs="before", rests_on=in_window(Count.REPEATERS, Count.BEFORE), short="repeat")
def repeat_rate(tally: Tally) -> Array:
    """Share of a window's users who use the firm in the next window too."""
    return tally.window[..., Count.REPEATERS] / tally.window[..., Count.BEFORE]


@metric("retention", unit="%", regime="provider", needs="before", rests_on=retained, table=False)
def retention(tally: Tally) -> Array:
    """Share of those with the firm at the start of a window who are with it at the end."""
    known = tally.transitions[..., 1:, 1:]
    return np.diagonal(known, axis1=-2, axis2=-1) / known.sum(axis=-1)


@metric("churn", unit="%", needs="before", rests_on=retained)
def churn(tally: Tally) -> Array:
    """Share of those whose last use was at the firm when a window opened, and elsewhere when it closed."""
    return 1 - retention(tally)


@metric(
    "habit_part",
    "what the order of uses adds",
    unit="index",
    needs="order",
    rests_on=followed,
    short="order adds",
    terminal=False,
)
def habit_part(tally: Tally) -> Array:
    """What order adds: adjacent uses minus shuffled order, the short-run state dependence (#30)."""
    return adjacent_index(tally) - shuffled_index(tally)


def joined(tally: Tally) -> Array:
    """Uses with which the firm was joined by somebody whose last use was elsewhere."""
    known = tally.flow[..., 1:, 1:]
    return known.sum(axis=-2) - np.diagonal(known, axis1=-2, axis2=-1)


def left(tally: Tally) -> Array:
    """Uses with which the firm was left: the next use of its customer was elsewhere."""
    known = tally.flow[..., 1:, 1:]
    return known.sum(axis=-1) - np.diagonal(known, axis1=-2, axis2=-1)


@metric(
    "would_leave",
    "say that another is better",
    unit="%",
    per="week",
    rests_on=lambda t: part(t.event[..., Event.WOULD_LEAVE], t.event[..., Event.ASKED]),
    short="would leave",
    terminal=False,
)
def would_leave(tally: Tally) -> Array:
    """The survey: share of the firm's customers who say that another firm is better."""
    return tally.event[..., Event.WOULD_LEAVE] / tally.event[..., Event.ASKED]


@metric(
    "better_elsewhere",
    "another is better",
    unit="%",
    per="week",
    rests_on=lambda t: part(t.event[..., Event.BETTER], t.event[..., Event.ASKED]),
    table=False,
)
def better_elsewhere(tally: Tally) -> Array:
    """Share of the firm's customers for whom another is better by more than half a logit (#19)."""
    return tally.event[..., Event.BETTER] / tally.event[..., Event.ASKED]


@metric(
    "satisfaction",
    "satisfied uses",
    unit="%",
    per="week",
    rests_on=lambda t: part(t.event[..., Event.SATISFIED], uses(t)),
    short="satisfied",
    terminal=False,
)
def satisfaction(tally: Tally) -> Array:
    """Share of uses at or above what was expected."""
    return tally.event[..., Event.SATISFIED] / uses(tally)


def first_looks(tally: Tally) -> Array:
    """Share of deliberated uses whose search starts at the firm (#76)."""
    looks = tally.event[..., Event.FIRST_LOOK]
    return looks / looks.sum(axis=-1, keepdims=True)


@metric(
    "captured",
    "uses that only switching costs kept",
    unit="%",
    per="week",
    rests_on=lambda t: part(t.event[..., Event.CAPTIVE], uses(t)),
    table=False,
)
def captured(tally: Tally) -> Array:
    """Share of the firm's uses that only the friction of leaving kept."""
    return tally.event[..., Event.CAPTIVE] / uses(tally)


def hazard(tally: Tally) -> Array:
    """Chance that the next use is elsewhere, [..., j, TENURE bin], by uses since joining."""
    return tally.tenure[..., 1] / tally.tenure.sum(axis=-1)


def stay_after(tally: Tally) -> Array:
    """Chance that the next use is at the same firm, [..., j, outcome] of the visit before (#66)."""
    return tally.after[..., 0] / tally.after.sum(axis=-1)


def long_tenure(tally: Tally) -> Array:
    """Share of the firm's customers, at the end, with more than 156 uses (three years of a provider) since joining."""
    standing = tally.standing
    return standing[..., np.flatnonzero(TENURE >= 156)].sum(axis=-1) / standing.sum(axis=-1)
