"""Is it habit: shuffled rows have none, and experiments on panels print what they find. Fast forms, short sampler."""

import sys
from pathlib import Path

import numpy as np
import pytest

from sim.calibration.habit import Control, Habit, shuffled
from sim.calibration.market import prepared
from sim.panel import PanelError, read
from tests.calibration.panels import drawn

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
pytestmark = pytest.mark.usefixtures("short", "undrawn")


@pytest.fixture
def experiments(monkeypatch):
    """Their folder on the path, as when one of them is run as a script."""
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    yield
    for name in ("calibrate_panel", "panel_ladder", "is_it_habit", "negative_control"):
        sys.modules.pop(name, None)


def written(frame, folder, name="p.csv"):
    frame.to_csv(folder / name, index=False)
    return folder / name


def test_shuffling_keeps_what_each_household_bought_at_which_prices(tmp_path):
    choices = prepared(read(written(drawn(20, 12), tmp_path)))[0]
    mixed = shuffled(choices, 1)
    assert (mixed.y != choices.y).any() and (mixed.start == choices.start).all()

    def rows(c):
        table = np.column_stack([c.hh, c.y, c.prices, c.features])
        return table[np.lexsort(table.T)]

    np.testing.assert_array_equal(rows(mixed), rows(choices))
    assert (shuffled(choices, 1).y == mixed.y).all() and (shuffled(choices, 2).y != mixed.y).any()


def test_a_control_passes_where_habit_is_not_told_from_none():
    small = Habit(0.1, 0.1, 0.004, 0.001)
    assert Control((small, small)).passed
    assert not Control((Habit(0.3, 0.1, 0.004, 0.001), small._replace(weight=0.3))).passed
    assert not Control((small._replace(added=0.03), small)).passed
    assert Control((small, small._replace(weight=-0.1))).mean.weight == 0


def test_habit_is_told_from_taste_and_shuffled_rows_have_none(experiments, tmp_path, capsys):
    from experiments import is_it_habit, negative_control

    path = written(drawn(60, 24, habit=2.5), tmp_path)
    said = is_it_habit.main(str(path), [])
    shown = capsys.readouterr().out
    assert said.startswith("both: habit holds") and "given the first purchase" in shown and "mean of 5" in shown
    control = negative_control.main(str(path))
    assert control.passed and len(control.each) == 5
    assert "PASS" in capsys.readouterr().out


def test_without_habit_none_is_found(experiments, tmp_path):
    from experiments import is_it_habit

    said = is_it_habit.main(str(written(drawn(60, 24, habit=0.0, spread=2.5), tmp_path)), [])
    assert "may be taste alone" in said


def test_an_unordered_panel_is_refused(experiments, tmp_path):
    from experiments import is_it_habit

    frame = drawn(30, 8).sort_values(["hh", "choice"])[["hh", "choice"]]
    with pytest.raises(PanelError, match="order"):
        is_it_habit.main(str(written(frame, tmp_path)), [])


def test_the_ladder_has_models_from_elsewhere_beside_ours(experiments, tmp_path, capsys):
    from experiments import panel_ladder

    panels = tmp_path / "panels"
    panels.mkdir()
    frame = drawn(30, 12).assign(hh=lambda f: f.hh.str[1:].astype(int)).sort_values(["hh", "t"])
    written(frame, panels, "mine.csv")
    written(frame.sort_values(["hh", "choice"]).assign(t=frame.t.to_numpy()), panels, "sorted.csv")
    (panels / "reference_mine.json").write_text('{"models": {"a model": {"hold_per_obs": -0.9}}}')
    found = panel_ladder.main(panels, tmp_path / "out")
    shown = capsys.readouterr().out
    assert list(found) == ["mine"] and "sorted: the rows are not in the order of purchase" in shown
    table = found["mine"].set_index("model")
    assert {"market", "a model", "Dirichlet", "loyalty logit", "without habit"} <= set(table.index)
    assert np.isnan(table.error["a model"]) and table.error["Dirichlet"] > 0
    assert table.gain["a model"] == pytest.approx(table.value["market"] + 0.9)
    assert table.value["market"] > table.value["market share"]
    assert (tmp_path / "out" / "mine" / "market.yaml").exists()
