"""From a scenario to arrays: what every week publishes, for all weeks of a run.

Row t = 0 of a table is the burn-in, row t = week + 1 a week that counts. s is a cell (segment x cohort), j a firm, k a
scandal, p a touchpoint. Switching a mechanism off sets its parameters to neutral values here (OFF); rules contain no
switches.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.compute.jit import inlined
from sim.model.ages import stages
from sim.model.declare import ScenarioError, declaration, did_you_mean
from sim.model.fields import TRAITS, Consumer, Market, Network, Scandal, Scenario
from sim.model.network import Links, stored_links
from sim.model.offers import FLOAT, Floats, Records, offers
from sim.model.population import has_price_weights, people_of
from sim.model.scandals import attribution, news_exposure, salience
from sim.model.state import records
from sim.model.tastes import taste_factor
from sim.model.visits import expected_visits

ByWeek = Callable[[Scandal, int], float]  # of a scandal and the weeks since it broke

CHOICES = {
    "provider": ("regime", 0),
    "taste_law": ("taste_law", 1),
}  # of the market, and the number of the first choice
RENEWALS = ("turnover", "taste_renewal", "rate_renewal")  # traits, times a year
LEAST_PRICE = 0.5  # of what it was, below which a fall of the category's price brings no more uses
OFF = {
    "experience": {"cx_weight": 0},
    "habit": {"state_dependence": 0, "habit_weight": 0, "automaticity": 0},
    "inattention": {"attention": 1, "automaticity": 0},
    "consideration": {"consideration_size": 64},
    "anchor": {"anchor_pull": 0},
    "trust": {"trust_weight": 0},
    "regret": {"regret_weight": 0},
    "uncertainty": {"uncertainty": 0},
    "price": {"price_weight": 0, "deal_weight": 0, "feature_weight": 0, "display_weight": 0},
    "turnover": {"turnover": 0},
    "renewal": {"taste_renewal": 0, "rate_renewal": 0},
}
OFF_MARKET = {
    "taste": {"taste_law": 0},
    "habit": {"recall_habit": 0},
    "inattention": {"early_attention": 0},
    "switching_cost": {"exit_rate": 1, "switching_cost_deterrence": 0},
    "incident": {"incident_attention": 0, "incident_recall": 0},
    "errands": {"errands": 0},
    "anchor": {"anchor_start": 0},
    "word_of_mouth": {"positive_wom": 0, "negative_wom": 0},
}


class World(NamedTuple):
    """Everything that people can read of the market, in all weeks; float32 unless said."""

    market: Records  # [1] the category's numbers
    traits: Records  # [s] traits of a cell
    care: Floats  # [s, kind] weight of a scandal of that kind
    firms: Records  # [t, j] levers, and what follows from them
    failures: Records  # [t, j, p] chance that touchpoint p or one before it fails; its harm, CX
    scandals: Records  # [k]
    attribution: Floats  # [k, j] share of a scandal's loss that a firm bears
    news_exposure: Floats  # [t, k] chance to hear it on the news in a week
    salience: Floats  # [t, k] what is left of it in memory, response included
    cells: Floats  # [s] cumulative shares of cells
    presence: Floats  # [j] sums to 1
    taste_factor: Floats  # [j + 1, j + 1] Cholesky factor of tastes and ln price weight; [0, 0] where none is given
    given: Floats  # [person, column] people to start from, as of `population.people_of`; [0, 0] where none are
    season: Floats  # [t] factor on the rate of use
    visits: Floats  # [j, column] what a visit is to be expected to bring before week 0; [0, 0] where nobody reads it
    ages: npt.NDArray[np.int64]  # [s, column] from cohort to cohort (sim/model/ages.py); [0, 0] if people stay
    starts: npt.NDArray[np.int64]  # [people + 1] int64, CSR of a stored network; empty for the small world
    recipients: npt.NDArray[np.int64]  # [links] int64


class Published(NamedTuple):
    """All that a person of one cell may read in one week, published before it; no rule writes to it."""

    market: Records  # [1] the category's numbers
    traits: Records  # [1] traits of the cell
    care: Floats  # [kind] weight of a scandal of that kind in the cell
    firms: Records  # [j] levers of the week
    failures: Records  # [j, p] of the week
    scandals: Records  # [k]
    attribution: Floats  # [k, j]
    news_exposure: Floats  # [k] of the week
    salience: Floats  # [k] of the week
    key: tuple[int, int]  # seed, replication
    week: int  # below 0 in the burn-in


@inlined
def week_row(week):
    """The row of a week in the world's tables and the tally: all of the burn-in is row 0."""
    return week + 1 if week >= 0 else 0


@inlined
def publish(world, key, week, s):
    """What a person of cell s may read in a week, as `Published`."""
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


def make_world(scenario: Scenario, links: Links | None = None, replication: int = 0) -> World:
    """The arrays of a scenario; `links` = (starts, recipients), as of `checked_links`, replaces its network.

    Raises ScenarioError for a word that is none of the declared ones, or a file that is unreadable or was changed.
    """
    s = scenario
    off = switched_off(s)
    firms, failures = offers(s, off)
    presence = np.array([f.presence for f in s.firms.values()])
    scandals = {} if "scandal" in off else s.scandals
    starts, recipients = stored_links(s) if links is None else links
    traits = _traits(s, off)
    market = _market(s, off, traits)
    return World(
        market=market,
        traits=traits,
        care=_care(s),
        firms=firms,
        failures=failures,
        scandals=_scandals(s, scandals),
        attribution=_attribution(s, scandals),
        news_exposure=_by_week(s, scandals, news_exposure),
        salience=_by_week(s, scandals, lambda scandal, weeks: salience(scandal, s.market, weeks)),
        cells=_cells(s),
        presence=(presence / presence.sum()).astype(FLOAT),
        taste_factor=taste_factor(s),
        given=people_of(s, replication),
        season=_season(s, firms, off),
        visits=_visits(s, market, traits),
        ages=stages(s, off),
        starts=starts,
        recipients=recipients,
    )


def with_levers(world: World, scenario: Scenario) -> World:
    """The world of a scenario that differs from that of `world` in moves alone."""
    off = switched_off(scenario)
    firms, failures = offers(scenario, off)
    return world._replace(firms=firms, failures=failures, season=_season(scenario, firms, off))


def switched_off(s: Scenario) -> list[str]:
    """The mechanisms that are off."""
    return [m.name for m in fields(s.mechanisms) if not getattr(s.mechanisms, m.name)]


def _market(s: Scenario, off: list[str], traits: Records) -> Records:
    m = s.market
    values = {f.name: getattr(m, f.name) for f in fields(Market) if not isinstance(getattr(m, f.name), str | dict)}
    values |= {name: first + _choice(m, field, "market.") for name, (field, first) in CHOICES.items()}
    _choice(s.network, "kind", "network.")
    talk = s.network.kind != "none" and "word_of_mouth" not in off
    values |= {"own_price_weights": int(own_price_weights(s))}
    values |= {"window": s.window, "burn_in": s.burn_in, "people": s.people, "talk": int(talk)}
    values |= {"neighbors": min(s.network.neighbors, (s.people - 1) // 2 * 2), "rewiring": s.network.rewiring}
    values["renewing"] = float(max(sum(row[name] for name in RENEWALS) for row in traits)) / 52
    for mechanism in (*off, *(["errands"] if m.regime == "provider" else [])):  # a customer has one
        values |= OFF_MARKET.get(mechanism, {})
    whole = (*CHOICES, "window", "burn_in", "people", "neighbors", "contract_weeks", "talk", "own_price_weights")
    kinds = [(name, np.int64 if name in whole else FLOAT) for name in values]
    market = records(1, kinds)
    market[0] = tuple(values.values())
    return market


def own_price_weights(s: Scenario) -> bool:
    """Whether people have price weights of their own."""
    return s.market.price_weight_sd > 0 or has_price_weights(s)


def _choice(node: Market | Network, name: str, path: str) -> int:
    """The number of a word among its declared choices; ScenarioError for one that is none of them."""
    choices = next(declaration(f).choices for f in fields(node) if f.name == name)
    return _number(getattr(node, name), choices, f"{path}{name}")


def _number(word: str, known: Sequence[str], path: str) -> int:
    if word not in known:
        raise ScenarioError([f"{path}: {word!r} is not known{did_you_mean(word, known)}"])
    return known.index(word)


def _traits(s: Scenario, off: list[str]) -> Records:
    """[s] the typical consumer's traits times the factors of segment and cohort, kept in the declared range."""
    traits = records(len(s.cells), [(name, FLOAT) for name in TRAITS])
    ranges = {f.name: declaration(f).product for f in fields(Consumer)}
    for row, (segment, cohort) in enumerate(s.cells):
        for name, (low, high) in ranges.items():
            value = getattr(s.consumer, name) * getattr(s.segments[segment], name) * getattr(s.cohorts[cohort], name)
            traits[name][row] = max(low, min(high, value))
    for mechanism in off:
        for name, value in OFF.get(mechanism, {}).items():
            traits[name] = value
    return traits


def _visits(s: Scenario, market: Records, traits: Records) -> Floats:
    """[j, column] as of `expected_visits` for those whose past is lived (sim/model/past.py), else [0, 0]."""
    if market["provider"][0] and (traits["turnover"] > 0).any():
        shares, voice = np.diff(_cells(s), prepend=0), traits["voice"].astype(float)
        mean, square = float(shares @ voice), float(shares @ voice**2)
        return expected_visits(s, int(market["neighbors"][0] * market["talk"][0]), (mean, square))
    return np.zeros((0, 0), FLOAT)


def _care(s: Scenario) -> Floats:
    """[s, kind] the care of a kind of scandal times the factors of segment and cohort."""
    factors = [(s.segments[a].care, s.cohorts[b].care) for a, b in s.cells]
    care = [[kind.care * a.get(n, 1.0) * b.get(n, 1.0) for n, kind in s.kinds.items()] for a, b in factors]
    return np.array(care, FLOAT).reshape(len(s.cells), len(s.kinds))


def _season(s: Scenario, firms: Records, off: list[str]) -> Floats:
    """[t] the factor on the rate of use of the season, and of the category's price.

    Years have 52 weeks, and the burn-in has no season. A deal of one per cent of the category's price, firms weighted
    by presence, brings `deal_expansion` per cent more uses, in the weeks in which it is new (Nijs, Dekimpe, Steenkamp
    & Hanssens 2001). As long as that price is one per cent above what it was before week 0 there are
    `category_elasticity` per cent fewer.
    """
    factors = np.array([1.0, *(s.market.season.get(f"w{week % 52 + 1}", 1.0) for week in range(s.weeks))])
    if s.market.deal_expansion + s.market.category_elasticity > 0 and "price" not in off:
        presence = np.array([f.presence for f in s.firms.values()])
        deal, price = (firms[name].astype(float) @ (presence / presence.sum()) for name in ("deal", "price"))
        factors *= np.exp(-s.market.deal_expansion * deal)
        if price[0] > 0:
            factors *= (np.maximum(price, price[0] * LEAST_PRICE) / price[0]) ** -s.market.category_elasticity
    return factors.astype(FLOAT)


def _cells(s: Scenario) -> Floats:
    weights = np.array([s.segments[a].weight * s.cohorts[b].weight for a, b in s.cells])
    return np.cumsum(weights / weights.sum()).astype(FLOAT)


def _scandals(s: Scenario, scandals: dict[str, Scandal]) -> Records:
    names, kinds = list(s.firms), list(s.kinds)
    floats = ("severity", "contagion", "action", "buycott", "harmed_share", "harm_severity", "harm_action")
    dtype = [("firm", np.int64), ("kind", np.int64), ("week", np.int64), *((n, FLOAT) for n in floats)]
    result = records(len(scandals), dtype)
    talk = float(s.mechanisms.word_of_mouth and s.network.kind != "none")
    for k, (name, c) in enumerate(scandals.items()):
        kind = _number(c.kind, kinds, f"scandals.{name}.kind")
        factors = {"contagion": talk, "action": s.kinds[c.kind].action}
        values = [getattr(c, n) * factors.get(n, 1) for n in floats]
        result[k] = (names.index(c.firm or s.focus), kind, c.week, *values)
    return result


def _attribution(s: Scenario, scandals: dict[str, Scandal]) -> Floats:
    shares = [[attribution(s, scandal, firm) for firm in s.firms] for scandal in scandals.values()]
    return np.array(shares, FLOAT).reshape(len(scandals), len(s.firms))


def _by_week(s: Scenario, scandals: dict[str, Scandal], law: ByWeek) -> Floats:
    """[t, k] a law of scandals, from the week in which each breaks."""
    by_week = np.zeros((s.weeks + 1, len(scandals)), FLOAT)
    for k, scandal in enumerate(scandals.values()):
        for week in range(scandal.week, s.weeks):
            by_week[week + 1, k] = law(scandal, week - scandal.week)
    return by_week
