"""A real purchase panel in, the metrics of the simulator out; and a simulated panel for who has none.

`read` a file, `measure` or `report` it; `tally` counts it with the functions that count simulated people. What needs
the order of purchases is refused where the file betrays that its rows are not in the order in which people bought.
"""

from sim.panel.files import Panel, PanelError, read
from sim.panel.measures import measure
from sim.panel.record import after_start, by_time, counts, select, tally
from sim.panel.report import main, report
from sim.panel.simulated import export, purchases, small

__all__ = [
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
    "tally",
]
