"""The metrics of the simulator on a panel, as a tidy table with errors over households.

What only counts purchases is taken over the whole panel as one window. What needs customers to be customers before
they are watched (usage ratio, repeat rate, churn) fixes them on the first 70 % of each household's purchases and
measures on the rest, so that nobody is a customer by virtue of the uses that are counted. What needs the order of
purchases is left out of a panel that has none.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from sim import metrics
from sim.metrics import Array, Estimate, Metric, estimate, jackknife, pooled
from sim.panel.files import Panel, read
from sim.panel.record import after_start, counts, group_of, select, tally
from sim.tally import Count, Tally

FEWEST = 4  # purchases from which a household has a before and an after


def own_ratio(t: Tally) -> Array:
    """Purchases of the firm over those of the others by all who bought it, U = SCR / (1 - SCR).

    Flattered by selection, as the purchase that makes a customer is counted; see `chance_ratio`.
    """
    own, category = t.window[..., Count.USES], t.window[..., Count.CATEGORY]
    return own / (category - own)


def repeat(t: Tally) -> Array:
    """R, the share of consecutive purchases that repeat the brand."""
    again, elsewhere = (t.window[..., what].sum(axis=-1) for what in (Count.ADJACENT, Count.SWITCHED))
    return again / (again + elsewhere)


def repeat_shuffled(t: Tally) -> Array:
    """R had the purchases of each household come in any other order (exact expectation): tastes alone."""
    return t.window[..., Count.SHUFFLED].sum(axis=-1) / t.window[..., Count.SHUFFLED_FOLLOWED].sum(axis=-1)


def repeat_chance(t: Tally) -> Array:
    """R had the purchases been dealt out to anybody: sum of shares before x shares after."""
    known = t.flow[..., 1:, 1:]
    both = known.sum(axis=-1) * known.sum(axis=-2)
    return both.sum(axis=-1) / known.sum(axis=(-2, -1)) ** 2


def repeat_by_order(t: Tally) -> Array:
    """R - R shuffled: what order adds, habit or drifting taste."""
    return repeat(t) - repeat_shuffled(t)


COUNTED: dict[str, Metric] = {
    "stickiness": metrics.pair_index,
    "own_ratio": own_ratio,
    "share": metrics.share,
    "penetration": metrics.penetration,
    "frequency": metrics.frequency,
    "requirements": metrics.requirements,
    "sole_users": metrics.sole_users,
    "once_users": metrics.once_users,
}
IN_ORDER: dict[str, Metric] = {"next_use": metrics.next_use, "habit_part": metrics.habit_part}
AFTER: dict[str, Metric] = {
    "usage_ratio": metrics.usage_ratio,
    "repeat_rate": metrics.repeat_rate,
    "churn": metrics.churn,
}
MARKET: dict[str, Metric] = {
    "category_mean": metrics.category_mean,
    "polarisation": metrics.polarisation,
    "duplication_coefficient": metrics.duplication_coefficient,
    "ever_switched": metrics.ever_switched,
}
MARKET_IN_ORDER: dict[str, Metric] = {
    "repeat": repeat,
    "repeat_shuffled": repeat_shuffled,
    "repeat_chance": repeat_chance,
    "repeat_by_order": repeat_by_order,
}


def measure(source: Any, **columns: Any) -> Any:
    """Every metric a panel (or the file at a path) can tell, tidy: group, firm ("" = the market), metric, value, error.

    Names are those of `metrics.table`, and mean the same. Besides: own_ratio U and own_ratio_lift U/U0 (1 = no
    loyalty), next_use R_j, and of the market repeat, repeat_shuffled, repeat_chance, repeat_by_order, its order_z
    (standard errors of shuffling), concentration S. `attrs["warnings"]` are the panel's.
    """
    import pandas as pd

    panel = source if isinstance(source, Panel) else read(source, **columns)
    whole = pooled(tally(panel))
    found = {name: estimate(metric, whole) for name, metric in COUNTED.items()} | _refitted(panel, whole)
    market = {name: estimate(metric, whole) for name, metric in MARKET.items()} | _spread(panel)
    if panel.ordered:
        found |= {name: estimate(metric, whole) for name, metric in IN_ORDER.items()}
        found |= {name: estimate(metric, later(panel)) for name, metric in AFTER.items()}
        market |= {name: estimate(metric, whole) for name, metric in MARKET_IN_ORDER.items()}
        market["order_z"] = Estimate(np.array(order_z(panel)), np.array(1.0))
    rows = [
        ("all", brand, name, float(e.value[j]), float(e.error[j]))
        for name, e in found.items()
        for j, brand in enumerate(panel.brands)
    ]
    rows += [("all", "", name, float(e.value), float(e.error)) for name, e in market.items()]
    frame = pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])
    frame.attrs["warnings"] = list(panel.warnings)
    return frame


def later(panel: Panel) -> Tally:
    """The last 30 % of the purchases of households with 4 or more, with who was a customer in the first 70 %."""
    part = select(panel, np.bincount(panel.hh) >= FEWEST)
    if not len(part.households):
        return pooled(tally(part))
    both = metrics.by_window(tally(part, after_start(part)))
    names = ("window", "both", "buyers", "kept", "faithful", "standing")
    return both._replace(**{name: getattr(both, name)[:, -1] for name in names})


def order_z(panel: Panel) -> float:
    """How many standard errors the repeats lie above those of shuffled purchases.

    Exact moments of the number of runs when the n purchases of a household, n_j of each brand, are permuted (Mood
    1940, Ann. Math. Statist. 11, 367): variance of repeats, with a = sum n_j^2 and b = sum n_j^3,
    (a (a + n (n + 1)) - 2 n b - n^3) / (n^2 (n - 1)).
    """
    x = counts(panel).astype(float)
    x = x[x.sum(axis=1) > 1]
    n, a, b = x.sum(axis=1), (x**2).sum(axis=1), (x**3).sum(axis=1)
    variance = ((a * (a + n * (n + 1)) - 2 * n * b - n**3) / (n**2 * (n - 1))).sum()
    same = panel.hh[1:] == panel.hh[:-1]
    repeats = (same & (panel.y[1:] == panel.y[:-1])).sum()
    return float((repeats - ((a - n) / n).sum()) / np.sqrt(variance)) if variance > 0 else float("nan")


def chance_ratio(x: Array) -> Array:
    """U0_j, the own ratio of a brand nobody is loyal to: buyers of j are then selected by how much they buy.

    SCR0 = s_j sum n / sum n (1 - (1 - s_j)^n), from purchases x [H, J] with shares s_j; U0 = SCR0 / (1 - SCR0).
    """
    n, s = x.sum(axis=1), x.sum(axis=0) / x.sum()
    requirements = s * n.sum() / (n[:, None] * (1 - (1 - s) ** n[:, None])).sum(axis=0)
    return requirements / (1 - requirements)


def concentration(x: Array) -> float:
    """S of the Dirichlet from purchases x [H, J], given how much each household buys (maximum likelihood).

    The purchase incidence half of the NBD-Dirichlet is left free, for panels are seldom without selection on it:
    log L = sum_j sum_r #(x_j > r) ln(a_j + r) - sum_r #(n > r) ln(S + r), S = sum_j a_j.
    """
    brands = [_exceeding(x[:, j]) for j in range(x.shape[1])]
    every = _exceeding(x.sum(axis=1))

    def minus(log_a: Array) -> tuple[float, Array]:
        a = np.exp(log_a)
        terms, slopes = zip(*(_rising(a[j], brands[j]) for j in range(len(a))), strict=True)
        total, slope = _rising(a.sum(), every)
        return total - sum(terms), (slope - np.array(slopes)) * a

    start = np.log(np.maximum(x.sum(axis=0) / x.sum(), 1e-9))
    fitted = optimize.minimize(minus, start, jac=True, method="L-BFGS-B", bounds=[(-25, 12)] * len(start))
    return float(np.exp(fitted.x).sum())


def _exceeding(n: Array) -> Array:
    """#(n > r) for r = 0, 1, .."""
    return len(n) - np.cumsum(np.bincount(n.astype(int)))[:-1]


def _rising(a: float, people: Array) -> tuple[float, float]:
    """sum_r people_r ln(a + r) and its slope in a."""
    steps = a + np.arange(len(people))
    return float((people * np.log(steps)).sum()), float((people / steps).sum())


def _left_out(panel: Panel, law: Callable[[Array], Any]) -> Array:
    """[fold, ...] of a law of purchases [H, J]: over everybody, then without each group in turn."""
    x, groups = counts(panel), group_of(len(panel.households))
    return np.array([law(x), *(law(x[groups != g]) for g in np.unique(groups))])


def _refitted(panel: Panel, whole: Tally) -> dict[str, Estimate]:
    """Excess over the fitted Dirichlet, and the own ratio over that of a brand without loyalty."""
    phi = 1 / (1 + _left_out(panel, concentration))
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = metrics.pair_index(metrics.folds(whole)) - phi[:, None]
        lift = own_ratio(metrics.folds(whole)) / _left_out(panel, chance_ratio)
        return {"excess": jackknife(excess), "own_ratio_lift": jackknife(lift)}


def _spread(panel: Panel) -> dict[str, Estimate]:
    s = _left_out(panel, concentration)
    return {"dirichlet_phi": jackknife(1 / (1 + s)), "concentration": jackknife(s)}
