"""The time of each row of a file."""

import re
from typing import NamedTuple

import numpy as np

from sim.panel import vocabulary
from sim.panel.dates import Times, date_text, numbers_or_months, parse_date, read_times, times_of_day
from sim.panel.row_set import Rows
from sim.panel.types import Panel

FAR = r"(9999|2999|3000|2100|2099)"
OPEN_END = re.compile(
    rf"|{FAR}([-/.].*|1231)|.*[-/.]{FAR}( .*)?|now|today|current|present|open|ongoing|active|to date|-+|"
    r"offen|heute|bis heute|laufend|unbefristet|nu|heden|lopend|onbepaald|en cours|aujourd'hui|actuel|actual|"
    r"actualidad|vigente|hoy|atual|hoje|in corso|oggi|attuale",
    re.IGNORECASE,
)
STAND_INS = np.array(  # for dates that are not known
    ["1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01", "2099-12-31", "2100-01-01"], "datetime64[D]"
).astype(np.int64)
LONG_AGO, FAR_OFF = 3650.0, 30 * 365.25  # days
YEAR_FIRST = re.compile(r"(?P<year>(?:19|20)\d\d)[-/. ]*(?P<week>(?<=[-/. ])\d|\d\d)(?:\.0)?")
YEAR_LAST = re.compile(r"(?P<week>\d{1,2})[-/. ]+(?P<year>(?:19|20)\d\d)")
MOST_COMPARED = 2000  # texts of another column that may tell the order of day and month


class RowTimes(NamedTuple):
    """The time of each row, nan where unreadable: days since 1970 where `dates`, else numbers as in the file."""

    values: np.ndarray  # [rows]
    dates: bool


def times_of_rows(rows: Rows) -> RowTimes | None:
    """The times of the rows; None where the file has none. Rows without a readable time are left out."""
    columns = rows.columns
    if columns.parts:
        found = _from_parts(rows)
    elif columns.time:
        found = _times_of_column(rows, columns.time)
        if columns.clock:
            codes, texts = rows.column(columns.clock)
            found = found._replace(values=found.values + np.nan_to_num(np.append(times_of_day(texts), 0.0)[codes]))
    elif columns.choice_set:
        found = _times_of_column(rows, columns.choice_set)
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
    if found.dates:
        _drop_stand_ins(rows, name, found.values)
    elif rows.options.time is None:
        _ask_for_years(rows, name, found.values)
    found = _between(rows, found)
    known = found.values[rows.keep]
    if found.dates and len(known):
        rows.notes.append(f"{name} is read as dates, {date_text(known.min())} to {date_text(known.max())}.")
        far = np.abs(known - np.median(known)) > FAR_OFF
        if far.any():
            rows.notes.append(
                f"{far.sum()} rows are decades from the others, as {date_text(known[far][0])}; panel.from=DATE and "
                "panel.to=DATE leave them out."
            )
    return found


def times_as_written(rows: Rows, at: np.ndarray) -> np.ndarray | None:
    """[len(at)] the text of the time of some rows, or else of the order; None where the file has neither."""
    columns = rows.columns
    number = columns.order or columns.choice_set  # of the occasion, where no time tells it
    names = [*(columns.parts or (columns.time,)), columns.clock, *([] if columns.time else [number])]
    parts = [
        np.append(np.array(texts, object), "")[codes[at]] for codes, texts in map(rows.column, filter(None, names))
    ]
    return np.array([" ".join(cells) for cells in zip(*parts, strict=True)], object) if parts else None


def _times_of_column(rows: Rows, name: str) -> RowTimes:
    codes, texts = rows.column(name)
    weight = np.bincount(codes[rows.keep & (codes >= 0)], minlength=len(texts))
    dated = vocabulary.normalized(name) not in ("t", "week", "day", "period")
    if re.fullmatch(vocabulary.YEAR_WEEKS, vocabulary.normalized(name)):
        texts = [_as_week(t) for t in texts]
    found = _answered(rows, name, texts, weight, dated)
    return RowTimes(np.append(found.values, np.nan)[codes], found.dates)


def _as_week(text: str) -> str:
    """202405, 2024-05 and 05/2024 in a column of weeks are no months.

    >>> _as_week("202405.0"), _as_week("5/2024"), _as_week("2024-05-01")
    ('2024-W05', '2024-W5', '2024-05-01')
    """
    match = YEAR_FIRST.fullmatch(text) or YEAR_LAST.fullmatch(text)
    return f"{match['year']}-W{match['week']}" if match else text


def _answered(rows: Rows, name: str, texts: list[str], weight: np.ndarray, dated: bool) -> Times:
    """The times of a column; where day and month could be either, as the other columns of the file have them."""
    found = read_times(texts, weight, rows.options.dates, dated)
    if not found.question:
        return found
    for other in rows.table.names:
        others = [t for t in rows.column(other)[1][:MOST_COMPARED] if not OPEN_END.fullmatch(t)]
        if other != name and others:
            told = read_times(others, np.ones(len(others)))
            order = told.reading.removeprefix("dates, ")
            if order in ("dmy", "mdy") and np.isfinite(told.values).mean() > 0.9:
                rows.notes.append(f"{name} is read as {other}, which is {order}; panel.dates= says otherwise.")
                return read_times(texts, weight, order, dated)
    rows.wrong.append(f"{name}: {found.question}")
    return found


def _from_parts(rows: Rows) -> RowTimes:
    """Dates from columns of year and month (and day), or year and week or quarter."""
    numbers = []
    for name in rows.columns.parts:
        codes, texts = rows.column(name)
        numbers.append(np.append(numbers_or_months(texts), np.nan)[codes])
    year, part = numbers[:2]
    kind = vocabulary.normalized(rows.columns.parts[1])
    if kind in vocabulary.MOMENTS[3]:
        start = _day_of_year(year, 4)
        return RowTimes(start - (start + 3) % 7 + 7 * (part - 1), True)
    if re.fullmatch(vocabulary.DAY_OF_YEAR, kind):
        return RowTimes(_day_of_year(year, 1) + part - 1, True)
    month = 3 * part - 2 if kind in vocabulary.MOMENTS[6] else part
    months = np.where(np.isfinite(year + month), (year - 1970) * 12 + month - 1, np.iinfo(np.int32).min)
    days = months.astype(np.int64).astype("datetime64[M]").astype("datetime64[D]").astype(float)
    days = np.where(np.isfinite(year + month), days, np.nan)
    return RowTimes(days + (numbers[2] - 1 if len(numbers) > 2 else 0), True)


def _first_days(years: np.ndarray) -> np.ndarray:
    """The first days of years from 1900 to 2100; nan for other numbers."""
    return _day_of_year(np.where((years >= 1900) & (years <= 2100) & (years % 1 == 0), years, np.nan), 1)


def _day_of_year(year: np.ndarray, day: int) -> np.ndarray:
    years = np.where(np.isfinite(year), year - 1970, -400).astype(np.int64).astype("datetime64[Y]")
    return np.where(np.isfinite(year), years.astype("datetime64[D]").astype(float) + day - 1, np.nan)


def _ask_for_years(rows: Rows, name: str, numbers: np.ndarray) -> None:
    """Weeks or months that begin anew with 1 in the middle of a household's rows are of more than one year."""
    known = rows.keep & np.isfinite(numbers)
    last = next((v for v in (12, 52, 53) if known.any() and numbers[known].max() == v), 0)
    kind = vocabulary.normalized(name)
    if not last or numbers[known].min() < 1 or kind not in (*vocabulary.MOMENTS[3], *vocabulary.MOMENTS[5]):
        return
    who = rows.column(rows.columns.customer)[0]
    at = np.flatnonzero(known)[np.argsort(who[known], kind="stable")]
    steps = np.diff(numbers[at])[np.diff(who[at]) == 0]
    back = steps[steps < 0]
    if len(back) > 2 and (back < -last / 2).all():
        rows.wrong.append(
            f"{name}: begins anew after {last:.0f} in the rows of a household, as in a file of several years; "
            f"add a column of the year, or say panel.time=none, the order of the file, or panel.time={name}, one year"
        )


def _drop_stand_ins(rows: Rows, name: str, days: np.ndarray) -> None:
    """1900-01-01 and its like stand for dates that are not known, where no other is near."""
    known = days[rows.keep & np.isfinite(days)]
    others = known[~np.isin(np.floor(known), STAND_INS)]
    for day in STAND_INS if len(others) else ():
        if np.abs(others - day).min() > LONG_AGO:
            rows.drop(np.floor(days) == day, f"no time ({name} is {date_text(day)}, far from all others)")


def _between(rows: Rows, found: RowTimes) -> RowTimes:
    """Leave out what is before panel.from or after panel.to."""
    first, last = date_limit(rows, "from", rows.options.start, found), date_limit(rows, "to", rows.options.end, found)
    if first is not None:
        rows.drop(found.values < first, f"before {rows.options.start}")
    if last is not None:
        whole_day = found.dates and last % 1 == 0
        rows.drop(found.values >= last + 1 if whole_day else found.values > last, f"after {rows.options.end}")
    return found


def count_from_first_day(panel: Panel, found: RowTimes | None) -> None:
    """Dates as days since the first; without times, the number of each purchase of its household."""
    if found is None:
        panel.t = (np.arange(len(panel.hh)) - np.searchsorted(panel.hh, panel.hh)).astype(float)
    elif found.dates:
        first = np.floor(panel.t.min())
        panel.origin, panel.t = np.datetime64(int(first), "D"), panel.t - first


def date_limit(rows: Rows, name: str, text: str | None, found: RowTimes) -> float | None:
    """The time that the user writes, in the units of the file."""
    if text is None:
        return None
    value = parse_date(text)
    is_date = not text.replace(".", "", 1).isdecimal() or len(text) == 8
    if np.isnan(value):
        rows.wrong.append(f"panel.{name}: {text!r} is neither a number nor a date such as 2024-12-31")
        return None
    if is_date != found.dates:
        what = "dates, such as 2024-12-31" if found.dates else "numbers"
        rows.wrong.append(f"panel.{name}: {text!r}, but {rows.columns.time} holds {what}")
        return None
    return value


def spell_dates(rows: Rows, name: str) -> np.ndarray:
    """[rows] dates of the beginning or the end of a spell; nan where it is empty or open."""
    codes, texts = rows.column(name)
    closed = [not OPEN_END.fullmatch(t) for t in texts]
    known = [t for t, c in zip(texts, closed, strict=True) if c]
    weight = np.bincount(codes[codes >= 0], minlength=len(texts))[np.array(closed, bool)]
    found = _answered(rows, name, known, weight, True) if known else Times(np.zeros(0), True)
    values = np.full(len(texts) + 1, np.nan)
    values[np.flatnonzero(closed)] = found.values if found.dates else _first_days(found.values)
    if known and not found.dates and np.isnan(values).all():
        rows.wrong.append(
            f"{name}: {known[0]!r} is no date; the start and end of a spell are dates, such as 2024-12-31"
        )
        return values[codes]
    bad = np.append(np.array(closed, bool) & np.isnan(values[:-1]), False)[codes]
    rows.unreadable(bad, name, "is neither a number nor a date")
    return values[codes]
