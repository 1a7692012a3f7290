"""Bounds on a value before it is read: its length, its depth, and no reference to anything outside its scenario."""

import re
from collections.abc import Iterator, Mapping
from itertools import accumulate

from sim.model.declare import ScenarioError

REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*(?:\.\w+)*)\}")  # ${a.b}: another value of the scenario
FOREIGN = "refers to something other than a value of the scenario, as ${focus} does"
LONGEST = 300  # characters of a number or word on the command line
MOST_NODES = 10_000  # names and values of a preset, aliases counted as what they stand for
DEEPEST = 20  # levels of nesting, or references to references


def check_typed(key: str, value: str) -> None:
    """ScenarioError for a value that Hydra's grammar cannot take, or that reads from outside the scenario."""
    if foreign_reference(value):
        raise ScenarioError([f"{key}: {value} {FOREIGN}"])
    longest = max(map(len, re.findall(r"[\w.+-]+", value)), default=0)
    if longest > LONGEST:
        raise ScenarioError([f"{key}: a number or word of {longest:,} characters; at most {LONGEST}"])
    if max(accumulate((c in "[{(") - (c in "]})") for c in value), default=0) > DEEPEST:
        raise ScenarioError([f"{key}: nested more than {DEEPEST} levels deep"])


def foreign_reference(text: str) -> bool:
    """Whether a text would be resolved to anything but other values of the scenario (${a.b})."""
    roots = (path.partition(".")[0] for path in REFERENCE.findall(text))
    return "${" in REFERENCE.sub("", text) or "hydra" in roots


def check_references(config: Mapping[str, object]) -> bool:
    """Whether values refer to each other; a ScenarioError if to anything else, in circles or without end."""
    found = False
    for many, (path, text) in enumerate(_texts(config, config, "")):
        if "${" in text and foreign_reference(text):
            raise ScenarioError([f"{path}: {text} {FOREIGN}"])
        if many > 10 * MOST_NODES:
            raise ScenarioError([f"{path}: more than {10 * MOST_NODES:,} values, references counted in full"])
        found = found or "${" in text
    return found


def _texts(
    node: object, config: Mapping[str, object], path: str, trail: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Where and what each value is, and what it refers to, as often as resolving would read it."""
    children = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from _texts(child, config, f"{path}.{name}" if path else str(name), trail)
    text = node if isinstance(node, str) else ""
    yield path, text
    for target in REFERENCE.findall(text):
        if target in trail or len(trail) >= DEEPEST:
            raise ScenarioError([f"{path}: ${{{target}}} leads back to itself, or over more than {DEEPEST} values"])
        found: object = config
        for key in target.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        yield from _texts(found, config, path, (*trail, target))
