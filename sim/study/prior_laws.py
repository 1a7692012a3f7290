"""Laws with a given P10, P50 and P90: normal, lognormal, logit-normal, uniform, with a spread of their own either side.

On the law's scale (as it is, ln, logit) a quantile lies at the median plus its standard score times the spread below or
above it, so that all three given quantiles are met: the two halves of two normals (or uniforms) with one median, cut
off where the number's range or validity ends. A mixture holds such parts in rising order.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist

NORMAL = NormalDist()
TAIL = 0.1  # P10 and P90 are the quantiles by which a law is given
Scale = tuple[Callable[[float], float], Callable[[float], float]]  # of a law, and back


def _logit(x: float) -> float:
    return -math.inf if x <= 0 else math.inf if x >= 1 else math.log(x / (1 - x))


def _expit(y: float) -> float:
    return 1 / (1 + math.exp(-y)) if y >= 0 else math.exp(y) / (1 + math.exp(y))


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


SCALES: dict[str, Scale] = {
    "lognormal": (_log, math.exp),
    "logitnormal": (_logit, _expit),
    "normal": (float, float),
    "uniform": (float, float),
}


@dataclass(frozen=True)
class Prior:
    """The spread of one number: law, P10, P50 and P90, limits, and what it rests on.

    >>> Prior("consumer.loss_aversion", "lognormal", 1.2, 1.8, 2.6, low=1.0).quantile(0.1) > 1.2
    True
    """

    path: str
    law: str
    p10: float
    p50: float
    p90: float
    low: float = -math.inf
    high: float = math.inf
    step: int = 0  # of a whole number; 0 for any other
    times: str = ""  # path of the number that this one is a multiple of
    basis: str = ""
    source: str = ""
    parts: tuple[tuple[float, "Prior"], ...] = ()  # of a mixture: cumulative weight, part

    def quantile(self, u: float) -> float:
        """The number below which the true one lies with chance `u`, 0 to 1, inside its limits."""
        return self._whole(self._mixed(u) if self.parts else self._cut(u))

    def around(self, value: float) -> "Prior":
        """The same spread on the law's scale around another median; a mixture or a point stays as it is."""
        if self.law not in SCALES:
            return self
        to, back = SCALES[self.law]
        shift = to(value) - to(self.p50)
        p10, p50, p90 = (back(to(p) + shift) for p in (self.p10, self.p50, self.p90))
        return replace(self, p10=p10, p50=p50, p90=p90)

    def _mixed(self, u: float) -> float:
        below = 0.0
        for upto, part in self.parts[:-1]:
            if u < upto:
                return part.quantile((u - below) / (upto - below))
            below = upto
        return self.parts[-1][1].quantile(min(1.0, (u - below) / (1 - below)))

    def _cut(self, u: float) -> float:
        """The quantile of the law between its limits."""
        if self.law == "point":
            return self.p50
        below, above = self._chance(self.low), self._chance(self.high)
        v = below + u * (above - below)
        to, back = SCALES[self.law]
        score = _score(v, self.law)
        middle = to(self.p50)
        spread = middle - to(self.p10) if score < 0 else to(self.p90) - middle
        found = back(middle + score * spread) if math.isfinite(score) else (self.low if score < 0 else self.high)
        return max(self.low, min(self.high, found))

    def _chance(self, x: float) -> float:
        """The chance that the law, not cut, lies below `x`."""
        to, _ = SCALES[self.law]
        distance = to(x) - to(self.p50) if math.isfinite(x) else x
        spread = to(self.p50) - to(self.p10) if distance < 0 else to(self.p90) - to(self.p50)
        if not spread:
            return 0.0 if distance < 0 else 1.0
        if self.law == "uniform":
            return max(0.0, min(1.0, 0.5 + (0.5 - TAIL) * distance / spread))
        return NORMAL.cdf(distance / spread * NORMAL.inv_cdf(1 - TAIL))

    def _whole(self, x: float) -> float:
        if not self.step:
            return x
        first = math.ceil(self.low / self.step) * self.step
        return int(max(first, min(self.high, round(x / self.step) * self.step)))


def _score(u: float, law: str) -> float:
    """Where a quantile lies between the median (0) and P10 or P90 (-1, 1) and beyond."""
    if law == "uniform":
        return (u - 0.5) / (0.5 - TAIL)
    if not 0 < u < 1:
        return math.copysign(math.inf, u - 0.5)
    return NORMAL.inv_cdf(u) / NORMAL.inv_cdf(1 - TAIL)


def mixture(path: str, parts: list[tuple[float, Prior]], basis: str, source: str) -> Prior:
    """A prior of parts in rising order, each with its weight; its P10, P50 and P90 are those of the whole.

    Neighbors are cut off halfway between P90 of the one and P10 of the other, so that quantiles rise throughout.
    """
    upto, total, cumulative = 0.0, sum(weight for weight, _ in parts), []
    for n, (weight, part) in enumerate(parts):
        upto += weight / total
        low = (parts[n - 1][1].p90 + part.p10) / 2 if n else part.low
        high = (part.p90 + parts[n + 1][1].p10) / 2 if n + 1 < len(parts) else part.high
        cumulative.append((upto, replace(part, low=low, high=high)))
    found = Prior(path, "mixture", 0, 0, 0, basis=basis, source=source, parts=tuple(cumulative))
    p10, p50, p90 = map(found.quantile, (TAIL, 0.5, 1 - TAIL))
    return replace(found, p10=p10, p50=p50, p90=p90)
