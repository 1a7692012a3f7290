"""Options side by side: what each makes of the same people's customers, over one run without any events.

Options are scenarios that differ in their events and levers only. All are given in one unit: customers lost or won
against no events at all, and the share of the first option's loss that another averts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sim.engine.loop import Run
from sim.measure import metrics
from sim.measure.estimates import pooled
from sim.measure.groups import groups
from sim.measure.intervals import Z
from sim.measure.quantity import Parts, Quantity, nothing, ratio_of
from sim.measure.shares import Share
from sim.measure.tally import WINDOWED, Array, Tally
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study import over_worlds
from sim.study.answer import NO_EVENTS, YEAR, Answer, hit, of_runs
from sim.study.countermeasures import averted_of, changes_of, measures, possible
from sim.study.fates import first_difference
from sim.study.movers import Movers, Progress, run_together
from sim.study.twins import Twins

if TYPE_CHECKING:
    import pandas as pd

MOST = 30  # options that are compared at once


@dataclass(frozen=True)
class Option:
    """One of the options: its answer, and what it is worth against the first."""

    label: str
    scenario: Scenario
    answer: Answer
    averted: Quantity  # % of the first option's customer-weeks within a year that are not lost; of the first: 0
    stickiness: dict[str, Quantity]  # by group: change of the firm's index in the windows after the first event
    years: Quantity  # customer-years won within a year, in % of the firm's customers; a loss is negative

    def money(self, worth: float, cost: float = 0.0) -> Quantity | None:
        """What is won within a year: customer-years times their worth, less what the option costs; None without a base.

        `worth` is that of one customer in one year.
        """
        if not self.answer.base or not self.years.known:
            return None
        found = self.years.times(self.answer.base / 100 * worth) if worth else Quantity(0, 0, 0, Parts(0))
        return replace(found, value=found.value - cost, low=found.low - cost, high=found.high - cost)


@dataclass(frozen=True)
class _Ran:
    """An option's run beside the control, and who moved."""

    run: Run
    other: Run
    movers: Movers


def compare(
    options: Mapping[str, Scenario],
    base: int | None = None,
    shares: Mapping[str, Share] | None = None,
    progress: Progress | None = None,
) -> list[Option]:
    """Every option against no events at all; presence must be solved, and people, seed and weeks be the same.

    ScenarioError where options are not of the same people, or the first has no event.
    """
    check(options)
    scenarios = list(options.values())
    control = change(scenarios[0], NO_EVENTS)
    firm, _ = hit(control, scenarios[0])
    ran = _run(control, scenarios, firm, progress)
    j, made = list(control.firms).index(firm), []
    loss = _weeks(ran[0], ran[0].movers.first, j)
    for (label, told), one in zip(options.items(), ran, strict=True):
        answer = of_runs(one.run, one.other, one.movers, firm, base, shares or {})
        answer = replace(answer, events=hit(control, told)[1])
        left = _weeks(one, ran[0].movers.first, j)
        averted = (
            Quantity(0, 0, 0) if one is ran[0] else averted_of(loss.sum(axis=1), [left.sum(axis=1)], loss.shape[1])
        )
        years = ratio_of(100 * left.sum(axis=1) / YEAR, _stock(one.run, j))
        made.append(Option(label, told, answer, averted, _stickiness(one, firm), years))
    return made


def check(options: Mapping[str, Scenario]) -> None:
    """ScenarioError unless the options are of the same people, and the first has an event."""
    scenarios = list(options.values())
    if not scenarios or not (scenarios[0].scandals or scenarios[0].moves):
        raise ScenarioError(["options: the first has no event, so there is nothing to compare"])
    wrong = [f"options: {len(options)} are more than {MOST}"] if len(options) > MOST else []
    plain = [replace(change(s, NO_EVENTS), title="") for s in scenarios]
    wrong += [
        f"option {label}: differs from the first in more than events and levers; people would not be the same"
        for label, s in zip(options, plain, strict=True)
        if s != plain[0]
    ]
    if wrong:
        raise ScenarioError(wrong)


def against(scenario: Scenario) -> dict[str, Scenario]:
    """The scenario as it is, and with each countermeasure of conf/countermeasures.yaml that its firm can take.

    A response is taken at its median size. ScenarioError where there is no scandal.
    """
    if not scenario.scandals:
        raise ScenarioError(["countermeasures: there is no scandal to counter; start one first"])
    firm, _ = hit(change(scenario, NO_EVENTS), scenario)
    week = min(s.week for s in scenario.scandals.values())
    rows = {name: row for name, row in measures().items() if possible(scenario, firm, week, row)}
    made = {row["label"]: change(scenario, changes_of(scenario, firm, week, row)[0]) for row in rows.values()}
    return {"As it is": scenario, **made}


def _run(control: Scenario, options: Sequence[Scenario], firm: str, progress: Progress | None) -> list[_Ran]:
    """Options whose first and last events are in the same weeks share one control, as a single answer would have it."""
    keys = []
    for told in options:
        if not (told.scandals or told.moves):
            keys.append((0, over_worlds.span(told, 0)))
            continue
        keys.append((first_difference(control, told), over_worlds.span(told, max(hit(control, told)[1].values()))))
    found: list[_Ran | None] = [None] * len(options)
    for key in dict.fromkeys(keys):
        of = [n for n, other in enumerate(keys) if other == key]
        first, weeks = key
        same = [replace(options[n], weeks=weeks) for n in of]
        run, pairs = run_together(replace(control, weeks=weeks), same, firm, first, progress)
        for n, (other, movers) in zip(of, pairs, strict=True):
            found[n] = _Ran(run, other, movers)
    return [one for one in found if one is not None]


def _weeks(one: _Ran, news: int, j: int) -> Array:
    """[g, t] customers more than in the control in each week of the year after the first option's news."""
    moved = (one.movers.gained - one.movers.lost)[..., j].sum(axis=2)
    series = np.zeros((len(moved), max(0, one.run.scenario.weeks - news)), moved.dtype)
    shift = one.movers.first - news
    weeks = min(series.shape[1] - max(0, shift), moved.shape[1] - max(0, -shift))
    series[:, max(0, shift) : max(0, shift) + weeks] = moved[:, max(0, -shift) : max(0, -shift) + weeks]
    return series[:, :YEAR]


def _stock(run: Run, j: int) -> Array:
    """[g] customers of the control, mean over the weeks."""
    from sim.measure.customers import customers

    found: Array = customers(run.tally)[..., j].sum(axis=2).mean(axis=1)
    return found


def _stickiness(one: _Ran, firm: str) -> dict[str, Quantity]:
    """By group: the change of the firm's index in the windows that begin after the first difference."""
    s = one.run.scenario
    first, j = -(-one.movers.first // s.window), list(s.firms).index(firm)
    if first * s.window >= s.weeks - s.weeks % s.window:
        return dict.fromkeys(groups(s), nothing())

    def after(tally: Tally, cells: Sequence[int]) -> Tally:
        return pooled(tally._replace(**{n: getattr(tally, n)[:, first:] for n in WINDOWED}), cells)

    metric, pair = metrics.firm_metrics(s.market.regime == "provider")["stickiness"], Twins(one.run, one.other)
    found = {}
    for name, cells in groups(s).items():
        value, error = pair.over(metric, cells, after)
        v, e = float(value[j]), float(error[j])
        found[name] = Quantity(v, v - Z * e, v + Z * e, Parts(dice=e)) if e == e else nothing(v)
    return found


def table(options: Sequence[Option], worth: float = 0.0) -> "pd.DataFrame":
    """A row a quantity: option, what, group, firm, unit, value, low, high, level."""
    import pandas as pd

    rows = []
    for o in options:
        firm, year = o.answer.firm, o.answer.year or o.answer.worst
        for when, m in (("at the worst", o.answer.worst), ("after a year", year)):
            rows.append((o.label, f"customers {when}", "all", firm, "%", m.total.percent))
            rows += [(o.label, f"customers {when}", g, firm, "%", c.percent) for g, c in m.groups.items()]
            rows += [(o.label, f"customers {when}", "all", f, "people", c.people) for f, c in m.rivals.items()]
        rows.append((o.label, "averted", "all", firm, "% of the loss", o.averted))
        rows += [(o.label, "stickiness", g, firm, "index", q) for g, q in o.stickiness.items()]
        money = o.money(worth) if worth else None
        rows += [(o.label, "money in a year", "all", firm, "currency", money)] if money else []
    names = ["option", "what", "group", "firm", "unit", "value", "low", "high", "level"]
    return pd.DataFrame(
        [(*row[:5], row[5].value, row[5].low, row[5].high, row[5].level) for row in rows], columns=names
    )
