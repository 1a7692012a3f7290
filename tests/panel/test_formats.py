"""A simulated panel in the shapes that other packages read: loaded by them where they are installed."""

import numpy as np
import pandas as pd
import pytest

from sim import panel
from sim.__main__ import main
from sim.model.scenario import change
from sim.panel.sample import main as sample_main
from tests.markets import market


@pytest.fixture(scope="module")
def done():
    base = market({"people": 200, "weeks": 40, "window": 40})
    scenario = change(base, {"firms.f1.price": 0.8, "firms.f2.price": 1.25})
    return scenario, panel.simulated(scenario)


def test_the_people_of_a_panel_are_told_beside_it(done):
    scenario, (bought, people) = done
    assert people.hh.tolist() == list(range(200)) and set(bought.hh) <= set(people.hh)
    assert set(people.segment) == set(scenario.segments)
    uses = bought.groupby("hh").size().reindex(people.hh, fill_value=0).to_numpy()
    assert np.corrcoef(uses, people.rate)[0, 1] > 0.8
    tastes = people[[f"taste.{f}" for f in scenario.firms]].to_numpy()
    code = {f: j for j, f in enumerate(scenario.firms)}
    chosen = tastes[bought.hh, bought.choice.map(code)]
    assert chosen.mean() > tastes[bought.hh].mean() + 0.5, "people use what they like"
    pd.testing.assert_frame_equal(people, panel.simulated(scenario).people)


def test_own_price_weights_are_told(done):
    scenario = market({"people": 300, "weeks": 4, "window": 4, "market": {"price_weight_sd": 0.5}})
    people = panel.simulated(scenario).people
    assert np.log(people.price_weight).groupby(people.segment).std().mean() == pytest.approx(0.5, abs=0.08)


def test_long_and_wide_hold_the_same_choices(done):
    _, (bought, _) = done
    long, wide = panel.shaped(bought, "long"), panel.shaped(bought, "wide")
    firms = [c.removeprefix("price_") for c in bought if c.startswith("price_")]
    assert len(long) == len(bought) * len(firms) and (long.groupby("obs_id").choice.sum() == 1).all()
    assert long.alt[long.choice == 1].tolist() == bought.choice.tolist()
    assert [firms[k - 1] for k in wide.choice] == bought.choice.tolist()
    assert all(kind.kind in "iuf" for kind in wide.dtypes)
    assert (long.price[long.alt == "f1"] == 0.8).all() and (wide.price_f2 == 1.25).all()


def test_a_long_file_is_read_as_the_panel_it_comes_from(done, tmp_path):
    scenario, (bought, _) = done
    kept = panel.read(panel.export(scenario, tmp_path / "long.csv", format="long"))
    assert len(kept.hh) == len(bought) and kept.ordered and kept.prices is not None
    whole = panel.read(panel.export(bought, tmp_path / "panel.csv"))
    assert [kept.brands[j] for j in kept.y] == [whole.brands[j] for j in whole.y]


def test_an_export_names_everything_that_is_wrong(done, tmp_path):
    scenario, (bought, _) = done
    with pytest.raises(panel.PanelError, match=r"'lnog' is none of panel .*biogeme.*\n?.*f9.*no firm") as error:
        panel.export(scenario, tmp_path / "x.csv", format="lnog", firm="f9")
    assert len(error.value.complaints) == 2
    with pytest.raises(panel.PanelError, match="customers of one firm"):
        panel.shaped(bought, "rfm")
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(panel.PanelError, match="nothing is overwritten"):
        panel.export(scenario, tmp_path / "x.csv", truth=tmp_path / "t.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"] and (tmp_path / "t.csv").read_text() == "mine"


def test_the_command_writes_both_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = "sample m.csv format=long truth=t.csv market=bank people=30 weeks=6 window=6 burn_in=4"
    monkeypatch.setattr("sys.argv", ["stickiness", *words.split()])
    assert main() == 0 and "t.csv" in capsys.readouterr().out
    assert list(pd.read_csv("m.csv")) == ["obs_id", "hh", "t", "alt", "choice", "price"]
    assert len(pd.read_csv("t.csv")) == 30
    assert main() == 2 and len(capsys.readouterr().err.splitlines()) == 3, "both files are there already"


# ---------------------------------------------------------------- the packages themselves


def test_lifetimes_makes_the_same_summary_of_the_transactions(done):
    utils = pytest.importorskip("lifetimes.utils", reason="lifetimes is not installed")
    scenario, (bought, _) = done
    dated = panel.shaped(bought, "transactions").query("firm == 'f0'")
    assert len(dated) > 100
    end = pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=scenario.weeks - 1)
    theirs = utils.summary_data_from_transaction_data(
        *(dated, "customer_id", "date", "monetary_value"), observation_period_end=end, freq="W"
    )
    ours = panel.shaped(bought, "rfm", "f0", scenario.weeks).set_index("customer_id")
    pd.testing.assert_frame_equal(ours.astype(float), theirs.astype(float), check_names=False)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_lifetimes_fits_the_summary(done):
    lifetimes = pytest.importorskip("lifetimes", reason="lifetimes is not installed")
    scenario, (bought, _) = done
    table = panel.shaped(bought, "rfm", "f0", scenario.weeks)
    fitter = lifetimes.BetaGeoFitter(penalizer_coef=0.1)
    fitter.fit(table.frequency, table.recency, table["T"])
    assert np.isfinite(fitter.params_).all() and (fitter.params_ > 0).all()


def test_pymc_marketing_makes_the_same_summary(done):
    utils = pytest.importorskip("pymc_marketing.clv.utils", reason="PyMC-Marketing is not installed")
    scenario, (bought, _) = done
    dated = panel.shaped(bought, "transactions").query("firm == 'f0'")
    end = pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=scenario.weeks - 1)
    theirs = utils.rfm_summary(
        *(dated, "customer_id", "date", "monetary_value"), observation_period_end=end, time_unit="W"
    ).set_index("customer_id")
    ours = panel.shaped(bought, "rfm", "f0", scenario.weeks).set_index("customer_id")
    pd.testing.assert_frame_equal(ours.astype(float), theirs[list(ours)].astype(float), check_names=False)


def test_xlogit_fits_the_long_table(done):
    xlogit = pytest.importorskip("xlogit", reason="xlogit is not installed")
    _, (bought, _) = done
    long = panel.shaped(bought, "long")
    long["own"] = (long.alt == "f0").astype(float)
    model = xlogit.MultinomialLogit()
    model.fit(X=long[["own"]], y=long.choice, varnames=["own"], alts=long.alt, ids=long.obs_id, verbose=0)
    share, others = (bought.choice == "f0").mean(), len(set(long.alt)) - 1
    assert model.coeff_[0] == pytest.approx(np.log(share * others / (1 - share)), abs=0.01)


@pytest.mark.parametrize(("given", "weeks"), [([], 104), (["weeks=60"], 60)])
def test_a_sampled_summary_is_of_the_weeks_that_were_simulated(given, weeks, tmp_path, capsys):
    market_weeks = ["firms.lloyds.quality=0", "people=60", "burn_in=4", *given]  # market=bank has 260 weeks
    for name, rest in (("rfm", ["format=rfm"]), ("panel", [])):
        assert sample_main([str(tmp_path / f"{name}.csv"), "market=bank", "firm=lloyds", *market_weeks, *rest]) == 0
    assert "a row a customer of lloyds" in capsys.readouterr().out
    summary = pd.read_csv(tmp_path / "rfm.csv").set_index("customer_id")
    first = pd.read_csv(tmp_path / "panel.csv").query("choice == 'lloyds'").groupby("hh").t.min()
    assert (summary["T"] == weeks - 1 - first).all() and (summary.recency <= summary["T"]).all()


def test_biogeme_fits_the_wide_table(done, tmp_path, monkeypatch):
    whole = pytest.importorskip("biogeme.biogeme", reason="biogeme is not installed")
    database = pytest.importorskip("biogeme.database", reason="biogeme is not installed")
    expressions = pytest.importorskip("biogeme.expressions", reason="biogeme is not installed")
    BIOGEME, Database, Beta, Variable = whole.BIOGEME, database.Database, expressions.Beta, expressions.Variable
    loglogit = pytest.importorskip("biogeme.models", reason="biogeme is not installed").loglogit
    monkeypatch.chdir(tmp_path)
    _, (bought, _) = done
    wide = panel.shaped(bought, "wide")
    many = sum(c.startswith("price_") for c in wide)
    own = Beta("own", 0, None, None, 0)
    utilities = {k: own if k == 1 else own * 0 for k in range(1, many + 1)}
    chance = loglogit(utilities, dict.fromkeys(utilities, 1), Variable("choice"))
    try:
        model = BIOGEME(Database("wide", wide), chance, generate_html=False, generate_yaml=False)
    except ValueError as error:  # biogeme 3.3.2 writes comments of several lines, which tomlkit 0.13.3 refuses
        pytest.skip(f"this biogeme does not run with the tomlkit that is installed: {error}")
    model.model_name = "wide"
    found = model.estimate().get_beta_values()["own"]
    share = (wide.choice == 1).mean()
    assert found == pytest.approx(np.log(share * (many - 1) / (1 - share)), abs=0.01)


def test_choice_learn_reads_the_long_table(done):
    data = pytest.importorskip("choice_learn.data", reason="choice-learn is not installed")
    _, (bought, _) = done
    long = panel.shaped(bought, "long")
    read = data.ChoiceDataset.from_single_long_df(
        df=long,
        items_features_columns=["price"],
        items_id_column="alt",
        choices_id_column="obs_id",
        choices_column="choice",
        choice_format="one_zero",
    )
    assert len(read) == len(bought)
    order = sorted(set(long.alt))
    assert [order[k] for k in read.choices] == bought.choice.tolist()
