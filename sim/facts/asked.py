"""What people would say and do if all were asked now: the rules themselves, put to everybody on one day."""

from typing import NamedTuple

import numpy as np

from sim.draws import rule
from sim.facts.worlds import Lived
from sim.metrics import Array
from sim.rules import appeal, choose, consider, pressure
from sim.world import make_world


class Search(NamedTuple):
    """Of each person: the firm looked at first, how many are looked at, and which is chosen."""

    first: Array
    looks: Array
    best: Array


@rule
def _worth(people, world, t, worths, losses):
    m = world.market[0]
    for i in range(people.one.shape[0]):
        me = people.one[i]
        c = world.traits[me.cell]
        for j in range(worths.shape[1]):
            worths[i, j] = appeal(me, people.bonds[i, j], m, c, world.firms[t, j], j)
            losses[i, j] = pressure(me, c, world.scandals, world.blame, world.echo[t], j, me.heard)


@rule
def _search(people, world, key, t, found):
    m, firms = world.market[0], world.firms[t]
    for i in range(people.one.shape[0]):
        me, bonds = people.one[i], people.bonds[i]
        c = world.traits[me.cell]
        first, looked = consider(me, bonds, m, c, firms, key, t, 0)
        best, _ = choose(me, bonds, m, c, firms, world.scandals, world.blame, world.echo[t], key, t, 0, looked)
        found[i, 0], found[i, 2] = first, best
        for j in range(firms.shape[0]):
            found[i, 1] += (looked >> j) & 1


def worth(lived: Lived, week: int) -> tuple[Array, Array]:
    """[i, j] what each firm is worth to each person, and what the scandals heard of take from it, in what one says."""
    people, world = lived.people[week], make_world(lived.scenario)
    worths, losses = (np.zeros(people.bonds.shape, np.float32) for _ in range(2))
    _worth(people, world, week, worths, losses)
    return worths, losses


def search(lived: Lived, week: int) -> Search:
    """Everybody looks around now."""
    people, world = lived.people[week], make_world(lived.scenario)
    found = np.zeros((len(people.one), 3), np.int64)
    _search(people, world, (lived.scenario.seed, 0), week, found)
    return Search(*found.T)
