"""In how many plausible worlds does each of the articles' findings hold, and what decides where it does not?

Question: the experiments of the articles find what they find with the presets' numbers. How often with others that are
as plausible?
Design: `margins` of each experiment, by how much its finding holds, in `worlds=` plausible worlds of each of its
markets (sim/study/worlds.py: kept worlds where there are any, else draws from the priors), with paired errors.
What is done is kept in outputs/worlds and not done again. `only=` runs one experiment, by its place in the list below.
Reading: worlds in which a finding holds, is reversed, or is too close to tell; the numbers that go with the margin
beyond chance (rank correlation, by permutation). The figure shows the shares.
"""

import hashlib
import io
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim.compute.files import write_atomic
from sim.engine.cluster import source
from sim.report import figures
from sim.report.experiment import keep, play
from sim.report.headlines import PEOPLE, sentences
from sim.study.presets import CONF

FAST = {"people": 300, "worlds": 2, "only": 1}
EXPERIMENTS = (
    *("three_reasons", "four_levers", "toothpaste", "one_wrong_step"),
    *("habit_against_scandal", "cancel_by_phone", "hacked", "recovery"),
)
CACHE = Path("outputs/worlds")
PARTS = ("holds", "open", "reversed")


def found_by(name: str, worlds: int, people: int) -> pd.DataFrame:
    """The claims of an experiment over worlds, from the cache where the same code and data made it."""
    data = b"".join(f.read_bytes() for f in sorted(CONF.rglob("*")) if f.is_file())
    script = Path(__file__).with_name(f"{name}.py").read_bytes()
    mark = hashlib.sha256(source().encode() + data + script).hexdigest()[:16]
    path = CACHE / f"headlines-{name}-{worlds}-{people}-{mark}.json"
    if not path.is_file():
        table: pd.DataFrame = import_module(f"experiments.{name}").headlines(worlds, people)
        CACHE.mkdir(parents=True, exist_ok=True)
        write_atomic(path, table.to_json(orient="records").encode())
    return pd.read_json(io.StringIO(path.read_text(encoding="utf-8"))).assign(experiment=name)


def draw(table: pd.DataFrame) -> Figure:
    """A bar a claim: the shares of worlds in which it holds, is too close to tell, and is reversed."""
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(10, 1.5 + 0.42 * len(table)), layout="constrained")
        axes, y, left = figure.subplots(), np.arange(len(table))[::-1], np.zeros(len(table))
        for part, color in zip(PARTS, (figures.MARK, figures.REST, figures.INK), strict=True):
            share = 100 * (table[part] / table.worlds).to_numpy(float)
            axes.barh(y, share, left=left, color=color, label="too close to tell" if part == "open" else part)
            left += share
        axes.set_yticks(y, [str(c) for c in table.claim], fontsize=8)
        axes.set(xlim=(0, 100), xlabel=f"of {table.worlds.max()} plausible worlds, %")
        axes.set_title("In how many plausible worlds the findings hold")
        axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.08), ncols=3, frameon=False)
    return figure


def finding(table: pd.DataFrame) -> list[str]:
    """A sentence a claim."""
    return sentences(table)


def main(people: int = PEOPLE, worlds: int = 100, only: int = 0) -> pd.DataFrame:
    names = EXPERIMENTS[only - 1 : only] if only else EXPERIMENTS
    tables = []
    for name in names:
        tables.append(found_by(name, worlds, people))
        print(name, *sentences(tables[-1]), sep="\n  ", flush=True)
    table = pd.concat(tables, ignore_index=True)
    print(table.drop(columns=["source", "decides"]).round(3).to_string(index=False))
    keep("headlines", table, draw(table), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
