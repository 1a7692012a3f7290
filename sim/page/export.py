"""What a visitor takes home: the scenario as YAML, the data, and a link that brings the scenario back."""

import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import yaml

from sim.engine import Run
from sim.metrics import by_window, estimate, firm_metrics, weekly
from sim.page.stage import COMPOSING, FIRST, Stage, preset
from sim.run.compose import compose
from sim.scenario import Scenario, ScenarioError, change, leaves, to_dict
from sim.store import save

HOW = """\
# @package _global_
# Played in the browser. Save as FOLDER/market/played.yaml; the same numbers come from
#   python -m sim --config-dir FOLDER market=played
"""


def lived(stage: Stage) -> Run:
    """What was lived, with the scenario that gives the same from the start."""
    if stage.week < stage.start.window:
        raise ScenarioError([f"play at least {stage.start.window} weeks, one window: then there is a run to take home"])
    return stage.market.result()


def scenario_yaml(stage: Stage) -> str:
    """A market file for --config-dir. Before the first window has ended its weeks are those of the preset."""
    s = lived(stage).scenario if stage.week >= stage.start.window else stage.scenario
    values = to_dict(s)
    values["firms"] = {name: _without_nothing(firm) for name, firm in values["firms"].items()}
    with COMPOSING:
        usual = compose()[0]
    for kind in ("segments", "cohorts"):
        values[kind] |= {name: None for name in usual[kind] or {} if name not in values[kind]}
    return HOW + yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def run_parquet(stage: Stage) -> bytes:
    """Every count of the run, with its scenario inside."""
    with tempfile.TemporaryDirectory() as folder:
        return save(lived(stage), Path(folder) / "run.parquet").read_bytes()


def data_csv(stage: Stage) -> bytes:
    """week, group, firm, metric, value: weekly what is of a week, the windowed metrics by the last week of a window."""
    import pandas as pd

    frames = [
        pd.DataFrame(_rows(stage, group), columns=["week", "firm", "metric", "value"]) for group in stage.groups()
    ]
    names = [group or "everybody" for group in stage.groups()]
    tidy = pd.concat(frames, keys=names, names=["group"]).reset_index("group")
    file = io.StringIO()
    tidy[["week", "group", "firm", "metric", "value"]].to_csv(file, index=False)
    return file.getvalue().encode()


def _rows(stage: Stage, group: str) -> Iterator[tuple[int, str, str, float]]:
    cells, tally, past = stage.cells(group), stage.market.tally, stage.past
    for name, metric in firm_metrics(stage.start.market.regime == "provider").items():
        of_week = name in ("share", "would_leave", "satisfaction")
        if name != "excess" and (of_week or stage.week >= stage.start.window):
            found = estimate(metric, (weekly if of_week else by_window)(tally, cells)).value
            yield from _named(stage, name, found, 1 if of_week else stage.start.window)
    yield from _named(stage, "trust", past.trusted(cells, 1))
    told = [past.told(cells, 0, j) for j in range(len(stage.start.firms))]
    for sign, name in enumerate(("good_messages", "bad_messages")):
        yield from _named(stage, name, np.array([t[:, sign] for t in told]).T)


def _named(stage: Stage, name: str, values: Any, step: int = 1) -> Iterator[tuple[int, str, str, float]]:
    """Rows of values [t, j], the week being the last of each step."""
    for t, row in enumerate(values):
        yield from (((t + 1) * step - 1, firm, name, float(v)) for firm, v in zip(stage.start.firms, row, strict=True))


def link(market: str, stage: Stage) -> str:
    """The scenario as a query string: the preset, and whatever differs from it; a new event as one value."""
    start, now = preset(market), stage.scenario
    old = {path: value for path, value, _ in leaves(start)}
    told: dict[str, Any] = {p: v for p, v, _ in leaves(now) if p in old and old[p] != v}
    for kind in ("scandals", "moves"):
        new = {name: e for name, e in getattr(now, kind).items() if name not in getattr(start, kind)}
        told |= {f"{kind}.{n}": {p: v for p, v, d in leaves(e) if v != d.default} for n, e in new.items()}
    told.pop("replications", None)
    texts = {path: value if isinstance(value, str) else json.dumps(value) for path, value in told.items()}
    return "?" + urlencode({"market": market, **texts})


def linked(query: str) -> tuple[str, Scenario]:
    """(preset, scenario) of a query string; ScenarioError where it makes no sense."""
    pairs = dict(parse_qsl(query.lstrip("?")))
    market = pairs.pop("market", FIRST)
    return market, change(preset(market), {path: _value(text) for path, text in pairs.items()})


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
