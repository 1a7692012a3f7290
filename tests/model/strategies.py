"""Hypothesis strategies made from the declarations: what is declared is varied, and broken, with no list of its own."""

import math
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from sim.model.declare import Declaration, declaration, leaves
from sim.model.fields import SCANDAL_KINDS, Firm, Scenario
from sim.model.scenario import build, levers

SMALL = {
    "people": 70,
    "weeks": 16,
    "burn_in": 6,
    "window": 16,
    "replications": 2,
}  # at most, so that a run takes no time
NAMES = st.sampled_from(("a", "b", "c", "d_1", "été", "Ω"))
ABOUT = {
    "lever": st.just("price"),
    "title": st.text(max_size=20),
    "kind": st.sampled_from(SCANDAL_KINDS),
    "group": st.sampled_from(("", "g", "h")),
    "firm": st.just(""),
    "of": st.just(""),
    "focus": st.just(""),
}


def number(d: Declaration, high: float | None = None) -> st.SearchStrategy[Any]:
    """A number in the declared range, its ends and default more often than others."""
    low, high = d.low, d.high if high is None else high
    whole = isinstance(d.default, int)
    anywhere = st.integers(low, high) if whole else st.floats(low, high)
    default = low if d.default is None else min(d.default, high)
    return st.one_of(st.sampled_from((low, high, default)), anywhere)


def leaf(name: str, hint: Any, d: Declaration) -> st.SearchStrategy[Any]:
    """A value of a field that is a number, a word or a switch."""
    if hint is bool:
        return st.booleans()
    if d.choices:
        return st.sampled_from(d.choices)
    return ABOUT[name] if hint is str else number(d, SMALL.get(name))


def members(kind: type, least: int, most: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(NAMES, declared(kind), min_size=least, max_size=most)


MOST = {
    "segments": (1, 3),
    "cohorts": (0, 2),
    "firms": (1, 4),
    "scandals": (0, 3),
    "moves": (0, 3),
    "policies": (0, 2),
    "touchpoints": (0, 2),
}
FILES = {"edges", "calendar", "calendar_sha256", "population", "population_sha256", "posterior", "posterior_sha256"}
LEFT = {"kinds", "share", "taste_covariance", "season"} | FILES  # solved, which takes a second; no values of their own


def declared(kind: type) -> st.SearchStrategy[dict[str, Any]]:
    """Nested values for a declared dataclass; each field may be left out."""
    hints, found, needed = get_type_hints(kind), {}, {}
    for f in fields(kind):
        hint = hints[f.name]
        if f.name in LEFT:
            continue
        if is_dataclass(hint):
            found[f.name] = declared(hint)
        elif get_origin(hint) is dict and not is_dataclass(get_args(hint)[1]):
            found[f.name] = st.dictionaries(st.sampled_from(SCANDAL_KINDS), number(declaration(f)))
        elif get_origin(hint) is dict:
            (needed if MOST[f.name][0] else found)[f.name] = members(get_args(hint)[1], *MOST[f.name])
        else:
            found[f.name] = leaf(f.name, hint, declaration(f))
    needed |= {name: found.pop(name) for name in [n for n in found if n in SMALL]}
    return st.fixed_dictionaries(needed, optional=found)


@st.composite
def scenarios(draw: Any) -> dict[str, Any]:
    """Nested values that contradict nothing."""
    config = draw(declared(Scenario))
    weeks, firms = config["weeks"], list(config["firms"])
    config["window"] = min(config["window"], weeks)
    for members in (config["segments"], config.get("cohorts", {})):
        for member in list(members.values())[:1]:
            member["weight"] = max(member.get("weight", 1.0), 1.0)
    for firm in config["firms"].values():
        for point in firm.get("touchpoints", {}).values():
            point["failure_rate"] = point.get("failure_rate", 0.05) / 2
    for event in (*config.get("scandals", {}).values(), *config.get("moves", {}).values()):
        event["firm"], event["week"] = draw(st.sampled_from(firms)), draw(st.integers(0, weeks - 1))
    for move in config.get("moves", {}).values():
        there = config["firms"][move["firm"]] | {"enters": 0, "leaves": 0}  # alone in its market it has to stay
        known = levers(build({"segments": {"a": {}}, "firms": {"f": there}}).firms["f"])
        move["lever"] = draw(st.sampled_from(sorted(known)))
        move["value"] = float(draw(number(known[move["lever"]])))
    _living(draw, config, firms)
    network = config.get("network", {})
    if network.get("kind") == "file":
        network["kind"] = "none"
    if "neighbors" in network:
        network["neighbors"] -= network["neighbors"] % 2
    return config


def _living(draw: Any, config: dict[str, Any], firms: list[str]) -> None:
    """Firms that enter and leave while the first stays, without scandals of their own; policies that can move."""
    told = {event["firm"] for event in config.get("scandals", {}).values()}
    for name, firm in config["firms"].items():
        if name == firms[0] or name in told:
            firm.pop("enters", None), firm.pop("leaves", None)
        elif firm.get("leaves"):
            firm["enters"] = min(firm.get("enters", 0), 9_900)
            firm["leaves"] = firm["enters"] + firm["leaves"] % 99 + 1
    for policy in config.get("policies", {}).values():
        policy |= {"firm": draw(st.sampled_from(firms)), "of": draw(st.sampled_from(["", *firms]))}
        policy |= {"lever": "quality", "week": draw(st.integers(0, config["weeks"] - 1))}
        rises = draw(st.booleans())
        policy |= {"step": 0.1 if rises else -0.1, "floor": 5.0 if rises else -5.0, "value": policy.get("value", 0.5)}


# ---------------------------------------------------------------- what is wrong

BASE = {
    "kinds": {"ethics": {}, "privacy": {}, "service": {}},
    "segments": {"habitual": {}, "careful": {}},
    "cohorts": {"young": {}, "old": {}},
    "firms": {"north": {"touchpoints": {"shop": {}}}, "south": {"touchpoints": {"phone": {}}}},
    "scandals": {"fraud": {}},
    "moves": {"cut": {}},
    "policies": {"react": {}},
}
LEAVES = {path: (value, d) for path, value, d in leaves(build(BASE))}
HORIZON = {"weeks", "window"}  # what other complaints depend on


class Wrong(NamedTuple):
    """A value that cannot be, where it is put, and what the complaint begins with and contains."""

    path: str
    value: Any
    begins: str
    contains: str


def beyond(d: Declaration) -> list[Any]:
    """Numbers outside a declared range."""
    step = 1 if isinstance(d.default, int) else max(abs(d.low), abs(d.high), 1.0) * 1e-6
    near = [math.nextafter(d.low, -math.inf), math.nextafter(d.high, math.inf)] if isinstance(step, float) else []
    return [d.low - step, d.high + step, d.low - 10**9, d.high * 10**9 + 10**9, 10**400, *near]


@st.composite
def values(draw: Any, paths: Any = None) -> Wrong:
    """A value that is out of range, of another type or no number, at any declared path."""
    path = draw(st.sampled_from(sorted(paths or LEAVES)))
    _, d = LEAVES[path]
    if d.low is not None:
        infinite = [math.nan, math.inf, -math.inf]
        kinds = ["many", "1", True, [1], {"a": 1}, b"1", 1j, *([] if path.endswith("share") else [None])]
        value = draw(st.sampled_from([*beyond(d), *infinite, *kinds, *([0.5] if isinstance(d.default, int) else [])]))
        return Wrong(path, value, f"{path}: {value!r} is ", d.allowed)
    if d.unit == "on/off":
        value = draw(st.sampled_from([0, 1, "true", None, math.nan, [True]]))
        return Wrong(path, value, f"{path}: {value!r} is not true or false", "")
    if d.choices and draw(st.booleans()):
        word = draw(st.sampled_from(d.choices))
        value = word[:-1] + "x"
        return Wrong(path, value, f"{path}: {value!r} is not known", f"did you mean {word}?")
    value = draw(st.sampled_from([0, 1.5, None, True, ["a"], math.nan]))
    return Wrong(path, value, f"{path}: {value!r} is not text", "")


@st.composite
def names(draw: Any) -> Wrong:
    """A declared name with a letter left out, doubled or two of them swapped."""
    path = draw(st.sampled_from(sorted(p for p in LEAVES if len(p.rpartition(".")[2]) > 3)))
    above, _, name = path.rpartition(".")
    at = draw(st.integers(1, len(name) - 2))
    misspelled = draw(
        st.sampled_from(
            (
                name[:at] + name[at + 1 :],
                name[:at] + name[at] + name[at:],
                name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            )
        )
    )
    siblings = {p.rpartition(".")[2] for p in LEAVES if p.rpartition(".")[0] == above}
    if misspelled in siblings or misspelled == name:
        misspelled = name + "z"
    at_path = f"{above}.{misspelled}" if above else misspelled
    return Wrong(at_path, 1, f"{at_path}: unknown; ", "did you mean ")


def put(config: dict[str, Any], path: str, value: Any) -> None:
    *above, name = path.split(".")
    for step in above:
        config = config.setdefault(step, {})
    config[name] = value


CONTRADICTIONS = (  # changes, what is said
    ({"firms": {}}, "firms: none; at least one is needed"),
    ({"segments": {}}, "segments: none; at least one is needed"),
    ({"weeks": 10, "window": 11}, "window: 11 is longer than weeks (10)"),
    ({"focus": "nort"}, "focus: 'nort' is no firm; did you mean north?"),
    ({"scandals.fraud.firm": "sout"}, "scandals.fraud.firm: 'sout' is no firm; did you mean south?"),
    ({"moves.cut.firm": "east"}, "moves.cut.firm: 'east' is no firm"),
    ({"moves.cut.lever": "prise"}, "moves.cut.lever: 'prise' is no lever; did you mean price?"),
    ({"moves.cut.lever": "touchpoints.shp.use"}, "did you mean touchpoints.shop.use?"),
    ({"moves.cut.value": 10.5}, "moves.cut.value: 10.5 is outside 0 to 10 for price"),
    ({"scandals.fraud.week": 104}, "scandals.fraud.week: 104 is beyond the last week (103)"),
    ({"moves.cut.week": 5000}, "moves.cut.week: 5000 is beyond the last week (103)"),
    ({"network.neighbors": 9}, "network.neighbors: 9 is odd"),
    ({"network.kind": "file"}, "network.edges: a file of edges is needed"),
    ({"firms.north.share": 0.7, "firms.south.share": 0.7}, "firms.*.share: the shares sum to 1.400, above 1"),
    ({"firms.north.share": 0}, "firms.north.share: 0 is no share"),
    ({"segments.habitual.weight": 0, "segments.careful.weight": 0}, "segments: the weights sum to 0"),
    ({"firms.north.touchpoints.a": {"failure_rate": 1.0}}, "firms.north.touchpoints: use x failure_rate sum to 1.05"),
    ({"firms": {f"f{j}": {} for j in range(65)}}, "firms: 65 of them; at most 64"),
    ({"scandals": {f"s{k}": {} for k in range(33)}}, "scandals: 33 of them; at most 32"),
    ({"segments": {f"s{k}": {} for k in range(128)}}, "segments x cohorts: 256 cells; at most 255"),
    ({"people": 2**31 - 1, "weeks": 5200, "consumer.rate": 10.0}, "people x weeks x replications: 1.12e+14 uses"),
    ({"firms.north west": {}}, "firms.north west: not a name made of letters"),
)

assert set(levers(Firm())) <= {p.removeprefix("firms.north.") for p in LEAVES}
