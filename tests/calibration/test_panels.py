"""Panels of every kind get their market, or the sentence that says why not."""

import numpy as np
import pandas as pd
import pytest
import yaml

from sim.calibration.market import calibrate, write
from sim.panel import PanelError, read
from tests.calibration.panels import drawn, forecast, market_of, split

pytestmark = pytest.mark.usefixtures("short", "undrawn")


def still(what, done):
    """No progress is shown."""


def done_of(frame, folder, unit=None, **options):
    frame.to_csv(folder / "p.csv", index=False)
    done = calibrate(read(folder / "p.csv", **options), still, unit=unit)
    out = folder / "out"
    out.mkdir()
    write(done, out)
    return done, (out / "report.txt").read_text(), yaml.safe_load((out / "market.yaml").read_text())


def test_nothing_repeats(tmp_path):
    frame = drawn(40, 1)
    with pytest.raises(PanelError, match="no household bought twice"):
        done_of(frame, tmp_path, ordered=True)


def test_one_brand_text_for_numbers_and_an_order_that_is_none(tmp_path):
    frame = drawn(10, 8)
    with pytest.raises(PanelError, match="only one brand"):
        done_of(frame.assign(choice="a")[["hh", "t", "choice"]], tmp_path)
    with pytest.raises(PanelError, match="is not a number"):
        done_of(frame.assign(price_a="cheap"), tmp_path)
    with pytest.raises(PanelError, match="not in the order of purchase"):
        done_of(frame, tmp_path, ordered=False)


def test_customers_of_one_provider_at_a_time(tmp_path):
    months = pd.date_range("2020-01-01", periods=12, freq="MS")
    rows = [(i, m, "ab"[(i + (k > 6) * (i % 5 == 0)) % 2]) for i in range(60) for k, m in enumerate(months)]
    with pytest.raises(PanelError, match=r"12 went to another provider; at least 20 moves.*market=mobile"):
        done_of(pd.DataFrame(rows, columns=["customer", "month", "provider"]), tmp_path)


def test_without_prices_price_is_not_told(tmp_path):
    frame = drawn(30, 10)[["hh", "t", "choice"]]
    _, report, preset = done_of(frame, tmp_path)
    assert "What price does is not in this panel" in report and "price_weight" not in preset["consumer"]
    assert "price" not in preset["firms"]["a"]


def test_constant_prices_and_promotions_tell_nothing(tmp_path):
    frame = drawn(30, 10).assign(price_a=1.0, price_b=1.2, price_c=0.8, feat_a=0, feat_b=0, feat_c=0)
    done, report, preset = done_of(frame, tmp_path)
    assert done.fitted.posterior.terms.mean_price is None and not done.fitted.posterior.terms.feature
    assert "There are no features and no displays" in report and "feature_weight" not in preset["consumer"]


def test_promotions_that_come_together_cannot_be_told_apart(tmp_path):
    frame = drawn(30, 10)
    frame = frame.assign(**{f"disp_{b}": frame[f"feat_{b}"] for b in "abc"})
    _, report, _ = done_of(frame, tmp_path)
    assert "their weights cannot be told apart" in report


def test_many_brands_few_purchases_and_households_that_bought_once(tmp_path):
    rng = np.random.default_rng(2)
    sizes = rng.choice([1, 1, 3, 5], 60)
    brands = [f"brand {j}" for j in range(12)]
    rows = [(i, t, brands[min(11, int(rng.exponential(3)))]) for i, n in enumerate(sizes) for t in range(n)]
    frame = pd.DataFrame(rows, columns=["hh", "t", "choice"])
    frame = frame.assign(**{f"price_{b}": rng.uniform(0.5, 2, len(frame)).round(2) for b in brands})
    done, report, preset = done_of(frame, tmp_path)
    used = frame.choice.nunique()
    assert len(preset["firms"]) == used and "bought once" in report and "hardly known" in report
    assert "brand_0" in preset["firms"] and np.isfinite(done.fitted.posterior.draws["simulator"].theta).all()


def test_a_household_with_very_many_purchases(tmp_path):
    frame = drawn(20, 10)
    many = 100_000
    rng = np.random.default_rng(3)
    heavy = pd.DataFrame({"hh": "big", "t": np.arange(many), "choice": rng.choice(list("aab"), many)})
    heavy = heavy.assign(**{c: rng.choice([0.9, 1.1], many) if c.startswith("price") else 0 for c in frame.columns[3:]})
    done, report, _ = done_of(pd.concat([frame, heavy]), tmp_path)
    assert "the last 1,000 purchases are used" in report
    assert np.diff(done.choices.start).max() == 1000


def test_dates_tell_the_rate_of_use_and_one_column_of_prices_those_of_brands(tmp_path):
    """Purchases at a known rate, gamma over households, with the price that was paid: an export of orders."""
    rng, weeks, K = np.random.default_rng(4), 52, 2.0
    rows = []
    for i in range(250):
        taste = rng.normal(0, 1.2, 3)
        for day in np.sort(rng.integers(0, weeks * 7, rng.poisson(0.4 * rng.gamma(K) / K * weeks))):
            prices = 1 + 0.25 * np.sin(day // 7 * np.array([1.0, 2.3, 3.1]))
            j = int((taste - 4 * (prices - 1) + rng.gumbel(size=3)).argmax())
            rows.append(
                (i, f"{pd.Timestamp('2021-03-01') + pd.Timedelta(days=int(day)):%Y-%m-%d}", "xyz"[j], prices[j])
            )
    frame = pd.DataFrame(rows, columns=["customer_id", "order_date", "brand", "price"])
    done, report, preset = done_of(frame, tmp_path)
    assert preset["consumer"]["rate"] == pytest.approx(0.4, rel=0.15)
    assert preset["market"]["rate_shape"] == pytest.approx(K, rel=0.35)
    assert "one column of prices" in report and "Rate of use from dates" in report
    weight = done.fitted.posterior.draws["simulator"].mu[:, -1]
    truth = np.log(4.0 * frame.price.mean())  # in units of the mean price; who is bought is cheap then
    assert abs(np.exp(weight).mean() - np.exp(truth)) < 4 * np.exp(weight).std() + 0.5
    calendar = pd.read_csv(tmp_path / "out" / "calendar.csv")
    assert set(calendar.firm) == {"x", "y", "z"} and calendar.week.max() == weeks <= preset["weeks"] == 104
    assert (calendar.price_change[calendar.week == weeks] == 0).all()  # after the panel, usual prices


def test_one_column_of_prices_without_dates_says_what_cannot_be_had(tmp_path):
    frame = drawn(30, 8)
    paid = frame.apply(lambda row: row[f"price_{row.choice}"], axis=1)
    _, report, _ = done_of(frame[["hh", "t", "choice"]].assign(price=paid), tmp_path)
    assert "the prices of the other brands at a purchase cannot be had" in report


def test_more_households_than_the_population_needs(tmp_path, monkeypatch):
    """The population comes from some, the form from fewer; the others are inferred from their history if asked for."""
    from sim.calibration import settings

    monkeypatch.setitem(settings.settings()["size"], "households", 25)
    monkeypatch.setitem(settings.settings()["size"], "inner", 150)
    frame = drawn(60, 12)
    train, later = frame[frame.t < 9], frame[frame.t >= 9]
    market_of(train, tmp_path)
    report = (tmp_path / "market" / "report.txt").read_text()
    assert "from 25 of 60 households" in report and "32 purchases of 16 households, the last 30 %" in report
    chances = forecast("predict", tmp_path, later)
    p = chances[["a", "b", "c"]].to_numpy()[np.arange(len(later)), later.choice.map({"a": 0, "b": 1, "c": 2})]
    known = pd.read_parquet(tmp_path / "market" / "households.parquet").household.astype(str).unique()
    inside = later.hh.isin(known).to_numpy()
    assert len(known) == 25 and abs(np.log(p[inside]).mean() - np.log(p[~inside]).mean()) < 0.2
    share = train.choice.map(train.choice.value_counts(normalize=True))
    assert np.log(p[~inside]).mean() > np.log(share).mean() + 0.1


def test_small_brands_are_pooled_and_found_again(tmp_path):
    frame = drawn(40, 12)
    train, later = frame[frame.t < 8], frame[frame.t >= 8]
    market_of(train, tmp_path, "panel.top=2")
    chances = forecast("predict", tmp_path, later)
    assert set(chances.columns[2:]) == {"a", "b", "other"}
    known = pd.read_parquet(tmp_path / "market" / "households.parquet")
    assert known.household.nunique() == 40


def test_a_row_an_alternative_gives_the_prices_of_all(tmp_path):
    """Choice data: each alternative is a row with its price, and one is chosen."""
    wide = drawn(20, 10)
    parts = []
    for b in "abc":
        part = wide[["hh", "t"]].assign(brand=b, price=wide[f"price_{b}"], feature=wide[f"feat_{b}"])
        parts.append(part.assign(chosen=(wide.choice == b).astype(int)))
    long = pd.concat(parts).sort_values(["hh", "t", "brand"])
    long.to_csv(tmp_path / "long.csv", index=False)
    wide.to_csv(tmp_path / "wide.csv", index=False)
    one, two = read(tmp_path / "long.csv"), read(tmp_path / "wide.csv")
    assert one.prices is not None and (one.y == two.y).all()
    assert (one.prices == two.prices).all() and (one.features == two.features).all()


def test_brands_that_gain_over_the_histories_have_a_trend(tmp_path):
    """What was held out is predicted better so, and what follows goes on from where it ended."""
    train, later = split(drawn(80, 16, habit=0.0, spread=1.0, trend=(3.0, 0.0, 0.0)))
    folder = market_of(train, tmp_path)
    report = (folder / "report.txt").read_text()
    assert "with a trend" in report and "gained and lost" in report
    gained = pd.read_parquet(folder / "posterior.parquet").filter(like="trend.").mean()
    assert gained.get("trend.a", 0.0) - gained.get("trend.b", 0.0) > 1
    chances = forecast("predict", tmp_path, later)
    early, end = (train.choice == "a").mean(), (later.choice == "a").mean()
    assert chances["a"].mean() - early > 0.6 * (end - early) > 0
