"""Writes files whole or not at all, and says beforehand where none can be written."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import uuid4


def write_atomic(path: str | Path, content: bytes | Callable[[BinaryIO], object], new: bool = False) -> Path:
    """Write `content` to `path`, whole or not at all; a function writes to the open file that it is given.

    The folder is made if it is missing. After a failure `path` is as it was and no draft is left. A `new` file
    replaces nothing: FileExistsError if the name is taken.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid4().hex}.part")
    try:
        with open(draft, "xb") as file:
            content(file) if callable(content) else file.write(content)
            file.flush()
            os.fsync(file.fileno())
        (place if new else os.replace)(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return path


def unwritable(path: str | Path) -> str:
    """Why nothing can be written under this name, missing folders made; "" where something can. Nothing is left there.

    >>> unwritable("new.csv"), unwritable("a\\0b.csv")
    ('', 'embedded null byte')
    """
    path = Path(os.path.abspath(path))
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error)
    there = next(folder for folder in path.parents if os.path.lexists(folder))
    if not there.is_dir():
        return f"{there} is no folder"
    try:
        TemporaryFile(dir=there).close()
    except OSError as error:
        return f"{there} takes no files: {error.strerror or error}"
    return ""


def place(draft: Path, path: Path) -> None:
    """Give a finished file its name; FileExistsError if the name is taken, even since a moment ago."""
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, str(path)) from None
    except OSError:  # a file system without links: reserve the name, then fill it
        open(path, "xb").close()
        os.replace(draft, path)
    else:
        draft.unlink()
