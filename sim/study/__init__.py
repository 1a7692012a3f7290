"""Questions put to one scenario or many: presets, share inversion, designs, twins, Shapley values, files of runs."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.study.best_response import Rivals, rivals
    from sim.study.comparison import paired, summary
    from sim.study.designs import Design, grid, latin_hypercube, listed, named, sobol, zipped
    from sim.study.indices import sensitivity
    from sim.study.optimum import best
    from sim.study.planning import plan
    from sim.study.posterior import calibrate
    from sim.study.presets import scenario, scenario_and_shares, uncalibrated
    from sim.study.runs import run
    from sim.study.simulation import simulate

_HOME = {
    **dict.fromkeys(("paired", "summary"), "comparison"),
    **dict.fromkeys(("Design", "grid", "latin_hypercube", "listed", "named", "sobol", "zipped"), "designs"),
    **dict.fromkeys(("scenario", "scenario_and_shares", "uncalibrated"), "presets"),
    "best": "optimum",
    "calibrate": "posterior",
    "plan": "planning",
    **dict.fromkeys(("Rivals", "rivals"), "best_response"),
    "run": "runs",
    "sensitivity": "indices",
    "simulate": "simulation",
}
_GONE = {"sweep": "study.run", "row": "study.run", "figures_of": "Run.table"}
__all__ = [
    "Design",
    "Rivals",
    "best",
    "calibrate",
    "grid",
    "latin_hypercube",
    "listed",
    "named",
    "paired",
    "plan",
    "rivals",
    "run",
    "scenario",
    "scenario_and_shares",
    "sensitivity",
    "simulate",
    "sobol",
    "summary",
    "uncalibrated",
    "zipped",
]


def __getattr__(name: str) -> object:
    """The names above, imported when first asked for: some load the compiler."""
    if name in _GONE:
        raise AttributeError(f"study.{name} is gone; it is {_GONE[name]} now")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
