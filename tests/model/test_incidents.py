"""What makes people leave: bad visits, own harm, opposite sides, words of others; each against a known answer."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sim.compute.random import ONE
from sim.engine.loop import simulate
from sim.measure.estimates import pooled, weekly
from sim.measure.tally import Event
from sim.model.fields import Market
from sim.model.rules.attend import readiness
from sim.model.rules.choose import incident_disutility, scandal_disutility
from sim.model.rules.tell import receive_wom
from sim.model.state import HARMED, INCIDENT, SWITCHES
from tests.engine.test_same_bits import WORLDS, digest, elsewhere
from tests.markets import bare, market

WEEK = 5
ALL_ON = {
    **WORLDS["provider"],
    "market.incident_attention": 0.4,
    "market.incident_recall": 1.0,
    "market.readiness": 0.6,
    "market.early_attention": 2.0,
    "firms.f2.pause": 0.4,
    "market.wom_negative": 0.5,
    "segments.other": {"weight": 0.5, "care": {"ethics": -1.0}},
    "scandals.fraud.harm_action": 3.0,
    "market.avoidance": 0.7,
    "kinds.ethics.action": 2.0,
}


def python(rule):
    """The rule as plain Python."""
    return getattr(rule, "py_func", rule)


def providers(changes=None):
    """Customers of equal providers who deliberate only if something wakes them; one bad week at the first firm."""
    still = {
        **{f"firms.f{j}.{lever}": 0.0 for j in range(6) for lever in ("consistency_sd", "delight_rate")},
        **{f"firms.f{j}.touchpoints.{p}.failure_rate": 0.0 for j in range(6) for p in ("app", "shop")},
    }
    bad = {"moves.bad": {"firm": "f0", "lever": "quality", "week": WEEK, "weeks": 1, "value": -3.0}}
    base = {
        "people": 4000,
        "weeks": 12,
        "window": 4,
        "burn_in": 0,
        "market.regime": "provider",
        "consumer.attention": 0.0,
    }
    return market({**base, **still, **bad, **(changes or {})})


def deliberated(scenario):
    """Uses that are deliberated, by week and firm used; and uses, by week and firm used before."""
    tally = weekly(simulate(scenario).tally)
    return tally.event[..., Event.DELIBERATED].sum(axis=0), tally.flow[..., 1:, :].sum(axis=(0, -1))


def test_a_bad_visit_wakes_every_customer_of_the_firm_once_and_nobody_else():
    event, base = deliberated(providers({"market.incident_attention": 1.0}))
    assert base[WEEK, 0] > 1000
    assert event.sum(axis=-1).tolist() == [base[WEEK, 0] if week == WEEK + 1 else 0 for week in range(12)]


def test_the_share_woken_is_the_chance_and_the_same_people_wake_at_a_higher_one():
    by_chance = {}
    for chance in (0.0, 0.3, 0.6):
        event, base = deliberated(providers({"market.incident_attention": chance}))
        by_chance[chance], many = event[WEEK + 1].sum(), base[WEEK, 0]
    assert by_chance[0.0] == 0
    for chance in (0.3, 0.6):
        assert abs(by_chance[chance] - chance * many) < 4 * np.sqrt(chance * (1 - chance) * many)


def test_an_ordinary_visit_wakes_nobody():
    mild = {"market.incident_attention": 1.0, "moves.bad.value": -1.9}
    assert deliberated(providers(mild))[0].sum() == 0


def test_incidents_switched_off_change_no_bit():
    on = {**WORLDS["provider"], "market.incident_attention": 0.4, "market.incident_recall": 1.0}
    off = digest(simulate(market({**on, "mechanisms.incident": False})).tally)
    assert off == digest(simulate(market(WORLDS["provider"])).tally) != digest(simulate(market(on)).tally)


def test_what_is_said_follows_the_last_visit_and_what_is_done_does_not():
    """In a survey the gap from expectation moves toward the threshold by the share stated; choices stay the same."""
    wanted = 0.4 * (0.5 - 2.0 * -0.75)  # gap .5, at half the way to -2: -.75, a loss that weighs twice
    public = SimpleNamespace(
        market=[SimpleNamespace(delight_threshold=2.0, incident_recall=0.5)],
        traits=[SimpleNamespace(cx_weight=0.4, loss_aversion=2.0)],
    )
    for target, last, loss in ((INCIDENT, 0, wanted), (INCIDENT, 1, 0), (-1, 0, 0), (1, 0, 0)):
        person = SimpleNamespace(target=[target], last=[last], expectation=[0.25])
        bonds = SimpleNamespace(memory=np.array([[0.75], [0.0]]))
        assert _disutility(person, bonds, public) == pytest.approx(loss)
    said, silent = (
        weekly(simulate(providers({"market.incident_recall": w, "market.survey": 0.5})).tally) for w in (1, 0)
    )
    assert np.array_equal(said.flow, silent.flow)
    rows = [t.event[:, WEEK + 1, 0].sum(axis=0) for t in (said, silent)]
    assert rows[0][Event.ASKED] == rows[1][Event.ASKED] and rows[0][Event.WOULD_LEAVE] > rows[1][Event.WOULD_LEAVE]


def _disutility(person, bonds, public):
    """The rule in plain Python; it calls another rule, which numba has made its own."""
    rule = python(incident_disutility)
    own = {**rule.__globals__, "select": lambda when, a, b: a if when else b}
    own["gain_loss"] = lambda x, aversion: x if x > 0 else aversion * x
    return type(rule)(rule.__code__, own)(person, bonds, public, 0, 0)


@pytest.mark.parametrize(("weight", "expected"), [(0.0, 1.0), (1.0, 3.0), (0.5, 2.0)])
def test_readiness_is_the_ratio_to_mean_attention(weight, expected):
    public = SimpleNamespace(traits=[SimpleNamespace(attention=0.1)], market=[SimpleNamespace(readiness=weight)])
    assert python(readiness)(SimpleNamespace(attention=[0.3]), public, 0) == pytest.approx(expected)


@pytest.mark.parametrize(("weight", "read"), [(0.0, 1.0), (1.0, 1.0), (0.0, 0.4)])
def test_with_readiness_those_notice_whose_own_attention_would_have_woken_them(weight, read):
    """A price move is noticed with chance e, or e x a / m, by those not awake, 1 - a: e (1 - m) or e (1 - E[a^2] / m).

    Of a price that only some read it is that part.

    Attention a is beta with mean m and concentration s: E[a^2] = m (m s + 1) / (s + 1).
    """
    mean, concentration, chance = 0.04, 24.0, 0.05
    base = {
        "people": 100_000,
        "consumer.attention": mean,
        "consumer.automaticity": 0.0,
        "market.attention_concentration": concentration,
        "market.event_attention": chance,
        "market.readiness": weight,
        "market.price_attention": read,
        "mechanisms.price": True,
    }
    quiet, _ = deliberated(providers(base))
    event, used = deliberated(
        providers({**base, "moves.notice": {"firm": "f0", "lever": "price", "week": 3, "value": 1.0001}})
    )
    woken, many = event[3].sum() - quiet[3].sum(), used[3, 0]
    second = (mean * concentration + 1) / (concentration + 1) if weight else mean
    expected = read * chance * (1 - second)
    assert abs(woken - expected * many) < 4 * np.sqrt(expected * many)


HARM_ONLY = {"firm": "f0", "week": WEEK, "reach": 0.0, "contagion": 0.0, "harmed_share": 0.5}


def test_own_harm_multiplies_the_chance_to_act():
    """Where only those harmed know, a factor on their chance is a factor on everybody's: the same bits."""
    base = {"market.regime": "provider", "consumer.attention": 0.1}
    runs = [
        digest(simulate(market({**base, "scandals.fraud": {**HARM_ONLY, "action": a, "harm_action": h}})).tally)
        for a, h in ((4.0, 1.0), (1.0, 4.0), (1.0, 1.0))
    ]
    assert runs[0] == runs[1] != runs[2]


def test_own_harm_changes_nothing_for_those_who_only_hear():
    news = {"firm": "f0", "week": WEEK, "reach": 0.8, "action": 4.0}
    runs = [digest(simulate(market({"scandals.fraud": {**news, "harm_action": h}})).tally) for h in (1.0, 9.0)]
    assert runs[0] == runs[1]


def sided(changes):
    """A scandal that all hear of at once and act on, in a market where nothing else moves anybody."""
    scandal = {"firm": "f0", "week": 0, "reach": 1.0, "news_weeks": 1, "severity": 1.0, "contagion": 0.0}
    base = {
        "people": 20_000,
        "weeks": 8,
        "window": 4,
        "consumer.action": 1.0,
        "mechanisms.scandal": True,
        "market.residue": 1.0,
        "market.reputation_share": 1.0,
        "scandals.boycott": scandal,
    }
    return bare({**base, **changes})


def test_those_on_the_other_side_buy_more_by_the_logit():
    """All of them: the share of the firm is p e^s / (p e^s + 1 - p)."""
    tally = pooled(simulate(sided({"segments.all.care.ethics": -1.0})).tally)
    used = tally.flow.sum(axis=-2).reshape(-1, 7).sum(axis=0)[1:]
    p = 0.3 * np.e / (0.3 * np.e + 0.7)
    assert abs(used[0] / used.sum() - p) < 4 * np.sqrt(p * (1 - p) / used.sum())
    assert tally.news[..., 2].sum() == tally.news[..., 1].sum() == 20_000


def test_the_other_side_is_a_buycott_of_all_its_members():
    runs = [{"segments.all.care.ethics": -1.0}, {"scandals.boycott.buycott": 1.0}]
    assert len({digest(simulate(sided(changes)).tally) for changes in runs}) == 1


@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_own_harm_counts_against_the_firm_on_either_side(weight):
    scandal = SimpleNamespace(kind=0, severity=1.5, harm_severity=0.5)
    public = SimpleNamespace(scandals=np.array([scandal]), care=[weight], attribution=np.ones((1, 1)), salience=[1.0])
    rule = python(scandal_disutility)
    loss = {}
    for harmed in (False, True):
        own = {**rule.__globals__, "select": lambda when, a, b: a if when else b, "ZERO": 0.0}
        flags = {SWITCHES: True, HARMED: harmed}
        own["has_flag"] = lambda person, k, what, i, flags=flags: flags.get(what, False)
        loss[harmed] = type(rule)(rule.__code__, own)(None, public, 0, SWITCHES, 0)
    assert loss == {False: 1.5 * weight, True: 1.5 * weight + 0.5}


def test_words_told_have_no_loss_aversion():
    """With 1 / loss aversion a bad word takes as much utility as a good one gives, at an expectation in the middle."""
    moved = {}
    for factor in (1.0, 0.5):
        for good in (True, False):
            bond = SimpleNamespace(memory=0.0)
            read = SimpleNamespace(**{n: np.float32(getattr(Market(wom_negative=factor), n)) for n in WOM})
            python(receive_wom)(bond, np.float32(0.25), good, read)
            moved[factor, good] = float(bond.memory)
    assert moved[1.0, True] == moved[0.5, True] == -moved[1.0, False] == pytest.approx(0.15 * 0.75 * 2)
    assert 2.0 * moved[0.5, False] == -moved[0.5, True]


WOM = ("delight_threshold", "wom_weight", "wom_negative")


def test_the_same_bits_with_all_of_them_on(tmp_path):
    small = {**ALL_ON, "people": 48, "weeks": 16, "burn_in": 4, "window": 8}
    small["moves"] = {"cut": {"firm": "f3", "lever": "price", "value": 0.7, "week": 5}}
    here = digest(simulate(market(small)).tally)
    assert elsewhere(sys.executable, small, tmp_path, NUMBA_DISABLE_JIT="1") == here
    whole = {digest(simulate(market(ALL_ON), *split).tally) for split in ((1, 1), (2, 3))}
    assert len(whole) == 1 and ONE == 1
