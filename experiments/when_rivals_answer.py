"""When rivals answer: what is left of a price cut, how fast an entrant arrives, and where prices come to rest.

Question: a bank cuts its fees for good; what is left of what it gains once the others answer a loss of share with cuts
of their own? How long does an entrant take to its share? And if all may set their price, where does it end?
Design: the `bank` market, people choosing anew rarely, and the same people with attention at every use, where choices
are free. (1) From week 26 the focus is a tenth cheaper; alone, and with policies by which every rival goes down by .05,
to .80 at least, after each window in which it has lost more than a fiftieth of its share at the start. Shares move
without a cut, too, so the answers are also run without one, and the cut is compared where rivals answer with and
without it. (2) An entrant
whose presence is for 9.5 % of the market enters in week 26 and is compared with the same firm that had been there from
the start. (3) The two largest answer each other in turn with the price that earns most at a cost of .6 a use.
Reading: (1) change of the focus's share against the same people without, in half-years, in points; (2) the entrant's
share over that of the firm that had always been there, in half-years, in %; (3) prices at rest, and what the best other
price would bring on draws that nobody has seen. Paired errors.
"""

import numpy as np
import pandas as pd

from sim import study
from sim.engine.loop import Run
from sim.measure import estimates, metrics
from sim.model.fields import Scenario
from sim.model.scenario import change, to_dict
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.study.twins import spells, twins

FAST = {"people": 500, "replications": 2}
HALF, WEEKS, START = 26, 156, 26  # weeks
CUT: dict[str, object] = {"moves.cut": {"lever": "price", "week": START, "value": 0.9}}
SETTINGS = {"inattentive": {}, "attentive": {"consumer.attention": 1.0}}
SHARE, COST = 0.095, 0.6
PRICES = [0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0]
ADDED = "what the cut adds to the answers"
ROUNDS = 6


def answers(base: Scenario) -> dict[str, object]:
    """A policy for each rival: below .98 of its share in the year before the cut it is .05 cheaper, to .80."""
    shares = metrics.share(estimates.folds(estimates.pooled(study.simulate(base).tally, None, slice(0, START))))[0]
    react = {"when": "share", "crosses": "below", "step": -0.05, "floor": 0.8, "week": START + 1}
    rivals = [(n, firm) for n, firm in enumerate(base.firms) if firm != base.focus and base.firms[firm].price > 0.8]
    return {f"policies.{firm}_answers": {**react, "firm": firm, "value": 0.98 * float(shares[n])} for n, firm in rivals}


def by_half_year(run: Run, firm: str) -> np.ndarray:
    """[fold, half-year] the share of a firm."""
    s = run.scenario
    by = spells(*range(0, WEEKS + 1, HALF))
    counts = estimates.folds(by(run.tally, range(len(s.cells))))
    return metrics.share(counts)[..., list(s.firms).index(firm)]


def cuts(base: Scenario, setting: str) -> list[tuple]:
    """Rows: what a price cut brings to the share of the focus, alone and answered; and what policies do without it."""
    policies, rows = answers(base), []
    arms: dict[str, tuple[Scenario, dict[str, object]]] = {
        "cut alone": (base, CUT),
        "cut, answered": (base, CUT | policies),
        "answers without a cut": (base, policies),
        ADDED: (change(base, policies), CUT),
    }
    for arm, (control, changes) in arms.items():
        pair = twins(control, changes)
        difference = 100 * (by_half_year(pair.changed, base.focus) - by_half_year(pair.control, base.focus))
        for n, (value, error) in enumerate(zip(*estimates.jackknife(difference), strict=True)):
            rows.append((setting, arm, n * HALF, value, error))
    return rows


def entry(base: Scenario, setting: str) -> list[tuple]:
    """Rows: the share of an entrant over that of the same firm had it always been there."""
    whole = sum(firm.presence for firm in base.firms.values())
    kind = {**to_dict(base)["firms"][base.focus], "presence": SHARE / (1 - SHARE) * whole}
    always = change(base, {"firms.entrant": kind})
    pair = twins(always, {"firms.entrant.enters": START})
    ratio = 100 * by_half_year(pair.changed, "entrant") / by_half_year(pair.control, "entrant")
    found = zip(*estimates.jackknife(ratio), strict=True)
    return [(setting, "entrant", n * HALF, value, error) for n, (value, error) in enumerate(found)]


def rest(base: Scenario, setting: str) -> list[tuple]:
    """Rows: the price at which each of the two largest comes to rest, and what the best other one would bring."""
    largest = sorted(base.firms, key=lambda f: -base.firms[f].presence)[:2]
    found = study.rivals(base, dict.fromkeys(largest, ("price", PRICES)), dict.fromkeys(largest, COST), rounds=ROUNDS)
    ended = "at rest" if found.settled else f"in a cycle of {len(found.cycle)}" if found.cycle else "not at rest"
    edge = {min(PRICES): ", the lowest it may set", max(PRICES): ", the highest it may set"}
    arms = [
        f"{row.firm} {ended} at {row.value:g}{edge.get(row.value, '')}, best other {row.best_other:g}"
        for row in found.checked.itertuples()
    ]
    gains = zip(100 * found.checked["gain"], 100 * found.checked["error"], strict=True)
    return [(setting, arm, 0, *gain) for arm, gain in zip(arms, gains, strict=True)]


def finding(table: pd.DataFrame) -> list[str]:
    """What is left of the cut, how far the entrant is, where prices rest."""
    lines = []
    for (setting, arm), rows in table.groupby(["setting", "arm"], sort=False):
        if "at rest" in arm or "cycle" in arm:
            [row] = rows.itertuples()
            told = said(row.value, row.error, "% of the average price")
            lines.append(f"{setting}, {arm}: {told} a person and week.")
        else:
            unit = "%" if arm == "entrant" else "points"
            told = "; ".join(
                f"weeks {r.week} to {r.week + HALF} {said(r.value, r.error, unit)}"
                for r in rows[rows["week"] >= START].itertuples()
            )
            lines.append(f"{setting}, {arm}: {told}.")
    return lines


def main(people: int = 10_000, replications: int = 4) -> pd.DataFrame:
    """Run it; returns the table."""
    size = {"people": people, "replications": replications, "weeks": WEEKS, "window": 13}
    rows = []
    for setting, changes in SETTINGS.items():
        base = change(study.scenario("market=bank"), {**size, **changes})
        rows += [*cuts(base, setting), *entry(base, setting), *rest(base, setting)]
    table = pd.DataFrame(rows, columns=["setting", "arm", "week", "value", "error"])
    print(table.round(3).to_string(index=False))
    shown = table[table["arm"].str.contains("cut")].assign(week=table["week"] + HALF / 2)
    title = "A tenth off the price from week 26: what it brings, and what is left once rivals answer"
    picture = figures.curves(shown, "week", ["setting"], "arm", title, ("week", "change of share, points"))
    keep("when_rivals_answer", table, picture, finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
