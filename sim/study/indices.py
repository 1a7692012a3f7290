"""Which numbers matter: Morris's screening and Sobol's indices over what is not known of a scenario (its priors).

The dice are kept apart: every replication gives all points the same people and draws, indices are those of the mean
over replications, and the spread over replications is reported beside that over the numbers.
Sources: Morris (1991), Technometrics 33; Campolongo, Cariboni & Saltelli (2007), Environ. Model. Softw. 22; Sobol
(2001), Math. Comput. Simul. 55; Saltelli et al. (2010), Comput. Phys. Commun. 181. Estimators: SALib.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.measure.tally import Array
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.study.designs import Changes
from sim.study.points import Model, attempted, chosen, model_of, whole_complaints
from sim.study.pools import Workers
from sim.study.prior_laws import Prior

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("morris", "sobol")
ENDS = {"morris": (0.05, 0.95), "sobol": (0.001, 0.999)}  # quantiles of the priors between which numbers vary
LEVELS = 4  # of Morris's grid
RESAMPLED, Z95 = 200, 1.959964  # bootstrap samples of SALib's errors, and the interval it gives
SHOWN = 3  # numbers of a column, in the line that stands for all indices
FEWEST = 4  # trajectories, or rows of Sobol's design, that give an error


@dataclass(frozen=True)
class Sensitivity:
    """What decides a figure: an index for each number, and how much is owed to the dice.

    `table`: column, path, then for Morris `value` (mean size of the change when the number goes from its 5 % to its
    95 % quantile, in the unit of the column), `signed` (its mean with signs) and `spread` (standard deviation: other
    numbers decide, or it is no straight line); for Sobol `value` (total: share of the variance that would be left if
    all other numbers were known) and `first` (that would go if this one were known). `error` is the standard error
    over points of the design, `error_dice` that over replications (nan of one).
    `dice`: column, `mean`, `parameters` (standard deviation over the numbers alone), `dice` (of one run over
    replications at the same numbers), `left_out` (parts of the design in which a run failed).
    """

    method: str
    table: "pd.DataFrame"
    dice: "pd.DataFrame"

    def __repr__(self) -> str:
        """One line: for each column the numbers that matter most."""
        columns = self.dice["column"]
        return "<Sensitivity: " + "; ".join(f"{c}: {', '.join(self.largest(SHOWN, c))}" for c in columns) + ">"

    def largest(self, many: int = 8, column: str = "") -> list[str]:
        """The paths of the numbers that matter most for a column (the first), for Sobol's indices after screening."""
        column = column or str(self.table["column"].iloc[0])
        rows = self.table[self.table["column"] == column]
        if rows.empty:
            raise ScenarioError([f"column: {column!r} is none{did_you_mean(column, list(self.dice['column']))}"])
        return list(rows.sort_values("value", ascending=False, kind="stable")["path"][:many])


def sensitivity(
    base: Scenario,
    metrics: Sequence[str],
    method: str = "morris",
    *,
    paths: Sequence[str] | None = None,
    change: Changes | None = None,
    points: int = 16,
    replications: int = 2,
    seed: int = 1,
    priors: Mapping[str, Prior] | None = None,
    workers: Workers = None,
    folder: Path | str | None = None,
    quiet: bool = False,
) -> Sensitivity:
    """How much each free number matters for `metrics` ("share.lloyds") of a scenario, or for what `change` does to it.

    `paths`: which numbers vary (all that have a prior); the others keep their value. Morris takes points x (numbers +
    1) runs in each replication, Sobol points (a power of 2) x (numbers + 2), both twice that with `change`. Screen all
    numbers by Morris, then give Sobol the few that are `largest`. Presence is held. Rows are kept in `folder`, as by
    `study.run`. ScenarioError says all that is wrong before the first run. Needs the extra `sensitivity` (SALib).

    >>> from sim import build
    >>> base = build({"people": 200, "weeks": 13, "segments": {"all": {}}, "firms": {"a": {}, "b": {}}})
    >>> two = ["market.taste_concentration", "consumer.state_dependence"]
    >>> found = sensitivity(base, ["stickiness.a"], paths=two, points=4, replications=1, quiet=True)
    >>> found.table["path"].tolist() == two
    True
    """
    wrong = _complaints(method, points)
    free = attempted(wrong, lambda: chosen(base, paths, priors)) or {}
    how = {"replications": replications, "workers": workers, "folder": folder, "quiet": quiet}
    model = attempted(wrong, lambda: model_of(base, metrics, free, change, **how))  # type: ignore[arg-type]
    if wrong or model is None:
        raise ScenarioError(wrong)
    return indices(model, list(free), metrics, method, points=points, seed=seed)


def indices(
    model: Model, names: Sequence[str], columns: Sequence[str], method: str = "morris", *, points: int, seed: int = 1
) -> Sensitivity:
    """The indices of any function of numbers between 0 and 1: points [point, name] -> [replication, point, column].

    The same design and estimators as for a scenario. ScenarioError for a misspelled method, too few points, a missing
    SALib, and where too many runs failed.
    """
    import pandas as pd

    if wrong := _complaints(method, points):
        raise ScenarioError(wrong)
    problem = {"num_vars": len(names), "names": list(names), "bounds": [list(ENDS[method])] * len(names)}
    sample = import_module(f"SALib.sample.{method}").sample
    how = {"num_levels": LEVELS} if method == "morris" else {"calc_second_order": False}
    design = np.asarray(sample(problem, points, seed=seed, **how), float)
    found = np.asarray(model(design), float)
    block = len(design) // points  # a trajectory, or a row of Sobol's design with all its changed rows
    lines, dice = [], []
    for n, column in enumerate(columns):
        mine = found[:, :, n]
        good = np.repeat(np.isfinite(mine).all(axis=0).reshape(-1, block).all(axis=1), block)
        if good.sum() < FEWEST * block:
            raise ScenarioError([f"{column}: known in {good.sum() // block} of {points} parts of the design; too few"])
        lines.append(_lines(problem, design[good], mine[:, good], method, seed).assign(column=column))
        dice.append((column, *_dice(mine[:, good]), points - int(good.sum()) // block))
    table = pd.concat(lines, ignore_index=True)
    front = ["column", "path", "value", "error", "error_dice"]
    names_of_dice = ["column", "mean", "parameters", "dice", "left_out"]
    rest = [c for c in table if c not in front]
    return Sensitivity(method, table[front + rest], pd.DataFrame(dice, columns=names_of_dice))


def _complaints(method: str, points: int) -> list[str]:
    if method not in METHODS:
        return [f"method: {method!r} is not known{did_you_mean(str(method), METHODS)}"]
    wrong = whole_complaints(points=(points, FEWEST))
    if method == "sobol" and not wrong and points & (points - 1):
        wrong.append(f"points: {points} is no power of 2, which a Sobol sequence needs")
    try:
        import_module("SALib")
    except ImportError:
        wrong.append("method: SALib is missing; pip install 'stickiness[sensitivity]'")
    return wrong


def _lines(problem: dict[str, object], design: Array, found: Array, method: str, seed: int) -> "pd.DataFrame":
    """Indices of the mean over replications; `error_dice` from the indices of each replication."""
    import pandas as pd

    whole = _analyzed(problem, design, found.mean(axis=0), method, seed)
    each = [_analyzed(problem, design, one, method, seed)["value"] for one in found] if len(found) > 1 else []
    alone = np.std(each, axis=0, ddof=1) / np.sqrt(len(each)) if each else np.full(len(whole["value"]), np.nan)
    return pd.DataFrame({"path": problem["names"], **whole, "error_dice": alone})


def _analyzed(problem: dict[str, object], design: Array, figures: Array, method: str, seed: int) -> dict[str, Array]:
    """The columns of a method; what never differs has indices of 0."""
    analyze = import_module(f"SALib.analyze.{method}").analyze
    how = {"num_resamples": RESAMPLED, "conf_level": 0.95, "seed": seed}
    nothing = np.zeros(len(design[0]))
    if method == "morris":
        out = analyze(problem, design, figures, num_levels=LEVELS, **how)
        names = {"value": "mu_star", "error": "mu_star_conf", "signed": "mu", "spread": "sigma"}
    elif np.ptp(figures) == 0:
        return {"value": nothing, "error": nothing, "first": nothing, "first_error": nothing}
    else:
        out = analyze(problem, figures, calc_second_order=False, parallel=False, **how)
        names = {"value": "ST", "error": "ST_conf", "first": "S1", "first_error": "S1_conf"}
    wide = {ours: np.asarray(out[theirs], float) for ours, theirs in names.items()}
    return {name: column / Z95 if name.endswith("error") else column for name, column in wide.items()}


def _dice(found: Array) -> tuple[float, float, float]:
    """Mean, standard deviation over the numbers alone, and that of a run over replications, of [replication, point].

    What the dice do to all points alike shifts the mean, not the differences between points; only the rest of their
    variance is in the variance between points, from which it is taken.
    """
    many = len(found)
    between = found.mean(axis=0).var(ddof=1)
    if many == 1:
        return float(found.mean()), float(np.sqrt(between)), float("nan")
    dice = found.var(axis=0, ddof=1).mean()
    own = found - found.mean(axis=1, keepdims=True)  # without what is common to all points of a replication
    mixed = own.var(axis=0, ddof=1).mean()
    return float(found.mean()), float(np.sqrt(max(0.0, between - mixed / many))), float(np.sqrt(dice))
