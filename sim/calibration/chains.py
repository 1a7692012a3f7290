"""Runs chains of the sampler side by side, shows how far they are, and stops when asked to."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.calibration.choices import Choices, Terms, Variant, data_of
from sim.calibration.compiled.likelihood import Data
from sim.calibration.compiled.sampler import HyperPrior, State, refresh, sweeps
from sim.calibration.settings import number, prior_of

Progress = Callable[[str, float], None]  # what is being done, and the part of it that is done
PATIENCE = 0.2  # seconds between looks at whether to stop
ENDING = 1.0  # seconds that a chain which was told to stop is waited for
SLOW, FAST = 0.002, 0.01  # paces of learning the covariance of the common parameters: many draws tell many of them
TURNS = 4.0  # of which a burn-in has so many at least
FIRST_STEP = 0.1  # of the prior's spread, of a proposal before anything is learned


@dataclass
class Draws:
    """Posterior draws d of one variant; p parameters a household, C in common."""

    variant: Variant
    theta: np.ndarray  # [d, i, p] float32
    mu: np.ndarray  # [d, p]
    sigma: np.ndarray  # [d, p, p]
    common: np.ndarray  # [d, C]


def both(one: Draws, other: Draws) -> Draws:
    """The draws of two chains of one variant."""
    pairs = [np.concatenate([getattr(one, n), getattr(other, n)]) for n in ("theta", "mu", "sigma", "common")]
    return Draws(one.variant, *pairs)


@dataclass(frozen=True)
class Length:
    """How many sweeps, and how many draws are kept of them."""

    burn_in: int
    sweeps: int
    draws: int


def length_of(choices: Choices, part: float = 1.0) -> Length:
    """The length of a chain for so many choices; `part` of the full length, for the inner split."""
    size = len(choices.y) * len(choices.brands)
    factor = max(number("sampler", "least"), min(1.0, number("sampler", "full_size") / max(size, 1))) * part
    most = number("sampler", "stored") / max(len(choices.households), 1)
    draws = int(max(number("sampler", "fewest_draws"), min(number("sampler", "draws"), most)))
    thin = max(1, round(number("sampler", "sweeps") * factor / draws))
    return Length(round(number("sampler", "burn_in") * factor), thin * draws, draws)


def initial_state(data: Data, prior: HyperPrior, seed: int) -> State:
    """A chain's beginning: everybody at market shares, spread as the prior says."""
    households, p = len(data.start) - 1, len(prior.mean)
    share = np.maximum(data.share, 1e-4)
    mu = prior.mean.copy()
    mu[: len(share) - 1] = np.log(share[1:] / share[0])
    theta = np.tile(mu, (households, 1))
    sigma = np.diag(prior.scale**2 / 4)
    state = State(
        *(theta, mu, sigma, np.ones(p), prior.common_mean.copy()),
        *(np.zeros(data.x.shape), np.zeros(data.x.shape), np.zeros(households), np.zeros(households), theta.copy()),
        *(theta.copy(), np.tile(sigma, (households, 1, 1)), np.tile(np.sqrt(sigma), (households, 1, 1))),
        np.full(households, -0.3),
        *(prior.common_mean.copy(), np.diag((FIRST_STEP * prior.common_sd) ** 2)),
        np.diag(FIRST_STEP * prior.common_sd),
        np.full(1 + 2 * p, -1.5),
        np.array([seed], np.uint64),
        np.zeros((4, data.x.shape[1])),
    )
    refresh(data, state)
    return state


class Chain:
    """One chain, which can be asked to stop."""

    def __init__(self, choices: Choices, terms: Terms, variant: Variant, length: Length, seed: int):
        data, self.prior = data_of(choices, terms, variant), prior_of(terms, variant)
        # Sampled are tastes in the middle of the histories, for those at the end hang together with the trend.
        self.middle = float(data.to_come.mean()) if terms.trend and len(choices.y) else 0.0
        self.data = data._replace(to_come=data.to_come - self.middle)
        self.length, self.seed = length, seed
        d, (i, p) = length.draws, (len(choices.households), len(self.prior.mean))
        self.draws = Draws(
            variant,
            np.zeros((d, i, p), np.float32),
            np.zeros((d, p)),
            np.zeros((d, p, p)),
            np.zeros((d, len(self.prior.common_mean))),
        )
        self.done, self.stop = 0.0, False

    def run(self) -> None:
        """All sweeps, a few at a time; the draws are in `draws`."""
        state = initial_state(self.data, self.prior, self.seed)
        burn_in, kept = self.length.burn_in, self.length.sweeps
        thin, sweep, chunk = kept // self.length.draws, -burn_in, 1
        pace = min(max(TURNS / max(burn_in, 1), SLOW), FAST)
        kept = thin * self.length.draws
        while sweep <= kept and not self.stop:
            last = -1 if sweep < 0 else ((sweep + thin - 1) // thin) * thin if sweep > 0 else 0
            many = max(1, min(chunk, last - sweep + 1))
            began = time.perf_counter()
            sweeps(self.data, self.prior, state, sweep, many, pace)
            took = time.perf_counter() - began
            chunk = max(1, min(2 * chunk, int(many * PATIENCE / max(took, 1e-6))))
            sweep += many
            if sweep > 1 and (sweep - 1) % thin == 0:
                self._keep(state, (sweep - 1) // thin - 1)
            self.done = (sweep + burn_in) / (kept + burn_in + 1)

    def _keep(self, state: State, d: int) -> None:
        draws = self.draws
        draws.theta[d], draws.mu[d], draws.sigma[d], draws.common[d] = state.theta, state.mu, state.sigma, state.common
        if self.data.trend:
            _, brands, others = self.data.f.shape
            gained = self.middle * state.common[others : others + brands - 1]
            draws.theta[d, :, : brands - 1] += gained
            draws.mu[d, : brands - 1] += gained


def run_chains(chains: Sequence[Chain], progress: Progress, what: str) -> list[Draws]:
    """The draws of all chains, which run in as many threads as there are cores. Order and threads change nothing."""
    queue, errors = list(chains), list[Exception]()

    def work() -> None:
        while queue and not errors:
            try:
                queue.pop(0).run()
            except Exception as error:  # carried to the main thread
                errors.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(len(chains), os.cpu_count() or 1))]
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(PATIENCE)
            progress(what, sum(chain.done for chain in chains) / len(chains))
    finally:
        queue.clear()
        for chain in chains:
            chain.stop = True
        for thread in threads:  # a process must not end beside a thread in compiled code
            if thread.is_alive():
                thread.join(ENDING)
    if errors:
        raise errors[0]
    return [chain.draws for chain in chains]
