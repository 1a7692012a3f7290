"""What the page says of a market and its twin: exactly what they differ in, how sure that is, and when it is not."""

import numpy as np
import pytest

pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

from sim.measure.quantity import Quantity, nothing
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.page import people
from sim.page.captions import event_summary, firm_rows
from sim.page.events import GameEvent, changed, events_of, removed, without
from sim.page.game import Difference, Game, preset
from sim.page.history import paired_gap
from sim.report.findings import TOO_FEW
from sim.study.answer import NO_EVENTS, one_answer

STRONG = {"severity": 6.0, "reach": 0.95, "action": 8.0}


def played(weeks, market="toothpaste_uk", **changes):
    game = Game(change(preset(market), {"people": 2000, "burn_in": 13, "consumer.rate": 1.0, **changes}))
    step(game, weeks)
    return game


def step(game, weeks):
    for _ in range(weeks):
        game.step()


# ---------------------------------------------------------------- what the twin does without


def last_at(market, j=0):
    return people.last(market) == j


def test_the_twin_has_no_event_and_all_of_them_together_are_charged():
    game = played(3)
    plain = game.market.fork()
    game.scandal("data_breach", "colgate", **STRONG)
    step(game, 3)
    game.move("price", "colgate", 1.3, "price up 30 %")
    words = event_summary(game)["text"]
    assert (
        words.startswith("The data breach (week 3) ") and "The price up 30 percent at Colgate (week 6): still" in words
    )
    step(game, 8)
    [plain.step() for _ in range(11)]
    assert np.array_equal(game.twin.people.one, plain.people.one)
    net = int(last_at(game.market).sum()) - int(last_at(plain).sum())
    found = game.compared()
    assert found.won - found.lost == net < 0 and found.people.value == net
    said = f"The data breach (week 3) and the price up 30 percent (week 6) together cost Colgate {-net:,} customers"
    assert event_summary(game)["text"].startswith(said)


def test_a_lever_is_an_event_and_not_in_the_twin():
    game = played(2)
    game.set_lever("firms.colgate.price", 2.0)
    game.set_lever("firms.colgate.price", 2.5)  # the same week: the same event
    step(game, 6)
    assert [e.key for e in game.events] == ["move.colgate_price"] and game.market.competitor["colgate"].price == 2.5
    assert not game.twin.scenario_now.moves and game.compared().lost > 0


def test_an_event_can_be_moved_switched_off_and_taken_out_as_if_it_had_always_been_so():
    game, other = played(3), played(3)
    game.scandal("data_breach", "colgate", **STRONG)
    step(game, 6)
    game.set_events(changed(game.events, game.events[0], week=5, severity=4.0))
    step(other, 2)
    other.scandal("data_breach", "colgate", **{**STRONG, "severity": 4.0})
    step(other, 4)
    assert np.array_equal(game.market.people.one, other.market.people.one)
    assert (
        event_summary(game) == event_summary(other)
        and game.history.trust[-1].tolist() == other.history.trust[-1].tolist()
    )
    game.set_events(changed(game.events, game.events[0], on=False))
    assert np.array_equal(game.market.people.one["last"], game.twin.people.one["last"]) and game.compared() is None
    game.set_events(removed(game.events, game.events[0]))
    assert not game.events and not game.scenario.scandals


def test_what_makes_no_sense_of_an_event_changes_nothing():
    game = played(2)
    game.scandal("data_breach", "colgate")
    before = game.events
    with pytest.raises(ScenarioError, match="severity"):
        game.set_events(changed(before, before[0], severity=99.0))
    assert game.events == before and list(game.scenario.scandals) == ["data_breach"]


def test_an_apology_goes_with_its_scandal():
    game = played(2)
    game.scandal("data_breach", "colgate")
    game.apologize("colgate")
    assert [e.key for e in game.events] == ["scandal.data_breach", "apology.data_breach"]
    assert events_of(game.scenario) == game.events
    assert not removed(game.events, game.events[0])
    kept = without(game.scenario, game.events[1])
    assert kept.scandals["data_breach"].response == 0 and kept.scandals["data_breach"].severity > 0


def test_page_and_terminal_give_the_same_figures():
    game = played(4, people=1000)
    game.scandal("data_breach", "colgate", **STRONG)
    step(game, 9)
    found = game.compared()
    scenario = game.market.result().scenario
    told = one_answer(change(scenario, NO_EVENTS), scenario, "colgate", None, {}, 1.0, None)
    week = told.weekly[13 - 4 - 1]
    ends = (found.percent.low, found.percent.high)
    assert found.percent.value == week.value and ends == pytest.approx((week.low, week.high), rel=1e-12)
    gap = game.gaps("colgate", 4)[-1]
    assert gap.value == week.value


def test_events_at_other_firms_say_where():
    game = played(3)
    game.move("price", "macleans", 0.7, "price down 30 %")
    game.scandal("outage", "colgate")
    step(game, 2)
    words = event_summary(game)["text"]
    assert words.startswith("The price down 30 percent at Macleans (week 3) and the outage (week 3) together")


def test_nothing_is_said_before_it_has_happened():
    game = played(3)
    game.scandal("data_breach", "colgate")
    assert event_summary(game)["text"].startswith(
        "The data breach at Colgate (week 3): still to come. Press Step or Play"
    )
    assert not event_summary(game)["figures"]


# ---------------------------------------------------------------- how sure


def told(lost, won, percent, base=1000, share=(-0.01, 0.002), sticky=(-0.02, 0.002)):
    net = won - lost
    spread = (percent.high - percent.low) / 200 * base
    return Difference("colgate", lost, won, Quantity(net, net - spread, net + spread), percent, base, share, sticky)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (told(120, 20, Quantity(-10.0, -12.0, -8.0)), "cost Colgate 100 customers so far (−10.0 [−12.0, −8.0] %"),
        (told(20, 120, Quantity(10.0, 8.0, 12.0)), "won Colgate 100 customers so far (+10.0 [+8.0, +12.0] %"),
        (told(60, 50, Quantity(-1.0, -3.0, 1.0)), "no change detected so far"),
        (told(60, 50, Quantity(-1.0, -3.0, 1.0)), "between -3.0 and +1.0 %"),
        (told(4, 0, nothing(-1.0)), TOO_FEW),
    ],
)
def test_what_is_known_is_said_and_no_more(monkeypatch, found, says):
    game = played(2)
    game.events = (GameEvent("scandal", "data_breach", "colgate", 1, {}),)
    monkeypatch.setattr(Game, "compared", lambda game: found)
    summary = event_summary(game)
    assert says in summary["text"] and "held" not in summary["text"]
    if says == TOO_FEW:
        assert [f["small"].endswith(TOO_FEW) for f in summary["figures"]] == [True]
    assert all(float(f.get("error", "± 1")[2:]) > 0 and "nan" not in str(f) for f in summary["figures"])


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
    for week in range(1, 20):
        assert week > 8 or {(row["index"], row["error"]) for row in firm_rows(game)} == {("–", "")}
        game.step()
        for row in firm_rows(game) if week >= 8 else ():
            assert row["error"] == TOO_FEW or (row["error"].startswith("± ") and "± 0.00" not in f"{row['error']} ")


def test_stickiness_in_the_table_is_that_of_the_last_window_that_ended():
    game = played(13)
    ended = [row["index"] for row in firm_rows(game)]
    for _ in range(12):
        game.step()
        assert [row["index"] for row in firm_rows(game)] == ended
    game.step()
    assert [row["index"] for row in firm_rows(game)] != ended
