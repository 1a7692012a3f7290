"""Counts a panel: the Tally of its purchases, with the same fields and meaning as that of a simulation.

Everything is a count of sorted rows (NumPy), so any number of uses of a household fits, and weights multiply what a
household counts. A test holds the counts equal to those that the simulator's own functions make of the same people.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sim.measure.tally import FIXED, LARGEST, TENURE, TENURE_BIN, Count, Tally, counted, empty_tally
from sim.panel.folds import PANEL_FOLDS, fold_of
from sim.panel.types import BY_PURCHASE, Panel


class Uses(NamedTuple):
    """Uses x > 0 of a brand by a household in a window, sorted by household, window and brand, and their totals."""

    hh: np.ndarray  # [K]
    window: np.ndarray  # [K]
    brand: np.ndarray  # [K]
    x: np.ndarray  # [K] float64
    total: np.ndarray  # [K] uses of all brands by that household in that window


class Grid(NamedTuple):
    """Where counts of a household go: its fold and weight, and the numbers of windows and brands."""

    fold: np.ndarray  # [H]
    weight: np.ndarray  # [H] float64
    windows: int
    brands: int

    def add(self, to: np.ndarray, hh: np.ndarray, *index: np.ndarray | int, by: np.ndarray | float = 1.0) -> None:
        """Add `by` x weight of each household to to[fold, *index]."""
        places = np.ravel_multi_index(np.broadcast_arrays(self.fold[hh], *index), to.shape[: 1 + len(index)])
        sums = np.bincount(places, self.weight[hh] * by, minlength=int(np.prod(to.shape[: 1 + len(index)])))
        to += sums.reshape(to.shape[: 1 + len(index)])


def tally(panel: Panel, window: np.ndarray | None = None, fold: np.ndarray | None = None) -> Tally:
    """What the simulator would have counted of these households: one cell, groups are folds of households.

    `window` [N] is the window of every purchase, 0, 1, .., never falling within a household; default: one for all.
    `fold` [H] defaults to `fold_of`. Weeks of the tally are the windows. Counts are float64 where there are weights.
    """
    window = np.zeros(len(panel.hh), np.int64) if window is None else np.asarray(window, np.int64)
    if (np.diff(window)[np.diff(panel.hh) == 0] < 0).any() or (window < 0).any():
        raise ValueError("window: the windows of a household must rise from 0")
    windows = int(window.max(initial=0)) + 1
    result = counted(empty_tally(windows, windows, 1, len(panel.brands), 0, PANEL_FOLDS))
    result = Tally(*(np.zeros(a.shape) for a in result))
    grid = Grid(fold_of(panel) if fold is None else fold, _weights(panel), windows, len(panel.brands))
    every = np.arange(len(panel.households))
    grid.add(result.people, every, 0)
    uses = uses_of(panel, window)
    _count_uses(result, grid, uses)
    _count_before(result, grid, uses)
    _count_pairs(result, grid, uses)
    _count_order(result, grid, panel, window)
    _count_standing(result, grid, panel, window)
    return result if panel.weights is not None else Tally(*(np.rint(a).astype(np.int64) for a in result))


def _weights(panel: Panel) -> np.ndarray:
    return np.ones(len(panel.households)) if panel.weights is None else panel.weights


def uses_of(panel: Panel, window: np.ndarray) -> Uses:
    """Uses by household, window and brand."""
    windows, brands = int(window.max(initial=0)) + 1, len(panel.brands)
    place = panel.hh * windows + window
    keys, x = np.unique(place * brands + panel.y, return_counts=True)
    total = np.bincount(np.unique(place, return_inverse=True)[1])
    each = keys // brands
    _, where = np.unique(each, return_inverse=True)
    return Uses(each // windows, each % windows, keys % brands, x.astype(float), total[where].astype(float))


def _count_uses(to: Tally, grid: Grid, u: Uses) -> None:
    n, total = u.x, u.total
    amounts = {
        Count.USERS: np.ones_like(n),
        Count.USES: n,
        Count.CATEGORY: total,
        Count.SOLE: n == total,
        Count.ONCE: n == 1,
        Count.PAIRS: n * (n - 1),
        Count.ALL_PAIRS: n * (total - 1),
        Count.SHUFFLED: np.floor(FIXED * n * (n - 1) / total),
        Count.SHUFFLED_FOLLOWED: np.floor(FIXED * n * (total - 1) / total),
    }
    for what, amount in amounts.items():
        grid.add(to.window[..., what], u.hh, u.window, 0, u.brand, by=amount)
    first = np.r_[True, (np.diff(u.hh) != 0) | (np.diff(u.window) != 0)][: len(n)]
    bins = np.minimum(total[first], LARGEST - 1).astype(np.int64)
    grid.add(to.buyers, u.hh[first], u.window[first], 0, bins)
    to.buyers[:, :, 0, 0] += to.people - to.buyers.sum(axis=-1)[:, :, 0]


def _count_before(to: Tally, grid: Grid, u: Uses) -> None:
    """What the users of a window do in the next."""
    if grid.windows == 1:
        return
    earlier = u.window < grid.windows - 1
    hh, window, brand = u.hh[earlier], u.window[earlier] + 1, u.brand[earlier]
    now = _lookup(u.hh, u.window, u.brand, u.x, (hh, window, brand), grid)
    category = _lookup(u.hh, u.window, np.zeros_like(u.brand), u.total, (hh, window, np.zeros_like(brand)), grid)
    amounts: dict[Count, np.ndarray | float] = {
        Count.BEFORE: 1.0,
        Count.BEFORE_USES: now,
        Count.BEFORE_CATEGORY: category,
        Count.REPEATERS: now > 0,
    }
    for what, amount in amounts.items():
        grid.add(to.window[..., what], hh, window, 0, brand, by=amount)


def _lookup(
    hh: np.ndarray,
    window: np.ndarray,
    brand: np.ndarray,
    values: np.ndarray,
    wanted: tuple[np.ndarray, np.ndarray, np.ndarray],
    grid: Grid,
) -> np.ndarray:
    """The values at the wanted keys, 0 where there is none; keys are sorted."""
    keys = (hh * grid.windows + window) * grid.brands + brand
    wanted_keys = (wanted[0] * grid.windows + wanted[1]) * grid.brands + wanted[2]
    at = np.minimum(np.searchsorted(keys, wanted_keys), len(keys) - 1)
    return np.where(keys[at] == wanted_keys, values[at], 0.0)


def _count_pairs(to: Tally, grid: Grid, u: Uses) -> None:
    """Users of j who also use k, as a product of sparse matrices [household and window] x [fold, window, brand]."""
    from scipy import sparse

    if not len(u.hh):
        return
    rows = np.unique(u.hh * grid.windows + u.window, return_inverse=True)[1]
    place = (grid.fold[u.hh] * grid.windows + u.window) * grid.brands + u.brand
    shape = (rows.max() + 1, PANEL_FOLDS * grid.windows * grid.brands)
    mine = sparse.csr_matrix((grid.weight[u.hh], (rows, place)), shape)
    other = sparse.csr_matrix((np.ones(len(rows)), (rows, u.brand)), (rows.max() + 1, grid.brands))
    to.both[:] = (mine.T @ other).toarray().reshape(to.both.shape)


def _count_order(to: Tally, grid: Grid, panel: Panel, window: np.ndarray) -> None:
    """Flows, repeats within a window, and whether the next use is elsewhere, by uses since joining."""
    hh, y = panel.hh, panel.y
    follows = np.r_[False, hh[1:] == hh[:-1]][: len(hh)]
    left = np.where(follows, np.r_[-1, y[:-1]][: len(y)], -1)
    grid.add(to.flow, hh, window, 0, left + 1, y + 1)
    moved = (left != y).astype(np.int64)
    same = follows & (np.r_[-1, window[:-1]][: len(window)] == window)
    for what in (0, 1):
        rows = same & (moved == what)
        grid.add(to.window[..., Count.ADJACENT + what], hh[rows], window[rows], 0, left[rows])
    bins = _tenure_bin(np.r_[0, tenure(hh, y)[:-1]][: len(hh)])
    grid.add(to.tenure, hh[follows], 0, left[follows], bins[follows], moved[follows])
    # _count_use of the simulator has no outcome here: everything went well
    grid.add(to.after, hh[follows], 0, left[follows], 0, moved[follows])


def tenure(hh: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[N] how many purchases in a row the household has made of the brand, this one included."""
    starts = np.r_[True, (hh[1:] != hh[:-1]) | (y[1:] != y[:-1])][: len(hh)]
    place = np.arange(len(hh))
    return place - np.maximum.accumulate(np.where(starts, place, 0)) + 1


def _tenure_bin(uses: np.ndarray) -> np.ndarray:
    return TENURE_BIN[np.minimum(uses, TENURE[-1])]


def _count_standing(to: Tally, grid: Grid, panel: Panel, window: np.ndarray) -> None:
    """At the end of every window: the brand used last there and before, and who never changed brand."""
    households = len(panel.households)
    uses, changed = tenure(panel.hh, panel.y), _change_of(panel, window, households)
    every, home = np.arange(households), np.full(households, -1)
    ends = np.searchsorted(
        panel.hh * grid.windows + window, every[:, None] * grid.windows + np.arange(grid.windows), "right"
    )
    first = np.searchsorted(panel.hh, every)
    for w in range(grid.windows):
        row = ends[:, w] - 1
        began = row >= first
        last = np.where(began, panel.y[row], -1)
        grid.add(to.transitions, every, w, 0, home + 1, last + 1)
        grid.add(to.faithful, every[changed > w], w, 0)
        grid.add(to.standing, every[began], w, 0, last[began], _tenure_bin(uses[row[began]]))
        home = last


def _change_of(panel: Panel, window: np.ndarray, households: int) -> np.ndarray:
    """[H] the window in which a household first bought another brand than before; beyond all if never."""
    moved = np.r_[False, (panel.hh[1:] == panel.hh[:-1]) & (panel.y[1:] != panel.y[:-1])][: len(panel.hh)]
    first = np.full(households, np.iinfo(np.int64).max)
    np.minimum.at(first, panel.hh[moved], window[moved])
    return first


def purchase_counts(panel: Panel) -> np.ndarray:
    """[H, J] purchases of each brand by each household."""
    many = len(panel.brands)
    return np.bincount(panel.hh * many + panel.y, minlength=len(panel.households) * many).reshape(-1, many)


def select_households(panel: Panel, keep: np.ndarray) -> Panel:
    """The panel of the households in the mask `keep` [H]; brands stay, bought or not."""
    part = select_purchases(panel, keep[panel.hh])
    weights = None if panel.weights is None else panel.weights[keep]
    return replace(part, households=panel.households[keep], hh=(np.cumsum(keep) - 1)[part.hh], weights=weights)


def select_purchases(panel: Panel, rows: np.ndarray) -> Panel:
    """The purchases in the mask `rows` [N]; households and brands stay, bought or not."""
    part = replace(panel)
    for name in BY_PURCHASE:
        values = getattr(panel, name)
        setattr(part, name, None if values is None else values[rows])
    return part


def after_start(panel: Panel, fraction: float = 0.7) -> np.ndarray:
    """[N] 0 for the first ceil(fraction n) of a household's n purchases, 1 for the rest: before and after."""
    n = np.bincount(panel.hh, minlength=len(panel.households))
    place = np.arange(len(panel.hh)) - np.searchsorted(panel.hh, panel.hh)
    return (place >= np.ceil(fraction * n - 1e-9)[panel.hh]).astype(np.int64)


def by_time(panel: Panel, length: float) -> np.ndarray:
    """[N] windows of `length` units of time, from the panel's first purchase on."""
    return np.floor((panel.t - panel.t.min()) / length).astype(np.int64)
