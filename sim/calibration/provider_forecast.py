"""What a fitted market of providers expects of customers from the end of their history: one-step chances, free runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from sim.calibration.histories import ABSENT, LONGEST_GAP, Standing, periods_of, seen, start
from sim.calibration.provider_chances import KINDS, Chances, next_firm
from sim.calibration.provider_figures import TENURES
from sim.model.declare import ScenarioError
from sim.panel.folds import ODD, mixed
from sim.panel.types import Panel

LEAVING, JOINING = "leaving.parquet", "joining.parquet"
KEY = b"stickiness.providers"
FORM = 1  # of the two files
NOBODY = ""
Tell = Callable[[float], None]


@dataclass
class Waiting:
    """Customers i, by period p: with whom they are known to be, and where a row asks for a chance."""

    customers: np.ndarray  # [i] text
    y: np.ndarray  # [i, p] of the history; then of the rows that ask, ABSENT where not known
    asked: np.ndarray  # [i, p] place of the row that asks, -1 = none


def waiting(c: Chances, history: Panel | None, panel: Panel) -> Waiting:
    """The customers of a panel with their history; of rows of one customer in one period the last counts."""
    names = panel.households.astype(str)
    place = {name: i for i, name in enumerate(names.tolist())}
    later = periods_of(panel, c.weeks, c.step)
    first, last = int(later.min()), int(later.max())
    past = np.zeros(0, np.int64) if history is None else periods_of(history, c.weeks, c.step)
    low = min([first, *past.tolist()])
    y = np.full((len(names), last - low + 1), ABSENT, np.int64)
    asked = np.full(y.shape, -1, np.int64)
    if history is not None:
        who = np.array([place.get(n, -1) for n in history.households.astype(str).tolist()], np.int64)[history.hh]
        use = (who >= 0) & (past <= last)
        y[who[use], past[use] - low] = history.y[use]
    y[panel.hh, later - low] = panel.y
    asked[panel.hh, later - low] = np.arange(len(panel.hh))
    return Waiting(names, y, asked)


def predict(c: Chances, w: Waiting, tell: Tell = lambda part: None) -> tuple[np.ndarray, np.ndarray]:
    """(rows that ask, [row, j] chances of each from what came before it)."""
    rows, parts = [], []
    state, quiet = start(len(w.customers)), np.zeros(len(w.customers), np.int64)
    for p in range(w.y.shape[1]):
        i = np.flatnonzero(w.asked[:, p] >= 0)
        if len(i):
            rows.append(w.asked[i, p])
            parts.append(next_firm(c, _of(state, i), p - 1, 1 + quiet[i]))
        state, quiet = _after(state, quiet, w.y[:, p], p)
        tell((p + 1) / w.y.shape[1])
    return np.concatenate(rows), np.concatenate(parts)


def simulate(
    c: Chances, w: Waiting, replications: int, seed: int, tell: Tell = lambda part: None
) -> tuple[np.ndarray, np.ndarray]:
    """(rows that ask, [replication, row] the firm), from the end of each history; what rows say themselves is not used.

    A draw depends on the seed, the replication, the customer's name and the period alone.
    """
    keys = np.array([int.from_bytes(blake2b(n.encode(), digest_size=8).digest()) for n in w.customers], np.uint64)
    found = []
    for r in range(replications):
        own = mixed(keys ^ mixed(ODD * np.full(len(keys), np.uint64(1 + r + (seed << 20)))))
        rows, parts = [], []
        state, quiet = start(len(w.customers)), np.zeros(len(w.customers), np.int64)
        for p in range(w.y.shape[1]):
            y, i = w.y[:, p].copy(), np.flatnonzero(w.asked[:, p] >= 0)
            if len(i):
                u = (mixed(own[i] + np.full(len(i), np.uint64(p + 1)) * ODD) >> np.uint64(11)).astype(float) * 2.0**-53
                chances = next_firm(c, _of(state, i), p - 1, 1 + quiet[i]).cumsum(axis=1)
                y[i] = np.minimum((u[:, None] * chances[:, -1:] >= chances).sum(axis=1), len(c.firms) - 1)
                rows.append(w.asked[i, p])
                parts.append(y[i])
            state, quiet = _after(state, quiet, y, p)
        found.append(np.concatenate(parts))
        tell((r + 1) / replications)
    return np.concatenate(rows), np.array(found)


def _after(state: Standing, quiet: np.ndarray, y: np.ndarray, period: int) -> tuple[Standing, np.ndarray]:
    """The state after a period; who lacks for a short time is taken to be where they were.

    Of those who are there in the first period of all the beginning is not seen.
    """
    idle = np.where(y >= 0, 0, quiet + 1)
    short = (y < 0) & (state.last >= 0) & (idle <= LONGEST_GAP)
    moved = seen(state, y, period, np.full(len(y), -1) if period == 0 else None)
    kept = (np.where(short if a.ndim == 1 else short[:, None], b, a) for a, b in zip(moved, state, strict=True))
    state = Standing(*kept)
    return state, np.where(state.last >= 0, idle, 0)


def _of(state: Standing, rows: np.ndarray) -> Standing:
    return Standing(*(part[rows] for part in state))


def write_chances(c: Chances, folder: Path) -> None:
    """leaving.parquet: the chance to leave a firm in a period, by tenure and past; joining.parquet: where one goes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = {"form": FORM, "firms": c.firms, "names": c.names, "weeks": c.weeks, "step": c.step, "seed": c.seed}
    j, t, k = (a.ravel() for a in np.indices(c.leaving.shape))
    table = pa.table(
        {
            "firm": np.array(c.names, object)[j],
            "months": TENURES[t] + 1,
            "past": np.array(KINDS, object)[k],
            "chance": c.leaving.ravel(),
            "person_periods": c.counted.ravel(),
        }
    )
    pq.write_table(table.replace_schema_metadata({KEY: json.dumps(about).encode()}), folder / LEAVING)
    names = np.array([NOBODY, *c.names], object)
    before, now, to = (a.ravel() for a in np.indices(c.joining.shape))
    columns = {"before": names[before], "from": names[now], "to": names[1:][to], "chance": c.joining.ravel()}
    pq.write_table(pa.table(columns), folder / JOINING)


def read_chances(folder: Path) -> Chances:
    """What `write_chances` wrote; ScenarioError where it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(folder / LEAVING)
        about = json.loads(table.schema.metadata[KEY])
        if about["form"] != FORM:
            raise ScenarioError([f"market={folder}: was written by another version; calibrate it again"])
        many = len(about["firms"])
        shape = many, len(TENURES), len(KINDS)
        leaving, counted = (table[n].to_numpy().reshape(shape) for n in ("chance", "person_periods"))
        joining = pq.read_table(folder / JOINING)["chance"].to_numpy().reshape(many + 1, many + 1, many)
        own = tuple(about["firms"]), tuple(about["names"]), about["weeks"], about["step"], about["seed"]
        return Chances(*own, leaving, counted, joining)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        text = " ".join(str(error).split())[:100]
        raise ScenarioError([f"market={folder}: its chances cannot be read ({text})"]) from None


def _keys(panel: Panel, rows: np.ndarray) -> "dict[str, np.ndarray]":
    if panel.origin is not None:
        when = (panel.origin.astype("datetime64[D]") + np.floor(panel.t[rows]).astype(np.int64)).astype(str)
    else:
        when = panel.t[rows].astype(int).astype(str)
    if panel.when is not None and "start" not in panel.columns:
        when = panel.when[rows].astype(str)
    return {"hh": panel.households[panel.hh[rows]].astype(str), "t": when}


def chances_csv(c: Chances, panel: Panel, rows: np.ndarray, chances: np.ndarray) -> str:
    """hh, t and the chance of each firm, a row for each row of the panel, in its order."""
    import pandas as pd

    order = _in_file_order(panel, rows)
    p = np.maximum(chances[order], 1e-12)
    table = pd.DataFrame(_keys(panel, rows[order]))
    p /= p.sum(axis=1, keepdims=True)
    for j in np.argsort(c.firms, kind="stable"):
        table[c.firms[j]] = p[:, j]
    return table.to_csv(index=False, float_format="%.9g", lineterminator="\n")


def paths_csv(c: Chances, panel: Panel, rows: np.ndarray, paths: np.ndarray) -> str:
    """rep, hh, t, choice: every replication of every row of the panel, in its order."""
    import pandas as pd

    order, many = _in_file_order(panel, rows), len(paths)
    table = pd.DataFrame({"rep": np.repeat(np.arange(many), len(rows))})
    for name, values in _keys(panel, rows[order]).items():
        table[name] = np.tile(values, many)
    table["choice"] = np.array(c.firms, object)[paths[:, order].ravel()]
    return table.to_csv(index=False, lineterminator="\n")


def _in_file_order(panel: Panel, rows: np.ndarray) -> np.ndarray:
    """The order of these rows in the file; the periods of a spell one after another."""
    place = np.zeros(len(panel.hh)) if panel.row is None else panel.row
    return np.lexsort((panel.t[rows], place[rows]))
