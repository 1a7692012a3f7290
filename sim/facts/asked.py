"""What people would say and do if all were asked now: the rules themselves, put to everybody on one day."""

from typing import NamedTuple

import numpy as np

from sim.draws import FIRST, entry
from sim.facts.worlds import Lived
from sim.metrics import Array
from sim.person import HEARD, lay, make_desk, open_story, sit_down, words
from sim.rules import appeal, choose, consider, pressure
from sim.world import make_world


class Search(NamedTuple):
    """Of each person: the firm looked at first, how many are looked at, and which is chosen."""

    first: Array
    looks: Array
    best: Array


@entry
def _worth(people, ones, twos, world, t, worths, losses, desk):
    me, m, i = desk.me, world.market[0], 0
    for row in range(worths.shape[0]):
        lay(desk, i, row)
        sit_down(desk, ones, twos, i)
        open_story(desk, people.story, 1)
        c = world.traits[people.cell[row]]
        for j in range(worths.shape[1]):
            worths[row, j] = appeal(me, desk.bonds, m, c, world.firms[t, j], j, i)
            losses[row, j] = pressure(me, c, world.scandals, world.blame, world.echo[t], j, HEARD, i)


@entry
def _search(people, ones, twos, world, key, t, found, desk):
    me, bonds, m, firms, i = desk.me, desk.bonds, world.market[0], world.firms[t], 0
    for row in range(found.shape[0]):
        lay(desk, i, row)
        me.number[i] = row
        sit_down(desk, ones, twos, i)
        open_story(desk, people.story, 1)
        c = world.traits[people.cell[row]]
        for j in range(firms.shape[0]):
            bonds.looked[j, i] = 0
        first = consider(me, bonds, m, c, firms, True, key, t, FIRST, i)
        best, _ = choose(me, bonds, m, c, firms, world.scandals, world.blame, world.echo[t], key, t, FIRST, i)
        found[row, 0], found[row, 2] = first, best
        for j in range(firms.shape[0]):
            found[row, 1] += bonds.looked[j, i]


def worth(lived: Lived, week: int) -> tuple[Array, Array]:
    """[i, j] what each firm is worth to each person, and what the scandals heard of take from it, in what one says."""
    people, world = lived.people[week], make_world(lived.scenario)
    worths, losses = (np.zeros(people.bonds.shape, np.float32) for _ in range(2))
    desk = make_desk(len(lived.scenario.firms), len(world.scandals))
    _worth(people, words(people.one), words(people.bonds), world, week, worths, losses, desk)
    return worths, losses


def search(lived: Lived, week: int) -> Search:
    """Everybody looks around now."""
    people, world = lived.people[week], make_world(lived.scenario)
    found, desk = np.zeros((len(people.one), 3), np.int64), make_desk(len(lived.scenario.firms), len(world.scandals))
    key = lived.scenario.seed, 0
    _search(people, words(people.one), words(people.bonds), world, key, week, found, desk)
    return Search(*found.T)
