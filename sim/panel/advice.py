"""What a reader should know of columns that are not used, of names that are no brands and of rows that are none."""

import re
from collections.abc import Sequence

import numpy as np

from sim.panel.row_set import Rows
from sim.panel.types import Panel
from sim.panel.vocabulary import CHOICE_SET, normalized

CATEGORY = re.compile(
    r"(?:product|item|main|top|article|artikel|produkt)?(?:categor(?:y|ies|yname)|department|dept|commodity|commoditydesc|"
    r"productgroup|productfamily|aisle|kategorie|warengruppe|gruppe|categorie|productgroep|artikelgroep|rayon|categoria|"
    r"reparto|seccion|famille|familia)(?:name|desc|description)?"
)
CURRENCY = re.compile(
    r"(?:order|price|payment|transaction)?(?:currency|currencycode|wahrung|valuta|devise|moneda|moeda)"
)
MOST_OF_ONE = 0.05  # of the purchases are one household's, where that is no household
ALIKE = 0.6  # distinct first words a name, below which names are of products


def notes_on_columns(rows: Rows) -> list[str]:
    """Sentences on categories, in which brands compete, and on currencies, in which prices are."""
    notes = []
    used = " ".join(rows.columns.used().values()) + " ".join(rows.options.filter)
    kinds = {n: _values(rows, n) for n in rows.table.names if n not in used and n != rows.columns.segment}
    for name, values in kinds.items():
        text = normalized(name)
        if rows.columns.brand and len(values) > 1 and CATEGORY.fullmatch(text):
            notes.append(
                f"{name} has {len(values)} values ({', '.join(values[:3])}): brands of different categories do not "
                f"compete; panel.filter='{name}={values[0]}' takes one."
            )
            break
    for name, values in kinds.items():
        if rows.columns.price and len(values) > 1 and CURRENCY.fullmatch(normalized(name)):
            notes.append(
                f"{name} has {len(values)} values ({', '.join(values[:3])}): prices are compared as they are; "
                f"panel.filter='{name}={values[0]}' takes one."
            )
    return notes


def _values(rows: Rows, name: str) -> list[str]:
    """The values of a column in the rows that are kept, the most frequent first."""
    codes, texts = rows.column(name)
    many = np.bincount(codes[rows.keep & (codes >= 0)], minlength=len(texts))
    return [texts[i] for i in np.argsort(-many, kind="stable") if many[i]]


def notes_on_names(column: str, names: Sequence[str]) -> list[str]:
    """A sentence where many names begin alike, as those of the products of a brand do.

    >>> notes_on_names("product", ["Aro 1 l", "Aro 2 l", "Aro 3 l", "Bel 1 l"])[0][:29]
    "product: 'Aro 1 l', 'Aro 2 l'"
    """
    first = [n.split()[0].casefold() for n in names if n.split()]
    words = np.mean([len(n.split()) for n in names]) if names else 0
    if len(names) < 4 or words < 2 or len(set(first)) > ALIKE * len(names) or len(set(first)) < 2:
        return []
    common = max(set(first), key=lambda word: (first.count(word), word))
    shown = ", ".join(repr(n) for n in names if n.casefold().startswith(common))
    return [
        f"{column}: {shown[:60]} begin alike: products and sizes of a brand count as brands of their own; "
        "panel.brand=COLUMN names a column of brands."
    ]


def names_in_a_row(names: Sequence[str]) -> list[str]:
    """Names made of a few others, as Aro > Bel > Aro and A-B-A, or that are lists or records of JSON.

    >>> names_in_a_row(["A-B-A", "B-A", "A-A-B"]), names_in_a_row(["a-1", "a-2", "b-1", "b-2"])
    (['A-B-A', 'B-A', 'A-A-B'], [])
    """
    if names and all(re.match(r"\[|\{", n) for n in names):
        return list(names)
    for mark in (r"\s*(?:->|>|\u2192)\s*", r"\s*[|;/]\s*", r",\s*", r"-"):
        parts = [re.split(mark, n) for n in names]
        several = [n for n, p in zip(names, parts, strict=True) if len(p) > 1]
        first, later = {p[0] for p in parts}, {piece for p in parts for piece in p[1:]}
        again = any(len(set(p)) < len(p) for p in parts)  # X-Y, Y-Z may be lines of an airline
        if again and len(several) > max(2, 0.8 * len(names)) and len(first & later) > 0.5 * len(first):
            return several
    return []


def are_alternatives(rows: Rows) -> bool:
    """Whether each brand has one row on every occasion, though no column says which was chosen."""
    columns = rows.columns
    sets = [n for p in CHOICE_SET for n in rows.table.names if re.fullmatch(p, normalized(n)) and n != columns.customer]
    occasion = (*sets, columns.time)[0]
    if columns.chosen or not columns.brand or columns.quantity or columns.start or not occasion:
        return False
    at = np.flatnonzero(rows.keep)
    keys = np.column_stack([rows.column(n)[0][at] for n in (columns.customer, occasion, columns.brand)])
    occasions, brands = len(np.unique(keys[:, :2], axis=0)), len(np.unique(keys[:, 2]))
    return min(brands, occasions) > 1 and len(np.unique(keys, axis=0)) == len(keys) == occasions * brands


def who_is_missing(panel: Panel) -> list[str]:
    """Who is missing from the panel, and what that does to the figures."""
    said = []
    if not panel.members and not panel.provider:
        said.append(
            "Who never buys the category is not in a list of purchases: penetration is among buyers (panel.size=N)."
        )
    bought = np.bincount(panel.hh)
    most = int(bought.argmax())
    if bought[most] > max(MOST_OF_ONE * len(panel.hh), 20 * np.median(bought[bought > 0])):
        who, column = panel.households[most], panel.columns["customer"]
        said.append(
            f"{column} {who} has {bought[most]:,} of {len(panel.hh):,} purchases; if it stands for guests, leave it "
            f"out: panel.filter='{column}!={who}'."
        )
    fewest = int(bought[bought > 0].min())
    if fewest > 1 and not panel.provider and not panel.members:
        said.append(
            f"No household has fewer than {fewest} purchases, so light buyers were left out before this file was "
            "made: the mean and spread of buying (M, K) hold for such households only."
        )
    return said
