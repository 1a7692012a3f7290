"""Files that are written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4


def write_atomic(path: str | Path, content: bytes | Callable[[BinaryIO], Any], new: bool = False) -> Path:
    """Put `content`, or what it writes to the open file it is given, at `path`, whole or not at all.

    The folder is made where it is missing. After a failure `path` is as it was and no draft is left. A `new` file
    replaces nothing: FileExistsError where there is something of that name.
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


def place(draft: Path, path: Path) -> None:
    """Give a finished file its name; FileExistsError where something has that name, be it made a moment ago."""
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise FileExistsError(error.errno, error.strerror, str(path)) from None
    except OSError:  # a file system without links: the name is taken first, and filled then
        open(path, "xb").close()
        os.replace(draft, path)
    else:
        draft.unlink()
