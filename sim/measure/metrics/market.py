"""Metrics of the market as a whole, [...]: how much the category is used, and how its users share out their uses."""

import numpy as np

from sim.measure.metrics.firm import penetration
from sim.measure.metrics.index import fitted_phi, repeaters, window_share
from sim.measure.registry import metric
from sim.measure.reliability import odds, part
from sim.measure.tally import Array, Count, Event, Tally


@metric(
    "category_penetration",
    "people who use the category",
    unit="%",
    of="market",
    needs="uses",
    rests_on=lambda t: part(t.buyers[..., 1:].sum(axis=-1), t.buyers.sum(axis=-1)),
    note="of people use the category in {window} weeks",
)
def category_penetration(tally: Tally) -> Array:
    """Share of people who use the category in a window (B)."""
    return 1 - tally.buyers[..., 0] / tally.buyers.sum(axis=-1)


@metric(
    "category_mean",
    "uses of the category per person",
    unit="uses",
    of="market",
    needs="uses",
    note="uses per person in {window} weeks",
)
def category_mean(tally: Tally) -> Array:
    """Uses of the category per person in a window (M)."""
    return tally.window[..., Count.USES].sum(axis=-1) / tally.buyers.sum(axis=-1)


@metric(
    "polarization",
    "polarization of the category",
    unit="index",
    of="market",
    regime="repertoire",
    needs="uses",
    rests_on=lambda t: part(*(t.window[..., n].sum(axis=-1) for n in (Count.PAIRS, Count.ALL_PAIRS))),
)
def polarization(tally: Tally) -> Array:
    """phi of the category from pairs of uses: the chance-corrected agreement of two uses by one person (c3)."""
    m = window_share(tally)
    agree = tally.window[..., Count.PAIRS].sum(axis=-1) / tally.window[..., Count.ALL_PAIRS].sum(axis=-1)
    chance = (m**2).sum(axis=-1)
    return (agree - chance) / (1 - chance)


@metric(
    "dirichlet_phi",
    "phi of the Dirichlet",
    unit="index",
    of="market",
    regime="repertoire",
    needs="uses",
    rests_on=repeaters,
    note="phi of the Dirichlet: what size and category alone would give",
)
def dirichlet_phi(tally: Tally) -> Array:
    """phi = 1/(1+S) of the NBD-Dirichlet fitted to the penetrations of the firms; nan where none fits.

    It is no benchmark of providers, whose index is taken over a window: they have `category_index`.
    """
    return fitted_phi(tally)


@metric(
    "duplication_coefficient",
    "duplication of purchase",
    unit="ratio",
    of="market",
    needs="uses",
    terminal=False,
    note="duplication D: users of j who also use k = D x users of k",
)
def duplication_coefficient(tally: Tally) -> Array:
    """D of the duplication-of-purchase law b_k|j = D b_k, least squares through the origin (#8)."""
    other = ~np.eye(tally.both.shape[-1], dtype=bool)
    b = np.broadcast_to(penetration(tally)[..., None, :], tally.both.shape)[..., other]
    return (duplication(tally)[..., other] * b).sum(axis=-1) / (b * b).sum(axis=-1)


def duplication(tally: Tally) -> Array:
    """Share of j's users in a window who also use k, [..., j, k]."""
    return tally.both / tally.window[..., Count.USERS][..., None]


def switching(tally: Tally) -> Array:
    """Switching matrix [..., left, joined]: where the next use goes; rows sum to 1."""
    known = tally.flow[..., 1:, 1:]
    return known / known.sum(axis=-1, keepdims=True)


@metric(
    "switched",
    "people at another firm at the end of a window",
    unit="%",
    of="market",
    needs="before",
    rests_on=lambda t: part(np.trace(_known(t), axis1=-2, axis2=-1), _known(t).sum(axis=(-2, -1))),
    note="of people end a window of {window} weeks at another firm",
)
def switched(tally: Tally) -> Array:
    """Share of people whose firm at the end of a window is not that at its start; newcomers had none to leave."""
    known = _known(tally)
    return 1 - np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))


def _known(tally: Tally) -> Array:
    """Firms at the start and at the end of a window, of those who had one at both."""
    return tally.transitions[..., 1:, 1:]


@metric(
    "ever_switched",
    "people who ever changed firm",
    unit="%",
    of="market",
    needs="uses",
    rests_on=lambda t: part(t.faithful, t.people),
    terminal=False,
    note="of people have ever changed firm",
)
def ever_switched(tally: Tally) -> Array:
    """Share of people who changed firm at least once since week 0 (#18)."""
    return 1 - tally.faithful / tally.people


@metric(
    "deliberated",
    "deliberated uses",
    unit="%",
    per="week",
    of="market",
    rests_on=lambda t: part(t.event[..., Event.DELIBERATED].sum(axis=-1), t.flow.sum(axis=(-2, -1))),
    note="of uses are deliberated",
)
def deliberated(tally: Tally) -> Array:
    """Share of uses that are deliberated."""
    return tally.event[..., Event.DELIBERATED].sum(axis=-1) / tally.flow.sum(axis=(-2, -1))


@metric(
    "wom_ratio",
    "positive messages per negative one",
    unit="ratio",
    per="week",
    of="market",
    rests_on=lambda t: odds(*(t.event[..., n].sum(axis=-1) for n in (Event.POSITIVE_WOM, Event.NEGATIVE_WOM))),
)
def wom_ratio(tally: Tally) -> Array:
    """Positive messages for every negative one (#60)."""
    return tally.event[..., Event.POSITIVE_WOM].sum(axis=-1) / tally.event[..., Event.NEGATIVE_WOM].sum(axis=-1)


def awareness(tally: Tally) -> Array:
    """Share of people who have heard of each scandal, [..., k]."""
    people = tally.people.reshape(tally.people.shape + (1,) * (tally.news.ndim - 1 - tally.people.ndim))
    return tally.news[..., 0] / people
