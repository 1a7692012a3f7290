"""What the page says of a market and its twin: exactly what they differ in, how sure that is, and when it is not."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

from sim.page import crowd
from sim.page.chronicle import more
from sim.page.stage import Difference, Happened, Stage, preset
from sim.page.words import DARK, firm_rows, verdict
from sim.scenario import change

STRONG = {"severity": 6.0, "reach": 0.95, "action": 8.0}


def played(weeks, market="toothpaste_uk", **changes):
    stage = Stage(change(preset(market), {"people": 2000, "burn_in": 13, "consumer.rate": 1.0, **changes}))
    step(stage, weeks)
    return stage


def step(stage, weeks):
    for _ in range(weeks):
        stage.step()


# ---------------------------------------------------------------- what the twin does without


def test_a_breach_is_not_charged_with_the_price_that_rises_after_it():
    stage = played(3)
    plain = stage.market.fork()  # neither
    stage.scandal("data_breach", "colgate", **STRONG)
    breach = stage.market.fork()  # the breach alone
    step(stage, 3)
    [breach.step() for _ in range(3)]
    assert verdict(stage)["words"].startswith("The data breach alone ")
    stage.move("price", "colgate", 1.3, "price up 30 %", keep_twin=True)
    words = verdict(stage)["words"]
    assert words.startswith("The data breach alone ") and "The price up 30 % at Colgate happens in week 6." in words
    step(stage, 8)
    for market in (plain, breach):
        [market.step() for _ in range(11 if market is plain else 8)]
    both, alone = (int((crowd.last(m) == 0).sum() - (crowd.last(plain) == 0).sum()) for m in (stage.market, breach))
    assert both < alone < 0  # they are not the same question
    assert stage.compared().net == both
    said = f"The data breach (week 3) and the price up 30 % (week 6) together cost Colgate {-both} customers so far"
    assert verdict(stage)["words"].startswith(said)


def test_an_event_of_its_own_is_charged_with_itself():
    stage = played(3)
    stage.scandal("data_breach", "colgate", **STRONG)
    step(stage, 3)
    before = stage.market.fork()
    stage.move("price", "colgate", 1.3, "price up 30 %")
    step(stage, 8)
    [before.step() for _ in range(8)]
    net = int((crowd.last(stage.market) == 0).sum() - (crowd.last(before) == 0).sum())
    assert stage.compared().net == net < 0
    assert verdict(stage)["words"].startswith(f"The price up 30 % alone cost Colgate {-net} customers so far")


def test_a_lever_pulled_later_acts_in_both_worlds_and_is_not_charged():
    stage = played(3)
    stage.scandal("data_breach", "colgate", **STRONG)
    stage.pull("firms.colgate.price", 2.0)
    stage.pull("firms.macleans.quality", 2.0)
    step(stage, 8)
    worlds = (stage.market, stage.twin)
    assert {m.competitor["colgate"].price for m in worlds} == {2.0}
    ours, theirs = (m.life.scenario for m in worlds)
    assert ours.moves == theirs.moves and replace(ours, scandals={}) == theirs
    assert verdict(stage)["words"].startswith("The data breach alone ")


def test_events_at_other_firms_say_where():
    stage = played(3)
    stage.move("price", "macleans", 0.7, "price down 30 %")
    stage.scandal("outage", "colgate", keep_twin=True)
    step(stage, 2)
    stage.apologise("colgate", keep_twin=True)
    step(stage, 2)
    named = ("price down 30 % (week 3)", "outage at Colgate (week 3)", "apology for the outage at Colgate (week 5)")
    cause = f"The {named[0]}, the {named[1]} and the {named[2]}"
    assert verdict(stage)["words"].startswith(f"{cause} together") and "Macleans" in verdict(stage)["words"]


def test_nothing_is_said_before_it_has_been_lived():
    stage = played(3)
    stage.scandal("data_breach", "colgate")
    assert verdict(stage)["words"].startswith("The data breach at Colgate happens in week 3. Step or play")
    stage.scandal("moral_scandal", "colgate", keep_twin=True)
    words = verdict(stage)["words"]
    assert words.startswith(
        "The data breach at Colgate and the moral scandal at Colgate happen in week 3. Step or play"
    )
    assert not verdict(stage)["figures"]


# ---------------------------------------------------------------- how sure


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (
            Difference(120, 20, 10.0, 1000, (-0.01, 0.002), (-0.02, 0.002)),
            "cost Colgate 100 customers so far (± 20; 10.0 %",
        ),
        (
            Difference(20, 120, 10.0, 1000, (0.01, 0.002), (0.02, 0.002)),
            "won Colgate 100 customers so far (± 20; 10.0 %",
        ),
        (Difference(60, 50, 10.0, 1000, (-0.001, 0.002), (0.0, 0.01)), "no change detected so far"),
        (Difference(60, 50, 10.0, 1000, (-0.001, 0.002), (0.0, 0.01)), "between −30 and +10"),
        (Difference(50, 50, 9.0, 1000, (0.0, 0.002), (0.0, 0.01)), "no change detected so far"),
        (Difference(4, 0, 2.0, 1000, (-0.001, 0.002), (0.0, 0.01)), DARK),
        (Difference(0, 0, 0.0, 1000, (0.0, 0.0), (np.nan, np.nan)), DARK),
        (Difference(30, 0, float("nan"), 1000, (0.0, 0.0), (np.nan, np.nan)), DARK),
        (Difference(0, 40, 5.0, 0, (0.01, 0.002), (0.02, 0.002)), "won Colgate 40 customers so far (± 10):"),
    ],
)
def test_what_is_known_is_said_and_no_more(monkeypatch, found, says):
    stage = played(2)
    stage.events = [Happened("data breach", "colgate", 1)]
    monkeypatch.setattr(Stage, "compared", lambda stage: found)
    told = verdict(stage)
    assert says in told["words"] and "held" not in told["words"]
    if says == DARK:
        assert [f["small"].endswith(DARK) for f in told["figures"]] == [True]
    assert all(float(f.get("error", "± 1")[2:]) > 0 and "nan" not in str(f) for f in told["figures"])


def test_a_quiet_event_is_no_proof_of_nothing():
    stage = played(3, market="bank", **{"consumer.rate": 0.25})
    stage.scandal("data_breach", stage.start.focus)
    step(stage, 3)
    assert stage.compared().lost + stage.compared().won < 10 and DARK in verdict(stage)["words"]
    assert {row["spread"] for row in firm_rows(stage)} <= {"", "too few"}


def test_the_error_of_customers_is_that_of_people_who_move():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        there = rng.random(3200) < 0.3
        here = there & (rng.random(3200) > 0.1)
        groups = [flags.reshape(32, 100).sum(axis=1) for flags in (here, there)]
        found.append((here.sum() - there.sum(), more(*groups, np.full(32, 100))))
    true = np.std([net for net, _ in found], ddof=1)
    assert all(net == e.value for net, e in found)
    assert np.mean([e.error for _, e in found]) == pytest.approx(true, rel=0.15)
    one = np.ones(1, int)
    assert np.isnan(more(one, 0 * one, one).error)  # of one person nothing is known


# ---------------------------------------------------------------- windows and sparse cells


@pytest.mark.parametrize(
    ("market", "rate"), [("toothpaste_uk", 0.25), ("bank", 0.25), ("cars_de", 0.02), ("mobile", 1.0)]
)
def test_no_row_is_surer_than_it_can_be(market, rate):
    stage = played(0, market=market, people=1000, window=8, **{"consumer.rate": rate})
    assert {(row["index"], row["error"]) for row in firm_rows(stage)} == {("–", "")}
    for week in range(1, 20):
        stage.step()
        for row in firm_rows(stage):
            assert row["error"] == DARK or (row["error"].startswith("± ") and "± 0.00" not in f"{row['error']} ")
            assert ("so far" in row["error"]) == (week < 8 and row["error"] != DARK)


def test_stickiness_in_the_table_is_that_of_the_last_window_that_ended():
    stage = played(13)
    ended = [row["index"] for row in firm_rows(stage)]
    for _ in range(12):
        stage.step()
        assert [row["index"] for row in firm_rows(stage)] == ended
    stage.step()
    assert [row["index"] for row in firm_rows(stage)] != ended
