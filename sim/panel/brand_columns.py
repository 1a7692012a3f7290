"""Finds columns of prices, features and displays, one for every brand."""

import re
from collections.abc import Sequence

from sim.model.declare import did_you_mean
from sim.panel.column_finder import Columns, Finder
from sim.panel.vocabulary import normalized

BLOCKS = {
    "price": ("price", "prices", "preis", "prijs", "prix", "precio", "preco", "prezzo", "cost", "fare"),
    "feat": ("feat", "feature", "feature_ad"),
    "disp": ("disp", "display"),
}
SHORT = {"price": "p|pr|prc"}  # the same where what follows is a brand
AVAILABLE = re.compile(r"(?:av|avail|available|availability)[._\- ](.+)|(.+)[._\- ](?:av|avail)", re.IGNORECASE)
MISSING = ("97", "98", "99", "997", "998", "999")
NO_BRAND_CODES = ("0", *(str(-n) for n in range(1, 10)), *MISSING)  # that nothing was bought, beside 1, 2, ..
LIKE_BRAND = 1 / 3  # of the distinct brands must have a price column for such columns to be prices of brands


def name_codes(finder: Finder, brand: str) -> None:
    """Choices numbered as the columns of prices are ordered, from 1 or from 0 on, get the names of these.

    Codes of `nothing bought`, such as 0 beside 1, 2, .. or 99, stay as they are.
    """
    import pandas as pd

    texts = finder.texts(brand)
    columns = list(block(finder.unused(), "price")[0])
    if len(columns) < 2 or set(columns) & set(texts) or not all(re.fullmatch(r"-?\d+", t) for t in texts):
        return
    from_0 = (min(map(int, texts)), max(map(int, texts))) == (0, len(columns) - 1)
    nothing = set() if from_0 else set(NO_BRAND_CODES) | set(finder.options.none)
    codes = [int(t) for t in texts if t not in nothing]
    if codes and min(codes) == 1 and max(codes) == len(columns) + 1 and "no" not in finder.options.none:
        finder.wrong.append(
            f"{brand}: {max(codes)} has no column of prices, while 1 to {len(columns)} have: if it means that nothing "
            f"was bought, say panel.none={max(codes)}; panel.none=no says that it is a brand"
        )
    first = 0 if from_0 else 1
    if not codes or min(codes) < first or max(codes) >= first + len(columns):
        return
    cells, names = finder.table.cells[brand], [t if t in nothing else columns[int(t) - first] for t in texts]
    finder.table.cells[brand] = pd.Categorical.from_codes(cells.codes, pd.Index(names, dtype=object))
    shown = ", ".join(f"{first + j} is {name}" for j, name in enumerate(columns[:3]))
    finder.notes.append(
        f"{brand} is numbered as the columns of prices are ordered: {shown}{', ..' if len(columns) > 3 else ''}."
    )


def find_blocks(finder: Finder, found: Columns) -> None:
    name_codes(finder, found.brand)
    bought = finder.texts(found.brand)
    blocks: dict[str, dict[str, str]] = {}
    for kind in BLOCKS:
        columns, twice = block(finder.unused(), kind, bought)
        of_brands = [b for b in columns if b in bought]
        if len(of_brands) >= max(1, LIKE_BRAND * min(len(bought), len(columns))):
            blocks[kind] = columns
            finder.wrong += twice
        elif columns:
            shown = ", ".join(list(columns.values())[:4])
            finder.notes.append(f"{shown}: left aside, as no brand is called {', '.join(list(columns)[:4])}.")
    first = next((b for b in blocks.values() if b), {})
    found.brands = tuple(b for b in first if b in bought or all(b in other for other in blocks.values()))
    for kind, columns in blocks.items():
        lacking = [b for b in found.brands if b not in columns]
        extra = [b for b in columns if b not in found.brands]
        finder.wrong += [f"{kind}_{b}: missing, while other brands have such a column" for b in lacking]
        finder.wrong += [f"{columns[b]}: {b!r} has no price column{did_you_mean(b, found.brands)}" for b in extra]
        found.blocks[kind] = [columns[b] for b in found.brands if b in columns]
        finder.taken += found.blocks[kind]
    available = [n for n in finder.unused() if AVAILABLE.fullmatch(n) and "0" in finder.texts(n)]
    if len(available) > 0 and len(bought) > 1:
        finder.notes.append(
            f"{', '.join(available[:4])}: not used; every brand counts as one that could have been chosen every time."
        )


def block(names: Sequence[str], kind: str, bought: Sequence[str] = ()) -> tuple[dict[str, str], list[str]]:
    """brand: column, for columns like price_heinz, price.heinz or 'Price heinz'; and brands that have two.

    With the brands `bought`, also p_heinz and heinz_price; names that differ from these in capitals and signs are
    taken for them.
    """
    words = "|".join(BLOCKS[kind])
    usual = re.compile(rf"\s*(?:{words})[._\- ](.+)", re.IGNORECASE)
    other = re.compile(rf"\s*(?:(?:{SHORT.get(kind, words)})[._\- ](.+)|(.+)[._\- ](?:{words}))\s*", re.IGNORECASE)
    joined = re.compile(rf"(?:{words})(.+)", re.IGNORECASE)  # priceHeinz, only of what is bought
    called = {normalized(b): b for b in bought if normalized(b)}
    found: dict[str, str] = {}
    twice: list[str] = []
    for pattern in (usual, other, joined):
        matches = {n: m for n in names if (m := pattern.fullmatch(n))}
        brands = {n: (m[1] or m[m.lastindex or 1]).strip() for n, m in matches.items()}
        brands = {n: b if b in bought else called.get(normalized(b), b) for n, b in brands.items()}
        if pattern is joined:
            brands = {n: b for n, b in brands.items() if b in bought}
        if pattern is not usual and (found or not set(brands.values()) & set(bought)):
            continue
        for name, brand in brands.items():
            if brand in found:
                twice.append(f"{found[brand]} and {name} both are the {kind} of {brand}; keep one")
            found[brand] = name
    return found, twice


def block_names(names: Sequence[str]) -> list[str]:
    """The brands that have a column price_<brand>."""
    return list(block(names, "price")[0])
