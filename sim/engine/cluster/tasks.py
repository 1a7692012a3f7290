"""Calls of one function on a Ray cluster, as they finish, whichever machines die meanwhile."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sim.model.declare import ScenarioError

AHEAD = 4  # calls that are asked for, for each core, before the first of them is done
KNOCK = 10.0  # seconds in which a cluster is to answer
RETRIES = 20  # machines that may die under one call
Shared = TypeVar("Shared")
Argument = TypeVar("Argument")
Result = TypeVar("Result")


def cluster_of(address: str | None) -> tuple[Any, bool]:
    """Ray, joined to the cluster at an address, the one it has joined already, or this machine; and whether it had.

    ScenarioError if Ray is missing, or if nothing answers at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    try:
        import ray
    except ImportError:
        raise ScenarioError(["workers: ray is missing; pip install -e '.[cluster]'"]) from None
    joined = bool(ray.is_initialized())
    if not joined:
        own = {} if address else {"include_dashboard": False}
        try:
            _knock(address)
            ray.init(address or "local", log_to_driver=False, logging_level="ERROR", **own)
        except (
            OSError,
            ValueError,
            RuntimeError,
            SystemExit,
        ) as error:  # Ray ends the process where nothing answers
            raise ScenarioError([f"workers: no Ray cluster answers at {address}: {error}"]) from None
    return ray, joined


def _knock(address: str | None) -> None:
    """OSError where nothing listens at HOST:PORT, for which Ray would wait minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()


def run_tasks(
    function: Callable[[Shared, Argument], Result],
    shared: Shared,
    arguments: Sequence[Argument],
    address: str | None = None,
) -> Iterator[tuple[int, Result | Exception]]:
    """(number of the argument, result) of `function(shared, argument)` for each, in the order in which they finish.

    A call whose machine dies is made again elsewhere. What fails for another reason than `function` is given back as
    its exception; what `function` raises is raised.
    """
    ray, joined = cluster_of(address)
    remote, given = ray.remote(max_retries=RETRIES, scheduling_strategy="SPREAD")(function), ray.put(shared)
    waiting: dict[Any, int] = {}
    todo = iter(enumerate(arguments))
    most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    try:
        while True:
            for n, argument in todo:
                waiting[remote.remote(given, argument)] = n
                if len(waiting) >= most:
                    break
            if not waiting:
                return
            for done in ray.wait(list(waiting), timeout=0.5)[0]:
                yield waiting.pop(done), _result(ray, done)
    finally:
        for call in waiting:
            ray.cancel(call, force=True)
        if not joined:
            ray.shutdown()


def _result(ray: Any, done: Any) -> Any:
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        return error
