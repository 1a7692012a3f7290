"""What the crowd hears between weeks: who is told what by whom. Nothing is stored; links are drawn at addresses."""

from typing import NamedTuple

import numpy as np

from sim.compute.bits import with_bit
from sim.compute.jit import entry_point, inlined
from sim.compute.memory import prefetch
from sim.compute.random import FIRST, Purpose, random_bits, threefry, uniform
from sim.model.rules.tell import receive_wom
from sim.model.state import STEP

PREFETCH = 4  # messages whose hearers are on their way from memory while others hear


class Outbox(NamedTuple):
    """What people of a piece of the population have to tell this week, by their numbers: a row each."""

    message: np.ndarray  # [n, 3] int32: number, cell, +-(firm + 1)
    just_heard: np.ndarray  # [n, 3] int32: number, cell, scandals just heard of


@inlined
def recipient(world, key, sender, link):
    """The person at the end of a link: stored, or ring neighbor that leads anywhere with chance `rewiring`."""
    if world.starts.shape[0] > 0:
        return world.recipients[world.starts[sender] + link]
    n = world.market[0].people
    astray, where = random_bits(key, Purpose.LINK, np.uint32(sender), FIRST, link)
    if uniform(astray) < world.market[0].rewiring:
        return min((np.int64(where) * n) >> 32, n - 1)
    step = link // 2 + 1
    return (sender + (step if link % 2 == 0 else -step)) % n


@inlined
def degree(world, sender):
    """How many people hear this one."""
    if world.starts.shape[0] > 0:
        return world.starts[sender + 1] - world.starts[sender]
    return world.market[0].neighbors


@inlined
def recipient_row(people, world, key, number, link, first):
    """The row of `people`, numbered from `first` on, at the end of a link; -1 if it leads elsewhere or to oneself."""
    i = recipient(world, key, number, link) - first
    return i if 0 <= i < people.bonds.shape[0] and i + first != number else -1


@inlined
def deliver_messages(people, world, key, first, message):
    """Bring messages to those rows of `people`, numbered from `first` on, that hear them, teller by teller."""
    market = world.market[0]
    for a in range(-PREFETCH, message.shape[0]):
        if a + PREFETCH < message.shape[0]:
            number, told = np.int64(message[a + PREFETCH, 0]), np.int64(message[a + PREFETCH, 2])
            for link in range(degree(world, number)):
                i = recipient_row(people, world, key, number, link, first)
                if i >= 0:
                    prefetch(people.bonds[i], abs(told) - 1)
        if a >= 0:
            number, told = np.int64(message[a, 0]), np.int64(message[a, 2])
            for link in range(degree(world, number)):
                i = recipient_row(people, world, key, number, link, first)
                if i >= 0:
                    bond = people.bonds[i, abs(told) - 1]
                    receive_wom(bond, np.float32(bond.familiarity) * STEP, told > 0, market)


@inlined
def spread_news(people, world, key, first, week, just_heard):
    """Each scandal a teller has just heard of reaches a neighbor with chance contagion x voice / listeners (#64)."""
    for a in range(just_heard.shape[0]):
        number, bits = np.int64(just_heard[a, 0]), just_heard[a, 2]
        many = degree(world, number)
        for link in range(many):
            i = recipient_row(people, world, key, number, link, first)
            if i >= 0:
                for k in range(world.scandals.shape[0]):
                    if (bits >> k) & 1 == 1:
                        chance = world.scandals[k].contagion * world.traits[just_heard[a, 1]].voice / np.float32(many)
                        if uniform(pass_word(key, np.uint32(number), week, link, k)) < chance:
                            people.news[i] = with_bit(people.news[i], k)


@inlined
def pass_word(key, number, week, link, k):
    """The random word at an address that decides whether scandal k is passed on over a link.

    An index has room for 2,048 links; those of a larger hub are keyed by a draw for each further 2,048.
    """
    index = ((link & 2047) << 5) | k
    if link < 2048:
        return random_bits(key, Purpose.PASS, number, week, index)[0]
    key0, key1 = random_bits(key, Purpose.LINK, number, week, link >> 11)
    return threefry(key0, key1, np.uint32(index), np.uint32(0))[0]


@entry_point
def mark_recipients(world, key, shard_of, told, heard):
    """Mark heard[a, shard] for every shard where somebody hears row a of `told`; `shard_of` [g] is a group's."""
    groups, people = np.int64(len(shard_of)), world.market[0].people
    for a in range(told.shape[0]):
        number = np.int64(told[a, 0])
        for link in range(degree(world, number)):
            i = recipient(world, key, number, link)
            heard[a, shard_of[((i + 1) * groups - 1) // people]] = True
