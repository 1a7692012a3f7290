"""The cases of the casebook, and what a user says of a new one: attributes that are known on the day, checked."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from sim.model.declare import ScenarioError, did_you_mean
from sim.study.presets import CONF

REGIMES = ("repertoire", "provider")
KINDS = ("conscience", "data", "body", "money", "service", "price")
SAME = {"ethics": "conscience", "privacy": "data", "breach": "data", "safety": "body", "fraud": "money"}
SAME |= {"outage": "service", "boycott": "conscience"}  # other names of a kind
SHARES = ("self", "harmed", "subs", "core", "nation", "supply")  # attributes that are numbers from 0 to 1
ATTRIBUTES = ("regime", "kind", *SHARES)
OUTCOMES = ("peak", "late")
FACTS = ("id", "firm", "place", "broke", "cluster", "what", "source", "use", "title", "note", "severity", "reach")
OTHERS = (*FACTS, "response", "response_weeks", "severity", *OUTCOMES)  # names that are no attributes
UNKNOWN = (None, "", "?", "unknown", "null", "~", "n/a")
WORDS = {True: 1.0, False: 0.0, "yes": 1.0, "no": 0.0, "partly": 0.5, "others": 0.0, "maybe": 0.5, "own": 1.0}
WORDS |= {"customers": 1.0}
HARMED = 0.01  # share of own customers harmed above which it is not only others who were hurt
SLIP = 0.8  # likeness of two names above which one is a slip; any other name is a note of the user's
MOST_CASES = 10_000

Attributes = Mapping[str, str | float]  # by name; what is not known is left out


@dataclass(frozen=True)
class Reading:
    """What customers did, % change against what would have been: a value, its range, the weeks since the news."""

    value: float
    low: float
    high: float
    weeks: tuple[float, float]


@dataclass(frozen=True)
class Case:
    """A case: its attributes, what was measured at the worst and late, where it was read."""

    id: str
    attributes: Attributes
    firm: str = ""
    place: str = ""
    year: str = ""
    cluster: str = ""
    what: str = ""
    source: str = ""
    readings: Mapping[str, Reading] = field(default_factory=dict)
    unread: tuple[str, ...] = ()  # fields that are neither attributes nor those of the casebook


@lru_cache(maxsize=1)
def casebook() -> tuple[tuple[Case, ...], Mapping[str, object]]:
    """The cases of conf/casebook.yaml, and its rule."""
    config = yaml.safe_load((CONF / "casebook.yaml").read_text(encoding="utf-8"))
    wrong: list[str] = []
    found = tuple(_case(row, str(row["id"]), wrong) for row in config["cases"])
    if wrong:
        raise ScenarioError(wrong)
    return found, config["rule"]


class _Loader(yaml.SafeLoader):
    """YAML in which no name is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """As PyYAML does, which would keep the last of the values."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name} is given twice", node.start_mark)
        return dict(super().construct_mapping(node, deep=deep))


def read_cases(path: Path | str) -> list[Case]:
    """The cases of a user's file, attributes only: what is not known may be left out.

    One ScenarioError lists all that is wrong with it.
    """
    try:
        config = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError([f"{path}: cannot be read as YAML: {' '.join(str(error).split())}"]) from None
    rows = config.get("cases", [config]) if isinstance(config, Mapping) else config
    rows = [rows] if isinstance(rows, Mapping) and _named(rows) else rows
    if not isinstance(rows, list) or not rows or (rows == [config] and not _named(rows[0])):
        raise ScenarioError(
            [
                f"{path}: no cases in it; a list under `cases:`, each with id, regime, kind and what is known, "
                "as in - {id: mine, regime: provider, kind: data}"
            ]
        )
    if len(rows) > MOST_CASES:
        raise ScenarioError([f"{path}: {len(rows):,} cases; at most {MOST_CASES:,}"])
    wrong: list[str] = []
    found, seen = [], set[str]()
    for n, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            wrong.append(f"case {n}: {row!r} is not a set of named values")
            continue
        name = str(next((value for key, value in row.items() if _plain(key) == "id" and value is not None), ""))
        if name in UNKNOWN:
            wrong.append(f"case {n}: id is missing")
        elif name in seen:
            wrong.append(f"{name}: two cases have this id")
        seen.add(name)
        found.append(_case(row, f"case {n}" if name in UNKNOWN else name, wrong))
    if wrong:
        raise ScenarioError(wrong)
    return found


def _named(row: Mapping[str, object]) -> bool:
    return any(_plain(name) == "id" for name in row)


def attributes(row: Mapping[str, object], at: str, wrong: list[str]) -> Attributes:
    """The known attributes of a case; complaints about others, each beginning with `at`."""
    found: dict[str, str | float] = {}
    names = [_plain(given) for given in row]
    wrong += [f"{at}.{name}: is given twice" for name in ATTRIBUTES if names.count(name) > 1]
    for given, value in row.items():
        name = _plain(given)
        if name not in ATTRIBUTES:
            if name not in OTHERS and get_close_matches(name, ATTRIBUTES, 1, SLIP):
                wrong.append(f"{at}.{given}: unknown{did_you_mean(name, ATTRIBUTES)}")
        elif not (isinstance(value, str | None) and _plain(value or "") in UNKNOWN):
            read = (_word if name in ("regime", "kind") else _share)(name, value, at, wrong)
            if read is not None:
                found[name] = read
    wrong += [f"{at}: {said}" for said in contradictions(found)]
    return found


def contradictions(known: Attributes) -> list[str]:
    """What attributes say against each other.

    >>> contradictions({"self": 0.0, "harmed": 0.5})
    ['harmed is 0.5, yet self is 0, only others were hurt: own customers harmed make self 0.5 or 1']
    """
    wrong = []
    kind, own, harmed = known.get("kind"), known.get("self"), known.get("harmed")
    if own == 0 and isinstance(harmed, float) and harmed > HARMED:
        wrong.append(
            f"harmed is {harmed:g}, yet self is 0, only others were hurt: own customers harmed make self 0.5 or 1"
        )
    if own == 0 and kind == "body":
        wrong.append("kind is body, yet self is 0: a body at stake is the customer's own; harm to others is conscience")
    return wrong


def _case(row: Mapping[str, object], at: str, wrong: list[str]) -> Case:
    known = attributes(row, at, wrong)
    texts = {name: str(row.get(name) or "") for name in ("firm", "place", "what", "source")}
    readings = {name: _reading(found) for name in OUTCOMES if isinstance(found := row.get(name), Mapping)}
    cluster, year = str(row.get("cluster") or at), str(row.get("broke") or "")[:4]
    unread = tuple(str(name) for name in row if _plain(name) not in (*ATTRIBUTES, *OTHERS))
    return Case(at, known, year=year, cluster=cluster, readings=readings, unread=unread, **texts)


def _reading(found: Mapping[str, Any]) -> Reading:
    """A reading as the file gives it; of a user's case it is never used, so it may be anything."""
    try:
        value, low, high, first, last = (float(x) for x in (found["value"], *found["range"], *found["weeks"]))
        return Reading(value, low, high, (first, last))
    except (KeyError, TypeError, ValueError):
        return Reading(math.nan, math.nan, math.nan, (math.nan, math.nan))


def _plain(word: object) -> str:
    return str(word).strip().lower()


def _word(name: str, value: object, at: str, wrong: list[str]) -> str | None:
    known: Iterable[str] = REGIMES if name == "regime" else KINDS
    word = SAME.get(_plain(value), _plain(value)) if name == "kind" else _plain(value)
    if word in known:
        return word
    wrong.append(f"{at}.{name}: {value!r} is not known{_meant(name, word, known)}")
    return None


def _meant(name: str, word: str, known: Iterable[str]) -> str:
    """What may have been meant; of a kind also another name of it, else the known ones."""
    other = get_close_matches(word, SAME, 1, SLIP) if name == "kind" else []
    return f"; did you mean {SAME[other[0]]}?" if other else did_you_mean(word, known)


def _share(name: str, value: object, at: str, wrong: list[str]) -> float | None:
    found = value
    if isinstance(value, bool | str):
        found = WORDS.get(_plain(value) if isinstance(value, str) else value, value)
    if isinstance(found, str):
        number, percent, _ = found.strip().partition("%")
        with suppress(ValueError):  # YAML reads 1e-6 as text
            found = float(number) / (100 if percent else 1)
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= 1:
        return float(found)
    wrong.append(f"{at}.{name}: {value!r} is no share from 0 to 1 (also: yes, partly, no; leave out what is not known)")
    return None
