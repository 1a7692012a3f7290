"""Panels of customers with one provider at a time become markets of providers, which behave as what they came from."""

import numpy as np
import pandas as pd
import pytest

from sim.__main__ import complaints
from sim.calibration import provider_fit, settings
from sim.calibration.histories import Histories, histories_of
from sim.calibration.main import run
from sim.calibration.market import calibrate
from sim.calibration.provider_figures import MOVES, of_firms, of_market, retention
from sim.calibration.provider_market import changed, observe, with_firms
from sim.engine.loop import simulate
from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.panel import PanelError, read
from sim.study.presets import scenario, uncalibrated
from sim.study.twins import with_and_without_events
from sim.study.worlds import plausible
from tests.calibration.panels import FEW
from tests.calibration.test_histories import table

SHARE, LEAVE = np.array([0.5, 0.3, 0.2]), np.array([0.010, 0.016, 0.022])
TO = np.array([[0, 0.7, 0.3], [0.8, 0, 0.2], [0.75, 0.25, 0]])


def hazards(people, months, shape=0.8, seed=1, past=120):
    """A panel by no rule of the simulator: gamma hazards of leaving, and where each firm's customers go."""
    rng = np.random.default_rng(seed)
    own, last = rng.gamma(shape, 1 / shape, people), rng.choice(3, people, p=SHARE)
    y = np.empty((people, months), np.int8)
    for month in range(-past, months):
        goes = rng.random(people) < -np.expm1(-LEAVE[last] * own)
        last = np.where(goes, (rng.random(people)[:, None] > TO[last].cumsum(axis=1)).sum(axis=1), last)
        if month >= 0:
            y[:, month] = last
    return y


def histories_of_array(y):
    many = np.arange(len(y))
    return Histories(("A", "B", "C"), y, np.full(len(y), -1, np.int32), 52 / 12, many % 100, many)


def made_of(frame, folder, *more):
    frame.to_csv(folder / "train.csv", index=False)
    run("calibrate", [f"panel={folder / 'train.csv'}", f"out={folder / 'market'}", "like=mobile", *more])
    return folder / "market"


@pytest.fixture(scope="module")
def frame():
    return table(hazards(700, 30))


@pytest.fixture(scope="module")
def market(frame, tmp_path_factory):
    """A market of 24 months of a panel of 30; made once, small."""
    before = dict(settings.settings()["provider"])
    settings.settings()["provider"].update(FEW)
    folder = made_of(frame[frame.month < "2022-01-01"], tmp_path_factory.mktemp("providers"))
    settings.settings()["provider"].update(before)
    return folder


def test_a_panel_of_providers_becomes_a_market_that_answers(market):
    files = {p.name for p in market.iterdir()}
    assert files == {
        *("market.yaml", "posterior.parquet", "leaving.parquet", "joining.parquet", "report.txt"),
        *("fit.png", "twin.csv", "twin.png", "draws.csv"),
    }
    asked = scenario(f"market={market}", "scandal=data_breach", "people=500", "weeks=80")
    assert asked.market.regime == "provider" and list(asked.firms) == ["a", "b", "c"] and asked.focus == "a"
    flow = simulate(asked).tally.flow.sum(axis=(0, 1, 2))[:, 1:].sum(axis=0)
    assert flow / flow.sum() == pytest.approx(SHARE, abs=0.1)
    assert with_and_without_events(asked) is not None
    found = plausible(change(asked, {"scandals.data_breach": None}), 60)
    drawn = pd.read_parquet(market / "posterior.parquet")
    points = drawn["consumer.uncertainty"].to_numpy()
    assert all(np.isclose(points, w["consumer.uncertainty"], rtol=1e-5).any() for w in found.worlds)
    assert len({w["consumer.attention"] for w in found.worlds}) > 5
    report = (market / "report.txt").read_text(encoding="utf-8")
    for words in ("held out", "nobody moved", "prices: all are 1", "cost of leaving", "Nobody is seen to leave all"):
        assert words in report
    assert "from literature" in asked.title


def test_it_behaves_as_the_population_that_the_panel_came_from(market, frame, tmp_path):
    """Moves, retention, shares, churn and HHI within four errors of the panel, of a generator that is not ours."""
    frame.to_csv(tmp_path / "p.csv", index=False)
    h, _ = histories_of(read(tmp_path / "p.csv"), 10_000)
    preset = scenario(f"market={market}")
    twin = observe(preset, h, 20_000, 5)
    truth = histories_of_array(hazards(20_000, 30, seed=9))
    for of in (of_firms, of_market):
        mine, true, panel = of(twin), of(truth), of(h)
        for name in ("share", "churn") if of is of_firms else (MOVES, "ever moved"):
            away = np.abs(mine[name].value() - true[name].value())
            assert (away < 4 * panel[name].error()).all(), name
    (mine, _, _), (true, _, _), (_, error, _) = retention(twin), retention(truth), retention(h)
    for months in (6, 12, 18):
        assert abs(mine[months - 1] - true[months - 1]) < 4 * error[months - 1], months
    shares = [of_firms(one)["share"].value() for one in (twin, truth)]
    assert shares[0] @ shares[0] == pytest.approx(shares[1] @ shares[1], abs=0.03)


def test_the_market_of_a_simulated_panel_moves_as_often_and_as_unevenly(monkeypatch):
    """Recovery on a market of this simulator: attention, and how uneven it is, within the posterior."""
    for name, value in {**FEW, "points": 100}.items():
        monkeypatch.setitem(settings.settings()["provider"], name, value)
    names, numbers = ("a", "b", "c"), {"consumer.attention": 0.02, "market.attention_concentration": 30.0}
    truth = changed(with_firms(uncalibrated("market=bank"), names, SHARE, None), numbers)
    like = histories_of_array(hazards(50, 30))
    h = observe(truth, like, 1_500, 3)
    found = provider_fit.fit(h, None, names, 1, "bank", lambda what, part: None)
    twin, panel = of_market(observe(found.market, h, 10_000, 4)), of_market(h)
    for name in (MOVES, "ever moved", "moved twice"):
        assert abs(twin[name].value() - panel[name].value()) < 4 * panel[name].error(), name
    row = found.posterior.table.set_index("path").loc["market.attention_concentration"]
    assert row.narrowed > 0.2 and row.p10 / 2 < 30.0 < row.p90 * 2


def forecast(command, market, frame, folder, *more, name="out", history=None):
    for file, part in (("history", history), ("later", frame)):
        if part is not None:
            part.to_csv(folder / f"{file}.csv", index=False)
    words = [f"market={market}", f"history={folder / 'history.csv'}", f"panel={folder / 'later.csv'}"]
    assert run(command, [*words, f"out={folder / name}.csv", *more]) == 0
    return pd.read_csv(folder / f"{name}.csv")


def test_chances_follow_what_customers_did(market, frame, tmp_path):
    past, later = frame[frame.month < "2022-01-01"], frame[frame.month >= "2022-01-01"]
    found = forecast("predict", market, later, tmp_path, history=past)
    p = found[["A", "B", "C"]].to_numpy()
    assert found[["hh", "t"]].to_numpy().tolist() == later[["customer", "month"]].to_numpy().tolist()
    assert (p > 0).all() and p.sum(axis=1) == pytest.approx(1, abs=1e-6)
    moved = past.assign(was=past.groupby("customer").provider.shift()).query("was == was and was != provider")
    often = moved.customer.value_counts()
    first = found.t == found.t.min()
    stays = found[first].set_index("hh")[["A", "B", "C"]].max(axis=1)
    known = often.reindex(stays.index, fill_value=0)
    assert stays[known == 0].mean() > stays[known == 1].mean() > stays[known >= 2].mean()
    chosen = p[np.arange(len(later)), later.provider.map({"A": 0, "B": 1, "C": 2})]
    assert 0.9 < chosen.mean() < 1


def test_only_what_came_before_counts_and_free_runs_do_not_read_the_file(market, frame, tmp_path):
    past, later = frame[frame.month < "2022-01-01"], frame[frame.month >= "2022-01-01"]
    cut = "2022-04-01"
    other = later.assign(
        provider=np.where(later.month >= cut, later.provider.map(dict(zip("ABC", "BCA", strict=True))), later.provider)
    )
    one = forecast("predict", market, later, tmp_path, history=past)
    two = forecast("predict", market, other, tmp_path, name="two")
    pd.testing.assert_frame_equal(one[one.t <= cut], two[two.t <= cut], check_exact=True)
    assert not one[one.t > cut].equals(two[two.t > cut])
    runs = [
        forecast("simulate", market, f, tmp_path, "replications=4", name=n) for f, n in ((later, "s1"), (other, "s2"))
    ]
    pd.testing.assert_frame_equal(*runs, check_exact=True)
    assert len(runs[0]) == 4 * len(later) and set(runs[0].choice) <= set("ABC")
    mixed = later.sample(frac=1.0, random_state=1)
    again = forecast("simulate", market, mixed, tmp_path, "replications=4", name="s3")
    keys = ["rep", "hh", "t"]
    pd.testing.assert_frame_equal(
        again.sort_values(keys, ignore_index=True), runs[0].sort_values(keys, ignore_index=True)
    )
    change = runs[0].sort_values(keys).groupby(["rep", "hh"]).choice.nunique().gt(1).mean()
    seen = later.groupby("customer").provider.nunique().gt(1).mean()
    assert change == pytest.approx(seen, abs=0.05)


def test_years_spells_and_prices(short, undrawn, tmp_path):
    y = hazards(400, 4 * 12)[:, ::12]
    years = pd.DataFrame(
        [(f"c{i}", 2015 + m, "ABC"[y[i, m]], (10, 12, 9)[y[i, m]]) for i in range(len(y)) for m in range(y.shape[1])],
        columns=["customer", "year", "provider", "price"],
    )
    folder = made_of(years, tmp_path)
    preset = scenario(f"market={folder}")
    assert preset.firms["b"].price / preset.firms["a"].price == pytest.approx(1.2, rel=1e-3)
    assert "taken for 52 weeks" in (folder / "report.txt").read_text(encoding="utf-8")
    assert "prices, shares" in preset.title
    h, _ = histories_of(read(tmp_path / "train.csv"), 10_000)
    assert h.periods == 4 and h.weeks == 52


def test_the_nearest_preset_is_begun_from(short, monkeypatch, tmp_path):
    monkeypatch.setattr(provider_fit, "provider_presets", lambda: ["bank", "energy_nl"])
    h = histories_of_array(hazards(400, 24))
    found = provider_fit.fit(h, None, ("a", "b", "c"), 1, "", lambda what, part: None)
    assert set(found.misses) == {"bank", "energy_nl"} and found.preset == min(found.misses, key=found.misses.get)


def test_what_cannot_be_a_market_gets_its_sentence(short, tmp_path):
    still = lambda what, part: None  # noqa: E731
    quiet = np.tile(np.arange(3)[:, None], (40, 12)).astype(np.int8)
    table(quiet).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(PanelError, match="0 went to another provider; at least 20 moves"):
        calibrate(read(tmp_path / "p.csv"), still)
    table(hazards(300, 24)).to_csv(tmp_path / "q.csv", index=False)
    with pytest.raises(ScenarioError, match="like: 'moble' is no market of providers; did you mean mobile"):
        calibrate(read(tmp_path / "q.csv"), still, like="moble")
    bought = pd.DataFrame(
        [(i, t, "xy"[(i + t) % 2]) for i in range(9) for t in range(5)], columns=["hh", "t", "choice"]
    )
    bought.to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(PanelError, match="like: is for providers"):
        calibrate(read(tmp_path / "r.csv", ordered=True), still, like="mobile")


def test_a_churn_table_says_what_is_needed(tmp_path):
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"customerID": [f"c{i}" for i in range(50)], "tenure": rng.integers(1, 72, 50)})
    rows["Churn"] = np.where(rng.random(50) < 0.3, "Yes", "No")
    rows.to_csv(tmp_path / "churn.csv", index=False)
    with pytest.raises(PanelError) as error:
        run("calibrate", [f"panel={tmp_path / 'churn.csv'}", f"out={tmp_path / 'market'}"])
    (said,) = complaints(error.value)
    assert f"{100 * (rows.Churn == 'Yes').mean():.1f} % left" in said and "customer, provider, start, end" in said
    assert not (tmp_path / "market").exists()


def test_habit_is_no_mechanism_of_its_own_here(market, frame, tmp_path):
    frame.to_csv(tmp_path / "later.csv", index=False)
    words = [f"market={market}", f"panel={tmp_path / 'later.csv'}", f"out={tmp_path / 'x.csv'}"]
    with pytest.raises(ScenarioError, match=r"mechanisms\.habit: is for markets of purchases"):
        run("predict", [*words, "mechanisms.habit=false"])
