"""How fast is the simulation, against what, and what does each part of a market cost?

Claims, printed with what was found: for `toothpaste_uk` at a million people 40 million person-weeks a second on one
thread and 1.8 times that on two; 1,000 times an idiomatic Mesa model of the same week at 10^5; a person-week costs the
same within a quarter from 10^4 to 10^7 people; in firms it grows no faster than a line up to 20; 24 bytes a person and
firm and 40 a person at most.
Design: one run. In every round every figure is taken once, so that what else the machine does falls on all alike, and
ratios are of figures of the same round; printed are medians and ranges over the rounds. The contenders run the same
scenario, presence solved: this kernel, the same rules called agent by agent (`Market(activation="agents")`), and
`mesa_market.py`, which an experienced user of Mesa might have written. Timed are counted weeks with their recording,
the kernel's by whole windows with their closing; initialization is not. One thread is processor time of the process,
two are the clock on the wall, which means something only while nothing else runs: `processors had` says how far that
was so, and a claim on two threads that fails for want of them is called disturbed.
Variants change one thing in the market at the same people. The limits of the machine are measured (`speed_machine.py`):
`limit` is the person-weeks a second if every byte held of a person went in and out each week, from where it lies; a
person who does not use the category this week need not be read whole, so the limit can be passed. Multiply-adds
in the time of a person-week say how far that is from being bound by arithmetic.
`--fast` takes under a minute; `--busy` adds two threads while another process holds a core.
Run: python -m experiments.benchmarks.speed [--fast] [--busy]
"""

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.benchmarks import speed_figure, speed_machine, speed_starts
from experiments.benchmarks.mesa_market import MesaMarket
from experiments.benchmarks.speed_table import (
    AGENTS,
    CLAIM_PEOPLE,
    HELD,
    KERNEL,
    MESA,
    MESA_OFTEN,
    OFTEN,
    SPEED,
    Found,
    Key,
    printed,
    tabled,
    verdicts,
)
from sim import study
from sim.engine.loop import Shard, advance, initialize
from sim.mesa import Market
from sim.model.fields import Mechanisms, Scenario
from sim.model.scenario import change
from sim.report.experiment import keep

FIRMS = (3, 5, 8, 20, 50)
LONG = 520  # weeks of a run of many people, so that they need not be initialized twice
Take = Callable[[], float]


class Form(NamedTuple):
    """How long to look."""

    sizes: tuple[int, ...]  # people
    held: int  # people simulated while another process holds a core
    slow: tuple[int, ...]  # people up to which agents are called one by one
    middle: int  # people at which variants are compared
    firms: tuple[int, ...]
    rounds: int
    seconds: float  # a take of the kernel, at least
    every: bool  # every variant


FULL = Form(
    sizes=(1_000, 10_000, 100_000, 1_000_000, 10_000_000),
    held=CLAIM_PEOPLE,
    slow=(1_000, 10_000, 100_000),
    middle=100_000,
    firms=FIRMS,
    rounds=5,
    seconds=0.15,
    every=True,
)
FAST = Form(
    sizes=(1_000, 10_000, 100_000),
    held=100_000,
    slow=(10_000,),
    middle=100_000,
    firms=(3, 8),
    rounds=2,
    seconds=0.05,
    every=False,
)


def runs(base: Scenario) -> Iterator[list[Shard]]:
    """People after burn-in, once for each window of their run; then new ones."""
    while True:
        parts = []  # not two populations at once
        parts = initialize(base)
        for _ in range(base.burn_in):
            advance(parts)
        for _ in range(base.weeks // base.window):
            yield parts


def kernel(ready: Iterator[list[Shard]], base: Scenario, threads: int, seconds: float, had: list[float]) -> float:
    """Million person-weeks a second over whole windows; `had` gets the processors that two threads had."""
    clock = time.process_time if threads == 1 else time.perf_counter
    weeks, took, worked = 0, 0.0, 0.0
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        while took < seconds:
            parts, since, work = next(ready), clock(), time.process_time()
            for _ in range(base.window):
                advance(parts, pool)
            took, worked = took + clock() - since, worked + time.process_time() - work
            weeks += base.window
    had.append(worked / took)
    return base.people * weeks / took / 1e6


def stepped(model: MesaMarket | Market, people: int) -> float:
    """The same for what is stepped; weeks of a tenth of a second or one."""
    weeks, since = 0, time.process_time()
    while time.process_time() - since < 0.1:
        model.step()
        weeks += 1
    return people * weeks / (time.process_time() - since) / 1e6


@contextmanager
def neighbor() -> Iterator[None]:
    """Another process that holds a core."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.1)
        yield
    finally:
        other.kill()
        other.wait()


def of_firms(base: Scenario, number: int) -> Scenario:
    """The same market with so many firms, each four fifths as present as the one before, all considered."""
    like = {**asdict(base.firms[base.focus]), "share": None}
    firms = {f"firm{j}": {**like, "presence": 0.8 ** min(j, 12)} for j in range(number)}
    gone = dict.fromkeys(f"firms.{name}" for name in base.firms)
    return change(
        base,
        {**gone, **{f"firms.{n}": f for n, f in firms.items()}, "focus": "", "consumer.consideration_size": number},
    )


def scandals(base: Scenario, number: int) -> dict[str, dict[str, object]]:
    """Changes: so many scandals, of all kinds, at one firm after another, known from the first week on."""
    firms, kinds = list(base.firms), ("ethics", "privacy", "service")
    return {
        f"scandals.s{k}": {"firm": firms[k % len(firms)], "kind": kinds[k % 3], "week": 0, "news_weeks": 26}
        for k in range(number)
    }


def variants(base: Scenario, every: bool) -> dict[str, dict[str, object]]:
    """What is changed in the market, by name."""
    found = {"no network": {"network.kind": "none"}, "1 scandal": scandals(base, 1)}
    if every:
        ages = {f"cohorts.age{n}": {"weight": 1.0} for n in range(20 - len(base.cohorts))}
        everybody = {f"segments.{name}": None for name in base.segments} | {"segments.all": {}}
        found |= {f"{n} scandals": scandals(base, n) for n in (4, 16)}
        found |= {"16 scandals, no network": {**scandals(base, 16), "network.kind": "none"}}
        found |= {"1 segment": everybody, "60 cells": ages, "nobody asked": {"market.survey": 0.0}}
        found |= {f"{f.name} off": {f"mechanisms.{f.name}": False} for f in fields(Mechanisms)}
    return found | {"hardly a use": {"consumer.rate": 0.001}, OFTEN: {"consumer.rate": 1.0}}


def takes(base: Scenario, form: Form, busy: bool) -> tuple[dict[Key, Take], dict[Key, list[float]]]:
    """Everything that is taken in a round, and where the processors had are noted."""
    found: dict[Key, Take] = {}
    had: dict[Key, list[float]] = {}

    def add(what: str, scenario: Scenario, many: int) -> None:
        key = Key(what, scenario.people, many, 1, SPEED)
        found[key] = partial(kernel, runs(scenario), scenario, 1, form.seconds, [])

    def on_two(what: str, ready: Iterator[list[Shard]], scenario: Scenario, around: Callable = nullcontext) -> None:
        noted = had.setdefault(Key(f"processors had, {what}", scenario.people, firms, 2, "cores"), [])

        def take() -> float:
            with around():
                return kernel(ready, scenario, 2, form.seconds, noted)

        found[Key(what, scenario.people, firms, 2, SPEED)] = take

    def one_by_one(what: str, model: MesaMarket | Market) -> None:
        model.step()
        people = len(model.agents) - (what == AGENTS) * firms  # our firms are agents too
        found[Key(what, people, firms, 1, SPEED)] = partial(stepped, model, people)

    firms = len(base.firms)
    for people in form.sizes:
        scenario = change(base, {"people": people, "weeks": LONG if people >= CLAIM_PEOPLE else base.weeks})
        ready = runs(scenario)
        found[Key(KERNEL, people, firms, 1, SPEED)] = partial(kernel, ready, scenario, 1, form.seconds, [])
        on_two(KERNEL, ready, scenario)
        if busy and people == form.held:
            on_two(HELD, ready, scenario, neighbor)
        if people in form.slow:
            one_by_one(MESA, MesaMarket(scenario))
            one_by_one(AGENTS, Market(scenario, activation="agents", endless=True))
    if form.every:
        one_by_one(MESA_OFTEN, MesaMarket(change(base, {"people": form.middle, "consumer.rate": 1.0})))
    middle = change(base, {"people": form.middle})
    for number in form.firms:
        add(f"{number} firms", of_firms(middle, number), number)
    for what, changes in variants(base, form.every).items():
        add(what, change(middle, changes), firms)
    for (what, unit, threads), take in speed_machine.limits().items():
        found[Key(what, 0, 0, threads, unit)] = take
    return found, had


def measure(base: Scenario, form: Form, busy: bool) -> Found:
    """Every figure once a round, after a first take of each that is thrown away: compiled, and in the caches."""
    everything, had = takes(base, form, busy)
    gc.collect()
    gc.freeze()  # else every collection goes over all the objects of the Mesa models, whatever is timed
    for take in everything.values():
        take()
    for noted in had.values():
        noted.clear()
    rounds = [{key: take() for key, take in everything.items()} for _ in range(form.rounds)]
    gc.unfreeze()
    found = {key: np.array([one[key] for one in rounds]) for key in everything}
    found |= {key: np.array(noted) for key, noted in had.items()}
    by_firms = speed_starts.arrays(base, of_firms, form.firms)
    line = np.polyfit(list(by_firms), list(by_firms.values()), 1)
    some = 2 * speed_starts.PEOPLE
    for number, size in by_firms.items():
        found[Key("arrays", some, number, 1, "bytes/person")] = np.array([size])
    found[Key("arrays, a person and firm", some, 0, 1, "bytes")] = line[:1]
    found[Key("arrays, a person beside", some, 0, 1, "bytes")] = line[1:]
    for (what, people, unit), value in speed_starts.starts(form.every, form.rounds if form.every else 1).items():
        found[Key(what, people, len(base.firms) if people else 0, 1, unit)] = np.array(value)
    return found


def main(fast: bool = False, busy: bool = False, folder: Path | str = "outputs/experiments") -> pd.DataFrame:
    form = FAST if fast else FULL
    base = change(study.scenario("market=toothpaste_uk"), {"burn_in": 1, "replications": 1})
    table = tabled(measure(base, form, busy), base, form.middle)
    print("\n".join(["Claims, here and today:", *verdicts(table), "", printed(table)]))
    keep("speed", table, speed_figure.draw(table, form.middle), folder)
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="under a minute")
    parser.add_argument("--busy", action="store_true", help="also two threads while another process holds a core")
    chosen = parser.parse_args()
    main(chosen.fast, chosen.busy)
