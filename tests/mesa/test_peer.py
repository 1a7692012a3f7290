"""The benchmark's own Mesa market simulates the same week: same parameters, other code, other draws."""

import numpy as np
import pytest

from experiments.benchmarks.mesa_market import MesaMarket
from sim.engine.loop import simulate
from sim.measure import estimates, metrics
from sim.measure.tally import Event
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from tests.markets import market

MORE = 8  # times as many people in the kernel, whose errors are known; a Mesa figure's is sqrt(MORE) times as large
AGES = {"young": {"weight": 0.5, "attention": 0.8, "habit_rate": 0.7}, "old": {"weight": 0.5, "loss_aversion": 1.3}}
KINDS = {
    "ethical": {"weight": 0.4, "voice": 2.0, "care": {"privacy": 0.5}, "action": 1.5, "rate": 1.4},
    "habitual": {"weight": 0.6, "attention": 0.7, "consideration_size": 0.6},
}
EVERYTHING = {  # and every mechanism strong enough that its absence would show
    **{"people": 8000, "weeks": 39, "segments": KINDS, "cohorts": AGES},
    **{"market.survey": 0.1, "market.experience": 12.0, "market.contract_weeks": 9, "market.event_attention": 0.5},
    **{"market.negative_wom": 0.6, "market.wom_weight": 1.0, "network.neighbors": 6, "market.trust_scandal": 0.25},
    **{"market.switching_cost_backlash": 2.5, "consumer.trust_weight": 3.0, "consumer.uncertainty": 1.5},
    **{"consumer.rate": 0.4, "consumer.attention": 0.8, "consumer.consideration_size": 2.6, "consumer.drift": 0.4},
    **{
        "consumer.anchor_pull": 1.2,
        "consumer.action": 0.5,
        "consumer.regret_weight": 1.0,
        "market.delight_threshold": 1.6,
    },
    **{"firms.f0.switching_cost": 2.0, "firms.f1.switching_cost": 0.6, "firms.f0.group": "g", "firms.f2.group": "g"},
    **{"firms.f1.quality": 0.4, "firms.f2.ease": 0.6, "firms.f3.effort": 0.3, "firms.f4.association": 0.5},
    **{"firms.f3.delight_rate": 0.1, "firms.f5.price": 0.9, "firms.f1.touchpoints.app.failure_rate": 0.3},
    "scandals.first": {
        "firm": "f0",
        "kind": "privacy",
        "week": 3,
        "harmed_share": 0.3,
        "response": 0.4,
        "contagion": 0.8,
    },
    "scandals.second": {"firm": "f1", "week": 13, "buycott": 0.3, "reach": 0.4, "outage": 1.0, "outage_weeks": 9},
    "moves.cut": {"firm": "f2", "lever": "price", "week": 20, "value": 0.85},
    "moves.app": {"firm": "f3", "lever": "touchpoints.app.failure_rate", "week": 8, "weeks": 12, "value": 0.5},
}
PROVIDER = {
    **{"people": 4000, "weeks": 52, "market.regime": "provider", "market.contract_weeks": 13},
    **{
        "market.event_attention": 0.4,
        "market.exit_rate": 0.25,
        "consumer.attention": 0.03,
        "consumer.consideration_size": 2.0,
    },
    **{"firms.f0.switching_cost": 1.6, "firms.f1.switching_cost": 0.4, "market.survey": 0.05},
    "scandals.leak": {"firm": "f1", "kind": "privacy", "week": 10, "severity": 2.5, "harmed_share": 0.1},
}


def switching(tally):
    """Share of uses, not first ones, that are elsewhere than the use before."""
    known = tally.flow[..., 1:, 1:]
    return 1 - np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))


def rate_of(event):
    return lambda tally: tally.event[..., event].sum(axis=-1) / tally.flow.sum(axis=(-2, -1))


def of_the_kernel(tally, provider):
    index = metrics.lag_index if provider else metrics.pair_index
    laws = {"share": metrics.share, "index": index, "switching": switching, "would_leave": metrics.would_leave}
    laws |= {event.name: rate_of(event) for event in Event if event is not Event.BETTER}
    laws |= {
        "first_looks": metrics.first_looks,
        "awareness": metrics.awareness,
        "satisfaction": metrics.satisfaction,
        "captured": metrics.captured,
    }
    return {name: estimates.estimate(law, tally) for name, law in laws.items()}


def of_the_peer(model, provider):
    frame = model.datacollector.get_model_vars_dataframe()
    sums = {name: np.sum(frame[name].tolist(), axis=0) for name in frame if not name.startswith("share")}
    flow = sums["flow"].sum(axis=0)  # the last row is nobody's
    uses = flow.sum(axis=0)
    found = {event.name: sums[event.name.lower()].sum() / uses.sum() for event in Event if event.name.lower() in sums}
    known, pairs = np.array(model.kept_from_to[:-1]), {name: np.array(n) for name, n in model.windows.items()}
    here = known.sum(axis=0) / known.sum() if provider else pairs["uses"] / pairs["uses"].sum()
    agree = np.diag(known) / known.sum(axis=1) if provider else pairs["pairs"] / pairs["all_pairs"]
    heard = [
        sum(h) for h in zip(*([k in p.heard for k in range(len(model.losses))] for p in model.agents), strict=True)
    ]
    return found | {
        "share": uses / uses.sum(),
        "index": (agree - here) / (1 - here),
        "switching": 1 - np.trace(flow[:-1]) / flow[:-1].sum(),
        "would_leave": sums["would_leave"] / sums["asked"],
        "satisfaction": sums["satisfied"] / uses,
        "first_looks": sums["first_look"] / sums["first_look"].sum(),
        "captured": sums["captive"] / uses,
        "awareness": np.array(heard) / len(model.agents),
    }


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("changes", [EVERYTHING, PROVIDER], ids=["everything", "provider"])
def test_the_peer_agrees_with_the_kernel(changes):
    """Every figure within 4.5 standard errors, and all of them together no farther than chance puts them."""
    scenario = market(changes)
    provider = scenario.market.regime == "provider"
    model = MesaMarket(scenario)
    for _ in range(scenario.burn_in + scenario.weeks):
        model.step()
    run = simulate(change(scenario, {"people": MORE * scenario.people}))
    expected, found = of_the_kernel(estimates.pooled(run.tally), provider), of_the_peer(model, provider)
    assert set(expected) == set(found)
    z = {n: (found[n] - e.value) / np.maximum(e.error, 1e-9) / np.sqrt(1 + MORE) for n, e in expected.items()}
    said = "; ".join(f"{name} {np.round(value, 1)}" for name, value in z.items())
    every = np.concatenate([np.atleast_1d(value) for value in z.values()])
    assert np.abs(every).max() < 4.5 and np.sqrt((every**2).mean()) < 1.7, said


def test_the_peer_refuses_what_it_cannot_simulate():
    with pytest.raises(ScenarioError, match=r"mechanisms\.taste"):
        MesaMarket(market({"mechanisms.taste": False}))
