"""The scoreboard: every fact with its limits, what the simulated customers do, and whether it holds."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.facts import attention, boycotts, providers, repertoire, scandals, service, word_of_mouth
from sim.facts.markets import Worlds
from sim.measure.estimates import Estimate

if TYPE_CHECKING:
    import pandas as pd

HOLDS, MISSES, NOT_MODELLED = "holds", "misses", "not modeled"
ROOMS = (repertoire, providers, attention, scandals, boycotts, word_of_mouth, service)
CHECKS: dict[int, Callable[[Worlds], dict[str, Estimate]]] = {
    int(name[5:]): check for room in ROOMS for name, check in vars(room).items() if re.fullmatch(r"fact_\d+", name)
}


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
def facts() -> dict[int, Fact]:
    """The facts of conf/facts.yaml, by number."""
    import yaml

    from sim.study.presets import CONF

    rows = yaml.safe_load((CONF / "facts.yaml").read_text(encoding="utf-8"))
    return {number: Fact(number, **row) for number, row in rows.items()}


def verdict(fact: Fact, found: dict[str, Estimate]) -> str:
    """Whether every quantity lies within its limits."""
    if fact.not_modeled:
        return NOT_MODELLED
    within = [low <= found[name].value <= high for name, (low, high) in fact.limits.items()]
    return HOLDS if all(within) else MISSES


def check(worlds: Worlds, numbers: Iterable[int] | None = None, threads: int = 0) -> dict[int, dict[str, Estimate]]:
    """What the simulated customers do, by fact and quantity; facts that share a world live it once.

    What cannot be computed, because a mechanism is off and nothing happens, is not a number, and misses.
    """

    def one(number: int) -> dict[str, Estimate]:
        try:
            return CHECKS[number](worlds)
        except (ArithmeticError, IndexError, ValueError, RuntimeError, np.linalg.LinAlgError):
            if not worlds.off:
                raise
            return {name: Estimate(np.array(np.nan), np.array(np.nan)) for name in facts()[number].limits}

    asked = [n for n in (numbers or CHECKS) if n in CHECKS]
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return dict(zip(asked, pool.map(one, asked), strict=True))


def table(found: dict[int, dict[str, Estimate]]) -> "pd.DataFrame":
    """A row a fact and quantity: its limits, the simulated value and error, and the verdict on the fact."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for number, fact in facts().items():
        if number not in found and not fact.not_modeled:
            continue
        whole = verdict(fact, found.get(number, {}))
        says = {"fact": number, "statement": fact.statement, "band": fact.band, "verdict": whole, "mark": fact.mark}
        says |= {"held_out": fact.held_out, "preset": fact.preset, "metric": fact.not_modeled or fact.metric}
        for name in fact.limits or ("",):
            low, high = fact.limits.get(name, (float("nan"), float("nan")))
            value, error = map(float, found[number][name] if name else (np.nan, np.nan))
            rows.append({**says, "quantity": name, "low": low, "high": high, "value": value, "error": error})
    return pd.DataFrame(rows)


def verdicts(found: dict[int, dict[str, Estimate]]) -> dict[int, str]:
    """The verdict on each fact that was checked."""
    return {n: verdict(facts()[n], values) for n, values in sorted(found.items())}


def totals(board: "pd.DataFrame") -> dict[str, tuple[int, int]]:
    """How many of all facts are checked, of these hold, and of those held out hold: (number, of how many)."""
    whole = board.drop_duplicates("fact")
    checked = whole[whole.verdict != NOT_MODELLED]
    apart = checked[checked.held_out]
    return {
        "checked": (len(checked), len(whole)),
        "hold": (int((checked.verdict == HOLDS).sum()), len(checked)),
        "held out hold": (int((apart.verdict == HOLDS).sum()), len(apart)),
    }


def says(board: "pd.DataFrame", numbers: Sequence[int] | None = None) -> str:
    """The scoreboard as text, a block a fact."""
    lines = []
    for number, rows in board.groupby("fact"):
        if numbers and number not in numbers:
            continue
        one = rows.iloc[0]
        apart = ", held out" if one.held_out else ""
        word = one.verdict.upper() if one.verdict == MISSES else one.verdict
        lines.append(f"#{number:<3} {word}{apart}: {one.statement}")
        where = f" in {one.preset}" if one.preset else ""
        lines.append(f"     [{one.mark}] {one.band}\n     {one.metric}{where}")
        for row in rows[rows.quantity != ""].itertuples():
            mark = "" if row.low <= row.value <= row.high else "  <- outside"
            value = f"{row.value:>9.3f} ± {row.error:.3f}"
            lines.append(f"     {row.quantity:<52} {value}  of {row.low:g} to {row.high:g}{mark}")
    lines += [f"{name}: {n} of {of} ({n / max(of, 1):.0%})" for name, (n, of) in totals(board).items()]
    return "\n".join(lines)
