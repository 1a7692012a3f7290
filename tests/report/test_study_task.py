"""`stickiness study=NAME`: a design in a file, simulated as `study.run` does, resumed, and everything wrong said."""

from pathlib import Path

import pandas as pd
import pytest

from sim import study
from sim.study import work
from sim.study.presets import CONF

NAMES = sorted(path.stem for path in (CONF / "study").glob("*.yaml"))
PRESET = """# @package _global_
people: 100
weeks: 26
window: 13
burn_in: 0
study:
"""
KINDS = {
    "grid": "axes: {firms.a.quality: [0, 1]}",
    "zipped": "axes: {firms.a.quality: [0, 1], people: [100, 200]}",
    "latin_hypercube": "ranges: {firms.a.quality: [0, 1]}\n  points: 3\n  seed: 5",
    "sobol": "ranges: {firms.a.quality: [0, 1]}\n  points: 4",
    "table": "rows: rows.csv",
    "named": "scenarios: {today: {}, later: {firms.a.quality: 1}}",
}
ARMS = {"grid": 2, "zipped": 2, "latin_hypercube": 3, "sobol": 4, "table": 2, "named": 2}
OWN = ["--config-dir", "p", "market=two", "study=mine"]


@pytest.fixture
def mine(command):
    Path("p/study").mkdir()
    Path("rows.csv").write_text("firms.a.quality,people\n0,100\n1,200\n")

    def write(text):
        Path("p/study/mine.yaml").write_text(PRESET + text)

    write("  design: grid\n  axes: {firms.a.quality: [0, 1]}\n  replications: 2\n")
    return write


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_design(kind, command, mine):
    mine(f"  design: {kind}\n  {KINDS[kind]}\n  replications: 2\n")
    status, out, err = command(*OWN)
    table = pd.read_parquet("studies/mine/study.parquet")
    assert status == 0, err
    assert len(table) == 2 * ARMS[kind] and not table.error.any() and "stickiness.a" in out
    assert "written to studies/mine: study.parquet, study.csv" in out
    assert len(pd.read_csv("studies/mine/study.csv")) == len(table)


def test_asked_again_it_costs_nothing_and_settings_beside_it_count(command, mine, monkeypatch):
    assert command(*OWN, "study.folder=out", "people=200")[0] == 0
    before = Path("out/study.parquet").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(work, "simulate", lambda *a, **k: pytest.fail("simulated"))
        assert command(*OWN, "people=200", "study.folder=out")[0] == 0
        assert Path("out/study.parquet").read_bytes() == before
        status, _, err = command(*OWN, "study.folder=out")
        assert status == 2 and "is not a table of this study" in err, "other people are another study"
    base = study.uncalibrated("people=3")
    assert base.people == 3 and "study" not in dir(base)


def test_weeks_windows_and_groups(command, mine):
    mine("  design: grid\n  axes: {firms.a.quality: [0, 1]}\n  metrics: [share]\n  keep: weekly\n  replications: 2\n")
    status, out, _ = command(*OWN)
    assert status == 0 and len(pd.read_parquet("studies/mine/study.parquet")) == 2 * 2 * 26
    assert [line.split()[:2] for line in out.splitlines()[2:4]] == [["0", "2"], ["1", "2"]]


def test_failed_runs_are_said(command, mine, monkeypatch):
    monkeypatch.setattr(work, "simulate", lambda *a, **k: 1 / 0)
    status, out, _ = command(*OWN)
    assert status == 1 and "4 rows of runs that failed" in out and "ZeroDivisionError" in out


WRONG = {
    "study.desing=grid": "study.desing: unknown; did you mean design?",
    "study.design=gird": "study.design: 'gird' unknown; did you mean grid?",
    "study.design=sobol": "study.ranges: a sobol design needs it",
    "study.replications=0": "replications: 0; at least 1 is needed",
    "study.metrics=[shre]": "metrics: 'shre' is none; did you mean share?",
    "study.axes=3": "axes: 3 is not a set of values by dotted path",
    "study.design=table study.rows=no.csv": "study.axes: unknown",
    "peple=3": "peple: unknown; did you mean people?",
    "study.workers=nowhere": "workers: 'nowhere' is no number",
    "-m": "--multirun: does not go with study=",
    "study=other": "study=other: one study at a time",
    "--cfg job": "--cfg: does not go with study=",
}


def test_what_is_wrong_beside_the_design_is_said_with_it(command, mine):
    words = ["study.design=gird", "study.keep=week", "study.metrics=[shre]", "study.workers=0", "people=-1"]
    status, _, err = command(*OWN, *words)
    assert status == 2 and "people: -1" in err
    status, _, err = command(*OWN, *words[:4])
    for part in ("did you mean grid", "study.keep: 'week'", "study.metrics: 'shre'", "study.workers: 0"):
        assert status == 2 and part in err, part


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_said_and_nothing_is_left(words, command, mine):
    status, out, err = command(*OWN, *words.split())
    assert status == 2 and not out and "Traceback" not in err, err
    assert WRONG[words].replace("--multirun", "-m") in err
    assert not Path("studies").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_studies_of_conf_run(name, command):
    status, out, err = command(f"study={name}", "people=200", "study.replications=1", "weeks=52", "burn_in=0")
    assert status == 0 and f"written to studies/{name}" in out, err
