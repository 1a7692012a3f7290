"""What the page says of a market and its twin: exactly what they differ in, how sure that is, and when it is not."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

from sim.model.scenario import change
from sim.page import people
from sim.page.captions import UNKNOWN, event_summary, firm_rows
from sim.page.game import Difference, Game, GameEvent, preset
from sim.page.history import paired_gap

STRONG = {"severity": 6.0, "reach": 0.95, "action": 8.0}


def played(weeks, market="toothpaste_uk", **changes):
    game = Game(change(preset(market), {"people": 2000, "burn_in": 13, "consumer.rate": 1.0, **changes}))
    step(game, weeks)
    return game


def step(game, weeks):
    for _ in range(weeks):
        game.step()


# ---------------------------------------------------------------- what the twin does without


def test_a_breach_is_not_charged_with_the_price_that_rises_after_it():
    game = played(3)
    plain = game.market.fork()  # neither
    game.scandal("data_breach", "colgate", **STRONG)
    breach = game.market.fork()  # the breach alone
    step(game, 3)
    [breach.step() for _ in range(3)]
    assert event_summary(game)["text"].startswith("The data breach alone ")
    game.move("price", "colgate", 1.3, "price up 30 %", keep_twin=True)
    words = event_summary(game)["text"]
    assert words.startswith("The data breach alone ") and "The price up 30 % at Colgate happens in week 6." in words
    step(game, 8)
    for market in (plain, breach):
        [market.step() for _ in range(11 if market is plain else 8)]
    both, alone = (int((people.last(m) == 0).sum() - (people.last(plain) == 0).sum()) for m in (game.market, breach))
    assert both < alone < 0  # they are not the same question
    assert game.compared().net == both
    said = f"The data breach (week 3) and the price up 30 % (week 6) together cost Colgate {-both} customers so far"
    assert event_summary(game)["text"].startswith(said)


def test_an_event_of_its_own_is_charged_with_itself():
    game = played(3)
    game.scandal("data_breach", "colgate", **STRONG)
    step(game, 3)
    before = game.market.fork()
    game.move("price", "colgate", 1.3, "price up 30 %")
    step(game, 8)
    [before.step() for _ in range(8)]
    net = int((people.last(game.market) == 0).sum() - (people.last(before) == 0).sum())
    assert game.compared().net == net < 0
    assert event_summary(game)["text"].startswith(f"The price up 30 % alone cost Colgate {-net} customers so far")


def test_a_lever_pulled_later_acts_in_market_and_twin_and_is_not_charged():
    game = played(3)
    game.scandal("data_breach", "colgate", **STRONG)
    game.set_lever("firms.colgate.price", 2.0)
    game.set_lever("firms.macleans.quality", 2.0)
    step(game, 8)
    markets = (game.market, game.twin)
    assert {m.competitor["colgate"].price for m in markets} == {2.0}
    ours, theirs = (m.scenario_now for m in markets)
    assert ours.moves == theirs.moves and replace(ours, scandals={}) == theirs
    assert event_summary(game)["text"].startswith("The data breach alone ")


def test_events_at_other_firms_say_where():
    game = played(3)
    game.move("price", "macleans", 0.7, "price down 30 %")
    game.scandal("outage", "colgate", keep_twin=True)
    step(game, 2)
    game.apologize("colgate", keep_twin=True)
    step(game, 2)
    named = ("price down 30 % (week 3)", "outage at Colgate (week 3)", "apology for the outage at Colgate (week 5)")
    cause = f"The {named[0]}, the {named[1]} and the {named[2]}"
    assert event_summary(game)["text"].startswith(f"{cause} together") and "Macleans" in event_summary(game)["text"]


def test_nothing_is_said_before_it_has_happened():
    game = played(3)
    game.scandal("data_breach", "colgate")
    assert event_summary(game)["text"].startswith("The data breach at Colgate happens in week 3. Press Step or Play")
    game.scandal("moral_scandal", "colgate", keep_twin=True)
    words = event_summary(game)["text"]
    assert words.startswith(
        "The data breach at Colgate and the moral scandal at Colgate happen in week 3. Press Step or Play"
    )
    assert not event_summary(game)["figures"]


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
        (Difference(4, 0, 2.0, 1000, (-0.001, 0.002), (0.0, 0.01)), UNKNOWN),
        (Difference(0, 0, 0.0, 1000, (0.0, 0.0), (np.nan, np.nan)), UNKNOWN),
        (Difference(30, 0, float("nan"), 1000, (0.0, 0.0), (np.nan, np.nan)), UNKNOWN),
        (Difference(0, 40, 5.0, 0, (0.01, 0.002), (0.02, 0.002)), "won Colgate 40 customers so far (± 10):"),
    ],
)
def test_what_is_known_is_said_and_no_more(monkeypatch, found, says):
    game = played(2)
    game.events = [GameEvent("data breach", "colgate", 1)]
    monkeypatch.setattr(Game, "compared", lambda game: found)
    summary = event_summary(game)
    assert says in summary["text"] and "held" not in summary["text"]
    if says == UNKNOWN:
        assert [f["small"].endswith(UNKNOWN) for f in summary["figures"]] == [True]
    assert all(float(f.get("error", "± 1")[2:]) > 0 and "nan" not in str(f) for f in summary["figures"])


def test_a_quiet_event_is_no_proof_of_nothing():
    game = played(3, market="bank", **{"consumer.rate": 0.25})
    game.scandal("data_breach", game.start.focus)
    step(game, 3)
    assert game.compared().lost + game.compared().won < 10 and UNKNOWN in event_summary(game)["text"]
    assert {row["spread"] for row in firm_rows(game)} <= {"", "too few"}


def test_the_error_of_customers_is_that_of_people_who_move():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        there = rng.random(3200) < 0.3
        here = there & (rng.random(3200) > 0.1)
        groups = [flags.reshape(32, 100).sum(axis=1) for flags in (here, there)]
        found.append((here.sum() - there.sum(), paired_gap(*groups, np.full(32, 100))))
    true = np.std([net for net, _ in found], ddof=1)
    assert all(net == e.value for net, e in found)
    assert np.mean([e.error for _, e in found]) == pytest.approx(true, rel=0.15)
    one = np.ones(1, int)
    assert np.isnan(paired_gap(one, 0 * one, one).error)  # of one person nothing is known


# ---------------------------------------------------------------- windows and sparse cells


@pytest.mark.parametrize(
    ("market", "rate"), [("toothpaste_uk", 0.25), ("bank", 0.25), ("cars_de", 0.02), ("mobile", 1.0)]
)
def test_no_row_is_surer_than_it_can_be(market, rate):
    game = played(0, market=market, people=1000, window=8, **{"consumer.rate": rate})
    assert {(row["index"], row["error"]) for row in firm_rows(game)} == {("–", "")}
    for week in range(1, 20):
        game.step()
        for row in firm_rows(game):
            assert row["error"] == UNKNOWN or (row["error"].startswith("± ") and "± 0.00" not in f"{row['error']} ")
            assert ("so far" in row["error"]) == (week < 8 and row["error"] != UNKNOWN)


def test_stickiness_in_the_table_is_that_of_the_last_window_that_ended():
    game = played(13)
    ended = [row["index"] for row in firm_rows(game)]
    for _ in range(12):
        game.step()
        assert [row["index"] for row in firm_rows(game)] == ended
    game.step()
    assert [row["index"] for row in firm_rows(game)] != ended
