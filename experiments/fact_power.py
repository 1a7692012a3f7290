"""How much does it say that a fact holds?

Question: how often would each fact miss if the numbers that nobody has calibrated were others that could be true?
Design: every fact again in runs whose numbers are redrawn from conf/priors.yaml, the same quantile of a number in every
preset; what the presets say was calibrated stays; presence is solved anew. 20 redraws of 10,000 people a run, as many
at once as there are cores (`redraws=`, `people=`; `new=1`: of the facts alone that conf/facts_power.yaml lacks).
A study that is stopped goes on where it was; redraws made by other code are made again.
Reading: power, the share of redraws in which a fact misses by two standard errors or more: a lower bound, since people
so few leave some undecided. A fact that never misses has no power. The result is kept in conf/facts_power.yaml, which
`python -m experiments.facts` shows.
"""

import hashlib
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim.compute.files import write_atomic
from sim.engine.cluster import source
from sim.facts import classes, power, record, scoreboard
from sim.report import figures
from sim.report.experiment import FOLDER, keep, play

FAST = {"people": 300, "redraws": 1, "facts": 3, "ship": 0}
HEAD = "# How often each fact misses when what was not calibrated is redrawn: made by experiments/fact_power.py.\n"


def journal(people: int, redraws: int, numbers: list[int]) -> list[list[int]]:
    """The facts missed in each redraw; those known from an earlier run of the same code are not made again."""
    conf = sorted(file.read_bytes() for file in power.CONF.rglob("*.yaml") if file != power.FILE)
    code = hashlib.sha256(source().encode() + b"".join(conf)).hexdigest()[:16]
    asked = hashlib.sha256(str(numbers).encode()).hexdigest()[:8]
    path, mark = Path(FOLDER) / "fact_power.journal", f"{code} {people} {asked}"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    known = {line["redraw"]: line["missed"] for line in lines if line["mark"] == mark}
    path.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        todo = {pool.submit(power.missed, people, key, numbers): key for key in range(redraws) if key not in known}
        for done in as_completed(todo):
            key = todo[done]
            known[key] = done.result()
            with path.open("a") as file:
                file.write(json.dumps({"mark": mark, "redraw": key, "missed": known[key]}) + "\n")
            print(f"redraw {key}: {len(known[key])} of {len(numbers)} miss", flush=True)
    return [known[key] for key in range(redraws)]


def draw(table: pd.DataFrame) -> Figure:
    """Power of every fact, a row a class."""
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        axes = figure.subplots()
        for y, name in enumerate(reversed(classes.CLASSES)):
            rows = table[table["class"] == name].sort_values("power")
            axes.plot(rows.power, y + np.linspace(-0.3, 0.3, len(rows)), "o", color=figures.MARK, markersize=3)
        axes.axvline(power.SOME, color=figures.REST)
        axes.set(yticks=range(len(classes.CLASSES)), yticklabels=classes.CLASSES[::-1], xlim=(-0.05, 1.05))
        axes.set(xlabel="share of redraws in which the fact misses")
        none = int((table.power == 0).sum())
        axes.set_title(f"{none} of {len(table)} facts never miss, {int((table.power > power.SOME).sum())} often do")
    return figure


def finding(table: pd.DataFrame) -> list[str]:
    """How many facts of each class never miss, and how many often do."""
    lines = []
    for name, rows in table.groupby("class"):
        never, often = (rows.power == 0).sum(), (rows.power > power.SOME).sum()
        lines.append(f"{name}: of {len(rows)} facts {never} never miss, {often} miss in more than {power.SOME:.0%}.")
    return lines


def main(people: int = 10_000, redraws: int = 20, facts: int = 0, new: int = 0, ship: int = 1) -> pd.DataFrame:
    shipped = power.shipped() if new else {}
    numbers = [n for n in scoreboard.checks() if n not in shipped][: facts or None]
    rows = journal(people, redraws, numbers)
    share = {n: sum(n in row for row in rows) / redraws for n in numbers}
    known = [scoreboard.facts()[n] for n in numbers]
    table = pd.DataFrame(
        {
            "fact": numbers,
            "class": [classes.class_of(f, record.known_theorems()) for f in known],
            "power": share.values(),
        }
    )
    table["error"] = np.sqrt(table.power * (1 - table.power) / redraws)
    if ship:
        both = sorted({**shipped, **share}.items())
        least = min(redraws, yaml.safe_load(power.FILE.read_text())["redraws"]) if new else redraws
        body = f"people: {people}\nredraws: {least}  # at least\npower:\n" + "".join(f"  {n}: {p:g}\n" for n, p in both)
        write_atomic(power.FILE, (HEAD + body).encode())
    keep("fact_power", table, draw(table), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
