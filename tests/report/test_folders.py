"""Nothing of the user's is removed or overwritten: by a run that is refused, fails, is stopped, or comes second."""

import os
import signal
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import pytest

from sim import __main__ as cli
from sim import panel
from sim.engine import loop
from sim.report import hydra_task, signals
from sim.report.result import FILES, TABLES
from sim.study import answer, store

ROOT = Path(__file__).parents[2]
PRESET = "# @package _global_\nfirms: {a: {}, b: {}}\n"  # no shares: no presence to be solved
SMALL = ["--config-dir", "p", "market=two", "people=50", "weeks=4", "window=4", "burn_in=0"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's folder, with empty folders, links and files in it; we are in home/here."""
    (tmp_path / "home" / "here" / "p" / "market").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home" / "here")
    Path("p/market/two.yaml").write_text(PRESET)
    for folder in ("empty", "full", "../there/deep"):
        Path(folder).mkdir(parents=True)
    Path("full/mine.txt").write_text("mine")
    Path("link").symlink_to("empty")
    Path("elsewhere").symlink_to("../there/deep")
    return tmp_path / "home"


@pytest.fixture
def command(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["stickiness", *arguments])
        status = cli.main()
        return status, *capsys.readouterr()

    return call


def tree(folder):
    """Everything below a folder: its kind, and of a file what is in it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else path.read_bytes()
        found[str(path.relative_to(folder))] = kind
    return found


RUNS = ["new", "new/er/est", "empty", "empty/new", "full", "full/new", "link", "link/new", "elsewhere/new", ".", ".."]
RUNS += ["nowhere/../new", "../../home/here/empty/new", "./empty//new/"]
PLACES = [[f"hydra.run.dir={folder}"] for folder in RUNS]
PLACES += [["-m", "seed=1,2", f"hydra.sweep.dir={folder}"] for folder in RUNS]
PLACES += [["hydra.run.dir=full", "hydra.output_subdir=.hydra"], ["hydra.run.dir=new", "hydra.output_subdir=a/b"]]
PLACES += [["hydra.run.dir=full", "hydra/job_logging=default"], ["hydra.run.dir=new", "hydra/job_logging=default"]]
PLACES += [["-m", "seed=1,2", "hydra.sweep.dir=full", "hydra.output_subdir=.hydra", "hydra/job_logging=default"]]
PLACES += [["-m", "seed=1,2", "hydra.sweep.dir=full", "hydra.sweep.subdir=x/${hydra.job.num}"], []]
PLACES += [["hydra.run.dir=new", "hydra.job.chdir=true"], ["-m", "seed=1,2", "hydra.job.chdir=true"]]


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_a_run_that_is_refused_leaves_every_folder_as_it_was(place, home, command):
    before = tree(home)
    status, out, err = command(*SMALL, *place, "firms.a.price=-1")
    assert status == 2 and not out and err.startswith("firms.a.price: -1 is outside"), err
    assert tree(home) == before


ERRORS = [OSError(28, "No space left on device"), signals.Stopped(signal.SIGTERM)]


@pytest.mark.parametrize(("place", "error"), list(zip(PLACES, cycle(ERRORS), strict=False)), ids=str)
def test_a_run_that_fails_takes_back_what_it_made_and_nothing_else(place, error, home, command, monkeypatch):
    def failing(*args, **kwargs):
        raise error

    before = tree(home)
    monkeypatch.setattr(loop, "simulate", failing)
    status, _, err = command(*SMALL, *place)
    assert status == (2 if isinstance(error, OSError) else 128 + signal.SIGTERM) and "Traceback" not in err
    assert tree(home) == before


def test_runs_that_finished_before_the_sweep_was_stopped_are_kept(home, command, monkeypatch):
    simulate = loop.simulate

    def stopped(scenario, **kwargs):
        if scenario.seed == 2:
            raise KeyboardInterrupt
        return simulate(scenario, **kwargs)

    monkeypatch.setattr(loop, "simulate", stopped)
    status, _, err = command(*SMALL, "-m", "seed=1,2", "hydra.sweep.dir=full")
    assert status == 130 and err.splitlines()[-1] == "stopped; what was finished is kept in full/0"
    assert set(os.listdir("full")) == {"mine.txt", "multirun.yaml", "0"} and set(os.listdir("full/0")) == set(TABLES)


def take(name, kind):
    if kind == "file":
        Path("full", name).write_text("mine")
    elif kind == "folder":
        Path("full", name).mkdir()
    else:
        Path("full", name).symlink_to("nowhere")


@pytest.mark.parametrize("kind", ["file", "folder", "link to nowhere"])
@pytest.mark.parametrize("name", FILES)
def test_a_run_is_refused_where_a_name_of_its_files_is_taken(name, kind, home, command, monkeypatch):
    monkeypatch.setattr(loop, "simulate", None)  # it is not lived
    take(name, kind)
    before = tree(home)
    status, out, err = command(*SMALL, "hydra.run.dir=full")
    assert (status, out) == (2, "")
    assert err == f"hydra.run.dir: full already holds {name}, which would be overwritten; choose another folder\n"
    assert tree(home) == before


@pytest.mark.parametrize(
    ("taken", "place"),
    [
        ("multirun.yaml", ["-m", "seed=1,2", "hydra.sweep.dir=full"]),
        ("0/run.parquet", ["-m", "seed=1,2", "hydra.sweep.dir=full"]),
        ("1/.hydra/config.yaml", ["-m", "seed=1,2", "hydra.sweep.dir=full", "hydra.output_subdir=.hydra"]),
        ("x/metrics.csv", ["-m", "seed=1,2", "hydra.sweep.dir=full", "hydra.sweep.subdir=x"]),
        (".hydra/overrides.yaml", ["hydra.run.dir=full", "hydra.output_subdir=.hydra"]),
    ],
)
def test_what_hydra_or_a_sweep_would_overwrite_is_refused(taken, place, home, command):
    Path("full", taken).parent.mkdir(parents=True, exist_ok=True)
    Path("full", taken).write_text("mine")
    before = tree(home)
    status, _, err = command(*SMALL, *place)
    assert status == 2 and taken.rpartition("/")[2] in err and "would be overwritten" in err and len(err) < 250
    assert tree(home) == before


@pytest.mark.parametrize("place", ["hydra.run.dir=elsewhere/../x", "-m hydra.sweep.dir=elsewhere/../x seed=1"])
def test_a_way_back_over_a_link_is_refused(place, home, command):
    before = tree(home)
    status, _, err = command(*SMALL, *place.split())
    assert status == 2 and err.endswith(f"elsewhere/../x goes back over a link; give it as {home}/there/x\n")
    assert tree(home) == before


def test_all_that_is_wrong_is_said_at_once(home, command):
    take("run.parquet", "file")
    _, _, err = command(*SMALL, "hydra.run.dir=full", "firms.a.price=-1", "seed=-1")
    assert err.startswith("3 things are wrong:") and "already holds run.parquet" in err


@pytest.mark.parametrize("name", ["run.parquet", "metrics.csv"])
def test_the_second_of_two_runs_in_one_folder_is_kept_beside_the_first(name, home, command, monkeypatch):
    def meanwhile(run):
        Path("full", name).write_text("of another run")
        return table(run)

    table = loop.Run.table
    monkeypatch.setattr(loop.Run, "table", meanwhile)
    status, out, _ = command(*SMALL, "hydra.run.dir=full")
    assert status == 0 and "written to full/run-2: run.parquet" in out
    assert set(os.listdir("full")) == {"mine.txt", name, "run-2"} and set(os.listdir("full/run-2")) == set(FILES)
    assert Path("full", name).read_text() == "of another run"
    assert store.load("full/run-2/run.parquet").scenario.people == 50


def test_a_stop_while_the_run_is_told_keeps_it(home, command, monkeypatch):
    def stopped(*args):
        raise signals.Stopped(signal.SIGINT)

    monkeypatch.setattr(answer, "run_together", stopped)
    status, _, err = command(*SMALL, "+scandals.leak={firm: a, week: 1}", "hydra.run.dir=new")
    assert status == 130 and err.endswith("stopped; what was finished is kept in new\n")
    assert "the run is kept in new; now with and without its events, 4 weeks of 50 people ..." in err
    assert set(os.listdir("new")) == set(TABLES)


def test_a_stop_after_the_run_is_kept_says_where_it_is(home, command, monkeypatch):
    def stopped(done):
        raise signals.Stopped(signal.SIGINT)

    monkeypatch.setattr(hydra_task, "print_run", stopped)
    status, _, err = command(*SMALL, "hydra.run.dir=new")
    assert status == 130 and err.endswith("stopped; what was finished is kept in new\n")
    assert set(os.listdir("new")) == {"run.parquet", "metrics.parquet", "metrics.csv"}


# Single files


TAKEN = {"file": "full/mine.txt", "folder": "empty", "link": "link", "to nowhere": "dangling", "device": os.devnull}


@pytest.mark.parametrize("word", ["sample", "odd"])
@pytest.mark.parametrize("kind", TAKEN)
def test_a_file_that_is_there_is_not_replaced(kind, word, home, command, monkeypatch):
    monkeypatch.setattr(panel, "simulated", None)  # nothing is lived
    Path("dangling").symlink_to("nowhere")
    before = tree(home)
    assert command(word, TAKEN[kind]) == (2, "", f"{TAKEN[kind]}: is there already; choose another name\n")
    assert tree(home) == before


def test_a_file_that_appears_meanwhile_is_not_replaced(home, command, monkeypatch):
    def meanwhile(scenario):
        Path("x.csv").write_text("mine")
        return simulated(panel.small(scenario, households=30, weeks=4))

    simulated = panel.simulated
    monkeypatch.setattr(panel, "simulated", meanwhile)
    status, _, err = command("sample", "x.csv", "weeks=4", "window=4", "burn_in=0")
    assert (status, err) == (2, "x.csv: is there already; nothing is overwritten, name another file\n")
    assert Path("x.csv").read_text() == "mine"


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_replaces_nothing_and_is_whole_or_not_there(links, tmp_path, monkeypatch):
    def unable(*args):
        raise PermissionError(1, "Operation not permitted")

    if not links:  # as on a FAT disk
        monkeypatch.setattr(os, "link", unable)
    assert store.write_atomic(tmp_path / "a", b"ours", new=True).read_bytes() == b"ours"
    with pytest.raises(FileExistsError):
        store.write_atomic(tmp_path / "a", b"again", new=True)
    with pytest.raises(ZeroDivisionError):
        store.write_atomic(tmp_path / "b", lambda file: file.write(b"half" * (1 // 0)), new=True)
    assert tree(tmp_path) == {"a": b"ours"}


# Signals


@pytest.fixture
def usual_signals():
    """Signals as a fresh Python has them, whatever the runner or an earlier test (Ray's) made of them."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, signal.SIG_DFL if handler is None else handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_waits_for_what_is_not_to_be_divided(number, usual_signals):
    done = []
    with signals.stoppable():
        with pytest.raises(signals.Stopped) as stop, signals.undivided(), signals.undivided():
            os.kill(os.getpid(), number)
            done.append("whole")
        assert done == ["whole"] and stop.value.number == number
        with pytest.raises(signals.Stopped):  # it was asked for, wherever the first one was lost
            signals.check()
    signals.check()


def test_a_signal_that_is_ignored_or_handled_stays_so(usual_signals):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with signals.stoppable():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("number", "after"), [(signal.SIGTERM, 0.0), (signal.SIGINT, 0.7), (signal.SIGTERM, 2.5)])
def test_a_signal_in_a_whole_process_leaves_every_folder_as_it_was(number, after, home):
    before = tree(home)
    words = [*SMALL, "people=200000", "weeks=5000", "window=10", "hydra.run.dir=empty/new"]
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        stdout=-1,
        stderr=-1,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while "simulating" not in running.stderr.readline():
        assert running.poll() is None
    time.sleep(after)
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (128 + number, "stopped; the unfinished run was not written\n")
    assert tree(home) == before
