"""The checked mode: slow and loud. STICKINESS_CHECKED=1 has people live one by one, every index of every array held to
its bounds (`draws`), and after every week everything that is known of everybody held to what it may be.

The tally is the same to the bit; a value that cannot be stops the run with its week, person, field and value.
"""

from collections.abc import Iterator

import numpy as np

from sim.measure.tally import Tally
from sim.model.state import AWARE, BUYCOTTS, HARMED, PER_WORD, SWITCHES, People, flag_table, window_counts
from sim.model.timeline import World

UNBOUNDED = float(np.finfo(np.float32).max)


class ImpossibleError(ValueError):
    """Something is what it cannot be."""


def check_week(people: People, world: World, tally: Tally, first: int, week: int) -> None:
    """ImpossibleError if anybody, or a count, is not what they may be at the end of a week.

    `first` is the number of the person in row 0.
    """
    for name, values, low, high in facts(people, world, week):
        wrong = ~((values >= low) & (values <= high))  # NaN is neither
        if wrong.any():
            row, *firm = (int(n) for n in np.argwhere(wrong)[0])
            where = name.format(*firm)
            value, others = values[(row, *firm)], int(wrong.sum()) - 1
            raise ImpossibleError(
                f"week {week}, person {first + row}: {where} is {value}, may be {low:g} to {high:g}"
                + (f"; so are {others} more" if others else "")
            )
    for name, counts in zip(Tally._fields, tally, strict=True):
        if counts.min(initial=0) < 0:
            place = tuple(int(n) for n in np.argwhere(counts < 0)[0])
            raise ImpossibleError(f"week {week}: tally.{name}{list(place)} is {counts[place]}, may not be below 0")


def facts(people: People, world: World, week: int) -> Iterator[tuple[str, np.ndarray, float, float]]:
    """(name, values [i] or [i, j], lowest, highest) of all that is known of people; J firms, K scandals."""
    one, bonds = people.one, people.bonds
    many, scandals = bonds.shape[1], len(world.scandals)
    yield "rate", people.rate, 0, UNBOUNDED
    yield "cell", people.cell, 0, len(world.cells) - 1
    yield "news", people.news.view(np.uint32), 0, 2**scandals - 1
    yield "attention", one["attention"], 0, 1
    yield "expectation", one["expectation"], -UNBOUNDED, UNBOUNDED
    yield "anchor_height", one["anchor_height"], 0, UNBOUNDED
    yield "seen", one["seen"], -int(world.market["burn_in"][0]), week
    for name in ("last", "home", "anchor", "target"):
        yield name, one[name], -1, many - 1
    yield "outcome", one["outcome"], 0, 4
    yield "message", one["message"], -many, many
    uses, counts = window_counts(people)
    yield "uses in the window beyond those of the firms", uses - counts.sum(axis=1), 0, 0
    yield from _story(people, scandals)
    for name, low, high in (
        ("taste", -UNBOUNDED, UNBOUNDED),
        ("memory", -UNBOUNDED, UNBOUNDED),
        ("trust", 0, 1),
        ("habit", 0, 1),
        ("regret", 0, UNBOUNDED),
    ):
        yield f"{name} of firm {{}}", bonds[name], low, high


def _story(people: People, scandals: int) -> Iterator[tuple[str, np.ndarray, float, float]]:
    """Only who has heard acts or was harmed, only who acts buys more, and nobody of a scandal that there is not."""
    heard, acts, backs, harmed = (
        flag_table(people, what).astype(np.int8) for what in (AWARE, SWITCHES, BUYCOTTS, HARMED)
    )
    for k in range(people.scandal_flags.shape[1] * PER_WORD):
        yield f"story of scandal {k}, heard", heard[:, k], 0, int(k < scandals)
        for name, what, only in (("acting", acts, heard), ("harmed", harmed, heard), ("backing", backs, acts)):
            yield f"story of scandal {k}, {name} without cause", what[:, k] & ~only[:, k], 0, 0
