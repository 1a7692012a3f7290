"""Prints a panel: what was read, how sticky every brand is, the field's own figures, warnings."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.measure.estimates import folds, pooled
from sim.measure.metrics import info, switching
from sim.panel.count import tally
from sim.panel.measures import measure
from sim.panel.one_firm import EXPLANATION
from sim.panel.provider import periods
from sim.panel.types import Panel
from sim.report.findings import TOO_FEW

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

STICKY = ("share", "unit_share", "stickiness", "excess", "own_ratio", "own_ratio_lift")
IN_ORDER = ("usage_ratio", "next_use", "habit_part")
FIELD = ("penetration", "frequency", "category_requirements", "solely_loyal", "once_only")
PROVIDER = ("share", "stickiness", "excess", "retention", "churn")
PARTS = ("share", "stickiness", "penetration", "retention")
MARKET = (
    *("category_penetration", "category_mean", "category_shape", "dirichlet_phi", "concentration"),
    *("duplication_coefficient", "repeat_chance", "repeat_shuffled", "repeat", "repeat_by_order", "switched"),
    *("ever_switched", "frequency", "again", "once_only", "interval", "nbd_mean", "nbd_shape"),
)
WORDS = {  # of what only a panel tells; the other words are those of the metrics
    "unit_share": "share of units",
    "own_ratio_lift": "U over chance",
    "category_shape": "shape K of the NBD of purchases",
    "concentration": "concentration S",
    "repeat_chance": "R by chance",
    "repeat_shuffled": "R had each household's purchases been shuffled",
    "repeat": "R, share of purchases that repeat the last",
    "repeat_by_order": "what order adds: R - shuffled",
    "again": "customers who bought again",
    "interval": "time between purchases",
    "nbd_mean": "M of the NBD of purchases (zero-truncated fit)",
    "nbd_shape": "K of the NBD of purchases",
}
WITHOUT_ERROR = ("category_shape", "nbd_mean", "nbd_shape")  # whose error takes long to find, or is not found
MOST_SHOWN = 24  # parts shown on the screen; all are in the files


def report(panel: Panel, console: "Console | None" = None, frame: "pd.DataFrame | None" = None) -> None:
    """Print what was read and the figures of a panel, each with its standard error over households."""
    console = console or _console(panel)
    frame = measure(panel) if frame is None else frame
    for line in read_summary(panel):
        console.print(_escaped(line), highlight=False, soft_wrap=True)
    for part in _tables(panel, frame):
        console.print(part)
    for warning in panel.warnings:
        console.print(f"[yellow]![/] {_escaped(warning)}", highlight=False, soft_wrap=True)


def _console(panel: Panel) -> "Console":
    from rich.console import Console

    if sys.stdout.isatty():
        return Console()
    longest = max(map(len, panel.brands), default=0)
    return Console(width=max(110, longest + 90, int(os.environ.get("COLUMNS") or 0)))


def read_summary(panel: Panel) -> Iterator[str]:
    """Which columns are used for what, which rows are left out and why, and what is left."""
    used = "; ".join(f"{role}: {column}" for role, column in panel.columns.items())
    yield f"Columns used: {used or 'none'}. (panel.ROLE=COLUMN names another, e.g. panel.brand=COLUMN)"
    if panel.left_out:
        yield f"{sum(rows for rows, _ in panel.left_out):,} of {panel.rows:,} rows left out:"
        for rows, reason in panel.left_out:
            yield f"  {rows:>8,}  {reason}"
    elif panel.rows:
        yield f"All {panel.rows:,} rows are used."
    bought = len(np.unique(panel.hh))
    buyers = f" ({bought:,} bought)" if bought < len(panel.households) else ""
    what = f"{len(panel.brands)} {'providers' if panel.provider else 'brands'}" if len(panel.brands) > 1 else "one firm"
    uses = "customer periods" if panel.provider else "purchases"
    many = f"{len(panel.households)} households{buyers}, {len(panel.hh)} {uses}, {what}"
    yield f"{many}; ± standard error over households."


def _tables(panel: Panel, frame: "pd.DataFrame") -> Iterator["Table | str"]:
    whole = frame[frame["group"] == "all"]
    cells = {(r.firm, r.metric): _figure(r.value, r.error, r.metric) for r in whole.itertuples()}
    known = {metric for _, metric in cells}
    if len(panel.brands) == 1:
        yield EXPLANATION
    elif panel.provider:
        yield _table(f"How sticky, {periods(panel)[2]} later", panel, PROVIDER, cells)
    else:
        yield _table("How sticky", panel, [name for name in STICKY if name in known], cells)
        if panel.ordered:
            yield _table("From the order of purchases", panel, IN_ORDER, cells)
        yield _table("The field's own figures", panel, FIELD, cells)
    yield _market(panel, cells, {r.metric: r.value for r in whole.itertuples()}.get("order_z"))
    if panel.ordered and 1 < len(panel.brands) <= 8:
        yield _switching(panel)
    yield from _groups(panel, frame)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _figure(value: float, error: float, name: str) -> str:
    if not np.isfinite(value):
        return "-"
    known = f"{value:.{3 if abs(value) < 1 else 2}f}"
    if not np.isfinite(error):
        return known if name in WITHOUT_ERROR else TOO_FEW
    return f"{known} ±{error:.{3 if error < 0.1 else 2 if error < 1 else 1}f}".replace("±0.", "±.")


def _words(name: str) -> str:
    """What a row of the market is called."""
    return WORDS.get(name) or info(name).words


def _head(name: str) -> str:
    """The head of a column, in two lines where it has several words."""
    words = WORDS.get(name) or info(name).head
    return words if len(words) <= 12 else "\n".join(words.rsplit(" ", 1))


def _grid(title: str, first: str, heads: Iterable[str]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_header=bool(first))
    table.add_column(first, overflow="fold", min_width=10)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _table(title: str, panel: Panel, columns: Sequence[str], cells: dict[tuple[str, str], str]) -> "Table":
    table = _grid(title, "provider" if panel.provider else "brand", map(_head, columns))
    for brand in panel.brands:
        table.add_row(_escaped(brand), *(cells[brand, name] for name in columns))
    return table


def _market(panel: Panel, cells: dict[tuple[str, str], str], z: float | None) -> "Table":
    table = _grid("The market" if len(panel.brands) > 1 else "The customers", "", [""])
    for name in MARKET:
        if ("", name) in cells and (panel.provider or name != "ever_switched"):
            table.add_row(_words(name), cells["", name])
    for firm, name in cells:
        head, _, number = name.rpartition("_")
        if not firm and head == "active":
            table.add_row(f"of customers bought in period {number} after their first purchase", cells[firm, name])
        if not firm and head == "retention_from":
            table.add_row(f"stay the next time, after {number} or more times in a row", cells[firm, name])
    if z is not None:
        table.add_row("the same in standard errors of shuffling, z", f"{z:.1f}")
    return table


def _switching(panel: Panel) -> "Table":
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = switching(folds(pooled(tally(panel))))[0]
    title = "Where customers go next" if panel.provider else "Where the next purchase goes"
    table = _grid(title, "from", [_escaped(brand) for brand in panel.brands])
    for brand, row in zip(panel.brands, matrix, strict=True):
        table.add_row(_escaped(brand), *(f"{p:.2f}" if np.isfinite(p) else "-" for p in row))
    return table


def _groups(panel: Panel, frame: "pd.DataFrame") -> Iterator["Table | str"]:
    """Shares and stickiness of the requested parts, one row per part and brand."""
    parts = [g for g in dict.fromkeys(frame["group"]) if g != "all"]
    if not parts or len(panel.brands) == 1:
        return
    known = [m for m in PARTS if m in set(frame["metric"])]
    table = _grid("By part", "part", ["brand", *map(_head, known)])
    rows = frame[frame["group"].isin(parts[:MOST_SHOWN]) & (frame["firm"] != "")]
    cells = {(r.group, r.firm, r.metric): _figure(r.value, r.error, r.metric) for r in rows.itertuples()}
    for part in parts[:MOST_SHOWN]:
        for i, brand in enumerate(panel.brands):
            table.add_row(
                _escaped(part) if i == 0 else "", _escaped(brand), *(cells.get((part, brand, m), "-") for m in known)
            )
    yield table
    if len(parts) > MOST_SHOWN:
        yield f"{len(parts) - MOST_SHOWN} more parts are in metrics.csv."
