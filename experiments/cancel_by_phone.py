"""Leaving by telephone only: what is held, and what it costs.

Question: what does a firm gain and lose when it can be left by telephone only, and what is left when it must let go?
Design: mobile telephony (`mobile`, the focus KPN) and a bank (Lloyds). From week 26 the trouble of leaving the focus is
1.7 logit (#27) for two years; then it is none. The same people with the same draws, where it is none all along.
Reading: in the two years and in the year after: the stickiness index, which is captive while friction acts and free
when it no longer does; those who leave and join, in % of without; bad words in a thousand uses; share. Paired errors.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim import study
from sim.measure import estimates, metrics
from sim.measure.estimates import Estimate
from sim.measure.tally import Event, Tally
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.report import figures
from sim.report.experiment import keep, play, said
from sim.report.headlines import PEOPLE, at, in_worlds, less, sentences
from sim.study.twins import By, twins

FAST = {"people": 500, "replications": 2, "worlds": 2}
MARKETS = {"mobile": ("kpn", "Mobile: KPN"), "bank": ("lloyds", "Banks: Lloyds")}
START, HELD, WINDOW = 26, 104, 26  # weeks
PHASES = {"held": (START, START + HELD), "let go": (START + HELD, START + HELD + 2 * WINDOW)}


def phase(first: int, last: int) -> By:
    """The counts of these weeks, and of the windows they fill."""

    def by(tally: Tally, cells: Sequence[int]) -> Tally:
        windows = estimates.by_window(tally, cells).transitions[:, first // WINDOW : last // WINDOW].sum(axis=1)
        return estimates.pooled(tally, cells, slice(first, last))._replace(transitions=windows)

    return by


def bad_words(tally: Tally) -> np.ndarray:
    """Bad messages about the firm in a thousand uses of it."""
    return 1000 * tally.event[..., Event.NEGATIVE_WOM] / tally.flow[..., :, 1:].sum(axis=-2)


METRICS = {
    "index x 100": (metrics.lag_index, 100),
    "leave, % of without": (metrics.left, 0),
    "join, % of without": (metrics.joined, 0),
    "bad words a 1000 uses": (bad_words, 1),
    "share, points": (metrics.share, 100),
}


def finding(table: pd.DataFrame) -> list[str]:
    """What the telephone does to each measure while it holds people, and after it has let them go."""
    groups = table.groupby(["market", "when"], sort=False)
    return [
        f"{market}, {when}: "
        + "; ".join(f"{r.metric} {said(r.value, r.error, '')}".strip() for r in rows.itertuples())
        + "."
        for (market, when), rows in groups
    ]


PHONE = {"lever": "switching_cost", "week": START, "weeks": HELD, "value": 1.7}


def margins(base: Scenario) -> dict[str, Estimate]:
    """What the telephone holds, what it makes people say, and how much of it is lost when they may go."""
    pair, j = twins(base, {"moves.phone": PHONE}), list(base.firms).index(base.focus)
    held, after = (at(pair.difference(metrics.share, by=phase(*weeks)), j) for weeks in PHASES.values())
    return {
        "the firm has more share while it can be left by telephone only": held,
        "more bad words meanwhile": at(pair.difference(bad_words, by=phase(*PHASES["held"])), j),
        "of that share less than half is left in the year after": less(Estimate(held.value / 2, held.error / 2), after),
    }


def free_to_leave(market: str, focus: str, *size: str) -> Scenario:
    """The market in which the focus can be left without trouble."""
    weeks = f"weeks={START + HELD + 2 * WINDOW}", f"window={WINDOW}"
    return change(
        study.scenario(f"market={market}", *size, *weeks), {"focus": focus, f"firms.{focus}.switching_cost": 0.0}
    )


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds the telephone holds people, and what is left."""
    tables = [pd.DataFrame()]
    for market, (focus, words) in MARKETS.items() if worlds else ():
        found = in_worlds(free_to_leave(market, focus), margins, worlds, people)
        tables.append(found.assign(claim=f"{words}: " + found.claim))
    return pd.concat(tables)


def main(people: int = 10_000, replications: int = 6, worlds: int = 0) -> pd.DataFrame:
    rows = []
    for market, (focus, words) in MARKETS.items():
        base = free_to_leave(market, focus, f"people={people}", f"replications={replications}")
        pair, j = twins(base, {"moves.phone": PHONE}), list(base.firms).index(focus)
        for name, (metric, unit) in METRICS.items():
            for when, weeks_of in PHASES.items():
                found = (pair.difference if unit else pair.relative)(metric, by=phase(*weeks_of))
                rows.append((words, when, name, *((unit or 100) * e[j] for e in found)))
    table = pd.DataFrame(rows, columns=["market", "when", "metric", "value", "error"])
    print("Change against the same people who could leave freely all along")
    print(table.round(2).to_string(index=False))
    shown = table.assign(row=table.market + ", " + table.when)
    title = "What the telephone holds, and what is left when people may go"
    picture = figures.dots(shown, "row", panel="metric", title=title)
    keep("cancel_by_phone", table, picture, finding=finding(table) + sentences(headlines(worlds, min(people, PEOPLE))))
    return table


if __name__ == "__main__":
    play(main, FAST)
