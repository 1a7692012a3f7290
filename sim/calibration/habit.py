"""Is repeat buying habit or taste? Habit, estimated on a panel as it is and with its rows shuffled."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sim.calibration.chains import Chain, Draws, Progress, length_of, run_chains
from sim.calibration.choices import Choices, Terms, take_purchases
from sim.calibration.fit import VARIANTS, basic_terms
from sim.calibration.forecast import occasions, simulate
from sim.calibration.posterior import Posterior
from sim.facts.scoreboard import HOLDS, MISSES, UNDECIDED, in_errors, verdict_of

BEGINNINGS = {  # name of the variant -> what it takes for the household's past before the panel
    "simulator": "beginning where the panel says",
    "given_first": "given the first purchase (Wooldridge)",
}
FREE_RUNS = 40
SHUFFLES = 5
MOST_ERRORS, MOST_ADDED = 2.5, 0.015  # of habit in shuffled rows: errors of its weight, points of repeat rate


class Habit(NamedTuple):
    """What a panel says of habit; errors are posterior standard deviations."""

    weight: float  # logit
    error: float
    added: float  # repeat rate of free runs over the panel's own occasions, less the same without habit
    added_error: float  # over draws of the posterior, one a free run


class Control(NamedTuple):
    """Habit in rows that were shuffled, where there is none: the mean over shuffles."""

    each: tuple[Habit, ...]

    @property
    def mean(self) -> Habit:
        """Means; their errors are those of one shuffle, for all shuffles are of the same purchases.

        So they hold what the panel leaves open of its households, which no number of shuffles makes smaller.
        """
        return Habit(*np.mean(self.each, axis=0).tolist())

    @property
    def spread(self) -> tuple[float, float]:
        """Errors of the mean weight and of what it adds: of the order of rows, the sampler's draws and free runs.

        Which households are in the panel is not in them. nan of a single shuffle.
        """
        each = np.array([(habit.weight, habit.added) for habit in self.each])
        if len(each) < 2:
            return float("nan"), float("nan")
        weight, added = each.std(axis=0, ddof=1) / len(each) ** 0.5
        return float(weight), float(added)

    @property
    def verdicts(self) -> tuple[str, str]:
        """Whether habit is not told from none, and whether it adds next to nothing to the repeat rate."""
        mean, (weight, added) = self.mean, self.spread
        return (
            verdict_of(in_errors(MOST_ERRORS - abs(mean.weight) / mean.error, weight / mean.error)),
            verdict_of(in_errors(MOST_ADDED - mean.added, added)),
        )

    @property
    def verdict(self) -> str:
        """Both together: MISSES if one misses, HOLDS if both hold."""
        both = set(self.verdicts)
        return MISSES if MISSES in both else UNDECIDED if UNDECIDED in both else HOLDS


def shuffled(choices: Choices, seed: int) -> Choices:
    """The same purchases with their prices, in a random order within each household: tastes without habit."""
    order = np.lexsort((np.random.default_rng(seed).random(len(choices.y)), choices.hh))
    mixed = take_purchases(choices, np.ones(len(choices.y), bool))
    blocks = [None if b is None else b[order] for b in (choices.prices, choices.features, choices.displays)]
    prices, features, displays = blocks
    found = replace(mixed, y=choices.y[order], prices=prices, features=features, displays=displays)
    return replace(found, place=choices.place[order])


def control_of(choices: Choices, seed: int, progress: Progress, part: float = 1.0, shuffles: int = SHUFFLES) -> Control:
    """The control of `simulator`; `part` of the full length of the sampler."""
    mixed = {f"shuffled {k}": shuffled(choices, seed + k) for k in range(shuffles)}
    return Control(tuple(estimates(mixed, ("simulator",), seed, progress, part).values()))


def estimates(
    panels: dict[str, Choices], variants: tuple[str, ...], seed: int, progress: Progress, part: float = 1.0
) -> dict[tuple[str, str], Habit]:
    """(name of the choices, name of the variant) -> habit; `part` of the full length of the sampler."""
    terms = {name: basic_terms(choices) for name, choices in panels.items()}
    chains = {}
    for name, choices in panels.items():
        for k, variant in enumerate(variants):
            length = length_of(choices, part)
            length = replace(length, draws=min(length.draws, length.sweeps))
            chains[name, variant] = Chain(choices, terms[name], VARIANTS[variant], length, seed + k)
    draws = run_chains(list(chains.values()), progress, "estimating habit")
    return {key: habit_of(panels[key[0]], terms[key[0]], mine, seed) for key, mine in zip(chains, draws, strict=True)}


def habit_of(choices: Choices, terms: Terms, draws: Draws, seed: int) -> Habit:
    """Weight of habit, and what it adds to the repeat rate where the variant can run free (nan for others)."""
    weight = draws.common[:, -2]
    if draws.variant.given_first or draws.variant.gains:
        return Habit(float(weight.mean()), float(weight.std()), float("nan"), float("nan"))
    at = occasions(choices, choices.start[:-1].copy(), choices.households, np.zeros(len(choices.households), np.uint64))
    at = replace(at, known=np.arange(len(choices.households)), told=choices.start[1:])
    market = Posterior(
        choices.brands, (), terms, {"simulator": draws}, {"simulator": 1.0}, "simulator", choices.households, at.seeds
    )
    market.seed = seed
    each = repeats(simulate(market, at, FREE_RUNS), choices) - repeats(simulate(market, at, FREE_RUNS, False), choices)
    return Habit(float(weight.mean()), float(weight.std()), float(each.mean()), float(each.std(ddof=1)))


def repeats(paths: np.ndarray, choices: Choices) -> np.ndarray:
    """[replication] how often the brand of the purchase before is bought again."""
    rows = np.flatnonzero(choices.nth > 0)
    return (paths[:, rows] == paths[:, rows - 1]).mean(axis=1)
