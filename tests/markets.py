"""Small markets for the tests: the least that shows what is tested."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numba import njit

from sim.model.fields import Mechanisms, Scenario
from sim.model.scenario import build, change

ALL_OFF = {f"mechanisms.{f.name}": False for f in fields(Mechanisms)}
SHARES = (0.3, 0.25, 0.2, 0.15, 0.07, 0.03)


def market(changes: Mapping[str, Any] | None = None, shares: tuple[float, ...] = SHARES) -> Scenario:
    """A lively market of firms f0, f1, ... with these presences; `changes` by dotted path."""
    firms = {f"f{j}": {"presence": p, "touchpoints": {"app": {}, "shop": {"use": 0.4}}} for j, p in enumerate(shares)}
    base = build({"people": 2000, "weeks": 52, "burn_in": 13, "segments": {"all": {}}, "firms": firms})
    return change(base, changes or {})


def bare(changes: Mapping[str, Any] | None = None, shares: tuple[float, ...] = SHARES) -> Scenario:
    """The same with every mechanism off: people choose by presence alone."""
    return change(market({"burn_in": 0}, shares), {**ALL_OFF, **(changes or {})})


def own_values(folder: Path) -> dict[str, Any]:
    """Changes after which people differ in price weight, tastes covary, firms promote, and files say what they say.

    The files are written to `folder`: prices and promotions of two firms by week, and 40 people in 3 draws.
    """
    rng, rows = np.random.default_rng(5), 3 * 40
    weeks = np.arange(0, 12, 3)
    two = pd.DataFrame({"week": np.tile(weeks, 2), "firm": np.repeat(["f0", "f1"], len(weeks))})
    two["price"], two["feature"] = rng.uniform(0.7, 1.3, len(two)), rng.integers(0, 2, len(two)).astype(float)
    two.loc[two.index % 3 == 0, "price"] = np.nan
    two.to_csv(folder / "calendar.csv", index=False)
    people = pd.DataFrame({"draw": np.repeat(range(3), 40), "person": np.tile(range(40), 3)})
    for j in range(len(SHARES)):
        people[f"taste.f{j}"], people[f"uses.f{j}"] = rng.normal(0, 1, rows), rng.integers(0, 9, rows)
    people["price_weight"], people["rate"] = rng.lognormal(0, 0.4, rows), rng.gamma(2.0, 0.5, rows)
    people["last"], people["habit.f0"] = rng.choice([*(f"f{j}" for j in range(5)), ""], rows), rng.uniform(0, 1, rows)
    people["segment"], people["cohort"] = rng.choice(["all", "other"], rows), rng.choice(["young", "old"], rows)
    people.to_parquet(folder / "people.parquet")
    return {
        **{"market.taste_law": "normal", "market.price_weight_sd": 0.6, "replications": 2},
        "taste_covariance": {"f0": {"f0": 1.0, "f1": 0.4, "price_weight": -0.3}, "f1": {"f1": 2.0}},
        "market.season": {"w2": 0.5, "w3": 2.5, "w7": 0.0},
        **{"consumer.feature_weight": 0.8, "consumer.display_weight": 0.3, "firms.f2.display": 0.5},
        **{"calendar": str(folder / "calendar.csv"), "population": str(folder / "people.parquet")},
    }


def called(inlined):
    """A rule that Python can call; by itself it can only be called by other rules."""
    return njit(lambda *arguments: inlined(*arguments)) if hasattr(inlined, "py_func") else inlined
