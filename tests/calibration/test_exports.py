"""Ten kinds of real export go from file to market to answer without a touch of code, or get their sentence."""

import numpy as np
import pytest

from sim import panel
from sim.__main__ import complaints
from sim.calibration.main import run
from sim.engine.loop import simulate
from sim.panel.options import parse
from sim.panel.types import PanelError
from sim.study.presets import scenario
from sim.study.twins import with_and_without_events
from tests.calibration.exports import EXPORTS, bought

pytestmark = pytest.mark.usefixtures("tiny")
MARKETS = [name for name, export in EXPORTS.items() if not export.refused]


@pytest.fixture(scope="module")
def frame():
    return bought()


def written(name, frame, folder):
    path = folder / EXPORTS[name].name
    path.write_text(EXPORTS[name].text(frame))
    return path


def test_there_are_ten_kinds():
    assert len(EXPORTS) >= 10 and len(MARKETS) >= 7


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_measured(name, frame, tmp_path, capsys):
    path, options = written(name, frame, tmp_path), EXPORTS[name].options
    read = panel.read(path, options=parse(list(options)))
    dropped = sum(n for n, _ in read.left_out)
    assert read.provider or read.rows == len(read.hh) + dropped, "every row is a purchase or left out with a reason"
    found = panel.measure(read)
    assert np.isfinite(found.value[found.metric.isin(["share", "again"])]).all() and len(found) > 5
    if name == "cdnow":
        assert set(found.firm) <= {"", "the firm"}


@pytest.mark.parametrize("name", MARKETS)
def test_an_export_becomes_a_market_that_answers(name, frame, tmp_path):
    path, export = written(name, frame, tmp_path), EXPORTS[name]
    assert run("calibrate", [f"panel={path}", f"out={tmp_path / 'market'}", *export.options]) == 0
    market = scenario(f"market={tmp_path / 'market'}", "scandal=data_breach", "people=400", "weeks=40", "window=13")
    read = panel.read(path, options=parse(list(export.options)))
    observed = np.bincount(read.y) / len(read.y)
    assert len(market.firms) == len(read.brands) and market.consumer.habit_weight > 0
    (breach,) = market.scandals.values()
    assert breach.firm in ("", market.focus)
    run_ = simulate(market)
    joined = run_.tally.flow.sum(axis=(0, 1, 2))[:, 1:].sum(axis=0)
    assert joined.sum() > 400
    assert joined / joined.sum() == pytest.approx(np.sort(observed)[::-1], abs=0.15), "shares are those of the file"
    assert with_and_without_events(market) is not None


@pytest.mark.parametrize("name", [n for n in EXPORTS if n not in MARKETS])
def test_an_export_of_which_no_market_can_be_made_says_why(name, frame, tmp_path):
    path, export = written(name, frame, tmp_path), EXPORTS[name]
    with pytest.raises(PanelError) as error:
        run("calibrate", [f"panel={path}", f"out={tmp_path / 'market'}", *export.options])
    said = "\n".join(complaints(error.value))
    assert export.refused in said
    assert not (tmp_path / "market").exists()
