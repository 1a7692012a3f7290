"""Being asked to stop (Ctrl-C, SIGTERM, a terminal that is closed): at once, except while files change hands."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_asked: list[int] = []  # the signals that came
_held: list[None] = []  # one for each `undivided` that is open


class Stopped(KeyboardInterrupt):
    """A signal asked to stop; its text, where there is one, says what was kept."""

    def __init__(self, number: int, text: str = "") -> None:
        self.number = number
        super().__init__(text)


@contextmanager
def stoppable() -> Iterator[None]:
    """Signals that would end the process raise Stopped instead; one that is ignored or handled stays as it is."""
    ours = {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                ours[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, before in ours.items():
            signal.signal(number, before)
        _asked.clear()


def _stop(number: int, frame: FrameType | None) -> None:
    _asked.append(number)
    check()


def check() -> None:
    """Stop if it was asked for, also where an exception out of a signal was swallowed on its way."""
    if _asked and not _held:
        raise Stopped(_asked[0])


@contextmanager
def undivided() -> Iterator[None]:
    """What is done here is done whole: a stop waits for its end."""
    _held.append(None)
    try:
        yield
    finally:
        _held.pop()
    check()


def obeying(step: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """A progress function that obeys a signal, too."""

    def checked(done: int, of: int) -> None:
        check()
        step(done, of)

    return checked
