"""A scandal that is news today: how well is its cost known beforehand, and once a first quarter is seen?

Question: how far does a rule learned on the casebook's famous cases foretell an event that it has not seen, how wide
are honest intervals, and does the simulator, with its numbers drawn by the rule, give the same?
Design: every event left out in turn, the rule learned anew on the others (terms fixed, penalty chosen inside, errors
and chances of a gain counted inside). Rivals, with the same machinery: no attributes; the regime; regime and kind; all
attributes for providers and goods alike (the casebook's first rule). Then three markets in which a new scandal is drawn
and lived.
Reading: share of events inside the 80 % interval (72 to 88 % is right), share with the median within a factor 3 of the
odds, error of the median, width and interval score (width + 10 x what lies beyond it) in logits, errors over events;
median and interval of the simulated change against the casebook's, %.
"""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sim import study
from sim.casebook.left_out import Prediction, predictions, scores
from sim.casebook.new_scandal import Drawn, foretold, in_market
from sim.casebook.rule import Spread, fit
from sim.report import figures
from sim.report.experiment import keep, play

FAST = {"people": 1_500, "draws": 9}
KINDS = ["data", "body", "money", "service", "price"]
RULES = {
    "no attributes": [],
    "regime": ["provider"],
    "regime, kind": ["provider", *KINDS],
    "all alike": ["provider", *KINDS, "subs", "conscience * core", "nation", "supply"],
    "the rule": None,
}
HOME = {"self": 0.0, "subs": 1.0, "core": 1.0, "nation": 0.0, "supply": 0.0}
MARKETS = {
    "bank": {"regime": "provider", "kind": "data", "self": 0.5, "subs": 0.5, "core": 0.0, "nation": 0.0, "supply": 0.0},
    "beer_us": {"regime": "repertoire", "kind": "conscience", **HOME},
    "restaurants_us": {"regime": "repertoire", "kind": "body", **HOME, "self": 1.0},
}
LEVELS = (0.1, 0.5, 0.9)


def lived(market: str, people: int, draws: int) -> tuple[Drawn, tuple[Spread, Spread]]:
    """Draws of a new scandal in a market, and what the casebook foretells."""
    rule, known = fit(), MARKETS[market]
    base = study.scenario(f"market={market}", "scandal=new", f"people={people}", "weeks=104")
    return in_market(base, rule, known, draws), foretold(rule, known)


def draw(found: list[Prediction]) -> Figure:
    """Every event left out: what happened against the interval predicted, the worst first."""
    rows = sorted(found, key=lambda p: p.value)
    with rc_context(figures.STYLE):
        figure = Figure(figsize=(9, 11), layout="constrained")
        axes = figure.subplots()
        for n, p in enumerate(rows):
            low, middle, high = p.quantiles
            axes.plot([low, high], [n, n], color=figures.FOCUS, alpha=0.35, linewidth=5, solid_capstyle="butt")
            axes.plot(middle, n, "|", color=figures.FOCUS, markersize=9, markeredgewidth=2)
            inside = low <= p.value <= high
            axes.plot(p.value, n, "o", color=figures.INK if inside else figures.MARK, markersize=5)
        axes.set_yticks(range(len(rows)), [f"{p.case.firm}, {p.case.place} {p.case.year}" for p in rows], fontsize=7)
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xticks([-90, -30, -10, -3, -1, 0, 1, 10], ["-90", "-30", "-10", "-3", "-1", "0", "+1", "+10"])
        axes.axvline(0, color="#BBBBBB", linewidth=0.8)
        axes.set_xlabel("change of sales or customers at the worst, %: predicted (80 %, median) and happened")
        covered = np.mean([p.quantiles[0] <= p.value <= p.quantiles[2] for p in rows])
        axes.set_title(f"Predicted from the other events, {100 * covered:.0f} % of scandals lie in their 80 % interval")
    return figure


def finding(table: pd.DataFrame) -> list[str]:
    """How each rule foretells the events left out, and what the simulated markets make of its draws."""
    lines = []
    for (when, rule), rows in table.groupby(["when", "rule"], sort=False):
        shown = (f"{r.metric} {r.value:.2f}" + f" ± {r.error:.2f}" * (r.error == r.error) for r in rows.itertuples())
        lines.append(f"{when}, {rule}: {'; '.join(shown)}.")
    return lines


def main(people: int = 6_000, draws: int = 60) -> pd.DataFrame:
    rows = []
    for when, words in (("peak", "worst"), ("late", "20-65 weeks")):
        for rule, terms in RULES.items():
            found = scores(predictions(terms, when))
            rows += [(words, rule, name, *pair) for name, pair in found.items()]
    known = scores(predictions(None, "late", seen=True))
    rows += [("20-65 weeks", "once the worst is known", name, *pair) for name, pair in known.items()]
    for market in MARKETS:
        drawn, spreads = lived(market, people, draws)
        for column, (words, spread) in enumerate(zip(("worst", "20-65 weeks"), spreads, strict=True)):
            simulated = np.quantile(drawn.simulated[:, column], LEVELS)
            for level, cases, sim in zip(LEVELS, spread.quantile(LEVELS), simulated, strict=True):
                rows.append((words, market, f"P{100 * level:.0f}, cases, %", cases, np.nan))
                rows.append((words, market, f"P{100 * level:.0f}, simulated, %", sim, np.nan))
        print(f"{market}: {drawn.beyond} of {draws} draws ask for more than the market can lose or gain", flush=True)
    table = pd.DataFrame(rows, columns=["when", "rule", "metric", "value", "error"])
    wide = table.pivot_table(index=["when", "rule"], columns="metric", values="value", sort=False)
    print(wide.round(2).to_string())
    print(table.dropna().round(2).to_string(index=False))
    keep("new_scandal", table, draw(predictions()), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
