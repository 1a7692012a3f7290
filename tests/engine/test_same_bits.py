"""The same bytes whatever computes them: threads, shards, plain Python, a second run, another Python."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from llvmlite import binding

from sim.engine.loop import simulate
from sim.model.scenario import change
from tests.markets import market

ROOT = Path(__file__).parents[2]
STORY = {
    "people": 600,
    "weeks": 26,
    "segments.other": {"weight": 0.5, "voice": 2.0},
    "cohorts": {"young": {}, "old": {"habit_weight": 1.5}},
    "firms.f0.group": "german",
    "firms.f1.group": "german",
    "firms.f1.switching_cost": 1.7,
    "scandals": {
        "fraud": {"firm": "f0", "week": 6, "buycott": 0.2, "harmed_share": 0.1, "action": 4.0, "response": 0.5},
        "leak": {"firm": "f2", "week": 9, "kind": "privacy", "action": 4.0},
        "outage": {"firm": "f1", "week": 4, "kind": "service", "outage": 2.0, "outage_weeks": 4},
    },
    "moves": {"cut": {"firm": "f3", "lever": "price", "value": 0.7, "week": 12}},
    "consumer.rate": 1.5,
    "consumer.consideration_size": 2.4,
}
WORLDS = {
    "repertoire": STORY,
    "provider": {
        **STORY,
        "market.regime": "provider",
        "consumer.attention": 0.2,
        "market.exit_rate": 0.3,
        "market.contract_weeks": 13,
        "market.taste_law": "normal",
    },
    "changing": {
        **STORY,
        "cohorts": {"young": {"turnover": 3.0}, "old": {"habit_weight": 1.5}},
        "consumer.turnover": 0.8,
        "consumer.taste_renewal": 1.5,
        "consumer.rate_renewal": 1.5,
        "consumer.deal_weight": 2.0,
        "firms.f0.out_of_stock": 0.3,
        "firms.f2.out_of_stock": 0.9,
    },
}


def digest(tally) -> str:
    sha = hashlib.sha256()
    for counts in tally:
        sha.update(counts.tobytes())
    return sha.hexdigest()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("threads", "shards"), [(1, 1), (2, 1), (1, 3), (2, 7)])
def test_threads_and_shards(world, threads, shards):
    scenario = market(WORLDS[world])
    assert digest(simulate(scenario, threads, shards).tally) == digest(simulate(scenario, 1, 1).tally)


def elsewhere(python: str, scenario: dict, tmp_path, of: str = "tests.markets.market", **environment: str) -> str:
    """The digest of a scenario, made by `of`, lived by another interpreter."""
    module, _, made = of.rpartition(".")
    code = (
        f"from tests.engine.test_same_bits import digest; from {module} import {made};"
        "from sim.engine.loop import simulate;"
        f"print(digest(simulate({made}({scenario!r})).tally))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path), **environment}
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=env, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.parametrize("world", WORLDS)
def test_plain_python(world, tmp_path):
    small = {**WORLDS[world], "people": 48, "weeks": 16, "burn_in": 4, "window": 8}
    small["moves"] = {"cut": {"firm": "f3", "lever": "price", "value": 0.7, "week": 5}}
    here = digest(simulate(market(small)).tally)
    assert elsewhere(sys.executable, small, tmp_path, NUMBA_DISABLE_JIT="1") == here


def test_another_python(tmp_path):
    """On CI machines with a second Python that has the dependencies; elsewhere skipped."""
    others = [p for v in ("3.11", "3.12", "3.13") if (p := shutil.which(f"python{v}")) and _ready(p)]
    if not others:
        pytest.skip("no other Python here has the dependencies installed")
    here = digest(simulate(market(STORY)).tally)
    for python in others:
        assert elsewhere(python, STORY, tmp_path) == here


def _ready(python: str) -> bool:
    probe = f"import sys, numba, omegaconf; sys.exit(sys.version_info[:2] == {tuple(sys.version_info[:2])})"
    return subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0


def test_two_runs_and_a_golden_one():
    """A change of a single bit anywhere is seen; after a deliberate change of the rules, renew the digest."""
    found = {world: digest(simulate(market(WORLDS[world])).tally)[:16] for world in WORLDS}
    assert {world: [one] for world, one in found.items()} == golden()


# Prints the digests of all worlds by threads and shards, and the widest registers in which the week multiplies.
MATRIX = """
import json
import re
from sim.engine import loop
from tests.markets import market
from tests.engine.test_same_bits import SPLITS, WORLDS, digest

found = {w: {digest(loop.simulate(market(s), *split).tally)[:16] for split in SPLITS} for w, s in WORLDS.items()}
code = "".join(loop.STEP_FOLDS.inspect_asm().values())
widest = max(re.findall(r"mulps\\s.*([xyz]mm)", code), default="none")
print(json.dumps([{world: sorted(digests) for world, digests in found.items()}, widest]))
"""
SPLITS = [(threads, shards) for threads in (1, 2) for shards in (1, 3, 7)]
PROCESSORS = {  # NUMBA_CPU_NAME, NUMBA_CPU_FEATURES, the registers wanted, what the processor must have
    "128": ("x86-64-v2", "", "xmm", "sse4.2"),
    "256": ("x86-64-v3", "", "ymm", "fma"),
    "512": ("x86-64-v4", "-prefer-256-bit", "zmm", "avx512f"),
}


def matrix(**environment: str) -> tuple[dict, str]:
    """MATRIX in a process of its own."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")}
    env = {**clean, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, "-c", MATRIX], capture_output=True, text=True, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    found, widest = json.loads(done.stdout)
    return found, widest


def golden() -> dict:
    """The digest of each world, the only one that any split may find."""
    lines = (ROOT / "tests" / "golden" / "tallies.txt").read_text().split()
    return {world: [digest] for world, digest in zip(lines[::2], lines[1::2], strict=True)}


@pytest.mark.parametrize("bits", PROCESSORS)
def test_golden_whatever_the_registers_threads_and_shards(bits, tmp_path):
    if platform.machine().lower() not in ("x86_64", "amd64"):
        pytest.skip("vector widths are those of x86-64")
    processor, features, wanted, needs = PROCESSORS[bits]
    if not binding.get_host_cpu_features().get(needs):
        pytest.skip(f"this processor has no {needs}")
    just_heard = {"NUMBA_CACHE_DIR": str(tmp_path)}  # code that comes from a cache cannot be looked into
    found, widest = matrix(NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES=features, **just_heard)
    assert found == golden()
    assert widest == wanted


def test_golden_checked_whatever_the_threads_and_shards():
    """One by one, every index held to its bounds and every value to what it may be."""
    assert matrix(STICKINESS_CHECKED="1")[0] == golden()


def test_another_seed_is_another_world():
    assert digest(simulate(market(STORY)).tally) != digest(simulate(change(market(STORY), {"seed": 2})).tally)
