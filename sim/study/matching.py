"""Plausible worlds by history matching: draws from the priors, moved step by step to where they give what was measured.

Subset simulation for approximate Bayesian computation (Chiachio, Beck, Chiachio & Rus 2014, SIAM J. Sci. Comput. 36):
the best of the first draws are kept; in each wave the better half are parents, and a child that is no worse than the
worst of them takes a place. A child is a Crank-Nicolson step from its parent in the normal scores of its quantiles,
under which the priors stay what they are (Cotter, Roberts, Stuart & White 2013, Stat. Sci. 28): a number that nothing
measured depends on keeps its prior, however many waves there are.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from sim.study.priors import uniform

NORMAL = NormalDist()
GOOD = 1.0  # root mean square of the misses, in standard errors, below which a world is as good as what was measured
MOST_MISS = 3.0  # standard errors that a miss counts at most: what no world gives decides nothing
STEP, LEAST_TAKEN = 0.5, 0.1  # of a child from its parent, in normal scores; share of children below which waves end
DISTINCT = 0.8  # share of worlds that are to differ: a parent whose child is no better stays, and may be there twice
Chances = Mapping[str, float]  # path: quantile, 0 to 1


@dataclass(frozen=True)
class Trial:
    """Quantiles of all numbers, what came out, and how far that is from what was measured."""

    chances: Chances
    found: Mapping[str, float]  # quantity: value, and what else is to be kept of it (presence)
    miss: float


Evaluate = Callable[[Sequence[tuple[str, Chances, Trial | None]]], list[Trial]]  # (name, quantiles, parent) each
Say = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """A quantity that was measured: between low and high in four of five cases, and how good the model is at best."""

    low: float
    high: float
    discrepancy: float = 0.0  # standard error of the model itself, in the unit of the quantity

    def miss(self, value: float, error: float) -> float:
        """How far a simulated value is from the middle, in standard errors of all that is not known.

        >>> round(Target(-1.28155, 1.28155).miss(2.0, 0.0), 3), Target(0, 1).miss(math.nan, 0.1)
        (2.0, inf)
        """
        if math.isnan(value):
            return math.inf
        own = (self.high - self.low) / 2 / NORMAL.inv_cdf(0.9)
        whole = math.sqrt(own**2 + self.discrepancy**2 + (error**2 if math.isfinite(error) else 0.0))
        return abs(value - (self.low + self.high) / 2) / whole


def miss_of(misses: Sequence[float]) -> float:
    """Root mean square of misses, each counted as MOST_MISS at most.

    >>> miss_of([1.0, 1.0]), miss_of([0.0, math.inf]) < MOST_MISS, miss_of([])
    (1.0, True, 0.0)
    """
    return math.sqrt(sum(min(m, MOST_MISS) ** 2 for m in misses) / max(1, len(misses)))


def stepped(parent: Chances, key: str, step: float) -> dict[str, float]:
    """The quantiles of a child: a step from those of its parent that leaves uniform what is uniform."""
    keep = math.sqrt(1 - step**2)
    scores = {p: keep * NORMAL.inv_cdf(u) + step * NORMAL.inv_cdf(uniform(key, p)) for p, u in parent.items()}
    return {p: min(1 - 1e-9, max(1e-9, NORMAL.cdf(z))) for p, z in scores.items()}


def match(
    paths: Sequence[str], evaluate: Evaluate, many: int, first: int, waves: int, say: Say = print, key: str = ""
) -> tuple[list[Trial], list[Trial]]:
    """`many` worlds kept after at most so many waves, and the `first` draws from the priors that they began with.

    `evaluate` is given a wave of named quantiles with the parents they come from, and is called once a wave. The same
    `key` gives the same worlds. Waves end where every world misses by GOOD or less and few are there twice, or where
    hardly a child is taken.
    """
    drawn = [(f"{key} 0 {n}", {p: uniform(f"{key} 0 {n}", p) for p in paths}, None) for n in range(first)]
    start = evaluate(drawn)
    kept, step = sorted(start, key=lambda w: w.miss)[:many], STEP
    say(f"{first} draws from the priors: misses {_range(start)}; the best {many}: {_range(kept)}")
    for wave in range(1, waves + 1):
        edge = max(GOOD, sorted(w.miss for w in kept)[many // 2])
        if max(w.miss for w in kept) <= GOOD and distinct(kept) >= DISTINCT:
            break
        better = [w for w in kept if w.miss <= edge]
        parents = [better[n % len(better)] for n in range(many)]
        names = [f"{key} {wave} {n}" for n in range(many)]
        asked = [(name, stepped(p.chances, name, step), p) for name, p in zip(names, parents, strict=True)]
        children = evaluate(asked)
        taken = sum(c.miss <= edge for c in children)
        kept = [c if c.miss <= edge else p for c, p in zip(children, parents, strict=True)]
        say(
            f"wave {wave}: {taken} of {many} children no worse than {edge:.2f}; misses {_range(kept)}; "
            f"{distinct(kept):.0%} distinct"
        )
        if taken < LEAST_TAKEN * many:
            break
        step = min(0.9, 1.3 * step) if taken > many / 2 else 0.7 * step if taken < many / 4 else step
    return kept, start


def distinct(worlds: Sequence[Trial]) -> float:
    """The share of worlds left when each is counted once."""
    return len({tuple(w.chances.values()) for w in worlds}) / len(worlds)


def _range(worlds: Sequence[Trial]) -> str:
    misses = sorted(w.miss for w in worlds)
    return f"{misses[0]:.2f} to {misses[-1]:.2f}, median {misses[len(misses) // 2]:.2f}"
