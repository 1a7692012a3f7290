"""The covariance of tastes over people, with each other and with ln price weight: checked, and its Cholesky factor."""

import math

import numpy as np
import numpy.typing as npt

from sim.model.declare import did_you_mean
from sim.model.fields import Scenario

PRICE = "price_weight"  # the name of ln price weight among the firms
ROUNDING = 1e-6  # of the largest variance: covariances that were rounded in a file are still ones


def covariance_complaints(s: Scenario) -> list[str]:
    """Everything in which `taste_covariance` is no covariance of this market's tastes."""
    if not s.taste_covariance:
        return []
    names, wrong = [*s.firms, PRICE], []
    for a, row in s.taste_covariance.items():
        if a not in names:
            wrong.append(f"taste_covariance.{a}: neither a firm nor {PRICE}{did_you_mean(a, names)}")
        for b, value in row.items():
            if b not in names:
                wrong.append(f"taste_covariance.{a}.{b}: neither a firm nor {PRICE}{did_you_mean(b, names)}")
            other = s.taste_covariance.get(b, {}).get(a, value)
            if a < b and other != value:
                wrong.append(
                    f"taste_covariance.{a}.{b}: {value:g}, and {b}.{a} is {other:g}; a covariance is symmetric"
                )
    if PRICE in s.taste_covariance.get(PRICE, {}):
        wrong.append(f"taste_covariance.{PRICE}.{PRICE}: given by market.price_weight_sd, of which it is the square")
    if s.market.taste_law != "normal":
        wrong.append(f"taste_covariance: of normal tastes, and market.taste_law is {s.market.taste_law}")
    if not wrong and cholesky(covariance(s)) is None:
        lowest = float(np.linalg.eigvalsh(covariance(s)).min())
        wrong.append(
            "taste_covariance: not positive semi-definite: some mix of tastes (and ln price weight, whose variance is "
            f"market.price_weight_sd squared) would have a variance of {lowest:.3g}"
        )
    return wrong


def covariance(s: Scenario) -> npt.NDArray[np.float64]:
    """[j + 1, j + 1] covariance of the tastes for all firms and, last, ln price weight.

    A pair that is given one way counts both ways, and one that is not given is 0; a firm that is named nowhere has the
    variance market.taste_sd squared.
    """
    names = [*s.firms, PRICE]
    named = {*s.taste_covariance, *(b for row in s.taste_covariance.values() for b in row)}
    own = [0.0 if name in named else s.market.taste_sd**2 for name in s.firms]
    found = np.diag([*own, s.market.price_weight_sd**2])
    for a, row in s.taste_covariance.items():
        for b, value in row.items():
            found[names.index(a), names.index(b)] = found[names.index(b), names.index(a)] = value
    return found


def cholesky(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """The lower triangle L with L L' = a symmetric matrix; None if that is not positive semi-definite.

    In plain Python numbers, so that its bits are the same on every machine. A variance of 0 has a column of zeros.
    """
    many, near = len(matrix), ROUNDING * max(1e-300, float(np.abs(matrix).max()))
    lower = [[0.0] * many for _ in range(many)]
    for k in range(many):
        left = float(matrix[k, k]) - math.fsum(x * x for x in lower[k][:k])
        if left < -near:
            return None
        root = math.sqrt(left) if left > near else 0.0
        lower[k][k] = root
        for n in range(k + 1, many):
            rest = float(matrix[n, k]) - math.fsum(x * y for x, y in zip(lower[n][:k], lower[k][:k], strict=True))
            if root == 0 and rest * rest > near * max(near, float(matrix[n, n])):
                return None
            lower[n][k] = rest / root if root else 0.0
    return np.array(lower)


def taste_factor(s: Scenario) -> npt.NDArray[np.float32]:
    """[j + 1, j + 1] the Cholesky factor of the covariance, ln price weight last; [0, 0] where none is given."""
    if not s.taste_covariance or not s.mechanisms.taste or s.market.taste_law != "normal":
        return np.zeros((0, 0), np.float32)
    lower = cholesky(covariance(s))
    assert lower is not None, "checked when the scenario was built"
    return lower.astype(np.float32)
