"""Swift or slow recovery, and the paradox: satisfied, and gone all the same?

Question: what does the speed of a solution do to repurchase after a failure, and can a failure well repaired leave a
firm better off than no failure?
Design: shops (`retail_us`, the focus Target) and banks (Lloyds), where everybody who meets a failure complains. The
focus has failures in one visit in five, solved at once and in full, in 5 days, in 30 days, or never; the same people
with the same draws with no failures at all.
Reading: chance that the next use is at the firm again after a major failure, less that after a visit without one;
satisfaction (visits at or above expectation) and share, less those of the world without failures. Paired errors.
That a solved failure leaves people more satisfied is no finding: the meta-analysis (#67) says so, and the prior of
`market.recovery_paradox` is 0 or above in every world. Whether they buy more is left to the model.
"""

import numpy as np
import pandas as pd

from sim import study
from sim.engine.loop import simulate
from sim.measure import estimates, metrics
from sim.measure.estimates import Estimate
from sim.measure.tally import Tally
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.report.headlines import PEOPLE, at, in_worlds, less, sentences
from sim.study.twins import Twins, twins

FAST = {"people": 500, "replications": 2, "worlds": 2}
MARKETS = {"retail_us": ("target", "Shops"), "bank": ("lloyds", "Banks")}
ARMS = {
    "at once, in full": {"recovery_days": 0.0, "recovery_adequacy": 1.0},
    "in 5 days": {"recovery_days": 5.0, "recovery_adequacy": 1.0},
    "in 30 days": {"recovery_days": 30.0, "recovery_adequacy": 1.0},
    "never": {"recovery_adequacy": 0.0},
}
FINE, MAJOR = 0, 4  # outcomes of a visit: nothing failed; a major failure, complained of


def repurchase(tally: Tally) -> np.ndarray:
    """Chance to stay after a major failure, less that after a visit without failure."""
    stay = metrics.stay_after(tally)
    return stay[..., MAJOR] - stay[..., FINE]


def failing(base: Scenario, rate: float) -> dict[str, object]:
    """The focus has one touchpoint, which fails at this rate."""
    point = {"use": 1.0, "failure_rate": rate, "severity": 1.0}
    return {f"firms.{base.focus}.touchpoints": {"counter": point}}


def finding(table: pd.DataFrame) -> list[str]:
    """Repurchase after a failure, satisfaction and share, by when it is solved."""
    groups = table.groupby(["market", "solved"], sort=False)
    return [
        f"{market}, solved {solved}: "
        + "; ".join(f"{r.metric} {said(r.value, r.error)}" for r in rows.itertuples())
        + "."
        for (market, solved), rows in groups
    ]


def complaining(market: str, focus: str, *size: str) -> Scenario:
    """The market in which everybody who meets a failure complains, and the focus has none."""
    everybody = "market.complain_minor=1", "market.complain_major=1"
    base = study.scenario(f"market={market}", *everybody, *size, "weeks=104", f"focus={focus}")
    return change(base, failing(base, 0.0))


def margins(base: Scenario) -> dict[str, Estimate]:
    """What a solution at once does to repurchase, and whether it brings more share than no failure."""
    j, tallies, pairs, control = list(base.firms).index(base.focus), {}, {}, simulate(base)
    for arm in ("at once, in full", "never"):
        levers = {f"firms.{base.focus}.{name}": v for name, v in ARMS[arm].items()}
        pairs[arm] = Twins(control, simulate(change(base, failing(base, 0.2) | levers)))
        tallies[arm] = at(estimates.estimate(repurchase, estimates.pooled(pairs[arm].changed.tally)), j)
    return {
        "more buy again where a failure is solved at once than where never": less(*tallies.values()),
        "failures solved at once bring less share than none": at(
            pairs["at once, in full"].difference(metrics.share), j, -1.0
        ),
    }


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds speed pays, and failures do not."""
    tables = [pd.DataFrame()]
    for market, (focus, words) in MARKETS.items() if worlds else ():
        found = in_worlds(complaining(market, focus), margins, worlds, people)
        tables.append(found.assign(claim=f"{words}: " + found.claim))
    return pd.concat(tables)


def main(people: int = 8_000, replications: int = 4, worlds: int = 0) -> pd.DataFrame:
    rows = []
    for market, (focus, words) in MARKETS.items():
        base = complaining(market, focus, f"people={people}", f"replications={replications}")
        j = list(base.firms).index(focus)
        for arm, levers in ARMS.items():
            pair = twins(base, failing(base, 0.2) | {f"firms.{focus}.{name}": v for name, v in levers.items()})
            after = estimates.estimate(repurchase, estimates.pooled(pair.changed.tally))
            against = {"satisfaction": metrics.satisfaction, "share": metrics.share}
            found = {"repurchase after failure": after} | {n: pair.difference(m) for n, m in against.items()}
            rows += [(words, arm, name, 100 * e.value[j], 100 * e.error[j]) for name, e in found.items()]
    table = pd.DataFrame(rows, columns=["market", "solved", "metric", "value", "error"])
    print("Points; repurchase against visits without failure, the others against a run without failures")
    print(table.round(2).to_string(index=False))
    title = "Repurchase, satisfaction and share after failures, by when they are solved"
    picture = figures.dots(table, "solved", "market", "metric", title, "points")
    keep("recovery", table, picture, finding=finding(table) + sentences(headlines(worlds, min(people, PEOPLE))))
    return table


if __name__ == "__main__":
    play(main, FAST)
