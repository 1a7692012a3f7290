"""The declared defaults as configs of Hydra, under base/: presets build on them, so any number can be overridden."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from sim.model.declare import Declaration, leaves, read
from sim.model.fields import SCANDAL_KINDS, Cohort, Firm, Move, Policy, Scandal, Scenario, Segment

_HERE = Path(__file__).resolve().parents[1]
CONF = next((p for p in (_HERE / "conf", _HERE.parent / "conf") if (p / "config.yaml").is_file()), _HERE / "conf")
MEMBER_GROUPS = ("kinds", "segments", "cohorts", "firms", "scandals", "moves", "policies")  # which presets add to


def bases() -> dict[str, dict[str, Any]]:
    """Name of a config -> the defaults of a scenario without members, and of a member of each group."""
    members: dict[str, Any] = {"segment": Segment(), "cohort": Cohort(), "firm": Firm()}
    members |= {"scandal": Scandal(), "move": Move(), "policy": Policy()}
    found = {name: asdict(member) for name, member in members.items()}
    for name in ("segment", "cohort"):
        found[name]["care"] = dict.fromkeys(SCANDAL_KINDS, 1.0)
    return {"scenario": asdict(Scenario()) | {group: {} for group in MEMBER_GROUPS}, **found}


def register_defaults() -> None:
    """Offer them to Hydra, as base/firm and so on; again does no harm."""
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    for name, values in bases().items():
        store.store(name, values, group="base")


def vocabulary() -> list[tuple[str, Declaration]]:
    """Every field as (path, declaration), NAME standing for the name of a member or a kind of scandal."""
    one: dict[str, object] = {kind: {"NAME": {}} for kind in ("kinds", "scandals", "moves", "policies")}
    one |= {kind: {"NAME": {"care": {"NAME": 1.0}}} for kind in ("segments", "cohorts")}
    one["market"] = {"season": {"NAME": 1.0}}
    one["taste_covariance"] = {"NAME": {"NAME": 1.0}}
    one["firms"] = {"NAME": {"touchpoints": {"NAME": {}}}}
    return [(path, d) for path, _, d in leaves(read(Scenario, one, "", []))]
