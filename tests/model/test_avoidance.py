"""Who is no customer of a firm avoids it for a scandal; and kinds of scandal on which more or fewer people act."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.measure.estimates import pooled
from sim.model.rules.hear import think_again
from sim.model.state import NOBODY, ONCE
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import bare, market

SCANDAL = {"firm": "f0", "week": 0, "reach": 1.0, "news_weeks": 1, "severity": 1.0, "contagion": 0.0}


def told(changes):
    """Uses by the firm used before and the firm used, where all hear at once of a scandal that never fades."""
    base = {
        **{"people": 20_000, "weeks": 8, "window": 4, "mechanisms.scandal": True, "consumer.action": 0.0},
        **{"market.residue": 1.0, "market.reputation_share": 1.0, "market.trust_scandal": 0.0},
        "scandals.boycott": SCANDAL,
    }
    return pooled(simulate(bare({**base, **changes})).tally).flow.sum(axis=0)[1:, 1:]


@pytest.mark.parametrize(("weight", "severity"), [(1.0, 1.0), (0.5, 1.0), (2.0, 0.7), (0.0, 1.0)])
def test_who_was_elsewhere_avoids_the_firm_by_the_logit_and_its_customers_do_not(weight, severity):
    """Of those who do not act: p e^-ws / (p e^-ws + 1 - p) after a use elsewhere, p after a use of the firm."""
    uses = told({"market.avoidance": weight, "scandals.boycott.severity": severity})
    left = 0.3 * np.exp(-weight * severity)
    for before, p in ((slice(0, 1), 0.3), (slice(1, None), left / (left + 0.7))):
        counts = uses[before].sum(axis=0)
        many = counts.sum()
        assert many > 5_000 and abs(counts[0] - p * many) < 4 * np.sqrt(p * (1 - p) * many)


def test_those_on_the_other_side_come_instead():
    plain, drawn = (told({"market.avoidance": w, "segments.all.care.ethics": -1.0})[1:].sum(axis=0) for w in (0.0, 1.0))
    assert drawn[0] / drawn.sum() > 1.5 * plain[0] / plain.sum()


def test_without_a_scandal_nobody_avoids_anything():
    quiet = {**WORLDS["provider"], "scandals": {}}
    runs = [digest(simulate(market({**quiet, "market.avoidance": w})).tally) for w in (0.0, 3.0)]
    assert runs[0] == runs[1]


def test_a_factor_of_the_kind_is_a_factor_of_its_scandals_and_of_no_others():
    base = {**WORLDS["provider"], "scandals": {"s": {**SCANDAL, "reach": 0.7, "week": 5}}}
    runs = {
        name: digest(simulate(market({**base, **changes})).tally)
        for name, changes in {
            "scandal": {"scandals.s.action": 3.0},
            "kind": {"kinds.ethics.action": 3.0},
            "other": {"kinds.privacy.action": 3.0},
            "none": {},
        }.items()
    }
    assert runs["scandal"] == runs["kind"] != runs["none"] == runs["other"]


def test_of_those_about_to_join_as_many_decide_anew_as_avoid_the_firm():
    """A share 1 - exp(-loss) of those who hear and have decided for the firm; nobody else."""
    rule = getattr(think_again, "py_func", think_again)
    draws, loss = np.linspace(0.0005, 0.9995, 1000), 0.8 * 1.5 * 0.5 * 0.9
    own = {**rule.__globals__, "select": lambda when, a, b: a if when else b, "exp": np.exp}
    rule = type(rule)(rule.__code__, own)
    again = dict.fromkeys(((True, 0), (True, 1), (False, 0), (True, -1)), 0)
    for learns, target in again:
        for draw in draws:
            person = SimpleNamespace(target=[target], provoked=[0])
            public = SimpleNamespace(
                market=[SimpleNamespace(avoidance=0.8)],
                scandals=[SimpleNamespace(kind=0, severity=1.5)],
                care=[0.5],
                salience=[0.9],
                attribution=np.array([[1.0, 0.0]]),
            )
            rule(person, public, 0, learns, draw, 0)
            anew = person.target[0] == NOBODY and target >= 0
            assert (person.provoked[0] == ONCE) == anew
            again[learns, target] += anew
    assert again.pop((True, 0)) == pytest.approx(1000 * (1 - np.exp(-loss)), abs=1)
    assert not any(again.values())
