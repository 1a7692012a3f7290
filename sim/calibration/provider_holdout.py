"""How well a market of providers predicts: fitted to the first part of the histories, asked about the rest."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sim.calibration.chains import Progress
from sim.calibration.histories import ABSENT, Histories, events
from sim.calibration.provider_chances import Chances, counted, table_of
from sim.calibration.provider_figures import Figures, of_firms, of_market
from sim.calibration.provider_fit import fit
from sim.calibration.provider_forecast import Waiting, predict, simulate
from sim.calibration.references import bootstrap_error
from sim.calibration.settings import number

TRAINED = 0.7  # of the periods
RUNS = 20
FEWEST_PERIODS = 4
REFERENCES = ("firm by firm", "all alike")
COUNTED = "counted"  # the chances by firm, tenure and past counted in the panel itself


@dataclass
class Held:
    """What was held out, and what was expected of it."""

    first: int  # period held out first
    market: Figures
    firms: Figures
    runs: list[tuple[Figures, Figures]]  # of the market and of firms, from free runs
    share: tuple[np.ndarray, np.ndarray, np.ndarray]  # in the last period: observed, expected, SD of runs
    persist: np.ndarray  # the same had nobody moved
    likelihood: dict[str, np.ndarray]  # log-likelihood of each held-out period of a customer
    who: np.ndarray  # the customer of each


def hold_out(
    h: Histories, prices: np.ndarray | None, names: tuple[str, ...], seed: int, like: str, tell: Progress
) -> Held | None:
    """Fit to the first 70 % of the periods and predict the rest; None where there are too few moves in either part."""
    first, fewest = round(TRAINED * h.periods), int(number("provider", "fewest_moves"))
    if h.periods < FEWEST_PERIODS:
        return None
    e = events(h)
    moved = (e.then >= 0) & (e.then != e.now)
    if min((moved & (e.period < first - 1)).sum(), (moved & (e.period >= first - 1)).sum()) < fewest:
        return None
    past = h.until(first)
    if len(np.unique(past.y[past.y >= 0])) < len(h.firms):
        return None
    inner = fit(past, prices, names, seed, like, lambda what, part: tell(f"inner split: {what}", part))
    people = int(number("provider", "table"))
    chances = counted(inner.market, past, inner.firms["joins"].value(), people, seed + 3, names, 1.0)
    return evaluated(h, first, chances, seed)


def evaluated(h: Histories, first: int, chances: Chances, seed: int) -> Held:
    """What chances that know the periods before `first` say of those from there on."""
    y = h.y.astype(np.int64)
    asked = np.full(y.shape, -1, np.int64)
    there = y[:, first:] >= 0
    asked[:, first:][there] = np.arange(there.sum())
    w = Waiting(h.names.astype(str), y, asked)
    i, m = np.nonzero(there)
    known, then = _with_history(h, first)[i, m], y[i, first + m]
    past = table_of(h.until(first), chances.names, seed, 1.0, np.ones(len(h.firms)))
    likelihood = {n: _of_rows(c, w, then)[known] for n, c in (("market", chances), (COUNTED, past))}
    likelihood |= {n: r[i, m][known] for n, r in _references(h, first).items()}
    rows, drawn = simulate(chances, w, RUNS, seed)
    runs, ends = [], []
    for run in drawn:
        free = y.copy()
        free[i[rows], first + m[rows]] = run
        twin = replace(h, y=free.astype(np.int8))
        e = events(twin, first - 1)
        runs.append((of_market(twin, first - 1, e), of_firms(twin, first - 1, e)))
        ends.append(_end_share(free, len(h.firms)))
    share = _end_share(y, len(h.firms)), np.mean(ends, axis=0), np.std(ends, axis=0)
    e = events(h, first - 1)
    stay = _end_share(np.where(y[:, first - 1 :] >= 0, y[:, [first - 1]], ABSENT), len(h.firms))
    return Held(first, of_market(h, first - 1, e), of_firms(h, first - 1, e), runs, share, stay, likelihood, i[known])


def _of_rows(chances: Chances, w: Waiting, then: np.ndarray) -> np.ndarray:
    """Log-likelihood of the rows that ask."""
    rows, p = predict(chances, w)
    found = np.empty(len(rows))
    found[rows] = np.log(np.maximum(p[np.arange(len(rows)), then[rows]], 1e-12))
    return found


def _with_history(h: Histories, first: int) -> np.ndarray:
    """[i, held-out period] whether a customer is in it and in the period before: then there is a firm to stay with."""
    found: np.ndarray = (h.y[:, first:] >= 0) & (h.y[:, first - 1 : -1] >= 0)
    return found


def _end_share(y: np.ndarray, firms: int) -> np.ndarray:
    last = y[:, -1]
    return np.bincount(last[last >= 0], minlength=firms) / max(int((last >= 0).sum()), 1)


def _references(h: Histories, first: int) -> dict[str, np.ndarray]:
    """Log-likelihood [i, held-out period] of two simple models fitted to the periods before.

    `firm by firm`: a Markov chain of all moves between firms; `all alike`: one rate of moving, and where all go.
    """
    many = len(h.firms)
    e = events(h.until(first))
    stays_in = e.then >= 0
    pairs = np.bincount(e.now[stays_in] * many + e.then[stays_in], minlength=many * many).reshape(many, many) + 0.0
    moved = (pairs.sum() - np.trace(pairs)) / pairs.sum()
    to = pairs.sum(axis=0) - np.diag(pairs) + 1.0
    alike = np.tile(to, (many, 1)) * ~np.eye(many, dtype=bool)
    alike = moved * alike / alike.sum(axis=1, keepdims=True) + (1 - moved) * np.eye(many)
    own = (pairs + alike) / (pairs + alike).sum(axis=1, keepdims=True)
    now, then = h.y[:, first - 1 : -1].astype(np.int64), h.y[:, first:].astype(np.int64)
    return {name: np.log(matrix[now, then]) for name, matrix in zip(REFERENCES, (own, alike), strict=True)}


def lines(held: Held | None, firms: tuple[str, ...]) -> list[str]:
    """What was found, in words."""
    if held is None:
        return ["Too few periods or moves to hold any out: how well the market predicts is not known."]
    said = list(_likelihood_lines(held))
    seen, expected, spread = held.share
    width = max(map(len, firms)) + 2
    said.append(f"{'share at the end, %':<{max(width, 20)}}{'seen':>8}{'expected':>16}{'had nobody moved':>20}")
    for j, firm in enumerate(firms):
        about = f"{100 * expected[j]:.1f} +- {100 * spread[j]:.1f}"
        said.append(f"{firm:<{max(width, 20)}}{100 * seen[j]:>8.1f}{about:>16}{100 * held.persist[j]:>20.1f}")
    said.append(f"{'customers who move, %':<28}{'seen':>14}{'expected':>18}")
    for name, figure in held.market.items():
        if figure.known():
            each = np.array([float(market[name].value()) for market, _ in held.runs])
            about = f"{100 * each.mean():.2f} +- {100 * each.std():.2f}"
            mine = f"{100 * float(figure.value()):.2f} +- {100 * float(figure.error()):.2f}"
            said.append(f"{name:<28}{mine:>14}{about:>18}")
    return said


def _likelihood_lines(held: Held) -> Iterator[str]:
    yield f"{len(held.who):,} customer periods, the last 30 % of the file, were held out, and the rest fitted anew:"
    yield f"{'':<16}{'log-likelihood':>15}   market better by (s.e. over customers)"
    for name, ll in held.likelihood.items():
        gain = held.likelihood["market"] - ll
        by = f"{gain.mean():+9.5f} ({bootstrap_error(gain, held.who, 500):.5f})" if name != "market" else ""
        yield f"{name:<16}{ll.mean():>15.5f}   {by}"
    yield f"`{COUNTED}`: by firm, tenure and past, in the panel itself; `{REFERENCES[0]}`: all moves between firms;"
    yield f"  `{REFERENCES[1]}`: one rate of moving."
    best = max(REFERENCES, key=lambda n: held.likelihood[n].mean())
    gain = held.likelihood["market"] - held.likelihood[best]
    if gain.mean() < 2 * bootstrap_error(gain, held.who, 500):
        yield f"! Not clearly better than `{best}`: how customers differ tells little here."
