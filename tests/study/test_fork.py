"""A fork of a run gives what a run from its start gives, and is made only where nothing happened yet."""

import numpy as np
import pytest

from sim.casebook.new_scandal import measured
from sim.engine.loop import simulate
from sim.measure import estimates
from sim.model.scenario import change
from sim.study.answer import NO_EVENTS
from sim.study.fork import can_fork, simulate_both
from sim.study.movers import run_together
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import market

FIRST = 4  # week of the first event there


@pytest.mark.parametrize("name", WORLDS)
def test_a_fork_is_a_run_from_its_start_to_the_bit(name):
    told = market({**WORLDS[name], "replications": 2})
    control, half = change(told, NO_EVENTS), change(told, {"scandals.leak": None, "moves": {}})
    assert can_fork(control, told, FIRST) and can_fork(control, half, FIRST)
    run, found = run_together(control, [told, half], "f0", FIRST)
    whole = digest(simulate(told).tally), digest(simulate(control).tally), digest(simulate(half).tally)
    assert whole == tuple(digest(one.tally) for one in (found[0][0], run, found[1][0]))
    assert whole[1::-1] == tuple(digest(one.tally) for one in simulate_both(control, told, FIRST))


def test_what_differs_in_more_than_events_or_remembers_one_is_run_from_its_start():
    told = market(WORLDS["repertoire"])
    control = change(told, NO_EVENTS)
    assert not can_fork(control, told, FIRST + 1)
    assert not can_fork(control, change(told, {"firms.f0.quality": 0.5}), FIRST)
    early = {**WORLDS["repertoire"]["scandals"]["leak"], "week": 1}
    assert not can_fork(*(change(s, {"scandals.early": early}) for s in (control, told)), FIRST)


def test_losses_of_a_new_scandal_are_those_of_runs_from_the_start():
    event = {"week": 20, "action": 5.0, "kind": "privacy"}
    told = market({"weeks": 72, "window": 12, "scandals.new": event, "people": 1_000})
    changes = [{"scandals.new.action": 9.0, "kinds.privacy.care": 3.0, "market.reputation_share": 0.9}, {}]
    totals = []
    for scenario in (change(told, NO_EVENTS), *(change(told, c) for c in changes)):
        weekly = estimates.weekly(simulate(scenario).tally).flow[..., 1].sum(axis=(0, 2))
        totals.append([weekly[20:33].sum(), weekly[40:72].sum()])
    expected = 100 * (np.array(totals[1:]) / totals[0] - 1)
    np.testing.assert_array_equal(measured(told, changes), expected)
    early = change(told, {"scandals.early": {**event, "week": 2, "firm": "f1"}})
    assert measured(early, changes).shape == (2, 2) and (measured(early, changes) != expected).any()
