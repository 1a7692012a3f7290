"""The hacked firm, and those who never were its customers.

Question: after a data breach, is it the customers who walk away, or those who never were customers who stay away?
Design: TalkTalk as it went (`breach_talktalk`) and a breach of the same kind at a bank (`bank`, Lloyds); each against
the same people without the breach, for a year.
Reading: per quarter, how many more leave and how many fewer join, in % of the firm's customers at the news, by segment;
what is missing after a year is their sum. Paired errors.
"""

import numpy as np
import pandas as pd

from sim import study
from sim.measure import metrics
from sim.measure.estimates import Estimate
from sim.measure.tally import Tally
from sim.model.fields import Scenario
from sim.report import figures
from sim.report.experiment import keep, largest, play, said
from sim.report.headlines import PEOPLE, at, in_worlds, sentences
from sim.study.twins import spells, with_and_without_events

FAST = {"people": 500, "replications": 2, "worlds": 2}
YEAR, QUARTER = 52, 13  # weeks
STAY_AWAY = "fewer who join"
GROUPS = {"": "everybody", "skeptical": "skeptical", "ethical": "ethical", "habitual": "habitual"}


def moved(scenario: Scenario, words: str) -> list[tuple]:
    """Rows: market, segment, what, quarter (0 = the year), value and error in % of the customers at the news."""
    pair, j = with_and_without_events(scenario), list(scenario.firms).index(scenario.focus)
    week = min(s.week for s in scenario.scandals.values())
    base = pair.control.tally.flow[:, week, :, :, j + 1].sum()  # a use a week and customer
    rows = []
    for segment, name in GROUPS.items():
        for what, metric, sign in (("more who leave", metrics.left, 1), (STAY_AWAY, metrics.joined, -1)):
            quarters = pair.difference(metric, segment, spells(*range(week, week + YEAR + 1, QUARTER)))
            whole = pair.difference(metric, segment, spells(week, week + YEAR))
            found = (np.concatenate([w[:, j], q[:, j]]) for w, q in zip(whole, quarters, strict=True))
            scaled = [100 * sign * found_one / base for found_one in found]
            rows += [(words, name, what, q, v, abs(e)) for q, (v, e) in enumerate(zip(*scaled, strict=True))]
    print(f"{words}: common draws save {pair.variance_saved(metrics.joined)[j]:.1%} of the variance of those who join")
    return rows


def finding(table: pd.DataFrame) -> list[str]:
    """Of everybody and each segment: how many more leave, and how many fewer join, in the year."""
    groups = table[table.quarter == 0].groupby(["market", "segment"], sort=False)
    return [
        f"{market}, {segment}: " + "; ".join(f"{r.what} {said(r.value, r.error, '%')}" for r in rows.itertuples()) + "."
        for (market, segment), rows in groups
    ]


def title_of(table: pd.DataFrame) -> str:
    """Whom the hacked firm misses most after a year, those who left or those who did not join, in each market."""
    year = table[(table.quarter == 0) & (table.segment == "everybody")]
    most = {market.split(": ")[1]: largest(rows, "what") for market, rows in year.groupby("market", sort=False)}
    return "Because of the breach: " + "; ".join(f"{firm}: {what}" for firm, what in most.items())


def margins(base: Scenario) -> dict[str, Estimate]:
    """By how many more stay away than leave, in the year after the breach; leavers and joiners of the same people."""
    pair, j = with_and_without_events(base), list(base.firms).index(base.focus)
    week = min(s.week for s in base.scandals.values())

    def fewer_join(tally: Tally) -> np.ndarray:
        return -metrics.joined(tally) - metrics.left(tally)

    found = pair.difference(fewer_join, by=spells(week, week + YEAR))
    return {"more stay away than leave": at(Estimate(found.value[0], found.error[0]), j)}


def headlines(worlds: int, people: int = PEOPLE) -> pd.DataFrame:
    """In how many plausible worlds those who never came are the larger loss."""
    tables = [pd.DataFrame()]
    asked = {
        "Broadband: TalkTalk": ["scandal=breach_talktalk"],
        "Banks: Lloyds": ["market=bank", "scandal=data_breach"],
    }
    for words, presets in asked.items() if worlds else ():
        found = in_worlds(study.scenario(*presets, "weeks=104"), margins, worlds, people)
        tables.append(found.assign(claim=f"{words}: " + found.claim))
    return pd.concat(tables)


def main(people: int = 10_000, replications: int = 10, worlds: int = 0) -> pd.DataFrame:
    size = f"people={people}", f"replications={replications}", "weeks=104"
    talktalk = study.scenario("scandal=breach_talktalk", *size)
    breach = [f"scandals.data_breach.{n}={getattr(talktalk.scandals['talktalk'], n)}" for n in ("severity", "action")]
    bank = study.scenario("market=bank", "scandal=data_breach", *breach, *size)
    rows = moved(talktalk, "Broadband: TalkTalk") + moved(bank, "Banks: Lloyds")
    table = pd.DataFrame(rows, columns=["market", "segment", "what", "quarter", "value", "error"])
    print("Because of the breach, % of the firm's customers at the news (quarter 0: the whole year)")
    print(table.round(3).to_string(index=False))
    year = table[table.quarter == 0]
    label = "in a year, % of the firm's customers at the news"
    keep(
        "hacked",
        table,
        figures.dots(year, "segment", "what", "market", title_of(table), label),
        finding=finding(table) + sentences(headlines(worlds, min(people, PEOPLE))),
    )
    return table


if __name__ == "__main__":
    play(main, FAST)
