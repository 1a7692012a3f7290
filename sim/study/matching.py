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
FRESH, SEEN = 0.8, 3.0  # share of worlds whose idle numbers are to be drawn anew; errors of a rank correlation
AUXILIARY = ("error ", "presence ")  # how names begin of what is kept of a world and is no outcome
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
    `key` gives the same worlds. Once every world misses by GOOD or less, numbers that nothing seems to depend on are
    drawn anew (`_freshened`), so that worlds are no relatives in them. Waves end where that is done, or where hardly a
    child is taken.
    """
    drawn = [(f"{key} 0 {n}", {p: uniform(f"{key} 0 {n}", p) for p in paths}, None) for n in range(first)]
    start = evaluate(drawn)
    kept, step = sorted(start, key=lambda w: w.miss)[:many], STEP
    say(f"{first} draws from the priors: misses {_range(start)}; the best {many}: {_range(kept)}")
    for wave in range(1, waves + 1):
        edge = max(GOOD, sorted(w.miss for w in kept)[many // 2])
        if max(w.miss for w in kept) <= GOOD:
            return _freshened(kept, seen(start), evaluate, range(wave, waves + 1), say, key), start
        better = [w for w in kept if w.miss <= edge]
        parents = [better[n % len(better)] for n in range(many)]
        names = [f"{key} {wave} {n}" for n in range(many)]
        asked = [(name, stepped(p.chances, name, step), p) for name, p in zip(names, parents, strict=True)]
        children = evaluate(asked)
        taken = sum(c.miss <= edge for c in children)
        kept = [c if c.miss <= edge else p for c, p in zip(children, parents, strict=True)]
        say(f"wave {wave}: {taken} of {many} children no worse than {edge:.2f}; misses {_range(kept)}")
        if taken < LEAST_TAKEN * many:
            break
        step = min(0.9, 1.3 * step) if taken > many / 2 else 0.7 * step if taken < many / 4 else step
    return kept, start


def _freshened(
    kept: list[Trial], active: frozenset[str], evaluate: Evaluate, waves: range, say: Say, key: str
) -> list[Trial]:
    """The worlds with all numbers but `active` drawn anew, as long as they miss by GOOD or less; the others step."""
    fresh = [False] * len(kept)
    for wave in waves:
        if sum(fresh) >= FRESH * len(kept):
            break
        asked = []
        for n, world in enumerate(kept):
            name = f"{key} fresh {wave} {n}"
            near = stepped({p: u for p, u in world.chances.items() if p in active}, name, STEP / 2)
            asked.append((name, {p: near.get(p, uniform(name, p)) for p in world.chances}, world))
        children = evaluate(asked)
        fresh = [f or c.miss <= GOOD for f, c in zip(fresh, children, strict=True)]
        kept = [c if c.miss <= GOOD else p for c, p in zip(children, kept, strict=True)]
        say(f"wave {wave}: all but {len(active)} numbers drawn anew in {sum(fresh)} of {len(kept)} worlds")
    return kept


def seen(drawn: Sequence[Trial]) -> frozenset[str]:
    """The numbers that go with anything that came out, by rank correlation over draws from the priors."""
    import numpy as np
    from scipy.stats import rankdata

    some = [trial for trial in drawn if trial.found]
    if len(some) < 3:
        return frozenset()
    paths = sorted(some[0].chances)
    names = [n for n in some[0].found if not n.startswith(AUXILIARY)]
    columns = [[w.chances[p] for p in paths] for w in some], [[w.found.get(n, math.nan) for n in names] for w in some]
    ranks = (np.apply_along_axis(rankdata, 0, np.array(c, float)) for c in columns)
    numbers, found = ((r - r.mean(axis=0)) / np.where(r.std(axis=0) > 0, r.std(axis=0), 1.0) for r in ranks)
    strength = np.abs(numbers.T @ found).max(axis=1, initial=0.0) / len(some)
    return frozenset(p for p, r in zip(paths, strength, strict=True) if r > SEEN / math.sqrt(len(some)))


def _range(worlds: Sequence[Trial]) -> str:
    misses = sorted(w.miss for w in worlds)
    return f"{misses[0]:.2f} to {misses[-1]:.2f}, median {misses[len(misses) // 2]:.2f}"
