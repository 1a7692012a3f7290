"""Files and links of a game: the scenario as YAML, the data, the run, and a link that restores the scenario."""

import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import yaml

from sim.engine.loop import Run
from sim.measure.estimates import Estimate, by_window, estimate, weekly
from sim.measure.metrics import listed
from sim.model.declare import Declaration, ScenarioError, did_you_mean, leaves
from sim.model.fields import Move, Scandal, Scenario
from sim.model.scenario import change, to_dict
from sim.page import limits
from sim.page.events import with_events
from sim.page.game import COMPOSE_LOCK, FIRST_MARKET, Game, preset
from sim.study.presets import compose
from sim.study.store import save

LINKABLE = {"scandals": Scandal, "moves": Move}  # what a link may add
VIEW = ("firm", "group", "lines")  # what is shown: firm in view, people in view, what the lines are
REPEATED = 5  # wrong names of a link that an error repeats
FILES = (
    "network.edges",
    "calendar",
    "calendar_sha256",
    "population",
    "population_sha256",
    "posterior",
    "posterior_sha256",
)
SERVER_ONLY = (*FILES, "replications")
YAML_HEADER = """\
# @package _global_
# Played in the browser. Save as FOLDER/market/played.yaml; the same numbers come from
#   python -m sim --config-dir FOLDER market=played
"""


def finished_run(game: Game) -> Run:
    """The run so far, with the scenario that gives the same from the start; ScenarioError in the first window."""
    if game.week < game.start.window:
        raise ScenarioError([f"play at least {game.start.window} weeks, one window; then there is a run to download"])
    return game.market.result()


def scenario_yaml(game: Game) -> str:
    """A market file for --config-dir. Before the first window has ended its weeks are those of the preset."""
    s = finished_run(game).scenario if game.week >= game.start.window else game.scenario
    values = to_dict(s)
    values["firms"] = {name: _without_none(firm) for name, firm in values["firms"].items()}
    with COMPOSE_LOCK:
        default = compose()[0]
    for kind in ("segments", "cohorts"):
        values[kind] |= {name: None for name in default[kind] or {} if name not in values[kind]}
    return YAML_HEADER + yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _without_none(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def run_parquet(game: Game) -> bytes:
    """Every count of the run, with its scenario inside."""
    with tempfile.TemporaryDirectory() as folder:
        return save(finished_run(game), Path(folder) / "run.parquet").read_bytes()


COLUMNS = ["week", "firm", "metric", "value", "error", "twin"]


def data_csv(game: Game) -> bytes:
    """A tidy table of week, group, firm, metric, value, error and the twin's value (empty where there is none).

    Windowed metrics have the last week of their window, and only windows that have ended.
    """
    import pandas as pd

    frames = [pd.DataFrame(_rows(game, group), columns=COLUMNS) for group in game.groups()]
    names = [group or "everybody" for group in game.groups()]
    tidy = pd.concat(frames, keys=names, names=["group"]).reset_index("group")
    file = io.StringIO()
    tidy[["week", "group", *COLUMNS[1:]]].to_csv(file, index=False)
    return file.getvalue().encode()


def _rows(game: Game, group: str) -> Iterator[tuple[int | str | float, ...]]:
    cells, window = game.cells(group), game.start.window
    tallies = [game.market.tally, *([game.twin.tally] if game.twin else [])]
    for info, metric in listed("firm", game.start.market.regime == "provider").items():
        of_week = info.per == "week"
        if info.name != "excess" and (of_week or game.week >= window):
            counts = [(weekly if of_week else by_window)(tally, cells) for tally in tallies]
            found = estimate(metric, counts[0])
            twin = estimate(metric, counts[1]).value if len(counts) > 1 else None
            yield from _named(game, info.name, found, twin, 1 if of_week else window)
    histories = [game.history, *([game.twin_history] if game.twin_history else [])]
    yield from _both(game, "trust", [h.mean_trust(cells, 1) for h in histories])
    for sign, name in enumerate(("positive_wom", "negative_wom")):
        told = [np.array([h.messages(cells, 0, j)[:, sign] for j in range(len(game.start.firms))]).T for h in histories]
        yield from _both(game, name, told)


def _both(game: Game, name: str, values: list[np.ndarray]) -> Iterator[tuple[int | str | float, ...]]:
    """Rows of a value without an error, of the market and, if there is one, its twin."""
    nothing = np.full_like(values[0], np.nan, dtype=float)
    yield from _named(game, name, Estimate(values[0], nothing), values[1] if len(values) > 1 else None)


def _named(
    game: Game, name: str, found: Estimate, twin: np.ndarray | None, step: int = 1
) -> Iterator[tuple[int | str | float, ...]]:
    """Rows of values [t, j], the week being the last of each step."""
    other = np.full_like(found.value, np.nan, dtype=float) if twin is None else twin
    for t, row in enumerate(zip(found.value, found.error, other, strict=True)):
        for firm, value, error, there in zip(game.start.firms, *row, strict=True):
            yield (t + 1) * step - 1, firm, name, float(value), float(error), float(there)


@dataclass(frozen=True)
class PageState:
    """What the address bar holds: enough to show the same page, and the same verdict, again."""

    market: str
    scenario: Scenario  # the preset with what was set, and every event, also those that are off
    week: int = 0
    off: tuple[str, ...] = ()  # keys of events that are off
    view: Mapping[str, str] = field(default_factory=dict)  # of VIEW


def link(market: str, game: Game, view: Mapping[str, str] | None = None) -> str:
    """The state as a query string: the preset, every value that differs from it, and what is shown."""
    full = with_events(game.start, [replace(e, on=True) for e in game.events])
    texts = {path: value if isinstance(value, str) else json.dumps(value) for path, value in differing(market, full)}
    shown = {"week": str(game.week)} if game.week else {}
    off = ",".join(e.key for e in game.events if not e.on)
    shown |= {"off": off} if off else {}
    shown |= {name: value for name, value in (view or {}).items() if value}
    return "?" + urlencode({"market": market, **texts, **shown})


def differing(market: str, scenario: Scenario) -> list[tuple[str, Any]]:
    """(path, value) of all in which a scenario differs from its preset, or an event from its defaults; no files."""
    old = {path: value for path, value, _ in leaves(preset(market))}
    return [
        (path, value)
        for path, value, d in leaves(scenario)
        if path not in SERVER_ONLY and value != old.get(path, d.default)
    ]


def arguments(market: str, scenario: Scenario) -> list[str]:
    """The words of the command line that compose the same scenario."""
    words = [f"market={market}"]
    known = {path for path, _, _ in leaves(preset(market))}
    for path, value in differing(market, scenario):
        text = value if isinstance(value, str) and value else json.dumps(value)
        words.append(f"{'' if path in known else '+'}{path}={text}")
    return words


def linked(query: str) -> PageState:
    """The state of a query string; ScenarioError where it makes no sense, or is larger than the page allows.

    A link sets single values of what the preset has, and may add scandals and moves; it names no file.
    """
    pairs = _pairs(query)
    market = _short(pairs.pop("market", FIRST_MARKET))
    if market == "in_a_file":
        raise ScenarioError(
            ["it was too long for an address; open the file that was saved of it, under Link and state"]
        )
    base = preset(market)
    week, off = pairs.pop("week", "0"), pairs.pop("off", "")
    view = {name: _short(pairs.pop(name)) for name in VIEW if name in pairs}
    known = {path: d for path, _, d in leaves(base)}
    wrong = {path: text for path, text in pairs.items() if not _linkable(path, text, known)}
    complaints = [] if week.isdecimal() and int(week[:9]) <= limits.WEEKS else [f"week: {_short(week)} is none"]
    if wrong or complaints:
        more = [f"and {len(wrong) - REPEATED} more"] if len(wrong) > REPEATED else []
        said = [_unlinkable(*pair, known) for pair in list(wrong.items())[:REPEATED]]
        raise ScenarioError(complaints + said + more)
    scenario = change(base, _changes(pairs, known))
    limits.check_limits(scenario)
    return PageState(market, scenario, int(week), tuple(filter(None, off.split(","))), view)


def _changes(pairs: Mapping[str, str], known: Mapping[str, Declaration]) -> dict[str, Any]:
    """The changes of the preset that a link asks for."""
    changes: dict[str, Any] = {}
    for path, text in pairs.items():
        member, _, field = path.rpartition(".")
        value = _value(text, _declared(path, known))
        if path in known:
            changes[path] = value
        else:  # a field of an event that is new to the preset
            changes.setdefault(member, {})[field] = value
    return changes


def _pairs(query: str) -> dict[str, str]:
    """The names and values of a query, each once."""
    if len(query) > limits.LINK:
        raise ScenarioError([f"the link has {len(query):,} characters; a page reads up to {limits.LINK:,}"])
    pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True)
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name in found if [n for n, _ in pairs].count(name) > 1)
        raise ScenarioError([f"{_short(twice)}: given more than once"])
    return found


def _declared(path: str, known: Mapping[str, Declaration]) -> Declaration | None:
    """The declaration of a path that a link may set: one of the preset's, or of a scandal or move; otherwise None."""
    kind, _, rest = path.partition(".")
    name, _, field = rest.partition(".")
    found = known.get(path)
    if kind in LINKABLE and name.isidentifier():
        found = {p: d for p, _, d in leaves(LINKABLE[kind]())}.get(field)
    return None if path in SERVER_ONLY else found


def _linkable(path: str, text: str, known: Mapping[str, Declaration]) -> bool:
    declared = _declared(path, known)
    file = path == "network.kind" and text == "file"
    return declared is not None and not file and not isinstance(_value(text, declared), list | dict)


def _unlinkable(path: str, text: str, known: Mapping[str, Declaration]) -> str:
    if path in (*FILES, "network.kind"):
        return f"{_short(path)}: a link names no file"
    if _declared(path, known):
        return f"{path}: {_short(text)} is no single value"
    return f"{_short(path)}: nothing that a link can set{did_you_mean(path, known).partition('; known')[0]}"


def _value(text: str, declared: Declaration | None) -> Any:
    """Text as it is, anything else as JSON."""
    if declared and isinstance(declared.default, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _short(text)


def _short(text: str) -> str:
    """A part of a link, cut for an error message."""
    return text if len(text) <= 60 else f"{text[:60]}..."
