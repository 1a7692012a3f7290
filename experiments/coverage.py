"""How often do the printed intervals hold the truth? Every metric of every preset, shares, twins and paired arms.

The truth of a metric is its value among all people of the largest replications, a million of them; of a share, what
the firm asks for; of a difference, its mean over all replications. Replications of one seed are independent; presence
is that of the preset. Arguments: `seeds` replications each, `people=200` (and so on) limits it to one number of people,
`part` to one part: 1 metrics, 2 shares, 3 twins, 4 paired. What is done is kept in outputs/coverage and not done again
while model and preset are the same.
Target: 93 to 97 % from 1,000 people on, 90 % at 200.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sim.compute.files import write_atomic
from sim.engine.loop import simulate, sum_of
from sim.measure import estimates, metrics
from sim.measure.intervals import Interval
from sim.measure.metrics import listed
from sim.measure.tally import FOLDS, Metric, Tally
from sim.model.fields import Scenario
from sim.model.scenario import change, to_dict
from sim.report.experiment import FOLDER, play
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
    show(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    table.to_csv(FOLDER / (f"coverage_{part}.csv" if part else "coverage.csv"), index=False)
    return table


def show(table: pd.DataFrame) -> None:
    """Print coverage by metric and number of people, over presets, with the lowest preset beside it."""
    table = table[table["intervals"] > 0]
    for (part, what), rows in table.groupby(["part", "what"], sort=False):
        line = f"{part} {what:28s}"
        for size, at in rows.groupby("people"):
            every = at.assign(covered=at["held"] / at["intervals"])
            worst = every[every["intervals"] >= 100].sort_values("covered").head(1)
            low = "".join(f" ({r.covered:.3f} {r.of})" for r in worst.itertuples())
            line += f"  {size:>9,}: {at['held'].sum() / at['intervals'].sum():.3f}{low}"
        print(line)


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
