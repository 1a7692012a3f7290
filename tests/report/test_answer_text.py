"""An answer in words: digits as its interval deserves, and nothing beyond it."""

import math
from dataclasses import replace

import pytest

from sim.measure.quantity import Parts, Quantity, nothing
from sim.model.declare import ScenarioError
from sim.report import answer_text, figures, plausible
from sim.study import worlds
from sim.study.answer import answer
from tests.markets import market

BREACH = {"scandals.breach": {"firm": "f0", "week": 10, "action": 12.0, "severity": 3.0}}


@pytest.fixture(scope="module")
def found():
    return answer(market(BREACH), base=1_000_000)


def told(found, percent, scaled=None):
    total = replace(found.worst.total, percent=percent, scaled=scaled)
    return replace(found, worst=replace(found.worst, weeks=20.0, total=total))


@pytest.mark.parametrize(
    ("percent", "said"),
    [
        (Quantity(-12.5, -15.3, -9.7), "The breach costs F0 12.5 % of its customers (95 %, dice only: 9.7 to 15.3)"),
        (Quantity(-0.583, -0.9, -0.25), "The breach costs F0 0.58 % of its customers (95 %, dice only: 0.25 to 0.90)"),
        (Quantity(4.0, 1.0, 7.0), "The breach brings F0 4.0 % of its customers (95 %, dice only: 1.0 to 7.0)"),
        (Quantity(-1.0, -3.0, 1.0), "F0: no change in customers detected after the breach; between -3.0 and +1.0 %"),
        (Quantity(0.0, -0.1, 0.1), "F0: no change in customers detected after the breach; between -0.10 and +0.10 %"),
        (nothing(-40.0), "F0: too few to tell what the breach did to its customers"),
    ],
)
def test_the_sentence_says_what_the_interval_allows(found, percent, said):
    assert answer_text.sentence(told(found, percent)).startswith(said)


def test_events_have_names(found):
    assert answer_text.events_words(replace(found, events={"a_b": 3, "price": 4})) == "the events (a b, price)"
    assert answer_text.events_words(replace(found, events={"f0": 3})) == "the scandal"
    both = told(replace(found, events={"a": 1, "b": 2}), Quantity(-3.0, -4.0, -2.0))
    assert answer_text.sentence(both).startswith("The events (a, b) cost F0 3.0 %")


def test_a_move_has_a_start_and_no_news_whatever_its_name(found):
    gain = told(found, Quantity(4.0, 1.0, 7.0))
    assert answer_text.sentence(gain).endswith("at the best, 20 weeks after the news")
    cut = replace(gain, events={"cut": 10}, moves=("cut",))
    assert answer_text.sentence(cut).startswith("The cut brings F0 4.0 %")
    assert answer_text.sentence(cut).endswith("at the best, 20 weeks after its start")
    assert answer_text.sure(cut).startswith("standard error at the best, in points")
    assert "of its start" in answer_text.half(replace(cut, half_over=nothing(math.inf)))
    assert answer_text.start(replace(cut, events={"cut": 10, "leak": 12})) == "the first of them"


def test_the_moves_of_a_question_are_known():
    cut = market({"moves.cut": {"firm": "f0", "week": 10, "lever": "price", "value": 0.8}, "people": 300})
    for drawn in ([], [{"consumer.price_weight": 1.0}, {"consumer.price_weight": 3.0}]):
        found = answer(cut, drawn)
        assert found.moves == ("cut",) and list(found.events) == ["cut"]


def test_the_users_customers_are_rounded_to_what_is_known(found):
    percent, scaled = Quantity(-0.58, -0.9, -0.25), Quantity(-5789.0, -9035.0, -2544.0)
    said = answer_text.scaled_sentence(told(found, percent, scaled))
    assert said == "Of 1,000,000 customers that is 5,800 lost (2,500 to 9,000)."
    assert answer_text.scaled_sentence(told(found, percent)) == ""


def test_the_users_customers_are_not_lost_where_no_change_is_detected(found):
    percent, scaled = Quantity(0.0, -2.2, 0.0), Quantity(0.0, -22_310.0, 0.2)
    said = answer_text.scaled_sentence(told(found, percent, scaled))
    assert said == "Of 1,000,000 customers that is between -22,000 and 0."


def test_uses_are_told_beside_customers_where_they_change_much_more(found):
    def of(uses, alone=None):
        moment = replace(found.worst, uses=uses, total=replace(found.worst.total, percent=Quantity(-0.4, -0.6, -0.2)))
        return replace(found, quarter=moment, alone=alone, worlds=20 if alone else 0)

    fell = "In the quarter after the news it has 9.0 % fewer uses (95 %, dice only: 7.0 to 11.0)."
    assert answer_text.uses_sentence(of(Quantity(-9.0, -11.0, -7.0))) == fell
    assert answer_text.uses_sentence(of(Quantity(-0.7, -1.0, -0.4))) == ""
    assert answer_text.uses_sentence(of(nothing(-9.0), of(Quantity(-9.0, -11.0, -7.0)))) == fell
    assert answer_text.uses_sentence(of(nothing(-9.0))) == "" == answer_text.uses_sentence(replace(found, quarter=None))


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (Quantity(-0.5789, -0.9, -0.2544), "-0.58 [-0.90, -0.25]"),
        (Quantity(0.0, -0.04, 0.04), "0.000 [-0.040, +0.040]"),
        (Quantity(-113.4, -180.0, -40.0), "-113 [-180, -40]"),
        (nothing(2.0), "too few to tell"),
        (nothing(), "-"),
    ],
)
def test_a_cell_has_the_digits_of_its_interval(quantity, shown):
    assert answer_text.cell(quantity) == shown


def test_what_is_not_included_is_said(found):
    assert answer_text.sure(found).endswith("not included: parameters and cases")
    people = replace(found.worst.total.people, parts=Parts(1.0, 0.5, 2.0, 0.0))
    whole = replace(found, worst=replace(found.worst, total=replace(found.worst.total, people=people)))
    assert "not included" not in answer_text.sure(whole) and "cases 0.00" in answer_text.sure(whole)


def test_a_figure_says_the_sentence_and_shows_everybody_and_each_group(found):
    figure = figures.answer(found, note="A note.")
    texts = [t.get_text() for t in figure.texts]
    assert texts == [answer_text.sentence(found), answer_text.scaled_sentence(found), "A note."]
    over_time, whom = figure.axes
    assert over_time.lines[0].get_ydata()[int(found.worst.weeks)] == pytest.approx(found.worst.total.percent.value)
    assert len(whom.patches) == 1 + len(found.worst.groups)
    assert whom.patches[0].get_width() == pytest.approx(found.worst.total.percent.value)


def test_worlds_that_contradict_the_scenario_are_no_worlds(monkeypatch):
    monkeypatch.setattr(worlds, "draw", lambda scenario, key, priors: {"consumer.voice": -1.0 if key else 1.0})
    assert len(plausible.worlds(market(BREACH), None).worlds) == 1
    with pytest.raises(ScenarioError, match="worlds: of 5 asked for only 1 can be made"):
        plausible.worlds(market(BREACH), 5)


def test_a_new_scandal_is_asked_in_the_draws_of_the_cases():
    told = market({"scandals.new": {"firm": "f0", "week": 10}})
    new = [{"scandals.new.action": 0.1 * n} for n in range(1, 8)] + [{"scandals.new.action": -1.0}]
    found = plausible.worlds(told, None, new)
    assert found.worlds == tuple(new[:7]) and "the cases" in found.source
    assert plausible.worlds(told, 3, new).worlds == tuple(new[:3])
    assert plausible.worlds(market(BREACH), 3, new).source == worlds.PRIOR, "no such scandal"


def test_it_is_said_where_worlds_come_from_and_whether_they_are_too_few_to_tell_what_decides(found):
    lines = answer_text.lines(replace(found, worlds=21, source="kept for x"))
    assert "worlds: kept for x" in lines and any("21 worlds are too few to tell" in line for line in lines)
    named = answer_text.lines(replace(found, worlds=21, drivers=(("a.b", -0.8),)))
    assert any("a.b (-0.80)" in line for line in named) and not any("too few" in line for line in named)


def test_half_over(found):
    assert "half of it was over 30 weeks after the news (20 to 44)" in answer_text.half(
        replace(found, half_over=Quantity(30.0, 20.0, 44.0))
    )
    assert answer_text.half(replace(found, half_over=nothing(math.inf))).startswith("half of it was not over within")
