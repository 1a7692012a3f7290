"""Threads end soon when their caller does, also while people are drawn; how the work is cut changes no bit."""

import pytest

from sim.engine import shard, threads
from sim.engine.loop import simulate
from tests.engine.test_same_bits import digest
from tests.markets import market

SMALL = {"people": 320, "weeks": 8, "window": 4, "burn_in": 0}


def stopped(work):
    """What the thread of a caller that has stopped ends with."""

    def late():
        threads._own.stops[-1].set()
        return work()

    with threads.threads(1) as pool:
        return pool.submit(late).exception()


@pytest.mark.parametrize("work", [shard.initialize, simulate])
def test_who_has_stopped_is_worked_for_no_more(work):
    scenario = market(SMALL)
    assert isinstance(stopped(lambda: work(scenario)), SystemExit)
    with threads.threads(1) as pool:
        assert pool.submit(lambda: work(scenario)).exception() is None


def test_people_may_be_drawn_a_fold_at_a_time(monkeypatch):
    scenario, pieces, real = market(SMALL), [], shard.INITIALIZE
    whole = digest(simulate(scenario).tally)
    monkeypatch.setattr(shard, "DRAWN", 10)
    monkeypatch.setattr(shard, "INITIALIZE", lambda *a: pieces.append(a[5:7]) or real(*a))
    assert digest(simulate(scenario).tally) == whole
    assert pieces == [(g, g + 1) for g in range(32)]
