"""Reads a file for a market that is known already: its brands stay, bought or not; choices may be unknown."""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from sim.panel.brand_columns import BLOCKS, block
from sim.panel.column_finder import Columns
from sim.panel.columns import find_columns
from sim.panel.files import in_occasions, rows_in_time, sort_lines
from sim.panel.households import number_households
from sim.panel.occasions import Lines
from sim.panel.options import Options
from sim.panel.prices import add_what_was_seen, read_blocks
from sim.panel.row_set import Rows
from sim.panel.row_times import count_from_first_day
from sim.panel.rows import keep_purchases
from sim.panel.shape import unfold
from sim.panel.source import open_table
from sim.panel.table import Table
from sim.panel.tidy import fold
from sim.panel.types import Panel, PanelError

POOLED = ("other", "other (pooled)")


def read_known(
    path: str | PathLike[str], brands: Sequence[str], options: Options | None = None, later: bool = False
) -> Panel:
    """The purchases in a file of the brands of a known market, in that order; y is -1 where the choice is not known.

    As `read`, but one household or one brand will do, and a file without choices is a list of occasions. Brands that
    the market does not know are its pooled brand where it has one, else not known. `later`: its rows are to be
    predicted, each of them where every brand has its price. PanelError lists what is wrong.
    """
    options = options or Options()
    table = unfold(open_table(Path(path), options), options)
    columns, wrong = find_columns(table, options)
    if wrong and not columns.brand:
        columns, wrong = find_columns(table, replace(options, brand="none"))
    _known_blocks(table, columns, brands)
    wrong = [w for w in wrong if not w.endswith("missing, while other brands have such a column")]
    if wrong or not table.rows:
        raise PanelError([f"{path}: {w}" for w in wrong or ["the file has a header but no purchases"]])
    if later and columns.blocks:  # whether rows are one must not depend on what is chosen in them
        options = replace(options, lines="keep")
    rows = Rows(table, columns, options)
    rows.notes += [*table.notes, *columns.notes]
    rows.zero_is_somebody = True  # numbers may lack in a part of a panel
    keep_purchases(rows)
    panel = _panel(rows, list(brands))
    panel.unknown = _unknown(table, columns, brands)
    if rows.wrong or not len(panel.hh):
        raise PanelError([f"{path}: {w}" for w in dict.fromkeys(rows.wrong or ["no purchase is left"])])
    return panel


def _known_blocks(table: Table, columns: Columns, brands: Sequence[str]) -> None:
    """The columns of prices, features and displays of these brands; of others, where some of them are pooled."""
    columns.brands, columns.blocks = (), {}
    apart = [b for b in brands if b not in POOLED]
    found = {kind: block(table.names, kind, apart)[0] for kind in BLOCKS}
    found = {kind: of for kind, of in found.items() if of and all(b in of for b in apart)}
    others = [] if len(apart) == len(brands) else [b for b in next(iter(found.values()), {}) if b not in apart]
    others = [b for b in others if all(b in of for of in found.values())]
    if found and (others or len(apart) == len(brands)):
        columns.brands = (*apart, *others)
        columns.blocks = {kind: [of[b] for b in columns.brands] for kind, of in found.items()}


def _unknown(table: Table, columns: Columns, brands: Sequence[str]) -> tuple[str, ...]:
    """Brands that have such columns as those of the market have, and nobody bought when it was calibrated."""
    if any(b in POOLED for b in brands) or not columns.blocks:
        return ()
    named = [block(table.names, kind, brands)[0] for kind in columns.blocks]
    return tuple(b for b in named[0] if b not in brands and all(b in of for of in named))


def _panel(rows: Rows, brands: list[str]) -> Panel:
    columns = rows.columns
    customer, names = rows.column(columns.customer)
    brand = _brand_codes(rows, brands)
    at, t, found = rows_in_time(rows, brand)
    if not len(at):
        return Panel(tuple(brands), np.zeros(0, object), at, t, at)
    lines: Lines = sort_lines(rows, at, customer, t, brand)
    first, _ = in_occasions(rows, lines, len(brands) + 1, found)
    panel = Panel(tuple(brands), np.zeros(0), lines.hh[first], lines.t[first], lines.y[first], rows=rows.table.rows)
    panel.y = np.where(panel.y == len(brands), -1, panel.y)
    panel.row = lines.row[first]
    add_what_was_seen(panel, rows, read_blocks(rows), columns.brands)
    number_households(panel, rows, lines, np.zeros(0, np.int64), names)
    count_from_first_day(panel, found)
    panel.left_out, panel.warnings, panel.columns = rows.left_out, rows.notes, columns.used()
    return panel


def _brand_codes(rows: Rows, brands: list[str]) -> np.ndarray:
    """[rows] the place of each row's brand in `brands`; their number where it is not known."""
    if not rows.columns.brand:
        return np.full(rows.table.rows, len(brands))
    codes, texts = rows.column(rows.columns.brand)
    pooled = next((brands.index(b) for b in POOLED if b in brands), len(brands))
    exact, folded = ({by(b): j for j, b in enumerate(brands)} for by in (str, fold))
    place = [exact.get(text, folded.get(fold(text), pooled)) for text in texts]
    return np.append(np.array(place, np.int64), len(brands))[codes]
