"""Every experiment that has a fast form is run small: it yields its table and its figure, with errors of estimate."""

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest

from sim import study

FOLDER = Path(__file__).parents[1] / "experiments"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if "\nFAST = " in path.read_text(encoding="utf-8"))


def load(path):
    spec = importlib.util.spec_from_file_location(f"experiments_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # so few people leave some folds without anybody
def test_an_experiment_yields_its_table_and_figure(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = load(path)
    table = module.main(**module.FAST)
    kept = tmp_path / "outputs" / "experiments" / path.stem
    assert len(pd.read_parquet(kept.with_suffix(".parquet"))) == len(table) > 0
    assert [c for c in table.columns if "error" in c], "no number without its standard error"
    for kind in (".png", ".svg"):
        assert kept.with_suffix(kind).stat().st_size > 5000


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_an_experiment_says_what_it_asks_and_what_it_found(path):
    said = load(path).__doc__
    for part in ("Question:", "Design:", "Reading:", "Finding:"):
        assert part in said
    assert "to be measured" not in said


def test_an_experiment_is_run_as_asked(monkeypatch, capsys):
    called = []

    def main(people=10, replications=3):
        called.append((people, replications))

    for words in ([], ["--fast"], ["--fast", "replications=7"], ["people=5"]):
        monkeypatch.setattr(sys, "argv", ["script", *words])
        study.play(main, {"people": 2, "replications": 1})
    assert called == [(10, 3), (2, 1), (2, 7), (5, 3)]
    for wrong in ("persons=3", "people=many"):
        monkeypatch.setattr(sys, "argv", ["script", wrong])
        with pytest.raises(SystemExit, match=r"usage: script \[--fast\] \[people=NUMBER\]"):
            study.play(main, {})
