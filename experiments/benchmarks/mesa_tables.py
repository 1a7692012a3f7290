"""What the Mesa market reads: a scenario's traits by cell, its firms by week, its people at birth, who hears whom.

Nothing here is in the timed loop but `week_of`, once a week. Mechanisms that are switched off and stored networks are
refused: the peer is there to be measured with everything on.
"""

import copy
import math
from dataclasses import fields
from types import SimpleNamespace

import numpy as np

from sim.model.declare import ScenarioError
from sim.model.fields import TRAITS, Firm

CHANCES = ("attention", "automaticity", "habit_rate", "trust_up", "trust_down", "action")  # products are at most 1
AT_LEAST_ONE = ("consideration_size", "loss_aversion")
ROUNDS = 8  # in which a newborn's chances and past settle
YEAR = 52


def cells(scenario):
    """Traits of every cell: the typical consumer's, times the segment's, times the cohort's."""
    wrong = [f"mechanisms.{f.name}" for f in fields(scenario.mechanisms) if not getattr(scenario.mechanisms, f.name)]
    wrong += ["network.kind"] * (scenario.network.kind == "file")
    if wrong:
        raise ScenarioError([f"{path}: the Mesa market has no such switch" for path in wrong])
    found = []
    for segment, cohort in scenario.cells:
        kinds = scenario.segments[segment], scenario.cohorts[cohort]
        traits = SimpleNamespace()
        for name in TRAITS:
            value = getattr(scenario.consumer, name) * math.prod(getattr(kind, name) for kind in kinds)
            value = min(1.0, value) if name in CHANCES else max(1.0, value) if name in AT_LEAST_ONE else value
            setattr(traits, name, value)
        traits.care = {
            name: kind.care * math.prod(member.care.get(name, 1.0) for member in kinds)
            for name, kind in scenario.kinds.items()
        }
        traits.cx_loss = traits.cx_weight * traits.loss_aversion
        found.append(traits)
    return found


def firms_at(scenario, week):
    """The firms as their moves have left them, later moves on top."""
    firms = copy.deepcopy(scenario.firms)
    for move in sorted(scenario.moves.values(), key=lambda m: m.week):
        if move.week <= week and (move.weeks == 0 or week < move.week + move.weeks):
            node = firms[move.firm or scenario.focus]
            *path, name = move.lever.split(".")
            for step in path:
                node = getattr(node, step) if isinstance(node, Firm) else node[step]
            setattr(node, name, move.value)
    return firms


def week_of(model, scenario, week):
    """What is the same for everybody this week: firms' levers, and what is left of each scandal."""
    told, m = max(week, -1), scenario.market
    firms, before = firms_at(scenario, told), firms_at(scenario, told - 1)
    names, levers = list(firms), list(firms.values())
    now = {name: [getattr(f, name) for f in levers] for name in ("quality", "delight_rate")}
    now["noise"] = [f.consistency_sd for f in levers]
    now["friction"] = [f.switching_cost for f in levers]
    now["deterrence"] = [m.switching_cost_deterrence * f.switching_cost for f in levers]
    now["known"] = [f.ease + f.association for f in levers]
    now["repair"] = [f.recovery_adequacy * 2 ** (-f.recovery_days / m.repair_half_life) for f in levers]
    now["moved"] = [told >= 0 and firms[n].price != before[n].price for n in names]
    now["details"] = [_details(f) for f in levers]
    available = [math.log(firms[n].presence / scenario.firms[n].presence) for n in names]
    now["comes"] = [a + f.association for a, f in zip(available, levers, strict=True)]
    now["base"] = [
        [
            a - f.effort - c.price_weight * (f.price - 1) - c.trust_weight * m.trust_start - d
            for a, f, d in zip(available, levers, now["deterrence"], strict=True)
        ]
        for c in model.traits
    ]
    for c in model.traits:
        c.drift_now = math.exp(c.drift * week / YEAR) if week > 0 else 1.0
    scandals = [_scandal(model, scenario, s, told) for s in scenario.scandals.values()]
    for s in scandals:
        now["quality"][s.at] -= s.outage
    now["broken"] = [(k, s) for k, s in enumerate(scandals) if week >= s.week]
    now["losses"] = [s.losses for s in scandals]
    now["contagion"] = [s.contagion for s in scandals]
    return now


def _details(firm):
    """(chance that this touchpoint or one before it fails, harm) of each touchpoint."""
    points = firm.touchpoints.values()
    chances = np.cumsum([p.use * p.failure_rate for p in points]).tolist()
    return [(chance, p.severity) for chance, p in zip(chances, points, strict=True)]


def _scandal(model, scenario, s, week):
    """A scandal as of this week: what it takes by [cell][harmed][firm], what it does to trust by [cell][firm]."""
    m, own, since = scenario.market, s.firm or scenario.focus, week - s.week
    group = scenario.firms[own].group
    blame = [1.0 if n == own else s.spillover * bool(group and f.group == group) for n, f in scenario.firms.items()]
    slow = (1 - m.residue) * 2 ** (-since / m.reputation_half_life) + m.residue
    echo = (1 - m.reputation_share) * 2 ** (-since / m.attention_half_life) + m.reputation_share * slow
    echo *= 1 - s.response * (since >= s.response_delay)
    care = [c.care[s.kind] for c in model.traits]
    hurt = (s.severity, s.severity + s.harm_severity)
    return SimpleNamespace(
        at=list(scenario.firms).index(own),
        week=s.week,
        action=s.action,
        buycott=s.buycott,
        harmed_share=s.harmed_share,
        contagion=s.contagion,
        blame=blame,
        airing=1 - (1 - s.reach) ** (1 / s.news_weeks) if 0 <= since < s.news_weeks else 0.0,
        losses=[[[h * c * b * echo for b in blame] for h in hurt] for c in care],
        distrust=[[m.trust_scandal * s.severity * c * b for b in blame] for c in care],
        outage=s.outage if 0 <= since < s.outage_weeks else 0.0,
    )


def links(model, scenario):
    """Those who hear each person: neighbors on the ring, of whom `rewiring` are somebody anywhere."""
    people, rng = scenario.people, model.rng
    many = 0 if scenario.network.kind == "none" else min(scenario.network.neighbors, (people - 1) // 2 * 2)
    steps = np.arange(many) // 2 + 1
    to = (np.arange(people)[:, None] + np.where(np.arange(many) % 2 == 0, steps, -steps)) % people
    astray = rng.random(to.shape) < scenario.network.rewiring
    to[astray] = rng.integers(people, size=int(astray.sum()))
    return [[j for j in row if j != i] for i, row in enumerate(to.tolist())]


def born(model, scenario):
    """Everybody's traits and tastes, and the past they imply: a list a column, for `create_agents`."""
    rng, m, n, firms = model.rng, scenario.market, scenario.people, len(scenario.firms)
    weights = np.array([scenario.segments[a].weight * scenario.cohorts[b].weight for a, b in scenario.cells])
    cell = rng.choice(len(weights), n, p=weights / weights.sum())
    trait = {name: np.array([getattr(c, name) for c in model.traits])[cell] for name in TRAITS}
    a = trait["attention"]
    inner = np.clip(a, 1e-9, 1 - 1e-9) * m.attention_concentration
    attention = np.where((a <= 0) | (a >= 1), a, rng.beta(inner, m.attention_concentration - inner))
    presence = np.array([f.presence for f in scenario.firms.values()])
    presence = presence / presence.sum()
    if m.taste_law == "normal":
        taste = np.log(presence) + m.taste_sd * rng.standard_normal((n, firms))
    else:  # ln G of a small shape underflows unless it is boosted
        shape = m.taste_concentration * presence
        taste = np.log(rng.gamma(shape + 1, size=(n, firms))) + np.log(1 - rng.random((n, firms))) / shape
    chance, past, expectation = _rest(model, scenario, taste, trait)
    knows = rng.random((n, firms)) >= np.exp(-m.experience * chance)
    race = np.where(knows, np.log(chance + 1e-300) + rng.gumbel(size=(n, firms)), -np.inf)
    last = np.where(knows.any(axis=1), race.argmax(axis=1), -1)
    unknown = {"memory": 0.0, "trust": m.trust_start, "familiarity": 0.0}
    past |= {name: np.where(knows, past[name], value) for name, value in unknown.items()}
    rate = trait["rate"] * rng.gamma(m.rate_shape, size=n) / m.rate_shape
    columns = {"cell": cell, "rate": rate, "attention": attention, "last": last, "expectation": expectation}
    return {name: column.tolist() for name, column in {**columns, "taste": taste, **past}.items()}


def _rest(model, scenario, taste, trait):
    """Chances of choice and the past that follows from them, brought to rest in a few rounds."""
    m, levers = scenario.market, list(firms_at(scenario, -1).values())
    t = {name: column[:, None] for name, column in trait.items()}
    quality, price, effort, known, friction = (
        np.array([law(f) for f in levers])
        for law in (
            lambda f: f.quality,
            lambda f: f.price,
            lambda f: f.effort,
            lambda f: f.ease + f.association,
            lambda f: f.switching_cost,
        )
    )
    failing = np.array([sum(p.use * p.failure_rate for p in f.touchpoints.values()) for f in levers])
    v, past, expectation = taste, {}, np.zeros(len(taste))
    for _ in range(ROUNDS):
        if past:
            gap = past["memory"] - expectation[:, None]
            v = taste + t["cx_weight"] * np.where(gap > 0, gap, t["loss_aversion"] * gap) - effort
            v = v + known * past["familiarity"] - t["price_weight"] * (price - 1)
            v = v + t["trust_weight"] * (past["trust"] - m.trust_start) - m.switching_cost_deterrence * friction
            v = v + t["habit_weight"] * past["habit"] + t["state_dependence"] * chance  # noqa: F821 (of the round before)
            v = v - t["uncertainty"] * np.exp(-m.experience * chance)  # noqa: F821
        chance = np.exp(v - v.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        uses = m.experience * chance
        step = (t["trust_up"] * (1 - failing) - t["trust_down"] * failing) * (1 - m.confirmation_bias / 2)
        past = {
            "memory": np.broadcast_to(quality, taste.shape),
            "trust": np.clip(m.trust_start + uses * step, 0, 1),
            "habit": chance * (1 - (1 - t["habit_rate"]) ** m.experience),
            "familiarity": 1 - (1 - m.familiarity_rate) ** uses,
        }
        expectation = chance @ quality
    return chance, past, expectation
