"""Sweeps of Hydra's: one table whatever the launcher, failures as rows, and collected afterwards."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import hydra
import pandas as pd
import pytest
from omegaconf import OmegaConf

from sim.engine import loop
from sim.report.collect import FAILED, SWEEP
from sim.report.result import TABLES
from sim.study.composition import remembered
from sim.study.presets import CONF, PRESET_GROUPS, _initialized, compose, forced
from tests.report.test_folders import SMALL

AXES = ["firms.a.quality=0,0.5", "seed=1,2"]
HERE = Path(__file__).parents[2]


def test_one_table_of_a_sweep(command):
    status, out, err = command(*SMALL, "-m", *AXES, "hydra.sweep.dir=out")
    table = pd.read_parquet("out/sweep.parquet")
    assert status == 0 and not err.count("failed") and "written to out: sweep.parquet" in out
    assert list(table.columns[:4]) == ["job", "firms.a.quality", "seed", "error"] and not table.error.any()
    assert table[["firms.a.quality", "seed"]].to_numpy().tolist() == [[0, 1], [0, 2], [0.5, 1], [0.5, 2]]
    one = pd.read_parquet("out/2/metrics.parquet").query("group == 'all' and firm == 'a' and metric == 'share'").iloc[0]
    assert table["share.a"][2] == one.value and table["share.a.error"][2] == one.error
    assert {p.name for p in Path("out/0").iterdir()} == set(TABLES)
    before = Path("out/sweep.parquet").read_bytes()
    assert command("collect", "out")[0] == 0 and Path("out/sweep.parquet").read_bytes() == before


def test_a_failed_run_is_a_row_and_the_others_are_made(command, monkeypatch):
    real = loop.simulate

    def fails(scenario, *arguments, **how):
        if scenario.seed == 1:
            raise ValueError("no such\nluck")
        return real(scenario, *arguments, **how)

    monkeypatch.setattr(loop, "simulate", fails)
    status, out, err = command(*SMALL, "-m", *AXES, "hydra.sweep.dir=out")
    table = pd.read_parquet("out/sweep.parquet")
    assert status == 1 and "out/0 failed: no such" in err and "failed" in out and "Traceback" not in err
    assert table.error.tolist() == ["ValueError: no such\nluck", "", "ValueError: no such\nluck", ""]
    assert table["share.a"].notna().tolist() == [False, True, False, True]
    assert [p.name for p in Path("out/0").iterdir()] == [FAILED]
    monkeypatch.setattr(loop, "simulate", lambda *a, **k: 1 / 0)
    assert command(*SMALL, "-m", "seed=1,2", "hydra.sweep.dir=none")[0] == 1
    assert pd.read_parquet("none/sweep.parquet").error.str.startswith("ZeroDivisionError").all()


def test_a_sweep_that_was_stopped_is_collected(command):
    command(*SMALL, "-m", "seed=1,2,3,11,12,13,14,15,16,17,18", "hydra.sweep.dir=out")
    shutil.rmtree("out/1")
    Path("out", SWEEP).unlink()
    status, out, _ = command("collect", "out")
    assert status == 0 and "written to out" in out
    assert pd.read_parquet("out/sweep.parquet").job.tolist() == ["0", *map(str, range(2, 11))], "2 before 10"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "collect: needs the folder of one sweep"),
        (["a", "b"], "collect: needs the folder of one sweep"),
        (["nowhere"], "collect: nowhere is no folder"),
        (["empty"], "empty: no runs of a sweep are in it"),
        (["taken"], "taken/sweep.parquet: is there already and is not the table of a sweep"),
        (["damaged"], "damaged/0/failed.json: damaged"),
    ],
)
def test_what_cannot_be_collected_is_said(words, sentence, command):
    for name in ("empty", "taken/0", "damaged/0"):
        Path(name).mkdir(parents=True)
    Path("taken/0", FAILED).write_text('{"overrides": ["seed=1"], "error": "no"}')
    Path("taken", SWEEP).write_text("mine")
    Path("damaged/0", FAILED).write_text("{")
    status, out, err = command("collect", *words)
    assert status == 2 and not out and sentence in err and "Traceback" not in err
    assert Path("taken", SWEEP).read_text() == "mine"


LAUNCHERS = {"joblib": ("hydra_plugins.hydra_joblib_launcher", ["hydra.launcher.n_jobs=2"])}
LAUNCHERS["submitit_local"] = ("hydra_plugins.hydra_submitit_launcher", ["hydra.launcher.timeout_min=5"])
LAUNCHERS["ray"] = ("hydra_plugins.hydra_ray_launcher", [])


def _is_there(module):
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_table_is_the_same_whatever_the_launcher(launcher, command, tmp_path):
    module, settings = LAUNCHERS[launcher]
    if not _is_there(module):
        pytest.skip(f"{module} is not installed (pip install -e '.[launchers]')")
    assert command(*SMALL, "-m", *AXES, "hydra.sweep.dir=basic")[0] == 0
    words = [*SMALL, "-m", *AXES, "hydra.sweep.dir=other", f"hydra/launcher={launcher}", *settings]
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    line = [sys.executable, "-m", "sim", *words]
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    pd.testing.assert_frame_equal(*(pd.read_parquet(f"{name}/sweep.parquet") for name in ("other", "basic")))
    assert "written to other: sweep.parquet" in done.stdout


@pytest.mark.parametrize(
    "overrides",
    [
        ["people=500", "firms.colgate.quality=0.5"],
        ["market=bank", "scandal=data_breach", "people=500", "scandals.data_breach.week=3"],
        ["+firm@firms.newcomer=discounter", "firms.newcomer.share=0.04", "seed=3"],
        ["~firms.boots", "people=3"],
        ["people=3", 'title="a, b"', "hydra.job.name=x"],
    ],
)
def test_presets_composed_once_give_what_hydra_gives(overrides):
    overrides = [forced(o) for o in overrides]
    with _initialized():
        plain = hydra.compose("config", overrides, return_hydra_config=True)
        with remembered(PRESET_GROUPS):
            for _ in range(2):
                again = hydra.compose("config", overrides, return_hydra_config=True)
                assert OmegaConf.to_yaml(again) == OmegaConf.to_yaml(plain)
    with remembered(PRESET_GROUPS):
        assert compose(overrides) == compose(overrides) == compose(overrides)
    assert CONF.is_dir()
