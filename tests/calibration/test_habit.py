"""Is it habit: shuffled rows have none, and experiments on panels print what they find. Fast forms, short sampler."""

import sys
from pathlib import Path

import numpy as np
import pytest

from sim.calibration.habit import Control, Habit, shuffled
from sim.calibration.market import prepared
from sim.facts.scoreboard import HOLDS, MISSES, UNDECIDED
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


def control(weights=(0.1, 0.1), added=(0.004, 0.004)):
    return Control(tuple(Habit(w, 0.1, a, 0.01) for w, a in zip(weights, added, strict=True)))


def test_a_control_is_judged_by_the_error_of_its_mean_over_shuffles():
    assert control().verdict == HOLDS and control((0.3, 0.3)).verdict == MISSES
    assert control((0.1, 0.4)).verdicts == (UNDECIDED, HOLDS)
    assert control(added=(0.017, 0.017)).verdicts == (HOLDS, MISSES)
    assert control(added=(0.004, 0.024)).verdicts == control(added=(0.004, 0.04)).verdicts == (HOLDS, UNDECIDED)
    several = control((0.1, -0.1, 0.0), (0.01, 0.02, 0.03))
    assert several.mean.weight == 0 and several.mean.error == pytest.approx(0.1)
    assert several.spread == pytest.approx((0.1 / 3**0.5, 0.01 / 3**0.5))
    assert control((-0.4, -0.4)).verdict == MISSES  # habit below 0 is none either
    assert control((0.1,), (0.004,)).verdict == UNDECIDED


def test_what_five_shuffles_do_not_tell_is_said():
    from experiments.is_it_habit import finding

    found = {"simulator": Habit(1.0, 0.1, 0.1, 0.02)}
    assert finding(found, control(), 0.6).endswith("50 remain with tastes, prices and chance")
    assert "5 shuffles do not tell" in finding(found, control((0.1, 0.4)), 0.6)
    assert "does not tell habit from taste" in finding(found, control((0.4, 0.4)), 0.6)


def test_habit_is_told_from_taste_and_shuffled_rows_have_none(experiments, tmp_path, capsys):
    from experiments import is_it_habit, negative_control

    path = written(drawn(60, 24, habit=2.5), tmp_path)
    said = is_it_habit.main(str(path), [])
    shown = capsys.readouterr().out
    assert said.startswith("both: habit holds") and "given the first purchase" in shown and "mean of 5" in shown
    control = negative_control.main(str(path), 100, 5)
    shown = capsys.readouterr().out
    assert control.verdict != MISSES and len(control.each) == 5
    assert f"± {control.spread[1]:.4f}, at most 0.015: {control.verdicts[1]}" in shown


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
