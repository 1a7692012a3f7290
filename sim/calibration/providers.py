"""From a panel of customers with one provider at a time to the folder of a calibrated market."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.calibration.chains import Progress
from sim.calibration.histories import WEEKS_A_MONTH, Histories, events, histories_of, step_of
from sim.calibration.provider_chances import Chances, counted
from sim.calibration.provider_figures import Figures, of_firms, of_market, retention
from sim.calibration.provider_fit import ProviderFit, fit, provider_presets
from sim.calibration.provider_forecast import write_chances
from sim.calibration.provider_holdout import Held, hold_out
from sim.calibration.provider_market import observe
from sim.calibration.settings import number
from sim.model.declare import ScenarioError, did_you_mean
from sim.panel.report import read_summary
from sim.panel.types import Panel, PanelError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawing

STAY_MONTHS, FEWEST_WATCHED = (3, 6, 12, 24, 36, 60), 30  # months of retention; new customers seen as long
TWINS = 10  # runs of a market with as many people as the panel has
OF_FIRM = {"share": "share", "churn": "moves elsewhere in a period", "joins": "part of those who come"}


@dataclass
class ProviderMarket:
    """A panel of providers with the market that was fitted to it."""

    histories: Histories
    fitted: ProviderFit
    held: Held | None
    chances: Chances
    twins: list[tuple[Figures, Figures]]  # of the market and of firms, each of as many people as the panel
    stay: list[tuple[str, float, float, float, float]]  # retention: after how long, panel, error, twin, spread
    prices: np.ndarray | None
    read: list[str]
    about: list[str]
    names: tuple[str, ...]
    title: str
    seed: int


def calibrate_providers(
    panel: Panel,
    progress: Progress,
    names_of: Callable[[tuple[str, ...]], tuple[str, ...]],
    seed: int = 1,
    unit: str | None = None,
    title: str = "Mine",
    like: str = "",
) -> ProviderMarket:
    """Fit the nearest market of providers (or that named by `like`) to a panel; PanelError where it cannot tell."""
    read = [*read_summary(panel), *(f"! {w}" for w in panel.warnings)]
    progress("reading histories", 0.0)
    _check_like(like)
    h, about = histories_of(panel, int(number("provider", "customers")), unit)
    _refuse(h)
    prices, sentence = prices_of(panel, h)
    names = names_of(h.firms)
    held = hold_out(h, prices, names, seed, like, progress)
    fitted = fit(h, prices, names, seed, like, progress)
    people = int(number("provider", "table"))
    joins = fitted.firms["joins"].value()
    progress("counting chances", 0.0)
    chances = counted(fitted.market, h, joins, people, seed + 3, names, step_of(panel))
    size = len(h.y)
    seen = [observe(fitted.market, h, size, (seed + 10 + n) % 2**31) for n in range(TWINS)]
    twins = [(of_market(one), of_firms(one)) for one in seen]
    told = [*about, *sentence]
    return ProviderMarket(h, fitted, held, chances, twins, stays(h, seen), prices, read, told, names, title, seed)


def stays(h: Histories, runs: Sequence[Histories]) -> list[tuple[str, float, float, float, float]]:
    """(after so many months, panel, its error, twin, spread of runs) of new customers who are there still."""
    value, error, watched = retention(h)
    twin = [retention(one)[0] for one in runs]
    found = []
    for months in STAY_MONTHS:
        k = round(months * WEEKS_A_MONTH / h.weeks)
        if 1 <= k <= min([len(value), *map(len, twin)]) and watched[k - 1] >= FEWEST_WATCHED and value[k - 1] < 1:
            each = np.array([t[k - 1] for t in twin])
            row = float(value[k - 1]), float(error[k - 1]), float(each.mean()), float(each.std())
            found.append((f"there after {months} months", *row))
    return found


def _check_like(like: str) -> None:
    known = provider_presets()
    if like and like not in known:
        raise ScenarioError([f"like: {like!r} is no market of providers{did_you_mean(like, known)}"])


def _refuse(h: Histories) -> None:
    fewest, wrong = int(number("provider", "fewest_moves")), []
    e = events(h) if h.periods > 1 else None
    moves = 0 if e is None else int(((e.then >= 0) & (e.then != e.now)).sum())
    if len(h.firms) > np.iinfo(h.y.dtype).max:
        wrong.append(f"{len(h.firms)} firms; panel.top=30 pools the small ones")
    if moves < fewest:
        wrong.append(
            f"of {len(h.y):,} customers in {h.periods} periods {moves} went to another provider; at least {fewest} "
            "moves are needed to fit a market; panel=FILE measures the panel, and market=bank or market=mobile with "
            "your firms' shares (firms.NAME.share=) answers without it"
        )
    if wrong:
        raise PanelError([f"panel: {w}" for w in wrong])


def prices_of(panel: Panel, h: Histories) -> tuple[np.ndarray | None, list[str]]:
    """([j] price of each firm over the mean, or None; a sentence): medians over its rows."""
    order = [panel.brands.index(firm) for firm in h.firms]
    if panel.prices is not None:
        level = np.median(panel.prices[:, order], axis=0)
    elif panel.paid is not None and np.isfinite(panel.paid).any():
        level = np.array([_median(panel.paid[panel.y == j]) for j in order])
    else:
        return None, []
    if not (np.isfinite(level) & (level > 0)).all():
        return None, ["Prices are not used: there is none of some firm."]
    mean = float(np.average(level, weights=np.bincount(panel.y, minlength=len(order))[order]))
    said = "Prices of firms are the medians of the file over their mean; what a price does rests on literature."
    return level / mean, [said]


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")


def side_by_side(done: ProviderMarket) -> "pd.DataFrame":
    """Firm ("" = the market), metric, panel, error, twin, spread; a row a figure.

    `error` is that of the panel over customers, `spread` the standard deviation of runs of as many people.
    """
    import pandas as pd

    rows: list[tuple[str, str, float, float, float, float]] = []
    for name in done.fitted.targets:
        figure = done.fitted.figures[name]
        each = np.array([float(market[name].value()) for market, _ in done.twins])
        rows.append(
            ("", name, float(figure.value()), float(figure.error()), float(np.nanmean(each)), float(each.std()))
        )
    rows += [("", *row) for row in done.stay]
    for j, firm in enumerate(done.names):
        for name in OF_FIRM:
            figure = done.fitted.firms[name]
            value, error = float(figure.value()[j]), float(figure.error()[j])
            each = np.array([float(firms[name].value()[j]) for _, firms in done.twins])
            rows.append((firm, name, value, error, float(each.mean()), float(each.std())))
    return pd.DataFrame(rows, columns=["firm", "metric", "panel", "error", "twin", "spread"])


def points(done: ProviderMarket) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """(observed, expected, standard deviation of runs) by statistic and kind of data, for the figure of the fit."""
    found: dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    parts: Mapping[str, tuple[tuple[Figures, Figures], list[tuple[Figures, Figures]]]] = {
        "fitted": ((done.fitted.figures, done.fitted.firms), done.twins)
    }
    if done.held is not None:
        parts = {**parts, "held out": ((done.held.market, done.held.firms), done.held.runs)}
    tenures = [n for n in done.fitted.figures if n.startswith("moves, months")]
    for kind, (seen, runs) in parts.items():
        for label, name in (("Share of each firm", "share"), ("Moves from each firm in a period", "churn")):
            each = np.array([run[1][name].value() for run in runs])
            found.setdefault(label, {})[kind] = seen[1][name].value(), each.mean(axis=0), each.std(axis=0)
        known = [n for n in tenures if seen[0][n].known()]
        each = np.array([[float(run[0][n].value()) for n in known] for run in runs]).reshape(len(runs), -1)
        value = np.array([float(seen[0][n].value()) for n in known])
        found.setdefault("Moves in a period, by tenure", {})[kind] = value, each.mean(axis=0), each.std(axis=0)
        each = np.array([run[1]["switching"].value() for run in runs])
        matrix = seen[1]["switching"].value(), each.mean(axis=0), each.std(axis=0)
        found.setdefault("Switching, pairs of firms", {})[kind] = matrix
    return found


def figure_of_fit(done: ProviderMarket) -> "Drawing":
    """Four panels: shares, moves by firm and by tenure, switching; fitted, and held out."""
    from sim.report import figures

    panels = {n: k for n, k in points(done).items() if any(np.nansum(seen) > 0 for seen, _, _ in k.values())}
    return figures.predicted(panels, f"Predicted against observed: {done.title}")


def figure_of_twin(done: ProviderMarket, table: "pd.DataFrame") -> "Drawing":
    """The panel and its twin, a row a firm."""
    from sim.report import figures

    firms = table[table["firm"] != ""]
    panels = {}
    for metric, label in OF_FIRM.items():
        mine = firms[firms["metric"] == metric]
        panels[label] = (mine["twin"].to_numpy(), mine["spread"].to_numpy(), mine["panel"].to_numpy())
    title = f"The panel and its twin: {done.title}"
    return figures.side_by_side(panels, list(done.names), title, ("the panel", "its twin, 95 % of runs"))


def write_tables(done: ProviderMarket, folder: Path) -> None:
    """posterior.parquet and the chances."""
    done.fitted.posterior.draws.to_parquet(folder / "posterior.parquet", index=False)
    write_chances(done.chances, folder)
