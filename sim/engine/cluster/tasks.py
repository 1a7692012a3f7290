"""Calls of one function on a Ray cluster, as they finish, whichever machines die meanwhile."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sim.engine.cluster.join import join_cluster

AHEAD = 4  # calls that are asked for, for each core, before the first of them is done
RETRIES = 20  # machines that may die under one call
Shared = TypeVar("Shared")
Argument = TypeVar("Argument")
Result = TypeVar("Result")


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
    ray, joined = join_cluster(address, "workers")
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
