"""The journal of a study: rows that are finished, each under a key of all that it depends on, kept beside its table."""

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.compute.files import unwritable
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import to_dict
from sim.study.measures import Figures, Measure
from sim.study.store import StoreError, read_metadata

STUDY = "stickiness.study"  # key in the metadata of the table, and in the first line of the journal
TABLE, JOURNAL = "study.parquet", "study.journal"  # in the folder of a study
NOTHING = Figures((), np.zeros((0, 0)))


class Outcome(NamedTuple):
    """What came of a run: its figures, or none and why it failed."""

    figures: Figures
    error: str = ""


def digest_of(base: Scenario) -> str:
    """Which study it is: a hash of its base, with its firms in their order. Arms may come and go."""
    return hashlib.sha256(json.dumps(to_dict(base)).encode()).hexdigest()


@cache
def code() -> str:
    """A digest of what simulates and measures: the package, its presets, and the versions of NumPy and numba."""
    from importlib.metadata import version

    from sim.engine.cluster.actor import source
    from sim.study.presets import CONF

    sha = hashlib.sha256(f"{source()} {version('numpy')} {version('numba')}".encode())
    for path in sorted(CONF.rglob("*.yaml")):
        sha.update(path.relative_to(CONF).as_posix().encode() + path.read_bytes())
    return sha.hexdigest()


def key_of(scenario: Scenario, measure: Measure, mark: str) -> str:
    """A hash of all that the rows of a scenario depend on, replications aside; `mark` says which code it is."""
    parts = [mark, to_dict(scenario) | {"replications": 1}, measure, _file_digest(scenario)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _file_digest(scenario: Scenario) -> str:
    """A hash of the file of edges, where there is one."""
    if scenario.network.kind != "file":
        return ""
    try:
        return hashlib.sha256(Path(scenario.network.edges).read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def check_free(folder: Path, study: str, resume: bool = True) -> None:
    """ScenarioError if a study would replace anything in the folder but its own earlier output, or any of it."""
    wrong = []
    for path, own in ((folder / TABLE, _is_table_of), (folder / JOURNAL, _is_journal_of)):
        if os.path.lexists(path) and not own(path, study):
            what = "a table" if path.name == TABLE else "a journal"
            wrong.append(f"{path}: is there already and is not {what} of this study; choose another folder")
        elif os.path.lexists(path) and not resume:
            wrong.append(f"{path}: is there already; resume=True goes on with it, or choose another folder")
    if os.path.lexists(folder) and not folder.is_dir():
        wrong.append(f"{folder}: is no folder")
    elif why := unwritable(folder / TABLE):
        wrong.append(f"{folder}: cannot be written: {why}")
    if wrong:
        raise ScenarioError(wrong)


def _is_table_of(path: Path, study: str) -> bool:
    try:
        return not path.is_symlink() and read_metadata(path).get(STUDY) == study
    except StoreError:
        return False


def _is_journal_of(path: Path, study: str) -> bool:
    """Whether the first line names the study; of a journal that was killed at once it may be cut short."""
    if path.is_symlink() or not path.is_file():
        return False
    head = _header(study)
    with path.open("rb") as file:
        found = file.read(len(head))
    return found == head or (head.startswith(found) and path.stat().st_size == len(found))


def _header(study: str) -> bytes:
    return json.dumps({STUDY: study}).encode() + b"\n"


class Journal:
    """Rows on disk, or nowhere without a folder: each is one write to the end, so that a kill loses no other."""

    def __init__(self, folder: Path | None, study: str) -> None:
        self.path, self.file = folder and folder / JOURNAL, -1
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head, before = _header(study), self.path.stat().st_size if self.path.exists() else 0
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        if before < len(head):
            os.ftruncate(self.file, 0)
            os.write(self.file, head)
        else:
            os.write(self.file, b"\n")  # after a line that was cut short

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.file >= 0:
            os.close(self.file)

    def known(self, keys: Collection[str]) -> Iterator[tuple[str, Outcome]]:
        """The rows of these keys; lines that are damaged, or of other keys, are passed over."""
        if self.path is None:
            return
        with self.path.open("rb") as file:
            for line in file:
                try:
                    key, error, columns, rows = json.loads(line)
                    if key in keys:
                        shape = (len(rows), len(columns))
                        yield key, Outcome(Figures(tuple(columns), np.array(rows, float).reshape(shape)), error)
                except (ValueError, TypeError):  # the line that was being written when the study was stopped
                    continue

    def add(self, key: str, outcome: Outcome) -> None:
        """Keep the rows of a run."""
        if self.file >= 0:
            figures, error = outcome
            os.write(self.file, json.dumps([key, error, figures.columns, figures.rows.tolist()]).encode() + b"\n")
