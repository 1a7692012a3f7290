"""Errors of a panel that rest on too few households: nan, "too few to tell", never exactly 0."""

import numpy as np
import pandas as pd
import pytest

from sim import panel
from sim.measure.reliability import MIN_BASE
from tests.panel.panels import written


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Where outputs/ may be made."""
    monkeypatch.chdir(tmp_path)


def two_brands(households, loyal=0, each=4):
    """Households that buy `a` and `b` in turn, but for those that buy only `a`."""
    hh = np.repeat(np.arange(households), each)
    turn = np.tile(np.arange(each) % 2, households)
    return pd.DataFrame(
        {"hh": hh, "t": np.tile(np.arange(each), households), "brand": np.where(turn * (hh >= loyal), "b", "a")}
    )


def measured(table, tmp_path, **options):
    return panel.measure(written(table, tmp_path), **options).set_index(["group", "firm", "metric"])


@pytest.mark.parametrize("loyal", [0, 1, 5, 9])
def test_a_share_of_few_households_has_no_error(loyal, tmp_path):
    found = measured(two_brands(100, loyal), tmp_path).loc[("all", "a", "solely_loyal")]
    assert found.value == pytest.approx(loyal / 100) and np.isnan(found.error)


def test_from_ten_groups_of_households_on_it_has_one(tmp_path):
    found = measured(two_brands(100, 10), tmp_path).loc[("all", "a", "solely_loyal")]
    assert found.value == pytest.approx(0.1) and found.error == pytest.approx(0.03, rel=0.05)  # sqrt(.1 x .9 / 100)


def test_none_of_many_households_is_known_by_the_rule_of_three(tmp_path):
    found = measured(two_brands(2 * MIN_BASE), tmp_path).loc[("all", "a", "solely_loyal")]
    assert found.value == 0 and 2 * found.error == pytest.approx(3 / (2 * MIN_BASE))


def test_weights_make_few_households_no_more(tmp_path):
    found = measured(two_brands(100, 3).assign(weight=1000.0), tmp_path).loc[("all", "a", "solely_loyal")]
    assert found.value == pytest.approx(0.03) and np.isnan(found.error)


def test_a_change_between_parts_of_which_one_is_too_small_has_no_error(tmp_path):
    table = two_brands(100, 3, each=8)
    table["t"] = (pd.Timestamp("2022-01-03") + pd.to_timedelta(table.t * 30, unit="D")).dt.strftime("%Y-%m-%d")
    found = measured(table, tmp_path, split="2022-05-01").loc[("change", "a", "solely_loyal")]
    assert found.value == 0 and np.isnan(found.error)


def test_one_firm_of_whom_nobody_bought_again(tmp_path):
    table = pd.DataFrame({"customer_id": range(50), "date": "2022-01-03"})
    found = measured(table, tmp_path).loc[("all", "")]
    assert found.value["again"] == 0 and np.isnan(found.error["again"]) and np.isnan(found.error["once_only"])


@pytest.mark.parametrize("households", [40, 400])
def test_no_share_of_a_panel_is_known_for_certain(households, tmp_path):
    rng = np.random.default_rng(households)
    hh = np.repeat(np.arange(households), 5)
    brand = rng.choice(list("abc"), len(hh), p=[0.85, 0.14, 0.01])
    table = pd.DataFrame({"hh": hh, "t": np.tile(range(5), households), "brand": brand})
    found = measured(table, tmp_path).reset_index()
    known = found[found.firm.ne("") & found.value.notna() & ~found.metric.isin(["frequency", "own_ratio_lift"])]
    assert not (known.error == 0).any(), known[known.error == 0]


def test_the_report_says_it(tmp_path, capsys):
    assert panel.main(str(written(two_brands(60), tmp_path))) == 0
    assert "too few to tell" in capsys.readouterr().out
