"""A report to send: one HTML file that needs nothing else, with question, answer, how sure, what it rests on, rerun."""

import base64
import io
import os
import platform
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sim.compute.files import unwritable, write_atomic
from sim.measure.quantity import Quantity
from sim.measure.shares import Share
from sim.model.declare import ScenarioError, leaves
from sim.model.fields import Scenario
from sim.report import answer_text, figures
from sim.report.answer_text import cell
from sim.report.countermeasures import note as measures_note
from sim.report.findings import called
from sim.study.answer import Answer
from sim.study.countermeasures import Countermeasure
from sim.study.options import Option
from sim.study.over_worlds import fields_of
from sim.study.priors import priors_of

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
MOST_OPEN = 15  # numbers shown without unfolding the rest
LONG = 50  # characters of a cell that needs a wide column
MINUSES, INTERVALS = re.compile(r"(?<![\w.)\]])-(?=\.?\d)"), re.compile(r"\[[^\]]*\]")
Row = tuple[str, Sequence[str]]


@dataclass(frozen=True)
class Report:
    """All that a report tells; `rerun` are the words of the command line that gives the same answer."""

    scenario: Scenario
    answer: Answer
    rerun: Sequence[str]
    measures: Sequence[Countermeasure] = ()
    shares: Mapping[str, Share] | None = None
    options: Sequence[Option] = ()
    worth: float = 0.0  # of a customer in a year
    costs: Mapping[str, float] | None = None  # of an option, by its label
    before: Sequence[str] = ()  # words of a command line that has to come first: it makes the market


def taken(path: str) -> list[str]:
    """Complaints about the file of a report: no name, no HTML, there already, or in no place to write to."""
    if not path.strip():
        return ["report: the name of the file is empty; write report=FILE.html"]
    if Path(path).suffix.lower() not in (".html", ".htm"):
        return [f"report: {path!r} is no name of an HTML file; write report=FILE.html"]
    if os.path.lexists(path):
        return [f"report: {path} is there already; nothing is overwritten, choose another name"]
    return [f"report: {path} cannot be written: {why}" for why in [unwritable(path)] if why]


def write(report: Report, path: str) -> Path:
    """Write the report, whole or not at all; ScenarioError where the name is taken."""
    wrong = taken(path)
    if wrong:
        raise ScenarioError(wrong)
    return write_atomic(path, html(report).encode(), new=True)


def html(report: Report) -> str:
    """The whole page."""
    answer = report.answer
    head, *others = answer_text.sentences(answer)
    parts = [
        f"<h1>{escape(head)}</h1>",
        *(f'<p class="lead">{escape(line)}</p>' for line in others),
        _question(report),
        f"<figure tabindex='0'>{_svg(report)}<figcaption>{escape(_note(report.scenario))}</figcaption></figure>",
        _section("Customers lost or won", _answer_table(answer)),
        _section("By firm", _firms(answer)),
        _section("What would have helped", _measures(report)) if report.measures else "",
        _section("Options side by side", _options(report)) if report.options else "",
        _section("How sure", _list(answer_text.lines(answer))),
        _section("What it rests on", _basis(report.scenario, answer)),
        _section("How to run it again", _rerun(report)),
        _section("Data", _data(report)),
    ]
    title = escape(head)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{typeset(line[:1].upper() + line[1:])}.</li>" for line in lines) + "</ul>"


def table_html(heads: Sequence[str], rows: Iterable[Row], caption: str = "") -> str:
    """A table whose first column names the row; a row whose name is indented is a part of the one above it."""
    top = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    body = ""
    for label, cells in rows:
        body += f'<tr><th scope="row"{" class=part" * label.startswith(" ")}>{typeset(label.strip())}</th>'
        body += "".join(f"<td{' class=long' * (len(c) > LONG)}>{typeset(c)}</td>" for c in cells) + "</tr>"
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    box = f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption or heads[0])}">'
    return f"{box}<table>{said}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"


def typeset(text: str) -> str:
    """Text as HTML: minus signs in front of numbers, and no interval broken over two lines."""
    return INTERVALS.sub(r"<span class=span>\g<0></span>", escape(minus(text)))


def minus(text: str) -> str:
    """Text with minus signs in front of its negative numbers."""
    return MINUSES.sub("\N{MINUS SIGN}", text)


def _question(report: Report) -> str:
    s, answer = report.scenario, report.answer
    events = [f"{name.replace('_', ' ')} in week {week}" for name, week in answer.events.items()]
    text = (
        f"Question: what do these events do to the customers of {called(answer.firm)}: {'; '.join(events)}? "
        f"Market: {s.title or 'of your own'}; {s.people:,} people are simulated twice, with the events and without "
        "them. A customer is a person whose last use of the category was at the firm."
    )
    return f"<p>{escape(text)}</p>"


def _svg(report: Report) -> str:
    """The figure of the answer as inline SVG."""
    found = figure(report, "svg", titled=False).decode()
    svg = found[found.index("<svg") :]
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(answer_text.sentence(report.answer))}" ', 1)


def figure(report: Report, kind: str, titled: bool = True) -> bytes:
    """The figure of the answer as a PNG or SVG file."""
    file = io.BytesIO()
    figures.save(figures.answer(report.answer, report.measures, _note(report.scenario), titled), file, kind)
    return file.getvalue()


def _note(s: Scenario) -> str:
    return f"{s.title or 'A market'}: {s.people:,} people, the same with and without. Gray bars: no change detected."


def _answer_table(answer: Answer) -> str:
    heads, rows = answer_text.rows(answer)
    first = f"interval: {answer_text.level(answer)}"
    return table_html([first, *(h.replace("\n", ", ") for h in heads)], rows)


def _firms(answer: Answer) -> str:
    told = answer.moments
    rows: list[Row] = [(called(answer.firm), [cell(m.total.people, whole=True) for m in told.values()])]
    rows += [(called(f), [cell(m.rivals[f].people, whole=True) for m in told.values()]) for f in answer.worst.rivals]
    heads = ["change in people", *(f"{name}, week {m.weeks:.0f}" for name, m in told.items())]
    return table_html(heads, rows)


def _measures(report: Report) -> str:
    rows: list[Row] = [
        (m.label, [cell(m.averted), cell(m.besides) if m.besides.value else "0", m.cost or "not given", m.known])
        for m in report.measures
    ]
    heads = [
        "countermeasure",
        "of the loss averted, % (80 %)",
        "side effect, customers % (80 %)",
        "cost",
        "what is known",
    ]
    return table_html(heads, rows) + f"<p>{escape(measures_note(report.scenario))}</p>"


def option_rows(options: Sequence[Option], worth: float, costs: Mapping[str, float]) -> tuple[list[str], list[Row]]:
    """Heads and rows of the table of options: page, terminal and report show these."""
    heads = ["option", "customers at the worst, %", "after a year, %", "of the first's loss averted, %", "stickiness"]
    groups = [g for g in options[0].answer.worst.groups if all(g in o.answer.worst.groups for o in options)]
    heads += [f"{g.partition('.')[2].replace('_', ' ')}, at the worst, %" for g in groups]
    heads += ["money in a year"] if worth else []
    rows: list[Row] = []
    for n, o in enumerate(options):
        worst, year = o.answer.worst.total.percent, o.answer.year
        cells = [cell(worst), cell(year.total.percent if year else None), cell(o.averted) if n else "0"]
        cells += [cell(o.stickiness["all"]), *(cell(o.answer.worst.groups[g].percent) for g in groups)]
        cells += [_money(o.money(worth, costs.get(o.label, 0.0)))] if worth else []
        rows.append((o.label, cells))
    return heads, rows


def _money(q: Quantity | None) -> str:
    return "-" if q is None else cell(q, whole=True)


def _options(report: Report) -> str:
    heads, rows = option_rows(report.options, report.worth, report.costs or {})
    said = (
        "The same people and draws in every option; against no events at all; 95 %, dice only. Averted: of the first "
        "option's customer-weeks lost within a year, what an option's levers win of their own included."
    )
    return table_html(heads, rows) + f"<p>{said}</p>"


def foundations(scenario: Scenario, answer: Answer) -> list[tuple[str, list[str]]]:
    """Every number with a prior: value, P10 to P90, influence, basis, source; the most influential first.

    Influence is the rank correlation with the change at the worst over the answer's worlds, where it has any.
    """
    values, priors = {path: value for path, value, _ in leaves(scenario)}, priors_of(scenario)
    field = {path: name for name, paths in fields_of(list(priors), answer.firm).items() for path in paths}
    influences, drivers = dict(answer.influence), {name for name, _ in answer.drivers}
    felt = {path: influences[name] for path, name in field.items() if name in influences}
    clear = {path for path, name in field.items() if name in drivers}
    order = sorted(priors, key=lambda path: (path not in clear, -abs(felt.get(path, 0.0)), path))
    rows = []
    for path in order:
        p = priors[path]
        times = f" x {p.times}" if p.times else ""
        influence = f"{felt[path]:+.2f}{' *' * (path in clear)}" if path in felt else "-"
        rows.append(
            (path, [_short(values.get(path)), f"{p.p10:.3g} to {p.p90:.3g}{times}", influence, p.basis, p.source])
        )
    return rows


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _basis(scenario: Scenario, answer: Answer) -> str:
    rows = foundations(scenario, answer)
    count = {b: sum(cells[3] == b for _, cells in rows) for b in dict.fromkeys(cells[3] for _, cells in rows)}
    said = ", ".join(f"{n} {basis}" for basis, n in count.items())
    many = (
        f"Influence: rank correlation with the change at the worst over {answer.worlds} worlds; * stands out from "
        "chance among all of them."
        if answer.worlds
        else "Influence is not known without worlds."
    )
    heads = ["number", "value", "P10 to P90", "influence", "basis", "source"]
    text = f"<p>{len(rows)} numbers are not known exactly ({escape(said)}). {many}</p>"
    rest = table_html(heads, rows[MOST_OPEN:], "All others")
    more = f"<details><summary>the other {len(rows) - MOST_OPEN}</summary>{rest}</details>" if rows[MOST_OPEN:] else ""
    return text + table_html(heads, rows[:MOST_OPEN], "Those that decide most") + more


def command(rerun: Sequence[str]) -> str:
    """The command line of a report."""
    return shlex.join(["python", "-m", "sim", *rerun])


def _rerun(report: Report) -> str:
    try:
        known = version("stickiness")
    except PackageNotFoundError:
        known = "from its source"
    about = f"stickiness {known}, Python {platform.python_version()}; the same numbers on every machine."
    lines = [command(words) for words in (report.before, report.rerun) if words]
    shown = "\n".join(f"<code>{escape(line)}</code>" for line in lines)
    return f"<pre tabindex='0'>{shown}</pre><p>{escape(about)}</p>"


def _data(report: Report) -> str:
    """The answer as CSV inside the page."""
    content = base64.b64encode(answer_csv(report.answer)).decode()
    link = f'<a download="answer.csv" href="data:text/csv;base64,{content}">answer.csv</a>'
    return f"<p>Every figure with its interval and errors, by week, group and firm: {link}</p>"


def answer_csv(answer: Answer) -> bytes:
    """The answer as CSV: value, interval and errors of every quantity."""
    return answer_text.table(answer).to_csv(index=False).encode()
