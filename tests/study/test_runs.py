"""A study: the same draws in every arm, failures as rows, resumed to the same bytes whoever does the work."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim import study
from sim.measure.groups import groups
from sim.model.declare import ScenarioError
from sim.model.scenario import change, to_dict
from sim.study import pools, runs, store, work
from sim.study.simulation import simulate
from tests.markets import market

AXES = {"firms.f0.quality": [0.0, 1.0], "consumer.habit_weight": [0.0, 0.8]}
QUALITY = {"firms.f0.quality": [0.0, 1.0]}
HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def base():
    return market({"people": 500, "weeks": 26, "replications": 3})


@pytest.fixture(scope="module")
def table(base):
    return study.run(base, AXES, quiet=True)


def again(base, folder, design=QUALITY, **how):
    return study.run(base, design, folder=folder, **{"workers": 1, "quiet": True} | how)


def counting(monkeypatch):
    simulated, real = [], work.simulate
    monkeypatch.setattr(work, "simulate", lambda *a, **k: simulated.append(a) or real(*a, **k))
    return simulated


def stopped(base, folder, monkeypatch, after, design=QUALITY, **how):
    """A study that is stopped after so many runs."""
    simulated = []

    def until(*arguments, **named):
        simulated.append(1)
        if len(simulated) > after:
            raise KeyboardInterrupt
        return simulate(*arguments, **named)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(work, "simulate", until)
        again(base, folder, design, **how)


def test_a_row_a_run(table):
    assert len(table) == 2 * 2 * 3
    assert table[["firms.f0.quality", "consumer.habit_weight", "replication"]].drop_duplicates().shape == (12, 3)
    assert not table.error.any()
    assert table["stickiness.f0.error"].gt(0).all()


def test_a_run_of_a_study_is_the_run_itself(base, table):
    run = simulate(change(base, {"firms.f0.quality": 1.0, "consumer.habit_weight": 0.0, "replications": 2}))
    second = type(run)(run.scenario, type(run.tally)(*(a[len(a) // 2 :] for a in run.tally)))
    arm = (table["firms.f0.quality"] == 1) & (table["consumer.habit_weight"] == 0) & (table.replication == 1)
    for line in second.table().query("group == 'all'").itertuples():
        column = f"{line.metric}.{line.firm}" if line.firm else line.metric
        assert table[arm].iloc[0][[column, f"{column}.error"]].tolist() == pytest.approx(
            [line.value, line.error], nan_ok=True, rel=1e-12
        )


def test_groups_windows_and_weeks(base):
    base = change(base, {"segments.b": {"weight": 0.3}, "replications": 1})
    run = simulate(base)
    asked = ["all", "segments.b"]
    whole = study.run(base, {"seed": [base.seed]}, groups=asked, quiet=True)
    expected = run.table().set_index(["group", "metric", "firm"])
    assert whole.group.tolist() == asked and list(whole.columns[:4]) == ["replication", "seed", "group", "error"]
    for row in whole.itertuples():
        assert row[whole.columns.get_loc("share.f1") + 1] == expected.loc[(row.group, "share", "f1")].value
    weekly = study.run(base, {"seed": [base.seed]}, groups=asked, metrics=["share"], keep="weekly", quiet=True)
    cells = groups(base)["segments.b"]
    uses = run.tally.flow[:, :, cells].sum(axis=(0, 2, 3))[:, 1:]
    np.testing.assert_allclose(
        weekly[weekly.group == "segments.b"].set_index("week")["share.f1"], (uses / uses.sum(axis=1)[:, None])[:, 1]
    )
    windows = study.run(base, {"seed": [base.seed]}, metrics=["share", "penetration"], keep="windows", quiet=True)
    uses = run.tally.flow.sum(axis=(0, 2, 3))[:, 1:].reshape(2, 13, -1).sum(axis=1)
    np.testing.assert_allclose(windows.set_index("window")["share.f1"], (uses / uses.sum(axis=1)[:, None])[:, 1])
    users = run.tally.window[..., 0].sum(axis=(0, 2))[:, 1] / 500
    np.testing.assert_allclose(windows["penetration.f1"], users)
    assert study.paired(
        study.run(base, QUALITY, metrics=["share"], keep="weekly", replications=2, quiet=True),
        "firms.f0.quality", 0.0, "share.f0",
    ).week.tolist() == list(range(26))  # fmt: skip


def test_a_failed_run_is_a_row_with_its_reason_and_in_no_mean(base, monkeypatch, tmp_path):
    real = work.simulate

    def fails(scenario, **how):
        if scenario.firms["f0"].quality and how["first"] == 1:
            raise ZeroDivisionError("no")
        return real(scenario, **how)

    monkeypatch.setattr(work, "simulate", fails)
    table = again(base, tmp_path)
    assert table.error.tolist() == ["", "", "", "", "ZeroDivisionError: no", ""]
    assert np.isnan(table["stickiness.f0"].iloc[4])
    told = study.summary(table, "firms.f0.quality", ["share.f0"])
    assert told.runs.tolist() == [3, 2] and told.failed.tolist() == [0, 1] and np.isfinite(told["share.f0"]).all()
    monkeypatch.setattr(work, "simulate", lambda *a, **k: 1 / 0)
    assert again(base, tmp_path / "none").error.eq("ZeroDivisionError: division by zero").all()


def test_members_can_be_varied(base):
    scandals = [{"firm": "f0", "week": 3, "action": 8.0}, {"firm": "f1", "week": 3, "action": 8.0}]
    table = study.run(base, {"scandals.x": scandals}, replications=1, quiet=True)
    assert table["share.f0"][0] < table["share.f0"][1]
    assert [json.loads(v)["firm"] for v in table["scandals.x"]] == ["f0", "f1"]


# ---------------------------------------------------------------- the journal


def test_arms_are_added_and_a_finished_study_costs_nothing(base, tmp_path, monkeypatch):
    more = {"firms.f0.quality": [2.0, 0.0, 1.0]}
    simulated = counting(monkeypatch)
    first = again(base, tmp_path)
    assert len(simulated) == 6
    pd.testing.assert_frame_equal(again(base, tmp_path), first)
    assert len(simulated) == 6
    both = again(base, tmp_path, more)
    assert len(simulated) == 9
    assert len(again(base, tmp_path, more, replications=4)) == 12 and len(simulated) == 12
    pd.testing.assert_frame_equal(both[both["firms.f0.quality"] < 2].reset_index(drop=True), first)
    again(base, tmp_path, metrics=["share"])
    assert len(simulated) == 18, "other figures are other rows"


def test_a_study_may_be_told_not_to_go_on(base, tmp_path):
    again(base, tmp_path, resume=False)
    with pytest.raises(
        ScenarioError, match=r"study.parquet: is there already; resume=True goes on(.|\n)*study.journal"
    ):
        again(base, tmp_path, resume=False)


@pytest.mark.parametrize("other", ["code", "presets"])
def test_rows_of_other_code_are_made_again(base, tmp_path, monkeypatch, other):
    """So no journal mixes versions, whether the package changed or a preset."""
    with monkeypatch.context() as patch:
        patch.setattr(runs, "code", lambda: other)
        stopped(base, tmp_path, monkeypatch, 3)
    simulated = counting(monkeypatch)
    again(base, tmp_path)
    assert len(simulated) == 6


def test_code_is_the_package_and_its_presets(monkeypatch, tmp_path):
    from sim.study import journal, presets

    before = journal.code()
    (tmp_path / "new.yaml").write_text("people: 3")
    for patch in (("sim.engine.cluster.actor.source", lambda: "x"), ("sim.study.presets.CONF", tmp_path)):
        with monkeypatch.context() as context:
            context.setattr(*patch)
            journal.code.cache_clear()
            assert journal.code() != before
    journal.code.cache_clear()
    assert journal.code() == before and presets.CONF.is_dir()


def test_rows_of_other_edges_are_made_again(tmp_path, monkeypatch):
    def ring(step):
        np.savetxt(tmp_path / "edges.txt", [(n, (n + step) % 200) for n in range(200)], fmt="%d")

    file = {"network.kind": "file", "network.edges": str(tmp_path / "edges.txt")}
    ring(1)
    told = market({"people": 200, "weeks": 13, "replications": 2, **file})
    spread = {"scandals.x": [{"week": n, "reach": 0.1} for n in (1, 5)]}
    plain = market({"people": 200, "weeks": 13, "replications": 2})
    varied = {"network": [{}, {"kind": "file", "edges": file["network.edges"]}]}
    for n, (base, axes) in enumerate(((told, spread), (plain, varied))):  # the file named by the base, by an arm only
        again(base, tmp_path / str(n), axes)
        ring(n + 2)
        with monkeypatch.context() as patch:
            simulated = counting(patch)
            again(base, tmp_path / str(n), axes)
            assert len(simulated) == (4 if n == 0 else 2)


OTHERS = {
    "firms in another order": lambda s: change(s, {"firms": dict(reversed(to_dict(s)["firms"].items()))}),
    "another seed": lambda s: change(s, {"seed": 2}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_study_in_that_folder_is_left_as_it_is(base, tmp_path, monkeypatch, name):
    again(base, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(work, "simulate", lambda *a, **k: pytest.fail("simulated"))
    with pytest.raises(ScenarioError, match="is there already and is not a table of this study; choose another folder"):
        again(OTHERS[name](base), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("file", ["study.parquet", "study.journal"])
@pytest.mark.parametrize("made", ["text", "empty line", "a run", "a frame", "a folder", "a link", "a dead link"])
def test_a_file_of_the_users_is_left_as_it_is(base, tmp_path, monkeypatch, file, made):
    path, elsewhere = tmp_path / file, tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    makers = {
        "text": lambda: path.write_text("my diary\n"),
        "empty line": lambda: path.write_text("\n"),
        "a run": lambda: store.save(simulate(base), path),
        "a frame": lambda: pd.DataFrame({"x": [1]}).to_parquet(path),
        "a folder": path.mkdir,
        "a link": lambda: path.symlink_to(elsewhere),
        "a dead link": lambda: path.symlink_to(tmp_path / "nowhere"),
    }
    makers[made]()
    monkeypatch.setattr(work, "simulate", lambda *a, **k: pytest.fail("simulated"))
    with pytest.raises(ScenarioError, match=rf"{file}: is there already and is not"):
        again(base, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["elsewhere", file])
    assert elsewhere.read_text() == "mine" and (made != "text" or path.read_text() == "my diary\n")


@pytest.mark.parametrize("length", [0, 1, 20])
def test_a_journal_that_was_killed_in_its_first_line_is_ones_own(base, tmp_path, monkeypatch, length):
    stopped(base, tmp_path, monkeypatch, 1)
    journal = tmp_path / "study.journal"
    journal.write_bytes(journal.read_bytes()[:length])
    assert not again(base, tmp_path).error.any()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError(), PermissionError("no")])
def test_a_failure_that_passes_is_no_result(base, tmp_path, monkeypatch, error):
    tries = []

    def passing(*arguments, **how):
        tries.append(1)
        if len(tries) == 2:
            raise error
        return simulate(*arguments, **how)

    with monkeypatch.context() as patch:
        patch.setattr(work, "simulate", passing)
        first = again(base, tmp_path)
    assert [e.startswith(f"try again: {type(error).__name__}") for e in first.error] == [False, True] + 4 * [False]
    simulated = counting(monkeypatch)
    second = again(base, tmp_path)
    assert len(simulated) == 1 and not second.error.any()
    pd.testing.assert_frame_equal(second, study.run(base, QUALITY, quiet=True))


@pytest.mark.parametrize("end", ["", '["', '{"no": "entry"}\n', "[1, 2]\n", "7\n", "\n\n", "\udcff"])
def test_a_stopped_study_goes_on_to_the_same_bytes(base, tmp_path, monkeypatch, end):
    """Whatever the last line of its journal was when it stopped, and whatever the order of arms it had."""
    axes = {"firms.f0.quality": [0.0, 1.0], "scandals.x": [{"firm": "f0", "week": 3}]}
    other = {"firms.f0.quality": [1.0, 0.0], "scandals.x": [{"firm": "f0", "week": 3}]}
    again(base, tmp_path / "whole", axes)
    stopped(base, tmp_path / "cut", monkeypatch, 2, other)
    stopped(base, tmp_path / "cut", monkeypatch, 2, axes)
    with (tmp_path / "cut" / "study.journal").open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(end)
    stopped(base, tmp_path / "cut", monkeypatch, 1, axes)
    simulated = counting(monkeypatch)
    again(base, tmp_path / "cut", axes)
    assert len(simulated) == 1
    assert (tmp_path / "cut/study.parquet").read_bytes() == (tmp_path / "whole/study.parquet").read_bytes()


# ---------------------------------------------------------------- who does the work

CODE = """
import sys
from sim import study
from sim.study import pools
from tests.markets import market
workers = int(sys.argv[2])
pools.APART = 0.0 if sys.argv[3] == "processes" else pools.APART
base = market({"people": 300, "weeks": 13, "replications": 12})
study.run(base, {"firms.f0.quality": [0.0, 1.0]}, folder=sys.argv[1], workers=workers, quiet=True)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    again(market({"people": 300, "weeks": 13, "replications": 12}), folder)
    return (folder / "study.parquet").read_bytes()


@pytest.mark.parametrize(("workers", "kind"), [(1, "threads"), (2, "threads"), (4, "processes")])
def test_a_killed_study_goes_on_to_the_same_bytes(tmp_path, whole, workers, kind):
    """kill -9 after a random number of rows; the full form kills 30 times: experiments/benchmarks/studies.py."""
    journal = tmp_path / "study.journal"
    for rows in (random.Random(workers).randint(2, 8), 14):
        child = subprocess.Popen([sys.executable, "-c", CODE, str(tmp_path), str(workers), kind], cwd=HERE)
        while child.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > rows):
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
    subprocess.run([sys.executable, "-c", CODE, str(tmp_path), str(workers), kind], cwd=HERE, check=True)
    assert (tmp_path / "study.parquet").read_bytes() == whole


def test_processes_need_no_guard_in_the_script_and_end_with_it(tmp_path, whole):
    """The script below has no `if __name__ == "__main__"`, and is killed: no worker may be left."""
    script = tmp_path / "script.py"
    script.write_text(CODE)
    folder = tmp_path / "out"
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    child = subprocess.Popen([sys.executable, script, folder, "2", "processes"], env=env, start_new_session=True)
    while child.poll() is None and not (folder / "study.journal").exists():
        time.sleep(0.02)
    child.kill()
    child.wait()
    deadline = time.monotonic() + 30
    while _alive(child.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(child.pid)
    subprocess.run([sys.executable, script, folder, "2", "processes"], env=env, check=True)
    assert (folder / "study.parquet").read_bytes() == whole


def _alive(group):
    """Whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_executor_does_the_work_and_dead_jobs_are_tried_again(tmp_path, whole, monkeypatch):
    died = []

    def dies(task, batch):
        if len(died) < 2:
            died.append(1)
            raise RuntimeError("the machine went away")
        return work.do_batch(task, batch)

    monkeypatch.setattr(pools, "do_batch", dies)
    base = market({"people": 300, "weeks": 13, "replications": 12})
    with ThreadPoolExecutor(2) as executor:
        again(base, tmp_path, workers=executor)
        assert (tmp_path / "study.parquet").read_bytes() == whole and len(died) == 2
        monkeypatch.setattr(pools, "do_batch", lambda task, batch: 1 / 0)
        lost = again(base, tmp_path / "lost", workers=executor)
    assert lost.error.eq("try again: ZeroDivisionError: division by zero").all()


def test_workers_of_other_code_are_refused(base):
    task = work.Task(base, work.Measure(), "older")
    with pytest.raises(ScenarioError, match="another version of this package"):
        work.do_batch(task, [])


@pytest.mark.parametrize("workers", ["none", "", True, 0, -1, 2.5])
def test_workers_that_are_none_are_said(base, workers):
    with pytest.raises(ScenarioError, match="workers: "):
        study.run(base, QUALITY, workers=workers)


def test_slurm_is_asked_for_where_there_is_one(base, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScenarioError, match="there is no Slurm here"):
        study.run(base, QUALITY, workers="slurm", quiet=True)


def test_batches_are_in_order_and_none_is_long():
    jobs = list(range(103))
    for seconds, workers in ((0.01, 2), (0.3, 4), (5.0, 1)):
        batches = work.batches_of(jobs, seconds, workers)
        assert [j for b in batches for j in b] == jobs
        assert all(len(b) == 1 or len(b) * seconds <= 1 for b in batches) and len(batches) >= min(103, 3 * workers)


@pytest.mark.parametrize(("workers", "kind"), [(1, "threads"), (2, "threads"), (2, "processes")])
def test_an_interrupt_is_obeyed_within_a_second(tmp_path, workers, kind):
    code = CODE.replace('"people": 300, "weeks": 13', '"people": 100_000, "weeks": 4000')
    code = code.replace("study.run(", "print('simulating', flush=True)\nstudy.run(")
    words = [sys.executable, "-c", code, str(tmp_path), str(workers), kind]
    child = subprocess.Popen(words, cwd=HERE, stdout=-1, stderr=-1, text=True, preexec_fn=_interruptible)
    assert child.stdout.readline() == "simulating\n"
    time.sleep(6)
    started = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in err and child.returncode != 0
    print(f"{workers} {kind}: {time.monotonic() - started:.2f} s after the interrupt")


def _interruptible():
    signal.signal(signal.SIGINT, signal.default_int_handler)
