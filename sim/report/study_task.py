"""`stickiness study=NAME`: a design of conf/study/ composed once, simulated as `study.run` does, and summed up."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sim.model.declare import ScenarioError, unknown
from sim.report import streams
from sim.report.flags import ordered
from sim.report.folders import near
from sim.report.signals import stoppable

if TYPE_CHECKING:
    import pandas as pd

    from sim.model.fields import Scenario

DESIGNS = {  # what a design takes beside its replications
    **dict.fromkeys(("grid", "zipped"), ("axes",)),
    **dict.fromkeys(("latin_hypercube", "sobol"), ("ranges", "points", "seed")),
    "table": ("rows",),
    "named": ("scenarios",),
}
RUN = ("replications", "metrics", "groups", "keep", "workers", "yes")  # arguments of `study.run`
CSV = "study.csv"  # of the table, beside study.parquet
FOLDER = "studies"  # where studies are kept that name no folder
MOST_ROWS = 40  # of the summary that are printed


class Asked(NamedTuple):
    """A study as it was asked for: its name and settings, and the scenario that it varies."""

    name: str
    settings: Mapping[str, object]
    base: "Scenario"


def main(arguments: Sequence[str]) -> int:
    """Simulate the study, keep its table, print its summary; 1 where runs failed.

    ScenarioError with all that is wrong. The folder is studies/NAME, or study.folder=FOLDER; asked again it goes on.
    """
    from sim import study

    with stoppable():
        asked, design = _composed(arguments)
        folder = Path(str(asked.settings.get("folder") or f"{FOLDER}/{asked.name}"))
        how = {key: asked.settings[key] for key in RUN if asked.settings.get(key) is not None}
        _check_csv(folder)
        table = study.run(asked.base, design, folder=folder, **how)  # type: ignore[arg-type]
        table.to_csv(folder / CSV, index=False)
    _show(asked, table, folder)
    return int((table["error"] != "").any())


def _check_csv(folder: Path) -> None:
    """ScenarioError if a file study.csv is there that is not that of an earlier run of the study."""
    path = folder / CSV
    own = path.is_file() and not path.is_symlink() and os.path.lexists(folder / "study.parquet")
    if os.path.lexists(path) and not own:
        raise ScenarioError([f"{path}: is there already and is not the table of a study; choose another folder"])


def _composed(arguments: Sequence[str]) -> tuple[Asked, object]:
    """The study with its scenario, presence solved, and its design."""
    from sim.study.points import attempted
    from sim.study.presets import compose, forced, solved, stated

    words = ordered(arguments)
    flags = [w for w in words if w.startswith("-")]
    wrong = [f"{flag}: does not go with study=; a study has its own design" for flag in flags if flag not in CONFIG_DIR]
    names = [w.partition("=")[2] for w in words if w.partition("=")[0] == "study"]
    wrong += [f"study={name}: one study at a time" for name in names[1:]]
    if wrong:
        raise ScenarioError(wrong)
    overrides = _with_folder_of_presets(words)
    overrides = [forced(o) for o in overrides]
    config, choices = compose(overrides)
    settings = config.get("study")
    if not isinstance(settings, Mapping):
        raise ScenarioError([f"study: {settings!r} is none; give the name of a file in conf/study/"])
    complaints = _complaints(settings)
    complaints += [f"{n}: goes with one run, not with a study" for n in ("base", "worlds") if _given(words, n)]
    design = None if complaints else attempted(complaints, lambda: _design(settings))
    actual = attempted(complaints, lambda: stated(config, overrides))
    if complaints or actual is None:
        raise ScenarioError(complaints + _of_run(settings, actual))
    return Asked(names[0], settings, solved(actual, overrides, choices)[0]), design


def _of_run(settings: Mapping[str, object], base: "Scenario | None") -> list[str]:
    """What `study.run` would say of the settings beside the design, where the design itself is none."""
    from sim.study.measures import Measure, complaints_of
    from sim.study.pools import check_workers

    names = [settings.get(key) or default for key, default in (("metrics", ()), ("groups", ("all",)))]
    metrics, groups = ((n,) if isinstance(n, str) else tuple(n) for n in names)  # type: ignore[arg-type]
    measure = Measure(metrics, groups, settings.get("keep") or "totals")  # type: ignore[arg-type]
    wrong = complaints_of(measure, [base] if base else []) + check_workers(settings.get("workers"))  # type: ignore[arg-type]
    return [f"study.{told}" for told in wrong]


def _given(words: Sequence[str], name: str) -> bool:
    return any(w.lstrip("+").startswith(f"{name}=") for w in words)


CONFIG_DIR = ("--config-dir", "-cd")


def _with_folder_of_presets(words: Sequence[str]) -> list[str]:
    """The settings, with a flag --config-dir FOLDER as the setting of Hydra's that it stands for."""
    found, rest = [], iter(words)
    for word in rest:
        if word in CONFIG_DIR:
            folder = Path(next(rest)).resolve()
            if not folder.is_dir():
                raise ScenarioError([f"{word}: {folder} not found"])
            found.append(f"hydra.searchpath=[file://{folder}]")
        else:
            found.append(word)
    return found


def _complaints(settings: Mapping[str, object]) -> list[str]:
    """What is wrong with the settings of a study, their values aside."""
    kind = str(settings.get("design", "grid"))
    if kind not in DESIGNS:
        return [f"study.design: {kind!r} {unknown(kind, list(DESIGNS))}"]
    known = ("design", "folder", *DESIGNS[kind], *RUN)
    wrong = [f"study.{key}: {unknown(str(key), known)}" for key in settings if key not in known]
    needed = [key for key in DESIGNS[kind] if key != "seed" and settings.get(key) is None]
    return wrong + [f"study.{key}: a {kind} design needs it" for key in needed]


def _design(settings: Mapping[str, object]) -> object:
    """The design, or a ScenarioError."""
    from sim.study import designs

    kind = str(settings.get("design", "grid"))
    make = designs.listed if kind == "table" else getattr(designs, kind)
    if kind == "named" and not isinstance(settings["scenarios"], Mapping):
        raise ScenarioError([f"study.scenarios: {settings['scenarios']!r} is not a set of changes by name"])
    return make(*(settings[key] for key in DESIGNS[kind] if settings.get(key) is not None))


def _show(asked: Asked, table: "pd.DataFrame", folder: Path) -> None:
    """Print the mean of the headline of the focus for each arm, and where the table is."""
    from rich.table import Table

    from sim import study

    focus, end = asked.base.focus, table.columns.get_loc("error")
    columns = [c for c in (f"stickiness.{focus}", f"share.{focus}") if c in table] or list(table.columns[end + 1 :][:1])
    by = [c for c in table.columns[1:end] if c not in ("week", "window")]
    console = streams.console()
    shown = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for n, head in enumerate([*by, "runs", *columns]):
        shown.add_column(streams.plain(head), justify="right" if n else "left", no_wrap=True)
    found = study.summary(_over_time(table, by, columns), by, columns) if columns else table[:0]
    for line in found[:MOST_ROWS].to_dict("records"):
        values = [f"{line[c]:.4f} ±{line[f'{c}.error']:.4f}" for c in columns]
        shown.add_row(*(streams.plain(line[c]) for c in by), f"{line['runs']}", *values)
    console.print(f"{streams.plain(asked.name)}: mean over replications ± its standard error", style="bold")
    console.print(shown)
    failed = table.loc[table["error"] != "", "error"]
    if len(failed):
        why = streams.plain(failed.iloc[0].splitlines()[0])
        console.print(f"{len(failed):,} rows of runs that failed are left out of the means; the first: {why}")
    if len(found) > MOST_ROWS:
        console.print(f"and {len(found) - MOST_ROWS:,} more", style="dim")
    console.print(streams.plain(f"written to {near(folder.resolve())}: study.parquet, {CSV}"), soft_wrap=True)


def _over_time(table: "pd.DataFrame", by: Sequence[str], columns: Sequence[str]) -> "pd.DataFrame":
    """A row a run: the mean over its windows or weeks, where those were kept."""
    if len(by) + 1 == table.columns.get_loc("error"):
        return table
    keys = ["replication", *by, "error"]
    return table.groupby(keys, sort=False, dropna=False)[list(columns)].mean().reset_index()
