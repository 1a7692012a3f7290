"""Which column is which: names by which panels call their household, time, brand, prices and promotions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.declare import did_you_mean

HOUSEHOLD = (
    *("hh", "hhid", "hh_id", "hid", "household", "household_id", "household_key", "panelist", "panelist_id", "panid"),
    *("panel_id", "customer", "customer_id", "cust", "cust_id", "user", "user_id", "person", "person_id", "member"),
    *("member_id", "shopper", "shopper_id", "client", "client_id", "subscriber", "respondent"),
)
TIME = ("t", "occasion", "time", "timestamp", "datetime", "date", "day", "week", "period", "month")  # the finest first
BRAND = ("choice", "chosen", "brand", "firm", "product", "provider", "company", "supplier", "merchant", "alternative")
BLOCKS = {
    "price": ("price", "prices"),
    "feat": ("feat", "feature", "feature_ad"),
    "disp": ("disp", "display"),
}


@dataclass
class Columns:
    """The names, in the file, of the columns that are used."""

    household: str = ""
    time: str = ""
    brand: str = ""
    brands: tuple[str, ...] = ()  # that have a price, or else a promotion
    blocks: dict[str, list[str]] = field(default_factory=dict)  # price, feat, disp: a column for each of `brands`
    notes: list[str] = field(default_factory=list)


def find(
    names: Sequence[str], household: str | None = None, time: str | None = None, brand: str | None = None
) -> tuple[Columns, list[str]]:
    """The columns of a panel, named or guessed, and what is wrong with them."""
    found, wrong = Columns(), list[str]()
    if len(names) == 1:
        return found, [f"the only column is {names[0]!r}; a panel is a CSV with a household and a brand in each row"]
    found.household = _one("household", names, household, HOUSEHOLD, wrong, ("id",))
    found.brand = _one("brand", names, brand, BRAND, wrong)
    found.time = _time(names, time, wrong, found.notes)
    if found.household and found.household == found.brand:
        wrong.append(f"{found.brand} cannot be both the household and the brand")
    blocks = {kind: _block(names, kind, wrong) for kind in BLOCKS}
    found.brands = tuple(next((b for b in blocks.values() if b), {}))
    for kind, columns in blocks.items():
        if columns:
            lacking = [b for b in found.brands if b not in columns]
            extra = [b for b in columns if b not in found.brands]
            wrong += [f"{kind}_{b}: missing, while other brands have such a column" for b in lacking]
            wrong += [f"{columns[b]}: {b!r} has no price column{did_you_mean(b, found.brands)}" for b in extra]
            found.blocks[kind] = [columns[b] for b in found.brands if b in columns]
    return found, wrong


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _one(
    what: str,
    names: Sequence[str],
    given: str | None,
    usual: tuple[str, ...],
    wrong: list[str],
    weak: tuple[str, ...] = (),
) -> str:
    """The column the user names, or the only one with a usual name; `weak` names count where no other does."""
    if given is not None:
        if given not in names:
            wrong.append(f"{what}={given}: there is no such column{did_you_mean(given, names)}")
        return given
    for known in (usual, weak):
        hits = [name for name in names if _plain(name) in known]
        if len(hits) == 1:
            return hits[0]
        if hits:
            wrong.append(f"{' and '.join(hits)} could each be the {what}; say which, e.g. {what}={hits[0]}")
            return ""
    wrong.append(f"no column names the {what}; {_nearest(names, usual + weak)}say which, e.g. {what}=COLUMN")
    return ""


def _nearest(names: Sequence[str], usual: tuple[str, ...]) -> str:
    import difflib

    for name in names:
        near = difflib.get_close_matches(_plain(name), [u for u in usual if len(u) > 3], 1, 0.75)
        if near:
            return f"did you mean {name} for {near[0]}? "
    return f"the columns are {', '.join(map(repr, names[:8]))}{', ...' if len(names) > 8 else ''}; "


def _time(names: Sequence[str], given: str | None, wrong: list[str], notes: list[str]) -> str:
    if given is not None:
        return _one("time", names, given, TIME, wrong)
    hits = sorted((n for n in names if _plain(n) in TIME), key=lambda n: TIME.index(_plain(n)))
    if len(hits) > 1:
        notes.append(f"Time is taken from the column {hits[0]}, not from {', '.join(hits[1:])}.")
    return hits[0] if hits else ""


def _block(names: Sequence[str], kind: str, wrong: list[str]) -> dict[str, str]:
    """brand: column, for columns like price_heinz, price.heinz or 'Price heinz'."""
    pattern = re.compile(rf"\s*(?:{'|'.join(BLOCKS[kind])})[._\- ](.+)", re.IGNORECASE)
    found: dict[str, str] = {}
    for name in names:
        match = pattern.fullmatch(name)
        if match:
            brand = match[1].strip()
            if brand in found:
                wrong.append(f"{found[brand]} and {name} both are the {kind} of {brand}; keep one")
            found[brand] = name
    return found
