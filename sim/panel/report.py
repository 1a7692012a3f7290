"""A panel on the screen: how sticky every brand is, the field's own figures, the market, and what to be wary of."""

import sys
from typing import Any

import numpy as np

from sim import terminal
from sim.panel.files import Panel, PanelError, read
from sim.panel.measures import measure
from sim.panel.record import tally

STICKY = {
    "share": "share",
    "stickiness": "stickiness\nindex",
    "excess": "excess over\nDirichlet",
    "own_ratio": "usage\nratio U",
    "own_ratio_lift": "U over\nchance",
}
IN_ORDER = {
    "usage_ratio": "usage ratio\nout of sample",
    "next_use": "next is\nthe same",
    "habit_part": "of the index:\norder",
}
FIELD = {
    "penetration": "penetration",
    "frequency": "purchases\na buyer",
    "requirements": "share of\ncategory",
    "sole_users": "sole\nbuyers",
    "once_users": "bought\nonce",
}
MARKET = {
    "category_mean": "purchases a household",
    "dirichlet_phi": "polarisation phi = 1/(1+S) of the fitted Dirichlet",
    "concentration": "concentration S",
    "duplication_coefficient": "duplication D: buyers of j who buy k = D x buyers of k",
    "repeat_chance": "R by chance",
    "repeat_shuffled": "R had each household's purchases been shuffled",
    "repeat": "R, share of purchases that repeat the last",
    "repeat_by_order": "what order adds: R - shuffled",
}


def report(panel: Panel, console: Any = None) -> None:
    """Print the figures of a panel, each with its standard error over households."""
    console = console or terminal.console()
    frame = measure(panel)
    cells = {(r.firm, r.metric): _figure(r.value, r.error) for r in frame.itertuples()}
    z = {r.metric: r.value for r in frame.itertuples()}.get("order_z")
    many = f"{len(panel.households)} households, {len(panel.hh)} purchases, {len(panel.brands)} brands"
    console.print(f"\n{many}; ± standard error over households.", highlight=False)
    console.print(_table("How sticky", panel, STICKY, cells))
    if panel.ordered:
        console.print(_table("From the order of purchases", panel, IN_ORDER, cells))
    console.print(_table("The field's own figures", panel, FIELD, cells))
    console.print(_market(cells, z))
    if panel.ordered and len(panel.brands) <= 8:
        console.print(_switching(panel))
    for warning in panel.warnings:
        console.print(_text("! ", "yellow") + _text(warning))


def main(path: str, household: str | None = None, time: str | None = None, brand: str | None = None) -> int:
    """Report on the panel in a file; exit status 2, with what is wrong on stderr, where it cannot be read."""
    try:
        panel = read(path, household, time, brand)
    except PanelError as error:
        print(error, file=sys.stderr)
        return 2
    report(panel)
    return 0


def _text(text: str, style: str = "") -> Any:
    """Text in one line, whatever it holds: names in a file are data, never markup."""
    from rich.text import Text

    return Text(terminal.plain(text), style)


def _figure(value: float, error: float) -> str:
    if not np.isfinite(value):
        return "-"
    around = f" ±{error:.{3 if error < 0.1 else 2 if error < 1 else 1}f}".replace("±0.", "±.")
    return f"{value:.{3 if abs(value) < 1 else 2}f}" + (around if np.isfinite(error) else "")


def _table(title: str, panel: Panel, columns: dict[str, str], cells: dict[tuple[str, str], str]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("brand", overflow="fold", min_width=10)
    for head in columns.values():
        table.add_column(head, justify="right", no_wrap=True)
    for brand in panel.brands:
        table.add_row(_text(brand), *(cells[brand, name] for name in columns))
    return table


def _market(cells: dict[tuple[str, str], str], z: float | None) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title="The market", title_justify="left", box=box.SIMPLE_HEAD, show_header=False)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    for name, words in MARKET.items():
        if ("", name) in cells:
            table.add_row(words, cells["", name])
    if z is not None:
        table.add_row("the same in standard errors of shuffling, z", f"{z:.1f}")
    return table


def _switching(panel: Panel) -> Any:
    from rich import box
    from rich.table import Table

    from sim.metrics import folds, pooled, switching

    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = switching(folds(pooled(tally(panel))))[0]
    table = Table(title="Where the next purchase goes", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("from")
    for brand in panel.brands:
        table.add_column(_text(brand), justify="right")
    for brand, row in zip(panel.brands, matrix, strict=True):
        table.add_row(_text(brand), *(f"{p:.2f}" for p in row))
    return table
