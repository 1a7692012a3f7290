"""Finds the columns that tell purchases from other rows: statuses, yes and no, amounts paid back."""

import re

import numpy as np

from sim.panel import statuses, vocabulary
from sim.panel.column_finder import Columns, Finder, codes_of
from sim.panel.values import read_numbers, truths

OF_SOMETHING_ELSE = re.compile(  # than of the row, in the name of a column
    "card|member|account|customer|client|user|loyalty|review|coupon|voucher|policy|method|stock|label|kunde|klant|shipping"
)
NOT_BACK = re.compile("expir|fraud|fail|declin|reject|abandon|undeliver", re.IGNORECASE)  # canceled for other reasons
MOST_STATUSES = 12  # texts of a column that is no status by its name


def find_flags(finder: Finder, found: Columns) -> None:
    """Columns such as paid, completed or valid that say yes in some rows and no in others."""
    if finder.options.status is None and not found.start:
        hits = [n for n in finder.matching(vocabulary.BOUGHT_FLAG) if says_yes_and_no(finder, n)]
        found.flags = tuple(finder.take(n) for n in hits)


def says_yes_and_no(finder: Finder, name: str) -> bool:
    """Whether a column says yes in some rows and no in others, and nothing else."""
    yes = truths(finder.texts(name))
    return yes is not None and bool(yes.any()) and not yes.all()


def find_statuses(finder: Finder, found: Columns) -> None:
    """Statuses by name, or else by what they say; whether a row came back; how many units, how much of the amount."""
    named = finder.named("status")
    if named is not None:
        found.status = (named,) if named else ()
    else:
        status = finder.matching(vocabulary.STATUS)
        status = [n for n in status if not _is_code_of(finder, n, status)]
        refunds = [n for n in finder.matching(vocabulary.REFUND_FLAG) if n not in status]
        if found.start:  # of a spell that is over, that it was canceled says nothing else
            for name in [n for n in (*status, *refunds) if len(finder.texts(n)) > 1]:
                finder.notes.append(
                    f"{name} ({', '.join(finder.texts(name)[:3])}) is not used, as it tells what became of a spell and "
                    f"not whether it was; panel.status={name} uses it."
                )
            return
        paid_back = [n for n in finder.matching(vocabulary.PAID_BACK) if _amounts(finder, n)]
        found.refunds = tuple(n for n in refunds if n not in paid_back)
        found.paid_back = tuple(paid_back)
        found.status = (*status, *_by_their_words(finder, (*status, *refunds, *paid_back)))
    found.direction = _direction(finder)
    found.returned = tuple(finder.matching(vocabulary.REFUNDED_QUANTITY)) if found.quantity else ()


def _direction(finder: Finder) -> tuple[str, ...]:
    """A column that tells debit from credit, or two columns of amounts, what was spent and what was received."""
    told = finder.matching((vocabulary.DEBIT_OR_CREDIT,))
    if told:
        words = [t.lower() in statuses.SPENT | statuses.RECEIVED for t in finder.texts(told[0])]
        return (told[0],) if words and all(words) else ()
    spent = [n for n in finder.matching((vocabulary.SPENT,)) if _amounts(finder, n)]
    received = [n for n in finder.matching((vocabulary.RECEIVED,)) if _amounts(finder, n)]
    return (spent[0], received[0]) if len(spent) == len(received) == 1 else ()


def _is_code_of(finder: Finder, name: str, others: list[str]) -> bool:
    """Whether a column numbers the statuses that another column names."""

    def numbers(column: str) -> bool:
        return bool(np.isfinite(read_numbers(finder.texts(column))).all())

    return numbers(name) and any(not numbers(n) for n in others)


def _amounts(finder: Finder, name: str) -> bool:
    texts = finder.texts(name)
    numbers = read_numbers(texts, finder.options.decimal, finder.table.comma)
    return truths(texts) is None and bool(len(texts)) and bool(np.isfinite(numbers).all())


def _by_their_words(finder: Finder, apart: tuple[str, ...]) -> list[str]:
    """Columns of another name, all of whose texts say that a row was bought or not, and some that it came back."""
    hits = []
    for name in finder.unused():
        texts = finder.texts(name)
        meanings = [statuses.meaning(t) for t in texts[: MOST_STATUSES + 1]]
        back = [t for t, m in zip(texts, meanings, strict=False) if m == "canceled" and statuses.is_plain(t)]
        back = [t for t in back if not NOT_BACK.search(t)]
        if (
            name in apart
            or OF_SOMETHING_ELSE.search(vocabulary.normalized(name))
            or not back
            or len(texts) > MOST_STATUSES
            or len(texts) < 2
        ):
            continue
        if all(meanings) and "bought" in meanings:
            hits.append(name)
        else:
            codes, _ = codes_of(finder.table, name)
            many = int((codes == texts.index(back[0])).sum())
            finder.notes.append(
                f"{name} is {back[0]} in {many} rows, which are counted; panel.filter='{name}!={back[0]}' leaves "
                "them out."
            )
    return hits
