"""What events cost a firm: the same people with and without them, in one object that every output leads with.

What is told are the first 104 weeks after the last event, or less where the scenario ends before.
A loss is negative. Customers are counted as in `sim.measure.customers`; the errors are told apart in
`sim.measure.quantity.Parts`. `worlds` are changes of the scenario that are as plausible as it: the question is put in
each of them, with and without the events, and the interval is that over all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from sim.engine.loop import THREADED, Run
from sim.engine.threads import threads
from sim.measure.customers import customers
from sim.measure.groups import groups
from sim.measure.quantity import Quantity, change_of, changes_over, count_of, half_of, nothing, ratio_of
from sim.measure.shares import Share
from sim.measure.tally import Array
from sim.model.declare import ScenarioError
from sim.model.fields import Move, Scandal, Scenario
from sim.model.scenario import change
from sim.study import over_worlds
from sim.study.calibrate_shares import calibrate_shares
from sim.study.fates import first_difference
from sim.study.movers import Fate, Movers, Progress, run_together
from sim.study.twins import Twins

QUARTER, YEAR = 13, 52  # weeks
MOST_BASE = 10**12  # customers that a firm can have
STANDS_OUT = 3.0  # standard errors by which the largest change of a hundred weeks is no luck
NO_EVENTS: dict[str, object] = {"scandals": {}, "moves": {}}
World = Mapping[str, object]  # dotted path: value


@dataclass(frozen=True)
class Change:
    """What the events changed in the number of customers, at one time, of a firm or of a group of its customers."""

    people: Quantity  # of those simulated
    percent: Quantity  # of the customers there would be without the events
    scaled: Quantity | None  # of the user's customers, where `base` says how many they are


@dataclass(frozen=True)
class Causes:
    """The people behind a change: customers when the news breaks (`home`), and others; counts of those simulated."""

    left_because: Quantity  # home, and would still be customers without the events
    left_anyway: Quantity  # home, and gone with the events and without
    never_came: Quantity  # not home, and customers without the events only
    came_back: Quantity  # home, customers in both, away for a while because of the events
    stayed_because: Quantity  # home, and customers with the events only
    came_because: Quantity  # not home, and customers with the events only


@dataclass(frozen=True)
class Moment:
    """The answer at one time after the news."""

    weeks: float  # after the first event
    total: Change
    groups: dict[str, Change]  # by segment and cohort
    rivals: dict[str, Change]  # what each of the other firms gained
    causes: Causes
    uses: Quantity  # change of the uses of the firm in the 13 weeks before, %


@dataclass(frozen=True)
class Answer:
    """What events did to the customers of a firm; moments before which the run ends are None."""

    firm: str
    events: dict[str, int]  # name: week
    week: int  # of the first
    people: int  # simulated, in each of two runs
    base: int | None
    customers: Quantity  # of the firm when the news breaks
    worst: Moment  # when the change is largest, in each world in a week of its own
    quarter: Moment | None
    year: Moment | None
    half_over: Quantity  # weeks after the news until half of the worst is made up; inf: not in the weeks simulated
    weekly: tuple[Quantity, ...]  # change in % of the firm's customers, as each week after the news ends
    worlds: int = 0
    drivers: tuple[tuple[str, float], ...] = ()  # the numbers of the worlds that decide most, with rank correlation
    source: str = ""  # of the worlds, in words
    influence: tuple[tuple[str, float], ...] = ()  # every number that the worlds vary, likewise
    alone: "Answer | None" = None  # with the scenario's own numbers, where there are worlds
    moves: tuple[str, ...] = ()  # the events that are moves, of which there is no news

    @property
    def moments(self) -> dict[str, Moment]:
        """Those that the run reaches, by name."""
        found = {"at the worst": self.worst, "after a quarter": self.quarter, "after a year": self.year}
        return {name: moment for name, moment in found.items() if moment}


def answer(
    question: Scenario | Twins,
    worlds: Sequence[World] = (),
    base: int | None = None,
    shares: Mapping[str, Share] | None = None,
    progress: Progress | None = None,
    source: str = "",
) -> Answer:
    """What the scandals and moves of a scenario cost, or what the change of a pair of runs did.

    `base` is the number of customers that the firm really has. `shares` are those of a run whose presence is solved;
    a scenario that states shares is solved here. `source` says where the worlds come from. Simulates both runs, and two
    for each world. ScenarioError if there is no event, or no rival that customers could go to.

    >>> from sim import build
    >>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
    >>> market = build({"people": 900, "weeks": 30, "segments": {"all": {}}, "firms": firms})
    >>> found = answer(change(market, {"scandals.x": {"firm": "a", "week": 13, "action": 20.0}}), base=1_000_000)
    >>> found.firm, found.week, found.worst.total.percent.value < 0, found.year
    ('a', 13, True, None)
    """
    check_base(base)
    control, changed, shares = _pair(question, shares)
    firm, events = hit(control, changed)
    last = max(events.values(), default=first_difference(control, changed))
    control, changed = (replace(s, weeks=over_worlds.span(s, last)) for s in (control, changed))
    found = one_answer(control, changed, firm, base, shares or {}, 1.0, progress)
    found = replace(found, events=events, moves=tuple(name for name in events if name not in changed.scandals))
    if not worlds:
        return found
    drawn = _in_worlds(control, changed, found, worlds, shares or {}, progress)
    merged: Answer = over_worlds.merged(drawn, found, worlds)
    decide, felt = over_worlds.drivers(drawn, worlds), over_worlds.influence(drawn, worlds)
    return replace(merged, worlds=len(worlds), drivers=decide, influence=felt, source=source, alone=found)


def _in_worlds(
    control: Scenario,
    changed: Scenario,
    alone: Answer,
    worlds: Sequence[World],
    shares: Mapping[str, Share],
    progress: Progress | None,
) -> list[Answer]:
    """The answer of each world, each with people and draws of its own; two runs a world, several worlds at a time."""
    size, total = over_worlds.size(changed), alone.worst.total.percent.value
    scale = changed.people / size["people"]  # of one replication: the mean over all is what is told
    usual = (int(alone.worst.weeks), -1 if total < 0 else 1)
    step = _shared(progress, len(worlds))

    def one(n: int) -> Answer:
        new = {**size, "seed": changed.seed + 1 + n}
        here = [change(s, {**over_worlds.known(s, worlds[n]), **new}) for s in (control, changed)]
        return one_answer(here[0], here[1], alone.firm, alone.base, shares, scale, step, usual)

    with threads(1 if size["people"] >= THREADED else None) as pool:
        return list(pool.map(one, range(len(worlds))))


def _shared(progress: Progress | None, runs: int) -> Progress | None:
    """Progress of so many runs at a time: the weeks that are done in the mean of them."""
    ticks = count(1)
    return progress and (lambda done, of: progress(next(ticks) // runs, of))


def check_base(base: object) -> None:
    """ScenarioError unless `base` is None or a number of customers."""
    if base is not None and not (type(base) is int and 1 <= base <= MOST_BASE):
        raise ScenarioError([f"base: {base!r} is no number of customers; give yours, a whole number from 1 on"])


def hit(control: Scenario, changed: Scenario) -> tuple[str, dict[str, int]]:
    """The firm to tell of, and the events that are not in both: the focus, or where the first of them happens."""
    theirs: list[tuple[str, Scandal | Move]] = [*changed.scandals.items(), *changed.moves.items()]
    ours: list[tuple[str, Scandal | Move]] = [*control.scandals.items(), *control.moves.items()]
    new = sorted((pair for pair in theirs if pair not in ours), key=lambda pair: pair[1].week)
    firms = [event.firm or changed.focus for _, event in new]
    firm = changed.focus if changed.focus in firms or not firms else firms[0]
    return firm, {name: event.week for name, event in new}


def _pair(question: Scenario | Twins, shares: Mapping[str, Share] | None) -> tuple[Scenario, Scenario, Mapping]:
    """Control and changed scenario, their presence solved, and the shares."""
    if isinstance(question, Twins):
        return question.control.scenario, question.changed.scenario, shares or question.control.shares
    if not question.scandals and not question.moves:
        raise ScenarioError(["the scenario has no scandal and no move, so there is nothing to answer"])
    if len(question.firms) < 2:
        raise ScenarioError(["firms: one alone; customers it loses have nowhere to go"])
    solved, own = calibrate_shares(question)
    return change(solved, NO_EVENTS), solved, shares or own


def one_answer(
    control: Scenario,
    changed: Scenario,
    firm: str,
    base: int | None,
    shares: Mapping[str, Share],
    scale: float,
    progress: Progress | None,
    usual: tuple[int, int] | None = None,
) -> Answer:
    """The answer of one pair of runs; counts of people are multiplied by `scale`.

    `usual` is the worst elsewhere: after how many weeks, and -1 for a loss or 1 for a gain; see `_worst`.
    """
    first = first_difference(control, changed)
    run, ((other, movers),) = run_together(control, [changed], firm, first, progress)
    return of_runs(run, other, movers, firm, base, shares, scale, usual)


def of_runs(
    run: Run,
    other: Run,
    movers: Movers,
    firm: str,
    base: int | None,
    shares: Mapping[str, Share],
    scale: float = 1.0,
    usual: tuple[int, int] | None = None,
) -> Answer:
    """The answer of two runs of `run_together`, control first; `events` are left empty."""
    control, first = run.scenario, movers.first
    at = _Counts(control, firm, movers, customers(run.tally), base, shares, scale)
    flows = tuple(r.tally.flow[:, first:, :, :, at.j + 1].sum(axis=(2, 3)) for r in (run, other))
    stock = at.stock[:, first:, :, at.j].sum(axis=2)
    weekly = changes_over(movers.lost[..., at.j].sum(axis=2), movers.gained[..., at.j].sum(axis=2), stock)
    worst = _worst(weekly, usual)
    moments = [_moment(at, flows, t) if t < len(weekly) else None for t in (worst, QUARTER - 1, YEAR - 1)]
    assert moments[0] is not None
    half = half_of((movers.gained - movers.lost)[..., at.j].sum(axis=2), worst)
    home = count_of(movers.fates[:, 0, :, Fate.HOME].sum(axis=-1), at.runs).with_presence(at.presence(firm))
    return Answer(firm, {}, first, control.people, base, home, moments[0], moments[1], moments[2], half, tuple(weekly))


def _worst(weekly: Sequence[Quantity], usual: tuple[int, int] | None) -> int:
    """The week of the largest change; in a world, of the largest loss, or gain, as it is with the scenario's numbers.

    The largest of many weeks is the luck of the dice where none stands out from them. There it is one of three: the
    week that is the worst with the scenario's numbers, the end of the quarter, the end of the year.
    """
    values = np.nan_to_num([q.value for q in weekly])
    errors = np.nan_to_num([q.parts.dice for q in weekly])
    if usual is None:
        return int(np.argmax(np.abs(values)))
    week, sign = usual
    found = int(np.argmax(sign * values))
    if sign * values[found] > STANDS_OUT * errors[found]:
        return found
    known = [t - 1 for t in (week, QUARTER, YEAR) if t <= len(values)] or [found]
    return max(known, key=lambda t: sign * float(values[t]))


@dataclass
class _Counts:
    """The counts of a pair of runs, and what turns them into quantities."""

    scenario: Scenario
    firm: str
    movers: Movers
    stock: Array  # [g, t, s, j] customers in the control
    base: int | None
    shares: Mapping[str, Share]
    scale: float

    @property
    def j(self) -> int:
        return list(self.scenario.firms).index(self.firm)

    @property
    def runs(self) -> float:
        """How many times the people of a run are counted."""
        return self.scenario.replications / self.scale

    def presence(self, firm: str) -> float:
        """The relative error of a firm's size that solved presence adds."""
        return self.shares[firm].uncertainty / self.shares[firm].asked if firm in self.shares else 0.0

    def change(self, t: int, cells: Sequence[int] | None = None, firm: str = "") -> Change:
        """What changed as week t after the news ends, of some cells, at the firm or another."""
        pick, name = slice(None) if cells is None else list(cells), firm or self.firm
        j = list(self.scenario.firms).index(name)
        lost, gained = (a[:, t, pick, j].sum(axis=-1) for a in (self.movers.lost, self.movers.gained))
        base = self.stock[:, self.movers.first + t, pick, j].sum(axis=-1)
        people, percent = change_of(lost, gained, base, self.runs)
        whole = cells is None and not firm
        scaled = percent.times(self.base / 100) if self.base and whole else None
        if self.base and cells is not None:  # of the user's customers, as many are of this group as of those simulated
            part = base.sum() / max(1, self.stock[:, self.movers.first + t, :, j].sum())
            scaled = percent.times(float(part) * self.base / 100)
        return Change(people.with_presence(self.presence(name)), percent, scaled)


def _moment(at: _Counts, flows: tuple[Array, ...], t: int) -> Moment:
    named = {name: cells for name, cells in groups(at.scenario).items() if name != "all"}
    rivals = {name: at.change(t, firm=name) for name in at.scenario.firms if name != at.firm}
    met = at.movers.fates[:, t].sum(axis=1)
    causes = {
        fate.name.lower(): count_of(met[:, fate], at.runs).with_presence(at.presence(at.firm))
        for fate in Fate
        if fate != Fate.HOME
    }
    before, after = (flow[:, max(0, t + 1 - QUARTER) : t + 1].sum(axis=1) for flow in flows)
    uses = relative_of(before, after)
    return Moment(t + 1, at.change(t), {n: at.change(t, c) for n, c in named.items()}, rivals, Causes(**causes), uses)


def relative_of(before: Array, after: Array) -> Quantity:
    """The change of a count in %, from counts by fold of people in two runs of the same people, [g] each."""
    return ratio_of(100 * (after - before), before) if before.sum() else nothing()
