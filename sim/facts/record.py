"""What the last full run found of each fact (conf/facts_found.yaml), and what may be said of it in a sentence."""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import yaml

from sim.compute.files import write_atomic
from sim.facts.classes import EMERGENT, HELD_OUT, NOT_MODELED, THEOREM
from sim.facts.power import SOME
from sim.facts.scoreboard import HOLDS, checks
from sim.study.presets import CONF

if TYPE_CHECKING:
    import pandas as pd

FILE = CONF / "facts_found.yaml"
HEAD = """# What the simulated customers do of each fact: made by `python -m experiments.facts --update`.
# `margin`: standard errors inside the nearest limit, below 0 outside.
"""


class Found(NamedTuple):
    """A fact as the last full run left it."""

    kind: str  # its class
    verdict: str
    margin: float


@cache
def found() -> dict[int, Found]:
    """What the last full run found, by number; {} where none was kept."""
    if not FILE.is_file():
        return {}
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))["facts"]
    return {int(n): Found(row["class"], row["verdict"], float(row["margin"])) for n, row in rows.items()}


def people() -> int:
    """How many people a run of the last full run had."""
    return int(yaml.safe_load(FILE.read_text(encoding="utf-8"))["people"])


def known_theorems() -> set[int]:
    """The facts that the NBD-Dirichlet passed in the last full run."""
    return {n for n, row in found().items() if row.kind == THEOREM}


def keep_found(table: "pd.DataFrame", size: int, seed: int) -> None:
    """Write what a run found; of facts that it did not check, what an earlier run of as many people found stays."""
    asked = table[table.verdict != NOT_MODELED].groupby("fact")
    kept = {n: f for n, f in found().items() if n not in asked.groups} if len(asked) < len(checks()) else {}
    if kept and people() != size:
        raise ValueError(f"what was found before is of {people()} people a run, this of {size}: check all facts")
    shown_of = {n: f"{{class: {f.kind}, verdict: {f.verdict}, margin: {_number(f.margin)}}}" for n, f in kept.items()}
    for number, rows in asked:
        one, margin = rows.iloc[0], rows.margin.min() if rows.margin.notna().all() else float("nan")
        shown_of[number] = f"{{class: {one['class']}, verdict: {one.verdict}, margin: {_number(margin)}}}"
    lines = [f"people: {size}", f"seed: {seed}", "facts:", *(f"  {n}: {shown_of[n]}" for n in sorted(shown_of))]
    write_atomic(FILE, (HEAD + "\n".join(lines) + "\n").encode())
    found.cache_clear()


def _number(margin: float) -> str:
    return f"{margin:.1f}".replace("inf", ".inf").replace("nan", ".nan")


def counts(table: "pd.DataFrame") -> "pd.DataFrame":
    """Facts by class and verdict, and of those that hold in each class how many have power."""
    import pandas as pd

    whole = table.drop_duplicates("fact")
    whole = whole[whole.verdict != NOT_MODELED]
    shown = pd.crosstab(whole["class"], whole.verdict, margins=True, margins_name="all")
    strong = whole[(whole.verdict == HOLDS) & (whole.power > SOME)]["class"].value_counts()
    shown[f"holds, power > {SOME:g}"] = strong.reindex(shown.index).fillna(0).astype(int)
    shown.loc["all", f"holds, power > {SOME:g}"] = int(strong.sum())
    return shown


def sentence(table: "pd.DataFrame") -> str:
    """What may be said of the facts: how many emerge, how many held-out predictions survive, and their worth."""
    whole = table.drop_duplicates("fact")
    held = whole[whole.verdict == HOLDS]
    emerge, survive = (held[held["class"] == name] for name in (EMERGENT, HELD_OUT))
    asked = [int((whole["class"] == name).sum()) for name in (EMERGENT, HELD_OUT)]
    strong = sum(int((rows.power > SOME).sum()) for rows in (emerge, survive))
    return (
        f"{len(emerge)} of {asked[0]} facts that nothing was fitted to emerge, and {len(survive)} of {asked[1]} "
        f"held-out predictions survive; {strong} of these {len(emerge) + len(survive)} would miss in more than "
        f"{SOME:.0%} of redraws of the numbers that were not calibrated."
    )
