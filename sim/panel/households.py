"""The households of a panel: buyers, members without a purchase, and weights."""

import numpy as np

from sim.panel.occasions import Lines, codes_in_use
from sim.panel.row_set import Rows
from sim.panel.types import BY_PURCHASE, Panel

MOST_HOUSEHOLDS = 20_000_000


def number_households(panel: Panel, rows: Rows, lines: Lines, known: np.ndarray, names: list[str]) -> None:
    """Number the households of a panel whose `hh` is still the code in the file, sorted by name, and add non-buyers.

    `known` are codes of customers, buyers or not, that the file tells of; `panel.size` adds nameless ones.
    """
    nothing = rows.no_purchase is not None and bool(rows.no_purchase.any())
    buyers = codes_in_use(panel.hh)
    some = np.union1d(buyers, codes_in_use(known)) if rows.members or nothing else buyers
    called = np.array([names[i] for i in some], object)
    by = _sorted(called)
    rank = np.empty(len(names) + 1, np.int64)
    rank[some[by]] = np.arange(len(some))
    order = np.argsort(rank[panel.hh], kind="stable")
    panel.hh = rank[panel.hh]
    for name in BY_PURCHASE:
        values = getattr(panel, name)
        setattr(panel, name, None if values is None else values[order])
    panel.households = called[by]
    panel.members = len(some) > len(buyers) or rows.members
    size = rows.options.size
    if size is not None and not len(panel.households) <= size <= MOST_HOUSEHOLDS:
        rows.wrong.append(
            f"panel.size: {size} is not from {len(panel.households)}, the households of the file, "
            f"to {MOST_HOUSEHOLDS:,}"
        )
    elif size is not None:
        panel.households = np.r_[panel.households, np.full(size - len(panel.households), "", object)]
        panel.members = True


def _sorted(names: np.ndarray) -> np.ndarray:
    """Order of the names: as numbers where all are (text decides ties), else as text."""
    texts = names.astype(str)
    if len(texts) and all(t.isascii() and t.isdigit() for t in names) and np.char.str_len(texts).max() < 18:
        return np.lexsort((texts, texts.astype(np.int64)))
    return np.argsort(texts, kind="stable")


def household_weights(rows: Rows, customer_code: np.ndarray, panel: Panel, names: list[str]) -> np.ndarray | None:
    """[H] the weight of each household, where the file has one that is constant within households."""
    name = rows.columns.weight
    if not name:
        return None
    values = rows.numbers(name)
    known = np.isfinite(values) & (customer_code >= 0)
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    np.minimum.at(low, customer_code[known], values[known])
    np.maximum.at(high, customer_code[known], values[known])
    by_name = dict(zip(names, range(len(names)), strict=True))
    place = np.array([by_name.get(h, -1) for h in panel.households])
    weight = np.where(place >= 0, low[place], np.inf)
    usable = np.isfinite(weight[place >= 0]).all() and (weight[place >= 0] > 0).all()
    constant = (high[place] - low[place] <= 1e-9 * np.abs(high[place]))[place >= 0].all()
    if not usable or not constant:
        reason = "differs between the rows of a household" if usable else "is empty or not positive for some households"
        if rows.options.weight is not None:
            rows.wrong.append(f"panel.weight={name}: it {reason}")
        rows.notes.append(f"{name} {reason}, so it is no weight of households; not used.")
        rows.columns.weight = ""
        return None
    rows.notes.append(
        f"Households are weighted by {name} ({weight[place >= 0].min():g} to {weight[place >= 0].max():g}); "
        f"panel.weight=none does not."
    )
    return np.where(place >= 0, weight, weight[place >= 0].mean())
