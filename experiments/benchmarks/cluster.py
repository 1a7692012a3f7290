"""What does a simulation of a thousand million people need, and what happens when a machine dies?

Question: bytes a person in memory, on the wire and in a checkpoint, person-weeks a second, and what follows from them
for 10^9 people; and whether a population that loses a node in the middle still counts the same to the bit.
Design: `toothpaste_uk` with a scandal. The constants are taken in one process from the actors' own class, FOLDS
shards of them, so that every link to another shard is seen, and the driver's from the cluster. Then two Ray nodes are
started on loopback, as by hand:

    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=FILE      # the same secret on every machine
    ray start --head --node-ip-address=127.0.0.1 --port=6391 --num-cpus=1 --include-dashboard=false
    ray start --address=127.0.0.1:6391 --node-ip-address=127.0.0.1 --num-cpus=1

two shards run there, and the second node is killed half-way. Other machines need the package in the same version and
the folder of checkpoints; then it is `cluster.simulate(scenario, shards=32, address="HOST:6391", checkpoint=FOLDER)`.
Reading: the arithmetic is for processors like this one, with whatever else it was doing. Only 10^9 and the number of
shards are chosen, everything else is measured or the scenario's.
Finding: the same counts to the bit; killed in week 91 of 156, the population went on from week 78, 16 s later, most of
them Ray's to notice the death and to start processes. 0.011 bytes a person-week cross between shards (0.42 if all
went to all), so 10^9 people send 11 MB a week. They need 236 GiB, 16 machines with two processors, and 1.6 s a week, 4
minutes for three years; the driver is busy for 0.19 s of a week. What costs is the checkpoint: 260 GB, which every 26
weeks adds a fifth to the time. On a machine whose processors were wanted by five times as many, a week took 16 s.
It scales what 10,000 people a shard took, whose calls still show, and no network between machines was measured.
"""

import math
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from sim import study
from sim.engine import cluster
from sim.engine.loop import simulate
from sim.measure.tally import FOLDS
from sim.model.fields import Scenario
from sim.model.scenario import change

MANY = 1e9


def constants(scenario: Scenario, weeks: int) -> dict[str, float]:
    """What a person costs, from FOLDS shards that run `weeks` weeks one after another in this process."""
    pool = [cluster.ShardActor(n, FOLDS, scenario, None, {}) for n in range(FOLDS)]
    for shard in pool:
        shard.initialize(0, cluster.source(), None)
    timing, people = [], scenario.people
    for _ in range(weeks):
        sent_by = [shard.step() for shard in pool]
        timing += [shard.finish_week(*(o[n] for i, o in enumerate(sent_by) if i != n)) for n, shard in enumerate(pool)]
    sent, stepping, exchanging = (sum(s) for s in zip(*timing[FOLDS:], strict=True))  # the first week is a warm one's
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        for n, shard in enumerate(pool):
            shard.save(f"{folder}/{n}")
        saving = time.perf_counter() - started
        saved = sum(path.stat().st_size for path in Path(folder).iterdir())
    tallies = sum(counts.nbytes for shard in pool for counts in shard.tally())
    person_weeks = people * (weeks - 1)
    return {
        "bytes a person in memory": sum(rows.nbytes for shard in pool for rows in shard.people()) / people,
        "bytes a person in a checkpoint": (saved - tallies) / people,
        "bytes of counts, all shards": tallies,
        "seconds a byte written": saving / saved,
        "bytes sent a person-week": sent / person_weeks,
        "seconds a person-week": (stepping + exchanging) / person_weeks,
        "of which between weeks": exchanging / person_weeks,
    }


@contextmanager
def two_nodes() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a Ray cluster of two nodes on loopback, and the second node."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        token = Path(folder, "token")
        token.write_text(secrets.token_hex(32))
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0"}
        head = _node(
            "--head", f"--port={address.rpartition(':')[2]}", "--include-dashboard=false", f"--temp-dir={folder}"
        )
        nodes = [head]
        try:
            _wait(address, head)
            nodes.append(_node(f"--address={address}"))
            yield address, nodes[1]
        finally:
            for node in nodes:
                end(node)


def _node(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--node-ip-address=127.0.0.1"]
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    return subprocess.Popen([*command, "--num-cpus=1", *words], **silent)


def _wait(address: str, head: subprocess.Popen[bytes]) -> None:
    host, port = address.split(":")
    for _ in range(600):
        with socket.socket() as trial:
            if trial.connect_ex((host, int(port))) == 0:
                return
        if head.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError("ray's head node did not start")


def end(node: subprocess.Popen[bytes]) -> None:
    """Kill a node as a power cut would, with every process that it has started."""
    if node.poll() is not None:
        return
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    family = {node.pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    for process in family:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    node.wait()


def survived(scenario: Scenario, every: int) -> dict[str, float]:
    """Run on two nodes of which one is killed half-way; what the driver spent, and 1 if every count is the same."""
    alone = simulate(scenario, 1).tally
    weeks, reported, clock = scenario.burn_in + scenario.weeks, [], {}
    with two_nodes() as (address, second), tempfile.TemporaryDirectory() as folder:
        import ray  # which reads its settings when it is loaded

        for trial in range(30):  # a node on a busy machine takes its time
            try:
                ray.init(address, log_to_driver=False, logging_level="ERROR")
                break
            except Exception:
                if trial == 29:
                    raise
                time.sleep(2)
        while len([n for n in ray.nodes() if n["Alive"]]) < 2:
            if second.poll() is not None:
                raise RuntimeError("the second node did not start")
            time.sleep(0.2)

        def watch(week: int, _: list[cluster.WeekTiming]) -> None:
            reported.append(week)
            clock[len(reported)] = time.process_time(), time.perf_counter()
            if week == weeks // 2 + every // 2 and second.poll() is None:  # between two checkpoints
                print(f"week {week} of {weeks}: the second node is killed")
                end(second)

        together = cluster.simulate(scenario, 2, checkpoint=folder, every=every, watch=watch).tally
        ray.shutdown()
    back = int(np.flatnonzero(np.diff(reported) < 0)[0]) + 1  # the place of the first week after the death
    (busy, at), (busy_then, then) = clock[1], clock[back]
    print(f"it went on from week {reported[back] - 1}, {clock[back + 1][1] - then:.0f} s after the last report")
    return {
        "the same counts, to the bit": float(all(map(np.array_equal, together, alone))),
        "driver's seconds a reference": (busy_then - busy) / (back - 1) / (2 * 3 + 2),  # 6 from step, 2 finish_week
        "seconds a week, 2 shards": (then - at) / (back - 1),
    }


def arithmetic(found: dict[str, float], weeks: int, every: int) -> str:
    """What 10^9 people cost, in words."""
    person, saved = found["bytes a person in memory"], found["bytes a person in a checkpoint"]
    wire, second = found["bytes sent a person-week"], found["seconds a person-week"]
    driver = found["driver's seconds a reference"] * FOLDS * (FOLDS + 2)
    memory, processors = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), os.cpu_count() or 1
    machines = max(math.ceil(FOLDS / processors), math.ceil(MANY * person / memory))
    week = MANY / FOLDS * second
    disk = MANY * saved / FOLDS * found["seconds a byte written"]
    return f"""{MANY:.0e} people, {FOLDS} shards of one processor each, {weeks} weeks:
  memory      {MANY * person / 2**30:,.0f} GiB, {MANY * person / FOLDS / 2**30:.1f} a shard: {machines} machines
              like this one ({processors} processors, {memory / 2**30:.0f} GiB), or fewer larger ones
  time        {week:.1f} s a week, {weeks * week / 60:,.0f} minutes a run;
              of a week the driver is busy for {driver:.2f} s
  wire        {MANY * wire / 1e6:,.0f} MB a week in all, {MANY * wire / FOLDS / week / 1e6:.2f} MB/s sent by a shard;
              {weeks * MANY * wire / 1e9:,.1f} GB a run
  checkpoint  {MANY * saved / 1e9:,.0f} GB on the shared disk, twice that while one replaces another;
              {disk:.0f} s a shard at this disk's speed: {disk / (every * week):.0%} more time if every {every} weeks"""


def main(people: int = 320_000, weeks: int = 13, every: int = 26) -> dict[str, float]:
    scenario = study.scenario("market=toothpaste_uk", "scandal=moral_scandal", f"people={people}")
    found = constants(scenario, weeks)
    _print(found)
    recovered = survived(change(scenario, {"people": people // 16}), every)
    _print(recovered)
    found |= recovered
    print(arithmetic(found, scenario.burn_in + scenario.weeks, every))
    return found


def _print(found: dict[str, float]) -> None:
    for what, value in found.items():
        print(f"{what:<32}{value:.4g}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
