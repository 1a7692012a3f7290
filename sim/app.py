"""The page in the browser: `solara run sim/app.py`, or `stickiness page`, and a market to play."""

from sim.page.board import Page
from sim.page.serve import settle

__all__ = ["Page"]

settle()
