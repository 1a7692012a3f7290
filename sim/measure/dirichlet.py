"""The NBD-Dirichlet: buying where brands differ in size only, the benchmark that stickiness is held against.

A consumer uses the category at random at their own rate, gamma among consumers, and gives each use to a
brand by their own constant chances, Dirichlet among consumers. So in a window n ~ NBD(M, K), and (r_1 .. r_J)
given n is Dirichlet-multinomial(S m_1 .. S m_J): nobody learns, tires or reacts.

Goodhardt, Ehrenberg & Chatfield (1984), The Dirichlet, J. R. Statist. Soc. A 147, 621-655; brand measures
after Rungie & Goodhardt (2004), Marketing Bulletin 15, Technical Note 2. Arrays are over brands, shape (J,),
unless said otherwise; what is measured per buyer is nan for a brand that nobody buys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
LEFT_OUT = 1e-10  # share of category uses by people who use more often than the sums over n look
POISSON = 1e6  # a shape K above this cannot be told from the Poisson, K = inf


@dataclass(frozen=True)
class Dirichlet:
    """A category in a window of one period: M, K, S and market shares m_j; ValueError if impossible.

    mean M: category uses per person, non-users included. shape K: the smaller, the more people differ in how
    much they use; inf is Poisson. concentration S: the smaller, the more they differ in what they choose; inf
    is chance alone. shares: of category uses; what they leave of 1 is other brands.
    """

    mean: float
    shape: float
    concentration: float
    shares: Sequence[float]

    def __post_init__(self) -> None:
        _demand(0 < self.mean < np.inf, f"mean M must be positive and finite, not {self.mean}")
        _demand(self.shape > 0, f"shape K must be positive, not {self.shape}")
        _demand(self.concentration > 0, f"concentration S must be positive, not {self.concentration}")
        object.__setattr__(self, "shares", tuple(_market(self.shares).tolist()))  # so that == works

    @property
    def phi(self) -> float:
        """Polarisation 1 / (1 + S): 0 if everyone chooses by chance, 1 if everyone uses one brand only."""
        return 1 / (1 + self.concentration)


def over(model: Dirichlet, periods: float) -> Dirichlet:
    """The same market in a window `periods` times as long: M -> T M, while K, S and the shares stay."""
    return replace(model, mean=model.mean * periods)


@lru_cache(maxsize=64)
def category_distribution(mean: float, shape: float) -> Floats:
    """P_n, the chance of n category uses, n = 0, 1, ..: NBD(M, K) up to where 1e-10 of uses is left."""
    if shape > POISSON:
        n = np.arange(np.ceil(special.pdtrik(1 - LEFT_OUT, mean)) + 2)
        chances = np.exp(special.xlogy(n, mean) - mean - special.gammaln(n + 1))
    else:  # n P_n / M is an NBD of shape K + 1, one place further on: its tail says where to cut
        place = shape / (shape + mean)
        n = np.arange(np.ceil(special.nbdtrik(1 - LEFT_OUT, shape + 1, place)) + 2)
        ways = special.gammaln(n + shape) - special.gammaln(shape) - special.gammaln(n + 1)
        chances = np.exp(ways + shape * np.log(place) + n * np.log1p(-place))
    chances.setflags(write=False)  # the cache hands out one array to all
    return np.asarray(chances, float)


def category_penetration(model: Dirichlet) -> float:
    """B, the share of people with at least one category use in the window: 1 - (1 + M/K)^-K."""
    return float(1 - _uses(model)[0])


def penetration(model: Dirichlet) -> Floats:
    """b_j, the share of people who buy brand j at least once in the window."""
    return _reach(_shares(model), model.concentration, _uses(model))


def frequency(model: Dirichlet) -> Floats:
    """w_j = M m_j / b_j, purchases of j per buyer of j: lower for small brands, which is double jeopardy."""
    return _per_buyer(model.mean * _shares(model), penetration(model))


def category_rate(model: Dirichlet) -> Floats:
    """Category uses per buyer of j: sum of n P_n P(some j | n), over b_j; higher for small brands."""
    uses = _uses(model)
    some = 1 - _none(_shares(model), model.concentration, len(uses))
    return _per_buyer(some @ (uses * np.arange(len(uses))), some @ uses)


def category_requirements(model: Dirichlet) -> Floats:
    """SCR_j, share of category requirements: what part of the category uses of j's buyers goes to j."""
    return frequency(model) / category_rate(model)


def solely_loyal(model: Dirichlet) -> Floats:
    """The share of j's buyers who use nothing else in the window: sum of P_n P(r_j = n | n) over b_j."""
    uses = _uses(model)
    only = _none(1 - _shares(model), model.concentration, len(uses))
    return _per_buyer(only[:, 1:] @ uses[1:], penetration(model))


def once_buyers(model: Dirichlet) -> Floats:
    """The share of j's buyers who buy it exactly once in the window."""
    return _per_buyer(distribution(model, 1)[:, 1], penetration(model))


def repeat_rate(model: Dirichlet) -> Floats:
    """The share of j's buyers in one window who buy it again in the next, as long: 2 - b_j(2T) / b_j(T)."""
    buyers = penetration(model)
    return _per_buyer(2 * buyers - penetration(over(model, 2)), buyers)


def duplication(model: Dirichlet) -> Floats:
    """[j, k]: the share of j's buyers who also buy k in the window, shape (J, J), 1 on the diagonal.

    Nearly D b_k for every j (the duplication of purchase law). Two brands are as one of share m_j + m_k.
    """
    shares, buyers = _shares(model), penetration(model)
    either = _reach(np.minimum(shares[:, None] + shares, 1), model.concentration, _uses(model))
    both = buyers[:, None] + buyers - either
    np.fill_diagonal(both, buyers)
    return _per_buyer(both, np.broadcast_to(buyers[:, None], both.shape))


def distribution(model: Dirichlet, most: int) -> Floats:
    """P(r_j = r), the share of people who buy j exactly r times in the window, shape (J, 1 + most)."""
    shares, uses, S = _shares(model), _uses(model), model.concentration
    ours, theirs, every = (_log_rising(m, S, len(uses)) for m in (shares, 1 - shares, np.ones_like(shares)))
    chances = np.zeros((len(shares), most + 1))
    for r in range(min(most + 1, len(uses))):
        n = np.arange(r, len(uses))
        ways = special.gammaln(n + 1) - special.gammaln(r + 1) - special.gammaln(n - r + 1)
        chances[:, r] = np.exp(ways + ours[:, [r]] + theirs[:, : len(n)] - every[:, r:]) @ uses[r:]
    return chances


def table(model: Dirichlet, brands: Iterable[str] | None = None) -> pd.DataFrame:
    """All measures of the window as a pandas DataFrame: a row per brand, a column per function.

    >>> market = fit(0.56, 1.46, [0.25, 0.19, 0.1], [0.2, 0.16, 0.09], trim=False)
    >>> table(market, ["colgate", "macleans", "close_up"]).loc["colgate"].round(2).to_dict()["penetration"]
    0.2
    """
    import pandas as pd

    measures = (penetration, frequency, category_rate, category_requirements, solely_loyal, once_buyers, repeat_rate)
    columns = {"share": _shares(model)} | {measure.__name__: measure(model) for measure in measures}
    return pd.DataFrame(columns, index=None if brands is None else pd.Index(brands, name="brand"))


def fit(
    category_penetration: float,
    mean: float,
    shares: ArrayLike,
    penetrations: ArrayLike,
    shape: float | None = None,
    trim: bool = True,
    largest: float = 30.0,
) -> Dirichlet:
    """The Dirichlet of a window from B, M, the brands' shares m_j and penetrations b_j ("mean and zeros").

    K from B, unless `shape` is given (with B near 1 the zeros say little: take K from `fit_nbd`). S is the
    share-weighted mean of `concentrations`; `trim` first leaves out, as CRAN NBDdirichlet 1.4 does, brands
    beyond Tukey's fences or above the upper notch of the box plot: against outliers, but it leans to small S.
    ValueError if the figures contradict each other or if no brand can tell S.
    """
    shape = shape_from_zeros(category_penetration, mean) if shape is None else shape
    each, weights = concentrations(mean, shape, shares, penetrations, largest), _market(shares)
    telling = np.isfinite(each)
    _demand(telling.any(), "S cannot be fitted: no brand has a share strictly between 0 and 1")
    if trim:
        telling[telling] = _ordinary(each[telling])
    concentration = np.average(each[telling], weights=weights[telling])
    return Dirichlet(mean, shape, float(concentration), weights.tolist())


def shape_from_zeros(category_penetration: float, mean: float) -> float:
    """K, the root of (1 + M/K)^-K = 1 - B; inf where as many people use as under a Poisson, or more."""
    B = category_penetration
    _demand(0 < B <= 1, f"category penetration B must be above 0 and at most 1, not {B}")
    _demand(B <= mean < np.inf, f"mean M = {mean} is less than one use per category buyer, B = {B}")
    return np.inf if -np.expm1(-mean) <= B else _root(lambda K: K * np.log1p(mean / K) + np.log1p(-B))


def concentrations(
    mean: float, shape: float, shares: ArrayLike, penetrations: ArrayLike, largest: float = 30.0
) -> Floats:
    """S_j, the concentration at which brand j would have its observed penetration; b_j rises with S.

    Where there is none, the nearer end of 0 .. `largest` (30 as published); nan for shares 0 and 1, which
    tell nothing. ValueError if shares and penetrations cannot belong together.
    """
    market, observed = _market(shares), np.asarray(penetrations, float)
    _demand(observed.shape == market.shape, f"{market.size} shares but {observed.size} penetrations")
    _demand(np.all((observed >= 0) & (observed <= 1)), "penetrations must be from 0 to 1")
    _demand(np.all((observed > 0) == (market > 0)), "a brand has a share without buyers or the reverse")
    uses = _uses(Dirichlet(mean, shape, largest, market.tolist()))
    low, high = np.full(market.shape, 1 / (1 + largest)), np.ones(market.shape)
    for _ in range(40):  # halve the interval of phi, all brands at once, down to 1e-12
        phi = (low + high) / 2
        above = _reach(market, (1 - phi) / phi, uses) > observed
        low, high = np.where(above, phi, low), np.where(above, high, phi)
    return np.where((market > 0) & (market < 1), 2 / (low + high) - 1, np.nan)


def fit_nbd(counts: ArrayLike) -> tuple[float, float]:
    """Maximum likelihood M, K of category uses from h[n] = people with n uses; K = inf if variance <= mean.

    M is the sample mean; K solves: sum over i of people(n > i) / (1 + i/K) = people K ln(1 + M/K), which has
    a root only if variance > mean (Anscombe 1950). ValueError without uses: K is not defined.
    """
    people = np.asarray(counts, float)
    _demand(people.ndim == 1 and bool(np.isfinite(people).all()), "counts must be people by uses, h[n]")
    _demand(np.all(people >= 0), "counts must not be negative")
    n, total = np.arange(people.size), people.sum()
    _demand(bool(people @ n > 0), "nobody used the category: K is not defined")
    mean, more = float(people @ n / total), total - np.cumsum(people)
    return mean, _root(lambda K: total * K * np.log1p(mean / K) - (more / (1 + n / K)).sum())


def _root(rising: Callable[[float], float]) -> float:
    """The K where a function that is negative near 0 crosses zero; inf if beyond telling from Poisson."""
    if rising(POISSON) <= 0:
        return np.inf
    return float(np.exp(optimize.brentq(lambda log: rising(np.exp(log)), -40, np.log(POISSON), xtol=1e-13)))


def _ordinary(values: Floats) -> NDArray[np.bool_]:
    """Which values are within Tukey's fences and not above the upper notch (McGill, Tukey & Larsen 1978)."""
    ordered, half = np.sort(values), (len(values) + 1) // 2
    lower, middle, upper = (np.median(part) for part in (ordered[:half], ordered, ordered[-half:]))
    spread = upper - lower
    top = min(upper + 1.5 * spread, middle + 1.58 * spread / np.sqrt(len(values)))
    return np.asarray((values >= lower - 1.5 * spread) & (values <= top))


def _reach(shares: Floats, concentration: ArrayLike, uses: Floats) -> Floats:
    """The share of people who buy such a brand at least once; any shape, S broadcast against it."""
    return np.asarray((1 - _none(shares, concentration, len(uses))) @ uses)


def _none(shares: Floats, concentration: ArrayLike, length: int) -> Floats:
    """P(no purchase of such a brand | n category uses), shape (..., length)."""
    others, every = (_log_rising(m, concentration, length) for m in (1 - shares, np.ones_like(shares)))
    return np.exp(others - every)


def _log_rising(shares: Floats, concentration: ArrayLike, length: int) -> Floats:
    """ln of m (m + 1/S) .. (m + (n-1)/S) for n < length: so S = inf and m = 0 are nothing special."""
    logs = np.zeros((*shares.shape, length))
    with np.errstate(divide="ignore"):
        steps = np.log(shares[..., None] + np.arange(length - 1) / np.asarray(concentration)[..., None])
    np.cumsum(steps, axis=-1, out=logs[..., 1:])
    return logs


def _uses(model: Dirichlet) -> Floats:
    return category_distribution(model.mean, model.shape)


def _shares(model: Dirichlet) -> Floats:
    return np.array(model.shares)


def _per_buyer(total: Floats, buyers: Floats) -> Floats:
    return np.asarray(np.divide(total, buyers, out=np.full(total.shape, np.nan), where=buyers > 0))


def _market(shares: ArrayLike) -> Floats:
    market = np.asarray(shares, float)
    _demand(market.ndim == 1 and market.size > 0, "shares must be one number per brand")
    _demand(np.all(market >= 0) and market.sum() < 1 + 1e-9, "shares must not be negative or exceed 1")
    return np.asarray(np.minimum(market, 1))


def _demand(holds: bool | np.bool_, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
