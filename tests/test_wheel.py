"""The wheel carries its conf/ and works from any folder."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_conf_travels_whole(installed):
    ours = {p.relative_to(ROOT / "conf") for p in (ROOT / "conf").rglob("*.yaml")}
    assert {p.relative_to(installed / "sim" / "conf") for p in (installed / "sim" / "conf").rglob("*.yaml")} == ours


def test_presence_as_solved_travels_too(installed):
    ours, theirs = ((folder / "sim" / "study" / "presence.json").read_bytes() for folder in (ROOT, installed))
    assert ours == theirs


def test_it_runs_from_anywhere(installed, tmp_path):
    # in a process of its own, where the checkout is not on the path
    env = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    line = [sys.executable, "-m", "sim", "people=300", "weeks=26", "market=bank", "window=13", "hydra.run.dir=out"]
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "lloyds" in done.stdout and (tmp_path / "out" / "run.parquet").exists()
    where = subprocess.run(
        [sys.executable, "-c", "import sim; print(sim.__file__)"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert str(installed) in where.stdout
    described = subprocess.run([*line[:3], "odd"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert "systematic_utility" in described.stdout, described.stderr


def test_the_console_script_is_the_module(installed):
    points = next(installed.glob("*.dist-info/entry_points.txt")).read_text()
    assert "stickiness = sim.__main__:main" in points


def test_types_travel(installed):
    assert (installed / "sim" / "py.typed").exists()


def test_versions_agree():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert str(cited) == stated


def test_the_sdist_holds_what_the_readme_names(tmp_path):
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        inside = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff", "LICENSE", "conf/config.yaml"]
    assert not [name for name in wanted if name not in inside]
