"""Is a market without events at rest?

Question: does any metric of any preset change over ten years in which nothing happens?
Design: each preset without scandals and moves, ten years counted by the year; the drift of a metric is ten times the
slope of a line through its ten yearly values, with a jackknife error; of a firm's metrics the mean over firms. Presets
are simulated one after another and their rows kept in a file beside the table, so that an interrupted run goes on where
it stopped (`only=` simulates one preset, by its place in the alphabet; `anew=1` forgets earlier rows).
Reading: z is the drift in its own standard errors, z_million what it would be with 10^6 people if the drift is what it
seems; a market is at rest where no drift is beyond two errors of 10^6 people. With fewer people a drift that is not
significant may still be too large: `most` is the largest that the run does not exclude, in errors of 10^6 people.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.engine.loop import simulate
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate, Metric
from sim.measure.tally import WEEKLY, WINDOWED, Tally
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import FOLDER, keep, play
from sim.study.calibrate_shares import calibrate_shares
from sim.study.presets import presets, uncalibrated

FAST = {"people": 4_000, "only": 1, "anew": 1}
MILLION, YEAR, TOO_MUCH = 1_000_000, 52, 2.0
BY_CHANCE = 0.0455  # part of what does not drift that lies beyond two errors nevertheless


def yearly(tally: Tally, year: int) -> Tally:
    """The counts of one year, weeks and windows summed: axes [group, ...]."""
    weeks, windows = slice(YEAR * year, YEAR * (year + 1)), slice(year, year + 1)
    cut = {name: getattr(tally, name)[:, weeks] for name in WEEKLY}
    cut |= {name: getattr(tally, name)[:, windows] for name in WINDOWED}
    return estimates.pooled(tally._replace(**cut))


def drift(metric: Metric, years: Sequence[Tally]) -> Estimate:
    """Ten times the slope of the line through a metric's yearly values, mean over firms if it has one a firm."""

    def over_firms(t: Tally) -> Array:
        values = np.asarray(metric(t), dtype=float)
        return values if values.ndim == 1 else values.mean(axis=1)

    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.array([over_firms(estimates.folds(t)) for t in years])
    return estimates.jackknife(10 * np.polyfit(np.arange(len(years)), values, 1)[0])


def measured(provider: bool) -> dict[str, Metric]:
    """The metrics by name that a year's counts give; what is counted over the whole run has no years."""
    whole_run = {"hazard", "stay_after", "awareness", "duplication", "switching", "ever_switched", "share"}
    found = {**metrics.firm_metrics(provider), **metrics.market_metrics(provider)}
    return {name: metric for name, metric in found.items() if name not in whole_run}


def rows_of(name: str, people: int, years: int) -> pd.DataFrame:
    """Preset, metric, first year, drift, error, z, z_million, most, people, years."""
    size = {"people": people, "weeks": YEAR * years, "window": YEAR, "scandals": {}, "moves": {}}
    scenario: Scenario = change(calibrate_shares(uncalibrated(f"market={name}"))[0], size)
    tally = simulate(scenario).tally
    counts = [yearly(tally, year) for year in range(1, years)]  # some metrics need the year before
    of = dict(measured(scenario.market.regime == "provider"))
    for j, firm in enumerate(scenario.firms):
        of[f"share of {firm}"] = lambda t, j=j: metrics.share(t)[:, j]
    rows = []
    for metric, law in of.items():
        first = float(np.nanmean(law(estimates.folds(counts[0]))[0]))
        value, error = (float(x) for x in drift(law, counts))
        if not error > 0:
            continue
        of_million = error * np.sqrt(people / MILLION)
        row = {"preset": name, "metric": metric, "first year": first, "drift": value, "error": error}
        row |= {"z": value / error, "z_million": value / of_million}
        rows.append(row | {"most": (abs(value) + TOO_MUCH * error) / of_million, "people": people, "years": years})
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """The drift of every metric in its standard errors, preset by preset."""
    names = list(dict.fromkeys(table.preset))
    figure = Figure(figsize=(9, 0.35 * len(names) + 1.5), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-TOO_MUCH, TOO_MUCH, color=figures.REST, alpha=0.3, linewidth=0)
    axes.plot(table.z, [names[::-1].index(name) for name in table.preset], "o", color=figures.MARK, markersize=3)
    axes.set_yticks(range(len(names)), names[::-1])
    axes.set(xlabel="drift over ten years, in its standard errors", title=f"{table.people.min():,} people a market")
    return figure


def kept_rows(path: Path, people: int, years: int, anew: bool) -> pd.DataFrame:
    """Rows of earlier calls with as many people and years, which need not be simulated again."""
    if anew or not path.exists():
        return pd.DataFrame()
    rows = pd.read_csv(path)
    return rows[(rows.people == people) & (rows.years == years)]


def finding(table: pd.DataFrame) -> list[str]:
    """How many metrics drift by more than two errors, how many would by chance, and which drift most."""
    beyond, worst = (table.z.abs() > TOO_MUCH).sum(), table.loc[table.z.abs().idxmax()]
    return [
        f"{beyond} of {len(table)} metrics of {table.preset.nunique()} markets drift by more than two errors "
        f"({table.people.min():,} people); {BY_CHANCE * len(table):.0f} would if none did.",
        f"The largest, {worst.metric} of {worst.preset}: {worst.drift:+.4f} ± {worst.error:.4f} in ten years.",
    ]


def main(people: int = 100_000, years: int = 10, only: int = 0, anew: int = 0) -> pd.DataFrame:
    names = list(presets("market"))[only - 1 : only] if only else list(presets("market"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "at_rest.csv"
    table = kept_rows(path, people, years, bool(anew))
    for name in names:
        if not len(table) or name not in set(table.preset):
            table = pd.concat([table, rows_of(name, people, years)], ignore_index=True)
            table.to_csv(path, index=False)
        found = table[table.preset == name]
        print(f"{name}: {(found.z.abs() > TOO_MUCH).sum()} of {len(found)} metrics drift by more than two errors")
        print(
            found[found.z.abs() > TOO_MUCH].drop(columns=["preset", "people", "years"]).round(4).to_string(index=False)
        )
        print(flush=True)
    keep("at_rest", table, draw(table), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
