"""One scenario in, one result out: the Hydra task, its table in the terminal and its files in a folder.

`compose` makes a scenario of presets and overrides, `job` lives it and writes down its `result`, `report` tells it.
"""

from sim.report.hydra_task import launch, lived
from sim.report.result import measured
from sim.study.presets import CONF, PRESET_GROUPS, presets, scenario

__all__ = ["CONF", "PRESET_GROUPS", "launch", "lived", "measured", "presets", "scenario"]
