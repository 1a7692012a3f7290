"""What the tests of the command line share."""

import sys
from pathlib import Path

import pytest

from sim import __main__ as cli
from tests.report.test_folders import PRESET


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Call `python -m sim ARGUMENTS` with a market `two`: exit status, stdout, stderr."""
    (tmp_path / "p" / "market").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    Path("p/market/two.yaml").write_text(PRESET)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["stickiness", *arguments])
        status = cli.main()
        return status, *capsys.readouterr()

    return call
