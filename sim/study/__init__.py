"""Questions put to one scenario or many: presets, share inversion, designs, twins, Shapley values, files of runs."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.study.comparison import paired, summary
    from sim.study.designs import figures_of, row, sweep
    from sim.study.presets import scenario, scenario_and_shares, uncalibrated
    from sim.study.simulation import simulate

_HOME = {
    **dict.fromkeys(("paired", "summary"), "comparison"),
    **dict.fromkeys(("figures_of", "row", "sweep"), "designs"),
    **dict.fromkeys(("scenario", "scenario_and_shares", "uncalibrated"), "presets"),
    "simulate": "simulation",
}
__all__ = [
    "figures_of",
    "paired",
    "row",
    "scenario",
    "scenario_and_shares",
    "simulate",
    "summary",
    "sweep",
    "uncalibrated",
]


def __getattr__(name: str) -> object:
    """The names above, imported when first asked for: some load the compiler."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
