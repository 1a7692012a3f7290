"""Composes presets and overrides into a scenario, with presence solved in the reference market.

The shares that firms state are those of the reference market: the chosen presets of market, firms and people, before
values on the command line, scandals and levers are applied. Whatever is changed on top of it may move shares.
"""

import argparse
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.model.calendar import calendar_hides
from sim.model.declare import ScenarioError, unknown
from sim.model.fields import Scenario
from sim.model.paths import unknown_member
from sim.model.scenario import build, change, to_dict
from sim.study.bounds import check_references, check_typed
from sim.study.defaults import CONF, MEMBER_GROUPS

if TYPE_CHECKING:
    from sim.measure.shares import Share

PRESET_GROUPS = tuple(sorted(p.name for p in CONF.glob("*") if p.is_dir() and p.name not in ("hydra", "kept_worlds")))
EVENTS = ("scandal", "lever")  # groups that are not part of the reference market
FIELDS = tuple(f.name for f in fields(Scenario))
OPTIONS = ("panel", "study", "base_customers", "worlds", "costs")  # of the command line, not of a scenario
MOST_BASE, MOST_WORLDS = 10**12, 10_000

Shares = dict[str, "Share"]  # by firm: share asked for, share reached and its error


def presets(group: str) -> list[str]:
    """The names of the files of a group in conf/."""
    return sorted(p.stem for p in (CONF / group).glob("*.yaml"))


def forced(argument: str) -> str:
    """`a.b=c` as `++a.b=c`, which Hydra takes whether or not a YAML shows a.b; what it may be is checked here.

    Raises ScenarioError for a value that would be read from outside the scenario, unless it is a setting of Hydra's.
    """
    key, equals, value = argument.partition("=")
    if key.lstrip("+") == "base":  # to Hydra that is the group of declared defaults
        key, argument = "base_customers", f"base_customers={value}"
    if not key.startswith("-") and not key.lstrip("+~").startswith("hydra"):
        check_typed(key.lstrip("+~"), value)
    own = key.startswith(("-", "+", "~", "hydra.")) or "@" in key or "/" in key or key in PRESET_GROUPS
    return argument if own or not equals else f"++{argument}"


def scenario(*overrides: str) -> Scenario:
    """The scenario that `python -m sim` simulates with these overrides, presence solved for the stated shares.

    Raises ScenarioError, which lists everything that is wrong, or what hydra, omegaconf and yaml raise.

    >>> scenario("market=bank", "people=2000").focus
    'lloyds'
    """
    return scenario_and_shares(overrides)[0]


def scenario_and_shares(overrides: Sequence[str] = ()) -> tuple[Scenario, Shares]:
    """As `scenario`, and for each firm the share it states, the share reached and its error."""
    overrides = [forced(o) for o in overrides]
    config, choices = compose(overrides)
    return solved(stated(config, overrides), overrides, choices)


def uncalibrated(*overrides: str) -> Scenario:
    """As `scenario`, but with the shares that firms state: presence is not solved yet.

    >>> uncalibrated("market=bank").firms["lloyds"].share
    0.26
    """
    forces = [forced(o) for o in overrides]
    return stated(compose(forces)[0], forces)


def compose(overrides: Sequence[str] = ()) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The composed config as plain values, and which preset was chosen for each group.

    In a Hydra job it is composed from that job's folders, anywhere else from conf/.
    """
    from sim.study.composition import once

    return once(overrides, lambda: _composed(overrides))


def _composed(overrides: Sequence[str]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    import hydra

    with _initialized():
        config = hydra.compose("config", list(overrides), return_hydra_config=True)
    return plain(config), dict(config.hydra.runtime.choices)


def plain(config: Any) -> dict[str, Any]:
    """A composed config without Hydra's own part, as dicts and values, references to each other (${a.b}) resolved.

    Raises ScenarioError for any other `${...}`: a scenario does not depend on where it is composed.
    """
    from omegaconf import OmegaConf

    own = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    values: Any = OmegaConf.to_container(own, throw_on_missing=True)
    if check_references(values):
        values = OmegaConf.to_container(own, resolve=True)
    return dict(values)


@contextmanager
def _initialized() -> Iterator[None]:
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from sim.study.preset_files import guarded

    with guarded():
        if GlobalHydra.instance().is_initialized():
            yield
        else:
            with initialize_config_dir(str(CONF), version_base="1.3"):
                yield


def stated(config: Mapping[str, Any], overrides: Sequence[str]) -> Scenario:
    """The scenario of a composed config, or one ScenarioError with all that is wrong, misspelled members included."""
    known = (*FIELDS, *OPTIONS)
    others = [key for key in config if key not in known]
    complaints = [f"{k}: {unknown(k, {*known, *PRESET_GROUPS} - {k})}" for k in others]
    if config.get("panel"):
        complaints.append("panel: give it on the command line and alone, as panel=FILE")
    try:
        asked_for(config)
    except ScenarioError as error:
        complaints += error.complaints
    strangers = _strangers(overrides)
    complaints += strangers.values()
    try:
        result = build(_without(config, [*others, *OPTIONS, *strangers]))
        given = [o.partition("=")[0].lstrip("+") for o in overrides]
        complaints += [] if "calendar" in given else calendar_hides(result, given)
    except ScenarioError as error:
        complaints += error.complaints
    if complaints:
        raise ScenarioError(complaints)
    return result


def asked_for(config: Mapping[str, object]) -> tuple[int | None, int | None]:
    """`base` and `worlds` of a composed config: the user's customers, and in how many worlds to put the question.

    ScenarioError for what is no such number.
    """
    wrong: list[str] = []
    base = _whole("base", config.get("base_customers"), MOST_BASE, "customers; give how many the firm has", wrong)
    worlds = _whole("worlds", config.get("worlds"), MOST_WORLDS, "worlds; leave it out, or give a number", wrong)
    if wrong:
        raise ScenarioError(wrong)
    return base, worlds


def _whole(name: str, value: object, most: int, what: str, wrong: list[str]) -> int | None:
    """A whole number from 1 on, or None; what is neither is complained of."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value  # 1.5e6
    if whole is None or (isinstance(whole, int) and whole is not True and 1 <= whole <= most):
        return whole
    wrong.append(f"{name}: {value!r} is no number of {what} from 1 to {most:,}")
    return None


def _strangers(overrides: Sequence[str]) -> dict[str, str]:
    """Path and complaint of members that no preset has: a misspelled firm must not become a new one."""
    paths = [o.partition("=")[0][2:] for o in overrides if _is_forced(o)]
    if not any(path.split(".")[0] in MEMBER_GROUPS for path in paths):
        return {}
    config, _ = compose([o for o in overrides if not _is_forced(o)])
    wrong = dict(found for path in paths if (found := unknown_member(Scenario, config, path)))
    said = {path: unknown(path.rpartition(".")[2], known) for path, known in wrong.items()}
    new = {path: f" (a new one: +{path}.FIELD=VALUE)" * text.startswith("unknown") for path, text in said.items()}
    return {path: f"{path}: {text}{new[path]}" for path, text in said.items()}


def _at(config: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """The mapping at a dotted path: {} where it is empty, None where something before it is missing."""
    node: Any = config
    for n, name in enumerate(path.split(".")):
        if n and name not in node:
            return None
        node = node.get(name) or {}
    return node if isinstance(node, Mapping) else None


def _without(config: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy without what stands at the paths."""
    result = copy.deepcopy(dict(config))
    for path in paths:
        parent, _, name = path.rpartition(".")
        node = _at(result, parent) if parent else result
        if isinstance(node, dict):
            node.pop(name, None)
    return result


def solved(actual: Scenario, overrides: Sequence[str], choices: Mapping[str, Any]) -> tuple[Scenario, Shares]:
    """The scenario with the presence that reproduces the stated shares in its reference market.

    A presence given on the command line is kept; that of all firms of the reference sums to 1.
    """
    from sim.study.calibrate_shares import calibrate_shares

    if all(firm.share is None for firm in actual.firms.values()):
        return actual, {}
    reference, shares = calibrate_shares(_reference(actual, overrides, choices))
    kept = {key.lstrip("+").split(".")[1] for key, _ in _values(overrides) if key.endswith(".presence")}
    values: dict[str, Any] = {f"firms.{name}.share": None for name in actual.firms}
    values |= {f"firms.{n}.presence": reference.firms[n].presence for n in actual.firms if n not in kept}
    return change(actual, values), shares


def _reference(actual: Scenario, overrides: Sequence[str], choices: Mapping[str, Any]) -> Scenario:
    """The same presets of market, firms and people, without changed values, scandals and levers."""
    kept = [o for o in overrides if not _is_change(o)]
    if len(kept) == len(overrides):
        return actual
    if choices.get("market"):
        kept = [o for o in kept if not o.startswith("market=")] + [f"market={choices['market']}"]
    config, _ = compose(kept)
    for name, firm in to_dict(actual)["firms"].items():
        config["firms"].setdefault(name, firm)
    return build({key: value for key, value in config.items() if key in FIELDS})


def _is_change(override: str) -> bool:
    """Whether an override leaves the reference market: a scandal, a lever, or a value that is no share."""
    key = override.partition("=")[0].lstrip("+~")
    if key.split("@")[0] in EVENTS or key.startswith(("scandals.", "moves.")):
        return True
    return _is_forced(override) and not key.endswith(".share")


def _is_forced(override: str) -> bool:
    """Whether an override changes a number somewhere inside; people=..., seed=... concern the reference too."""
    return override.startswith("++") and "." in override.partition("=")[0]


def _values(overrides: Iterable[str]) -> list[tuple[str, str]]:
    """(key, value) of the overrides that are no choices of presets."""
    pairs = [o.partition("=")[::2] for o in overrides if "=" in o]
    return [(key, value) for key, value in pairs if "@" not in key and "/" not in key and key not in PRESET_GROUPS]


def check_sweep(arguments: Sequence[str]) -> None:
    """ScenarioError for a sweep before its first run: every swept value once, the others at their first."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--config-dir", "-cd")
    parser.add_argument("--config-name", "-cn", "--config-path", "-cp")
    flags, rest = parser.parse_known_args(list(arguments))
    if flags.config_name:
        return
    search = [f"hydra.searchpath=[file://{Path(flags.config_dir).resolve()}]"] if flags.config_dir else []
    with _initialized():
        loader = GlobalHydra.instance().config_loader()
        own = OverridesParser.create(config_loader=loader).parse_overrides([a for a in rest if a[0] != "-"])
        axes = [_axis(o) for o in own]
        first = [axis[0] for axis in axes]
        jobs = [[*first[:n], v, *first[n + 1 :]] for n, axis in enumerate(axes) for v in axis[1:]]
        _check([[*search, *job] for job in [first, *jobs]])


def _axis(override: Any) -> list[str]:
    """One override for each value of a sweep."""
    if not override.is_discrete_sweep():
        return [override.input_line]
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def _check(jobs: Iterable[Sequence[str]]) -> None:
    complaints: list[str] = []
    for overrides in jobs:
        try:
            stated(compose(overrides)[0], overrides)
        except ScenarioError as error:
            complaints += error.complaints
    if complaints:
        raise ScenarioError(list(dict.fromkeys(complaints)))
