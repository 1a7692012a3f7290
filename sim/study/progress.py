"""How far a study is and how long it will take, in a terminal or a notebook."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

Step = Callable[[int], None]  # called with the number of runs that are done
EVERY = 0.5  # seconds between two texts in a notebook


@contextmanager
def progress(total: int, known: int = 0, quiet: bool = False) -> Iterator[Step]:
    """A bar with the time left on stderr, a line in a notebook, nothing elsewhere; `known` runs need no time."""
    if quiet or known >= total:
        yield lambda done: None
    elif _in_notebook():
        yield _notebook(total, known)
    elif sys.stderr.isatty():
        with _terminal(total, known) as step:
            yield step
    else:
        yield lambda done: None


def _in_notebook() -> bool:
    """Whether this process is the kernel of one; servers of pages load the same package without being one."""
    return "ipykernel" in sys.modules and import_module("ipykernel.kernelapp").IPKernelApp.initialized()


@contextmanager
def _terminal(total: int, known: int) -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("runs", total=total, completed=known)
        yield lambda done: bar.update(task, completed=done)


def _notebook(total: int, known: int) -> Step:
    """A line that is written over, by IPython's display: rich would need another package there."""
    shown = import_module("IPython.display").display({"text/plain": ""}, raw=True, display_id=True)
    started, last = time.monotonic(), [0.0]

    def step(done: int) -> None:
        now = time.monotonic()
        if now - last[0] > EVERY or done == total:
            last[0] = now
            shown.update({"text/plain": line(done, total, known, now - started)}, raw=True)

    return step


def line(done: int, total: int, known: int, seconds: float) -> str:
    """How far it is, in words.

    >>> line(300, 1000, 100, 20.0)
    '300 of 1,000 runs, 1 min 10 s left'
    """
    text = f"{done:,} of {total:,} runs"
    if done <= known or done >= total:
        return text
    left = round(seconds * (total - done) / (done - known))
    parts = [(left // 3600, "h"), (left // 60 % 60, "min"), (left % 60, "s")]
    words = " ".join(f"{n} {unit}" for n, unit in parts if n)
    return f"{text}, {words or '0 s'} left"
