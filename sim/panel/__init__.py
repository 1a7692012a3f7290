"""Reads a real purchase panel and measures it with the metrics of the simulator; also writes simulated panels.

`read` a file, `measure` or `report` it; `tally` counts it with the meaning of the counts of simulated people. What
needs the order of purchases is refused where the rows of the file are plainly not in the order of purchase.
"""

from sim.panel.count import after_start, by_time, purchase_counts, select_households, select_purchases, tally
from sim.panel.files import read
from sim.panel.formats import FORMATS, shaped
from sim.panel.main import main
from sim.panel.measures import measure
from sim.panel.options import Options
from sim.panel.report import report
from sim.panel.simulation import Simulated, export, purchases, simulated, small, small_panel, write
from sim.panel.types import LeftOut, Panel, PanelError

__all__ = [
    "FORMATS",
    "LeftOut",
    "Options",
    "Panel",
    "PanelError",
    "Simulated",
    "after_start",
    "by_time",
    "export",
    "main",
    "measure",
    "purchase_counts",
    "purchases",
    "read",
    "report",
    "select_households",
    "select_purchases",
    "shaped",
    "simulated",
    "small",
    "small_panel",
    "tally",
    "write",
]
