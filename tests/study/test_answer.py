"""What events cost: counted again by hand, with its errors, and without words that claim more than they allow."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

from sim import ScenarioError
from sim.engine.loop import advance, initialize, simulate
from sim.measure.customers import customers
from sim.measure.quantity import Parts, Quantity, change_of, count_of, half_of, nothing
from sim.model.scenario import change
from sim.report import answer_text
from sim.study import over_worlds
from sim.study.answer import NO_EVENTS, answer
from sim.study.countermeasures import countermeasures, measures
from sim.study.movers import Fate, run_together
from sim.study.twins import twins
from tests.engine.test_same_bits import digest
from tests.markets import market

ROOT = Path(__file__).parents[2]
BREACH = {"scandals.breach": {"firm": "f0", "week": 10, "action": 12.0, "severity": 3.0}}
PROVIDER = {"market.regime": "provider", "consumer.attention": 0.05}


def story(**more):
    return market({**BREACH, "replications": 2, **more})


def last_firms(scenario):
    """The firm used last by each person as each week ends, [r, t, i]: an account of people that counts nothing."""
    found = []
    for r in range(scenario.replications):
        (shard,) = initialize(scenario, r)
        weeks = []
        for week in range(-scenario.burn_in, scenario.weeks):
            advance([shard])
            if week >= 0:
                weeks.append(shard.people.one["last"].copy())
        found.append(weeks)
    return np.array(found), shard.people.cell.copy()


@pytest.fixture(scope="module", params=[{}, PROVIDER], ids=["repertoire", "provider"])
def recount(request):
    told = story(**request.param)
    return told, answer(told, base=50_000), last_firms(change(told, NO_EVENTS))[0], last_firms(told)[0]


def test_customers_of_the_tally_are_the_people_whose_last_use_was_there(recount):
    told, _, _, changed = recount
    counted = customers(simulate(told).tally).sum(axis=2)
    for r in range(2):
        ours = counted[32 * r : 32 * r + 32].sum(axis=0)
        for j in range(len(told.firms)):
            np.testing.assert_array_equal(ours[:, j], (changed[r] == j).sum(axis=1))


def test_customers_lost_are_those_that_people_recounted_give(recount):
    told, found, control, changed = recount
    assert found.firm == "f0" and found.week == 10 and found.people == told.people
    assert found.customers.value == (control[:, 9] == 0).sum() / 2
    for moment in found.moments.values():
        t = 10 + int(moment.weeks) - 1
        before, after = (control[:, t] == 0), (changed[:, t] == 0)
        lost = (after.sum() - before.sum()) / 2
        assert moment.total.people.value == lost
        assert moment.total.percent.value == pytest.approx(100 * 2 * lost / before.sum())
        assert moment.total.scaled.value == pytest.approx(2 * lost / before.sum() * 50_000)
        for j, name in enumerate(told.firms):
            if j:
                gain = ((changed[:, t] == j).sum() - (control[:, t] == j).sum()) / 2
                assert moment.rivals[name].people.value == gain
        home = control[:, 9] == 0
        away = ((changed[:, 10 : t + 1] != 0) & (control[:, 10 : t + 1] == 0)).any(axis=1)
        causes = {
            "left_because": home & before & ~after,
            "left_anyway": home & ~before & ~after,
            "never_came": ~home & before & ~after,
            "came_back": home & before & after & away,
            "stayed_because": home & ~before & after,
            "came_because": ~home & ~before & after,
        }
        for name, people in causes.items():
            assert getattr(moment.causes, name).value == people.sum() / 2, name
    series = 100 * ((changed[:, 10:] == 0).sum(axis=(0, 2)) / (control[:, 10:] == 0).sum(axis=(0, 2)) - 1)
    np.testing.assert_allclose([q.value for q in found.weekly], series)
    worst = np.abs((changed[:, 10:] == 0).sum(axis=(0, 2)) - (control[:, 10:] == 0).sum(axis=(0, 2))).argmax()
    assert found.worst.weeks == worst + 1 and found.quarter.weeks == 13 and found.year is None


def test_the_runs_are_those_of_simulate_and_the_movers_those_of_the_tallies():
    told = story()
    control = change(told, NO_EVENTS)
    run, [(other, movers), (same, none)] = run_together(control, [told, control], "f0", 10)
    assert digest(run.tally) == digest(simulate(control).tally) == digest(same.tally)
    assert digest(other.tally) == digest(simulate(told).tally)
    moved = customers(other.tally) - customers(run.tally)
    np.testing.assert_array_equal(moved[:, 10:], movers.gained - movers.lost)
    assert not moved[:, :10].any() and not none.lost.any() and not none.fates[..., Fate.LEFT_BECAUSE].any()


def test_a_pair_of_runs_gives_the_same_answer_as_its_scenario():
    told = story()
    pair = twins(change(told, NO_EVENTS), {"scandals": {"breach": BREACH["scandals.breach"]}})
    assert repr(answer(pair)) == repr(answer(told))


def test_groups_add_up_to_everybody():
    found = answer(story(**{"segments.a": {"weight": 1.0}, "segments.b": {"weight": 2.0}}), base=1_000)
    total, parts = found.worst.total, found.worst.groups.values()
    assert sum(c.people.value for c in parts) == pytest.approx(total.people.value)
    assert sum(c.scaled.value for c in parts) == pytest.approx(total.scaled.value)
    gains = sum(c.people.value for c in found.worst.rivals.values())
    assert gains == pytest.approx(-total.people.value, abs=5)  # but for those who had no firm yet


@pytest.mark.parametrize("base", [0, -1, 1.5, True, "many", 10**13])
def test_a_base_that_is_none_is_refused(base):
    with pytest.raises(ScenarioError, match="is no number of customers"):
        answer(story(), base=base)


def test_what_cannot_be_asked_is_a_sentence():
    with pytest.raises(ScenarioError, match="no scandal and no move"):
        answer(market())
    with pytest.raises(ScenarioError, match="no scandal"):
        countermeasures(market())


# Errors


def test_errors_of_a_handful_are_wide_and_of_nobody_not_zero():
    none, few = np.zeros(32, int), np.zeros(32, int)
    few[3] = 2
    base = np.full(32, 30)
    people, percent = change_of(none, none, base, 1)
    assert people.value == 0 and people.low < -2 and people.high > 2 and not percent.detected
    people, _ = change_of(few, none, base, 1)
    assert people.value == -2 and not people.detected
    assert not change_of(none, none, np.ones(32, int) * 0, 1)[1].known
    assert count_of(none, 1).low == 0 and count_of(none, 1).high == pytest.approx(3.689, abs=0.001)


def test_half_of_it_is_over_when_half_is_made_up():
    change = np.outer(np.ones(32), [0, -2, -4, -3, -1, 0])
    assert half_of(change, 2).value == pytest.approx(3 + 0.5 + 1)
    assert math.isinf(half_of(change[:, :4], 2).value) and not half_of(change[:, :4], 2).known


def test_parts_add_up_by_variance():
    assert Parts(3.0, math.nan, 4.0).whole == 5.0 and Parts().whole == 0.0
    wide = Quantity(10.0, 8.0, 12.0, Parts(1.0)).with_presence(0.1)
    assert wide.low == pytest.approx(10 - math.hypot(2, 1.96), abs=1e-3) and wide.parts.presence == 1.0


# Worlds


def worlds(many=12):
    draw = np.random.default_rng(1)
    return [
        {"scandals.breach.action": float(draw.uniform(2, 20)), "consumer.exposure": float(draw.uniform(0.95, 1))}
        for _ in range(many)
    ]


def test_worlds_widen_the_interval_and_say_what_decides():
    alone, over = answer(story()), answer(story(), worlds())
    q = over.worst.total.percent
    assert over.worlds == 12 and repr(over.alone) == repr(alone) and q.level == 0.8
    assert q.low < q.value < q.high < 0
    parts = q.parts
    assert parts.dice == alone.worst.total.percent.parts.dice and parts.cases > parts.parameters >= 0
    assert over.drivers[0][0] == "scandals.breach.action" and over.drivers[0][1] < -0.5
    assert "80 % of 12 plausible worlds" in answer_text.sentence(over)


def test_over_worlds_too_parts_add_up_to_the_whole_and_what_too_few_tell_is_not_told():
    told = story(**{"replications": 1, "segments.a": {"weight": 1.0}})
    found = answer(told, [{"scandals.breach.action": float(a)} for a in (2, 4, 6, 9, 15, 30)], base=50_000)
    for moment in found.moments.values():
        assert moment.total.percent.detected
        for part in (moment.total.people, moment.total.scaled):
            unit = "scaled" if part is moment.total.scaled else "people"
            segments = [getattr(c, unit).value for n, c in moment.groups.items() if n.startswith("segments.")]
            assert sum(segments) == pytest.approx(part.value)
        people = moment.total.people.value
        assert sum(c.people.value for c in moment.rivals.values()) == pytest.approx(-people, abs=5)
        causes = moment.causes
        went = causes.left_because.value + causes.never_came.value
        assert causes.stayed_because.value + causes.came_because.value - went == pytest.approx(people)
        for c in (*moment.groups.values(), *moment.rivals.values(), moment.total):
            assert c.people.low <= c.people.value <= c.people.high or not c.people.known
    none, some = nothing(), nothing(0.0)
    merged = over_worlds.over([*[some] * 6, none], none, np.empty((7, 0)))
    assert not merged.known and merged.value == 0.0


@pytest.mark.parametrize("more", [{}, {**PROVIDER, "market.attention_half_life": 30.0}], ids=["quick", "slow"])
def test_the_worst_is_no_less_than_any_other_time(more):
    found = answer(story(weeks=78, window=26, **more), worlds())
    worst, quarter, year = (moment.total.percent for moment in found.moments.values())
    assert worst.value <= min(quarter.value, year.value, *(q.value for q in found.weekly))
    assert worst.low <= min(quarter.low, year.low)


def test_what_the_dice_alone_do_is_no_loss_at_the_worst():
    drawn = [{"scandals.breach.reach": 0.004, "scandals.breach.action": float(n)} for n in range(10, 22)]
    found = answer(story(weeks=104, window=26, replications=1), drawn).worst.total.percent
    assert not found.detected and -0.5 < found.value < 0.5


def test_one_number_in_every_world_is_worlds_of_no_spread():
    q = answer(story(), [{"consumer.exposure": 1.0}] * 8).worst.total.percent
    assert q.parts.parameters + q.parts.cases < 2 * q.parts.dice


def test_a_control_takes_no_event_from_a_world():
    known = over_worlds.known(market(), {"scandals.breach.action": 3.0, "consumer.exposure": 0.5})
    assert known == {"consumer.exposure": 0.5}


def test_worlds_that_are_affordable_do_not_depend_on_the_machine():
    assert over_worlds.affordable(market(), 10) == over_worlds.MOST
    assert over_worlds.affordable(market({"people": 10_000, "burn_in": 5_000}), 10) == 0


# Words


def test_what_is_not_detected_is_told_by_its_interval():
    quiet = answer(market({"scandals.breach": {"firm": "f0", "week": 10, "reach": 0.0}}))
    said = answer_text.sentence(quiet)
    assert re.fullmatch(
        r"F0: no change in customers detected after the breach; between -[\d.]+ and \+[\d.]+ %, 95 %, dice only", said
    )
    assert "costs" in answer_text.sentence(answer(story()))


BANNED = re.compile(
    r"\b(held(?! out)|unchanged|no effect|no change(?! (in customers )?detected)|had no impact)\b", re.IGNORECASE
)


def test_no_report_claims_that_nothing_happened():
    """What a reader sees of reports: text constants, not comments and docstrings."""
    import ast

    for path in sorted((ROOT / "sim" / "report").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {id(n.body[0].value) for n in ast.walk(tree) if hasattr(n, "body") and isinstance(n.body, list)
                     and n.body and isinstance(n.body[0], ast.Expr)}  # fmt: skip
        texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        wrong = [n.value for n in texts if id(n) not in documents and BANNED.search(n.value)]
        assert not wrong, (path.name, wrong)
    assert BANNED.search("its share held") and not BANNED.search("no change detected; between -1 and +1")


def test_the_table_holds_every_quantity_of_the_answer():
    found = answer(story(), base=1_000)
    table = answer_text.table(found)
    row = table.query("moment == 'at the worst' and what == 'customers' and group == 'all' and firm == 'f0'")
    assert row.set_index("unit")["value"].to_dict() == {
        "%": found.worst.total.percent.value,
        "people": found.worst.total.people.value,
        "of base": found.worst.total.scaled.value,
    }
    assert len(table.query("moment == 'by week'")) == len(found.weekly)


# Countermeasures


def test_countermeasures_are_averted_losses_against_their_own_control():
    told = market({**BREACH, "people": 3000, "replications": 1})
    rows = countermeasures(told)
    order = [(not row.averted.known, row.loses, not row.seen, -row.averted.value) for row in rows]
    assert order == sorted(order) and {row.seen for row in rows} == {True, False}
    assert dataclasses.replace(rows[0], besides=Quantity(-2, -3, -1)).loses
    assert not dataclasses.replace(rows[0], besides=Quantity(-2, -5, 1)).loses
    found = {row.name: row for row in rows}
    assert set(found) == set(measures()) and found["silence"].averted.value == 0  # there was no answer to take away
    assert found["reversal"].averted.value > found["apology"].averted.value > 0
    assert found["reversal"].averted.low < found["reversal"].averted.value < found["reversal"].averted.high
    assert found["reversal"].besides.value == 0 and found["campaign"].besides.value > 0
    assert found["price"].cost and all(row.known for row in found.values())
    loss = [(customers(simulate(s).tally)[:, 10:, :, 0]).sum() for s in (
        change(told, NO_EVENTS), told, change(told, {"scandals.breach.response": 0.4}))]  # fmt: skip
    assert found["reversal"].averted.value == pytest.approx(100 * (1 - (loss[2] - loss[0]) / (loss[1] - loss[0])))


def test_levers_that_would_come_after_the_end_are_left_out():
    last = market({"scandals.breach": {"firm": "f0", "week": market().weeks - 1, "action": 12.0, "severity": 3.0}})
    names = {m.name for m in countermeasures(last)}
    assert names and not any("moves" in measures()[n] or "lever" in measures()[n] for n in names)


def test_where_nothing_is_lost_nothing_is_averted():
    quiet = market({"scandals.breach": {"firm": "f0", "week": 10, "reach": 0.0}})
    assert not any(row.averted.known for row in countermeasures(quiet))
