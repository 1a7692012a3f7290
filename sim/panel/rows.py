"""Selects the rows of a file that are purchases; other rows are left out, each with its reason."""

import re
from collections.abc import Sequence

import numpy as np

from sim.model.declare import did_you_mean
from sim.panel import statuses, vocabulary
from sim.panel.bought import keep_bought
from sim.panel.brand_columns import MISSING, NO_BRAND_CODES
from sim.panel.row_set import MOST_BAD, Rows
from sim.panel.tidy import drop_what_is_no_row, fill_from_above, merge_spellings
from sim.panel.values import credited, read_numbers, truths

MOST_GUESTS = 0.9  # of the rows may be without customer


def keep_purchases(rows: Rows) -> None:
    """Leave out what is no purchase, in an order such that each reason is the plainest."""
    drop_what_is_no_row(rows)
    fill_from_above(rows)
    _apply_filters(rows)
    merge_spellings(rows)
    _complete_orders(rows)
    keep_bought(rows)
    _keep_chosen(rows)
    _drop_no_purchase(rows)
    _drop_returns(rows)
    _drop_negative_amounts(rows)
    _drop_guests(rows)


def _apply_filters(rows: Rows) -> None:
    for text in rows.options.filter:
        match = re.fullmatch(r"\s*(.+?)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*", text)
        name = _column_like(match[1], rows.table.names) if match else None
        if match is None:
            rows.wrong.append(f"panel.filter: {text!r} is not COLUMN=VALUE[,VALUE], COLUMN!=VALUE or COLUMN>NUMBER")
        elif name is None:
            rows.wrong.append(
                f"panel.filter: there is no column {match[1]!r}{did_you_mean(match[1], rows.table.names)}"
            )
        else:
            _apply_filter(rows, name, match[2], match[3])


def _column_like(wanted: str, names: list[str]) -> str | None:
    alike = [n for n in names if n == wanted] or [
        n for n in names if vocabulary.normalized(n) == vocabulary.normalized(wanted) != ""
    ]
    return alike[0] if alike else None


def _apply_filter(rows: Rows, name: str, sign: str, value: str) -> None:
    _, texts = rows.column(name)
    if sign in ("=", "!="):
        wanted = [v.strip() for v in value.split(",")]
        which = [t in wanted for t in texts]
        if not any(which):
            rows.wrong.append(f"panel.filter: {name} is never {value!r}{did_you_mean(value, texts[:20])}")
        fits = rows.marked(name, texts, which) == (sign == "=")
    else:
        numbers, limit = read_numbers(texts), read_numbers([value])[0]
        if np.isnan(limit):
            rows.wrong.append(f"panel.filter: {value!r} is not a number")
        compare: dict[str, np.ndarray] = {
            ">": numbers > limit,
            "<": numbers < limit,
            ">=": numbers >= limit,
            "<=": numbers <= limit,
        }
        fits = rows.marked(name, texts, list(compare[sign]))
    rows.drop(~fits, f"not {name} {sign} {value}")


def _complete_orders(rows: Rows) -> None:
    """What is written in the first line of an order only holds for all of them; and credit notes."""
    name = rows.columns.order
    if not name:
        return
    order, texts = rows.column(name)
    for other in (rows.columns.customer, rows.columns.time, *rows.columns.status):
        if other:
            _fill(rows, order, other)
    credit = [t[:1] in ("C", "c") and re.fullmatch(r"[Cc]-?\d+", t) is not None for t in texts]
    others = [t for t, c in zip(texts, credit, strict=True) if not c]
    if any(credit) and others and sum(t[:1].isdigit() for t in others) >= 0.9 * len(others):
        rows.drop(rows.marked(name, texts, credit), f"canceled ({name} begins with C)")


def _fill(rows: Rows, order: np.ndarray, name: str) -> None:
    import pandas as pd

    cells = rows.table.cells[name]
    codes = np.asarray(cells.codes, np.int64)
    holes = (codes < 0) & (order >= 0)
    if not holes.any() or holes.all():
        return
    first = np.full(int(order.max()) + 1, -1)
    known = np.flatnonzero((codes >= 0) & (order >= 0))[::-1]
    first[order[known]] = codes[known]
    filled = np.where(holes, first[order], codes)
    rows.table.cells[name] = pd.Categorical.from_codes(filled, cells.categories)


def _keep_chosen(rows: Rows) -> None:
    name = rows.columns.chosen
    if not name:
        return
    _, texts = rows.column(name)
    yes = truths(texts)
    if yes is None or not yes.any():
        rows.wrong.append(f"{name}: no alternative is ever chosen")
        return
    what = "alternative that was not chosen" if rows.columns.brand else "nothing bought"
    rows.drop(~rows.marked(name, texts, list(yes)), f"{what} ({name} is {texts[int(np.argmin(yes))]})")


def _drop_no_purchase(rows: Rows) -> None:
    """Codes of brands that mean that nothing was bought: they stay known as occasions, not as purchases."""
    name = rows.columns.brand
    if not name:
        return
    codes, texts = rows.column(name)
    stated = tuple(b for b in rows.options.none if b != "no")
    missing = [b for b in stated if b not in texts]
    rows.wrong.extend(f"panel.none={b}: {name} is never {b!r}{did_you_mean(b, texts[:20])}" for b in missing)
    nothing = [t in stated or (not rows.options.none and _is_nothing(t)) for t in texts]
    if not rows.options.none:
        codes_of_nothing = _codes_of_no_purchase(texts, rows.columns.brands)
        nothing = [n or t in codes_of_nothing for n, t in zip(nothing, texts, strict=True)]
        if codes_of_nothing:
            shown = " and ".join(sorted(codes_of_nothing))
            others = "1, 2, .." if {"1", "2"} <= set(texts) else "names"
            rows.notes.append(
                f"{name} {shown} beside {others} is taken for `nothing bought`; panel.none=no says that it is a brand."
            )
        silent = [t.lower() in statuses.NO_ANSWER for t in texts]
        shown = ", ".join(t for t, none in zip(texts, silent, strict=True) if none)
        rows.drop(rows.marked(name, texts, silent), f"no answer ({name} is {shown[:60]})")
    no_product = [statuses.NO_PRODUCT.fullmatch(t) is not None for t in texts]
    shown = ", ".join(t for t, none in zip(texts, no_product, strict=True) if none)
    rows.drop(rows.marked(name, texts, no_product), f"no product ({name} is {shown[:60]})")
    rows.no_purchase = rows.keep & rows.marked(name, texts, nothing)
    for t, is_nothing in zip(texts, nothing, strict=True):
        if is_nothing:
            rows.drop(codes == texts.index(t), f"nothing bought ({name} is {t})")


def _is_nothing(text: str) -> bool:
    return text.lower() in statuses.NOTHING or statuses.NO_ALTERNATIVE.fullmatch(text) is not None


def _codes_of_no_purchase(texts: list[str], brands: Sequence[str]) -> set[str]:
    """0 or -1 beside 1, 2, .., 0 beside names, 99 beside small numbers; any of these beside brands with prices."""
    if set(texts) & set(brands):
        return {t for t in texts if t in NO_BRAND_CODES and t not in brands}
    numbers = [t for t in texts if re.fullmatch(r"-?\d+", t)]
    if numbers == ["0"] and len(texts) > 2:
        return {"0"}
    if len(numbers) < len(texts) or not {"1", "2"} <= set(texts):
        return set()
    largest = max(int(t) for t in texts if t not in NO_BRAND_CODES)
    return {t for t in texts if t in NO_BRAND_CODES and (t not in MISSING or largest < int(t) // 3)}


def _drop_returns(rows: Rows) -> None:
    """Returns have a negative quantity or amount."""
    for name, role in ((rows.columns.quantity, "quantity"), (rows.columns.price, "price")):
        if role == "price" and rows.columns.chosen:  # of alternatives, perhaps standardized: below 0 says nothing
            rows.price_of_alternatives, rows.columns.price = rows.columns.price, ""
        if not getattr(rows.columns, role):
            continue
        codes, texts = rows.column(name)
        numbers = read_numbers(texts, rows.options.decimal, rows.table.comma)
        bad = rows.marked(name, texts, list(np.isnan(numbers))) & rows.keep
        if bad.sum() > MOST_BAD * rows.keep.sum():
            if rows.options.named(role) is not None:
                rows.unreadable(bad, name, "is not a number")
            else:
                rows.notes.append(
                    f"{name} does not hold numbers ({texts[codes[np.flatnonzero(bad)[0]]]!r}); left aside."
                )
                setattr(rows.columns, role, "")
            continue
        below = rows.marked(name, texts, list(numbers < 0))
        if role == "price" and (below & rows.keep).sum() > 0.5 * rows.keep.sum():
            rows.notes.append(f"{name} is below 0 in most rows, as in a bank's statement: what was spent.")
            below = rows.marked(name, texts, list(numbers > 0))
            rows.drop(below, f"received ({name} above 0)")
        else:
            as_credit = next((f", as {t}" for t, c in zip(texts, credited(texts), strict=True) if c), "")
            rows.drop(below, f"returned ({name} below 0{as_credit})")
        if role == "quantity":
            _drop_returned(rows, np.append(numbers, np.nan)[codes])
            none = rows.marked(name, texts, list(numbers == 0))
            rows.no_purchase = none & rows.keep if rows.no_purchase is None else rows.no_purchase | (none & rows.keep)
            rows.drop(none, f"nothing bought ({name} is 0)")
            rows.unreadable(bad, name, "is not a number")


def _drop_negative_amounts(rows: Rows) -> None:
    """Returns by columns of amounts beside that of the price, as where the price of a unit is never below 0."""
    for name in rows.columns.amounts:
        _, texts = rows.column(name)
        below = rows.marked(name, texts, list(read_numbers(texts, rows.options.decimal, rows.table.comma) < 0))
        if 0 < (below & rows.keep).sum() < 0.5 * rows.keep.sum():
            rows.drop(below, f"returned ({name} below 0)")


def _drop_returned(rows: Rows, quantity: np.ndarray) -> None:
    """Lines all of whose units were returned or canceled later, by columns beside the quantity."""
    back = np.zeros(rows.table.rows)
    for name in rows.columns.returned:
        back += np.nan_to_num(rows.numbers(name))
    if rows.columns.returned:
        rows.drop((back > 0) & (back >= quantity), f"returned ({' + '.join(rows.columns.returned)} is the quantity)")


def _drop_guests(rows: Rows) -> None:
    name = rows.columns.customer
    codes, texts = rows.column(name)
    rounded = [statuses.ROUNDED.fullmatch(t) is not None for t in texts]
    shown = next((t for t, r in zip(texts, rounded, strict=True) if r), "")
    rows.drop(rows.marked(name, texts, rounded), f"customer not known ({name} is {shown}, rounded by a spreadsheet)")
    nobody = [_is_no_customer(t) for t in texts]
    zero = "0" in texts and not rows.zero_is_somebody
    if zero and "1" not in texts and all(map(str.isdecimal, texts)):  # ids that do not count from 0 on
        nobody[texts.index("0")] = True
    elif zero and rows.columns.status and len(texts) <= max(map(int, filter(str.isdecimal, texts))):
        rows.notes.append(f"If {name} 0 stands for guests, leave it out: panel.filter='{name}!=0'.")
    guests = (codes < 0) | rows.marked(name, texts, nobody)
    guests &= rows.keep
    if guests.sum() > MOST_GUESTS * rows.keep.sum():
        rows.wrong.append(
            f"{name}: empty in {int(guests.sum())} of {int(rows.keep.sum())} rows; say which column is the "
            f"customer: panel.customer=COLUMN"
        )
    rows.drop(
        guests,
        f"no customer ({name} is empty"
        + (f" or {next(t for t, n in zip(texts, nobody, strict=True) if n)})" if any(nobody) else ")"),
    )


def _is_no_customer(text: str) -> bool:
    return text.lower().partition("@")[0] in statuses.NOBODY or re.fullmatch("0{6,}|9{6,}", text) is not None
