"""The checked mode: the same tally, and whatever cannot be is called by its name."""

import os
import subprocess
import sys

import numpy as np
import pytest

from sim.engine.checks import ImpossibleError, check_week
from sim.engine.loop import advance, initialize
from tests.engine.test_same_bits import ROOT, STORY
from tests.markets import market

BROKEN = {
    "rate": ("rate", np.nan),
    "cell": ("cell", 9),
    "news": ("news", 1 << 5),
    "attention": ("one.attention", 1.5),
    "expectation": ("one.expectation", np.inf),
    "anchor_height": ("one.anchor_height", -0.1),
    "seen": ("one.seen", 30),
    "last": ("one.last", 6),
    "target": ("one.target", -2),
    "outcome": ("one.outcome", 5),
    "message": ("one.message", 7),
    "uses in the window": ("one.uses", 99),
    "flags of scandal 0, switches": ("scandal_flags", 0b0010),
    "flags of scandal 5": ("scandal_flags", 1 << 20),
    "taste of firm 2": ("bonds.taste", np.nan),
    "memory of firm 2": ("bonds.memory", -np.inf),
    "trust of firm 2": ("bonds.trust", 1.01),
    "habit of firm 2": ("bonds.habit", -0.01),
    "regret of firm 2": ("bonds.regret", np.nan),
}


@pytest.fixture
def shard():
    (shard,) = initialize(market({**STORY, "people": 64}))
    for _ in range(3):
        advance([shard])
    return shard


def check(shard):
    check_week(shard.people, shard.world, shard.tally, shard.first, shard.week)


def test_a_sound_market_passes(shard):
    check(shard)


@pytest.mark.parametrize("said", BROKEN)
def test_what_cannot_be_is_called_by_its_name(shard, said):
    path, value = BROKEN[said]
    table, _, name = path.partition(".")
    values = getattr(shard.people, table)
    values = values[name] if name else values
    values[(7, 2) if table == "bonds" else 7] = value
    with pytest.raises(ImpossibleError, match=f"week {shard.week}, person 7: {said}.* is .*, may be .* to "):
        check(shard)


def test_a_count_below_zero_is_called_by_its_place(shard):
    shard.tally.flow[3, 1, 0, 2, 4] = -1
    with pytest.raises(ImpossibleError, match=r"tally\.flow\[3, 1, 0, 2, 4\] is -1"):
        check(shard)


# Breaks a value that a week itself does not mend, and one that leads out of an array.
LOUD = """
from sim.engine.loop import advance, initialize
from tests.markets import market
from tests.engine.test_same_bits import STORY
for rate, last in ((float("nan"), 1), (7, 30)):
    (shard,) = initialize(market({**STORY, "people": 64}))
    advance([shard])
    shard.people.rate[5], shard.people.one["last"][5] = rate, last
    try:
        advance([shard])
    except (ValueError, IndexError) as error:
        print(type(error).__name__, error)
"""


def test_a_checked_run_stops_where_it_breaks():
    """By itself, at the end of the week or at the index that is none."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "STICKINESS_CHECKED": "1"}
    done = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = done.stdout.splitlines()
    assert first.startswith("ImpossibleError week -12, person 5: rate is nan")
    assert second.startswith("IndexError")
