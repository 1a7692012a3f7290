"""What is stickiness made of, on a shelf and at a bank?

Question: how much of each firm's stickiness index is taste, experience, habit, inattention, captivity, anchor, trust?
Design: `toothpaste_uk` and `bank`, 5,000 people, presence solved; every mechanism switched off in coalitions that
follow 16 orders of joining, each with its reverse among them; the same people with the same draws in every coalition.
Reading: Shapley shares, which sum to the index; those below .01 at every firm of a market are drawn together.
"""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim import study
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study import shapley

FAST = {"people": 500, "permutations": 2}
MARKETS = {"toothpaste_uk": "Toothpaste: any number of uses", "bank": "Banks: one provider until left"}
SMALL = 0.01
COLORS = {name: figures.color(n) for n, name in enumerate(shapley.MECHANISMS)} | {"the rest": figures.REST}


def parts(table: pd.DataFrame) -> pd.DataFrame:
    """Shares by firm and mechanism, the larger mechanisms first, what is small everywhere summed as `the rest`."""
    wide = table.pivot(index="firm", columns="mechanism", values="value")[[*shapley.MECHANISMS, "chance"]]
    small = wide.columns[(wide.abs() < SMALL).all() | (wide.columns == "chance")]
    kept = wide.drop(columns=small)
    return kept[kept.mean().sort_values(ascending=False).index].assign(**{"the rest": wide[small].sum(axis=1)})


def draw(tables: dict[str, pd.DataFrame]) -> Figure:
    """Stacked bars, a firm each and a panel a market; what makes a firm less sticky to the left of zero."""
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(11, 7.4), layout="constrained")
        for panel, (market, table) in zip(figure.subplots(len(tables), 1, sharex=True), tables.items(), strict=True):
            index = table[table.mechanism == "stickiness"].set_index("firm").sort_values("value")
            shares, firms = parts(table).loc[index.index], [firm.replace("_", " ").capitalize() for firm in index.index]
            ends = {1: np.zeros(len(index)), -1: np.zeros(len(index))}
            for mechanism, values in shares.items():
                for sign, start in ends.items():
                    width = np.where(np.sign(values) == sign, values, 0)
                    name = str(mechanism) if sign == np.sign(values.sum()) else None
                    panel.barh(firms, width, 0.7, start, color=COLORS[str(mechanism)], label=name)
                    start += width
            spread = figures.INTERVAL * index.error
            panel.errorbar(index.value, firms, xerr=spread, fmt="|", color=figures.INK, ms=14, capsize=3)
            panel.axvline(0, color=figures.INK, linewidth=0.8)
            panel.set(title=MARKETS[market])
            panel.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        panel.set(xlabel="Stickiness index and its Shapley shares; the mark is the whole, with its 95 % interval")
    return figure


def finding(table: pd.DataFrame) -> list[str]:
    """Of the stickiest firm of each market: its index, and the mechanisms of which it is made, the larger first."""
    lines = []
    for market, rows in table.groupby("market", sort=False):
        whole = rows[rows.mechanism == "stickiness"].set_index("firm")
        firm = whole.value.idxmax()
        mine = rows[(rows.firm == firm) & ~rows.mechanism.isin(["stickiness", "chance"])]
        mine = mine[mine.value.abs() >= SMALL].sort_values("value", ascending=False)
        made = "; ".join(f"{r.mechanism} {r.value:+.3f} ± {r.error:.3f}" for r in mine.itertuples())
        lines.append(f"{market}, {firm}: index {whole.value[firm]:.3f} ± {whole.error[firm]:.3f}: {made}.")
    return lines


def main(people: int = 5_000, permutations: int = 16) -> pd.DataFrame:
    tables = {}
    for market in MARKETS:
        base = study.scenario(f"market={market}", f"people={people}")
        tables[market] = shapley.decompose(base, permutations=permutations)
        focus = tables[market].query("firm == @base.focus").drop(columns="firm")
        print(f"\n{market}: {base.focus}\n{focus.round(3).to_string(index=False)}")
        print(f"\n{market}: every firm\n{parts(tables[market]).round(3).to_string()}", flush=True)
    table = pd.concat([t.assign(market=market) for market, t in tables.items()], ignore_index=True)
    keep("shapley", table, draw(tables), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
