"""Fits a market to choices. What is chosen, the form of price and who predicts, is chosen on an inner split."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sim.calibration.chains import Chain, Draws, Length, Progress, both, length_of, run_chains
from sim.calibration.choices import Choices, Terms, Variant, digests, take_households, take_purchases
from sim.calibration.forecast import Occasions, chances, occasions, pooled, simulate
from sim.calibration.posterior import Posterior
from sim.calibration.references import log_likelihoods, reference_chances
from sim.calibration.settings import number
from sim.panel.folds import mixed

FIRST_PART, FEWEST = 0.7, 4  # of the purchases of a household with at least so many is fitted in the inner split
VARIANTS = {
    "given_first": Variant("given_first", given_first=True, log_normal=False, gains=True),
    "whole": Variant("whole", given_first=False, log_normal=False, gains=True),
    "simulator": Variant("simulator", given_first=False, log_normal=True, gains=False),
}
POOLS = (("given_first", "whole"), ("given_first", "whole", "simulator"), ("simulator",))
LEAST_TOLD = 30  # purchases that the inner split must hold out for a choice to rest on it
FREE_RUNS = 100
LARGEST_RATIO = 9.0  # of a price to the mean price
NO_VARIATION = 0.005  # spread of relative prices of a brand below which price tells nothing


@dataclass
class Inner:
    """What the inner split says, on the purchases `asked` that were held out of the training data."""

    choices: Choices
    asked: np.ndarray  # [n]
    chances: dict[str, np.ndarray]  # one-step, of the market and the references; [n, j]
    free: np.ndarray  # [replication, n] free runs over what was held out
    fitted: np.ndarray  # [replication, n] free runs from the first purchase on
    log: list[str] = field(default_factory=list)  # what was compared, and what it gave


@dataclass
class Fitted:
    """A market fitted to choices."""

    posterior: Posterior
    inner: Inner | None


def basic_terms(choices: Choices) -> Terms:
    """Terms as the data allow: prices that vary, promotions that are there and not always."""
    share = np.bincount(choices.y, minlength=len(choices.brands)) / max(len(choices.y), 1)
    mean = None
    if choices.prices is not None and np.isfinite(choices.prices).all() and choices.prices.min(initial=1) > 0:
        relative = choices.prices / choices.prices.mean()
        mean = float(np.sort(choices.prices, axis=None).mean()) if relative.std(axis=0).max() > NO_VARIATION else None

    def varies(block: np.ndarray | None) -> bool:
        return block is not None and bool((block.std(axis=0) > 1e-9).any())

    def usual(block: np.ndarray | None) -> tuple[float, ...]:
        return () if block is None or not len(block) else tuple(np.sort(block, axis=0).mean(axis=0).tolist())

    prices, features, displays = map(usual, (choices.prices, choices.features, choices.displays))
    told = varies(choices.features), varies(choices.displays)
    return Terms(tuple(share.tolist()), mean, False, *told, prices if mean else (), features, displays)


def fit(choices: Choices, firms: tuple[str, ...], seed: int, progress: Progress) -> Fitted:
    """The posterior of the market that these choices come from, and what the inner split says of it."""
    terms = basic_terms(choices)
    usable = {n: v for n, v in VARIANTS.items() if not v.given_first or (np.diff(choices.start) > 1).sum() > 1}
    inner, terms, pool = _inner(_some(choices), terms, usable, seed, progress)
    names = [n for n in VARIANTS if n in pool or n == "simulator"]
    length = length_of(choices)
    half = replace(length, draws=length.draws // 2)  # the simulator's variant has two chains, of half the draws each
    chains = [
        Chain(choices, terms, VARIANTS[n], half if n == "simulator" else length, _seed(seed, 10 + i))
        for i, n in enumerate([*names, "simulator"])
    ]
    *each, other = run_chains(chains, progress, "estimating the market")
    draws = dict(zip(names, each, strict=True))
    draws["simulator"] = both(draws["simulator"], other)
    return Fitted(_posterior(choices, firms, terms, draws, pool, seed), inner)


def _some(choices: Choices) -> Choices:
    """The households that are enough to choose the form; they are in a random order."""
    enough = max(2, int(np.searchsorted(choices.start[1:], number("size", "inner"), "right")))
    return take_households(choices, np.arange(enough)) if enough < len(choices.households) else choices


def _posterior(
    choices: Choices, firms: tuple[str, ...], terms: Terms, draws: dict[str, Draws], pool: tuple[str, ...], seed: int
) -> Posterior:
    weights = {name: 1 / len(pool) for name in pool}
    each = digests(choices)
    return Posterior(choices.brands, firms, terms, draws, weights, "simulator", choices.households, each, seed)


def _seed(seed: int, number: int) -> int:
    return int(mixed(np.array([(seed << 8) + number], np.uint64))[0])


def inner_history(choices: Choices) -> np.ndarray:
    """[n] whether a purchase is fitted in the inner split: the first 70 % of households with at least 4, else all."""
    n = np.diff(choices.start)
    first = np.where(n >= FEWEST, np.ceil(FIRST_PART * n - 1e-9), n)
    return choices.nth < first[choices.hh]


def _inner(
    choices: Choices, terms: Terms, usable: dict[str, Variant], seed: int, progress: Progress
) -> tuple[Inner | None, Terms, tuple[str, ...]]:
    """(what the inner split says, the terms in the form that predicts best, the variants that predict)."""
    history = inner_history(choices)
    pools = [p for p in POOLS if set(p) <= set(usable)]
    if (~history).sum() < LEAST_TOLD:
        return None, replace(terms, log_price=_forms(choices, terms)[0]), pools[0]
    train = take_purchases(choices, history)
    share = tuple((np.bincount(train.y, minlength=len(choices.brands)) / len(train.y)).tolist())
    at = occasions(choices, train.start[1:] - train.start[:-1] + choices.start[:-1], train.households, digests(train))
    tried = Tried(train, at, usable, pools, seed, progress)
    tried.compare([replace(terms, share=share, log_price=log) for log in _forms(choices, terms)], "of price")
    tried.compare([replace(tried.best[0], trend=True)], "with a trend")
    form, pool = tried.best
    result = Inner(choices, ~history, {}, *_free(at, form, {n: tried.draws[form, n] for n in pool}))
    result.chances["market"] = tried.pooled(form, pool)
    if pool != ("simulator",):
        result.chances["simulator"] = tried.chances[form, "simulator"]
    result.chances |= reference_chances(choices, history, form)
    result.log = [f"{described(f)}, {' + '.join(p)}: {value:.4f}" for (f, p), value in tried.scores.items()]
    return result, replace(terms, log_price=form.log_price, trend=form.trend), pool


@dataclass
class Tried:
    """Forms of the model, fitted to a part of the training data, and how well they predict the rest of it."""

    train: Choices
    at: Occasions  # what follows it
    usable: dict[str, Variant]
    pools: Sequence[tuple[str, ...]]
    seed: int
    progress: Progress
    draws: dict[tuple[Terms, str], Draws] = field(default_factory=dict)
    chances: dict[tuple[Terms, str], np.ndarray] = field(default_factory=dict)  # [n, j] one-step
    scores: dict[tuple[Terms, tuple[str, ...]], float] = field(default_factory=dict)  # log-likelihood a purchase

    def compare(self, forms: list[Terms], what: str) -> None:
        """Fit these forms too, each in all variants, and score what each pool predicts."""
        length: Length = length_of(self.train, number("sampler", "inner"))
        length = replace(length, draws=min(length.draws, length.sweeps))
        new = [(form, name) for form in forms for name in self.usable]
        chains = [
            Chain(self.train, form, variant, length, _seed(self.seed, 20 + i))
            for form in forms
            for i, variant in enumerate(self.usable.values())
        ]
        said = f"choosing the form {what}, on a part of the training data"
        self.draws |= zip(new, run_chains(chains, self.progress, said), strict=True)
        for done, (form, name) in enumerate(new):
            self.progress(f"choosing the form {what}: predicting", done / len(new))
            self.chances[form, name] = chances(self.at, form, self.draws[form, name], True, lambda part: None)
        for form in forms:
            for pool in self.pools:
                ll = log_likelihoods(self.pooled(form, pool), self.at.choices)
                self.scores[form, pool] = float(ll[self.at.asked].mean())

    def pooled(self, form: Terms, pool: tuple[str, ...]) -> np.ndarray:
        """[n, j] one-step chances of a pool."""
        return pooled([self.chances[form, name] for name in pool], [1.0] * len(pool))

    @property
    def best(self) -> tuple[Terms, tuple[str, ...]]:
        """The form and the pool that predict best."""
        return max(self.scores, key=lambda one: self.scores[one])


def described(form: Terms) -> str:
    """A form in words.

    >>> described(Terms((0.5, 0.5), 2.0, True, False, False, trend=True))
    'price by its logarithm, with a trend'
    """
    price = f"price by its {'logarithm' if form.log_price else 'ratio to the mean'}"
    return (price if form.mean_price is not None else "no price") + (", with a trend" if form.trend else "")


def _forms(choices: Choices, terms: Terms) -> tuple[bool, ...]:
    """Whether price acts by its logarithm, as may be chosen; ratios beyond the simulator's prices leave only that."""
    if terms.mean_price is None or choices.prices is None:
        return (False,)
    return (False, True) if choices.prices.max(initial=0.0) <= LARGEST_RATIO * terms.mean_price else (True,)


def _free(at: Occasions, form: Terms, pool: dict[str, Draws]) -> tuple[np.ndarray, np.ndarray]:
    """Free runs over what was held out, and over everything from the first purchase on."""
    weights, households = dict.fromkeys(pool, 1.0), at.choices.households
    market = Posterior((), (), form, pool, weights, list(pool)[-1], households, np.zeros(0, np.uint64))
    whole = replace(at, given=at.choices.start[:-1].copy())
    return simulate(market, at, FREE_RUNS), simulate(market, whole, FREE_RUNS)
