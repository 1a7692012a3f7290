"""calibrate, predict and simulate from the command line: what they write, and that nothing of the future leaks."""

import hashlib
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from sim.__main__ import main
from sim.calibration.main import run
from sim.calibration.preset import firm_names
from sim.model.declare import ScenarioError, leaves
from sim.model.scenario import build
from sim.study import worlds
from sim.study.presets import scenario as scenario_of
from tests.calibration.panels import drawn, forecast, market_of, split

pytestmark = pytest.mark.usefixtures("short")


def test_a_market_is_a_preset_with_its_posterior_and_report(made):
    folder, train, _ = made
    files = {p.name for p in (folder / "market").iterdir()}
    assert files == {
        "market.yaml",
        "draws.csv",
        "people.parquet",
        "posterior.parquet",
        "households.parquet",
        "report.txt",
        "fit.png",
        "twin.csv",
        "twin.png",
    }
    preset = yaml.safe_load((folder / "market" / "market.yaml").read_text())
    assert list(preset["firms"]) == train.choice.value_counts().index.tolist()
    preset |= {name: str(folder / "market" / preset[name]) for name in ("population", "posterior")}
    scenario = build(preset)
    assert scenario.consumer.habit_weight > 0.3 and scenario.consumer.feature_weight > 0
    report = (folder / "market" / "report.txt").read_text()
    for said in (
        "numbered, not dated",
        "held out",
        "market share",
        "last brand",
        "Dirichlet",
        "rests on other sources",
    ):
        assert said in report
    people = pd.read_parquet(folder / "market" / "people.parquet")
    assert len(people) == 40 * 40 and set(people["last"]) == {"a", "b", "c"}


def test_chances_are_of_every_row_and_free_runs_of_every_replication(made):
    folder, _, later = made
    chances = forecast("predict", folder, later)
    assert list(chances.columns) == ["hh", "t", "a", "b", "c"]
    assert chances[["hh", "t"]].to_numpy().tolist() == later[["hh", "t"]].to_numpy().tolist()
    p = chances[["a", "b", "c"]].to_numpy()
    assert (p > 0).all() and p.sum(axis=1) == pytest.approx(1, abs=1e-6)
    share = split(drawn(40, 14))[0].choice.value_counts(normalize=True)
    mine = np.log(p[np.arange(len(later)), later.choice.map({"a": 0, "b": 1, "c": 2})]).mean()
    assert mine > np.log(later.choice.map(share)).mean() + 0.1
    paths = forecast("simulate", folder, later, "replications=20")
    assert list(paths.columns) == ["rep", "hh", "t", "choice"]
    assert len(paths) == 20 * len(later) and paths.groupby("rep").size().nunique() == 1
    assert set(paths.choice) == {"a", "b", "c"}


def test_nothing_of_the_future_leaks(made):
    """P12: with the choices from t on permuted, the chances up to t are the same to the last bit; so are free runs."""
    folder, _, later = made
    before = forecast("predict", folder, later, name="asis")
    t = 11
    changed = later.copy()
    future = changed.t >= t
    changed.loc[future, "choice"] = np.random.default_rng(1).permutation(changed.choice[future].to_numpy())
    assert (changed.choice != later.choice).any()
    after = forecast("predict", folder, changed, name="permuted")
    pd.testing.assert_frame_equal(before[before.t <= t], after[after.t <= t], check_exact=True)
    assert not before[before.t > t].equals(after[after.t > t])
    runs = [forecast("simulate", folder, f, "replications=3", name=n) for f, n in ((later, "s1"), (changed, "s2"))]
    pd.testing.assert_frame_equal(*runs, check_exact=True)
    blind = forecast("simulate", folder, later.drop(columns="choice"), "replications=3", name="blind")
    pd.testing.assert_frame_equal(runs[0], blind, check_exact=True)


def test_other_names_of_brands_and_households_permute_the_answer(made, tmp_path):
    """P12: brands renamed and in another order, households numbered otherwise: the same chances to the last digit."""
    folder, train, later = made
    brand, house = {"a": "zeta", "b": "beta", "c": "alpha"}, {f"h{i}": f"x{(17 * i + 3) % 40}" for i in range(40)}

    def renamed(frame):
        moved = frame.rename(columns={f"{k}_{b}": f"{k}_{brand[b]}" for k in ("price", "feat") for b in brand})
        moved = moved[["hh", "t", "choice", *sorted(moved.columns[3:], reverse=True)]]
        return moved.assign(choice=frame.choice.map(brand), hh=frame.hh.map(house)).sort_values(["hh", "t"])

    market_of(renamed(train), tmp_path)
    one = forecast("predict", folder, later, name="names").set_index(["hh", "t"])
    two = forecast("predict", tmp_path, renamed(later)).set_index(["hh", "t"])
    two = two.loc[[(house[hh], t) for hh, t in one.index]]
    assert two[[brand[b] for b in one.columns]].to_numpy() == pytest.approx(one.to_numpy(), abs=1e-6)
    paths = [
        forecast("simulate", f, x, "replications=2", name="paths")
        for f, x in ((folder, later), (tmp_path, renamed(later)))
    ]
    key = {(r, house[hh], t): brand[c] for r, hh, t, c in paths[0].itertuples(index=False)}
    assert {(r, hh, t): c for r, hh, t, c in paths[1].itertuples(index=False)} == key


def test_plausible_worlds_are_draws_of_its_posterior(made):
    folder, _, _ = made
    scenario = scenario_of(f"market={folder / 'market'}")
    found = worlds.plausible(scenario, 100)
    assert "posterior of the market's own panel for" in found.source
    drawn = pd.read_parquet(folder / "market" / "posterior.parquet")
    drawn = drawn[drawn.variant == "simulator"]
    for path, column in (
        ("consumer.price_weight", np.exp(drawn["mean.log_price_weight"])),
        ("consumer.habit_weight", drawn["habit"]),
        ("consumer.feature_weight", drawn["feature"]),
    ):
        values = np.array([world[path] for world in found.worlds])
        own = next(v for p, v, _ in leaves(scenario) if p == path)
        assert abs(values.mean() - own) < 0.5 * values.std(), path
        assert values.std() == pytest.approx(column.std(), rel=0.35), path


def test_rows_of_none_of_the_markets_brands_are_said(made, tmp_path, capsys):
    folder, _, later = made
    later.assign(choice=later.choice.where(later.hh != later.hh.iloc[0], "zebra")).to_csv(
        tmp_path / "z.csv", index=False
    )
    many = int((later.hh == later.hh.iloc[0]).sum())
    arguments = [f"market={folder / 'market'}", f"panel={tmp_path / 'z.csv'}", f"out={tmp_path / 'out.csv'}"]
    assert run("predict", arguments) == 0
    said = capsys.readouterr().err
    assert f"z.csv: {many:,} of {len(later):,} rows name none of the market's brands (" in said


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    folder, train, later = made
    other = market_of(train, tmp_path)
    for name in ("market.yaml", "draws.csv", "people.parquet", "posterior.parquet", "households.parquet", "report.txt"):
        one, two = ((f / name).read_bytes() for f in (folder / "market", other))
        assert hashlib.sha256(one).digest() == hashlib.sha256(two).digest(), name
    forecast("predict", tmp_path, later)
    forecast("predict", folder, later, name="again")
    assert (tmp_path / "later.predict.csv").read_bytes() == (folder / "again.predict.csv").read_bytes()


def test_new_households_are_answered_from_the_population(made):
    """P7, fast: households that were never seen; their repeat rate is far from chance, and learned from as they go."""
    folder, _, _ = made
    new = drawn(150, 14, seed=9).assign(hh=lambda f: "n" + f.hh)
    chances = forecast("predict", folder, new, history=False, name="new")
    p = chances[["a", "b", "c"]].to_numpy()[np.arange(len(new)), new.choice.map({"a": 0, "b": 1, "c": 2})]
    place = new.t.to_numpy()
    assert np.log(p[place >= 7]).mean() > np.log(p[place < 1]).mean() + 0.05
    paths = forecast("simulate", folder, new, "replications=30", history=False, name="newpaths")

    def repeat(frame):
        same = frame.choice.to_numpy()[1:] == frame.choice.to_numpy()[:-1]
        return same[frame.t.to_numpy()[1:] > 0].mean()

    runs = np.array([repeat(g) for _, g in paths.groupby("rep")])  # their spread holds posterior and sampling error
    assert abs(runs.mean() - repeat(new)) < 2.5 * runs.std()


def test_a_brand_that_nobody_had_bought_has_a_small_chance(made):
    folder, train, later = made
    known = forecast("predict", folder, later, name="as_before")
    chances = forecast("predict", folder, later.assign(price_d=1.0, feat_d=0.0), name="one_more")
    assert list(chances.columns) == ["hh", "t", "a", "b", "c", "d"]
    rare = 0.5 / (len(train) + 4)
    assert chances.d.to_numpy() == pytest.approx(rare)
    brands = ["a", "b", "c"]
    assert chances[brands].to_numpy() == pytest.approx((1 - rare) * known[brands].to_numpy(), rel=1e-6)


def test_every_row_has_its_chances_whatever_is_chosen_at_one_time(made):
    folder, _, later = made
    shared = later.assign(t=later.t // 3)
    chances = forecast("predict", folder, shared, name="same_time")
    assert chances[["hh", "t"]].to_numpy().tolist() == shared[["hh", "t"]].to_numpy().tolist()
    trips = forecast("predict", folder, later.rename(columns={"t": "trip"}), name="trips")
    assert trips.t.tolist() == later.t.tolist()


def test_a_customer_0_is_somebody_in_a_part_of_a_panel(made):
    """Customer 1 has nothing held out, as one of few purchases; that does not make 0 a number for guests."""
    folder, _, later = made
    numbered = later.assign(hh=later.hh.str[1:].astype(int))
    chances = forecast("predict", folder, numbered[numbered.hh != 1], name="zero")
    assert 0 in set(chances.hh) and len(chances) == (numbered.hh != 1).sum()


def test_without_habit_people_repeat_less(made):
    """P8, fast: one switch."""
    folder, _, later = made

    def repeats(*more, name):
        paths = forecast("simulate", folder, later, "replications=40", *more, name=name)
        y = paths.choice.to_numpy()
        later_ones = (paths.hh.to_numpy()[1:] == paths.hh.to_numpy()[:-1]) & (
            paths.rep.to_numpy()[1:] == paths.rep.to_numpy()[:-1]
        )
        return (y[1:] == y[:-1])[later_ones].mean()

    assert repeats(name="on") > repeats("mechanisms.habit=false", name="off") + 0.03


def test_what_is_wrong_is_said_at_once_and_nothing_is_written(made, tmp_path, capsys):
    folder, _, later = made
    with pytest.raises(ScenarioError) as error:
        run("calibrate", ["panle=x", f"out={folder / 'market'}", "seed=-1", "time=month", "panel.tpo=3"])
    said = "\n".join(error.value.complaints)
    for part in ("did you mean panel", "not empty", "seed: '-1'", "time: 'month'", "panel.tpo", "panel: missing"):
        assert part in said
    with pytest.raises(ScenarioError, match="make it with `calibrate`"):
        run("predict", [f"market={tmp_path}", "panel=x", f"out={tmp_path / 'o.csv'}"])
    later.drop(columns=[c for c in later if c.startswith("price")]).to_csv(tmp_path / "bare.csv", index=False)
    with pytest.raises(ScenarioError, match="lacks price_"):
        run("predict", [f"market={folder / 'market'}", f"panel={tmp_path / 'bare.csv'}", f"out={tmp_path / 'o.csv'}"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bare.csv"]


def test_names_of_brands_become_names_of_firms():
    assert firm_names(["Coca-Cola", "coca cola", "7 Up", "£", "Ünïted", "price_weight"]) == (
        *("coca_cola", "coca_cola_2", "brand_7_up", "brand_4", "united", "price_weight_2"),
    )


def test_the_commands_are_on_the_command_line(monkeypatch, capsys):
    for command in ("calibrate", "predict", "simulate"):
        monkeypatch.setattr("sys.argv", ["stickiness", command])
        assert main() == 2
        assert f"{command} " in capsys.readouterr().err


def test_it_stops_when_asked_to_and_leaves_nothing(tmp_path):
    drawn(60, 20).to_csv(tmp_path / "p.csv", index=False)
    line = [
        sys.executable,
        "-m",
        "sim",
        "calibrate",
        f"panel={tmp_path / 'p.csv'}",
        f"out={tmp_path / 'deep' / 'market'}",
    ]
    with subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "choosing the form" not in (said := process.stderr.readline()):
            assert said, "it ended before it began"
        process.send_signal(signal.SIGTERM)  # SIGINT is ignored where tests run in the background
        rest = process.stderr.read()
    assert process.returncode == 128 + signal.SIGTERM and "Traceback" not in rest and "stopped" in rest
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]
