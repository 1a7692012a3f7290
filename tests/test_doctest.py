"""Every example in a docstring of the package runs."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "sim").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
EXTRAS = ("ray", "solara", "reacton", "ipyvuetify", "ipyvue", "openpyxl", "starlette", "uvicorn", "cuda", "numba_cuda")


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in EXTRAS:
            pytest.skip(f"{name} needs an extra: {error.name}")
        raise
    failed, tried = doctest.testmod(module)
    assert tried and not failed
