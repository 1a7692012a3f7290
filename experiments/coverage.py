"""How often do the printed intervals hold the truth? Every metric of every preset, shares, twins and paired arms.

Question: an interval of 95 % should hold the truth in 93 to 97 % of runs from 1,000 people on, in 90 % of 200; does it?
Design: the truth of a metric is its value among all people of the largest replications, a million of them; of a share,
what the firm asks for; of a difference, its mean over all replications. Replications of one seed are independent;
presence is that of the preset. `seeds` replications each, `people=200` (and so on) limits it to one number of people,
`part` to one part: 1 metrics, 2 shares, 3 twins, 4 paired. What is done is kept in outputs/coverage and not done again
while model and preset are the same.
Reading: coverage over presets or events with its standard error, one preset an independent draw (all runs of a preset
share its presence); then every cell outside the target by more than two binomial errors of its own. Of many cells one
in twenty lies so far out by chance. Twins without effect hold the truth always: nobody moves.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim.compute.files import write_atomic
from sim.engine.loop import simulate, sum_of
from sim.measure import estimates, metrics
from sim.measure.intervals import Interval
from sim.measure.metrics import listed
from sim.measure.tally import FOLDS, Metric, Tally
from sim.model.fields import Scenario
from sim.model.scenario import change, to_dict
from sim.report import figures
from sim.report.experiment import FOLDER, keep, play
from sim.study.answer import NO_EVENTS, one_answer
from sim.study.comparison import paired
from sim.study.presence_store import rules_digest
from sim.study.presets import presets, scenario_and_shares
from sim.study.runs import run

SIZES = (200, 1_000, 10_000)
SHARE_SIZES = (10_000, 100_000, 1_000_000)
SEED = 5
CHUNK = 20  # replications in one run
CACHE = Path("outputs/coverage")
EVENTS = {
    "bank breach": ["market=bank", "scandal=data_breach", "weeks=104", "scandals.data_breach.severity=3"],
    "bank, nobody hears": ["market=bank", "scandal=data_breach", "weeks=104", "scandals.data_breach.reach=0"],
    "Bud Light": ["scandal=boycott_budlight"],
}
LEAST, MOST = 0.93, 0.97  # the target; 0.90 and more of 200 people
FEWEST = 100  # intervals that tell something of a cell
PARTS = {1: "metrics", 2: "shares", 3: "twins", 4: "paired differences"}
Counts = dict[str, list[int]]  # name: intervals that held the truth, intervals


def main(seeds: int = 120, people: int = 0, part: int = 0) -> pd.DataFrame:
    """All tables; `people` 0 means every size, `part` 0 every part."""
    sizes = [people] if people else list(SIZES)
    parts: dict[int, Callable[[], Iterator[tuple[str, int, Counts]]]] = {
        1: lambda: _kept("metrics", _of_metrics, presets("market"), sizes, seeds),
        2: lambda: _kept("shares", _of_shares, presets("market"), [people] if people else SHARE_SIZES, seeds),
        3: lambda: _kept("twins", _of_twins, list(EVENTS), [people] if people else [2_000, 10_000], seeds),
        4: lambda: _kept("paired", _of_pairs, ["toothpaste_uk"], [people or 500], seeds),
    }
    rows = []
    for number, found in parts.items():
        for name, size, counts in found() if part in (0, number) else ():
            rows += [(number, name, size, what, held, many) for what, (held, many) in counts.items()]
    table = pd.DataFrame(rows, columns=["part", "of", "people", "what", "held", "intervals"])
    table = with_error(table)
    show(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    table.to_csv(FOLDER / (f"coverage_{part}.csv" if part or people else "coverage.csv"), index=False)
    if not part and not people:
        keep("coverage", table, draw(table), finding=finding(table))
    return table


def with_error(table: pd.DataFrame) -> pd.DataFrame:
    """The coverage of each cell, with the binomial error it would have at 95 %, and whether it is outside by two."""
    error = (0.95 * 0.05 / table["intervals"].clip(lower=1)) ** 0.5
    covered = table["held"] / table["intervals"].clip(lower=1)
    least = np.where(table["people"] < 1_000, 0.90, LEAST)
    most = np.where(table["people"] < 1_000, 1.0, MOST)
    outside = (covered < least - 2 * error) | (covered > most + 2 * error)
    return table.assign(covered=covered, error=error, outside=outside & (table["intervals"] >= FEWEST))


def over(rows: pd.DataFrame) -> tuple[float, float]:
    """Coverage over presets, and its standard error with presets as draws; binomial where there is only one."""
    held, many = rows["held"].to_numpy(float), rows["intervals"].to_numpy(float)
    covered, n = held.sum() / many.sum(), len(rows)
    apart = ((held - covered * many) ** 2).sum() * n / max(1, n - 1)
    return covered, (apart**0.5 if n > 1 else (many.sum() * covered * (1 - covered)) ** 0.5) / many.sum()


def show(table: pd.DataFrame) -> None:
    """Print coverage by metric and number of people, over presets, with the lowest beside it; then cells outside."""
    table = table[table["intervals"] > 0]
    for (part, what), rows in table.groupby(["part", "what"], sort=False):
        line = f"{part} {what:28s}"
        for size, at in rows.groupby("people"):
            worst = at[at["intervals"] >= FEWEST].sort_values("covered").head(1)
            low = "".join(f" ({r.covered:.3f} {r.of})" for r in worst.itertuples())
            covered, error = over(at)
            line += f"  {size:>9,}: {covered:.3f} ± {error:.3f}{low}"
        print(line)
    asked = table[table["intervals"] >= FEWEST]
    print(f"\noutside the target by more than two binomial errors: {asked['outside'].sum()} of {len(asked)} cells")
    for r in asked[asked["outside"]].sort_values("covered").itertuples():
        print(f"  {r.part} {r.what}, {r.of}, {r.people:,} people: {r.covered:.3f} ± {r.error:.3f}")


def finding(table: pd.DataFrame) -> list[str]:
    """Coverage by part and number of people, and how many cells lie outside."""
    lines = []
    for (part, size), rows in table[table["intervals"] > 0].groupby(["part", "people"]):
        told = rows[rows["intervals"] >= FEWEST]
        covered, error = over(rows.groupby("of")[["held", "intervals"]].sum())
        outside = f"{told['outside'].sum()} of {len(told)} cells outside by more than two errors"
        lines.append(f"{PARTS[part]}, {size:,} people: {100 * covered:.1f} ± {100 * error:.1f} %; {outside}.")
    return lines


def draw(table: pd.DataFrame) -> Figure:
    """A dot a cell (a metric of a preset) by part and number of people, with the target."""
    groups = list(table[table["intervals"] > 0].groupby(["part", "people"]))[::-1]
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(9, 1.5 + 0.45 * len(groups)), layout="constrained")
        axes, spread = figure.subplots(), np.random.default_rng(1)
        axes.axvspan(100 * LEAST, 100 * MOST, color=figures.REST, alpha=0.4, linewidth=0)
        for y, (_, rows) in enumerate(groups):
            told = rows[rows["intervals"] >= FEWEST]
            up = y + spread.uniform(-0.25, 0.25, len(told))
            axes.plot(100 * told["covered"], up, ".", color=figures.FOCUS, markersize=4, alpha=0.6)
            covered, error = over(rows.groupby("of")[["held", "intervals"]].sum())
            axes.errorbar(100 * covered, y, xerr=196 * error, fmt="o", color=figures.INK, markersize=6, capsize=3)
        axes.set_yticks(range(len(groups)), [f"{PARTS[part]}, {size:,}" for (part, size), _ in groups])
        axes.set_xlabel("intervals of 95 % that hold the truth, %: each metric of each preset, and all (95 %)")
        axes.set_title("How often the printed intervals hold the truth, by number of people")
    return figure


def _kept(
    what: str,
    count: Callable[[str, int, int], Counts],
    names: list[str],
    sizes: list[int] | tuple[int, ...],
    seeds: int,
) -> Iterator[tuple[str, int, Counts]]:
    """The counts of each name and size, from the cache where they are there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        for name in names:
            print(f"{what}, {name}, {size:,} people", file=sys.stderr, flush=True)
            path = CACHE / f"{what}-{name.replace(' ', '_').replace(',', '')}-{size}-{seeds}-{_mark(name)}.json"
            if not path.is_file():
                write_atomic(path, json.dumps(count(name, size, seeds)).encode())
            yield name, size, json.loads(path.read_text())


def _of_metrics(name: str, people: int, seeds: int) -> Counts:
    scenario, _ = scenario_and_shares([f"market={name}"])
    known, large = _truth(name, scenario, seeds)
    if people == max(SIZES):
        return large
    found, functions = Counts(), _metrics(scenario)
    for tally in replications(change(scenario, {"people": people, "seed": SEED}), seeds):
        for metric, (low, high) in _intervals(functions, tally).items():
            _add(found, metric, low, high, np.array(known[metric]))
    return found


def _intervals(functions: dict[str, Metric], tally: Tally) -> dict[str, Interval]:
    counts = estimates.pooled(tally)
    return {name: estimates.estimate_interval(function, counts)[1] for name, function in functions.items()}


def _of_shares(name: str, people: int, seeds: int) -> Counts:
    """Shares with the error of solved presence, against those asked for."""
    scenario, shares = scenario_and_shares([f"market={name}"])
    firms, found = list(scenario.firms), Counts()
    asked = np.array([shares[f].asked if f in shares else np.nan for f in firms])
    for tally in replications(change(scenario, {"people": people, "seed": SEED}), max(1, seeds * 1_000 // people)):
        table = metrics.table(tally, firms, {"all": range(len(scenario.cells))}, True, shares)
        rows = table[(table["metric"] == "share")]
        _add(found, "share", rows["low"].to_numpy(), rows["high"].to_numpy(), asked)
    return found


def _of_twins(name: str, people: int, seeds: int) -> Counts:
    """What an answer says of the focus, its rivals and segments a quarter on, against the mean over replications."""
    scenario, _ = scenario_and_shares(EVENTS[name])
    scenario = change(scenario, {"people": people})
    firm = scenario.focus
    quantities: dict[str, list] = {"focus, %": [], "rivals, people": [], "segments, %": [], "uses, %": []}
    for seed in range(seeds):
        changed = change(scenario, {"seed": 1_000 + seed})
        moment = one_answer(change(changed, NO_EVENTS), changed, firm, None, {}, 1.0, None).quarter
        assert moment is not None
        quantities["focus, %"].append([moment.total.percent])
        quantities["rivals, people"].append([c.people for c in moment.rivals.values()])
        quantities["segments, %"].append([c.percent for c in moment.groups.values()])
        quantities["uses, %"].append([moment.uses])
    found = Counts()
    for what, drawn in quantities.items():
        for column in zip(*drawn, strict=True):
            value, low, high = (np.array([getattr(q, end) for q in column]) for end in ("value", "low", "high"))
            _add(found, what, low, high, np.full(len(value), np.nanmean(value)))
    return found


def _of_pairs(name: str, people: int, seeds: int) -> Counts:
    """Paired differences over 2 to 6 replications, against the mean over all."""
    scenario, _ = scenario_and_shares([f"market={name}", f"people={people}", "weeks=52"])
    path, found = "firms.colgate.quality", Counts()
    table = run(scenario, {path: [0.0, 0.3]}, replications=6 * seeds, quiet=True)
    truth = paired(table, path, 0.0, "share.colgate")["difference"].iloc[0]
    for many in (2, 3, 4, 6):
        for first in range(0, 6 * seeds - many + 1, many):
            some = table[table["replication"].between(first, first + many - 1)]
            row = paired(some, path, 0.0, "share.colgate").iloc[0]
            _add(found, f"{many} replications", np.array([row["low"]]), np.array([row["high"]]), np.array([truth]))
    return found


def replications(scenario: Scenario, many: int) -> Iterator[Tally]:
    """The tallies of independent replications, one after another."""
    for first in range(0, many, CHUNK):
        runs = min(CHUNK, many - first)
        tally = simulate(change(scenario, {"replications": runs}), threads=1, first=first).tally
        for r in range(runs):
            yield Tally(*(counts[r * FOLDS : (r + 1) * FOLDS] for counts in tally))


def _metrics(scenario: Scenario) -> dict[str, Metric]:
    provider = scenario.market.regime == "provider"
    every = {**listed("firm", provider), **listed("market", provider)}
    return {info.name: function for info, function in every.items()}


def _truth(name: str, scenario: Scenario, seeds: int) -> tuple[dict[str, list[float]], Counts]:
    """Every metric among all people of the largest replications, and how many of these hold it."""
    path = CACHE / f"truth-{name}-{seeds}-{_mark(name)}.json"
    if not path.is_file():
        drawn, tallies, functions = [], list[Tally](), _metrics(scenario)
        for tally in replications(change(scenario, {"people": max(SIZES), "seed": SEED + 1}), seeds):
            drawn.append(_intervals(functions, tally))
            tallies = [sum_of([*tallies, tally])]
        counts = estimates.pooled(tallies[0])
        values = {n: np.asarray(estimates.estimate(m, counts).value).tolist() for n, m in functions.items()}
        found = Counts()
        for metric, truth in values.items():
            for one in drawn:
                _add(found, metric, *one[metric], np.array(truth))
        write_atomic(path, json.dumps({"values": values, "held": found}).encode())
    known = json.loads(path.read_text())
    return known["values"], known["held"]


@cache
def _mark(name: str) -> str:
    """A digest of what the model does, how intervals are made, and the preset: what is kept goes with it."""
    sources = b"".join(p.read_bytes() for p in sorted(Path(estimates.__file__).parent.rglob("*.py")))
    told = scenario_and_shares(EVENTS.get(name, [f"market={name}"]))[0]
    return hashlib.sha256(sources + f"{rules_digest()} {to_dict(told)}".encode()).hexdigest()[:10]


def _add(found: Counts, what: str, low: np.ndarray, high: np.ndarray, truth: np.ndarray) -> None:
    low, high, truth = (np.atleast_1d(np.asarray(a, float)) for a in (low, high, truth))
    told = np.isfinite(low) & np.isfinite(high) & np.isfinite(truth) & (high > low)
    before = found.setdefault(what, [0, 0])
    found[what] = [before[0] + int(((low <= truth) & (truth <= high))[told].sum()), before[1] + int(told.sum())]


if __name__ == "__main__":
    play(main, {"seeds": 3, "people": 200, "part": 3})
