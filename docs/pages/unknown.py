"""The page of what is not known, from the files that hold it: facts, priors, casebook, limits of calibration."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

from docs.pages.fields import cell, table_of
from docs.pages.gallery import made
from sim.calibration.settings import number
from sim.casebook.cases import casebook
from sim.casebook.left_out import predictions, scores
from sim.facts.classes import CLASSES, HELD_OUT, NOT_MODELED
from sim.facts.record import found, people
from sim.facts.scoreboard import HOLDS, MISSES, UNDECIDED, Fact, facts
from sim.measure.quantity import Parts
from sim.study.presets import presets
from sim.study.priors import BASES, shipped

CLASS_WORDS = {
    "by construction": "a parameter or the form of a law makes it so",
    "theorem": "people with tastes and nothing else pass it too",
    "calibrated": "a number was fitted to it",
    "emergent": "none of these; a prediction of the mechanisms together",
    "held out": "set aside before any number was chosen",
}
PART_WORDS = {
    "dice": "which people and which draws the run has; in every printed error",
    "presence": "how well presence was solved for the shares that firms state; in errors of share and penetration",
    "parameters": "numbers of the model that are not known (conf/priors.yaml); in what events cost, over worlds",
    "cases": "how much scandals of one kind differ (conf/casebook.yaml); only in forecasts of a new scandal",
}
DECIDES = "what_matters"  # the experiment
VERDICTS = (HOLDS, UNDECIDED, MISSES)


def scoreboard() -> Iterator[str]:
    """Classes by verdict, and each miss with what was tried."""
    rows, known = found(), facts()
    counts = Counter((row.kind, row.verdict) for row in rows.values())
    lines = [
        (kind, CLASS_WORDS[kind], *(str(counts[kind, verdict]) for verdict in VERDICTS), str(_asked(counts, kind)))
        for kind in CLASSES
    ]
    total = [str(sum(counts[kind, verdict] for kind in CLASSES)) for verdict in VERDICTS]
    lines.append(("all", "", *total, str(len(rows))))
    yield "## What a fact that holds is worth"
    yield (
        f"{len(rows)} facts of repeat buying, habit, scandals, service and word of mouth are simulated with "
        f"{people():,} people a run and set against what was measured. A fact *holds* where it lies two standard "
        "errors inside its limits, *misses* where it lies two outside, else it is *undecided*. Only the last two "
        "classes say anything about the model beyond what was put in."
    )
    yield table_of(lines, ("class", "why it could hold", *VERDICTS, "asked"))
    yield "## Held-out predictions"
    yield table_of(
        list(_rows(known, lambda n: rows[n].kind == HELD_OUT)), ("fact", "what was measured", "verdict", "margin")
    )
    yield "Margins are standard errors inside the nearest limit; below 0 outside."
    yield "## What the model gets wrong, or cannot tell"
    bad = list(_rows(known, lambda n: rows[n].verdict != HOLDS, tried=True))
    yield table_of(bad, ("fact", "what was measured", "verdict", "margin", "what was tried"))
    left = [(f"#{n}", cell(fact.statement), cell(fact.not_modeled)) for n, fact in known.items() if fact.not_modeled]
    if left:
        yield f"Not in the model at all ({NOT_MODELED}):"
        yield table_of(left, ("fact", "what was measured", "why"))


def _asked(counts: Counter, kind: str) -> int:
    return sum(counts[kind, verdict] for verdict in VERDICTS)


def _rows(known: dict[int, Fact], wanted: Callable[[int], bool], tried: bool = False) -> Iterator[tuple[str, ...]]:
    for n, row in found().items():
        if wanted(n):
            more = (cell(known[n].tried),) if tried else ()
            yield (f"#{n}", cell(known[n].statement), row.verdict, f"{row.margin:.1f}", *more)


def numbers() -> Iterator[str]:
    """What the spreads of the numbers rest on."""
    rows = [row for cases in shipped().rows.values() for row in cases.values()]
    bases = Counter(row.prior.basis for row in rows if row.prior)
    words = {
        "measured": "a spread is published",
        "casebook": "computed from the cases of conf/casebook.yaml",
        "sign only": "a sign, an order or one end is published; the size is judged",
        "judgment": "no source was found; wide on purpose",
    }
    total = sum(bases.values())
    yield "## What the numbers rest on"
    yield (
        f"{total} numbers have a spread (P10 to P90 of what is plausible), {sum(not row.prior for row in rows)} are "
        "held for a reason that is written beside them. What each rests on:"
    )
    table = [(base, words[base], str(bases[base]), f"{100 * bases[base] / total:.0f} %") for base in BASES]
    yield table_of(table, ("basis", "meaning", "numbers", "share"))
    yield "[Every setting](reference/fields.md) names the basis of each."


def decisive() -> Iterator[str]:
    """Which of the numbers matter, as an experiment has found; nothing where it was not run in full."""
    record = made().get(DECIDES, {})
    if record.get("form") != "in full":
        return
    yield "## The numbers that matter"
    yield (
        f"`python -m experiments.{DECIDES}` varies every number of a market of banks over its spread, as "
        f"[the gallery](gallery.md) says (made {record['date']} from {record['code']}):"
    )
    yield "\n".join(f"- {sentence}" for sentence in record["finding"])


def errors() -> Iterator[str]:
    """The parts of an error."""
    yield "## What an error includes"
    yield table_of(
        [(f.name, PART_WORDS[f.name]) for f in fields(Parts)], ("part", "what it is, and where it is included")
    )
    yield (
        "An error without *parameters* is that of the dice alone: it says how well the run knows what this model with "
        "these numbers does, not how well the model knows the world. That the model itself is wrong is in none of them."
    )


def scandals() -> Iterator[str]:
    """How well a scandal is foretold."""
    yield "## How well a new scandal is known beforehand"
    worst = predictions()
    held = scores(worst)
    covers, wide = held["80 % interval covers"], held["width of the interval, logits"]
    miss = held["error of the median, logits"]
    yield (
        f"The rule is learned on {len(casebook()[0])} real cases (`conf/casebook.yaml`). Each event left out, "
        f"its 80 % interval has {covers[0]:.0f} ± {covers[1]:.0f} % of them at the worst, and is {wide[0]:.1f} logits "
        f"wide: a factor of {_factor(wide[0])} in the odds. The median is {miss[0]:.2f} logits off on average. The "
        "cases are famous ones, so events that nobody noticed are missing."
    )
    named = [name for name in presets("scandal") if name.startswith(("breach_", "dieselgate_", "boycott_"))]
    yield (
        f"Presets of real scandals (such as {', '.join(f'`{name}`' for name in named)}) are records: factors were "
        "fitted to each of them. They are no predictions."
    )


def _factor(logits: float) -> str:
    return f"{math.exp(logits):.0f}"


def calibration() -> Iterator[str]:
    """What a panel can and cannot tell."""
    size = {name: int(number("size", name)) for name in ("households", "choices", "purchases", "brands")}
    yield "## What a calibration cannot tell"
    yield (
        "`stickiness calibrate` estimates tastes, price weights, promotions and habit from at most "
        f"{size['households']:,} households, {size['brands']} brands (the others are pooled) and the last "
        f"{size['purchases']:,} purchases of each. Attention, service, trust, scandals and word of mouth are not in a "
        "purchase file: they stay as in the literature. "
        "Tastes and habit look alike in short histories. The report of each calibration says what its own panel could "
        "not tell, and how well held-out purchases were predicted."
    )


def write(folder: Path) -> None:
    """Write the page."""
    head = (
        "# What we do not know\n\nEvery figure here is read from the files of this version when the site is built: "
        "`conf/facts_found.yaml`, `conf/facts.yaml`, `conf/priors.yaml`, `conf/casebook.yaml`, `conf/calibration.yaml` "
        "and `experiments/figures/made.yaml`."
    )
    parts = [head, *scoreboard(), *numbers(), *decisive(), *errors(), *scandals(), *calibration()]
    (folder / "unknown.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
