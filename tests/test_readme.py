"""What README.md shows is run or checked: its command lines, on few people, and every number in it."""

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from docs.pages.gallery import made
from sim.facts.classes import EMERGENT, HELD_OUT
from sim.facts.record import found
from sim.facts.scoreboard import HOLDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.partition("  #")[0].strip()
    for kind, block in BLOCKS
    for line in block.splitlines()
    if kind == "sh" and line.startswith("stickiness")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_line_runs(command, run, tmp_path):
    words = shlex.split(command)[1:]
    if words[0].startswith("panel="):
        run(["sample", words[0].removeprefix("panel="), "people=300"])
    else:
        words += ["people=300", *["worlds=2"] * ("scandal" in command)]
    assert run(words).strip()
    assert all((tmp_path / word.removeprefix("report=")).stat().st_size for word in words if "report=" in word)


def test_it_is_one_screen():
    assert len(README.splitlines()) <= 80 and {kind for kind, _ in BLOCKS} == {"sh"} and len(COMMANDS) >= 5


def test_the_effect_is_the_one_of_the_figure():
    [finding] = made()["what_it_cost"]["finding"]
    size, span = re.search(
        r"cost Bud light ([\d.]+ %) of its customers \((95 %, dice only: [\d.]+ to [\d.]+)\)", finding
    ).groups()
    assert f"cost Bud Light {size} of its customers at the worst ({span})" in " ".join(README.split())


def test_what_holds_is_what_was_found():
    count = Counter((row.kind, row.verdict == HOLDS) for row in found().values())
    said = {kind: f"{count[kind, True]} of {count[kind, True] + count[kind, False]}" for kind in (EMERGENT, HELD_OUT)}
    text = " ".join(README.split())
    assert f"{said[EMERGENT]} that nothing was fitted to emerge" in text
    assert f"{said[HELD_OUT]} held-out predictions survive" in text


def test_the_numbers_that_matter_are_those_that_were_found():
    said = [f for f in made()["what_matters"]["finding"] if ", morris: " in f]
    first = {f.split(", ")[0]: re.search(r"morris: (\S+) ", f)[1] for f in said}
    numbers = {re.search(r"of (\d+) numbers", f)[1] for f in said}
    text = " ".join(README.split())
    assert f"Of {', '.join(numbers)} numbers of a market of banks few matter" in text
    assert re.findall(r"`(\w+\.\w+)`", text[text.index("few matter") :])[:2] == [
        first["stickiness"],
        first["loss after a breach"],
    ]


def test_every_file_that_is_named_is_there():
    named = set(re.findall(r"[(`]((?:conf|sim|experiments|tests|docs)/[\w./]+)[`)]", README))
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert len(named) > 10 and not missing


def test_versions_of_python_are_those_that_are_supported():
    supported = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert supported
    named = {int(minor) for minor in re.findall(r"3\.(1\d)", README)}
    assert named == set(range(int(supported[1]), int(supported[2])))
