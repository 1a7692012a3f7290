"""What every experiment needs: its arguments, its table and its figure."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd


def keep(name: str, table: "pd.DataFrame", figure: Any, folder: Path | str = "outputs/experiments") -> None:
    """Write an experiment's table (Parquet) and figure (PNG, SVG) whole or not at all, and say where."""
    from sim.compute.files import write_atomic
    from sim.report import figures
    from sim.study.store import write_table

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(table, folder / f"{name}.parquet", {"experiment": name})
    for kind in ("png", "svg"):
        write_atomic(folder / f"{name}.{kind}", partial(figures.save, figure, kind=kind))
    print(f"\n{folder / name}.parquet, .png and .svg")


def play(main: Callable[..., Any], fast: Mapping[str, int]) -> None:
    """Run an experiment as its script is asked: --fast takes the arguments `fast`, NAME=NUMBER sets one of `main`."""
    words = sys.argv[1:]
    known = main.__code__.co_varnames[: main.__code__.co_argcount]
    numbers = {name: value for name, _, value in (word.partition("=") for word in words if word != "--fast")}
    if not all(name in known and value.isdigit() for name, value in numbers.items()):
        sys.exit(f"usage: {sys.argv[0]} [--fast] " + " ".join(f"[{name}=NUMBER]" for name in known))
    main(**(dict(fast) if "--fast" in words else {}) | {name: int(value) for name, value in numbers.items()})
