"""The order of a person's purchases, as facts read it from weekly counts."""

import numpy as np
import pytest

from sim.facts.goods import _after_switch, _agree, _in_order, _sequences
from tests.markets import bare

TASTES = {"mechanisms.taste": True, "consumer.rate": 1.5, "market.rate_shape": 50.0, "people": 10_000, "weeks": 26}


def test_with_tastes_alone_the_order_of_purchases_says_nothing():
    """Purchases are exchangeable then: as many agree at any lag, and as many go back as stay."""
    person, week, firm = _sequences(bare(TASTES))
    assert (np.diff(person) >= 0).all() and (np.diff(week)[np.diff(person) == 0] >= 0).all()
    rates = [_agree(person, firm, lag)[1].mean() for lag in (1, 2, 3)]
    assert rates[1:] == pytest.approx([rates[0]] * 2, abs=0.004)
    _, _, back, stays = _after_switch(person, firm)
    assert back.mean() == pytest.approx(stays.mean(), abs=0.008)


@pytest.mark.parametrize("uses", [2, 3, 5])
def test_a_week_whose_order_was_lost_has_the_agreement_of_its_uses(uses):
    """The last firm and its uses in a row are right in each week, agreement at each lag is right in the mean."""
    rng = np.random.default_rng(uses)
    weeks = rng.choice(3, (50_000, uses), p=[0.5, 0.3, 0.2])
    same = weeks == weeks[:, -1:]
    row = np.where(same.all(axis=1), uses + 2, np.argmin(same[:, ::-1], axis=1))  # of one firm: since the week before
    used = (weeks[:, :, None] == np.arange(3)).sum(axis=1)
    person, place, firm = _in_order(used, weeks[:, -1], row, rng)
    found = firm[np.lexsort((place, person))].reshape(weeks.shape)
    ends = found == found[:, -1:]
    assert (found[:, -1] == weeks[:, -1]).all()
    assert (np.where(ends.all(axis=1), uses + 2, np.argmin(ends[:, ::-1], axis=1)) == row).all()
    for lag in range(1, uses):
        rates = [(x[:, lag:] == x[:, :-lag]).mean() for x in (weeks, found)]
        assert rates[0] == pytest.approx(rates[1], abs=0.006)
