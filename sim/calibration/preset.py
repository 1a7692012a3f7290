"""Writes a calibrated market as a preset of the simulator: market.yaml, its people and its calendar."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sim.calibration.choices import Choices, price_index
from sim.calibration.population import at_end, moments
from sim.calibration.posterior import Posterior, common_names
from sim.calibration.weeks import by_week
from sim.panel.vocabulary import normalized

MARKET, PEOPLE, CALENDAR = "market.yaml", "people.parquet", "calendar.csv"
PEOPLE_DRAWS = 40  # draws of the posterior that people can start from, one a replication
RESERVED = {"price_weight"}  # a name in a covariance of tastes
MOST_SPREAD = 9.9, 2.9  # of a taste and of ln price weight, as the simulator takes them
PRICE_DIGITS = 4
LEAST_PRICE = 0.05  # on the simulator's scale; adding to all prices changes no choice
WINDOW, WEEKS = 13, 104
SEGMENTS = ("ethical", "skeptical", "habitual")  # of conf/config.yaml
TOLD = (  # traits in which segments do not differ, as people's own are known
    *("rate", "attention", "automaticity", "consideration_size", "state_dependence", "habit_weight", "habit_rate"),
    *("price_weight", "uncertainty", "trust_up", "trust_down"),
)


@dataclass
class Time:
    """What the panel says of time: the week of each purchase, and rates of use."""

    weeks: np.ndarray | None  # [n]
    rate: float | None  # uses a week; None where the panel has no time
    shape: float | None
    relative: np.ndarray | None  # [i] expected rate of each household, relative to the mean


def firm_names(brands: Sequence[str]) -> tuple[str, ...]:
    """A name for each brand that the simulator takes: letters, digits and _, each another.

    >>> firm_names(["Heinz 41 oz.", "7-Up", "heinz 41 OZ"])
    ('heinz_41_oz', 'brand_7_up', 'heinz_41_oz_2')
    """
    names: list[str] = []
    for brand in brands:
        words = re.sub(r"[^a-z0-9]+", " ", " ".join(normalized(w) for w in re.split(r"[^\w]+|_", brand))).split()
        name = "_".join(words)[:40] or f"brand_{len(names) + 1}"
        name = f"brand_{name}" if name[0].isdigit() else name
        number, free = 2, name
        while free in names or free in RESERVED:
            free, number = f"{name}_{number}", number + 1
        names.append(free)
    return tuple(names)


class Numbers:
    """Means and standard deviations of the simulator's variant, in the simulator's terms."""

    def __init__(self, posterior: Posterior):
        draws, many = posterior.draws[posterior.simulator], len(posterior.firms)
        self.priced = posterior.terms.mean_price is not None
        names = common_names(posterior, draws.variant)
        self.weights = {
            n: (float(draws.common[:, k].mean()), float(draws.common[:, k].std())) for k, n in enumerate(names)
        }
        rate = 1 / (1 + np.exp(-draws.common[:, -1]))
        self.habit_rate = float(rate.mean()), float(rate.std())
        self.habit = float(np.clip(self.weights["habit"][0], 0, 5))
        # The preset has one habit for all draws: people rest where each draw has them, whatever its habit was.
        self.draws = replace(draws, common=draws.common.copy())
        self.draws.common[:, -2:] = self.habit, -np.log(1 / self.habit_rate[0] - 1)
        mean, covariance = moments(posterior.terms, self.draws)
        self.mean = np.r_[0.0, mean[:, : many - 1].mean(axis=0)]
        self.means = moments(posterior.terms, draws)[0][:, : many - 1]  # of every draw with its own habit
        self.error = np.r_[0.0, self.means.std(axis=0)]
        cap = np.r_[np.full(many - 1, MOST_SPREAD[0]), np.full(int(self.priced), MOST_SPREAD[1])]
        own = covariance.mean(axis=0)
        less = np.minimum(1, cap / np.sqrt(np.diag(own)))
        self.covariance = own * np.outer(less, less)
        median = np.exp(draws.mu[:, -1]) if self.priced else np.zeros(1)
        self.price_weight = float(np.exp(draws.mu[:, -1].mean())) if self.priced else 0.0, float(median.std())
        self.price_sd = float(np.sqrt(self.covariance[-1, -1])) if self.priced else 0.0


def price_shift(posterior: Posterior, choices: Choices, weeks: np.ndarray | None) -> float:
    """What is added to the prices that are written so that the simulator takes all of them; it changes no choice."""
    x = price_index(choices, posterior.terms)
    written = x.mean(axis=0) if weeks is None else by_week(weeks, choices.y, x, x.shape[1])[1]
    return max(0.0, LEAST_PRICE - 1 - float(written.min(initial=0.0)))


def preset_text(posterior: Posterior, numbers: Numbers, choices: Choices, time: Time, seed: int, title: str) -> str:
    """The text of market.yaml."""
    lines = [
        f"# Estimated by `stickiness calibrate` from a panel of {len(choices.households):,} households and "
        f"{len(choices.y):,} purchases.",
        "# Numbers marked `panel` are posterior means +- standard deviations; the others are assumptions that keep",
        "# mechanisms out that this panel says nothing of, or the simulator's own (see report.txt).",
        f"title: {_quoted(f'{title}: {told(posterior)}')}",
        f"seed: {seed}",
        f"population: {PEOPLE}  # households of the panel, with tastes and habits drawn from the posterior",
        "burn_in: 0  # weeks; people start from the end of their history",
        *_time(posterior, time),
        "network: {kind: none}  # nothing is known of who talks to whom",
        *_segments(),
        *_market(numbers, time),
        *_consumer(numbers, time, len(posterior.firms)),
        *_firms(posterior, choices, numbers, time.weeks),
        *_covariance(posterior, numbers),
    ]
    return "\n".join(lines) + "\n"


def told(posterior: Posterior) -> str:
    """A line on what the panel tells of the market, and what rests on literature; every run prints it."""
    terms, rest = posterior.terms, "scandals, quality, effort and entry from literature"
    known = ["tastes"] + ["prices"] * (terms.mean_price is not None)
    known += ["promotions"] * (terms.feature or terms.display)
    return f"{', '.join(known)} and habit from its panel; {'' if terms.mean_price is not None else 'prices, '}{rest}"


def _quoted(text: str) -> str:
    return '"' + re.sub(r'[\\"\x00-\x1f$]', " ", text)[:200] + '"'


def has_calendar(posterior: Posterior, time: Time) -> bool:
    """Whether there are weeks, and prices or promotions to tell of them."""
    terms = posterior.terms
    return time.weeks is not None and (terms.mean_price is not None or terms.feature or terms.display)


def _time(posterior: Posterior, time: Time) -> Iterator[str]:
    weeks = WEEKS
    if has_calendar(posterior, time):
        assert time.weeks is not None
        weeks = max(WEEKS, int(time.weeks.max() - time.weeks.min() + 1))
        yield f"calendar: {CALENDAR}  # promotions of the panel's weeks, and prices by week on top of firms.*.price;"
        yield "#   a move wins over them, +moves.cut={firm: NAME, week: 4, value: 0.9}; calendar= drops all"
    yield f"weeks: {weeks}"
    yield f"window: {WINDOW}  # weeks"


def _segments() -> Iterator[str]:
    yield "segments:  # differ in how scandals act on them (literature); what people buy differs by the panel"
    alike = ", ".join(f"{trait}: 1" for trait in TOLD)
    for name in SEGMENTS:
        yield f"  {name}: {{{alike}}}"


def _market(numbers: Numbers, time: Time) -> Iterator[str]:
    yield "market:"
    yield "  regime: repertoire"
    yield "  taste_law: normal"
    yield f"  price_weight_sd: {numbers.price_sd:.4g}  # of ln price weight; panel"
    if time.shape is not None:
        yield f"  rate_shape: {time.shape:.4g}  # gamma shape K of the NBD of purchases; panel"


def _consumer(numbers: Numbers, time: Time, firms: int) -> Iterator[str]:
    habit, error = numbers.weights["habit"]
    yield "consumer:"
    if time.rate is not None:
        yield f"  rate: {time.rate:.4g}  # uses/week; panel (NBD)"
    if numbers.priced:
        value, sd = numbers.price_weight
        yield f"  price_weight: {min(value, 20):.4g}  # median; panel +- {sd:.2g}"
    for name in ("feature", "display"):
        if name in numbers.weights:
            value, sd = numbers.weights[name]
            yield f"  {name}_weight: {float(np.clip(value, -5, 20)):.4g}  # panel +- {sd:.2g}"
    yield f"  habit_weight: {numbers.habit:.4g}  # panel {habit:.3g} +- {error:.2g}"
    yield f"  habit_rate: {numbers.habit_rate[0]:.4g}  # step a use; panel +- {numbers.habit_rate[1]:.2g}"
    yield "  state_dependence: 0.0  # habit holds all of it"
    yield "  attention: 1.0         # every purchase is deliberated,"
    yield "  automaticity: 0.0      # also with habit,"
    yield f"  consideration_size: {firms}.0  # and all firms are looked at"
    yield "  trust_up: 0.0          # trust stays as it is, unless there is a scandal"
    yield "  trust_down: 0.0"
    yield "  uncertainty: 0.0       # tastes hold what people think of brands that they do not use"


def _firms(posterior: Posterior, choices: Choices, numbers: Numbers, weeks: np.ndarray | None) -> Iterator[str]:
    shift = price_shift(posterior, choices, weeks)
    x = price_index(choices, posterior.terms) + shift
    presence = np.exp(np.clip(numbers.mean, -13, 13))
    shares = posterior.terms.share
    if numbers.priced:
        form = f"{1 + shift:.4g} + ln(price / mean)" if posterior.terms.log_price else "price / mean"
        form += f" + {shift:.4g}" if shift and not posterior.terms.log_price else ""
        yield f"# Prices below are {form}; the mean price is {posterior.terms.mean_price:.4g}."
    yield "firms:"
    for j, (brand, firm) in enumerate(zip(posterior.brands, posterior.firms, strict=True)):
        named = re.sub(r"[\x00-\x1f]", " ", brand)[:60]
        yield f"  {firm}:  # {named}: {100 * shares[j]:.1f} % of the panel's purchases"
        mean = f"{numbers.mean[j]:.3g} +- {numbers.error[j]:.2g}" + (" at its end" if posterior.terms.trend else "")
        yield f"    presence: {presence[j]:.6g}  # exp of mean taste, which is {mean}; panel"
        if numbers.priced:
            yield f"    price: {1 + x[:, j].mean():.{PRICE_DIGITS}f}  # panel"
        for name, block in (("feature", choices.features), ("display", choices.displays)):
            if block is not None and name in numbers.weights:
                yield f"    {name}: {float(np.clip(block[:, j].mean(), 0, 1)):.4f}  # of purchases; panel"
        yield "    consistency_sd: 0.0  # experience is not in a panel: it is alike everywhere until you change it"
        yield "    delight_rate: 0.0"


def _covariance(posterior: Posterior, numbers: Numbers) -> Iterator[str]:
    names = [*posterior.firms[1:], *(["price_weight"] if numbers.priced else [])]
    yield "taste_covariance:  # of tastes relative to the largest firm, and of ln price weight; panel"
    for a, row in enumerate(names):
        cells = [
            f"{name}: {float(f'{numbers.covariance[max(a, b), min(a, b)]:.6g}')}"
            for b, name in enumerate(names)
            if not row == name == "price_weight"
        ]
        yield f"  {row}: {{{', '.join(cells)}}}"


def calendar_text(posterior: Posterior, choices: Choices, weeks: np.ndarray) -> str:
    """Prices, less the firm's own, and promotions of every firm in every week, as CSV: means over its purchases.

    After the panel's last week come the firm's own price and mean promotions.
    """
    many = len(posterior.firms)
    x = price_index(choices, posterior.terms) + price_shift(posterior, choices, weeks) + 1
    x -= np.round(x.mean(axis=0), PRICE_DIGITS)
    blocks, usual = {}, {}
    if posterior.terms.mean_price is not None:
        blocks["price_change"], usual["price_change"] = x, np.zeros(many)
    for name, wanted, block in (
        ("feature", posterior.terms.feature, choices.features),
        ("display", posterior.terms.display, choices.displays),
    ):
        if wanted and block is not None:
            blocks[name] = np.clip(block, 0, 1)
            usual[name] = blocks[name].mean(axis=0)
    tables = {n: np.vstack([by_week(weeks, choices.y, v, many)[1], usual[n]]) for n, v in blocks.items()}
    lines = [",".join(["week", "firm", *tables])]
    for week in range(int(weeks.max() - weeks.min()) + 2):
        for j, firm in enumerate(posterior.firms):
            lines.append(",".join([str(week), firm, *(f"{table[week, j]:.6g}" for table in tables.values())]))
    return "\n".join(lines) + "\n"


def write_people(posterior: Posterior, numbers: Numbers, choices: Choices, time: Time, folder: Path) -> None:
    """people.parquet: every household with its history, and so many draws of its tastes and price weight."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    draws, firms, households = numbers.draws, posterior.firms, len(posterior.households)
    picks = np.unique(np.linspace(0, len(draws.mu) - 1, PEOPLE_DRAWS).astype(int))
    taste, habit = (a.reshape(-1, len(firms)) for a in at_end(choices, posterior.terms, draws, picks))
    columns: dict[str, object] = {
        "draw": np.repeat(np.arange(len(picks)), households),
        "person": np.tile(np.arange(households), len(picks)),
    }
    for j, firm in enumerate(firms):
        columns[f"taste.{firm}"] = taste[:, j] - np.clip(numbers.mean[j], -13, 13)
    if numbers.priced:
        weight = np.exp(draws.theta[picks, :, -1].astype(float)).ravel()
        columns["price_weight"] = weight / min(numbers.price_weight[0], 20)
    if time.relative is not None:
        columns["rate"] = np.tile(time.relative, len(picks))
    last = np.where(np.diff(choices.start) > 0, choices.y[np.maximum(choices.start[1:] - 1, 0)], -1)
    columns["last"] = np.tile(np.append(np.array(firms, object), "")[last], len(picks))
    for j, firm in enumerate(firms):
        columns[f"habit.{firm}"] = np.clip(habit[:, j], 0, 1)
    uses = np.bincount(choices.hh * len(firms) + choices.y, minlength=households * len(firms)).reshape(households, -1)
    for j, firm in enumerate(firms):
        columns[f"uses.{firm}"] = np.tile(uses[:, j].astype(float), len(picks))
    pq.write_table(pa.table({n: pa.array(v) for n, v in columns.items()}), folder / PEOPLE)
