"""The options of a panel: panel.NAME=VALUE on the command line, keywords in Python."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sim.model.declare import did_you_mean
from sim.panel.types import PanelError

ALIASES = {"household": "customer", "from": "start", "to": "end", "date": "time"}
CHOICES = {
    "dates": ("dmy", "mdy", "ymd"),
    "lines": ("merge", "keep"),
    "ordered": ("yes", "no"),
    "provider": ("yes", "no"),
    "decimal": ("point", "comma"),
    "header": ("yes", "no"),
    "empty": ("above", "guest"),
}
LISTS = ("filter", "bought", "none")
NUMBERS = ("top", "size")
MEANING = {
    "customer": "column of who buys (a name, or its number); so too time, brand, quantity, price, status, "
    "weight, order",
    "dates": "dmy, mdy or ymd: the order of day, month and year",
    "filter": "COLUMN=VALUE[,VALUE], COLUMN!=VALUE: only such rows; more than one are separated by ;",
    "start": "panel.from=DATE: only purchases from then on",
    "end": "panel.to=DATE: only purchases up to then",
    "top": "keep so many brands, the largest; the others are pooled",
    "size": "households of the panel, with those who bought nothing",
    "split": "DATE: figures before it and from it on",
    "segment": "a column: figures for each of its values",
    "period": "week, month, quarter, year or a number of days: figures for each",
    "bought": "the values of the column of status that mean a purchase",
    "none": "the values of the column of brands that mean that nothing was bought",
    "lines": "keep: every line is a purchase, even of one brand by one household at one time",
    "ordered": "your word on whether the rows are in the order of purchase",
    "provider": "yes: customers have one provider at a time, as of a bank; no: they buy",
    "sheet": "of a workbook",
    "decimal": "point or comma",
    "header": "no: the first line is a purchase, and columns are named by number",
    "encoding": "of a text file that is not UTF-8, such as cp1251, gb18030 or shift_jis",
    "empty": "above: a row without a customer is of the one above; guest: it is of nobody known",
    "out": "folder to write to; default outputs/DATE/TIME",
}


@dataclass(frozen=True)
class Options:
    """See MEANING; a column named `none` is not used even if the file seems to have it."""

    customer: str | None = None
    time: str | None = None
    brand: str | None = None
    quantity: str | None = None
    price: str | None = None
    status: str | None = None
    weight: str | None = None
    order: str | None = None
    segment: str | None = None
    dates: str | None = None
    filter: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    top: int | None = None
    size: int | None = None
    split: str | None = None
    period: str | None = None
    bought: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    lines: str = "merge"
    ordered: str | None = None
    provider: str | None = None
    sheet: str | None = None
    decimal: str | None = None
    header: str | None = None
    encoding: str | None = None
    empty: str | None = None
    out: str | None = None

    def named(self, role: str) -> str | None:
        """The column that the user names for a role; None where it is to be found."""
        return getattr(self, role)


KNOWN = [f.name for f in fields(Options)]
SHOWN_NAMES = [next((a for a, n in ALIASES.items() if n == name and name in ("start", "end")), name) for name in KNOWN]


def parse(arguments: Sequence[str]) -> Options:
    """Options from panel.NAME=VALUE (or NAME=VALUE); PanelError lists all that is wrong with them."""
    values: dict[str, Any] = {}
    filters: list[str] = []
    wrong: list[str] = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        name = key.removeprefix("panel.")
        name = ALIASES.get(name, name)
        if not equals or (name not in KNOWN and not key.startswith("panel.")):
            wrong.append(f"{argument}: a panel is measured as it is; give panel=FILE and panel.NAME=VALUE")
        elif name not in KNOWN:
            wrong.append(f"{key}: unknown{did_you_mean(name, SHOWN_NAMES)}")
        elif not value.strip():
            wrong.append(f"{key}: has no value; {MEANING.get(name, 'the name of a column')}")
        elif name == "filter":
            filters += [part for part in value.split(";") if part.strip()]
        elif name in values:
            wrong.append(f"{key}: given twice")
        else:
            values[name] = _value(key, name, value.strip(), wrong)
    if wrong:
        raise PanelError(wrong)
    return Options(filter=tuple(filters), **values)


def _value(key: str, name: str, value: str, wrong: list[str]) -> object:
    if name in LISTS:
        return tuple(part.strip() for part in value.split(","))
    if name in NUMBERS:
        if not value.isdecimal() or int(value) < 1:
            wrong.append(f"{key}: {value!r} is not a whole number from 1 on; {MEANING[name]}")
            return None
        return int(value)
    if name == "encoding" and not _is_encoding(value):
        wrong.append(f"{key}: {value!r} is not known; {MEANING[name]}")
    if name in CHOICES and value.lower() not in CHOICES[name]:
        wrong.append(f"{key}: {value!r} is not known{did_you_mean(value, CHOICES[name])}")
    return value.lower() if name in CHOICES else value


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False


def options_from(options: Options | None = None, **named: object) -> Options:
    """Options from Python's keywords, whose values may be numbers, truths and lists; `options` gives all at once.

    >>> options_from(top=3, ordered=True).ordered
    'yes'
    """
    if options is not None:
        return options
    texts = {True: "yes", False: "no"}
    arguments = []
    for name, value in named.items():
        if value is not None:
            text = texts[value] if isinstance(value, bool) else value
            joined = (";" if name == "filter" else ",").join(map(str, text)) if isinstance(text, list | tuple) else text
            arguments.append(f"panel.{name}={joined}")
    return parse(arguments)
