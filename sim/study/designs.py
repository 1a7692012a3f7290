"""Designs of studies: which arms are simulated, each a set of changes to one scenario.

A design is made without a scenario; `study.run` checks it against one, as a whole, before the first run.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.paths import bare
from sim.model.scenario import to_dict
from sim.study.cells import as_cell

if TYPE_CHECKING:
    import pandas as pd

Changes = Mapping[str, object]  # dotted path -> value
Cell = int | float | str | bool
RESERVED = ("replication", "replications", "error")  # columns that a study makes itself
NAMED = "scenario"  # the column with the names of named scenarios


class Arm(NamedTuple):
    """One scenario of a design: what stands in its columns, and what is changed."""

    cells: tuple[Cell, ...]
    changes: Changes | Scenario


@dataclass(frozen=True)
class Design:
    """Arms with the columns that tell them apart; `spread` if whole-numbered fields take the nearest whole number."""

    columns: tuple[str, ...]
    arms: tuple[Arm, ...]
    spread: bool = False

    def __repr__(self) -> str:
        """One line: how many arms, by what."""
        return f"<Design of {len(self.arms):,} arms by {', '.join(self.columns) or 'nothing'}>"

    def __add__(self, other: "Design") -> "Design":
        """The arms of both, which must have the same columns; an arm of both is there once."""
        if set(self.columns) != set(other.columns):
            raise ScenarioError([f"designs: one is by {', '.join(self.columns)}, the other by {other.columns}"])
        order = [other.columns.index(c) for c in self.columns]
        more = [Arm(tuple(arm.cells[n] for n in order), arm.changes) for arm in other.arms]
        known = {_identity(arm) for arm in self.arms}
        return Design(self.columns, (*self.arms, *(a for a in more if _identity(a) not in known)), self.spread)


def _identity(arm: Arm) -> str:
    return json.dumps(arm.cells)


def grid(axes: Mapping[str, Iterable[object]]) -> Design:
    """Every combination of the values of `axes` (dotted path: values); ScenarioError for what is no axis.

    >>> [arm.cells for arm in grid({"firms.a.price": [0.9, 1], "people": [100, 200]}).arms]
    [(0.9, 100), (0.9, 200), (1, 100), (1, 200)]
    """
    found = _axes(axes)
    return _of_values(list(found), product(*found.values()))


def zipped(axes: Mapping[str, Iterable[object]]) -> Design:
    """The first values of all axes together, then the second ones, ...; ScenarioError if their numbers differ.

    >>> [arm.cells for arm in zipped({"firms.a.price": [0.9, 1.1], "firms.a.quality": [0, 0.5]}).arms]
    [(0.9, 0), (1.1, 0.5)]
    """
    found = _axes(axes, repeats=True)
    if len({len(values) for values in found.values()}) > 1:
        lengths = ", ".join(f"{path} {len(values)}" for path, values in found.items())
        raise ScenarioError([f"zipped: each axis needs as many values as the others; there are {lengths}"])
    return _once(_of_values(list(found), zip(*found.values(), strict=True)))


def latin_hypercube(ranges: Mapping[str, Sequence[float]], points: int, seed: int = 0) -> Design:
    """So many points in a box, each axis (dotted path: low and high) cut evenly into as many parts.

    Fields that are whole numbers take the nearest one. Source: McKay, Beckman & Conover (1979), Technometrics 21.

    >>> len(latin_hypercube({"firms.a.price": (0.8, 1.2), "firms.a.quality": (-1, 1)}, 10).arms)
    10
    """
    from scipy.stats import qmc

    points = bare(points)
    lows, highs = _box(ranges, points)
    sampler = qmc.LatinHypercube(len(lows), seed=np.random.default_rng(seed))
    return _of_box(ranges, qmc.scale(sampler.random(points), lows, highs))


def sobol(ranges: Mapping[str, Sequence[float]], points: int, seed: int = 0) -> Design:
    """So many points of a scrambled Sobol sequence in a box (dotted path: low and high); a power of two.

    Fields that are whole numbers take the nearest one. Source: Owen (1998), ACM Trans. Model. Comput. Simul. 8.

    >>> len(sobol({"firms.a.price": (0.8, 1.2), "firms.a.quality": (-1, 1)}, 16).arms)
    16
    """
    from scipy.stats import qmc

    points = bare(points)
    lows, highs = _box(ranges, points)
    below = 2 ** max(0, points.bit_length() - 1)
    if below != points:
        raise ScenarioError(
            [f"points: {points} is no power of 2, which a Sobol sequence needs; {below} or {2 * below}"]
        )
    sampler = qmc.Sobol(len(lows), seed=np.random.default_rng(seed))
    return _of_box(ranges, qmc.scale(sampler.random_base2(below.bit_length() - 1), lows, highs))


def listed(rows: "pd.DataFrame | str | Path | Iterable[Changes]") -> Design:
    """A row for each arm, the columns being dotted paths: a DataFrame, a CSV file, or a list of changes.

    In a CSV file a cell that starts with { or [ is read as JSON. ScenarioError for empty cells, rows that change other
    paths than the first, rows and columns that stand there twice, and a file that cannot be read.

    >>> [arm.cells for arm in listed([{"firms.a.price": 0.9}, {"firms.a.price": 1.2}]).arms]
    [(0.9,), (1.2,)]
    """
    import pandas as pd

    if isinstance(rows, str | Path):
        rows = _read_csv(Path(rows))
    if isinstance(rows, pd.DataFrame):
        columns = list(map(str, rows.columns))
        values = [[bare(v) for v in row] for row in rows.astype(object).itertuples(index=False, name=None)]
    else:
        given = [dict(row) for row in rows]
        columns = list(given[0]) if given else []
        values = [[bare(row.get(path, np.nan)) for path in columns] for row in given]
        columns += [path for row in given for path in row if path not in columns][:1]
        values = [[*row, np.nan] if len(row) < len(columns) else row for row in values]
    wrong = _reserved(columns) + ([] if values else ["design: no rows"])
    wrong += [f"column {n} has no name" for n, path in enumerate(columns, 1) if not path.strip()]
    wrong += [f"{path}: is a column twice" for n, path in enumerate(columns) if path in columns[:n]]
    for n, row in enumerate(values, 1):
        empty = [path for path, v in zip(columns, row, strict=True) if v is None or v is pd.NaT or v != v]
        wrong += [f"row {n}: {path} has no value; each arm says all that is varied" for path in empty]
    if wrong:
        raise ScenarioError(wrong)
    return _once(_of_values(columns, values))


def named(scenarios: "Mapping[str, Changes | Scenario] | Iterable[tuple[str, Changes | Scenario]]") -> Design:
    """Scenarios by name, each the base with its own changes, or a whole Scenario; the table has a column `scenario`.

    >>> named({"today": {}, "cheap": {"firms.a.price": 0.9}}).arms[1].cells
    ('cheap',)
    """
    pairs = list(scenarios.items() if isinstance(scenarios, Mapping) else scenarios)
    bad = [n for n, pair in enumerate(pairs, 1) if not (isinstance(pair, list | tuple) and len(pair) == 2)]
    if bad:
        raise ScenarioError([f"scenarios: number {bad[0]} has no name; give them as {{name: changes or Scenario}}"])
    names = [str(name) for name, _ in pairs]
    wrong = [f"scenarios: {name!r} stands there twice" for n, name in enumerate(names) if name in names[:n]]
    wrong += [
        f"scenarios.{name}: {what!r} is no set of changes and no Scenario"
        for name, what in pairs
        if not isinstance(what, Mapping | Scenario)
    ]
    if wrong or not names:
        raise ScenarioError(wrong or ["scenarios: none"])
    return Design((NAMED,), tuple(Arm((name,), what) for name, (_, what) in zip(names, pairs, strict=True)))


def as_design(design: object) -> Design:
    """A design from what `study.run` takes for one: axes as a grid, a table, a CSV file, changes by name."""
    import pandas as pd

    if isinstance(design, Design):
        return design
    if isinstance(design, pd.DataFrame | str | Path):
        return listed(design)
    if isinstance(design, Mapping):
        scenarios = design and all(isinstance(what, Mapping | Scenario) for what in design.values())
        return named(design) if scenarios and not any("." in str(name) for name in design) else grid(design)
    if isinstance(design, Iterable):
        rows = list(design)
        return listed(rows) if all(isinstance(row, Mapping) for row in rows) else named(rows)
    raise ScenarioError([f"design: {design!r} is none; give axes, a table, or scenarios by name"])


def differences(base: Scenario, other: Scenario) -> dict[str, object]:
    """The changes that make one scenario of another, by part or group of members.

    >>> from sim import build, change
    >>> one = build({"segments": {"all": {}}, "firms": {"a": {}, "b": {}}})
    >>> list(differences(one, change(one, {"people": 5, "firms.a.price": 2})))
    ['people', 'firms']
    """
    here, there = to_dict(base), to_dict(other)
    return {
        name: value
        for name, value in there.items()
        if value != here[name] or (isinstance(value, dict) and [*value] != [*here[name]])
    }


def _of_values(columns: Sequence[str], rows: Iterable[Sequence[object]], spread: bool = False) -> Design:
    arms = (Arm(tuple(as_cell(value) for value in row), dict(zip(columns, row, strict=True))) for row in rows)
    return Design(tuple(columns), tuple(arms), spread)


def _once(design: Design) -> Design:
    """The design; ScenarioError if an arm is there twice: the same run again tells nothing, but counts."""
    first: dict[str, int] = {}
    for n, arm in enumerate(design.arms, 1):
        first.setdefault(_identity(arm), n)
    if len(first) < len(design.arms):
        same = ((n, first[_identity(arm)]) for n, arm in enumerate(design.arms, 1) if first[_identity(arm)] < n)
        n, earlier = next(same)
        more = len(design.arms) - len(first) - 1
        raise ScenarioError([f"row {n}: is row {earlier} again" + (f" (and {more:,} more are twice)" if more else "")])
    return design


def _of_box(ranges: Mapping[str, Sequence[float]], points: np.ndarray) -> Design:
    return _of_values(list(ranges), points.tolist(), spread=True)


def _box(ranges: Mapping[str, Sequence[float]], points: int) -> tuple[list[float], list[float]]:
    _demand_mapping("ranges", ranges)
    wrong = _reserved(ranges) + ([] if ranges else ["ranges: none"])
    wrong += (
        []
        if isinstance(points, int) and not isinstance(points, bool) and points >= 1
        else [f"points: {points!r} is no number from 1 on"]
    )
    for path, ends in ranges.items():
        pair = [bare(end) for end in ends] if isinstance(ends, Iterable) and not isinstance(ends, str) else []
        if len(pair) != 2 or not all(isinstance(end, int | float) and np.isfinite(end) for end in pair):
            wrong.append(f"{path}: {ends!r} is not a low and a high number")
        elif not pair[0] < pair[1]:
            wrong.append(f"{path}: {pair[0]} is not below {pair[1]}")
    if wrong:
        raise ScenarioError(wrong)
    return [float(low) for low, _ in ranges.values()], [float(high) for _, high in ranges.values()]


def _axes(axes: Mapping[str, Iterable[object]], repeats: bool = False) -> dict[str, list[object]]:
    """The axes with plain values, or a ScenarioError with all that is wrong with them."""
    _demand_mapping("axes", axes)
    found, wrong = {}, _reserved(axes)
    for path, values in axes.items():
        if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable):
            wrong.append(f"{path}: {values!r} is not a row of values in an order")
            continue
        found[str(path)] = [bare(value) for value in values]
        cells = [as_cell(value) for value in found[str(path)]]
        wrong += [f"{path}: no values"] if not cells else []
        twice = [] if repeats else [v for n, v in enumerate(cells) if v in cells[:n]]
        wrong += [f"{path}: {v!r} stands there twice" for v in twice[:1]]
    if wrong:
        raise ScenarioError(wrong)
    return found


def _demand_mapping(name: str, given: object) -> None:
    if not isinstance(given, Mapping):
        raise ScenarioError([f"{name}: {given!r} is not a set of values by dotted path"])


def _reserved(paths: Iterable[str]) -> list[str]:
    return [f"{path}: no axis; a study makes that column itself" for path in paths if path in RESERVED]


def _read_csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        frame = pd.read_csv(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            frame.columns = next(csv.reader(file))  # pandas gives a name that stands there twice another one
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ScenarioError([f"{path}: cannot be read as CSV: {why}"]) from error
    if len(frame.columns) == 1 and ";" in frame.columns[0]:
        raise ScenarioError([f"{path}: its columns are parted by semicolons; commas are wanted"])
    return frame.apply(lambda column: column.map(_from_text))


def _from_text(value: object) -> object:
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
