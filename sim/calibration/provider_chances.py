"""Chances to stay with a provider and to move, counted on the people of a fitted market, and applied to histories.

A customer stands where the simulated people with the like past stood: the firm, how long it has been used, whether the
beginning of that was seen, and how often the customer moved lately. So serial switchers are known by what they did.
"""

from dataclasses import dataclass, replace

import numpy as np

from sim.calibration.histories import MOST_MOVES, WEEKS_A_MONTH, Histories, Standing, recent, walk
from sim.calibration.provider_figures import TENURES, of_firms
from sim.calibration.provider_market import observe
from sim.model.fields import Scenario

KINDS = ("beginning not seen", "no move lately", "moved once", "moved twice", "moved more")  # in RECENT months
FEWEST_MONTHS, MOST_WEEKS = 48, 468
LIKE_OTHERS = 50.0  # person-periods that what firms and pasts have in common counts for
LIKE_FIRM = 20.0  # moves that where a firm's customers go counts for


@dataclass
class Chances:
    """Chances in a period; firms j in the fitted order."""

    firms: tuple[str, ...]  # as in the file
    names: tuple[str, ...]  # as names of the simulator
    weeks: float  # of a period
    step: float  # between two rows of a file, in its unit
    seed: int
    leaving: np.ndarray  # [j, tenure, kind]
    counted: np.ndarray  # [j, tenure, kind] person-periods that it rests on
    joining: np.ndarray  # [before + 1, from + 1, to]; 0 = nobody


def kinds_of(state: Standing, period: int, weeks: float) -> tuple[np.ndarray, np.ndarray]:
    """([i] bin of tenure, [i] kind of past) of customers."""
    months = state.tenure * (weeks / WEEKS_A_MONTH)
    bins = np.searchsorted(TENURES, months - 1e-6, "right") - 1
    moves = np.minimum(recent(state, period, weeks), MOST_MOVES)
    return np.maximum(bins, 0), np.where(moves > 0, 1 + moves, state.fresh.astype(np.int64))


def counted(
    market: Scenario, h: Histories, joins: np.ndarray, people: int, seed: int, names: tuple[str, ...], step: float
) -> Chances:
    """The chances of a fitted market, seen as `h` sees a panel.

    Where movers and newcomers go is corrected to where those of the panel went, `joins` [j]: a market at rest gives
    every firm as many as leave it, the panel perhaps not.
    """
    length = max(h.periods, int(np.ceil(FEWEST_MONTHS * WEEKS_A_MONTH / h.weeks)))
    length = max(2, min(length, int(MOST_WEEKS / h.weeks)))
    long = observe(market, replace(h, y=np.zeros((1, length), np.int8)), people, seed)
    own = of_firms(long)["joins"].value()
    tilt = np.where(joins > 0, joins, 1e-6) / np.maximum(np.nan_to_num(own, nan=1.0), 1e-6)
    return table_of(long, names, seed, step, tilt)


def table_of(h: Histories, names: tuple[str, ...], seed: int, step: float, tilt: np.ndarray) -> Chances:
    """The chances counted in histories; `tilt` [j] multiplies those of joining a firm."""
    many = len(h.firms)
    risk, left = np.zeros((2, many, len(TENURES), len(KINDS)))
    went = np.zeros((many + 1, many + 1, many))
    for period, state in walk(h):
        if period == h.periods - 1:
            break
        then = h.y[:, period + 1].astype(np.int64)
        bins, kinds = kinds_of(state, period, h.weeks)
        i = np.flatnonzero((state.last >= 0) & (then >= 0))
        moved = i[then[i] != state.last[i]]
        np.add.at(risk, (state.last[i], bins[i], kinds[i]), 1)
        np.add.at(left, (state.last[moved], bins[moved], kinds[moved]), 1)
        new = np.flatnonzero((state.last < 0) & (then >= 0) & (state.tenure == 0))
        for who in (moved, new):
            np.add.at(went, (state.before[who] + 1, state.last[who] + 1, then[who]), 1)
    return Chances(h.firms, names, h.weeks, step, seed, _shrunk(left, risk), risk, _joining(went * tilt, tilt))


def _shrunk(left: np.ndarray, risk: np.ndarray) -> np.ndarray:
    """Chances of leaving by cell; what a cell lacks in people is that of its firm times that of its past."""
    whole = left.sum() / max(risk.sum(), 1)
    firm = (left.sum(axis=(1, 2)) + LIKE_OTHERS * whole) / (risk.sum(axis=(1, 2)) + LIKE_OTHERS)
    past = (left.sum(axis=0) + LIKE_OTHERS * whole) / (risk.sum(axis=0) + LIKE_OTHERS)
    usual = np.clip(firm[:, None, None] * past[None] / max(whole, 1e-12), 0.0, 0.99)
    found: np.ndarray = (left + LIKE_OTHERS * usual) / (risk + LIKE_OTHERS)
    return found


def _joining(went: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Chances of where to go, of those who come from a firm and had another before it."""
    many = len(tilt)
    every = went.sum(axis=(0, 1)) + tilt / tilt.sum()
    from_firm = went.sum(axis=0) + LIKE_FIRM * every / every.sum()
    allowed = np.ones((many + 1, many))
    allowed[1:][np.eye(many, dtype=bool)] = 0.0
    from_firm *= allowed
    from_firm /= np.maximum(from_firm.sum(axis=1, keepdims=True), 1e-300)
    found = (went + LIKE_FIRM * from_firm[None]) * allowed[None]
    result: np.ndarray = found / np.maximum(found.sum(axis=2, keepdims=True), 1e-300)
    return result


def next_firm(c: Chances, state: Standing, period: int, steps: np.ndarray) -> np.ndarray:
    """[i, j] chances of the firm so many periods after `period`, for customers in a state."""
    bins, kinds = kinds_of(state, period, c.weeks)
    stays = (1 - c.leaving[np.maximum(state.last, 0), bins, kinds]) ** steps
    there = state.last >= 0
    found: np.ndarray = c.joining[np.where(there, state.before, -1) + 1, state.last + 1]
    found = np.where(there, 1 - stays, 1.0)[:, None] * found
    at = np.flatnonzero(there)
    found[at, state.last[at]] = stays[at]
    return found
