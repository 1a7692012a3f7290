"""The spread of every number: one for each, met quantiles, checked files, and draws that are valid scenarios."""

import numpy as np
import pytest

from sim import study
from sim.model.declare import ScenarioError
from sim.model.scenario import build, change
from sim.report import field_table
from sim.study import priors
from sim.study.defaults import vocabulary
from sim.study.presets import presets
from sim.study.prior_laws import Prior

SHIPPED = priors.shipped()
WORDS = [f"market={name}" for name in presets("market")] + [f"scandal={name}" for name in presets("scandal")]
SOME = ["market=bank scandal=outage", "scandal=dieselgate_us", "market=retail_us scandal=moral_scandal"]


@pytest.fixture(scope="module", params=SOME)
def scenario(request):
    return study.uncalibrated(*request.param.split())


def test_no_declared_number_is_without_a_spread_or_a_reason():
    paths = [p.replace("NAME", "*") for p, d in vocabulary() if d.low is not None]
    assert len(paths) > 130
    assert not [p for p in paths if not SHIPPED.rows_of(p) and not SHIPPED.why_none(p)]
    assert all(len(why) > 10 for why in SHIPPED.structural.values())


def test_no_number_of_a_preset_is_without_one():
    for word in WORDS:
        assert priors.without(study.uncalibrated(word)) == [], word


def test_a_measured_or_casebook_spread_names_its_source():
    rows = [row for cases in SHIPPED.rows.values() for row in cases.values() if row.prior]
    assert {row.prior.basis for row in rows} == set(priors.BASES)
    assert all(row.prior.source for row in rows if row.prior.basis != "judgment")
    assert all(row.reason for cases in SHIPPED.rows.values() for row in cases.values() if row.prior is None)


@pytest.mark.parametrize("law", ["lognormal", "logitnormal", "normal", "uniform"])
def test_a_law_meets_its_three_quantiles(law):
    prior = Prior("x", law, 0.1, 0.3, 0.8)
    assert [prior.quantile(u) for u in (0.1, 0.5, 0.9)] == pytest.approx([0.1, 0.3, 0.8])
    cut = Prior("x", law, 0.1, 0.3, 0.8, low=0.1, high=0.8)
    drawn = [cut.quantile(u) for u in np.linspace(0, 1, 101)]
    assert drawn[0] == pytest.approx(0.1) and drawn[-1] == pytest.approx(0.8) and drawn == sorted(drawn)
    assert np.diff(drawn).min() > 0, "cut off, not piled up at its ends"


def test_a_mixture_has_its_weights():
    prior = priors.priors_of(study.uncalibrated("market=bank"))["market.reputation_half_life"]
    drawn = np.array([prior.quantile(u) for u in np.linspace(0.0005, 0.9995, 1000)])
    assert np.mean(drawn < 25) == pytest.approx(0.35, abs=0.03) and (np.diff(drawn) > 0).all()
    assert prior.p50 == pytest.approx(np.median(drawn), rel=0.01)


def test_what_a_preset_says_is_the_median():
    breach = study.uncalibrated("scandal=breach_target")
    found, action = priors.priors_of(breach), breach.scandals["target"].action
    assert action > 1 and found["scandals.target.action"].p50 == pytest.approx(action)
    assert found["scandals.target.action"].p90 / action == pytest.approx(6.5)
    market = study.uncalibrated("market=bank")
    bank = priors.priors_of(market)
    assert bank["consumer.attention"].p50 == pytest.approx(market.consumer.attention)
    assert bank["market.attention_concentration"].p50 == 15, "not the presets' 40, which is outside the middle"
    shelf = priors.priors_of(study.uncalibrated("market=toothpaste_uk"))
    assert "consumer.attention" not in shelf, "a shelf that is looked over is no guess"


def test_who_is_on_the_other_side_stays_there():
    base = study.uncalibrated("market=bank", "segments.ethical.care.ethics=-0.5")
    spread = priors.priors_of(base)["segments.ethical.care.ethics"]
    drawn = [spread.quantile(u) for u in np.linspace(0.01, 0.99, 99)]
    assert drawn == sorted(drawn) and -10 <= drawn[0] < drawn[-1] <= 0
    assert (spread.p10, spread.p90) == pytest.approx((-0.9, -0.1)), "the spread of the others, mirrored"


def test_draws_are_valid_scenarios_and_lie_in_their_ranges(scenario):
    spread = priors.priors_of(scenario)
    for key in range(40):
        drawn = priors.draw(scenario, key, spread)
        assert drawn.keys() == spread.keys()
        assert all(p.low <= drawn[path] <= p.high for path, p in spread.items() if not p.times)
        change(scenario, drawn)


def test_a_draw_depends_on_its_key_and_path_alone(scenario):
    few = dict(list(priors.priors_of(scenario).items())[:7])
    whole = priors.draw(scenario, "k")
    same = {path for path in few if not few[path].times}
    assert {p: whole[p] for p in same} == {p: v for p, v in priors.draw(scenario, "k", few).items() if p in same}
    us = [priors.uniform(key, "consumer.voice") for key in range(2000)]
    assert abs(np.mean(us) - 0.5) < 0.02 and abs(np.quantile(us, 0.1) - 0.1) < 0.02


def test_a_ratio_follows_the_number_it_is_a_multiple_of():
    base = study.uncalibrated("market=bank")
    up, down = ("consumer.trust_up", "consumer.trust_down")
    low, high = (priors.values(base, {up: u, down: 0.5}) for u in (0.1, 0.9))
    assert low[down] / low[up] == pytest.approx(2.5) == high[down] / high[up]
    alone = priors.values(base, {down: 0.5})
    assert alone == {down: pytest.approx(2.5 * base.consumer.trust_up)}


def test_values_at_a_path_without_a_prior_or_a_chance_beyond_one():
    base = study.uncalibrated("market=bank")
    with pytest.raises(ScenarioError) as error:
        priors.values(base, {"people": 0.5, "consumer.vioce": 0.5, "consumer.voice": 1.5})
    said = error.value.complaints
    assert len(said) == 3 and "did you mean consumer.voice?" in said[1] and "outside 0 to 1" in said[2]


WRONG = {
    "priors: {consumer.voice: {law: normal, p10: 2, p50: 1, p90: 3, basis: judgment}}": "P10 (2), P50 (1)",
    "priors: {consumer.voice: {law: normal, p10: -2, p50: 1, p90: 3, basis: judgment}}": "is outside 0 to 10",
    "priors: {consumer.vioce: {law: normal, p10: 0, p50: 1, p90: 3, basis: judgment}}": "did you mean consumer.voice?",
    "priors: {title: {law: normal, p10: 0, p50: 1, p90: 3, basis: judgment}}": "title: is no number",
    "priors: {consumer.voice: {law: norml, p10: 0, p50: 1, p90: 3, basis: judgment}}": "did you mean normal?",
    "priors: {consumer.voice: {law: normal, p10: 0, p50: 1, basis: judgment}}": "p90: is missing",
    "priors: {consumer.voice: {law: normal, p10: 0, p50: 1, p90: 3, basis: measured}}": "only a judgment may",
    "priors: {consumer.voice: {law: normal, p10: 0, p50: 1, p90: 3, basis: guess}}": "basis: 'guess' is not known",
    "priors: {consumer.voice: {law: lognormal, p10: 0, p50: 1, p90: 3, basis: judgment}}": "cannot be lognormal",
    "priors: {consumer.voice: {law: held}}": "why is it held?",
    "priors: {consumer.voice: {law: mixture, basis: judgment, parts: []}}": "two parts or more",
    "priors: {consumer.voice: {provder: {law: held, source: x}}}": "did you mean provider?",
    "priors: {consumer.voice: 3}": "not a set of named values",
    "structural: {people.x: why}": "people.x: unknown",
    "prior: {}": "did you mean priors?",
    "[1, 2]": "not a set of named values",
    "a: [": "while parsing",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_file_gets_its_sentence(tmp_path, text, said):
    path = tmp_path / "priors.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as error:
        priors.load(path)
    assert said in str(error.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    path = tmp_path / "priors.yaml"
    path.write_text("\n".join(["priors:", *(f"  consumer.x{n}: {{law: normal}}" for n in range(5))]))
    with pytest.raises(ScenarioError) as error:
        priors.load(path)
    assert len(error.value.complaints) == 5


def test_a_number_without_a_prior_is_seen(tmp_path):
    path = tmp_path / "priors.yaml"
    path.write_text("structural: {people: size}\npriors: {}")
    found = priors.without(build({"segments": {"all": {}}, "firms": {"a": {}}}), priors.load(path))
    assert "consumer.voice" in found and "people" not in found and "seed" in found


def test_fields_show_the_spread_and_what_it_rests_on(capsys):
    assert field_table.main(["loss_aversion"]) == 0
    shown = capsys.readouterr().out
    assert "consumer.loss_aversion" in shown and "1.2 to 2.6" in shown and "measured" in shown
    assert priors.describe("people") == ("", "")
    assert priors.describe("market.taste_concentration")[0] == "repertoire: 0.8 to 4, provider: 2 to 20"
