"""The page in the browser: `stickiness page`, or on this machine only `solara run sim/app.py`, and a market to play."""

from sim.page.layout import Page
from sim.page.serve import settle

__all__ = ["Page"]

settle()
