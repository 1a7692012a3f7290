"""Forecasts of new cases from attributes known on the day: `stickiness forecast CASES.yaml OUT.csv`."""

import csv
import io
import os
from collections.abc import Sequence

from sim.casebook.cases import ATTRIBUTES, Attributes, Case, read_cases
from sim.casebook.rule import Floats, Rule, fit, late_of, predict
from sim.compute.files import unwritable, write_atomic
from sim.model.declare import ScenarioError

LEVELS = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
COLUMNS = ("id", *(f"{when}_{level}" for when in ("worst", "late") for level in LEVELS))
DIGITS = 2  # of a forecast, %
USAGE = "forecast: needs two names of files, as in: forecast CASES.yaml OUT.csv"


def forecast(rule: Rule, known: Attributes) -> dict[str, float]:
    """P10, P50 and P90 of the worst stretch and of 20 to 65 weeks after, % change (a loss is negative).

    >>> found = forecast(fit(), {"regime": "provider", "kind": "data"})
    >>> found["worst_p10"] < found["worst_p50"] < 0
    True
    """
    worst = predict(rule, known)
    found: dict[str, float] = {}
    for when, spread in (("worst", worst), ("late", late_of(rule, worst))):
        values: Floats = spread.quantile(list(LEVELS.values()))
        found |= {f"{when}_{level}": float(value) for level, value in zip(LEVELS, values, strict=True)}
    return found


def table(cases: Sequence[Case]) -> str:
    """The forecasts of cases as CSV."""
    rule, text = fit(), io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    for case in cases:
        found = forecast(rule, case.attributes)
        out.writerow([case.id, *(f"{found[name] + 0.0:.{DIGITS}f}" for name in COLUMNS[1:])])
    return text.getvalue()


def main(words: Sequence[str]) -> int:
    """Forecast the cases of a file; ScenarioError lists all that is wrong, and nothing is written then."""
    if len(words) != 2 or not all(word.strip() for word in words):
        raise ScenarioError([USAGE])
    source, target = words
    wrong = [f"{target}: is there already; choose another name"] if os.path.lexists(target) else []
    if why := unwritable(target) if not wrong else "":
        wrong.append(f"{target}: cannot be written: {why}")
    cases: list[Case] = []
    try:
        cases = read_cases(source)
    except ScenarioError as error:
        wrong += error.complaints
    except OSError as error:
        wrong.append(f"{source}: {error.strerror or error}")
    if wrong:
        raise ScenarioError(wrong)
    write_atomic(target, table(cases).encode(), new=True)
    missing = sum(len(set(ATTRIBUTES) - {"harmed"} - set(case.attributes)) > 0 for case in cases)
    many = f"{len(cases)} forecast{'s' * (len(cases) > 1)}"
    print(f"{many} in {target}: % change, 80 % intervals, if it makes national headlines")
    if missing:
        print(f"{missing} of {len(cases)} without some attributes, which are taken from cases that agree in the others")
    if unread := dict.fromkeys(name for case in cases for name in case.unread):
        print(f"not read, as no attribute has that name: {', '.join(unread)}")
    return 0
