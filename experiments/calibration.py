"""Which numbers of the presets were fitted, to which facts, and what would be found again?

Question: with what values of the free parameters do the target facts come out, and how well are they determined?
Design: one parameter to one quantity of one fact, each by the secant method on the logarithm of the parameter from the
shipped value, in the order below, those before held at what was found; two passes, since some move each other. Facts
marked `held_out` in conf/facts.yaml are never a target; the program refuses them.
Identification: *attention* sets how often one looks, state dependence, habit and taste how often looking means leaving,
so annual switching alone (#16) fixes only their product: the exits of a forced look (#22) fix the second, and who ever
switched (#18) the spread of the first over people. *Taste against habit* on a shelf: penetrations and requirements fix
their sum (#5, #7), sole users over a year against a quarter and the slope over firms (#3, #6) their mix, because habit
feeds large firms; the order of purchases (#30) is held out and checks it. *Severity against action* of a scandal: what
is said fixes severity x care (#35, #55), what is done then fixes action (#36, #39, #53, #54). *Action against spill*:
sales of the peers over one's own (#56) do not move with action. *Action against trust*: what is thought of the cars
(#58) moves with trust alone. Trust and uncertainty on a shelf, friction and most prices are not identified by any fact
and stay assumptions.
"""

import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim import study
from sim.facts import scoreboard
from sim.facts.runs import RunCache
from sim.model.declare import leaves
from sim.model.scenario import to_dict
from sim.report import figures
from sim.report.experiment import keep


class Free(NamedTuple):
    """A number of a preset, and the quantity of a fact that it is to bring to a target."""

    preset: str
    path: str
    fact: int
    quantity: str
    target: float


FREE = (
    Free("market=toothpaste_uk", "market.taste_concentration", 7, "sole", 0.10),
    Free("market=bank", "consumer.attention", 17, "bank", 10.0),
    Free("market=mobile", "consumer.attention", 17, "mobile", 14.0),
    Free("market=energy_nl", "consumer.attention", 16, "energy, % a year", 12.0),
    Free("market=health_insurance_nl", "consumer.attention", 16, "health insurance, % a year", 6.5),
    Free(
        "market=health_insurance_nl",
        "market.attention_concentration",
        18,
        "ever in ten years / if all were alike",
        0.71,
    ),
    Free("market=health_insurance_nl", "consumer.cx_weight", 19, "better elsewhere, %", 57.0),
    Free("market=streaming", "market.taste_concentration", 22, "exits of the event, % of base", 31.0),
    Free("market=streaming", "consumer.attention", 22, "exits a month before, %", 3.1),
    Free("market=streaming", "market.early_attention", 95, "first year / second", 2.15),
    Free("market=cars_us", "market.taste_concentration", 34, "middle", 55.0),
    Free("market=bank", "market.incident_attention", 69, "providers: done, %", 2.0),
    Free("scandal=fraud", "scandals.fraud.harm_action", 38, "unresolved", 2.8),
    Free("scandal=breach_talktalk", "scandals.talktalk.action", 36, "exits, % of base", 1.5),  # .9 more do not come
    Free("scandal=coop_bank", "market.avoidance", 51, "customers lost in two quarters, %", 1.0),
    Free("market=bank", "kinds.ethics.action", 128, "accounts closed, %", 2.5),
    Free("scandal=breach_target", "scandals.target.action", 39, "first quarter, %", -5.5),
    Free("scandal=boycott_budlight", "scandals.boycott.action", 53, "weeks 13 to 26, %", -29.0),
    Free("scandal=dieselgate_us", "scandals.dieselgate.action", 54, "America, half a year, %", -20.0),
    Free("scandal=dieselgate_us", "scandals.dieselgate.spillover", 56, "spillover / own", 0.35),
    Free("scandal=dieselgate_us", "market.trust_scandal", 58, "fall of quality / of buzz", 0.23),
)


def shipped(free: Free) -> float:
    """The value in conf/."""
    node = to_dict(study.uncalibrated(free.preset))
    for step in free.path.split("."):
        node = node[step]
    return float(node)


def allowed(free: Free) -> tuple[float, float]:
    """The range in which the number is declared."""
    (declared,) = (d for path, _, d in leaves(study.uncalibrated(free.preset)) if path == free.path)
    return float(declared.low or 0), float(declared.high or np.inf)


def fit(free: Free, tuned: dict[str, dict[str, float]], people: int, steps: int) -> dict[str, float]:
    """The value that brings the quantity to its target, by the secant method, and what it brings it to."""
    assert not scoreboard.facts()[free.fact].held_out, f"fact {free.fact} is held out"

    def reached(value: float) -> tuple[float, float]:
        numbers = {**tuned, free.preset: {**tuned.get(free.preset, {}), free.path: value}}
        value, error = scoreboard.checks()[free.fact](RunCache(people, tuned=numbers))[free.quantity]
        return float(value), float(error)

    x = tuned.get(free.preset, {}).get(free.path) or shipped(free)
    low, high = allowed(free)
    xs = [x, 1.2 * x if 1.2 * x <= high else x / 1.2]
    found = [reached(x) for x in xs]
    for _ in range(steps):
        slope = (found[-1][0] - found[-2][0]) / np.log(xs[-1] / xs[-2])
        with np.errstate(divide="ignore"):  # a number that has moved nothing yet is moved as far as it may be
            step = np.clip((free.target - found[-1][0]) / slope, -0.4, 0.4)
        following = float(np.clip(xs[-1] * np.exp(step), low, high))
        if following == xs[-1]:  # the target lies beyond the range
            break
        xs.append(following)
        found.append(reached(xs[-1]))
        if abs(found[-1][0] - free.target) < found[-1][1]:
            break
    value, error = found[-1]
    return {
        "found": xs[-1],
        "found.error": float(abs(xs[-1] * error / slope)),
        "reached": value,
        "reached.error": error,
    }


def draw(table: pd.DataFrame) -> Figure:
    """Found over shipped, parameter by parameter, with 95 % intervals."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes, ratio = figure.subplots(), table.found / table.shipped
    spread = figures.INTERVAL * table["found.error"] / table.shipped
    axes.errorbar(ratio, range(len(table)), xerr=spread, fmt="o", color=figures.MARK)
    axes.axvline(1, color=figures.INK, linewidth=0.8)
    names = [f"{preset.split('=')[1]}: {path}" for preset, path in zip(table.preset, table.path, strict=True)]
    axes.set_yticks(range(len(table)), names, fontsize=8)
    axes.set(xlabel="value found again / value shipped, with its 95 % interval", title="The fitted numbers")
    return figure


def finding(table: pd.DataFrame) -> list[str]:
    """How many numbers are found again within two standard errors of what is shipped, and which are not."""
    away = (table.found - table.shipped).abs() / table["found.error"]
    lines = [f"{int((away <= 2).sum())} of {len(table)} numbers are found again within two standard errors."]
    for r in table[away > 2].to_dict(orient="records"):
        found = f"{r['found']:.3g} ± {r['found.error']:.1g}"
        lines.append(f"{r['preset']} {r['path']}: {found} for {r['shipped']:.3g} (#{r['fact']}).")
    return lines


def main(people: int = 20_000, passes: int = 2, steps: int = 3) -> pd.DataFrame:
    tuned: dict[str, dict[str, float]] = {}
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for _ in range(passes):
        for free in FREE:
            line = {**free._asdict(), "shipped": shipped(free), **fit(free, tuned, people, steps)}
            tuned.setdefault(free.preset, {})[free.path] = float(line["found"])
            rows[free.preset, free.path] = line
            print(*(f"{k} {v:.4g}" if isinstance(v, float) else v for k, v in line.items()), sep="; ", flush=True)
    table = pd.DataFrame(rows.values())
    print(table.round(4).to_string(index=False))
    keep("calibration", table, draw(table), finding=finding(table))
    return table


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
