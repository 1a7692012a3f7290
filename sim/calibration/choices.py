"""The choices of a panel in an order of brands and households that does not depend on how they are called.

Brands are ranked by purchases, households by a hash of what they bought at which prices. So a panel whose brands or
households are numbered or named otherwise gives the same draws, and the same answer to the last bit.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sim.calibration.compiled.likelihood import Data
from sim.panel.folds import mixed
from sim.panel.types import Panel

REFERENCE_RATE = 0.3  # of the memory of prices with which gains and losses are compared
FADING = 3.0  # of a trend, per history: at its end a twentieth is still to come (damped trend: Gardner & McKenzie 1985)
LAST = "logit_own_beginning", "habit", "logit_habit_rate"  # of the common parameters; the first of some variants only
ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class Choices:
    """Purchases n of households i, sorted by household and time; brands j, the most bought first."""

    brands: tuple[str, ...]  # as in the file
    households: np.ndarray  # [i] text
    start: np.ndarray  # [i + 1]
    y: np.ndarray  # [n], -1 = not known
    prices: np.ndarray | None  # [n, j]
    features: np.ndarray | None
    displays: np.ndarray | None
    panel: Panel  # that they come from
    place: np.ndarray  # [n] in the panel

    @property
    def hh(self) -> np.ndarray:
        """[n] the household."""
        return np.repeat(np.arange(len(self.households)), np.diff(self.start))

    @property
    def nth(self) -> np.ndarray:
        """[n] how many purchases of the household came before."""
        return np.arange(len(self.y)) - self.start[self.hh]


@dataclass(frozen=True)
class Terms:
    """What utility is made of in a market, and how it is measured."""

    share: tuple[float, ...]  # of brands
    mean_price: float | None  # the price that is 1; None where price tells nothing
    log_price: bool  # whether price acts by its logarithm
    feature: bool
    display: bool
    prices: tuple[float, ...] = ()  # of brands, the mean as in the file; () = all alike
    features: tuple[float, ...] = ()  # the same; () = none
    displays: tuple[float, ...] = ()
    trend: bool = False  # whether brands have gained or lost over the histories of households


@dataclass(frozen=True)
class Variant:
    """One form of the model."""

    name: str
    given_first: bool  # the first purchase is taken as given, and shifts the taste of its brand (Wooldridge 2005)
    log_normal: bool  # price weights are log-normal; otherwise normal
    gains: bool  # prices below and above the remembered ones count in addition


def ranked_brands(panel: Panel) -> np.ndarray:
    """[j] the panel's brands, the most bought first; ties by prices, promotions and the first purchase."""
    many = len(panel.brands)
    first = np.full(many, len(panel.y))
    np.minimum.at(first, panel.y, np.arange(len(panel.y)) if panel.row is None else panel.row)
    keys = [first]
    for block in (panel.displays, panel.features, panel.prices):
        if block is not None:
            keys.append(np.sort(block, axis=0).sum(axis=0))
    return np.lexsort([*keys, -np.bincount(panel.y, minlength=many)])


def choices_of(panel: Panel, order: np.ndarray, canonical: bool = True) -> Choices:
    """The choices of a panel, its brands in this order; households by what they bought, or as in the panel."""
    rank = np.empty(len(order) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(order)), -1
    prices, features, displays = (
        None if b is None else b[:, order] for b in (panel.prices, panel.features, panel.displays)
    )
    n = np.bincount(panel.hh, minlength=len(panel.households))
    ids = np.flatnonzero(n)
    whole = Choices(
        tuple(panel.brands[j] for j in order),
        panel.households[ids].astype(str),
        np.r_[0, np.cumsum(n[ids])].astype(np.int64),
        rank[panel.y],
        prices,
        features,
        displays,
        panel,
        np.arange(len(panel.y)),
    )
    return take_households(whole, np.argsort(digests(whole), kind="stable")) if canonical else whole


def digests(choices: Choices) -> np.ndarray:
    """[i] uint64 hash of what each household bought, in its order, at which prices and promotions."""
    rows = mixed(choices.y.astype(np.uint64) + ODD * choices.nth.astype(np.uint64))
    for block in (choices.prices, choices.features, choices.displays):
        if block is not None:
            for j in range(block.shape[1]):
                rows = mixed(rows ^ np.ascontiguousarray(block[:, j] + 0.0, np.float64).view(np.uint64))
    return mixed(np.add.reduceat(rows, choices.start[:-1])) if len(rows) else np.zeros(0, np.uint64)


def take_households(choices: Choices, ids: np.ndarray) -> Choices:
    """The choices of some households, in the order of `ids`."""
    sizes = np.diff(choices.start)[ids]
    start = np.r_[0, np.cumsum(sizes)].astype(np.int64)
    rows = np.repeat(choices.start[:-1][ids] - start[:-1], sizes) + np.arange(start[-1])
    return _rows(replace(choices, households=choices.households[ids], start=start), rows)


def take_purchases(choices: Choices, rows: np.ndarray) -> Choices:
    """The choices in the mask `rows` [n]; households without any stay, empty."""
    sizes = np.bincount(choices.hh[rows], minlength=len(choices.households))
    return _rows(replace(choices, start=np.r_[0, np.cumsum(sizes)].astype(np.int64)), np.flatnonzero(rows))


def _rows(choices: Choices, rows: np.ndarray) -> Choices:
    blocks = [None if b is None else b[rows] for b in (choices.prices, choices.features, choices.displays)]
    prices, features, displays = blocks
    return replace(
        choices, y=choices.y[rows], prices=prices, features=features, displays=displays, place=choices.place[rows]
    )


def price_index(choices: Choices, terms: Terms) -> np.ndarray:
    """[n, j] price less 1, in the simulator's units: p / mean - 1, or its logarithm."""
    if terms.mean_price is None or choices.prices is None:
        return np.zeros((len(choices.y), len(terms.share)))
    return _index(choices.prices, terms)


def _index(prices: np.ndarray, terms: Terms) -> np.ndarray:
    assert terms.mean_price is not None
    relative = np.maximum(prices / terms.mean_price, 1e-6)
    return np.ascontiguousarray(np.log(relative) if terms.log_price else relative - 1)


def data_of(
    choices: Choices, terms: Terms, variant: Variant, habit: bool = True, told: np.ndarray | None = None
) -> Data:
    """The choices as the estimator reads them; `told` [i] is where histories end, if not where the choices do."""
    x = price_index(choices, terms)
    parts = []
    zero = np.zeros(x.shape)
    for wanted, block in ((terms.feature, choices.features), (terms.display, choices.displays)):
        if wanted:
            parts.append(zero if block is None else block)
    if variant.given_first:
        known = np.diff(choices.start) > 0
        first = np.full(len(choices.households), -1)
        first[known] = choices.y[choices.start[:-1][known]]
        parts.append((first[choices.hh][:, None] == np.arange(x.shape[1])).astype(float))
    if variant.gains and terms.mean_price is not None:
        surprise = price_surprises(x, choices)
        parts += [np.maximum(-surprise, 0), np.minimum(-surprise, 0)]
    f = np.ascontiguousarray(np.stack(parts, axis=-1), float) if parts else np.zeros((*x.shape, 0))
    told = choices.start[1:] if told is None else told
    nothing, to_come = before(terms, variant), _to_come(choices, told)
    return nothing._replace(start=choices.start, told=told, y=choices.y, x=x, f=f, to_come=to_come, habit=habit)


def _to_come(choices: Choices, told: np.ndarray) -> np.ndarray:
    """[n] the part of a trend that is still to come at each purchase of a history that ends at `told` [i]."""
    many = (told - choices.start[:-1])[choices.hh]
    return np.where(choices.nth < many, np.exp(-FADING * (choices.nth + 0.5) / np.maximum(many, 1)), 0.0)


def before(terms: Terms, variant: Variant) -> Data:
    """A market as it is usually, and no purchases."""
    brands = len(terms.share)
    weights = promotions(terms, variant)
    usual = np.zeros((brands, len(weights)))
    for name, means in (("feature", terms.features), ("display", terms.displays)):
        if name in weights and means:
            usual[:, weights.index(name)] = means
    x = np.zeros(brands)
    if terms.mean_price is not None and terms.prices:
        x = _index(np.array(terms.prices), terms)
    none = np.zeros((0, brands)), np.zeros((0, *usual.shape)), np.zeros(0)
    nobody = np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64)
    forms = terms.trend, int(variant.given_first), variant.log_normal
    return Data(*nobody, *none, np.array(terms.share), x, usual, *forms, habit=True)


def price_surprises(x: np.ndarray, choices: Choices) -> np.ndarray:
    """[n, j] price beyond the remembered one, which starts at the mean and moves with every purchase."""
    result, memory = np.empty_like(x), np.zeros((len(choices.households), x.shape[1]))
    hh, nth = choices.hh, choices.nth
    order = np.argsort(nth, kind="stable")
    bounds = np.r_[0, np.cumsum(np.bincount(nth))] if len(nth) else np.zeros(1, np.int64)
    for low, high in pairwise(bounds.tolist()):  # the k-th purchases of all households
        rows = order[low:high]
        result[rows] = x[rows] - memory[hh[rows]]
        memory[hh[rows]] += REFERENCE_RATE * result[rows]
    return result


def promotions(terms: Terms, variant: Variant) -> list[str]:
    """What has a common weight at every purchase, in the order of the estimator."""
    names = [n for n, there in (("feature", terms.feature), ("display", terms.display)) if there]
    names += ["first_brand"] if variant.given_first else []
    names += ["gain", "loss"] if variant.gains and terms.mean_price is not None else []
    return names


def trends(terms: Terms) -> list[str]:
    """How much brands 1 .. have gained over the histories, relative to brand 0, in logit."""
    return [f"trend_{j}" for j in range(1, len(terms.share))] if terms.trend else []


def weight_names(terms: Terms, variant: Variant) -> list[str]:
    """The common parameters of a variant, in the order of the estimator."""
    return [*promotions(terms, variant), *trends(terms), *LAST[int(variant.given_first) :]]
