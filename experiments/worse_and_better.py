"""Does worse hurt more than better helps, and if not, why not?

Question: where people weigh losses twice (#47), half a CX less should cost a shop more share than half a CX more gains;
published (#70) is a slope three times as steep below what is expected. What makes the simulated ratio 1?
Design: shops (`retail_us`), half a CX more and less at Walmart from week 26 on, the same people with the same draws;
then with one cause taken away, and with several. The law alone, beside: what half a CX does to the mean utility of one
who weighs losses `loss_aversion` times, where memory scatters around expectation (closed form for a normal law).
Reading: change of share in points, gain and loss, and loss / gain, with paired errors.
"""

import math

import pandas as pd

from sim import study
from sim.measure import estimates, metrics
from sim.measure.estimates import Array
from sim.measure.tally import Tally
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study.simulation import simulate

FAST = {"people": 1_000}
HALF, WEEK = 0.5, 26
ANCHOR, WORDS, REGRET, HABIT = (
    {f"mechanisms.{name}": False} for name in ("anchor", "word_of_mouth", "regret", "habit")
)
FIXED, SLOW = {"market.expectation_rate": 0.0}, {"market.memory_rate": 0.05}
WITHOUT: dict[str, dict[str, object]] = {
    "as shipped": {},
    "expectation fixed": FIXED,
    "no anchors": ANCHOR,
    "no regret": REGRET,
    "nobody talks": WORDS,
    "expectation fixed, no anchors": {**FIXED, **ANCHOR},
    "and nobody talks, no regret": {**FIXED, **ANCHOR, **WORDS, **REGRET},
    "and no habit": {**FIXED, **ANCHOR, **WORDS, **REGRET, **HABIT},
    "and memory of twenty visits": {**FIXED, **ANCHOR, **WORDS, **REGRET, **HABIT, **SLOW},
    "as shipped, losses weigh five times": {"consumer.loss_aversion": 5.0},
    "as shipped, bad visits wake attention": {"market.incident_attention": 0.5},
}


def alike(base: Scenario) -> dict[str, object]:
    """Visits that hardly differ: nothing fails and nothing delights."""
    taken: dict[str, object] = {}
    for name, firm in base.firms.items():
        taken |= {f"firms.{name}.consistency_sd": 0.05, f"firms.{name}.delight_rate": 0.0}
        taken |= {f"firms.{name}.touchpoints.{point}.failure_rate": 0.0 for point in firm.touchpoints}
    return taken


def blurred(loss_aversion: float, spread: float, step: float = HALF) -> float:
    """Loss / gain of mean utility for a step down and up, where what is remembered is normal around what is expected.

    >>> round(blurred(2.0, 1e-9), 3), round(blurred(2.0, 0.5), 2)
    (2.0, 1.28)
    """

    def mean(x: float) -> float:
        density = math.exp(-((x / spread) ** 2) / 2) / math.sqrt(2 * math.pi)
        below = math.erfc(x / spread / math.sqrt(2)) / 2
        losses = spread * density - x * below
        return x + losses - loss_aversion * losses

    return (mean(0.0) - mean(-step)) / (mean(step) - mean(0.0))


def finding(table: pd.DataFrame) -> list[str]:
    """Loss over gain, as shipped and with causes taken away, and what the blur of memory leaves of the kink."""
    rows = table[table.quantity == "loss / gain"]
    shown = ", ".join(f"{r.without} {r.value:.2f} ± {r.error:.2f}" for r in rows.itertuples())
    left = ", ".join(f"{blurred(2.0, spread):.2f} where memory scatters by {spread} CX" for spread in (0.01, 0.5))
    return [f"Loss / gain of share: {shown}.", f"Of losses that weigh twice mean utility keeps {left}."]


def main(people: int = 40_000) -> pd.DataFrame:
    base = study.scenario("market=retail_us", f"people={people}", "weeks=104")
    j, rows = list(base.firms).index(base.focus), []
    same = alike(base)
    cases = {**WITHOUT, "visits alike": same, "visits alike, expectation fixed": {**same, **FIXED}}
    for name, taken in cases.items():
        shares = []
        for step in (0.0, HALF, -HALF):
            move = {"moves.quality": {"firm": base.focus, "lever": "quality", "week": WEEK, "value": step}}
            run = simulate(change(base, {**taken, **(move if step else {})}))
            shares.append(estimates.pooled(run.tally, weeks=slice(WEEK, None)))

        def gain(quiet: Tally, better: Tally, worse: Tally) -> Array:
            return 100 * (metrics.share(better) - metrics.share(quiet))[..., j]

        def loss(quiet: Tally, better: Tally, worse: Tally) -> Array:
            return 100 * (metrics.share(quiet) - metrics.share(worse))[..., j]

        def ratio(*tallies: Tally) -> Array:
            return loss(*tallies) / gain(*tallies)

        for what, law in (("gain, points", gain), ("loss, points", loss), ("loss / gain", ratio)):
            found = estimates.jackknife(law(*map(estimates.folds, shares)))
            rows.append((name, what, found.value, found.error))
    table = pd.DataFrame(rows, columns=["without", "quantity", "value", "error"])
    print(table.round(2).to_string(index=False))
    for aversion in (2.0, 2.25):
        ratios = ", ".join(f"{spread}: {blurred(aversion, spread):.2f}" for spread in (0.01, 0.25, 0.5, 1.0))
        print(f"Mean utility, losses x {aversion}: loss / gain by the scatter of memory around expectation, {ratios}")
    title = "Share for half a CX more and less, with causes of their likeness taken away"
    keep("worse_and_better", table, figures.dots(table, "without", "", "quantity", title, ""), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
