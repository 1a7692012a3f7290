"""What a visitor asks of the market: what its events cost, each of them alone, what would have helped, which option.

Everything is computed by what the command line uses, from the scenario and nothing else, so that page, terminal and
report give the same figures; it does not depend on how far the market has been played.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.page import limits
from sim.page.events import GameEvent, with_events, without
from sim.page.export import arguments
from sim.page.game import OWN, Game, preset_and_shares
from sim.report import plausible
from sim.report.html_report import Report
from sim.study.answer import YEAR, Answer, answer, check_base, one_answer
from sim.study.countermeasures import Countermeasure, countermeasures
from sim.study.options import Option, against, compare
from sim.study.over_worlds import affordable

WORLDS = 20  # plausible worlds at most
MOST_ALONE = 8  # events of which each effect is computed
OWN_NAME = "my_market"  # of a market fitted to a visitor's data, in the command line of a report
TURN = threading.Semaphore(1)  # one visitor's question at a time: each uses all cores


@dataclass(frozen=True)
class Money:
    """What the visitor says of their own firm; 0 where they do not."""

    base: int = 0  # customers
    worth: float = 0.0  # of a customer in a year
    costs: Mapping[str, float] = field(default_factory=dict)  # of an option, by its label


@dataclass(frozen=True)
class Decision:
    """What has been answered so far about one scenario."""

    market: str
    scenario: Scenario
    answer: Answer
    alone: Sequence[tuple[str, Answer]] = ()  # each event with the others kept
    measures: Sequence[Countermeasure] = ()
    options: Sequence[Option] = ()


def question(game: Game) -> Scenario:
    """The scenario with its events and at least a year after the last of them; ScenarioError where there is none."""
    active = game.active
    if not active:
        raise ScenarioError(["there is no event yet, so nothing to answer; start one in the controls"])
    window = game.start.window
    weeks = max(game.start.weeks, active[-1].week + YEAR + 1)
    return with_events(game.start, active, -(-weeks // window) * window)


def decided(market: str, told: Scenario, events: Sequence[GameEvent], money: Money) -> Decision:
    """The answer over plausible worlds, and the effect of each event with the others kept."""
    base, shares = _base(money), preset_and_shares(market)[1]
    active = [e for e in events if e.on]
    _bounded(told, 2)
    with TURN:
        found = answer(told, worlds_of(told), base, shares)
        alone = []
        for e in active if 1 < len(active) <= MOST_ALONE else []:
            control = without(told, e)
            effect = one_answer(control, told, found.firm, base, shares, 1.0, None)
            alone.append((e.text, replace(effect, events={e.name: e.week})))
    return Decision(market, told, found, alone)


def worlds_of(told: Scenario) -> list[Mapping[str, object]]:
    """The worlds in which the page puts a question: fewer than the terminal, and the same every time."""
    return list(plausible.worlds(told, many_worlds(told)).worlds) if many_worlds(told) else []


def many_worlds(told: Scenario) -> int:
    """How many they are."""
    last = max([e.week for e in told.scandals.values()] + [e.week for e in told.moves.values()])
    return min(WORLDS, affordable(told, last))


def tried(found: Decision, money: Money) -> Decision:
    """With every countermeasure that the firm can take, as the terminal's table and as options side by side."""
    told = found.scenario
    options = against(told)
    _bounded(told, 2 * len(options))
    with TURN:
        measures = countermeasures(told)
        compared = compare(options, _base(money), preset_and_shares(found.market)[1])
    best = {m.label: n for n, m in enumerate(measures)}
    first, *others = compared
    others.sort(key=lambda o: best.get(o.label, len(best)))
    return replace(found, measures=measures, options=(first, *others))


def board(market: str, saved: Mapping[str, Scenario], money: Money) -> list[Option]:
    """The saved options over one baseline; each is given the weeks of the longest."""
    if not saved:
        return []
    weeks = max(s.weeks for s in saved.values())
    same = {label: change(s, {"weeks": weeks}) for label, s in saved.items()}
    _bounded(next(iter(same.values())), len(same) + 1)
    with TURN:
        return compare(same, _base(money), preset_and_shares(market)[1])


def _base(money: Money) -> int | None:
    check_base(money.base or None)
    return money.base or None


def _bounded(told: Scenario, runs: int) -> None:
    """ScenarioError where so many runs beside each other are more than the server holds."""
    most = limits.BONDS // (runs * len(told.firms))
    if told.people > most:
        raise ScenarioError(
            [
                f"people: {told.people:,} are more than this question takes here ({most:,}); choose fewer, or ask the "
                "command line"
            ]
        )


def report(found: Decision, options: Sequence[Option], money: Money) -> Report:
    """The report of a decision; its command line gives the same answer to the digit."""
    told = found.scenario
    words, own = arguments(found.market, told), found.market in OWN
    if own:
        words[0] = f"market={OWN_NAME}"
    words += [f"base={money.base}"] if money.base else []
    words += [f"worlds={many_worlds(told)}"] if many_worlds(told) else []
    shares = preset_and_shares(found.market)[1]
    costs = dict(money.costs)
    before = ("calibrate", "panel=FILE", f"out={OWN_NAME}") if own else ()
    return Report(told, found.answer, words, found.measures, shares, options, money.worth, costs, before)
