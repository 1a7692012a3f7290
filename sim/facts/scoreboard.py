"""The scoreboard: every fact with its limits, what the simulated customers do, and whether it holds.

A fact is a row of conf/facts.yaml and a function `fact_NUMBER` in a file of this folder; both are found by the number.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.facts.runs import Quantities, RunCache
from sim.measure.estimates import Estimate

if TYPE_CHECKING:
    import pandas as pd

HOLDS, MISSES, NOT_MODELED = "holds", "misses", "not modeled"
Check = Callable[[RunCache], Quantities]


@dataclass
class Fact:
    """What has been measured, and in what each simulated quantity must lie."""

    number: int
    statement: str
    band: str
    source: str
    mark: str
    preset: str = ""
    metric: str = ""
    held_out: bool = False
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)
    not_modeled: str = ""


@cache
def checks() -> dict[int, Check]:
    """The functions of all facts, by number."""
    found: dict[int, Check] = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem not in ("__init__", Path(__file__).stem):
            module = import_module(f"{__package__}.{file.stem}")
            found |= {int(n[5:]): f for n, f in vars(module).items() if re.fullmatch(r"fact_\d+", n)}
    return dict(sorted(found.items()))


@cache
def facts() -> dict[int, Fact]:
    """The facts of conf/facts.yaml, by number; ValueError where a row has no function, or a function no row."""
    import yaml

    from sim.study.presets import CONF

    rows = yaml.safe_load((CONF / "facts.yaml").read_text(encoding="utf-8"))
    found = {number: Fact(number, **row) for number, row in rows.items()}
    modeled = {number for number, fact in found.items() if not fact.not_modeled}
    wrong = [f"fact {n}: no function fact_{n} in sim/facts" for n in sorted(modeled - set(checks()))]
    wrong += [f"fact_{n}: no modeled fact {n} in conf/facts.yaml" for n in sorted(set(checks()) - modeled)]
    if wrong:
        raise ValueError("\n".join(wrong))
    return found


def verdict(fact: Fact, found: Quantities) -> str:
    """Whether every quantity lies within its limits."""
    if fact.not_modeled:
        return NOT_MODELED
    within = [low <= found[name].value <= high for name, (low, high) in fact.limits.items()]
    return HOLDS if all(within) else MISSES


def check(runs: RunCache, numbers: Iterable[int] | None = None, threads: int = 0) -> dict[int, Quantities]:
    """What the simulated customers do, by fact and quantity; facts that share a run simulate it once.

    What cannot be computed, because a mechanism is off and nothing happens, is not a number, and misses.
    """

    def one(number: int) -> Quantities:
        try:
            return checks()[number](runs)
        except (ArithmeticError, IndexError, ValueError, RuntimeError, np.linalg.LinAlgError):
            if not runs.off:
                raise
            return {name: Estimate(np.array(np.nan), np.array(np.nan)) for name in facts()[number].limits}

    asked = [n for n in (numbers or checks()) if n in checks()]
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return dict(zip(asked, pool.map(one, asked), strict=True))


def table(found: dict[int, Quantities]) -> "pd.DataFrame":
    """A row a fact and quantity: its limits, the simulated value and error, and the verdict on the fact."""
    import pandas as pd

    rows: list[dict[str, object]] = []
    for number, fact in facts().items():
        if number not in found and not fact.not_modeled:
            continue
        whole = verdict(fact, found.get(number, {}))
        row = {"fact": number, "statement": fact.statement, "band": fact.band, "verdict": whole, "mark": fact.mark}
        row |= {"held_out": fact.held_out, "preset": fact.preset, "metric": fact.not_modeled or fact.metric}
        for name in fact.limits or ("",):
            low, high = fact.limits.get(name, (float("nan"), float("nan")))
            value, error = map(float, found[number][name] if name else (np.nan, np.nan))
            rows.append({**row, "quantity": name, "low": low, "high": high, "value": value, "error": error})
    return pd.DataFrame(rows)


def verdicts(found: dict[int, Quantities]) -> dict[int, str]:
    """The verdict on each fact that was checked."""
    return {n: verdict(facts()[n], values) for n, values in sorted(found.items())}


def totals(table: "pd.DataFrame") -> dict[str, tuple[int, int]]:
    """How many of all facts are checked, of these hold, and of those held out hold: (number, of how many)."""
    whole = table.drop_duplicates("fact")
    checked = whole[whole.verdict != NOT_MODELED]
    held_out = checked[checked.held_out]
    return {
        "checked": (len(checked), len(whole)),
        "hold": (int((checked.verdict == HOLDS).sum()), len(checked)),
        "held out hold": (int((held_out.verdict == HOLDS).sum()), len(held_out)),
    }


def as_text(table: "pd.DataFrame", numbers: Sequence[int] | None = None) -> str:
    """The scoreboard as text, a block a fact."""
    lines = []
    for number, rows in table.groupby("fact"):
        if numbers and number not in numbers:
            continue
        one = rows.iloc[0]
        held_out = ", held out" if one.held_out else ""
        shown = one.verdict.upper() if one.verdict == MISSES else one.verdict
        lines.append(f"#{number:<3} {shown}{held_out}: {one.statement}")
        where = f" in {one.preset}" if one.preset else ""
        lines.append(f"     [{one.mark}] {one.band}\n     {one.metric}{where}")
        for row in rows[rows.quantity != ""].itertuples():
            mark = "" if row.low <= row.value <= row.high else "  <- outside"
            value = f"{row.value:>9.3f} ± {row.error:.3f}"
            lines.append(f"     {row.quantity:<52} {value}  of {row.low:g} to {row.high:g}{mark}")
    lines += [f"{name}: {n} of {of} ({n / max(of, 1):.0%})" for name, (n, of) in totals(table).items()]
    return "\n".join(lines)
