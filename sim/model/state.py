"""State arrays: one record per person, one per person and firm; and the same fields as the rules read them.

In memory all fields of a person lie together and are small: 33 bytes, 4 more for every 8 scandals and where people
have price weights of their own, and 24 a firm. In
the workspace (`sim.engine.workspace`) each field is an array of 32-bit numbers for up to sixteen people. i is a person
or the sixteen, j a firm.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import config

from sim.compute.bits import bit, with_bit
from sim.compute.jit import inlined
from sim.compute.simd import select

FULL = np.float32(65535)
STEP = np.float32(1 / 65535)
# Parts of `uses` and `count`: uses in this window; used in the one before; of `uses`, changed firm since week 0.
USED, BEFORE, CHANGED = (1 << 14) - 1, 1 << 14, 1 << 15
USES_A_WEEK = 132  # at most: `poisson` at its highest mean and the highest of 2**24 draws
CARRY = 1 << 13  # uses that are carried out of a counter at once; at least one stays
CARRY_WEEKS = (USED - CARRY) // USES_A_WEEK  # after so many no counter that was carried from is full again
LONGEST = 65535
NOBODY, NOTHING, ONCE = np.int32(-1), np.int32(0), np.int32(1)
INCIDENT = np.int32(-2)  # in `target`: no exit is decided, and the last visit was a critical incident
FINE, MINOR, MAJOR, COMPLAINED = np.int32(0), np.int32(1), np.int32(3), np.int32(1)  # outcomes; a complaint adds one
LOWEST_UTILITY = np.float32(-3e38)
AWARE, SWITCHES, BUYCOTTS, HARMED = (np.int64(n) for n in range(4))  # four bits of a scandal in `scandal_flags`
PER_WORD = 8

# Plain Python reads a field as an attribute of np.recarray only; compiled code prefers the plain array.
RECORDS: type = np.recarray if config.DISABLE_JIT else np.ndarray

Counts = npt.NDArray[np.int64]
Rows = int | slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]


class People(NamedTuple):
    """The people of a shard, a row each; their numbers, the addresses of their draws, go up by one from row 0."""

    rate: np.ndarray  # [i] float32, uses/week
    cell: np.ndarray  # [i] uint8, segment x cohort
    news: np.ndarray  # [i] int32, scandals passed on by neighbors and not yet heard of, a bit each
    scandal_flags: np.ndarray  # [i, word] int32, four bits a scandal: AWARE, SWITCHES, BUYCOTTS, HARMED
    one: np.ndarray  # [i] PERSON
    bonds: np.ndarray  # [i, j] BOND
    carried: np.ndarray  # [i, j + 1] uint8, times CARRY was taken out of `uses` (0) or a firm's `count` in this window;
    # [0, j + 1] where no counter can fill
    price_factor: np.ndarray  # [i] float32, own price weight over that of the cell; [0] where it is the cell's
    left: np.ndarray  # [i] int32, weeks left in the cohort, 0 = for good; [0] where nobody grows older


PERSON = np.dtype(
    [
        ("attention", np.float32),
        ("expectation", np.float32),  # CX
        ("anchor_height", np.float32),  # CX above expectation
        ("seen", np.int16),  # week to which decay was last applied
        ("tenure", np.uint16),  # uses since joining the last firm, at most LONGEST
        ("last", np.int8),  # firm used last, or -1
        ("home", np.int8),  # firm used last when the window opened
        ("anchor", np.int8),  # firm or -1
        ("target", np.int8),  # firm of a decided exit not yet carried out, or -1, or INCIDENT
        ("outcome", np.uint8),  # of the last visit
        ("message", np.int8),  # +-(firm + 1), sent in the week of the last visit, 0 = none
        ("uses", np.uint16),  # of the category, in this window, USED; and BEFORE, CHANGED
    ],
    align=True,
)
BOND = np.dtype(
    [
        *((name, np.float32) for name in ("taste", "memory", "trust", "habit", "regret")),
        ("familiarity", np.uint16),  # 65535 = wholly familiar, 0 = never used
        ("count", np.uint16),  # uses in this window, USED; and BEFORE
    ],
    align=True,
)


class Person(NamedTuple):
    """A person, or sixteen, in the workspace: float32 or int32 [i]; `scandal_flags` [word, i], `number` uint32."""

    number: np.ndarray
    rate: np.ndarray
    price_factor: np.ndarray  # read only where market.own_price_weights
    news: np.ndarray
    attention: np.ndarray
    expectation: np.ndarray
    anchor_height: np.ndarray
    scandal_flags: np.ndarray
    seen: np.ndarray
    tenure: np.ndarray
    last: np.ndarray
    home: np.ndarray
    anchor: np.ndarray
    target: np.ndarray
    outcome: np.ndarray
    message: np.ndarray
    uses: np.ndarray
    # What happened in the present visit or week, for the tally to count; 0 or 1, or a firm, or -1 for none.
    provoked: np.ndarray
    left: np.ndarray  # firm used before
    joined: np.ndarray  # firm used now
    served: np.ndarray  # uses at the firm used before, since joining it
    past: np.ndarray  # outcome of the visit before
    first_look: np.ndarray  # firm considered first
    chosen: np.ndarray  # firm decided for
    captive: np.ndarray  # 1 = kept by switching cost alone
    satisfied: np.ndarray
    said: np.ndarray  # +-(firm + 1)
    better: np.ndarray  # would leave (1), another firm is better by more than half a logit (2)
    just_heard: np.ndarray  # scandals first heard of this week, a bit each
    acting: np.ndarray  # of these, acted on
    backing: np.ndarray  # of these, answered by buying more
    outlives: np.ndarray  # 1 = passes the bound of the last cohort at the end of this week


class Bonds(NamedTuple):
    """State of a person, or sixteen, toward each firm, in the workspace: float32 or int32 [j, i]."""

    taste: np.ndarray
    memory: np.ndarray
    trust: np.ndarray
    habit: np.ndarray
    regret: np.ndarray
    familiarity: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # not the method of tuples
    considered: np.ndarray  # 1 = considered in this use
    recall_strength: np.ndarray  # how strongly it comes to mind
    shock: np.ndarray  # random part of utility


def records(shape: int | tuple[int, ...], kind: npt.DTypeLike) -> np.ndarray:
    """An array of zeroed records whose fields the rules can read, compiled or not."""
    return np.zeros(shape, np.dtype(kind, align=True)).view(RECORDS)


def make_people(
    many: int,
    firms: int,
    scandals: int = 0,
    carried: npt.DTypeLike | None = None,
    price_weights: bool = False,
    ages: bool = False,
) -> People:
    """Zeroed rows for `many` people; `carried` is an integer type, for windows whose uses may fill a counter.

    `price_weights` is whether they have price weights of their own, `ages` whether they grow older.
    """
    return People(
        np.zeros(many, np.float32),
        np.zeros(many, np.uint8),
        np.zeros(many, np.int32),
        np.zeros((many, -(-scandals // PER_WORD)), np.int32),
        records(many, PERSON),
        records((many, firms), BOND),
        np.zeros((0 if carried is None else many, firms + 1), carried or np.uint8),
        np.ones(many if price_weights else 0, np.float32),
        np.zeros(many if ages else 0, np.int32),
    )


def with_scandal_slots(people: People, scandals: int) -> People:
    """The people with flags for so many scandals, or as they are if they have enough."""
    more = max(0, -(-scandals // PER_WORD) - people.scandal_flags.shape[1])
    return people._replace(scandal_flags=np.pad(people.scandal_flags, ((0, 0), (0, more)))) if more else people


def flag_table(people: People, what: np.int64) -> np.ndarray:
    """[i, k] bool, the flag `what` of each scandal: AWARE, SWITCHES, BUYCOTTS or HARMED."""
    bits = np.arange(PER_WORD) * 4 + what
    return np.asarray((people.scandal_flags.astype(np.int64)[..., None] >> bits & 1) == 1).reshape(len(people.rate), -1)


def window_counts(people: People, rows: Rows = slice(None)) -> tuple[Counts, Counts]:
    """Uses in the open window, int64, of the category [i] and of each firm [i, j]."""
    uses = (people.one["uses"][rows] & USED).astype(np.int64)
    counts = (people.bonds["count"][rows] & USED).astype(np.int64)
    if len(people.carried):
        carried = people.carried[rows].astype(np.int64) * CARRY
        uses, counts = uses + carried[..., 0], counts + carried[..., 1:]
    return uses, counts


def as_int32(rows: np.ndarray) -> np.ndarray:
    """Records as int32 words, row after row, the same memory."""
    return rows.view(np.ndarray).reshape(-1).view(np.int32)


@inlined
def carry(people, row):
    """Take CARRY uses out of each of a person's counters that holds more."""
    person, bonds, carried = people.one[row], people.bonds[row], people.carried
    if (person.uses & USED) > CARRY:
        person.uses = person.uses - CARRY
        carried[row, 0] = carried[row, 0] + 1
    for j in range(bonds.shape[0]):
        if (bonds[j].count & USED) > CARRY:
            bonds[j].count = bonds[j].count - CARRY
            carried[row, j + 1] = carried[row, j + 1] + 1


@inlined
def in_window(counter, carried, row, column):
    """Uses in the window: those in a counter and those carried out of it."""
    uses = np.int64(counter & USED)
    if carried.shape[0] > 0:
        uses += CARRY * np.int64(carried[row, column])
    return uses


@inlined
def pick(values, j, i):
    """Each person's value at their own firm j."""
    found = values[0, i]
    for k in range(1, values.shape[0]):
        found = select(j == k, values[k, i], found)
    return found


@inlined
def has_flag(person, k, what, i):
    """Whether the flag `what` of scandal k is set: AWARE, SWITCHES, BUYCOTTS or HARMED."""
    return bit(person.scandal_flags[k // PER_WORD, i], 4 * (k % PER_WORD) + what)


@inlined
def set_flag(person, k, what, when, i):
    """Set the flag `what` of scandal k where `when` is true."""
    word = person.scandal_flags[k // PER_WORD, i]
    person.scandal_flags[k // PER_WORD, i] = select(when, with_bit(word, 4 * (k % PER_WORD) + what), word)
