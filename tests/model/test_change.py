"""Values at dotted paths: what a slip may not become, whoever asks: change, build, sweep, twins, market or shell."""

import copy
import re
from dataclasses import asdict

import numpy as np
import pytest

from sim import study
from sim.engine.loop import simulate
from sim.mesa import Market
from sim.model.declare import ScenarioError
from sim.model.fields import Firm
from sim.model.renamed import RENAMED, renamed
from sim.model.scenario import add, build, change, leaves, to_dict
from sim.model.timeline import make_world
from sim.page.export import linked
from sim.study.twins import twins
from tests.markets import market

BASE = build(
    {
        "people": 100,
        "weeks": 13,
        "burn_in": 2,
        "segments": {"ethical": {}, "habitual": {"weight": 2, "attention": 0.5}},
        "firms": {
            "colgate": {"presence": 0.6, "quality": 0.5, "touchpoints": {"app": {"use": 0.3}, "shop": {"severity": 2}}},
            "boots": {"presence": 0.4},
        },
        "scandals": {"leak": {"week": 3, "kind": "privacy", "severity": 2.5}},
        "moves": {"cut": {"week": 5, "value": 0.9}},
    }
)
SLIPS = {  # path and value: what is said
    "a firm": ({"firms.colgat.quality": 1}, "firms.colgat.quality: unknown; did you mean colgate?"),
    "a firm like nothing": ({"firms.zzz.quality": 1}, "firms.zzz.quality: unknown; known: colgate, boots"),
    "a firm before its touchpoint": ({"firms.colgat.touchpoints.shop.use": 1}, "unknown; did you mean colgate?"),
    "a touchpoint": ({"firms.colgate.touchpoints.sho.use": 1}, "sho.use: unknown; did you mean shop?"),
    "a segment": ({"segments.habitul.attention": 0.5}, "segments.habitul.attention: unknown; did you mean habitual?"),
    "a cohort": ({"cohorts.al.weight": 2}, "cohorts.al.weight: unknown; did you mean all?"),
    "a scandal": ({"scandals.lek.severity": 1}, "scandals.lek.severity: unknown; did you mean leak?"),
    "a move": ({"moves.cutt.value": 1}, "moves.cutt.value: unknown; did you mean cut?"),
    "case": ({"firms.Colgate.price": 1}, "firms.Colgate.price: unknown; did you mean colgate?"),
    "how to add one": ({"firms.colgat.quality": 1}, '(a new one: {"firms.colgat": {...}})'),
    "a firm as a whole": ({"firms.colgat": {"quality": 1}}, "firms.colgat: unknown; did you mean colgate?"),
    "a segment as a whole": (
        {"segments.habitul": {"attention": 1}},
        "did you mean habitual? (a new one says its weight)",
    ),
    "a touchpoint as a whole": ({"firms.colgate.touchpoints.ap": {}}, "did you mean app? (a new one says its use)"),
    "who is to go": ({"firms.colgat": None}, "firms.colgat: unknown; did you mean colgate?"),
    "what is to go": ({"scandals.leek": None}, "scandals.leek: unknown; did you mean leak?"),
    "a part": ({"markt.recovery_paradox": 1}, "markt.recovery_paradox: unknown; did you mean market?"),
    "a field": ({"firms.boots.prise": 1}, "firms.boots.prise: unknown; did you mean price?"),
    "below a number": ({"people.x": 1}, "people.x: unknown; people is one value"),
    "no text": ({3: 4}, "3: a path is text"),
    "no mapping": ([("people", 3)], "changes: [('people', 3)] is not a set of values by dotted path"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_said(name):
    changes, sentence = SLIPS[name]
    with pytest.raises(ScenarioError) as caught:
        change(BASE, changes)
    assert any(sentence in c for c in caught.value.complaints), caught.value.complaints


def test_all_slips_are_said_at_once():
    with pytest.raises(ScenarioError) as caught:
        change(BASE, {"firms.colgat.quality": 1, "segments.ethicl.attention": 1, "people": -1, "scandals.x": None})
    assert len(caught.value.complaints) == 4


SLIP = {"firms.colgat.quality": 1.0}
ASKED = {
    "change": lambda: change(BASE, SLIP),
    "build": lambda: build(to_dict(BASE), firms__colgat__quality=1.0),
    "study": lambda: study.run(BASE, {"firms.colgat.quality": [0.0, 1.0]}, replications=1, quiet=True),
    "twins": lambda: twins(BASE, SLIP),
    "market": lambda: Market(BASE, firms__colgat__quality=1.0),
    "command line": lambda: study.scenario("firms.colgat.quality=1", "people=100"),
}


@pytest.mark.parametrize("where", ASKED)
def test_it_is_said_wherever_it_is_asked(where):
    with pytest.raises(ScenarioError, match=r"firms\.colgat\S*: unknown; did you mean \S*colgate"):
        ASKED[where]()


def test_a_member_is_added_on_purpose():
    new = change(BASE, {"firms.newco": {"presence": 0.1}, "firms.newco.quality": 2, "firms.boots2": {"presence": 0.1}})
    assert list(new.firms) == ["colgate", "boots", "newco", "boots2"] and new.firms["newco"].quality == 2
    assert (
        change(BASE, {"firms.newco.quality": 2, "firms.newco": {"presence": 0.1}}).firms["newco"] == new.firms["newco"]
    )
    assert change(BASE, {"firms.newco": Firm(presence=0.1, quality=2)}).firms["newco"] == new.firms["newco"]
    assert "touch" in change(BASE, {"firms.boots.touchpoints.touch": {"use": 0.1}}).firms["boots"].touchpoints
    assert change(BASE, {"scandals.leak2": {"week": 4}}).scandals["leak2"].week == 4
    gone = change(BASE, {"firms.colgate": None, "firms.colgat": {}, "focus": ""})
    assert list(gone.firms) == ["boots", "colgat"], "a member may take the place of one that goes"


def test_a_partial_member_keeps_the_rest():
    for partial, paths in (
        ({"firms.colgate": {"price": 1.1}}, {"firms.colgate.price": 1.1}),
        ({"segments.habitual": {"consideration_size": 2}}, {"segments.habitual.consideration_size": 2}),
        ({"scandals.leak": {"severity": 3}}, {"scandals.leak.severity": 3}),
        ({"firms.colgate.touchpoints.app": {"use": 0.1}}, {"firms.colgate.touchpoints.app.use": 0.1}),
        ({"market": {"recovery_paradox": 1}}, {"market.recovery_paradox": 1}),
        ({"consumer": {}}, {}),
    ):
        assert change(BASE, partial) == change(BASE, paths)
    assert change(BASE, {"firms.colgate": Firm()}).firms["colgate"] == Firm(), "whole where it is given whole"


def test_a_group_of_members_is_those_it_names():
    assert change(BASE, {"scandals": {}}).scandals == {}
    one = change(BASE, {"firms": {"colgate": {"price": 2}}, "scandals": {}})
    assert (
        list(one.firms) == ["colgate"]
        and one.firms["colgate"] == change(BASE, {"firms.colgate.price": 2}).firms["colgate"]
    )
    assert list(change(BASE, {"firms.colgate.touchpoints": {"app": {}}}).firms["colgate"].touchpoints) == ["app"]
    assert change(change(BASE, {"scandals": {}}), {"scandals": to_dict(BASE)["scandals"]}) == BASE


def test_nothing_that_is_given_is_changed():
    config, member = to_dict(BASE), {"presence": np.float64(0.1), "touchpoints": {"app": {}}}
    before = copy.deepcopy((config, member))
    build(config, firms__boots__price=2, firms__newco=member)
    change(BASE, {"firms.newco": member, "firms.newco.touchpoints.app.use": 0.2})
    assert (config, member) == before and asdict(BASE) == before[0]


def test_numbers_of_numpy_are_numbers():
    values = {"people": np.int64(7), "firms.boots.price": np.float64(1.5), "mechanisms.habit": np.bool_(False)}
    found = change(BASE, {**values, "title": np.str_("x"), "firms.colgate": {"quality": np.array(0.25)}})
    assert (found.people, found.firms["boots"].price, found.mechanisms.habit) == (7, 1.5, False)
    assert (found.title, found.firms["colgate"].quality) == ("x", 0.25)
    assert {type(v) for v in (found.people, found.title, found.mechanisms.habit)} == {int, str, bool}


UNKNOWN = {
    "kind of scandal": (lambda s: setattr(s.scandals["leak"], "kind", "tax"), "scandals.leak.kind: 'tax' is not known"),
    "near": (lambda s: setattr(s.scandals["leak"], "kind", "privcy"), "did you mean privacy?"),
    "regime": (lambda s: setattr(s.market, "regime", "monopoly"), "market.regime: 'monopoly' is not known"),
    "tastes": (lambda s: setattr(s.market, "taste_law", ""), "market.taste_law: '' is not known"),
    "network": (lambda s: setattr(s.network, "kind", "smallworld"), "network.kind: .* did you mean small_world?"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_word_is_an_error_where_words_become_numbers(name):
    """Also where a scenario was made or changed by hand, which nothing has checked."""
    scenario, (slip, sentence) = copy.deepcopy(BASE), UNKNOWN[name]
    slip(scenario)
    with pytest.raises(ScenarioError, match=sentence):
        simulate(scenario)
    with pytest.raises(ScenarioError, match=sentence):
        change(scenario, {})


OLD = {  # path as it was: what it is called now
    "firms.boots.exit_friction": "switching_cost",
    "firms.boots.moments": "delight_rate",
    "consumer.looks": "consideration_size",
    "consumer.care_ethics": "kinds.ethics.care",
    "segments.ethical.care_privacy": "care.privacy",
    "cohorts.all.looks": "consideration_size",
    "segments.sceptical.attention": "skeptical",
    "network.neighbours": "neighbors",
    "mechanisms.looks": "consideration",
    "mechanisms.friction": "switching_cost",
    "scandals.leak.spill": "spillover",
    "scandals.leak.hit_severity": "harm_severity",
    "market.friction_mild": "switching_cost_tolerated",
    "market.execution": "exit_rate",
}


@pytest.mark.parametrize("path", OLD)
def test_an_old_name_is_told_its_new_one(path):
    """By `change`, by `build` of nested values, and on the command line."""
    base = add(BASE, "segments.skeptical")
    sentence = rf": is called {re.escape(OLD[path])} now"
    with pytest.raises(ScenarioError, match=sentence):
        change(base, {path: 1})
    *above, name = path.split(".")
    nested = to_dict(base)
    part = nested
    for step in above:
        part = part.get(step, {})
    if part:
        part[name] = 1
        with pytest.raises(ScenarioError, match=re.escape(path) + sentence):
            build(nested)
    shell = path.replace("boots", "colgate").replace("leak", "data_breach")
    with pytest.raises(ScenarioError, match=sentence):
        study.uncalibrated("scandal=data_breach", f"{shell}=1")


def test_an_old_name_of_a_lever_or_in_a_link_or_of_a_market_is_told_its_new_one():
    with pytest.raises(ScenarioError, match=r"moves\.cut\.lever: 'exit_friction' is called switching_cost now"):
        change(BASE, {"moves.cut.lever": "exit_friction"})
    with pytest.raises(ScenarioError, match=r"it is called firms\.colgate\.switching_cost now"):
        linked("?market=toothpaste_uk&firms.colgate.exit_friction=1")
    with pytest.raises(ScenarioError, match=r"firms\.boots\.exit_friction: is called firms\.boots\.switching_cost now"):
        Market(BASE, firms__boots__exit_friction=1.0)


def test_every_new_name_is_known():
    known = {part for path, _, _ in leaves(BASE) for part in path.split(".")} | {"skeptical"}
    assert {part for names in RENAMED.values() for new in names for part in new.split(".")} <= known
    assert not set(RENAMED) & known


def test_an_endless_path_of_old_names_is_no_work():
    assert renamed(".".join(["looks"] * 1000), ["market"]) == ""


KINDS = {  # changes: kinds there are, care of ethical and habitual
    "as they are": ({}, ["ethics", "privacy", "service"], [[1, 1, 1], [1, 1, 1]]),
    "one more": (
        {"kinds.labor": {"care": 2}, "segments.ethical.care.labor": 3},
        ["ethics", "privacy", "service", "labor"],
        [[1, 1, 1, 6], [1, 1, 1, 2]],
    ),
    "one less": ({"kinds.ethics": None}, ["privacy", "service"], [[1, 1], [1, 1]]),
    "another weight": ({"kinds.privacy.care": 0.5, "cohorts.all.care": {"privacy": 4}}, None, [[1, 2, 1], [1, 2, 1]]),
}


@pytest.mark.parametrize("name", KINDS)
def test_care_is_a_table_of_cells_and_kinds(name):
    changes, kinds, care = KINDS[name]
    found = change(BASE, changes)
    assert list(found.kinds) == (kinds or list(BASE.kinds))
    assert make_world(found).care.tolist() == care
    assert build(to_dict(found)) == found and list(found.segments["ethical"].care) == list(found.kinds)


def test_a_kind_that_segments_care_about_differently_is_not_removed_unseen():
    cares = change(BASE, {"segments.ethical.care.service": 2})
    with pytest.raises(ScenarioError, match=r"segments\.ethical\.care\.service: unknown; known: ethics, privacy"):
        change(cares, {"kinds.service": None})
    gone = change(cares, {"kinds.service": None, "segments.ethical.care.service": 1})
    assert gone == change(BASE, {"kinds.service": None})


def test_one_that_is_named_like_another_is_added_by_its_own_call():
    with pytest.raises(ScenarioError, match="did you mean colgate"):
        change(BASE, {"firms.colgat": {"quality": 1}})
    assert add(BASE, "firms.colgat", {"quality": 1}).firms["colgat"] == Firm(quality=1)
    assert list(add(BASE, "firms.colgate.touchpoints.ap").firms["colgate"].touchpoints) == ["app", "shop", "ap"]
    for path, sentence in (
        ("firms.colgate", "firms.colgate: is there already"),
        ("firms.x.touchpoints.app", "firms.x.touchpoints.app: no place for a member"),
        ("people", "people: is there already"),
    ):
        with pytest.raises(ScenarioError, match=sentence):
            add(BASE, path, {})


@pytest.mark.parametrize("kind", ["ethics", "privacy", "service"])
def test_each_kind_has_its_number(kind):
    found = make_world(market({"scandals.x": {"kind": kind}})).scandals["kind"]
    assert found.tolist() == [["ethics", "privacy", "service"].index(kind)]
