"""Is each mechanism needed by some fact?

Question: which facts stop holding when a mechanism is switched off, all else as shipped?
Design: every fact again, in worlds without the mechanism (presence as solved with it, so that only the mechanism
differs), and once with all of them; 10,000 people a world.
Reading: a fact that holds with all and misses without the mechanism needs it. A mechanism that no fact needs is named.
Finding (4,000 people a world, so that facts on the edge come and go): every mechanism but two is needed, most sharply
taste (#3, #5-8), experience (#19, #47), habit (#7, #30), inattention (#18-20, #29), looks (#32, #33), friction (#24,
#25), anchor (#74, #76), ease (#54), trust (#56, #58, #71), regret (#72), scandals (#35, #36, #49-56, #59), word of
mouth (#60, #61), price (#22, #23, #26). Association is at 0 in every preset, so that no fact can need it: it stays as
lever 1 of the articles, an assumption. Uncertainty about firms never used is a part of lever 3; without it no fact
leaves its band, so its size in the presets is an assumption too.
"""

import sys

import pandas as pd
from matplotlib import rc_context
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from sim.facts import scoreboard
from sim.facts.markets import Worlds
from sim.report import figures
from sim.report.experiment import keep
from sim.study import shapley


def draw(table: pd.DataFrame) -> Figure:
    """The matrix fact x mechanism: lost is orange, held is blue, what missed with all mechanisms is gray."""
    wide = table.pivot(index="mechanism", columns="fact", values="state").loc[list(dict.fromkeys(table.mechanism))]
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(14, 0.3 * len(wide) + 1.6), layout="constrained")
        axes = figure.subplots()
        colors = ListedColormap([figures.FOCUS, figures.REST, "#CFE3F1", figures.MARK])
        axes.pcolormesh(wide.to_numpy()[::-1], cmap=colors, vmin=-1.5, vmax=2.5, edgecolors="white", linewidth=0.5)
        axes.set_xticks([x + 0.5 for x in range(wide.shape[1])], wide.columns, fontsize=6, rotation=90)
        axes.set_yticks([y + 0.5 for y in range(len(wide))], wide.index[::-1])
        axes.set(
            xlabel="fact", title="Lost without the mechanism (orange), held (pale), missed anyway (gray), won (blue)"
        )
    return figure


def main(people: int = 10_000, *mechanisms: str) -> pd.DataFrame:
    whole = scoreboard.verdicts(scoreboard.check(Worlds(people)))
    rows = []
    for mechanism in mechanisms or shapley.MECHANISMS:
        without = scoreboard.verdicts(scoreboard.check(Worlds(people, off=(mechanism,))))
        for fact, verdict in without.items():
            held, holds = (v == scoreboard.HOLDS for v in (whole[fact], verdict))
            state = (-1 if held else 2) if held != holds else int(held)
            rows.append({"mechanism": mechanism, "fact": fact, "with": whole[fact], "without": verdict, "state": state})
        lost = [row["fact"] for row in rows if row["mechanism"] == mechanism and row["state"] == -1]
        print(f"{mechanism}: needed by {', '.join(f'#{n}' for n in lost) if lost else 'no fact'}", flush=True)
    table = pd.DataFrame(rows)
    keep("ablations", table, draw(table))
    return table


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
