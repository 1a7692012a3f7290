"""An answer in words and numbers: the sentence that leads, its table, how sure it is, what would have helped."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.measure.quantity import Quantity
from sim.model.offers import LEVERS
from sim.report.findings import TOO_FEW, called
from sim.study.answer import Answer, Moment
from sim.study.worlds import NEW_SCANDAL

if TYPE_CHECKING:
    import pandas as pd

    from sim.study.countermeasures import Countermeasure

CAUSES = {
    "left_because": "left because of it",
    "left_anyway": "would have left anyway",
    "never_came": "would have come, but did not",
    "came_back": "went, and came back",
    "stayed_because": "stayed because of it",
    "came_because": "came because of it",
}
DICE_ONLY = "95 %, dice only"
MUCH = 2.0  # times the change of customers, from which that of uses is told beside it
MOST_RIVALS, MOST_MEASURES = 3, 5
ERRORS = ("dice", "presence", "parameters", "cases")
Row = tuple[str, list[str]]


def sentence(answer: Answer) -> str:
    """What the events did to the firm's customers, with its interval; no more than that allows."""
    moment, what, firm = answer.worst, events_words(answer), called(answer.firm)
    change = moment.total.percent
    if not change.known:
        return f"{firm}: {TOO_FEW} what {what} did to its customers"
    if not change.detected:
        return f"{firm}: no change in customers detected after {what}; {between(change)} %, {level(answer)}"
    verb = ("cost" if change.value < 0 else "bring") + "s" * (len(answer.events) < 2)
    loss = _turned(change) if change.value < 0 else change
    weeks = f"{counted(moment.weeks)} after {start(answer)}"
    size = f"{number(loss)} % of its customers ({level(answer)}: {span(loss)})"
    return f"{what[:1].upper()}{what[1:]} {verb} {firm} {size} {extreme(answer)}, {weeks}"


def extreme(answer: Answer) -> str:
    """What the largest change is called: at the best where customers are won."""
    return "at the best" if answer.worst.total.percent.value > 0 else "at the worst"


def sentences(answer: Answer) -> list[str]:
    """What leads: the sentence, the same of the user's customers, and of uses where they tell more."""
    return [line for line in (sentence(answer), scaled_sentence(answer), uses_sentence(answer)) if line]


def scaled_sentence(answer: Answer) -> str:
    """The same in the user's customers; "" where `base` is not given."""
    scaled = answer.worst.total.scaled
    if scaled is None or not scaled.known or answer.base is None:
        return ""
    if not scaled.detected:
        return f"Of {answer.base:,} customers that is between {_signed(scaled.low)} and {_signed(scaled.high)}."
    loss = _turned(scaled) if scaled.value < 0 else scaled
    span = f"{round_to(loss.low)} to {round_to(loss.high)}"
    return (
        f"Of {answer.base:,} customers that is {round_to(loss.value)} {'lost' if scaled.value < 0 else 'won'} ({span})."
    )


def uses_sentence(answer: Answer) -> str:
    """What it did to uses in the first quarter, where that is much more than to customers; "" elsewhere.

    A customer is whose last use was at the firm: where people buy once in years, sales fall long before customers do.
    """
    quarter, alone = answer.quarter, answer.alone and answer.alone.quarter
    told, words = quarter, level(answer)
    if alone and quarter and not quarter.uses.known:  # the worlds have fewer people
        told, words = alone, DICE_ONLY
    if told is None or not told.uses.detected or abs(told.uses.value) < MUCH * abs(told.total.percent.value):
        return ""
    uses = _turned(told.uses) if told.uses.value < 0 else told.uses
    fell = "fewer" if told.uses.value < 0 else "more"
    return f"In the quarter after {start(answer)} it has {number(uses)} % {fell} uses ({words}: {span(uses)})."


def events_words(answer: Answer) -> str:
    """The events by name: `the data breach`; `the change of price`; `the events (vw, price)`.

    `the scandal` if it has the firm's name, `the new scandal` if it is one that is predicted.
    """
    names = [name.replace("_", " ") for name in answer.events]
    if len(names) > 1:
        return f"the events ({', '.join(names)})"
    if len(names) == 1 and next(iter(answer.events)) in LEVERS:  # named like a lever, as the moves of presets are
        return f"the change of {names[0]}"
    if list(answer.events) == [NEW_SCANDAL]:
        return "the new scandal"
    return "the scandal" if list(answer.events) == [answer.firm] else f"the {names[0] if names else 'change'}"


def start(answer: Answer) -> str:
    """What weeks are counted from: the news of a scandal, the start of a move, or the first of several with a move."""
    if not answer.moves:
        return "the news"
    return "its start" if len(answer.events) == 1 else "the first of them"


def rows(answer: Answer) -> tuple[list[str], list[Row]]:
    """The heads of the table and its rows: a column for each moment."""
    moments = answer.moments
    heads = [f"{name}\nweek {m.weeks:.0f}" for name, m in moments.items()]
    heads[0] = heads[0].replace("at the worst", extreme(answer))
    told = list(moments.values())
    found: list[Row] = [("change of customers, %", [cell(m.total.percent) for m in told])]
    if answer.base:
        found.append((f"  of {answer.base:,}", [rounded(m.total.scaled) for m in told]))
    found.append(
        (f"  in people, of {answer.customers.value:,.0f} simulated", [cell(m.total.people, whole=True) for m in told])
    )
    found += [(f"  {_group(g)}, %", [cell(m.groups[g].percent) for m in told]) for g in answer.worst.groups]
    found.append(("people behind it, of those simulated", ["" for _ in told]))
    for name, words in CAUSES.items():
        if any(abs(getattr(m.causes, name).value) >= 0.5 for m in told):
            found.append((f"  {words}", [cell(getattr(m.causes, name), whole=True, signed=False) for m in told]))
    most = _rivals(answer.worst)
    found.append(("customers of rivals, of those simulated", ["" for _ in told]))
    found += [(f"  {called(firm)}", [cell(m.rivals[firm].people, whole=True) for m in told]) for firm in most]
    if any(m.uses.value != m.total.percent.value for m in told):
        found.append(("change of uses, last 13 weeks, %", [cell(m.uses) for m in told]))
    return heads, found


def lines(answer: Answer) -> list[str]:
    """How long, and how sure: the lines below the table."""
    found = [half(answer), sure(answer)]
    if answer.source:
        found.append(f"worlds: {answer.source}")
    if answer.drivers:
        named = ", ".join(f"{path} ({r:+.2f})" for path, r in answer.drivers)
        found.append(f"what decides most between the {answer.worlds} worlds (rank correlation): {named}")
    elif answer.worlds and answer.worst.total.percent.known:
        found.append(f"which numbers decide most: {answer.worlds} worlds are too few to tell; ask for more (worlds=)")
    if answer.alone:
        own = answer.alone.worst.total.percent
        alone = f"{number(own)} % (95 %, dice only: {span(own)})" if own.known else TOO_FEW
        found.append(f"with the scenario's own numbers: {alone}")
    return found


def half(answer: Answer) -> str:
    """When half of it was over."""
    weeks, found = len(answer.weekly), answer.half_over
    if not answer.worst.total.percent.detected:
        return "half of it over: nothing was detected that could be"
    if math.isinf(found.value):
        return f"half of it was not over within {counted(weeks)} of {start(answer)}"
    known = f" ({found.low:.0f} to {found.high:.0f})" if found.known else ""
    return f"half of it was over {counted(found.value)} after {start(answer)}{known}"


def counted(weeks: float) -> str:
    """So many weeks."""
    return f"{weeks:.0f} week" + "s" * (round(weeks) != 1)


def sure(answer: Answer) -> str:
    """The parts of the error at the worst (or best), and what the interval does not include."""
    when = f"standard error {extreme(answer)}"
    if not answer.worst.total.percent.known:
        return f"{when}: {TOO_FEW}"
    parts = answer.worst.total.people.parts
    whole = abs(answer.worst.total.people.value) or math.nan
    size = abs(answer.worst.total.percent.value) / whole if whole == whole else math.nan
    shown = [(name, getattr(parts, name)) for name in ERRORS]
    given = [f"{name} {e * size:.2f}" for name, e in shown if math.isfinite(e * size)]
    missing = [name for name, e in shown if not math.isfinite(e)]
    if math.isfinite(parts.parameters) and "cases" in missing:
        missing.remove("cases")
        given[-1] = given[-1].replace("parameters", "parameters and cases together")
    without = f"; not included: {' and '.join(missing)}" if missing else ""
    return f"{when}, in points, by where it comes from: {', '.join(given) or 'none'}{without}"


def measures(made: Sequence["Countermeasure"], most: int = MOST_MEASURES) -> list[Row]:
    """What would have helped, best first: label, % of the loss averted, customers won besides."""
    known = [m for m in made if m.averted.known]
    if not known:
        return []
    return [(m.label, [averted(m), cell(m.besides) if m.besides.value else "0", m.cost]) for m in known[:most]]


def averted(measure: "Countermeasure") -> str:
    """What a countermeasure averts of the loss, %; that it is not detected where it may be the dice."""
    found, q = cell(measure.averted), measure.averted
    return found if measure.seen or q.detected or not q.known else f"not detected {found[found.index('[') :]}"


def table(answer: Answer) -> "pd.DataFrame":
    """The answer as a tidy frame, a row a quantity.

    Columns: moment, weeks after the news, what, group, firm, unit, value, low, high, level; dice, presence, parameters
    and cases are standard errors, nan where not included.
    """
    import pandas as pd

    found: list[tuple] = []
    for moment, m in answer.moments.items():
        place = moment, m.weeks
        found += _change_rows((*place, "customers", "all", answer.firm), m.total)
        for group, part in m.groups.items():
            found += _change_rows((*place, "customers", group, answer.firm), part)
        for firm, gain in m.rivals.items():
            found += _change_rows((*place, "customers", "all", firm), gain)
        found += [_row((*place, name, "all", answer.firm, "people"), getattr(m.causes, name)) for name in CAUSES]
        found.append(_row((*place, "uses", "all", answer.firm, "%"), m.uses))
    found.append(_row(("half over", math.nan, "weeks", "all", answer.firm, "weeks"), answer.half_over))
    for n, change in enumerate(answer.weekly):
        found.append(_row(("by week", n + 1, "customers", "all", answer.firm, "%"), change))
    names = ["moment", "weeks", "what", "group", "firm", "unit", "value", "low", "high", "level", *ERRORS]
    return pd.DataFrame(found, columns=names)


def _change_rows(place: tuple, change: object) -> list[tuple]:
    units = {"percent": "%", "people": "people", "scaled": "of base"}
    pairs = ((unit, getattr(change, name)) for name, unit in units.items())
    return [_row((*place, unit), q) for unit, q in pairs if q is not None]


def _row(place: tuple, q: Quantity) -> tuple:
    return (*place, q.value, q.low, q.high, q.level, *(getattr(q.parts, name) for name in ERRORS))


def cell(q: Quantity | None, whole: bool = False, signed: bool = True) -> str:
    """A value and its interval as text."""
    if q is None or math.isnan(q.value):
        return "-"
    if not q.known:
        return TOO_FEW
    if whole:
        sign, d = "+" if signed else "", 0
    else:
        sign, d = "+", digits(q)
    ends = [round(end, d) + 0.0 for end in (q.value, q.low, q.high)]
    value, low, high = (f"{end:{sign if end else ''},.{d}f}" for end in ends)
    return f"{value} [{low}, {high}]"


def rounded(q: Quantity | None) -> str:
    """People in two or three leading digits, with their interval."""
    if q is None or not q.known:
        return cell(q)
    return f"{_signed(q.value)} [{_signed(q.low)}, {_signed(q.high)}]"


def number(q: Quantity) -> str:
    """The value with as many digits as its interval deserves."""
    return f"{q.value:.{digits(q)}f}"


def span(q: Quantity) -> str:
    """The interval: low to high."""
    return f"{q.low:.{digits(q)}f} to {q.high:.{digits(q)}f}"


def between(q: Quantity) -> str:
    """The interval of what was not detected."""
    d = digits(q)
    low, high = (round(end, d) + 0.0 for end in (q.low, q.high))
    return f"between {low:{'+' if low else ''}.{d}f} and {high:{'+' if high else ''}.{d}f}"


def level(answer: Answer) -> str:
    """What the interval is of."""
    if answer.worlds:
        return f"80 % of {answer.worlds} plausible worlds"
    return DICE_ONLY


def digits(q: Quantity) -> int:
    """Decimals such that half of the interval has one digit where that is 5 or more, else two."""
    wide = (q.high - q.low) / 2
    return max(0, min(4, math.ceil(math.log10(5 / wide)))) if wide > 0 else 1


def round_to(value: float) -> str:
    """A number of people in two or three leading digits."""
    if abs(value) < 100:
        return f"{round(value)}"
    step = 10 ** (math.floor(math.log10(abs(value))) - 1)
    return f"{round(value / step) * step:,.0f}"


def _signed(value: float) -> str:
    text = round_to(value)
    return "+" * (value > 0 and text != "0") + text


def _turned(q: Quantity) -> Quantity:
    """A loss as a number above 0."""
    return Quantity(-q.value, -q.high, -q.low, q.parts, q.level)


def _group(name: str) -> str:
    return name.partition(".")[2].replace("_", " ")


def _rivals(moment: Moment) -> list[str]:
    gains: Mapping[str, float] = {name: change.people.value for name, change in moment.rivals.items()}
    return sorted(gains, key=lambda name: -abs(gains[name]))[:MOST_RIVALS]
