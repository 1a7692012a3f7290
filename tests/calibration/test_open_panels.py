"""The open panels: the calibrated market beats simple models on purchases that it has not seen, and habit shows.

Fast forms of P1, P2, P4, P8 and P13 of the protocol, with a short sampler and one panel;
`experiments/calibrate_panel.py` runs the full form.
"""

import numpy as np
import pytest

from experiments.calibrate_panel import fitted_purchases, own_price_elasticity
from sim.calibration.choices import choices_of, ranked_brands
from sim.calibration.fit import FIRST_PART, fit
from sim.calibration.forecast import occasions, predict, simulate
from sim.calibration.references import log_likelihoods, reference_chances
from sim.panel import read
from tests.calibration.panels import shared, split


@pytest.fixture
def yogurt(short, tmp_path):
    frame = shared("yogurt")
    train, _ = split(frame)
    frame.to_csv(tmp_path / "all.csv", index=False)
    train.to_csv(tmp_path / "train.csv", index=False)
    panel = read(tmp_path / "train.csv")
    choices = choices_of(panel, ranked_brands(panel))
    posterior = fit(choices, choices.brands, 1, lambda what, done: None).posterior
    whole = read(tmp_path / "all.csv")
    every = choices_of(whole, np.array([whole.brands.index(b) for b in choices.brands]), canonical=False)
    n = np.diff(every.start)
    given = every.start[:-1] + np.where(n >= 4, np.ceil(FIRST_PART * n - 1e-9), n).astype(int)
    return posterior, occasions(every, given, posterior.households, posterior.digests)


def test_yogurt(yogurt):
    posterior, at = yogurt
    assert (at.known >= 0).all()
    y, asked, choices = at.choices.y, at.asked, at.choices
    chances = predict(posterior, at)
    ll = log_likelihoods(chances, choices)[asked].mean()
    each = reference_chances(choices, ~asked, posterior.terms)
    references = {name: log_likelihoods(p, choices)[asked].mean() for name, p in each.items()}
    assert references["market share"] == pytest.approx(-1.1638, abs=0.001)  # B0 of the protocol
    assert references["Dirichlet"] == pytest.approx(-0.5384, abs=0.003)  # B3
    assert references["loyalty logit"] == pytest.approx(-0.4730, abs=0.004)  # B7
    assert ll > references["loyalty logit"] - 0.01 and ll > references["Dirichlet"] + 0.01  # P2, P1
    p, hit = chances[asked].ravel(), np.eye(len(choices.brands))[y[asked]].ravel()
    place = np.clip((p * 10).astype(int), 0, 9)
    error = np.abs(np.bincount(place, p, 10) - np.bincount(place, hit, 10)).sum() / len(p)
    assert error <= 0.03  # P4
    without = predict(posterior, at, habit=False)
    assert log_likelihoods(without, choices)[asked].mean() < ll - 0.05  # P8

    def repeat(paths):
        rows = np.flatnonzero(asked & (choices.nth > 0))
        return float((paths[:, rows] == paths[:, rows - 1]).mean())

    fall = repeat(simulate(posterior, at, 50)) - repeat(simulate(posterior, at, 50, habit=False))
    assert 0.15 <= fall <= 0.35  # P8
    elasticity = own_price_elasticity(posterior, fitted_purchases(posterior, at)).mean()
    assert elasticity == pytest.approx(-0.91, rel=0.35)  # P13
