"""From a file to a Panel, or one PanelError with everything that is wrong with the file, a sentence each.

Two shapes are known. Long: a row a purchase with a household, perhaps a time, the brand bought, perhaps price_<brand>,
feat_<brand>, disp_<brand>. Wide, as R distributes them: id, choice, price.<brand>, ..., the rows of a household in the
order in which it bought. Columns that are not needed, such as row numbers, are left aside.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sim.declare import ScenarioError, did_you_mean
from sim.panel.cells import block, codes, times
from sim.panel.columns import Columns, find
from sim.panel.order import verdict

MOST_BRANDS = 64  # the tally keeps brands as bits
ENDINGS = {"parquet": "parquet", "pq": "parquet", "xlsx": "sheet", "xls": "sheet", "ods": "sheet"}


class PanelError(ScenarioError):
    """Everything that is wrong with a panel file, one sentence each."""


@dataclass
class Panel:
    """Purchases n = 0 .. N-1, sorted by household, then time, then place in the file."""

    brands: tuple[str, ...]  # [J]
    households: np.ndarray  # [H] as they are called in the file
    hh: np.ndarray  # [N] int64, whose purchase
    t: np.ndarray  # [N] float64, as in the file; dates in days since the first; else place within the household
    y: np.ndarray  # [N] int64, the brand bought
    prices: np.ndarray | None = None  # [N, J] of every brand at the purchase, money as in the file
    features: np.ndarray | None = None  # [N, J]
    displays: np.ndarray | None = None  # [N, J]
    ordered: bool = True  # whether the rows of a household can be taken for the order in which it bought
    warnings: list[str] = field(default_factory=list)


def read(
    path: Any,
    household: str | None = None,
    time: str | None = None,
    brand: str | None = None,
    ordered: bool | None = None,
) -> Panel:
    """The panel in a CSV or Parquet file; PanelError lists everything that is wrong with it.

    `household`, `time` and `brand` name columns whose names do not tell. `ordered` is your word on whether the rows
    of a household are in the order of purchase; by default the panel itself is asked (`order.verdict`).
    """
    table = _open(Path(path))
    columns, complaints = find([str(c) for c in table.columns], household, time, brand)
    table.columns = [str(c) for c in table.columns]
    if not complaints and table.empty:
        complaints.append("the file has a header but no purchases; write one row a purchase")
    if complaints:
        raise PanelError([f"{path}: {c}" for c in complaints])
    panel = _panel(table, columns, str(path))
    panel.ordered, sentences = verdict(panel.hh, panel.y, len(panel.brands), ordered)
    panel.warnings += [*sentences, *_selection(panel)]
    return panel


def _open(path: Path) -> Any:
    """The table in a file, nothing checked but that it is one."""
    import pandas as pd

    kind = ENDINGS.get(path.suffix.lstrip(".").lower(), "csv")
    if kind == "sheet":
        raise PanelError([f"{path}: a spreadsheet cannot be read; save the sheet as CSV"])
    try:
        if kind == "parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, sep=_separator(path), encoding="utf-8-sig", low_memory=False)
    except FileNotFoundError:
        raise PanelError([f"{path}: there is no such file"]) from None
    except UnicodeDecodeError as error:
        at = f"byte {error.start} is no UTF-8"
        raise PanelError([f"{path}: {at}; save the file as CSV in UTF-8"]) from None
    except pd.errors.EmptyDataError:
        raise PanelError([f"{path}: the file is empty; it needs a header and one row a purchase"]) from None
    except pd.errors.ParserError as error:
        raise PanelError([f"{path}: not a CSV file ({' '.join(str(error).split())})"]) from None
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise PanelError([f"{path}: cannot be read as {kind} ({reason})"]) from None


def _separator(path: Path) -> str:
    """What separates the columns, seen from the header."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if b"\0" in head:
        raise PanelError([f"{path}: not a text file; a panel is a CSV or Parquet file"])
    header = head.split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    return max(",;\t|", key=header.count)


def _panel(table: Any, columns: Columns, path: str) -> Panel:
    wrong: list[str] = []
    notes = list(columns.notes)
    households, hh = codes(table, columns.household, "household", wrong)
    named, y = codes(table, columns.brand, "brand", wrong)
    brands = list(columns.brands or named)
    wrong += _brands_wrong(named, columns.brands)
    t = times(table[columns.time], columns.time, wrong, notes) if columns.time else None
    blocks = [block(table, columns, kind, wrong, notes) for kind in ("price", "feat", "disp")]
    wrong += _too_few(households, [] if columns.brands and len(named) == 2 else named)
    if wrong:
        raise PanelError([f"{path}: {c}" for c in wrong])
    y = np.array([brands.index(name) for name in named], np.int64)[y]
    order = np.argsort(hh, kind="stable") if t is None else np.lexsort((t, hh))
    hh, y = hh[order], y[order]
    notes += list(_order_notes(order, hh, None if t is None else t[order]))
    place = np.arange(len(hh)) - np.searchsorted(hh, hh)
    when = place.astype(float) if t is None else t[order]
    panel = Panel(tuple(brands), np.asarray(households), hh, when, y, warnings=notes)
    panel.prices, panel.features, panel.displays = (None if b is None else b[order] for b in blocks)
    return _without_unbought(panel)


def _brands_wrong(named: list[str], priced: tuple[str, ...]) -> Iterator[str]:
    for name in named:
        if priced and name not in priced:
            yield f"{name!r} is bought but has no price column{did_you_mean(name, priced)}"


def _too_few(households: list[Any], brands: list[str]) -> Iterator[str]:
    if len(households) == 1:
        yield "there is only one household; stickiness is about how people differ, so two are needed at least"
    if set(brands) == {"0", "1"}:
        yield "the brand is always 0 or 1, as where a row is an alternative; keep the rows that were chosen"
    if len(brands) == 1:
        yield f"there is only one brand ({brands[0]}); nothing competes with it"
    if len(brands) > MOST_BRANDS:
        yield f"there are {len(brands)} brands, at most {MOST_BRANDS} can be told apart; pool the small ones"


def _order_notes(order: np.ndarray, hh: np.ndarray, t: np.ndarray | None) -> Iterator[str]:
    if t is None:
        yield "There is no column of time: the rows of a household are taken in the order of the file."
        return
    moved = len(np.unique(hh[1:][(order[1:] < order[:-1]) & (hh[1:] == hh[:-1])]))
    if moved:
        yield f"The rows of {moved} households were not in the order of time; they have been sorted."
    tied = (np.diff(t) == 0) & (np.diff(hh) == 0)
    if tied.any():
        yield (
            f"{tied.sum()} purchases share their time with the one before of the same household; "
            "they are taken in the order of the file."
        )


def _without_unbought(panel: Panel) -> Panel:
    bought = np.bincount(panel.y, minlength=len(panel.brands)) > 0
    if bought.all():
        return panel
    left = [b for b, kept in zip(panel.brands, bought, strict=True) if not kept]
    panel.warnings.append(f"Nobody buys {', '.join(left)}; left out.")
    panel.brands = tuple(b for b, kept in zip(panel.brands, bought, strict=True) if kept)
    panel.y = (np.cumsum(bought) - 1)[panel.y]
    for name in ("prices", "features", "displays"):
        block = getattr(panel, name)
        setattr(panel, name, None if block is None else block[:, bought])
    return panel


def _selection(panel: Panel) -> Iterator[str]:
    """Who is missing from the panel, and what that does to the figures."""
    yield "Who never buys the category is not in a list of purchases: penetration is among buyers."
    fewest = int(np.bincount(panel.hh).min())
    if fewest > 1:
        yield (
            f"No household has fewer than {fewest} purchases, so light buyers were left out before this file was "
            "made: the mean and spread of buying (M, K) hold for such households only."
        )
