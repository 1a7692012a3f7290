"""What every experiment needs: its arguments, its table, its figure, and its finding in words that the errors allow."""

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sim.compute.files import unwritable
from sim.model.declare import ScenarioError
from sim.report.findings import INTERVAL, TOO_FEW

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FOLDER = Path("outputs/experiments")
KINDS = ("parquet", "png", "svg")


def keep(
    name: str, table: "pd.DataFrame", figure: "Figure", folder: Path | str = FOLDER, finding: Sequence[str] = ()
) -> None:
    """Write an experiment's table (Parquet) and figure (PNG, SVG) whole or not at all, and print the finding and where.

    The finding, a line a sentence, is computed from the table and kept in its metadata. An earlier output of the same
    experiment is replaced; ScenarioError if anything else has one of the names.
    """
    from sim.compute.files import write_atomic
    from sim.report import figures
    from sim.study.store import write_table

    check_own(name, folder)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(table, folder / f"{name}.parquet", {"experiment": name, "finding": "\n".join(finding)})
    for kind in KINDS[1:]:
        write_atomic(folder / f"{name}.{kind}", partial(figures.save, figure, kind=kind))
    print("".join(f"\nFinding: {line}" for line in finding))
    print(f"{folder / name}.parquet, .png and .svg")


def said(value: float, error: float, unit: str = "points") -> str:
    """A change with its standard error; one that is not detected with its interval, which is not "no change".

    >>> said(-2.04, 0.21), said(0.1, 0.21, "%")
    ('-2.0 ± 0.2 points', 'no change detected (between -0.3 and +0.5 %)')
    """
    if not math.isfinite(error):
        return TOO_FEW
    if not value and not error:
        return "no difference between the runs"
    digits = 2 if error <= 0 else max(0, min(4, math.ceil(0.3 - math.log10(error))))
    low, high = value - INTERVAL * error, value + INTERVAL * error
    if error and low <= 0 <= high:
        return f"no change detected (between {low:+.{digits}f} and {high:+.{digits}f} {unit})"
    return f"{value:+.{digits}f} ± {error:.{digits}f} {unit}"


def largest(rows: "pd.DataFrame", name: str) -> str:
    """The row with the largest value, by its column `name`, or all that cannot be told from it by their errors.

    Rows whose error is not known cannot be told from any.
    """
    top = rows.loc[rows["value"].idxmax()]
    apart = top["value"] - rows["value"] > INTERVAL * (rows["error"] ** 2 + top["error"] ** 2) ** 0.5
    near = rows[~apart]
    return " or ".join(near[name])


def check_own(name: str, folder: Path | str = FOLDER) -> None:
    """ScenarioError if a file of these names is there and is not this experiment's own output.

    The table says in its metadata whose it is; a figure is the experiment's own if there is such a table beside it.
    """
    table = Path(folder) / f"{name}.parquet"
    if _is_own(table, name):
        taken = [path for path in _paths(folder, name) if path.is_symlink() or path.is_dir()]
    else:
        taken = [path for path in _paths(folder, name) if os.path.lexists(path)]
    if why := unwritable(table):
        raise ScenarioError([f"{folder}: cannot be written: {why}"])
    if taken:
        raise ScenarioError([f"{p}: is there already and is not an output of {name}; move or rename it" for p in taken])


def _paths(folder: Path | str, name: str) -> list[Path]:
    return [Path(folder) / f"{name}.{kind}" for kind in KINDS]


def _is_own(table: Path, name: str) -> bool:
    from sim.study.store import StoreError, read_metadata

    try:
        return read_metadata(table).get("experiment") == name
    except StoreError:
        return False


def play(main: Callable[..., object], fast: Mapping[str, int]) -> None:
    """Run an experiment as its script is asked: --fast takes the arguments `fast`, NAME=NUMBER sets one of `main`.

    Files that it could not write in the end are reported before it runs.
    """
    words = sys.argv[1:]
    known = main.__code__.co_varnames[: main.__code__.co_argcount]
    numbers = {name: value for name, _, value in (word.partition("=") for word in words if word != "--fast")}
    if not all(name in known and value.isdecimal() for name, value in numbers.items()):
        sys.exit(f"usage: {sys.argv[0]} [--fast] " + " ".join(f"[{name}=NUMBER]" for name in known))
    try:
        check_own(Path(sys.argv[0]).stem)
        main(**(dict(fast) if "--fast" in words else {}) | {name: int(value) for name, value in numbers.items()})
    except ScenarioError as error:
        sys.exit("\n".join(error.complaints))
