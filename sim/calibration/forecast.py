"""What a calibrated market expects of households from the end of their history: one-step chances, free runs."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from sim.calibration.chains import Draws
from sim.calibration.choices import Choices, Terms, data_of, digests, take_purchases
from sim.calibration.compiled.likelihood import Data
from sim.calibration.compiled.predictive import Hyper, draw_households, follow, run_free
from sim.calibration.posterior import Posterior
from sim.panel.folds import mixed

ODD = np.uint64(0x9E3779B97F4A7C15)
Tell = Callable[[float], None]


@dataclass
class Occasions:
    """Households' histories, and the occasions that follow: purchases from `given` on."""

    choices: Choices
    given: np.ndarray  # [i] the first purchase that is not history
    seeds: np.ndarray  # [i] uint64, which depend on nothing that is not known at `given`
    known: np.ndarray  # [i] place in the posterior of households with this very history; -1 for others
    told: np.ndarray  # [i] the end of the purchases at whose prices they are taken to rest, which were fitted

    @property
    def asked(self) -> np.ndarray:
        """[n] whether a purchase is one that follows."""
        return np.arange(len(self.choices.y)) >= self.given[self.choices.hh]


def occasions(choices: Choices, given: np.ndarray, households: np.ndarray, digest: np.ndarray) -> Occasions:
    """Where these households stand; `households` and `digest` are those of a posterior."""
    asked = np.arange(len(choices.y)) >= given[choices.hh]
    past = digests_of(take_purchases(choices, ~asked))
    place = {name: i for i, name in enumerate(households.tolist())}
    known = np.array([place.get(name, -1) for name in choices.households.tolist()], np.int64)
    known = np.where((known >= 0) & (past == np.append(digest, np.uint64(0))[known]), known, -1)
    blind = replace(choices, y=np.where(asked, -1, choices.y))
    content = digests_of(blind)
    order = np.argsort(content, kind="stable")  # equal ones differ by their number
    first = np.r_[0, np.flatnonzero(np.diff(content[order]) != 0) + 1] if len(order) else np.zeros(0, np.int64)
    number = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    again = np.empty(len(order), np.uint64)
    again[order] = number.astype(np.uint64)
    return Occasions(choices, given, mixed(content + ODD * again), known, given)


def digests_of(choices: Choices) -> np.ndarray:
    """[i] hash of what each household bought; 0 for those who bought nothing."""
    some = np.diff(choices.start) > 0
    result = np.zeros(len(choices.households), np.uint64)
    if some.any():
        start = np.r_[choices.start[:-1][some], choices.start[-1]]
        result[some] = digests(replace(choices, households=choices.households[some], start=start))
    return result


def hyper_of(draws: Draws) -> Hyper:
    """The draws of the population, as compiled code reads them."""
    lower = np.linalg.cholesky(draws.sigma)
    return Hyper(draws.mu, lower, np.ascontiguousarray(np.tril(np.linalg.inv(lower))), draws.common)


def chances(at: Occasions, terms: Terms, draws: Draws, habit: bool, tell: Tell) -> np.ndarray:
    """[n, j] one-step chances of one variant; rows before `given` are 0, and nan where the variant has no answer."""
    data, hyper = data_of(at.choices, terms, draws.variant, habit, at.told), hyper_of(draws)
    result = np.zeros(data.x.shape)

    def one(i: int) -> None:
        if draws.variant.given_first and at.given[i] == data.start[i]:
            result[data.start[i] : data.start[i + 1]] = np.nan  # it tells nothing of a first purchase
            return
        theta, which, random = _household(at, draws, hyper, i)
        follow(data, i, at.given[i], at.known[i] >= 0, hyper, theta, which, random, result)

    _every(one, np.arange(len(at.given)), tell)
    return result


def _household(at: Occasions, draws: Draws, hyper: Hyper, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(parameters [d, p], their draws of the population [d], the stream of random numbers) of household i."""
    random, many = at.seeds[i : i + 1].copy(), len(draws.mu)
    if at.known[i] >= 0:
        theta = draws.theta[:, at.known[i]].astype(np.float64)
    else:
        theta = np.empty((many, draws.mu.shape[1]))
        draw_households(hyper, theta, random)
    return theta, np.arange(many), random


def _every(one: Callable[[int], None], households: np.ndarray, tell: Tell) -> None:
    """Do it for each of the households, on all cores; what comes out does not depend on which does what."""
    step = 8

    def block_of(some: list[int]) -> None:
        for i in some:
            one(i)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = [households[low : low + step].tolist() for low in range(0, len(households), step)]
        waiting = [pool.submit(block_of, block) for block in blocks]
        try:
            for number, future in enumerate(waiting, 1):
                future.result()
                tell(number / len(waiting))
        except BaseException:
            for future in waiting:
                future.cancel()
            raise


def pooled(each: list[np.ndarray], weights: list[float]) -> np.ndarray:
    """[n, j] weighted mean of the variants that have an answer."""
    shares = [np.where(np.isnan(p), 0.0, w) for p, w in zip(each, weights, strict=True)]
    total = np.sum([s * np.nan_to_num(p) for s, p in zip(shares, each, strict=True)], axis=0)
    return total / np.maximum(np.sum(shares, axis=0), 1e-300)


def predict(posterior: Posterior, at: Occasions, habit: bool = True, tell: Tell = lambda part: None) -> np.ndarray:
    """[n, j] one-step chances of the purchases that follow, each from the choices before it; 0 for those before.

    New households have no first purchase to go by: the simulator's variant answers where no other can.
    """
    names = list(posterior.pool)
    each: list[np.ndarray] = []
    for name in names:
        done = len(each)
        told: Tell = lambda part, done=done: tell((done + part) / len(names))  # type: ignore[misc]  # noqa: E731
        each.append(chances(at, posterior.terms, posterior.draws[name], habit, told))
    result = pooled(each, [posterior.pool[name] for name in names])
    lost = at.asked & (result.sum(axis=1) == 0)
    if lost.any():
        whole = chances(at, posterior.terms, posterior.draws[posterior.simulator], habit, lambda part: None)
        result[lost] = whole[lost]
    return result


def simulate(
    posterior: Posterior, at: Occasions, replications: int, habit: bool = True, tell: Tell = lambda part: None
) -> np.ndarray:
    """[replication, n] the brand of every purchase: history as it was, what follows by own choices.

    The variants that hold whole histories, the first purchase too, share the replications by their weights. Each
    replication has one draw of the population for everybody, and its own random numbers.
    """
    result = np.tile(np.where(at.asked, -1, at.choices.y), (replications, 1))
    names = [n for n in posterior.pool if not posterior.draws[n].variant.given_first] or [posterior.simulator]
    weights = np.array([posterior.pool.get(name, 1.0) for name in names])
    ends = np.round(np.cumsum(weights / weights.sum()) * replications).astype(np.int64)
    for done, (name, rows) in enumerate(zip(names, np.split(np.arange(replications), ends[:-1]), strict=True)):
        told: Tell = lambda part, done=done: tell((done + part) / len(names))  # type: ignore[misc]  # noqa: E731
        if len(rows):
            _every(_free_run(posterior, name, at, rows, habit, result), np.arange(len(at.given)), told)
    return result


def _free_run(
    posterior: Posterior, name: str, at: Occasions, rows: np.ndarray, habit: bool, result: np.ndarray
) -> Callable[[int], None]:
    """What writes the free runs of one household, by one variant, to the rows of `result`."""
    draws = posterior.draws[name]
    hyper, data = hyper_of(draws), data_of(at.choices, posterior.terms, draws.variant, habit, at.told)
    blind: Data = data._replace(y=np.where(at.asked, -1, data.y))
    numbers = ODD * (rows.astype(np.uint64) + np.uint64(1 + (posterior.seed << 20)))
    picks = ((np.arange(len(rows)) + 0.5) * len(draws.mu) / len(rows)).astype(np.int64)

    def one(i: int) -> None:
        theta, which, random = _household(at, draws, hyper, i)
        if at.known[i] < 0 and at.given[i] > data.start[i]:
            past = blind._replace(start=np.array([data.start[i], at.given[i]]), told=at.told[i : i + 1])
            follow(past, 0, at.given[i], False, hyper, theta, which, random, np.zeros((0, data.x.shape[1])))
        for r, d, number in zip(rows, picks, numbers, strict=True):
            own = mixed(at.seeds[i : i + 1] + number)
            run_free(blind, i, at.given[i], theta[d], hyper.common[which[d]], own, result[r])

    return one
