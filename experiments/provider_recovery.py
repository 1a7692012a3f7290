"""Does a market fitted to a panel of providers behave as the one that the panel came from?

Question: `stickiness calibrate` makes a market of providers from histories. Are moving, retention, shares and
concentration those of the population that the panel was drawn from, also where that is no market of this simulator?
Design: panels of customers in 36 months from four generators: this simulator (the preset `mobile` with other numbers);
customers whose hazard of leaving is gamma distributed, as in the beta-geometric, with a switching matrix; the same with
customers who are all alike; and a market that is not at rest, in which an entrant wins nearly half of all who move. The
truth is that of a hundred times as many customers. Every panel is fitted as the command does, from the nearest preset.
Reading: the market's figure less the truth, in standard errors of the panel, by generator and figure; errors beyond
two say what the model does not hold.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from sim.calibration import settings
from sim.calibration.histories import WEEKS_A_MONTH, Histories
from sim.calibration.provider_figures import MOVES, of_firms, of_market, retention
from sim.calibration.provider_fit import fit
from sim.calibration.provider_market import changed, observe, with_firms
from sim.panel.folds import PANEL_FOLDS
from sim.report import figures
from sim.report.experiment import keep, play
from sim.study.presets import uncalibrated

FAST = {"people": 300, "seeds": 1, "percent": 4}
MONTHS, PAST, TRUTH = 36, 120, 100_000
SHARE, LEAVE, EXIT = (0.45, 0.30, 0.17, 0.08), (0.008, 0.012, 0.015, 0.020), 0.003  # a month
MATRIX = ((0, 5, 3, 2), (7, 0, 2, 1), (5, 4, 0, 1), (4, 2, 4, 0))  # where those who leave go
ENTRANT = ((0, 4, 2, 5), (5, 0, 2, 5), (4, 3, 0, 5), (4, 3, 2, 0))
OURS = {"market.taste_concentration": 15.0, "market.attention_concentration": 60.0, "consumer.attention": 0.014}
ENOUGH = 2.0


def hazards(
    people: int, seed: int, shape: float, matrix: tuple[tuple[float, ...], ...], share: tuple[float, ...] = SHARE
) -> Histories:
    """Customers with a gamma hazard of leaving (mean 1, so much `shape`) times that of their firm, seen for 36 months.

    No rule of the simulator is used. Some leave the category and others come in their places.
    """
    rng = np.random.default_rng([seed, people])
    firms, leave = len(share), np.array(LEAVE)
    to = np.array(matrix, float)
    to /= to.sum(axis=1, keepdims=True)
    own, last, who = rng.gamma(shape, 1 / shape, people), rng.choice(firms, people, p=share), np.arange(people)
    total, rows = people, []
    for month in range(-PAST, MONTHS):
        if month >= 0:
            rows.append((who.copy(), np.full(people, month), last.copy()))
        goes = rng.random(people) < -np.expm1(-leave[last] * own)
        target = (rng.random(people)[:, None] > to[last].cumsum(axis=1)).sum(axis=1)
        last = np.where(goes, target, last)
        gone = np.flatnonzero(rng.random(people) < EXIT)
        who[gone] = total + np.arange(len(gone))
        total += len(gone)
        own[gone], last[gone] = rng.gamma(shape, 1 / shape, len(gone)), rng.choice(firms, len(gone), p=share)
    numbers, months, with_firm = map(np.concatenate, zip(*rows, strict=True))
    ids, place = np.unique(numbers, return_inverse=True)
    y = np.full((len(ids), MONTHS), -1, np.int8)
    y[place, months] = with_firm
    return histories(y)


def histories(y: np.ndarray) -> Histories:
    """A panel of these customers."""
    ids = np.arange(len(y))
    names = ("a", "b", "c", "d", "e", "f")[: int(y.max()) + 1]
    return Histories(names, y, np.full(len(y), -1, np.int32), WEEKS_A_MONTH, ids % PANEL_FOLDS, ids)


def ours(people: int, seed: int) -> Histories:
    """Customers of a market of this simulator."""
    market = changed(with_firms(uncalibrated("market=mobile"), ("a", "b", "c", "d"), np.array(SHARE), None), OURS)
    return observe(
        market, histories(np.arange(len(SHARE), dtype=np.int8)[:, None].repeat(MONTHS, 1)), people, 5_000 + seed
    )


def entrant(people: int, seed: int) -> Histories:
    """A market in which the smallest firm wins nearly half of those who move, and nobody has got used to it yet."""
    return hazards(people, seed, 0.8, ENTRANT)


GENERATORS: dict[str, Callable[[int, int], Histories]] = {
    "this simulator": ours,
    "gamma hazards": lambda people, seed: hazards(people, seed, 0.8, MATRIX),
    "all alike": lambda people, seed: hazards(people, seed, 100.0, MATRIX),
    "entrant": entrant,
}


def smaller(sizes: dict[str, float], part: float) -> dict[str, float]:
    """The sizes of a fit, made smaller."""
    if part >= 1:
        return sizes
    least = {"points": 72, "people": 500, "settled": 500, "rounds": 6}
    return {n: max(low, int(part * sizes[n])) for n, low in least.items()} | {"keep": 0.5, "passes": 1}


def measures(h: Histories) -> dict[str, tuple[float, float]]:
    """Figure -> (value, standard error over customers)."""
    market, firms = of_market(h), of_firms(h)
    share, error = firms["share"].value(), firms["share"].error()
    stay, stay_error, _ = retention(h)
    found = {"moves a month": (float(market[MOVES].value()), float(market[MOVES].error()))}
    for months in (3, 12, 24):
        if len(stay) >= months:
            found[f"new ones there after {months} months"] = float(stay[months - 1]), float(stay_error[months - 1])
    found["HHI"] = float(share @ share), float(2 * np.sqrt((share * error) @ (share * error)))
    for j, firm in enumerate(h.firms):
        found[f"share of {firm}"] = float(share[j]), float(error[j])
        found[f"churn of {firm}"] = tuple(float(f[j]) for f in (firms["churn"].value(), firms["churn"].error()))  # type: ignore[assignment]
    return found


def finding(table: pd.DataFrame) -> list[str]:
    """How many figures lie within two standard errors, and which generator is farthest."""
    known = table.dropna(subset=["z"])
    if not len(known):
        return ["too few customers to tell"]
    within = (known.z.abs() < ENOUGH).groupby(known.generator, sort=False).mean()
    whole = 100 * (known.z.abs() < ENOUGH).mean()
    said = [
        f"{whole:.0f} % of {len(known)} figures lie within {ENOUGH:g} standard errors of the truth: "
        + ", ".join(f"{name} {100 * part:.0f} %" for name, part in within.items())
        + "."
    ]
    far = known.assign(far=known.z.abs()).groupby(["generator", "figure"], sort=False).z.mean()
    name = far.abs().idxmax()
    return [*said, f"Farthest: {name[1]} of `{name[0]}`, {far[name]:+.1f} standard errors in the mean of the panels."]


def main(people: int = 3_000, seeds: int = 3, percent: int = 100) -> pd.DataFrame:
    """Fit each panel; `percent` of the points and people of the settings are used."""
    rows: list[tuple[object, ...]] = []
    sizes: dict[str, float] = settings.settings()["provider"]  # type: ignore[assignment]
    before, part = dict(sizes), percent / 100
    try:
        sizes.update(smaller(before, part))
        for name, made in GENERATORS.items():
            truth = measures(made(max(int(part * TRUTH), 4 * people), 999))
            for seed in range(1, seeds + 1):
                h = made(people, seed)
                like = "mobile" if part < 1 else ""
                found = fit(h, None, h.firms, seed, like, lambda what, done: None)
                mine, panel = measures(observe(found.market, h, max(int(part * TRUTH), people), 7)), measures(h)
                for figure, (value, error) in panel.items():
                    away = mine[figure][0] - truth[figure][0]
                    z = away / error if error > 0 else float("nan")
                    rows.append((name, seed, found.preset, figure, truth[figure][0], value, error, mine[figure][0], z))
                print(name, seed, found.preset, flush=True)
    finally:
        sizes.update(before)
    columns = ["generator", "seed", "preset", "figure", "truth", "panel", "error", "market", "z"]
    table = pd.DataFrame(rows, columns=columns)
    means = table.groupby(["generator", "figure"], sort=False)[["truth", "market", "error"]].mean().reset_index()
    panels = {
        name: {"fitted": tuple(mine[c].to_numpy() for c in ("truth", "market", "error"))}
        for name, mine in means.groupby("generator", sort=False)
    }
    keep("provider_recovery", table, figures.predicted(panels, "Truth and fitted market"), finding=finding(table))
    return table


if __name__ == "__main__":
    play(main, FAST)
