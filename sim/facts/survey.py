"""What people would say and do if all were asked in one week: the rules themselves, applied to everybody."""

from typing import NamedTuple

import numpy as np

from sim.compute.jit import entry_point, inlined
from sim.compute.random import FIRST
from sim.engine.workspace import gather, gather_flags, make_workspace, set_row
from sim.facts.runs import FactRun
from sim.measure.estimates import Array
from sim.model.rules import choose, consider
from sim.model.rules.choose import scandal_disutility, systematic_utility
from sim.model.state import AWARE, as_int32
from sim.model.timeline import Published, make_world, publish


@inlined
def at_week(public, week):
    """The same, with the draws of another week."""
    return Published(
        public.market,
        public.traits,
        public.care,
        public.firms,
        public.failures,
        public.scandals,
        public.attribution,
        public.news_exposure,
        public.salience,
        public.key,
        week,
    )


class Search(NamedTuple):
    """Of each person, [i]: the firm considered first, how many are considered, and which is chosen."""

    first: Array
    consideration_size: Array
    best: Array


@entry_point
def _utilities(people, person_words, bond_words, world, t, values, losses, workspace):
    person, i = workspace.person, 0
    for row in range(values.shape[0]):
        set_row(workspace, i, row)
        gather(workspace, person_words, bond_words, i)
        gather_flags(workspace, people.scandal_flags, 1)
        public = publish(world, (0, 0), t - 1, people.cell[row])
        for j in range(values.shape[1]):
            values[row, j] = systematic_utility(person, workspace.bonds, public, j, i)
            losses[row, j] = scandal_disutility(person, public, j, AWARE, i)


@entry_point
def _search(people, person_words, bond_words, world, key, t, found, workspace):
    person, bonds, i = workspace.person, workspace.bonds, 0
    for row in range(found.shape[0]):
        set_row(workspace, i, row)
        person.number[i] = row
        gather(workspace, person_words, bond_words, i)
        gather_flags(workspace, people.scandal_flags, 1)
        before = publish(world, key, t - 1, people.cell[row])
        public = at_week(before, t)
        for j in range(bonds.considered.shape[0]):
            bonds.considered[j, i] = 0
        first = consider(person, bonds, public, True, FIRST, i)
        best, _ = choose(person, bonds, public, FIRST, i)
        found[row, 0], found[row, 2] = first, best
        for j in range(bonds.considered.shape[0]):
            found[row, 1] += bonds.considered[j, i]


def utilities(run: FactRun, week: int) -> tuple[Array, Array]:
    """Systematic utility and scandal disutility of each firm for each person, [i, j], in stated intentions."""
    people, world = run.people[week], make_world(run.scenario)
    values, losses = (np.zeros(people.bonds.shape, np.float32) for _ in range(2))
    workspace = make_workspace(len(run.scenario.firms), len(world.scandals))
    _utilities(people, as_int32(people.one), as_int32(people.bonds), world, week, values, losses, workspace)
    return values, losses


def search(run: FactRun, week: int) -> Search:
    """Everybody deliberates now."""
    people, world = run.people[week], make_world(run.scenario)
    found = np.zeros((len(people.one), 3), np.int64)
    workspace = make_workspace(len(run.scenario.firms), len(world.scandals))
    key = run.scenario.seed, 0
    _search(people, as_int32(people.one), as_int32(people.bonds), world, key, week, found, workspace)
    return Search(*found.T)
