"""Simple models that a calibrated market must beat: market share, last brand, Dirichlet, and the loyalty logit.

Each is fitted to the history of some households and gives the chance of every brand at what follows, one step ahead.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy import optimize

from sim.calibration.choices import Choices, Terms, price_index

LOYALTY = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9)  # how much of loyalty a purchase leaves (Guadagni & Little 1983)
LARGEST = 1e3
Chances = np.ndarray  # [n, j]


def reference_chances(choices: Choices, history: np.ndarray, terms: Terms) -> dict[str, Chances]:
    """One-step chances of all purchases, by name of the reference, fitted to those in the mask `history` [n]."""
    share = np.maximum(np.array(terms.share), 1e-6)
    share /= share.sum()
    found = {
        "market share": np.tile(share, (len(choices.y), 1)),
        "last brand": _last_brand(choices, history, share),
        "Dirichlet": _dirichlet(choices, history, share),
    }
    return found | {"loyalty logit": _loyalty_logit(choices, history, terms)}


def log_likelihoods(chances: Chances, choices: Choices) -> np.ndarray:
    """[n] log-chance of what was bought."""
    return np.log(np.maximum(chances[np.arange(len(choices.y)), choices.y], 1e-12))


def _one_parameter(chances: Callable[[float], Chances], choices: Choices, history: np.ndarray, high: float) -> Chances:
    """The chances at the parameter, between 0 and `high`, of the highest likelihood of the history."""

    def loss(value: float) -> float:
        return -float(log_likelihoods(chances(value), choices)[history].sum())

    best = optimize.minimize_scalar(loss, bounds=(1e-3, high), method="bounded", options={"xatol": 1e-4})
    return chances(float(best.x))


def _last_brand(choices: Choices, history: np.ndarray, share: np.ndarray) -> Chances:
    last = np.eye(len(share))[np.r_[0, choices.y[:-1]][: len(choices.y)]]
    later = (choices.nth > 0)[:, None]
    return _one_parameter(lambda a: np.where(later, (1 - a) * share + a * last, share), choices, history, 1 - 1e-6)


def _dirichlet(choices: Choices, history: np.ndarray, share: np.ndarray) -> Chances:
    before = _sums_before(choices, np.eye(len(share))[choices.y], 1.0)
    nth = choices.nth[:, None]
    return _one_parameter(
        lambda phi: (before + (1 / phi - 1) * share) / (nth + 1 / phi - 1), choices, history, 1 - 1e-3
    )


def _sums_before(choices: Choices, values: np.ndarray, keep: float, start: np.ndarray | None = None) -> np.ndarray:
    """[n, ..] sum of the household's values before each purchase, of which each leaves `keep`; begins at `start`."""
    result = np.zeros_like(values)
    hh, nth = choices.hh, choices.nth
    state = np.zeros((len(choices.households), *values.shape[1:])) + (0.0 if start is None else start)
    order = np.argsort(nth, kind="stable")
    bounds = np.r_[0, np.cumsum(np.bincount(nth, minlength=1))]
    for low, high in pairwise(bounds.tolist()):
        rows = order[low:high]
        result[rows] = state[hh[rows]]
        state[hh[rows]] = keep * state[hh[rows]] + values[rows]
    return result


def _loyalty_logit(choices: Choices, history: np.ndarray, terms: Terms) -> Chances:
    """Everybody alike: brand, price, promotions, and loyalty, a memory of own purchases (Guadagni & Little 1983)."""
    many, bought = len(terms.share), np.eye(len(terms.share))[choices.y]
    parts = [np.broadcast_to(np.eye(many)[:, j], (len(choices.y), many)) for j in range(1, many)]
    parts += [price_index(choices, terms)] if terms.mean_price is not None else []
    for wanted, block in ((terms.feature, choices.features), (terms.display, choices.displays)):
        parts += [block] if wanted and block is not None else []
    best: tuple[float, np.ndarray] | None = None
    for keep in LOYALTY:
        loyalty = _sums_before(choices, (1 - keep) * bought, keep, np.array(terms.share))
        design = np.stack([*parts, loyalty], axis=-1)
        weights = _logit(design[history], choices.y[history])
        chances = _softmax(design @ weights)
        fit = float(log_likelihoods(chances, choices)[history].sum())
        if best is None or fit > best[0]:
            best = fit, chances
    assert best is not None
    return best[1]


def _softmax(v: np.ndarray) -> np.ndarray:
    e = np.exp(v - v.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _logit(design: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights of a conditional logit by Newton's method, very slightly shrunk so that they always exist."""
    weights = np.zeros(design.shape[2])
    for _ in range(50):
        p = _softmax(design @ weights)
        mean = np.einsum("nj,njk->nk", p, design)
        gradient = design[np.arange(len(y)), y].sum(axis=0) - mean.sum(axis=0) - 0.01 * weights
        curve = np.einsum("nj,njk,njm->km", p, design, design) - mean.T @ mean + 0.01 * np.eye(len(weights))
        step = np.linalg.solve(curve, gradient)
        weights = weights + step / max(1.0, float(np.abs(step).max()) / 3)
        if np.abs(step).max() < 1e-6:
            break
    return weights


def bootstrap_error(ll: np.ndarray, hh: np.ndarray, rounds: int = 2000) -> float:
    """Standard error over households of the mean of `ll` [n], by drawing households with replacement; nan for one."""
    ids, place = np.unique(hh, return_inverse=True)
    if len(ids) < 2:
        return float("nan")
    total, many = np.bincount(place, ll), np.bincount(place)
    picks = np.random.default_rng(1).integers(0, len(ids), (rounds, len(ids)))
    return float((total[picks].sum(axis=1) / many[picks].sum(axis=1)).std(ddof=1))
