"""The examples in the docstrings of the package run and give what they show."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import sim

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "sim").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
EXTRAS = {"ray", "solara", "reacton", "ipyvuetify", "ipyvue", "openpyxl", "starlette", "uvicorn"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in EXTRAS:
            pytest.skip(f"{package} is not installed; it comes with an extra")
        raise
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried and not failed


def test_names_of_the_readme_have_examples():
    shown = [sim.scenario, sim.simulate, sim.study.run, sim.study.paired, sim.study.summary, sim.shapley.decompose]
    shown += [sim.Twins.difference, sim.store.save]
    assert [f.__qualname__ for f in shown if ">>>" not in (f.__doc__ or "")] == []
