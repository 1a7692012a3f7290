"""The journal of a study: rows that are finished, kept beside its table, so that a study that was stopped goes on."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import to_dict
from sim.study.store import StoreError, read_metadata

Row = dict[str, Any]  # column -> value
Add = Callable[[str, Row], None]
STUDY = "stickiness.study"  # key in the metadata of the table that says which study it is


class Study(NamedTuple):
    """What makes a study the same one: its base, its axes and how many replications each arm has."""

    base: Scenario
    axes: Mapping[str, Sequence[Any]]
    replications: int

    @property
    def digest(self) -> str:
        """A hash of all three; the order of the axes does not matter."""
        told = [to_dict(self.base), sorted(self.axes.items()), self.replications]
        return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def check_free(path: Path, study: Study) -> None:
    """ScenarioError if the table or the journal of the study would replace anything but its own earlier output."""
    journal, wrong = path.with_suffix(".journal"), []
    if os.path.lexists(path) and not _is_table_of(path, study):
        wrong.append(f"{path}: is there already and is not a table of this study; choose another name, or remove it")
    if os.path.lexists(journal) and not _is_journal_of(journal, study):
        wrong.append(
            f"{journal}: is there already and is not a journal of this study; choose another name, or remove it"
        )
    if wrong:
        raise ScenarioError(wrong)


def _is_table_of(path: Path, study: Study) -> bool:
    try:
        return not path.is_symlink() and read_metadata(path).get(STUDY) == study.digest
    except StoreError:
        return False


def _is_journal_of(path: Path, study: Study) -> bool:
    """Whether the first line names the study; of a journal that was killed at once it may be cut short."""
    if path.is_symlink() or not path.is_file():
        return False
    head = _header(study).encode()
    with path.open("rb") as file:
        found = file.read(len(head))
    return found == head or (head.startswith(found) and path.stat().st_size == len(found))


def _header(study: Study) -> str:
    return json.dumps({STUDY: study.digest}) + "\n"


@contextmanager
def journal(path: Path | None, study: Study, mark: str) -> Iterator[tuple[dict[str, Row], Add]]:
    """Rows already known under `mark`, and how to add another; nothing is kept without a path.

    Rows of another mark (other code, other files of edges) are passed over.
    """
    if path is None:
        yield {}, lambda key, row: None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    file_name = path.with_suffix(".journal")
    text = file_name.read_text("utf-8", "replace") if file_name.exists() else ""
    head = _header(study)
    whole = text.startswith(head)
    known = {key: row for found, key, row in _entries(text) if found == mark} if whole else {}
    with file_name.open("a" if whole else "w", encoding="utf-8") as file:
        file.write(head if not whole else "" if text.endswith("\n") else "\n")  # after a line that was cut short

        def add(key: str, row: Row) -> None:
            file.write(json.dumps([mark, key, row]) + "\n")
            file.flush()

        yield known, add


def _entries(text: str) -> Iterator[tuple[str, str, Row]]:
    """The entries of a journal: mark, key, row; lines that are damaged are passed over."""
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # the line that was being written when the study was stopped
            continue
        if isinstance(entry, list) and len(entry) == 3 and isinstance(entry[1], str):
            yield entry[0], entry[1], entry[2]


def mark_of(base: Scenario, files: Sequence[str], code: str) -> str:
    """A digest of all that rows depend on: the code, the base (its firms in their order) and files of edges."""
    sha = hashlib.sha256(json.dumps([code, to_dict(base)]).encode())
    for name in files:
        try:
            sha.update(hashlib.sha256(Path(name).read_bytes()).digest())
        except OSError:
            sha.update(name.encode())
    return sha.hexdigest()
