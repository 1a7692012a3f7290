"""What a visit is to be expected to bring at each firm before week 0: for the past of people who are born into it."""

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from sim.model.fields import Firm, Market, Scenario
from sim.model.rules.experience import repair

INCIDENT, DEPTH, HARM, PRAISE, BLAME = range(5)  # columns of `expected_visits`

Floats = npt.NDArray[np.float32]


def expected_visits(s: Scenario, neighbors: int) -> Floats:
    """[j, column] chance of an incident, its depth (CX), harm a visit (CX), and steps of memory by words a week.

    The last two are for one who never used the firm: of good words heard, and of bad ones; all firms are as before any
    lever moves. `neighbors` receive what a person sends, 0 where nobody talks.
    """
    whole = sum(firm.presence for firm in s.firms.values())
    rows = []
    for firm in s.firms.values():
        incident, depth = below(firm, s.market, s.market.delight_threshold)
        good, _ = below(firm, s.market, s.market.delight_threshold, -1)
        heard = neighbors * s.consumer.voice * s.market.wom_weight * firm.presence / whole
        praise = heard * s.market.positive_wom * good
        blame = heard * s.market.negative_wom * s.market.wom_negative * incident
        rows.append((incident, depth, harm_a_visit(firm, s.market), praise, blame))
    return np.array(rows, np.float32)


def below(firm: Firm, market: Market, threshold: float, side: int = 1) -> tuple[float, float]:
    """Chance that a visit is further than a threshold below what is expected (side -1: above), and how far it is then.

    Expectation follows visits by `expectation_rate` and so scatters about their mean.

    >>> chance, depth = below(Firm(delight_rate=0.0), Market(expectation_rate=0.0), 2.0)
    >>> round(chance, 4), round(depth, 2)
    (0.0228, 2.37)
    """
    parts = list(_parts(firm, market))
    mean = sum(weight * offset for weight, offset in parts)
    wide = firm.consistency_sd * math.sqrt(1 + market.expectation_rate / (2 - market.expectation_rate))
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


def _parts(firm: Firm, market: Market) -> Iterator[tuple[float, float]]:
    """The kinds of visit: chance, and experience beyond quality, CX."""
    moments = ((1 - firm.delight_rate, 0.0), (firm.delight_rate, market.delight_peak))
    for (weight, lift), (chance, harm) in product(moments, list(_harms(firm, market))):
        yield weight * chance, lift - harm


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
