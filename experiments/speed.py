"""How fast does everybody live, and what does a week cost?

Claim: "5 million person-weeks a second on one thread for toothpaste_uk at 10^5 people"; whether it holds is printed.
Question: person-weeks a second by people and threads, bytes and births a person, the time from `python` to a first
result with and without compiled rules at hand, and where a week goes: calling, living without a use, a use, hearing.
Design: `toothpaste_uk`, presence solved once. Timed are counted weeks, whole windows of 13 with their closing; births
are timed apart, burn-in not at all. In every round each figure is taken once, so that what else the machine does
falls on all alike. One thread is processor time of the process, two are the clock on the wall. Parts of a week come
from `live_week` without a network: a line through its cost at three rates of use, less what it costs to call; the
survey from asking or not; hearing is what the exchange between weeks takes. Cold means an empty NUMBA_CACHE_DIR.
`--fast` takes seconds: fewer rounds, no million people, no cold start.
Reading: median and range over the rounds. Two threads mean something only while nothing else runs.
Finding: met; 6.7 to 8.7 million on one thread (medians of three runs on a busy machine), 5 to 6 at 10^3 people, where
calling shows. A use, nine brands looked over, costs 0.6 us, thirty times a week without one (20 ns), so heavy use
decides the speed; hearing adds 8 ns, nearly all of it looking for who has something to tell. 332 bytes and 4 us of
birth a person; 2 to 3 s from `python` to a first result, 16 to 19 s with the rules still to be compiled.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from sim import figures, study
from sim.engine import Life, advance, begin, close, exchange, live_week
from sim.scenario import Scenario, change

CLAIM, CLAIM_PEOPLE = 5.0, 100_000  # million person-weeks/s on one thread
AT_LEAST = 400_000  # person-weeks a timing, so that the clock's grain does not matter
RATES = (0.001, 0.112, 1.0)  # uses/week
START = """
import json, os, sys, time
from pathlib import Path
from sim import engine, study
from sim.scenario import change

def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

imported = time.process_time()
scenario = study.scenario("market=toothpaste_uk", "people=10000", "weeks=104")
composed = time.process_time()
engine.simulate(scenario, threads=1)
found = {"import": imported, "presence": composed - imported, "run": time.process_time() - composed}
found["whole"] = time.time() - float(sys.argv[1])
if os.path.exists("/proc/self/statm"):
    before, people = memory(), 200_000
    lives = engine.begin(change(scenario, {"people": people}))
    engine.advance(lives)
    found["resident"] = (memory() - before) / people
print(json.dumps(found))
"""
WORK = ("import", "presence", "run")  # parts of a start, processor time
Take = Callable[[], float]
Key = tuple[str, int, int, str]  # measure, people, threads, unit


def windows(base: Scenario, people: int) -> Iterator[list[Life]]:
    """One story after another, past its burn-in, as often as it has a whole window left to live."""
    while True:
        lives = begin(change(base, {"people": people}))
        with ThreadPoolExecutor(2) as pool:
            for _ in range(base.burn_in):
                advance(lives, pool)
        for _ in range(base.weeks // base.window):
            yield lives


def speed(stories: Iterator[list[Life]], base: Scenario, people: int, threads: int) -> float:
    """Million person-weeks a second over whole windows."""
    clock = time.process_time if threads == 1 else time.perf_counter
    lived, took = 0, 0.0
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        while lived < AT_LEAST:
            lives, since = next(stories), clock()
            for _ in range(base.window):
                advance(lives, pool)
            took += clock() - since
            lived += people * base.window
    return lived / took / 1e6


def birth(base: Scenario, people: int) -> float:
    """Microseconds a person, tastes, past and all."""
    since = time.process_time()
    begin(change(base, {"people": people}))
    return (time.process_time() - since) / people * 1e6


def arrays(base: Scenario, people: int) -> float:
    """Bytes a person in the arrays that hold people."""
    lives = begin(change(base, {"people": people}))
    return sum(rows.nbytes for life in lives for rows in (life.people.one, life.people.bonds)) / people


def alone(base: Scenario, people: int, rounds: int, weeks: int, **values: float) -> Callable[[], tuple[float, float]]:
    """A take of `live_week` with nobody to talk to: nanoseconds of the median week and uses, both a person-week."""
    quiet = {"people": people, "network.kind": "none", "burn_in": 0, "weeks": rounds * weeks, "window": weeks}
    (life,) = begin(change(base, quiet | {name.replace("__", "."): value for name, value in values.items()}))

    def take() -> tuple[float, float]:
        uses, took = life.tally.flow.sum(), []
        for _ in range(weeks):
            since = time.process_time()
            live_week(life)
            took.append(time.process_time() - since)
            life.week += 1
        return float(np.median(took)) * 1e9 / people, (life.tally.flow.sum() - uses) / people / weeks

    return take


def parts(base: Scenario, people: int, rounds: int) -> Callable[[], dict[Key, float]]:
    """A take of what a week costs by part."""
    call = alone(base, 32, rounds, 40, consumer__rate=RATES[0], market__survey=0.0)
    asked = alone(base, people, rounds, 8, consumer__rate=RATES[0], market__survey=0.5)
    lines = [alone(base, people, rounds, 8, consumer__rate=rate, market__survey=0.0) for rate in RATES]
    stories = windows(base, people)

    def take() -> dict[Key, float]:
        points = np.array([line() for line in lines])
        calling = call()[0] * 32
        use, still = np.polyfit(points[:, 1], points[:, 0] - calling / people, 1, w=1 / points[:, 0])
        hearing, closing = talk(next(stories), base)
        return {
            ("calling the kernel for a week", 32, 1, "us"): calling / 1e3,
            ("a week without a use", people, 1, "ns"): still,
            ("a use", people, 1, "ns"): use,
            ("answering the survey", people, 1, "ns"): (asked()[0] - points[0, 0]) / 0.5,
            ("hearing, a person-week", people, 1, "ns"): hearing / people,
            ("closing a window, a person", people, 1, "ns"): closing / people,
        }

    return take


def talk(lives: list[Life], base: Scenario) -> tuple[float, float]:
    """Nanoseconds of a week's exchange and of a window's closing."""
    took = 0.0
    for _ in range(base.window):
        live_week(lives[0])
        since = time.process_time()
        exchange(lives)
        took += time.process_time() - since
        lives[0].week += 1
    since = time.process_time()
    close(lives[0], (lives[0].week - 1) // base.window)
    return took * 1e9 / base.window, (time.process_time() - since) * 1e9


def start(folder: str | None = None) -> dict[str, float]:
    """Seconds of a fresh Python to its first result, processor time; `whole` is the clock on the wall.

    With it, where the system says so, the bytes a person that the process grows by with people and their first week.
    """
    kept = {"NUMBA_CACHE_DIR": folder} if folder else {}
    command = [sys.executable, "-c", START, str(time.time())]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, env={**os.environ, **kept}, cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def starts(cold: bool, rounds: int) -> dict[Key, list[float]]:
    """Starts with compiled rules at hand, and with none: the difference in processor time is compiling."""
    found: dict[Key, list[float]] = {}
    with tempfile.TemporaryDirectory() as empty:
        first = start(empty) if cold else {}
        warm = [start(empty if cold else None) for _ in range(rounds + (not cold))][not cold :]
    for part in (*WORK, "whole"):
        found[f"start, {part}", 10_000, 1, "s"] = [one[part] for one in warm]
    if "resident" in warm[0]:  # Linux says how large a process is
        found["resident", 200_000, 1, "bytes/person"] = [one["resident"] for one in warm]
    if cold:
        found["cold start, whole", 10_000, 1, "s"] = [first["whole"]]
        found["compiling", 10_000, 1, "s"] = [sum(first[part] - one[part] for part in WORK) for one in warm]
    return found


def measure(base: Scenario, sizes: tuple[int, ...], rounds: int) -> dict[Key, list[float]]:
    """Every figure that is taken within this process, once a round."""
    takes: dict[Key, Take] = {}
    for people in sizes:
        stories = windows(base, people)
        for threads in (1, 2):
            takes["speed", people, threads, "million person-weeks/s"] = partial(speed, stories, base, people, threads)
    middle = min(sizes[-1], CLAIM_PEOPLE)
    takes["birth", middle, 1, "us/person"] = partial(birth, base, middle)
    takes["arrays", middle, 1, "bytes/person"] = partial(arrays, base, middle)
    week = parts(base, middle // 5, rounds + 1)
    week(), birth(base, 1000)  # compiled or read from disk before anything is timed
    found: dict[Key, list[float]] = {}
    for _ in range(rounds):
        for key, value in {**{key: take() for key, take in takes.items()}, **week()}.items():
            found.setdefault(key, []).append(value)
    return found


def verdict(table: pd.DataFrame) -> str:
    """Whether the claim holds on this machine, today."""
    row = table[(table.measure == "speed") & (table.people == CLAIM_PEOPLE) & (table.threads == 1)].iloc[0]
    met = "met" if row["median"] >= CLAIM else "not met"
    return (
        f"Claim: {CLAIM:g} million person-weeks a second on one thread for toothpaste_uk at {CLAIM_PEOPLE:,} people.\n"
        f"Here:  {row['median']:.2f} million ({row.low:.2f} to {row.high:.2f} over {row.rounds} rounds): {met}."
    )


def main(fast: bool = False, folder: Path | str = "outputs/experiments") -> pd.DataFrame:
    sizes, rounds = ((1_000, CLAIM_PEOPLE), 2) if fast else ((1_000, 10_000, CLAIM_PEOPLE, 1_000_000), 5)
    base = study.scenario("market=toothpaste_uk")
    base = change(base, {"weeks": 2 * rounds * base.window, **({"burn_in": base.window} if fast else {})})
    found = measure(base, sizes, rounds) | starts(not fast, rounds)
    rows = [(*key, np.median(taken), min(taken), max(taken), len(taken)) for key, taken in found.items()]
    table = pd.DataFrame(rows, columns=["measure", "people", "threads", "unit", "median", "low", "high", "rounds"])
    print(verdict(table))
    print(table.round(2).to_string(index=False))
    study.keep("speed", table, draw(table[table.measure == "speed"]), folder)
    return table


def draw(table: pd.DataFrame) -> object:
    """Person-weeks a second against people, with the range over the rounds and the claim."""
    figure = figures.sweep(table, "people", "median", by=["threads"])
    axes = figure.axes[0]
    axes.vlines(table.people, table.low, table.high, color="#888888", linewidth=1)
    axes.plot(CLAIM_PEOPLE, CLAIM, marker="_", markersize=26, color="#222222", label="claim, 1 thread", linestyle="")
    axes.legend(loc="lower right")
    axes.set(xscale="log", ylim=(0, None), ylabel="million person-weeks/s")
    axes.set_title("Speed by people and threads", loc="left")
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="seconds instead of minutes")
    main(parser.parse_args().fast)
