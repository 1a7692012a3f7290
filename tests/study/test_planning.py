"""How many people and replications: right as often as it says, and everything wrong said at once."""

import numpy as np
import pytest

from sim import study
from sim.model.declare import ScenarioError
from sim.study import planning
from tests.markets import market

BETTER = {"firms.f0.quality": 0.5}


@pytest.fixture(scope="module")
def base():
    return market({"people": 1000, "weeks": 26})


def test_a_plan_pays_for_shared_draws(base):
    found = study.plan(base, BETTER, "share.f0", 0.004, quiet=True)
    assert found.replications == 16 and found.unpaired > 1.3 * found.people > 260
    half = study.plan(base, BETTER, "share.f0", 0.002, quiet=True)
    assert half.people == pytest.approx(4 * found.people, rel=0.01), "the same pilot"
    assert f"{found.people:,} people in 16 replications" in repr(found)
    assert study.plan(base, BETTER, "share.f0", 1e-5, quiet=True).replications > 16, "runs of at most a million"
    assert study.plan(base, BETTER, "share.f0", 0.5, quiet=True).people == planning.LEAST


@pytest.mark.parametrize("pairs", [4, 16])
def test_steins_rule_is_right_in_95_percent(monkeypatch, pairs):
    """Normal differences whose variance falls as 1 / people; the full form simulates: experiments/how_many_runs.py."""
    rng = np.random.default_rng(pairs)
    base = market({"people": 1000})
    monkeypatch.setattr(planning, "PILOT", pairs)
    true, sd, right = 0.3, 2.0, []
    for _ in range(1500):
        gaps = rng.normal(true, sd, pairs)
        monkeypatch.setattr(planning, "_pilot", lambda *a, gaps=gaps: planning.Pair(np.zeros(pairs), gaps))
        found = study.plan(base, BETTER, "share.f0", 1.0, quiet=True)
        error = sd / np.sqrt(found.replications * found.people / 1000)
        right.append(abs(rng.normal(0, error)) <= 1.0)
    assert 0.93 < np.mean(right) < 0.97


def test_the_pilot_has_draws_of_its_own(base, monkeypatch):
    asked, real = [], planning.done_by
    monkeypatch.setattr(planning, "done_by", lambda w, task, jobs, *a: asked.extend(jobs) or real(w, task, jobs, *a))
    study.plan(base, BETTER, "share.f0", 0.01, quiet=True)
    assert len(asked) == 32 and {j.replication - planning.FIRST for j in asked} == set(range(16))


def test_everything_wrong_is_said_at_once(base):
    with pytest.raises(ScenarioError) as error:
        study.plan(base, {"firms.f00.quality": 1}, "shre.f9", 0, replications=1, workers="x")
    assert [c.partition(":")[0] for c in error.value.complaints] == [
        "workers", "metrics", "shre.f9", "half_width", "replications", "firms.f00.quality",
    ]  # fmt: skip
    for change, column, sentence in (
        ({}, "share.f0", "change: nothing is changed"),
        ({"scandals.x": {"week": 3, "reach": 0, "harmed_share": 0}}, "share.f0", "makes no difference in 16 runs of"),
        (BETTER, "share", "share: no column; did you mean share.f"),
    ):
        with pytest.raises(ScenarioError, match=sentence):
            study.plan(base, change, column, 0.01, quiet=True)
