"""A study: same draws in every arm, one row a run, failures as rows, resumable."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim import study
from sim.model.declare import ScenarioError
from sim.model.fields import Firm
from sim.model.scenario import change, to_dict
from sim.study import designs, store
from sim.study.simulation import simulate
from tests.markets import market

AXES = {"firms.f0.quality": [0.0, 1.0], "consumer.habit_weight": [0.0, 0.8]}


@pytest.fixture(scope="module")
def base():
    return market({"people": 500, "weeks": 26, "replications": 3})


@pytest.fixture(scope="module")
def table(base):
    return study.sweep(base, AXES, quiet=True)


def test_a_row_a_run(table):
    assert len(table) == 2 * 2 * 3
    assert table[["firms.f0.quality", "consumer.habit_weight", "replication"]].drop_duplicates().shape == (12, 3)
    assert not table.error.any()
    assert table["stickiness.f0.error"].gt(0).all()


def test_a_run_of_a_sweep_is_the_run_itself(base, table):
    run = simulate(change(base, {"firms.f0.quality": 1.0, "consumer.habit_weight": 0.0, "replications": 2}))
    second = type(run.tally)(*(a[len(a) // 2 :] for a in run.tally))
    expected = study.figures_of(type(run)(run.scenario, second))
    arm = (table["firms.f0.quality"] == 1) & (table["consumer.habit_weight"] == 0) & (table.replication == 1)
    assert table[arm].iloc[0]["stickiness.f0"] == expected["stickiness.f0"]


def test_arms_share_their_draws(table):
    difference = study.paired(table, "firms.f0.quality", 0.0, "share.f0")
    apart = np.sqrt(2) * table.groupby(list(AXES))["share.f0"].std().mean() / np.sqrt(3)
    assert (difference.difference > 0).all()
    assert difference.error.mean() < apart


def test_a_failed_run_is_a_row_with_its_reason(base):
    table = study.sweep(base, {"firms.f0.price": [1.0, -1.0]}, replications=1, quiet=True)
    assert table.error.tolist()[0] == ""
    assert "firms.f0.price: -1.0 is outside 0 to 10" in table.error.tolist()[1]
    assert np.isnan(table["stickiness.f0"].iloc[1])


def test_members_can_be_swept(base):
    scandals = [{"firm": "f0", "week": 3, "action": 8.0}, {"firm": "f1", "week": 3, "action": 8.0}]
    table = study.sweep(base, {"scandals.x": scandals}, replications=1, quiet=True)
    assert table["share.f0"][0] < table["share.f0"][1]
    assert [json.loads(v)["firm"] for v in table["scandals.x"]] == ["f0", "f1"]


def test_saved_whole_and_resumed(base, table, tmp_path, monkeypatch):
    simulated = []
    real = designs.row

    def dies(*arguments):
        if len(simulated) == 5:
            raise KeyboardInterrupt
        simulated.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(designs, "row", dies)
    with pytest.raises(KeyboardInterrupt):
        study.sweep(base, AXES, "s", tmp_path, workers=1, quiet=True)
    assert not (tmp_path / "s.parquet").exists()
    monkeypatch.setattr(designs, "row", lambda *a: simulated.append(a) or real(*a))
    resumed = study.sweep(base, AXES, "s", tmp_path, workers=1, quiet=True)
    assert len(simulated) == 12, "what was done is not done again"
    pd.testing.assert_frame_equal(resumed, table, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "s.parquet"), resumed, check_dtype=False)
    assert [p.name for p in tmp_path.iterdir()] == ["s.parquet"]


def test_summary_has_the_error_of_the_mean(table):
    found = study.summary(table, ["consumer.habit_weight"], ["stickiness.f0"])
    group = table[table["consumer.habit_weight"] == 0.8]["stickiness.f0"]
    assert found["stickiness.f0"][1] == pytest.approx(group.mean())
    assert found["stickiness.f0.error"][1] == pytest.approx(group.std() / np.sqrt(6))


# ---------------------------------------------------------------- axes


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("people", np.array([300, 200])),
        ("people", np.array([300, 200], np.uint16)),
        ("firms.f0.quality", np.linspace(0, 1, 2)),
        ("firms.f0.quality", np.array([0, 0.5], np.float32)),
        ("mechanisms.habit", np.array([True, False])),
        ("market.regime", np.array(["repertoire", "provider"])),
        ("seed", (np.int32(n) for n in (1, 2))),
        ("scandals.x", [{"week": np.int64(3)}, {"week": np.int64(4), "severity": np.float64(2)}]),
        ("firms.f9", [Firm(presence=0.1), Firm(presence=0.2)]),
    ],
)
def test_values_of_numpy_and_dataclasses_are_values(base, tmp_path, path, values):
    values = list(values)
    found = study.sweep(base, {path: iter(values)}, "s", tmp_path, replications=2, quiet=True)
    assert not found.error.any() and found.shape[0] == 4 and found[path].nunique() == 2
    assert not {type(v) for v in found[path].tolist()} - {int, float, bool, str}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "s.parquet"), found)
    apart = study.paired(found, path, values[0], "share.f0")
    assert len(apart) == 1 and np.isfinite(apart.difference).all() and apart.failed.item() == 0


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({"firms.f00.quality": [0, 1]}, "firms.f00.quality: unknown; did you mean f0?"),
        ({"firms.f00": [{"quality": 0}]}, "firms.f00: unknown; did you mean f0?"),
        ({"consumer.rat": [1, 2]}, "consumer.rat: unknown; did you mean rate?"),
        ({"people": [-1, 0]}, "people: -1 is outside 1 to .*\npeople: 0 is outside"),
        ({"market.regime": "provider"}, "market.regime: 'provider' is not a row of values"),
        ({"people": 300}, "people: 300 is not a row of values"),
        ({"people": []}, "people: no values"),
        ({"people": [300, 300.0]}, "people: 300.0 stands there twice"),
        ({"replications": [1, 2]}, "replications: no axis"),
        ({"people": 3, "seed": [], "weeks": "1"}, "people: (.|\n)*seed: (.|\n)*weeks: "),
    ],
)
def test_axes_that_make_no_study_are_said_before_the_first_run(base, monkeypatch, tmp_path, axes, sentence):
    monkeypatch.setattr(designs, "simulate", lambda *a, **k: pytest.fail("simulated"))
    with pytest.raises(ScenarioError, match=sentence):
        study.sweep(base, axes, "s", tmp_path, quiet=True)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- the journal

QUALITY = {"firms.f0.quality": [0.0, 1.0]}


def stopped(base, folder, monkeypatch, after, parts=simulate, axes=None):
    """A study that is stopped after so many runs, simulated by `parts`."""
    simulated = []

    def until(*arguments, **how):
        simulated.append(1)
        if len(simulated) > after:
            raise KeyboardInterrupt
        return parts(*arguments, **how)

    until.__module__, until.__qualname__ = simulate.__module__, simulate.__qualname__
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(designs, "simulate", until)
        study.sweep(base, axes or QUALITY, "s", folder, workers=1, quiet=True)


def counting(monkeypatch):
    simulated, real = [], designs.row
    monkeypatch.setattr(designs, "row", lambda *a: simulated.append(a) or real(*a))
    return simulated


def again(base, folder, axes=None):
    return study.sweep(base, axes or QUALITY, "s", folder, workers=1, quiet=True)


def test_rows_of_other_code_are_made_again(base, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("sim.engine.cluster.source", lambda: "older")
        stopped(base, tmp_path, monkeypatch, 3)
    simulated = counting(monkeypatch)
    again(base, tmp_path)
    assert len(simulated) == 6


def test_rows_that_another_function_lived_are_made_again(base, tmp_path, monkeypatch):
    def wrapped(*arguments, **how):
        return simulate(*arguments, **how)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(designs, "simulate", wrapped)
        patch.setattr(designs, "_progress", interrupted_after(2))
        again(base, tmp_path)
    simulated = counting(monkeypatch)
    again(base, tmp_path)
    assert len(simulated) == 6


def interrupted_after(many):
    def progress(waiting, total, quiet):
        for n, future in enumerate(waiting):
            if n == many:
                raise KeyboardInterrupt
            future.result()
            yield future

    return progress


def test_rows_of_other_edges_are_made_again(tmp_path, monkeypatch):
    def ring(step):
        np.savetxt(tmp_path / "edges.txt", [(n, (n + step) % 200) for n in range(200)], fmt="%d")

    file = {"network.kind": "file", "network.edges": str(tmp_path / "edges.txt")}
    ring(1)
    told = market({"people": 200, "weeks": 13, "replications": 2, **file})
    spread = {"scandals.x": [{"week": n, "reach": 0.1} for n in (1, 5)]}
    quiet, varied = (
        market({"people": 200, "weeks": 13, "replications": 2}),
        {"network": [{}, {"kind": "file", "edges": file["network.edges"]}]},
    )
    for n, (base, axes) in enumerate(((told, spread), (quiet, varied))):  # the file named by the base, by an axis only
        stopped(base, tmp_path / str(n), monkeypatch, 3, axes=axes)
        ring(n + 2)
        with monkeypatch.context() as patch:
            simulated = counting(patch)
            again(base, tmp_path / str(n), axes)
            assert len(simulated) == 4


OTHERS = {
    "firms in another order": lambda s: (change(s, {"firms": dict(reversed(to_dict(s)["firms"].items()))}), QUALITY, 3),
    "another seed": lambda s: (change(s, {"seed": 2}), QUALITY, 3),
    "other values": lambda s: (s, {"firms.f0.quality": [0.0, 2.0]}, 3),
    "another axis": lambda s: (s, {**QUALITY, "consumer.rate": [1.0]}, 3),
    "fewer replications": lambda s: (s, QUALITY, 2),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("finished", [True, False])
def test_another_study_of_that_name_is_left_as_it_is(base, tmp_path, monkeypatch, name, finished):
    if finished:
        again(base, tmp_path)
    else:
        stopped(base, tmp_path, monkeypatch, 1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    other, axes, replications = OTHERS[name](base)
    monkeypatch.setattr(designs, "simulate", lambda *a, **k: pytest.fail("simulated"))
    what = "a table" if finished else "a journal"
    with pytest.raises(ScenarioError, match=f"is there already and is not {what} of this study; choose another name"):
        study.sweep(other, axes, "s", tmp_path, replications, quiet=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("file", ["s.parquet", "s.journal"])
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
    monkeypatch.setattr(designs, "simulate", lambda *a, **k: pytest.fail("simulated"))
    with pytest.raises(ScenarioError, match=rf"{file}: is there already and is not"):
        again(base, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["elsewhere", file])
    assert elsewhere.read_text() == "mine" and (made != "text" or path.read_text() == "my diary\n")


def test_its_own_table_is_made_again(base, tmp_path):
    first = again(base, tmp_path, AXES)
    pd.testing.assert_frame_equal(
        again(base, tmp_path, dict(reversed(AXES.items())))[first.columns].sort_values(
            ["firms.f0.quality", "consumer.habit_weight", "replication"], ignore_index=True
        ),
        first,
    )


@pytest.mark.parametrize("length", [0, 1, 20])
def test_a_journal_that_was_killed_in_its_first_line_is_ones_own(base, tmp_path, monkeypatch, length):
    stopped(base, tmp_path, monkeypatch, 1)
    journal = tmp_path / "s.journal"
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

    passing.__module__, passing.__qualname__ = simulate.__module__, simulate.__qualname__
    with monkeypatch.context() as patch:
        patch.setattr(designs, "simulate", passing)
        first = again(base, tmp_path)
    assert [e.startswith(f"try again: {type(error).__name__}") for e in first.error] == [False, True] + 4 * [False]
    simulated = counting(monkeypatch)
    second = again(base, tmp_path)
    assert len(simulated) == 1 and not second.error.any()
    pd.testing.assert_frame_equal(second, study.sweep(base, QUALITY, quiet=True))
    assert [p.name for p in tmp_path.iterdir()] == ["s.parquet"]


def test_a_failure_that_stays_is_a_result(base, tmp_path, monkeypatch):
    axes = {"firms.f0.price": [-1.0, 1.0]}
    stopped(base, tmp_path, monkeypatch, 1, axes=axes)
    simulated = counting(monkeypatch)
    assert again(base, tmp_path, axes).error.ne("").sum() == 3 and len(simulated) == 2


@pytest.mark.parametrize("end", ["", '["', '{"no": "entry"}\n', "[1, 2]\n", "7\n", "\n\n", "\udcff"])
def test_a_stopped_study_goes_on_to_the_same_bytes(base, tmp_path, monkeypatch, end):
    """Whatever the last line of its journal was when it stopped, and in another order of axes."""
    axes = {"firms.f0.quality": [0.0, 1.0], "scandals.x": [{"firm": "f0", "week": 3}]}
    again(base, tmp_path / "whole", axes)
    stopped(base, tmp_path / "cut", monkeypatch, 2, axes=dict(reversed(axes.items())))
    stopped(base, tmp_path / "cut", monkeypatch, 2, axes=axes)
    with (tmp_path / "cut" / "s.journal").open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(end)
    stopped(base, tmp_path / "cut", monkeypatch, 1, axes=axes)
    simulated = counting(monkeypatch)
    again(base, tmp_path / "cut", axes)
    assert len(simulated) == 1
    assert (tmp_path / "cut" / "s.parquet").read_bytes() == (tmp_path / "whole" / "s.parquet").read_bytes()


def test_a_killed_study_goes_on_to_the_same_bytes(tmp_path):
    code = (
        "import sys\nfrom sim import study\nfrom tests.markets import market\n"
        "base = market({'people': 300, 'weeks': 13, 'replications': 9})\n"
        "study.sweep(base, {'firms.f0.quality': [0.0, 1.0]}, 's', sys.argv[1], workers=1, quiet=True)"
    )
    here = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "cut")], cwd=here)
    journal = tmp_path / "cut" / "s.journal"
    while child.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 2):
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert journal.exists()
    many = market({"people": 300, "weeks": 13, "replications": 9})
    again(many, tmp_path / "cut")
    again(many, tmp_path / "whole")
    assert (tmp_path / "cut" / "s.parquet").read_bytes() == (tmp_path / "whole" / "s.parquet").read_bytes()


# ---------------------------------------------------------------- what a table says


def rows(values, replications, **columns):
    """A table as of a sweep: `x` is 0 and 1, `value` by (x, chunk, replication)."""
    table = pd.DataFrame(
        [
            {"replication": r, "x": x, "chunk": c, "error": "", "value": values[x][c][r]}
            for x in (0, 1)
            for c in range(len(values[0]))
            for r in range(replications)
        ]
    )
    return table.assign(**columns)


@pytest.mark.parametrize("replications", [2, 3, 4, 6])
def test_few_replications_cover_what_they_say(replications):
    """Normal differences: Student's t covers .95, where +-1.96 standard errors cover .70, .81, .86 and .89."""
    draws = np.random.default_rng(replications).normal(size=(2, 400, replications))
    draws[1] += draws[0] + 0.5
    table = rows(draws, replications)
    found = study.paired(table, "x", 0, "value")
    assert len(found) == 400 and (found.df == replications - 1).all()
    covered = (found.low <= 0.5) & (found.high >= 0.5)
    normal = (found.difference - 0.5).abs() <= 1.96 * found.error
    assert 0.925 < covered.mean() < 0.975 and normal.mean() < 0.925
    means = study.summary(table[table.x == 0], ["chunk"], ["value"])
    assert 0.925 < ((means["value.low"] <= 0) & (means["value.high"] >= 0)).mean() < 0.975


def test_failed_runs_are_left_out_and_counted():
    table = rows(np.arange(16.0).reshape(2, 2, 4) ** 2, 4)
    for x, chunk, r in ((1, 0, 1), (0, 1, 2)):
        at = (table.x == x) & (table.chunk == chunk) & (table.replication == r)
        table.loc[at, ["error", "value"]] = "no", np.nan
    found = study.paired(table, "x", 0, "value")
    assert found.failed.tolist() == [1, 1] and found.df.tolist() == [2, 2]
    apart = [(8 + r) ** 2 - r**2 for r in (0, 2, 3)]
    assert found.difference[0] == np.mean(apart) and found.error[0] == np.std(apart, ddof=1) / np.sqrt(3)
    told = study.summary(table, ["x", "chunk"], ["value"])
    assert told.runs.tolist() == [4, 3, 3, 4] and told.failed.tolist() == [0, 1, 1, 0]
    table.loc[table.x == 1, ["error", "value"]] = "no", np.nan
    found = study.paired(table, "x", 0, "value")
    assert found.failed.tolist() == [4, 4] and found[["difference", "error", "low"]].isna().all(axis=None)
    assert study.summary(table, ["x"], ["value"]).runs.tolist() == [7, 0]


def test_one_replication_or_the_same_in_all_has_no_error():
    one = study.paired(rows(np.arange(4.0).reshape(2, 2, 1), 1), "x", 0, "value")
    assert (one.difference == 2).all() and one[["error", "low", "high"]].isna().all(axis=None) and (one.df == 0).all()
    sparse = rows(np.zeros((2, 1, 3)), 3, other=np.arange(6.0))
    none = study.paired(sparse, "x", 0, "value")
    assert none.difference.item() == 0 and none[["error", "low", "high"]].isna().all(axis=None), "too few to tell"
    same = study.paired(sparse.drop(columns="other"), "x", 0, "value")
    assert same[["difference", "error", "low", "high"]].eq(0).all(axis=None), "nothing at all differs"
    infinite = rows(np.full((2, 1, 3), np.inf), 3)
    assert study.paired(infinite, "x", 0, "value").failed.item() == 3


def test_one_replication_of_a_summary_has_the_error_over_its_people(base):
    table = study.sweep(base, {"firms.f0.quality": [0.0]}, replications=1, quiet=True)
    found = study.summary(table, "firms.f0.quality", ["share.f0"]).iloc[0]
    assert found["share.f0.error"] == table["share.f0.error"][0] > 0
    assert found["share.f0.low"] < found["share.f0"] - 2 * found["share.f0.error"] < found["share.f0"]
    assert len(study.summary(table, [], ["share.f0"])) == 1


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("firms.f0.quality", 0.5, "share.f0"), "firms.f0.quality: no row has 0.5; there are 0.0, 1.0"),
        (("firms.f0.quality", "0.0", "share.f0"), "no row has '0.0'; there are 0.0, 1.0"),
        (
            ("firms.f0.qality", 0.0, "share.f0"),
            "firms.f0.qality: no column of the table; did you mean firms.f0.quality",
        ),
        (("firms.f0.quality", 0.0, "shares.f0"), "shares.f0: no column of the table; did you mean share.f0?"),
        (("share.f0", 0.0, "share.f1"), "share.f0: not swept; known: firms.f0.quality, consumer.habit_weight"),
        (("nope", 0.0, "zzz"), "nope: no column of the table\nzzz: no column of the table"),
    ],
)
def test_a_missing_control_path_or_column_is_said(table, asked, sentence):
    with pytest.raises(ScenarioError, match=sentence):
        study.paired(table, *asked)


def test_what_no_summary_can_be_made_of_is_said(table):
    with pytest.raises(ScenarioError, match=r"firms.f0.price: no column .*\nshre.f0: .* did you mean share.f0"):
        study.summary(table, ["firms.f0.price"], ["shre.f0"])
    with pytest.raises(ScenarioError, match="every run failed; the first: no"):
        study.paired(table.assign(error="no"), "firms.f0.quality", 0.0, "share.f0")
    with pytest.raises(ScenarioError, match="error: no column of the table"):
        study.paired(table.drop(columns="error"), "firms.f0.quality", 0.0, "share.f0")


def test_a_member_is_a_control_however_its_fields_are_ordered(base):
    arms = [{"firm": "f0", "week": 3, "action": 8.0}, {"firm": "f1", "week": 3, "action": 8.0}]
    table = study.sweep(base, {"scandals.x": arms}, replications=2, quiet=True)
    found = study.paired(table, "scandals.x", dict(reversed(arms[0].items())), "share.f0")
    assert found.difference.item() > 0
