"""What a user asks of a new scandal on the command line, and the answer in words."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.casebook.cases import ATTRIBUTES, SHARES, Attributes, Case, attributes, casebook
from sim.casebook.new_scandal import LATE, WORST, Drawn, TooFewUses, foretold, in_market
from sim.casebook.rule import GAIN, Rule, Spread, fit
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.study.over_worlds import affordable
from sim.study.presets import MOST_WORLDS, uncalibrated

CHOSEN = "scandal=new"
OTHER_NAMES = {"hurt": "self", "substitutes": "subs", "accusers": "core", "withdrawn": "supply"}
SEEN, SEEN_WEEKS = "observed", "observed_weeks"
QUARTER = 14  # weeks; what is seen later is no first stretch
DRAWS, NEAREST = 20, 4  # at least, so that an 80 % interval has two beyond either end
FLAGGED = "scandal=new: one question at a time, without -m or other flags"
LEVELS = (0.5, 0.1, 0.9)


class Question(NamedTuple):
    """The attributes that are known, a first stretch that was observed (%), and the arguments of the run."""

    known: Attributes
    seen: float | None
    others: list[str]

    @property
    def settings(self) -> list[str]:
        """The arguments of the run that make its scenario."""
        return settings(self.others)


def settings(others: Sequence[str]) -> list[str]:
    """Those of the arguments that make a scenario: not flags, nor the file of a report."""
    return [o for o in others if not o.startswith("-") and not o.lstrip("+").startswith("report=")]


def asked(arguments: Sequence[str], regime: str = "") -> Question:
    """The question in the arguments of a command line; one ScenarioError lists all that is wrong with it.

    `regime` is that of the market, which the attributes must not contradict.
    """
    row: dict[str, object] = {}
    seen: dict[str, str] = {}
    wrong, others = [], []
    for argument in arguments:
        key, _, value = argument.lstrip("+").partition("=")
        if key.startswith("scandal."):
            wrong += _put(row, key.removeprefix("scandal."), value)
        elif key in (SEEN, SEEN_WEEKS):
            seen[key] = value
        else:
            others.append(argument)
    if any(other.startswith("-") for other in others):
        wrong.append(FLAGGED)
    wrong += [f"{a}: one scandal at a time, {CHOSEN} or another" for a in _chosen(others) if a != CHOSEN]
    if regime and row.setdefault("regime", regime) != regime and not wrong:
        wrong.append(f"scandal.regime: {row['regime']!r} contradicts market.regime, which is {regime}; leave it out")
    complaints: list[str] = []
    known = attributes(row, "scandal", complaints)
    wrong += [_as_asked(line, arguments) for line in complaints]
    change = _seen(seen, wrong)
    if wrong:
        raise ScenarioError(wrong)
    return Question(known, change, others)


def asked_of_market(arguments: Sequence[str]) -> Question:
    """As `asked`, of the market that is chosen; what is wrong with that is said as well."""
    wrong: list[str] = []
    others = [a for a in arguments if not _of_question(a)]
    regime = ""
    try:
        regime = uncalibrated(*settings(others)).market.regime
    except ScenarioError as error:
        wrong = error.complaints
    try:
        found = asked(arguments, regime)
    except ScenarioError as error:
        wrong = [*error.complaints, *wrong]
    if wrong:
        raise ScenarioError(wrong)
    return found


def _of_question(argument: str) -> bool:
    key = argument.lstrip("+").partition("=")[0]
    return key.startswith("scandal.") or key in (SEEN, SEEN_WEEKS)


def _chosen(arguments: Sequence[str]) -> list[str]:
    return [a for a in arguments if a.lstrip("+").partition("=")[0] == "scandal"]


def astray(arguments: Sequence[str]) -> list[str]:
    """Complaints about arguments that belong to a new scandal, where none is asked for.

    >>> astray(["market=bank", "observed=-2.4"])
    ['observed=-2.4: goes with scandal=new only']
    """
    if CHOSEN in arguments:
        return []
    return [f"{a}: goes with {CHOSEN} only" for a in arguments if _of_question(a)]


def _put(row: dict[str, object], name: str, value: str) -> list[str]:
    """Note an attribute; the complaint about a name that is none."""
    own = OTHER_NAMES.get(name, name)
    if own not in ATTRIBUTES:
        return [f"scandal.{name}: unknown{did_you_mean(name, (*ATTRIBUTES, *OTHER_NAMES))}"]
    if own in row:
        return [f"scandal.{name}: is given twice"]
    if not value.strip():
        return [f"scandal.{name}: is empty (an unset variable?); leave it out if it is not known"]
    try:
        row[own] = float(value) if own in SHARES else value
    except ValueError:
        row[own] = value
    return []


def _as_asked(complaint: str, arguments: Sequence[str]) -> str:
    """The complaint about an attribute under the name that was given to it."""
    for other, own in OTHER_NAMES.items():
        if any(a.lstrip("+").startswith(f"scandal.{other}=") for a in arguments):
            complaint = re.sub(rf"\b{own}\b", other, complaint)
    return complaint


def _seen(seen: dict[str, str], wrong: list[str]) -> float | None:
    """The change of a first stretch, %, once its weeks are told."""
    if not seen:
        return None
    for name, other in ((SEEN, SEEN_WEEKS), (SEEN_WEEKS, SEEN)):
        if name not in seen:
            how = "observed=-2.4 observed_weeks=0-10"
            wrong.append(f"{other}: needs {name} as well, as in {how}")
    if SEEN_WEEKS in seen:
        weeks = re.fullmatch(r"(\d{1,3})-(\d{1,3})", seen[SEEN_WEEKS])
        if not weeks or not int(weeks[1]) < int(weeks[2]) <= QUARTER:
            at = f"the first and the last week since the news, at most {QUARTER}, as in 0-10"
            wrong.append(f"{SEEN_WEEKS}: {seen[SEEN_WEEKS]!r} is not {at}")
    try:
        change = float(seen.get(SEEN, "0"))
    except ValueError:
        change = float("nan")
    if not -100 < change <= 100:
        wrong.append(f"{SEEN}: {seen[SEEN]!r} is no change in %, above -100 and up to 100 (a loss is negative)")
    return change


def answer(scenario: Scenario, question: Question) -> tuple[Drawn | None, str]:
    """The draws that answer a question in a scenario with the scandal `new`, and the answer in words.

    None where the firm is used too seldom for draws.
    """
    rule = fit()
    try:
        drawn = in_market(scenario, rule, question.known, _many(scenario, question), question.seen)
    except TooFewUses as error:
        return None, f"{told(rule, question, None)}\nNot simulated: {error}."
    return drawn, told(rule, question, drawn)


def _many(scenario: Scenario, question: Question) -> int:
    """How many draws: the worlds that are asked for, or as many as take a few seconds."""
    asked = [value for name, _, value in (o.partition("=") for o in question.others) if name == "worlds"]
    if asked and asked[-1].isdecimal():
        return max(DRAWS, min(MOST_WORLDS, int(asked[-1])))
    return max(DRAWS, affordable(scenario, max(s.week for s in scenario.scandals.values())))


def told(rule: Rule, question: Question, drawn: Drawn | None) -> str:
    """The answer: median and 80 % interval as cases foretell and as simulated, chances, and the nearest cases."""
    worst, late = foretold(rule, question.known, question.seen)
    first = f"at the worst (weeks {WORST[0]} to {WORST[1]})" if question.seen is None else "at the worst, as observed"
    then = f"weeks {LATE[0]} to {LATE[1]}"
    lines = ["If it makes national headlines: change of sales or customers, %", ""]
    lines.append(f"{'':42}{'median':>8}   80 % interval")
    for label, spread, column in ((first, worst, 0), (then, late, 1)):
        lines += [label, _row("  in the cases", spread.quantile(LEVELS))]
        if drawn:
            lines.append(_row("  simulated in this market", np.quantile(drawn.simulated[:, column], LEVELS)))
    none, gain = _chances(rule, worst)
    lines += ["", f"chance of no measurable effect (under {rule.floor:g} %): {none:.0%}; of a gain: {gain:.0%}"]
    if drawn and drawn.beyond:
        lines.append(f"{drawn.beyond} of {len(drawn.worst)} draws ask for more than this market can lose or gain")
    unknown = [n for n in ATTRIBUTES if n not in question.known and n != "harmed"]
    if unknown and question.seen is None:
        names = ", ".join(next((o for o, n in OTHER_NAMES.items() if n == name), name) for name in unknown)
        lines.append(f"not told, so taken as in like cases: {names}")
    if question.known.get("regime") == "provider" and question.seen is None:
        lines.append("of providers the cases tell no more: they lose little, whatever kind of scandal it is")
    lines += ["", "Nearest cases (at the worst; 20 to 65 weeks after):"]
    lines += [f"  {line}" for line in map(happened, nearest(question.known, question.seen))]
    lines += ["", "Of incidents without headlines studies find little: most move nobody who can be measured."]
    return "\n".join(lines)


def _row(label: str, values: np.ndarray) -> str:
    middle, low, high = (round(float(v), 1) + 0.0 for v in values)
    return f"{label:42}{middle:>8.1f}   {low:.1f} to {high:{'+' if high else ''}.1f}"


def _chances(rule: Rule, worst: Spread) -> tuple[float, float]:
    return worst.chance(-rule.floor, GAIN), worst.chance(GAIN, 1e9)


def nearest(known: Attributes, seen: float | None = None, many: int = NEAREST) -> list[Case]:
    """The cases that differ least in what is known: regime and kind weigh as much as two full steps of another.

    Among equals those come first whose worst stretch is nearest to the one observed.
    """

    def distance(case: Case) -> tuple[float, float]:
        steps = [
            2.0 * (value != case.attributes.get(name)) if isinstance(value, str) else _step(value, case, name)
            for name, value in known.items()
        ]
        return float(sum(steps)), abs(seen - case.readings["peak"].value) if seen is not None else 0.0

    measured = [case for case in casebook()[0] if "peak" in case.readings]
    return sorted(measured, key=distance)[:many]


def _step(value: float, case: Case, name: str) -> float:
    other = case.attributes.get(name)
    return abs(value - other) if isinstance(other, float) else 0.5


def happened(case: Case) -> str:
    """A case in a line: who, where, when, what happened to it."""
    values = [f"{case.readings[n].value:+g} %" if n in case.readings else "?" for n in ("peak", "late")]
    when = f"{case.place} {case.year}".strip()
    return f"{case.firm}, {when}: {values[0]}; {values[1]} ({case.what})".replace("+0 %", "0 %")
