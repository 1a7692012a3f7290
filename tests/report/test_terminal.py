"""A run that is finished is kept, however it looks, and wherever its words go."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from sim import __main__ as cli
from sim import panel
from sim.report import figures, hydra_task, streams, terminal
from sim.report.findings import TOO_FEW
from sim.report.result import ANSWER_FILES, FILES, TABLES
from tests.report.test_folders import PRESET, ROOT, SMALL

HERE = [*SMALL, "hydra.run.dir=out"]


# What is shown


TITLES = [
    "[/]",
    "[bold]x[/bold]",
    "[link=x]",
    "a $x_$ b",
    r"$\frac{",
    "5 $ or 6 $",
    r"\alpha ^_{}",
    ":key: :smile:",
    "&lt;<b>",
]
TITLES += ["one\ntwo\ttabs", "顧客 und Größe", "-" * 300, " ", "%s {0} %(x)d", "e\u0301\u202e\u200b"]


@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_data(title, command):
    text = json.dumps(title)
    Path("p/market/two.yaml").write_text(f"{PRESET}title: {text}\n", encoding="utf-8")
    status, out, err = command(*HERE)
    assert status == 0 and err.splitlines()[-1] == "simulating 4 weeks of 50 people ..."
    assert f"\n{streams.plain(title)}: 50 people" in out
    assert set(os.listdir("out")) == set(FILES)
    ElementTree.parse("out/stickiness.svg")


def test_a_title_that_would_rule_the_terminal_is_refused(command):
    Path("p/market/two.yaml").write_text(f"{PRESET}title: {json.dumps(chr(27) + '[31mred')}\n", encoding="utf-8")
    status, out, err = command(*HERE)
    assert (status, out) == (2, "") and "is no character of a text" in err and "\x1b" not in err


MARKETS = {
    "one firm": "firms: {a: {}}",
    "no purchase": "firms: {a: {}, b: {}}\nconsumer: {rate: 0.001}\npeople: 1",
    "few purchases": "firms: {a: {}, b: {}}\nconsumer: {rate: 0.001}\npeople: 300",
    "nobody uses one of them": "firms: {a: {}, b: {presence: 0.0001}}",
    "a window longer than what is lived of it": "firms: {a: {}, b: {}}\nweeks: 1\nwindow: 1",
    "an event in the first week": "firms: {a: {}, b: {}}\nscandals: {x: {firm: a, week: 0}}",
    "names that are long": f"firms: {{{'a' * 100}: {{}}, {'b' * 100}: {{}}}}",
    "names of the world": "firms: {größe: {}, 顧客: {}}",
    "one provider": "market: {regime: provider}\nfirms: {a: {}}",
    "many firms": f"firms: {{{', '.join(f'firm_{n}: {{}}' for n in range(40))}}}\npeople: 20",
}


@pytest.mark.parametrize("kind", MARKETS)
def test_a_market_of_which_little_is_known_is_drawn(kind, command):
    Path("p/market/two.yaml").write_text(f"# @package _global_\n{MARKETS[kind]}\n", encoding="utf-8")
    own = [word for word in SMALL if word.partition("=")[0] + ":" not in MARKETS[kind]]
    status, _, err = command(*own, "hydra.run.dir=out")
    assert status == 0 and len(err.splitlines()) == 1 + ("scandals" in MARKETS[kind]), err  # that of the answer
    assert set(os.listdir("out")) == set(FILES + ANSWER_FILES * ("scandals" in MARKETS[kind]))


def test_names_in_a_folder_and_in_a_sweep_are_data(command):
    status, out, _ = command(*SMALL, "-m", 'title="[/]","[red]b :key:"', 'hydra.sweep.dir="o[/]x"')
    assert status == 0 and "[red]b :key:" in out and "written to o[/]x" in out
    assert set(os.listdir("o[/]x/1")) == set(TABLES)


FAILING = {"figures.headline": "the figure", "print_run": "the table", "print_files": "its files"}


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.parametrize("error", [ValueError("NaN\nor Inf"), OSError(28, "No space left on device"), MemoryError()])
def test_what_cannot_be_shown_is_a_sentence_and_the_run_is_kept(name, error, command, monkeypatch):
    def failing(*args):
        raise error

    monkeypatch.setattr(figures if "." in name else hydra_task, name.rpartition(".")[2], failing)
    status, _, err = command(*HERE)
    reason = {"ValueError": "ValueError: NaN", "OSError": "No space left on device"}.get(type(error).__name__, "Memory")
    assert status == 0 and len(err.splitlines()) == 2
    assert err.splitlines()[1].startswith(f"{FAILING[name]} could not be shown ({reason}")
    assert "the run is kept in out: run.parquet" in err
    assert set(os.listdir("out")) == set(TABLES if "figure" in name else FILES)


def test_a_disk_that_is_full_for_the_figure_alone_keeps_the_run(command, monkeypatch):
    def full(figure, to, kind):
        Path(to).write_bytes(b"half")
        raise OSError(28, "No space left on device", str(to))

    monkeypatch.setattr(figures, "save", full)
    status, _, err = command(*HERE)
    assert status == 0 and err.splitlines()[1].startswith("the figure could not be shown (No space left on device)")
    assert set(os.listdir("out")) == set(TABLES)


# Where it is shown


class Broken(io.RawIOBase):
    """A stream that takes so many bytes, and then fails."""

    def __init__(self, error, left=0):
        self.error, self.left = error, left

    def writable(self):
        return True

    def write(self, data):
        self.left -= len(data)
        if self.left < 0:
            raise self.error
        return len(data)


PIPE, FULL = BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")


def stream(error=None, left=1 << 30, encoding="utf-8"):
    return io.TextIOWrapper(io.BufferedWriter(Broken(error, left)), encoding=encoding, line_buffering=True)


STREAMS = {
    "no stdout": (None, stream(), ""),
    "no stderr": (stream(), None, ""),
    "neither": (None, None, ""),
    "a reader that left at once": (stream(PIPE, 0), stream(), ""),
    "a reader that left": (stream(PIPE, 100), stream(), ""),
    "both readers left": (stream(PIPE, 0), stream(PIPE, 0), ""),
    "a full disk": (stream(FULL, 0), stream(), "the table"),
    "a full disk for stderr": (stream(), stream(FULL, 0), ""),
    "ASCII": (stream(encoding="ascii"), stream(encoding="ascii"), ""),
    "Latin-1": (stream(encoding="latin-1"), stream(encoding="latin-1"), ""),
    "cp437": (stream(encoding="cp437"), stream(encoding="cp437"), ""),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_that_takes_nothing_does_not_cost_the_run(kind, command, monkeypatch):
    out, err, said = STREAMS[kind]
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    told = []
    monkeypatch.setattr(hydra_task, "print_failures", lambda done, failed: told.append(" and ".join(failed)))
    monkeypatch.setattr(sys, "argv", ["stickiness", *HERE, 'title="Größe"'])
    assert cli.main() == 0
    assert told == ([said] if said else [])
    assert set(os.listdir("out")) == set(FILES)


@pytest.mark.parametrize("columns", ["", "abc", "0", "-5", "1", "40", "99999999999", "²", "1e3", " 80"])
def test_any_width_will_do(columns, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", columns)
    status, out, _ = command(*HERE)
    assert status == 0 and "\nb " in out and set(os.listdir("out")) == set(FILES)


@pytest.mark.parametrize(("width", "fit"), [(60, 1), (90, 2), (200, 3), (10, 1)])
def test_a_narrow_table_has_fewer_columns_and_whole_figures(width, fit):
    heads = ["at the worst\nweek 9", "after a quarter", "after a year"]
    cells = ["-39,000 [-90,000, -5,300]"] * 3
    grid, left_out = terminal.fitted("interval: 80 %", heads, [("would have come, but did not", cells)], width)
    assert left_out == heads[fit:] and len(grid.columns) == 1 + fit
    console = Console(width=max(width, 60))
    with console.capture() as text:
        console.print(grid)
    assert text.get().count(cells[0]) == fit


def test_what_an_encoding_lacks_is_spelled_out():
    with io.TextIOWrapper(io.BytesIO(), encoding="ascii") as ours, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", ours)
        with streams.streams():
            print("1 ±2 größe …")
        assert ours.buffer.getvalue() == b"1 +-2 gr\\xf6\\xdfe ...\n"


SHELL = {
    "{run} >&-": 0,
    "{run} 2>&-": 0,
    "{run} <&- >&- 2>&-": 0,
    "{run} >/dev/full": 0,
    "({run}; echo $? >status) | true": 0,
    "{sim} --help | true": 0,
    "{sim} fields >/dev/full": 2,
    "{sim} people=-1 2>&-": 2,
}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("line", SHELL)
def test_a_shell_may_close_anything(line, command, tmp_path):
    sim = f"{sys.executable} -m sim"
    words = line.format(sim=sim, run=f"{sim} {' '.join(HERE)}")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == SHELL[line] and "Traceback" not in done.stderr and "Exception" not in done.stderr
    if "run" in line:
        assert set(os.listdir("out")) == set(FILES)
    if "status" in line:
        assert Path("status").read_text() == "0\n"


def test_without_compiling_it_runs(command, tmp_path):
    env = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "1"}
    words = [sys.executable, "-m", "sim", *HERE, "people=5"]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert set(os.listdir("out")) == set(FILES)


# A panel


def test_in_a_pipe_a_brand_stays_in_one_row(command):
    names = [f"article_{n} " + "x" * 150 for n in range(3)] + ["[red]", ":key:", '"two\nlines"', "größe"]
    rows = [f"{h},{t},{names[(h * t + h // 7) % len(names)]}" for h in range(60) for t in range(3)]
    Path("p.csv").write_text("\n".join(["customer,week,brand", *rows]), encoding="utf-8")
    status, out, _ = command("panel=p.csv")
    assert status == 0
    for name in [*names[:5], "two lines", names[6]]:
        row = next(line for line in out.splitlines() if line.startswith(f" {name} "))
        assert "±" in row or TOO_FEW in row, name


def test_a_console_of_another_shows_names_too():
    from rich.console import Console

    drawn = io.StringIO()
    brands, y = ("[/]", "b"), [0, 1, 0, 1, 1, 0]
    import numpy as np

    made = panel.Panel(brands, np.arange(2), np.repeat([0, 1], 3), np.tile(np.arange(3.0), 2), np.array(y))
    panel.report(made, Console(file=drawn, width=150))
    assert "[/]" in drawn.getvalue()
