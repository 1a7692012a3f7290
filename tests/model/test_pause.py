"""Some leave a provider for a while only: how many, whom not, and that it costs nothing where nobody does."""

import sys

import numpy as np
import pytest

from sim.engine.loop import advance, initialize, simulate
from sim.model.state import SWITCHES, flag_table
from tests.engine.test_same_bits import WORLDS, digest, elsewhere
from tests.markets import market

AWAY, SHARE = 2, 0.4  # the firm to which some come for a while, and how many of them
MOVING = {
    **WORLDS["provider"],
    "people": 20_000,
    "scandals": {},
    "moves": {},
    "consumer.attention": 0.5,
    f"firms.f{AWAY}.pause": SHARE,
}


def weeks(changes, many):
    """The people before and after each of so many weeks, as (before, after) of firm used last, target and flags."""
    (shard,) = parts = initialize(market({**MOVING, **changes}))
    for _ in range(many):
        before = shard.people.one["last"].copy()
        advance(parts)
        yield before, shard.people.one["last"], shard.people.one["target"], flag_table(shard.people, SWITCHES)


@pytest.mark.parametrize("on", [True, False])
def test_the_declared_share_of_those_who_come_mean_to_go_back(on):
    came = back = others = 0
    for before, after, target, _ in weeks({"mechanisms.pause": on}, 8):
        moved = (before >= 0) & (before != after)
        came += (moved & (after == AWAY)).sum()
        back += (moved & (after == AWAY) & (target == before)).sum()
        others += (moved & (after != AWAY) & (target >= 0)).sum()
    expected = SHARE * came if on else 0
    assert came > 1_000 and others == 0 and abs(back - expected) <= 4 * np.sqrt(expected * (1 - SHARE))


def test_who_means_to_go_back_does_so_with_the_delay_of_any_exit():
    rate, waiting, gone = MOVING["market.exit_rate"], 0, 0
    meant = np.array([])
    for before, after, target, _ in weeks({}, 12):
        if len(meant):
            leaves = (meant >= 0) & (after != before)
            assert (after == meant)[leaves].all()
            waiting, gone = waiting + (meant >= 0).sum(), gone + leaves.sum()
        meant = np.where(after == AWAY, target, -1)
    assert gone > 500 and abs(gone - rate * waiting) < 4 * np.sqrt(rate * waiting)


def test_nobody_means_to_go_back_where_a_scandal_sent_them_away():
    leak = {"leak": {"firm": "f0", "week": 0, "kind": "privacy", "action": 8.0, "reach": 1.0}}
    left = 0
    for before, after, target, switches in weeks({"scandals": leak, "burn_in": 0}, 8):
        moved = (before == 0) & (after == AWAY)
        left += (moved & switches[:, 0]).sum()
        assert not (moved & switches[:, 0] & (target == 0)).any()
    assert left > 50


def test_a_firm_without_pauses_costs_nothing():
    plain = {path: v for path, v in MOVING.items() if not path.endswith(".pause")} | {"people": 2_000}
    off = {**MOVING, "mechanisms.pause": False, "people": 2_000}
    assert digest(simulate(market(plain)).tally) == digest(simulate(market(off)).tally)


def test_the_same_bits_in_plain_python(tmp_path):
    scenario = {**MOVING, "people": 150, "weeks": 6, "window": 3, "burn_in": 2}
    plain = elsewhere(sys.executable, scenario, tmp_path, NUMBA_DISABLE_JIT="1")
    assert plain == digest(simulate(market(scenario)).tally)
