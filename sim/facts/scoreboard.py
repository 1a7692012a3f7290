"""The scoreboard: every fact with its class, its limits, what the simulated customers do, and whether it holds.

A fact is a row of conf/facts.yaml and a function `fact_NUMBER` in a file of this folder; both are found by the number.
A verdict takes the error into account: what lies within two standard errors of a limit is undecided.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.facts.classes import NOT_MODELED, class_of
from sim.facts.runs import Quantities, RunCache
from sim.measure.estimates import Estimate

if TYPE_CHECKING:
    import pandas as pd

HOLDS, MISSES, UNDECIDED = "holds", "misses", "undecided"
CLEAR = 2.0  # standard errors from a limit, on either side, that a verdict takes
Check = Callable[[RunCache], Quantities]
Limits = dict[str, tuple[float, float]]


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
    limits: Limits = field(default_factory=dict)
    possible: Limits = field(default_factory=dict)  # what a quantity cannot exceed: a limit there is none
    construction: str = ""  # what in the model makes it so
    calibrated: str = ""  # which number was fitted to it, where conf/ does not say
    tried: str = ""  # of a miss: what was tried
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


def margin(fact: Fact, name: str, found: Estimate) -> float:
    """How far inside its limits a quantity lies, in standard errors; below 0 outside, nan if it is not a number.

    >>> fact = Fact(0, "", "", "", "", limits={"r": (0.8, 1.0)}, possible={"r": (-1.0, 1.0)})
    >>> margin(fact, "r", Estimate(np.array(0.9), np.array(0.05))), margin(fact, "r", Estimate(1.0, 0.0))
    (2.0, inf)
    """
    least, most = fact.possible.get(name, (-np.inf, np.inf))
    low, high = fact.limits[name]
    value, error = map(float, found)
    return in_errors(min(value - low if low > least else np.inf, high - value if high < most else np.inf), error)


def in_errors(inside: float, error: float) -> float:
    """A distance from a limit in standard errors; endless where there is none, nan where either is no number."""
    if np.isnan(inside) or (np.isnan(error) and inside):
        return float("nan")
    return float(round(inside / error, 9)) if error else float(np.copysign(np.inf, inside))


def verdict_of(margin: float) -> str:
    """What may be said of something that lies so many standard errors inside its limit.

    >>> [verdict_of(margin) for margin in (2.5, -2.5, -1.0)]
    ['holds', 'misses', 'undecided']
    """
    return HOLDS if margin >= CLEAR else MISSES if margin <= -CLEAR else UNDECIDED


def margin_of(fact: Fact, found: Quantities) -> float:
    """The margin of the quantity of a fact that lies worst."""
    margins = [margin(fact, name, found[name]) for name in fact.limits]
    return float("nan") if np.isnan(margins).any() else min(margins)


def verdict(fact: Fact, found: Quantities) -> str:
    """Whether every quantity lies within its limits by two standard errors, or one outside by as much.

    What is not a number, because nothing of the kind happens, misses.
    """
    if fact.not_modeled:
        return NOT_MODELED
    if any(np.isnan(float(found[name].value)) for name in fact.limits):
        return MISSES
    return verdict_of(margin_of(fact, found))


def check(runs: RunCache, numbers: Iterable[int] | None = None, threads: int = 0) -> dict[int, Quantities]:
    """What the simulated customers do, by fact and quantity; facts that share a run simulate it once.

    What cannot be computed, because a mechanism is off or numbers are others, is not a number, and misses.
    """

    def one(number: int) -> Quantities:
        try:
            return checks()[number](runs)
        except (ArithmeticError, IndexError, ValueError, RuntimeError, np.linalg.LinAlgError):
            if not (runs.off or runs.solve):
                raise
            return {name: Estimate(np.array(np.nan), np.array(np.nan)) for name in facts()[number].limits}

    asked = [n for n in (numbers or checks()) if n in checks()]
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return dict(zip(asked, pool.map(one, asked), strict=True))


def table(
    found: Mapping[int, Quantities], theorems: Collection[int] = (), power: Mapping[int, float] | None = None
) -> "pd.DataFrame":
    """A row a fact and quantity: class, power, limits, simulated value, error, margin, and the verdict on the fact."""
    import pandas as pd

    rows: list[dict[str, object]] = []
    for number, fact in facts().items():
        if number not in found and not fact.not_modeled:
            continue
        whole = verdict(fact, found.get(number, {}))
        row = {"fact": number, "class": class_of(fact, theorems), "power": (power or {}).get(number, np.nan)}
        row |= {"statement": fact.statement, "band": fact.band, "verdict": whole, "mark": fact.mark}
        row |= {"preset": fact.preset, "metric": fact.not_modeled or fact.metric, "tried": fact.tried}
        for name in fact.limits or ("",):
            low, high = fact.limits.get(name, (float("nan"), float("nan")))
            value, error = map(float, found[number][name] if name else (np.nan, np.nan))
            by = margin(fact, name, found[number][name]) if name else np.nan
            columns = {"quantity": name, "low": low, "high": high, "value": value, "error": error, "margin": by}
            rows.append({**row, **columns})
    return pd.DataFrame(rows)


def verdicts(found: Mapping[int, Quantities]) -> dict[int, str]:
    """The verdict on each fact that was checked."""
    return {n: verdict(facts()[n], values) for n, values in sorted(found.items())}


def as_text(table: "pd.DataFrame", numbers: Sequence[int] | None = None) -> str:
    """The facts as text, a block each, with what was tried where one misses."""
    lines = []
    for number, rows in table.groupby("fact"):
        if numbers and number not in numbers:
            continue
        one = rows.iloc[0]
        shown = one.verdict if one.verdict in (HOLDS, NOT_MODELED) else one.verdict.upper()
        known = "" if np.isnan(one.power) else f", power {one.power:.2f}"
        lines.append(f"#{number:<3} {shown} ({one['class']}{known}): {one.statement}")
        where = f" in {one.preset}" if one.preset else ""
        lines.append(f"     [{one.mark}] {one.band}\n     {one.metric}{where}")
        for row in rows[rows.quantity != ""].itertuples():
            mark = "" if row.margin >= CLEAR else "  <- outside" if not row.margin > -CLEAR else "  <- undecided"
            value = f"{row.value:>9.3f} ± {row.error:.3f}  of {row.low:g} to {row.high:g}"
            lines.append(f"     {row.quantity:<48} {value}, margin {row.margin:+.1f} s.e.{mark}")
        if one.tried and one.verdict != HOLDS:
            lines.append(f"     tried: {one.tried}")
    return "\n".join(lines)
