"""A panel counted by the functions that count simulated people: the same Tally, so literally the same metrics."""

from dataclasses import replace

import numpy as np

from sim.draws import entry
from sim.panel.files import Panel
from sim.person import CARRY, CHANGED, LONGEST, USED, People, carry, make_people
from sim.tally import GROUPS, Tally, close_window, count_use, counted, empty_tally, open_page, tenure_bin


@entry
def _record_group(people, tally, g, start, stop, first, brand, window):
    """Households start to stop - 1 of group g live their purchases first[i] .. first[i + 1] - 1."""
    for i in range(start, stop):
        me, bonds = people.one[i], people.bonds[i]
        tally.people[g, 0] += 1
        w = 0
        for n in range(first[i], first[i + 1]):
            while w < window[n]:
                close_window(people, i, tally, g, 0, w, False)
                w += 1
            left, joined = np.int64(me.last), brand[n]
            stage = tenure_bin(np.int32(me.tenure))
            count_use(open_page(tally, g, w + 1, 0, 1), left, joined, stage, 0, (me.uses & USED) > 0)
            me.uses += 1
            if 0 <= left != joined:
                me.uses |= CHANGED
            me.tenure = min(me.tenure + 1, LONGEST) if joined == left else 1
            me.last = joined
            bonds[joined].count += 1
            if n % (CARRY // 2) == 0:  # often enough that no counter fills, however much a household buys
                carry(people, i)
        while w < tally.window.shape[1]:
            close_window(people, i, tally, g, 0, w, False)
            w += 1


def tally(panel: Panel, window: np.ndarray | None = None) -> Tally:
    """What the simulator would have counted of these households: one cell, groups of households as of people.

    `window` [N] is the window of every purchase, 0, 1, .., never falling within a household; default: one for all.
    Weeks of the tally are the windows.
    """
    window = np.zeros(len(panel.hh), np.int64) if window is None else np.asarray(window, np.int64)
    if (np.diff(window)[np.diff(panel.hh) == 0] < 0).any() or (window < 0).any():
        raise ValueError("window: the windows of a household must rise from 0")
    households, windows = len(panel.households), int(window.max(initial=0)) + 1
    result = empty_tally(windows, windows, 1, len(panel.brands), 0)
    people = _newborn(households, len(panel.brands))
    first = np.searchsorted(panel.hh, np.arange(households + 1))
    for g, who in enumerate(_groups(households)):
        _record_group(people, result, g, who.start, who.stop, first, panel.y, window)
    return counted(result)


def _newborn(households: int, brands: int) -> People:
    people = make_people(households, brands, carried=np.int64)
    for name in ("last", "home", "anchor", "target"):
        people.one[name] = -1
    return people


def _groups(households: int) -> list[range]:
    return [range(g * households // GROUPS, (g + 1) * households // GROUPS) for g in range(GROUPS)]


def group_of(households: int) -> np.ndarray:
    """[H] the group of each household, the fold that it is left out with."""
    return np.repeat(np.arange(GROUPS), [len(g) for g in _groups(households)])


def counts(panel: Panel) -> np.ndarray:
    """[H, J] purchases of each brand by each household."""
    many = len(panel.brands)
    return np.bincount(panel.hh * many + panel.y, minlength=len(panel.households) * many).reshape(-1, many)


def select(panel: Panel, keep: np.ndarray) -> Panel:
    """The panel of the households in the mask `keep` [H]; brands stay, bought or not."""
    rows = keep[panel.hh]
    hh = (np.cumsum(keep) - 1)[panel.hh[rows]]
    part = replace(panel, households=panel.households[keep], hh=hh, t=panel.t[rows], y=panel.y[rows])
    blocks = (panel.prices, panel.features, panel.displays)
    part.prices, part.features, part.displays = (None if b is None else b[rows] for b in blocks)
    return part


def after_start(panel: Panel, fraction: float = 0.7) -> np.ndarray:
    """[N] 0 for the first ceil(fraction n) of a household's n purchases, 1 for the rest: before and after."""
    n = np.bincount(panel.hh, minlength=len(panel.households))
    place = np.arange(len(panel.hh)) - np.searchsorted(panel.hh, panel.hh)
    return (place >= np.ceil(fraction * n - 1e-9)[panel.hh]).astype(np.int64)


def by_time(panel: Panel, length: float) -> np.ndarray:
    """[N] windows of `length` units of time, from the panel's first purchase on."""
    return np.floor((panel.t - panel.t.min()) / length).astype(np.int64)
