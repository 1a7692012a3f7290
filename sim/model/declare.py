"""How a number is declared once (default, range, unit, meaning, source), read from a config, and complained about."""

import dataclasses
import difflib
import math
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

from sim.model.renamed import renamed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = float | str | bool | None  # of a field
Declared = TypeVar("Declared")  # a declared dataclass

_NAME = "a name made of letters, digits and _"
_OPEN = (-math.inf, math.inf)


@dataclass(frozen=True)
class Declaration:
    """What is known of a field: default, range (None = open), allowed words, unit, meaning and source.

    Of a consumer's trait also the range of a segment's factor on it, and the range in which their product is kept.
    """

    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    about: str = ""
    source: str = ""
    factor: tuple[float, float] = (0, 10)
    product: tuple[float, float] = _OPEN

    @property
    def allowed(self) -> str:
        """The range in words, for error texts, tables and sliders."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        return f"{self.low:g} to {self.high:g}" if self.low is not None and self.high is not None else "text"


def trait(
    default: float | None,
    low: float,
    high: float,
    unit: str,
    about: str,
    source: str = "",
    *,
    factor: tuple[float, float] = (0, 10),
    product: tuple[float, float] = _OPEN,
) -> Any:
    """Declare a number: it becomes schema, error text, slider, sweep bound and named_numbers row."""
    found = Declaration(default, low, high, (), unit, about, source, factor, product)
    return field(default=default, metadata={"d": found})


def factor_on(f: dataclasses.Field[Any]) -> Any:
    """Declare the factor of a segment on a consumer's trait: 1 by default, in the range that the trait gives it."""
    d = declaration(f)
    (low, high), about = d.product, f"factor on consumer.{f.name}"
    if low > -math.inf:
        about += f" (the product is at least {low:g})"
    if high < math.inf:
        about += f" (the product is at most {high:g})"
    return trait(1.0, *d.factor, "x", about)


def word(default: str, about: str, *choices: str) -> Any:
    """Declare a text, one of `choices` where there are any."""
    return field(default=default, metadata={"d": Declaration(default, choices=choices, about=about)})


def switch(about: str, default: bool = True) -> Any:
    """Declare something that is on or off."""
    return field(default=default, metadata={"d": Declaration(default, unit="on/off", about=about)})


def part(kind: type, about: str) -> Any:
    """Declare a nested declaration."""
    return field(default_factory=kind, metadata={"d": Declaration(None, about=about)})


def named(about: str, default: Callable[[], Mapping[str, Any]] = dict) -> Any:
    """Declare a dictionary of named members (segments, firms, ...)."""
    return field(default_factory=default, metadata={"d": Declaration(None, about=about)})


def named_numbers(default: float, low: float, high: float, unit: str, about: str) -> Any:
    """Declare a number for each name of something else, a dictionary by name."""
    return field(default_factory=dict, metadata={"d": Declaration(default, low, high, (), unit, about)})


def declaration(f: dataclasses.Field[Any]) -> Declaration:
    """The declaration behind a dataclass field."""
    found: Declaration = f.metadata["d"]
    return found


def leaves(node: "DataclassInstance", path: str = "") -> Iterator[tuple[str, Value, Declaration]]:
    """Every number, word and switch below the declared dataclass `node` as (dotted path, value, declaration)."""
    for f in fields(node):
        value, at = getattr(node, f.name), f"{path}{f.name}"
        if is_dataclass(value) and not isinstance(value, type):
            yield from leaves(value, f"{at}.")
        elif isinstance(value, dict):
            yield from _named_leaves(value, at, declaration(f))
        else:
            yield at, value, declaration(f)


def _named_leaves(named: Mapping[str, object], path: str, d: Declaration) -> Iterator[tuple[str, Value, Declaration]]:
    for name, member in named.items():
        if is_dataclass(member) and not isinstance(member, type):
            yield from leaves(member, f"{path}.{name}.")
        elif isinstance(member, dict):
            yield from _named_leaves(member, f"{path}.{name}", d)
        else:
            yield f"{path}.{name}", cast(Value, member), d


class ScenarioError(ValueError):
    """Everything that is wrong with an input, one sentence each."""

    def __init__(self, complaints: list[str]):
        self.complaints = complaints
        super().__init__("\n".join(complaints))

    def __reduce__(self) -> tuple[type["ScenarioError"], tuple[list[str]]]:  # pickle would keep the text alone
        return type(self), (self.complaints,)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' for the nearest known name, else the list of known names.

    >>> did_you_mean("prise", ["price", "quality"])
    '; did you mean price?'
    """
    names = list(map(str, known))
    new = renamed(str(name), names)
    if new:
        return f"; it is called {new} now"
    near = difflib.get_close_matches(str(name), names, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names) or 'none'}"


def unknown(name: str, known: Collection[str]) -> str:
    """What to say of a name that is not among the known ones: how it is called now, or what may be meant.

    >>> unknown("exit_friction", ["price", "switching_cost"])
    'is called switching_cost now'
    >>> unknown("prise", ["price", "quality"])
    'unknown; did you mean price?'
    """
    new = renamed(str(name), known)
    return f"is called {new} now" if new else f"unknown{did_you_mean(name, known)}"


@cache
def declared(kind: object) -> tuple[dict[str, object], dict[str, "dataclasses.Field[object]"]]:
    """The types and the fields of a declared dataclass, by name."""
    return get_type_hints(kind), {f.name: f for f in fields(kind)}  # type: ignore[arg-type]


def read(kind: type[Declared], config: object, path: str, complaints: list[str]) -> Declared:
    """An instance of the declared dataclass `kind` from nested mappings; what is wrong is added to `complaints`."""
    result = kind()
    if not isinstance(config, Mapping):
        complaints.append(f"{path.rstrip('.') or 'config'}: {config!r} is not a set of named values")
        return result
    hints, known = declared(kind)  # type: ignore[arg-type]
    for name, value in config.items():
        if name not in known:
            complaints.append(f"{path}{name}: {unknown(name, known)}")
            continue
        setattr(result, name, _value(hints[name], declaration(known[name]), value, f"{path}{name}", complaints))
    return result


class _Hint(NamedTuple):
    """What the type of a field says, which is asked for thousands of values."""

    part: bool  # a declared dataclass
    member: type | None  # the type of a dict's values, None of anything else
    single: type  # the type of a value that is neither
    optional: bool  # whether it may be None


@cache
def _hint(hint: type) -> _Hint:
    kind, parts = get_origin(hint), get_args(hint)
    optional = kind is types.UnionType and type(None) in parts
    single = next(a for a in parts if a is not type(None)) if optional else hint
    return _Hint(is_dataclass(hint), parts[1] if kind is dict else None, single, optional)


def _value(hint: Any, d: Declaration, value: object, path: str, complaints: list[str]) -> object:
    said = _hint(hint)
    if said.part:
        return read(hint, value, f"{path}.", complaints)
    if said.member:
        return _members(said.member, d, value, path, complaints)
    return _leaf(said, d, value, path, complaints)


def _members(hint: object, d: Declaration, config: object, path: str, complaints: list[str]) -> dict[str, object]:
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        complaints.append(f"{path}: {config!r} is not a set of named {'members' if is_dataclass(hint) else 'numbers'}")
        return {}
    for name in config:
        if not (isinstance(name, str) and name.isidentifier()):
            complaints.append(f"{path}.{name}: not {_NAME}")
    given = {str(name): value for name, value in config.items() if value is not None or not is_dataclass(hint)}
    return {name: _value(hint, d, value, f"{path}.{name}", complaints) for name, value in given.items()}


def _leaf(said: _Hint, d: Declaration, value: Any, path: str, complaints: list[str]) -> object:
    if type(value) is float is said.single and d.low is not None and d.high is not None and d.low <= value <= d.high:
        return value  # as nearly all are, and there are thousands
    if value is None and said.optional:
        return None
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value  # NumPy's numbers
    wrong = _mismatch(said.single, d, value)
    if wrong:
        complaints.append(f"{path}: {value!r} {wrong}")
        return d.default
    return float(value) if said.single is float else value


def _mismatch(want: object, d: Declaration, value: object) -> str:
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
