"""The rule learned on the casebook: from attributes to the distribution of a new scandal's worst stretch.

y is the logit of the loss in %, floored where nobody can measure it. A ridge over a few products of attributes gives
its center; effects act among goods and shops, since providers lose little whatever it is. The penalty is chosen by
leaving events out. Around the center lie the errors of the cases, each left out with its event (the signed form of
jackknife+, Barber et al. 2021), scaled to the scatter of their sort, those of the same sort counting most: no law is
assumed, so tails are as heavy as they were. Gains are apart: how often there is one is counted by sort, shrunk to all.
An attribute that is not known is taken from the cases that agree in what is known, one after another.

The late value (20 to 65 weeks) follows from the worst stretch alone, by a line in y and its errors: attributes add
nothing to it once the worst is known. A worst stretch that was observed is known up to a reading's error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.casebook.cases import KINDS, REGIMES, SHARES, Attributes, Case, casebook

Floats = npt.NDArray[np.float64]
MOST = 98.0  # % of loss
OTHER_SORTS = 0.25  # weight of an error of another sort
WORTH = 6.0  # cases of its sort that the scatter, and 2 that the chance of a gain, of all weighs as much as
GAIN_WORTH = 2.0
GAIN = 1.0  # % from which a rise is a gain
READING_ERROR, READINGS = 0.41, 41  # SD of a reading, logits: the casebook's ranges read as 90 %; points that show it
DONORS = 5  # cases that agree in what is known, at least


SORTS = ("providers", "danger to the body", "politics at home", "others")  # cases whose errors scatter alike
HOME = 2  # among goods and shops, with no nation accused: the only sort in which some gained


class Spread(NamedTuple):
    """A distribution of % change (a loss is negative): points in rising order, the weight of each (sum 1), their worth.

    `size` is how many equal points they are worth: a quantile is that of a sample, point k of n at k / (n + 1).
    """

    change: Floats
    weight: Floats
    size: float

    def quantile(self, u: float | Sequence[float] | Floats) -> Floats:
        """Quantiles, linear between the points."""
        middle = np.cumsum(self.weight) - self.weight / 2
        place = 0.5 + (middle - 0.5) * self.size / (self.size + 1)
        return np.asarray(np.interp(u, place, self.change), np.float64)

    def chance(self, low: float, high: float) -> float:
        """The chance of a change from `low` up to `high`."""
        return float(self.weight[(self.change >= low) & (self.change < high)].sum())


@dataclass(frozen=True)
class Rule:
    """What is learned: terms, for each event left out the coefficients without it, and the errors of the cases."""

    terms: tuple[str, ...]
    floor: float
    cases: tuple[Case, ...]
    sorts: npt.NDArray[np.int64]
    models: Floats  # [case, 1 + terms] of the fit without the case's event
    errors: Floats  # [case]
    scatter: Floats  # [sort]
    gains: Floats  # [2] chance of a gain: of any case, of politics at home
    rises: Floats  # sizes of the gains, %
    line: Floats  # [2] intercept and slope of the late y on the worst
    late_errors: Floats  # of cases left out with their event


def logit_of(change: npt.ArrayLike, floor: float) -> Floats:
    """The logit of the loss; a change smaller than `floor` %, or a gain, counts as the floor.

    >>> logit_of([-50.0, 3.0], 0.25).round(2).tolist()
    [0.0, -5.99]
    """
    loss = np.clip(-np.asarray(change, float), floor, MOST) / 100
    found: Floats = np.log(loss / (1 - loss))
    return found


def change_of(y: npt.ArrayLike) -> Floats:
    """% change of a logit of loss."""
    found: Floats = -100 / (1 + np.exp(-np.asarray(y, float)))
    return found


def fit(cases: Sequence[Case] | None = None, terms: Sequence[str] | None = None) -> Rule:
    """Learn the rule on cases with a worst stretch; those of the casebook and its terms unless given."""
    shipped, settings = casebook()
    used = tuple(c for c in (shipped if cases is None else cases) if "peak" in c.readings)
    names = tuple(_texts(settings["terms"]) if terms is None else terms)
    floor = float(str(settings["floor"]))
    penalties = [float(p) for p in _texts(settings["penalties"])]
    value = np.array([c.readings["peak"].value for c in used])
    sorts = np.array([sort_of(c.attributes) for c in used])
    gained = value >= GAIN
    x, y, event = design([c.attributes for c in used], names), logit_of(value, floor), [c.cluster for c in used]
    keep = np.flatnonzero(~gained)
    models, errors = _left_out(x[keep], y[keep], [event[n] for n in keep], penalties)
    scatter = np.array([_scatter(errors, sorts[keep] == s) for s in range(len(SORTS))])
    overall = (gained.sum() + 0.5) / (len(used) + 1)
    home = sorts == HOME
    gains = np.array([(gained[g].sum() + GAIN_WORTH * overall) / (g.sum() + GAIN_WORTH) for g in (~home, home)])
    rises = np.sort(value[gained]) if gained.any() else np.array([2.0])
    line, late = _late_line([c for c in used if "late" in c.readings], floor)
    kept = tuple(used[n] for n in keep)
    return Rule(names, floor, kept, sorts[keep], models, errors, scatter, gains, rises, line, late)


def predict(rule: Rule, known: Attributes) -> Spread:
    """The distribution of the worst stretch of a case of which these attributes are known."""
    changes, weights, sizes = [], [], []
    for share, full in completions(rule, known):
        at, weight = _losses(rule, full)
        sizes.append(1 / (weight**2).sum())
        gain = rule.gains[int(sort_of(full) == HOME)]
        changes += [at, rule.rises]
        weights += [share * (1 - gain) * weight, np.full(len(rule.rises), share * gain / len(rule.rises))]
    change, weight = np.concatenate(changes), np.concatenate(weights)
    order = np.argsort(change, kind="stable")
    return Spread(change[order], weight[order], float(np.mean(sizes)))


def late_of(rule: Rule, worst: Spread) -> Spread:
    """The distribution of the change at 20 to 65 weeks after a worst stretch that is so distributed."""
    y = rule.line[0] + rule.line[1] * logit_of(worst.change, rule.floor)[:, None] + rule.late_errors
    change, many = change_of(np.minimum(y, logit_of(-MOST, rule.floor))).ravel(), len(rule.late_errors)
    change[change > -rule.floor] = 0.0
    weight = np.repeat(worst.weight / many, many)
    order = np.argsort(change, kind="stable")
    return Spread(change[order], weight[order], min(worst.size, many))


def observed(rule: Rule, change: float) -> Spread:
    """The distribution of the worst stretch once a first stretch was observed: a reading's error around it."""
    score = np.array([NormalDist().inv_cdf((k + 0.5) / READINGS) for k in range(READINGS)])
    points = np.full(READINGS, change)
    if change < -rule.floor:
        points = change_of(logit_of(change, rule.floor) - READING_ERROR * score)
    order = np.argsort(points, kind="stable")
    return Spread(points[order], np.full(READINGS, 1 / READINGS), READINGS)


def _losses(rule: Rule, full: Attributes) -> tuple[Floats, Floats]:
    """Points of the loss and their weights; what lies below the floor is no change."""
    row = np.concatenate([[1.0], design([full], rule.terms)[0]])
    sort = sort_of(full)
    y = rule.models @ row + rule.errors * rule.scatter[sort] / rule.scatter[rule.sorts]
    weight = np.where(rule.sorts == sort, 1.0, OTHER_SORTS)
    order = np.argsort(-y, kind="stable")
    y, weight = y[order], weight[order] / weight.sum()
    change = change_of(np.minimum(y, logit_of(-MOST, rule.floor)))
    change[change > -rule.floor] = 0.0
    return change, weight


def completions(rule: Rule, known: Attributes) -> list[tuple[float, Attributes]]:
    """(weight, all attributes): what is not known is as in each case that agrees in regime and kind, in turn."""
    missing = [name for name in ("regime", "kind", *SHARES[:1], *SHARES[2:]) if name not in known]
    if not missing:
        return [(1.0, known)]
    agree = [c for c in rule.cases if all(c.attributes.get(n) == known[n] for n in ("regime", "kind") if n in known)]
    if len(agree) < DONORS:
        agree += [c for c in rule.cases if "kind" in known and c.attributes["kind"] == known["kind"] and c not in agree]
    if len(agree) < DONORS:
        agree += [
            c for c in rule.cases if "regime" in known and c.attributes["regime"] == known["regime"] and c not in agree
        ]
    found = [{**c.attributes, **known} for c in agree]
    return [(1 / len(found), full) for full in found]


def sort_of(known: Attributes) -> int:
    """The sort of a case, by which errors scatter alike: a place in SORTS."""
    if known.get("regime") == "provider":
        return 0
    if known.get("kind") == "body":
        return 1
    return 2 if known.get("kind") == "conscience" and not known.get("nation") else 3


def design(rows: Sequence[Attributes], terms: Sequence[str]) -> Floats:
    """[case, term] products of attributes."""
    return np.array(
        [[float(np.prod([_atom(row, name) for name in t.split(" * ")])) for t in terms] for row in rows]
    ).reshape(len(rows), len(terms))


def _atom(row: Attributes, name: str) -> float:
    if name in REGIMES:
        return float(row["regime"] == name)
    if name in KINDS:
        return float(row["kind"] == name)
    return float(row.get(name, 0.0))


def _texts(values: object) -> list[str]:
    return [str(v) for v in values] if isinstance(values, list) else []


def _scatter(errors: Floats, mine: npt.NDArray[np.bool_]) -> float:
    """SD of the errors of a sort, shrunk to that of all."""
    return float(np.sqrt(((errors[mine] ** 2).sum() + WORTH * (errors**2).mean()) / (mine.sum() + WORTH)))


def _left_out(x: Floats, y: Floats, event: Sequence[str], penalties: Sequence[float]) -> tuple[Floats, Floats]:
    """For each case the coefficients of the fit without its event, and its error there."""
    models = np.empty((len(y), 1 + x.shape[1]))
    events = np.array(event)
    for name in dict.fromkeys(event):
        out = events == name
        models[out] = _ridge(x[~out], y[~out], _penalty(x[~out], y[~out], penalties))
    return models, y - (models * np.column_stack([np.ones(len(y)), x])).sum(axis=1)


def _late_line(cases: Sequence[Case], floor: float) -> tuple[Floats, Floats]:
    """Intercept and slope of the late y on the worst, and the errors of cases left out."""
    worst, late = (logit_of([c.readings[name].value for c in cases], floor) for name in ("peak", "late"))
    _, errors = _left_out(worst[:, None], late, [c.cluster for c in cases], [0.0])
    return _ridge(worst[:, None], late, 0.0), errors


def _ridge(x: Floats, y: Floats, penalty: float) -> Floats:
    """Intercept and coefficients, the intercept free."""
    mean, sd = x.mean(axis=0), _sd(x)
    z = (x - mean) / sd
    slope = np.linalg.solve(z.T @ z + penalty * np.eye(x.shape[1]), z.T @ (y - y.mean())) / sd
    return np.concatenate([[y.mean() - mean @ slope], slope])


def _penalty(x: Floats, y: Floats, penalties: Sequence[float]) -> float:
    """The penalty with the least error of cases left out, in closed form."""
    u, size, _ = np.linalg.svd((x - x.mean(axis=0)) / _sd(x), full_matrices=False)
    kept = size**2 / (size**2 + np.array(penalties)[:, None])  # [penalty, term]
    fitted = y.mean() + (kept * (u.T @ y)) @ u.T
    leverage = 1 / len(y) + kept @ (u**2).T
    return float(penalties[int(np.argmin((((y - fitted) / (1 - leverage)) ** 2).sum(axis=1)))])


def _sd(x: Floats) -> Floats:
    return np.where(x.std(axis=0) > 1e-9, x.std(axis=0), 1.0)
