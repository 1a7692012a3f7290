"""When each row of a file happened."""

from typing import NamedTuple

import numpy as np

import sim.panel.vocabulary as words
from sim.panel.dates import Times, a_date, read_times, times_of_day
from sim.panel.rows import Rows
from sim.panel.values import read_numbers

OPEN_END = {
    "",
    "9999-12-31",
    "31/12/9999",
    "12/31/9999",
    "2999-12-31",
    "now",
    "today",
    "current",
    "present",
    "open",
    "heute",
    "nu",
}


class When(NamedTuple):
    """The time of each row, nan where unreadable: days since 1970 where `dates`, else numbers as in the file."""

    values: np.ndarray  # [rows]
    dates: bool


def times(rows: Rows) -> When | None:
    """The times of the rows; None where the file has none. Rows without a readable time are left out."""
    columns = rows.columns
    if columns.parts:
        found = _from_parts(rows)
    elif columns.time:
        found = _of_column(rows, columns.time)
        if columns.clock:
            codes, texts = rows.column(columns.clock)
            found = found._replace(values=found.values + np.nan_to_num(np.append(times_of_day(texts), 0.0)[codes]))
    elif columns.choice_set:
        found = _of_column(rows, columns.choice_set)
    else:
        return None
    name = columns.time or columns.choice_set
    empty = rows.column(name)[0] < 0
    many, of = int((empty & rows.keep).sum()), int(rows.keep.sum())
    if many > of / 2:
        rows.wrong.append(
            f"{name}: is empty in {many} of {of} rows; panel.time=COLUMN names another, panel.time=none uses none"
        )
    rows.drop(empty, f"no time ({name} is empty)")
    rows.unreadable(~np.isfinite(found.values), name, "is neither a number nor a date")
    found = _between(rows, found)
    known = found.values[rows.keep]
    if found.dates and len(known):
        rows.notes.append(f"{name} is read as dates, {shown(known.min())} to {shown(known.max())}.")
    return found


def shown(day: float) -> str:
    """A number of days since 1970 as a date."""
    return str(np.datetime64(int(np.floor(day)), "D"))


def _of_column(rows: Rows, name: str) -> When:
    codes, texts = rows.column(name)
    weight = np.bincount(codes[rows.keep & (codes >= 0)], minlength=len(texts))
    found: Times = read_times(
        texts, weight, rows.options.dates, words.plain(name) not in ("t", "week", "day", "period")
    )
    if found.question:
        rows.wrong.append(f"{name}: {found.question}")
    return When(np.append(found.values, np.nan)[codes], found.dates)


def _from_parts(rows: Rows) -> When:
    """Dates from columns of year and month (and day), or year and week or quarter."""
    numbers = []
    for name in rows.columns.parts:
        codes, texts = rows.column(name)
        numbers.append(np.append(read_numbers(texts), np.nan)[codes])
    year, part = numbers[:2]
    kind = words.plain(rows.columns.parts[1])
    if kind in words.MOMENTS[3]:
        start = _new_year(year, 4)
        return When(start - (start + 3) % 7 + 7 * (part - 1), True)
    month = 3 * part - 2 if kind in words.MOMENTS[6] else part
    months = np.where(np.isfinite(year + month), (year - 1970) * 12 + month - 1, np.iinfo(np.int32).min)
    days = months.astype(np.int64).astype("datetime64[M]").astype("datetime64[D]").astype(float)
    days = np.where(np.isfinite(year + month), days, np.nan)
    return When(days + (numbers[2] - 1 if len(numbers) > 2 else 0), True)


def _new_year(year: np.ndarray, day: int) -> np.ndarray:
    years = np.where(np.isfinite(year), year - 1970, -400).astype(np.int64).astype("datetime64[Y]")
    return np.where(np.isfinite(year), years.astype("datetime64[D]").astype(float) + day - 1, np.nan)


def _between(rows: Rows, found: When) -> When:
    """Leave out what is before panel.from or after panel.to."""
    first, last = limit(rows, "from", rows.options.start, found), limit(rows, "to", rows.options.end, found)
    if first is not None:
        rows.drop(found.values < first, f"before {rows.options.start}")
    if last is not None:
        whole_day = found.dates and last % 1 == 0
        rows.drop(found.values >= last + 1 if whole_day else found.values > last, f"after {rows.options.end}")
    return found


def limit(rows: Rows, name: str, given: str | None, found: When) -> float | None:
    """The time that the user writes, in the units of the file."""
    if given is None:
        return None
    value = a_date(given)
    is_date = not given.replace(".", "", 1).isdecimal() or len(given) == 8
    if np.isnan(value):
        rows.wrong.append(f"panel.{name}: {given!r} is neither a number nor a date such as 2024-12-31")
        return None
    if is_date != found.dates:
        what = "dates, such as 2024-12-31" if found.dates else "numbers"
        rows.wrong.append(f"panel.{name}: {given!r}, but {rows.columns.time} holds {what}")
        return None
    return value


def one_column(rows: Rows, name: str) -> np.ndarray:
    """[rows] dates of the beginning or the end of a spell; nan where it is empty or open."""
    codes, texts = rows.column(name)
    closed = [t.lower()[:10] not in OPEN_END for t in texts]
    known = [t for t, c in zip(texts, closed, strict=True) if c]
    weight = np.bincount(codes[codes >= 0], minlength=len(texts))[np.array(closed, bool)]
    found = read_times(known, weight, rows.options.dates, True) if known else Times(np.zeros(0), True)
    if found.question:
        rows.wrong.append(f"{name}: {found.question}")
    values = np.full(len(texts) + 1, np.nan)
    values[np.flatnonzero(closed)] = found.values
    bad = np.append(np.array(closed, bool) & np.isnan(values[:-1]), False)[codes]
    rows.unreadable(bad, name, "is neither a number nor a date")
    return values[codes]
