"""Fits a market of providers to histories: the nearest preset, its few free numbers by simulated moments, its firms."""

import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from sim.calibration.chains import Progress
from sim.calibration.histories import Histories
from sim.calibration.provider_figures import MOVES, Figures, exits, of_firms, of_market
from sim.calibration.provider_market import Aims, changed, observe, settle, with_firms
from sim.calibration.settings import number, settings
from sim.model.fields import Scenario
from sim.study.defaults import CONF
from sim.study.posterior import MomentFit, NearestDraws, moment_fit, nearest
from sim.study.presets import uncalibrated
from sim.study.prior_laws import Prior
from sim.study.priors import priors_of, values

ATTENTION = "consumer.attention"
FREE = (  # what histories of providers may tell; the others are the preset's
    ATTENTION,
    "market.attention_concentration",
    "market.event_attention",
    "market.taste_concentration",
    "consumer.state_dependence",
    "consumer.habit_weight",
    "consumer.habit_rate",
    "consumer.uncertainty",
)
AROUND = 1.6  # P90 of attention over its median, before the other numbers are known
REACH = 3.0  # standard deviations of the posterior around its mean in which a further pass draws
MOST_MISS = 5.0  # standard errors that a figure counts at most when presets are compared
Tell = Callable[[float], None]


@dataclass
class ProviderFit:
    """A market and what it was fitted to."""

    market: Scenario
    preset: str
    misses: dict[str, float]  # root mean square miss of each preset that was tried, in standard errors
    posterior: MomentFit
    targets: dict[str, tuple[float, float]]  # figures of the panel, and their errors
    figures: Figures  # of the panel
    firms: Figures
    warned: list[str]


def provider_presets() -> list[str]:
    """The markets of providers that are shipped."""
    import yaml

    found = []
    for path in sorted((CONF / "market").glob("*.yaml")):
        market = yaml.safe_load(path.read_text(encoding="utf-8")).get("market") or {}
        found += [path.stem] if market.get("regime") == "provider" else []
    return found


def aims_of(firms: Figures, figures: Figures) -> Aims:
    """What firms are to have, of the figures of a panel."""
    churn, error = firms["churn"].value(), firms["churn"].error()
    moves = float(figures[MOVES].value())
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(firms["churn"].known() & (error > 0), error / churn, np.inf)
    return Aims(firms["share"].value(), np.where(np.isfinite(relative), churn, moves), relative, moves)


def fit(
    h: Histories, prices: np.ndarray | None, names: tuple[str, ...], seed: int, like: str, tell: Progress
) -> ProviderFit:
    """Fit to histories; `like` names the preset to begin with, "" = the one whose figures come nearest."""
    figures, firms = of_market(h), of_firms(h)
    targets = {n: (float(f.value()), float(f.error())) for n, f in figures.items() if f.known() and f.error() > 0}
    aims = aims_of(firms, figures)
    misses, best, preset = {}, None, ""
    tried = [like] if like else provider_presets()
    for n, name in enumerate(tried):
        tell("comparing presets", n / len(tried))
        market = _begin(uncalibrated(f"market={name}"), h, aims, prices, names, seed)
        misses[name] = _miss(of_market(observe(market, h, int(number("provider", "people")), seed + 1)), targets)
        if best is None or misses[name] < misses[preset]:
            best, preset = market, name
    assert best is not None
    size = int(number("provider", "settled")), int(number("provider", "rounds"))
    free, passes = free_numbers(best), int(number("provider", "passes"))
    low, high = np.zeros(len(free)), np.ones(len(free))
    for n in range(passes):
        part_of = partial(_part_done, tell, n, passes)
        kept = _nearest(best, free, h, targets, seed + 10_000 * n, (low, high), part_of)
        posterior = moment_fit(best, free, targets, kept)
        tell("settling shares", 0.0)
        best = settle(changed(best, medians(posterior)), h, aims, *size, seed + 2 + n)
        low, high = _region(kept, low, high)
    return ProviderFit(best, preset, misses, posterior, targets, figures, firms, _ridges(posterior))


def medians(posterior: MomentFit) -> dict[str, float]:
    """The median of each number."""
    return {str(r.path): float(r.p50) for r in posterior.table.itertuples()}


def _part_done(tell: Progress, before: int, passes: int, part: float) -> None:
    tell("fitting", (before + part) / passes)


def _region(kept: NearestDraws, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of the priors, as quantiles, that holds what has been kept: the next points are drawn there.

    Source: Fearnhead & Prangle (2012), J. R. Stat. Soc. B 74, 419-474: a pilot run to cut the prior.
    """
    from scipy.special import ndtr, ndtri

    scores = ndtri(kept.chances)
    middle = kept.weights @ scores
    reach = REACH * np.sqrt(kept.weights @ (scores - middle) ** 2)
    return np.maximum(low, ndtr(middle - reach)), np.minimum(high, ndtr(middle + reach))


def _begin(
    base: Scenario, h: Histories, aims: Aims, prices: np.ndarray | None, names: tuple[str, ...], seed: int
) -> Scenario:
    """A preset with the panel's firms, shares and level of moving."""
    market = with_firms(base, names, aims.share, prices)
    rate, _, gone = exits(h)
    if gone:
        market = changed(market, {"consumer.turnover": float(f"{min(max(rate, 0.001), 4.0):.4g}")})
    return settle(
        market, h, aims, int(number("provider", "people")), max(4, int(number("provider", "rounds")) // 2), seed
    )


def _miss(found: Figures, targets: Mapping[str, tuple[float, float]]) -> float:
    misses = [min(abs(float(found[n].value()) - v) / e, MOST_MISS) for n, (v, e) in targets.items()]
    return float(np.sqrt(np.mean(np.square(np.nan_to_num(misses, nan=MOST_MISS)))))


def free_numbers(base: Scenario) -> dict[str, Prior]:
    """The priors of what is fitted in a market."""
    known = priors_of(base)
    free = {path: known[path] for path in FREE if path in known}
    if not base.market.contract_weeks:
        free.pop("market.event_attention", None)
    level = base.consumer.attention
    own: dict[str, tuple[float, ...]] = {ATTENTION: (level / AROUND, level, level * AROUND, 1.0)}
    for path, value in settings()["provider_priors"].items():
        assert isinstance(value, list)
        own[path] = (*value, known[path].high) if path in known else (*value, math.inf)
    for path, (p10, p50, p90, high) in own.items():
        free[path] = Prior(path, "lognormal", p10, p50, p90, low=0.0, high=high)
    return {path: free[path] for path in FREE if path in free}


def _nearest(
    base: Scenario,
    free: Mapping[str, Prior],
    h: Histories,
    targets: Mapping[str, tuple[float, float]],
    seed: int,
    region: tuple[np.ndarray, np.ndarray],
    tell: Tell,
) -> NearestDraws:
    """Points of the posterior of the free numbers, drawn in a region of the priors; presence and costs are held."""
    people, done, (low, high) = int(number("provider", "people")), iter(range(1, 10**9)), region

    def model(points: np.ndarray) -> np.ndarray:
        within = low + (high - low) * points

        def one(n: int) -> list[float]:
            market = changed(base, values(base, dict(zip(free, map(float, within[n]), strict=True)), free))
            found = of_market(observe(market, h, people, (seed + 1000 + n) % 2**31))
            tell(next(done) / len(points))
            figures = [float(found[name].value()) for name in targets]
            return [v if np.isfinite(v) else float(found[MOVES].value()) for v in figures]  # nobody to count: as of all

        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            return np.array(list(pool.map(one, range(len(points)))))[None]
        finally:
            pool.shutdown(cancel_futures=True)

    size = {"points": int(number("provider", "points")), "keep": number("provider", "keep")}
    kept = nearest(model, len(free), list(targets.values()), **size, seed=seed)  # type: ignore[arg-type]
    return kept._replace(chances=low + (high - low) * kept.chances)


def _ridges(posterior: MomentFit) -> list[str]:
    return [
        f"{a} and {b} cannot be told apart by this panel (correlation {r:.2f} in the posterior)."
        for a, b, r in posterior.ridges.itertuples(index=False)
    ]
