"""The SIMD workspace: state of up to sixteen people, gathered from their rows and scattered back."""

from typing import NamedTuple

import numpy as np

from sim.compute.bits import fma, high16, low16, pack16, shl_i32, shr_i32, signed_byte, to_float, to_int
from sim.compute.jit import inlined
from sim.compute.memory import gather4, scatter4
from sim.compute.random import HALF
from sim.compute.simd import WIDTH
from sim.model.state import BOND, FULL, PER_WORD, PERSON, STEP, Bonds, Person

IN_WORDS = ("attention", "expectation", "anchor_height")  # fields that are a word of PERSON, the first three


class Workspace(NamedTuple):
    """The fields of up to WIDTH people and their bonds, and the words of their rows as they are in memory."""

    person: Person
    bonds: Bonds
    one: np.ndarray  # int32 [words of PERSON, WIDTH]
    two: np.ndarray  # int32 [words of BOND x firms, WIDTH]
    rows: np.ndarray  # int32 [WIDTH] the rows that are loaded
    starts: np.ndarray  # int64 [2, WIDTH] where their words begin, of PERSON and of BOND


def make_workspace(firms: int, scandals: int) -> Workspace:
    """A workspace of zeros; every line begins on a multiple of the width of a vector register."""
    bond_size, person_words = BOND.itemsize // 4, PERSON.itemsize // 4
    own = [name for name in Person._fields if name not in IN_WORDS and name != "scandal_flags"]
    more = {
        "scandal_flags": -(-scandals // PER_WORD),
        **dict.fromkeys(("familiarity", "count", "considered"), firms),
        **dict.fromkeys(("recall_strength", "shock"), firms + 1),
    }
    sizes = [person_words, bond_size * firms, len(own), *more.values(), 1]
    one, two, single, *tables, rows = np.split(_aligned(sum(sizes)), np.cumsum(sizes)[:-1])
    lines = dict(zip(more, tables, strict=True))
    for name in ("familiarity", "recall_strength", "shock"):
        lines[name] = lines[name].view(np.float32)
    fields = dict(zip(own, single, strict=True)) | dict(zip(IN_WORDS, one.view(np.float32), strict=False))
    fields |= {name: fields[name].view(np.float32) for name in ("rate", "price_factor")}
    fields |= {"number": fields["number"].view(np.uint32)}
    fields["scandal_flags"] = lines.pop("scandal_flags")
    reals = {name: two.view(np.float32)[f::bond_size] for f, name in enumerate((BOND.names or ())[:5])}
    return Workspace(Person(**fields), Bonds(**reals, **lines), one, two, rows[0], np.zeros((2, WIDTH), np.int64))


def _aligned(lines: int) -> np.ndarray:
    """Zeros, int32 [lines, WIDTH], from an address that is a multiple of the size of a line."""
    memory = np.zeros((lines + 1) * WIDTH, np.int32)
    start = -memory.ctypes.data % (4 * WIDTH) // 4
    return memory[start : start + lines * WIDTH].reshape(lines, WIDTH)


@inlined
def gather_words(lines, table, starts, i):
    """Gather rows of a table of words: word n of all rows goes into line n, [words, WIDTH]."""
    for column in range(0, lines.shape[0] - 3, 4):
        _gather_words4(lines, table, starts, column, i)
    if lines.shape[0] % 4:
        _gather_words4(lines, table, starts, lines.shape[0] - 4, i)


@inlined
def _gather_words4(lines, table, starts, column, i):
    a, b, c, d = gather4(table, starts, column, i)
    lines[column, i] = a
    lines[column + 1, i] = b
    lines[column + 2, i] = c
    lines[column + 3, i] = d


@inlined
def scatter_words(lines, table, starts, i):
    """The reverse of `gather_words`."""
    for column in range(0, lines.shape[0] - 3, 4):
        _scatter_words4(lines, table, starts, column, i)
    if lines.shape[0] % 4:
        _scatter_words4(lines, table, starts, lines.shape[0] - 4, i)


@inlined
def _scatter_words4(lines, table, starts, column, i):
    a, b, c, d = lines[column, i], lines[column + 1, i], lines[column + 2, i], lines[column + 3, i]
    scatter4(table, starts, column, i, a, b, c, d)


@inlined
def set_row(workspace, slot, row):
    """Set which row is loaded in a slot."""
    workspace.rows[slot] = row
    workspace.starts[0, slot] = np.int64(row) * workspace.one.shape[0]
    workspace.starts[1, slot] = np.int64(row) * workspace.two.shape[0]


@inlined
def gather_flags(workspace, scandal_flags, many):
    """Gather the scandal flags of the loaded rows."""
    for word in range(scandal_flags.shape[1]):
        for slot in range(many):
            workspace.person.scandal_flags[word, slot] = scandal_flags[workspace.rows[slot], word]


@inlined
def scatter_flags(workspace, scandal_flags, many):
    """Write the scandal flags of the first `many` loaded rows back."""
    for word in range(scandal_flags.shape[1]):
        for slot in range(many):
            scandal_flags[workspace.rows[slot], word] = workspace.person.scandal_flags[word, slot]


@inlined
def gather(workspace, person_words, bond_words, i):
    """Load the people whose rows are `workspace.rows`: gather their words and unpack them."""
    person, bonds = workspace.person, workspace.bonds
    gather_words(workspace.one, person_words, workspace.starts[0], i)
    gather_words(workspace.two, bond_words, workspace.starts[1], i)
    when, where, what = workspace.one[3, i], workspace.one[4, i], workspace.one[5, i]
    person.seen[i] = shr_i32(shl_i32(when, 16), 16)
    person.tenure[i] = high16(when)
    person.last[i] = signed_byte(where, 0)
    person.home[i] = signed_byte(where, 8)
    person.anchor[i] = signed_byte(where, 16)
    person.target[i] = signed_byte(where, 24)
    person.outcome[i] = signed_byte(what, 0)
    person.message[i] = signed_byte(what, 8)
    person.uses[i] = high16(what)
    for j in range(bonds.count.shape[0]):
        word = workspace.two[6 * j + 5, i]
        bonds.familiarity[j, i] = to_float(low16(word)) * STEP
        bonds.count[j, i] = high16(word)


@inlined
def scatter(workspace, person_words, bond_words, i):
    """Write the loaded people back: pack their words and scatter them to their rows."""
    person, bonds = workspace.person, workspace.bonds
    workspace.one[3, i] = pack16(person.seen[i], person.tenure[i])
    workspace.one[4, i] = pack16(_pack8(person.last[i], person.home[i]), _pack8(person.anchor[i], person.target[i]))
    workspace.one[5, i] = pack16(_pack8(person.outcome[i], person.message[i]), person.uses[i])
    for j in range(bonds.count.shape[0]):
        known = to_int(fma(bonds.familiarity[j, i], FULL, HALF))
        workspace.two[6 * j + 5, i] = pack16(known, bonds.count[j, i])
    scatter_words(workspace.one, person_words, workspace.starts[0], i)
    scatter_words(workspace.two, bond_words, workspace.starts[1], i)


@inlined
def _pack8(a, b):
    """Two bytes in the lower half of an int32."""
    return (a & 255) | shl_i32(b & 255, 8)
