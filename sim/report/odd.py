"""The model described in the ODD protocol (Grimm et al. 2020), written from the declarations and the rules themselves.

The prose is `odd.md`; what can be read off the code is put in its places: the steps of a week, the metrics, every
number with default, range, unit, meaning and source, every law with its code.
"""

import ast
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sim import model
from sim.compute.files import unwritable, write_atomic
from sim.measure import metrics
from sim.model.declare import Declaration, ScenarioError
from sim.model.rules import VERBS
from sim.study.defaults import vocabulary

HERE = Path(__file__).parent
MODEL = Path(model.__path__[0])
STEPS = tuple(verb.__name__ for verb in VERBS)  # of a week
LAWS = (
    *(f"rules/{step}" for step in STEPS),
    *("rules/find", "rules/errand", "rules/visit", "draws", "renewal", "ages", "past", "visits", "scandals"),
    *("word_of_mouth", "initial"),
)  # files
TABLE_HEAD = "| {} | default | range | unit | meaning | source |\n|---|---|---|---|---|---|"


def main(words: Sequence[str]) -> int:
    """`stickiness odd [FILE]`: print the description, or write it to a file; nothing is overwritten."""
    if len(words) > 1:
        raise ScenarioError([f"odd: {' '.join(words)!r} is more than the name of one file"])
    if not words:
        print(odd(), end="")
        return 0
    if not words[0].strip():
        raise ScenarioError(["odd: the name of the file is empty"])
    if os.path.lexists(words[0]):
        raise ScenarioError([f"{words[0]}: is there already; choose another name"])
    if why := unwritable(words[0]):
        raise ScenarioError([f"{words[0]}: cannot be written: {why}"])
    write_atomic(words[0], odd().encode(), new=True)
    print(f"the model's description is in {words[0]}")
    return 0


def odd() -> str:
    """The whole description, in Markdown."""
    parts: dict[str, Callable[[], str]] = {
        "steps": steps,
        "metrics": measures,
        "parameters": parameters,
        "laws": laws_in_full,
    }
    text = (HERE / "odd.md").read_text(encoding="utf-8")
    for name, write in parts.items():
        text = text.replace(f"{{{{{name}}}}}", write())
    return text


def source_of(path: str, d: Declaration) -> str:
    """Where a value comes from: a fact, an assumption, or the user of the run (words, switches, its size)."""
    return d.source or ("assumption" if d.low is not None and "." in path else "set by the user")


def sources() -> dict[str, str]:
    """File -> text of all laws: the steps of a week, a use of the category, scandals, word of mouth, initialization."""
    return {name: (MODEL / f"{name}.py").read_text(encoding="utf-8") for name in LAWS}


def laws() -> Iterator[tuple[str, str, str, str]]:
    """(section, name, law, code) of every function of the model, in the order of `sources`; a section is a file."""
    for text in sources().values():
        tree = ast.parse(text)
        section = (ast.get_docstring(tree) or "").splitlines()[0].rstrip(".")
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                yield section, node.name, _law(node), _code(text, node)


def _law(node: ast.FunctionDef) -> str:
    """The docstring, without its examples."""
    return (ast.get_docstring(node) or "").partition(">>>")[0].rstrip()


def _code(text: str, node: ast.FunctionDef) -> str:
    """The function as written, without its docstring."""
    lines, first = text.splitlines(), node.body[0]
    docstring = range(first.lineno - 1, first.end_lineno or first.lineno) if ast.get_docstring(node) else range(0)
    return "\n".join(lines[n] for n in range(node.lineno - 1, node.end_lineno or node.lineno) if n not in docstring)


def steps() -> str:
    """The steps of a week in their order, each with the law of its rule."""
    found = {name: law for _, name, law, _ in laws()}
    return "\n".join(f"{n}. **{step}.** {found[step].splitlines()[0]}" for n, step in enumerate(STEPS, 1))


def laws_in_full() -> str:
    """Every law under its section: its words, then its code."""
    text, before = [], ""
    for section, name, law, code in laws():
        if section != before:
            text.append(f"#### {section}\n")
            before = section
        text.append(f"**`{name}`**: {law}\n\n```python\n{code}\n```\n")
    return "\n".join(text)


def measures() -> str:
    """Every metric of a firm and of the market, with its meaning."""
    rows = ["| metric | of | unit | per | meaning |", "|---|---|---|---|---|"]
    for info, metric in (metrics.listed("firm") | metrics.listed("market")).items():
        of = f"a {info.of}" if info.of == "firm" else "the market"
        of += "" if info.regime == "both" else f" ({info.regime})"
        meaning = _cell(inspect.getdoc(metric) or "")
        rows.append(f"| {info.name} | {of} | {info.unit or '1'} | {info.per} | {meaning} |")
    return "\n".join(rows)


def parameters() -> str:
    """Every field in a table for each part of the scenario."""
    tables: dict[str, list[str]] = {}
    for path, d in vocabulary():
        part, _, name = path.rpartition(".")
        default = "none" if d.default is None else str(d.default) or '""'
        cells = (f"`{name}`", default, d.allowed if d.low is not None or d.choices else d.unit or "text")
        row = " | ".join((*cells, d.unit or "text", _cell(d.about), source_of(path, d)))
        tables.setdefault(part or "scenario", []).append(f"| {row} |")
    return "\n\n".join("\n".join([TABLE_HEAD.format(f"`{part}`"), *rows]) for part, rows in tables.items())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
