"""Short samplers: what is tested is what they do, not how well they have settled."""

from functools import partial

import pytest

from sim.calibration import market, provider_fit, settings
from tests.calibration.panels import FEW, SHORT, TINY, drawn, market_of, split


@pytest.fixture
def short(monkeypatch):
    """A sampler of a second instead of a minute."""
    for name, value in SHORT.items():
        monkeypatch.setitem(settings.settings()["sampler"], name, value)
    for name, value in FEW.items():
        monkeypatch.setitem(settings.settings()["provider"], name, value)
    monkeypatch.setattr(provider_fit, "provider_presets", lambda: ["mobile"])


@pytest.fixture
def undrawn(monkeypatch):
    """For what is not about figures: none is drawn, and the twin is run three times instead of twenty."""
    monkeypatch.setattr(market, "_drawn", lambda path, make: [])
    monkeypatch.setattr(market, "side_by_side", partial(market.side_by_side, twins=3))


@pytest.fixture
def tiny(short, undrawn, monkeypatch):
    """A market in half a second, for what is not about its numbers."""
    for name, value in TINY.items():
        monkeypatch.setitem(settings.settings()["sampler"], name, value)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A calibrated market with its panel; made once, with the short sampler."""
    folder, before = tmp_path_factory.mktemp("market"), dict(settings.settings()["sampler"])
    settings.settings()["sampler"].update(SHORT)
    train, later = split(drawn(40, 14))
    market_of(train, folder)
    settings.settings()["sampler"].update(before)
    return folder, train, later
