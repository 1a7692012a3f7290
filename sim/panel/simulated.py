"""A simulated panel: runs a scenario and writes its purchases as a file that `read` reads."""

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.compute.files import write_atomic
from sim.engine.loop import Run, advance, initialize
from sim.model.fields import Scenario
from sim.model.state import window_counts
from sim.panel.types import PanelError
from sim.study.calibrate_shares import calibrate_shares

if TYPE_CHECKING:
    import pandas as pd


def purchases(source: Run | Scenario) -> "pd.DataFrame":
    """hh, t (week), trip, choice, price_<firm> of every use in the weeks that count, replication 0, as a DataFrame.

    `trip` numbers the uses of a household, so that several in one week differ. The uses of a week are read from the
    change of the counts; of several in one week, the last firm and how often it was used in a row are known, and the
    earlier ones are put in a random order (drawn from the scenario's seed). People without a use are not in it, as in
    any panel. Where a newcomer takes a person's place (`consumer.turnover`) a new household begins, and the leaver's
    uses of that week are not seen.
    """
    import pandas as pd

    scenario = source.scenario if isinstance(source, Run) else calibrate_shares(source)[0]
    rng = np.random.default_rng([scenario.seed, 0])
    # One window longer than the scenario, for counts start anew where a window closes.
    (shard,) = initialize(replace(scenario, weeks=scenario.weeks + 1, window=scenario.weeks + 1))
    rows: list[tuple[int, int, int]] = []
    _, before = window_counts(shard.people)
    household = np.arange(len(before))
    for week in range(-scenario.burn_in, scenario.weeks):
        advance([shard])
        _, now = window_counts(shard.people)
        if week >= 0:
            anew = (now < before).any(axis=1)
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
    prices = shard.world.firms["price"][1:].astype(float).round(4)
    return frame.assign(**{f"price_{name}": prices[table[:, 1], j] for j, name in enumerate(names)})


def _in_order(used: np.ndarray, last: int, tenure: int, rng: np.random.Generator) -> np.ndarray:
    """The firms used in a week, an order that fits their counts, the last firm and its uses in a row."""
    row = min(tenure, int(used[last]))
    earlier = rng.permutation(np.repeat(np.arange(len(used)), used - row * (np.arange(len(used)) == last)))
    if len(earlier) and earlier[-1] == last:
        other = rng.choice(np.flatnonzero(earlier != last))
        earlier[[other, -1]] = earlier[[-1, other]]
    return np.concatenate([earlier, np.full(row, last)])


def export(source: "Run | Scenario | pd.DataFrame", path: str | PathLike[str], new: bool = True) -> Path:
    """Write the purchases of a run's scenario (or a table of them), whole or not at all, as Parquet or else CSV.

    A `new` file replaces nothing, PanelError where one is there already: it may be the purchases of a year.
    """
    if new and Path(path).exists():
        raise PanelError([f"{path}: is there already; nothing is overwritten, name another file"])
    target, frame = Path(path), purchases(source) if isinstance(source, Run | Scenario) else source
    parquet = target.suffix.lower() in (".parquet", ".pq")
    write_atomic(target, lambda file: frame.to_parquet(file) if parquet else frame.to_csv(file, index=False), new)
    return target


def small_panel(scenario: Scenario, households: int = 300, weeks: int = 104) -> "pd.DataFrame":
    """The purchases of 300 households in two years of a scenario; events after that are left out."""
    scandals = {name: event for name, event in scenario.scandals.items() if event.week < weeks}
    moves = {name: event for name, event in scenario.moves.items() if event.week < weeks}
    window = min(scenario.window, weeks)
    few = replace(scenario, people=households, weeks=weeks, window=window, scandals=scandals, moves=moves)
    return purchases(few)
