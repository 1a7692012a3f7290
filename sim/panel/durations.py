"""Reads how long spells last, where a file tells that instead of their end."""

import re

import numpy as np

from sim.panel import vocabulary
from sim.panel.dates import YEAR_MONTH, YEAR_QUARTER
from sim.panel.row_set import Rows
from sim.panel.row_times import spell_dates
from sim.panel.values import read_numbers

UNITS = {  # -> (months, days)
    r"days?|d|tage?n?|dagen|jours?|dias?|giorni": (0, 1),
    r"weeks?|wks?|w|wochen?|weken|semaines?|semanas?|settimane": (0, 7),
    r"months?|mos?|mths?|m|mon|monat(?:en?)?|maanden|mois|mes(?:es)?|mesi": (1, 0),
    r"years?|yrs?|y|j|jahr(?:en?)?|jaren|ans|anos?|anni": (12, 0),
}
PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\W\d]+)[.,]?\s*")
MONTH = 365.25 / 12


def durations(name: str, texts: list[str]) -> np.ndarray:
    """[len(texts), 2] months and days that these last; nan where it is not known in what they are told.

    The unit is in the name of the column, or in its cells.

    >>> durations("tenure_weeks", ["2"]).tolist(), durations("duration", ["1 year 3 months", "7"]).tolist()
    ([[0.0, 14.0]], [[15.0, 0.0], [nan, nan]])
    """
    match = re.fullmatch(vocabulary.DURATION[0], vocabulary.normalized(name))
    unit = _unit(match[1] or "") if match else None
    if unit is not None:
        return read_numbers(texts)[:, None] * np.array(unit, float)
    return np.array([_in_words(text) for text in texts], float).reshape(-1, 2)


def _unit(word: str) -> tuple[int, int] | None:
    return next((unit for words, unit in UNITS.items() if re.fullmatch(words, vocabulary.normalized(word))), None)


def _in_words(text: str) -> tuple[float, float]:
    parts = [(float(m[1].replace(",", ".")), _unit(m[2])) for m in PART.finditer(text)]
    if not parts or PART.sub("", text).strip() or any(unit is None for _, unit in parts):
        return float("nan"), float("nan")
    return tuple(sum(n * unit[k] for n, unit in parts if unit) for k in range(2))  # type: ignore[return-value]


def ends_after(rows: Rows, start: np.ndarray) -> np.ndarray:
    """[rows] the day on which each spell is over; nan where it is open, for its duration is empty."""
    name = rows.columns.duration
    codes, texts = rows.column(name)
    known = durations(name, texts)
    if texts and np.isnan(known).all():
        rows.wrong.append(
            f"{name}: is {texts[0]!r} in days, weeks, months or years? say so in its name, such as {name}_months"
        )
        return np.full(len(start), np.nan)
    lasts = np.r_[known, [[np.nan, np.nan]]][codes]
    rows.unreadable(np.isnan(lasts[:, 0]) & (codes >= 0), name, "is no duration")
    end = np.full(len(start), np.nan)
    some = np.isfinite(start) & np.isfinite(lasts[:, 0])
    day, months = start[some].astype("datetime64[D]"), np.floor(lasts[some, 0])
    first = day.astype("datetime64[M]")
    after = (first + months.astype(np.int64)).astype("datetime64[D]") + (day - first.astype("datetime64[D]"))
    end[some] = after.astype(float) + MONTH * (lasts[some, 0] - months) + lasts[some, 1]
    return end


def next_starts(rows: Rows, start: np.ndarray) -> np.ndarray:
    """[rows] when the next spell of the same customer begins; nan for the last."""
    who = rows.column(rows.columns.customer)[0]
    at = np.flatnonzero(np.isfinite(start) & rows.keep & (who >= 0))
    at = at[np.lexsort((start[at], who[at]))]
    follows = who[at][1:] == who[at][:-1]
    end = np.full(len(start), np.nan)
    end[at[:-1][follows]] = start[at[1:]][follows]
    return end


def ends_of_spells(rows: Rows, start: np.ndarray) -> np.ndarray:
    """[rows] the day on which each spell is over; a last month, quarter or year is a part of it.

    Unless most spells begin in the month or year in which the one before ends.
    """
    codes, texts = rows.column(rows.columns.end)
    end = spell_dates(rows, rows.columns.end)
    length = np.array([_months_in(t) for t in texts] + [0], np.int64)[codes]
    then = next_starts(rows, start)
    known = np.isfinite(end) & np.isfinite(then)
    if not length.any() or (then == end)[known].mean() > 0.5:
        return end
    part = np.isfinite(end) & (length > 0)
    month = end[part].astype("datetime64[D]").astype("datetime64[M]") + length[part]
    end[part] = month.astype("datetime64[D]").astype(float)
    return end


def _months_in(text: str) -> int:
    """How many months 2021, 2021-Q1 and 2021-01 are; 0 for a day."""
    forms = ((12, r"(?:19|20)\d\d"), (3, YEAR_QUARTER.pattern), (1, YEAR_MONTH.pattern))
    return next((months for months, form in forms if re.fullmatch(form, text, re.IGNORECASE)), 0)
