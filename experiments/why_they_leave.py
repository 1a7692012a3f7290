"""What makes people leave: which of the mechanisms of leaving does which measured fact need?

Question: what do bad visits that wake attention, own harm, words that are told and not felt, and people who differ in
readiness each change, of what was measured? And do those who left come back?
Design: the facts each was added for, with it and without it (its field at the neutral value), presence as solved with
it, so that only the mechanism differs. Beside them, for banks over ten years: the share of a year's switching that is
gone when bad visits wake nobody; how many ever switched against ten independent years; how many of those who left are
back within three years.
Reading: value and standard error, and the limits of what was measured. Keaveney (1995, Journal of Marketing 59(2)
71-82): 44 % of those who switched a service name a failure of the core service, 34 % one of the encounter, so between
44 and 78 % one of the two. Of lost customers 20 to 40 % can be won back (Griffin & Lowenstein 2001, a book of advice:
weak).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim import study
from sim.engine.loop import simulate
from sim.facts import scoreboard
from sim.facts.runs import Changes, FactRun, RunCache, from_counts, from_people
from sim.measure.estimates import Array, Estimate, pooled
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play

FAST = {"people": 1_500}
BANK, YEARS = "market=bank", 10
NEUTRAL = {  # mechanism: its fields at the values that change nothing, and the facts it was added for
    "bad visits wake attention": ({"market.incident_attention": 0.0}, (69,)),
    "the last visit in what is said": ({"market.incident_recall": 0.0}, (69,)),
    "own harm raises the chance to act": ({"scandals.*.harm_action": 1.0}, (37, 38)),
    "who is no customer avoids the firm": ({"market.avoidance": 0.0}, (51, 104)),
    "conscience moves few customers of a provider": ({"kinds.ethics.action": 1.0}, (51, 104)),
    "words are told, not felt": ({"market.wom_negative": 1.0}, (62,)),
}
READINESS = "people differ in readiness"
PUBLISHED = {
    "switching due to bad visits, %": (44.0, 78.0),
    "ever in ten years / if all were alike": (0.6, 0.85),  # health insurance (#18)
    "back within three years, %": (20.0, 40.0),
}


class Without(RunCache):
    """Runs of presets in which some fields have other values; `scandals.*` is every scandal of the run."""

    def __init__(self, people: int, neutral: Mapping[str, float]):
        super().__init__(people)
        self.neutral = neutral

    def __call__(
        self, preset: str, changes: Changes | None = None, at: Sequence[int] = (), times: float = 1
    ) -> FactRun:
        changes = dict(changes or {})
        names = () if changes.get("scandals") == {} else self._calibrated(preset).scandals
        for path, value in self.neutral.items():
            paths = [path.replace("*", name) for name in names] if "*" in path else [path]
            changes |= dict.fromkeys(paths, value)
        return super().__call__(preset, changes, at, times)


def banks(runs: RunCache) -> dict[str, Estimate]:
    """Of ten years of banking, with everybody's bank at each New Year."""
    at = tuple(range(0, 52 * YEARS + 1, 52))
    run = runs(BANK, {"weeks": at[-1]}, at)
    last = np.array([run.people[week].one["last"] for week in at]).T
    moved = last[:, 1:] != last[:, :-1]

    def ratio(moved: Array) -> float:
        return float(moved.any(axis=1).mean() / (1 - (1 - moved.mean()) ** YEARS))

    ratios = {"ever in ten years / if all were alike": from_people(ratio, moved)}
    return scoreboard.checks()[107](runs) | ratios | scoreboard.checks()[108](runs)


def sides(people: int, care: float) -> dict[str, Estimate]:
    """Change of Goya's sales in three weeks, by side: those who accuse it, and as many who care this much for it."""
    base = change(study.scenario("scandal=boycott_goya"), {"people": people, "scandals.goya.buycott": 0.0})
    week = base.scandals["goya"].week
    halves = {"accusers": {}, "supporters": {"care": {"ethics": care}}}
    event = change(base, {"cohorts": halves, "weeks": week + 3, "window": week + 3})
    runs = [simulate(s).tally for s in (change(event, {"scandals": {}}), event)]
    j, cohorts = list(base.firms).index("goya"), [c for _, c in event.cells]

    def sales(side: str) -> Estimate:
        cells = [n for n, c in enumerate(cohorts) if side in ("", c)]
        return from_counts(
            lambda a, b: 100 * (b.flow[..., j + 1].sum(axis=-1) / a.flow[..., j + 1].sum(axis=-1) - 1),
            *(pooled(t, cells, slice(week, None)) for t in runs),
        )

    return {f"sales, {side or 'all'}, %": sales(side) for side in ("", *halves)}


def finding(table: pd.DataFrame) -> list[str]:
    """Each quantity with its mechanism and without it, and in what it should lie where that was measured."""
    lines = []
    for (mechanism, quantity), rows in table.groupby(["mechanism", "quantity"], sort=False):
        shown = ", ".join(f"{r.value:.2f} ± {r.error:.2f} {r.arm}" for r in rows.itertuples())
        low, high = rows.iloc[0][["low", "high"]]
        measured = "" if np.isnan(low) else f" ({low:g} to {high:g} measured)"
        lines.append(f"{mechanism}: {quantity} {shown}{measured}.")
    return lines


def main(people: int = 20_000) -> pd.DataFrame:
    rows, checks, facts = [], scoreboard.checks(), scoreboard.facts()
    whole = RunCache(people)
    for mechanism, (neutral, numbers) in NEUTRAL.items():
        without = Without(people, neutral)
        for number in numbers:
            for arm, runs in (("with", whole), ("without", without)):
                for name, found in checks[number](runs).items():
                    limits = facts[number].limits[name]
                    rows.append((mechanism, f"#{number} {name}", arm, found.value, found.error, *limits))
    for arm, runs in (("with", whole), ("without", Without(people, {"market.readiness": 0.0}))):
        rows += [(READINESS, name, arm, e.value, e.error, *PUBLISHED[name]) for name, e in banks(runs).items()]
    for arm, care in (("with", -3.0), ("without", 0.0)):
        for name, e in sides(people, care).items():
            rows.append(("care on the other side", name, arm, e.value, e.error, np.nan, np.nan))
    table = pd.DataFrame(rows, columns=["mechanism", "quantity", "arm", "value", "error", "low", "high"])
    print(table.round(2).to_string(index=False))
    title = "What each mechanism of leaving changes of what was measured"
    figure = figures.dots(table, "quantity", "arm", "mechanism", title, "")
    keep("why_they_leave", table, figure, finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
