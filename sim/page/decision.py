"""The part of the page that decides: what the events cost, what would have helped, the options, the report."""

from collections.abc import Callable
from functools import partial

import solara

from sim.page.questions import Questions
from sim.page.session import Session
from sim.report import answer_text, html_report
from sim.report.answer_text import cell
from sim.report.html_report import table_html
from sim.study.options import table as options_table


@solara.component
def Decision(session: Session):
    """Buttons, the answer, each event alone, what would have helped, options side by side."""
    q = session.questions
    session.scenario_changes.value, session.generation.value  # noqa: B018
    game, off = session.game, bool(q.busy.value or session.busy.value)
    if game is None:
        return
    none = off or not game.active
    with solara.Column(gap="0px"):
        Asking(session, none)
        for problem in q.problems.value:
            solara.Error(problem, dense=True, classes=["problem"])
        if q.busy.value:
            solara.Info(q.busy.value, dense=True)
        Answered(session)
        Board(session)
        Yours(session)


@solara.component
def Asking(session: Session, none: bool):
    """The questions, each a button."""
    q = session.questions
    with solara.Row(gap="6px", style={"flex-wrap": "wrap"}, classes=["decide"]):
        button = partial(solara.Button, small=True)
        button("What did it cost?", icon_name="mdi-scale-balance", on_click=q.ask, disabled=none, color="primary")
        button("Try all countermeasures", icon_name="mdi-shield-half-full", on_click=q.try_all, disabled=none)
        label = next((x for x in "ABCDEFGH" if x not in q.saved.value), "")
        button(f"Save as {label}", icon_name="mdi-content-save", on_click=q.save, disabled=none or not label)
        with solara.FileDownload(partial(_report, session), filename="report.html").key("report.html"):
            button("Report to send", icon_name="mdi-file-document", disabled=none)


def _report(session: Session) -> bytes:
    try:
        return html_report.html(session.questions.report()).encode()
    except html_report.ScenarioError as error:
        session.questions.problems.value = error.complaints
        return "\n".join(error.complaints).encode()


@solara.component
def Answered(session: Session):
    """The answer over plausible worlds, and each event alone."""
    q = session.questions
    found = q.decision.value
    if found is None:
        return
    answer = found.answer
    html = [] if q.current else ["<p class='wrong'>The market has changed since; ask again.</p>"]
    first, *others = answer_text.sentences(answer)
    html.append(f"<p class='verdict'><b>{_safe(first)}.</b> {_safe(' '.join(others))}</p>")
    heads, rows = answer_text.rows(answer)
    first = f"interval: {answer_text.level(answer)}"
    html.append(table_html([first, *(h.replace("\n", ", ") for h in heads)], rows))
    if found.alone:
        effects = [
            (text, [cell(a.worst.total.percent), cell(a.year.total.percent if a.year else None)])
            for text, a in found.alone
        ]
        total = answer.alone or answer
        whole = [cell(total.worst.total.percent), cell(total.year.total.percent if total.year else None)]
        heads = ["each event alone, the others kept", "customers at its worst, %", "a year on, % (95 %, dice only)"]
        html.append(table_html(heads, [*effects, ("all together", whole)]))
    lines = "".join(f"<li>{_safe(line)}</li>" for line in answer_text.lines(answer))
    html.append(f"<details><summary>How sure</summary><ul>{lines}</ul></details>")
    solara.HTML("div", unsafe_innerHTML="".join(html), classes=["answer"])
    if found.measures:
        rows = [
            (m.label, [cell(m.averted), cell(m.besides) if m.besides.value else "0", m.cost or "not given"])
            for m in found.measures
        ]
        heads = [
            "what would have helped",
            "of the loss averted, % (80 %)",
            "side effect, customers % (80 %)",
            "cost",
        ]
        text = html_report.measures_note(found.scenario)
        solara.HTML(
            "div", unsafe_innerHTML=table_html(heads, rows) + f"<p class='hint'>{_safe(text)}</p>", classes=["answer"]
        )


def _safe(text: str) -> str:
    return html_report.escape(text)


@solara.component
def Board(session: Session):
    """The options side by side: saved ones, or the countermeasures that were tried."""
    q = session.questions
    options, money = q.shown, q.money.value
    q.decision.value  # noqa: B018
    if not options:
        return
    heads, rows = html_report.option_rows(options, money.worth, money.costs)
    html = table_html(heads, rows) + _bars(q)
    said = "The same people and draws in each, against no events at all; 95 %, dice only; an option's levers included."
    solara.HTML("h2", "Options side by side")
    solara.HTML("div", unsafe_innerHTML=f"{html}<p class='hint'>{said}</p>", classes=["answer", "board"])
    frame = options_table(options, money.worth)
    kept = frame[frame["what"].isin(["customers at the worst", "stickiness"])]
    lines = [(r.option, [r.what, r.group, r.firm, r.unit, *_ends(r)]) for r in kept.itertuples()]
    heads = ["option", "what", "group", "firm", "unit", "value", "low", "high"]
    more = f"<details><summary>By firm and segment</summary>{table_html(heads, lines)}</details>"
    solara.HTML("div", unsafe_innerHTML=more, classes=["answer"])
    with solara.Row(gap="2px", style={"flex-wrap": "wrap"}):
        for label in q.saved.value:
            solara.Button(f"Remove {label}", on_click=partial(q.remove, label), small=True, text=True)
    csv: Callable[[], bytes] = lambda: options_table(q.shown, q.money.value.worth).to_csv(index=False).encode()  # noqa: E731
    with solara.FileDownload(csv, filename="options.csv").key("options.csv"):
        solara.Button("Options, CSV", text=True, small=True, icon_name="mdi-download")


def _ends(row: object) -> list[str]:
    return [f"{getattr(row, n):.3g}" if getattr(row, n) == getattr(row, n) else "-" for n in ("value", "low", "high")]


def _bars(q: Questions) -> str:
    """A bar for each option with its interval: customers at the worst, %."""
    found = [(o.label, o.answer.worst.total.percent) for o in q.shown]
    ends = [e for _, p in found for e in (p.low, p.high, p.value, 0.0) if e == e]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    x = lambda v: 200 + 300 * (v - low) / span  # noqa: E731
    rows = ['<text x="192" y="14" text-anchor="end">customers at the worst, %</text>']
    for n, (label, p) in enumerate(found):
        y, value = 34 + 20 * n, p.value if p.value == p.value else 0.0
        rows.append(f'<text x="192" y="{y + 4}" text-anchor="end">{_safe(html_report.minus(label))}</text>')
        left, wide = min(x(value), x(0)), abs(x(value) - x(0))
        rows.append(
            f'<rect x="{left:.1f}" y="{y - 6}" width="{wide:.1f}" height="12" class="{"" if p.detected else "none"}"/>'
        )
        if p.known:
            rows.append(f'<path d="M{x(p.low):.1f},{y}H{x(p.high):.1f}"/>')
        rows.append(f'<text x="510" y="{y + 4}">{_safe(html_report.minus(cell(p)))}</text>')
    tall = 20 * len(found) + 30
    return (
        f'<svg class="bars" viewBox="0 0 640 {tall}" role="img" aria-label="Customers at the worst of each option, %; '
        f'the table says the same">{"".join(rows)}<path class="zero" d="M{x(0):.1f},22V{tall}"/></svg>'
    )


@solara.component
def Yours(session: Session):
    """What the visitor's own firm has: customers, what one is worth a year, what options cost."""
    q = session.questions
    opened, on_opened = solara.use_state(False)
    icon = "mdi-chevron-down" if opened else "mdi-chevron-right"
    toggle = lambda: on_opened(not opened)  # noqa: E731
    solara.Button("Your customers and money", icon_name=icon, text=True, on_click=toggle, classes=["fold"])
    if not opened:
        return
    money = q.money.value
    put = lambda n: q.set_money(base=max(0, n or 0))  # noqa: E731
    solara.InputInt("Customers that the firm has", value=money.base, on_value=put)
    worth = lambda v: q.set_money(worth=max(0.0, v or 0.0))  # noqa: E731
    solara.InputFloat("Worth of a customer in a year", value=money.worth, on_value=worth)
    for option in q.shown:
        cost = lambda v, label=option.label: q.set_money(costs={**q.money.value.costs, label: v or 0.0})  # noqa: E731
        solara.InputFloat(f"Cost of {option.label}", value=money.costs.get(option.label, 0.0), on_value=cost)
    solara.Text("Customers act at the next question; worth and costs at once.", classes=["hint"])
