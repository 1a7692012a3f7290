"""Small panels of known households, and short samplers (FEW: of providers), for the tests of calibration."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.calibration.main import run

SHARED = Path(__file__).parents[3] / "shared" / "panels"
SHORT = {"burn_in": 400, "sweeps": 600, "draws": 200, "fewest_draws": 100, "inner": 0.5}
FEW = {"passes": 1, "points": 72, "keep": 0.5, "people": 800, "settled": 3000, "rounds": 8, "table": 8000}
TINY = SHORT | {"burn_in": 100, "sweeps": 120, "draws": 60, "fewest_draws": 40}


def drawn(
    households: int = 60,
    purchases: int = 20,
    habit: float = 1.5,
    rate: float = 0.6,
    price_weight: float = 4.0,
    spread: float = 1.5,
    seed: int = 1,
    trend: tuple[float, ...] = (0.0, 0.0, 0.0),
) -> pd.DataFrame:
    """A panel of three brands, drawn by the choice rule written out once more; tastes 0, 0.5, -1 on average at the end.

    `trend` is what a brand gains over the histories, fading as the estimator has it.
    """
    rng, mean = np.random.default_rng(seed), np.array([0.0, 0.5, -1.0])
    rows = []
    for i in range(households):
        taste = mean + spread * np.r_[0, rng.standard_normal(2)]
        weight = price_weight * np.exp(0.3 * rng.standard_normal())
        memory = np.array([0.35, 0.45, 0.2])
        for t in range(purchases + 30):  # the first 30 make a past
            price = rng.choice([0.8, 0.9, 1.0, 1.1, 1.2], 3)
            feature = (rng.random(3) < 0.2).astype(float)
            v = taste - weight * (price - 1) + 0.8 * feature + habit * memory + rng.gumbel(size=3)
            v -= np.array(trend) * np.exp(-3 * max(t - 30 + 0.5, 0) / purchases)
            j = int(v.argmax())
            memory += rate * ((np.arange(3) == j) - memory)
            if t >= 30:
                rows.append((f"h{i}", t - 30, "abc"[j], *price, *feature))
    blocks = [f"{kind}_{b}" for kind in ("price", "feat") for b in "abc"]
    return pd.DataFrame(rows, columns=["hh", "t", "choice", *blocks])


def split(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first 70 % of the purchases of each household with at least 4, all of the others; and the rest."""
    n = frame.groupby("hh").t.transform("size")
    first = frame.groupby("hh").cumcount() < np.where(n >= 4, np.ceil(0.7 * n - 1e-9), n)
    return frame[first], frame[~first]


def shared(name: str) -> pd.DataFrame:
    """An open panel; the test is skipped where it is not there."""
    if not (SHARED / f"{name}.csv").exists():
        pytest.skip("the open panels are not here (../shared/panels)")
    return pd.read_csv(SHARED / f"{name}.csv")


def market_of(train: pd.DataFrame, folder: Path, *more: str) -> Path:
    """The market calibrated to a panel, in a folder."""
    train.to_csv(folder / "train.csv", index=False)
    assert run("calibrate", [f"panel={folder / 'train.csv'}", f"out={folder / 'market'}", *more]) == 0
    return folder / "market"


def forecast(command, folder, later, *more, name="later", history=True) -> pd.DataFrame:
    """What `predict` or `simulate` write of later purchases."""
    later.to_csv(folder / f"{name}.csv", index=False)
    past = [f"history={folder / 'train.csv'}"] if history else []
    out = folder / f"{name}.{command}.csv"
    words = [f"market={folder / 'market'}", *past, f"panel={folder / name}.csv", f"out={out}", *more]
    assert run(command, words) == 0
    return pd.read_csv(out)
