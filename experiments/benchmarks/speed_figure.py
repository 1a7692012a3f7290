"""The figure of the speed experiment: speed by people, cost by firms, cost by what is changed."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from experiments.benchmarks.speed_table import AGENTS, CLAIM, CLAIM_PEOPLE, KERNEL, MESA, SPEED
from sim.report import figures

LINES = {  # what, threads: color, dashes, label
    (KERNEL, 2): (figures.PALETTE[1], "--", "kernel, 2 threads"),
    (KERNEL, 1): (figures.PALETTE[1], "-", "kernel, 1 thread"),
    (AGENTS, 1): (figures.PALETTE[2], "-", "the same rules, agent by agent"),
    (MESA, 1): (figures.PALETTE[0], "-", "Mesa, idiomatic"),
}


def draw(table: pd.DataFrame, middle: int) -> Figure:
    """Dots are medians, bars the range over rounds; the claim is a tick."""
    speed = table[table.unit == SPEED]
    with rc_context(figures.STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(13, 6.4), layout="constrained")
        axes = figure.subplot_mosaic("pv;fv", height_ratios=[1.5, 1], width_ratios=[1.25, 1])
        _by_people(axes["p"], speed)
        by_firms = speed[speed.what.str.fullmatch(r"\d+ firms")]
        _by_firms(axes["f"], by_firms)
        changed = speed[speed.against.eq("cost / as it is") & ~speed.what.isin(by_firms.what)]
        _by_change(axes["v"], changed, middle)
        figure.legend(*axes["p"].get_legend_handles_labels(), loc="outside lower left", ncols=6, fontsize=9)
        figure.suptitle("Speed, and what it costs", x=0.01, ha="left", weight="bold")
    return figure


def _by_people(axes, speed):
    for (what, threads), (color, dashes, label) in LINES.items():
        rows = speed[(speed.what == what) & (speed.threads == threads)].sort_values("people")
        spread = (rows["median"] - rows.low, rows.high - rows["median"])
        axes.errorbar(rows.people, rows["median"], spread, color=color, ls=dashes, marker="o", ms=4, label=label)
    limit = speed[speed.what.str.startswith("limit")].sort_values("people")
    axes.plot(limit.people, limit["median"], color="#888888", ls=":", label="limit: all state in and out")
    axes.plot(CLAIM_PEOPLE, CLAIM, marker="_", ms=22, mew=2, color=figures.INK, ls="", label="claim, 1 thread")
    axes.set(xscale="log", yscale="log", ylim=(0.02, None), xlabel="people", ylabel=SPEED)
    axes.set_title("Speed by people")
    axes.grid(axis="y", color="#EEEEEE")


def _by_firms(axes, rows):
    cost = 1e3 / rows[["median", "high", "low"]]
    spread = (cost["median"] - cost.high, cost.low - cost["median"])
    axes.errorbar(rows.firms, cost["median"], spread, color=figures.PALETTE[1], marker="o", ms=4, capsize=3)
    axes.set(xlim=(0, None), ylim=(0, None), xlabel="firms", ylabel="ns a person-week")
    axes.set_title("Cost by firms, one thread")


def _by_change(axes, rows, middle):
    rows = rows.iloc[::-1]
    at, ratio = range(len(rows)), rows[["ratio", "least", "most"]]
    axes.barh(at, ratio.ratio - 1, left=1, color=figures.REST, height=0.66)
    spread = (ratio.ratio - ratio.least, ratio.most - ratio.ratio)
    axes.errorbar(ratio.ratio, at, xerr=spread, fmt="none", ecolor=figures.INK, elinewidth=1.1, capsize=2)
    axes.axvline(1, color="#888888", lw=1)
    axes.set_yticks(at, rows.what.str.replace("_", " "))
    axes.set(xscale="log", ylim=(-0.6, len(rows) - 0.4))
    axes.set_xlabel(f"times the market as it is; one thread, {middle:,} people")
    ticks = [t for t in (0.1, 0.25, 0.5, 1, 2, 4, 8) if 0.8 * ratio.least.min() < t < 1.25 * ratio.most.max()]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.tick_params(axis="y", length=0)
    axes.set_title("Cost by what is changed")
