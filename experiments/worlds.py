"""Plausible worlds of a market: draws from the priors, kept by how well they give what was measured there.

Question: which values of the numbers that are not known go with the facts that are, and what do they foretell of facts
that nothing was fitted to?
Design: `python -m experiments.worlds market=NAME`, or `all`: draws from conf/priors.yaml of all free numbers
(`first=`), the best of them (`many=`) moved in `waves=` by sim/study/matching.py towards the facts of
conf/kept_worlds/targets.yaml, each by its own uncertainty, that of `people=` and that of the model; held-out facts are
refused. Presence is solved in each world, with the preset's own run as the control. What is done is kept in
outputs/worlds and not done again while what it rests on is the same: a run that is stopped goes on. The kept worlds are
written to conf/kept_worlds/NAME.csv.
Reading: of each quantity the middle four fifths among draws and among kept worlds, beside its limits. With --coverage:
facts of one class at a time left out and foretold by the first draws, weighted by the others (power: the share of first
draws that miss; a quantity that none misses says nothing), and held-out facts foretold by the kept worlds.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import pandas as pd
import yaml
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim.compute.files import write_atomic
from sim.facts import classes, scoreboard
from sim.facts.market_worlds import ERROR, PRESENCE, TARGETS, Market, market_of
from sim.model.declare import ScenarioError
from sim.model.scenario import to_dict
from sim.report import figures
from sim.report.experiment import keep
from sim.study import priors, worlds
from sim.study.matching import MOST_MISS, Chances, Target, Trial, match
from sim.study.presence_store import rules_digest
from sim.study.presets import CONF
from sim.study.priors import numbers

JOURNALS = Path("outputs/worlds")
MOST_AT_ONCE = 2  # worlds that are simulated at the same time
LEVELS = (0.1, 0.5, 0.9)
SIZES = {"people": 3_000, "many": 50, "first": 100, "waves": 5}


def mark_of(market: Market) -> str:
    """A digest of what a world rests on: what the model does, preset, priors, targets, how facts are measured."""
    package = Path(priors.__file__).parents[1]
    code = b"".join(f.read_bytes() for floor in ("measure", "facts") for f in sorted((package / floor).rglob("*.py")))
    spreads = (CONF / "priors.yaml").read_bytes()
    told = [to_dict(s) for s in (market.base, market.solved)], market.targets(), market.share_error, market.people
    return hashlib.sha256(code + spreads + f"{rules_digest()} {told}".encode()).hexdigest()[:16]


def evaluated(market: Market, path: Path) -> Callable[..., list[Trial]]:
    """Simulates waves of worlds; those in the journal are not made again while all that they rest on is the same."""
    mark = mark_of(market)
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    known = {line["name"]: line for line in lines if line["mark"] == mark}
    path.parent.mkdir(parents=True, exist_ok=True)
    writing = Lock()

    def one(asked: tuple[str, Chances, Trial | None]) -> Trial:
        name, chances, parent = asked
        if name not in known:
            found = market.world(chances, parent)
            line = {"mark": mark, "name": name, "found": found.found, "miss": found.miss}
            with writing, path.open("a") as file:
                file.write(json.dumps(line) + "\n")
            known[name] = line
        return Trial(chances, known[name]["found"], known[name]["miss"])

    def wave(asked: Sequence[tuple[str, Chances, Trial | None]]) -> list[Trial]:
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            found = list(pool.map(one, asked))
        if all(parent is None for _, _, parent in asked):
            market.silent = market.without_power(found)
        return [market.missed_by(trial) for trial in found]

    return wave


def rows_of(market: Market, kept: Sequence[Trial], start: Sequence[Trial]) -> pd.DataFrame:
    """A row a quantity: limits, middle four fifths among draws and kept worlds, and how often each misses by two."""
    rows = []
    for name, target in market.targets().items():
        row: dict[str, object] = {"quantity": name, "low": target.low, "high": target.high}
        for label, some in (("draws", start), ("kept", kept)):
            found = np.array([w.found.get(name, np.nan) for w in some])
            out = np.mean([target.miss(w.found.get(name, np.nan), w.found.get(ERROR + name, 0.0)) > 2 for w in some])
            row |= {f"{label} {q:.0%}": v for q, v in zip(LEVELS, np.nanquantile(found, LEVELS), strict=True)}
            row[f"{label} miss"] = float(out)
        row["error"] = float(np.nanmedian([w.found.get(ERROR + name, np.nan) for w in kept]))
        rows.append(row)
    return pd.DataFrame(rows)


def text_of(market: Market, kept: Sequence[Trial], preset: Trial, about: str) -> str:
    """The file of kept worlds."""
    paths = [*market.priors, *(f"firms.{n}.presence" for n in market.base.firms)]
    shipped = {p: v for p, v, _ in numbers(market.base)} | {
        f"firms.{n}.presence": f.presence for n, f in market.solved.firms.items()
    }
    lines = [f"# {line}" for line in about.splitlines()] + [",".join((worlds.NAME, worlds.MISS, *paths))]
    lines.append(",".join((worlds.PRESET, f"{preset.miss:.3g}", *(f"{shipped[p]:.9g}" for p in paths))))
    for n, world in enumerate(kept):
        told = market.changes(world.chances) | {
            p: world.found.get(PRESENCE + p, 0.0) for p in paths[-len(market.base.firms) :]
        }
        lines.append(",".join((str(n), f"{world.miss:.3g}", *(f"{told[p]:.5g}" for p in paths))))
    return "\n".join(lines) + "\n"


def draw(table: pd.DataFrame, name: str) -> Figure:
    """Of every quantity its limits, and the middle four fifths of draws and kept worlds, in units of its limits."""
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(8, 1.2 + 0.5 * len(table)), layout="constrained")
        axes, y = figure.subplots(), np.arange(len(table))
        middle, half = (table.low + table.high) / 2, (table.high - table.low) / 2
        axes.axvspan(-1, 1, color=figures.REST, alpha=0.3, linewidth=0)
        for label, color, shift in (("draws", figures.REST, 0.15), ("kept", figures.MARK, -0.15)):
            ends = [((table[f"{label} {q:.0%}"] - middle) / half).clip(-6, 6) for q in LEVELS]
            axes.hlines(y + shift, ends[0], ends[2], color=color, linewidth=3, label=label)
            axes.plot(ends[1], y + shift, "o", color=color)
        axes.set_yticks(y, ["#" + q for q in table.quantity])
        axes.set(xlim=(-6, 6), xlabel="0: middle of what was measured; -1 and 1: its limits (gray)")
        axes.set_title(f"{name}: what draws from the priors give, and the kept worlds")
        axes.legend(loc="lower right")
    return figure


def finding(table: pd.DataFrame) -> list[str]:
    """How often draws and kept worlds miss, and what has no power."""
    none = table[table["draws miss"] == 0].quantity
    lines = [
        f"a draw from the priors misses {table['draws miss'].sum():.1f} of {len(table)} quantities by two standard "
        f"errors, a kept world {table['kept miss'].sum():.1f}."
    ]
    lines += [f"missed by most kept worlds: #{q}." for q in table[table["kept miss"] > 0.5].quantity]
    return lines + [f"no draw misses, so without power and left out: {', '.join('#' + q for q in none)}."] * bool(
        len(none)
    )


def class_name(number: int) -> str:
    """The class of a fact; which are theorems, as `python -m experiments.facts` found."""
    found = yaml.safe_load((CONF / "facts_found.yaml").read_text(encoding="utf-8"))["facts"]
    theorems = [n for n, row in found.items() if row["class"] == classes.THEOREM]
    return classes.class_of(scoreboard.facts()[number], theorems)


def foretold(name: str, target: Target, values: Sequence[float], weights: Sequence[float]) -> dict[str, object]:
    """The weighted 80 % interval of a quantity that was left out, and whether it and the limits go together.

    They do where the middle of the limits is within the interval, widened by the uncertainty of what was measured.
    """
    v, w = np.array(values, float), np.array(weights, float)
    known = ~np.isnan(v)
    v, w = v[known], w[known] / w[known].sum()
    order = np.argsort(v)
    low, middle, high = np.interp(LEVELS, np.cumsum(w[order]) - w[order] / 2, v[order])
    own, at = (target.high - target.low) / 2, (target.low + target.high) / 2
    ends = middle - np.hypot(middle - low, own), middle + np.hypot(high - middle, own)
    row = {"quantity": name, "low": target.low, "high": target.high, "10%": low, "50%": middle, "90%": high}
    return row | {"covered": bool(ends[0] <= at <= ends[1]), "worlds": float(1 / (w**2).sum())}


def coverage(market: Market, kept: Sequence[Trial], start: Sequence[Trial], path: Path) -> pd.DataFrame:
    """Facts of one class at a time foretold from the others, and held-out facts foretold by the kept worlds."""
    rows = []
    kinds = {name: class_name(int(name.split()[0])) for name in market.targets()}
    for kind in sorted(set(kinds.values())):
        misses = [{n: m for n, m in market.misses(w.found).items() if kinds.get(n) != kind} for w in start]
        weights = [np.exp(-0.5 * sum(min(m, MOST_MISS) ** 2 for m in row.values())) for row in misses]
        for name, target in market.targets().items():
            if kinds[name] == kind:
                found = [w.found.get(name, np.nan) for w in start]
                rows.append({"left out": kind} | foretold(name, target, found, weights))
    told = predicted(market, kept, path)
    for name, target in market.targets(market.check).items():
        rows.append({"left out": "held out"} | foretold(name, target, told[name], [1.0] * len(kept)))
    return pd.DataFrame(rows)


def predicted(market: Market, kept: Sequence[Trial], path: Path) -> dict[str, list[float]]:
    """The held-out quantities in every kept world; those in the journal are not simulated again."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    known = {line["key"]: line["found"] for line in lines}
    facts, told = market.check, dict[str, list[float]]()
    for world in kept:
        key = hashlib.sha256(json.dumps([world.chances, world.found, list(facts)], sort_keys=True).encode()).hexdigest()
        if key not in known:
            presence = {n.removeprefix(PRESENCE): v for n, v in world.found.items() if n.startswith(PRESENCE)}
            found = market.measured({**market.changes(world.chances), **presence}, facts)
            known[key] = {n: float(e.value) for n, e in found.items()}
            with path.open("a") as file:
                file.write(json.dumps({"key": key, "found": known[key]}) + "\n")
        for name, value in known[key].items():
            told.setdefault(name, []).append(value)
    return told


def main(name: str, sizes: dict[str, int], check: bool = False, folder: Path = worlds.FOLDER) -> pd.DataFrame:
    """Match the worlds of a market, write its file, and print what they give."""
    size = SIZES | sizes
    market = market_of(name, size["people"])
    targets = len(market.targets())
    print(f"{name}: {len(market.priors)} free numbers of {market.preset}, {targets} quantities and shares", flush=True)
    wave = evaluated(market, JOURNALS / f"{name}.journal")
    say = lambda line: print(line, flush=True)  # noqa: E731
    kept, start = match(list(market.priors), wave, size["many"], size["first"], size["waves"], say, name)
    own = market.as_shipped()
    table = rows_of(market, kept, start)
    print(table.round(3).to_string(index=False))
    about = (
        f"Plausible worlds of market={name}, made by `python -m experiments.worlds market={name}`: numbers drawn from\n"
        f"conf/priors.yaml and moved in waves to where {targets} measured quantities and the shares come out\n"
        f"(conf/kept_worlds/targets.yaml); {size['people']} people a world, {size['first']} first draws, "
        f"{len(kept)} kept.\n"
        f"miss: root mean square of the misses in standard errors, {MOST_MISS:g} at most each."
    )
    write_atomic(folder / f"{name}.csv", text_of(market, kept, own, about).encode())
    print(f"{folder / name}.csv: {len(kept)} worlds; the preset itself misses by {own.miss:.2f}")
    keep(f"worlds_{name}", table, draw(table, name), finding=finding(table))
    if check:
        found = coverage(market, kept, start, JOURNALS / f"{name}.predicted")
        print(found.round(3).to_string(index=False))
        for kind, rows in found.groupby("left out"):
            print(f"{kind}: {int(rows.covered.sum())} of {len(rows)} foretold (80 % intervals)")
    return table


def asked(words: Sequence[str]) -> tuple[str, dict[str, int], bool]:
    """The market, the sizes and whether coverage is wanted, of the words of a command line; SystemExit with usage."""
    given = dict(word.partition("=")[::2] for word in words if word != "--coverage")
    name, sizes = given.pop("market", ""), given
    if not name or any(n not in SIZES or not v.isdecimal() or not int(v) for n, v in sizes.items()):
        sys.exit(
            "usage: python -m experiments.worlds market=NAME [--coverage] " + " ".join(f"[{n}=NUMBER]" for n in SIZES)
        )
    return name, {n: int(v) for n, v in sizes.items()}, "--coverage" in words


if __name__ == "__main__":
    name, sizes, check = asked(sys.argv[1:])
    every = list(yaml.safe_load(TARGETS.read_text(encoding="utf-8"))["markets"])
    try:
        for each in every if name == "all" else [name]:
            main(each, sizes, check)
    except ScenarioError as error:
        sys.exit("\n".join(error.complaints))
