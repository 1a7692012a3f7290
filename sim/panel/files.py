"""Reads a file as a Panel, or raises one PanelError with everything that is wrong with it, a sentence each.

A row is a purchase, a line of an order, an event, an alternative of a choice or a month with a provider: `columns`
finds which column is what, `rows` which rows are purchases, `row_times` their times, `occasions` which lines are one
use.
"""

import re
from os import PathLike
from pathlib import Path

import numpy as np

from sim.panel.advice import are_alternatives, names_in_a_row, notes_on_columns, notes_on_names, who_is_missing
from sim.panel.columns import find_columns
from sim.panel.households import household_weights, number_households
from sim.panel.occasions import (
    Lines,
    codes_in_use,
    merge_lines,
    order_numbers_hold,
    order_of_each_day,
    pool_small,
    repeated_rows,
)
from sim.panel.options import Options, options_from
from sim.panel.order import REFUSED, is_calendar, trust_order
from sim.panel.prices import Blocks, add_what_was_seen, read_blocks
from sim.panel.provider import looks_like_provider
from sim.panel.row_set import Rows
from sim.panel.row_times import RowTimes, count_from_first_day, times_of_rows
from sim.panel.rows import keep_purchases
from sim.panel.shape import spells, unfold
from sim.panel.source import open_table
from sim.panel.statuses import NO_BRAND
from sim.panel.sums import written_out
from sim.panel.types import LeftOut, Panel, PanelError
from sim.panel.vocabulary import normalized

MOST_BRANDS, POOLED = 64, 12  # brands told apart; those kept where there are more
ONE_FIRM = "the firm"
SUMMARY = re.compile(  # of a customer, not of a purchase
    r"frequency|recency|tenure|(?:n|num|nof|number|numberof|total|count)?(?:orders|purchases|transactions|visits)|"
    r"(?:first|last)(?:order|purchase|transaction|visit)?(?:date|at|on)|monetary(?:value)?"
)


def read(
    path: str | PathLike[str],
    customer: str | None = None,
    time: str | None = None,
    brand: str | None = None,
    options: Options | None = None,
    **named: object,
) -> Panel:
    """The panel in a file; PanelError lists everything that is wrong with it.

    `customer`, `time` and `brand` name columns whose names do not tell; other keywords are those of `Options`, such
    as ordered=True, your word that the rows of a household are in the order of purchase. `options` gives all at once.
    """
    named = {"customer": named.pop("household", customer), "time": time, "brand": brand, **named}
    options = options_from(options, **named)
    table = unfold(open_table(Path(path), options), options)
    columns, wrong = find_columns(table, options)
    if not table.rows and not wrong:
        wrong = ["the file has a header but no purchases; write one row a purchase"]
    if wrong:
        raise PanelError([f"{path}: {w}" for w in wrong])
    table = written_out(table, columns)
    rows = Rows(table, columns, options)
    rows.notes += [*table.notes, *columns.notes]
    keep_purchases(rows)
    panel = _panel(rows)
    if panel is None or rows.wrong:
        raise PanelError([f"{path}: {w}" for w in dict.fromkeys(rows.wrong)])
    return panel


def rows_in_time(rows: Rows, brand: np.ndarray) -> tuple[np.ndarray, np.ndarray, RowTimes | None]:
    """(rows that count, their times, the times of all rows or None where there are none); a spell is a row a period."""
    if rows.columns.start:
        at, t = spells(rows, brand)
        return at, t, RowTimes(t, True)
    found, at = times_of_rows(rows), np.flatnonzero(rows.keep)
    return at, found.values[at] if found else np.zeros(len(at)), found


def _panel(rows: Rows) -> Panel | None:
    columns = rows.columns
    customer_code, names = rows.column(columns.customer)
    brand, brands = rows.column(columns.brand) if columns.brand else (np.zeros(rows.table.rows, np.int64), [ONE_FIRM])
    known = rows.keep | _without_purchase(rows)
    _drop_nameless(rows, brand)
    priced = read_blocks(rows)
    at, t, found = rows_in_time(rows, brand)
    if columns.blocks:
        at, t = _priced(rows, brand, brands, at, t)
    wrong = _too_few(rows, customer_code[at], [brands[b] for b in codes_in_use(brand[at])])
    rows.wrong += [] if rows.wrong else wrong
    if rows.wrong:
        return None
    lines = sort_lines(rows, at, customer_code, t, brand)
    panel = _uses(rows, lines, brands, found, priced)
    number_households(panel, rows, lines, customer_code[known & (customer_code >= 0)], names)
    panel.weights = household_weights(rows, customer_code, panel, names)
    return _finished(panel, rows, found)


def _without_purchase(rows: Rows) -> np.ndarray:
    """[rows] whether the row was left out because its customer bought nothing then; the customer is known, though."""
    codes = rows.no_purchase
    return np.zeros(rows.table.rows, bool) if codes is None else codes & (rows.column(rows.columns.customer)[0] >= 0)


def _drop_nameless(rows: Rows, brand: np.ndarray) -> None:
    """Rows without a brand: of customers who never bought, or slips."""
    if not rows.columns.brand:
        return
    customer_code = rows.column(rows.columns.customer)[0]
    bought = np.zeros(int(customer_code.max(initial=-1)) + 1, bool)
    bought[customer_code[rows.keep & (brand >= 0)]] = True
    empty = rows.keep & (brand < 0)
    never = empty & ~np.append(bought, False)[customer_code]
    if rows.columns.order:  # who has an order bought something, or it is a line below the table
        never &= rows.column(rows.columns.order)[0] < 0
    if never.any():
        rows.members = True
    many, of = int((empty & ~never).sum()), int(rows.keep.sum())
    name = rows.columns.brand
    if many > of / 2:
        rows.wrong.append(f"{name}: is empty in {many} of {of} rows; panel.brand=COLUMN names another")
    rows.drop(never, f"customers who never bought ({name} is empty); they count as households")
    rows.drop(empty, f"no brand ({name} is empty)")


def _priced(
    rows: Rows, brand: np.ndarray, brands: list[str], at: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose brand has no column of prices, where others have, are slips or a mistake."""
    from sim.model.declare import did_you_mean

    priced = np.array([b in rows.columns.brands for b in brands])
    lacking = ~priced[brand[at]]
    if not lacking.any():
        return at, t
    names = [brands[b] for b in np.unique(brand[at][lacking])]
    said = [f"{n!r} is bought but has no price column{did_you_mean(n, rows.columns.brands)}" for n in names[:5]]
    if lacking.mean() > 0.05:
        rows.wrong += said
    bad = np.zeros(rows.table.rows, bool)
    bad[at[lacking]] = True
    rows.drop(bad, "; ".join(said))
    return at[~lacking], t[~lacking]


def _too_few(rows: Rows, customer_code: np.ndarray, brands: list[str]) -> list[str]:
    if not len(customer_code):
        return ["no purchase is left: " + "; ".join([f"{n} rows: {r}" for n, r in rows.left_out] or rows.notes[-1:])]
    wrong = []
    if len(codes_in_use(customer_code)) == 1:
        wrong.append("there is only one household; stickiness is about how people differ, so two are needed at least")
    if set(brands) == {"0", "1"} and not rows.options.none:
        wrong.append(
            "the brand is always 0 or 1, as where a row is an alternative; name the column of alternatives, "
            "panel.brand=COLUMN, or say panel.none=0 (nothing bought) or panel.none=no (two brands)"
        )
    if are_alternatives(rows):
        wrong.append(
            f"every {rows.columns.brand} is there at every occasion, so a row is an alternative; a column chosen, "
            "1 or 0, must say which was bought"
        )
    summary = any(SUMMARY.fullmatch(normalized(n)) for n in rows.table.names)
    if rows.columns.one_firm and summary and len(customer_code) == len(np.unique(customer_code)) > 1:
        wrong.append(
            "every customer has one row, as in a summary (frequency, recency, tenure) rather than a list of purchases; "
            "a row a purchase is needed to see who comes back"
        )
    lists = [b for b in brands if re.search(r"\S[|;+&,]\S|, ", b) and {*re.split(r"[|;+&,] *", b)} < {*brands}]
    lists = lists or names_in_a_row(brands)
    if lists:
        wrong.append(
            f"{rows.columns.brand} names several brands in one cell ({lists[0]!r}); write a row for each of them"
        )
    if len(brands) == 1 and not rows.columns.one_firm and len(rows.columns.brands) != 2:
        wrong.append(
            f"there is only one brand ({brands[0]}); nothing competes with it. panel.brand=none measures the "
            f"history of one firm"
        )
    return wrong


def sort_lines(rows: Rows, at: np.ndarray, customer_code: np.ndarray, t: np.ndarray, brand: np.ndarray) -> Lines:
    """Lines of rows `at`, sorted by household and time."""
    hh = customer_code[at]
    by = np.lexsort((np.arange(len(at)), t, hh))
    moved = np.unique(hh[by][1:][(np.diff(by) < 0) & (np.diff(hh[by]) == 0)])
    if len(moved):
        rows.notes.append(f"The rows of {len(moved)} households were not in the order of time; they have been sorted.")
    name = rows.columns.order or (rows.columns.choice_set if rows.columns.time else "")  # a choice set is an occasion
    order = rows.column(name)[0][at][by] if name else None
    return Lines(at[by], hh[by], t[by], brand[at][by], order)


def _uses(rows: Rows, lines: Lines, brands: list[str], found: RowTimes | None, priced: Blocks) -> Panel:
    """Lines of one occasion and brand made one use; the household is still its code in the file."""
    first, place = in_occasions(rows, lines, len(brands), found)
    quantity = _amount(rows, lines.row, rows.columns.quantity)
    y = lines.y[first]
    kept = codes_in_use(y)
    bought = [brands[b] for b in kept]
    names, code = _named(rows, bought, np.searchsorted(kept, y))
    panel = Panel(tuple(names), np.zeros(0), lines.hh[first], lines.t[first], code, rows=rows.table.rows)
    if quantity is not None:
        panel.quantity = np.bincount(place[place >= 0], quantity[place >= 0], minlength=len(first))
    if rows.columns.segment:
        codes, texts = rows.column(rows.columns.segment)
        panel.segment = np.append(np.array(texts, object), "(empty)")[codes[lines.row[first]]]
    panel.row = lines.row[first]
    add_what_was_seen(panel, rows, priced, bought)
    return panel


def in_occasions(rows: Rows, lines: Lines, brands: int, found: RowTimes | None) -> tuple[np.ndarray, np.ndarray]:
    """(lines that are a use, the use of each line; -1 for repeats of a row)."""
    every = np.arange(len(lines.row))
    if lines.order is not None and found is not None and not order_numbers_hold(lines, found.dates):
        name = rows.columns.order or rows.columns.choice_set
        lines.order, said = order_of_each_day(lines, rows.numbers(name)[lines.row])
        rows.notes.append(f"{name} {said}")
        rows.columns.order = rows.columns.order if lines.order is not None else ""
    if rows.options.lines == "keep" or (found is None and lines.order is None):
        return every, every
    if found is None:
        lines.t = every.astype(float)  # lines of an order merge by its number alone
    again = np.zeros(len(every), bool)
    if not rows.columns.start:
        again = repeated_rows([rows.column(n)[0] for n in rows.table.names], lines.row)
    left = np.flatnonzero(~again)
    order = None if lines.order is None else lines.order[left]
    part = Lines(lines.row[left], lines.hh[left], lines.t[left], lines.y[left], order)
    first, of = merge_lines(part, brands)
    place = np.full(len(every), -1)
    place[left] = of
    if again.any():
        rows.left_out.append(LeftOut(int(again.sum()), "repeats of a row, every cell the same"))
    joined = len(left) - len(first)
    if joined:
        what = "order" if lines.order is not None else "time"
        rows.left_out.append(LeftOut(joined, f"further lines of one brand by one customer at one {what}: one use"))
    if joined + again.sum():
        rows.notes.append("Lines of one occasion are one use of each brand; panel.lines=keep counts every line.")
    return left[first], place


def _amount(rows: Rows, at: np.ndarray, name: str) -> np.ndarray | None:
    if not name:
        return None
    return np.nan_to_num(rows.numbers(name)[at], nan=1.0)


def _named(rows: Rows, names: list[str], y: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Brands in the order of their price columns or their names, the small ones pooled."""
    if rows.columns.brands:
        unbought = [b for b in rows.columns.brands if b not in names]
        if unbought:
            rows.notes.append(f"Nobody buys {', '.join(unbought)}; left out.")
        ranks = np.array([rows.columns.brands.index(n) for n in names])
    else:
        ranks = np.argsort(np.argsort(np.array([_natural(n) for n in names])))
    order = np.argsort(ranks)
    names, y = [names[i] for i in order], np.argsort(order)[y]
    alike = (
        [n for n in names if normalized(n) and sum(normalized(n) == normalized(o) for o in names) > 1]
        if len(names) < 1000
        else []
    )
    rows.notes += notes_on_names(rows.columns.brand, names) if rows.columns.brand else []
    none = [n for n in names if n.lower() in NO_BRAND]
    if none:
        rows.notes.append(
            f"{', '.join(none)} is no brand: its stickiness means nothing; panel.filter='{rows.columns.brand}!="
            f"{','.join(none)}' leaves it out."
        )
    if alike:
        rows.notes.append(
            f"{', '.join(alike[:6])} are counted as different brands, though their names are nearly alike."
        )
    top = rows.options.top or (POOLED if len(names) > MOST_BRANDS else MOST_BRANDS)
    if top > MOST_BRANDS:
        rows.wrong.append(f"panel.top: {top} is above {MOST_BRANDS}, the brands that can be told apart")
    if len(names) <= top:
        return names, y
    names, y, sentence = pool_small(names, y, top)
    rows.notes.append(sentence)
    return names, y


def _natural(name: str) -> str:
    return name.zfill(20) if name.isdecimal() else name


def _finished(panel: Panel, rows: Rows, found: RowTimes | None) -> Panel:
    """Times from the first purchase on, the verdict on order, and what the reader should know."""
    panel.left_out, panel.warnings = rows.left_out, [*rows.notes, *notes_on_columns(rows)]
    panel.columns = rows.columns.used()
    count_from_first_day(panel, found)
    if found is None:
        panel.warnings.append("There is no column of time: the rows of a household are taken in the order of the file.")
    tied = (np.diff(panel.t) == 0) & (np.diff(panel.hh) == 0)
    if tied.any():
        panel.warnings.append(
            f"{tied.sum()} purchases share their time with the one before of the same household; "
            "they are taken in the order of the file."
        )
    stated = None if rows.options.ordered is None else rows.options.ordered == "yes"
    if stated is None and not rows.columns.order and tied.sum() > 0.5 * (np.diff(panel.hh) == 0).sum():
        panel.ordered, sentences = False, [f"So many share their time that the order is not known. {REFUSED}"]
    else:
        by_date = found is not None and (found.dates or is_calendar(rows.columns.time))
        trusted = by_date and tied.sum() < 0.1 * len(tied)
        panel.ordered, sentences = trust_order(panel.hh, panel.y, len(panel.brands), stated, trusted)
    panel.provider = looks_like_provider(panel, rows)
    panel.warnings += sentences if not rows.columns.one_firm else []
    panel.warnings += who_is_missing(panel)
    return panel
