"""Every command, file and cell that the pages of docs/ show is run, on few people; README.md has its own test."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from sim.casebook.question import asked
from sim.report.flags import ordered

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in (ROOT / "docs").rglob("*.md") if not {"_build", "generated"} & set(p.parts))
MADE = {"gallery", "unknown", "api", "fields", "commands"}  # written by code when the site is built
ELSEWHERE = {"own_data": ROOT / "tests/calibration/test_howto.py"}  # its commands build on one another
PAGES = [p for p in PAGES if p.stem not in MADE]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (my_presets/[\w/]+\.yaml)\n(.*)", re.DOTALL)
WITHOUT_PEOPLE = ("--help", "panel=", "fields", "odd", "page", "sample", "calibrate")

# What is too dear, or needs what is not here: read, and its config composed, but not run. And why.
COMPOSED = {
    "scandal=new": "draws a scandal on a grid of runs; tests/test_casebook.py does",
    "countermeasures": "simulates every row; tests/report/test_countermeasures.py does, and the tutorial",
    "study=price_ladder": "toothpaste; tests/study and study=options run a study",
    "hydra/launcher=joblib": "needs the extra `launchers`; tests/report/test_flags.py reads the flag",
}
SMALLER = (("people=1000", "people=200"), ("replications=3", "replications=2"))
NEEDS = {"sim.cluster": "ray"}  # what an example uses -> the package of an extra


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of one kind on a page."""
    return [text for found, text in BLOCK.findall(page.read_text(encoding="utf-8")) if found == kind]


def commands(page: Path) -> list[str]:
    """The command lines on a page."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


ALL = [(page, line) for page in PAGES if page.stem not in ELSEWHERE for line in commands(page)]
SHOWN = list({line: (page, line) for page, line in reversed(ALL)}.values())[::-1]  # each once
SCRIPTS = [page for page in PAGES if blocks(page, "python")]


def files(page: Path, folder: Path) -> None:
    """Write the files that a page shows."""
    for block in blocks(page, "yaml"):
        name, text = FILE.fullmatch(block).groups()
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_every_page_shows_only_kinds_that_are_run():
    kinds = {kind for page in PAGES for kind, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert kinds == {"sh", "python", "yaml", "text"} and len(SHOWN) > 15


@pytest.mark.slow
@pytest.mark.parametrize(("page", "line"), SHOWN, ids=lambda v: getattr(v, "stem", v))
def test_a_command_line_runs(page, line, tmp_path, run):
    files(page, tmp_path)
    program, *words = shlex.split(line)
    assert program == "stickiness", f"{line}: not tested, so not shown"
    why = next((why for part, why in COMPOSED.items() if part in words), "")
    if why:
        words = asked(words).others if "scandal=new" in words else words
        alone = ("-m", "countermeasures", "hydra/", "study", "scandal=new")  # none of the scenario itself
        words = [re.sub(r"=([^,]+),.*", r"=\1", word) for word in words if not word.startswith(alone)]
        assert run([*ordered(words), "--cfg", "job"]).startswith("title:"), why
        return
    if not words[0].startswith(WITHOUT_PEOPLE):
        words += ["people=300", *["worlds=2"] * any("scandal" in word for word in words if "-m" not in words)]
    assert run(words).strip()


@pytest.mark.slow
@pytest.mark.parametrize("page", SCRIPTS, ids=lambda p: p.stem)
def test_the_python_of_a_page_runs(page, tmp_path):
    code = []
    for block in blocks(page, "python"):
        if not any(use in block and find_spec(package) is None for use, package in NEEDS.items()):
            for large, small in SMALLER:
                block = block.replace(large, small)
            code.append(block)
    script = tmp_path / "page.py"
    script.write_text("\n".join(code), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_is_run_elsewhere_is_named_there():
    assert all(f"{name}.md" in path.read_text(encoding="utf-8") for name, path in ELSEWHERE.items())


def test_every_file_that_is_named_is_there():
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    missing = []
    for page, text in texts.items():
        named = re.findall(r"[(`]((?:conf|sim|experiments|tests)/[\w./]+\w|(?:conf|sim)/[\w/]+/)[`)]", text)
        missing += [f"{page.name}: {name}" for name in named if not (ROOT / name).exists()]
        modules = re.findall(r"python -m ((?:experiments|docs)[\w.]+)", text)
        paths = [(name, ROOT / (name.replace(".", "/") + ".py")) for name in modules if not name.endswith("NAME")]
        missing += [f"{page.name}: {name}" for name, path in paths if not path.exists()]
    assert not missing
