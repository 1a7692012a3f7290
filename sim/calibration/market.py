"""From a panel to the folder of a calibrated market."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.calibration.chains import Progress
from sim.calibration.choices import Choices, choices_of, ranked_brands, take_households, take_purchases
from sim.calibration.draws import DRAWS, LINE, of_providers, of_purchases
from sim.calibration.figure import draw
from sim.calibration.fit import Fitted, fit
from sim.calibration.posterior import HOUSEHOLDS, POPULATION, write_posterior
from sim.calibration.preset import (
    CALENDAR,
    MARKET,
    PEOPLE,
    Numbers,
    Time,
    calendar_text,
    firm_names,
    has_calendar,
    preset_text,
    write_people,
)
from sim.calibration.provider_forecast import JOINING, LEAVING
from sim.calibration.provider_text import preset_text as provider_preset
from sim.calibration.provider_text import report_text as provider_report
from sim.calibration.providers import (
    ProviderMarket,
    calibrate_providers,
    figure_of_fit,
    figure_of_twin,
    write_tables,
)
from sim.calibration.providers import side_by_side as provider_twin
from sim.calibration.report import text
from sim.calibration.settings import number
from sim.calibration.twin import figure, lines, side_by_side
from sim.calibration.weeks import MOST_WEEKS, Prices, prices_by_week, rates, unit_of, weeks_of, with_prices
from sim.panel.report import read_summary
from sim.panel.types import Panel, PanelError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT, FIGURE, TWIN, TWIN_FIGURE = "report.txt", "fit.png", "twin.csv", "twin.png"
FILES = (MARKET, PEOPLE, CALENDAR, DRAWS, POPULATION, HOUSEHOLDS, LEAVING, JOINING, REPORT, FIGURE, TWIN, TWIN_FIGURE)


@dataclass
class Calibration:
    """A panel with the market that was fitted to it."""

    fitted: Fitted
    choices: Choices
    time: Time
    read: list[str]
    about: list[str]
    prices: Prices
    unit: str
    title: str
    seed: int


def calibrate(
    panel: Panel,
    progress: Progress,
    seed: int = 1,
    unit: str | None = None,
    title: str = "Mine",
    like: str = "",
) -> Calibration | ProviderMarket:
    """Fit the simulator's choice rule to a panel. PanelError where a panel cannot tell anything of it.

    `unit` of its times: date, week, day or none; None = as the panel has it. A panel of customers with one provider at
    a time becomes a market of providers, beginning from the preset `like` ("" = the nearest).
    """
    if panel.provider and len(panel.brands) > 1:
        return calibrate_providers(panel, progress, firm_names, seed, unit, title, like)
    if like:
        raise PanelError(["like: is for providers (one at a time); this panel is of purchases"])
    read = [*read_summary(panel), *(f"! {w}" for w in panel.warnings)]
    choices, weeks, prices, unit, about = prepared(panel, unit)
    rate, shape, relative = rates(panel, weeks)
    fitted = fit(choices, firm_names(choices.brands), seed, progress)
    fitted.posterior.paid, fitted.posterior.unit = prices, unit
    mine = weeks[choices.place] if weeks is not None and np.ptp(weeks) < MOST_WEEKS else None
    hh = panel.hh[choices.place[choices.start[:-1]]]
    time = Time(mine, rate, shape, None if relative is None else relative[hh])
    return Calibration(fitted, choices, time, read, about, prices, unit, title, seed)


def prepared(panel: Panel, unit: str | None = None) -> tuple[Choices, np.ndarray | None, Prices, str, list[str]]:
    """(choices to fit, week of each purchase of the panel, prices by week, unit of time, sentences on all this).

    PanelError where a panel cannot tell anything of a market.
    """
    _refuse(panel)
    found, sentence = unit_of(panel)
    unit = found if unit is None else unit
    about = [sentence] if sentence else []
    weeks = weeks_of(panel, unit)
    prices, sentence = prices_by_week(panel, weeks)
    about += [sentence] if sentence else []
    choices, sentences = sized(choices_of(with_prices(panel, weeks, prices), ranked_brands(panel)))
    return choices, weeks, prices, unit, [*about, *sentences]


def _refuse(panel: Panel) -> None:
    wrong = []
    if len(panel.brands) < 2:
        wrong.append("there is one firm only; a market is fitted to choices between brands")
    elif (np.bincount(panel.hh) < 2).all():
        wrong.append(
            "no household bought twice: how people differ cannot be told from chance, so there is nothing to fit"
        )
    elif not panel.ordered:
        wrong.append(
            "the rows are not in the order of purchase, so habit cannot be told from taste; measure the panel instead "
            "(panel=FILE), or say panel.ordered=yes if you know better"
        )
    if wrong:
        raise PanelError([f"panel: {w}" for w in wrong])


def sized(choices: Choices) -> tuple[Choices, list[str]]:
    """The choices from which the population is estimated, and sentences on what is left aside."""
    most, said = int(number("size", "purchases")), []
    n = np.diff(choices.start)
    if n.max() > most:
        said.append(f"Of {int((n > most).sum())} households with more, the last {most:,} purchases are used.")
        choices = take_purchases(choices, choices.nth >= (n - most)[choices.hh])
    households = int(number("size", "households"))
    total = np.cumsum(np.diff(choices.start)) * len(choices.brands)
    keep = min(households, max(2, int(np.searchsorted(total, number("size", "choices"), "right"))))
    if keep < len(choices.households):
        said.append(
            f"The population is estimated from {keep:,} of {len(choices.households):,} households, chosen at random; "
            "`predict` and `simulate` infer the others from their history and the population."
        )
        choices = take_households(choices, np.arange(keep))
    return choices, said


def write(done: Calibration | ProviderMarket, folder: Path) -> list[str]:
    """Write all files to a folder; returns sentences on what could not be made."""
    if isinstance(done, ProviderMarket):
        return _write_providers(done, folder)
    posterior, choices = done.fitted.posterior, done.choices
    twin = side_by_side(posterior, choices)
    numbers, told = Numbers(posterior), lines(twin, len(choices.households))
    report = text(done.fitted, numbers, choices, done.time, done.about, done.read, told)
    preset = preset_text(posterior, numbers, choices, done.time, done.seed, done.title)
    (folder / MARKET).write_text(preset + LINE, encoding="utf-8")
    (folder / DRAWS).write_text(of_purchases(posterior, numbers, preset), encoding="utf-8")
    (folder / REPORT).write_text(report, encoding="utf-8")
    twin.to_csv(folder / TWIN, index=False, lineterminator="\n")
    if has_calendar(posterior, done.time):
        assert done.time.weeks is not None
        (folder / CALENDAR).write_text(calendar_text(posterior, choices, done.time.weeks), encoding="utf-8")
    write_people(posterior, numbers, choices, done.time, folder)
    write_posterior(posterior, folder)
    name = done.title
    failures = _drawn(folder / TWIN_FIGURE, lambda: figure(twin, f"The panel and its twin: {name}"))
    inner = done.fitted.inner
    if inner is None:
        return [*failures, "There is no figure of the fit: too few purchases to hold any out."]
    return failures + _drawn(folder / FIGURE, lambda: draw(inner, f"Predicted against observed: {name}"))


def _write_providers(done: ProviderMarket, folder: Path) -> list[str]:
    table = provider_twin(done)
    preset = provider_preset(done)
    (folder / MARKET).write_text(preset + LINE, encoding="utf-8")
    (folder / DRAWS).write_text(of_providers(done.fitted, preset), encoding="utf-8")
    (folder / REPORT).write_text(provider_report(done), encoding="utf-8")
    table.to_csv(folder / TWIN, index=False, lineterminator="\n")
    write_tables(done, folder)
    failures = _drawn(folder / TWIN_FIGURE, lambda: figure_of_twin(done, table))
    return failures + _drawn(folder / FIGURE, lambda: figure_of_fit(done))


def _drawn(path: Path, make: "Callable[[], Figure]") -> list[str]:
    """Save a figure; a sentence where it cannot be drawn, for the numbers are written already."""
    try:
        from sim.report import figures

        figures.save(make(), path, "png")
    except Exception as error:  # a failed drawing must not lose the numbers
        path.unlink(missing_ok=True)
        return [f"{path.name} could not be drawn ({' '.join(str(error).split())[:120]})"]
    return []


def joined(history: Panel | None, panel: Panel, brands: int) -> tuple[Choices, np.ndarray]:
    """(the purchases of a history and what follows, households as in the files; [i] where what follows begins).

    Their brands are in the posterior's order. Households of the history that have nothing to follow are left out.
    """
    order = np.arange(brands)
    later = choices_of(panel, order, canonical=False)
    if history is None:
        return later, later.start[:-1].copy()
    earlier = choices_of(history, order, canonical=False)
    most, size = int(number("size", "purchases")), np.diff(earlier.start)
    earlier = take_purchases(earlier, earlier.nth >= (size - most)[earlier.hh])
    place = {name: i for i, name in enumerate(earlier.households.tolist())}
    source = np.array([place.get(name, -1) for name in later.households.tolist()], np.int64)
    before, after = np.where(source >= 0, np.diff(earlier.start)[source], 0), np.diff(later.start)
    start = np.r_[0, np.cumsum(before + after)].astype(np.int64)
    given = start[:-1] + before
    row, hh = np.arange(start[-1]), np.repeat(np.arange(len(after)), before + after)
    past = row < given[hh]
    old = (earlier.start[source[hh]] + row - start[hh])[past]
    new = (later.start[hh] + row - given[hh])[~past]

    def block(name: str) -> np.ndarray | None:
        a, b = getattr(earlier, name), getattr(later, name)
        return None if a is None or b is None else _interleaved(a[old], b[new], past)

    y, at = _interleaved(earlier.y[old], later.y[new], past), _interleaved(earlier.place[old], later.place[new], past)
    prices, features, displays = map(block, ("prices", "features", "displays"))
    found = replace(later, start=start, y=y, place=at, prices=prices, features=features, displays=displays)
    return found, given


def _interleaved(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """One array: `first` where the mask is true, `second` where it is not."""
    result = np.empty((len(mask), *second.shape[1:]), second.dtype)
    result[mask], result[~mask] = first, second
    return result
