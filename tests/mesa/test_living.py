"""What Mesa's market has beside the kernel: reporters of the market, people who change group, firms that react."""

import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.measure.tally import FOLDS
from sim.mesa import Competitor, Consumer, Market
from sim.model.declare import ScenarioError
from tests.engine.test_same_bits import digest
from tests.mesa.test_market import simulated, small

OF_MARKET = {
    "a function": lambda m: m.week,
    "an attribute": "week",
    "a property": Market.week.fget,
    "with parameters": [lambda n: n + 1, [1]],
}


@pytest.mark.parametrize("name", OF_MARKET)
def test_reporters_of_the_market_come_beside_the_readings(name):
    market = simulated(small(), 3, model_reporters={"own": OF_MARKET[name]})
    found = market.datacollector.get_model_vars_dataframe()
    assert found["own"].tolist() == ([2, 2, 2] if name == "with parameters" else [1, 2, 3])
    assert found["share.f0"].between(0, 1).all()


@pytest.mark.parametrize("wrong", [{"x": 3, "y": None}, ["trust"], {"share.f0": len}])
def test_what_is_no_reporter_of_the_market_is_a_sentence(wrong):
    with pytest.raises(ScenarioError, match=r"^model_reporters"):
        Market(small(), model_reporters=wrong)


BAD_PAIRS = {
    "too short": (np.zeros(3, np.int64), np.zeros(0, np.int64)),
    "nobody there": (np.arange(241), np.full(240, 240)),
    "backwards": (np.r_[0, np.arange(240, 0, -1)], np.zeros(240, np.int64)),
    "negative": (np.arange(241), np.full(240, -1)),
    "of floats": (np.arange(241.0) / 2, np.zeros(240)),
}


@pytest.mark.parametrize("pair", BAD_PAIRS)
def test_a_pair_of_arrays_that_is_no_network_is_a_sentence(pair):
    with pytest.raises(ScenarioError, match="network"):
        Market(small(), network=BAD_PAIRS[pair])


class Growing(Consumer):
    """Turns old at a rate of its own, drawn by the model's generator."""

    def step(self):
        super().step()
        if self.cohort == "young" and self.row % 12 == self.model.week:
            self.cohort = "old"


def test_people_may_grow_older():
    market = Market(small(), activation="agents", consumer_class=Growing)
    before = market.tally.people.sum(axis=0)
    while market.running:
        market.step()
    now = market.tally.people
    cells = np.bincount(market.people.cell, minlength=len(market.cells))
    assert (now.sum(axis=0) == cells).all() and now.shape[0] == FOLDS and (now >= 0).all()
    young = [s for s, (_, cohort) in enumerate(market.cells) if cohort == "young"]
    assert before[young].sum() > 0 and cells[young].sum() == 0
    with pytest.raises(ValueError, match="'elderly' is no cohort"):
        next(iter(market.consumers)).cohort = "elderly"


def test_a_change_of_segment_changes_what_people_do():
    still, moved = Market(small()), Market(small())
    for person in moved.consumers:
        person.segment = "other"
    for _ in range(4):
        still.step(), moved.step()
    assert {c.segment for c in moved.consumers} == {"other"} and digest(still.tally) != digest(moved.tally)


class Reacting(Competitor):
    """Answers a loss of share, and of customers, with its price."""

    def step(self):
        if self.name == "f1" and self.model.week in (4, 8) and self.last("share") < 0.99:
            self.price = self.price - 0.1


def test_a_firm_that_reacts_is_a_policy_to_the_bit():
    market = simulated(small(), competitor_class=Reacting)
    said = {"firm": "f1", "when": "share", "value": 0.99, "step": -0.1, "floor": 0.1}
    run = simulate(small({"policies.react": said}))
    assert [m.value for m in run.moves[0].values()] == pytest.approx([0.9, 0.8])
    assert digest(market.tally) == digest(run.tally)


def test_what_a_firm_reads_is_what_is_collected():
    market = Market(small())
    firm = market.competitor["f0"]
    assert np.isnan(firm.share()) and np.isnan(firm.last("churn"))
    for week in range(1, 9):
        market.step()
        assert firm.share() == firm.metric("share") and market.weekly("uses", "f0") == firm.metric("uses")
        if week % 4 == 0:
            for metric in ("stickiness", "churn", "penetration"):
                assert firm.last(metric) == firm.metric(metric)
    with pytest.raises(ValueError, match="is no metric of a firm; did you mean churn"):
        firm.last("chrun")
    with pytest.raises(ValueError, match="no metric of a week"):
        market.weekly("churn", "f0")
