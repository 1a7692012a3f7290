"""A study: same draws in every arm, one row a run, failures as rows, resumable."""

import json

import numpy as np
import pandas as pd
import pytest

from sim import study
from sim.engine import simulate
from sim.scenario import change
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
    lived = []
    real = study.row

    def dies(*arguments):
        if len(lived) == 5:
            raise KeyboardInterrupt
        lived.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(study, "row", dies)
    with pytest.raises(KeyboardInterrupt):
        study.sweep(base, AXES, "s", tmp_path, workers=1, quiet=True)
    assert not (tmp_path / "s.parquet").exists()
    monkeypatch.setattr(study, "row", lambda *a: lived.append(a) or real(*a))
    resumed = study.sweep(base, AXES, "s", tmp_path, workers=1, quiet=True)
    assert len(lived) == 12, "what was done is not done again"
    pd.testing.assert_frame_equal(resumed, table, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "s.parquet"), resumed, check_dtype=False)
    assert [p.name for p in tmp_path.iterdir()] == ["s.parquet"]


def test_summary_has_the_error_of_the_mean(table):
    found = study.summary(table, ["consumer.habit_weight"], ["stickiness.f0"])
    group = table[table["consumer.habit_weight"] == 0.8]["stickiness.f0"]
    assert found["stickiness.f0"][1] == pytest.approx(group.mean())
    assert found["stickiness.f0.error"][1] == pytest.approx(group.std() / np.sqrt(6))
