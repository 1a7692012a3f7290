"""What the table of a study says: means over replications, and differences between arms with the same draws."""

import numpy as np
import pandas as pd
import pytest

from sim import study
from sim.model.declare import ScenarioError
from tests.markets import market

AXES = {"firms.f0.quality": [0.0, 1.0], "consumer.habit_weight": [0.0, 0.8]}


@pytest.fixture(scope="module")
def base():
    return market({"people": 500, "weeks": 26, "replications": 3})


@pytest.fixture(scope="module")
def table(base):
    return study.run(base, AXES, quiet=True)


def test_arms_share_their_draws(table):
    difference = study.paired(table, "firms.f0.quality", 0.0, "share.f0")
    apart = np.sqrt(2) * table.groupby(list(AXES))["share.f0"].std().mean() / np.sqrt(3)
    assert (difference.difference > 0).all()
    assert difference.error.mean() < apart


def test_summary_has_the_error_of_the_mean(table):
    found = study.summary(table, ["consumer.habit_weight"], ["stickiness.f0"])
    group = table[table["consumer.habit_weight"] == 0.8]["stickiness.f0"]
    assert found["stickiness.f0"][1] == pytest.approx(group.mean())
    assert found["stickiness.f0.error"][1] == pytest.approx(group.std() / np.sqrt(6))


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
    table = study.run(base, {"firms.f0.quality": [0.0]}, replications=1, quiet=True)
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
    table = study.run(base, {"scandals.x": arms}, replications=2, quiet=True)
    found = study.paired(table, "scandals.x", dict(reversed(arms[0].items())), "share.f0")
    assert found.difference.item() > 0
