"""Runs a scenario whose firms may state shares: presence is solved once, then everybody is simulated."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.engine import loop
from sim.model.fields import Scenario
from sim.model.state import People
from sim.study.calibrate_shares import calibrate_shares

if TYPE_CHECKING:
    from sim.engine.loop import Run


def simulate(
    scenario: Scenario,
    threads: int | None = None,
    shards: int = 1,
    network: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Callable[[int, int], None] | None = None,
    keep_people: bool = False,
    first: int = 0,
    start: Sequence[People] | None = None,
    by_week: bool = True,
) -> "Run":
    """Run all replications of the scenario; returns what was counted, with the shares asked for and reached.

    The arguments are those of `sim.engine.loop.simulate`, which runs a scenario whose presence is solved already.

    >>> from sim import build
    >>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
    >>> run = simulate(build({"people": 500, "weeks": 26, "segments": {"all": {}}, "firms": firms}))
    >>> int(run.tally.people.sum())
    500
    """
    calibrated, shares = calibrate_shares(scenario)
    run = loop.simulate(calibrated, threads, shards, network, progress, keep_people, first, start, by_week)
    run.shares = shares
    return run
