"""What README.md shows is run: its Python, and its command lines that are cheap, on few people."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.partition("  #")[0].strip()
    for kind, block in BLOCKS
    for line in block.splitlines()
    if kind == "sh" and line.startswith("stickiness")
]
WITHOUT_PEOPLE = ("--help", "panel=", "page", "odd", "fields", "sample")
NEEDS = {"sim.cluster": "ray"}  # what an example uses -> the package of an extra


def small(command: str) -> list[str]:
    """The words of a command, on few people where it simulates."""
    words = shlex.split(command)[1:]
    if words[0].startswith(WITHOUT_PEOPLE):
        return words
    return [*(w for w in words if not w.startswith("people=")), "people=300"]


def run(words: list[str], folder: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "sim", *words]
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_line_runs(command, tmp_path):
    if command == "stickiness page":
        pytest.skip("serves until it is stopped; tests/page/test_browser.py starts it")
    if ".share=" in command:
        pytest.skip(
            "solves presence for other shares, which takes minutes; tests/study/test_calibrate_shares.py does it small"
        )
    if "panel=my_purchases.csv" in command:
        run(["sample", "my_purchases.csv", "people=300"], tmp_path)
    assert run(small(command), tmp_path).strip()


@pytest.mark.slow
def test_the_python_examples_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    examples = [block for kind, block in BLOCKS if kind == "python"]
    assert len(examples) >= 3
    for example in examples:
        if any(use in example and find_spec(package) is None for use, package in NEEDS.items()):
            continue
        code = example.replace("people=5000", "people=500").replace("people=1000", "people=100")
        exec(compile(code.replace("shards=4", "shards=2"), "README.md", "exec"), names)


def test_every_file_that_is_named_is_there():
    named = set(re.findall(r"[(`]((?:conf|sim|experiments|tests)/[\w./]+)[`)]", README))
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert named and not missing


def test_versions_of_python_are_those_that_are_supported():
    supported = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert supported
    named = {int(minor) for minor in re.findall(r"3\.(1\d)", README.partition("## Read it")[0])}
    assert named == set(range(int(supported[1]), int(supported[2])))
