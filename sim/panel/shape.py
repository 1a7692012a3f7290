"""Reshapes tables to one row per purchase: a column per brand, a column per month, spells with a start and an end."""

import re

import numpy as np

from sim.panel import vocabulary
from sim.panel.brand_columns import block_names
from sim.panel.date_texts import MONTHS, plain_date
from sim.panel.dates import YEAR_MONTH, YEAR_QUARTER, YEAR_WEEK, read_times
from sim.panel.durations import ends_after, ends_of_spells, next_starts
from sim.panel.options import Options
from sim.panel.row_set import Rows
from sim.panel.row_times import spell_dates
from sim.panel.share_tables import shares_of_brands
from sim.panel.switches import spells_of_switches
from sim.panel.table import Table
from sim.panel.types import PanelError
from sim.panel.values import read_numbers, truths

MARKED = re.compile(
    r"(?:choice|chosen|bought|buy|purchased?|y|d|gekauft|gekocht|achete|comprado|acquistato)[._\- ](.+)", re.IGNORECASE
)
UNITS = r"(?:bought|qty|quantity|units?|purchases|menge|aantal|quantite|cantidad)"
AMOUNTS = re.compile(rf"{UNITS}[._\- ](?P<before>.+)|(?P<after>.+)[._\- ]{UNITS}", re.IGNORECASE)
NUMBERED = re.compile(r"(.*?)[._\- ]?(\d{1,4})")  # m1, wave 2, bank_2018
KEPT = 2 / 3  # of the customers must keep a provider from one column to the next
MOST_MONTHS = 50_000_000  # rows that spells may become


def unfold(table: Table, options: Options) -> Table:
    """A row per household, occasion and brand, where brands or months are columns."""
    if not table.rows:
        return table
    if (switched := spells_of_switches(table, options)) is not None:
        return switched
    months = _months(table)
    if len(months) >= 3 and all(_all_numbers(table, n) or not len(table.cells[n].categories) for n in months):
        rest = [n for n in table.names if n not in months]
        if options.brand is not None or any(_is_brand(table, n) for n in rest):
            return _melted(table, {n: n for n in months}, "month", "quantity")
    if options.brand is not None:
        return table
    if any(_is_brand(table, n) for n in table.names):
        return table
    marked = _marked(table)
    if marked:
        return _melted(table, marked, "alternative", "chosen")
    units = _units(table)
    if shares := shares_of_brands(table, list(units)):
        raise PanelError([shares])
    usual = (*vocabulary.QUANTITY, *vocabulary.REFUNDED_QUANTITY)
    if len(units) > 1 and not any(re.fullmatch(p, vocabulary.normalized(n)) for p in usual for n in units):
        return _melted(table, units, "brand", "quantity")
    counted = len(months) >= 3 and options.provider is None and all(_all_numbers(table, n) for n in months)
    if counted and any("0" in table.cells[n].categories for n in months):
        raise PanelError(
            [
                f"{', '.join(months[:3])}, ..: these columns hold numbers; panel.brand=none says that they are how "
                "many were bought, panel.provider=yes that they are codes of providers"
            ]
        )
    if len(months) >= 3 and all(truths(table.cells[n].categories.tolist()) is None for n in months):
        return _melted(table, {n: n for n in months}, "month", "provider")
    return _numbered(table)


def _units(table: Table) -> dict[str, str]:
    """column -> brand, of columns of units such as units_heinz, or heinz_units."""
    found = {n: m for n in table.names if (m := AMOUNTS.fullmatch(n.strip())) and _all_numbers(table, n)}
    named = {n: (m["before"] or m["after"]).strip() for n, m in found.items()}
    before = [n for n, m in found.items() if m["before"]]
    return {n: named[n] for n in before} if len(before) > 1 else named


def _numbered(table: Table) -> Table:
    """Providers or choices in columns that are numbered: wave 1, wave 2, .., or bank_2018, bank_2019, .."""
    groups: dict[str, dict[str, str]] = {}
    for name in table.names:
        match = NUMBERED.fullmatch(name.strip())
        if match and _is_names(table, name) and not _all_numbers(table, name):
            groups.setdefault(vocabulary.normalized(match[1]), {})[name] = match[2]
    for prefix, columns in groups.items():
        values = set().union(*(table.cells[n].categories for n in columns))
        if len(columns) >= 3 and len(values) <= max(10, len(columns) * table.rows // 5):
            years = all(re.fullmatch("(19|20)[0-9]{2}", n) for n in columns.values())
            bought = any(re.fullmatch(p, prefix) for p in (*vocabulary.BRAND[0], *vocabulary.FLAG)) or bool(
                re.search(r"(?:purchase|occasion|trip|bought|kauf|aankoop|achat|compra|acquisto)s?$", prefix)
            )
            if not (bought or years or re.fullmatch(rf"{vocabulary.PROVIDER}|wave|welle|golf|vague|ola|month", prefix)):
                bought = _share_kept(table, list(columns)) < KEPT
            return _melted(table, columns, "year" if years else "period", "choice" if bought else "provider")
    return table


def _share_kept(table: Table, columns: list[str]) -> float:
    """Of neighboring cells that are filled, the share that are the same: low where brands are bought in turn."""
    cells = np.column_stack([np.asarray(table.cells[n].astype(object)) for n in columns])
    both = (cells[:, 1:] == cells[:, 1:]) & (cells[:, :-1] == cells[:, :-1])  # a missing cell differs from itself
    return float((cells[:, 1:] == cells[:, :-1])[both].mean()) if both.any() else 1.0


def _months(table: Table) -> list[str]:
    """Columns that are called by a month, quarter, week or day."""
    forms = YEAR_MONTH, YEAR_QUARTER, YEAR_WEEK
    named = [n for n in table.names if plain_date(n).lower().rstrip(".") in MONTHS]
    if len(named) > 2:
        return named
    return [n for n in table.names if any(p.fullmatch(n.strip()) for p in forms) or _is_date(n)]


def _is_brand(table: Table, name: str) -> bool:
    usual = (p for tier in vocabulary.BRAND[:2] for p in tier)
    return _is_names(table, name) and any(re.fullmatch(p, vocabulary.normalized(name)) for p in usual)


def _all_numbers(table: Table, name: str) -> bool:
    texts = table.cells[name].categories.tolist()
    return bool(texts) and bool(np.isfinite(read_numbers(texts)).all())


def _is_names(table: Table, name: str) -> bool:
    texts = table.cells[name].categories.tolist()
    return bool(texts) and truths(texts) is None


def _is_date(name: str) -> bool:
    found = read_times([name], np.ones(1), "ymd")
    return found.dates and bool(np.isfinite(found.values).all()) and any(c.isdigit() for c in name)


def _marked(table: Table) -> dict[str, str]:
    """column -> brand, of columns of yes and no, such as choice_heinz, or heinz beside price_heinz."""
    named = {n: m[1].strip() for n in table.names if (m := MARKED.fullmatch(n.strip()))}
    priced = {n: n for n in block_names(table.names) if n in table.cells}
    alone = {n: n for n in table.names if truths(table.cells[n].categories.tolist()) is not None}
    for found in (named, priced, alone if _one_a_row(table, list(alone)) else {}):
        yes = [n for n in found if truths(table.cells[n].categories.tolist()) is not None]
        if len(yes) > 1 and len(yes) == len(found):
            return found
    return {}


def _one_a_row(table: Table, names: list[str]) -> bool:
    """Whether just one of some columns of yes and no says yes in nearly every row."""
    brands = [n for p in vocabulary.BRAND[2] for n in table.names if re.fullmatch(p, vocabulary.normalized(n))]
    if len(names) < 2 or brands or any(len(table.cells[n].categories) < 2 for n in names):
        return False
    many = np.zeros(table.rows)
    for n in names:
        yes = truths(table.cells[n].categories.tolist())
        many += np.append(np.zeros(0, bool) if yes is None else yes, False)[table.cells[n].codes]
    return float((many == 1).mean()) > 0.95


def _melted(table: Table, columns: dict[str, str], name: str, value: str) -> Table:
    """Every row once for each of the columns, with its name in `name` and its cell in `value`."""
    import pandas as pd

    many = len(columns)
    rest = [n for n in table.names if n not in columns]
    cells: dict[str, pd.Categorical] = {
        n: pd.Categorical.from_codes(np.repeat(table.cells[n].codes, many), table.cells[n].categories) for n in rest
    }
    cells[name] = pd.Categorical.from_codes(
        np.tile(np.arange(many), table.rows), pd.Index(list(columns.values()), dtype=object)
    )
    texts = np.column_stack([np.asarray(table.cells[n].astype(object)) for n in columns]).ravel()
    if value == "quantity":  # of what was not bought nothing is written
        texts[pd.isna(texts)] = "0"
    cells[value] = pd.Categorical(texts)
    note = f"The columns {', '.join(list(columns)[:4])}{', ...' if many > 4 else ''} are read as {value} by {name}."
    return Table(
        [*rest, name, value],
        cells,
        table.rows * many,
        table.first_line,
        table.header,
        table.comma,
        [*table.notes, note],
    )


def spells(rows: Rows, brand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(row, day) of every month in which a spell with a provider lasts.

    A spell counts in the months on whose first day it lasts; one that is open lasts to the last date of the file.
    """
    start = spell_dates(rows, rows.columns.start)
    if rows.columns.duration:
        end = ends_after(rows, start)
    elif rows.columns.end:
        end = ends_of_spells(rows, start)
    else:
        end = next_starts(rows, start)
        rows.notes.append("A spell lasts until the next of its customer begins.")
    rows.drop(np.isnan(start), f"no beginning ({rows.columns.start} is empty)")
    rows.drop(end < start, f"ends before it begins ({rows.columns.end or rows.columns.duration})")
    kept = np.flatnonzero(rows.keep & (brand >= 0))
    if not len(kept):
        return kept, np.zeros(0)
    last = np.nanmax(np.r_[start[kept], end[kept]])
    first_month = _month(start[kept] - 1) + 1
    final_month = _month(np.where(np.isnan(end[kept]), last, end[kept] - 1))
    months = np.maximum(final_month - first_month + 1, 0)
    if months.sum() > MOST_MONTHS:
        rows.wrong.append(f"{rows.columns.start}: {months.sum():,} months of customers; take a part of them")
        return kept, np.zeros(0)
    missed = int((months == 0).sum())
    if missed:
        rows.notes.append(f"{missed} spells are over before a month begins; they are not counted.")
    row = np.repeat(kept, months)
    step = np.arange(len(row)) - np.repeat(np.cumsum(months) - months, months)
    month = np.repeat(first_month, months) + step
    rows.notes.append("Spells are counted at the first of each month.")
    return row, month.astype(np.int64).astype("datetime64[M]").astype("datetime64[D]").astype(float)


def _month(day: np.ndarray) -> np.ndarray:
    """Months since 1970 of days since 1970."""
    return np.floor(day).astype(np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
