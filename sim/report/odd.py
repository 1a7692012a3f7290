"""The model described in the ODD protocol (Grimm et al. 2020), written from the declarations and the rules themselves.

The prose is `odd.md`; what can be read off the code is put in its places: the steps of a week, the metrics, every
number with default, range, unit, meaning and source, every rule with its law and its code.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from sim.measure import metrics
from sim.model.declare import Declaration, leaves, read
from sim.model.fields import Scenario

HERE = Path(__file__).parent
SECTION = re.compile(r"^# -{3,} (.+)$", re.MULTILINE)
HEAD = "| {} | default | range | unit | meaning | source |\n|---|---|---|---|---|---|"


def odd() -> str:
    """The whole description, in Markdown."""
    parts: dict[str, Callable[[], str]] = {
        "steps": steps,
        "metrics": measures,
        "parameters": parameters,
        "rules": rules,
    }
    text = (HERE / "odd.md").read_text(encoding="utf-8")
    for name, write in parts.items():
        text = text.replace(f"{{{{{name}}}}}", write())
    return text


def vocabulary() -> list[tuple[str, Declaration]]:
    """Every field, by a path in which NAME stands for the name of a member."""
    one: dict[str, object] = {kind: {"NAME": {}} for kind in ("segments", "cohorts", "scandals", "moves")}
    one["firms"] = {"NAME": {"touchpoints": {"NAME": {}}}}
    return [(path, d) for path, _, d in leaves(read(Scenario, one, "", []))]


def source(path: str, d: Declaration) -> str:
    """Where a value comes from: a fact, an assumption, or whoever sets up the run (words, switches, its size)."""
    return d.source or ("assumption" if d.low is not None and "." in path else "set by the user")


def sources() -> dict[str, str]:
    """The text of the rules by file: how a week is lived, and who one is."""
    return {name: (HERE / f"{name}.py").read_text(encoding="utf-8") for name in ("rules", "birth")}


def laws() -> Iterator[tuple[str, str, str, str]]:
    """Section, name, law and code of every rule, in the order in which they are written."""
    for name, text in sources().items():
        marks = [(text.count("\n", 0, m.start()) + 1, m[1]) for m in SECTION.finditer(text)]
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                section = ([words for line, words in marks if line < node.lineno] or [name])[-1]
                yield section, node.name, ast.get_docstring(node) or "", _code(text, node)


def _code(text: str, node: ast.FunctionDef) -> str:
    """The function as written, without its docstring."""
    lines, first = text.splitlines(), node.body[0]
    told = range(first.lineno - 1, first.end_lineno or first.lineno) if ast.get_docstring(node) else range(0)
    return "\n".join(lines[n] for n in range(node.lineno - 1, node.end_lineno or node.lineno) if n not in told)


def steps() -> str:
    """The steps of a week in their order: the sections of the rules, with the law of the rule each is named for."""
    found = {name: law for _, name, law, _ in laws()}
    sections = dict.fromkeys(section.partition(": ")[2] or section for section, *_ in laws())
    names = [step for section in sections for step in section.split(", ") if step != "birth"]
    told = [name for name in names if name in found]
    return "\n".join(f"{n}. **{name}.** {found[name].splitlines()[0]}" for n, name in enumerate(told, 1))


def rules() -> str:
    """Every rule under its section: the law, then the code."""
    text, before = [], ""
    for section, name, law, code in laws():
        if section != before:
            text.append(f"#### {section[:1].upper()}{section[1:]}\n")
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
        row = " | ".join((*cells, d.unit or "text", _cell(d.about), source(path, d)))
        tables.setdefault(part or "scenario", []).append(f"| {row} |")
    return "\n\n".join("\n".join([HEAD.format(f"`{part}`"), *rows]) for part, rows in tables.items())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
