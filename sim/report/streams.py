"""The terminal: standard streams that may be closed, full or ASCII only, and a console that takes text for text.

What is printed is data: titles, names and paths are never markup. A reader who leaves early (`| head -1`) stops
nothing, a closed stream leads nowhere, and what an encoding lacks is spelled out.
"""

import codecs
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 122  # columns of text of a page where there is no terminal
NARROWEST, WIDEST = 20, 1000  # columns of a terminal that are believed
UNBROKEN = 100_000  # columns in a pipe, where a row stays a row
SPELLED = {"±": "+-", "−": "-", "…": "...", "×": "x", "·": "."}
GONE = (errno.EPIPE, errno.EIO, errno.EBADF)  # of a stream that nobody reads any more
RULE = "sim.spelled"
T = TypeVar("T")


class Stream:
    """A standard stream that goes silent when its reader is gone; `always` also when it fails in another way."""

    def __init__(self, stream: IO[str], always: bool) -> None:
        self.stream, self.always, self.silent = stream, always, False

    def write(self, text: str) -> int:
        """Write, or be silent from now on."""
        return self._guarded(lambda: self.stream.write(text)) or 0

    def flush(self) -> None:
        """Flush, or be silent from now on."""
        self._guarded(self.stream.flush)

    def _guarded(self, act: Callable[[], T]) -> T | None:
        try:
            return None if self.silent else act()
        except OSError as error:
            self.silence()
            if not self.always and error.errno not in GONE:
                raise
        return None

    def silence(self) -> None:
        """Lead what is still to come nowhere, also what Python flushes at its end."""
        self.silent = True
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


@contextmanager
def streams() -> Iterator[None]:
    """Standard streams that no output can break, as long as it lasts."""
    codecs.register_error(RULE, _spelled)
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = before[0] or _nowhere(0, "r")
    out, err = before[1] or _nowhere(1, "w"), before[2] or _nowhere(2, "w")
    for stream in (out, err):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=RULE)
    sys.stdout, sys.stderr = Stream(out, False), Stream(err, True)
    try:
        yield
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        sys.stderr.flush()
        sys.stdin, sys.stdout, sys.stderr = before[0], out, err


def _nowhere(number: int, mode: str) -> IO[str]:
    """The null device as the standard stream of this number: else the next file to be opened would take its place."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere < number:
        os.dup2(nowhere, number)
        os.close(nowhere)
        nowhere = number
    return open(nowhere, mode, encoding="utf-8", closefd=False)


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SPELLED.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end


def console(stderr: bool = False) -> "Console":
    """A console for data: no markup, no emoji, no color of its own; in a pipe no row is broken."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    size = shutil.get_terminal_size()  # rich itself stumbles over some values of COLUMNS and LINES
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        width=columns(stderr) if terminal else UNBROKEN,
        height=max(2, min(size.lines, WIDEST)),
    )


def columns(stderr: bool = False) -> int:
    """How many columns of text fit; in a pipe what COLUMNS says, where that is more than a page."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    wide = min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDEST)
    return max(NARROWEST, wide) if terminal else max(WIDTH, wide)


def plain(text: object) -> str:
    """Text in one line and without control characters, which would rule the terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text))
