"""Short samplers: what is tested is what they do, not how well they have settled."""

import pytest

from sim.calibration import settings
from tests.calibration.panels import SHORT, drawn, market_of, split


@pytest.fixture
def short(monkeypatch):
    """A sampler of a second instead of a minute."""
    for name, value in SHORT.items():
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
