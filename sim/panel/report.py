"""Prints a panel: what was read, how sticky every brand is, the field's own figures, warnings."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from sim.measure.estimates import folds, jackknife, pooled
from sim.measure.metrics import switching
from sim.measure.reliability import at_least, least_of, part
from sim.panel.count import tally
from sim.panel.measures import measure
from sim.panel.one_firm import EXPLANATION
from sim.panel.panel_metrics import brand_metric
from sim.panel.provider import periods
from sim.panel.types import Panel
from sim.report import streams

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

HEADLINE = ("share", "unit_share", "stickiness", "excess", "own_ratio", "own_ratio_lift")
MARKET = {
    "category_penetration": "of households buy the category",
    "category_mean": "purchases a household",
    "category_shape": "shape K of the NBD of purchases",
    "dirichlet_phi": "polarization phi = 1/(1+S) of the fitted Dirichlet",
    "concentration": "concentration S",
    "duplication_coefficient": "duplication D: buyers of j who buy k = D x buyers of k",
    "repeat_chance": "R by chance",
    "repeat_shuffled": "R had each household's purchases been shuffled",
    "repeat": "R, share of purchases that repeat the last",
    "repeat_by_order": "what order adds: R - shuffled",
    "switched": "elsewhere a lag later",
    "ever_switched": "of customers were with more than one provider",
    "frequency": "purchases a customer",
    "again": "of customers bought again",
    "once_only": "of customers bought once",
    "interval": "time between purchases",
    "nbd_mean": "M of the NBD of purchases (zero-truncated fit)",
    "nbd_shape": "K of the NBD of purchases",
    "alive": "of customers still are (BG/NBD)",
    "leaving": "mean chance to leave after a purchase (BG/NBD)",
}
PARTS = ("share", "stickiness", "penetration", "retention")
HEAD_WIDTH = 14  # of a column, in letters
MOST_SHOWN = 24  # parts shown on the screen; all are in the files


def report(panel: Panel, console: "Console | None" = None, frame: "pd.DataFrame | None" = None) -> None:
    """Print what was read and the figures of a panel, each with its standard error over households."""
    console = console or streams.console()
    frame = measure(panel) if frame is None else frame
    for line in read_summary(panel):
        console.print(streams.plain(line), soft_wrap=True, markup=False)
    for table in _tables(panel, frame):
        console.print(table)
    for warning in panel.warnings:
        console.print(f"! {streams.plain(warning)}", soft_wrap=True, markup=False)


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
    who = "customers" if panel.provider or len(panel.brands) == 1 else "households"
    many = f"{len(panel.households):,} {who}{buyers}, {len(panel.hh):,} {uses}, {what}"
    yield f"{many}; ± standard error over {who}; without it: too few to tell."


def _tables(panel: Panel, frame: "pd.DataFrame") -> Iterator["Table | str"]:
    whole = frame[frame["group"] == "all"]
    cells = {(r.firm, r.metric): _figure(r.value, r.error) for r in whole.itertuples()}
    known = list(dict.fromkeys(name for brand, name in cells if brand))
    in_order = [n for n in known if brand_metric(n).needs in ("order", "before")]
    if len(panel.brands) == 1:
        yield EXPLANATION
    elif panel.provider:
        yield _table(f"How sticky, {periods(panel)[2]} later", panel, known, cells)
    else:
        yield _table("How sticky", panel, [n for n in HEADLINE if n in known], cells)
        if panel.ordered:
            yield _table("From the order of purchases", panel, in_order, cells)
        rest = [n for n in known if n not in (*HEADLINE, *in_order)]
        yield _table("The field's own figures", panel, rest, cells)
    yield _market(panel, cells, {r.metric: r.value for r in whole.itertuples()}.get("order_z"))
    if panel.ordered and 1 < len(panel.brands) <= 8:
        yield _switching(panel)
    yield from _groups(panel, frame)


def _name(text: str) -> "Text":
    """A brand or part as data, which no console reads as markup."""
    from rich.text import Text

    return Text(streams.plain(text))


def _figure(value: float, error: float) -> str:
    if not np.isfinite(value):
        return "-"
    around = f" ±{error:.{3 if error < 0.1 else 2 if error < 1 else 1}f}".replace("±0.", "±.")
    return f"{value:.{3 if abs(value) < 1 else 2}f}" + (around if np.isfinite(error) else "")


def _grid(title: str, first: str, heads: "Iterable[str | Text]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_header=bool(first))
    table.add_column(first, overflow="fold", min_width=10)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _head(name: str) -> str:
    return "\n".join(wrap(brand_metric(name).head, HEAD_WIDTH))


def _table(title: str, panel: Panel, names: Sequence[str], cells: dict[tuple[str, str], str]) -> "Table":
    table = _grid(title, "provider" if panel.provider else "brand", map(_head, names))
    for brand in panel.brands:
        table.add_row(_name(brand), *(cells[brand, name] for name in names))
    return table


def _market(panel: Panel, cells: dict[tuple[str, str], str], z: float | None) -> "Table":
    table = _grid("The market" if len(panel.brands) > 1 else "The customers", "", [""])
    for name, label in MARKET.items():
        if ("", name) in cells and (panel.provider or name != "ever_switched"):
            table.add_row(label, cells["", name])
            if name == "repeat_by_order" and z is not None:
                table.add_row("the same in standard errors of shuffling, z", f"{z:.1f}")
    for firm, name in cells:
        head, _, number = name.rpartition("_")
        if not firm and head == "active":
            table.add_row(f"of customers bought in period {number} after their first purchase", cells[firm, name])
        elif not firm and head == "retention_from":
            table.add_row(f"stay the next time, after {number} or more times in a row", cells[firm, name])
        elif not firm and name not in (*MARKET, "order_z"):
            table.add_row(brand_metric(name).words, cells[firm, name])
    return table


def _switching(panel: Panel) -> "Table":
    counts = pooled(tally(panel))
    flow = counts.flow[..., 1:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix, error = jackknife(switching(folds(counts)))
    error = at_least(error, least_of(part(flow, flow.sum(axis=-1, keepdims=True)), int(counts.people.sum())))
    title = "Where customers go next" if panel.provider else "Where the next purchase goes"
    table = _grid(title, "from", [_name(brand) for brand in panel.brands])
    for brand, row, errors in zip(panel.brands, matrix, error, strict=True):
        table.add_row(_name(brand), *map(_figure, row, errors))
    return table


def _groups(panel: Panel, frame: "pd.DataFrame") -> Iterator["Table | str"]:
    """Shares and stickiness of the requested parts, one row per part and brand."""
    parts = [g for g in dict.fromkeys(frame["group"]) if g != "all"]
    if not parts or len(panel.brands) == 1:
        return
    known = [m for m in PARTS if m in set(frame["metric"])]
    table = _grid("By part", "part", ["brand", *map(_head, known)])
    rows = frame[frame["group"].isin(parts[:MOST_SHOWN]) & (frame["firm"] != "")]
    cells = {(r.group, r.firm, r.metric): _figure(r.value, r.error) for r in rows.itertuples()}
    for name in parts[:MOST_SHOWN]:
        for i, brand in enumerate(panel.brands):
            table.add_row(
                _name(name if i == 0 else ""),
                _name(brand),
                *(cells.get((name, brand, m), "-") for m in known),
            )
    yield table
    if len(parts) > MOST_SHOWN:
        yield f"{len(parts) - MOST_SHOWN} more parts are in metrics.csv."
