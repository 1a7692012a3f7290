"""The small inputs beside this checkout go through calibrate: a market, or the sentence that says why there is none."""

import pytest

from sim.calibration.main import run
from sim.panel.types import PanelError
from tests.panel.test_cases import SHARED, shared

NONE = {  # the sentence of those of which no market is made
    "entrant": "5 went to another provider; at least 20 moves",
    "events": "no household bought twice",
}


@pytest.mark.parametrize("name", SHARED)
def test_a_case_becomes_a_market_or_gets_its_sentence(name, tiny, tmp_path):
    words = [f"panel={shared(name)}", f"out={tmp_path / 'market'}"]
    if name in NONE:
        with pytest.raises(PanelError, match=NONE[name]):
            run("calibrate", words)
        assert not (tmp_path / "market").exists()
    else:
        assert run("calibrate", words) == 0
        assert (tmp_path / "market" / "market.yaml").exists()
