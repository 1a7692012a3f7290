"""The Hydra task: live one scenario, show it, and write it down whole or not at all."""

import os
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sim.run.compose import CONF, check_sweep, forced, plain, scenario, solved, stated
from sim.run.report import everything, one_line, progress, summary, where
from sim.run.result import FILES, Finished, changed, events, measured, story
from sim.scenario import Scenario

if TYPE_CHECKING:
    from sim.engine import Run

QUIET = ("hydra/hydra_logging=none", "hydra/job_logging=none")


_finished: list[Finished] = []


class Halt(BaseException):
    """Carries an error past Hydra, which would announce it in its own way."""


def launch(arguments: list[str]) -> None:
    """Hydra on command-line arguments: one run, a sweep (-m), or whatever else its flags say.

    Raises what is wrong: ScenarioError, OSError, or an exception of hydra, omegaconf or yaml.
    """
    import hydra

    from sim.run.preset_files import guarded

    arguments = [forced(a) for a in arguments]
    if {"-m", "--multirun"} & set(arguments):
        check_sweep(arguments)
    given = {a.partition("=")[0] for a in arguments}
    arguments += [q for q in QUIET if q.partition("=")[0] not in given]
    _finished.clear()
    with _as_program(arguments), guarded(CONF):
        try:
            hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(task)()
        except Halt as halt:
            raise (halt.__cause__ or halt) from None
    if len(_finished) > 1:
        summary(_finished)


@contextmanager
def _as_program(arguments: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv, and raises errors rather than printing them when asked for full ones."""
    from hydra.core.global_hydra import GlobalHydra

    argv, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = ["stickiness", *arguments], "1"
    # Python 3.14 checks help texts, which ArgumentParser inherits; one of Hydra 1.3's is no text until it is shown
    ArgumentParser._check_help = lambda parser, action: None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        sys.argv = argv
        del ArgumentParser._check_help  # type: ignore[attr-defined]
        os.environ.pop("HYDRA_FULL_ERROR", None)
        os.environ |= {"HYDRA_FULL_ERROR": full} if full is not None else {}
        GlobalHydra.instance().clear()


def task(config: Any) -> None:
    """One job of Hydra's: the composed config in, a table in the terminal and files in the job's folder out."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    settings = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    overrides = list(settings.overrides.task)
    searched = [o for o in settings.overrides.hydra if o.startswith("hydra.searchpath")]
    try:
        actual = stated(plain(config), [*searched, *overrides])
        # the draft is begun first: a folder that takes no files should say so before the simulation, not after
        with TemporaryDirectory(dir=folder, prefix=".draft-") as draft:
            threading.Thread(target=_warm_up, daemon=True).start()
            run = _lived(actual, [*searched, *overrides], settings.runtime.choices)
            done = Finished(overrides, run, measured(run), folder)
            if settings.mode != RunMode.MULTIRUN:
                everything(done)  # the figures take longer than the answer
            _write(done, Path(draft))
            for name in FILES:
                os.replace(Path(draft) / name, folder / name)
    except BaseException as error:
        _discard(folder)
        if isinstance(error, Exception):
            raise Halt from error
        raise
    _finished.append(done)
    (one_line if settings.mode == RunMode.MULTIRUN else where)(done)


def lived(overrides: list[str]) -> "Run":
    """The run of `python -m sim` with these overrides, without a terminal and without files."""
    from sim.engine import simulate

    actual, shares = scenario(overrides)
    run = simulate(actual)
    run.shares = shares
    return run


def _lived(actual: Scenario, overrides: list[str], choices: Any) -> "Run":
    from sim.engine import simulate

    with progress(actual) as (step, said):
        said("solving presence")
        settled, shares = solved(actual, overrides, choices)
        said("living")
        run = simulate(settled, progress=step)
    run.shares = shares
    return run


def _warm_up() -> None:
    """Import what is needed after the simulation while compiled code, which lets other threads go on, is running."""
    import pandas  # noqa: F401

    from sim import metrics  # noqa: F401


def _write(done: Finished, folder: Path) -> None:
    """Put the five files of a run into the folder."""
    from sim import figures, store

    run, table, s = done.run, done.table, done.run.scenario
    note = f"{s.title or 'A market'}: {s.people:,} people, {s.weeks} weeks. Bars and bands: 95 % intervals."
    figure = figures.headline(table, story(run), s.focus, events(s), changed(run), note)
    store.save(run, folder / "run.parquet")
    store.write_table(table, folder / "metrics.parquet")
    table.to_csv(folder / "metrics.csv", index=False)
    for kind in ("png", "svg"):
        figures.save(figure, folder / f"stickiness.{kind}", kind)
        figure.set_layout_engine("none")  # it is laid out: once is enough


def _discard(folder: Path) -> None:
    """Take back the folder that Hydra has made for a run that failed, unless it holds something else."""
    with suppress(OSError):  # a folder with something in it stays
        for empty in (folder, *list(folder.parents)[:2]):
            empty.rmdir()
