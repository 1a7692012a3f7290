"""The folder of a run: what was there before stays as it was, and what a failed run has made is taken back."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from sim.compute.files import place
from sim.model.declare import ScenarioError
from sim.report.signals import undivided

SWEEP = "multirun.yaml"  # Hydra's record of a sweep
RECORDS = ("config.yaml", "hydra.yaml", "overrides.yaml")  # Hydra's of a job, in hydra.output_subdir


@dataclass
class Claim:
    """What this process has made for a run or a sweep in `folder`."""

    folder: Path
    made: list[Path] = field(default_factory=list)  # folders, the deepest first
    files: list[Path] = field(default_factory=list)  # Hydra's, which were not there before
    before: frozenset[str] = frozenset()  # names in the folder before


def claim(setting: str, folder: str, files: Sequence[str] = ()) -> Claim:
    """Make the folder that Hydra is about to make, and Hydra's `files` in it, empty; what is new is noted.

    Raises ScenarioError where one of the files is there, which Hydra would overwrite, and OSError.
    """
    raw, absolute = Path.cwd() / folder, Path(os.path.abspath(folder))  # they differ where .. follows a link
    claimed = Claim(absolute, before=frozenset(os.listdir(absolute)) if absolute.is_dir() else frozenset())
    taken = []
    try:
        for path in dict.fromkeys((raw, absolute, *((absolute / name).parent for name in files))):
            with undivided():
                claimed.made = [*_make(path), *claimed.made]
        for name in files:
            with undivided():
                try:
                    open(absolute / name, "xb").close()
                    claimed.files.append(absolute / name)
                except FileExistsError:
                    taken.append(name)
        refuse(refusal(setting, absolute, taken))
    except BaseException:
        take_back(claimed)
        raise
    return claimed


def _make(folder: Path) -> list[Path]:
    """Make a folder and those above it; which of them were missing, the deepest first."""
    missing: list[Path] = []
    for path in (folder, *folder.parents):
        if os.path.lexists(path):
            break
        missing.append(path)
    made: list[Path] = []
    try:
        for path in reversed(missing):
            with suppress(FileExistsError):  # another run was faster, and has made it
                os.mkdir(path)
                made.insert(0, path)
        if not folder.is_dir():
            raise NotADirectoryError(20, "Not a directory", str(folder))
    except OSError:
        _remove(made)
        raise
    return made


def occupied(folder: Path, names: Iterable[str]) -> list[str]:
    """Those of the names that are taken in a folder, be it by a link that leads nowhere."""
    return [name for name in names if os.path.lexists(folder / name)]


def detour(setting: str, folder: str) -> list[str]:
    """The complaint about .. after a link, where Hydra makes one folder and names another; none elsewhere."""
    there, named = os.path.realpath(folder), os.path.realpath(os.path.abspath(folder))
    return [f"{setting}: {folder} goes back over a link; give it as {there}"] if there != named else []


def refusal(setting: str, folder: Path, names: Sequence[str]) -> list[str]:
    """The complaint about a folder that holds files of these names; none where there are no names."""
    holds = f"{setting}: {near(folder)} already holds {', '.join(names)}"
    return [f"{holds}, which would be overwritten; choose another folder"] if names else []


def take_back(claimed: Claim) -> None:
    """Remove what was made, as far as nothing else has come to lie in it."""
    with undivided():
        for path in claimed.files:
            with suppress(OSError):
                path.unlink()
        _remove(claimed.made)


def _remove(made: Iterable[Path]) -> None:
    for folder in made:
        with suppress(OSError):  # a folder with something in it stays
            folder.rmdir()


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """A folder of our own in another one, gone at the end; OSError where the other takes no files."""
    with undivided():
        own = Path(mkdtemp(prefix=".draft-", dir=folder))
    try:
        yield own
    finally:
        with undivided():
            shutil.rmtree(own, ignore_errors=True)


def move(names: Sequence[str], source: Path, folder: Path) -> Path:
    """Move files into a folder, all or none, over nothing; where another run was faster, into a new folder in it.

    Returns the folder that they are in now.
    """
    with undivided():
        placed: list[Path] = []
        try:
            for name in names:
                place(source / name, folder / name)
                placed.append(folder / name)
            return folder
        except BaseException as error:
            for path in placed:
                os.replace(path, source / path.name)
            if not isinstance(error, FileExistsError):
                raise
    return move(names, source, _another(folder))


def near(folder: Path) -> str:
    """A path as the reader would type it."""
    return str(folder.relative_to(Path.cwd())) if folder.is_relative_to(Path.cwd()) else str(folder)


def _another(folder: Path) -> Path:
    """A new folder run-2, run-3, ... in one that was taken."""
    number = 2
    while True:
        with suppress(FileExistsError):
            other = folder / f"run-{number}"
            other.mkdir()
            return other
        number += 1


def new_in(claimed: Claim) -> set[str]:
    """Names that have come into the claimed folder, other than those of Hydra's files."""
    own = {path.relative_to(claimed.folder).parts[0] for path in claimed.files}
    return set(os.listdir(claimed.folder)) - claimed.before - own


def below(claimed: Claim, folder: Path) -> list[Path]:
    """The folders from that of a job up to the claimed one, the deepest first, if they were not there before."""
    parts = folder.relative_to(claimed.folder).parts if folder.is_relative_to(claimed.folder) else ()
    new = parts and parts[0] not in claimed.before
    return [claimed.folder.joinpath(*parts[:n]) for n in range(len(parts), 0, -1)] if new else []


def refuse(complaints: Sequence[str]) -> None:
    """Raise ScenarioError where there are complaints."""
    if complaints:
        raise ScenarioError(list(complaints))
