"""Which facts the NBD-Dirichlet passes: people who have tastes and nothing else, as polarized as the shipped market."""

from functools import cache

import numpy as np

from sim.facts import british, contracts, goods, published, repertoire, sequences, shelf
from sim.facts.repertoire import GOODS, PROVIDERS, lag_polarization
from sim.facts.runs import ALL_OFF, RunCache, from_counts
from sim.facts.scoreboard import HOLDS, check, facts, verdict
from sim.measure import metrics
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study.calibrate_shares import asked_shares

REPERTOIRE = (*GOODS, "grocery_us", "social_network")


def theorems(runs: RunCache) -> set[int]:
    """The facts that people with tastes alone pass, as polarized as the shipped market: the NBD-Dirichlet.

    Asked are the facts of repeat buying, which are measured in markets without events. What cannot be measured where
    nothing but tastes acts is no theorem.
    """
    tuned = {
        f"market={m}": {"market.taste_concentration": concentration(runs, m), "market.exit_rate": 1.0}
        for m in (*REPERTOIRE, *PROVIDERS, *british.BRITISH)
    }
    off = [name.partition(".")[2] for name in ALL_OFF if name != "mechanisms.taste"]
    tastes = RunCache(runs.people, runs.seed, off, tuned, presence_as_share)
    asked = sorted(n for n in repeat_buying() if not facts()[n].construction)
    return {n for n, found in check(tastes, asked).items() if verdict(facts()[n], found) == HOLDS}


def concentration(runs: RunCache, market: str) -> float:
    """S of the Dirichlet with the polarization of a shipped market, over the lag of a year for providers."""
    metric = metrics.polarization if market in REPERTOIRE else lag_polarization
    phi = float(from_counts(metric, runs(f"market={market}", {"window": 52}, times=6).counts).value)
    return float(np.clip(1 / phi - 1, 0.05, 1000))


def presence_as_share(scenario: Scenario, _: str) -> Scenario:
    """The scenario with presence equal to the stated shares, which solves them where tastes alone act."""
    shares = dict(zip(scenario.firms, asked_shares(scenario).tolist(), strict=True))
    presence = {f"firms.{name}.presence": share for name, share in shares.items()}
    return change(scenario, {**presence, **{f"firms.{name}.share": None for name in shares}})


@cache
def repeat_buying() -> set[int]:
    """The numbers of the facts that the NBD-Dirichlet could explain."""
    modules = (repertoire, shelf, contracts, published, british, goods, sequences)
    return {int(n[5:]) for module in modules for n in vars(module) if n.startswith("fact_")} | {18, 20, 21}
