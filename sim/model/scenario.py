"""Building, changing and checking a scenario: a checked Scenario comes out, or one error that says all that is wrong.

A consumer's trait is the category's value (`consumer`) times the factor of their segment times that of their cohort;
so is the care for a kind of scandal (`kinds`). Utilities are in logit units, customer experience (CX) in standard
deviations of an ordinary visit, money in an index with 1 = category average, time in weeks. `#n` are stylized facts of
the field; conf/facts.yaml lists them.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from sim.model.calendar import calendar_complaints, calendar_hides
from sim.model.declare import Declaration, ScenarioError, did_you_mean, leaves, read, unknown
from sim.model.fields import Cohort, Firm, Move, Policy, Scandal, Scenario, Segment, Touchpoint
from sim.model.levers import NO_LEVERS, is_open, value_at
from sim.model.paths import Nested, Sizes, put, unknown_member
from sim.model.population import population_complaints
from sim.model.posterior import posterior_complaints
from sim.model.tables import Columns, columns_of, kept
from sim.model.tastes import covariance_complaints

__all__ = ["Scenario", "ScenarioError", "add", "build", "change", "leaves", "to_dict"]

MOST_FIRMS, MOST_SCANDALS, MOST_CELLS = 64, 32, 255  # addresses of draws and bit sets have this much room
MOST_USES = 2**42  # expected uses of a run, so that 64 bits hold what is counted of them (`tally.FIXED` x uses is most)
FILES = {  # fields that name one, with a digest
    "calendar": calendar_complaints,
    "population": population_complaints,
    "posterior": posterior_complaints,
}
SIZE_FIELDS = {  # fields of which a new member gives one; without any, a name like another's is taken for a slip
    Firm: ("presence", "share"),
    Segment: ("weight",),
    Cohort: ("weight",),
    Touchpoint: ("use",),
}


def build(config: Mapping[str, object] | None = None, **overrides: object) -> Scenario:
    """A checked Scenario from nested mappings, or one ScenarioError that says everything wrong.

    `overrides` are changes as for `change`, with `__` for `.`: `build(config, segments__habitual__attention=0.5)`.

    >>> build({"segments": {"all": {}}, "firms": {"a": {}, "b": {"price": 1.1}}}, firms__a__quality=0.5).focus
    'a'
    """
    if config is not None and not isinstance(config, Mapping):
        raise ScenarioError([f"config: {config!r} is not a set of named values"])
    nested = {"kinds": to_dict(Scenario())["kinds"], **copy.deepcopy(dict(config or {}))}
    return _changed(nested, {p.replace("__", "."): value for p, value in overrides.items()})


def change(scenario: Scenario, changes: Mapping[str, object]) -> Scenario:
    """The same scenario with other values at dotted paths, or one ScenarioError that says everything wrong.

    A dict changes what it names and leaves the rest of a member or a part as it is: `{"firms.lloyds": {"price": 1.1}}`
    is `{"firms.lloyds.price": 1.1}`. At the path of a member that does not exist it adds one, with defaults for what
    it leaves out: `{"firms.newco": {"presence": 0.05}}`; None removes one. At a group of members it says which there
    are: `{"scandals": {}}` removes all. A path into a member that does not exist, as by a slip, is an error.
    """
    return _changed(to_dict(scenario), changes)


def add(scenario: Scenario, path: str, member: object = None) -> Scenario:
    """The same scenario with one more firm, segment, cohort, touchpoint, kind, scandal or move, whatever its name.

    `member` is a mapping or a dataclass; what it leaves out has its default. Raises ScenarioError if it is there
    already, if the path is no place for a member, or if something in it is wrong.

    >>> market = build({"segments": {"all": {}}, "firms": {"a": {}}})
    >>> list(add(market, "firms.a2", {"presence": 0.5}).firms)
    ['a', 'a2']
    """
    nested = to_dict(scenario)
    found = unknown_member(Scenario, nested, path)
    if found is None or found[0] != path:
        raise ScenarioError([f"{path}: {'is there already' if found is None else 'no place for a member'}"])
    return _changed(nested, {path: {} if member is None else member}, {})


def _changed(nested: Nested, changes: Mapping[str, object], sizes: Sizes = SIZE_FIELDS) -> Scenario:
    complaints: list[str] = []
    kinds, firms = (
        set(part) if isinstance(part := nested.get(name), Mapping) else set() for name in ("kinds", "firms")
    )
    put(Scenario, nested, changes, complaints, sizes)
    _forget_digests(nested, changes)
    scenario = read(Scenario, nested, "", complaints)
    scenario.cohorts = scenario.cohorts or {"all": Cohort()}
    _forget_covariances(scenario, firms - set(scenario.firms))
    complaints += [*_care(scenario, kinds - set(scenario.kinds)), *_contradictions(scenario), *_files(scenario)]
    if not complaints and "calendar" not in changes:
        complaints += calendar_hides(scenario, map(str, changes))
    if complaints:
        raise ScenarioError(complaints)
    scenario.focus = scenario.focus or _largest(scenario)
    return scenario


def _forget_digests(nested: Nested, changes: object) -> None:
    """Another file has another digest, which is filled in when it is read."""
    for name in FILES:
        if isinstance(changes, Mapping) and name in changes and f"{name}_sha256" not in changes:
            nested[f"{name}_sha256"] = ""


def _forget_covariances(s: Scenario, removed: set[str]) -> None:
    """The tastes for a firm that is removed go with it."""
    rows = {a: row for a, row in s.taste_covariance.items() if a not in removed}
    s.taste_covariance = {a: {b: value for b, value in row.items() if b not in removed} for a, row in rows.items()}


def _files(s: Scenario) -> list[str]:
    """Read the files that are named and fill in their digests; everything in which they do not fit the scenario.

    A file whose digest is there was read before, maybe elsewhere: it is read again, and held to it, when it is needed.
    """
    wrong = []
    for name, complaints in FILES.items():
        path, digest = getattr(s, name), getattr(s, f"{name}_sha256")
        if not path:
            setattr(s, f"{name}_sha256", "")
            continue
        try:
            sha256, columns = (digest, kept(digest)) if digest else columns_of(name, path)
        except ScenarioError as error:
            wrong += error.complaints
            continue
        setattr(s, f"{name}_sha256", sha256)
        wrong += complaints(s, columns) if columns is not None else []
    return wrong


def files_of(s: Scenario) -> dict[str, Columns]:
    """The columns of the files that a scenario names, by digest; ScenarioError for one that cannot be read."""
    return dict(columns_of(name, getattr(s, name), getattr(s, f"{name}_sha256")) for name in FILES if getattr(s, name))


def _care(s: Scenario, removed: set[str]) -> list[str]:
    """Give every segment and cohort a factor for each kind of scandal; complain of factors for kinds there are not.

    A factor of 1 for a kind that is being removed goes with it.
    """
    wrong = []
    for group in ("segments", "cohorts"):
        for name, member in getattr(s, group).items():
            for kind, factor in member.care.items():
                if kind not in s.kinds and not (kind in removed and factor == 1):
                    wrong.append(f"{group}.{name}.care.{kind}: {unknown(kind, list(s.kinds))}")
            member.care = {kind: member.care.get(kind, 1.0) for kind in s.kinds}
    return wrong


def to_dict(scenario: Scenario) -> Nested:
    """The scenario as nested plain values; `build` of it gives it back."""
    return {f.name: _plain(getattr(scenario, f.name)) for f in fields(scenario)}


def _plain(value: object) -> object:
    """As `asdict` of a value, four times as fast: no value of a scenario but a dict needs a copy."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return {n: _plain(v) for n, v in vars(value).items()} if is_dataclass(value) else value


def _largest(scenario: Scenario) -> str:
    return max(scenario.firms, key=lambda f: (scenario.firms[f].share or 0, scenario.firms[f].presence), default="")


def _contradictions(s: Scenario) -> list[str]:
    """What no single field can show: references, sums, horizons."""
    return [*_populations(s), *_firms(s), *_events(s), *_policies(s), *_network(s), *covariance_complaints(s)]


def _populations(s: Scenario) -> list[str]:
    wrong = [f"{kind}: none; at least one is needed" for kind in ("segments", "firms") if not getattr(s, kind)]
    for kind in ("segments", "cohorts"):
        members = getattr(s, kind)
        if members and not sum(m.weight for m in members.values()) > 0:
            wrong.append(f"{kind}: the weights sum to 0; at least one must be above 0")
    cells = len(s.segments) * max(1, len(s.cohorts))
    if cells > MOST_CELLS:
        wrong.append(f"segments x cohorts: {cells} cells; at most {MOST_CELLS}")
    weeks = [f"w{n}" for n in range(1, 53)]
    wrong += [f"market.season.{name}: no week of the year; w1 to w52" for name in s.market.season if name not in weeks]
    if s.window > s.weeks:
        wrong.append(f"window: {s.window} is longer than weeks ({s.weeks})")
    uses = s.people * s.weeks * s.replications * _most_uses_a_week(s)
    if uses > MOST_USES:
        wrong.append(
            f"people x weeks x replications: {uses:.3g} uses are expected; at most {MOST_USES:.3g} can be counted"
        )
    return wrong


def _most_uses_a_week(s: Scenario) -> float:
    """Mean uses a week in the busiest cell; `draws.poisson` takes a mean above 80 as 80."""
    if s.market.regime == "provider":
        return 1.0
    season = max(1.0, *s.market.season.values()) if s.market.season else 1.0
    factors = (max((m.rate for m in kind.values()), default=1.0) for kind in (s.segments, s.cohorts))
    return min(80.0, s.consumer.rate * math.prod(factors) * season)


def _firms(s: Scenario) -> list[str]:
    wrong = []
    if len(s.firms) > MOST_FIRMS:
        wrong.append(f"firms: {len(s.firms)} of them; at most {MOST_FIRMS}")
    shares = [f.share for f in s.firms.values() if f.share is not None]
    if shares and math.fsum(shares) > 1.005:
        wrong.append(f"firms.*.share: the shares sum to {math.fsum(shares):.3f}, above 1")
    elif shares and len(shares) == len(s.firms) and math.fsum(shares) < 0.995:
        wrong.append(f"firms.*.share: the shares sum to {math.fsum(shares):.3f}; add a firm for the rest")
    elif shares and len(shares) < len(s.firms) and math.fsum(shares) > 0.995:
        names = ", ".join(name for name, f in s.firms.items() if f.share is None)
        wrong.append(f"firms.*.share: the shares leave nothing for {names}; give a share, and lower another")
    wrong += [f"firms.{name}.share: 0 is no share a firm can have" for name, f in s.firms.items() if f.share == 0]
    wrong += _openings(s)
    for name, firm in s.firms.items():
        failing = math.fsum(t.use * t.failure_rate for t in firm.touchpoints.values())
        if failing > 1:
            wrong.append(f"firms.{name}.touchpoints: use x failure_rate sum to {failing:.2f}, above 1")
    return wrong


def _openings(s: Scenario) -> list[str]:
    """What is wrong with the weeks in which firms enter and leave."""
    wrong = [
        f"firms.{name}.leaves: {firm.leaves} is not after firms.{name}.enters ({firm.enters})"
        for name, firm in s.firms.items()
        if 0 < firm.leaves <= firm.enters
    ]
    weeks = sorted({-1, *(week for f in s.firms.values() for week in (f.enters, f.leaves) if 0 < week < s.weeks)})
    empty = [week for week in weeks if s.firms and not any(is_open(firm, week) for firm in s.firms.values())]
    if empty and not wrong:
        when = f"week {empty[0]}" if empty[0] >= 0 else "the weeks before week 0"
        wrong.append(f"firms.*.enters, firms.*.leaves: nobody is in the market in {when}")
    for name, event in s.scandals.items():
        firm = s.firms.get(event.firm or s.focus or _largest(s))
        if firm and not is_open(firm, event.week):
            wrong.append(f"scandals.{name}.week: {event.week} is a week in which its firm is not in the market")
    return wrong


def _events(s: Scenario) -> list[str]:
    wrong = []
    if s.focus and s.focus not in s.firms:
        wrong.append(f"focus: {s.focus!r} is no firm{did_you_mean(s.focus, s.firms)}")
    if len(s.scandals) > MOST_SCANDALS:
        wrong.append(f"scandals: {len(s.scandals)} of them; at most {MOST_SCANDALS}")
    for kind in ("scandals", "moves"):
        for name, event in getattr(s, kind).items():
            wrong += _event_complaints(s, f"{kind}.{name}", event)
    for name, scandal in s.scandals.items():
        if scandal.kind not in s.kinds:
            kind = f"scandals.{name}.kind: {scandal.kind!r}"
            wrong.append(f"{kind} is not known{did_you_mean(scandal.kind, list(s.kinds))}")
    for name, move in s.moves.items():
        wrong += _of_lever(s, name, move)
    return wrong


def move_complaints(s: Scenario, name: str, move: Move) -> list[str]:
    """Everything in which a move is none for this scenario."""
    return [*_event_complaints(s, f"moves.{name}", move), *_of_lever(s, name, move)]


def _event_complaints(s: Scenario, path: str, event: Scandal | Move | Policy) -> list[str]:
    wrong = []
    if event.firm and event.firm not in s.firms:
        wrong.append(f"{path}.firm: {event.firm!r} is no firm{did_you_mean(event.firm, s.firms)}")
    if event.week >= s.weeks:
        wrong.append(f"{path}.week: {event.week} is beyond the last week ({s.weeks - 1})")
    return wrong


def _of_lever(s: Scenario, name: str, move: Move) -> list[str]:
    firm = s.firms.get(move.firm or s.focus or _largest(s)) or Firm()
    return [f"moves.{name}.{c}" for c in _lever_complaint(move, firm)]


def _policies(s: Scenario) -> list[str]:
    wrong = []
    for name, policy in s.policies.items():
        at = f"policies.{name}"
        wrong += _event_complaints(s, at, policy)
        if policy.of and policy.of not in s.firms:
            wrong.append(f"{at}.of: {policy.of!r} is no firm{did_you_mean(policy.of, s.firms)}")
        firm = s.firms.get(policy.firm or s.focus or _largest(s)) or Firm()
        complaints = _lever_complaint(Move(lever=policy.lever, value=policy.floor), firm)
        wrong += [f"{at}.{c.replace('value:', 'floor:', 1)}" for c in complaints]
        if policy.step == 0:
            wrong.append(f"{at}.step: 0 moves nothing")
        elif not complaints:
            start, side = value_at(firm, policy.lever), "below" if policy.step > 0 else "above"
            if (start - policy.floor) * policy.step > 0:
                text = f"{policy.floor:g} is {side} the lever's {start:g}; a step of {policy.step:g} never moves it"
                wrong.append(f"{at}.floor: {text}")
    return wrong


def levers(firm: Firm) -> dict[str, Declaration]:
    """The numbers of a firm that a move can set: name -> declaration."""
    return {path: d for path, _, d in leaves(firm) if d.low is not None and path not in NO_LEVERS}


def _lever_complaint(move: Move, firm: Firm) -> list[str]:
    known = levers(firm)
    if move.lever not in known:
        said = unknown(move.lever, known)
        return [f"lever: {move.lever!r} {said.replace('unknown', 'is no lever', 1)}"]
    d = known[move.lever]
    low, high = d.low or 0.0, d.high or 0.0
    return [] if low <= move.value <= high else [f"value: {move.value:g} is outside {d.allowed} for {move.lever}"]


def _network(s: Scenario) -> list[str]:
    n = s.network
    if n.kind == "file" and not n.edges:
        return ["network.edges: a file of edges is needed when network.kind is file"]
    if n.kind == "small_world" and n.neighbors % 2:
        return [f"network.neighbors: {n.neighbors} is odd; a ring has as many neighbors on either side"]
    return []
