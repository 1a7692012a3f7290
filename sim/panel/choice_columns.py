"""Finds the columns of choices where a row is an alternative: which was chosen, and which choice it belongs to."""

import numpy as np

from sim.panel import vocabulary
from sim.panel.column_finder import Columns, Finder, codes_of
from sim.panel.values import read_numbers, truths

OFTEN = 0.1  # of the choices in which a time varies, if it is one of the alternatives and no date


def find_chosen(finder: Finder, customer: str) -> str:
    """A column of yes and no, of the alternatives or of the use of one firm; 1 and 2 where these say yes and no."""
    for name in finder.matching(vocabulary.FLAG):
        _one_is_yes(finder, customer, name)
    hits = [n for n in finder.matching(vocabulary.FLAG) if truths(finder.texts(n)) is not None]
    brands = [n for tier in vocabulary.BRAND for n in finder.matching(tier) if n not in hits]
    if finder.options.brand in finder.table.names and finder.options.brand not in hits:
        brands.append(str(finder.options.brand))
    maybe = [n for tier in vocabulary.BRAND for n in finder.matching(tier)]  # `choice` may be a brand, `bought` not
    alone = len(hits) == 1 and hits[0] not in maybe and len(finder.texts(hits[0])) > 1
    return finder.take(hits[0]) if hits and (brands or alone) else ""


def _one_is_yes(finder: Finder, customer: str, name: str) -> None:
    """Write 0 for 2 in a column of 1 and 2 that has one 1 in each of several rows of a choice, as in SPSS."""
    import pandas as pd

    if sorted(finder.texts(name)) != ["1", "2"]:
        return
    codes, texts = codes_of(finder.table, name)
    yes = np.array([t == "1" for t in texts] + [False])[codes]
    if any(_parts_choices(finder, customer, n, yes) for n in finder.matching(vocabulary.CHOICE_SET)):
        recoded = pd.Index(["1" if t == "1" else "0" for t in texts], dtype=object)
        finder.table.cells[name] = pd.Categorical.from_codes(finder.table.cells[name].codes, recoded)
        finder.notes.append(f"{name} is 1 or 2, and 1 once in every choice: 1 is taken for chosen.")


def find_choice_set(finder: Finder, found: Columns) -> None:
    """The column that numbers the choices, where a row is an alternative of one."""
    if not found.chosen:
        if found.brand and not (found.time or found.order or found.start):
            numbers = [n for n in finder.matching(vocabulary.CHOICE_SET) if _numbers_rows(finder, found.customer, n)]
            found.choice_set = finder.take(numbers[0] if numbers else "")
        return
    sets = finder.matching(vocabulary.CHOICE_SET)
    if not (sets or found.time or found.order):
        sets = [n for n in finder.unused() if _numbers_choices(finder, found, n)]
    found.choice_set = finder.take(sets[0] if sets else "")
    if found.choice_set and found.time and finder.options.time is None and _varies(finder, found):
        finder.notes.append(
            f"{found.time} differs between the alternatives of a choice, so it is no date of it; panel.time="
            f"{found.time} says otherwise."
        )
        found.time, found.clock, found.parts = "", "", ()


def _numbers_rows(finder: Finder, customer: str, name: str) -> bool:
    """Whether a column numbers the rows of each customer, each with another number."""
    if not customer or not np.isfinite(read_numbers(finder.texts(name))).all():
        return False
    pairs = np.column_stack([codes_of(finder.table, n)[0] for n in (customer, name)])
    return bool(pairs.min(initial=0) >= 0 and len(np.unique(pairs, axis=0)) == len(pairs))


def _varies(finder: Finder, found: Columns) -> bool:
    """Whether the time often differs between the rows of a choice."""
    if not found.customer:
        return False
    who, choice, time = (codes_of(finder.table, n)[0] for n in (found.customer, found.choice_set, found.time))
    keys = np.unique(np.column_stack([who, choice, time]), axis=0)
    _, times = np.unique(keys[:, :2], axis=0, return_counts=True)
    return bool((times > 1).mean() > OFTEN)


def _numbers_choices(finder: Finder, found: Columns, name: str) -> bool:
    """Whether the numbers of a column part each customer's rows into choices, of several rows with one chosen each."""
    chosen, words = codes_of(finder.table, found.chosen)
    yes = truths(words)
    if yes is None or chosen.min(initial=0) < 0 or not _parts_choices(finder, found.customer, name, yes[chosen]):
        return False
    return bool(np.isfinite(read_numbers(finder.texts(name))).all())


def _parts_choices(finder: Finder, customer: str, name: str, yes: np.ndarray) -> bool:
    """Whether a column parts each customer's rows into choices, of several rows with one yes each."""
    if not customer:
        return False
    codes, texts = codes_of(finder.table, name)
    who, _ = codes_of(finder.table, customer)
    if not len(codes) or min(codes.min(), who.min()) < 0:
        return False
    choice = np.unique(who.astype(np.int64) * len(texts) + codes, return_inverse=True)[1].ravel()
    return bool(np.bincount(choice).min() > 1 and (np.bincount(choice, yes) == 1).all())
