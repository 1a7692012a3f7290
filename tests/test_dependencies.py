"""What the package imports is what pyproject.toml declares: the core for everybody, an extra where it is needed."""

import ast
import re
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CALLED = {"hydra": "hydra-core", "yaml": "pyyaml", "playwright": "playwright"}  # modules named unlike their package
EXTRAS = {
    "sim/page": {"page"},
    "sim/engine/cluster": {"cluster"},
    "sim/study/pools": {"slurm"},
    "sim/study/indices": {"sensitivity"},
    "sim/study/optimum": {"optimize"},
    "sim/engine/gpu.py": {"gpu"},
    "experiments": {"browser", "cluster", "slurm"},
}
BEYOND = {"tests": {"test", "page", "cluster", "browser", "gpu", "slurm"}} | EXTRAS


def name(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


CORE = {name(r) for r in PROJECT["dependencies"]}
EXTRA = {extra: {name(r) for r in rows} for extra, rows in PROJECT["optional-dependencies"].items()}


def imported(path):
    """The packages that a file imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


FILES = [p for folder in ("sim", "experiments", "tests") for p in sorted((ROOT / folder).rglob("*.py"))]
OURS = {"sim", "experiments", "tests", "docs", "_typeshed"}  # the last is there for type checkers alone


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_import_is_declared(path):
    place = path.relative_to(ROOT).as_posix()
    extras = {e for beginning, found in BEYOND.items() if place.startswith(beginning) for e in found}
    declared = CORE.union(*(EXTRA[e] for e in extras))
    foreign = set(imported(path)) - OURS - set(sys.stdlib_module_names)
    missing = sorted(m for m in foreign if CALLED.get(m, m).lower().replace("_", "-") not in declared)
    assert not missing, f"{place} imports {missing}; declare it in pyproject.toml"


def test_every_dependency_of_the_core_is_imported():
    used = {m for path in FILES if path.is_relative_to(ROOT / "sim") for m in imported(path)}
    assert CORE - {CALLED.get(m, m).lower() for m in used} == set()


@pytest.mark.parametrize("rows", [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()])
def test_every_requirement_has_an_upper_bound(rows):
    assert not [row for row in rows if "<" not in row]


def test_the_bound_of_llvmlite_is_the_one_of_numba():
    from importlib.metadata import requires

    (numbas,) = [r for r in requires("numba") or [] if r.startswith("llvmlite")]
    ours = next(r for r in PROJECT["dependencies"] if r.startswith("llvmlite"))
    assert re.search(r"<0\.\d+", ours)[0] == re.search(r"<0\.\d+", numbas)[0]


def test_the_check_of_help_texts_of_python_3_14_does_not_stop_hydra(monkeypatch, capsys):
    """Hydra 1.3 has one that is no text until it is shown; here that check is made whatever the version."""
    from argparse import ArgumentParser, _ActionsContainer

    from sim import __main__ as cli

    def refuse(parser, action):
        assert action.help is None or isinstance(action.help, str), "badly formed help string"

    add = ArgumentParser.add_argument

    def checked(parser, *words, **options):
        action = add(parser, *words, **options)
        parser._check_help(action)
        return action

    monkeypatch.setattr(_ActionsContainer, "_check_help", refuse, raising=False)
    monkeypatch.setattr(ArgumentParser, "add_argument", checked)
    monkeypatch.setattr(sys, "argv", ["stickiness", "--cfg", "job"])
    assert cli.main() == 0 and "colgate" in capsys.readouterr().out
    assert "_check_help" not in vars(ArgumentParser), "given back"


def test_the_core_is_there():
    modules = {package: module for module, package in CALLED.items()}
    assert not [package for package in CORE if find_spec(modules.get(package, package)) is None]
