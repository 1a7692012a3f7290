"""The stickiness index: how much more often a customer comes back than chance alone would bring them."""

import numpy as np

from sim.measure.registry import Counts, metric
from sim.measure.reliability import in_window, part
from sim.measure.tally import Array, Count, Tally

REPEATERS = 12  # people with two uses of the category, in each of MIN_GROUPS groups of them


def retained(tally: Tally) -> Counts:
    """Counts of customers who were with the same firm at both ends of a window."""
    known = tally.transitions[..., 1:, 1:]
    return part(np.diagonal(known, axis1=-2, axis2=-1), known.sum(axis=-1))


def followed(tally: Tally) -> Counts:
    """Counts of uses that were followed by one of the same firm in the window."""
    return part(tally.window[..., Count.ADJACENT], tally.window[..., [Count.ADJACENT, Count.SWITCHED]].sum(axis=-1))


def repeaters(tally: Tally) -> Counts:
    """What phi rests on: groups of people of whom enough use the category twice in a window.

    With fewer the fit is biased towards 0: cars with 1,000 people, 50 of whom buy twice, give .20 instead of .41.
    """
    enough = tally.buyers[..., 2:].sum(axis=-1) >= REPEATERS
    return enough, enough, np.zeros_like(enough)


def pairs_and_phi(tally: Tally) -> Counts:
    """What an index beyond phi rests on: pairs of uses, in groups of people that can tell phi."""
    event, opposite, at_risk = in_window(Count.PAIRS, Count.ALL_PAIRS)(tally)
    enough = repeaters(tally)[0][..., None]
    return event * enough, opposite * enough, at_risk * enough


@metric(
    "stickiness",
    "stickiness index",
    unit="index",
    regime="repertoire",
    needs="uses",
    rests_on=in_window(Count.PAIRS, Count.ALL_PAIRS),
    note="0 = chance, 1 = customers use nothing else",
)
def pair_index(tally: Tally) -> Array:
    """Stickiness index sigma_j = (A_j - m_j) / (1 - m_j) over pairs of uses by one person in a window (c5, level 1).

    A_j is the chance that another use by the same customer is of j too. 0 = chance, 1 = sole use; equals 1/(1+S)
    under the Dirichlet whatever the size of the firm.
    """
    return above_chance(tally.window[..., Count.PAIRS] / tally.window[..., Count.ALL_PAIRS], window_share(tally))


@metric(
    "excess",
    "stickiness beyond phi of the Dirichlet",
    unit="index",
    regime="repertoire",
    needs="uses",
    rests_on=pairs_and_phi,
    short="excess",
    note="stickiness beyond phi of the Dirichlet, which is what the category alone would give",
)
def excess(tally: Tally) -> Array:
    """sigma_j - phi of the NBD-Dirichlet fitted to penetrations: what a firm has beyond its size and category.

    Providers, whom no NBD-Dirichlet fits, have `above_category` instead.
    """
    return pair_index(tally) - fitted_phi(tally)[..., None]


@metric(
    "stickiness",
    "stickiness index",
    unit="index",
    regime="provider",
    needs="before",
    rests_on=retained,
    note="0 = chance, 1 = customers use nothing else",
)
def lag_index(tally: Tally) -> Array:
    """Stickiness index of a provider: with j at the start of a window, still (or again) with j at its end (c5)."""
    known = tally.transitions[..., 1:, 1:]
    stayed = np.diagonal(known, axis1=-2, axis2=-1) / known.sum(axis=-1)
    here = known.sum(axis=-2)
    return above_chance(stayed, here / here.sum(axis=-1, keepdims=True))


@metric(
    "above_category",
    "stickiness above that of the category",
    unit="index",
    regime="provider",
    needs="before",
    rests_on=retained,
    short="above category",
    note="stickiness less that of all firms together",
)
def above_category(tally: Tally) -> Array:
    """sigma_j of a provider less `category_index`, that of all firms together."""
    return lag_index(tally) - category_index(tally)[..., None]


@metric(
    "category_index",
    "stickiness of all firms together",
    unit="index",
    of="market",
    regime="provider",
    needs="before",
    rests_on=lambda t: tuple(counts.sum(axis=-1) for counts in retained(t)),
)
def category_index(tally: Tally) -> Array:
    """Stickiness index of a market of providers: agreement of the firms at the two ends of a window beyond chance."""
    known = tally.transitions[..., 1:, 1:]
    people = known.sum(axis=(-2, -1))
    stayed = np.trace(known, axis1=-2, axis2=-1) / people
    chance = (known.sum(axis=-1) * known.sum(axis=-2)).sum(axis=-1) / np.asarray(people, float) ** 2
    return above_chance(stayed, chance)


@metric(
    "next_use",
    "next use is here again",
    unit="%",
    needs="order",
    rests_on=followed,
    short="next is the same",
    table=False,
)
def next_use(tally: Tally) -> Array:
    """Share of the uses of j, [..., j], after which the customer's next in the window is of j again."""
    return tally.window[..., Count.ADJACENT] / tally.window[..., [Count.ADJACENT, Count.SWITCHED]].sum(axis=-1)


@metric("adjacent_index", "index of adjacent uses", unit="index", rests_on=followed, table=False)
def adjacent_index(tally: Tally) -> Array:
    """The index on adjacent uses: does the next use repeat the last? (c5, level 3)."""
    return above_chance(next_use(tally), window_share(tally))


def shuffled_index(tally: Tally) -> Array:
    """The index on adjacent uses, had each person's order of uses been shuffled (exact expectation)."""
    repeats = tally.window[..., Count.SHUFFLED] / tally.window[..., Count.SHUFFLED_FOLLOWED]
    return above_chance(repeats, window_share(tally))


def above_chance(agreement: Array, chance: Array) -> Array:
    """How far an agreement is above that by chance, 1 being full agreement."""
    return (agreement - chance) / (1 - chance)


def fitted_phi(tally: Tally) -> Array:
    """[...] phi of the NBD-Dirichlet of a market, see `metrics.dirichlet_phi`; all folds at once."""
    from sim.measure.dirichlet_folds import fitted_phis  # loads the compiler

    uses, users = tally.window[..., Count.USES], tally.window[..., Count.USERS]
    people, total = tally.buyers.sum(axis=-1), uses.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = 1 - tally.buyers[..., 0] / people, total / people
        by_firm = uses / total[..., None], users / people[..., None]
    flat = (a.reshape(-1) for a in figures), (a.reshape(-1, uses.shape[-1]) for a in by_firm)
    return fitted_phis(*flat[0], *flat[1]).reshape(total.shape)


def window_share(tally: Tally) -> Array:
    """[..., j] shares of the uses in windows."""
    uses = tally.window[..., Count.USES]
    return uses / uses.sum(axis=-1, keepdims=True)
