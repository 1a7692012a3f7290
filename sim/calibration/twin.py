"""A panel and its twin side by side: the same households on the same occasions, choosing by the calibrated rule."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sim.calibration.choices import Choices
from sim.calibration.forecast import occasions, simulate
from sim.calibration.posterior import Posterior
from sim.measure.estimates import jackknife
from sim.panel.count import select_households, select_purchases
from sim.panel.folds import fold_of
from sim.panel.measures import Values, measured
from sim.panel.types import Panel

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

TWINS = 20  # free runs of all households
OF_BRAND = {
    "share": "share",
    "penetration": "penetration",
    "category_requirements": "SCR",
    "next_use": "repeat rate",
}
OF_MARKET = {
    "repeat": "repeat rate of the market",
    "repeat_by_order": "of it, what order adds",
    "dirichlet_phi": "polarization phi",
    "duplication_coefficient": "duplication D",
}


def side_by_side(posterior: Posterior, choices: Choices, twins: int = TWINS) -> "pd.DataFrame":
    """The fitted panel beside its twin, as `compared` has it.

    The twin is what the market's preset holds: every household with tastes and habit drawn from its posterior, from
    its first purchase on, at the prices and promotions of its purchases.
    """
    at = occasions(choices, choices.start[1:].copy(), posterior.households, posterior.digests)
    at = replace(at, given=choices.start[:-1].copy())
    return compared(choices, posterior.firms, simulate(replace(posterior, pool={posterior.simulator: 1.0}), at, twins))


def compared(choices: Choices, firms: Sequence[str], runs: np.ndarray) -> "pd.DataFrame":
    """Firm ("" = the market), metric, panel, error, twin, spread; a row a figure, firms in the order of the choices.

    `runs` [run, n] are choices made anew at the same purchases. `error` is that of the panel over households, `spread`
    the standard deviation of the runs.
    """
    import pandas as pd

    panel = _panel(choices)
    order, halves = np.argsort(choices.place), np.arange(len(panel.households)) % 2
    seen = measured(panel, fold_of(panel))
    drawn = [measured(replace(panel, y=run[order]), halves) for run in runs]
    rows = []
    for number, firm in enumerate(["", *firms]):
        for name in OF_BRAND if firm else OF_MARKET:
            if name in seen:
                at_firm = (number - 1,) if firm else ()
                value, error = (float(v[at_firm]) for v in jackknife(seen[name].each))
                each = np.array([_whole(found, name, at_firm) for found in drawn])
                rows.append((firm, name, value, error, each.mean(), each.std()))
    return pd.DataFrame(rows, columns=["firm", "metric", "panel", "error", "twin", "spread"])


def _whole(found: Values, name: str, place: tuple[int, ...]) -> float:
    return float(found[name].each[0][place]) if name in found else float("nan")


def _panel(choices: Choices) -> Panel:
    """The purchases as a panel again: brands in their order here, households as in the file."""
    rows = np.zeros(len(choices.panel.y), bool)
    rows[choices.place] = True
    part = select_purchases(choices.panel, rows)
    order = np.argsort(choices.place)
    part = replace(part, y=choices.y[order], brands=choices.brands, weights=None, quantity=None)
    return select_households(part, np.bincount(part.hh, minlength=len(part.households)) > 0)


def lines(table: "pd.DataFrame", households: int) -> list[str]:
    """The table as text."""
    said = [
        f"{households:,} households chose anew on their own occasions, from the first on, {TWINS} times, as the preset "
        "has them.",
        "Their tastes were estimated from these very purchases; what was held out is above. Panel +- error over "
        "households, twin +- spread of runs.",
    ]
    width = max([len(n) for n in [*OF_MARKET.values(), *table["firm"]]]) + 2
    brands = table[table["firm"] != ""]
    for metric, name in OF_BRAND.items():
        mine = brands[brands["metric"] == metric]
        if len(mine):
            said.append(f"{name + ', %':<{width}}{'panel':>14}{'twin':>16}")
            said += [f"{row.firm:<{width}}{_pair(row, 100)}" for row in mine.itertuples()]
    said.append(f"{'the market':<{width}}{'panel':>14}{'twin':>16}")
    for row in table[table["firm"] == ""].itertuples():
        said.append(f"{OF_MARKET[str(row.metric)]:<{width}}{_pair(row, 1)}")
    return said


def _pair(row: object, scale: int) -> str:
    form = "{:7.1f} +- {:.1f}" if scale == 100 else "{:7.3f} +- {:.3f}"
    one = form.format(scale * row.panel, scale * row.error)  # type: ignore[attr-defined]
    two = form.format(scale * row.twin, scale * row.spread)  # type: ignore[attr-defined]
    return f"{one:>14}{two:>16}"


def figure(table: "pd.DataFrame", title: str) -> "Figure":
    """Dots of the twin against ticks of the panel, a row a firm, a panel a metric."""
    from sim.report import figures

    brands = table[table["firm"] != ""]
    panels = {}
    for metric, name in OF_BRAND.items():
        mine = brands[brands["metric"] == metric]
        if len(mine):
            panels[name] = (mine["twin"].to_numpy(), mine["spread"].to_numpy(), mine["panel"].to_numpy())
    names = list(dict.fromkeys(brands["firm"]))
    return figures.side_by_side(panels, names, title, ("the panel", "its twin, 95 % of runs"))
