"""Jackknife folds: which households are left out together, whatever their numbers and the order of the rows."""

from typing import NamedTuple

import numpy as np

from sim.panel.types import Panel

PANEL_FOLDS = 100
SEED = 20261125  # of the one permutation that deals households out to folds
ODD = np.uint64(0x9E3779B97F4A7C15)


class Folded(NamedTuple):
    """A figure over everybody and without each fold, and the least its error can be, nan where too few can tell."""

    each: np.ndarray  # [1 + folds, J] of brands, or [1 + folds] of the market
    least: np.ndarray = np.zeros(())  # [J] or [], see `sim.measure.reliability.least_error`


def fold_of(panel: Panel) -> np.ndarray:
    """[H] the fold, 0 .. PANEL_FOLDS - 1, of each household: equal parts of all households in random order.

    Households are ranked by a hash of what they bought and when, then dealt out by a fixed random permutation of the
    ranks. So numbering them otherwise, or naming brands otherwise, changes no error at all; brands are therefore
    hashed by their rank of size.
    """
    households = len(panel.households)
    rank = np.empty(households, np.int64)
    rank[np.argsort(_contents(panel), kind="stable")] = np.arange(households)
    return np.random.default_rng(SEED).permutation(households)[rank] % PANEL_FOLDS


def _contents(panel: Panel) -> np.ndarray:
    """[H] uint64 hash of the purchases of each household in their order."""
    sizes = np.bincount(panel.y, minlength=len(panel.brands))
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    place = np.arange(len(panel.hh)) - np.searchsorted(panel.hh, panel.hh)
    rows = mixed(rank[panel.y].astype(np.uint64) + ODD * place.astype(np.uint64))
    rows = mixed(rows ^ np.ascontiguousarray(panel.t, np.float64).view(np.uint64))
    hashes = np.zeros(len(panel.households), np.uint64)
    starts = np.flatnonzero(np.r_[True, panel.hh[1:] != panel.hh[:-1]]) if len(rows) else np.zeros(0, np.int64)
    if len(starts):
        hashes[panel.hh[starts]] = np.add.reduceat(rows, starts)
    if panel.weights is not None:
        hashes ^= mixed(np.ascontiguousarray(panel.weights, np.float64).view(np.uint64))
    return hashes


def mixed(x: np.ndarray) -> np.ndarray:
    """Splitmix64 (Steele, Lea & Flood 2014), a permutation of the 64-bit numbers."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
