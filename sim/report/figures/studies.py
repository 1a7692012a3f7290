"""Figures of what studies give, one line each in a notebook: twins, fates, anatomy, tables of runs, indices, levers."""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from sim.measure import estimates, metrics
from sim.measure.registry import METRICS
from sim.model.declare import ScenarioError, did_you_mean
from sim.report.figures.lines import curves
from sim.report.figures.lines import sweep as lines_of
from sim.report.figures.points import dots
from sim.report.figures.style import path_words, words
from sim.report.findings import called
from sim.study.comparison import summary

if TYPE_CHECKING:
    from sim.study.indices import Sensitivity
    from sim.study.optimum import Best
    from sim.study.twins import Twins

MOST_ROWS = 15
WERE = ("were", "stays")  # rows of a table of fates that say what others are a part of


def twins(pair: "Twins", metric: str = "share", segment: str = "") -> Figure:
    """What a change does to a metric of each firm, week by week, with the band of its paired error.

    ScenarioError for a metric that no single week has, and for one of a market.
    """
    s = pair.control.scenario
    known = metrics.firm_metrics(s.market.regime == "provider")
    weekly = {i.name for i in METRICS if i.per == "week"} & {*known}
    if metric not in weekly:
        raise ScenarioError([f"metric: {metric!r} is none of a firm and week{did_you_mean(metric, sorted(weekly))}"])
    value, error = pair.difference(known[metric], segment, by=estimates.weekly)
    rows = [
        (week, called(firm), value[week, j], error[week, j])
        for j, firm in enumerate(s.firms)
        for week in range(len(value))
    ]
    table = pd.DataFrame(rows, columns=["week", "firm", "value", "error"])
    title = f"What the change does to {words(metric).lower()}"
    return curves(table, "week", ["firm"], title=title, labels=("week", "changed minus control, 95 %"))


def leavers(pair: "Twins | pd.DataFrame") -> Figure:
    """Who left because of a change, who would have left anyway, who came back: of twins, or their table `leavers()`."""
    table = pair if isinstance(pair, pd.DataFrame) else pair.leavers()
    shown = table[~table["fate"].isin(WERE)].rename(columns={"share": "value"})
    shown = shown.assign(firm=shown["firm"].map(called))
    return dots(shown, "firm", "fate", title="What became of each firm's customers", label="share of them, 95 %")


def anatomy(table: "pd.DataFrame") -> Figure:
    """What stickiness is made of: the table of `shapley.decompose`, the larger parts first, a color for each firm."""
    order = table.groupby("mechanism")["value"].mean().sort_values(ascending=False)
    ends = [m for m in ("stickiness", "chance") if m in order]
    inner = [m for m in order.index if m not in ends and table.loc[table["mechanism"] == m, "value"].any()]
    ordered = pd.concat([table[table["mechanism"] == m] for m in [*ends[:1], *inner, *ends[1:]]])
    ordered = ordered.assign(firm=ordered["firm"].map(called))
    return dots(
        ordered, "mechanism", "firm", title="What stickiness is made of", label="Shapley share of the index, 95 %"
    )


def study(table: "pd.DataFrame", column: str, x: str = "") -> Figure:
    """A column of `study.run` against a number that was varied (`x`, or the first), a line for each other arm.

    Means over replications with their 95 % intervals. ScenarioError for unknown columns, and where no number varies.
    """
    swept = list(table.columns[1 : table.columns.get_loc("error")]) if "error" in table else []
    means = summary(table, swept, [column])
    numbers = [p for p in swept if pd.api.types.is_numeric_dtype(table[p]) and not pd.api.types.is_bool_dtype(table[p])]
    x = x or next(iter(numbers), "")
    if x not in numbers:
        if x or not swept:
            raise ScenarioError([f"x: {x!r} is no number that varies{did_you_mean(x, numbers)}"])
        rows = means.assign(arm=means[swept].astype(str).agg(", ".join, axis=1), value=means[column])
        rows["error"] = means[f"{column}.error"]
        return dots(rows, "arm", title=path_words(column), label=f"{column}, 95 %")
    others = [p for p in swept if p != x]
    return lines_of(means, x, column.partition(".")[0] if column not in means else column, others)


def sensitivity(found: "Sensitivity") -> Figure:
    """The numbers that matter most, a panel for each column, with the spread that numbers and dice give."""
    top = found.table.groupby("path")["value"].max().sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
    shown = pd.concat([found.table[found.table["path"] == path] for path in top])
    if found.method == "sobol":
        label = "total index: share of the variance left if all else were known, 95 %"
    else:
        label = "mean change as the number goes from its 5 % to its 95 % quantile, 95 %"
    spread = "; ".join(
        f"{r.column}: SD of numbers {r.parameters:.3g}, of dice {r.dice:.3g}" for r in found.dice.itertuples()
    )
    return dots(shown, "path", panel="column", title="Which numbers matter", label=f"{label}\n{spread}")


def best(found: "Best") -> Figure:
    """What a unit of money buys at the margin: the last step of each lever, and the next one."""
    rows = found.margin.assign(value=found.margin["gain_per_unit"], error=found.margin["error_per_unit"])
    return dots(
        rows, "lever", "step", title="What the last and the next step buy", label=f"{found.column} per unit, 95 %"
    )
