"""`python -m sim countermeasures ...`: what would have helped against a scandal, as a table, a figure and files."""

import os
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sim.compute.files import unwritable
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.report import streams
from sim.report.answer_text import averted, cell, number, span
from sim.report.flags import empty
from sim.report.folders import claim, draft, move, near, occupied, refusal, refuse, take_back
from sim.report.signals import obeying, stoppable
from sim.report.terminal import fitted, progress
from sim.study.countermeasures import Countermeasure, countermeasures, table
from sim.study.presets import scenario

FILES = ("countermeasures.csv", "countermeasures.parquet", "countermeasures.png", "countermeasures.svg")
HEADS = ("of the loss averted, %", "side effect, customers %", "cost")
OUT = "out"  # the setting that names the folder
ALONE = "countermeasures are told in % of the loss, with the scenario's own numbers; leave it out"
HINT = "write NAME=VALUE, as in market=bank scandal=data_breach people=50000"


def main(arguments: Sequence[str]) -> int:
    """Run the command with its settings; returns 0. Raises ScenarioError with all that is wrong with them."""
    given = [a for a in arguments if a.startswith(f"{OUT}=")]
    settings = [a for a in arguments if a not in given]
    wrong = [f"{a!r}: not a setting; {HINT}" for a in settings if "=" not in a] + empty(arguments)
    wrong += [f"{OUT}: give one folder" for _ in given[1:]]
    wrong += [f"{a}: {ALONE}" for a in settings if a.lstrip("+").startswith(("base=", "worlds="))]
    refuse(wrong)
    named = given[0].partition("=")[2] if given else f"outputs/{datetime.now():%Y-%m-%d/%H-%M-%S-%f}"
    absolute = Path(os.path.abspath(named))
    why = unwritable(absolute / FILES[0])
    refuse([f"{OUT}: {named} cannot be written: {why}"] if why else refusal(OUT, absolute, occupied(absolute, FILES)))
    with stoppable():
        told = scenario(*settings)
        if not told.scandals:
            raise ScenarioError(["countermeasures: no scandal is chosen; add one, as in scandal=data_breach"])
        claimed = claim(OUT, named)
        try:
            with progress(told, "each response and lever in turn:") as (step, _):
                made = countermeasures(told, obeying(step))
            _keep(told, made, claimed.folder)
        except BaseException:
            take_back(claimed)
            raise
    show(told, made)
    print(f"written to {near(claimed.folder)}: {', '.join(FILES)}")
    return 0


def show(told: Scenario, made: Sequence[Countermeasure]) -> None:
    """Print the table and, below it, a line on what is known of each."""
    console, width = streams.console(), streams.columns()
    console.print(textwrap.fill(title(told, made), width), style="bold", soft_wrap=True)
    rows = [(m.label, [averted(m), cell(m.besides) if m.besides.value else "0", m.cost or "not given"]) for m in made]
    grid, left_out = fitted("countermeasure", HEADS, rows, width)
    console.print(grid)
    if left_out:
        console.print(f"{', '.join(left_out)}: in {FILES[0]}, or on a wider terminal", style="dim", soft_wrap=True)
    console.print(textwrap.fill(note(told), width), style="dim", soft_wrap=True)
    console.print(streams.plain(told.title or "A market"), style="dim", soft_wrap=True)
    console.print("\nwhat is known of them", style="bold")
    for m in made:
        console.print(textwrap.fill(f"{m.label}: {m.known}", width, subsequent_indent="  "), soft_wrap=True)


def title(told: Scenario, made: Sequence[Countermeasure]) -> str:
    """What helped most, as far as can be told."""
    names = " and ".join(told.scandals).replace("_", " ")
    if not any(m.averted.known for m in made):
        return f"{names}: no loss of customers detected that could be averted; more people would tell"
    best = made[0]
    if not best.seen:
        return f"{names}: of no countermeasure was it detected that it averts any of the loss; more people would tell"
    return (
        f"{names}: most may be averted by this: {best.label[:1].lower()}{best.label[1:]}, {number(best.averted)} % "
        f"of the loss (80 %: {span(best.averted)})"
    )


def note(told: Scenario) -> str:
    """What the columns mean."""
    return (
        f"{told.people:,} people. Averted: of the customer-weeks lost in the first year; a lever is compared with the "
        "same lever and no scandal, and what it does besides is customers won or lost a year on with no scandal at "
        "all; a measure that loses some comes last. Intervals hold people, draws and what is not known of the size of "
        "a response; not the other numbers of the model."
    )


def _keep(told: Scenario, made: Sequence[Countermeasure], folder: Path) -> None:
    from sim.report import figures
    from sim.study import store

    found = table(made)
    figure = figures.countermeasures(
        made,
        title(told, made)[:1].upper() + title(told, made)[1:],
        note(told).partition(". ")[0] + ". Gray: not detected.",
    )
    with draft(folder) as place:
        found.to_csv(place / FILES[0], index=False)
        store.write_table(found, place / FILES[1])
        for name in FILES[2:]:
            figures.save(figure, place / name, name.rpartition(".")[2])
        move(FILES, place, folder)
