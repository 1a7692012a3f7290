"""Makes the folders of a run or sweep before Hydra does, so that what is new is known and can be taken back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sim.model.declare import ScenarioError
from sim.report.folders import RECORDS, SWEEP, Claim, below, claim, detour, new_in, occupied, refusal, refuse, take_back
from sim.report.result import ANSWER_FILES, FILES
from sim.study.presets import plain, stated

if TYPE_CHECKING:
    from omegaconf import DictConfig

CALLBACK = "+hydra.callbacks.sim._target_=sim.report.callback.BeforeFolders"  # calls before_run and before_sweep
claims: list[Claim] = []  # of the run or sweep that was launched last


class Halt(BaseException):
    """Carries an error past Hydra, which would announce it in its own way."""


def before_run(config: "DictConfig") -> None:
    """Refuse a run that is wrong in itself or would write over something; make its folder, knowing what is new."""
    with _halting(), _hydra_config(config):
        folder, setting = str(config.hydra.run.dir), "hydra.run.dir"
        records = _records(config.hydra.output_subdir)
        complaints = detour(setting, folder)
        try:
            stated(plain(config), asked(config.hydra))
        except ScenarioError as error:
            complaints += error.complaints
        absolute = Path(os.path.abspath(folder))
        complaints += refusal(setting, absolute, occupied(absolute, [*FILES, *ANSWER_FILES, *records]))
        refuse(complaints)
        claims.append(claim(setting, folder, records))


def before_sweep(config: "DictConfig") -> None:
    """Refuse a sweep into a folder that holds another; make its folder, knowing what is new."""
    with _halting(), _hydra_config(config):
        folder, setting = str(config.hydra.sweep.dir), "hydra.sweep.dir"
        absolute = Path(os.path.abspath(folder))
        numbers = [p.name for p in absolute.iterdir() if p.name.isdecimal()] if absolute.is_dir() else []
        names = [
            f"{n}/{name}"
            for n in sorted(numbers)
            for name in (*FILES, *ANSWER_FILES, *_records(config.hydra.output_subdir))
        ]
        refuse(detour(setting, folder) + refusal(setting, absolute, occupied(absolute, [SWEEP, *names])))
        claims.append(claim(setting, folder, [SWEEP]))


@contextmanager
def _halting() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise Halt from error


@contextmanager
def _hydra_config(config: "DictConfig") -> Iterator[None]:
    """Hydra's own resolvers work, as they will when it makes the folder."""
    from hydra.core.hydra_config import HydraConfig

    instance = HydraConfig.instance()
    before = instance.cfg
    instance.set_config(config)
    try:
        yield
    finally:
        instance.cfg = before


def _records(subfolder: str | None) -> list[str]:
    return [f"{subfolder}/{name}" for name in RECORDS] if subfolder else []


def asked(settings: "DictConfig") -> list[str]:
    """What was asked for on the command line, with where presets are looked for."""
    searched = [o for o in settings.overrides.hydra if o.startswith("hydra.searchpath")]
    return [*searched, *settings.overrides.task]


def discard(settings: "DictConfig", folder: Path) -> None:
    """Take back what Hydra has made for a job that failed: its records, its empty logs, the folder of a sweep's job."""
    from omegaconf import OmegaConf

    handlers = OmegaConf.select(settings, "job_logging.handlers") or {}
    logs = [Path(h["filename"]) for h in handlers.values() if h and "filename" in h]
    for claimed in claims:
        new = below(claimed, folder)
        files = [log for log in logs if log.is_file() and not log.stat().st_size]
        files = [log for log in files if log.parent == folder and (new or log.name not in claimed.before)]
        if new and settings.output_subdir:
            files += [folder / name for name in _records(settings.output_subdir)]
            new = [folder / settings.output_subdir, *new]
        take_back(Claim(folder, new, files))


def give_back(finished: bool) -> None:
    """Take back what was made for a run or a sweep that has left nothing."""
    for claimed in claims:
        if not finished and not new_in(claimed):
            take_back(claimed)
