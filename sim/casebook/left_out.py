"""How good the rule is: every event predicted from the others, none of its cases seen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.casebook.cases import Case, casebook
from sim.casebook.rule import Floats, fit, late_of, logit_of, observed, predict

LEVELS = (0.1, 0.5, 0.9)
MISS = 10.0  # what a logit beyond an 80 % interval costs (Gneiting & Raftery 2007: 2 / .2)
FACTOR = 3.0  # of the odds, within which a median is near


class Prediction(NamedTuple):
    """A case left out with its event: what happened and the quantiles predicted, %."""

    case: Case
    value: float
    quantiles: Floats  # P10, P50, P90


def predictions(terms: Sequence[str] | None = None, when: str = "peak", seen: bool = False) -> list[Prediction]:
    """A prediction of every case's worst stretch ("peak") or late value, by rules that never saw its event.

    With `seen` the late value is predicted from the case's own worst stretch, as once a first quarter is known.
    """
    cases, found = casebook()[0], []
    for event in dict.fromkeys(c.cluster for c in cases if when in c.readings):
        rule = fit([c for c in cases if c.cluster != event], terms)
        for case in (c for c in cases if c.cluster == event and when in c.readings):
            if seen and "peak" not in case.readings:
                continue
            spread = observed(rule, case.readings["peak"].value) if seen else predict(rule, case.attributes)
            spread = late_of(rule, spread) if when == "late" else spread
            found.append(Prediction(case, case.readings[when].value, spread.quantile(LEVELS)))
    return found


def scores(found: Sequence[Prediction]) -> dict[str, tuple[float, float]]:
    """Name -> (value, standard error over events) of what tells how good predictions are."""
    floor = float(str(casebook()[1]["floor"]))
    value, q = np.array([p.value for p in found]), np.array([p.quantiles for p in found])
    y, (low, middle, high) = logit_of(value, floor), logit_of(q, floor).T
    inside = (q[:, 0] <= value) & (value <= q[:, 2])
    width, beyond = low - high, np.maximum(0, high - y) + np.maximum(0, y - low)
    each = {
        "80 % interval covers": inside * 100.0,
        "median within a factor 3, %": (abs(y - middle) <= np.log(FACTOR)) * 100.0,
        "error of the median, logits": (y - middle) ** 2,
        "bias of the median, logits": y - middle,
        "width of the interval, logits": width,
        "interval score, logits": width + MISS * beyond,
    }
    events = [p.case.cluster for p in found]
    return {n: _root(*_mean(x, events)) if n.startswith("error") else _mean(x, events) for n, x in each.items()}


def _mean(x: Floats, events: Sequence[str]) -> tuple[float, float]:
    """Mean over cases and its jackknife error over events."""
    group = np.array(events)
    without = np.array([x[group != e].mean() for e in dict.fromkeys(events)])
    n = len(without)
    return float(x.mean()), float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))


def _root(value: float, error: float) -> tuple[float, float]:
    return float(np.sqrt(value)), float(error / (2 * np.sqrt(value)))
