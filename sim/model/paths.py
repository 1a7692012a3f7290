"""Values at dotted paths of nested declarations: set, merged, added, removed, or refused with a sentence."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from functools import cache
from typing import Any, cast, get_args, get_origin, get_type_hints

from sim.model.declare import declared, unknown

Nested = dict[str, Any]  # values and further nested values by name
Sizes = Mapping[type, tuple[str, ...]]
NEAR = 0.8  # likeness of two names above which a new one may be a slip


def put(kind: type, nested: Nested, changes: object, complaints: list[str], sizes: Sizes | None = None) -> None:
    """Set the values of `changes` (dotted path: value) in `nested`, which holds values as `kind` declares them.

    A dict is merged into the present value; at a group of named members (`firms`) it replaces the group. A dict or a
    dataclass at the path of a member that does not exist adds it, None removes one. Shorter paths are set first.

    Two things are taken for a slip, and this is the only place that judges it: a path into a member that does not
    exist, and a new member that is named almost like another and gives none of the fields of `sizes` for its kind.
    """
    if not isinstance(changes, Mapping):
        complaints.append(f"changes: {changes!r} is not a set of values by dotted path")
        return
    complaints += [f"{path!r}: a path is text, such as people" for path in changes if not isinstance(path, str)]
    for path in sorted((p for p in changes if isinstance(p, str)), key=lambda p: p.count(".")):
        value, found = bare(changes[path]), unknown_member(kind, nested, path)
        if found and (found[0] != path or value is None):
            member, known = found
            said = unknown(member.rpartition(".")[2], known)
            new = f' (a new one: {{"{member}": {{...}}}})' if member != path and said.startswith("unknown") else ""
            complaints.append(f"{path}: {said}{new}")
        else:
            wrong = _set(kind, nested, path.split("."), value, sizes or {})
            complaints += [f"{path}: {wrong}"] if wrong else []


def unknown_member(kind: object, nested: Mapping[str, object], path: str) -> tuple[str, list[str]] | None:
    """(path, known names) of the first named member on a path that `nested` does not have; None if it has all."""
    node: Mapping[str, object] = nested
    done = ""
    for name in path.split("."):
        if _members(kind) and name not in node:
            return f"{done}{name}", list(node)
        kind, done, below = _below(kind, name), f"{done}{name}.", node.get(name)
        node = below if isinstance(below, Mapping) else {}
    return None


def bare(value: object) -> Any:
    """The same as plain Python values: NumPy's scalars and arrays, dataclasses and mappings become what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {bare(name): bare(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [bare(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _set(kind: object, node: Nested, names: Sequence[str], value: object, sizes: Sizes) -> str:
    """What is wrong with setting the value that `names` lead to below `node`; "" if it is set."""
    name, *rest = names
    below = _below(kind, name)
    if _members(kind) and not rest and value is None:
        del node[name]
        return ""
    if _members(kind) and name not in node:
        node[name] = value
        return _slip(name, [n for n in node if n != name], value, sizes.get(cast(type, below), ()))
    if not rest:
        node[name] = _merged(below, node.get(name), value)
        return ""
    if not (_values(below) or is_dataclass(below)):
        return unknown(name, list(get_type_hints(kind))) if below is None else f"unknown; {name} is one value"
    here = node.get(name)
    if here is not None and not isinstance(here, Mapping):
        return ""  # complained of when it is read
    node[name] = dict(here or {})
    return _set(below, node[name], rest, value, sizes)


def _slip(name: str, others: Sequence[str], value: object, sizes: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, [str(n) for n in others], 1, NEAR)
    if not near or not sizes or (isinstance(value, Mapping) and set(sizes) & set(value)):
        return ""
    return f"unknown; did you mean {near[0]}? (a new one says its {' or '.join(sizes)})"


def _merged(kind: object, old: object, new: object) -> object:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    whole = {name: _merged(_below(kind, name), old.get(name), value) for name, value in new.items()}
    return whole if _members(kind) else {**old, **whole}


@cache
def _members(kind: object) -> bool:
    """Whether a declaration is a group of named members; a table of numbers by name is none."""
    return is_dataclass(_values(kind))


@cache
def _values(kind: object) -> object:
    """What is declared of the values of a dict; None of anything else."""
    return get_args(kind)[1] if get_origin(kind) is dict else None


def _below(kind: object, name: str) -> object:
    """What is declared under a name; None if nothing is."""
    if _values(kind):
        return _values(kind)
    return declared(kind)[0].get(name) if isinstance(kind, type) and is_dataclass(kind) else None
