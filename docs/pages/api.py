"""Writes the reference of functions: what `import sim` offers, and what is offered by the names in it, each once."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

HEAD = """# Every function

What `import sim` offers, and what those names offer. All else is found from here.
"""
PLACES = {  # title: modules whose public names are shown; what was shown above is not shown again
    "Markets, runs and answers": ("sim", "sim.study.answer", "sim.measure.quantity"),
    "Studies": ("sim.study", "sim.study.shapley", "sim.study.store"),
    "Metrics": (
        "sim.measure.metrics.firm",
        "sim.measure.metrics.index",
        "sim.measure.metrics.market",
        "sim.measure.estimates",
        "sim.measure.dirichlet",
    ),
    "Purchase panels": ("sim.panel",),
    "Figures": ("sim.report.figures",),
    "Laws of scandals": ("sim.model.scandals",),
}


def names(module: ModuleType) -> Iterator[str]:
    """The public names of a module: those it lists, or the functions and classes that it defines."""
    if hasattr(module, "__all__"):
        yield from module.__all__
        return
    for name, found in vars(module).items():
        if not name.startswith("_") and getattr(found, "__module__", "") == module.__name__:
            yield name


def entry(found: object) -> str:
    """The directive that shows one function or class; "" for anything else."""
    where = f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}"
    if inspect.isclass(found):
        if issubclass(found, Exception):
            return f".. autoexception:: {where}"
        return f".. autoclass:: {where}\n   :members:"
    return f".. autofunction:: {where}" if inspect.isfunction(found) else ""


def api() -> str:
    """The page: a section for each place."""
    parts, seen = [HEAD], set()
    for title, modules in PLACES.items():
        entries = []
        for module in map(import_module, modules):
            for name in names(module):
                shown = entry(getattr(module, name))
                if shown and shown not in seen:
                    seen.add(shown)
                    entries.append(shown)
        parts.append(f"## {title}\n\n```{{eval-rst}}\n" + "\n\n".join(entries) + "\n```\n")
    return "\n".join(parts)


def write(folder: Path) -> None:
    """Write the page."""
    folder.mkdir(exist_ok=True)
    (folder / "api.md").write_text(api(), encoding="utf-8")
