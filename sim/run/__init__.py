"""One scenario in, one result out: the Hydra task, its table in the terminal and its files in a folder.

`compose` makes a scenario of presets and overrides, `job` lives it and writes down its `result`, `report` tells it.
"""

from sim.run.compose import CONF, GROUPS, presets, scenario
from sim.run.job import launch, lived
from sim.run.result import measured

__all__ = ["CONF", "GROUPS", "launch", "lived", "measured", "presets", "scenario"]
