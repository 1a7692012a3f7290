"""The table of the speed experiment, and whether what is claimed was met here and today."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.benchmarks import speed_machine
from sim.model.fields import Scenario

CLAIM, CLAIM_PEOPLE = 40.0, 1_000_000  # million person-weeks/s on one thread
QUIET = 1.9  # processors that two threads get where nothing else runs
SPEED = "million person-weeks/s"
KERNEL, AGENTS, MESA = "kernel", "Market by agents", "Mesa, idiomatic"
HELD = "kernel, a core held"
OFTEN, MESA_OFTEN = "a use a week", "Mesa, a use a week"


class Key(NamedTuple):
    """What a figure is of."""

    what: str
    people: int
    firms: int
    threads: int
    unit: str


Found = dict[Key, np.ndarray]


def against(found: Found, base: Scenario, middle: int) -> Iterator[tuple[Key, np.ndarray, str, np.ndarray]]:
    """Each figure, with what it is held against and the ratio, round by round."""
    firms = len(base.firms)
    one = {k.people: v for k, v in found.items() if k.what == KERNEL and k.threads == 1}
    size = {k.what: v[0] for k, v in found.items() if k.unit == "bytes"}
    a_person = size["arrays, a person beside"] + firms * size["arrays, a person and firm"]
    nothing = np.full(1, np.nan)
    for key, value in found.items():
        if key.what in (KERNEL, HELD):
            same = key.threads == 1
            yield (
                key,
                value,
                f"this / {middle:,} people" if same else "this / 1 thread",
                value / one[middle if same else key.people],
            )
        elif key.what in (AGENTS, MESA):
            yield key, value, "kernel / this", one[key.people] / value
        elif key.what == MESA_OFTEN:
            yield key, value, "kernel / this", found[Key(OFTEN, middle, firms, 1, SPEED)] / value
        elif key.unit == SPEED:
            yield key, value, "cost / as it is", one[middle] / value
        else:
            yield key, value, "", nothing
    room = speed_machine.places()
    for people, value in one.items():
        place = next((p for p, size in room.items() if 2 * size >= people * a_person and p != "DRAM"), "DRAM")
        bound = found[Key(f"in-place update, {place}", 0, 0, 1, "GB/s")] / (2 * a_person) * 1e3
        yield Key(f"limit, state in {place}", people, firms, 1, SPEED), bound, "kernel / this", value / bound
    peak = found[Key("multiply-adds", 0, 0, 1, "GFLOP/s")]
    yield Key("multiply-adds in its time", middle, firms, 1, "a person-week"), peak / 2e-3 / one[middle], "", nothing


def tabled(found: Found, base: Scenario, middle: int) -> pd.DataFrame:
    """A row a figure: median and range over the rounds, and those of the ratio."""
    rows = [
        (*key, np.median(v), min(v), max(v), len(v), label, np.median(r), min(r), max(r))
        for key, v, label, r in against(found, base, middle)
    ]
    columns = [*Key._fields, "median", "low", "high", "rounds", "against", "ratio", "least", "most"]
    return pd.DataFrame(rows, columns=columns)


def verdicts(table: pd.DataFrame) -> Iterator[str]:
    """Each claim with what was found here today, as far as this form of the experiment looked.

    A claim on two threads is `disturbed`, not missed, where they did not get two processors.
    """

    def of(what: str, people: int | None = None, threads: int = 1, column: str = "median") -> float:
        rows = table[(table.what == what) & (table.threads == threads)]
        rows = rows if people is None else rows[rows.people == people]
        return float(rows[column].iloc[0]) if len(rows) else np.nan

    had = table[table.what == f"processors had, {KERNEL}"].sort_values("people")["median"].iloc[-1]
    alone = "missed" if had >= QUIET else "disturbed"  # two threads that did not get two processors prove nothing
    one = table[(table.what == KERNEL) & (table.threads == 1) & (table.people >= 10_000)]
    by_firms = table[table.what.str.fullmatch(r"\d+ firms")]
    cost = 1 / by_firms.set_index("firms")["median"]
    few = cost[cost.index <= 8]
    at_20 = cost.get(20, np.nan) / np.polyval(np.polyfit(few.index, few, 1), 20)
    claims = (
        ("million person-weeks a second, 1 thread, 1,000,000 people", of(KERNEL, CLAIM_PEOPLE), CLAIM, 1),
        ("times that on 2 threads", of(KERNEL, CLAIM_PEOPLE, 2, "ratio"), 1.8, 1),
        ("times one thread, 2 threads while a core is held", of(HELD, None, 2, "ratio"), 1, 1),
        ("times the idiomatic Mesa model, 100,000 people", of(MESA, 100_000, 1, "ratio"), 1000, 1),
        ("times it where everybody uses the category once a week", of(MESA_OFTEN, 100_000, 1, "ratio"), 1000, 1),
        (
            "dearest over cheapest person-week, from 10,000 people up",
            one["median"].max() / one["median"].min(),
            1.25,
            -1,
        ),
        ("cost of 20 firms over a line through 3 to 8", at_20, 1.25, -1),
        ("bytes a person and firm", of("arrays, a person and firm"), 24, -1),
        ("bytes a person beside", of("arrays, a person beside"), 40, -1),
    )
    for what, value, bound, sign in claims:
        failed = alone if "2 threads" in what else "missed"
        said = "not looked at" if np.isnan(value) else "met" if sign * (round(value, 6) - bound) >= 0 else failed
        yield f"{said:>13}  {value:8.2f}  {'>=' if sign > 0 else '<='} {bound:7g}  {what}"


def printed(table: pd.DataFrame) -> str:
    """The table for a screen."""
    shown = table.copy()
    for column in ("median", "low", "high", "ratio", "least", "most"):
        shown[column] = [f"{v:.0f}" if abs(v) >= 1000 else f"{v:.3g}" if v == v else "" for v in table[column]]
    shown["people"] = [f"{n:,}" if n else "" for n in table.people]
    shown["firms"] = [str(n) if n else "" for n in table.firms]
    shown["what"] = table.what.str.ljust(table.what.str.len().max())
    shown["unit"], shown["against"] = table.unit.str.ljust(22), table.against.str.ljust(21)
    return shown.rename(columns={"what": "what".ljust(len(shown.what[0]))}).to_string(index=False)
