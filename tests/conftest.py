"""Marks as slow the tests that took more than 5 s of CPU when they were last measured (`pytest --measure`)."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim import __main__ as cli

LIST, MOST = Path(__file__).with_name("slow.txt"), 5.0  # seconds of CPU, processes that a test starts included
took: dict[str, float] = {}


def name_of(item: pytest.Item) -> str:
    """File and function of a test, whatever its parameters and the folder."""
    return f"{item.path.name}::{getattr(item, 'originalname', item.name)}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--measure", action="store_true", help=f"write which tests take more than {MOST:g} s of CPU")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = set(LIST.read_text(encoding="utf-8").split())
    for item in items:
        if name_of(item) in slow:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    before = sum(os.times()[:4])
    result = yield
    took[name_of(item)] = max(took.get(name_of(item), 0.0), sum(os.times()[:4]) - before)
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--measure"):
        known = set(LIST.read_text(encoding="utf-8").split()) - set(took)
        slow = known | {name for name, seconds in took.items() if seconds > MOST}
        LIST.write_text("".join(f"{name}\n" for name in sorted(slow)), encoding="utf-8")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command line in an empty folder; gives what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(words: list[str]) -> str:
        monkeypatch.setattr(sys, "argv", ["stickiness", *words])
        status = cli.main()
        out, err = capsys.readouterr()
        assert status == 0, out + err
        return out

    return run
