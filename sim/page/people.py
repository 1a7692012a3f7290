"""What the page reads of the people: arrays in the order of person numbers. No other file here knows their rows."""

from itertools import pairwise

import numpy as np

from sim.measure.tally import FOLDS, Array
from sim.mesa import Market
from sim.model.state import AWARE, SWITCHES, flag_table

LOOKED_AT = 100_000  # people of whom mean trust is taken


def _of(market: Market, name: str) -> Array:
    return np.asarray(market.shard.people.one[name])


def last(market: Market) -> Array:
    """[i] the firm used last, -1 for nobody."""
    return _of(market, "last")


def customers(market: Market) -> tuple[Array, Array]:
    """[g, j] people whose last use was at the firm, and [g] how many there are, by group of people."""
    at = last(market)
    edges = np.unique(np.arange(FOLDS + 1) * len(at) // FOLDS)
    counts = [np.bincount(at[a:b] + 1, minlength=len(market.firms) + 1)[1:] for a, b in pairwise(edges)]
    return np.array(counts), np.diff(edges)


def movers(market: Market, twin: Market) -> Array:
    """[j] people whose last use was at the firm in one of two worlds only."""
    here, there = last(market), last(twin)
    differ = here != there
    both = np.concatenate([here[differ], there[differ]])
    return np.bincount(both + 1, minlength=len(market.firms) + 1)[1:]


def cell(market: Market) -> Array:
    """[i] segment and cohort."""
    return np.asarray(market.shard.people.cell)


def anchored(market: Market) -> Array:
    """[i] whether a service anchor acts on them."""
    return (_of(market, "anchor") >= 0) & (_of(market, "anchor_height") > 0.5)


def trust_and_habit(market: Market) -> tuple[Array, Array]:
    """[i], [i] in the firm used last; meaningless for those who have used none."""
    bonds = market.shard.people.bonds
    here = bonds[np.arange(len(bonds)), np.maximum(last(market), 0)]
    return np.asarray(here["trust"]), np.asarray(here["habit"])


def mean_trust(market: Market) -> Array:
    """[cell, j] mean trust in every firm, of so many people; nan in a cell without people."""
    every = max(1, len(last(market)) // LOOKED_AT)
    trust, of = market.shard.people.bonds["trust"][::every], cell(market)[::every]
    many = np.bincount(of, minlength=len(market.cells))
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = [np.bincount(of, weights=trust[:, j], minlength=len(many)) for j in range(trust.shape[1])]
        return np.array(sums).T / many[:, None]


def person(market: Market, number: int) -> dict[str, str]:
    """Who somebody is, in words."""
    people = market.shard.people
    one, bonds = people.one[number], people.bonds[number]
    segment, cohort = market.cells[people.cell[number]]
    at = int(one["last"])
    said = {"person": f"{number:,}", "segment": plain(segment), "uses": _name(market, at)}
    if cohort != "all":
        said["age"] = plain(cohort)
    if at >= 0:
        said["trust in it"] = f"{float(bonds[at]['trust']):.2f}"
        said["habit"] = f"{float(bonds[at]['habit']):.2f}"
        said["uses since joining"] = f"{int(one['tenure'])}"
    if market.shard.scenario.market.regime == "repertoire":
        said["buys"] = f"{float(people.rate[number]) * 52:.1f} times a year"
    if one["anchor"] >= 0 and one["anchor_height"] > 0:
        said["anchored at"] = f"{_name(market, int(one['anchor']))} ({float(one['anchor_height']):.1f} CX)"
    heard, acts = (
        [plain(n) for n, true in zip(market.scandals, flag_table(people, what)[number], strict=False) if true]
        for what in (AWARE, SWITCHES)
    )
    said["has heard of"] = ", ".join(heard) or "no scandal"
    return said | ({"acts on": ", ".join(acts)} if acts else {})


def uses(market: Market, number: int) -> str:
    """The firm somebody used last, in words."""
    return _name(market, int(last(market)[number]))


def _name(market: Market, j: int) -> str:
    return title(market.firms[j]) if j >= 0 else "nobody yet"


def plain(name: str) -> str:
    """A name in words: without underscores, and without the week that tells events apart."""
    stem, _, week = name.rpartition("_w")
    return (stem if stem and week.replace("_", "").isdigit() else name).replace("_", " ")


def title(name: str) -> str:
    """The name of a firm as it is shown: without vowels it is short for something."""
    return plain(name).title() if set("aeiouy") & set(name.lower()) else plain(name).upper()
