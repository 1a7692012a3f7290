"""No dead parameter: every declared field, moved within its range, changes what is counted."""

import numpy as np
import pandas as pd
import pytest

from sim.model.declare import Declaration, leaves
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study.simulation import simulate
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import market

TITLES = {  # words that name and change nothing
    *("title", "meaning", "calendar_sha256", "population_sha256"),
    *("posterior", "posterior_sha256"),  # of the worlds of an answer
}
PROVIDERS = (
    *("attention", "attention_concentration", "exit_rate", "contract_weeks", "event_attention", "taste_sd"),
    *("incident_attention", "readiness", "incident", "price_attention", "early_attention", "early_half_life"),
    "loyalty_penalty",
    "pause",
)
FIRST = {"ethics", "all", "young", "f0", "app", "fraud", "cut", "react"}  # of every kind of member one stands for all
BASE = {  # a scenario in which everything has a part
    "people": 400,
    "burn_in": 8,
    "consumer.drift": 0.3,
    "market.incident_attention": 0.2,
    "market.incident_recall": 0.5,
    "market.early_attention": 2.0,
    "kinds.privacy.care": 0.4,
    "firms.f0.association": 0.5,
    "firms.f0.effort": 0.3,
    "firms.f0.feature": 0.5,
    "firms.f0.display": 0.5,
    "consumer.feature_weight": 0.4,
    "consumer.display_weight": 0.4,
    "scandals.fraud.outage": 0.7,
    "scandals.fraud.outage_weeks": 3,
    "scandals.fraud.firm": "",  # at the focus
    "moves.cut.weeks": 9,
    "consumer.deal_weight": 0.5,
    "market.deal_expansion": 1.0,
    "market.errands": 0.1,
    "market.category_elasticity": 0.5,
    "consumer.turnover": 0.2,
    "consumer.taste_renewal": 0.2,
    "consumer.rate_renewal": 0.2,
    "firms.f0.out_of_stock": 0.2,
    "firms.f0.pause": 0.2,
    "window": 4,
    "firms.f0.points": 0.5,
    "firms.f0.points_uses": 3.0,
    "moves.ads": {"firm": "f0", "lever": "advertising", "value": 4.0, "week": 3},
    "policies.react": {"when": "share", "crosses": "above", "value": 0.22, "step": -0.05, "floor": 0.85},
}


OTHERS = {  # values that contradict nothing, and are seen
    "firms.f0.leaves": 20,
    "policies.react.when": "would_leave",
    "policies.react.lever": "consistency_sd",
    "policies.react.step": -0.02,
    "policies.react.floor": 0.95,
    "policies.react.week": 9,
}


def world_of(path: str) -> Scenario:
    """The provider market for what acts only in it, else the repertoire market."""
    events = WORLDS["provider" if path.split(".")[-1] in PROVIDERS else "repertoire"]
    special = {"firms.f1.switching_cost": 3.0} if "switching_cost" in path else {}
    special |= {"consumer.turnover": 0.0} if path == "market.experience" else {}  # else years take its place
    special |= {"burn_in": 60} if path == "market.loyalty_penalty" else {}  # which begins in the second year
    return change(market(events), {**BASE, **special})


def declared() -> list[str]:
    """One dotted path for every declared field."""
    members = ("kinds", "segments", "cohorts", "firms", "scandals", "moves", "policies")
    paths = [path for path, _, _ in leaves(world_of("")) if path.split(".")[-1] not in TITLES]
    paths = [p for p in paths if ".care." not in p or p.endswith(".ethics")]
    return [p for p in paths if p.split(".")[0] not in members or p.split(".")[1] in FIRST]


def other(path: str, value: object, d: Declaration) -> object:
    """Another allowed value, far from this one."""
    if path in OTHERS:
        return OTHERS[path]
    if isinstance(value, bool):
        return not value
    if d.choices:
        return next(c for c in d.choices if c not in (value, "file"))
    if isinstance(value, str):
        words = {"kind": "privacy", "group": "italian", "firm": "f4", "lever": "effort", "focus": "f4", "of": "f5"}
        return words[path.split(".")[-1]]
    if isinstance(value, int):
        return {"window": 5, "replications": 2, "network.neighbors": 4}.get(path, value + 3)
    if value is None:  # share
        return 0.5
    spread = min(d.high or 0, abs(float(value)) * 3 + 0.3)  # type: ignore[arg-type]
    return spread if spread != value else max(d.low or 0, float(value) / 3)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def counted():
    found: dict[str, str] = {}

    def of(scenario: Scenario) -> str:
        key = repr(scenario)
        if key not in found:
            found[key] = digest(simulate(scenario).tally)
        return found[key]

    return of


@pytest.mark.parametrize("path", declared())
def test_every_field_matters(path, counted, tmp_path):
    scenario = world_of(path)
    if path in ("calendar", "population"):
        pd.DataFrame({"week": [0], "firm": ["f0"], "price": [2.0]}).to_parquet(tmp_path / "calendar")
        pd.DataFrame({f"taste.f{j}": [0.5 * j, -1.0 * j] for j in range(6)}).to_parquet(tmp_path / "population")
        twin = change(scenario, {path: str(tmp_path / path)})
    elif path == "network.edges":
        for name, step in (("line.txt", 1), ("ring.txt", 2)):
            np.savetxt(tmp_path / name, [(i, (i + step) % 400) for i in range(400)], fmt="%d")
        scenario = change(scenario, {"network.kind": "file", path: str(tmp_path / "line.txt")})
        twin = change(scenario, {path: str(tmp_path / "ring.txt")})
    else:
        value, d = next((v, d) for p, v, d in leaves(scenario) if p == path)
        twin = change(scenario, {path: other(path, value, d)})
    assert counted(scenario) != counted(twin), f"{path} is dead: nothing counted depends on it"
