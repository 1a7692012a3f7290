"""`stickiness fields`: every number that can be set, with its plausible spread, meaning and source."""

import textwrap
from collections.abc import Sequence

from rich.table import Table

from sim.model.declare import ScenarioError
from sim.report import streams
from sim.study.defaults import vocabulary
from sim.study.priors import describe

WIDE = 160  # columns from which a table of fields has one line a field


def main(words: Sequence[str]) -> int:
    """Print every field whose path contains all words: default, plausible spread, range, meaning, source and basis."""
    found = [(path, d) for path, d in vocabulary() if all(word in path for word in words)]
    if not found:
        raise ScenarioError([f"fields: no path contains {' and '.join(words)}"])
    console = streams.console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("path", "default", "P10 to P90", "range, unit", "meaning (source; basis of the spread)"):
        table.add_column(head, overflow="fold", no_wrap=head in ("path", "default"))
    for path, d in found:
        default = "" if d.default is None else str(d.default)
        (spread, basis), allowed = describe(path), d.allowed if d.low is not None or d.choices else ""
        why = "; ".join(filter(None, (d.source, basis)))
        row = [path, default, spread, f"{allowed} {d.unit}".strip(" -"), f"{d.about} ({why})" if why else d.about]
        if console.width >= WIDE:
            table.add_row(*row)
        else:  # two lines a field
            numbers = (f"default {row[1]}" * bool(row[1]), f"P10 to P90 {spread}" * bool(spread), row[3])
            console.print(f"{path}  {'; '.join(filter(None, numbers))}", style="bold")
            console.print(textwrap.indent(textwrap.fill(row[4], console.width - 4), "    "))
    if table.row_count:
        console.print(table)
    console.print("P10 to P90: four in five plausible values; why: conf/priors.yaml", style="dim")
    return 0
