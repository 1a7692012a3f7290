"""The GPU version: always compiled, by NVIDIA's compiler and without a GPU; run where there is a GPU.

Where there is none, numba's simulator plays the GPU in plain Python, so launches and messages are tested.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.measure.tally import Count, empty_tally
from sim.model.scenario import build
from sim.model.state import as_int32, make_people
from sim.model.timeline import make_world
from sim.model.word_of_mouth import Outbox
from tests.engine.test_same_bits import ROOT, STORY, WORLDS, digest
from tests.markets import market
from tests.measure.test_counters import SMALL
from tests.model.test_ages import AGING

pytest.importorskip("numba_cuda", reason="the extra `gpu` is not installed")

EVERY = {**WORLDS, "aging": {**AGING, "market.errands": 0.3}}
TINY = {
    **{"people": 16, "weeks": 8, "burn_in": 2, "window": 4},
    "scandals": {name: {**s, "week": 1 + k} for k, (name, s) in enumerate(STORY["scandals"].items())},
    "moves": {"cut": {"firm": "f3", "lever": "price", "value": 0.7, "week": 5}},
}
SENT = re.compile(r"^\s+(?:@!?%p\d+\s+)?([a-z][\w.]+)", re.M)


def gpu():
    from numba import cuda

    return cuda.is_available()


def compiler():
    """Is NVIDIA's compiler for cards installed?"""
    from numba.cuda.cudadrv import nvvm

    try:
        return bool(nvvm.NVVM())
    except Exception:  # whatever it is that does not find it
        return False


@pytest.fixture(scope="module")
def code():
    """The code of each kernel for a scenario with everything on."""
    if not compiler():
        pytest.skip("NVIDIA's compiler (libnvvm) is not installed")
    from sim.engine.gpu.kernels import kernels
    from sim.engine.gpu.rounding import ptx

    scenario = market({**STORY, "cohorts": AGING["cohorts"]})
    world, firms = make_world(scenario), len(scenario.firms)
    scandals = len(world.scandals)
    people = make_people(16, firms, scandals, ages=True)
    tally = empty_tally(scenario.weeks, 2, len(scenario.cells), firms, scandals)
    outbox, key = Outbox(*np.zeros((2, 16, 3), np.int32)), (1, 0)
    found = kernels(firms, scandals)
    rows = as_int32(people.one), as_int32(people.bonds)
    return {
        "step_week": ptx(found.step, (people, rows, world, tally, key, 0, 3, outbox)),
        "deliver_outbox": ptx(found.deliver, (people, world, key, 0, 3, outbox)),
        "close_window": ptx(found.close, (people, world, tally, 0, 1, False)),
        "carry_over": ptx(found.carry, (people,)),
        "grow_up": ptx(found.age, (people, world, tally, key, 0)),
    }


@pytest.mark.parametrize("kernel", ["step_week", "deliver_outbox", "close_window", "carry_over", "grow_up"])
def test_the_code_rounds_as_the_processor_does(code, kernel):
    """No product flows into a sum unrounded but where `fma` says so, and nothing comes from the gpu's own library."""
    said = set(SENT.findall(code[kernel]))
    loose = {s for s in said if re.match(r"(add|sub|mul|div|fma|mad|sqrt|cvt)\b.*\.f32", s) and ".rn" not in s}
    assert loose <= {"cvt.rzi.s32.f32", "cvt.rzi.s64.f32", "cvt.rmi.f32.f32"}  # to whole numbers, and floor: exact
    assert not {s for s in said if "approx" in s or "ftz" in s or s.endswith("f64")}
    assert ".extern" not in code[kernel]
    assert ("fma.rn.f32" in said) == (kernel in ("step_week", "grow_up"))


def test_threads_meet_only_in_atomic_additions(code):
    """Counts alone have 64 bits in the gpu's memory, and nothing of 64 bits is written there but by an addition."""
    for name, text in code.items():
        assert not re.search(r"\bst\.(global\.)?(v\d\.)?[usb]64", text), name
    added = {name: len(re.findall(r"(?:atom|red)\.global\.add\.u64", text)) for name, text in code.items()}
    assert added["step_week"] >= 20
    at_a_use = {Count.ADJACENT, Count.SWITCHED}
    assert added["close_window"] == len(set(Count) - at_a_use) + len(
        ("both", "buyers", "transitions", "faithful", "standing")
    )
    assert added["grow_up"] == 2  # who is one fewer in a cohort is one more in another
    assert added["deliver_outbox"] == added["carry_over"] == 0


@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
def test_a_workspace_fits_into_registers_and_nothing_spills(code, arch, tmp_path):
    ptxas = shutil.which("ptxas")
    if not ptxas:
        pytest.skip("no ptxas here")
    for name, text in code.items():
        (tmp_path / "kernel.ptx").write_text(text)
        command = [ptxas, "-v", f"-arch={arch}", "kernel.ptx", "-o", "kernel.cubin"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        if "Unsupported .version" in done.stderr:
            pytest.skip("this ptxas is older than the compiler that wrote the code")
        if "not defined for option" in done.stderr:
            pytest.skip(f"this ptxas knows no {arch}")
        assert done.returncode == 0, done.stderr[-2000:]
        registers = max(map(int, re.findall(r"Used (\d+) registers", done.stderr)))
        spilled = sum(map(int, re.findall(r"(\d+) bytes spill", done.stderr)))
        print(f"{name} {arch}: {registers} registers, {spilled} bytes spilled")
        assert registers <= 255
        assert spilled == 0


@pytest.mark.parametrize("world", EVERY)
def test_the_simulated_gpu_counts_the_same(world, tmp_path):
    tiny = {**EVERY[world], **TINY}
    assert on_simulated_gpu(tiny, "tests.markets.market", tmp_path) == digest(simulate(market(tiny)).tally)


def on_simulated_gpu(scenario, of, tmp_path):
    """The digest of a scenario, made by `of`, on the simulated GPU."""
    module, _, made = of.rpartition(".")
    script = (
        "import sys; from sim.engine.gpu import run; from tests.engine.test_same_bits import digest;"
        f"from {module} import {made};"
        "sys.setswitchinterval(1e-4); run.THREADS, run.PARTS = 4, 8;"  # the simulator's threads are Python's
        f"print(digest(run.simulate_on_gpu({made}({scenario!r})).tally))"
    )
    plain = {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), **plain}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_on_the_simulated_gpu_no_counter_wraps(tmp_path):
    here = digest(simulate(build(SMALL)).tally)
    assert on_simulated_gpu(SMALL, "sim.model.scenario.build", tmp_path) == here


@pytest.mark.parametrize("world", EVERY)
def test_a_card_counts_the_same(world):
    if not gpu():
        pytest.skip("no GPU here")
    from sim.engine.gpu import simulate_on_gpu

    scenario = market({**EVERY[world], "people": 5000})
    assert digest(simulate_on_gpu(scenario).tally) == digest(simulate(scenario).tally)


def test_person_weeks_a_second_on_a_card(capsys):
    if not gpu():
        pytest.skip("no GPU here")
    from sim.engine.gpu import simulate_on_gpu

    scenario = market({**STORY, "people": 1_000_000})
    simulate_on_gpu(market({**STORY, "people": 1000}))  # compiled here
    start = time.perf_counter()
    simulate_on_gpu(scenario)
    weeks = scenario.people * (scenario.weeks + scenario.burn_in)
    with capsys.disabled():
        print(f"\non the gpu: {weeks / (time.perf_counter() - start) / 1e6:.1f} million person-weeks a second")
