"""Reads a log of switches, with a column of the provider that was left and one of the next, as spells."""

import re

import numpy as np

from sim.panel import vocabulary
from sim.panel.column_finder import Finder, codes_of
from sim.panel.columns import find_customer
from sim.panel.dates import read_times
from sim.panel.options import Options
from sim.panel.statuses import meaning
from sim.panel.table import Table, clean_codes
from sim.panel.time_columns import is_of_dates, moment
from sim.panel.types import PanelError

FIRM = rf"(?:{vocabulary.PROVIDER}|brand|firm|company|marke|merk|marque|marca)"
LEFT = (
    r"(?:from|old|former|previous|prev|prior|losing|donor|leaving|von|alter?|bisherigere?|oude?|vorige?|ancien(?:ne)?|"
    r"anterior|precedente|vecchi[oa])"
)
JOINED = (
    r"(?:to|new|next|gaining|recipient|receiving|joining|nach|zu|neuer?|nieuwe?|nouve(?:au|lle)|nuev[oa]|nov[oa]|"
    r"nuov[oa])"
)
MOST_OTHER = 0.1  # of the switches may begin elsewhere than the one before ended, or lead nowhere
NO_PART = (vocabulary.ORDER, vocabulary.START, vocabulary.END, vocabulary.BEGUN, vocabulary.OVER, vocabulary.STATUS)


def spells_of_switches(table: Table, options: Options) -> Table | None:
    """A row for each provider of a customer with the day from which on; None where the file is no log of switches.

    A customer's first provider is the one that the first switch leaves, from the first day of the log on.
    """
    finder = Finder(table, options)
    pair = [_called(finder, words) for words in (LEFT, JOINED)]
    if options.brand or options.time or not all(pair) or not _are_providers(finder, *pair):
        return None
    finder.taken += pair
    customer = find_customer(finder)
    dates = [n for n in finder.unused() if n != customer and is_of_dates(finder, n)]
    usual = [n for n in dates if moment(n) is not None] or dates
    if not customer or not usual:
        return None
    texts = finder.texts(usual[0])
    found = read_times(texts, np.ones(len(texts)), options.dates, True)
    if found.question:
        raise PanelError([f"{usual[0]}: {found.question}"])
    finder.taken += dates
    rest = [n for n in finder.unused() if not any(finder.called(n, names) for names in NO_PART)]
    kept, notes = _made(finder)
    day = np.append(found.values, np.nan)[codes_of(table, usual[0])[0]]
    notes.insert(
        0,
        f"{pair[0]} and {pair[1]} are read as providers, the second from {usual[0]} on, the first of a customer from "
        "the first day of the file on. Who never switched is not in such a file: all figures are of those who did.",
    )
    kept &= np.isfinite(day) & (codes_of(table, customer)[0] >= 0)
    return _spells(table, (customer, *pair, usual[0]), rest, np.where(kept, day, np.nan), notes)


def _called(finder: Finder, words: str) -> str:
    """The one column that is called so, before or after a word for the provider; "" if there is none."""
    hits = finder.matching((rf"{words}{FIRM}?", rf"{FIRM}{words}"))
    return hits[0] if len(hits) == 1 else ""


def _are_providers(finder: Finder, left: str, joined: str) -> bool:
    """Whether two columns name the same firms, and two different ones in nearly every row."""
    before, after = set(finder.texts(left)), set(finder.texts(joined))
    both = len(before & after)
    cells = [np.array([*finder.texts(n), ""], object)[codes_of(finder.table, n)[0]] for n in (left, joined)]
    names = sum(re.search(r"[^\W\d_]", t) is not None for t in before | after)
    return (
        both > 1
        and both >= min(len(before), len(after)) / 2
        and names > len(before | after) / 2
        and float((cells[0] == cells[1]).mean()) <= MOST_OTHER
    )


def _made(finder: Finder) -> tuple[np.ndarray, list[str]]:
    """[rows] whether a switch was made, as a column of status says; and a sentence on the others."""
    kept, notes = np.ones(finder.table.rows, bool), []
    for name in finder.matching(vocabulary.STATUS):
        codes, texts = codes_of(finder.table, name)
        not_made = np.array([meaning(t) in ("canceled", "unfinished") for t in texts] + [False])[codes]
        kept &= ~not_made
        if not_made.any():
            shown = next(t for t in texts if meaning(t) in ("canceled", "unfinished"))
            notes.append(f"{int(not_made.sum())} switches that were not made ({name}, as {shown}) are left out.")
    return kept, notes


def _spells(table: Table, names: tuple[str, ...], rest: list[str], day: np.ndarray, notes: list[str]) -> Table:
    import pandas as pd

    who, left, joined, when = (codes_of(table, n)[0] for n in names)
    at = np.flatnonzero(np.isfinite(day))
    at = at[np.lexsort((day[at], who[at]))]
    first = np.r_[True, np.diff(who[at]) != 0][: len(at)]
    begins = at[first & (left[at] >= 0)]
    texts = [np.array([*table.cells[n].categories, None], object) for n in names]
    elsewhere = ~first[1:] & (texts[1][left[at[1:]]] != texts[2][joined[at[:-1]]])
    if elsewhere.sum() > MOST_OTHER * (~first).sum():
        notes.append(f"{int(elsewhere.sum())} switches begin elsewhere than the one before of the same customer ended.")
    row = np.r_[begins, at]
    firm = np.r_[texts[1][left[begins]], texts[2][joined[at]]]
    start = np.r_[np.full(len(begins), when[at[np.argmin(day[at])]] if len(at) else -1), when[at]]
    cells = {n: pd.Categorical.from_codes(table.cells[n].codes[row], table.cells[n].categories) for n in rest}
    cells[names[0]] = pd.Categorical.from_codes(table.cells[names[0]].codes[row], table.cells[names[0]].categories)
    codes, values = pd.factorize(firm)
    cells["provider"] = clean_codes(codes, [str(v) for v in values])
    since = f"start ({names[3]})"
    cells[since] = pd.Categorical.from_codes(start, table.cells[names[3]].categories)
    return Table(
        [names[0], *rest, "provider", since], cells, len(row), table.first_line, True, table.comma, table.notes + notes
    )
