"""A market in which worlds are tried: facts measured in it with other numbers, presence solved for each.

What is to come out, and how near, is in conf/kept_worlds/targets.yaml; `experiments/worlds.py` matches worlds to it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock

import numpy as np
import yaml

from sim.engine.loop import simulate
from sim.facts import scoreboard
from sim.facts.runs import Changes, FactRun, Quantities, RunCache
from sim.measure import estimates, metrics
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study import over_worlds, worlds
from sim.study.calibrate_shares import calibrate_shares
from sim.study.matching import MOST_MISS, Chances, Target, Trial, miss_of
from sim.study.presets import uncalibrated
from sim.study.priors import priors_of, values

TARGETS = worlds.FOLDER / "targets.yaml"
SHARES, PRESENCE, ERROR = "shares", "presence ", "error "
ROUNDS, NEAR, STEP = 5, 0.03, 0.9  # of presence: most rounds, misses of ln share that end them, change for one
Facts = Mapping[int, Sequence[str]]

_composing = Lock()


@cache
def _stated(preset: str) -> Scenario:
    return uncalibrated(*preset.split())


def stated(preset: str) -> Scenario:
    """The scenario of a preset, composed once."""
    with _composing:
        return _stated(preset)


class WorldRuns(RunCache):
    """The runs of facts in one world of a market; those of other markets are `others`, the same for every world."""

    def __init__(self, people: int, world: Changes, firms: Sequence[str], others: RunCache):
        super().__init__(people)
        self.world, self.own, self.others = world, list(firms), others

    def __call__(
        self, preset: str, changes: Changes | None = None, at: Sequence[int] = (), times: float = 1
    ) -> FactRun:
        """As any run, with the people of the world, whatever `times` says."""
        if list(stated(preset).firms) != self.own:
            return self.others(preset, changes, at, 1)
        return super().__call__(preset, changes, at, 1)

    def _calibrated(self, preset: str) -> Scenario:
        base = stated(preset)
        free = {f"firms.{name}.share": None for name in base.firms}
        return change(base, {**over_worlds.known(base, self.world), **free})


@dataclass
class Market:
    """A market whose worlds are matched: its preset, its facts, its targets, and the runs that worlds share."""

    name: str
    people: int
    preset: str
    facts: Facts
    check: Facts
    discrepancy: float
    share_error: float

    def __post_init__(self) -> None:
        """Presence as shipped, and the shares that the preset has among these very people: the targets of a world."""
        self.base = stated(self.preset)
        self.priors = priors_of(self.base)
        self.solved = calibrate_shares(stated(f"market={self.name}"))[0]
        self.shares = self.shares_in({})
        self.others = RunCache(self.people)
        self.silent = frozenset[str]()  # quantities without power, which are left out

    def targets(self, facts: Facts | None = None) -> dict[str, Target]:
        """By `number quantity`."""
        found = {}
        for number, names in (self.facts if facts is None else facts).items():
            for name in names:
                low, high = scoreboard.facts()[number].limits[name]
                found[f"{number} {name}"] = Target(low, high, self.discrepancy * abs(low + high) / 2)
        return found

    def shares_in(self, world: Changes) -> np.ndarray:
        """Shares of firms in a world, [j], in the year after the burn-in."""
        size = {"people": self.people, "weeks": min(52, self.solved.weeks), "replications": 1}
        size |= {"window": min(self.solved.window, size["weeks"]), "seed": 1}
        scenario = change(self.solved, {**over_worlds.known(self.solved, world), **size})
        found: np.ndarray = estimates.estimate(
            metrics.share, estimates.pooled(simulate(scenario, threads=1).tally)
        ).value
        return found

    def presence(self, world: Changes, start: Sequence[float]) -> tuple[dict[str, float], float]:
        """Presence with which the firms have the preset's shares, and by how much they still miss (ln, weighted)."""
        log, best = np.log(start), (math.inf, np.log(start))
        for _ in range(ROUNDS):
            shares = self.shares_in({**world, **self._named(log)})
            gap = np.log(np.maximum(shares, 1e-6) / self.shares)
            size = float(np.sqrt((self.shares * gap**2).sum()))
            best = min(best, (size, log), key=lambda pair: pair[0])
            if size < NEAR:
                break
            log = log - np.clip(STEP * gap, -1.5, 1.5)
        return self._named(best[1]), best[0]

    def _named(self, log: np.ndarray) -> dict[str, float]:
        relative = np.exp(log - log.max())
        return {
            f"firms.{n}.presence": float(p) for n, p in zip(self.base.firms, relative / relative.sum(), strict=True)
        }

    def measured(self, world: Changes, facts: Facts) -> Quantities:
        """The quantities of facts in a world; not a number where they cannot be computed."""
        runs = WorldRuns(self.people, world, list(self.base.firms), self.others)
        found: Quantities = {}
        for number, names in facts.items():
            try:
                known: Quantities = scoreboard.checks()[number](runs)
            except (ArithmeticError, IndexError, ValueError, RuntimeError, np.linalg.LinAlgError):
                known = {}
            nothing = estimates.Estimate(np.array(np.nan), np.array(np.nan))
            found |= {f"{number} {name}": known.get(name, nothing) for name in names}
        return found

    def changes(self, chances: Chances) -> dict[str, float]:
        """The values at these quantiles."""
        return values(self.base, chances, self.priors)

    def world(self, chances: Chances, parent: Trial | None) -> Trial:
        """A world in which presence is solved: what comes out, with errors, and by how much it misses."""
        drawn = self.changes(chances)
        before = parent.found if parent else {}
        own = {n: firm.presence for n, firm in self.solved.firms.items()}
        start = [before.get(f"{PRESENCE}firms.{n}.presence", p) for n, p in own.items()]
        try:
            presence, gap = self.presence(drawn, start)
            found = self.measured({**drawn, **presence}, self.facts)
        except ScenarioError:  # draws that contradict each other
            return Trial(chances, {}, MOST_MISS)
        told = {name: float(e.value) for name, e in found.items()} | {SHARES: gap}
        told |= {ERROR + name: float(e.error) for name, e in found.items()}
        told |= {PRESENCE + name: p for name, p in presence.items()}
        return Trial(chances, told, miss_of(list(self.misses(told).values())))

    def as_shipped(self) -> Trial:
        """The preset's own numbers as a world."""
        presence = {f"firms.{n}.presence": firm.presence for n, firm in self.solved.firms.items()}
        found = self.measured(presence, self.facts)
        told = {name: float(e.value) for name, e in found.items()} | {SHARES: 0.0}
        told |= {ERROR + name: float(e.error) for name, e in found.items()}
        return Trial({}, told, miss_of(list(self.misses(told).values())))

    def misses(self, told: Mapping[str, float]) -> dict[str, float]:
        """By quantity, in standard errors."""
        targets = {name: target for name, target in self.targets().items() if name not in self.silent}
        found = {n: t.miss(told.get(n, math.nan), told.get(ERROR + n, 0.0)) for n, t in targets.items()}
        return found | {SHARES: told.get(SHARES, math.inf) / self.share_error}

    def without_power(self, drawn: Sequence[Trial]) -> frozenset[str]:
        """The quantities that no draw from the priors misses by two standard errors."""
        misses = [self.misses(trial.found) for trial in drawn if trial.found]
        return frozenset(n for n in self.targets() if all(m.get(n, 0.0) <= 2 for m in misses))

    def missed_by(self, trial: Trial) -> Trial:
        """The same world, its miss counted anew."""
        return replace(trial, miss=miss_of(list(self.misses(trial.found).values()))) if trial.found else trial


def market_of(name: str, people: int) -> Market:
    """The market as conf/kept_worlds/targets.yaml has it; ScenarioError for none, or a held-out target."""
    file = yaml.safe_load(TARGETS.read_text(encoding="utf-8"))
    if name not in file["markets"]:
        raise ScenarioError([f"market: {name!r} has no targets in {TARGETS}{did_you_mean(name, file['markets'])}"])
    row = file["markets"][name]
    held = [n for n in row["facts"] if scoreboard.facts()[n].held_out]
    if held:
        raise ScenarioError([f"{TARGETS}: fact {n} is held out; no world may be matched to it" for n in held])
    preset = row.get("preset", f"market={name}")
    return Market(name, people, preset, row["facts"], row.get("check", {}), file["discrepancy"], file["shares"])
