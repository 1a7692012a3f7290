"""Short samplers: what is tested is what they do, not how well they have settled."""

import pytest

from sim.calibration import settings
from tests.calibration.panels import SHORT


@pytest.fixture
def short(monkeypatch):
    """A sampler of a second instead of a minute."""
    for name, value in SHORT.items():
        monkeypatch.setitem(settings.settings()["sampler"], name, value)
