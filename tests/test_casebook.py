"""The casebook: its cases, the rule learned on them, forecasts from a file, and a new scandal on the command line."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from sim import study
from sim.casebook import cases, forecast, left_out, new_scandal, question, rule
from sim.model.declare import ScenarioError

SHARED = Path(__file__).parents[2] / "shared" / "casebook" / "casebook.yaml"
BREACH = {"regime": "provider", "kind": "data", "self": 0.5, "subs": 0.5, "core": 0.0, "nation": 0.0, "supply": 0.0}
HOME = {"regime": "repertoire", "kind": "conscience", "self": 0.0, "subs": 1.0, "core": 1.0, "nation": 0.0}
HOME |= {"supply": 0.0}
RULE = rule.fit()


@pytest.fixture(scope="module")
def worst():
    return left_out.predictions()


def test_every_case_has_its_attributes_and_its_source():
    found, _ = cases.casebook()
    assert len(found) > 50 and len({c.id for c in found}) == len(found)
    for case in found:
        assert set(case.attributes) >= set(cases.ATTRIBUTES) - {"harmed"} and case.source and case.readings
        for reading in case.readings.values():
            assert reading.low <= reading.value <= reading.high or case.id == "mcdonalds_japan_2014"


def test_cases_are_those_that_were_read():
    if not SHARED.exists():
        pytest.skip("the casebook that the cases were taken over from is not beside the checkout")
    theirs = {c["id"]: c for c in yaml.safe_load(SHARED.read_text(encoding="utf-8"))["cases"]}
    for case in cases.casebook()[0]:
        for when, reading in case.readings.items():
            assert reading.value == theirs[case.id][when]["value"]
        assert all(theirs[case.id][name] == value for name, value in case.attributes.items())


# The rule, judged on events that it has not seen


def test_intervals_hold_what_they_say_of_events_left_out(worst):
    found = left_out.scores(worst)
    assert 72 <= found["80 % interval covers"][0] <= 88
    assert found["error of the median, logits"][0] < 1.6
    assert abs(found["bias of the median, logits"][0]) < 2 * found["bias of the median, logits"][1]


def test_attributes_narrow_what_is_known(worst):
    ours = left_out.scores(worst)
    for terms in ([], ["provider"], ["provider", "data", "body", "money", "service", "price"]):
        theirs = left_out.scores(left_out.predictions(terms))
        for name in ("error of the median, logits", "width of the interval, logits", "interval score, logits"):
            assert ours[name][0] < theirs[name][0], (terms, name)


def test_an_event_left_out_is_not_seen():
    event = "vw"
    some = [c for c in cases.casebook()[0] if c.cluster != event]
    mine = next(p for p in left_out.predictions() if p.case.cluster == event)
    assert (
        mine.quantiles.tolist() == rule.predict(rule.fit(some), mine.case.attributes).quantile([0.1, 0.5, 0.9]).tolist()
    )


def test_the_late_value_is_better_known_once_the_worst_is():
    before, after = (left_out.scores(left_out.predictions(None, "late", seen)) for seen in (False, True))
    assert 72 <= after["80 % interval covers"][0] <= 88
    assert after["width of the interval, logits"][0] < before["width of the interval, logits"][0]


def test_a_quantile_of_equal_points_is_that_of_a_sample():
    spread = rule.Spread(np.arange(1.0, 10.0), np.full(9, 1 / 9), 9.0)
    assert spread.quantile([0.1, 0.5, 0.9]) == pytest.approx([1, 5, 9])


def test_only_politics_at_home_is_thought_to_gain():
    home, breach = (rule.predict(RULE, known).chance(rule.GAIN, 100) for known in (HOME, BREACH))
    assert home > 0.15 and breach < 0.01
    assert rule.predict(RULE, BREACH).chance(-0.25, rule.GAIN) > 0.05, "a breach may do nothing that can be measured"


@pytest.mark.parametrize("known", [{}, {"kind": "body"}, {"regime": "provider"}, {"nation": 1.0}], ids=str)
def test_what_is_not_known_widens(known):
    spread = rule.predict(RULE, known)
    assert spread.weight.sum() == pytest.approx(1) and (np.diff(spread.change) >= 0).all()
    low, middle, high = spread.quantile([0.1, 0.5, 0.9])
    assert -98 <= low < middle <= high


def test_withdrawn_goods_an_accused_nation_and_close_substitutes_lose_more():
    def middle(**changed):
        return rule.predict(RULE, HOME | changed).quantile(0.5)

    assert middle(supply=1.0) < middle() and middle(nation=1.0) < middle() < middle(subs=0.0)


# Forecasts of a file


@pytest.fixture
def ask(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(text, name="out.csv"):
        Path("cases.yaml").write_text(text)
        forecast.main(["cases.yaml", name])
        return list(csv.DictReader(Path(name).open()))

    return run


def test_a_forecast_is_a_row_a_case_with_its_quantiles_in_order(ask):
    rows = ask(
        "cases:\n- {id: a, regime: provider, kind: data}\n"
        "- {id: b, regime: repertoire, kind: body, subs: 1, supply: yes}\n- {id: c}\n"
        "- {id: d, kind: null, regime: unknown, severity: 40 m cards, response: '', nation: yes, color: red}\n"
    )
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"] and list(rows[0]) == list(forecast.COLUMNS)
    for row in rows:
        for when in ("worst", "late"):
            low, middle, high = (float(row[f"{when}_{level}"]) for level in ("p10", "p50", "p90"))
            assert -98 <= low <= middle <= high
    assert float(rows[1]["worst_p50"]) < float(rows[0]["worst_p50"]) < 0


def test_one_case_needs_no_list(ask):
    case = "{ID: a, regime: provider, kind: data}"
    rows = [ask(text, f"{n}.csv") for n, text in enumerate((f"[{case}]", f"cases: {case}".replace("ID", "id"), case))]
    assert rows[0] == rows[1] == rows[2]


def test_outcomes_in_a_file_are_not_read(ask):
    text = "- {id: a, regime: provider, kind: data, peak: %s, late: %s}\n"
    rows = [ask(text % what, f"{n}.csv") for n, what in enumerate((("null", "3"), ("{value: -90}", "[1]")))]
    assert rows[0] == rows[1]


def test_forecasts_are_the_same_again(ask):
    text = "cases: [{id: a, regime: provider, kind: price, self: 1}]"
    assert ask(text, "1.csv") == ask(text, "2.csv")


def test_words_are_read_however_they_are_written_and_other_fields_are_named(ask, capsys):
    plain = ask("cases: [{id: a, regime: provider, kind: data, self: 0.5, harmed: 0.4}]", "1.csv")
    other = ask("- {id: a, Regime: Provider, kind: ' Privacy', self: Partly, harmed: 40%, sector: bank}", "2.csv")
    assert plain == other and "not read, as no attribute has that name: sector" in capsys.readouterr().out


WRONG = {
    "cases: [{id: a, regime: provder}]": "a.regime: 'provder' is not known; did you mean provider?",
    "cases: [{id: a, kind: dta}]": "a.kind: 'dta' is not known; did you mean data?",
    "cases: [{regime: provider}]": "case 1: id is missing",
    "cases: [{id: a}, {id: a}]": "a: two cases have this id",
    "cases: [{id: a, self: 0, self: 1}]": "self is given twice",
    "cases: [{id: a, Self: 0, self: 1}]": "a.self: is given twice",
    "cases: [{id: a, kind: brech}]": "a.kind: 'brech' is not known; did you mean data?",
    "cases: [{id: a, self: 2}]": "a.self: 2 is no share from 0 to 1",
    "cases: [{id: a, harmd: 0.2}]": "a.harmd: unknown; did you mean harmed?",
    "cases: [{id: a, self: 0, harmed: 0.4}]": "harmed is 0.4, yet self is 0",
    "cases: [{id: a, kind: body, self: 0}]": "kind is body, yet self is 0",
    "cases: [3]": "case 1: 3 is not a set of named values",
    "cases: []": "no cases in it",
    "a: 1": "no cases in it",
    "a: [": "cannot be read as YAML",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_file_gets_its_sentence_and_writes_nothing(ask, tmp_path, text, said):
    with pytest.raises(ScenarioError) as error:
        ask(text)
    assert said in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["cases.yaml"]


def test_a_file_that_is_there_is_not_overwritten_and_all_is_said_at_once(ask, tmp_path):
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(ScenarioError) as error:
        ask("cases: [{kind: dta}, {id: a, self: 3}]")
    assert len(error.value.complaints) == 4 and (tmp_path / "out.csv").read_text() == "mine"


def test_the_command_line_answers_with_a_status(tmp_path):
    run = [sys.executable, "-m", "sim", "forecast"]
    done = subprocess.run([*run, "none.yaml", "out.csv"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr == "none.yaml: No such file or directory\n"


# A new scandal


def test_what_is_asked_is_read_and_parted_from_the_run():
    asked = question.asked(
        [
            "market=bank",
            "scandal=new",
            "scandal.kind=privacy",
            "scandal.hurt=maybe",
            "scandal.withdrawn=no",
            "people=9",
        ],
        "provider",
    )
    assert asked.known == {"regime": "provider", "kind": "data", "self": 0.5, "supply": 0.0} and asked.seen is None
    assert asked.others == ["market=bank", "scandal=new", "people=9"]
    assert question.asked(["observed=-2.4", "observed_weeks=0-10"]).seen == -2.4


BAD = {
    "observed=-2.4": "needs observed_weeks as well",
    "observed_weeks=0-10": "needs observed as well",
    "observed=-2.4 observed_weeks=10": "is not the first and the last week",
    "observed=-2.4 observed_weeks=0-50": "is not the first and the last week",
    "observed=-240 observed_weeks=0-10": "is no change in %",
    "observed=much observed_weeks=0-10": "is no change in %",
    "scandal.kind=dta": "did you mean data?",
    "scandal.hrt=1": "scandal.hrt: unknown; did you mean hurt?",
    "scandal.hurt=others scandal.harmed=0.3": "yet hurt is 0",
    "scandal.kind=brech": "did you mean data?",
    "scandal.regime=repertoire": "contradicts market.regime, which is provider",
    "scandal.hurt=0 scandal.self=1": "is given twice",
    "-m": "one question at a time",
    "scandal=new scandal=outage": "scandal=outage: one scandal at a time",
    "scandal.kind=": "scandal.kind: is empty",
    "scandal.hurt=2": "scandal.hurt: 2.0 is no share from 0 to 1",
}


@pytest.mark.parametrize(("words", "said"), BAD.items())
def test_a_question_that_contradicts_itself_gets_its_sentence(words, said):
    with pytest.raises(ScenarioError, match=re.escape(said)):
        question.asked(words.split(), "provider")


def test_draws_have_the_distribution_that_is_foretold_and_their_key():
    for known in (BREACH, HOME):
        worst, late = new_scandal.draws(RULE, known, 400, 1)
        spreads = new_scandal.foretold(RULE, known)
        for drawn, spread in zip((worst, late), spreads, strict=True):
            for u in (0.1, 0.5, 0.9):
                assert np.quantile(drawn, u) == pytest.approx(spread.quantile(u), rel=0.2, abs=0.4)
        again = new_scandal.draws(RULE, known, 400, 1)
        assert worst.tolist() == again[0].tolist() and late.tolist() == again[1].tolist()
        assert worst.tolist() != new_scandal.draws(RULE, known, 400, 2)[0].tolist()


@pytest.fixture(scope="module")
def bank():
    return study.scenario("market=bank", "scandal=new", "people=4000", "weeks=90")


def test_the_simulated_loss_has_the_median_and_spread_of_the_cases(bank):
    drawn = new_scandal.in_market(bank, RULE, BREACH | {"kind": "price", "self": 1.0}, 11)
    assert drawn.beyond == 0 and len(drawn.changes) == 11
    assert np.corrcoef(drawn.worst, drawn.simulated[:, 0])[0, 1] > 0.9
    for u in (0.1, 0.5, 0.9):
        assert np.quantile(drawn.simulated[:, 0], u) == pytest.approx(np.quantile(drawn.worst, u), rel=0.35, abs=0.4)


def test_an_observed_first_stretch_is_what_is_simulated(bank, monkeypatch):
    monkeypatch.setattr(new_scandal, "PEOPLE", {"provider": 6_000})
    drawn = new_scandal.in_market(bank, RULE, BREACH, 5, seen=-6.0)
    assert np.median(drawn.simulated[:, 0]) == pytest.approx(-6, abs=1.5)
    text = question.told(RULE, question.Question(BREACH, -6.0, []), drawn)
    for said in ("national headlines", "no measurable effect", "a gain", "TalkTalk, UK 2015: -2.4 %", "80 % interval"):
        assert said in text


def test_the_file_of_a_report_is_no_part_of_the_market():
    asked = question.asked_of_market(["market=bank", "scandal=new", "report=a.html", "scandal.kind=data"])
    assert asked.others == ["market=bank", "scandal=new", "report=a.html"] and asked.settings == asked.others[:2]


def test_all_that_is_wrong_with_question_and_market_is_said_at_once():
    with pytest.raises(ScenarioError) as error:
        question.asked_of_market(["market=bank", "scandal=new", "scandal.kind=dta", "base=0", "observed=3"])
    assert [c.partition(":")[0] for c in error.value.complaints] == ["scandal.kind", "observed", "base"]


def test_a_firm_that_is_seldom_used_gets_the_cases_only():
    scenario = study.scenario("market=cars_us", "scandal=new", "people=2000")
    drawn, text = question.answer(scenario, question.Question({"regime": "repertoire", "kind": "body"}, None, []))
    assert drawn is None and "simulated in this market" not in text
    buyers = re.search(r"Not simulated: of 30,000 people (\d+) buy", text)
    assert buyers and 0 < int(buyers[1]) < new_scandal.LEAST, text


def test_a_run_that_ends_too_early_is_refused(bank):
    from sim.model.scenario import change

    with pytest.raises(ScenarioError, match="weeks=78"):
        new_scandal.in_market(change(bank, {"weeks": 60}), RULE, BREACH, 3)


def test_the_nearest_cases_are_alike():
    found = question.nearest(BREACH)
    assert {c.attributes["kind"] for c in found} == {"data"} and {c.attributes["regime"] for c in found} == {"provider"}
