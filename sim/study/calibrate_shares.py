"""Presence such that the simulated market shares are those that firms state (share inversion, Berry 1994).

The share of a firm is its part of all uses in the weeks that a scenario counts, after its burn-in, without scandals,
moves and a calendar, in an unlimited population. It is estimated on 200,000 people (on up to a million where more are
simulated), with draws that no run uses: the error of the estimate is independent of that of every run, and adds to it.
Firms that state no share divide what the others leave, in proportion to the presence they state.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from sim.engine.loop import simulate
from sim.engine.threads import threads
from sim.measure.shares import Share
from sim.model.fields import Cohort, Consumer, Market, Scenario, Segment
from sim.model.network import stored_links
from sim.model.population import draws_of
from sim.model.scenario import change
from sim.study.presence_store import Solved, find_solved, rules_digest, save_solved

SIZES = (200_000, 500_000, 1_000_000)  # people on whom shares are estimated: the first not below those of a run
PEOPLE = 20_000  # in one replication of the solver
FEWEST = 500  # likewise, where the people to start from have many draws
MOST_REPLICATIONS = 1_000  # of the solver, where the number of people is that of a stored network
LAST = 2**24 - 1  # the largest number of a replication: the solver counts down from it, a run up to 10,000
FIRST_GUESS = 0.9  # change of ln presence for one of ln share: habit makes shares respond more than in proportion
LOOSE, CLOSE = 1.0, 0.25  # tolerance in standard errors, on few people and on all
ROUNDS, STEP = 12, 1.5  # most rounds on few people and on all, and the largest step of ln presence in one
LEAST = 1e-9  # presence that is tried, all firms together having 1
WINDOW = 13  # weeks; shares do not depend on it
UNUSED = (  # in a market without scandals
    *("care", "action", "exposure", "trust_scandal", "avoidance"),
    *("attention_half_life", "reputation_half_life", "reputation_share", "residue", "survey", "incident_recall"),
)

Part = TypeVar("Part", Segment, Cohort, Consumer, Market)
Uses = np.ndarray  # [fold, firm] uses counted, a row for each group of people
CountUses = Callable[[np.ndarray], Uses]  # from ln presence


class Round(NamedTuple):
    """What one presence gave: shares, their standard errors, and the largest miss in standard errors."""

    log_presence: np.ndarray
    reached: np.ndarray
    error: np.ndarray
    worst: float


def calibrate_shares(scenario: Scenario) -> tuple[Scenario, dict[str, Share]]:
    """The scenario with presence in place of stated shares, and for each firm the share asked for and reached.

    A scenario without stated shares is returned as it is. What was solved before is looked up (`presence_store`).
    """
    if all(firm.share is None for firm in scenario.firms.values()):
        return scenario, {}
    asked = asked_shares(scenario)
    reference = reference_market(scenario, asked)
    key, people = key_of(reference), enough(scenario)
    found = find_solved(key, people)
    if found is None:
        found = solve(reference, asked, people)
        save_solved(key, people, found)
    values = {f"firms.{name}.presence": p for name, p in zip(scenario.firms, found.presence, strict=True)}
    rows = zip(scenario.firms, asked.tolist(), found.reached, found.error, strict=True)
    return (
        change(scenario, {**values, **{f"firms.{name}.share": None for name in scenario.firms}}),
        {name: Share(*row) for name, *row in rows},
    )


def enough(scenario: Scenario) -> int:
    """How many people shares are estimated on: few sizes, so that runs of like size have the same presence."""
    return next((size for size in SIZES if scenario.people * scenario.replications <= size), SIZES[-1])


def asked_shares(scenario: Scenario) -> np.ndarray:
    """The share wanted of every firm, [j]; they sum to 1."""
    stated = {name: firm.share for name, firm in scenario.firms.items() if firm.share is not None}
    rest = sum(firm.presence for name, firm in scenario.firms.items() if name not in stated)
    left = max(0.0, 1 - sum(stated.values()))
    asked = np.array([stated.get(n, left * f.presence / rest if rest else 0.0) for n, f in scenario.firms.items()])
    result: np.ndarray = asked / asked.sum()
    return result


def reference_market(scenario: Scenario, asked: np.ndarray) -> Scenario:
    """The scenario without events, and without what shares then do not depend on (UNUSED, title, seed, people)."""
    firms = {
        name: replace(firm, share=float(f"{share:.9g}"), presence=1.0, group="", enters=0, leaves=0)
        for (name, firm), share in zip(scenario.firms.items(), asked, strict=True)
    }
    stored = scenario.network.kind == "file"  # its people are those of the file
    changes: dict[str, Any] = {"title": "", "focus": "", "replications": 1, "scandals": {}, "moves": {}, "policies": {}}
    changes |= {"kinds": {}, "calendar": "", "calendar_sha256": ""}
    named = hashlib.sha256(json.dumps(list(firms)).encode()).hexdigest()
    changes["seed"] = int(named[:8], 16)  # by the names of the firms: the same draws whatever is changed
    changes |= {
        "people": scenario.people if stored else _people_of_a_draw(scenario),
        "window": min(WINDOW, scenario.weeks),
    }
    for kind in ("segments", "cohorts"):
        changes[kind] = {name: _as_declared(member) for name, member in getattr(scenario, kind).items()}
    changes |= {"consumer": _as_declared(scenario.consumer), "market": _as_declared(scenario.market)}
    return replace(scenario, firms=firms, **changes)


def _people_of_a_draw(scenario: Scenario) -> int:
    """People in one replication of the solver: fewer where a population has many draws, one a replication."""
    return min(PEOPLE, max(FEWEST, -(-SIZES[0] // draws_of(scenario))))


def _as_declared(part: Part) -> Part:
    """The same with the numbers that are not used without scandals set to their declared defaults."""
    default = type(part)()
    return replace(part, **{name: getattr(default, name) for name in UNUSED if hasattr(default, name)})


def key_of(reference: Scenario) -> str:
    """A hash of the reference market and of whatever file it reads, and one of the rules."""
    fields = asdict(reference)
    for name in ("posterior", "posterior_sha256"):  # what is not known of it changes no share
        del fields[name]
    if fields["population_sha256"]:
        fields["population"] = ""  # wherever it lies
    content = json.dumps(fields).encode()
    if reference.network.kind == "file":
        path = Path(reference.network.edges)
        content += path.read_bytes() if path.is_file() else b""
    return f"{hashlib.sha256(content).hexdigest()[:16]}-{rules_digest()}"


def solve(reference: Scenario, asked: np.ndarray, people: int) -> Solved:
    """Broyden's method on common random numbers: first on one replication, then on all of them.

    d ln share = G d ln presence; G starts as that of a logit a little amplified, and is learned from the rounds.
    """
    log_presence, inverse = np.log(np.maximum(asked, LEAST)), FIRST_GUESS * np.eye(len(asked))
    draws, rounds = draws_of(reference), []
    replications = min(-(-people // (reference.people * draws)) * draws, MOST_REPLICATIONS)  # each draw as often
    for many, near in ((1, LOOSE), (replications, CLOSE)):

        def uses(log_presence: np.ndarray, many: int = many) -> Uses:
            return uses_of(reference, presence_of(log_presence), range(many))

        best, inverse, number = _approach(uses, asked, log_presence, inverse, near)
        log_presence = best.log_presence
        rounds.append(number)
    found = presence_of(best.log_presence)
    mark = mark_of(uses_of(reference, found, range(1)))
    return Solved(found, best.reached.tolist(), best.error.tolist(), replications * reference.people, rounds, mark)


def _approach(
    uses: CountUses, asked: np.ndarray, log_presence: np.ndarray, inverse: np.ndarray, near: float
) -> tuple[Round, np.ndarray, int]:
    """The best of the rounds, the inverse of the Jacobian as learned, and how many rounds there were."""
    best, before, number = None, None, 0
    while number < ROUNDS:
        number += 1
        counted = uses(log_presence)
        reached, error = shares_of(counted)
        with np.errstate(invalid="ignore"):
            worst = float(np.max(np.abs(reached - asked) / np.maximum(error, 1e-5)))
        if best is None or worst < best.worst:
            best = Round(log_presence, reached, error, worst)
        if not worst > near:  # nan: nobody used anything, and there is nothing to learn
            break
        gap = np.log(np.maximum(reached, 0.5 / counted.sum()) / np.maximum(asked, LEAST))
        if before is not None:
            inverse = _learned(inverse, log_presence - before[0], gap - before[1])
        before = log_presence, gap
        log_presence = log_presence - np.clip(inverse @ gap, -STEP, STEP)
    assert best is not None
    return best, inverse, number


def _learned(inverse: np.ndarray, step: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """The inverse of the Jacobian after Broyden's first update."""
    along = step @ inverse
    length = along @ answer
    if abs(length) < 1e-9:
        return inverse
    result: np.ndarray = inverse + np.outer(step - inverse @ answer, along) / length
    return result


def presence_of(log_presence: np.ndarray) -> list[float]:
    """Presence, summing to 1, in seven digits, so that it is the same on every machine."""
    relative = np.exp(log_presence - log_presence.max())
    return [float(f"{p:.7g}") for p in np.maximum(relative / relative.sum(), LEAST)]


def uses_of(reference: Scenario, present: Sequence[float], replications: range) -> Uses:
    """Uses by group of people and firm in some of the solver's replications, all cores at work."""
    trial = replace(
        reference,
        firms={
            name: replace(firm, presence=p, share=None)
            for (name, firm), p in zip(reference.firms.items(), present, strict=True)
        },
    )

    network = stored_links(trial) if trial.network.kind == "file" else None

    def one(r: int) -> Uses:
        tally = simulate(trial, threads=1, network=network, first=LAST - r, by_week=False).tally
        used: Uses = tally.flow.sum(axis=(1, 2, 3))[:, 1:]
        return used

    with threads() as pool:
        return np.concatenate(list(pool.map(one, replications)))


def shares_of(uses: Uses) -> tuple[np.ndarray, np.ndarray]:
    """Shares and their standard errors, [j]: each group of people left out in turn; no less than a single use."""
    with np.errstate(divide="ignore", invalid="ignore"):
        total = uses.sum(axis=0)
        if not total.any():
            return np.full(len(total), np.nan), np.full(len(total), np.nan)
        without = total - uses[uses.sum(axis=1) > 0]
        left_out = without / without.sum(axis=1, keepdims=True)
        folds = len(left_out)
        spread = (folds - 1) / folds * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
        return total / total.sum(), np.maximum(np.sqrt(spread), 1 / total.sum())


def mark_of(uses: Uses) -> str:
    """A hash of the uses of one replication: it is the same as long as the rules do the same."""
    return hashlib.sha256(np.ascontiguousarray(uses).tobytes()).hexdigest()[:16]


def still_holds(reference: Scenario, solved: Solved) -> bool:
    """Whether the same uses are counted as when this was solved, though the source of the rules has changed."""
    return mark_of(uses_of(reference, solved.presence, range(1))) == solved.mark
