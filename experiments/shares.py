"""Asked for and simulated: are shares what firms state, up to the error that is printed?

Question: presence is solved once, on people of its own, so that firms have the shares they state. Does a run, whatever
its seed and size, have those shares within the error that it prints (its own draws and what is left of the solving)?
Design: five markets as they are shipped, 1,000, 10,000 and 100,000 people, 20 seeds: z = (simulated - asked) / error of
every firm. Were the errors right, z would be a standard normal: its root mean square 1.
Reading: root mean square of z by market and size, its error over seeds, and the largest |z|; firms of one run share
their draws, and runs of one market its presence.
"""

import numpy as np
import pandas as pd

from sim.engine.loop import simulate
from sim.measure import estimates, metrics
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study.presets import scenario_and_shares

FAST = {"people": 20_000, "seeds": 3, "markets": 1}
MARKETS = ("toothpaste_uk", "bank", "retail_us", "mobile", "cars_de")


def misses(market: str, people: int, seeds: int) -> pd.DataFrame:
    """A row a firm and seed: share asked for, share simulated, the printed error, and the miss in such errors."""
    base, shares = scenario_and_shares([f"market={market}", f"people={people}"])
    asked = np.array([s.asked for s in shares.values()])
    rows = []
    for seed in range(1, seeds + 1):
        run = simulate(change(base, {"seed": seed}))
        found = estimates.estimate(metrics.share, estimates.pooled(run.tally))
        simulated, error = metrics.with_presence(found, list(base.firms), shares)
        rows += zip(base.firms, [seed] * len(asked), asked, simulated, error, (simulated - asked) / error, strict=True)
    table = pd.DataFrame(rows, columns=["firm", "seed", "asked", "simulated", "error", "z"])
    return table.assign(market=market, people=f"{people:,} people")


def rms(z: pd.DataFrame) -> pd.Series:
    """Root mean square of z, and its standard error: each seed left out in turn."""
    square = z.assign(square=z.z**2)
    left_out = [square[square.seed != seed].square.mean() ** 0.5 for seed in z.seed.unique()]
    found = estimates.jackknife(np.array([square.square.mean() ** 0.5, *left_out]))
    return pd.Series({"value": float(found.value), "error": float(found.error), "largest": z.z.abs().max()})


def finding(table: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """Root mean square of z over everything and by size, the share of |z| below 1.96, and the largest of any cell."""
    sizes = "; ".join(f"{size} {(z.z**2).mean() ** 0.5:.2f}" for size, z in table.groupby("people", sort=False))
    worst = found.loc[found.value.idxmax()]
    return [
        f"root mean square of z {(table.z**2).mean() ** 0.5:.2f} ({sizes}).",
        f"{(table.z.abs() < 1.96).mean():.1%} of |z| lie below 1.96.",
        f"largest root mean square: {worst.market}, {worst.people}, {worst.value:.2f} ± {worst.error:.2f}.",
    ]


def main(people: int = 100_000, seeds: int = 20, markets: int = len(MARKETS)) -> pd.DataFrame:
    sizes = people // 100, people // 10, people
    table = pd.concat([misses(market, n, seeds) for market in MARKETS[:markets] for n in sizes], ignore_index=True)
    found = pd.DataFrame([(*key, *rms(z)) for key, z in table.groupby(["market", "people"], sort=False)])
    found.columns = ["market", "people", "value", "error", "largest"]
    print("Root mean square of (simulated - asked) / error, its standard error, and the largest")
    print(found.round(2).to_string(index=False))
    print(f"all together: {(table.z**2).mean() ** 0.5:.2f}; {(table.z.abs() < 1.96).mean():.1%} of |z| below 1.96")
    drawn = found.assign(value=found.value - 1)
    title = "Shares simulated less shares asked for, in printed errors"
    picture = figures.dots(drawn, "market", "people", title=title, label="root mean square of z, - 1")
    keep("shares", table, picture, finding=finding(table, found))
    return table


if __name__ == "__main__":
    play(main, FAST)
