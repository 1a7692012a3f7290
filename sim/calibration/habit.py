"""Is repeat buying habit or taste? Habit, estimated on a panel as it is and with its rows shuffled."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sim.calibration.chains import Chain, Draws, Progress, length_of, run_chains
from sim.calibration.choices import Choices, Terms, take_purchases
from sim.calibration.fit import VARIANTS, basic_terms
from sim.calibration.forecast import occasions, simulate
from sim.calibration.posterior import Posterior

BEGINNINGS = {  # name of the variant -> what it takes for the household's past before the panel
    "simulator": "habit begins at market shares",
    "given_first": "given the first purchase (Wooldridge)",
}
FREE_RUNS = 40
SHUFFLES = 5
MOST_ERRORS, MOST_ADDED = (
    2.5,
    0.015,
)  # of habit in shuffled rows: standard errors of its weight, and points of repeat rate


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
        """Means; the error is that of one shuffle, for all shuffles are of the same purchases."""
        return Habit(*np.mean(self.each, axis=0).tolist())

    @property
    def passed(self) -> bool:
        """Whether habit is not told from none, and adds next to nothing to the repeat rate."""
        mean = self.mean
        return abs(mean.weight) < MOST_ERRORS * mean.error and mean.added < MOST_ADDED


def shuffled(choices: Choices, seed: int) -> Choices:
    """The same purchases with their prices, in a random order within each household: tastes without habit."""
    order = np.lexsort((np.random.default_rng(seed).random(len(choices.y)), choices.hh))
    mixed = take_purchases(choices, np.ones(len(choices.y), bool))
    blocks = [None if b is None else b[order] for b in (choices.prices, choices.features, choices.displays)]
    prices, features, displays = blocks
    found = replace(mixed, y=choices.y[order], prices=prices, features=features, displays=displays)
    return replace(found, place=choices.place[order])


def with_control(
    choices: Choices, variants: tuple[str, ...], seed: int, progress: Progress, part: float = 1.0
) -> tuple[dict[str, Habit], Control]:
    """(habit by variant, the control of `simulator`), from SHUFFLES shuffles and the rows as they are."""
    mixed = {f"shuffled {k}": shuffled(choices, seed + k) for k in range(SHUFFLES)}
    found = estimates({"as it is": choices}, variants, seed, progress, part) if variants else {}
    control = estimates(mixed, ("simulator",), seed, progress, part)
    return {variant: habit for (_, variant), habit in found.items()}, Control(tuple(control.values()))


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
    at.known[:] = np.arange(len(choices.households))
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
