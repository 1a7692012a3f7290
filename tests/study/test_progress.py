"""How far a study is: a bar in a terminal, a line in a notebook, nothing in a pipe."""

import io
import sys
from types import SimpleNamespace

import pytest

from sim import study
from sim.study import progress as progress_module
from tests.markets import market

SMALL = {"people": 200, "weeks": 13}
QUALITY = {"firms.f0.quality": [0.0, 0.5, 1.0]}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "quiet"), [(Terminal, False), (Terminal, True), (io.StringIO, False)])
def test_a_terminal_has_a_bar_with_the_time_left(monkeypatch, stream, quiet):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream())
    study.run(market(SMALL), QUALITY, workers=1, quiet=quiet)
    said = sys.stderr.getvalue()
    if quiet or stream is io.StringIO:
        assert said == ""
    else:
        assert "runs" in said and "3/3" in said and "left" in said


def test_a_notebook_has_a_line_that_is_written_over(monkeypatch):
    lines = []

    def display(content, raw, display_id):
        assert raw and display_id and content == {"text/plain": ""}
        return SimpleNamespace(update=lambda shown, raw: lines.append(shown["text/plain"]))

    monkeypatch.setattr(progress_module, "_in_notebook", lambda: True)
    monkeypatch.setattr(progress_module, "EVERY", 0.0)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    study.run(market(SMALL), QUALITY, workers=1)
    assert lines[-1] == "3 of 3 runs" and lines[0].startswith("1 of 3 runs, ") and lines[0].endswith(" left")
