"""Worlds of a market: what they are matched to, presence in each, and the experiment that keeps them."""

import json
import math

import numpy as np
import pytest
import yaml

from sim.facts import market_worlds, scoreboard
from sim.facts.market_worlds import NEAR, PRESENCE, SHARES, market_of
from sim.model.declare import ScenarioError
from sim.study import worlds
from sim.study.matching import MOST_MISS, Trial
from sim.study.presets import presets
from sim.study.priors import uniform
from tests.test_experiments import FOLDER, load

SCRIPT = load(FOLDER / "worlds.py")
ONE = {
    "discrepancy": 0.1,
    "shares": 0.05,
    "markets": {"bank": {"facts": {17: ["bank"]}, "check": {98: ["less than a year, %"]}}},
}
SIZES = {"people": 400, "many": 3, "first": 4, "waves": 1}


@pytest.fixture
def one(tmp_path, monkeypatch):
    """A bank that is matched to a single fact."""
    (tmp_path / "targets.yaml").write_text(yaml.safe_dump(ONE))
    monkeypatch.setattr(market_worlds, "TARGETS", tmp_path / "targets.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_worlds_are_matched_to_was_measured_and_is_not_held_out():
    file = yaml.safe_load(market_worlds.TARGETS.read_text(encoding="utf-8"))
    facts = scoreboard.facts()
    for name, row in file["markets"].items():
        assert name in presets("market")
        for number, quantities in row["facts"].items():
            assert not facts[number].held_out and not facts[number].construction, number
            assert all(np.isfinite(facts[number].limits[q]).all() for q in quantities)
        for number, quantities in row.get("check", {}).items():
            assert facts[number].held_out and set(quantities) <= set(facts[number].limits), number


@pytest.mark.parametrize(
    ("markets", "said"),
    [({"bank": {"facts": {73: ["exits, points a year"]}}}, "fact 73 is held out"), ({"bnk": {}}, "did you mean bnk")],
)
def test_a_held_out_fact_or_an_unknown_market_is_refused(one, markets, said):
    (one / "targets.yaml").write_text(yaml.safe_dump({**ONE, "markets": markets}))
    with pytest.raises(ScenarioError, match=said):
        market_of("bank", 400)


def test_firms_have_their_shares_in_a_world_with_other_numbers(one):
    market = market_of("bank", 2_000)
    world = {"market.taste_concentration": 3.0, "firms.lloyds.quality": 1.0, "consumer.attention": 0.02}
    before = market.shares_in(world)
    presence, gap = market.presence(world, [f.presence for f in market.solved.firms.values()])
    after = market.shares_in({**world, **presence})
    assert abs(before - market.shares).max() > 0.02 > abs(after - market.shares).max()
    assert (
        gap == pytest.approx(math.sqrt((market.shares * np.log(after / market.shares) ** 2).sum())) and gap < 3 * NEAR
    )
    assert sum(presence.values()) == pytest.approx(1)


def test_what_a_world_gives_is_what_the_fact_gives_there_and_misses_count(one):
    market = market_of("bank", 1_000)
    found = market.world({path: uniform(1, path) for path in market.priors}, None)
    presence = {n.removeprefix(PRESENCE): v for n, v in found.found.items() if n.startswith(PRESENCE)}
    again = market.measured({**market.changes(found.chances), **presence}, market.facts)["17 bank"]
    assert float(again.value) == found.found["17 bank"] and len(presence) == len(market.base.firms)
    misses = market.misses(found.found)
    assert misses.keys() == {"17 bank", SHARES} and 0 < found.miss <= MOST_MISS
    far = Trial({}, {**found.found, "17 bank": 99.0}, 0.0)
    assert market.without_power([found, far]) == frozenset()
    near = Trial({}, {**found.found, "17 bank": 10.0}, 0.0)
    assert market.without_power([near]) == {"17 bank"}
    market.silent = frozenset({"17 bank"})
    assert market.misses(far.found).keys() == {SHARES}


def test_the_experiment_keeps_worlds_that_can_be_read_and_does_nothing_twice(one, monkeypatch, capsys):
    table = SCRIPT.main("bank", SIZES, True, one)
    kept, text = worlds.read(one / "bank.csv"), (one / "bank.csv").read_bytes()
    assert len(kept.worlds) == 3 and "market=bank" in kept.about and kept.preset["firms.lloyds.presence"] > 0.1
    assert all(
        sum(v for p, v in w.items() if p.endswith(".presence")) == pytest.approx(1, abs=1e-3) for w in kept.worlds
    )
    out = capsys.readouterr().out
    assert "held out: " in out and "calibrated: " in out and "of 1 foretold" in out and "Finding: " in out
    assert (
        table["quantity"].tolist() == ["17 bank"]
        and (one / "outputs/experiments/worlds_bank.png").stat().st_size > 5000
    )
    lines = (one / "outputs/worlds/bank.journal").read_text().splitlines()
    assert len({json.loads(line)["name"] for line in lines}) == len(lines) == 7
    monkeypatch.setattr(market_worlds.Market, "world", lambda *a: pytest.fail("simulated again"))
    SCRIPT.main("bank", SIZES, False, one)
    assert (one / "bank.csv").read_bytes() == text


@pytest.mark.parametrize("words", [[], ["market=bank", "many=x"], ["market=bank", "many=0"], ["market=bank", "size=3"]])
def test_wrong_words_get_the_usage(words):
    with pytest.raises(SystemExit, match=r"usage: python -m experiments.worlds market=NAME"):
        SCRIPT.asked(words)
    assert SCRIPT.asked(["market=bank", "--coverage", "many=9"]) == ("bank", {"many": 9}, True)
