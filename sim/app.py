"""The page in the browser: `stickiness page`, or on this machine only `solara run sim/app.py`."""

import sys
from pathlib import Path

# `solara run` puts this folder on the path, where `import mesa` would find sim.mesa
sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).resolve().parent]

from sim.page.layout import Page  # noqa: E402
from sim.page.serve import configure  # noqa: E402

__all__ = ["Page"]

configure()
