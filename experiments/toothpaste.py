"""Is the simulated toothpaste market the one that was published?

Question: do people simulated with the whole week repeat-buy as Britain did, whose quarter of toothpaste follows the
NBD-Dirichlet with M 1.456, K .78, S 1.3 (Goodhardt, Ehrenberg & Chatfield 1984)?
Design: `toothpaste_uk`, 40,000 people, presence solved for the published shares; penetration, purchases per buyer,
share of category requirements and sole users per quarter beside the closed form computed anew. With `refit=1` the one
free number, the concentration S of tastes, is chosen again by least squares on penetration and purchases per buyer.
Reading: every brand of 5 % share and more within 10 %, shares within half a point.
"""

import numpy as np
import pandas as pd

from sim import study
from sim.engine.loop import simulate
from sim.measure import dirichlet, estimates, metrics
from sim.measure.estimates import Estimate
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play
from sim.report.headlines import PEOPLE, in_worlds, sentences
from sim.study.calibrate_shares import calibrate_shares

FAST = {"people": 2_000, "worlds": 2}
LAWS = {
    "penetration": (metrics.penetration, dirichlet.penetration),
    "purchases per buyer": (metrics.frequency, dirichlet.frequency),
    "share of requirements": (metrics.category_requirements, dirichlet.category_requirements),
    "sole users": (metrics.solely_loyal, dirichlet.solely_loyal),
}
M, K, S = 1.456, 0.78, 1.3  # published


def compare(market: Scenario, shares: list[float]) -> pd.DataFrame:
    """Simulated with error beside the closed form: a row for each brand and law."""
    counts = estimates.pooled(simulate(market).tally)
    laws = {"share": (metrics.share, lambda model: np.array(model.shares)), **LAWS}
    rows = []
    for law, (metric, theory) in laws.items():
        value, error = estimates.estimate(metric, counts)
        expected = theory(dirichlet.Dirichlet(M, K, S, shares))
        gap = value - expected if law == "share" else value / expected - 1
        columns = zip(market.firms, shares, value, error, expected, gap, strict=True)
        rows += [(law, *column) for column in columns]
    return pd.DataFrame(rows, columns=["law", "brand", "asked", "simulated", "error", "expected", "gap"])


def fit(market: Scenario, shares: list[float]) -> float:
    """The concentration of tastes with the least squared relative gaps of penetration and purchases per buyer."""
    misses = {}
    for concentration in np.arange(1.6, 2.9, 0.3):
        trial, _ = calibrate_shares(change(market, {"market.taste_concentration": float(concentration)}))
        table = compare(trial, shares)
        used = table[table.law.isin(["penetration", "purchases per buyer"]) & (table.asked >= 0.05)]
        misses[float(concentration)] = float((used.gap**2).mean() ** 0.5)
        print(f"S of tastes {concentration:.1f}: root mean square gap {misses[float(concentration)]:.1%}", flush=True)
    return min(misses, key=misses.__getitem__)


def finding(table: pd.DataFrame) -> list[str]:
    """The largest gap of brands of 5 % and more for each law, and the gaps of the first brand and the last."""
    large, lines = table[table.asked >= 0.05], []
    for law, rows in large.groupby("law", sort=False):
        worst = rows.loc[rows.gap.abs().idxmax()]
        scale = 100 if law == "share" else 100 / worst.expected
        unit = "points" if law == "share" else "%"
        first, last = rows.iloc[0], rows.iloc[-1]
        ends = f"{first.brand} {100 * first.gap:+.1f}, {last.brand} {100 * last.gap:+.1f}"
        gap = f"{100 * worst.gap:+.1f} ± {scale * worst.error:.1f} {unit}"
        lines.append(f"{law}: largest gap {gap} ({worst.brand}); first and last brand: {ends}")
    return lines


def title(table: pd.DataFrame) -> str:
    """How far the simulated market is from the published one."""
    laws = table[(table.asked >= 0.05) & (table.law != "share")]
    return f"Simulated toothpaste lies within {100 * laws.gap.abs().max():.1f} % of the published NBD-Dirichlet"


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds large brands are as the published law has them."""
    if not worlds:
        return pd.DataFrame()
    shares = [firm.share or 0.0 for firm in study.uncalibrated("market=toothpaste_uk").firms.values()]

    def margins(base: Scenario) -> dict[str, Estimate]:
        table = compare(base, shares)
        large = table[(table.asked >= 0.05) & table.law.isin(["penetration", "purchases per buyer"])]
        worst = large.loc[large.gap.abs().idxmax()]
        name = "brands of 5 % and more are within 10 % of the published penetration and purchases per buyer"
        return {name: Estimate(np.array(0.1 - abs(worst.gap)), np.array(worst.error / worst.expected))}

    return in_worlds(study.scenario("market=toothpaste_uk"), margins, worlds, people)


def main(people: int = 40_000, refit: int = 0, worlds: int = 0) -> pd.DataFrame:
    stated = study.uncalibrated("market=toothpaste_uk", f"people={people}")
    shares = [firm.share or 0.0 for firm in stated.firms.values()]
    if refit:
        stated = change(stated, {"market.taste_concentration": fit(stated, shares)})
    table = compare(calibrate_shares(stated)[0], shares)
    large = table[table.asked >= 0.05]
    for law, rows in large.groupby("law", sort=False):
        unit = "points" if law == "share" else "%"
        print(f"\n{law}: largest gap of brands of 5 % and more {rows.gap.abs().max() * 100:.1f} {unit}")
        print(rows[["brand", "simulated", "error", "expected", "gap"]].round(3).to_string(index=False))
    panels = {law: (r.simulated, r.error, r.expected) for law, r in large.groupby("law", sort=False)}
    names = list(large.brand.unique())
    figure = figures.side_by_side(panels, names, title(table))
    keep("toothpaste", table, figure, finding=finding(table) + sentences(headlines(worlds, min(people, PEOPLE))))
    return table


if __name__ == "__main__":
    play(main, FAST)
