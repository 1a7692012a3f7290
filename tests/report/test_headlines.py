"""A finding over worlds: counted by hand in a market where it is known how often it holds."""

import numpy as np
import pytest

from sim.measure.estimates import Estimate
from sim.report import headlines
from sim.report.headlines import HOLDS, OPEN, REVERSED, in_worlds, least, sentences, verdict
from sim.study.worlds import plausible
from tests.markets import market


def margin(base):
    """Holds where losses weigh more than 1.8 times; known without error."""
    return {"losses weigh much": Estimate(np.array(base.consumer.loss_aversion - 1.8), np.array(0.0))}


def test_a_finding_is_counted_world_by_world_and_what_decides_is_named():
    base = market()
    found = in_worlds(base, margin, 30, 200)
    known = [w["consumer.loss_aversion"] - 1.8 for w in plausible(base, 30).worlds]
    (row,) = found.to_dict("records")
    assert (row["holds"], row["reversed"], row["open"]) == (sum(m > 0 for m in known), sum(m < 0 for m in known), 0)
    assert 0 < row["holds"] < 30 == row["worlds"] and row["share"] == row["holds"] / 30
    assert row["decides"].startswith("consumer.loss_aversion (+1.00)")
    (line,) = sentences(found)
    assert f"holds in {row['holds']} of 30 plausible worlds, reversed in {row['reversed']}" in line
    assert "what decides" in line and "consumer.loss_aversion" in line


def test_what_holds_everywhere_needs_no_reason_and_what_is_not_clear_is_said():
    def always(base):
        return {"yes": Estimate(np.array(1.0), np.array(0.1)), "who knows": Estimate(np.array(1.0), np.array(9.0))}

    yes, unclear = sentences(in_worlds(market(), always, 6, 200))
    assert yes == "yes: holds in 6 of 6 plausible worlds."
    assert unclear.startswith(
        "who knows: holds in 0 of 6 plausible worlds, too close to tell in 6; no number stands out"
    )


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [(1, 0.4, HOLDS), (-1, 0.4, REVERSED), (1, 0.6, OPEN), (float("nan"), 1, OPEN), (1, float("nan"), OPEN)],
)
def test_a_verdict_takes_the_error_into_account(value, error, said):
    assert verdict(value, error) == said


def test_a_claim_of_several_margins_has_the_smallest():
    some = [Estimate(np.array(v), np.array(1.0)) for v in (3.0, -1.0, 2.0)]
    assert least(some) is some[1] and float(headlines.less(some[0], some[1]).value) == 4.0
