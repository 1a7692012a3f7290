"""How a number is declared once (default, range, unit, meaning, source), read from a config, and complained about."""

import dataclasses
import difflib
import math
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

_NAME = "a name made of letters, digits and _"


@dataclass(frozen=True)
class Declaration:
    """What is known of a field: default, range (None = open), allowed words, unit, meaning and source."""

    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    about: str = ""
    source: str = ""

    @property
    def allowed(self) -> str:
        """The range in words, for error texts, tables and sliders."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        return f"{self.low:g} to {self.high:g}" if self.low is not None and self.high is not None else "text"


def trait(default: Any, low: float, high: float, unit: str, about: str, source: str = "") -> Any:
    """Declare a number: it becomes schema, error text, slider, sweep bound and table row."""
    return field(default=default, metadata={"d": Declaration(default, low, high, (), unit, about, source)})


def word(default: str, about: str, *choices: str) -> Any:
    """Declare a text, one of `choices` where there are any."""
    return field(default=default, metadata={"d": Declaration(default, choices=choices, about=about)})


def switch(about: str, default: bool = True) -> Any:
    """Declare something that is on or off."""
    return field(default=default, metadata={"d": Declaration(default, unit="on/off", about=about)})


def part(kind: type, about: str) -> Any:
    """Declare a nested declaration."""
    return field(default_factory=kind, metadata={"d": Declaration(None, about=about)})


def named(about: str) -> Any:
    """Declare a dictionary of named members (segments, firms, ...)."""
    return field(default_factory=dict, metadata={"d": Declaration(None, about=about)})


def declaration(f: dataclasses.Field[Any]) -> Declaration:
    """The declaration behind a dataclass field."""
    found: Declaration = f.metadata["d"]
    return found


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any, Declaration]]:
    """Every number, word and switch below `node` as (dotted path, value, declaration)."""
    for f in fields(node):
        value, at = getattr(node, f.name), f"{path}{f.name}"
        if is_dataclass(value):
            yield from leaves(value, f"{at}.")
        elif isinstance(value, dict):
            for name, member in value.items():
                yield from leaves(member, f"{at}.{name}.")
        else:
            yield at, value, declaration(f)


class ScenarioError(ValueError):
    """Everything that is wrong with an input, one sentence each."""

    def __init__(self, complaints: list[str]):
        self.complaints = complaints
        super().__init__("\n".join(complaints))

    def __reduce__(self) -> tuple[Any, ...]:  # an exception is pickled with its text alone
        return type(self), (self.complaints,)


def did_you_mean(name: str, known: Any) -> str:
    """'; did you mean ...?' for the nearest known name, else the list of known names."""
    near = difflib.get_close_matches(str(name), [str(k) for k in known], 1, 0.6)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(map(str, known)) or 'none'}"


def read(kind: type, config: Any, path: str, complaints: list[str]) -> Any:
    """An instance of the declared dataclass `kind` from nested mappings; what is wrong is added to `complaints`."""
    result = kind()
    if not isinstance(config, Mapping):
        complaints.append(f"{path.rstrip('.') or 'config'}: {config!r} is not a set of named values")
        return result
    hints, known = get_type_hints(kind), {f.name: f for f in fields(kind)}
    for name, value in config.items():
        if name not in known:
            complaints.append(f"{path}{name}: unknown{did_you_mean(name, known)}")
            continue
        setattr(result, name, _value(hints[name], known[name], value, f"{path}{name}", complaints))
    return result


def _value(hint: Any, f: dataclasses.Field[Any], value: Any, path: str, complaints: list[str]) -> Any:
    if is_dataclass(hint):
        return read(hint, value, f"{path}.", complaints)  # type: ignore[arg-type]
    if get_origin(hint) is dict:
        return _members(get_args(hint)[1], value, path, complaints)
    return _leaf(hint, declaration(f), value, path, complaints)


def _members(kind: type, config: Any, path: str, complaints: list[str]) -> dict[str, Any]:
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        complaints.append(f"{path}: {config!r} is not a set of named members")
        return {}
    for name in config:
        if not (isinstance(name, str) and name.isidentifier()):
            complaints.append(f"{path}.{name}: not {_NAME}")
    return {str(n): read(kind, c, f"{path}.{n}.", complaints) for n, c in config.items() if c is not None}


def _leaf(hint: Any, d: Declaration, value: Any, path: str, complaints: list[str]) -> Any:
    optional = get_origin(hint) in (types.UnionType,) and type(None) in get_args(hint)
    if value is None and optional:
        return None
    want = next(a for a in get_args(hint) if a is not type(None)) if optional else hint
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value  # NumPy's numbers
    wrong = _mismatch(want, d, value)
    if wrong:
        complaints.append(f"{path}: {value!r} {wrong}")
        return d.default
    return float(value) if want is float else value


def _mismatch(want: type, d: Declaration, value: Any) -> str:
    if want is bool:
        return "" if isinstance(value, bool) else "is not true or false"
    if want is str:
        if not isinstance(value, str):
            return "is not text"
        return f"is not known{did_you_mean(value, d.choices)}" if d.choices and value not in d.choices else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"is not a number ({d.allowed}{' ' + d.unit if d.unit else ''})"
    if want is int and not isinstance(value, int):
        return f"is not a whole number ({d.allowed})"
    if isinstance(value, float) and not math.isfinite(value):
        return f"is not a finite number ({d.allowed})"
    if d.low is not None and d.high is not None and not d.low <= value <= d.high:
        return f"is outside {d.allowed}{' ' + d.unit if d.unit else ''}"
    return ""
