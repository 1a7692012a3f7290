"""Reads text as times, in one way for a whole column: numbers, dates of any order of day and month, months, weeks.

Whether the day or the month comes first is decided over all values; where both would do, the user is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.panel.date_texts import MONTHS, plain_date

ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}  # places of year, month, day
ZONE = r"(?:UTC|GMT)?(Z|[A-Z]{3,4}|[+-]\d{2}:?\d{2})?(?: ?\([^)]*\))?"
CLOCK = (
    rf"(?:(?:[T\s,]+|(?<=\d{{4}}):)(\d{{1,2}})(?:[:.hH](\d{{2}}))?(?:[:.](\d{{2}})(?:[.,]\d+)?)?"
    rf"\s*([AaPp]\.?[Mm]\.?)?(?:\s*(?:Uhr|uur))?)?\s*{ZONE}"
)
TRIPLE = re.compile(
    rf"(?:[A-Za-zÀ-ÿ]{{2,10}}\.?,?\s+)?(\d{{1,4}})\s*[-/. ]\s*(\d{{1,2}})\s*[-/. ]\s*(\d{{1,4}})\.?{CLOCK}"
)
WORDS = re.compile(
    rf"(\d{{1,4}})?(?:st|nd|rd|th|\.)?[\s\-/]*(?:de\s+)?([^\W\d_]{{3,12}})\.?[\s\-/,]*(?:de\s+)?(\d{{1,4}})(?:st|nd|rd|th)?(?:[\s\-/,]+(\d{{4}}|\d\d))?{CLOCK}"
)
DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?(?:[.,]\d+)?Z?)?")
DAY_OF_YEAR = re.compile(r"((?:19|20)\d\d)[-/. ]?([0-3]\d\d)")
YEAR_MONTH = re.compile(r"(?:(\d{4})[-/. ]?[Mm]?(\d{1,2})|(\d{1,2})[-/. ](\d{4}))")
WEEK = r"(?:w|kw|week|wk|s|sem|semaine|woche|semana|settimana)"
QUARTER = r"(?:q|t|k|quarter|quartal|kwartaal|trimestre)"
YEAR_PART = (
    r"(\d{4})[-/. ]*__[-. ]?(\d{1,2})(?:-\d)?|__[-. ]?(\d{1,2})[-/. ,']+(\d{4}|\d\d)|"
    r"(\d{1,2})\.? ?__[-/. ]*(\d{4}|\d\d)"
)
YEAR_WEEK, YEAR_QUARTER = (re.compile(YEAR_PART.replace("__", word), re.IGNORECASE) for word in (WEEK, QUARTER))
COUNTED = re.compile(r"([^\W\d]+)[\s_\-.#]*(\d+)")  # week 3, W03, wave 2
TIME_OF_DAY = re.compile(r"([01]?\d|2[0-4])[:h.]?([0-5]\d)(?:[:.]?([0-5]\d)(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
NAN = float("nan")
OFFSET = re.compile(r":\d\d(?:[.,]\d+)? ?(?:UTC|GMT)?([+-])(\d\d):?(\d\d)(?: ?\([^)]*\))?$")  # from UTC, of a clock
MIXED = 0.8  # of the dates must be read in one way
DAY = 86_400.0
Date = tuple[int, int, int, float]  # year, month, day, part of the day


@dataclass
class Times:
    """Of every text, its time: a number, or days since 1970-01-01 where they are dates; nan where it is neither."""

    values: np.ndarray
    dates: bool
    reading: str = ""  # how they were read
    question: str = ""  # what the user must answer first
    by_month: bool = False  # whether only the month is known


def read_times(texts: list[str], weight: np.ndarray, order: str | None = None, dated: bool = False) -> Times:
    """The times of the distinct texts of a column, `weight` how many rows have each.

    `order` is dmy, mdy or ymd where the user says so; `dated`: whether the column's name speaks of a date, so that
    numbers may be serial dates of Excel or seconds since 1970.
    """
    texts = [plain_date(t) for t in texts]
    numbers = np.array([_number(t) for t in texts])
    share = float(weight[np.isfinite(numbers)].sum() / max(weight.sum(), 1))
    if share > 0.5:
        return _numbers(texts, numbers, weight, order, dated)
    forms = [
        _unambiguous_dates(texts),
        _numeric_dates(texts, weight, order),
        _calendar_periods(texts),
        _numbered_periods(texts),
    ]
    best = max(forms, key=lambda f: float(weight[np.isfinite(f.values)].sum()))
    if best.dates and not best.by_month and not best.question:  # one column may mix them
        for other in forms[:2]:
            if other.dates and not other.question:
                best.values = np.where(np.isfinite(best.values), best.values, other.values)
        best.values = best.values + _local(texts)
    return best


def _local(texts: list[str]) -> np.ndarray:
    """[len(texts)] days from UTC to where the clock of each was read; of several zones to the commonest of them."""
    matches = [OFFSET.search(t) for t in texts]
    hours = np.array([float(f"{m[1]}{int(m[2]) + int(m[3]) / 60}") if m else 0.0 for m in matches])
    if np.ptp(hours) > 1 if len(hours) else False:  # more than summer time
        zones, many = np.unique(hours, return_counts=True)
        hours[:] = zones[many.argmax()]
    return hours / 24


def _number(text: str) -> float:
    try:
        value = float(text.replace(",", ".")) if text.count(",") == 1 and "." not in text else float(text)
    except ValueError:
        return NAN
    return value if np.isfinite(value) else NAN


def _numbers(texts: list[str], numbers: np.ndarray, weight: np.ndarray, order: str | None, dated: bool) -> Times:
    """Numbers as they are, unless they are dates in disguise."""
    known = numbers[np.isfinite(numbers)]
    whole = bool((known % 1 == 0).all())
    low, high = known.min(), known.max()
    if whole and any(low >= 19_000_101 * clock and high < 21_001_232 * clock for clock in (1, 10**4, 10**6)):
        found = _unambiguous_dates([str(int(v)) if np.isfinite(v) else t for t, v in zip(texts, numbers, strict=True)])
        if float(weight[np.isfinite(found.values)].sum()) > 0.9 * weight.sum():
            return found
    if whole and dated and low >= 190_001 and high <= 210_012 and ((known % 100 >= 1) & (known % 100 <= 12)).all():
        return _calendar_periods([str(int(v)) if np.isfinite(v) else "" for v in numbers])
    if (
        whole
        and dated
        and low >= 1_900_001
        and high <= 2_100_366
        and ((known % 1000 >= 1) & (known % 1000 <= 366)).all()
    ):
        return _unambiguous_dates([str(int(v)) if np.isfinite(v) else "" for v in numbers])
    for unit, name in ((1, "seconds"), (1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds")):
        if dated and low >= 8e8 * unit and high < 4.2e9 * unit:
            return Times(numbers / DAY / unit, True, f"{name} since 1970")
    if dated and low >= 30_000 and high <= 60_000:
        return Times(numbers - 25_569, True, "serial dates of a spreadsheet")
    if dated and whole and (together := _run_together(numbers, weight, order)) is not None:
        return together
    return Times(numbers, False, "numbers")


def _run_together(numbers: np.ndarray, weight: np.ndarray, order: str | None) -> Times | None:
    """Times of 31012024, 240131 and their like, where nearly all are such dates."""
    known = np.isfinite(numbers)
    digits = 6 if numbers[known].max() < 10**6 else 8
    if numbers[known].min() < 10 ** (digits - 2) or numbers[known].max() >= 10**digits:
        return None
    texts = [f"{int(v):0{digits}d}" if k else "" for v, k in zip(numbers, known, strict=True)]
    found = _numeric_dates([f"{t[:2]}-{t[2:4]}-{t[4:]}" for t in texts], weight, order)
    return found if weight[np.isfinite(found.values)].sum() > 0.9 * weight.sum() else None


def _unambiguous_dates(texts: list[str]) -> Times:
    """Dates with one reading: 20240131 and names of months."""
    parts = [_eight_digits(t) or _with_month_name(t) or _day_of_year(t) for t in texts]
    return Times(_days(parts), True, "dates")


def _eight_digits(text: str) -> Date | None:
    match = DIGITS.fullmatch(text)
    return (
        (int(match[1]), int(match[2]), int(match[3]), _part_of_day(match[4], match[5], match[6], None, None))
        if match
        else None
    )


def _day_of_year(text: str) -> Date | None:
    """2023-020 is January 20."""
    match = DAY_OF_YEAR.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 366:
        return None
    day = np.datetime64(match[1], "D") + int(match[2]) - 1
    year, month, of_month = map(int, str(day).split("-"))
    return (year, month, of_month, 0.0) if year == int(match[1]) else None


def _with_month_name(text: str) -> Date | None:
    match = WORDS.fullmatch(text)
    month = MONTHS.get(match[2].lower()) if match else None
    if match is None or month is None:
        text = re.sub(r"^[A-Za-z]{2,10}[.,]?\s+(?=\S+\s+\S+\s)", "", text)  # the day of the week
        match = WORDS.fullmatch(text)
        month = MONTHS.get(match[2].lower()) if match else None
    if match is None or month is None:
        return None
    before, after, last = match[1], match[3], match[4]
    if last:
        year, day = _year(int(last), len(last)), int(after if before is None else before)
    elif before is None:  # Jan 2021, Jan-21
        year, day = (_year(int(after), len(after)), 1) if len(after) in (2, 4) else (0, 0)
    elif len(before) == 4:
        year, day = int(before), int(after)
    else:
        year, day = _year(int(after), len(after)), int(before)
    return (year, month, day, _part_of_day(*match.groups()[4:9])) if year else None


def _year(year: int, digits: int) -> int:
    return year if digits > 2 else year + (2000 if year < 70 else 1900)


def _part_of_day(hour: str | None, minute: str | None, second: str | None, half: str | None, zone: str | None) -> float:
    """Part of the day, UTC."""
    if hour is None:
        return 0.0
    h = int(hour) % 12 + 12 * (half[0] in "pP") if half else int(hour)
    at = h * 3600 + int(minute or 0) * 60 + int(second or 0)
    if zone and zone[0] in "+-":
        shift = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        at -= shift if zone[0] == "+" else -shift
    return at / DAY


def _days(parts: Sequence[Date | None]) -> np.ndarray:
    """Days since 1970 of (year, month, day, part of day); nan where there is no such day."""
    known = [p is not None and 1000 <= p[0] <= 2999 and 1 <= p[1] <= 12 and 1 <= p[2] <= 31 for p in parts]
    result = np.full(len(parts), NAN)
    some = np.array([p for p, k in zip(parts, known, strict=True) if k], float).reshape(-1, 4)
    months = ((some[:, 0] - 1970) * 12 + some[:, 1] - 1).astype(np.int64).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    length = (months + 1).astype("datetime64[D]").astype(np.int64) - first
    result[np.array(known, bool)] = np.where(some[:, 2] <= length, first + some[:, 2] - 1 + some[:, 3], NAN)
    return result


def _numeric_dates(texts: list[str], weight: np.ndarray, order: str | None) -> Times:
    matches = [TRIPLE.fullmatch(t) for t in texts]
    readings = {name: _days([_date_parts(m, places) for m in matches]) for name, places in ORDERS.items()}
    if order is not None:
        return Times(readings[order], True, f"dates, {order}")
    read = {name: float(weight[np.isfinite(v)].sum()) for name, v in readings.items()}
    any_way = float(weight[np.any([np.isfinite(v) for v in readings.values()], axis=0)].sum())
    if max(read.values()) < MIXED * any_way:
        either = np.where(np.isfinite(readings["dmy"]), readings["dmy"], readings["mdy"])
        return Times(either, True, question=_mixed(texts, readings, read))
    best = max(read, key=lambda name: read[name])
    rivals = [n for n in read if n != best and read[n] == read[best] and _differ(readings[n], readings[best])]
    if any("/" in t for t in texts):  # 21/01/03 does not mean January 3, 2021 anywhere
        rivals = [n for n in rivals if n != "ymd"]
    if {best, *rivals} == {"dmy", "ymd"}:  # days of the month take more values than years
        first, last = (len({m[g] for m in matches if m}) for g in (1, 3))
        best = "dmy" if first > last else "ymd"
        rivals = rivals if max(first, last) < 2 * min(first, last) else []
    if not rivals or read[best] == 0:
        one_way = all(_same(readings[n], readings[best]) for n in readings)
        return Times(readings[best], True, "dates" if one_way else f"dates, {best}")
    if "dmy" in (best, *rivals) and all(m is None or "." in m[0][:6] for m in matches):
        return Times(readings["dmy"], True, "dates, dmy")  # dates with points put the day first
    example = next(t for t, a, b in zip(texts, readings[best], readings[rivals[0]], strict=True) if a != b and a == a)
    shown = ", ".join(f"panel.dates={n} ({date_text(readings[n][texts.index(example)])})" for n in (best, *rivals))
    return Times(readings[best], True, question=f"{example!r} can be read in more than one way; say which: {shown}")


def _mixed(texts: list[str], readings: dict[str, np.ndarray], read: dict[str, float]) -> str:
    """A question about a column in which some dates have the day first and others the month."""
    ways = sorted(read, key=lambda name: -read[name])[:2]
    shown = [next(t for t, v in zip(texts, readings[n], strict=True) if np.isfinite(v)) for n in ways]
    advice = " or ".join(f"panel.dates={n} ({read[n]:.0f} rows)" for n in ways)
    return (
        f"{shown[0]!r} and {shown[1]!r} put the day in different places; write them in one way, or read only {advice}"
    )


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one[np.isfinite(one)] != other[np.isfinite(one)]).any())


def date_text(day: float) -> str:
    """A number of days since 1970-01-01 as a date.

    >>> date_text(19_722.5)
    '2023-12-31'
    """
    return str(np.datetime64(int(np.floor(day)), "D"))


def _date_parts(match: re.Match[str] | None, places: tuple[int, int, int]) -> Date | None:
    """(year, month, day, part of day) of a match, if years have 4 digits or 2."""
    if match is None:
        return None
    parts = match.groups()[:3]
    year, month, day = parts if len(parts[0]) == 4 else (parts[p] for p in places)
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return None
    return (_year(int(year), len(year)), int(month), int(day), _part_of_day(*match.groups()[3:8]))


def _calendar_periods(texts: list[str]) -> Times:
    """2024-01, 01/2024, 202401, 2024-W05, 2024-Q1: the day on which it begins."""
    values = np.full(len(texts), NAN)
    for i, text in enumerate(texts):
        month, week, quarter = YEAR_MONTH.fullmatch(text), YEAR_WEEK.fullmatch(text), YEAR_QUARTER.fullmatch(text)
        if month:
            year, number = (int(month[1]), int(month[2])) if month[1] else (int(month[4]), int(month[3]))
            values[i] = _days([(year, number, 1, 0.0)])[0]
        elif quarter and 1 <= _year_and_part(quarter)[1] <= 4:
            year, number = _year_and_part(quarter)
            values[i] = _days([(year, 3 * number - 2, 1, 0.0)])[0]
        elif week and 1 <= _year_and_part(week)[1] <= 53:
            year, number = _year_and_part(week)
            start = _days([(year, 1, 4, 0.0)])[0]  # the week with January 4 is the first (ISO 8601)
            values[i] = start - (start + 3) % 7 + 7 * (number - 1)
    return Times(values, True, "months, weeks or quarters", by_month=True)


def _year_and_part(match: re.Match[str]) -> tuple[int, int]:
    """Year and number of a week or quarter, whichever is written first."""
    year, part = next((a, b) for a, b in ((match[1], match[2]), (match[4], match[3]), (match[6], match[5])) if a)
    return _year(int(year), len(year)), int(part)


def _numbered_periods(texts: list[str]) -> Times:
    matches = [COUNTED.fullmatch(t) for t in texts]
    months = [float(MONTHS.get(t.lower(), NAN)) for t in texts]
    if np.isfinite(months).any():
        return Times(np.array(months), False, "months of one year")
    values = [float(m[2]) if m and m[1].lower() not in MONTHS else NAN for m in matches]
    return Times(np.array(values), False, "numbers")


def numbers_or_months(texts: list[str]) -> np.ndarray:
    """[len(texts)] numbers; those of months where a text names one; nan for others.

    >>> numbers_or_months(["3", "März", "x"])
    array([ 3.,  3., nan])
    """
    return np.array([float(MONTHS.get(plain_date(t).lower().rstrip("."), _number(t))) for t in texts])


def times_of_day(texts: list[str]) -> np.ndarray:
    """Part of the day of texts such as 17:05 or 5:05 PM; nan for others."""
    matches = [TIME_OF_DAY.fullmatch(t) for t in texts]
    return np.array([_part_of_day(m[1], m[2], m[3], m[4], None) if m else NAN for m in matches])


def parse_date(text: str) -> float:
    """Days since 1970 of a date that the user writes, or a number; nan for neither."""
    found = read_times([text], np.ones(1), "ymd" if re.match(r"\d{4}\D", text) else None)
    return NAN if found.question else float(found.values[0])
