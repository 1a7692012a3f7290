"""Is each mechanism needed by some fact?

Question: which facts stop holding when a mechanism is switched off, all else as shipped?
Design: every fact again, in runs without the mechanism (presence as solved with it, so that only the mechanism
differs), and once with all of them; 10,000 people a run.
Reading: a fact that holds with all and misses without the mechanism needs it. A mechanism that no fact needs is named.
"""

import sys

import pandas as pd
from matplotlib import rc_context
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from sim.facts import scoreboard
from sim.facts.runs import RunCache
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


def finding(table: pd.DataFrame) -> list[str]:
    """By mechanism the facts that hold with it alone."""
    lost = table[table.state == -1].groupby("mechanism").fact.apply(lambda f: ", ".join(f"#{n}" for n in f))
    return [f"{m}: needed by {lost.get(m, 'no fact')}." for m in dict.fromkeys(table.mechanism)]


def main(people: int = 10_000, *mechanisms: str) -> pd.DataFrame:
    """The state of each fact without each mechanism: -1 lost, 0 missed anyway, 1 held, 2 won."""
    whole = scoreboard.verdicts(scoreboard.check(RunCache(people)))
    rows = []
    for mechanism in mechanisms or shapley.MECHANISMS:
        without = scoreboard.verdicts(scoreboard.check(RunCache(people, off=(mechanism,))))
        for fact, verdict in without.items():
            held, holds = (v == scoreboard.HOLDS for v in (whole[fact], verdict))
            state = (-1 if held else 2) if held != holds else int(held)
            rows.append({"mechanism": mechanism, "fact": fact, "with": whole[fact], "without": verdict, "state": state})
        lost = [row["fact"] for row in rows if row["mechanism"] == mechanism and row["state"] == -1]
        print(f"{mechanism}: needed by {', '.join(f'#{n}' for n in lost) if lost else 'no fact'}", flush=True)
    table = pd.DataFrame(rows)
    keep("ablations", table, draw(table), finding=finding(table))
    return table


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
