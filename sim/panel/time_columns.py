"""Finds the columns of time: of a moment, of parts of a date, of the start and end of a spell with a provider."""

import re

import numpy as np

from sim.panel import vocabulary
from sim.panel.column_finder import Columns, Finder, codes_of
from sim.panel.dates import numbers_or_months, read_times, times_of_day
from sim.panel.durations import durations
from sim.panel.values import read_numbers

SHORT = 15.0  # days


def find_times(finder: Finder, found: Columns) -> None:
    """The column of time, or those of the start and end of a spell, or of parts of a date."""
    if _is_spell(finder, found):
        return
    named_column = finder.named("time")
    if named_column is not None:
        found.time = named_column
        return
    hits = sorted(
        (rank, vocabulary.AFTER_PURCHASE.search(vocabulary.normalized(n)) is not None, i, n)
        for i, n in enumerate(finder.unused())
        if (rank := moment(n)) is not None
    )
    clocks = [
        n for n in finder.unused() if vocabulary.CLOCKS.fullmatch(vocabulary.normalized(n)) and _of_day(finder, n)
    ]
    clocks = clocks if any(n not in clocks for *_, n in hits) else []
    names = [n for *_, n in hits if n not in clocks]
    parts = _parts(finder, {n: rank for rank, *_, n in hits}, names)
    dated = _dated(finder, found.customer) if parts or not names else []
    if parts and not dated:
        found.parts, found.time = parts, parts[-1]
    elif names and not dated:
        found.time = finder.take(names[0])
        found.clock = finder.take(clocks[0]) if clocks else ""
    elif dated:
        found.time = finder.take(dated[0])
        finder.notes.append(f"The column {dated[0]} is taken for the time; panel.time=COLUMN says otherwise.")
    else:
        numbered = [n for n in finder.matching(vocabulary.ORDER) if counts_purchases(finder, found.customer, n)]
        found.time = finder.take(numbered[0] if numbered else "")
    if len(names) > 1 and found.time == names[0]:
        finder.notes.append(
            f"Time is taken from the column {names[0]}, not from {', '.join(names[1:])}; panel.time=COLUMN says "
            f"otherwise."
        )


def _is_spell(finder: Finder, found: Columns) -> bool:
    """Whether there are columns of the start of a spell and of its end or length; they are taken."""
    starts, ends = finder.matching(vocabulary.START), finder.matching(vocabulary.END)
    provider = bool(found.brand) and finder.called(found.brand, (vocabulary.PROVIDER,))
    bills = finder.matching(vocabulary.ORDER)  # of a month, not of a spell
    if provider and not bills and not any(len(finder.texts(n)) > 1 for n in finder.matching(vocabulary.QUANTITY)):
        starts = starts or _begun(finder)
        ends = ends or sorted(finder.matching(vocabulary.OVER), key=lambda n: "cancel" in n.lower())[:1]
    if finder.options.time is None and len(starts) == len(ends) == 1 and _lasts_days(finder, starts[0], ends[0]):
        finder.notes.append(f"{starts[0]} to {ends[0]} is short: a row is a use, not a time with a provider.")
        found.time = finder.take(starts[0])
        finder.take(ends[0])
        return True
    if finder.options.time is None and len(starts) == len(ends) == 1:
        found.start, found.end = finder.take(starts[0]), finder.take(ends[0])
        return True
    lasting = [n for n in finder.matching(vocabulary.DURATION) if provider or _with_unit(finder, n)]
    if finder.options.time is None and len(starts) == len(lasting) == 1 and not ends and found.brand:
        found.start, found.duration = finder.take(starts[0]), finder.take(lasting[0])
        return True
    others = [n for n in finder.unused() if n not in starts and moment(n) is not None]
    if finder.options.time is None and provider and len(starts) == 1 and not (ends or lasting or others or bills):
        found.start = finder.take(starts[0]) if is_of_dates(finder, starts[0]) else ""
    return bool(found.start)


def _lasts_days(finder: Finder, start: str, end: str) -> bool:
    """Whether most rows begin and end within SHORT days, as rides and stays do."""
    times = []
    for name in (start, end):
        codes, texts = codes_of(finder.table, name)
        found = read_times(texts, np.ones(len(texts)), finder.options.dates, True)
        if found.question or not found.dates:
            return False
        times.append(np.append(found.values, np.nan)[codes])
    length = (times[1] - times[0])[np.isfinite(times[1] - times[0])]
    return len(length) > 0 and float(np.median(length)) < SHORT


def _begun(finder: Finder) -> list[str]:
    """Columns of when a spell was begun; that it was created only where it was not activated too."""
    hits = finder.matching(vocabulary.BEGUN)
    return [n for n in hits if "creat" not in n.lower()] or hits


def _with_unit(finder: Finder, name: str) -> bool:
    """Whether a duration says what it is in: days, weeks, months or years."""
    return bool(np.isfinite(durations(name, finder.texts(name))).any())


def counts_purchases(finder: Finder, customer: str, name: str) -> bool:
    """Whether an order's number begins anew with every customer: 1, 2, 3, .."""
    who, names = codes_of(finder.table, customer) if customer else (np.zeros(0, np.int64), [])
    codes, texts = codes_of(finder.table, name)
    numbers = read_numbers(texts)
    if len(names) < 2 or not np.isfinite(numbers).all() or (who < 0).any() or (codes < 0).any():
        return False
    lowest, highest = np.full(len(names), np.inf), np.zeros(len(names))
    np.minimum.at(lowest, who, numbers[codes])
    np.maximum.at(highest, who, numbers[codes])
    return bool((lowest == 1).mean() > 0.9 and highest.max() > 1 and (highest <= np.bincount(who)).all())


def moment(name: str) -> int | None:
    """How fine a time a column of that name is, 0 the finest; None for what is no time of a purchase."""
    text = vocabulary.normalized(name)
    if vocabulary.NO_PURCHASE_TIME.search(text):
        return None
    for rank, word in vocabulary.MOMENT:
        if text == word and word not in ("at", "on", "an"):
            return rank
        if len(word) > 1 and re.fullmatch(f"{vocabulary.WHEN}*{word}{vocabulary.WHEN}*", text) and text != word:
            return rank
    return None


def _called_date(name: str) -> bool:
    """Whether a name ends as that of a moment: flight_date, played_at."""
    if vocabulary.NO_PURCHASE_TIME.search(vocabulary.normalized(name)):
        return False
    return (
        re.search(r"(?i:date|datum|fecha|data|dato|time|timestamp|_dt)$|[_ .-](at|on|ts)$|[a-z](At|On)$", name)
        is not None
    )


def _dated(finder: Finder, customer: str) -> list[str]:
    """Columns of dates that are called so; else the only one that has several dates for most customers."""
    dates = [n for n in finder.unused() if is_of_dates(finder, n)]
    if called := [n for n in dates if _called_date(n)]:
        return called
    others = [n for n in dates if not vocabulary.NO_PURCHASE_TIME.search(vocabulary.normalized(n))]
    if len(others) != 1 or not customer:
        return []
    rows, days = (codes_of(finder.table, n)[0] for n in (customer, others[0]))
    many = np.bincount(rows[rows >= 0])
    each = np.bincount(np.unique(np.column_stack([rows, days])[rows >= 0], axis=0)[:, 0], minlength=len(many))
    return others if (many > 1).any() and (each > 1)[many > 1].mean() > 0.5 else []


def is_of_dates(finder: Finder, name: str) -> bool:
    texts = finder.texts(name)
    found = read_times(texts, np.ones(len(texts)), finder.options.dates, True) if texts else None
    return found is not None and found.dates and float(np.isfinite(found.values).mean()) > 0.5


def _of_day(finder: Finder, name: str) -> bool:
    texts = finder.texts(name)
    return bool(texts) and float(np.isfinite(times_of_day(texts)).mean()) > 0.9


def _parts(finder: Finder, ranks: dict[str, int], names: list[str]) -> tuple[str, ...]:
    """Columns of year and month (and day), week or quarter, where the finest of them alone starts anew every year."""
    years = [n for n in names if ranks[n] == 7]
    of_year = [n for n in names if re.fullmatch(vocabulary.DAY_OF_YEAR, vocabulary.normalized(n))]
    if len(years) == len(of_year) == 1 and _at_most(finder, of_year[0], 366):
        return (years[0], of_year[0])
    finer = [n for n in names if ranks[n] in (2, 3, 5, 6) and _at_most(finder, n, 53)]
    if len(years) != 1 or not finer or ranks[names[0]] < 2:
        return ()
    by_rank = {ranks[n]: n for n in reversed(finer)}
    if 5 in by_rank:
        return (years[0], by_rank[5], *([by_rank[2]] if 2 in by_rank else []))
    return (years[0], by_rank[min(by_rank)]) if min(by_rank) > 2 else ()


def _at_most(finder: Finder, name: str, most: int) -> bool:
    numbers = numbers_or_months(finder.texts(name))
    return len(numbers) > 0 and bool(np.isfinite(numbers).all()) and numbers.min() >= 1 and numbers.max() <= most
