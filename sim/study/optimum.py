"""On which levers a firm best spends a budget: searched on shared draws, confirmed on fresh ones and over worlds.

The best of many plans looks better than it is on the draws on which it was chosen, so what is reported is its gain on
draws that the search has not seen. Search: every plan where they are few, else Optuna's tree-structured Parzen
estimator (Bergstra, Bardenet, Bengio & Kegl 2011, NeurIPS 24; Akiba et al. 2019, KDD).
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.measure.tally import Array
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study.calibrate_shares import calibrate_shares
from sim.study.designs import named
from sim.study.lever_plans import LeverNames, Levers, Steps, levers_of
from sim.study.points import attempted, column_complaints, whole_complaints
from sim.study.pools import Workers, check_workers
from sim.study.priors import draw
from sim.study.runs import run

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 8  # plans that are simulated together, whatever the workers: the search is the same on every machine
ASKED = 4  # times as many suggestions as trials, after which a search ends that finds nothing new
RIVALS = 3  # plans next to the best that are confirmed, too
FRESH = 2**30  # added to the seed for draws that the search has not seen
Gains = dict[Steps, Array]  # plan -> gain by replication


class Gain(NamedTuple):
    """A mean over replications and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Best:
    """The best plan found, and what is known of it.

    `plan`: lever -> dose, 0 to 1. `gain`: of `column`, on fresh draws; `searched`: on those of the search. `tried`: a
    row for each plan of the search. `confirmed`: on fresh draws the best, those next to it, and all money on one lever,
    with how far each is behind the best. `margin`: what one step less or more of each lever changes, and for each unit
    of money. `worlds`: a row for each plausible world; `ahead` if no confirmed plan is better there, and what the
    budget gains if all of it goes to one lever (`alone.<lever>`).
    """

    column: str
    plan: dict[str, float]
    cost: float
    gain: Gain
    searched: Gain
    plans: int  # that the budget pays for; 0 = not counted
    tried: "pd.DataFrame"
    confirmed: "pd.DataFrame"
    margin: "pd.DataFrame"
    worlds: "pd.DataFrame"

    def __repr__(self) -> str:
        """What to do, what it brings, and whether it holds."""
        doses = ", ".join(f"{dose:.0%} of {name}" for name, dose in self.plan.items() if dose) or "nothing"
        text = f"<Best: {doses}, for {self.cost:g}: {self.column} {self.gain.value:+.4f} ± {self.gain.error:.4f}"
        if len(self.worlds):
            better, ahead = (self.worlds["gain"] > 0).mean(), self.worlds["ahead"].mean()
            text += f"; better than nothing in {better:.0%}, best in {ahead:.0%} of {len(self.worlds)} plausible worlds"
        return text + ">"


def best(
    base: Scenario,
    firm: str,
    levers: LeverNames,
    costs: Mapping[str, float] | None = None,
    budget: float = 0.0,
    *,
    metric: str = "share",
    steps: int = 4,
    trials: int = 64,
    replications: int = 4,
    fresh: int = 16,
    worlds: int = 16,
    seed: int = 1,
    workers: Workers = None,
    quiet: bool = False,
) -> Best:
    """The plan within `budget` that raises a metric of the firm most: how much of each lever, in `steps` steps.

    `levers`: names of conf/lever/, or names with the numbers that each sets ({"better": {"quality": 0.5}}). `costs`:
    of each whole lever, before those of the files; a part costs its part. All plans if `trials` suffice, else those
    that Optuna suggests (extra `optimize`), in `replications` with the same draws; then `fresh` replications with
    others, and `worlds` drawn from the priors, presence held. ScenarioError says all that is wrong before any run.

    >>> from sim import build
    >>> base = build({"people": 200, "weeks": 13, "segments": {"all": {}}, "firms": {"a": {}, "b": {}}})
    >>> best(base, "a", {"better": {"quality": 2.0}}, {"better": 10}, 10, fresh=2, worlds=0, quiet=True).plan
    {'better': 1.0}
    """
    column = f"{metric}.{firm}"
    wrong = column_complaints(base, [column]) if firm in base.firms else []
    wrong += whole_complaints(steps=(steps, 1), trials=(trials, 1), replications=(replications, 2), fresh=(fresh, 2))
    wrong += [*whole_complaints(worlds=(worlds, 0), seed=(seed, 0)), *check_workers(workers)]
    of = attempted(wrong, lambda: levers_of(base, firm, levers, costs or {}, budget, steps))
    if of is None or wrong:
        raise ScenarioError(wrong)
    solved = calibrate_shares(base)[0]
    known, count = _searched(of, lambda p: _gains(of, p, solved, column, replications, workers, quiet), trials, seed)
    unseen, keys = change(solved, {"seed": (solved.seed + FRESH) % 2**31}), [f"best {seed} {w}" for w in range(worlds)]
    return _told(of, column, known, count, unseen, fresh, keys, workers, quiet)


def _told(
    of: Levers,
    column: str,
    known: Gains,
    count: int,
    unseen: Scenario,
    fresh: int,
    keys: Sequence[str],
    workers: Workers,
    quiet: bool,
) -> Best:
    """The best of a search, confirmed on fresh draws and over the worlds of these keys."""
    rivals = list(dict.fromkeys([*_ordered(of, known)[: 1 + RIVALS], *of.alone()]))
    found = _gains(of, [*rivals, *_beside(of, rivals[0])], unseen, column, fresh, workers, quiet)
    worlds = _over_worlds(of, rivals, unseen, column, keys, workers, quiet)
    top = rivals[0]
    doses = {lever.name: n / of.steps for n, lever in zip(top, of.levers, strict=True)}
    tried = _rows(of, _ordered(of, known), {"": known})
    confirmed, margin = _confirmed(of, rivals, known, found), _margin(of, top, found)
    gains = _gain(found[top]), _gain(known[top])
    return Best(column, doses, of.cost(top), *gains, count, tried, confirmed, margin, worlds)


def _ordered(of: Levers, known: Gains) -> list[Steps]:
    """The plans of a search, the best first; of equals the cheaper."""
    return sorted(known, key=lambda plan: (-known[plan].mean(), of.cost(plan), plan))


def _searched(of: Levers, gains: Callable[[Sequence[Steps]], Gains], trials: int, seed: int) -> tuple[Gains, int]:
    """The gains of all plans, or of those that a search tries; how many there are, 0 if too many to count."""
    every = list(islice(of.all(), trials + 1)) if of.count() <= 10**6 else []
    if every and len(every) <= trials:
        return gains(every), len(every)
    optuna = _optuna()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True, n_startup_trials=max(10, trials // 4))
    search = optuna.create_study(direction="maximize", sampler=sampler)
    names = [lever.name for lever in of.levers]
    for plan in [(0,) * len(names), *of.alone()]:
        search.enqueue_trial(dict(zip(names, plan, strict=True)))
    known: Gains = {}
    for _ in range(-(-ASKED * trials // AT_ONCE)):
        asked = [search.ask() for _ in range(AT_ONCE)]
        plans = []
        for trial in asked:
            steps: Steps = ()
            for n, name in enumerate(names):
                steps = (*steps, trial.suggest_int(name, 0, of.most(steps, n)))
            plans.append(steps)
        new = list(dict.fromkeys(plan for plan in plans if plan not in known))[: trials - len(known)]
        known |= gains(new) if new else {}
        for trial, plan in zip(asked, plans, strict=True):
            search.tell(trial, float(known[plan].mean()) if plan in known else None, **_pruned(optuna, plan in known))
        if len(known) >= trials:
            break
    return known, sum(1 for _ in of.all()) if of.count() <= 10**6 else 0


def _pruned(optuna: ModuleType, known: bool) -> dict[str, object]:
    """How a trial ends of which nothing is known, as the number of trials is reached."""
    return {} if known else {"state": optuna.trial.TrialState.PRUNED}


def _optuna() -> ModuleType:
    try:
        import optuna
    except ImportError:
        raise ScenarioError(
            ["trials: too few for all plans, and Optuna is missing; pip install 'stickiness[optimize]'"]
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _gains(
    of: Levers, plans: Sequence[Steps], scenario: Scenario, column: str, many: int, workers: Workers, quiet: bool
) -> Gains:
    """The gain of each plan over doing nothing, by replication, with the same draws."""
    nothing = (0,) * len(of.levers)
    arms = {_name(plan): of.changes(scenario, plan) for plan in dict.fromkeys([nothing, *plans])}
    found = _figures(scenario, arms, column, many, workers, quiet)
    return {plan: found[_name(plan)] - found[_name(nothing)] for plan in plans}


def _figures(
    scenario: Scenario, arms: Mapping[str, Mapping[str, object]], column: str, many: int, workers: Workers, quiet: bool
) -> dict[str, Array]:
    """A column of each arm by replication; ScenarioError if a run failed."""
    metric = column.partition(".")[0]
    table = run(scenario, named(arms), metrics=[metric], replications=many, workers=workers, quiet=quiet)
    failed = [e for e in table["error"] if e]
    if failed:
        raise ScenarioError([f"{len(failed)} of {len(table)} runs failed; the first: {failed[0]}"])
    return dict(zip(arms, table[column].to_numpy(float).reshape(len(arms), many), strict=True))


def _name(plan: Steps) -> str:
    return "-".join(map(str, plan))


def _gain(values: Array) -> Gain:
    return Gain(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _beside(of: Levers, plan: Steps) -> dict[Steps, tuple[int, int]]:
    """The plans one step of one lever away, affordable or not: (which lever, -1 or 1)."""
    near = {}
    for n in range(len(plan)):
        for step in (-1, 1):
            other = (*plan[:n], plan[n] + step, *plan[n + 1 :])
            if 0 <= other[n] <= of.steps:
                near[other] = n, step
    return near


def _rows(of: Levers, plans: Sequence[Steps], gains: Mapping[str, Gains]) -> "pd.DataFrame":
    """A row for each plan: the dose of each lever, its cost, and its gains with their errors."""
    import pandas as pd

    rows = []
    for plan in plans:
        row: dict[str, float] = {x.name: n / of.steps for n, x in zip(plan, of.levers, strict=True)}
        row["cost"] = of.cost(plan)
        for label, known in gains.items():
            value = _gain(known[plan]) if plan in known else Gain(np.nan, np.nan)
            row |= {f"{label}gain": value.value, f"{label}error": value.error}
        rows.append(row)
    return pd.DataFrame(rows)


def _confirmed(of: Levers, plans: Sequence[Steps], known: Gains, fresh: Gains) -> "pd.DataFrame":
    table = _rows(of, plans, {"searched_": known, "": fresh})
    behind = [_gain(fresh[plans[0]] - fresh[plan]) for plan in plans]
    return table.assign(behind=[b.value for b in behind], behind_error=[b.error for b in behind])


def _margin(of: Levers, top: Steps, found: Gains) -> "pd.DataFrame":
    """What the last step of each lever brings, and the next one would: lever, step, cost, gain, and that per cost."""
    import pandas as pd

    rows = []
    for other, (n, step) in _beside(of, top).items():
        cost = of.levers[n].cost / of.steps
        value, error = _gain(step * (found[other] - found[top]))
        which, pays = ("last", True) if step < 0 else ("next", of.affordable(other))
        rows.append((of.levers[n].name, which, cost, value, error, value / cost, error / cost, pays))
    columns = ["lever", "step", "cost", "gain", "error", "gain_per_unit", "error_per_unit", "within_budget"]
    return pd.DataFrame(rows, columns=columns)


def _over_worlds(
    of: Levers, plans: Sequence[Steps], base: Scenario, column: str, keys: Sequence[str], workers: Workers, quiet: bool
) -> "pd.DataFrame":
    """world, gain of the best plan, of the best other one, whether none is better, and of each lever alone."""
    import pandas as pd

    nothing = (0,) * len(of.levers)
    arms: dict[str, dict[str, object]] = {}
    for w, key in enumerate(keys):
        world = draw(base, key)
        there = change(base, world)
        for plan in dict.fromkeys([nothing, *plans]):
            arms[f"{w} {_name(plan)}"] = {**world, "seed": (base.seed + 1 + w) % 2**31, **of.changes(there, plan)}
    found = _figures(base, arms, column, 1, workers, quiet) if arms else {}
    rows = []
    for w in range(len(keys)):
        gains = [float((found[f"{w} {_name(p)}"] - found[f"{w} {_name(nothing)}"])[0]) for p in plans]
        other = max(gains[1:], default=0.0)
        alone = [gains[plans.index(plan)] for plan in of.alone()]
        rows.append((w, gains[0], other, gains[0] >= max(0.0, other), *alone))
    names = [f"alone.{lever.name}" for lever in of.levers]
    return pd.DataFrame(rows, columns=["world", "gain", "best_other", "ahead", *names])
