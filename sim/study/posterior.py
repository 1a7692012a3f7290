"""Which numbers fit what was measured: a posterior by approximate Bayesian computation with regression adjustment.

Points are drawn from the priors and simulated, each with dice of its own; those whose figures are nearest to the
targets are kept and moved along a weighted straight line of their normal scores in the figures to where the targets
are. Source: Beaumont, Zhang & Balding (2002), Genetics 162, 2025-2035. Measurement error is added to what is simulated
(Wilkinson 2013, Stat. Appl. Genet. Mol. Biol. 12), so that it is part of the posterior.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.measure.tally import Array
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.study.points import Model, attempted, chosen, model_of, whole_complaints
from sim.study.pools import Workers
from sim.study.prior_laws import Prior
from sim.study.priors import values

if TYPE_CHECKING:
    import pandas as pd

NORMAL = NormalDist()
RIDGE = 0.7  # correlation of two numbers in the posterior from which they are told apart badly
EDGE = 1e-4  # quantiles nearer to 0 or 1 are not drawn
FEWEST = 20  # points kept beyond the numbers of the regression
NAMES = ("p10", "p50", "p90")
Targets = Mapping[str, tuple[float, float]]  # column -> what was measured, and its standard error


class NearestDraws(NamedTuple):
    """Points of the posterior: quantiles of the priors [point, number], their weights, and how far targets are."""

    chances: Array
    weights: Array
    misses: Array  # of each target from the nearest simulated figures, in standard deviations; 0 within them
    failed: int


@dataclass(frozen=True)
class MomentFit:
    """What the targets say of the numbers.

    `table`: path, prior_p10 to prior_p90, p10 to p90, and `narrowed`: by how much the spread (normal scores) shrank, 0
    to 1; what is near 0 was not learned. `ridges`: pairs of numbers that the targets tell apart badly, with their
    correlation. `targets`: column, value, error, and `beyond`: standard deviations that it lies beyond all simulated
    figures. `draws`: values of all numbers, a row a point, with their `weight`.
    """

    table: "pd.DataFrame"
    ridges: "pd.DataFrame"
    targets: "pd.DataFrame"
    draws: "pd.DataFrame"
    failed: int

    def __repr__(self) -> str:
        """One line: each number between the ends of its middle four fifths."""
        ends = ", ".join(f"{row.path} {row.p10:.3g} to {row.p90:.3g}" for row in self.table.itertuples())
        return f"<MomentFit to {', '.join(self.targets['column'])}: {ends}; {len(self.ridges)} ridges>"

    def worlds(self, many: int, seed: int = 1) -> list[dict[str, float]]:
        """So many draws of the posterior as changes of the scenario, for `study.run` and whatever takes worlds."""
        rng = np.random.default_rng(seed)
        rows = rng.choice(len(self.draws), many, p=self.draws["weight"])
        plain = self.draws.drop(columns="weight")
        return [{str(path): value for path, value in plain.iloc[int(n)].items()} for n in rows]


def calibrate(
    base: Scenario,
    targets: Targets,
    priors: Mapping[str, Prior] | None = None,
    *,
    paths: Sequence[str] | None = None,
    points: int = 512,
    keep: float = 0.25,
    seed: int = 1,
    workers: Workers = None,
    folder: Path | str | None = None,
    quiet: bool = False,
) -> MomentFit:
    """The posterior of the free numbers (`paths`, or all with a prior) given `targets` ("share.a": (value, error)).

    `points` draws of the priors are simulated once, of which the nearest `keep` (0 to 1) are used. Presence is held:
    where firms state shares it is solved for the base. Warns of ridges, and of targets that no draw comes near. The
    same seed gives the same posterior. Rows are kept in `folder`. ScenarioError says all that is wrong before any run.

    >>> from sim import build
    >>> base = build({"people": 200, "weeks": 13, "segments": {"all": {}}, "firms": {"a": {}, "b": {}}})
    >>> how = {"paths": ["consumer.state_dependence"], "points": 64, "keep": 0.5, "quiet": True}
    >>> calibrate(base, {"stickiness.a": (0.3, 0.05)}, **how).table["path"].tolist()
    ['consumer.state_dependence']
    """
    wrong = _complaints(targets, points, keep)
    free = attempted(wrong, lambda: chosen(base, paths, priors)) or {}
    wrong += _too_few(points, keep, len(free), len(targets)) if not wrong else []
    how = {"own_dice": True, "workers": workers, "folder": folder, "quiet": quiet}
    model = attempted(wrong, lambda: model_of(base, list(targets), free, **how))  # type: ignore[arg-type]
    if wrong or model is None:
        raise ScenarioError(wrong)
    kept = nearest(model, len(free), list(targets.values()), points=points, keep=keep, seed=seed)
    found = moment_fit(base, free, targets, kept)
    _warn(found)
    return found


def nearest(
    model: Model, numbers: int, targets: Sequence[tuple[float, float]], *, points: int, keep: float, seed: int = 1
) -> NearestDraws:
    """The posterior of any function of uniform numbers: points [point, number] -> [replication, point, column]."""
    from scipy.special import ndtr, ndtri
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    drawn = np.clip(qmc.LatinHypercube(numbers, seed=rng).random(points), EDGE, 1 - EDGE)
    value, error = np.array(targets, float).T
    figures = np.asarray(model(drawn), float).mean(axis=0)
    noisy = figures + error * rng.standard_normal(figures.shape)
    good = np.isfinite(noisy).all(axis=1)
    if wrong := _too_few(int(good.sum()), keep, numbers, len(value)):
        raise ScenarioError([f"{points - int(good.sum())} of {points} runs failed, or lack a figure", *wrong])
    scores, noisy, figures = ndtri(drawn[good]), noisy[good], figures[good]
    scale = np.where(noisy.std(axis=0) > 0, noisy.std(axis=0), 1.0)
    away = (noisy - value) / scale
    distance = np.sqrt((away**2).sum(axis=1))
    reach = np.quantile(distance, keep, method="inverted_cdf") if keep < 1 else np.inf
    near = distance <= reach
    weights = np.maximum(1e-9, 1 - (distance[near] / reach) ** 2)
    adjusted = scores[near] - away[near] @ _slopes(away[near], scores[near], weights)
    beyond = np.maximum(0, np.maximum(figures.min(axis=0) - value, value - figures.max(axis=0)))
    chances = np.clip(ndtr(adjusted), EDGE, 1 - EDGE)
    return NearestDraws(chances, weights / weights.sum(), beyond / np.hypot(scale, error), points - int(good.sum()))


def _slopes(figures: Array, scores: Array, weights: Array) -> Array:
    """[column, number] slopes of the weighted straight line."""
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([np.ones(len(figures)), figures])
    found: Array = np.linalg.lstsq(root * design, root * scores, rcond=None)[0]
    return found[1:]


def moment_fit(base: Scenario, free: Mapping[str, Prior], targets: Targets, kept: NearestDraws) -> MomentFit:
    """The posterior in the numbers' own units."""
    import pandas as pd
    from scipy.special import ndtri

    rows = [values(base, dict(zip(free, map(float, point), strict=True)), free) for point in kept.chances]
    draws = pd.DataFrame(rows, columns=list(free)).assign(weight=kept.weights)
    scores = ndtri(kept.chances)
    middle = kept.weights @ scores
    spread = np.sqrt(kept.weights @ (scores - middle) ** 2)
    lines = []
    for n, (path, prior) in enumerate(free.items()):
        ends = np.quantile(draws[path], (0.1, 0.5, 0.9), weights=kept.weights, method="inverted_cdf")
        before = [prior.quantile(q) for q in (0.1, 0.5, 0.9)]
        lines.append((path, *before, *map(float, ends), max(0.0, 1 - float(spread[n]))))
    table = pd.DataFrame(lines, columns=["path", *(f"prior_{n}" for n in NAMES), *NAMES, "narrowed"])
    goals = [(c, *t, float(miss)) for (c, t), miss in zip(targets.items(), kept.misses, strict=True)]
    aims = pd.DataFrame(goals, columns=["column", "value", "error", "beyond"])
    return MomentFit(table, _ridges(list(free), scores - middle, spread, kept.weights), aims, draws, kept.failed)


def _ridges(names: Sequence[str], centered: Array, spread: Array, weights: Array) -> "pd.DataFrame":
    """first, second, correlation: pairs of numbers whose correlation is RIDGE or more either way."""
    import pandas as pd

    whole = (centered * weights[:, None]).T @ centered / np.outer(spread, spread)
    pairs = [
        (first, second, float(whole[n, m]))
        for n, first in enumerate(names)
        for m, second in enumerate(names)
        if n < m and abs(whole[n, m]) >= RIDGE
    ]
    return pd.DataFrame(sorted(pairs, key=lambda p: -abs(p[2])), columns=["first", "second", "correlation"])


def _warn(found: MomentFit) -> None:
    for first, second, r in found.ridges.itertuples(index=False):
        text = f"{first} and {second} cannot be told apart by these targets (correlation {r:.2f}); hold one, or add one"
        warnings.warn(text, stacklevel=3)
    for row in found.targets[found.targets["beyond"] > 0].itertuples():
        text = f"{row.column}: {row.value:g} is beyond all that was simulated; the posterior is an extrapolation"
        warnings.warn(text, stacklevel=3)


def _complaints(targets: Targets, points: int, keep: float) -> list[str]:
    wrong = whole_complaints(points=(points, 1))
    for column, target in targets.items():
        pair = list(target) if isinstance(target, tuple | list) else []
        if len(pair) != 2 or not all(isinstance(x, int | float) and np.isfinite(x) for x in pair) or pair[1] < 0:
            wrong.append(f"targets.{column}: {target!r} is not a value and its standard error")
    if not 0 < keep <= 1:
        wrong.append(f"keep: {keep!r} is not above 0 and at most 1")
    return wrong


def _too_few(points: int, keep: float, numbers: int, targets: int) -> list[str]:
    needed = FEWEST + max(numbers, targets)
    if points * keep >= needed:
        return []
    return [f"points: {points} x keep {keep:g} leaves {int(points * keep)} points; at least {needed} are needed"]
