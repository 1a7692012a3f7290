"""From the firms of each week to the tables of the world: what each firm offers, and where it fails.

Row t = 0 of a table is the burn-in, row t = week + 1 a week that counts; j is a firm, p a touchpoint.
"""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import numpy.typing as npt

from sim.model.fields import Firm, Scenario
from sim.model.levers import NO_LEVERS, is_open, levers_at, may_be_closed, spells, weeks_of_change
from sim.model.rules.experience import repair
from sim.model.state import records

FLOAT = np.float32
Floats = npt.NDArray[np.float32]
Records = np.ndarray  # of named fields, float32 or int64 (`sim.model.state.records`)

LEVERS = tuple(
    f.name for f in fields(Firm) if f.name not in (*NO_LEVERS, "presence", "advertising", "recovery_days")
)  # as the rules read them
OFF_FIRM = {
    "switching_cost": {"switching_cost": 0, "points": 0},
    "association": {"association": 0},
    "ease": {"effort": 0, "ease": 0},
    "price": {"price_moved": 0},
    "shortage": {"out_of_stock": 0},
    "pause": {"pause": 0},
}


def offers(s: Scenario, off: list[str]) -> tuple[Records, Records]:
    """What each firm offers in each week, [t, j], and where it fails, [t, j, p]; `off` are mechanisms."""
    changes = weeks_of_change(s)
    tables = [levers_at(s, week) for week in changes]
    return firm_table(s, changes, tables, off), failure_table(tables)[spells(s, changes)]


def firm_table(s: Scenario, changes: Sequence[int], tables: list[dict[str, Firm]], off: list[str]) -> Records:
    """[t, j] levers and what follows from them; `tables` are the firms from each of the weeks of change on."""
    names = (*LEVERS, "availability", "at_hand", "repair", "price_moved", "deal", "closed")
    by_spell = records((len(tables), len(s.firms)), [(name, FLOAT) for name in names])
    for n, firms in enumerate(tables):
        for j, (name, firm) in enumerate(firms.items()):
            availability = np.log(firm.presence / s.firms[name].presence)
            own = (getattr(firm, lever) for lever in LEVERS)
            at_hand = np.log(s.firms[name].presence)
            by_spell[n, j] = (*own, availability, at_hand, repair(firm, s.market), 0, 0, 0)
    spell, provider = spells(s, changes), s.market.regime == "provider"  # a bill that falls sends nobody to look around
    result = by_spell[spell]
    for n, week in enumerate(changes[1:], 1):
        before, now = (np.array([firm.price for firm in table.values()]) for table in tables[n - 1 : n + 1])
        result["price_moved"][week + 1] = now > before if provider else now != before
    result["deal"] = result["price"] - usual_prices(result["price"], s.market.price_half_life)
    advertised = np.array([[firm.advertising for firm in firms.values()] for firms in tables], FLOAT)
    if (advertised != 1).any():
        result["availability"] += advertising_effect(s, advertised[spell])
    for scandal in s.scandals.values() if "scandal" not in off else ():
        j, first = list(s.firms).index(scandal.firm or s.focus), scandal.week + 1
        result["quality"][first : first + scandal.outage_weeks, j] -= FLOAT(scandal.outage)
    for mechanism in off:
        for name, value in OFF_FIRM.get(mechanism, {}).items():
            result[name] = value
    _close(s, result)
    return result


def _close(s: Scenario, table: Records) -> None:
    """Mark the weeks in which a firm is not in the market; there is no cost of leaving one that is gone."""
    for j, name in enumerate(s.firms):
        for week in [w for w in range(-1, s.weeks) if not is_open(s.firms[name], w)] if may_be_closed(s, name) else ():
            table["closed"][week + 1, j], table["switching_cost"][week + 1, j] = 1, 0
            table["price_moved"][week + 1, j] = 0


def usual_prices(prices: Floats, half_life: float) -> Floats:
    """[t, j] the prices that people are used to: the mean of earlier ones, by exponential smoothing (half-life, weeks).

    >>> usual_prices(np.float32([[1], [2], [2], [2]]), 1)[:, 0].tolist()
    [1.0, 1.0, 1.5, 1.75]
    """
    usual, step = prices.copy(), FLOAT(1 - 2 ** (-1 / half_life))
    for t in range(1, len(prices)):
        usual[t] = usual[t - 1] + step * (prices[t - 1] - usual[t - 1])
    return usual


def advertising_effect(s: Scenario, budgets: Floats) -> Floats:
    """[t, j] what budgets [t, j] add to availability, logit, by what they have built up (adstock: Broadbent 1979).

    What was built up fades with `advertising_half_life` and has diminishing returns: e (1 + b) ln((b + A) / (b + 1)) of
    an adstock A, 1 where advertising is as usual; e is the elasticity there, and b what there is without any.

    >>> s = Scenario()
    >>> s.market.advertising_half_life, s.market.advertising_elasticity = 1, 0.5
    >>> [round(float(effect), 3) for effect in advertising_effect(s, np.float32([[1], [3], [1]]))[:, 0]]
    [0.0, 0.405, 0.223]
    """
    elasticity, base = FLOAT(s.market.advertising_elasticity), FLOAT(s.market.advertising_base)
    left = FLOAT(2 ** (-1 / s.market.advertising_half_life))
    stock = budgets.copy()
    for t in range(1, len(budgets)):
        stock[t] = left * stock[t - 1] + (1 - left) * budgets[t]
    return elasticity * (1 + base) * np.log((base + stock) / (base + 1))


def failure_table(tables: list[dict[str, Firm]]) -> Records:
    """[n, j, p] chance that touchpoint p or one before it fails, and its harm, from each of the weeks of change on."""
    most = max(1, max(len(f.touchpoints) for f in tables[0].values()))
    failures = records((len(tables), len(tables[0]), most), [("failing", FLOAT), ("severity", FLOAT)])
    for t, firms in enumerate(tables):
        for j, firm in enumerate(firms.values()):
            chances = [point.use * point.failure_rate for point in firm.touchpoints.values()]
            failures["failing"][t, j] = [*np.cumsum(chances), *[sum(chances)] * (most - len(chances))]
            failures["severity"][t, j, : len(chances)] = [p.severity for p in firm.touchpoints.values()]
    return failures
