"""Writes the reference of fields and of commands, from where they are declared."""

from itertools import groupby
from pathlib import Path

from sim.study.defaults import vocabulary
from sim.study.priors import describe

HEAD = """# Every setting

Each is set on the command line by its path (`firms.colgate.price=0.9`), swept (`-m firms.colgate.price=0.9,1`), or
written in a preset. `NAME` stands for the name of a member. *Spread* is P10 to P90 of what is plausible, and *basis*
says what that rests on (`conf/priors.yaml`); `#n` is a fact of `conf/facts.yaml`, `c1` to `c8` are formulas in its
head. `stickiness fields WORD` prints the same.
"""


def cell(text: object) -> str:
    """Text that a table of Markdown holds as it is."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def table_of(rows: list[tuple[str, ...]], heads: tuple[str, ...]) -> str:
    """A table of Markdown."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fields() -> str:
    """The page of all fields, a section for each part of the scenario."""
    parts = [HEAD]
    heads = ("path", "default", "range, unit", "meaning", "source", "spread", "basis")
    for part, members in groupby(vocabulary(), key=lambda row: row[0].partition(".")[0]):
        rows = []
        for path, d in members:
            spread, basis = describe(path)
            default = "" if d.default is None else f"`{d.default}`"
            allowed = f"{d.allowed if d.low is not None or d.choices else ''} {d.unit}".strip(" -")
            rows.append((f"`{path}`", default, *map(cell, (allowed, d.about, d.source, spread, basis))))
        parts.append(f"## {part}\n\n{table_of(rows, heads)}\n")
    return "\n".join(parts)


def commands() -> str:
    """The page of all commands: the help as it is printed."""
    from sim.__main__ import help_text

    return f"# Every command\n\n`stickiness` is the same as `python -m sim`.\n\n```text\n{help_text()}\n```\n"


def write(folder: Path) -> None:
    """Write both pages."""
    folder.mkdir(exist_ok=True)
    (folder / "fields.md").write_text(fields(), encoding="utf-8")
    (folder / "commands.md").write_text(commands(), encoding="utf-8")
