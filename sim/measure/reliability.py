"""When a standard error can be known: what a metric counts must have happened, and not happened, often enough.

Where the event that a metric counts, or its opposite, happened in fewer than MIN_GROUPS groups of people, the jackknife
is too small (in none at all: +- 0.00), and the error is nan, "too few to tell"; the value stays. Ten in numerator
and denominator is also the least that the US National Center for Health Statistics calls reliable (Talih et al. 2023,
Vital Health Stat 2(200)). In toothpaste, banks and cars with 200 to 20,000 people the jackknife's 95 % interval holds
the value of 200,000 people in .03 of the cells where it happened in no group, in .74 for one, .85 for two or three, .88
to .90 for four to nine, and in .91 to .93 from ten groups on.

A share near 0 or 1 is known nevertheless where MIN_BASE or more were at risk: with none seen in n, the true share is
below 3 / n (rule of three, Hanley & Lippman-Hand 1983), here a point at most, and its error is at least that wide.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from sim.measure.registry import Counts, info_of
from sim.measure.tally import Array, Count, Metric, Tally

MIN_GROUPS, MIN_BASE = 10, 300
RULE_OF_THREE = 3 / 2  # in standard errors: two of them reach 3 / n


def reliable(metric: Metric, tally: Tally, error: Array) -> Array:
    """The error of a metric of a pooled tally [group, ...], nan where too few can tell."""
    return at_least(error, least_error(metric, tally))


def at_least(error: Array, least: Array) -> Array:
    """An error and the least it can be, both of one shape: their root of squares, nan where the least is nan."""
    return np.where(np.isnan(least), np.nan, np.hypot(error, least))


def least_error(metric: Metric, tally: Tally) -> Array:
    """What the error of a metric of a pooled tally [group, ...] has beyond the jackknife's.

    That is 0 where enough groups can tell, the rule of three where many were at risk, and nan where too few can tell.
    """
    info = info_of(metric)
    if info is None or info.rests_on is None:
        return np.zeros(())
    return least_of(info.rests_on(tally), tally.people.sum())


def least_errors(chosen: Sequence[Metric], tally: Tally, shapes: Sequence[tuple[int, ...]]) -> Array:
    """As `least_error` of each metric, whose values have such shapes, flat and one after another, in one pass."""
    found = np.zeros(sum(map(math.prod, shapes)))
    counts, places, end = [], [], 0
    for metric, shape in zip(chosen, shapes, strict=True):
        info, start, end = info_of(metric), end, end + math.prod(shape)
        if info is not None and info.rests_on is not None:
            counts.append([_flat(c, shape) for c in info.rests_on(tally)])
            places.append(np.arange(start, end))
    if counts:
        event, opposite, at_risk = (np.concatenate(c, axis=1) for c in zip(*counts, strict=True))
        found[np.concatenate(places)] = least_of((event, opposite, at_risk), tally.people.sum())
    return found


def _flat(counts: Array, shape: tuple[int, ...]) -> Array:
    """[group, entry] of counts that may be the same for all entries of a shape."""
    whole = counts if counts.shape[1:] == shape else np.broadcast_to(counts, (len(counts), *shape))
    return whole.reshape(len(counts), -1)


def least_of(counts: Counts, people: int) -> Array:
    """As `least_error`, from the counts [group, ...] on which an error rests, of so many people in all."""
    event, opposite, at_risk = counts
    groups = np.minimum((event > 0).sum(axis=0), (opposite > 0).sum(axis=0))
    base = np.minimum(at_risk.sum(axis=0), people)
    few = np.where(base >= MIN_BASE, RULE_OF_THREE / np.maximum(base, 1), np.nan)
    return np.where(groups >= MIN_GROUPS, 0.0, few)


def part(event: Array, at_risk: Array) -> Counts:
    """Of a share: so many of those at risk."""
    return event, at_risk - event, at_risk


def odds(event: Array, opposite: Array) -> Counts:
    """Of a ratio of two counts, which is as well known as the lower one."""
    return event, opposite, opposite


def in_window(event: Count, at_risk: Count) -> Callable[[Tally], Counts]:
    """Of a share of two counts of a window."""
    return lambda t: part(t.window[..., event], t.window[..., at_risk])
