"""What would have helped: a scandal with each response and lever, against the same people without the scandal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from sim.measure.customers import customers
from sim.measure.estimates import folds_of, jackknife
from sim.measure.quantity import Parts, Quantity, nothing, ratio_of
from sim.measure.tally import Array
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.model.scenario import change, levers
from sim.study.answer import NO_EVENTS, YEAR, hit
from sim.study.calibrate_shares import calibrate_shares
from sim.study.movers import Progress, run_together
from sim.study.over_worlds import LEVEL, Z80
from sim.study.presets import CONF

if TYPE_CHECKING:
    import pandas as pd

FILE = "countermeasures.yaml"
KEYS = ("label", "known", "cost", "response", "scandal", "moves", "lever")
DELAY = 1  # weeks after the news in which a lever is set


@dataclass(frozen=True)
class Countermeasure:
    """One row of the table: what it does about the loss, what it does besides, and what is known of it."""

    name: str
    label: str
    averted: Quantity  # % of the customer-weeks that the scandal costs within a year
    besides: Quantity  # % of the firm's customers a year on, won or lost with no scandal at all; 0 for a response
    cost: str  # "" where none is given
    known: str

    @property
    def seen(self) -> bool:
        """Whether what it averts is more than the dice: how large a response is may be unknown, down to nothing."""
        return self.averted.known and self.averted.value > Z80 * self.averted.parts.dice

    @property
    def loses(self) -> bool:
        """Whether it is known to lose customers of its own."""
        return self.besides.known and self.besides.detected and self.besides.value < 0


def countermeasures(scenario: Scenario, progress: Progress | None = None) -> list[Countermeasure]:
    """Every row of conf/countermeasures.yaml for the scandals of a scenario, what is seen to avert most first.

    Measures that lose customers of their own come after those that do not.

    The scandal's loss is that of the hit firm in the first year (or until the run ends), in customer-weeks, against
    the same people without events; with a lever, against the same people with the lever alone. 100 % averted is no
    loss. The intervals (80 %) hold the dice and, of a response, what is not known of its size. ScenarioError where
    there is no scandal. Presence is solved if it is not yet.
    """
    if not scenario.scandals:
        raise ScenarioError(["countermeasures: the scenario has no scandal; choose one, as in scandal=data_breach"])
    told = calibrate_shares(scenario)[0]
    firm, events = hit(change(told, NO_EVENTS), told)
    week = min(s.week for s in told.scandals.values())
    told = replace(told, weeks=max(told.window, min(told.weeks, week + YEAR)))
    control, rows = change(told, NO_EVENTS), {n: r for n, r in measures().items() if possible(told, firm, week, r)}
    jobs: dict[tuple[str, int], Scenario] = {("", 0): told}
    for name, row in rows.items():
        changes = changes_of(told, firm, week, row)
        jobs |= {(name, n): change(told, c) for n, c in enumerate(changes)}
        if _moves(row):
            jobs[name, -1] = change(control, changes[0])
    run, found = run_together(control, list(jobs.values()), firm, min([week, *events.values()]), progress)
    j = list(told.firms).index(firm)
    moved = {key: (m.gained - m.lost)[..., j].sum(axis=2) for key, (_, m) in zip(jobs, found, strict=True)}
    stock = customers(run.tally)[:, -1, :, j].sum(axis=1)
    made = [_row(name, row, moved, stock) for name, row in rows.items()]
    return sorted(made, key=lambda row: (not row.averted.known, row.loses, not row.seen, -row.averted.value))


def _row(name: str, row: Mapping[str, Any], moved: Mapping[tuple[str, int], Array], stock: Array) -> Countermeasure:
    """A row from the customers moved by each job, [g, t], and the customers at the end of the control, [g]."""
    alone = moved.get((name, -1), np.zeros_like(moved["", 0]))
    left = [(moved[key] - alone).sum(axis=1) for key in sorted(moved) if key[0] == name and key[1] >= 0]
    averted = averted_of(moved["", 0].sum(axis=1), left, alone.shape[1])
    besides = ratio_of(100 * alone[:, -1], stock).at(LEVEL) if (name, -1) in moved else Quantity(0, 0, 0, level=LEVEL)
    return Countermeasure(name, row["label"], averted, besides, row["cost"], row["known"])


def table(rows: Sequence[Countermeasure]) -> "pd.DataFrame":
    """A row each: name, label, averted and besides with their 80 % intervals (.low, .high), cost, known."""
    import pandas as pd

    columns = ["name", "label", *(q + end for q in ("averted", "besides") for end in ("", ".low", ".high"))]
    lines = [
        (r.name, r.label, *(end for q in (r.averted, r.besides) for end in (q.value, q.low, q.high)), r.cost, r.known)
        for r in rows
    ]
    return pd.DataFrame(lines, columns=[*columns, "cost", "known"])


def measures() -> dict[str, dict[str, Any]]:
    """The rows of conf/countermeasures.yaml; one ScenarioError lists what is wrong with them."""
    rows = yaml.safe_load((CONF / FILE).read_text(encoding="utf-8"))
    wrong = []
    for name, row in rows.items():
        wrong += [f"{FILE}: {name}.{key}: unknown{did_you_mean(key, KEYS)}" for key in row if key not in KEYS]
        size = row.get("response", [0, 0, 0])
        if not (len(size) == 3 and 0 <= size[0] <= size[1] <= size[2] <= 1):
            wrong.append(f"{FILE}: {name}.response: {size} is not P10, P50 and P90, each from 0 to 1")
    if wrong:
        raise ScenarioError(wrong)
    return {name: {"cost": "", "known": "", "label": name, **row} for name, row in rows.items()}


def changes_of(told: Scenario, firm: str, week: int, row: Mapping[str, Any]) -> list[dict[str, object]]:
    """The changes of a measure: one, or of a response three, for P50, P10 and P90 of its size."""
    ours = {name: s for name, s in told.scandals.items() if (s.firm or told.focus) == firm}
    if "response" in row:
        low, middle, high = row["response"]
        return [
            {f"scandals.{name}.response": 1 - (1 - s.response) * (1 - size) for name, s in ours.items()}
            for size in (middle, low, high)
        ]
    changes: dict[str, object] = {
        f"scandals.{name}.{field}": value for name in ours for field, value in row.get("scandal", {}).items()
    }
    for name, move in _settable(told, firm, row).items():
        new = f"{name}_against" if name in told.moves else name
        changes[f"moves.{new}"] = {**move, "firm": firm, "week": week + DELAY}
    return [changes]


def _settable(told: Scenario, firm: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the moves whose lever the firm has: not every firm has every touchpoint."""
    return {name: move for name, move in _moves(row).items() if move["lever"] in levers(told.firms[firm])}


def possible(told: Scenario, firm: str, week: int, row: Mapping[str, Any]) -> bool:
    """Whether the firm can do it before the run ends, the news being in this week."""
    return not _moves(row) or (week + DELAY < told.weeks and bool(_settable(told, firm, row)))


def _moves(row: Mapping[str, Any]) -> dict[str, Any]:
    """The moves of a measure by name: its own and those of its lever."""
    moves = dict(row.get("moves", {}))
    if "lever" in row:
        moves |= yaml.safe_load((CONF / "lever" / f"{row['lever']}.yaml").read_text(encoding="utf-8"))["moves"]
    return moves


def averted_of(loss: Array, left: Sequence[Array], weeks: int) -> Quantity:
    """% averted, from customer-weeks by fold [g]: without the measure, and with it (of a response: P50, P10, P90).

    Nothing can be told where no loss is. The dice are at least those of two people who move for all the weeks.
    """
    whole = jackknife(folds_of(loss).astype(float))
    if not whole.value < 0 or abs(whole.value) < 2 * whole.error:
        return nothing()
    with np.errstate(divide="ignore", invalid="ignore"):
        value, error = map(float, jackknife(100 * (1 - folds_of(left[0]) / folds_of(loss))))
    error = max(error, 100 * math.sqrt(2) * weeks / abs(float(whole.value)))
    ends = [float(100 * (1 - other.sum() / loss.sum())) for other in left[1:]] or [value, value]
    low, high = min(value, *ends), max(value, *ends)
    reach = math.hypot(Z80 * error, value - low), math.hypot(Z80 * error, high - value)
    spread = (high - low) / (2 * Z80) if len(left) > 1 else math.nan
    return Quantity(value, value - reach[0], value + reach[1], Parts(dice=error, parameters=spread), LEVEL)
