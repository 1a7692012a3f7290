"""Facts 99 to 105: what scandals cost, from cases and studies that no preset was fitted to."""

import numpy as np

from sim.facts.runs import Changes, Quantities, RunCache, from_counts
from sim.facts.scandals import BREACH, HALF_YEAR, QUARTER, TwinRuns
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import Tally

REST_OF_YEAR = 36  # weeks, from the outage of April 20, 2018
YEAR: Changes = {"weeks": 79}  # counted: half a year before the news of the presets of events, and a year after


def _lost(runs: RunCache, event: str, *markets: str) -> dict[str, Estimate]:
    """Customers lost within a quarter of an event, %, in each market."""
    pairs = {m: TwinRuns(runs, f"market={m} scandal={event}", times=4, changes=YEAR) for m in markets}
    return {f"{market}, %": pair.lost(QUARTER) for market, pair in pairs.items()}


def fact_99(runs: RunCache) -> Quantities:
    """TalkTalk lost no more customers after the quarter of its breach."""
    return {"customers lost in 23 weeks, %": TwinRuns(runs, BREACH, times=4).lost(23)}


def fact_100(runs: RunCache) -> Quantities:
    """A breach costs a provider between nothing and two and a half per cent of its customers."""
    return dict(_lost(runs, "data_breach", "bank", "broadband_uk"))


def fact_101(runs: RunCache) -> Quantities:
    """An outage costs a provider less than a per cent of its customers."""
    found = {}
    for market, weeks in (("bank_uk", REST_OF_YEAR), ("mobile", QUARTER)):
        pair = TwinRuns(runs, f"market={market} scandal=outage", times=4, changes=YEAR)
        found[f"{market}, %"] = pair.left(weeks)
    return found


def fact_102(runs: RunCache) -> Quantities:
    """Scandals of conscience cost five to ten per cent of sales for half a year."""
    brands = [TwinRuns(runs, f"market={m} scandal=moral_scandal", times=4) for m in ("food_us", "beer_us")]
    found = [pair.sales(0, HALF_YEAR) for pair in brands]
    value = np.mean([np.asarray(e.value) for e in found], axis=0)
    return {"half a year, %": Estimate(value, np.hypot(*(np.asarray(e.error) for e in found)) / len(found))}


def fact_103(runs: RunCache) -> Quantities:
    """Half to two thirds of the worst loss is left later in the year."""
    pair = TwinRuns(runs, "market=retail_us scandal=moral_scandal", times=16)

    def left(a: Tally, b: Tally) -> Array:
        worst, late = (slice(pair.week + n, pair.week + m) for n, m in ((0, QUARTER), (20, 52)))
        change = []
        for span in (worst, late):
            quiet, event = (t.flow[..., span, :, pair.focus + 1].sum(axis=(-2, -1)) for t in (a, b))
            change.append(event / quiet - 1)
        return change[1] / change[0]

    return {"left at 20 to 52 weeks": from_counts(left, *pair.tallies)}


def fact_104(runs: RunCache) -> Quantities:
    """A scandal of conscience costs a provider two per cent of its customers at most."""
    return dict(_lost(runs, "moral_scandal", "bank"))


def fact_105(runs: RunCache) -> Quantities:
    """Volkswagen lost a tenth at home, against its market, from the second month on."""
    pair = TwinRuns(runs, "scandal=dieselgate_de", times=24, changes={"weeks": 95})
    return {"weeks 6 to 32, %": pair.sales(6, 32)}
