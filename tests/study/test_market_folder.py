"""A market of one's own, chosen by the folder it lies in, answers what any market does."""

import sys

import pandas as pd
import pytest

from sim import __main__ as cli
from sim import study
from sim.engine.loop import simulate
from sim.measure import estimates, metrics
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.study.presets import presets, scenario, uncalibrated
from sim.study.simulation import simulate as simulate_solved
from sim.study.store import load

MARKET = """\
title: Mine
focus: a
people: 300
weeks: 30
burn_in: 2
window: 10
calendar: prices.csv
population: deep/people.parquet
market: {taste_law: normal, price_weight_sd: 0.3}
taste_covariance: {a: {a: 1.0, b: 0.3}, b: {b: 1.0}}
firms:
  a: {presence: 0.5, price: 1.1}
  b: {presence: 0.3}
  c: {presence: 0.2}
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with a market, below the present one."""
    folder = tmp_path / "out" / "mine"
    (folder / "deep").mkdir(parents=True)
    (folder / "market.yaml").write_text(MARKET)
    pd.DataFrame({"week": [0, 5], "firm": "a", "price": [1.2, 1.0]}).to_csv(folder / "prices.csv", index=False)
    people = pd.DataFrame({"taste.a": [0.0, 1.0], "taste.b": [0.5, -0.5], "taste.c": [0.0, 0.0], "last": ["a", "b"]})
    people.to_parquet(folder / "deep" / "people.parquet")
    monkeypatch.chdir(tmp_path)
    return folder


def command(monkeypatch, capsys, *arguments):
    """Exit status and what is printed."""
    monkeypatch.setattr(sys, "argv", ["stickiness", *arguments])
    status = cli.main()
    return status, capsys.readouterr()


@pytest.mark.parametrize("place", ["out/mine", "./out/mine", "out/mine/market.yaml", "{}"])
def test_a_folder_or_its_file_is_a_market(mine, place):
    found = scenario(f"market={place.format(mine)}")
    assert (found.title, list(found.firms)) == ("Mine", ["a", "b", "c"])
    assert found.calendar == str(mine / "prices.csv") and found.population == str(mine / "deep" / "people.parquet")
    assert len(found.calendar_sha256) == len(found.population_sha256) == 64


def test_a_folder_beside_one_is_found_by_its_name_unless_a_preset_has_it(mine, monkeypatch):
    monkeypatch.chdir(mine.parent)
    assert scenario("market=mine").title == "Mine"
    mine.rename(mine.parent / "bank")
    assert uncalibrated("market=bank").title == "Bank accounts"
    assert scenario("market=./bank").title == "Mine"


@pytest.mark.parametrize(
    "overrides",
    [
        ["scandal=data_breach", "scandals.data_breach.week=4"],
        ["lever=price_cut", "moves.price.week=6"],
        ["firms.b.price=1.5", "firms.b.feature=1", "consumer.feature_weight=1"],
        ["+firm@firms.new=standard", "firms.new.presence=0.3"],
        ["~firms.c"],
        ["calendar=''", "population=''"],
    ],
    ids=lambda o: o[0],
)
def test_it_answers_every_question(mine, overrides):
    run = simulate(scenario("market=out/mine", *overrides))
    plain = simulate(scenario("market=out/mine"))
    assert run.tally.flow.shape != plain.tally.flow.shape or (run.tally.flow != plain.tally.flow).any()


def test_the_command_line_runs_it_and_keeps_a_run_that_says_which_files(mine, monkeypatch, capsys):
    status, said = command(monkeypatch, capsys, "market=out/mine", "hydra.run.dir=done")
    assert status == 0 and "Mine: 300 people" in said.out
    kept = load("done/run.parquet")
    here = scenario("market=out/mine")
    assert kept.scenario == here and (kept.tally.flow == simulate(here).tally.flow).all()


def test_sweeps_on_the_command_line_and_in_python(mine, monkeypatch, capsys):
    arguments = ["-m", "market=out/mine,mine2", "firms.b.price=0.8,1.2", "hydra.sweep.dir=swept"]
    status, said = command(monkeypatch, capsys, *arguments)
    assert status == 2 and "market: 'mine2' is no preset" in said.err
    status, said = command(monkeypatch, capsys, "-m", "market=out/mine", *arguments[2:])
    assert status == 0
    prices = [load(f"swept/{n}/run.parquet").scenario.firms["b"].price for n in (0, 1)]
    assert prices == [0.8, 1.2]
    table = study.run(scenario("market=out/mine"), {"market.price_weight_sd": [0.0, 1.0]}, quiet=True)
    assert len(table) == 2 and not table.error.astype(str).str.strip().any()


@pytest.mark.parametrize("place", ["out/mini", "mini", "/nowhere/at/all", "out", "out/mine/prices.csv"])
def test_a_wrong_place_is_one_sentence_with_what_there_is(mine, place, monkeypatch, capsys):
    status, said = command(monkeypatch, capsys, f"market={place}")
    assert status == 2 and said.err.count("\n") == 1 and f"market: {place!r} is no preset" in said.err
    assert ", ".join(presets("market")) in said.err
    assert ("no folder with a market.yaml" in said.err) == ("/" in place)


def test_what_is_wrong_in_it_is_said_with_its_place(mine, monkeypatch, capsys):
    (mine / "market.yaml").write_text(MARKET + "people: [\n")
    assert "out/mine/market.yaml, line" in command(monkeypatch, capsys, "market=out/mine")[1].err
    (mine / "market.yaml").write_text(MARKET.replace("deep/people", "deep/peopel"))
    status, said = command(monkeypatch, capsys, "market=out/mine", "people=-1")
    assert status == 2 and said.err.startswith("2 things are wrong") and "peopel.parquet: No such file" in said.err
    (mine / "market.yaml").write_text(MARKET + "hydra: {run: {dir: x}}\n")
    assert "which only the command line may" in command(monkeypatch, capsys, "market=out/mine")[1].err


def test_shares_that_it_states_are_solved(mine, monkeypatch):
    from sim.study import calibrate_shares, presence_store

    monkeypatch.setattr(calibrate_shares, "SIZES", (40_000,))
    monkeypatch.setattr(presence_store, "folder", lambda: None)
    (mine / "market.yaml").write_text(MARKET.replace("presence: 0.5", "share: 0.45"))
    found = scenario("market=out/mine")
    assert found.firms["a"].share is None
    reference = change(uncalibrated("market=out/mine"), {"people": 40_000, "calendar": ""})
    run = simulate_solved(reference)
    found = metrics.with_presence(
        estimates.estimate(metrics.share, estimates.pooled(run.tally)), list("abc"), run.shares
    )
    assert abs(found.value[0] - 0.45) < 3 * found.error[0] < 0.03
    with pytest.raises(ScenarioError, match="taste_covariance"):
        scenario("market=out/mine", "market.taste_law=log_gamma")
