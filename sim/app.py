"""The page in the browser: `stickiness page`, or on this machine only `solara run sim/app.py`."""

from sim.page.layout import Page
from sim.page.serve import configure

__all__ = ["Page"]

configure()
