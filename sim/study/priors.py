"""The spread of every free number: read from conf/priors.yaml, checked against the declarations, and drawn from.

A prior belongs to a path, in which * stands for any member, and may differ by the market's regime and a scandal's kind.
What a preset says of its own is the median; numbers that say that a mechanism is not there, and those that are no
property of a market (`structural` in the file), are not drawn. Equal keys give equal draws, whatever else is drawn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import yaml

from sim.model.declare import Declaration, ScenarioError, did_you_mean, leaves
from sim.model.fields import Scenario
from sim.study.defaults import vocabulary
from sim.study.presets import CONF
from sim.study.prior_laws import SCALES, Prior, mixture

BASES = ("measured", "casebook", "sign only", "judgment")
REGIMES = ("repertoire", "provider")
OTHERWISE = "otherwise"
PLACE = "NAME"  # stands for the name of a member in the paths of declarations
ROW = ("law", "p10", "p50", "p90", "low", "high", "step", "neutral", "times", "around", "basis", "source", "parts")
TOP = ("structural", "priors")
PART = ("weight", "law", "p10", "p50", "p90", "value")


@dataclass(frozen=True)
class Row:
    """A prior as the file gives it: `None` where the number is held, and how it is used."""

    prior: Prior | None
    reason: str  # why it is held
    neutral: float | None
    fixed: bool  # the median stays, whatever a preset says


@dataclass(frozen=True)
class Priors:
    """What the file says: rows by pattern and case ("" for any), and why other numbers have none."""

    rows: Mapping[str, Mapping[str, Row]]
    structural: Mapping[str, str]

    def rows_of(self, path: str) -> Mapping[str, Row]:
        """The rows of a path by case; {} where it has none."""
        return self.rows.get(_nearest(path, self.rows), {})

    def why_none(self, path: str) -> str:
        """Why a number has no prior; "" where it is to have one."""
        return self.structural.get(_nearest(path, self.structural), "")

    def row(self, path: str, regime: str, kind: str = "") -> Row | None:
        """The row of a path in a market of this regime, for a scandal of this kind; None where there is none."""
        found = self.rows_of(path)
        return next((found[case] for case in (kind, regime, OTHERWISE, "") if case in found), None)


def load(path: Path | str = CONF / "priors.yaml") -> Priors:
    """The priors of a file; one ScenarioError lists everything that is wrong with it."""
    wrong: list[str] = []
    try:
        config = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ScenarioError([f"{path}: {' '.join(str(error).split())}"]) from None
    if not isinstance(config, Mapping):
        raise ScenarioError([f"{path}: is not a set of named values"])
    known = dict(vocabulary())
    structural = {name.strip(): str(why) for names, why in _named(config, "structural") for name in names.split(",")}
    wrong += [f"{name}: unknown{did_you_mean(name, TOP)}" for name in config if name not in TOP]
    wrong += [f"{name}: {_stranger(name, known)}" for name in structural if not _declared(name, known)]
    rows = {}
    for pattern, row in _named(config, "priors"):
        if declared := _declared(pattern, known):
            rows[pattern] = _cases(pattern, row, declared, wrong)
            wrong += [f"{pattern}: is structural, too"] if pattern in structural else []
        else:
            wrong.append(f"{pattern}: {_stranger(pattern, known)}")
    if wrong:
        raise ScenarioError(wrong)
    return Priors(rows, structural)


@lru_cache(maxsize=1)
def shipped() -> Priors:
    """The priors of conf/priors.yaml."""
    return load()


def priors_of(scenario: Scenario, priors: Priors | None = None) -> dict[str, Prior]:
    """The prior of every number of the scenario that is free, by its path.

    >>> from sim.study.presets import uncalibrated
    >>> found = priors_of(uncalibrated("market=bank"))
    >>> round(found["consumer.attention"].p50, 4), "people" in found
    (0.0028, False)
    """
    priors = shipped() if priors is None else priors
    kinds = {f"scandals.{name}": scandal.kind for name, scandal in scenario.scandals.items()}
    found = {}
    for path, value, d in numbers(scenario):
        row = priors.row(path, scenario.market.regime, kinds.get(path.rpartition(".")[0], ""))
        prior = None if row is None else _centered(row, path, value, d)
        if prior is not None:
            found[path] = prior
    return found


def draw(scenario: Scenario, key: int | str, priors: Mapping[str, Prior] | None = None) -> dict[str, float]:
    """Plausible values of all free numbers, as changes of the scenario: the same for the same key.

    >>> from sim.study.presets import uncalibrated
    >>> base = uncalibrated("market=bank")
    >>> draw(base, 1) == draw(base, 1) != draw(base, 2)
    True
    """
    priors = priors_of(scenario) if priors is None else priors
    return values(scenario, {path: uniform(key, path) for path in priors}, priors)


def values(
    scenario: Scenario, chances: Mapping[str, float], priors: Mapping[str, Prior] | None = None
) -> dict[str, float]:
    """The changes of the scenario at the given quantiles (path: 0 to 1); numbers that are not named stay.

    ScenarioError for a path without a prior in this scenario and for a chance outside 0 to 1.
    """
    priors = priors_of(scenario) if priors is None else priors
    wrong = [f"{p}: has no prior here{did_you_mean(p, priors)}" for p in chances if p not in priors]
    wrong += [f"{p}: {u} is outside 0 to 1" for p, u in chances.items() if not 0 <= u <= 1]
    if wrong:
        raise ScenarioError(wrong)
    found = {path: priors[path].quantile(u) for path, u in chances.items()}
    present = {path: (value, d) for path, value, d in numbers(scenario)}
    for path in [p for p in found if priors[p].times]:
        of, d = priors[path].times, present[path][1]
        product = found[path] * found.get(of, present[of][0])
        found[path] = max(d.low or 0.0, min(d.high or 0.0, product))
    return found


def uniform(key: int | str, path: str) -> float:
    """A number between 0 and 1 that depends on the key and the path alone, the same on every machine.

    >>> round(uniform(1, "consumer.voice"), 4)
    0.1941
    """
    return (int.from_bytes(sha256(f"{key}/{path}".encode()).digest()[:7], "big") + 0.5) / 2**56


def numbers(scenario: Scenario) -> Iterator[tuple[str, float, Declaration]]:
    """(path, value, declaration) of every number of a scenario that has one."""
    for path, value, d in leaves(scenario):
        if d.low is not None and isinstance(value, int | float) and not isinstance(value, bool):
            yield path, float(value), d


def _centered(row: Row, path: str, value: float, d: Declaration) -> Prior | None:
    """The prior of a number with this value; None where the value says that there is nothing to be known."""
    if row.prior is None or value == row.neutral:
        return None
    if value < 0 < row.prior.p10:  # what is given as on the other side stays there
        p = row.prior
        low = float(d.low or 0.0)
        return replace(p, path=path, law="normal", low=low, high=0.0, p10=-p.p90, p50=-p.p50, p90=-p.p10)
    own = value != d.default and not row.fixed and not row.prior.times and row.prior.law in SCALES
    if own and row.prior.law == "lognormal" and value <= 0:
        return None
    if own and row.prior.law == "logitnormal" and not 0 < value < 1:
        return None
    return replace(row.prior.around(value) if own else row.prior, path=path)


def _nearest(path: str, patterns: Mapping[str, object]) -> str:
    """The pattern with the fewest * that covers a path; "" if none does."""
    names = path.split(".")
    fitting = [p for p in patterns if _covers(p.split("."), names)]
    return min(fitting, key=lambda p: p.count("*"), default="")


def _covers(pattern: list[str], names: list[str]) -> bool:
    return len(pattern) == len(names) and all(p in ("*", n) for p, n in zip(pattern, names, strict=True))


def _declared(pattern: str, known: Mapping[str, Declaration]) -> Declaration | None:
    """The declaration of a pattern, in which * or a name stands where members are named."""
    names = pattern.split(".")
    for path, d in known.items():
        places = path.split(".")
        if len(places) == len(names) and all(
            p == n or (p == PLACE and (n == "*" or n.isidentifier())) for p, n in zip(places, names, strict=True)
        ):
            return d if d.low is not None else None
    return None


def _stranger(pattern: str, known: Mapping[str, Declaration]) -> str:
    if pattern in known:
        return "is no number"
    return f"unknown{did_you_mean(pattern, [p.replace(PLACE, '*') for p, d in known.items() if d.low is not None])}"


def _named(config: Mapping[str, object], part: str) -> list[tuple[str, object]]:
    found = config.get(part) or {}
    return [(str(name), value) for name, value in found.items()] if isinstance(found, Mapping) else []


def _cases(pattern: str, row: object, d: Declaration, wrong: list[str]) -> dict[str, Row]:
    if not isinstance(row, Mapping):
        wrong.append(f"{pattern}: {row!r} is not a set of named values")
        return {}
    if "law" in row:
        return {"": _row(pattern, row, d, wrong)}
    cases = {}
    for case, found in row.items():
        if isinstance(found, Mapping):
            cases[str(case)] = _row(f"{pattern}.{case}", found, d, wrong)
        else:
            wrong.append(f"{pattern}: law is missing" if case in ROW else f"{pattern}.{case}: {found!r} is no prior")
    by_kind = pattern.startswith("scandals.")
    wrong += [
        f"{pattern}.{c}: is no regime{did_you_mean(c, (*REGIMES, OTHERWISE))}"
        for c in cases
        if not by_kind and c not in (*REGIMES, OTHERWISE)
    ]
    return cases


def _row(at: str, row: Mapping[str, object], d: Declaration, wrong: list[str]) -> Row:
    wrong += [f"{at}.{name}: unknown{did_you_mean(str(name), ROW)}" for name in row if name not in ROW]
    law, source = str(row.get("law")), str(row.get("source", ""))
    if law == "held":
        wrong += [] if source else [f"{at}: source is missing: why is it held?"]
        return Row(None, source, None, False)
    basis = str(row.get("basis", ""))
    if basis not in BASES:
        wrong.append(f"{at}.basis: {basis!r} is not known{did_you_mean(basis, BASES)}")
    if not source and basis != "judgment":
        wrong.append(f"{at}: source is missing; only a judgment may do without")
    if row.get("around", "preset") not in ("preset", "prior"):
        wrong.append(f"{at}.around: {row['around']!r} is not known{did_you_mean(str(row['around']), ('prior',))}")
    prior = _mixture(at, row, d, wrong, basis) if law == "mixture" else _single(at, row, d, wrong)
    if prior is not None:
        prior = replace(prior, basis=basis, source=source)
    neutral = row.get("neutral")
    return Row(prior, "", None if neutral is None else _number(at, row, "neutral", wrong), row.get("around") == "prior")


def _mixture(at: str, row: Mapping[str, object], d: Declaration, wrong: list[str], basis: str) -> Prior | None:
    parts = row.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts) or len(parts) < 2:
        wrong.append(f"{at}.parts: a mixture has two parts or more, each a law with a weight")
        return None
    before, found = len(wrong), []
    for n, part in enumerate(parts):
        place = f"{at}.parts.{n}"
        wrong += [f"{place}.{name}: unknown{did_you_mean(str(name), PART)}" for name in part if name not in PART]
        weight, prior = _number(place, part, "weight", wrong), _single(place, part, d, wrong)
        if weight <= 0:
            wrong.append(f"{place}.weight: {weight:g} is not above 0")
        if prior is not None:
            found.append((weight, prior))
    if len(wrong) > before:
        return None
    for n, ((_, first), (_, second)) in enumerate(pairwise(found)):
        if first.p90 > second.p10:
            wrong.append(f"{at}.parts: P90 of part {n} ({first.p90:g}) is above P10 of the next ({second.p10:g})")
    return mixture(at, found, basis, "")


def _single(at: str, row: Mapping[str, object], d: Declaration, wrong: list[str]) -> Prior | None:
    """A law with its quantiles, or None after complaints."""
    law, before = str(row.get("law")), len(wrong)
    if law not in (*SCALES, "point"):
        wrong.append(f"{at}.law: {law!r} is not known{did_you_mean(law, (*SCALES, 'mixture', 'point', 'held'))}")
        return None
    if law == "point":
        value = _number(at, row, "value", wrong)
        return Prior(at, law, value, value, value) if len(wrong) == before else None
    p10, p50, p90 = (_number(at, row, name, wrong) for name in ("p10", "p50", "p90"))
    bounds = {name: float(getattr(d, name) or 0.0) for name in ("low", "high")}
    limits = {n: _number(at, row, n, wrong) if n in row else bound for n, bound in bounds.items()}
    step = (_whole(row) or int(isinstance(d.default, int))) if not row.get("times") else 0
    if len(wrong) > before:
        return None
    if not p10 <= p50 <= p90:
        wrong.append(f"{at}: P10 ({p10:g}), P50 ({p50:g}) and P90 ({p90:g}) do not rise")
    if not row.get("times") and not (limits["low"] <= p10 and p90 <= limits["high"]):
        wrong.append(f"{at}: P10 to P90, {p10:g} to {p90:g}, is outside {limits['low']:g} to {limits['high']:g}")
    if (law == "lognormal" and p10 <= 0) or (law == "logitnormal" and not 0 < p10 <= p90 < 1):
        wrong.append(f"{at}: {p10:g} to {p90:g} cannot be {law}")
    if len(wrong) > before:
        return None
    times = str(row.get("times", ""))
    low, high = (0.0, float("inf")) if times else (limits["low"], limits["high"])
    return Prior(at, law, p10, p50, p90, low, high, step, times)


def _whole(row: Mapping[str, object]) -> int:
    step = row.get("step", 0)
    return step if isinstance(step, int) else 0


def _number(at: str, row: Mapping[str, object], name: str, wrong: list[str]) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        wrong.append(f"{at}.{name}: {'is missing' if value is None else f'{value!r} is not a number'}")
        return 0.0
    return float(value)


def without(scenario: Scenario, priors: Priors | None = None) -> list[str]:
    """Paths of numbers that have neither a prior nor a reason for having none."""
    priors = shipped() if priors is None else priors
    return [path for path, _, _ in numbers(scenario) if not priors.rows_of(path) and not priors.why_none(path)]


def describe(path: str) -> tuple[str, str]:
    """("P10 to P90", basis) of a declared path for a table, case by case; ("", "") where there is none."""
    rows = shipped().rows_of(path.replace(PLACE, "*"))
    spreads = []
    for case, row in rows.items():
        of = f"{case}: " * bool(case)
        p = row.prior
        spreads.append(
            (f"{of}{p.p10:.3g} to {p.p90:.3g}{f' x {p.times}' * bool(p.times)}", p.basis) if p else (f"{of}held", "")
        )
    return ", ".join(s for s, _ in spreads), ", ".join(dict.fromkeys(b for _, b in spreads if b))
