"""Where a standard error can be told at all: what a metric counts must have happened, and not happened, often enough.

Where the event that a metric counts, or its opposite, happened in fewer than MIN_GROUPS groups of people, the jackknife
is falsely sure (in none at all: +- 0.00), and the error is nan, "too few to tell"; the value stays. Ten in numerator
and denominator is also the least that the US National Center for Health Statistics calls reliable (Talih et al. 2023,
Vital Health Stat 2(200)). In toothpaste, banks and cars with 200 to 20,000 people the jackknife's 95 % interval holds
the value of 200,000 people in .03 of the cells where it happened in no group, in .74 for one, .85 for two or three, .88
to .90 for four to nine, and in .91 to .93 from ten groups on.

A share near 0 or 1 is known nevertheless where MIN_BASE or more were at risk: with none seen in n, the true share is
below 3 / n (rule of three, Hanley & Lippman-Hand 1983), here a point at most, and its error is at least that wide.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from sim.measure.tally import Count, Tally

MIN_GROUPS, MIN_BASE = 10, 300
RULE_OF_THREE = 3 / 2  # in standard errors: two of them reach 3 / n

Array = np.ndarray
Counts = tuple[Array, Array, Array]  # the event, its opposite and all that were at risk, by group of people
Metric = TypeVar("Metric", bound=Callable[[Tally], Array])


def rests_on(counts: Callable[[Tally], Counts]) -> Callable[[Metric], Metric]:
    """Declares the counts [group, ...] on which the error of a metric rests."""

    def declared(metric: Metric) -> Metric:
        setattr(metric, "rests_on", counts)  # noqa: B010
        return metric

    return declared


def reliable(metric: Callable[[Tally], Array], tally: Tally, error: Array) -> Array:
    """The error of a metric of a pooled tally [group, ...], nan where too few can tell."""
    counts: Callable[[Tally], Counts] | None = getattr(metric, "rests_on", None)
    if counts is None:
        return error
    event, opposite, at_risk = counts(tally)
    groups = np.minimum((event > 0).sum(axis=0), (opposite > 0).sum(axis=0))
    base = np.minimum(at_risk.sum(axis=0), tally.people.sum())
    at_least = np.hypot(error, RULE_OF_THREE / np.maximum(base, 1))
    kept: Array = np.where(groups >= MIN_GROUPS, error, np.where(base >= MIN_BASE, at_least, np.nan))
    return kept


def part(event: Array, at_risk: Array) -> Counts:
    """Of a share: so many of those at risk."""
    return event, at_risk - event, at_risk


def odds(event: Array, opposite: Array) -> Counts:
    """Of a ratio of two counts, which is as well known as the lower one."""
    return event, opposite, opposite


def in_window(event: Count, at_risk: Count) -> Callable[[Tally], Counts]:
    """Of a share of two counts of a window."""
    return lambda t: part(t.window[..., event], t.window[..., at_risk])
