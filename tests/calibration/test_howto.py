"""docs/howto/own_data.md: every command in it is run, in its order, with a short sampler and few people."""

import re
import shlex
from pathlib import Path

from sim.__main__ import command
from tests.calibration.test_habit import EXPERIMENTS, experiments  # noqa: F401

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "own_data.md"
FEW = {"sample": ("people=60",), "market": ("people=200", "weeks=104", "hydra.run.dir=run{n}")}


def commands():
    text = PAGE.read_text(encoding="utf-8")
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def test_every_command_of_the_page_runs(tiny, experiments, tmp_path, monkeypatch, capsys):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    lines = commands()
    assert len(lines) >= 11
    for n, line in enumerate(lines):
        program, *words = shlex.split(line)
        if program == "python":
            from experiments import is_it_habit

            assert (EXPERIMENTS.parent / words[0]).exists()
            assert is_it_habit.main(words[1], words[2:])
            continue
        assert program == "stickiness"
        few = FEW.get(words[0].partition("=")[0], ())
        assert command([*words, *(word.format(n=n) for word in few)]) == 0, line
    capsys.readouterr()
    there = {p.name for p in tmp_path.iterdir()}
    assert {"purchases.csv", "my_market", "chances.csv", "long.csv", "people.csv", "rfm.csv"} <= there
    page = PAGE.read_text(encoding="utf-8")
    assert all(p.name in page for p in (tmp_path / "my_market").iterdir() if p.name != "calendar.csv")


def test_the_formats_of_the_page_are_those_that_there_are():
    from sim.panel.formats import FORMATS

    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {name: made.columns for name, made in FORMATS.items()}
