"""Threads that end soon when their caller does: an interrupt or an error ends every run in them within a few weeks."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

CORES = os.cpu_count() or 1
_own = threading.local()  # `stops`: the events of which any ends the work of this thread


@contextmanager
def threads(many: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """So many threads (default: all cores); at the end, however it comes, what is not done yet is not done at all."""
    stop = threading.Event()
    stops = (*getattr(_own, "stops", ()), stop)
    pool = ThreadPoolExecutor(many or CORES, initializer=lambda: setattr(_own, "stops", stops))
    try:
        yield pool
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def end_if_stopped() -> None:
    """End the work of this thread, if whoever asked for it has stopped: nobody waits for it."""
    if any(stop.is_set() for stop in getattr(_own, "stops", ())):
        raise SystemExit
