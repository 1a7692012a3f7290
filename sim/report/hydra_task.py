"""The Hydra task: simulate one scenario, keep its files whole or not at all, and then show it."""

import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import catch_warnings, filterwarnings

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.report import plausible
from sim.report.claims import CALLBACK, Halt, asked, claims, discard, give_back
from sim.report.collect import FAILED, collect, keep_failure, show_sweep
from sim.report.flags import MULTIRUN, ordered
from sim.report.folders import draft, move, near, occupied, refusal, refuse
from sim.report.result import (
    ANSWER_FIGURES,
    ANSWER_FILES,
    ANSWER_TABLES,
    FIGURES,
    FILES,
    TABLES,
    Finished,
    comparable,
    event_weeks,
    over_time,
)
from sim.report.signals import Stopped, obeying, stoppable, undivided
from sim.report.streams import plain as plain_text
from sim.report.terminal import print_failures, print_files, print_job, print_run, progress
from sim.study.presets import CONF, PRESET_GROUPS, asked_for, check_sweep, forced, plain, solved, stated

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from sim.engine.loop import Run

QUIET = ("hydra/hydra_logging=none", "hydra/job_logging=none")

REPORT = "report="  # the setting that names the file of a report
_finished: list[Finished] = []
_new: list[Mapping[str, object]] = []  # draws of a new scandal, as changes of the scenario
_report: list[str] = []  # the file of the report that was asked for, then the settings without it


def launch(arguments: list[str], new: Sequence[Mapping[str, object]] = ()) -> int:
    """Hydra on command-line arguments: one run, a sweep (-m), or whatever else its flags say.

    `new` are draws of the scandal `new`, in each of which the question is put.
    Returns 1 where runs of a sweep failed, else 0. Raises what is wrong: ScenarioError, OSError, or an exception of
    hydra, omegaconf or yaml.
    """
    from sim.study.composition import remembered
    from sim.study.preset_files import guarded

    asked_for_report, arguments = arguments, _without_report(arguments)
    arguments = [forced(a) for a in ordered(arguments)]
    sweep = MULTIRUN & set(arguments)
    _report[:] = _asked_report(asked_for_report, bool(sweep))
    given = {a.partition("=")[0] for a in arguments}
    arguments = [CALLBACK, *(q for q in QUIET if q.partition("=")[0] not in given), *arguments]
    _finished.clear()
    _new[:] = new
    claims.clear()
    with stoppable(), guarded(), remembered(PRESET_GROUPS):
        if sweep:
            check_sweep([a for a in arguments if a not in (CALLBACK, *QUIET)])
        _run_hydra(arguments)
        return _summarize() if sweep else 0


def _without_report(arguments: list[str]) -> list[str]:
    return [a for a in arguments if not a.lstrip("+").startswith(REPORT)]


def _asked_report(arguments: list[str], sweep: bool) -> list[str]:
    """The file of the report and the settings of the run; [] where none is asked for; ScenarioError if it cannot be."""
    from sim.report.html_report import taken

    files = [a.partition("=")[2] for a in arguments if a.lstrip("+").startswith(REPORT)]
    wrong = [f"report: one file at a time, not {name}" for name in files[1:]] + [c for f in files for c in taken(f)]
    wrong += ["report: is made of one run, not of a sweep (-m)"] if files and sweep else []
    if wrong:
        raise ScenarioError(wrong)
    return [*files, *_without_report(arguments)] if files else []


def _write_report(done: Finished) -> None:
    """Write the report that was asked for, of the run that is kept."""
    from sim.report import html_report

    if done.answer is None:
        return
    path, *settings = _report
    told = html_report.Report(done.run.scenario, done.answer, settings, done.measures, done.run.shares)
    print(f"the report is in {near(html_report.write(told, path).resolve())}")


def _run_hydra(arguments: list[str]) -> None:
    import hydra

    with _as_program(arguments):
        try:
            hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(task)()
        except Halt as halt:
            raise (halt.__cause__ or halt) from None
        except SystemExit as end:  # Hydra's status for what it cannot do is 1
            sys.exit(2 if end.code == 1 else end.code)
        except KeyboardInterrupt as stop:
            kept = f"stopped; what was finished is kept in {_kept()}" if _finished else ""
            raise Stopped(getattr(stop, "number", signal.SIGINT), kept) from None
        finally:
            give_back(bool(_finished))


def _summarize() -> int:
    """Write and show the table of the sweep that has ended; 1 where a job failed."""
    [folder] = {claimed.folder for claimed in claims}
    table, jobs = collect(folder)
    show_sweep(folder, table, jobs)
    return int(any(job.error for job in jobs))


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


def task(config: "DictConfig") -> None:
    """One job of Hydra's: from the composed config to files in the job's folder and a table in the terminal."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    settings = HydraConfig.get()
    if settings.mode == RunMode.MULTIRUN:
        _job_of_sweep(config, settings)
        return
    _simulate_and_keep(config, settings)
    _show(_finished[-1], {"what its events changed": partial(_answer, *asked_for(config), True)})
    done = _finished[-1]
    figure = {"the figure": lambda: _draw(done)}  # takes longer than the table, so that is shown first
    report = {"the report": lambda: _write_report(done)} if _report else {}
    _show(done, {"the table": lambda: print_run(done)} | figure | {"its files": lambda: print_files(done)} | report)


def _job_of_sweep(config: "DictConfig", settings: "DictConfig") -> None:
    """One run of a sweep, in whatever process: its files, without a figure; where it fails, why.

    An error of the machine (a disk that is full) ends the sweep, for the next run would have it too; so does a folder
    that holds something already.
    """
    folder = Path(settings.runtime.output_dir)
    taken = occupied(folder, [*FILES, FAILED])
    try:
        _simulate_and_keep(config, settings)
    except Halt as halt:
        if taken or isinstance(halt.__cause__, OSError):
            raise
        folder.mkdir(parents=True, exist_ok=True)
        keep_failure(folder, list(settings.overrides.task), halt.__cause__ or halt)
        print(f"{near(folder)} failed: {str(halt.__cause__).splitlines()[0]}", file=sys.stderr)
    else:
        done = _finished[-1]
        _show(done, {"what its events changed": partial(_answer, *asked_for(config), False)})
        _show(done, {"its line": lambda: print_job(done)})


def _simulate_and_keep(config: "DictConfig", settings: "DictConfig") -> None:
    """Simulate the composed config and write its run and tables, or take back all that was made for it."""
    from hydra.types import RunMode

    folder = Path(settings.runtime.output_dir)
    kept = len(_finished)
    try:
        refuse(refusal("the folder of a run", folder, occupied(folder, [*FILES, *ANSWER_FILES])))
        actual = stated(plain(config), asked(settings))
        if settings.mode == RunMode.RUN and not comparable(actual):
            refuse(_without_events(config))
        if comparable(actual) and (settings.mode == RunMode.RUN or asked_for(config)[1]):
            plausible.check_files()  # before the run, which is told with what they hold
        # the draft is begun first: a folder that takes no files should say so before the simulation, not after
        with draft(folder) as place:
            threading.Thread(target=_import_early).start()
            run = _simulated(actual, asked(settings), settings.runtime.choices)
            _keep(Finished(list(settings.overrides.task), run, run.table(), folder), place)
    except BaseException as error:
        if len(_finished) == kept:
            discard(settings, folder)
        if isinstance(error, Exception):
            raise Halt from error
        raise


def _without_events(config: "DictConfig") -> list[str]:
    """Complaints about what was asked of a run that has no event, or no rival, to tell of."""
    base, worlds = asked_for(config)
    given = {"report": bool(_report), "base": base is not None, "worlds": worlds is not None}
    names = ", ".join(name for name, there in given.items() if there)
    what = "there is no event to tell of, or no rival to go to; choose one, as in scandal=data_breach"
    return [f"{names}: {what}"] if names else []


def _simulated(actual: Scenario, overrides: list[str], choices: Mapping[str, str]) -> "Run":
    """The run of a scenario, the presence of its firms solved first."""
    from sim.engine.loop import simulate

    with progress(actual) as (step, phase):
        phase("solving presence")
        calibrated, shares = solved(actual, overrides, choices)
        phase("simulating")
        run = simulate(calibrated, progress=obeying(step))
    run.shares = shares
    return run


def _answer(base: int | None, worlds: int | None, single: bool) -> None:
    """Simulate the run kept last with and without its events, and keep what they changed; a stop keeps the run.

    A job of a sweep is told without other worlds and without countermeasures.
    """
    from sim.study.answer import answer
    from sim.study.countermeasures import countermeasures

    done, s = _finished[-1], _finished[-1].run.scenario
    if not comparable(s):
        return
    with progress(s, f"the run is kept in {near(done.folder)}; now with and without its events,") as (step, _):
        drawn = plausible.worlds(s, worlds, _new) if single or worlds else plausible.NONE
        found = answer(s, drawn.worlds, base, done.run.shares, obeying(step), drawn.source)
        _finished[-1] = done._replace(answer=found)
        _keep_answer(_finished[-1])
        if single and s.scandals:
            _finished[-1] = _finished[-1]._replace(measures=countermeasures(s, obeying(step)))


def _keep_answer(done: Finished) -> None:
    from sim.report.answer_text import table
    from sim.study import store

    assert done.answer is not None
    found = table(done.answer)
    with draft(done.folder) as place:
        found.to_csv(place / "answer.csv", index=False)
        store.write_table(found, place / "answer.parquet")
        move(ANSWER_TABLES, place, done.folder)


def _import_early() -> None:
    """Import what is needed after the simulation while compiled code, which lets other threads go on, is running."""
    with suppress(Exception):  # an error comes again where the module is needed
        import pandas  # noqa: F401

        from sim.measure import metrics  # noqa: F401


def _keep(done: Finished, place: Path) -> None:
    """Put the run and its tables into its folder: from now on it is finished, however it may look."""
    from sim.study import store

    store.save(done.run, place / "run.parquet", {"overrides": done.overrides})
    store.write_table(done.table, place / "metrics.parquet")
    done.table.to_csv(place / "metrics.csv", index=False)
    with undivided():
        _finished.append(done._replace(folder=move(TABLES, place, done.folder)))


def _show(done: Finished, shown: Mapping[str, Callable[[], None]]) -> None:
    """Show a run that is kept; what cannot be shown is said in a sentence, and the run is as finished as before."""
    failed: dict[str, Exception] = {}
    for what, show in shown.items():
        try:
            show()
        except Exception as error:
            failed[what] = error
    if failed:
        print_failures(done, failed)


def _draw(done: Finished) -> None:
    from sim.report import answer_text, figures

    run, s = done.run, done.run.scenario
    about = f"{plain_text(s.title or 'A market')}: {s.people:,} people, {s.weeks} weeks."
    second = answer_text.sentence(done.answer) if done.answer else ""
    note = f"{about} Bars and bands: 95 % intervals."
    drawn = {"stickiness": figures.headline(done.table, over_time(run), s.focus, event_weeks(s), second, note)}
    if done.answer:
        drawn["answer"] = figures.answer(
            done.answer, done.measures, f"{about} The same people with and without. Gray bars: no change detected."
        )
    with draft(done.folder) as place, catch_warnings():
        filterwarnings("ignore", category=UserWarning)  # of glyphs that the font lacks, of names longer than the page
        for name, figure in drawn.items():
            for kind in ("png", "svg"):
                figures.save(figure, place / f"{name}.{kind}", kind)
                figure.set_layout_engine("none")  # it is laid out: once is enough
        move((*FIGURES, *(ANSWER_FIGURES if done.answer else ())), place, done.folder)


def _kept() -> str:
    return ", ".join(dict.fromkeys(near(done.folder) for done in _finished))
