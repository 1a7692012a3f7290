"""Whatever the declarations allow is simulated and counted rightly; whatever they do not is refused in a sentence."""

import copy
import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sim import __main__ as cli
from sim.engine.checks import check_week
from sim.engine.loop import INITIALIZE, STEP_FOLDS, simulate
from sim.measure.estimates import estimate, pooled
from sim.measure.metrics import firm_metrics, market_metrics
from sim.measure.tally import Count, Event
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import build, to_dict
from sim.model.timeline import make_world
from tests.engine.test_same_bits import digest
from tests.model.strategies import BASE, CONTRADICTIONS, LEAVES, names, put, scenarios, values

FAST = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SHARE, POSITIVE, CHANCED = (0, 1), (0, np.inf), (-np.inf, 1)
RANGES = {
    **dict.fromkeys(("stickiness", "excess", "above_category", "category_index", "polarization"), CHANCED),
    **dict.fromkeys(("share", "penetration", "category_requirements", "solely_loyal", "repeat_rate", "churn"), SHARE),
    **dict.fromkeys(("would_leave", "satisfaction", "category_penetration", "dirichlet_phi"), SHARE),
    **dict.fromkeys(("switched", "ever_switched", "deliberated"), SHARE),
    **dict.fromkeys(("usage_ratio", "category_mean", "duplication_coefficient", "wom_ratio"), POSITIVE),
    "frequency": (1, np.inf),
    "habit_part": (-np.inf, np.inf),
}


@settings(FAST, max_examples=150, phases=[Phase.generate])  # to shrink a scenario takes minutes
@given(scenarios())
def test_what_is_allowed_is_simulated_and_counted(config):
    scenario = build(config)
    assert build(to_dict(scenario)) == scenario
    run = simulate(scenario, 1, keep_people=True)
    again = simulate(scenario, 2, shards=3)
    assert digest(run.tally) == digest(again.tally)
    conserved(run.tally, scenario)
    for people in run.people:
        check_week(people, make_world(scenario), run.tally, 0, scenario.weeks - 1)
    in_range(run.tally, scenario)


def conserved(t, s: Scenario) -> None:
    """Nothing that is counted twice differs, and nothing is counted of anybody who is not there."""
    everybody, windows = s.people * s.replications, s.weeks // s.window
    assert t.people.sum() == everybody
    uses = t.flow.sum(axis=(0, 2, 3))[:, 1:]
    inside = uses[: windows * s.window].reshape(windows, s.window, -1).sum(axis=1)
    counts = t.window.sum(axis=(0, 2))
    before, users = counts[1:, :, Count.BEFORE], counts[:-1, :, Count.USERS]
    by_age = any(c.years > 0 for c in s.cohorts.values())
    if not s.mechanisms.turnover or (s.consumer.turnover == 0 and not by_age):
        np.testing.assert_array_equal(counts[..., Count.USES], inside)
        np.testing.assert_array_equal(before, users)
        assert t.news[..., 0].sum() <= everybody * len(s.scandals)
    else:  # the uses of one who leaves within a window are those of nobody who is there at its end; newcomers hear too
        assert (counts[..., Count.USES] <= inside).all() and (before <= users).all()
    assert (counts[..., Count.USERS] <= everybody).all() and (counts[..., Count.USERS] <= inside).all()
    assert (counts[..., Count.ONCE] <= counts[..., Count.USERS]).all()
    assert (counts[..., Count.REPEATERS] <= counts[..., Count.BEFORE]).all()
    followed = counts[..., [Count.ADJACENT, Count.SWITCHED]].sum(axis=(1, 2))
    active = everybody - t.buyers.sum(axis=(0, 2))[:, 0]
    assert (followed <= inside.sum(axis=1) - active).all()
    assert (np.diagonal(t.both.sum(axis=(0, 2)), axis1=1, axis2=2) == counts[..., Count.USERS]).all()
    for name in ("buyers", "transitions"):
        assert (getattr(t, name).sum(axis=(0, 2)).reshape(windows, -1).sum(axis=1) == everybody).all(), name
    assert (t.faithful.sum(axis=(0, 2)) <= everybody).all() and (t.standing.sum(axis=(0, 2, 3, 4)) <= everybody).all()
    moves = t.flow[..., 1:, :].sum()
    assert t.tenure.sum() == t.after.sum() == moves
    event = t.event.sum(axis=(0, 1, 2, 3))
    assert event[Event.FIRST_LOOK] == event[Event.DELIBERATED] <= uses.sum()
    assert event[Event.COMPLAINED] <= event[Event.FAILED] <= uses.sum() >= event[Event.SATISFIED]
    assert event[Event.BETTER] <= event[Event.WOULD_LEAVE] <= event[Event.ASKED] <= everybody * s.weeks
    assert (t.news[..., 1:].sum(axis=-1) <= 2 * t.news[..., 0]).all()
    if s.market.regime == "provider":
        assert uses.sum() == everybody * s.weeks


def in_range(t, s: Scenario) -> None:
    """Every metric where it can be, or nan where there is nothing to say; no error below 0."""
    counts = pooled(t)
    provider = s.market.regime == "provider"
    for name, metric in {**firm_metrics(provider), **market_metrics(provider)}.items():
        value, error = estimate(metric, counts)
        low, high = RANGES[name]
        known = ~np.isnan(value)
        assert ((value[known] >= low - 1e-9) & (value[known] <= high + 1e-9)).all(), (name, value)
        assert not (error[~np.isnan(error)] < 0).any(), (name, error)


def test_no_shape_is_compiled_anew():
    """As many firms, cells, scandals, touchpoints or people as there may be: the same compiled code."""
    if not hasattr(STEP_FOLDS, "signatures"):
        pytest.skip("nothing is compiled here")
    shapes = ((1, 1, 0, 0), (2, 3, 1, 1), (64, 1, 0, 1), (3, 255, 0, 0), (4, 2, 32, 3))
    for firms, segments, scandals, points in shapes:
        touchpoints = {f"p{p}": {} for p in range(points)}
        config = {
            **{"people": 40, "weeks": 30, "window": 10, "burn_in": 2},
            "segments": {f"s{k}": {} for k in range(segments)},
            "firms": {f"f{j}": {"touchpoints": touchpoints} for j in range(firms)},
            "scandals": {f"k{k}": {"week": k % 30} for k in range(scandals)},
        }
        conserved(simulate(build(config), 1).tally, build(config))
    assert len(STEP_FOLDS.signatures) == len(INITIALIZE.signatures) == 1


def complaints(config) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        build(config)
    assert type(caught.value) is ScenarioError and str(caught.value) == "\n".join(caught.value.complaints)
    return caught.value.complaints


@settings(FAST, max_examples=600)
@given(values())
def test_a_wrong_value_is_named_with_its_range(wrong):
    config = copy.deepcopy(BASE)
    put(config, wrong.path, wrong.value)
    [said] = complaints(config)
    assert said.startswith(wrong.begins) and wrong.contains in said and "\n" not in said


@settings(FAST, max_examples=300)
@given(names())
def test_a_misspelled_name_is_recognized(wrong):
    config = copy.deepcopy(BASE)
    put(config, wrong.path, wrong.value)
    [said] = complaints(config)
    assert said.startswith(wrong.begins) and wrong.contains in said


@settings(FAST, max_examples=150)
@given(values(), values(), names())
def test_everything_wrong_is_said_at_once(one, other, name):
    config, wrong = copy.deepcopy(BASE), {w.path: w for w in (one, other, name)}
    for w in wrong.values():
        put(config, w.path, w.value)
    said = complaints(config)
    assert len(said) == len(wrong)
    for w in wrong.values():
        assert any(s.startswith(w.begins) and w.contains in s for s in said)


@pytest.mark.parametrize(("changes", "said"), CONTRADICTIONS)
def test_a_contradiction_is_said(changes, said):
    config = copy.deepcopy(BASE)
    for path, value in changes.items():
        put(config, path, value)
    assert any(said in s for s in complaints(config))


def test_every_declared_field_can_be_broken():
    """What the strategies are made of is all that is declared."""
    assert len(LEAVES) > 150
    for path, (_, d) in LEAVES.items():
        assert d.low is not None or d.choices or d.unit == "on/off" or isinstance(d.default, str), path
        assert d.about, path


NUMBERS = sorted(
    p for p, (_, d) in LEAVES.items() if d.low is not None and p.partition(".")[0] in ("consumer", "market")
)


@settings(FAST, max_examples=6)
@given(st.sampled_from(NUMBERS), st.sampled_from(("below", "above", "nan", "many", "[1]", "true")))
def test_the_command_line_refuses_it_too(path, how):
    d = LEAVES[path][1]
    value = {"below": repr(d.low - 1), "above": repr(d.high + 1)}.get(how, how)
    out, said = io.StringIO(), io.StringIO()
    with mock.patch.object(sys, "argv", ["stickiness", f"{path}={value}"]), redirect_stdout(out), redirect_stderr(said):
        status = cli.main()
    assert status == 2 and f"{path}: " in said.getvalue() and d.allowed in said.getvalue()
    assert "Traceback" not in said.getvalue() and not out.getvalue()
