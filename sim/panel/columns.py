"""Decides which column has which role, by name and content; a column that the user names comes first."""

import re
from collections.abc import Sequence

import numpy as np

from sim.panel import vocabulary
from sim.panel.brand_columns import BLOCKS, block, find_blocks
from sim.panel.choice_columns import find_choice_set, find_chosen
from sim.panel.column_finder import Columns, Finder, codes_of
from sim.panel.options import Options
from sim.panel.share_tables import shares_in_rows, shares_of_brands
from sim.panel.status_columns import find_flags, find_statuses, says_yes_and_no
from sim.panel.sums import sums_by_brand
from sim.panel.table import Table, whole_numbers
from sim.panel.time_columns import counts_purchases, find_times
from sim.panel.values import read_numbers, truths

LAST = len(vocabulary.BRAND) - 1
MOST_PRODUCTS, FEW_ROWS = 0.9, 20  # distinct texts a row, from so many rows on, if they are no products
MOST_SHARED = 0.1  # of the orders may have several customers


def find_columns(table: Table, options: Options) -> tuple[Columns, list[str]]:
    """The columns of a panel, named or guessed, and what is wrong with them."""
    finder, found = Finder(table, options), Columns()
    if len(table.names) == 1:
        return found, [
            f"the only column is {table.names[0]!r}; a panel is a table with a household and a brand in each row"
        ]
    found.segment = finder.named("segment") or ""
    finder.taken.clear()  # a segment may be anything, even the status
    for role in ("brand", "time", "order"):  # what is named is not looked for as something else
        finder.named(role)
    found.customer = find_customer(finder)
    found.chosen = find_chosen(finder, found.customer)
    found.brand = _brand(finder, found)
    for name in filter(None, (found.customer, found.brand)):
        whole_numbers(table, name)
    find_times(finder, found)
    _rest(finder, found)
    if not found.brand and options.brand != "none" and not finder.wrong:
        _without_brand(finder, found)
    if options.brand == "none":
        found.one_firm = True
    if found.customer and found.brand and not found.chosen:
        at = [found.customer, *filter(None, (found.time, found.order))]
        finder.wrong += filter(None, (shares_in_rows(table, n, at) for n in finder.unused()))
    _unnamed(finder, found)
    if found.brand:
        find_blocks(finder, found)
    found.notes += finder.notes
    return found, list(dict.fromkeys(finder.wrong))


def find_customer(finder: Finder) -> str:
    """The column of who buys; "" if there is none, with a sentence in `finder.wrong`."""
    named_column = finder.named("customer")
    if named_column is not None:
        return named_column
    for tier, patterns in enumerate(vocabulary.CUSTOMER):
        hits = [n for n in finder.matching(patterns) if not _numbers_orders(finder, n) and not _is_flag(finder, n)]
        hits = [n for n in hits if not any(_same_rows(finder.table, n, other) for other in hits[: hits.index(n)])]
        hits = [n for n in hits if not says_yes_and_no(finder, n)] or hits  # a member: yes or no
        if len(hits) == 1:
            if re.fullmatch(vocabulary.PERSON + "s", vocabulary.normalized(hits[0])) and _counts(finder, hits[0]):
                finder.wrong.append(
                    f"{hits[0]} holds numbers: if they are how many, this file tells of no household; if they are who "
                    f"bought, say panel.customer={hits[0]}"
                )
                return ""
            if tier == len(vocabulary.CUSTOMER) - 1 and _all_differ(finder.table, hits[0]):
                finder.wrong.append(
                    f"{hits[0]} is another in every row, so it numbers the rows and not the customers; "
                    "say which column does: panel.customer=COLUMN"
                )
                return ""
            return finder.take(hits[0])
        if hits:
            finder.wrong.append(
                f"{' and '.join(hits)} could each be the household; say which, e.g. panel.customer={hits[0]}"
            )
            return finder.take(hits[0])
    if finder.table.header:
        finder.wrong.append(
            f"no column names the household; {_nearest(finder.unused(), vocabulary.CUSTOMER)}say which, e.g. "
            f"panel.customer=COLUMN (sums of a market do not tell who came back)"
        )
    return ""


def _counts(finder: Finder, name: str) -> bool:
    return bool(np.isfinite(read_numbers(finder.texts(name))).all())


def _is_flag(finder: Finder, name: str) -> bool:
    """Whether a column says yes and no, such as `response` where a row is an alternative."""
    return any(re.fullmatch(p, vocabulary.normalized(name)) for p in vocabulary.FLAG) and (
        truths(finder.texts(name)) is not None
    )


def _numbers_orders(finder: Finder, name: str) -> bool:
    return vocabulary.normalized(name) in ("name",) and all(t.startswith("#") for t in finder.texts(name))


def _how_many(finder: Finder, found: Columns, name: str) -> bool:
    """Whether a column is called by what is counted, and counts it: from 0 on, or in a table of sums."""
    called = re.fullmatch(vocabulary.COUNTS, vocabulary.normalized(name))
    counts = called is not None and _counts(finder, name)
    number_of = called is not None and bool(called[1]) and not called[1].startswith("no")
    return counts and (number_of or "0" in finder.texts(name) or sums_by_brand(finder.table, found))


def _same_rows(table: Table, one: str, other: str) -> bool:
    a, b = table.cells[one].codes.astype(np.int64), table.cells[other].codes.astype(np.int64)
    kinds = len(np.unique(a))
    return 1 < kinds == len(np.unique(b)) == len(np.unique(a * (b.max() + 2) + b + 1))


def _all_differ(table: Table, name: str) -> bool:
    return len(table.cells[name].categories) == table.rows > 2


def _brand(finder: Finder, found: Columns) -> str:
    named_column = finder.named("brand")
    if named_column is not None:
        if named_column and named_column == found.customer:
            finder.wrong.append(f"{named_column} cannot be both the household and the brand")
        return named_column
    constant = ""
    for tier, patterns in enumerate(vocabulary.BRAND):
        hits = _brand_hits(finder, patterns, tier)
        if tier >= 2 and hits and all(len(finder.texts(n)) == 1 for n in hits):
            constant = constant or hits[0]  # a seller, who may not be what is chosen
            continue
        if len(hits) > 1 and tier == LAST:
            hits = sorted(hits, key=lambda n: len(finder.texts(n)))
            finder.notes.append(
                f"{hits[0]} is taken for the brand, not {', '.join(hits[1:])}; panel.brand=COLUMN says otherwise."
            )
            hits = hits[:1]
        if len(hits) == 1:
            if tier >= 2:
                finder.notes.append(f"The column {hits[0]} is taken for the brand; panel.brand=COLUMN says otherwise.")
            return finder.take(hits[0])
        if hits:
            finder.wrong.append(f"{' and '.join(hits)} could each be the brand; say which, e.g. panel.brand={hits[0]}")
            return finder.take(hits[0])
    return finder.take(constant)


def _brand_hits(finder: Finder, patterns: Sequence[str], tier: int) -> list[str]:
    """Columns of this tier that may be the brand: those that vary, if any; no numbers of lines, no texts."""
    hits = sorted((n for n in finder.matching(patterns) if finder.texts(n)), key=_is_code)
    hits = [n for n in hits if not any(_same_rows(finder.table, n, other) for other in hits[: hits.index(n)])]
    if tier == LAST:
        orders = finder.matching(vocabulary.ORDER)
        hits = [n for n in hits if not any(o != n and counts_purchases(finder, o, n) for o in orders)]
        texts = [n for n in hits if len(finder.texts(n)) > MOST_PRODUCTS * finder.table.rows > MOST_PRODUCTS * FEW_ROWS]
        for name in texts:
            finder.notes.append(
                f"{name} is another in nearly every row, so it is no brand; panel.brand={name} says otherwise."
            )
        hits = [n for n in hits if n not in texts]
    return [n for n in hits if len(finder.texts(n)) > 1] or hits


def _is_code(name: str) -> bool:
    """Whether a column holds codes of what another may name."""
    return (
        re.fullmatch(r".*(id|code|no|nr|number|nummer|key|upc|ean|asin|sku)", vocabulary.normalized(name)) is not None
    )


def _rest(finder: Finder, found: Columns) -> None:
    named_column = finder.named("order")
    hits = [n for n in finder.unused() if _numbers_orders(finder, n)]
    hits += [n for n in finder.matching(vocabulary.ORDER) if not _how_many(finder, found, n)]
    hits = [n for n in hits if not _is_of_person(finder, found, n)]
    if hits and _all_differ(finder.table, hits[0]):  # a number of the line, if another is of the order
        hits.sort(key=lambda n: _all_differ(finder.table, n) or re.search("session|visit", n.lower()) is not None)
    found.order = named_column if named_column is not None else finder.take(hits[0] if hits else "")
    find_choice_set(finder, found)
    find_flags(finder, found)
    found.quantity = next(iter(_numeric(finder, "quantity", vocabulary.QUANTITY)), "")
    found.price, *found.amounts = _numeric(finder, "price", vocabulary.PRICE) or [""]
    found.weight = finder.first("weight", vocabulary.WEIGHT)
    find_statuses(finder, found)


def _is_of_person(finder: Finder, found: Columns, name: str) -> bool:
    """Whether a column tells of people, as the kind of a ticket: many share a value, and each has one all the time."""
    if not found.customer or found.time:
        return False
    who, order = codes_of(finder.table, found.customer)[0], codes_of(finder.table, name)[0]
    pairs = np.unique(np.column_stack([who, order])[(who >= 0) & (order >= 0)], axis=0)
    several = np.bincount(who[who >= 0]) > 1
    orders = np.bincount(pairs[:, 0], minlength=len(several))[several]
    shared = np.bincount(pairs[:, 1]) if len(pairs) else np.zeros(0)
    return bool(len(orders) and (orders == 1).mean() > 0.9 and (shared > 1).sum() > MOST_SHARED * (shared > 0).sum())


def _numeric(finder: Finder, role: str, patterns: Sequence[str]) -> list[str]:
    """The columns of a usual name that hold numbers, the likeliest first; one that the user names may hold anything."""
    if finder.options.named(role) is not None:
        return [finder.first(role, patterns)]
    hits = []
    for name in finder.matching(patterns):
        numbers = read_numbers(finder.texts(name), finder.options.decimal, finder.table.comma)
        if len(numbers) and np.isfinite(numbers).mean() > 0.5:
            hits.append(name)
        elif len(numbers):
            finder.notes.append(f"{name} does not hold numbers ({finder.texts(name)[0]!r}); left aside.")
    if role == "price":
        hits = sorted(hits, key=_of_order)
    if len(hits) > 1:
        finder.notes.append(
            f"{hits[0]} is taken for the {role}, not {', '.join(hits[1:])}; panel.{role}=COLUMN says otherwise."
        )
    finder.take(hits[0] if hits else "")
    return hits


def _of_order(name: str) -> int:
    """0 for the price of a unit or line, 1 for other amounts, 2 for a price that need not be paid, 3 for a total."""
    text = vocabulary.normalized(name)
    if re.match(r"(?:order|invoice|cart|basket|grand|gesamt|sub)?(?:total|betrag|amount|value|totaal|summe)", text):
        return 3 if not re.match("amount|betrag|value", text) else 1
    if re.match("retail|list|regular|original|shelf|base", text):
        return 2
    return 0 if vocabulary.OF_ONE.search(text) and not vocabulary.OF_ALL.search(text) else 1


def _without_brand(finder: Finder, found: Columns) -> None:
    """A history of one firm, unless some column could well be the brand, or several each be one."""
    if shares := shares_of_brands(finder.table, finder.unused()):
        finder.wrong.append(shares)
        return
    if told := _no_list_of_purchases(finder, found):
        finder.wrong.append(told)
        return
    wide = _amounts(finder, (*found.tells(), found.segment))
    if len(wide) > 1:
        finder.wrong.append(
            f"no column names the brand; if {', '.join(wide[:4])} are brands, call them bought_{wide[0]}, .. (1 or 0, "
            "or units); or panel.brand=COLUMN, or panel.brand=none for the history of one firm"
        )
        return
    maybe = [n for n in finder.unused() if n not in (*found.tells(), found.segment) and _like_names(finder, n)]
    numbered = [n for n in finder.unused() if re.fullmatch(r"(?:p|pr|price|cost|x)[._]?[1-9]\d?", n.lower())]
    blocks = any(block(finder.table.names, kind)[0] for kind in BLOCKS) or len(numbered) > 1
    if found.customer and (found.time or found.order) and not maybe and not blocks:
        found.one_firm = True
    elif finder.table.header:
        finder.wrong.append(
            f"no column names the brand; {_nearest(finder.unused(), vocabulary.BRAND)}say which, "
            "e.g. panel.brand=COLUMN, or panel.brand=none for the history of one firm"
        )


def _no_list_of_purchases(finder: Finder, found: Columns) -> str:
    """A sentence on a file of records in cells, or of a row a customer with whether he left; "" for others."""
    for name in finder.unused():
        if finder.texts(name) and all(t[0] in "[{" for t in finder.texts(name)):
            return f"{name} holds records of several fields (JSON); write a column for each of these, and a row a brand"
    if not found.customer or found.time or not _all_differ(finder.table, found.customer):
        return ""
    told = [n for n in finder.unused() if re.fullmatch("tenure|churn(ed)?|exited|attrition", vocabulary.normalized(n))]
    if not told:
        return ""
    return (
        f"every customer has one row, with {' and '.join(told[:2])}: a table of churn does not say where customers "
        "come from or go to; a row a purchase, or a spell with each provider, is needed"
    )


def _amounts(finder: Finder, apart: Sequence[str]) -> list[str]:
    """Columns of numbers that are mostly 0, as where each brand has a column of units; not taxes and discounts."""
    found = []
    for name in finder.unused():
        codes, texts = codes_of(finder.table, name)
        zero = np.append(read_numbers(texts) == 0, True)[codes]
        text = vocabulary.normalized(name)
        other = (
            name in apart or vocabulary.ON_TOP.search(text) or re.search("(id|no|nr|quantity|qty|price|time)$", text)
        )
        if not other and len(texts) > 1 and 0.3 < zero.mean() < 1 and np.isfinite(read_numbers(texts)).all():
            found.append(name)
    return found


def _like_names(finder: Finder, name: str) -> bool:
    texts = finder.texts(name)
    few = 1 < len(texts) <= max(200, finder.table.rows // 20) and len(texts) < finder.table.rows
    return few and float(np.isnan(read_numbers(texts)).mean()) > 0.5


def _unnamed(finder: Finder, found: Columns) -> None:
    """A file without a header, whose columns are named by number."""
    if finder.table.header or (found.customer and (found.brand or found.one_firm)):
        return
    first = [str(finder.table.cells[n][0]) for n in finder.table.names[:6]] if finder.table.rows else []
    finder.wrong.insert(
        0,
        f"the first line ({', '.join(first)}) looks like a purchase, not like names of columns; write names "
        f"above it, or say "
        "which column is which by its number, e.g. panel.customer=1 panel.time=2 panel.brand=3 "
        "(panel.header=yes: they are names)",
    )


def _nearest(names: Sequence[str], tiers: Sequence[Sequence[str]]) -> str:
    import difflib

    names = [n for n in names if not re.match("from|old|prev", n.lower())]  # of whom a customer left
    usual = (
        ("household", "customer", "customerid", "panelist")
        if tiers is vocabulary.CUSTOMER
        else ("brand", "choice", "product", "provider")
    )
    for name in names:
        near = difflib.get_close_matches(vocabulary.normalized(name), usual, 1, 0.75)
        if near:
            return f"did you mean {name} for {near[0]}? "
    return f"the columns are {', '.join(map(repr, names[:8]))}{', ...' if len(names) > 8 else ''}; "
