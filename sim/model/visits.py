"""What a visit is to be expected to bring at each firm before week 0: for the past of people who are born into it."""

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from sim.model.fields import Firm, Market, Scenario
from sim.model.rules.experience import repair

INCIDENT, DEPTH, HARM, PRAISE, BLAME, TELLERS, REGRET, SORRY, ANCHORED, SPREAD = range(10)  # of `expected_visits`
HEIGHTS, PEAKS = 81, 161  # of anchors and of visits that are told apart

Floats = npt.NDArray[np.float32]


def expected_visits(s: Scenario, neighbors: int, voice: tuple[float, float] = (1.0, 1.0)) -> Floats:
    """[j, column] what a visit is to be expected to bring, all firms as before any lever moves.

    Chance of an incident, its depth (CX), harm (CX); steps of memory by words a week, good and bad, for one who never
    used the firm, and the shape of the gamma law by which people differ in what they hear; regret of a visit and of an
    incident (CX); how much worse a visit feels per unit of anchor pull, and its SD (CX). `neighbors` receive what a
    person sends, 0 where nobody talks; `voice` is its mean and its mean square.
    """
    whole = sum(firm.presence for firm in s.firms.values())
    rows = []
    for firm in s.firms.values():
        incident, depth = below(firm, s.market, s.market.delight_threshold)
        good, _ = below(firm, s.market, s.market.delight_threshold, -1)
        users = neighbors * firm.presence / whole
        heard = users * voice[0] * s.market.wom_weight
        praise = heard * s.market.positive_wom * good
        blame = heard * s.market.negative_wom * s.market.wom_negative * incident
        struck = regret_beyond(firm, s.market, s.market.delight_threshold) / incident if incident else 0.0
        felt = (anchored(firm, s.market), spread(firm, s.market))
        told = (praise, blame, users * voice[0] ** 2 / voice[1] if voice[1] else 0.0)
        rows.append(
            (incident, depth, harm_a_visit(firm, s.market), *told, regret_beyond(firm, s.market, 0.0), struck, *felt)
        )
    return np.array(rows, np.float32)


def below(firm: Firm, market: Market, threshold: float, side: int = 1) -> tuple[float, float]:
    """Chance that a visit is further than a threshold below what is expected (side -1: above), and how far it is then.

    Expectation follows visits by `expectation_rate` and so scatters about their mean.

    >>> chance, depth = below(Firm(delight_rate=0.0), Market(expectation_rate=0.0), 2.0)
    >>> round(chance, 4), round(depth, 2)
    (0.0228, 2.37)
    """
    parts, mean, wide = list(_parts(firm, market)), mean_visit(firm, market), surprise(firm, market)
    if wide == 0:
        return 0.0, threshold
    chance = deep = 0.0
    for weight, offset in parts:
        z = (threshold + side * (offset - mean)) / wide
        tail = math.erfc(z / math.sqrt(2)) / 2
        chance += weight * tail
        deep += weight * (wide * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) - side * (offset - mean) * tail)
    return chance, deep / chance if chance else threshold


def harm_a_visit(firm: Firm, market: Market) -> float:
    """The harm that a visit leaves unrepaired, in the mean, CX."""
    return sum(weight * harm for weight, harm in _harms(firm, market))


def mean_visit(firm: Firm, market: Market) -> float:
    """The experience of a visit beyond quality, in the mean, CX."""
    return sum(weight * offset for weight, offset in _parts(firm, market))


def spread(firm: Firm, market: Market) -> float:
    """SD of the experience of a visit, CX: noise, delight and failures."""
    moments = sum(weight * offset**2 for weight, offset in _parts(firm, market))
    return math.sqrt(firm.consistency_sd**2 + max(moments - mean_visit(firm, market) ** 2, 0.0))


def surprise(firm: Firm, market: Market) -> float:
    """SD of a visit without delight or failure about what is expected, which itself scatters, CX."""
    return firm.consistency_sd * math.sqrt(1 + market.expectation_rate / (2 - market.expectation_rate))


def regret_beyond(firm: Firm, market: Market, threshold: float) -> float:
    """The regret that visits leave which are further than a threshold below what is expected, a visit of all, CX.

    It is the harm, but no more than was missed of what was expected.
    """
    mean, wide, whole = mean_visit(firm, market), surprise(firm, market), 0.0
    for (moment, lift), (chance, harm) in product(_moments(firm, market), list(_harms(firm, market))):
        missed = mean - lift + harm
        beyond = math.erfc((threshold - missed) / wide / math.sqrt(2)) / 2 if wide else float(missed > threshold)
        more = above(missed - threshold, wide) - above(missed - harm, wide) if harm > threshold else 0.0
        whole += moment * chance * (min(harm, threshold) * beyond + more)
    return whole


def above(mean: float, sd: float) -> float:
    """The mean of what lies above 0 of a normal variate, 0 for the rest.

    >>> round(above(0.0, 1.0), 4), above(2.0, 0.0), above(-1.0, 0.0)
    (0.3989, 2.0, 0.0)
    """
    if sd == 0:
        return max(mean, 0.0)
    z = mean / sd
    return mean * math.erfc(-z / math.sqrt(2)) / 2 + sd * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def anchored(firm: Firm, market: Market) -> float:
    """How much worse a visit of a customer feels for an anchor here, in the mean, CX for an anchor pull of 1 (#77)."""
    of = [(weight, offset - mean_visit(firm, market)) for weight, offset in _parts(firm, market)]
    return _height_when_below(
        tuple(of), surprise(firm, market), market.delight_threshold, 2 ** (-1 / market.anchor_half_life)
    )


@lru_cache(maxsize=256)
def _height_when_below(parts: tuple[tuple[float, float], ...], sd: float, threshold: float, kept: float) -> float:
    """Mean height of the anchor at visits below expectation, 0 at others, of one visit a week: a Markov chain."""
    if sd == 0:
        return 0.0
    far = 4 * sd + max(abs(offset) for _, offset in parts)
    peaks, heights = np.linspace(-far, far, PEAKS), np.linspace(0, max(far, 2 * threshold), HEIGHTS)
    weights, offsets = np.array(parts).T[:, :, None]
    chance = (weights * np.exp(-(((peaks - offsets) / sd) ** 2) / 2)).sum(axis=0)
    chance /= chance.sum()
    high, peak = np.meshgrid(heights * kept, peaks, indexing="ij")
    then = np.where((peak > threshold) & (peak > high), peak, np.where(peak < 0, np.maximum(high + peak, 0), high))
    at = np.minimum(then / heights[1], HEIGHTS - 1 - 1e-9)
    low, part = at.astype(int), at - at.astype(int)
    week, rows = np.zeros((HEIGHTS, HEIGHTS)), np.arange(HEIGHTS)[:, None]
    np.add.at(week, (rows, low), chance * (1 - part))
    np.add.at(week, (rows, low + 1), chance * part)
    law = np.linalg.solve(np.eye(HEIGHTS) - week.T + 1, np.ones(HEIGHTS))  # the stationary one: it sums to 1
    return float(law @ heights * kept * chance[peaks < 0].sum())


def _parts(firm: Firm, market: Market) -> Iterator[tuple[float, float]]:
    """The kinds of visit: chance, and experience beyond quality, CX."""
    for (weight, lift), (chance, harm) in product(_moments(firm, market), list(_harms(firm, market))):
        yield weight * chance, lift - harm


def _moments(firm: Firm, market: Market) -> tuple[tuple[float, float], tuple[float, float]]:
    """Chance of each kind of moment at a visit, usual and of delight, and what it adds."""
    return (1 - firm.delight_rate, 0.0), (firm.delight_rate, market.delight_peak)


def _harms(firm: Firm, market: Market) -> Iterator[tuple[float, float]]:
    """Chance of each kind of failure at a visit, and of none, and the harm left unrepaired in the mean."""
    none = 1.0
    minor = (1 - market.major_share, 1.0, market.complain_minor)
    major = (market.major_share, market.major_factor, market.complain_major)
    for point in firm.touchpoints.values():
        chance = point.use * point.failure_rate
        none -= chance
        for share, factor, complains in (minor, major):
            yield chance * share, point.severity * factor * (1 - complains * repair(firm, market))
    yield none, 0.0
