"""Word of mouth between weeks: along the links of the network, messages change memory and news of scandals spreads.

The links of the small world are not stored: each is drawn at its address when it is needed.
"""

from typing import NamedTuple

import numpy as np

from sim.compute.bits import with_bit
from sim.compute.jit import entry_point, inlined
from sim.compute.memory import prefetch
from sim.compute.random import FIRST, Purpose, random_bits, threefry, uniform
from sim.model.rules.tell import receive_wom
from sim.model.state import STEP

PREFETCH_MESSAGES = 4  # prefetch distance, in messages


class Outbox(NamedTuple):
    """Messages and news that the people of a shard send this week, a row each, by their numbers."""

    message: np.ndarray  # [n, 3] int32: number, cell, +-(firm + 1)
    just_heard: np.ndarray  # [n, 3] int32: number, cell, scandals first heard of this week, a bit each


@inlined
def recipient(world, key, sender, link):
    """The person at the end of a link: a stored one, or a ring neighbor, or anybody with chance `rewiring` (#64)."""
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
    """How many people receive what a person sends."""
    if world.starts.shape[0] > 0:
        return world.starts[sender + 1] - world.starts[sender]
    return world.market[0].neighbors


@inlined
def recipient_row(people, world, key, number, link, first):
    """The row of `people`, numbered from `first` on, at the end of a link; -1 if it leads elsewhere or to oneself."""
    i = recipient(world, key, number, link) - first
    return i if 0 <= i < people.bonds.shape[0] and i + first != number else -1


@inlined
def sort_by_sender(message):
    """Put messages in the order of the senders' numbers, in place (Shell 1959); nobody sends two in a week."""
    step = message.shape[0] // 2
    while step > 0:
        for a in range(step, message.shape[0]):
            number, cell, said, at = message[a, 0], message[a, 1], message[a, 2], a
            while at >= step and message[at - step, 0] > number:
                for column in range(3):
                    message[at, column] = message[at - step, column]
                at -= step
            message[at, 0], message[at, 1], message[at, 2] = number, cell, said
        step //= 2


@inlined
def deliver_messages(people, world, key, first, message):
    """Let every message change memory of its recipients among `people`, who are numbered from `first` on."""
    market = world.market[0]
    for a in range(-PREFETCH_MESSAGES, message.shape[0]):
        if a + PREFETCH_MESSAGES < message.shape[0]:
            number = np.int64(message[a + PREFETCH_MESSAGES, 0])
            firm = abs(np.int64(message[a + PREFETCH_MESSAGES, 2])) - 1
            for link in range(degree(world, number)):
                i = recipient_row(people, world, key, number, link, first)
                if i >= 0:
                    prefetch(people.bonds[i], firm)
        if a >= 0:
            number, said = np.int64(message[a, 0]), np.int64(message[a, 2])
            for link in range(degree(world, number)):
                i = recipient_row(people, world, key, number, link, first)
                if i >= 0:
                    bond = people.bonds[i, abs(said) - 1]
                    receive_wom(bond, np.float32(bond.familiarity) * STEP, said > 0, market)


@inlined
def spread_news(people, world, key, first, week, just_heard):
    """A scandal just heard of is passed on to each recipient with chance contagion x voice / recipients (#64)."""
    for a in range(just_heard.shape[0]):
        number, bits = np.int64(just_heard[a, 0]), just_heard[a, 2]
        many = degree(world, number)
        for link in range(many):
            i = recipient_row(people, world, key, number, link, first)
            if i >= 0:
                for k in range(world.scandals.shape[0]):
                    if (bits >> k) & 1 == 1:
                        chance = world.scandals[k].contagion * world.traits[just_heard[a, 1]].voice / np.float32(many)
                        if uniform(pass_bits(key, np.uint32(number), week, link, k)) < chance:
                            people.news[i] = with_bit(people.news[i], k)


@inlined
def pass_bits(key, number, week, link, k):
    """The random bits that decide whether scandal k is passed on over a link.

    An index has room for 2,048 links; those of a larger hub are keyed by a draw for each further 2,048.
    """
    index = ((link & 2047) << 5) | k
    if link < 2048:
        return random_bits(key, Purpose.PASS, number, week, index)[0]
    key0, key1 = random_bits(key, Purpose.LINK, number, week, link >> 11)
    return threefry(key0, key1, np.uint32(index), np.uint32(0))[0]


@entry_point
def mark_recipients(world, key, shard_of, sent, reached):
    """Mark reached[a, shard] for every shard that has a recipient of row a of `sent`; `shard_of` [g] is by fold."""
    groups, people = np.int64(len(shard_of)), world.market[0].people
    for a in range(sent.shape[0]):
        number = np.int64(sent[a, 0])
        for link in range(degree(world, number)):
            i = recipient(world, key, number, link)
            reached[a, shard_of[((i + 1) * groups - 1) // people]] = True
