"""The commands `calibrate`, `predict` and `simulate`."""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sim.calibration.chains import Progress
from sim.calibration.churn_table import what_is_needed
from sim.calibration.forecast import Occasions, occasions, predict, simulate
from sim.calibration.market import FILES, REPORT, calibrate, joined, write
from sim.calibration.posterior import Posterior, read_posterior
from sim.calibration.provider_forecast import LEAVING, chances_csv, paths_csv, read_chances, waiting
from sim.calibration.provider_forecast import predict as predict_providers
from sim.calibration.provider_forecast import simulate as simulate_providers
from sim.calibration.weeks import UNITS, weeks_of, with_prices
from sim.compute.files import unwritable, write_atomic
from sim.model.declare import ScenarioError, did_you_mean
from sim.panel.files import read
from sim.panel.known import read_known
from sim.panel.options import Options, parse
from sim.panel.types import Panel, PanelError
from sim.report import streams
from sim.report.signals import stoppable

MOST_REPLICATIONS = 100_000
NEVER_BOUGHT = 0.5  # purchases that a brand is taken to have which nobody bought (Krichevsky & Trofimov 1981)
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
USAGE = {
    "calibrate": "calibrate panel=FILE out=FOLDER [seed=1] [time=week] [like=mobile] [panel.NAME=VALUE ...]",
    "predict": "predict market=FOLDER history=FILE panel=FILE out=FILE.csv [mechanisms.habit=false] [panel.NAME=VALUE]",
    "simulate": "simulate market=FOLDER history=FILE panel=FILE replications=100 out=FILE.csv [mechanisms.habit=false]",
}
KNOWN = {
    "calibrate": ("panel", "out", "seed", "time", "like"),
    "predict": ("market", "history", "panel", "out", "mechanisms.habit"),
    "simulate": ("market", "history", "panel", "out", "replications", "seed", "mechanisms.habit"),
}
NEEDED = {"calibrate": ("panel", "out"), "predict": ("market", "panel", "out"), "simulate": ("market", "panel", "out")}


def run(command: str, arguments: Sequence[str]) -> int:
    """Carry out one of the commands; ScenarioError lists everything that is wrong with its arguments."""
    given, options = _parsed(command, arguments)
    with stoppable():
        return _calibrate(given, options) if command == "calibrate" else _forecast(command, given, options)


calibrate_main, predict_main, simulate_main = (partial(run, command) for command in USAGE)


def _parsed(command: str, arguments: Sequence[str]) -> tuple[dict[str, str], Options]:
    given: dict[str, str] = {}
    others, wrong = [], []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name in KNOWN[command] and equals:
            wrong += [f"{name}: given twice"] if name in given else []
            wrong += [] if value.strip() else [f"{name}: has no value"]
            given[name] = value.strip()
        elif name.startswith("panel."):
            others.append(argument)
        else:
            wrong.append(f"{argument}: not for {command}{did_you_mean(name, KNOWN[command])}; {USAGE[command]}")
    wrong += [f"{name}: missing; {USAGE[command]}" for name in NEEDED[command] if name not in given]
    wrong += [w for name in ("seed", "replications") for w in _not_whole(given, name)]
    if given.get("time", "none") not in UNITS:
        wrong.append(f"time: {given['time']!r} is none of {', '.join(UNITS)}")
    if given.get("mechanisms.habit", "true").lower() not in (*TRUE, *FALSE):
        wrong.append(f"mechanisms.habit: {given['mechanisms.habit']!r} is neither true nor false")
    options = Options()
    try:
        options = parse(others)
    except PanelError as error:
        wrong += error.complaints
    if options.out or options.split or options.period:
        wrong.append("panel.out, panel.split and panel.period are for measuring a panel, not for this command")
    wrong += _taken(command, given)
    if wrong:
        raise ScenarioError(list(dict.fromkeys(wrong)))
    return given, options


def _not_whole(given: dict[str, str], name: str) -> Iterator[str]:
    low, high = (1, MOST_REPLICATIONS) if name == "replications" else (0, 2**32 - 1)
    value = given.get(name, "1")
    if not (value.isascii() and value.isdigit() and low <= int(value[:12]) <= high):
        yield f"{name}: {value!r} is not a whole number from {low} to {high}"


def _taken(command: str, given: dict[str, str]) -> Iterator[str]:
    out = Path(given.get("out") or os.devnull)
    if command == "calibrate":
        if out.is_dir() and any(out.iterdir()):
            yield f"out: {out} is there and not empty; nothing is overwritten, name another folder"
        elif "out" in given and os.path.lexists(out) and not out.is_dir():
            yield f"out: {out} is a file; name a folder"
    elif "out" in given and os.path.lexists(out):
        yield f"out: {out} is there already; nothing is overwritten, choose another name"
    if "out" in given and not os.path.lexists(out) and (why := unwritable(out)):
        yield f"out: {out} cannot be written: {why}"


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr, or a line a phase where stderr is no terminal."""
    console = streams.console(stderr=True)
    said: set[str] = set()
    if not console.is_terminal:

        def line(what: str, done: float) -> None:
            if what not in said:
                said.add(what)
                console.print(f"{what} ...", soft_wrap=True, markup=False)

        yield line
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda what, done: bars.update(task, description=what, completed=done)


def _calibrate(given: dict[str, str], options: Options) -> int:
    from dataclasses import replace

    from sim.calibration.settings import number

    options = replace(options, top=min(options.top or 64, int(number("size", "brands"))))
    with _progress() as progress:
        progress("reading", 0.0)
        panel = _read(given["panel"], options)
        title = Path(given["panel"]).stem[:40]
        done = calibrate(panel, progress, int(given.get("seed", "1")), given.get("time"), title, given.get("like", ""))
        progress("writing", 1.0)
        folder = Path(given["out"])
        failures = _written(done, folder)
    console = streams.console()
    for line in (folder / REPORT).read_text(encoding="utf-8").splitlines():
        console.print(streams.plain(line), soft_wrap=True, markup=False, highlight=False)
    made = ", ".join(f for f in FILES if (folder / f).exists())
    where = streams.plain(str(folder))
    console.print(f"\nwritten to {where}: {made}", soft_wrap=True, markup=False)
    ask = streams.plain(shlex.join(["stickiness", f"market={folder}", "scandal=data_breach"]))
    console.print(f"now ask it: {ask}", soft_wrap=True, markup=False)
    for sentence in failures:
        streams.console(stderr=True).print(streams.plain(sentence), soft_wrap=True, markup=False)
    return 0


def _read(path: str, options: Options) -> Panel:
    """The panel in a file; of a churn table, which is none, what is needed instead."""
    try:
        return read(path, options=options)
    except PanelError as error:
        needed = what_is_needed(Path(path), options)
        raise PanelError([f"{path}: {needed}"]) if needed else error from None


def _written(done: object, folder: Path) -> list[str]:
    """Write a calibration to a new folder, whole or not at all."""
    created = [p for p in (folder.parent, *folder.parent.parents) if not p.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=".draft-") as name:
            draft = Path(name) / "files"
            draft.mkdir()
            failures = write(done, draft)  # type: ignore[arg-type]
            os.rename(draft, folder)
            return failures
    except BaseException as error:
        for made in created:  # those created here, as long as they are empty
            with suppress(OSError):
                made.rmdir()
        if isinstance(error, OSError):
            raise ScenarioError([f"out: {folder} cannot be written ({error.strerror or error})"]) from None
        raise


def _forecast(command: str, given: dict[str, str], options: Options) -> int:
    if (Path(given["market"]) / LEAVING).is_file():
        return _forecast_providers(command, given, options)
    posterior = read_posterior(Path(given["market"]))
    if "seed" in given:
        posterior.seed = int(given["seed"])
    habit = given.get("mechanisms.habit", "true").lower() in TRUE
    with _progress() as progress:
        progress("reading", 0.0)
        panel, at = _occasions(posterior, given, options)
        rows = np.flatnonzero(at.asked)
        rows = rows[np.argsort(panel.row[at.choices.place[rows]], kind="stable")]  # type: ignore[index]
        if command == "predict":
            found = predict(posterior, at, habit, lambda part: progress("predicting", part))
            content = _chances_csv(posterior, panel, at, rows, found)
        else:
            many = int(given.get("replications", "100"))
            found = simulate(posterior, at, many, habit, lambda part: progress("simulating", part))
            content = _paths_csv(posterior, panel, at, rows, found)
    out = write_atomic(given["out"], content.encode(), new=True)
    known, households = int((at.known >= 0).sum()), len(at.known)
    said = f"{len(rows):,} purchases of {households:,} households, {known:,} of them known from the calibration"
    streams.console().print(f"{said}: {streams.plain(str(out))}", soft_wrap=True, markup=False)
    return 0


def _forecast_providers(command: str, given: dict[str, str], options: Options) -> int:
    """The same for a market of providers."""
    chances = read_chances(Path(given["market"]))
    if "mechanisms.habit" in given:
        raise ScenarioError(["mechanisms.habit: is for markets of purchases; this is one of providers"])
    with _progress() as progress:
        progress("reading", 0.0)
        panels = {n: read_known(given[n], chances.firms, options) for n in ("history", "panel") if n in given}
        for name, known in panels.items():
            _say_unknown(given[name], known)
        panel, at = panels["panel"], waiting(chances, panels.get("history"), panels["panel"])
        if command == "predict":
            rows, found = predict_providers(chances, at, lambda part: progress("predicting", part))
            content = chances_csv(chances, panel, rows, found)
        else:
            many, seed = int(given.get("replications", "100")), int(given.get("seed", str(chances.seed)))
            rows, found = simulate_providers(chances, at, many, seed, lambda part: progress("simulating", part))
            content = paths_csv(chances, panel, rows, found)
    out = write_atomic(given["out"], content.encode(), new=True)
    said = f"{len(rows):,} periods of {len(panel.households):,} customers"
    streams.console().print(f"{said}: {streams.plain(str(out))}", soft_wrap=True, markup=False)
    return 0


def _occasions(posterior: Posterior, given: dict[str, str], options: Options) -> tuple[Panel, Occasions]:
    """The panel to go through, and where its households stand."""
    names = ("history", "panel") if "history" in given else ("panel",)
    panels = {}
    for name in names:
        read_panel = read_known(given[name], posterior.brands, options, later=name == "panel")
        _say_unknown(given[name], read_panel)
        panels[name] = with_prices(read_panel, weeks_of(read_panel, posterior.unit), posterior.paid)
        if posterior.terms.mean_price is not None and panels[name].prices is None:
            lacking = f"price_{posterior.brands[0]}, ..." if not posterior.paid else "times that tell the week"
            raise PanelError([f"{name}: {given[name]}: lacks {lacking}, by which the market was calibrated"])
        terms, blocks = posterior.terms, panels[name]
        for kind, wanted, block in (("feat", terms.feature, blocks.features), ("disp", terms.display, blocks.displays)):
            if wanted and block is None:
                lacking = f"lacks {kind}_{posterior.brands[0]}, ..., by which the market was calibrated"
                raise PanelError([f"{name}: {given[name]}: {lacking}"])
    choices, first = joined(panels.get("history"), panels["panel"], len(posterior.brands))
    return panels["panel"], occasions(choices, first, posterior.households, posterior.digests)


def _say_unknown(path: str, panel: Panel) -> None:
    """Say on stderr of how many rows the brand is none of the market's; where no brand is given, that is meant."""
    many = int((panel.y < 0).sum()) if "brand" in panel.columns else 0
    if many:
        brands = ", ".join(panel.brands[:6]) + ", ..." * (len(panel.brands) > 6)
        said = f"{path}: {many:,} of {len(panel.y):,} rows name none of the market's brands ({brands})"
        streams.console(stderr=True).print(f"! {streams.plain(said)}", soft_wrap=True, markup=False)


def _keys(panel: Panel, at: Occasions, rows: np.ndarray) -> "dict[str, np.ndarray]":
    place = at.choices.place[rows]
    when = panel.t.astype(int).astype(str) if panel.when is None else panel.when
    return {"hh": panel.households[panel.hh[place]].astype(str), "t": when[place].astype(str)}


def _chances_csv(posterior: Posterior, panel: Panel, at: Occasions, rows: np.ndarray, chances: np.ndarray) -> str:
    import pandas as pd

    names = [*posterior.brands, *panel.unknown]
    rare = NEVER_BOUGHT / (int((at.given - at.choices.start[:-1]).sum()) + len(names))
    p = np.maximum(chances[rows], 1e-12)
    p *= (1 - rare * len(panel.unknown)) / p.sum(axis=1, keepdims=True)
    p = np.c_[p, np.full((len(p), len(panel.unknown)), rare)]
    table = pd.DataFrame(_keys(panel, at, rows))
    for j in np.argsort(names, kind="stable"):
        table[names[j]] = p[:, j]
    return table.to_csv(index=False, float_format="%.9g", lineterminator="\n")


def _paths_csv(posterior: Posterior, panel: Panel, at: Occasions, rows: np.ndarray, paths: np.ndarray) -> str:
    import pandas as pd

    keys, many = _keys(panel, at, rows), len(paths)
    table = pd.DataFrame({"rep": np.repeat(np.arange(many), len(rows))})
    for name, values in keys.items():
        table[name] = np.tile(values, many)
    table["choice"] = np.array(posterior.brands, object)[paths[:, rows].ravel()]
    return table.to_csv(index=False, lineterminator="\n")
