"""Runs as the command line makes them, without a terminal and without files."""

from sim.engine.loop import Run, simulate
from sim.study.presets import scenario_and_shares


def run_of(overrides: list[str]) -> Run:
    """The run of `python -m sim` with these overrides."""
    scenario, shares = scenario_and_shares(overrides)
    run = simulate(scenario)
    run.shares = shares
    return run
