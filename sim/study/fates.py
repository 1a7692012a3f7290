"""What a change makes of each person: who leaves because of it, who leaves anyway, who stays, who comes back."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from sim.engine.loop import Shard, advance, initialize
from sim.engine.threads import threads
from sim.measure import estimates
from sim.measure.estimates import Array
from sim.measure.reliability import MIN_GROUPS
from sim.measure.tally import FOLDS
from sim.model.fields import Scenario

FATES = ("leaves_anyway", "leaves_because", "stays_because", "stays")  # kept in the control + 2 x kept when changed


def people(control: Scenario, changed: Scenario, week: int | None = None) -> pd.DataFrame:
    """A row a person: see `sim.study.twins.Twins.people`. Simulates both scenarios."""
    start = first_difference(control, changed) if week is None else week
    replications = range(control.replications)
    with threads() as pool:
        paths = [pool.map(partial(_path, scenario, start), replications) for scenario in (control, changed)]
        rows = [_fates(control, r, *pair) for r, pair in enumerate(zip(*paths, strict=True))]
    return pd.concat(rows, ignore_index=True)


def leavers(scenario: Scenario, everybody: pd.DataFrame, segment: str = "") -> pd.DataFrame:
    """The rows of `people` counted by firm and fate: see `sim.study.twins.Twins.leavers`."""
    included = (everybody["segment"] == segment) | (segment == "")
    fold, rows = _folds(everybody, scenario), []
    for firm in scenario.firms:
        home = included & (everybody["firm"] == firm)
        met = {"were": home, **{fate: home & (everybody["fate"] == fate) for fate in FATES}}
        met["came_back"] = home & everybody["came_back"]
        were = _left_out(met["were"], fold)
        for fate, here in met.items():
            counts = _left_out(here, fold)
            with np.errstate(invalid="ignore"):
                share, error = map(float, estimates.jackknife(counts / were))
            few = fate != "were" and min(_groups(here, fold), _groups(home & ~here, fold)) < MIN_GROUPS
            rows.append((firm, fate, counts[0], share, np.nan if few else error))
    return pd.DataFrame(rows, columns=["firm", "fate", "people", "share", "error"])


def first_difference(control: Scenario, changed: Scenario) -> int:
    """The week of the first event that is not in both; 0 if more than events differ."""
    if replace(changed, scandals=control.scandals, moves=control.moves) != control:
        return 0
    ours, theirs = ({**s.moves, **{("scandal", n): e for n, e in s.scandals.items()}} for s in (control, changed))
    return min((e[n].week for e in (ours, theirs) for n in e if ours.get(n) != theirs.get(n)), default=0)


def _path(scenario: Scenario, first: int, replication: int) -> tuple[Array, Array]:
    """The firm used last when each week from `first` on opens, and at the end, [t, i]; and each person's cell [i]."""
    shards = initialize(scenario, replication)
    path: list[Array] = []
    for week in range(-scenario.burn_in, scenario.weeks):
        if week >= first:
            path.append(_last_firm_and_cell(shards[0])[0])
        advance(shards)
    last, cell = _last_firm_and_cell(shards[0])
    return np.array([*path, last]), cell


def _last_firm_and_cell(shard: Shard) -> tuple[Array, Array]:
    """The firm used last and the cell of each person, [i]: all that this file knows of how people are stored."""
    return shard.people.one["last"].copy(), shard.people.cell.copy()


def _fates(s: Scenario, replication: int, control: tuple[Array, Array], changed: tuple[Array, Array]) -> pd.DataFrame:
    """The rows of one replication, from the paths [t, i] in the two runs; -1 = no firm yet."""
    (ours, cell), (theirs, _) = control, changed
    home = ours[0]
    kept, still = ours[-1] == home, theirs[-1] == home
    strays, strayed = (ours != home).any(axis=0), (theirs != home).any(axis=0)
    segments, cohorts = (np.array(names)[cell] for names in zip(*s.cells, strict=True))
    columns = {
        "replication": replication,
        "number": np.arange(len(home)),
        "segment": segments,
        "cohort": cohorts,
        "firm": np.array([*s.firms, ""])[home],
        "fate": np.array(FATES)[kept + 2 * still],
        "came_back": kept & still & strayed & ~strays,
    }
    return pd.DataFrame(columns)


def _folds(everybody: pd.DataFrame, s: Scenario) -> Array:
    """The jackknife fold of each person: the group of the tally and the replication."""
    starts = np.unique(np.arange(FOLDS) * s.people // FOLDS)
    group = np.searchsorted(starts, everybody["number"], side="right") - 1
    fold: Array = everybody["replication"].to_numpy() * len(starts) + group
    return fold


def _groups(met: pd.Series, fold: Array) -> int:
    """How many folds have somebody who met it."""
    return len(np.unique(fold[met.to_numpy()]))


def _left_out(met: pd.Series, fold: Array) -> Array:
    """Counts of everybody, then of all but each fold."""
    counts = np.bincount(fold, met, fold[-1] + 1)
    return np.array([counts.sum(), *(counts.sum() - counts)])
