"""The shape of the rules: eight verbs, a file each; few arguments; what is read of the week in one bundle."""

import ast
import inspect
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from sim.model import rules, timeline
from sim.model.fields import Consumer, Market, Scandal, Segment
from sim.model.rules.experience import repair
from sim.model.scandals import attribution, news_exposure, salience
from tests.markets import market

FILES = sorted(Path(rules.__path__[0]).glob("*.py"))
FUNCTIONS = [(f.stem, n) for f in FILES for n in ast.parse(f.read_text()).body if isinstance(n, ast.FunctionDef)]


def test_the_eight_verbs_are_a_file_each():
    verbs = ["hear", "need", "attend", "consider", "choose", "experience", "learn", "tell"]
    assert [verb.__name__ for verb in rules.VERBS] == verbs
    assert [Path(inspect.getfile(getattr(v, "py_func", v))).stem for v in rules.VERBS] == verbs


@pytest.mark.parametrize(("file", "rule"), FUNCTIONS, ids=lambda v: getattr(v, "name", v))
def test_no_rule_takes_more_than_seven_parameters(file, rule):
    assert len(rule.args.args) <= 7 and not rule.args.kwonlyargs and not rule.args.vararg


@pytest.mark.parametrize(("file", "rule"), FUNCTIONS, ids=lambda v: getattr(v, "name", v))
def test_no_rule_writes_to_what_is_published(file, rule):
    targets = [t for n in ast.walk(rule) if isinstance(n, ast.Assign) for t in n.targets]
    targets += [n.target for n in ast.walk(rule) if isinstance(n, ast.AugAssign)]
    assert not [t for t in targets if ast.unparse(t).startswith(("public", "market.", "traits.", "firms[", "scandal."))]


def test_what_is_published_is_named_in_the_world():
    assert set(timeline.Published._fields) - set(timeline.World._fields) == {"key", "week"}


def test_a_trait_is_declared_once():
    """Its factor for a segment follows from it: named alike, 1 by default, about it."""
    found = {f.name: f.metadata["d"] for f in fields(Segment)}
    assert list(found) == ["weight", *(f.name for f in fields(Consumer)), "care"]
    for f in fields(Consumer):
        d = found[f.name]
        assert d.default == 1 and d.low < 1 < d.high and d.about.startswith(f"factor on consumer.{f.name}")
    bounded = {f.name for f in fields(Consumer) if "product" in found[f.name].about}
    assert bounded == {
        *("attention", "automaticity", "habit_rate", "trust_up", "trust_down", "action"),
        *("consideration_size", "loss_aversion", "turnover", "taste_renewal", "rate_renewal"),
    }


def test_products_stay_where_the_factor_says():
    s = market({"segments.all.attention": 10, "cohorts.all.loss_aversion": 0.1, "segments.all.voice": 10})
    traits = timeline.make_world(s).traits[0]
    assert (traits["attention"], traits["loss_aversion"], traits["voice"]) == (1, 1, 10)


def test_news_reaches_as_many_as_stated():
    scandal = Scandal(reach=0.7, news_weeks=3)
    unaware = 1.0
    for weeks in range(10):
        unaware *= 1 - news_exposure(scandal, weeks)
    assert unaware == pytest.approx(0.3)


def test_salience_falls_to_its_residue_and_a_response_takes_its_part():
    m = Market(residue=0.2, reputation_share=0.5)
    over_time = [salience(Scandal(response=0.0), m, weeks) for weeks in range(3000)]
    assert over_time[0] == 1 and over_time[-1] == pytest.approx(0.1)
    assert all(later <= now for now, later in pairwise(over_time))
    answered = [salience(Scandal(response=0.25, response_delay=4), m, weeks) for weeks in (3, 4)]
    assert answered == [over_time[3], 0.75 * over_time[4]]


def test_attribution_is_to_the_firm_and_in_part_to_its_group():
    s = market({"firms.f0.group": "g", "firms.f2.group": "g", "focus": "f0"})
    assert [attribution(s, Scandal(spillover=0.4), f) for f in s.firms] == [1, 0, 0.4, 0, 0, 0]
    assert [attribution(s, Scandal(firm="f1"), f) for f in s.firms] == [0, 1, 0, 0, 0, 0], "no label is no group"


def test_repair_halves_with_every_half_life():
    s = market({"firms.f0.recovery_days": 10, "firms.f0.recovery_adequacy": 0.8, "market.repair_half_life": 5})
    assert repair(s.firms["f0"], s.market) == pytest.approx(0.2)
