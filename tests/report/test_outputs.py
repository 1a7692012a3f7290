"""Every output that is asked for in a place that cannot be written is refused before anything is run."""

import os

import pytest

from sim.report import hydra_task
from sim.study import priors

SMALL = ("people=300", "weeks=30", "window=13")
EVENT = (*SMALL, "scandal=moral_scandal")
BELOW_A_FILE = {
    "report": (*EVENT, "report=file/x.html"),
    "countermeasures": ("countermeasures", *EVENT, "out=file/x"),
    "hydra.run.dir": (*EVENT, "hydra.run.dir=file/x"),
    "sweep": ("-m", *SMALL, "seed=1,2", "hydra.sweep.dir=file/x"),
    "study": ("study=price_ladder", *SMALL, "study.folder=file/x"),
    "sample": ("sample", "file/x.csv"),
    "truth": ("sample", "fine.csv", "truth=file/x.csv"),
    "calibrate": ("calibrate", "panel=none.csv", "out=file/x"),
    "predict": ("predict", "market=none", "panel=none.csv", "out=file/x.csv"),
    "simulate": ("simulate", "market=none", "panel=none.csv", "out=file/x.csv"),
    "odd": ("odd", "file/x.md"),
    "forecast": ("forecast", "cases.yaml", "file/x.csv"),
    "panel.out": ("panel=none.csv", "panel.out=file/x"),
    "new": ("scandal=new", "scandal.kind=data", "report=file/x.html"),
}


@pytest.mark.parametrize("words", BELOW_A_FILE.values(), ids=BELOW_A_FILE)
def test_below_a_file_nothing_is_run(command, tmp_path, monkeypatch, words):
    (tmp_path / "file").touch()
    (tmp_path / "cases.yaml").write_text("- {id: mine, regime: provider, kind: data}")
    monkeypatch.setattr(hydra_task, "_simulated", lambda *_: pytest.fail("run"))
    before = sorted(p.name for p in tmp_path.iterdir())
    status, _, said = command(*words)
    assert status == 2 and "file" in said and "Traceback" not in said and len(said.splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_report_does_not_go_into_a_folder_that_takes_no_files(command, monkeypatch):
    monkeypatch.setattr(hydra_task, "_simulated", lambda *_: pytest.fail("run"))
    if os.access("/proc/1", os.F_OK):
        status, _, said = command(*EVENT, "report=/proc/x.html")
        assert status == 2 and "report: /proc/x.html cannot be written: /proc takes no files" in said


def test_a_file_study_csv_of_the_user_stays(command, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "study.csv").write_text("diary")
    status, _, said = command("study=price_ladder", *SMALL, "study.folder=mine")
    assert status == 2 and "study.csv: is there already" in said
    assert (tmp_path / "mine" / "study.csv").read_text() == "diary"


def test_priors_that_cannot_be_are_refused_before_the_run(command, tmp_path, monkeypatch):
    def wrong():
        path = tmp_path / "priors.yaml"
        path.write_text("priors: {consumer.voice: {law: normal, p10: 2, p50: 1, p90: 3, basis: judgment}}")
        return priors.load(path)

    monkeypatch.setattr(priors, "shipped", wrong)
    monkeypatch.setattr(hydra_task, "_simulated", lambda *_: pytest.fail("run"))
    status, _, said = command(*EVENT)
    assert status == 2 and said == "consumer.voice: P10 (2), P50 (1) and P90 (3) do not rise\n"
    assert not (tmp_path / "outputs").exists()
