"""Firms that live: who enters and leaves, what advertising and points do, and how policies react; equal everywhere."""

import sys

import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.engine.policies import moved
from sim.measure.metrics import firm_metrics
from sim.mesa import Market
from sim.model.declare import ScenarioError
from sim.model.offers import advertising_effect
from sim.model.scenario import build, change, to_dict
from tests.engine.test_same_bits import WORLDS, digest, elsewhere
from tests.markets import bare, market

LIVING = {
    "market.errands": 0.3,
    "firms.f5.enters": 8,
    "firms.f1.leaves": 14,
    "firms.f2.points": 1.5,
    "firms.f2.points_uses": 4.0,
    "moves": {"ads": {"firm": "f4", "lever": "advertising", "value": 5.0, "week": 3, "weeks": 6}},
    "policies": {
        "match": {"firm": "f0", "when": "share", "of": "f3", "crosses": "above", "value": 0.1, "step": -0.1},
        "repair": {
            **{"firm": "f3", "when": "churn", "crosses": "above", "value": 0.05, "step": 0.3, "floor": 0.9},
            **{"lever": "quality", "week": 8},
        },
    },
}
SHORT = {"people": 300, "weeks": 20, "burn_in": 5, "window": 4}


def living(world, changes=None):
    story = {**WORLDS[world], **SHORT, "scandals": {"leak": {"firm": "f2", "week": 9, "action": 4.0}}}
    return market({**story, **LIVING, **(changes or {})})


# ---------------------------------------------------------------- the same bits


@pytest.mark.parametrize("world", WORLDS)
def test_kernel_mesa_shards_and_replay_agree(world):
    scenario = living(world, {"replications": 2})
    run = simulate(scenario, 1)
    assert all(run.moves) and digest(simulate(scenario, 2, 5).tally) == digest(run.tally)
    for r in range(2):
        again = simulate(run.as_moves(r), 1, first=r)
        assert again.scenario.policies == {} and again.moves == []
        assert digest(again.tally) == digest([a[32 * r : 32 * (r + 1)] for a in run.tally])
    one = simulate(change(scenario, {"replications": 1}), 1)
    for activation in ("kernel", "agents"):
        mesa = Market(change(scenario, {"replications": 1}), activation=activation)
        while mesa.running:
            mesa.step()
        result = mesa.result()
        assert digest(result.tally) == digest(one.tally) and result.scenario == one.as_moves()


@pytest.mark.parametrize("world", WORLDS)
def test_plain_python_agrees(world, tmp_path):
    changes = {"people": 40, "weeks": 12, "moves.ads.weeks": 4, "firms.f5.enters": 3, "firms.f1.leaves": 6}
    scenario = living(world, {**changes, "policies.repair.week": 4})
    here = digest(simulate(scenario).tally)
    spelled = repr(to_dict(scenario))
    (tmp_path / "made.py").write_text(f"from sim.model.scenario import build\nSAID = {spelled}\n")
    found = elsewhere(sys.executable, to_dict(scenario), tmp_path, "sim.model.scenario.build", NUMBA_DISABLE_JIT="1")
    assert found == here


def test_a_cluster_agrees():
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install -e '.[cluster]'")
    from sim.engine import cluster

    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        scenario = living("repertoire")
        there, here = cluster.simulate(scenario, 2), simulate(scenario, 1)
    finally:
        ray.shutdown()
    assert digest(there.tally) == digest(here.tally) and there.moves == here.moves and here.moves[0]


# ---------------------------------------------------------------- firms that enter and leave


@pytest.mark.parametrize("world", WORLDS)
def test_nobody_uses_a_firm_that_is_not_there(world):
    run = simulate(living(world, {"people": 2000}), 1, keep_people=True)
    flow = run.tally.flow.sum(axis=(0, 2))  # [week, left, joined]
    entrant, gone = flow[..., 6], flow[..., 2]
    assert entrant[:8].sum() == 0 and entrant[8:].sum() > 0, "f5 enters in week 8"
    assert gone[:14].sum() > 0 and gone[14:].sum() == 0, "f1 leaves in week 14"
    assert flow[14:, 2, 1:].sum() > 0, "its customers go elsewhere"
    assert run.tally.event[:, :8, :, 5].sum() == 0


def test_nobody_has_used_an_entrant_before():
    quiet = {**SHORT, "people": 500, "weeks": 1, "window": 1, "burn_in": 3, "firms.f5.enters": 5}
    for world in WORLDS:
        bonds = simulate(market({**WORLDS[world], "scandals": {}, "moves": {}, **quiet}), keep_people=True)
        people = bonds.people[0]
        entrant = people.bonds[:, 5]
        assert (entrant["familiarity"] == 0).all() and (entrant["habit"] == 0).all() and (people.one["last"] != 5).all()
        assert (people.bonds[:, 0]["familiarity"] > 0).any()


def test_customers_of_a_provider_that_leaves_choose_anew_at_once():
    """Whatever their inattention, their contract and the time that an exit takes."""
    slow = {"consumer.attention": 0.01, "market.exit_rate": 0.01, "market.regime": "provider", "firms.f0.leaves": 3}
    run = simulate(market({**slow, "firms.f0.switching_cost": 5.0, "weeks": 6, "window": 3}), 1, keep_people=True)
    flow = run.tally.flow.sum(axis=(0, 2))
    assert flow[2, :, 1].sum() > 300, "customers in the last week"
    assert flow[3, 1, 2:].sum() == flow[2, :, 1].sum() and flow[4:, 1].sum() == 0
    assert (run.people[0].one["last"] != 0).all()


def test_shares_of_those_who_are_there_are_those_of_the_dirichlet():
    """All else off, a firm's share is its presence, over that of the firms in the market."""
    scenario = bare({"people": 20_000, "weeks": 30, "window": 10, "firms.f1.enters": 10, "firms.f0.leaves": 20})
    flow = simulate(scenario).tally.flow.sum(axis=(0, 2, 3))[:, 1:]
    presence = np.array([f.presence for f in scenario.firms.values()])
    for weeks, there in (((0, 10), presence * (np.arange(6) != 1)), ((10, 20), presence)):
        share = flow[slice(*weeks)].sum(axis=0) / flow[slice(*weeks)].sum()
        assert share == pytest.approx(there / there.sum(), abs=0.01)
    late = flow[20:].sum(axis=0) / flow[20:].sum()
    assert late == pytest.approx(presence * (np.arange(6) != 0) / presence[1:].sum(), abs=0.012)


def test_an_entrant_is_half_way_to_its_share_after_the_half_life_of_choices():
    """Providers, a share a of people choosing anew a week: 9.5 % x (1 - (1 - a)^t), half after ln 2 / a weeks."""
    a, share, enters = 0.05, 0.095, 10
    half_life = np.log(2) / -np.log(1 - a)  # 13.5 weeks
    awake = {"consumer.attention": a, "market.attention_concentration": 1e4, "mechanisms.inattention": True}
    changes = {**awake, "market.regime": "provider", "firms.f1.enters": enters, "people": 40_000, "weeks": 160}
    flow = simulate(bare(changes, (1 - share, share))).tally.flow.sum(axis=(0, 2, 3))[:, 1:]
    found = flow[:, 1] / flow.sum(axis=1)
    weeks = np.arange(160)
    expected = share * (1 - (1 - a) ** np.clip(weeks - enters + 1, 0, None))
    assert (found[:enters] == 0).all() and found == pytest.approx(expected, abs=4 * np.sqrt(share / 40_000))
    after = enters + round(half_life) - 1
    assert found[after] == pytest.approx(share / 2, abs=0.006) and found[-30:].mean() == pytest.approx(share, abs=0.004)


def test_a_firm_that_never_enters_is_the_control():
    """Before it enters, a market with the entrant is the market in which it never does, to the bit."""
    enters, never = (simulate(living("repertoire", {"firms.f5.enters": w, "policies": {}})) for w in (12, 99))
    assert (enters.tally.flow[:, :12] == never.tally.flow[:, :12]).all()
    assert never.tally.flow[..., 6].sum() == 0 < enters.tally.flow[:, 12:, ..., 6].sum()


# ---------------------------------------------------------------- advertising and points


def test_advertising_by_its_closed_form():
    s = change(bare(), {"market.advertising_half_life": 4.0, "market.advertising_elasticity": 0.2})
    steady = advertising_effect(s, np.full((60, 1), 1.1, np.float32))[-1, 0]
    assert steady == pytest.approx(0.2 * 2 * np.log(2.1 / 2)) and steady / np.log(1.1) == pytest.approx(0.2, rel=0.03)
    budget = np.ones((60, 1), np.float32)
    budget[10:20] = 3
    effect = advertising_effect(s, budget)[:, 0]
    stock = np.exp(effect.astype(float) / 0.4) * 2 - 1
    assert effect[:10].max() == 0 and stock[24] - 1 == pytest.approx((stock[20] - 1) / 2, rel=1e-3), "half in 4 weeks"
    one, two, three = (float(advertising_effect(s, np.full((1, 1), n, np.float32))[0, 0]) for n in (1, 2, 3))
    assert 0 == one < three - two < two, "the second unit more adds less than the first"


def test_advertising_moves_a_logit_s_share_by_its_effect():
    """With everybody's tastes alike a share is a logit of ln presence and what advertising adds."""
    base = bare({"people": 20_000, "weeks": 40, "window": 10, "moves.ads": {"firm": "f1", "lever": "advertising"}})
    s = change(base, {"moves.ads.week": 10, "moves.ads.value": 6.0, "market.advertising_elasticity": 0.3})
    flow = simulate(s).tally.flow.sum(axis=(0, 2, 3))[:, 1:]
    share = flow[-5:].sum(axis=0) / flow[-5:].sum()
    budgets = np.repeat(np.float32([[1], [6]]), [11, 30], axis=0)
    added = np.exp(advertising_effect(s, budgets)[-5:, 0].mean())
    odds = 0.25 * added
    assert share[1] == pytest.approx(odds / (0.75 + odds), abs=0.01)


def test_points_keep_those_who_collect():
    base = market({"people": 4000, "weeks": 26, "consumer.rate": 1.5, "firms.f2.points_uses": 5.0})
    with_points = change(base, {"firms.f2.points": 1.0})
    off = change(with_points, {"mechanisms.switching_cost": False})
    shares = [simulate(s).tally.flow[..., 3].sum() for s in (base, with_points)]
    assert shares[1] > 1.05 * shares[0]
    without = change(base, {"mechanisms.switching_cost": False})
    assert digest(simulate(off).tally) == digest(simulate(without).tally)


# ---------------------------------------------------------------- policies


def test_a_policy_does_what_its_words_say():
    """By hand, from the counts of each window: a step in the week after each window below the value, to the floor."""
    said = {"firm": "f0", "when": "share", "crosses": "below", "value": 0.99, "step": -0.08, "floor": 0.8}
    run = simulate(market({**SHORT, "policies.cut": said, "policies.never": {**said, "crosses": "above"}}))
    assert run.moves[0].keys() == {"cut_week4", "cut_week8", "cut_week12"}
    assert [m.value for m in run.moves[0].values()] == pytest.approx([0.92, 0.84, 0.8])
    waits = simulate(market({**SHORT, "policies.cut": {**said, "week": 9}}))
    assert [m.week for m in waits.moves[0].values()] == [12, 16]


@pytest.mark.parametrize("metric", ["share", "penetration", "stickiness", "churn", "satisfaction", "would_leave"])
def test_a_policy_sees_the_metric_of_the_window(metric):
    """It moves if and only if the window's own figure, taken from the run's tally, is beyond the value."""
    s = market({**SHORT, "people": 1000, "market.survey": 0.5})
    tally = simulate(s).tally
    pick = {n: getattr(tally, n)[:, 4:8] for n in ("flow", "event", "news")}
    pick |= {n: getattr(tally, n)[:, 1:2] for n in ("window", "both", "buyers", "transitions", "faithful", "standing")}
    window = type(tally)(**{**tally._asdict(), **pick})
    counts = type(tally)(
        *(
            a.sum(
                axis=0
                if n in ("people", "tenure", "after")
                else (0, 1, 2)
                if n in pick and n in ("flow", "event", "news")
                else (0, 1)
                if n in pick
                else 0
            )
            for n, a in window._asdict().items()
        )
    )
    counts = counts._replace(**{n: getattr(window, n).sum(axis=(0, 1, 2)) for n in pick})
    found = float(firm_metrics(False)[metric](counts)[0])
    for shift in (-1e-6, 1e-6):
        policy = {"firm": "f0", "when": metric, "crosses": "below", "value": found + shift, "lever": "quality"}
        there = change(s, {"policies.p": {**policy, "step": 0.1, "floor": 1.0, "week": 8}, "weeks": 12})
        assert ("p_week8" in simulate(there).moves[0]) == (shift > 0), metric


def test_no_move_without_a_figure_or_outside_the_market():
    s = market({**SHORT, "firms.f5.enters": 99, "market.survey": 0.0})
    nothing = {"when": "would_leave", "crosses": "below", "value": 99.0}
    late = {"firm": "f5", "when": "share", "crosses": "below", "value": 0.5}
    run = simulate(change(s, {"policies": {"unasked": nothing, "late": late}}))
    assert run.moves == [{}] and moved(run.scenario, run.scenario.weeks - 1, run.tally) is run.scenario


# ---------------------------------------------------------------- bad input


def test_everything_wrong_is_said_at_once():
    said = {
        "firms.f0.enters": 9,
        "firms.f0.leaves": 9,
        "scandals.leak": {"firm": "f5", "week": 3},
        "firms.f5.enters": 8,
        "policies": {
            "a": {"when": "shares", "firm": "f9", "of": "f8", "week": 999},
            "b": {"lever": "prise"},
            "c": {"lever": "out_of_stock", "step": 0.1, "floor": 1.5},
            "d": {"step": 0.1},
            "e": {"step": 0.0},
            "f": {"crosses": "beside"},
            "g": {"lever": "enters"},
        },
    }
    with pytest.raises(ScenarioError) as error:
        market(said)
    for text in (
        "firms.f0.leaves: 9 is not after firms.f0.enters (9)",
        "scandals.leak.week: 3 is a week in which its firm is not in the market",
        "policies.a.when: 'shares' is not known; did you mean share",
        "policies.a.firm: 'f9' is no firm",
        "policies.a.of: 'f8' is no firm",
        "policies.a.week: 999 is beyond the last week",
        "policies.b.lever: 'prise' is no lever; did you mean price",
        "policies.c.floor: 1.5 is outside 0 to 1 for out_of_stock",
        "policies.d.floor: 0.8 is below the lever's 1; a step of 0.1 never moves it",
        "policies.e.step: 0 moves nothing",
        "policies.f.crosses: 'beside' is not known",
        "policies.g.lever: 'enters' is no lever",
    ):
        assert text in str(error.value), text


@pytest.mark.parametrize(
    ("weeks", "says"),
    [({"a.enters": 5, "b.enters": 9}, "the weeks before week 0"), ({"a.leaves": 7, "b.enters": 9}, "week 7")],
)
def test_a_market_without_firms_is_refused(weeks, says):
    firms = {"a": {"presence": 1.0}, "b": {"presence": 1.0}}
    with pytest.raises(ScenarioError, match=f"nobody is in the market in {says}"):
        build({"firms": firms, "segments": {"all": {}}, **{}}, **{f"firms.{k}": v for k, v in weeks.items()})
