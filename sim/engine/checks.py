"""The checked mode, slow and with all checks: STICKINESS_CHECKED=1.

People are stepped one by one, every array index is held to its bounds (`sim.compute.jit`), and after every week all
state is held to its allowed range. The tally is the same to the bit; an impossible value stops the run with its week,
person, field and value.
"""

from collections.abc import Iterator

import numpy as np

from sim.measure.tally import Tally
from sim.model.ages import STAY
from sim.model.state import AWARE, BUYCOTTS, HARMED, INCIDENT, PER_WORD, SWITCHES, People, flag_table, window_counts
from sim.model.timeline import World

UNBOUNDED = float(np.finfo(np.float32).max)


class ImpossibleError(ValueError):
    """A value that no run can produce."""


def check_week(people: People, world: World, tally: Tally, first: int, week: int) -> None:
    """ImpossibleError if any state or count is out of its range at the end of a week.

    `first` is the number of the person in row 0.
    """
    for name, values, low, high in ranges(people, world, week):
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


def ranges(people: People, world: World, week: int) -> Iterator[tuple[str, np.ndarray, float, float]]:
    """(name, values [i] or [i, j], lowest, highest) of all state of people."""
    one, bonds = people.one, people.bonds
    many, scandals = bonds.shape[1], len(world.scandals)
    yield "rate", people.rate, 0, UNBOUNDED
    yield "cell", people.cell, 0, len(world.cells) - 1
    if len(people.left):
        yield "left", people.left, 0, world.ages[:, STAY].max()
    if len(people.price_factor):
        yield "price_factor", people.price_factor, 0, UNBOUNDED
    yield "news", people.news.view(np.uint32), 0, 2**scandals - 1
    yield "attention", one["attention"], 0, 1
    yield "expectation", one["expectation"], -UNBOUNDED, UNBOUNDED
    yield "anchor_height", one["anchor_height"], 0, UNBOUNDED
    yield "seen", one["seen"], -int(world.market["burn_in"][0]), week
    for name in ("last", "home", "anchor"):
        yield name, one[name], -1, many - 1
    noted = world.market["incident_attention"][0] + world.market["incident_recall"][0] > 0
    yield "target", one["target"], int(INCIDENT) if noted else -1, many - 1
    yield "outcome", one["outcome"], 0, 4
    yield "message", one["message"], -many, many
    uses, counts = window_counts(people)
    yield "uses in the window beyond those of the firms", uses - counts.sum(axis=1), 0, 0
    yield from _flags(people, scandals)
    for name, low, high in (
        ("taste", -UNBOUNDED, UNBOUNDED),
        ("memory", -UNBOUNDED, UNBOUNDED),
        ("trust", 0, 1),
        ("habit", 0, 1),
        ("regret", 0, UNBOUNDED),
    ):
        yield f"{name} of firm {{}}", bonds[name], low, high


def _flags(people: People, scandals: int) -> Iterator[tuple[str, np.ndarray, float, float]]:
    """Only people who are aware switch or are harmed, only those who switch buycott; unused slots must be 0."""
    flags = (flag_table(people, flag).astype(np.int8) for flag in (AWARE, SWITCHES, BUYCOTTS, HARMED))
    aware, switches, buycotts, harmed = flags
    for k in range(people.scandal_flags.shape[1] * PER_WORD):
        yield f"flags of scandal {k}, aware", aware[:, k], 0, int(k < scandals)
        for name, flag, cause in (
            ("switches", switches, aware),
            ("harmed", harmed, aware),
            ("buycotts", buycotts, switches),
        ):
            yield f"flags of scandal {k}, {name} without cause", flag[:, k] & ~cause[:, k], 0, 0
