"""Keeps the rows that were bought, as columns of status, of yes and no and of what came back say."""

import numpy as np

from sim.model.declare import did_you_mean
from sim.panel import statuses, vocabulary
from sim.panel.row_set import Rows
from sim.panel.values import truths

SEVERAL = 1.5  # statuses of an order's brand, on average, if they are those that it went through
UNKNOWN = 0.1  # of the rows may have a status that is not known; they are left out
MOST_BACK = 0.9  # of the rows may have come back
ALL_OF_IT = 0.99  # of an amount must be paid back for a row to be a return


def keep_bought(rows: Rows) -> None:
    """Leave out what was canceled, returned, paid back or never paid."""
    _drop_refunds(rows)
    _drop_paid_back(rows)
    _drop_received(rows)
    every = [t for name in rows.columns.status for t in rows.column(name)[1]]
    rows.wrong.extend(
        f"panel.bought={b}: {' and '.join(rows.columns.status)} is never {b!r}{did_you_mean(b, every[:20])}"
        for b in rows.options.bought
        if rows.columns.status and b not in every
    )
    for name in rows.columns.status:
        _keep_bought(rows, name)
    for name in rows.columns.flags:
        _, texts = rows.column(name)
        yes = truths(texts)
        if yes is not None and not yes.all():
            rows.drop(rows.marked(name, texts, list(~yes)), f"{name} is {texts[int(np.argmin(yes))]}")


def _drop_received(rows: Rows) -> None:
    """Rows of money that came in, in a statement of an account."""
    direction = rows.columns.direction
    if len(direction) == 1:
        _, texts = rows.column(direction[0])
        back = [t.lower() in statuses.RECEIVED for t in texts]
        shown = next((t for t, b in zip(texts, back, strict=True) if b), "")
        rows.drop(rows.marked(direction[0], texts, back), f"received ({direction[0]} is {shown})")
    elif direction:
        spent, received = (np.nan_to_num(rows.numbers(n)) for n in direction)
        rows.drop((received != 0) & (spent == 0), f"received ({direction[1]} and no {direction[0]})")


def _drop_paid_back(rows: Rows) -> None:
    """Rows of which all that was paid was paid back."""
    amounts = [n for n in (rows.columns.price, *rows.columns.amounts) if n]
    if not rows.columns.paid_back:
        return
    if not amounts:
        some = [n for n in rows.columns.paid_back if (np.nan_to_num(rows.numbers(n)) != 0).any()]
        rows.notes += [f"{n}: not used, as no column tells what was paid; panel.price=COLUMN names it." for n in some]
        return
    paid, back = np.zeros(rows.table.rows), np.zeros(rows.table.rows)
    units = np.fmax(rows.numbers(rows.columns.quantity), 1) if rows.columns.quantity else np.ones(rows.table.rows)
    for name in amounts:
        of_one = vocabulary.OF_ONE.search(vocabulary.normalized(name)) and len(amounts) == 1
        paid = np.fmax(paid, rows.numbers(name) * (units if of_one else 1))
    for name in rows.columns.paid_back:
        back = np.fmax(back, np.abs(rows.numbers(name)))
    rows.drop((back > 0) & (back >= ALL_OF_IT * paid), f"paid back ({' + '.join(rows.columns.paid_back)} is all of it)")


def _drop_refunds(rows: Rows) -> None:
    for name in rows.columns.refunds:
        _, texts = rows.column(name)
        yes = truths(texts)
        when = vocabulary.normalized(name).endswith(("at", "date"))
        if yes is not None and not when:
            rows.drop(rows.marked(name, texts, list(yes)), f"{name}")
        elif when and rows.marked(name, texts, [t not in ("0",) for t in texts])[rows.keep].mean() > MOST_BACK:
            rows.notes.append(f"{name} has a date in nearly every row, so it does not tell what came back; not used.")
            rows.columns.refunds = tuple(n for n in rows.columns.refunds if n != name)
        elif when:
            rows.drop(rows.marked(name, texts, [t not in ("0",) for t in texts]), f"{name} has a date")
        elif vocabulary.OF_A_REFUND.search(vocabulary.normalized(name)):
            given = rows.marked(name, texts, [t.lower() not in ("0", "none", "no") for t in texts])
            if (given & rows.keep).sum() < 0.5 * rows.keep.sum():
                rows.drop(given, f"{name} is given")


def _keep_bought(rows: Rows, name: str) -> None:
    """Keep what was bought; cancellations, returns, views and carts are left out."""
    codes, texts = rows.column(name)
    weight = np.bincount(codes[rows.keep & (codes >= 0)], minlength=len(texts))
    if set(rows.options.bought) & set(texts):
        meanings = ["bought" if t in rows.options.bought else "other" for t in texts]
    else:
        meanings = [statuses.meaning(t) for t in texts]
        question = _status_question(rows, name, texts, weight, meanings)
        if question is not None:
            rows.wrong += [f"{name}: {question}"] if question else []
            if not question:
                rows.columns.status = tuple(n for n in rows.columns.status if n != name)
                usual = ", ".join(texts[int(i)] for i in np.argsort(-weight, kind="stable")[:3])
                rows.notes.append(
                    f"{name} ({usual}) is not used; where it tells purchases from others, say panel.status={name}."
                )
            return
    for i in np.argsort(-weight, kind="stable"):
        if meanings[i] != "bought":
            unknown = "" if meanings[i] else ", which is not known to be a purchase"
            rows.drop(codes == i, f"{name} is {texts[i]}{unknown}")


def _status_question(rows: Rows, name: str, texts: list[str], weight: np.ndarray, meanings: list[str]) -> str | None:
    """What must be asked about a column of status; "" if it is left aside, None if it is clear."""
    if not rows.options.bought and (several := _statuses_of_an_order(rows, name, texts, meanings)):
        return several
    if set(meanings) == {"canceled"} and weight.sum() < 0.5 * rows.keep.sum():  # the others are empty
        return None
    known = sum(int(w) for w, s in zip(weight, meanings, strict=True) if s)
    strong = vocabulary.STRONG_STATUS.fullmatch(vocabulary.normalized(name)) is not None
    usual = ", ".join(texts[int(i)] for i in np.argsort(-weight, kind="stable")[:5])
    if rows.options.status is None and (
        known < 0.5 * weight.sum() or not any(meanings) or not (strong or "bought" in meanings)
    ):
        likely = _likeliest(texts, weight, meanings)
        question = f"are rows with {usual} purchases? say which values are, e.g. panel.bought={likely}"
        back = any(m == "canceled" and statuses.is_plain(t) for t, m in zip(texts, meanings, strict=True))
        asked = (strong or back) and (weight > 0).sum() > 1
        return f"{question}, or that all are: panel.status=none" if asked else ""
    if "bought" not in meanings:
        return f"none of its values ({usual}) is known to be a purchase; say which are, e.g. panel.bought={texts[0]}"
    if weight[[s == "" for s in meanings]].sum() > UNKNOWN * weight.sum():
        odd = [t for t, s, w in zip(texts, meanings, weight, strict=True) if not s and w]
        every = [t for t, s in zip(texts, meanings, strict=True) if s == "bought"] + odd
        return f"are rows with {', '.join(odd[:5])} purchases? say which values are: panel.bought={','.join(every[:6])}"
    return None


def _likeliest(texts: list[str], weight: np.ndarray, meanings: list[str]) -> str:
    """The commonest text that is not known to be no purchase."""
    maybe = [m in ("bought", "") for m in meanings]
    return texts[int(np.argmax(np.where(maybe, weight, -1)))] if texts else ""


def _statuses_of_an_order(rows: Rows, name: str, texts: list[str], meanings: list[str]) -> str:
    """A question where an order has a row for each status that it went through; "" where it has not."""
    order = rows.column(rows.columns.order)[0] if rows.columns.order else np.zeros(0, np.int64)
    brand = rows.column(rows.columns.brand)[0] if rows.columns.brand else np.zeros(len(order), np.int64)
    codes, _ = rows.column(name)
    count = np.append([m in ("bought", "") for m in meanings], False)[codes[: len(order)]]
    at = np.flatnonzero(count & (order >= 0) & rows.keep[: len(order)])
    if not len(at):
        return ""
    lines = np.unique(np.column_stack([order[at], brand[at], codes[at]]), axis=0)
    _, each = np.unique(lines[:, :2], axis=0, return_counts=True)
    if each.mean() < SEVERAL:
        return ""
    many = np.bincount(lines[:, 2], minlength=len(texts)) * np.array([1 + (m == "bought") for m in meanings])
    return (
        "an order has a row for each status that it went through; say by which it counts, e.g. "
        f"panel.bought={texts[int(many.argmax())]}, or that all rows do: panel.status=none"
    )
