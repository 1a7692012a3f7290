"""From a scenario to arrays: World, the market's story by week.

t = 0 is the burn-in, t = week + 1 the weeks after; s cell, i person, j firm, k scandal, p touchpoint. A mechanism that
is switched off is a World with neutral numbers: the rules never ask.
"""

import copy
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from sim.compute.jit import inlined
from sim.model.declare import ScenarioError, declaration, did_you_mean
from sim.model.fields import TRAITS, Firm, Market, Scandal, Scenario
from sim.model.network import Links, stored_links
from sim.model.state import records

FLOAT = np.float32
KINDS = ("ethics", "privacy", "service")
WORDS = {"provider": ("regime", 0), "taste_law": ("taste_law", 1)}  # of the market, and the number of the first choice
LEVERS = tuple(
    f.name for f in fields(Firm) if f.name not in ("group", "share", "presence", "touchpoints", "recovery_days")
)
HIGHEST = {"attention": 1, "automaticity": 1, "habit_rate": 1, "trust_up": 1, "trust_down": 1, "action": 1}
LOWEST = {"consideration_size": 1, "loss_aversion": 1}
OFF = {
    "experience": {"cx_weight": 0},
    "habit": {"state_dependence": 0, "habit_weight": 0, "automaticity": 0},
    "inattention": {"attention": 1, "automaticity": 0},
    "consideration": {"consideration_size": 64},
    "anchor": {"anchor_pull": 0},
    "trust": {"trust_weight": 0},
    "regret": {"regret_weight": 0},
    "uncertainty": {"uncertainty": 0},
    "price": {"price_weight": 0},
}
OFF_MARKET = {
    "taste": {"taste_law": 0},
    "habit": {"recall_habit": 0},
    "switching_cost": {"exit_rate": 1, "switching_cost_deterrence": 0},
    "anchor": {"anchor_start": 0},
    "word_of_mouth": {"positive_wom": 0, "negative_wom": 0},
}
OFF_FIRM = {
    "switching_cost": {"switching_cost": 0},
    "association": {"association": 0},
    "ease": {"effort": 0, "ease": 0},
    "price": {"price_moved": 0},
}


class World(NamedTuple):
    """What a person can read of the market; float32 unless said."""

    market: np.ndarray  # [1] records: the category's numbers
    traits: np.ndarray  # [s] records: a cell's traits
    care: np.ndarray  # [s, kind] weight of a scandal of that kind
    firms: np.ndarray  # [t, j] records: levers, and what follows from them
    failures: np.ndarray  # [t, j, p] records: chance that touchpoint p or one before it fails; harm of it, CX
    scandals: np.ndarray  # [k] records
    attribution: np.ndarray  # [k, j] 1 at the firm, `spillover` at its peers, 0 elsewhere
    news_exposure: np.ndarray  # [t, k] chance to hear it on the news in a week
    salience: np.ndarray  # [t, k] what is left of it in memory, response included
    cells: np.ndarray  # [s] cumulative shares of cells
    presence: np.ndarray  # [j] sums to 1
    starts: np.ndarray  # [people + 1] int64, CSR of a stored network; empty for the small world
    recipients: np.ndarray  # [links] int64


class Published(NamedTuple):
    """All that a person of one cell may read in one week, published before it; no rule writes to it."""

    market: np.ndarray  # [1] record: the category's numbers
    traits: np.ndarray  # [1] record: those of the cell
    care: np.ndarray  # [kind] float32
    firms: np.ndarray  # [j] records: levers of the week
    failures: np.ndarray  # [j, p] records
    scandals: np.ndarray  # [k] records
    attribution: np.ndarray  # [k, j]
    news_exposure: np.ndarray  # [k] of the week
    salience: np.ndarray  # [k] of the week
    key: tuple[int, int]  # seed, replication
    week: int


@inlined
def week_row(week):
    """The row of a week in the world's tables and the tally: all of the burn-in is row 0."""
    return week + 1 if week >= 0 else 0


@inlined
def publish(world, key, week, s):
    """What those of cell s may read in a week."""
    t = week_row(week)
    return Published(
        world.market,
        world.traits[s : s + 1],
        world.care[s],
        world.firms[t],
        world.failures[t],
        world.scandals,
        world.attribution,
        world.news_exposure[t],
        world.salience[t],
        key,
        week,
    )


def make_world(scenario: Scenario, links: Links | None = None) -> World:
    """The arrays of a scenario; `links` = (starts, recipients), as of `checked_links`, replaces its network."""
    s, off = (
        scenario,
        [m.name for m in fields(scenario.mechanisms) if not getattr(scenario.mechanisms, m.name)],
    )
    tables = [_levers_at(s, week) for week in range(-1, s.weeks)]
    presence = np.array([f.presence for f in s.firms.values()])
    scandals = {} if "scandal" in off else s.scandals
    starts, recipients = stored_links(s) if links is None else links
    traits = _traits(s, off)
    return World(
        market=_market(s, off),
        traits=traits,
        care=np.stack([traits[f"care_{kind}"] for kind in KINDS], axis=1),
        firms=_firms(s, tables, off),
        failures=_failures(tables),
        scandals=_scandals(s, scandals),
        attribution=_attribution(s, scandals),
        news_exposure=_by_week(s, scandals, _news_exposure),
        salience=_by_week(s, scandals, _salience),
        cells=_cells(s),
        presence=(presence / presence.sum()).astype(FLOAT),
        starts=starts,
        recipients=recipients,
    )


def _market(s: Scenario, off: list[str]) -> np.ndarray:
    m = s.market
    values = {f.name: getattr(m, f.name) for f in fields(Market) if not isinstance(getattr(m, f.name), str)}
    values |= {name: first + _word_number(m, field, "market.") for name, (field, first) in WORDS.items()}
    _word_number(s.network, "kind", "network.")
    talk = s.network.kind != "none" and "word_of_mouth" not in off
    values |= {"window": s.window, "burn_in": s.burn_in, "people": s.people, "talk": int(talk)}
    values |= {"neighbors": min(s.network.neighbors, (s.people - 1) // 2 * 2), "rewiring": s.network.rewiring}
    for mechanism in off:
        values |= OFF_MARKET.get(mechanism, {})
    whole = (*WORDS, "window", "burn_in", "people", "neighbors", "contract_weeks", "talk")
    kinds = [(name, np.int64 if name in whole else FLOAT) for name in values]
    market = records(1, kinds)
    market[0] = tuple(values.values())
    return market


def _word_number(node: Any, name: str, path: str) -> int:
    """The number of a word among its declared choices; ScenarioError for one that is none of them."""
    choices = next(declaration(f).choices for f in fields(node) if f.name == name)
    word = getattr(node, name)
    if word not in choices:
        raise ScenarioError([f"{path}{name}: {word!r} is not known{did_you_mean(word, choices)}"])
    return choices.index(word)


def _traits(s: Scenario, off: list[str]) -> np.ndarray:
    cohorts = s.cohorts
    table = records(len(s.cells), [(name, FLOAT) for name in TRAITS])
    for row, (segment, cohort) in enumerate(s.cells):
        for name in TRAITS:
            value = getattr(s.consumer, name) * getattr(s.segments[segment], name) * getattr(cohorts[cohort], name)
            table[name][row] = max(LOWEST.get(name, -np.inf), min(HIGHEST.get(name, np.inf), value))
    for mechanism in off:
        for name, value in OFF.get(mechanism, {}).items():
            table[name] = value
    return table


def _cells(s: Scenario) -> np.ndarray:
    weights = np.array([s.segments[a].weight * s.cohorts[b].weight for a, b in s.cells])
    return np.cumsum(weights / weights.sum()).astype(FLOAT)


def _levers_at(s: Scenario, week: int) -> dict[str, Firm]:
    """The firms as their moves have left them in a week; later moves win."""
    firms = s.firms
    active = [m for m in s.moves.values() if m.week <= week and (m.weeks == 0 or week < m.week + m.weeks)]
    if active:
        firms = copy.deepcopy(firms)
    for move in sorted(active, key=lambda m: m.week):
        node: Any = firms[move.firm or s.focus]
        *path, name = move.lever.split(".")
        for step in path:
            node = node[step] if isinstance(node, dict) else getattr(node, step)
        setattr(node, name, move.value)
    return firms


def _firms(s: Scenario, tables: list[dict[str, Firm]], off: list[str]) -> np.ndarray:
    names = (*LEVERS, "availability", "repair", "price_moved")
    result = records((len(tables), len(s.firms)), [(name, FLOAT) for name in names])
    for t, firms in enumerate(tables):
        for j, (name, firm) in enumerate(firms.items()):
            for lever in LEVERS:
                result[lever][t, j] = getattr(firm, lever)
            result["availability"][t, j] = np.log(firm.presence / s.firms[name].presence)
            result["repair"][t, j] = repair(firm, s.market)
            result["price_moved"][t, j] = t > 0 and firm.price != tables[t - 1][name].price
    for scandal in s.scandals.values() if "scandal" not in off else ():
        j, first = list(s.firms).index(scandal.firm or s.focus), scandal.week + 1
        result["quality"][first : first + scandal.outage_weeks, j] -= FLOAT(scandal.outage)
    for mechanism in off:
        for name, value in OFF_FIRM.get(mechanism, {}).items():
            result[name] = value
    return result


def repair(firm: Firm, market: Market) -> float:
    """Share of the harm that a solved complaint repairs: adequacy, halved with every half-life of delay (#66)."""
    return float(firm.recovery_adequacy * 2 ** (-firm.recovery_days / market.repair_half_life))


def _failures(tables: list[dict[str, Firm]]) -> np.ndarray:
    most = max(1, max(len(f.touchpoints) for f in tables[0].values()))
    failures = records((len(tables), len(tables[0]), most), [("failing", FLOAT), ("severity", FLOAT)])
    for t, firms in enumerate(tables):
        for j, firm in enumerate(firms.values()):
            chances = [point.use * point.failure_rate for point in firm.touchpoints.values()]
            failures["failing"][t, j] = [*np.cumsum(chances), *[sum(chances)] * (most - len(chances))]
            failures["severity"][t, j, : len(chances)] = [p.severity for p in firm.touchpoints.values()]
    return failures


def _scandals(s: Scenario, scandals: dict[str, Scandal]) -> np.ndarray:
    names = list(s.firms)
    floats = ("severity", "contagion", "action", "buycott", "harmed_share", "harm_severity")
    dtype = [("firm", np.int64), ("kind", np.int64), ("week", np.int64), *((n, FLOAT) for n in floats)]
    result = records(len(scandals), dtype)
    talk = float(s.mechanisms.word_of_mouth and s.network.kind != "none")
    for k, (name, c) in enumerate(scandals.items()):
        told = [getattr(c, n) * (talk if n == "contagion" else 1) for n in floats]
        kind = _word_number(c, "kind", f"scandals.{name}.")
        result[k] = (names.index(c.firm or s.focus), kind, c.week, *told)
    return result


def _attribution(s: Scenario, scandals: dict[str, Scandal]) -> np.ndarray:
    attribution = np.zeros((len(scandals), len(s.firms)), FLOAT)
    for k, scandal in enumerate(scandals.values()):
        own = scandal.firm or s.focus
        for j, (name, firm) in enumerate(s.firms.items()):
            peer = firm.group and firm.group == s.firms[own].group
            attribution[k, j] = 1 if name == own else (scandal.spillover if peer else 0)
    return attribution


def _by_week(s: Scenario, scandals: dict[str, Scandal], law: Any) -> np.ndarray:
    table = np.zeros((s.weeks + 1, len(scandals)), FLOAT)
    for k, scandal in enumerate(scandals.values()):
        for week in range(scandal.week, s.weeks):
            table[week + 1, k] = law(s, scandal, week - scandal.week)
    return table


def _news_exposure(s: Scenario, scandal: Scandal, since: int) -> float:
    """Chance a week, such that `reach` have heard of it after `news_weeks`."""
    return float(1 - (1 - scandal.reach) ** (1 / scandal.news_weeks)) if since < scandal.news_weeks else 0.0


def _salience(s: Scenario, scandal: Scandal, since: int) -> float:
    """Two-speed memory: attention fades fast, reputation slowly, a residue stays (#58, #59; c6)."""
    m = s.market
    slow = (1 - m.residue) * 2 ** (-since / m.reputation_half_life) + m.residue
    left = (1 - m.reputation_share) * 2 ** (-since / m.attention_half_life) + m.reputation_share * slow
    return float(left * (1 - scandal.response * (since >= scandal.response_delay)))
