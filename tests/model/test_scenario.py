"""What a config becomes: a Scenario that gives itself back, or every complaint at once, each with its dotted path."""

import gzip
import os
import re
from dataclasses import fields, is_dataclass
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.model.declare import ScenarioError, leaves
from sim.model.fields import Scenario
from sim.model.network import stored_links
from sim.model.scenario import build, change, levers, to_dict

PLAIN = {"segments": {"all": {}}, "firms": {"us": {}, "them": {}}}
# One member of everything, and room for every number to reach either end of its range.
FULL = {
    "weeks": 5200,
    "window": 1,
    "segments": {"habitual": {}, "restless": {}},
    "cohorts": {"young": {}, "old": {}},
    "firms": {"us": {"touchpoints": {"app": {}}}, "them": {}},
    "scandals": {"leak": {"week": 0}},
    "moves": {"discount": {"week": 0}},
    "network": {"kind": "none"},
}
LEAVES = {path: (value, d) for path, value, d in leaves(build(FULL))}
NUMBERS = {path: d for path, (_, d) in LEAVES.items() if d.low is not None}
WHOLE = {path for path in NUMBERS if isinstance(LEAVES[path][0], int)}
WORDS = [path for path, (value, _) in LEAVES.items() if isinstance(value, str | bool)]
# Narrower than declared where other fields have a say: shares sum to 1, a move's value is that of its lever.
ROOM = {"firms.us.share": (1e-6, 0.99), "firms.them.share": (1e-6, 0.99), "moves.discount.value": (0, 10)}
ROOM |= {f"firms.{firm}.{when}": (0, 0) for firm in ("us", "them") for when in ("enters", "leaves")}  # events need both


def plain(**parts):
    return {**PLAIN, **parts}


def complaints(config):
    with pytest.raises(ScenarioError) as caught:
        build(config)
    assert str(caught.value).splitlines() == caught.value.complaints
    return caught.value.complaints


def declared(kind, path=""):
    """Dotted paths of every field below a declaration, `*` for a member's name."""
    hints = get_type_hints(kind)
    for f in fields(kind):
        hint = hints[f.name]
        below = hint if is_dataclass(hint) else next((a for a in get_args(hint) if is_dataclass(a)), None)
        if below is None:
            yield f"{path}{f.name}"
        else:
            yield from declared(below, f"{path}{f.name}." if is_dataclass(hint) else f"{path}{f.name}.*.")


def starred(path):
    parts = path.split(".")
    if parts[0] in ("kinds", "segments", "cohorts", "firms", "scandals", "moves", "policies"):
        parts[1] = "*"
        if parts[2] == "touchpoints":
            parts[3] = "*"
        if parts[2] == "care" and len(parts) > 3:
            parts.pop()
    return ".".join(parts)


@pytest.mark.parametrize("config", [PLAIN, FULL], ids=["plain", "full"])
def test_a_scenario_gives_itself_back(config):
    scenario = build(config)
    assert build(to_dict(scenario)) == scenario
    assert change(scenario, {path: value for path, value, _ in leaves(scenario)}) == scenario


def test_leaves_are_everything_declared():
    assert {starred(path) for path in LEAVES} == set(declared(Scenario)) - {
        "taste_covariance",
        "market.season",
        *(path for path in declared(Scenario) if path.startswith("policies.")),  # each number bounds another
    }  # start empty


@pytest.mark.parametrize("path", LEAVES)
def test_a_declaration_says_what_it_is(path):
    value, d = LEAVES[path]
    assert d.about
    if isinstance(value, str):
        assert not d.choices or d.default in d.choices
    else:
        assert d.unit
    if path in NUMBERS:
        assert d.low < d.high
        assert d.default is None or d.low <= d.default <= d.high


def test_what_is_left_out_is_filled_in():
    scenario = build(plain(firms={"small": {"presence": 1}, "big": {"presence": 3}}))
    assert (scenario.focus, list(scenario.cohorts), scenario.cells) == ("big", ["all"], [("all", "all")])
    assert build(plain(firms={"us": {"share": 0.1}, "them": {"share": 0.9, "presence": 0.1}})).focus == "them"
    assert build(plain(scandals=None)) == build(PLAIN)
    with pytest.raises(ScenarioError, match="market: None is not a set of named values"):
        build(plain(market=None))


def test_overrides_and_changes_reach_any_depth():
    config = plain(firms={"us": {"touchpoints": {"app": {"use": 0.5}}}, "them": {}})
    scenario = build(config, firms__us__touchpoints__app__use=0.25, weeks=60)
    assert (scenario.firms["us"].touchpoints["app"].use, scenario.weeks) == (0.25, 60)
    assert config["firms"]["us"]["touchpoints"]["app"]["use"] == 0.5
    changed = change(scenario, {"firms.us.touchpoints.app.use": 1, "scandals.leak": {"week": 3}, "firms.them": None})
    assert (changed.firms["us"].touchpoints["app"].use, changed.scandals["leak"].week) == (1.0, 3)
    assert list(changed.firms) == ["us"]
    assert scenario.firms["us"].touchpoints["app"].use == 0.25
    assert list(scenario.firms) == ["us", "them"]


def test_whole_numbers_become_the_kind_of_number_declared():
    scenario = build(plain(consumer={"habit_weight": 2}))
    assert type(scenario.consumer.habit_weight) is float
    assert type(scenario.weeks) is int


def test_a_move_without_firm_is_checked_against_the_largest():
    firms = {"small": {}, "big": {"presence": 9, "touchpoints": {"app": {}}}}
    move = {"lever": "touchpoints.app.failure_rate", "value": 0.2}
    assert build(plain(firms=firms, moves={"repair": move})).focus == "big"
    [complaint] = complaints(plain(firms=firms, moves={"repair": {**move, "firm": "small"}}))
    assert complaint.startswith("moves.repair.lever: ")


def test_levers_are_numbers_of_the_firm_but_not_its_share():
    names = levers(build(FULL).firms["us"])
    assert {"price", "touchpoints.app.failure_rate"} < set(names)
    assert not {"share", "group"} & set(names)


def inside(path):
    low, high = ROOM.get(path, (NUMBERS[path].low, NUMBERS[path].high))
    return st.integers(low, high) if path in WHOLE else st.floats(low, high)


def outside(path):
    d = NUMBERS[path]
    if path in WHOLE:
        return st.integers(max_value=d.low - 1) | st.integers(min_value=d.high + 1)
    below, above = st.floats(max_value=d.low, exclude_max=True), st.floats(min_value=d.high, exclude_min=True)
    return below | above | st.just(float("nan"))


def mistaken(path):
    """Values of a kind that no number can be."""
    wrong = [st.text(), st.booleans(), st.lists(st.integers(), max_size=2), st.dictionaries(st.text(), st.none())]
    wrong += [st.none()] if not path.endswith(".share") else []
    return st.one_of(wrong + ([st.floats()] if path in WHOLE else []))


def several(values, most=6):
    """Dotted paths with a value each."""
    return st.lists(st.sampled_from(list(NUMBERS)), min_size=1, max_size=most, unique=True).flatmap(
        lambda paths: st.fixed_dictionaries({path: values(path) for path in paths})
    )


BASE = build(FULL)
patient = settings(deadline=None)  # a busy machine is no defect


@patient
@given(several(inside, 1))
def test_any_number_in_range_builds(changes):
    scenario = change(BASE, changes)
    found = {path: value for path, value, _ in leaves(scenario)}
    assert {path: found[path] for path in changes} == changes
    assert build(to_dict(scenario)) == scenario


@pytest.mark.parametrize("path", NUMBERS)
def test_either_end_of_a_range_builds(path):
    for value in ROOM.get(path, (NUMBERS[path].low, NUMBERS[path].high)):
        change(BASE, {path: int(value) if path in WHOLE else value})


@patient
@given(several(lambda path: outside(path) | mistaken(path)))
def test_every_bad_number_is_complained_of_at_once(changes):
    with pytest.raises(ScenarioError) as caught:
        change(BASE, changes)
    for path in changes:
        assert any(c.startswith(f"{path}: ") for c in caught.value.complaints)


@patient
@given(st.sampled_from(WORDS), st.integers() | st.floats() | st.none() | st.lists(st.text()))
def test_words_and_switches_take_nothing_else(path, value):
    with pytest.raises(ScenarioError, match=rf"(?m)^{re.escape(path)}: "):
        change(BASE, {path: value})


NAMES = st.sampled_from([*(f.name for f in fields(Scenario)), "us", "touchpoints", "price", "a b", 3])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(NAMES, below),
)


@patient
@given(ANYTHING)
def test_any_config_builds_or_is_complained_of(config):
    try:
        build(config)
    except ScenarioError as error:
        assert error.complaints


def firms(**shares):
    return plain(firms={name: {"share": share} for name, share in shares.items()})


def scandal(**fields):
    return plain(scandals={"leak": fields})


def move(**fields):
    return plain(moves={"cut": fields})


NAN, INF = float("nan"), float("inf")
BAD = {
    # nothing, or not what a config is
    "nothing": (None, "segments: none; at least one is needed"),
    "a list": ([1], "config: [1] is not a set of named values"),
    "a text": ("firms", "config: 'firms' is not a set of named values"),
    "no firms": (plain(firms={}), "firms: none; at least one is needed"),
    "no segments": (plain(segments={}), "segments: none; at least one is needed"),
    "firms as a list": (plain(firms=["us"]), "firms: ['us'] is not a set of named members"),
    "a firm as a list": (plain(firms={"us": [1]}), "firms.us: [1] is not a set of named values"),
    "a segment as a number": (plain(segments={"all": 3}), "segments.all: 3 is not a set of named values"),
    "market as a list": (plain(market=[]), "market: [] is not a set of named values"),
    "touchpoints as text": (plain(firms={"us": {"touchpoints": "app"}}), "firms.us.touchpoints: 'app' is not a set"),
    # unknown names
    "unknown at the top": (plain(week=3), "week: unknown; did you mean weeks?"),
    "unknown like nothing": (plain(zzz=3), "zzz: unknown; known: title, focus, seed"),
    "unknown number": (PLAIN | {3: 4}, "3: unknown; known: title"),
    "unknown in market": (plain(market={"rate_shap": 1}), "market.rate_shap: unknown; did you mean rate_shape?"),
    "unknown in consumer": (
        plain(consumer={"habit_wait": 1}),
        "consumer.habit_wait: unknown; did you mean habit_weight?",
    ),
    "unknown in network": (plain(network={"neighbor": 4}), "network.neighbor: unknown; did you mean neighbors?"),
    "unknown in mechanisms": (plain(mechanisms={"habits": True}), "mechanisms.habits: unknown; did you mean habit?"),
    "unknown in a segment": (
        plain(segments={"all": {"atention": 1}}),
        "segments.all.atention: unknown; did you mean at",
    ),
    "unknown in a cohort": (plain(cohorts={"old": {"wieght": 1}}), "cohorts.old.wieght: unknown; did you mean weight?"),
    "unknown in a firm": (plain(firms={"us": {"prise": 1}}), "firms.us.prise: unknown; did you mean price?"),
    "unknown in a touchpoint": (
        plain(firms={"us": {"touchpoints": {"app": {"failure": 1}}}}),
        "firms.us.touchpoints.app.failure: unknown; did you mean failure_rate?",
    ),
    "unknown in a scandal": (scandal(sevrity=1), "scandals.leak.sevrity: unknown; did you mean severity?"),
    "unknown in a move": (move(levers="price"), "moves.cut.levers: unknown; did you mean lever?"),
    "a name with a dash": (plain(firms={"a-b": {}}), "firms.a-b: not a name made of letters, digits and _"),
    "a name with a dot": (plain(segments={"a.b": {}}), "segments.a.b: not a name made of letters"),
    "a number for a name": (plain(firms={1: {}}), "firms.1: not a name made of letters"),
    "an empty name": (plain(moves={"": {}}), "moves.: not a name made of letters"),
    "a touchpoint with a space": (
        plain(firms={"us": {"touchpoints": {"a b": {}}}}),
        "firms.us.touchpoints.a b: not a name",
    ),
    # wrong kinds
    "text for a number": (plain(people="12"), "people: '12' is not a number (1 to 2.14748e+09 people)"),
    "a switch for a number": (plain(weeks=True), "weeks: True is not a number"),
    "a list for a number": (
        plain(market={"recovery_paradox": [1]}),
        "market.recovery_paradox: [1] is not a number (0 to 5 CX)",
    ),
    "a mapping for a number": (plain(seed={"a": 1}), "seed: {'a': 1} is not a number"),
    "nothing for a number": (plain(people=None), "people: None is not a number"),
    "a fraction for a whole number": (plain(weeks=104.0), "weeks: 104.0 is not a whole number (1 to 5200)"),
    "a number for a word": (plain(title=3), "title: 3 is not text"),
    "nothing for a word": (plain(focus=None), "focus: None is not text"),
    "a number for a switch": (plain(mechanisms={"taste": 1}), "mechanisms.taste: 1 is not true or false"),
    "text for a switch": (plain(mechanisms={"price": "no"}), "mechanisms.price: 'no' is not true or false"),
    "regime misspelled": (
        plain(market={"regime": "providers"}),
        "market.regime: 'providers' is not known; did you mean provider?",
    ),
    "taste law misspelled": (
        plain(market={"taste_law": "gamma"}),
        "market.taste_law: 'gamma' is not known; did you mean log_gamma?",
    ),
    "kind of scandal unknown": (
        scandal(kind="tax"),
        "scandals.leak.kind: 'tax' is not known; known: ethics, privacy, service",
    ),
    "kind of network misspelled": (
        plain(network={"kind": "smallworld"}),
        "network.kind: 'smallworld' is not known; did you mean sm",
    ),
    # out of range
    "not a number": (plain(market={"experience": NAN}), "market.experience: nan is not a finite number (0 to 10000)"),
    "infinite": (plain(consumer={"rate": INF}), "consumer.rate: inf is not a finite number"),
    "minus infinite": (plain(firms={"us": {"price": -INF}}), "firms.us.price: -inf is not a finite number"),
    "too low": (plain(consumer={"loss_aversion": 0.5}), "consumer.loss_aversion: 0.5 is outside 1 to 5 -"),
    "too high": (plain(consumer={"attention": 1.01}), "consumer.attention: 1.01 is outside 0 to 1 1/use"),
    "negative weight": (plain(segments={"all": {"weight": -1}}), "segments.all.weight: -1 is outside 0 to 1e+06"),
    "contagion without end": (scandal(contagion=1), "scandals.leak.contagion: 1 is outside 0 to 0.95 people"),
    "nobody": (plain(people=0), "people: 0 is outside 1 to 2.14748e+09 people"),
    "more than any number": (plain(people=10**400), "people: 1000"),
    "less than any number": (plain(market={"experience": -(10**400)}), "market.experience: -1000"),
    "negative seed": (plain(seed=-1), "seed: -1 is outside 0 to 4.29497e+09"),
    "share above 1": (plain(firms={"us": {"share": 1.2}}), "firms.us.share: 1.2 is outside 0 to 1"),
    # contradictions
    "weights of 0": (plain(segments={"a": {"weight": 0}}), "segments: the weights sum to 0"),
    "cohort weights of 0": (plain(cohorts={"a": {"weight": 0}}), "cohorts: the weights sum to 0"),
    "shares sum above 1": (firms(us=0.7, them=0.6), "firms.*.share: the shares sum to 1.300, above 1"),
    "shares sum below 1": (firms(us=0.5, them=0.3), "firms.*.share: the shares sum to 0.800; add a firm for the rest"),
    "nothing left to share": (firms(us=0.6, them=0.4, rest=None), "the shares leave nothing for"),
    "share of 0": (firms(us=0, them=None), "firms.us.share: 0 is no share a firm can have"),
    "touchpoints fail too often": (
        plain(firms={"us": {"touchpoints": {"app": {"failure_rate": 0.6}, "shop": {"failure_rate": 0.7}}}}),
        "firms.us.touchpoints: use x failure_rate sum to 1.30, above 1",
    ),
    "too many firms": (plain(firms={f"f{j}": {} for j in range(65)}), "firms: 65 of them; at most 64"),
    "too many scandals": (plain(scandals={f"s{k}": {} for k in range(33)}), "scandals: 33 of them; at most 32"),
    "too many segments": (
        plain(segments={f"s{k}": {} for k in range(256)}),
        "segments x cohorts: 256 cells; at most 255",
    ),
    "too many cells": (
        plain(segments={f"s{k}": {} for k in range(16)}, cohorts={f"c{k}": {} for k in range(16)}),
        "segments x cohorts: 256 cells; at most 255",
    ),
    "window longer than weeks": (plain(weeks=12, window=13), "window: 13 is longer than weeks (12)"),
    "focus unknown": (plain(focus="thme"), "focus: 'thme' is no firm; did you mean them?"),
    "scandal at nobody": (scandal(firm="he"), "scandals.leak.firm: 'he' is no firm; "),
    "move of nobody": (move(firm="z"), "moves.cut.firm: 'z' is no firm; known: us, them"),
    "scandal after the end": (scandal(week=104), "scandals.leak.week: 104 is beyond the last week (103)"),
    "move after the end": (move(week=600), "moves.cut.week: 600 is beyond the last week (103)"),
    "move of no lever": (move(lever="prise"), "moves.cut.lever: 'prise' is no lever; did you mean price?"),
    "move of the share": (move(lever="share"), "moves.cut.lever: 'share' is no lever"),
    "move of a touchpoint that is not there": (move(lever="touchpoints.app.use"), "'touchpoints.app.use' is no lever"),
    "move to a value the lever cannot have": (move(value=11), "moves.cut.value: 11 is outside 0 to 10 for price"),
    "move below what the lever can have": (
        move(lever="presence", value=0),
        "moves.cut.value: 0 is outside 1e-09 to 1e+06 for presence",
    ),
    "care for no kind": (
        plain(segments={"all": {"care": {"ethcs": 2}}}),
        "segments.all.care.ethcs: unknown; did you mean ethics?",
    ),
    "care out of range": (plain(segments={"all": {"care": {"ethics": 11}}}), "segments.all.care.ethics: 11 is outside"),
    "care as one number": (plain(cohorts={"old": {"care": 2}}), "cohorts.old.care: 2 is not a set of named numbers"),
    "a kind that was left out": (
        scandal(kind="privacy") | {"kinds": {"ethics": {}}},
        "scandals.leak.kind: 'privacy' is not known; known: ethics",
    ),
    "odd ring": (plain(network={"neighbors": 7}), "network.neighbors: 7 is odd"),
    "network from no file": (plain(network={"kind": "file"}), "network.edges: a file of edges is needed"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_config_is_told_what_is_wrong(name):
    config, sentence = BAD[name]
    assert any(sentence in complaint for complaint in complaints(config))


def test_a_bad_config_hears_everything_at_once():
    config = plain(week=1, people="12", focus="thme", market={"recovery_paradox": 9}, network={"neighbors": 7})
    starts = [complaint.split(":")[0] for complaint in complaints(config)]
    assert starts == ["week", "people", "market.recovery_paradox", "focus", "network.neighbors"]


FILES = {
    "not there": (None, "cannot read"),
    "one column": ("0\n1\n", "cannot read"),
    "words": ("me you\n", "cannot read"),
    "fractions": ("0.5 1\n", "cannot read"),
    "bytes": (b"\xff\xfe\x00", "cannot read"),
    "nothing but comments": ("# from to\n", "it is empty"),
    "nothing but NUL": (b"\x00" * 50_000, "a line of more than 10,000 characters"),
    "5,000 digits": ("0 1\n" + "9" * 5000 + " 1\n", "row 2 does not begin with the numbers of two people$"),
    "a header": ("from to\n0 1\n", "row 1 does not begin with the numbers of two people$"),
    "UTF-16": ("0 1\n".encode("utf-16"), "cannot read"),
    "rows that end": ("0 1\n2\n", "row 2 does not begin"),
    "a person too many": ("0 1\n1 10\n", "person 10 is not among 0 to 9"),
    "a negative person": ("0 1\n-1 2\n", "is not among 0 to 9"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_of_edges_is_told_what_is_wrong(name, tmp_path):
    content, sentence = FILES[name]
    path = tmp_path / "edges.txt"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    scenario = build(plain(people=10, network={"kind": "file", "edges": str(path)}))
    with pytest.raises(ScenarioError, match=f"^network.edges: .*{sentence}"):
        stored_links(scenario)


def test_what_is_no_file_of_edges_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(3 << 30)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"0 1\n" * 1000))
    for name, sentence in {
        "pipe": "not a regular file",
        "zero": "not a regular file",
        "": "not a regular file",
        "huge": "larger than 2048 MiB",
        "bomb.gz": "codec can't decode",
    }.items():
        scenario = build(plain(people=10, network={"kind": "file", "edges": str(tmp_path / name)}))
        with pytest.raises(ScenarioError, match=f"^network.edges: .*{sentence}"):
            stored_links(scenario)


def test_a_file_of_edges_may_begin_with_a_mark_and_have_more_columns(tmp_path):
    (tmp_path / "edges.csv").write_text("\ufeff# from, to, since\n0,1,2020\n1,2,2021\n", encoding="utf-8")
    starts, recipients = stored_links(
        build(plain(people=3, network={"kind": "file", "edges": str(tmp_path / "edges.csv")}))
    )
    assert starts.tolist() == [0, 1, 2, 2] and recipients.tolist() == [1, 2]
