"""What stickiness means: each metric is one function of the tally, with an error of estimate.

A metric takes a Tally without week, window and cell axes (`pooled`) and returns an array over firms. Whatever axes
stand before those of the metric are carried along; `estimate` puts the folds of a jackknife there: each group of
people is left out in turn, over all replications, so errors cover people and replications and differences of twins
that share their draws get their paired error. `rests_on` says which counts must be there for an error to be known.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from sim.measure import dirichlet
from sim.measure.estimates import Array, Estimate, Metric, estimate, pooled
from sim.measure.reliability import Counts, in_window, odds, part, rests_on
from sim.measure.shares import Share
from sim.measure.tally import TENURE, Count, Event, Tally

# ---------------------------------------------------------------- of a firm: [..., j]


def uses(tally: Tally) -> Array:
    """Uses of the firm."""
    return np.asarray(tally.flow[..., 1:].sum(axis=-2))


def _retained(tally: Tally) -> Counts:
    known = tally.transitions[..., 1:, 1:]
    return part(np.diagonal(known, axis1=-2, axis2=-1), known.sum(axis=-1))


def _followed(tally: Tally) -> Counts:
    return part(tally.window[..., Count.ADJACENT], tally.window[..., [Count.ADJACENT, Count.SWITCHED]].sum(axis=-1))


@rests_on(lambda t: part(uses(t), uses(t).sum(axis=-1, keepdims=True)))
def share(tally: Tally) -> Array:
    """Market share: the firm's part of all uses."""
    return uses(tally) / uses(tally).sum(axis=-1, keepdims=True)


@rests_on(lambda t: part(t.window[..., Count.USERS], t.buyers.sum(axis=-1)[..., None]))
def penetration(tally: Tally) -> Array:
    """Share of people who use the firm in a window."""
    return tally.window[..., Count.USERS] / tally.buyers.sum(axis=-1)[..., None]


@rests_on(lambda t: (t.window[..., Count.USERS],) * 3)
def frequency(tally: Tally) -> Array:
    """Uses per user in a window (w)."""
    return tally.window[..., Count.USES] / tally.window[..., Count.USERS]


@rests_on(in_window(Count.USES, Count.CATEGORY))
def category_requirements(tally: Tally) -> Array:
    """Share of category requirements (SCR): the firm's part of its users' uses, in a window."""
    return tally.window[..., Count.USES] / tally.window[..., Count.CATEGORY]


@rests_on(in_window(Count.SOLE, Count.USERS))
def solely_loyal(tally: Tally) -> Array:
    """Share of users who use nothing else in a window."""
    return tally.window[..., Count.SOLE] / tally.window[..., Count.USERS]


@rests_on(in_window(Count.ONCE, Count.USERS))
def once_only(tally: Tally) -> Array:
    """Share of users with a single use of the firm in a window."""
    return tally.window[..., Count.ONCE] / tally.window[..., Count.USERS]


@rests_on(in_window(Count.REPEATERS, Count.BEFORE))
def repeat_rate(tally: Tally) -> Array:
    """Share of a window's users who use the firm in the next window too."""
    return tally.window[..., Count.REPEATERS] / tally.window[..., Count.BEFORE]


@rests_on(lambda t: odds(*in_window(Count.BEFORE_USES, Count.BEFORE_CATEGORY)(t)[:2]))
def usage_ratio(tally: Tally) -> Array:
    """How much more often customers use you than all your competitors together (c5, level 0).

    Uses of the firm over uses of the others, in a window, by those who used it in the window before.
    """
    own, category = tally.window[..., Count.BEFORE_USES], tally.window[..., Count.BEFORE_CATEGORY]
    return own / (category - own)


@rests_on(in_window(Count.PAIRS, Count.ALL_PAIRS))
def pair_index(tally: Tally) -> Array:
    """Stickiness index sigma_j = (A_j - m_j) / (1 - m_j) over pairs of uses by one person in a window (c5, level 1).

    A_j is the chance that another use by the same customer is of j too. 0 = chance, 1 = sole use; equals 1/(1+S)
    under the Dirichlet whatever the size of the firm.
    """
    return _above_chance(tally.window[..., Count.PAIRS] / tally.window[..., Count.ALL_PAIRS], _window_share(tally))


@rests_on(_retained)
def lag_index(tally: Tally) -> Array:
    """Stickiness index of a provider: with j at the start of a window, still (or again) with j at its end (c5)."""
    known = tally.transitions[..., 1:, 1:]
    stayed = np.diagonal(known, axis1=-2, axis2=-1) / known.sum(axis=-1)
    here = known.sum(axis=-2)
    return _above_chance(stayed, here / here.sum(axis=-1, keepdims=True))


@rests_on(_followed)
def next_use(tally: Tally) -> Array:
    """Share of the uses of j, [..., j], after which the customer's next in the window is of j again."""
    return tally.window[..., Count.ADJACENT] / tally.window[..., [Count.ADJACENT, Count.SWITCHED]].sum(axis=-1)


@rests_on(_followed)
def adjacent_index(tally: Tally) -> Array:
    """The index on adjacent uses: does the next use repeat the last? (c5, level 3)."""
    return _above_chance(next_use(tally), _window_share(tally))


def shuffled_index(tally: Tally) -> Array:
    """The index on adjacent uses, had each person's order of uses been shuffled (exact expectation)."""
    repeats = tally.window[..., Count.SHUFFLED] / tally.window[..., Count.SHUFFLED_FOLLOWED]
    return _above_chance(repeats, _window_share(tally))


@rests_on(_followed)
def habit_part(tally: Tally) -> Array:
    """What order adds: adjacent uses minus shuffled order, the short-run state dependence (#30)."""
    return adjacent_index(tally) - shuffled_index(tally)


@rests_on(in_window(Count.PAIRS, Count.ALL_PAIRS))
def excess(tally: Tally) -> Array:
    """sigma_j - phi of the NBD-Dirichlet fitted to penetrations: what a firm has beyond its size and category."""
    return pair_index(tally) - dirichlet_phi(tally)[..., None]


@rests_on(_retained)
def lag_excess(tally: Tally) -> Array:
    """As `excess` for providers, whom no NBD-Dirichlet fits: the index beyond that of the whole category."""
    known = tally.transitions[..., 1:, 1:]
    here = known.sum(axis=-2)
    m = here / here.sum(axis=-1, keepdims=True)
    stayed = np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))
    chance = (known.sum(axis=-1) / known.sum(axis=(-2, -1))[..., None] * m).sum(axis=-1)
    return lag_index(tally) - ((stayed - chance) / (1 - chance))[..., None]


@rests_on(_retained)
def retention(tally: Tally) -> Array:
    """Share of those with the firm at the start of a window who are with it at the end."""
    known = tally.transitions[..., 1:, 1:]
    return np.diagonal(known, axis1=-2, axis2=-1) / known.sum(axis=-1)


@rests_on(_retained)
def churn(tally: Tally) -> Array:
    """Share of those whose last use was at the firm when a window opened, and elsewhere when it closed."""
    return 1 - retention(tally)


def joined(tally: Tally) -> Array:
    """Uses with which the firm was joined by somebody whose last use was elsewhere."""
    known = tally.flow[..., 1:, 1:]
    return known.sum(axis=-2) - np.diagonal(known, axis1=-2, axis2=-1)


def left(tally: Tally) -> Array:
    """Uses with which the firm was left: the next use of its customer was elsewhere."""
    known = tally.flow[..., 1:, 1:]
    return known.sum(axis=-1) - np.diagonal(known, axis1=-2, axis2=-1)


@rests_on(lambda t: part(t.event[..., Event.WOULD_LEAVE], t.event[..., Event.ASKED]))
def would_leave(tally: Tally) -> Array:
    """The survey: share of the firm's customers who say that another firm is better."""
    return tally.event[..., Event.WOULD_LEAVE] / tally.event[..., Event.ASKED]


@rests_on(lambda t: part(t.event[..., Event.BETTER], t.event[..., Event.ASKED]))
def better_elsewhere(tally: Tally) -> Array:
    """Share of the firm's customers for whom another is better by more than half a logit (#19)."""
    return tally.event[..., Event.BETTER] / tally.event[..., Event.ASKED]


@rests_on(lambda t: part(t.event[..., Event.SATISFIED], uses(t)))
def satisfaction(tally: Tally) -> Array:
    """Share of uses at or above what was expected."""
    return tally.event[..., Event.SATISFIED] / uses(tally)


def first_looks(tally: Tally) -> Array:
    """Share of deliberated uses whose search starts at the firm (#76)."""
    looks = tally.event[..., Event.FIRST_LOOK]
    return looks / looks.sum(axis=-1, keepdims=True)


@rests_on(lambda t: part(t.event[..., Event.CAPTIVE], uses(t)))
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


# ---------------------------------------------------------------- of the market: [...]


@rests_on(lambda t: part(t.buyers[..., 1:].sum(axis=-1), t.buyers.sum(axis=-1)))
def category_penetration(tally: Tally) -> Array:
    """Share of people who use the category in a window (B)."""
    return 1 - tally.buyers[..., 0] / tally.buyers.sum(axis=-1)


def category_mean(tally: Tally) -> Array:
    """Uses of the category per person in a window (M)."""
    return tally.window[..., Count.USES].sum(axis=-1) / tally.buyers.sum(axis=-1)


@rests_on(lambda t: part(*(t.window[..., n].sum(axis=-1) for n in (Count.PAIRS, Count.ALL_PAIRS))))
def polarization(tally: Tally) -> Array:
    """phi of the category from pairs of uses: the chance-corrected agreement of two uses by one person (c3)."""
    m = _window_share(tally)
    agree = tally.window[..., Count.PAIRS].sum(axis=-1) / tally.window[..., Count.ALL_PAIRS].sum(axis=-1)
    chance = (m**2).sum(axis=-1)
    return (agree - chance) / (1 - chance)


def dirichlet_phi(tally: Tally) -> Array:
    """phi = 1/(1+S) of the NBD-Dirichlet fitted to the penetrations of the firms; nan where none fits."""
    lead = tally.window.shape[:-2]
    cells = [
        tally.window.reshape(-1, *tally.window.shape[-2:]),
        tally.buyers.reshape(-1, tally.buyers.shape[-1]),
    ]
    return np.array([_fitted_phi(w, b) for w, b in zip(*cells, strict=True)]).reshape(lead)


def _fitted_phi(window: Array, buyers: Array) -> float:
    uses, people = window[:, Count.USES], buyers.sum()
    observed = (
        1 - buyers[0] / people,
        uses.sum() / people,
        *(uses / uses.sum()),
        *(window[:, Count.USERS] / people),
    )
    return _phi_of(tuple(map(float, observed)))


@lru_cache(maxsize=4096)
def _phi_of(observed: tuple[float, ...]) -> float:
    category, mean, *brands = observed
    shares, penetrations = np.split(np.array(brands), 2)
    try:
        return dirichlet.fit(category, mean, shares, penetrations, trim=False).phi
    except ValueError:
        return float("nan")


def switching(tally: Tally) -> Array:
    """Switching matrix [..., left, joined]: where the next use goes; rows sum to 1."""
    known = tally.flow[..., 1:, 1:]
    return known / known.sum(axis=-1, keepdims=True)


@rests_on(lambda t: part(np.trace(t.transitions, axis1=-2, axis2=-1), t.transitions.sum(axis=(-2, -1))))
def switched(tally: Tally) -> Array:
    """Share of people whose firm at the end of a window is not that at its start."""
    return 1 - np.trace(tally.transitions, axis1=-2, axis2=-1) / tally.transitions.sum(axis=(-2, -1))


@rests_on(lambda t: part(t.faithful, t.people))
def ever_switched(tally: Tally) -> Array:
    """Share of people who changed firm at least once since week 0 (#18)."""
    return 1 - tally.faithful / tally.people


def duplication(tally: Tally) -> Array:
    """Share of j's users in a window who also use k, [..., j, k]."""
    return tally.both / tally.window[..., Count.USERS][..., None]


def duplication_coefficient(tally: Tally) -> Array:
    """D of the duplication-of-purchase law b_k|j = D b_k, least squares through the origin (#8)."""
    other = ~np.eye(tally.both.shape[-1], dtype=bool)
    b = np.broadcast_to(penetration(tally)[..., None, :], tally.both.shape)[..., other]
    return (duplication(tally)[..., other] * b).sum(axis=-1) / (b * b).sum(axis=-1)


@rests_on(lambda t: part(t.event[..., Event.DELIBERATED].sum(axis=-1), t.flow.sum(axis=(-2, -1))))
def deliberated(tally: Tally) -> Array:
    """Share of uses that are deliberated."""
    return tally.event[..., Event.DELIBERATED].sum(axis=-1) / tally.flow.sum(axis=(-2, -1))


@rests_on(lambda t: odds(*(t.event[..., n].sum(axis=-1) for n in (Event.POSITIVE_WOM, Event.NEGATIVE_WOM))))
def wom_ratio(tally: Tally) -> Array:
    """Positive messages for every negative one (#60)."""
    return tally.event[..., Event.POSITIVE_WOM].sum(axis=-1) / tally.event[..., Event.NEGATIVE_WOM].sum(axis=-1)


def awareness(tally: Tally) -> Array:
    """Share of people who have heard of each scandal, [..., k]."""
    people = tally.people.reshape(tally.people.shape + (1,) * (tally.news.ndim - 1 - tally.people.ndim))
    return tally.news[..., 0] / people


def _window_share(tally: Tally) -> Array:
    uses = tally.window[..., Count.USES]
    return uses / uses.sum(axis=-1, keepdims=True)


def _above_chance(agreement: Array, chance: Array) -> Array:
    return (agreement - chance) / (1 - chance)


REPERTOIRE: dict[str, Metric] = {"stickiness": pair_index, "excess": excess}
PROVIDER: dict[str, Metric] = {"stickiness": lag_index, "excess": lag_excess}
COMMON: dict[str, Metric] = {
    "usage_ratio": usage_ratio,
    "share": share,
    "penetration": penetration,
    "frequency": frequency,
    "category_requirements": category_requirements,
    "solely_loyal": solely_loyal,
    "repeat_rate": repeat_rate,
    "churn": churn,
    "habit_part": habit_part,
    "would_leave": would_leave,
    "satisfaction": satisfaction,
}
CATEGORY: dict[str, Metric] = {
    "category_penetration": category_penetration,
    "category_mean": category_mean,
    "polarization": polarization,
    "dirichlet_phi": dirichlet_phi,
    "duplication_coefficient": duplication_coefficient,
    "switched": switched,
    "ever_switched": ever_switched,
    "deliberated": deliberated,
    "wom_ratio": wom_ratio,
}


OF_PRESENCE = ("share", "penetration")  # what the error of solved presence moves


def firm_metrics(provider: bool) -> dict[str, Metric]:
    """The metrics of a firm, the headline first, for a provider or a repertoire market."""
    return {**(PROVIDER if provider else REPERTOIRE), **COMMON}


def with_presence(found: Estimate, firms: Sequence[str], shares: Mapping[str, Share]) -> Estimate:
    """The estimate of a share with the error of the presence solved for it, which is independent of the run's dice."""
    solved = [shares[name].uncertainty / shares[name].asked if name in shares else 0.0 for name in firms]
    return Estimate(found.value, np.hypot(found.error, found.value * np.array(solved)))


def table(
    tally: Tally,
    firms: Sequence[str],
    groups: Mapping[str, Sequence[int]],
    provider: bool,
    shares: Mapping[str, Share] | None = None,
):
    """Every metric with its error as a tidy frame: group, firm ("" = the market), metric, value, error.

    `groups` names sets of cells, for instance the segments; the first is usually everybody. With the `shares` of a
    run, errors of share and penetration include that of solved presence, in proportion (for penetration that is its
    most: it moves less than share does). Other metrics hardly depend on the size of a firm.
    """
    import pandas as pd

    rows = []
    for group, cells in groups.items():
        counts = pooled(tally, cells)
        for name, metric in firm_metrics(provider).items():
            found = estimate(metric, counts)
            value, error = with_presence(found, firms, shares or {}) if name in OF_PRESENCE else found
            rows += [(group, firm, name, float(value[j]), float(error[j])) for j, firm in enumerate(firms)]
        for name, metric in CATEGORY.items():
            value, error = estimate(metric, counts)
            rows.append((group, "", name, float(value), float(error)))
    return pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])
