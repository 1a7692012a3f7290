"""Questions put to one scenario or many: presets, share inversion, designs, twins, Shapley values, files of runs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.study.designs import figures_of, paired, row, scenario, summary, sweep, unsettled

__all__ = ["figures_of", "paired", "row", "scenario", "summary", "sweep", "unsettled"]


def __getattr__(name: str) -> Any:
    """The names above, imported when first asked for: they load the compiler."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("sim.study.designs"), name)
