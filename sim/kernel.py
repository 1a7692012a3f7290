"""Lives, many at a time: what is compiled around the rules, for rows of people in a group, a block and a week.

Within a block, first everybody's week is planned, which for most is nothing; then those with something to do are taken
cell by cell and sixteen at a time to a desk (`person`), and live it by the rules. So a use that does not happen costs
no more than its draw. The same, one by one, is for plain Python, the checked mode, the agents of Mesa and the card.
"""

from typing import NamedTuple

import numpy as np

from sim.birth import born, cell_of
from sim.bits import add
from sim.crowd import deliver, pass_on
from sim.draws import ZERO, entry, rule
from sim.lanes import WIDTH, expect, lowest, marks, select, sixteen
from sim.loan import borrowed
from sim.person import close_story, get_up, lay, open_story, sit_down
from sim.rules import answer, forget, hear, need, visit
from sim.tally import close_window, count_answer, count_news, count_visit, open_page

BLOCK = 32768  # people whose week is planned at a time: enough that every cell fills its sixteens
USES, ASKED, HEARS, PROVOKED = (np.int64(n) for n in (255, 256, 512, 1024))  # bits of a person's plan of the week
AHEAD = 2 * WIDTH  # people whose rows are on their way from memory while others live
GROUP = np.int64(16)  # from which bit on a plan holds the person's group


class Board(NamedTuple):
    """What is planned for a block of people in a week, and where what they have to tell is noted."""

    plan: np.ndarray  # [BLOCK + WIDTH] int32
    busy: np.ndarray  # [s, BLOCK + WIDTH] int32 rows of a cell with anything planned
    many: np.ndarray  # [s] int64 how many
    list: np.ndarray  # [BLOCK + WIDTH] int32 those of them who are in hand
    rank: np.ndarray  # [WIDTH] uint32 0, 1, 2, ...
    message: np.ndarray  # [n, 3] as in Told
    fresh: np.ndarray  # [n, 3]
    noted: np.ndarray  # [2] int64 how many of each


# ---------------------------------------------------------------- one by one


@rule
def live(people, ones, twos, world, tally, key, first, g, row, week, desk, board):
    """One week of the person in a row of group g: what sixteen at once do, in the order in which one does it."""
    me, bonds, i, t = desk.me, desk.bonds, 0, week + 1 if week >= 0 else 0
    s = np.int64(people.cell[row])
    m, c, firms, echo = world.market[0], world.traits[s], world.firms[t], world.echo[t]
    lay(desk, i, row)
    me.number[i] = first + row
    sit_down(desk, ones, twos, i)
    open_story(desk, people.story, 1)
    uses, asked = need(m, people.rate[row], key, me.number[i], week)
    me.provoked[i] = 0
    if people.news[row] != 0 or on_air(world, t, week):
        me.news[i] = people.news[row]
        hear(me, bonds, m, c, world.scandals, world.blame, world.airing[t], key, week, i)
        close_story(desk, people.story, 1)
        note_news(people, tally, g, t, s, me, first, row, i, board)
    if asked:
        forget(me, bonds, m, week, i)
        answer(me, bonds, m, c, firms, world.scandals, world.blame, echo, i)
        count_answer(me, tally, g, t, s, i)
    for use in range(uses):
        visit(me, bonds, m, c, firms, world.details[t], world.scandals, world.blame, echo, key, week, use, i)
        count_visit(me, open_page(tally, g, t, s, m.window), i)
    if uses > 0:
        note_message(me, s, i, board)
    get_up(desk, ones, twos, i)


@rule
def bear(people, ones, twos, world, tally, key, first, g, row, desk):
    """The person in a row of group g is born."""
    me, i = desk.me, 0
    lay(desk, i, row)
    me.number[i] = first + row
    s = np.int64(cell_of(world.cells, key, me.number[i]))
    born(me, desk.bonds, world.market[0], world.traits[s], world.firms[0], world.details[0], world.presence, key, i)
    enrol(people, tally, g, s, me, row, i)
    get_up(desk, ones, twos, i)


@rule
def enrol(people, tally, g, s, me, row, place):
    """Enter the newborn at a place of the desk."""
    people.cell[row] = s
    people.rate[row] = me.rate[place]
    tally.people[g, s] += 1


@rule
def on_air(world, t, week):
    """Can anybody hear of a scandal this week but from a neighbour?"""
    for k in range(world.scandals.shape[0]):
        if world.airing[t, k] > ZERO or (week == world.scandals[k].week and world.scandals[k].hit > ZERO):
            return True
    return False


@rule
def note_news(people, tally, g, t, s, me, first, row, place, board):
    """Count and note the scandals that the person at a place of the desk has just heard of."""
    people.news[row] = 0
    if me.fresh[place] != 0:
        count_news(me, tally, g, t, s, place)
        n = board.noted[1]
        board.fresh[n, 0], board.fresh[n, 1], board.fresh[n, 2] = first + row, s, me.fresh[place]
        board.noted[1] = n + 1


@rule
def note_message(me, s, place, board):
    """Note the message that the person at a place of the desk leaves this week."""
    if me.message[place] != 0:
        n = board.noted[0]
        board.message[n, 0], board.message[n, 1], board.message[n, 2] = me.number[place], s, me.message[place]
        board.noted[0] = n + 1


# ---------------------------------------------------------------- sixteen at once


@rule
def seat(desk, board, at, listed, first, people, ones, twos):
    """Lay sixteen of the list out on the desk, the last few repeating the first; returns their index."""
    many = min(WIDTH, listed - at)
    for place in range(WIDTH):
        lay(desk, place, board.list[at + (place if place < many else 0)])
    i = sixteen(many)
    desk.me.number[i] = add(desk.rows[i], first)
    sit_down(desk, ones, twos, i)
    open_story(desk, people.story, WIDTH)
    return i


@rule
def foresee(people, board, n, listed):
    """Have the row of person n of the list brought near, if there is one."""
    if n < listed:
        expect(people.one, board.list[n], 1)
        expect(people.bonds, board.list[n], 1)


@rule
def make_plans(people, world, key, first, edges, g, start, stop, week, air, me, board):
    """What the week holds for the rows from start to stop: how many uses, a survey, news; and whose group it is."""
    m = world.market[0]
    for s in range(board.many.shape[0]):
        board.many[s] = 0
    for row in range(start, stop, WIDTH):
        many = min(WIDTH, stop - row)
        i = sixteen(many)
        if many == WIDTH:
            rate, news = people.rate[row : row + WIDTH][i], people.news[row : row + WIDTH][i]
        else:
            for place in range(many):
                me.rate[place], me.news[place] = people.rate[row + place], people.news[row + place]
            rate, news = me.rate[i], me.news[i]
        uses, asked = need(m, rate, key, add(board.rank[i], first + row), week)
        plan = uses + select(asked, ASKED, 0) + select((news != 0) | air, HEARS, 0)
        board.plan[row - start : row - start + WIDTH][i] = plan
    for row in range(start, stop, WIDTH):
        i = sixteen(WIDTH)
        busy = marks(board.plan[row - start : row - start + WIDTH][i] != 0) & ((1 << min(WIDTH, stop - row)) - 1)
        while busy != 0:
            somebody = row + lowest(busy)
            busy &= busy - 1
            while somebody >= edges[g + 1]:
                g += 1
            board.plan[somebody - start] |= g << GROUP
            s = people.cell[somebody]
            board.busy[s, board.many[s]] = somebody
            board.many[s] += 1


@rule
def in_hand(board, s, start, plan):
    """Put those of cell s for whom something of `plan` is planned into the list; how many."""
    many = 0
    for n in range(board.many[s]):
        row = board.busy[s, n]
        board.list[many] = row
        many += (board.plan[row - start] & plan) != 0
    return many


@rule
def live_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, week, air, desk, board):
    """One week of the people in the rows from start to stop; g is the group of the first."""
    t = week + 1 if week >= 0 else 0
    make_plans(people, world, key, first, edges, g, start, stop, week, air, desk.me, board)
    for s in range(board.many.shape[0]):
        if world.scandals.shape[0] > 0:
            hear_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board)
        answer_all(people, ones, twos, world, tally, first, start, week, t, s, desk, board)
        visit_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board)


@rule
def hear_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board):
    """Those of cell s for whom there may be news hear it."""
    me, hearers = desk.me, in_hand(board, s, start, HEARS)
    for at in range(0, hearers, WIDTH):
        i = seat(desk, board, at, hearers, first, people, ones, twos)
        for place in range(WIDTH):
            me.news[place] = people.news[desk.rows[place]]
        m, c, airing = world.market[0], world.traits[s], world.airing[t]
        hear(me, desk.bonds, m, c, world.scandals, world.blame, airing, key, week, i)
        get_up(desk, ones, twos, i)
        close_story(desk, people.story, min(WIDTH, hearers - at))
        for place in range(min(WIDTH, hearers - at)):
            row = desk.rows[place]
            note_news(people, tally, board.plan[row - start] >> GROUP, t, s, me, first, row, place, board)
            board.plan[row - start] |= PROVOKED * me.provoked[place]


@rule
def answer_all(people, ones, twos, world, tally, first, start, week, t, s, desk, board):
    """Those of cell s whom the survey asks answer."""
    me, bonds, asked = desk.me, desk.bonds, in_hand(board, s, start, ASKED)
    m, c, firms, echo = world.market[0], world.traits[s], world.firms[t], world.echo[t]
    for at in range(0, asked, WIDTH):
        i = seat(desk, board, at, asked, first, people, ones, twos)
        forget(me, bonds, m, week, i)
        answer(me, bonds, m, c, firms, world.scandals, world.blame, echo, i)
        get_up(desk, ones, twos, i)
        for place in range(min(WIDTH, asked - at)):
            count_answer(me, tally, board.plan[desk.rows[place] - start] >> GROUP, t, s, place)


@rule
def visit_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board):
    """Those of cell s who use the category do: everybody's first use, then the second of those who have one, and on.

    Lists that are made anew for each use won over sixteen who go on together until the last has done: nearly always
    one of them has a second use, and fifteen would wait.
    """
    me, bonds = desk.me, desk.bonds
    m, c, firms, details, echo = world.market[0], world.traits[s], world.firms[t], world.details[t], world.echo[t]
    users, use, g = in_hand(board, s, start, USES), np.int64(0), np.int64(-1)
    page = open_page(tally, 0, t, s, m.window)
    while users > 0:
        for n in range(AHEAD):
            foresee(people, board, n, users)
        for at in range(0, users, WIDTH):
            i = seat(desk, board, at, users, first, people, ones, twos)
            for place in range(WIDTH):
                me.provoked[place] = board.plan[desk.rows[place] - start] & PROVOKED
            visit(me, bonds, m, c, firms, details, world.scandals, world.blame, echo, key, week, use, i)
            get_up(desk, ones, twos, i)
            for place in range(min(WIDTH, users - at)):
                foresee(people, board, at + AHEAD + place, users)
                plan = board.plan[desk.rows[place] - start]
                if plan >> GROUP != g:
                    g = plan >> GROUP
                    page = open_page(tally, g, t, s, m.window)
                count_visit(me, page, place)
                if plan & USES == use + 1:
                    note_message(me, s, place, board)
        use, still = use + 1, 0
        for n in range(users):
            row = board.list[n]
            board.list[still] = row
            still += (board.plan[row - start] & USES) > use
        users = still


@rule
def bear_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, desk, board):
    """The people in the rows from start to stop are born; g is the group of the first."""
    me, cells = desk.me, board.many.shape[0]
    for s in range(cells):
        board.many[s] = 0
    for row in range(start, stop, WIDTH):
        i = sixteen(min(WIDTH, stop - row))
        me.home[i] = cell_of(world.cells, key, add(board.rank[i], first + row))
        for place in range(min(WIDTH, stop - row)):
            while row + place >= edges[g + 1]:
                g += 1
            s = me.home[place]
            board.plan[row + place - start] = 1 | g << GROUP
            board.busy[s, board.many[s]] = row + place
            board.many[s] += 1
    for s in range(cells):
        newborn = in_hand(board, s, start, USES)
        for at in range(0, newborn, WIDTH):
            i = seat(desk, board, at, newborn, first, people, ones, twos)
            c, firms, details = world.traits[s], world.firms[0], world.details[0]
            born(me, desk.bonds, world.market[0], c, firms, details, world.presence, key, i)
            get_up(desk, ones, twos, i)
            for place in range(min(WIDTH, newborn - at)):
                row = desk.rows[place]
                enrol(people, tally, board.plan[row - start] >> GROUP, s, me, row, place)


# ---------------------------------------------------------------- groups


@entry
def live_groups(loan, room, key, first, edges, begin, end, week):
    ones, twos, people, world, tally = borrowed(loan)
    desk, board = borrowed(room)
    g, air = begin, on_air(world, week + 1 if week >= 0 else 0, week)
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        stop = min(start + BLOCK, edges[end])
        live_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, week, air, desk, board)


@entry
def bear_groups(loan, room, key, first, edges, begin, end, week):
    ones, twos, people, world, tally = borrowed(loan)
    desk, board = borrowed(room)
    g = begin
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        stop = min(start + BLOCK, edges[end])
        bear_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, desk, board)


@entry
def live_each(loan, room, key, first, edges, begin, end, week):
    ones, twos, people, world, tally = borrowed(loan)
    desk, board = borrowed(room)
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            live(people, ones, twos, world, tally, key, first, g, row, week, desk, board)


@entry
def bear_each(loan, room, key, first, edges, begin, end, week):
    ones, twos, people, world, tally = borrowed(loan)
    desk, _ = borrowed(room)
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            bear(people, ones, twos, world, tally, key, first, g, row, desk)


@entry
def hear_crowd(loan, key, first, week, message, fresh):
    _, _, people, world, _ = borrowed(loan)
    deliver(people, world, key, first, message)
    pass_on(people, world, key, first, week, fresh)


@entry
def close_groups(loan, edges, begin, end, window, opening):
    _, _, people, _, tally = borrowed(loan)
    for g in range(begin, end):
        for i in range(edges[g], edges[g + 1]):
            expect(people.bonds, min(i + WIDTH, edges[end] - 1), 1)
            close_window(people.one[i], people.bonds[i], tally, g, np.int64(people.cell[i]), window, opening)
