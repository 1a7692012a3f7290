"""Finds a folder for compiled code that no other user can write to, because what is in it will be executed."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def private_folder(name: str) -> Path | None:
    """The first folder `name` that can be made, written to and owned; None if there is none, then nothing is cached.

    NUMBA_CACHE_DIR is taken as it is. Otherwise the folder and its parent must belong to the user, be no links, and not
    be writable by others.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given and _made(Path(given) / name):
        return Path(given) / name
    for place in _places():
        try:
            around = place()
        except (OSError, RuntimeError, KeyError):  # no home, no temporary folder, a user without a name
            continue
        if _shared_safely(around.parent) and all(_made(f) and _is_own(f) for f in (around, around / name)):
            return around / name
    return None


def _places() -> Iterator[Callable[[], Path]]:
    yield lambda: Path(__file__).resolve().parent / "__pycache__"
    yield lambda: Path.home() / ".cache" / "stickiness"
    yield lambda: Path(tempfile.gettempdir()) / f"stickiness-{_user()}"


def _made(folder: Path) -> bool:
    """Whether a folder can be written to; it is made if it is missing."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _is_own(folder: Path) -> bool:
    found = os.lstat(folder)
    return stat.S_ISDIR(found.st_mode) and _written_by_others(found) == 0 and _owner(found) == _user()


def _shared_safely(folder: Path) -> bool:
    """Whether others cannot replace what the user puts into a folder: it is not theirs, or it is sticky, as /tmp is."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    found = folder.stat()
    sticky = bool(found.st_mode & stat.S_ISVTX)
    return sticky or (_written_by_others(found) == 0 and _owner(found) in (_user(), 0))


def _written_by_others(found: os.stat_result) -> int:
    return found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) if os.name == "posix" else 0


def _owner(found: os.stat_result) -> int:
    return found.st_uid if os.name == "posix" else 0


def _user() -> int:
    return os.geteuid() if os.name == "posix" else 0
