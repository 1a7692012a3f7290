"""The BG/NBD of one firm's customers: how often they buy while they are customers, and whether they still are.

Source: Fader, Hardie & Lee 2005, Marketing Science 24:275-284. Purchases of those who are still customers are Poisson
with a gamma rate; after each purchase they leave for good with a chance that is beta over customers.
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize
from scipy.special import betaln, gammaln

LOWEST, HIGHEST = -10.0, 10.0  # of the logarithms of the parameters


class BgNbd(NamedTuple):
    """Gamma shape and scale of rates, the two of the beta of leaving, and the log-likelihood."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float


def log_likelihoods(logs: np.ndarray, x: np.ndarray, recency: np.ndarray, length: np.ndarray) -> np.ndarray:
    """[i] of x repeat purchases, the last of them `recency` after the first, watched for `length` after it."""
    r, alpha, a, b = np.exp(np.clip(logs, LOWEST, HIGHEST))
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + length)
    gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + recency)
    return rate + np.where(x > 0, np.logaddexp(alive, gone), alive)


def fit(x: np.ndarray, recency: np.ndarray, length: np.ndarray, weight: np.ndarray) -> BgNbd | None:
    """Maximum likelihood; None where nobody bought again, nobody was watched, or the fit is at the end of its range."""
    if not (x > 0).any() or not (length > 0).any():
        return None
    unit = float(length.max()) / 39  # as if watched for 39 periods, so that starts fit whatever the unit of time
    at = x.astype(float), recency / unit, length / unit

    def loss(logs: np.ndarray) -> float:
        return -float((weight * log_likelihoods(logs, *at)).sum() / weight.sum())

    found = optimize.minimize(loss, np.log([0.5, 5.0, 1.0, 3.0]), method="L-BFGS-B", bounds=[(LOWEST, HIGHEST)] * 4)
    if not found.success or np.abs(found.x).max() > HIGHEST - 0.1:
        return None
    r, alpha, a, b = np.exp(found.x)
    total = float((weight * log_likelihoods(found.x, *at)).sum()) - float((weight * x).sum()) * np.log(unit)
    return BgNbd(float(r), float(alpha * unit), float(a), float(b), total)


def chance_alive(model: BgNbd, x: np.ndarray, recency: np.ndarray, length: np.ndarray) -> np.ndarray:
    """[i] chance that a customer is still one; 1 for those who did not buy again, for none of them has left."""
    odds = (model.r + x) * np.log((model.alpha + length) / (model.alpha + recency))
    gone = model.a / (model.b + np.maximum(x, 1) - 1) * np.exp(odds)
    return np.where(x > 0, 1 / (1 + gone), 1.0)
