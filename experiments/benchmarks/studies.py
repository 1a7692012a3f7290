"""How fast are studies, do they stay small, and do they survive what kills them?

`python -m experiments.benchmarks.studies` prints, in this order (each can be asked for alone, by its name):
- overhead: CPU a run of 10,000 people x 104 weeks takes beside the compiled kernel, by part;
- runs: 1,000 such runs on all cores: runs a second, and memory of all processes after each fifth of them;
- kills: a study that is killed (kill -9) at 30 moments, ten each with 1, 2 and 4 workers, and goes on: same bytes?
- sweep: a Hydra sweep of 36 small jobs, seconds of wall and CPU;
- interrupts: each long call is interrupted while it simulates: seconds of wall and CPU until its process has ended;
- ray: a Ray cluster of two nodes, one killed in the middle: same bytes?
`--fast` does each of them small.
Finding, on two cores: a run takes 26 ms of kernel and 3 ms of CPU beyond it; 1,000 runs took 35 s (28 a second, 34 ms
of CPU each, workers' start included; cores busy .97), memory of all processes 789 to 811 MB; 30 of 30 kills landed and
all three studies went on to the same bytes, as did one on Ray whose second node was killed; 36 small jobs of Hydra's
took 7.1 s; interrupted calls and their processes ended within .4 to .7 s of CPU, most of it Python's own end.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from sim import study
from sim.engine import loop, shard
from sim.model.scenario import change
from sim.study import measures, work

ROOT = Path(__file__).parents[2]
MARKET = ("market=toothpaste_uk", "people=10000", "weeks=104")
FOCUS = "firms.colgate.quality"
KILLED = """
import sys
from sim import build, study
from sim.study import pools
pools.APART = 0.0 if sys.argv[3] == "processes" else pools.APART
firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
base = build({"people": 1000, "weeks": 26, "segments": {"all": {}}, "firms": firms})
study.run(base, {"firms.a.quality": [0, 0.5, 1]}, replications=int(sys.argv[4]), folder=sys.argv[1],
          workers=int(sys.argv[2]), quiet=True)
"""


LONG = """
import sys
from sim import study
from sim.study import answer, calibrate_shares, pools, shapley, worlds
from sim.study.presence_store import _solved
from sim.study.priors import priors_of
from sim.study.twins import twins

pools.APART = 0.0 if sys.argv[1] == "processes" else 1e9
base = study.scenario("market=bank", "scandal=data_breach", "people=50000", "weeks=520", "replications=4")
long = study.scenario("market=bank", "scandal=data_breach", "people=50000", "weeks=2600", "replications=4")
how = {"quiet": True, "workers": 2}
focus, rivals = base.focus, list(base.firms)[:2]
lever = {f"firms.{focus}.quality": [n / 10 for n in range(9)]}
target = {f"share.{focus}": (0.2, 0.01)}
CALLS = {
    "simulate": lambda: study.simulate(base),
    "twins": lambda: twins(base, {f"firms.{focus}.quality": 1.0}).control,
    "study": lambda: study.run(base, lever, **how),
    "processes": lambda: study.run(base, lever, **how),
    "plan": lambda: study.plan(long, {f"firms.{focus}.quality": 1.0}, f"share.{focus}", 0.001, **how),
    "sensitivity": lambda: study.sensitivity(base, [f"share.{focus}"], **how),
    "calibrate": lambda: study.calibrate(base, target, paths=sorted(priors_of(base))[:3], **how),
    "best": lambda: study.best(base, focus, ["association"], {"association": 1e6}, 1e6, **how),
    "rivals": lambda: study.rivals(base, dict.fromkeys(rivals, ("price", [0.9, 1.0, 1.1])), dict.fromkeys(rivals, 0.5)),
    "worlds": lambda: answer.answer(base, worlds.plausible(base, 64).worlds),
    "anatomy": lambda: shapley.decompose(base, quiet=True),
    "presence": lambda: calibrate_shares.solve(
        calibrate_shares.reference_market(base, calibrate_shares.asked_shares(base)),
        calibrate_shares.asked_shares(base), 1_000_000
    ),
}
study.simulate(study.scenario("market=bank", "scandal=data_breach", "people=50"))  # loads what is compiled
print("simulating", flush=True)
CALLS[sys.argv[1]]()
print("done", flush=True)
"""
CALLS = (
    *("simulate", "twins", "study", "processes", "plan", "sensitivity"),
    *("calibrate", "best", "rivals", "worlds", "anatomy", "presence"),
)


def overhead(fast: bool) -> None:
    """CPU of a run, and of its parts, the best of some."""
    base = study.scenario(*MARKET)
    arm = {FOCUS: 0.5, "replications": 1}
    spent = [0.0]

    def timed(function):
        def call(*arguments):
            started = time.thread_time()
            found = function(*arguments)
            spent[0] += time.thread_time() - started
            return found

        return call

    places = [(shard, "STEP_FOLDS"), (shard, "INITIALIZE"), (shard, "close_window_folds"), (loop, "deliver_outbox")]
    places += [(loop, "INITIALIZE"), (shard, "initialize_folds")]
    before = [(module, name, getattr(module, name)) for module, name in places]
    task, rows = work.Task(base, measures.Measure(), ""), []
    work.outcome(task, work.Job("", arm, 0))
    for module, name, function in before:
        setattr(module, name, timed(function))
    try:
        for r in range(3 if fast else 25):
            spent[0], started = 0.0, time.thread_time()
            work.outcome(task, work.Job("", arm, r))
            rows.append((time.thread_time() - started - spent[0], spent[0]))
    finally:
        for module, name, function in before:
            setattr(module, name, function)
    beyond, kernel = min(rows)
    print(f"a run of 10,000 people x {base.weeks} weeks (+ {base.burn_in} of burn-in): kernel {1000 * kernel:.1f} ms")
    print(f"  beyond the kernel {1000 * beyond:.1f} ms of CPU: of which")
    run = loop.simulate(base, threads=1, by_week=False)
    for name, function in (
        ("scenario of the arm", lambda: change(base, arm)),
        ("every metric and its error", lambda: measures.measured(run)),
    ):
        print(f"    {name} {1000 * _best(function):.2f} ms")


def _best(function) -> float:
    found = []
    for _ in range(9):
        started = time.thread_time()
        function()
        found.append(time.thread_time() - started)
    return min(found)


def runs(fast: bool) -> None:
    """Many runs on all cores: runs a second and memory."""
    many, base = (40 if fast else 1000), study.scenario(*MARKET)
    axes = {FOCUS: [n / 10 for n in range(10 if not fast else 4)]}
    with tempfile.TemporaryDirectory() as folder:
        lines, end = [], threading.Event()
        watcher = threading.Thread(target=_watch, args=(Path(folder) / "study.journal", many, lines, end))
        watcher.start()
        started, cpu = time.perf_counter(), _cpu()
        table = study.run(base, axes, replications=many // len(axes[FOCUS]), folder=folder, quiet=True)
        wall, cpu = time.perf_counter() - started, _cpu() - cpu
        end.set()
        watcher.join()
        started = time.perf_counter()
        study.run(base, axes, replications=many // len(axes[FOCUS]), folder=folder, quiet=True)
        asked = time.perf_counter() - started
    failed = (table.error != "").sum()
    print(f"{many:,} runs on {os.cpu_count()} cores: {wall:.0f} s, {many / wall:.1f} runs a second; {failed} failed")
    print(f"  CPU {1000 * cpu / many:.1f} ms a run, workers' start included; cores busy {cpu / wall:.2f}")
    print(f"  memory of all processes, MB, by runs done: {', '.join(lines)}")
    print(f"  asked again: {asked:.2f} s")


def _cpu() -> float:
    return sum(os.times()[:4])


def _watch(journal: Path, many: int, lines: list[str], end: threading.Event) -> None:
    """Note the memory of this process and its children after each fifth of the runs."""
    marks = [many * n // 5 for n in range(1, 6)]
    while marks and not end.wait(0.2):
        done = journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0
        while marks and done >= marks[0]:
            lines.append(f"{marks.pop(0)}: {_memory():.0f}")
    if not lines:
        lines.append(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def _memory() -> float:
    """Resident memory of this process and those that it started, MB (Linux)."""
    total, me = 0, str(os.getpid())
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
            if me in (path.name, parent):
                total += int((path / "statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return total * os.sysconf("SC_PAGE_SIZE") / 2**20


def kills(fast: bool) -> None:
    """kill -9 at random moments; what goes on gives the same bytes as what was never stopped."""
    replications, moments = (4, 2) if fast else (100, 10)
    with tempfile.TemporaryDirectory() as folder:
        whole = _study(folder, "whole", 1, "threads", replications)
        for workers, kind in ((1, "threads"), (2, "threads"), (4, "processes")):
            landed, name = 0, f"{workers}"
            journal = Path(folder) / name / "study.journal"
            for moment in range(moments):
                line = [sys.executable, "-c", KILLED, str(journal.parent), str(workers), kind, str(replications)]
                child = subprocess.Popen(line, cwd=ROOT)
                goal = _rows(journal) + random.Random(moment).randint(0, max(1, 3 * replications // (moments + 2)))
                while child.poll() is None and _rows(journal) <= goal:
                    time.sleep(0.005)
                landed += child.poll() is None
                child.send_signal(signal.SIGKILL)
                child.wait()
            same = _study(folder, name, workers, kind, replications) == whole
            print(f"{workers} workers ({kind}): killed {landed} times of {moments}; the same bytes: {same}")


def _rows(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def _study(folder: str, name: str, workers: int, kind: str, replications: int) -> bytes:
    place = Path(folder) / name
    line = [sys.executable, "-c", KILLED, str(place), str(workers), kind, str(replications)]
    subprocess.run(line, cwd=ROOT, check=True)
    return (place / "study.parquet").read_bytes()


def sweep(fast: bool) -> None:
    """A sweep of Hydra's over 36 small jobs."""
    values = "0,0.5" if fast else "0,0.2,0.4,0.6,0.8,1"
    words = ["-m", "people=500", "weeks=26", "burn_in=13", f"segments.habitual.attention={values}", f"{FOCUS}={values}"]
    with tempfile.TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), _cpu()
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-m", "sim", *words, "hydra.sweep.dir=out"]
        subprocess.run(line, cwd=folder, env=env, check=True, capture_output=True)
        wall, cpu = time.perf_counter() - started, _cpu() - cpu
    print(f"a Hydra sweep of {len(values.split(',')) ** 2} small jobs: {wall:.1f} s, {cpu:.1f} s of CPU on one core")


def interrupts(fast: bool) -> None:
    """Ctrl-C during each long call."""
    for name in CALLS[:2] if fast else CALLS:
        line = [sys.executable, "-c", LONG, name]
        child = subprocess.Popen(line, cwd=ROOT, stdout=-1, stderr=-1, text=True, preexec_fn=_interruptible)
        assert child.stdout and child.stdout.readline() == "simulating\n", child.communicate()[1]
        end = time.monotonic() + 5
        while time.monotonic() < end and child.poll() is None:
            time.sleep(0.1)
        if child.poll() is not None:
            print(f"  {name}: ended before the interrupt, with: {child.communicate()}")
            continue
        spent, started = _spent(child.pid), time.monotonic()
        child.send_signal(signal.SIGINT)
        _, _, used = os.wait4(child.pid, 0)
        wall, cpu = time.monotonic() - started, used.ru_utime + used.ru_stime - spent
        out, err = (pipe.read() for pipe in (child.stdout, child.stderr) if pipe)
        said = "done before it" if "done" in out else err.strip().splitlines()[-1] if err.strip() else "nothing"
        print(f"  {name}: ended {wall:.2f} s ({cpu:.2f} s of CPU) after the interrupt, with: {said}")


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _spent(pid: int) -> float:
    """Seconds of CPU that a process, and those that it started, have used (Linux)."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if path.name == str(pid):
            ticks += sum(map(int, fields[11:15]))  # and of children that have ended
        elif fields[1] == str(pid):
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def ray(fast: bool) -> None:
    """Two nodes on this machine, one killed; `tests/study/test_clusters.py` is the study."""
    name = "tests/study/test_clusters.py::test_a_node_of_a_ray_cluster_is_killed"
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", name], cwd=ROOT, capture_output=True, text=True)
    said = {0: "the same bytes"}.get(done.returncode, done.stdout[-500:])
    print(f"a Ray cluster of two nodes, one killed in the middle: {'skipped' if 'skip' in done.stdout else said}")


PARTS = {function.__name__: function for function in (overhead, runs, kills, sweep, interrupts, ray)}


def main(words: list[str]) -> None:
    """The parts that are named, or all."""
    names = [word for word in words if word != "--fast"]
    if set(names) - set(PARTS):
        sys.exit(f"usage: python -m experiments.benchmarks.studies [--fast] [{' '.join(PARTS)}]")
    for name in names or PARTS:
        PARTS[name]("--fast" in words)


if __name__ == "__main__":
    main(sys.argv[1:])
