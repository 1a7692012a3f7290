"""A simulated panel: runs a scenario and writes its purchases as a file that `read` reads."""

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.compute.files import write_atomic
from sim.engine.loop import Run, Shard, advance, initialize
from sim.model.fields import Scenario
from sim.model.state import window_counts
from sim.model.timeline import World
from sim.panel.formats import check_format, shaped
from sim.panel.types import PanelError
from sim.study.calibrate_shares import calibrate_shares

if TYPE_CHECKING:
    import pandas as pd


class Simulated(NamedTuple):
    """The purchases of a simulated market, and the people who made them."""

    purchases: "pd.DataFrame"  # a row a use: hh, t (week), trip, choice, price_<firm>; feat_<firm>, disp_<firm> if any
    people: "pd.DataFrame"  # a row a person, buyer or not: what no real panel tells


def purchases(source: Run | Scenario) -> "pd.DataFrame":
    """The purchases of `simulated`, without the people.

    People without a use are not in it, as in any panel.
    """
    return simulated(source).purchases


def simulated(source: Run | Scenario) -> Simulated:
    """Every use in the weeks that count, replication 0, and the people at the beginning of week 0.

    `trip` numbers the uses of a household, so that several in one week differ. The uses of a week are read from the
    change of the counts; of several in one week, the last firm and how often it was used in a row are known, and the
    earlier ones are put in a random order (drawn from the scenario's seed). Where a newcomer takes a person's place
    (`consumer.turnover`) a new household begins, and the leaver's uses of that week are not seen.

    The people have columns hh, segment, cohort, rate (uses/week), price_weight, habit_weight and taste.<firm> (logit,
    presence included). Where tastes or people are renewed over the weeks, they are those of week 0.
    """
    import pandas as pd

    scenario = source.scenario if isinstance(source, Run) else calibrate_shares(source)[0]
    rng = np.random.default_rng([scenario.seed, 0])
    # One window longer than the scenario, for counts start anew where a window closes.
    (shard,) = initialize(replace(scenario, weeks=scenario.weeks + 1, window=scenario.weeks + 1))
    rows: list[tuple[int, int, int]] = []
    people = _people(scenario, shard)
    _, before = window_counts(shard.people)
    household = np.arange(len(before))
    for week in range(-scenario.burn_in, scenario.weeks):
        people = _people(scenario, shard) if week == 0 else people
        advance([shard])
        _, now = window_counts(shard.people)
        if week >= 0:
            anew = np.min(now - before, axis=1, initial=0) < 0
            household[anew] += len(before)
            one, used = shard.people.one, np.where(anew[:, None], 0, now - before)
            for i in np.flatnonzero(used.sum(axis=1)):
                order = _in_order(used[i], int(one["last"][i]), int(one["tenure"][i]), rng)
                rows += [(int(household[i]), week, int(j)) for j in order]
        before = now
    table = np.array(sorted(rows, key=lambda row: row[:2]), np.int64).reshape(-1, 3)
    names = list(scenario.firms)
    frame = pd.DataFrame({"hh": table[:, 0], "t": table[:, 1], "choice": np.array(names)[table[:, 2]]})
    frame.insert(2, "trip", frame.groupby("hh").cumcount())
    return Simulated(frame.assign(**_levers(shard.world, names, table[:, 1])), people)


def _people(scenario: Scenario, shard: Shard) -> "pd.DataFrame":
    import pandas as pd

    people, traits = shard.people, shard.world.traits
    cells = np.array(scenario.cells, object)[people.cell]
    factor = people.price_factor if len(people.price_factor) else np.ones(len(people.cell), np.float32)
    columns = {"hh": np.arange(len(people.cell)), "segment": cells[:, 0], "cohort": cells[:, 1], "rate": people.rate}
    columns["price_weight"] = traits["price_weight"][people.cell] * factor
    columns["habit_weight"] = traits["habit_weight"][people.cell]
    tastes = {f"taste.{name}": people.bonds["taste"][:, j].copy() for j, name in enumerate(scenario.firms)}
    return pd.DataFrame({name: np.array(values) for name, values in (columns | tastes).items()})


def _levers(world: World, names: list[str], weeks: np.ndarray) -> dict[str, np.ndarray]:
    """Prices of all firms at the uses of these weeks, and features and displays where there are any."""
    found: dict[str, np.ndarray] = {}
    for lever, short in (("price", "price"), ("feature", "feat"), ("display", "disp")):
        values = world.firms[lever][1:].astype(float).round(4)
        if lever == "price" or values.any():
            found |= {f"{short}_{name}": values[weeks, j] for j, name in enumerate(names)}
    return found


def _in_order(used: np.ndarray, last: int, tenure: int, rng: np.random.Generator) -> np.ndarray:
    """The firms used in a week, an order that fits their counts, the last firm and its uses in a row."""
    row = min(tenure, int(used[last]))
    earlier = rng.permutation(np.repeat(np.arange(len(used)), used - row * (np.arange(len(used)) == last)))
    if len(earlier) and earlier[-1] == last:
        other = rng.choice(np.flatnonzero(earlier != last))
        earlier[[other, -1]] = earlier[[-1, other]]
    return np.concatenate([earlier, np.full(row, last)])


def export(
    source: "Run | Scenario | pd.DataFrame",
    path: str | PathLike[str],
    new: bool = True,
    format: str = "panel",
    firm: str | None = None,
    truth: str | PathLike[str] | None = None,
) -> Path:
    """Write the purchases of a run's scenario (or a table of them), whole or not at all, as Parquet or else CSV.

    `format` is one of `sim.panel.formats.FORMATS`; `firm` the one whose customers an RFM summary is of (default: the
    scenario's focus). The people and their latent tastes go to the file `truth`, if it is named. A `new` file replaces
    nothing, PanelError where one is there already: it may be the purchases of a year.
    """
    if isinstance(source, Run | Scenario):
        scenario = source.scenario if isinstance(source, Run) else source
        check_format(format, firm, list(scenario.firms))
        _refuse_taken(new, path, truth)
        return write(simulated(source), scenario, path, format, firm, truth, new)
    if truth is not None:
        raise PanelError(["truth: a table of purchases does not tell the people; give the scenario or the run"])
    frame = shaped(source, format, firm)
    _refuse_taken(new, path)
    return write_table(frame, path, new)


def write(
    done: Simulated,
    scenario: Scenario,
    path: str | PathLike[str],
    format: str = "panel",
    firm: str | None = None,
    truth: str | PathLike[str] | None = None,
    new: bool = True,
) -> Path:
    """Write what `simulated` gave of a scenario: as `export`."""
    frame = shaped(done.purchases, format, firm or scenario.focus, scenario.weeks)
    _refuse_taken(new, path, truth)
    if truth is not None:
        write_table(done.people, truth, new)
    return write_table(frame, path, new)


def _refuse_taken(new: bool, *paths: str | PathLike[str] | None) -> None:
    there = [p for p in paths if new and p is not None and Path(p).exists()]
    if there:
        raise PanelError([f"{p}: is there already; nothing is overwritten, name another file" for p in there])


def write_table(frame: "pd.DataFrame", path: str | PathLike[str], new: bool = True) -> Path:
    """Write a table, whole or not at all, as Parquet or else CSV."""
    target = Path(path)
    parquet = target.suffix.lower() in (".parquet", ".pq")
    try:
        write_atomic(target, lambda file: frame.to_parquet(file) if parquet else frame.to_csv(file, index=False), new)
    except FileExistsError:
        raise PanelError([f"{path}: is there already; nothing is overwritten, name another file"]) from None
    return target


def small(scenario: Scenario, households: int = 300, weeks: int = 104) -> Scenario:
    """A scenario of 300 households and two years; events after that are left out."""
    scandals = {name: event for name, event in scenario.scandals.items() if event.week < weeks}
    moves = {name: event for name, event in scenario.moves.items() if event.week < weeks}
    window = min(scenario.window, weeks)
    return replace(scenario, people=households, weeks=weeks, window=window, scandals=scandals, moves=moves)


def small_panel(scenario: Scenario, households: int = 300, weeks: int = 104) -> "pd.DataFrame":
    """The purchases of 300 households in two years of a scenario; events after that are left out."""
    return purchases(small(scenario, households, weeks))
