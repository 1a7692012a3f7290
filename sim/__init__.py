"""How much more often customers use you than your competitors, simulated: the names below load when first used.

>>> import sim
>>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
>>> market = sim.build({"people": 500, "weeks": 26, "segments": {"all": {}}, "firms": firms})
>>> table = sim.simulate(market).table()
>>> list(table.columns)
['group', 'firm', 'metric', 'value', 'error', 'low', 'high']
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim import panel, study
    from sim.engine import cluster
    from sim.engine.loop import Run
    from sim.measure import estimates, metrics
    from sim.mesa import Market
    from sim.model.fields import Scenario
    from sim.model.scenario import ScenarioError, build, change
    from sim.report import figures
    from sim.study import shapley, store
    from sim.study.answer import Answer, answer
    from sim.study.countermeasures import countermeasures
    from sim.study.presets import scenario
    from sim.study.simulation import simulate
    from sim.study.twins import Twins, twins

    __version__: str

_HOME = {  # name -> module that has it, or that it is
    **{name: f"sim.{name}" for name in ("panel", "study")},
    **{name: f"sim.measure.{name}" for name in ("estimates", "metrics")},
    **{name: f"sim.study.{name}" for name in ("shapley", "store")},
    **dict.fromkeys(("ScenarioError", "build", "change"), "sim.model.scenario"),
    **dict.fromkeys(("Answer", "answer"), "sim.study.answer"),
    **dict.fromkeys(("Twins", "twins"), "sim.study.twins"),
    "countermeasures": "sim.study.countermeasures",
    "Market": "sim.mesa",
    "Run": "sim.engine.loop",
    "Scenario": "sim.model.fields",
    "cluster": "sim.engine.cluster",
    "figures": "sim.report.figures",
    "scenario": "sim.study.presets",
    "simulate": "sim.study.simulation",
}
_MODULES = ("cluster", "estimates", "figures", "metrics", "panel", "shapley", "store", "study")
__all__ = [
    "Answer",
    "Market",
    "Run",
    "Scenario",
    "ScenarioError",
    "Twins",
    "__version__",
    "answer",
    "build",
    "change",
    "cluster",
    "countermeasures",
    "estimates",
    "figures",
    "metrics",
    "panel",
    "scenario",
    "shapley",
    "simulate",
    "store",
    "study",
    "twins",
]


def __getattr__(name: str) -> object:
    """The names above, imported when first used: some load the compiler, and the compiler takes seconds."""
    if name == "__version__":
        found: object = _version()
    elif name in _HOME:
        module = import_module(_HOME[name])
        found = module if name in _MODULES else getattr(module, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """The installed version; "unknown" in a checkout that is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("stickiness")
    except PackageNotFoundError:
        return "unknown"
