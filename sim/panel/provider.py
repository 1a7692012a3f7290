"""Panels of customers who have one provider at a time and are observed repeatedly."""

import re

import numpy as np

from sim.measure.estimates import pooled
from sim.measure.tally import Tally
from sim.panel import vocabulary
from sim.panel.count import tally
from sim.panel.folds import PANEL_FOLDS
from sim.panel.row_set import Rows
from sim.panel.types import Panel

YEAR = 365.25
SUBSCRIBERS = re.compile(r"(subscriber|policyholder|abonn|assinante|abonado|versicherter|insured).*")


def looks_like_provider(panel: Panel, rows: Rows) -> bool:
    """Whether rows are times with a provider: named so, or spells, never two at once; the user's word counts."""
    if rows.options.provider is not None:
        return rows.options.provider == "yes"
    if rows.columns.one_firm or not panel.ordered:
        return False
    if rows.columns.start:
        return True
    named = re.fullmatch(vocabulary.PROVIDER, vocabulary.normalized(rows.columns.brand)) or SUBSCRIBERS.fullmatch(
        vocabulary.normalized(rows.columns.customer)
    )
    one_at_a_time = not ((np.diff(panel.t) == 0) & (np.diff(panel.hh) == 0)).any()
    return bool(named) and one_at_a_time and bool(rows.columns.time)


def periods(panel: Panel) -> tuple[np.ndarray, int, str]:
    """([N] the period of each row, lag in periods, the lag in words): a year where two are covered, else one period."""
    gaps = np.diff(panel.t)[np.diff(panel.hh) == 0]
    gaps = gaps[gaps > 0]
    unit = float(np.median(gaps)) if len(gaps) else 1.0
    if panel.origin is None:
        return (
            np.rint((panel.t - panel.t.min()) / unit).astype(np.int64),
            1,
            f"{unit:g} unit{'s' if unit != 1 else ''} of time",
        )
    if 27 <= unit <= 32:
        days = panel.origin + np.floor(panel.t).astype(np.int64)
        index, name, per_year = days.astype("datetime64[M]").astype(np.int64), "a month", 12
    else:
        index, name, per_year = np.rint(panel.t / unit).astype(np.int64), f"{unit:g} days", max(1, round(YEAR / unit))
    span = int(index.max() - index.min())
    return (index, per_year, "a year") if per_year > 1 and span >= 2 * per_year else (index, 1, name)


def provider_tally(panel: Panel, fold: np.ndarray) -> Tally:
    """The counts of a panel, whose `transitions` are the providers of a customer now and a lag later.

    Who is not in the panel a lag later is not counted as having stayed or left.
    """
    counts = pooled(tally(panel, fold=fold))
    index, lag, _ = periods(panel)
    kept = np.zeros((PANEL_FOLDS, len(panel.brands) + 1, len(panel.brands) + 1))
    index = index - index.min()
    span = int(index.max()) + lag + 1
    key = panel.hh * span + index
    last = np.r_[key[1:] != key[:-1], True][: len(key)]
    key, y, hh = key[last], panel.y[last], panel.hh[last]
    at = np.minimum(np.searchsorted(key, key + lag), len(key) - 1)
    there = key[at] == key + lag
    weight = np.ones(len(panel.households)) if panel.weights is None else panel.weights
    np.add.at(kept, (fold[hh[there]], y[there] + 1, y[at[there]] + 1), weight[hh[there]])
    return counts._replace(transitions=kept)
