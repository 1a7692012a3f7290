"""Best: the same plan as brute force, costs kept, confirmed on fresh draws, and what is wrong said at once."""

import numpy as np
import pytest

from sim.model.declare import ScenarioError
from sim.model.fields import Move
from sim.model.scenario import change
from sim.study import optimum, runs
from sim.study.lever_plans import levers_of
from tests.markets import market

SMALL = {"people": 300, "weeks": 26, "burn_in": 4}
LEVERS = {"better": {"quality": 1.0}, "cheaper": {"price": 0.9}, "easier": {"effort": -0.5}}
COSTS = {"better": 40.0, "cheaper": 60.0, "easier": 20.0}
QUICK = {"replications": 2, "fresh": 3, "worlds": 3, "quiet": True}


def brute_force(base, steps, budget, replications):
    """(steps of the best plan, its gain) by simulating every plan that the budget pays for, without `best`."""
    names = list(LEVERS)
    plans = [
        p
        for p in np.ndindex(*[steps + 1] * 3)
        if sum(n / steps * COSTS[x] for n, x in zip(p, names, strict=True)) <= budget
    ]
    target = {"quality": 1.0, "price": 0.9, "effort": -0.5}
    now = {path: getattr(base.firms["f1"], path) for path in target}
    arms = {}
    for plan in plans:
        moves = {
            f"moves.{path}": {
                "firm": "f1",
                "lever": path,
                "week": 0,
                "value": now[path] + n / steps * (target[path] - now[path]),
            }
            for n, path in zip(plan, target, strict=True)
            if n
        }
        arms[str(plan)] = moves
    table = runs.run(base, arms, metrics=["share"], replications=replications, quiet=True)
    means = table.groupby("scenario", sort=False)["share.f1"].mean()
    return plans, means - means[str((0, 0, 0))]


def test_all_plans_are_tried_where_they_are_few_and_the_best_is_that_of_brute_force():
    base = market(SMALL)
    found = optimum.best(base, "f1", LEVERS, COSTS, 60, steps=2, **QUICK)
    plans, gains = brute_force(base, 2, 60, 2)
    assert found.plans == len(plans) == len(found.tried)
    top = plans[int(np.argmax(gains.to_numpy()))]
    assert tuple(int(2 * d) for d in found.plan.values()) == top
    assert found.searched.value == pytest.approx(gains.max(), abs=1e-12)
    assert found.cost <= 60 and (found.tried["cost"] <= 60 + 1e-9).all()


def test_a_search_comes_as_high_as_brute_force():
    """With a third of the trials; what it finds is no worse than the best by more than 5 % of its gain."""
    pytest.importorskip("optuna")
    base = market({**SMALL, "weeks": 13})
    plans, gains = brute_force(base, 4, 70, 2)
    found = optimum.best(base, "f1", LEVERS, COSTS, 70, steps=4, trials=len(plans) // 3, **QUICK)
    assert found.plans == len(plans) and len(found.tried) <= len(plans) // 3
    assert found.searched.value >= 0.95 * gains.max() > 0


def test_same_seed_same_result_whatever_the_workers():
    pytest.importorskip("optuna")
    base = market({**SMALL, "people": 200, "weeks": 13})
    one, two = (optimum.best(base, "f1", LEVERS, COSTS, 70, trials=12, workers=w, **QUICK) for w in (1, 2))
    assert one.plan == two.plan and one.gain == two.gain
    for table in ("tried", "confirmed", "margin", "worlds"):
        assert getattr(one, table).equals(getattr(two, table))


def test_the_gain_is_that_of_draws_that_the_search_has_not_seen():
    base = market(SMALL)
    found = optimum.best(base, "f1", {"better": {"quality": 1.0}}, {"better": 10}, 10, steps=1, **QUICK)
    unseen = change(base, {"seed": base.seed + optimum.FRESH})
    arms = {"none": {}, "all": {"moves.q": {"firm": "f1", "lever": "quality", "week": 0, "value": 1.0}}}
    share = runs.run(unseen, arms, metrics=["share"], replications=3, quiet=True)["share.f1"].to_numpy()
    assert found.gain.value == pytest.approx((share[3:] - share[:3]).mean(), abs=1e-12)
    assert found.gain != found.searched and found.gain.error > 0
    margin = found.margin.set_index("step").loc["last"]
    assert margin["gain"] == pytest.approx(found.gain.value) and margin["gain_per_unit"] == pytest.approx(
        found.gain.value / 10
    )
    assert len(found.worlds) == 3 and "plausible worlds" in repr(found)


def test_what_does_nothing_is_not_paid_for():
    base = market({**SMALL, "weeks": 13})
    idle = {"idle": {"quality": base.firms["f1"].quality}, "better": {"quality": 1.0}}
    found = optimum.best(base, "f1", idle, {"idle": 1, "better": 5}, 100, steps=1, **QUICK)
    assert found.plan == {"idle": 0.0, "better": 1.0}


def test_levers_of_the_files_go_part_of_the_way():
    base = market()
    half = levers_of(base, "f1", ["association", "simplify"], {"association": 10, "simplify": 20}, 30, 2)
    changes = half.changes(base, (1, 0))
    now = base.firms["f1"].association
    assert changes == {
        "moves.association_association": Move("f1", "association", week=26, weeks=0, value=now + (0.5 - now) / 2)
    }
    assert "website" not in str(half.changes(base, (0, 2))), "a firm without that touchpoint has no such lever"


def test_everything_wrong_is_said_at_once():
    with pytest.raises(ScenarioError) as told:
        optimum.best(
            market(),
            "f1",
            ["asociation", "price_cut", "simplify"],
            {"simplify": -1, "x": 2},
            -3,
            metric="shares",
            trials=0,
        )
    text = str(told.value)
    for part in (
        "'asociation' is none; did you mean association",
        "costs.price_cut: not given",
        "costs.simplify: -1 is not a number above 0",
        "costs.x: no lever",
        "budget: -3",
        "'shares'",
        "trials: 0",
    ):
        assert part in text, part
    with pytest.raises(ScenarioError, match="pays for nothing; the cheapest step, of easier, costs 5"):
        optimum.best(market(), "f1", LEVERS, COSTS, 4.9)
    with pytest.raises(ScenarioError, match="firm: 'f99' is none"):
        optimum.best(market(), "f99", LEVERS, COSTS, 50)
