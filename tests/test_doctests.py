"""The examples in the docstrings of studies, facts and the package itself run and give what they show."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import sim
from sim import facts, study

MODULES = ["sim", "sim.compute.html", "sim.measure.groups"]
MODULES += [f"{package.__name__}.{m.name}" for package in (study, facts) for m in pkgutil.iter_modules(package.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, tried = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed and (tried or name not in ("sim", "sim.study.designs", "sim.study.twins", "sim.study.comparison"))


def test_names_of_the_readme_have_examples():
    told = [sim.scenario, sim.simulate, sim.study.sweep, sim.study.paired, sim.study.summary, sim.shapley.decompose]
    told += [sim.Twins.difference, sim.store.save]
    assert [f.__qualname__ for f in told if ">>>" not in (f.__doc__ or "")] == []
