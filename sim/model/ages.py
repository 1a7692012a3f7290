"""Ages: people grow older, and move from cohort to cohort.

In week 0 the ages of a cohort's people are spread evenly over its years (`cohorts.NAME.years`), by a draw at birth.
From then on they grow older week by week, and at the end of the week in which they pass its bound they move on to the
next cohort, in the order in which cohorts are declared: its traits apply, and they are counted in the one they are in.
Who passes the bound of the last one leaves, and a newcomer without a past begins in the first; where nobody leaves
(`mechanisms.turnover` off), or the last has no years, they stay. So ages keep their law if weights are as years, and a
person's cohort in a week depends on nothing but seed and number. A newcomer by turnover is as old as who has left.
"""

import numpy as np
import numpy.typing as npt

from sim.compute.jit import inlined
from sim.compute.random import FIRST, Purpose, random_bits, uniform
from sim.model.draws import beta
from sim.model.fields import Scenario

WEEKS_A_YEAR = 52
STAY, NEXT = 0, 1  # columns: weeks that people are in a cell, 0 = for good; the cell that follows


def stages(s: Scenario, off: list[str]) -> npt.NDArray[np.int64]:
    """[s, column] STAY and NEXT of each cell; [0, 0] where nobody grows older. `off` are mechanisms."""
    cohorts = list(s.cohorts.values())
    stay = [max(1, round(c.years * WEEKS_A_YEAR)) if c.years > 0 else 0 for c in cohorts]
    if "turnover" in off:
        stay[-1] = 0
    if not any(stay):
        return np.zeros((0, 0), np.int64)
    many = len(cohorts)
    return np.array([(stay[c], g * many + (c + 1) % many) for g in range(len(s.segments)) for c in range(many)])


@inlined
def weeks_left(world, key, number, s):
    """The weeks that a person has left in cell s from week 0 on, of those that people are in it."""
    stay = world.ages[s, STAY]
    u = uniform(random_bits(key, Purpose.CELL, number, FIRST, FIRST)[1])
    return min(stay, 1 + np.int64(u * np.float32(stay)))


@inlined
def outlives(people, world, row, week):
    """1 for a person who passes the bound of the last cohort at the end of a week, else 0."""
    if people.left.shape[0] == 0 or week < 0 or people.left[row] != 1:
        return np.int32(0)
    return np.int32(world.ages[people.cell[row], NEXT] <= people.cell[row])


@inlined
def grow_older(people, world, tally, key, number, g, row):
    """The end of a week for a person's age; who moves on to another cell has its traits, and counts in it.

    The rate of use is what it was relative to that of the cell; attention is drawn anew, from the same draws, where the
    cells differ in it.
    """
    left = people.left[row]
    if left == 0:
        return
    people.left[row] = left - 1
    if left > 1:
        return
    old, new = np.int64(people.cell[row]), world.ages[people.cell[row], NEXT]
    people.cell[row] = new
    people.left[row] = world.ages[new, STAY]
    tally.people[g, old] += -1
    tally.people[g, new] += 1
    before, now = world.traits[old], world.traits[new]
    people.rate[row] = people.rate[row] * (now.rate / before.rate)
    if now.attention != before.attention:
        person, concentration = people.one[row], world.market[0].attention_concentration
        person.attention = beta(now.attention, concentration, key, Purpose.ATTENTION, number, FIRST, FIRST)
