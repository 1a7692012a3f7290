"""Scandals as they really went: how many customers walk away, and how many would if people did as they say?

Question: can nine records of scandals, of cars, lines, shops, banks, cans and meals, be reproduced with factors fitted
to each, and what would they cost if people did as they say?
Design: each preset against the same people without the scandal, and both again in the world of surveys, where all are
told and asked at once: everybody hears, cares alike and acts, deliberates every use over all firms, without habit, and
leaves without trouble. Records, with their sources, in experiments/scandals.yaml.
Reading: change of the firm's sales (or customers), in %, against the twin; a band of 95 % over people and replications.
"""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from yaml import safe_load

from sim import study
from sim.measure import estimates, metrics
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.study.twins import Twins, with_and_without_events

FAST = {"people": 500, "replications": 2}
SCANDALS: dict[str, dict[str, Any]] = safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
DEEDS = (
    "inattention",
    "consideration",
    "switching_cost",
    "habit",
)  # mechanisms that keep people from doing as they say
CARE = ("care.ethics", "care.privacy", "care.service", "action", "exposure")  # of which surveys find all alike
STATED = {"reach": 1.0, "action": 100.0, "buycott": 0.0, "response": 0.0}  # of a scandal: all hear, all are asked
NEWS, AFTER = (1, 5), 64  # weeks after the news; weeks drawn


def recorded(scandal: dict[str, Any]) -> pd.DataFrame:
    """Records as weeks since the news and changes, lowest and highest, against what would have been without it."""
    known: dict[tuple[date, ...], np.ndarray] = {}
    rows = []
    for record in scandal["records"]:
        days = record["from"], record["to"]
        level = (1 + np.array(record["change"], float).ravel() / 100) / (1 + record.get("market", 0) / 100)
        known[days] = level = level * known.get(tuple(day.replace(year=day.year - 1) for day in days), 1.0)
        first, last = (round((day - scandal["broke"]).days / 7) for day in days)
        rows.append((record.get("of", "sales"), first, last, level.min() - 1, level.max() - 1))
    return pd.DataFrame(rows, columns=["of", "first", "last", "low", "high"])


def surveyed(scenario: Scenario) -> Scenario:
    """The same market and events in the world of surveys."""
    changes: dict[str, Any] = {f"mechanisms.{name}": False for name in DEEDS}
    changes |= {f"segments.{segment}.{trait}": 1.0 for segment in scenario.segments for trait in CARE}
    for scandal in scenario.scandals:
        changes |= {f"scandals.{scandal}.{name}": value for name, value in STATED.items()}
    return change(scenario, changes)


def uses(pair: Twins) -> np.ndarray:
    """Of the focus, by run (without, with the events), fold and week since the news; the first column is its week."""
    scenario = pair.changed.scenario
    firm = list(scenario.firms).index(scenario.focus) + 1
    both = [estimates.weekly(run.tally).flow[..., firm].sum(axis=-1) for run in (pair.control, pair.changed)]
    total = np.sum(both, axis=1, keepdims=True)
    return np.concatenate([total, total - both], axis=1)


def measured(counts: np.ndarray, of: str, first: int, last: int) -> estimates.Estimate:
    """Change from weeks `first` to `last` of `uses`: of sales in them, or of the base between their ends."""

    def gap(start: int, stop: int) -> np.ndarray:
        control, changed = counts[:, :, max(0, start) : max(1, stop)].sum(axis=-1)
        return changed / control - 1

    return estimates.jackknife(gap(last - 1, last) - gap(first - 1, first) if of == "base" else gap(first, last))


def rows_of(name: str, pair: Twins, setting: str) -> list[tuple]:
    """A row for each record of the scandal, for the weeks after the news, and for each point of the drawn series."""
    counts, every = uses(pair), SCANDALS[name]["every"]
    broke = min(s.week for s in pair.changed.scenario.scandals.values())
    horizon = counts.shape[2] - broke
    spans = [("record", *record) for record in recorded(SCANDALS[name]).itertuples(index=False)]
    spans += [("news", "sales", *NEWS, np.nan, np.nan)]
    spans += [
        ("series", "sales", w, w + every, np.nan, np.nan) for w in range(-every, min(AFTER, horizon) - every + 1, every)
    ]
    return [(name, setting, *span, *measured(counts, span[1], span[2] + broke, span[3] + broke)) for span in spans]


def draw(table: pd.DataFrame) -> Figure:
    """A panel a scandal, simulated beside recorded; and what was done beside what people say they would do."""
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(15, 8.4), layout="constrained")
        grid = figure.subplot_mosaic("abcx;defx;ghix", width_ratios=[1, 1, 1, 1.15])
        for panel, (name, rows) in zip("abcdefghi", table.groupby("scandal", sort=False), strict=False):
            behavior = rows[rows.setting == "behavior"]
            draw_course(grid[panel], name, behavior)
        draw_worst(grid["x"], table)
        figure.supxlabel("weeks since the news;  black: recorded, vermilion: simulated, 95 %", fontsize=10, x=0.36)
        figure.supylabel("change of sales or customers, %", fontsize=10)
        figure.suptitle(title_of(table), x=0.01, ha="left", weight="bold")
    return figure


def draw_course(axes: Any, name: str, rows: pd.DataFrame) -> None:
    """The simulated series with its band; in black the records, those of a base as the slope of its change."""
    series, records = (rows[rows.kind == kind] for kind in ("series", "record"))
    middle, value = (series["first"] + series["last"]) / 2, 100 * series.value
    spread = 100 * figures.INTERVAL * series.error
    axes.axhline(0, color="#BBBBBB", linewidth=0.8)
    axes.plot(middle, value, color=figures.FOCUS, linewidth=1.8)
    axes.fill_between(middle, value - spread, value + spread, color=figures.FOCUS, alpha=0.22, lw=0)
    for r in records.itertuples():
        weeks, start = [max(0, r.first), r.last], 0.0
        if r.of == "base" and r.first > 0:
            start = float(np.interp(r.first, middle, value))
        for end in {100 * r.low, 100 * r.high}:
            axes.plot(weeks, [start if r.of == "base" else end, start + end], color=figures.INK, linewidth=2.6)
    axes.set(xlim=(-6, AFTER))
    axes.set_title(f"{SCANDALS[name]['title']}: {SCANDALS[name]['touches']}", fontsize=10)


def draw_worst(axes: Any, table: pd.DataFrame) -> None:
    """The worst record, the same simulated, and the weeks after the news in the world of surveys."""
    names = list(dict.fromkeys(table.scandal))
    for row, name in enumerate(names):
        mine = table[table.scandal == name]
        records = mine[(mine.kind == "record") & (mine.setting == "behavior")]
        worst = records.loc[records.low.abs().idxmax()]
        survey = mine[(mine.kind == "news") & (mine.setting == "surveys")].iloc[0]
        axes.plot([100 * worst.low], [row], "|", color=figures.INK, markersize=17, markeredgewidth=2.4)
        for found, color, marker in ((worst, figures.FOCUS, "o"), (survey, figures.MARK, "s")):
            spread = 100 * figures.INTERVAL * found.error
            axes.errorbar(100 * found.value, row, xerr=spread, fmt=marker, color=color, capsize=3)
    for label, color, marker in (("recorded", figures.INK, "|"), ("simulated", figures.FOCUS, "o")):
        axes.plot([], [], marker, color=color, label=label, markersize=9, markeredgewidth=2)
    axes.plot([], [], "s", color=figures.MARK, label="simulated, if people did as they say")
    axes.set_yticks(range(len(names)), [SCANDALS[n]["title"] for n in names])
    axes.invert_yaxis()
    axes.axvline(0, color="#BBBBBB", linewidth=0.8)
    axes.set(
        title="What they do, and what they say", xlabel="change of sales or customers, %", ylim=(len(names) + 1.2, -0.6)
    )
    axes.legend(loc="lower left", fontsize=9)


def finding(table: pd.DataFrame) -> list[str]:
    """Of each scandal: its records beside what is simulated, and what surveys would say in the weeks after the news."""
    lines = []
    for name, rows in table.groupby("scandal", sort=False):
        records = rows[(rows.kind == "record") & (rows.setting == "behavior")]
        pairs = [
            f"weeks {r.first} to {r.last} {said(100 * r.value, 100 * r.error, '%')}"
            f" (recorded {100 * r.low:.1f} to {100 * r.high:.1f})"
            for r in records.itertuples()
        ]
        told = rows[(rows.kind == "news") & (rows.setting == "surveys")].iloc[0]
        lines.append(f"{name}: {'; '.join(pairs)}; as surveys say {said(100 * told.value, 100 * told.error, '%')}.")
    return lines


def title_of(table: pd.DataFrame) -> str:
    """How many records the simulated interval meets."""
    records = table[(table.kind == "record") & (table.setting == "behavior")]
    reach = figures.INTERVAL * records.error
    met = ((records.value + reach >= records.low) & (records.value - reach <= records.high)).sum()
    return f"Nine scandals: {met} of {len(records)} records lie within the interval of what is simulated"


def main(people: int = 0, replications: int = 8) -> pd.DataFrame:
    rows = []
    for name in SCANDALS:
        size = [f"people={people}"] if people else []
        scenario = study.scenario(f"scandal={name}", f"replications={replications}", *size)
        for setting, actual in (("behavior", scenario), ("surveys", surveyed(scenario))):
            pair = with_and_without_events(actual)
            rows += rows_of(name, pair, setting)
            saved = pair.variance_saved(metrics.share)[list(actual.firms).index(actual.focus)]
            print(f"{name}, {setting}: common random numbers save {saved:.1%} of the variance", flush=True)
    columns = ["scandal", "setting", "kind", "of", "first", "last", "low", "high", "value", "error"]
    table = pd.DataFrame(rows, columns=columns)
    shown = table[table.kind != "series"].set_index(columns[:6])
    print("Change against the same people without the scandal, %")
    print((100 * shown).round(1).to_string())
    keep("scandals", table, draw(table), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
