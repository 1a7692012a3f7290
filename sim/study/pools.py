"""Who does the work of a study: threads, processes, a Ray cluster, Slurm, or any executor that is given."""

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from sim.engine.cluster.tasks import run_tasks
from sim.engine.threads import threads
from sim.model.declare import ScenarioError
from sim.study.journal import NOTHING, Outcome
from sim.study.work import AGAIN, Job, Task, batches_of, do_batch, outcome

APART = 10.0  # seconds of work for each worker from which processes are worth starting (about two each)
MACHINES = 16  # workers for which a cluster's batches are cut small enough to end together
SUBMITTED = 600.0  # seconds of a batch that is submitted as a job of its own, which may wait in a queue
TRIES = 3  # of a batch whose process or machine dies
POLL = 0.2  # seconds between looks at an executor that cannot be waited for
Done = Generator[tuple[Job, Outcome], None, None]


class Executor(Protocol):
    """What can be given as `workers`: concurrent.futures, Dask, submitit and others have such a method."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Call a function somewhere; the result has `done()` and `result()`."""


Workers = int | str | Executor | None


def check_workers(workers: Workers) -> list[str]:
    """What is wrong with `workers`."""
    if workers is None or hasattr(workers, "submit"):
        return []
    if isinstance(workers, int) and not isinstance(workers, bool):
        return [] if workers >= 1 else [f"workers: {workers}; at least 1 is needed"]
    if isinstance(workers, str) and (workers in ("ray", "auto", "slurm") or ":" in workers):
        return []
    return [f'workers: {workers!r} is no number, "ray", "slurm", HOST:PORT of a Ray cluster, or an executor']


def done_by(workers: Workers, task: Task, jobs: Sequence[Job], seconds: float, folder: Path | None) -> Done:
    """Every job with its outcome, in the order in which they finish; `seconds` is what one of them takes a core.

    One number stands for so many threads of this process or, from APART seconds of work each, so many processes, which
    share no lock. What is not done when the iterator is closed ends within a week of its run, or with its process.
    """
    workers = workers or os.cpu_count() or 1
    if isinstance(workers, int):
        workers = max(1, min(workers, len(jobs)))
        if workers > 1 and len(jobs) * seconds > APART * workers:
            return _in_processes(workers, task, batches_of(jobs, seconds, workers))
        return _in_threads(workers, task, jobs)
    if workers == "slurm":
        workers = _slurm(folder)
    if isinstance(workers, str):
        address = None if workers == "ray" else workers
        return _on_ray(task, batches_of(jobs, seconds, MACHINES), address)
    return _by_executor(workers, task, batches_of(jobs, seconds, MACHINES, SUBMITTED))


def _in_threads(workers: int, task: Task, jobs: Sequence[Job]) -> Done:
    if workers == 1:
        yield from ((job, outcome(task, job)) for job in jobs)
        return
    todo = iter(jobs)
    with threads(workers) as pool:
        waiting = {pool.submit(outcome, task, job): job for job in itertools.islice(todo, 2 * workers)}
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                job = waiting.pop(future)
                waiting |= {pool.submit(outcome, task, more): more for more in itertools.islice(todo, 1)}
                yield job, future.result()


def _in_processes(workers: int, task: Task, batches: Sequence[list[Job]]) -> Done:
    left = dict(enumerate(batches))
    tries = 0
    while left:
        try:
            for n, outcomes in _one_pool(workers, task, left):
                yield from zip(left.pop(n), outcomes, strict=True)
        except BrokenExecutor as error:  # a worker was killed, say for want of memory: the others' work is done again
            tries += 1
            if tries == TRIES:
                for n in list(left):
                    yield from _lost(left.pop(n), f"a worker died {TRIES} times: {error}")


def _one_pool(workers: int, task: Task, batches: dict[int, list[Job]]) -> Iterator[tuple[int, list[Outcome]]]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker)
    todo = iter(list(batches.items()))
    try:
        with _without_main():
            waiting = {pool.submit(do_batch, task, b): n for n, b in itertools.islice(todo, 2 * workers)}
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                n = waiting.pop(future)
                waiting |= {pool.submit(do_batch, task, b): k for k, b in itertools.islice(todo, 1)}
                yield n, future.result()
    finally:
        for process in list((pool._processes or {}).values()):  # `terminate_workers` of Python 3.14
            process.terminate()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _without_main() -> Iterator[None]:
    """Processes that start in it do not run the user's script again, which may have no guard against that."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _start_worker() -> None:
    """In a worker: leave Ctrl-C to the parent, and end when it does, however that was."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _on_ray(task: Task, batches: Sequence[list[Job]], address: str | None) -> Done:
    for n, found in run_tasks(do_batch, task, batches, address):
        if isinstance(found, Exception):
            yield from _lost(batches[n], f"{type(found).__name__}: {found}".splitlines()[0])
        else:
            yield from zip(batches[n], found, strict=True)


def _by_executor(executor: Executor, task: Task, batches: Sequence[list[Job]]) -> Done:
    """What an executor finishes; a batch whose job dies, or is not let finish, is submitted again."""
    submit_all = getattr(executor, "map_array", None)  # of submitit: one array of jobs
    if submit_all:
        waiting = dict(enumerate(submit_all(do_batch, [task] * len(batches), batches)))
    else:
        waiting = {n: executor.submit(do_batch, task, batch) for n, batch in enumerate(batches)}
    tries = dict.fromkeys(waiting, 1)
    try:
        while waiting:
            ended = [n for n, future in waiting.items() if future.done()]
            for n in ended:
                try:
                    found = waiting.pop(n).result()
                except ScenarioError:
                    raise
                except Exception as error:  # whatever the executor has for a job that died
                    if "ScenarioError" in str(error) or tries[n] == TRIES:
                        yield from _lost(batches[n], f"{type(error).__name__}: {error}".strip().splitlines()[-1])
                        continue
                    tries[n] += 1
                    waiting[n] = executor.submit(do_batch, task, batches[n])
                else:
                    yield from zip(batches[n], found, strict=True)
            if not ended:
                time.sleep(POLL)
    finally:
        for future in waiting.values():
            future.cancel()


def _lost(batch: Sequence[Job], why: str) -> Done:
    yield from ((job, Outcome(NOTHING, f"{AGAIN}{why}")) for job in batch)


def _slurm(folder: Path | None) -> Executor:
    """Jobs of Slurm, with the parameters that its own environment variables (SBATCH_PARTITION, ...) give."""
    import shutil

    if shutil.which("srun") is None:
        raise ScenarioError(["workers: there is no Slurm here (no srun); start the study where there is"])
    try:
        import submitit
    except ImportError:
        raise ScenarioError(["workers: submitit is missing; pip install -e '.[slurm]'"]) from None
    executor: Executor = submitit.AutoExecutor(folder=(folder or Path()) / "slurm", cluster="slurm")
    return executor
