"""A real purchase panel in, the metrics of the simulator out; and a simulated panel for who has none.

`read` a file, `measure` or `report` it; `tally` counts it with the meaning of the counts of simulated people. What
needs the order of purchases is refused where the file betrays that its rows are not in the order of purchase.
"""

from sim.panel.count import after_start, by_time, counts, select, take, tally
from sim.panel.files import read
from sim.panel.main import main
from sim.panel.measures import measure
from sim.panel.options import Options
from sim.panel.report import report
from sim.panel.simulated import export, purchases, small
from sim.panel.types import LeftOut, Panel, PanelError

__all__ = [
    "LeftOut",
    "Options",
    "Panel",
    "PanelError",
    "after_start",
    "by_time",
    "counts",
    "export",
    "main",
    "measure",
    "purchases",
    "read",
    "report",
    "select",
    "small",
    "take",
    "tally",
]
