"""What the page reads of the state arrays, in the order of person numbers. Only this file knows their fields."""

from itertools import pairwise

import numpy as np

from sim.measure.tally import Array
from sim.mesa import Market
from sim.model.state import AWARE, SWITCHES, flag_table
from sim.page.names import in_words, title

SAMPLE = 100_000  # people over whom mean trust is taken


def _of(market: Market, name: str) -> Array:
    return np.asarray(market.people.one[name])


def last(market: Market) -> Array:
    """[i] the firm used last, -1 for none."""
    return _of(market, "last")


def customers_by_fold(market: Market) -> tuple[Array, Array]:
    """[g, j] people whose last use was at the firm, and [g] all people, by jackknife fold."""
    at = last(market)
    edges = np.asarray(market.shard.edges)
    counts = [np.bincount(at[a:b] + 1, minlength=len(market.firms) + 1)[1:] for a, b in pairwise(edges)]
    return np.array(counts), np.diff(edges)


def movers(market: Market, twin: Market) -> Array:
    """[j] people whose last use was at the firm in the market or in its twin, but not in both."""
    here, there = last(market), last(twin)
    differ = here != there
    both = np.concatenate([here[differ], there[differ]])
    return np.bincount(both + 1, minlength=len(market.firms) + 1)[1:]


def cell(market: Market) -> Array:
    """[i] segment and cohort."""
    return np.asarray(market.people.cell)


def anchored(market: Market) -> Array:
    """[i] whether a service anchor acts on the person."""
    return (_of(market, "anchor") >= 0) & (_of(market, "anchor_height") > 0.5)


def trust_and_habit(market: Market) -> tuple[Array, Array]:
    """[i], [i] trust and habit at the firm used last; without meaning for people who have used none."""
    bonds = market.people.bonds
    here = bonds[np.arange(len(bonds)), np.maximum(last(market), 0)]
    return np.asarray(here["trust"]), np.asarray(here["habit"])


def mean_trust(market: Market) -> Array:
    """[cell, j] mean trust in each firm; nan in a cell without people."""
    every = max(1, len(last(market)) // SAMPLE)
    trust, of = market.people.bonds["trust"][::every], cell(market)[::every]
    sizes = np.bincount(of, minlength=len(market.cells))
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = [np.bincount(of, weights=trust[:, j], minlength=len(sizes)) for j in range(trust.shape[1])]
        return np.array(sums).T / sizes[:, None]


def person(market: Market, number: int) -> dict[str, str]:
    """A person in words: label and value."""
    people = market.people
    one, bonds = people.one[number], people.bonds[number]
    segment, cohort = market.cells[people.cell[number]]
    at = int(one["last"])
    found = {"person": f"{number:,}", "segment": in_words(segment), "last used": _name(market, at)}
    if cohort != "all":
        found["age"] = in_words(cohort)
    if at >= 0:
        found["trust in it"] = f"{float(bonds[at]['trust']):.2f}"
        found["habit"] = f"{float(bonds[at]['habit']):.2f}"
        found["uses since joining"] = f"{int(one['tenure'])}"
    if market.scenario_now.market.regime == "repertoire":
        found["buys"] = f"{float(people.rate[number]) * 52:.1f} times a year"
    if one["anchor"] >= 0 and one["anchor_height"] > 0:
        found["service anchor"] = f"{_name(market, int(one['anchor']))} ({float(one['anchor_height']):.1f} CX)"
    heard, acts = (
        [in_words(n) for n, true in zip(market.scandals, flag_table(people, what)[number], strict=False) if true]
        for what in (AWARE, SWITCHES)
    )
    found["has heard of"] = ", ".join(heard) or "no scandal"
    return found | ({"acts on": ", ".join(acts)} if acts else {})


def firm_used(market: Market, number: int) -> str:
    """The firm that a person used last, in words."""
    return _name(market, int(last(market)[number]))


def _name(market: Market, j: int) -> str:
    return title(market.firms[j]) if j >= 0 else "none yet"
