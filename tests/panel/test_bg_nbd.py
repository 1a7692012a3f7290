"""The BG/NBD finds the numbers that customers were made with, and those published for CDNOW."""

import numpy as np
import pytest

from sim.panel import bg_nbd


def made(r=0.6, alpha=4.0, a=0.9, b=2.5, customers=4000, seed=1):
    """x, recency, length, and whether a customer still is one."""
    rng = np.random.default_rng(seed)
    length = rng.uniform(20, 39, customers)
    rate, leave = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    x, recency, alive = np.zeros(customers, int), np.zeros(customers), np.ones(customers, bool)
    for i in range(customers):
        t = rng.exponential(1 / rate[i])
        while t < length[i] and alive[i]:
            x[i], recency[i] = x[i] + 1, t
            alive[i] = rng.random() > leave[i]
            t += rng.exponential(1 / rate[i])
    return x, recency, length, alive


def test_it_finds_what_customers_were_made_with_in_any_unit_of_time():
    x, recency, length, alive = made()
    weeks, days = (bg_nbd.fit(x, u * recency, u * length, np.ones(len(x))) for u in (1, 7))
    assert weeks.r == pytest.approx(0.6, rel=0.15) and weeks.alpha == pytest.approx(4.0, rel=0.2)
    assert weeks.a / (weeks.a + weeks.b) == pytest.approx(0.9 / 3.4, abs=0.04)
    assert (days.r, days.alpha / 7) == pytest.approx((weeks.r, weeks.alpha), rel=1e-2)
    chance = bg_nbd.chance_alive(weeks, x, recency, length)
    assert chance.mean() == pytest.approx(alive.mean(), abs=0.03)
    low, high = (alive[part].mean() for part in (chance < 0.5, chance > 0.9))
    assert low < 0.5 < 0.85 < high


def test_nothing_is_fitted_where_nobody_bought_again():
    zero = np.zeros(5)
    assert bg_nbd.fit(zero, zero, zero + 9, zero + 1) is None
    assert bg_nbd.fit(zero + 1, zero, zero, zero + 1) is None


def test_cdnow_is_as_published():
    datasets = pytest.importorskip("lifetimes.datasets", reason="lifetimes, which has the data, is not installed")
    table = datasets.load_cdnow_summary()
    found = bg_nbd.fit(*(table[n].to_numpy(float) for n in ("frequency", "recency", "T")), np.ones(len(table)))
    assert found.log_likelihood == pytest.approx(-9582.43, abs=0.01)
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), rel=0.01)
