"""People to start from: a Parquet file of draws of their tastes and traits, a row a draw and person.

Columns (all but a taste may be left out; an empty value is drawn as in any market):

- `draw`, `person`: whole numbers. Replication r takes draw r modulo the number of draws. Every draw has the same number
  of persons.
- `taste.FIRM`: taste for a firm, logit, added to ln presence of the firm. A firm without a column (one that enters) has
  tastes as in any market.
- `price_weight`: factor on consumer.price_weight (of the person's cell); `rate`: factor on consumer.rate. Where the
  scenario's value is 1 they are the price weight and the rate themselves.
- `segment`, `cohort`: names of the scenario's.
- `last`: the firm used last, "" = not given.
- `habit.FIRM`: habit, 0 to 1; `familiarity.FIRM`: 0 to 1, 0 = never used; or `uses.FIRM`: past uses, from which
  familiarity follows by market.familiarity_rate.

Person number n is person n of the file; where a scenario has more people than the file they begin anew, with other
draws of chance, and where it has fewer it takes persons in equal steps over the file. What is given is the state before
the burn-in, if there is one: with burn_in 0 it is the state at week 0.

The standard errors of a run are over people: they take the file and its draws as given. How far the draws of a
posterior lie apart is seen in the replications, each of which has one; presence is solved over all draws.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sim.model.declare import did_you_mean
from sim.model.fields import Scenario
from sim.model.tables import Columns, columns_of

KEYS, TRAITS, WORDS = ("draw", "person"), ("price_weight", "rate"), ("segment", "cohort", "last")
OF_FIRMS = {  # of each firm: lowest and highest value
    "taste": (-1000.0, 1000.0),
    "habit": (0.0, 1.0),
    "familiarity": (0.0, 1.0),
    "uses": (0.0, 1e6),
}
BLOCKS = 3  # of the columns of the world's table: taste, habit and familiarity of each firm; then
PRICE, RATE, CELL, LAST, SINGLE = range(5)  # one column each: factor on price weight and on rate, cell, last firm

Floats = npt.NDArray[np.float32]


def people_of(s: Scenario, replication: int) -> Floats:
    """[person, column] the persons of a replication's draw, nan where nothing is given; [0, 0] without a population.

    Columns: taste of each firm, habit of each, familiarity of each, then PRICE, RATE, CELL, LAST. Raises ScenarioError
    for a file that is not the one that the scenario was made with, or that does not fit the scenario.
    """
    if not s.population:
        return np.zeros((0, 0), np.float32)
    columns = _columns(s)
    rows, many = _order(columns), len(s.firms)
    draws = _draws(columns)
    rows = rows.reshape(draws, -1)[replication % draws]
    table = np.full((len(rows), BLOCKS * many + SINGLE), np.nan, np.float32)
    for j, firm in enumerate(s.firms):
        for block, values in enumerate(_of_firm(s, columns, firm)):
            if values is not None and (block > 0 or s.mechanisms.taste):
                table[:, block * many + j] = values[rows]
    last = BLOCKS * many
    for place, name in ((PRICE, "price_weight"), (RATE, "rate")):
        if name in columns:
            table[:, last + place] = columns[name][rows]
    firms = {name: j for j, name in enumerate(s.firms)}
    if "last" in columns:
        table[:, last + LAST] = [firms.get(str(word), np.nan) for word in columns["last"][rows]]
    if {"segment", "cohort"} & set(columns):
        table[:, last + CELL] = [_cell(s, columns, row) for row in rows.tolist()]
    return table


def draws_of(s: Scenario) -> int:
    """The number of draws in the population's file; 1 without one."""
    return _draws(_columns(s)) if s.population else 1


def has_price_weights(s: Scenario) -> bool:
    """Whether the file gives price weights of people's own."""
    return bool(s.population) and "price_weight" in _columns(s)


def _columns(s: Scenario) -> Columns:
    return columns_of("population", s.population, s.population_sha256)[1]


def _of_firm(s: Scenario, columns: Columns, firm: str) -> tuple[np.ndarray | None, ...]:
    """Taste, habit and familiarity of a firm, None where no column gives it."""
    taste, habit, known, uses = (columns.get(f"{name}.{firm}") for name in OF_FIRMS)
    if known is None and uses is not None:
        known = 1 - (1 - s.market.familiarity_rate) ** uses
    return taste, habit, known


def _cell(s: Scenario, columns: Columns, row: int) -> float:
    segment = str(columns["segment"][row]) if "segment" in columns else next(iter(s.segments))
    cohort = str(columns["cohort"][row]) if "cohort" in columns else next(iter(s.cohorts))
    return float(s.cells.index((segment, cohort))) if segment and cohort else np.nan


def _order(columns: Columns) -> np.ndarray:
    """The rows by draw and person."""
    rows = len(next(iter(columns.values())))
    person = columns.get("person", np.arange(rows))
    return np.lexsort((person, columns["draw"])) if "draw" in columns else np.argsort(person, kind="stable")


def _draws(columns: Columns) -> int:
    return len(np.unique(columns["draw"])) if "draw" in columns else 1


def population_complaints(s: Scenario, columns: Columns) -> list[str]:
    """Everything in which the columns of a population are none for this scenario."""
    wrong = [*_wrong_columns(s, tuple(columns))]
    for name, values in columns.items():
        text = name in WORDS
        if text != (values.dtype.kind == "U") and not (text and np.isnan(values).all()):
            wrong.append(f"column {name}: not {'text' if text else 'all numbers'}")
    if not wrong:
        wrong = [*_value_complaints(s.population, s.population_sha256), *_wrong_names(s, columns)]
    return [f"population: {s.population}: {complaint}" for complaint in wrong]


def _wrong_columns(s: Scenario, names: tuple[str, ...]) -> list[str]:
    wrong = []
    known = [*KEYS, *TRAITS, *WORDS, *(f"{name}.{firm}" for name in OF_FIRMS for firm in s.firms)]
    for name in names:
        kind, dot, _ = name.partition(".")
        gone = dot and kind in OF_FIRMS and all(f"{kind}.{f}" in names for f in s.firms)  # of a firm taken away
        if name not in known and not gone:
            wrong.append(f"column {name}: unknown{did_you_mean(name, known).partition('; known')[0]}")
    if not any(name.startswith("taste.") for name in names):
        wrong.append("columns: no taste.FIRM")
    counted = (len(s.segments) > 1, len(s.cohorts) > 1)
    for name, other, several in (("segment", "cohort", counted[1]), ("cohort", "segment", counted[0])):
        if name in names and other not in names and several:
            wrong.append(f"column {other}: missing; with {name} it says to which cell a person belongs")
    return wrong


@lru_cache(8)
def _value_complaints(path: str, sha256: str) -> tuple[str, ...]:
    """What is wrong with the values, whatever the scenario."""
    columns = columns_of("population", path, sha256)[1]
    wrong = []
    limits = dict.fromkeys(TRAITS, (0.0, 1e6)) | OF_FIRMS
    for name, values in columns.items():
        low, high = limits.get(name.partition(".")[0], (-np.inf, np.inf))
        outside = np.flatnonzero((values < low) | (values > high)) if values.dtype.kind == "f" else np.arange(0)
        if len(outside):
            more = f" (and {len(outside) - 1:,} more)" if len(outside) > 1 else ""
            row = outside[0]
            wrong.append(f"column {name}, row {row + 1}: {values[row]:g} is outside {low:g} to {high:g}{more}")
    for name in KEYS:
        if name in columns and not (columns[name] == np.floor(columns[name])).all():
            wrong.append(f"column {name}: not all are whole numbers")
    rows = len(next(iter(columns.values())))
    if not rows:
        return ("no rows",)
    if not wrong and "draw" in columns:
        many = np.unique(columns["draw"], return_counts=True)[1]
        if many.min() != many.max():
            wrong.append(f"draws of {many.min():,} to {many.max():,} persons; each must have the same number")
    if not wrong and "person" in columns:
        keys = np.stack([columns.get("draw", np.zeros(rows)), columns["person"]], 1)
        twice = rows - len(np.unique(keys, axis=0))
        wrong += [f"{twice:,} rows are of a draw and person that are there already"] if twice else []
    return tuple(wrong)


@lru_cache(32)
def _words(path: str, sha256: str, name: str) -> frozenset[str]:
    """The different words of a column."""
    return frozenset(map(str, np.unique(columns_of("population", path, sha256)[1][name])))


def _wrong_names(s: Scenario, columns: Columns) -> list[str]:
    wrong = []
    known = {"segment": list(s.segments), "cohort": list(s.cohorts), "last": list(s.firms)}
    for name in [n for n in WORDS if n in columns and columns[n].dtype.kind == "U"]:
        strange = sorted(_words(s.population, s.population_sha256, name) - {"", *known[name]})
        if name == "last" and all(f"taste.{firm}" in columns for firm in s.firms):
            strange = [word for word in strange if f"taste.{word}" not in columns]  # not of a firm taken away
        wrong += [f"column {name}: {word!r} is no {name}{did_you_mean(word, known[name])}" for word in strange[:5]]
    return [text.replace("is no last", "is no firm") for text in wrong]
