"""Every field that can be varied, declared once: default, range, unit, meaning and source."""

import json
import math
from dataclasses import asdict, dataclass, fields, make_dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sim.compute.html import html_table
from sim.model.declare import factor_on, named, named_numbers, part, switch, trait, word
from sim.model.events import Move, Policy, Scandal

# Products of a trait and its factors that are kept there.
AT_LEAST_1, AT_MOST_1, AT_MOST_4 = (1, math.inf), (-math.inf, 1), (-math.inf, 4)
SCANDAL_KINDS = ("ethics", "privacy", "service")  # of scandal, unless a scenario says which


@dataclass
class Consumer:
    """The typical consumer of this category."""

    rate: float = trait(
        0.25, 0.001, 10, "uses/week", "mean uses of the category a week (repertoire)", "#1", factor=(0.001, 100)
    )
    attention: float = trait(1.0, 0, 1, "1/use", "chance that a use is deliberated", "#16-22", product=AT_MOST_1)
    automaticity: float = trait(0.3, 0, 1, "-", "share of attention lost at full habit", "#29", product=AT_MOST_1)
    consideration_size: float = trait(
        3.0, 1, 64, "firms", "mean number of firms considered", "#32, #33", factor=(0.1, 64), product=AT_LEAST_1
    )
    state_dependence: float = trait(0.5, -2, 5, "logit", "bonus of the firm used last", "#30")
    habit_weight: float = trait(0.8, 0, 5, "logit", "weight of habit, which runs from 0 to 1", "#30")
    habit_rate: float = trait(
        0.045, 0, 1, "1/use", "step of habit a use; 95 % after 3/rate uses", "#29", product=AT_MOST_1
    )
    cx_weight: float = trait(0.4, 0, 5, "logit/CX", "weight of remembered experience", "#71")
    loss_aversion: float = trait(2.0, 1, 5, "-", "how much more a loss weighs than a gain", "#47", product=AT_LEAST_1)
    price_weight: float = trait(2.0, 0, 20, "logit/index", "weight of price", "c1")
    trust_weight: float = trait(1.0, 0, 10, "logit", "weight of trust, which runs from 0 to 1", "#46")
    trust_up: float = trait(0.03, 0, 1, "1/use", "step of trust after a good use", "#46", product=AT_MOST_1)
    trust_down: float = trait(0.09, 0, 1, "1/use", "step of trust after a bad use", "#46", product=AT_MOST_1)
    uncertainty: float = trait(0.5, 0, 5, "logit", "penalty of a firm never used", "#26")
    regret_weight: float = trait(0.5, 0, 5, "logit/CX", "weight of regret", "#72")
    anchor_pull: float = trait(0.4, 0, 5, "logit/CX", "pull of the service anchor on evaluation", "#74")
    action: float = trait(
        0.12, 0, 1, "-", "chance that the intention to leave becomes action", "#48", factor=(0, 100), product=AT_MOST_1
    )
    exposure: float = trait(1.0, 0, 5, "-", "reach of the news for this consumer", "#65")
    voice: float = trait(1.0, 0, 10, "-", "messages sent, relative", "#60")
    drift: float = trait(0.0, -1, 1, "1/year", "yearly change of the two weights of habit", "#14", factor=(-10, 10))
    feature_weight: float = trait(0.0, -5, 20, "logit", "weight of being featured, in a leaflet or advertisement")
    display_weight: float = trait(0.0, -5, 20, "logit", "weight of being displayed, in the shop")
    deal_weight: float = trait(
        0.0, 0, 20, "logit/index", "weight of a price above or below the one that people are used to", "c1"
    )
    turnover: float = trait(
        0.0,
        0,
        4,
        "1/year",
        "how often a person leaves and a newcomer takes the place",
        factor=(0, 100),
        product=AT_MOST_4,
    )
    taste_renewal: float = trait(
        0.0, 0, 4, "1/year", "how often a person's tastes are drawn anew", factor=(0, 100), product=AT_MOST_4
    )
    rate_renewal: float = trait(
        0.0, 0, 4, "1/year", "how often a person's rate of use is drawn anew", factor=(0, 100), product=AT_MOST_4
    )


TRAITS = tuple(f.name for f in fields(Consumer))

if TYPE_CHECKING:

    class Segment(Consumer):
        """A kind of consumer: its weight, and a factor on each trait of the typical consumer."""

        weight: float
        care: dict[str, float]

    class Cohort(Segment):
        """An age group: as a segment, and the years that people are in it."""

        years: float

else:
    _weight = trait(1.0, 0, 1e6, "-", "size, relative to the other segments (or cohorts)")
    _care = named_numbers(
        1.0, -10, 10, "x", "factor on the care of that kind (kinds.NAME.care); below 0 = on the other side"
    )
    _years = trait(0.0, 0, 200, "years", "how long people are in it before they move on to the next; 0 = they stay")
    _of_both = [
        ("weight", float, _weight),
        *((f.name, float, factor_on(f)) for f in fields(Consumer)),
        ("care", dict[str, float], _care),
    ]
    _about = "its weight, and a factor on each trait"
    Segment = make_dataclass(
        "Segment", _of_both, namespace={"__module__": __name__, "__doc__": f"A kind of consumer: {_about}."}
    )
    Cohort = make_dataclass(
        "Cohort",
        [*_of_both, ("years", float, _years)],
        namespace={"__module__": __name__, "__doc__": f"An age group: {_about}, and the years that people are in it."},
    )


@dataclass
class Kind:
    """A kind of scandal: what it touches, and how much it weighs with the typical consumer."""

    meaning: str = word("", "what a scandal of this kind touches")
    care: float = trait(1.0, 0, 5, "-", "weight of a scandal of this kind for the typical consumer", "#35-53")
    action: float = trait(1.0, 0, 100, "x", "factor on the chance to act on a scandal of this kind")


def _three_kinds() -> dict[str, Kind]:
    """The kinds of scandal that a scenario has unless it says which."""
    return {name: Kind() for name in SCANDAL_KINDS}


@dataclass
class Touchpoint:
    """A place where the customer meets the firm: app, website, shop, phone."""

    use: float = trait(1.0, 0, 1, "1/use", "share of uses that pass it")
    failure_rate: float = trait(0.05, 0, 1, "1/visit", "chance that it fails at a visit", "#63")
    severity: float = trait(1.0, 0, 10, "CX", "harm of a minor failure", "#66")


@dataclass
class Firm:
    """A competitor: how present, how good, how easy, how hard to leave."""

    group: str = word("", "label of a group of peers, which bear part of each other's scandals (#56)")
    share: float | None = trait(None, 0, 1, "-", "market share to reproduce; presence is then solved", "c2")
    presence: float = trait(1.0, 1e-9, 1e6, "-", "mental and physical availability, relative", "#3")
    price: float = trait(1.0, 0, 10, "index", "price, 1 = category average")
    feature: float = trait(0.0, 0, 1, "-", "share of its offer that is featured, in a leaflet or advertisement")
    display: float = trait(0.0, 0, 1, "-", "share of its offer that is displayed, in the shop")
    out_of_stock: float = trait(0.0, 0, 1, "1/use", "chance that it is not to be had when it is wanted")
    quality: float = trait(0.0, -5, 5, "CX", "mean delivered experience")
    consistency_sd: float = trait(1.0, 0, 5, "CX", "spread of delivered experience from visit to visit")
    effort: float = trait(0.0, -5, 5, "logit", "trouble it takes to use", "#70")
    ease: float = trait(0.0, -5, 5, "logit", "trouble saved once it knows you; grows with use", "#70")
    association: float = trait(0.0, -5, 5, "logit", "comes to mind earlier; is liked once known", "lever 1")
    delight_rate: float = trait(0.01, 0, 1, "1/use", "chance that a visit holds a delightful moment", "lever 4")
    recovery_days: float = trait(5.0, 0, 365, "days", "time to a solution", "#66")
    recovery_adequacy: float = trait(0.6, 0, 1, "-", "share of the harm a prompt solution repairs", "#66")
    switching_cost: float = trait(0.0, 0, 10, "logit", "trouble of leaving; phone-only about 1.7", "#27")
    pause: float = trait(0.0, 0, 1, "-", "share of those who come to it for a while and mean to go back")
    advertising: float = trait(1.0, 0, 100, "x", "weekly budget of advertising, 1 = the usual one")
    points: float = trait(0.0, 0, 10, "logit", "pull of a reward that is one use away: a points program")
    points_uses: float = trait(10.0, 1, 1000, "uses", "uses within a window that earn a reward")
    enters: int = trait(0, 0, 10_000, "week", "first week with it; 0 = there from the start, beyond the weeks = never")
    leaves: int = trait(0, 0, 10_000, "week", "first week without it; 0 = never")
    touchpoints: dict[str, Touchpoint] = named("where the customer meets the firm")


@dataclass
class Market:
    """The category: what holds for all its consumers, whatever their segment."""

    regime: str = word("repertoire", "any number of uses, or one provider until left", "repertoire", "provider")
    rate_shape: float = trait(0.8, 0.05, 100, "-", "gamma shape K of use rates over people", "#1")
    taste_law: str = word("log_gamma", "law of tastes over people", "log_gamma", "normal")
    taste_concentration: float = trait(2.2, 0.05, 1000, "-", "S of log-gamma tastes: low = outspoken", "c3")
    taste_sd: float = trait(1.2, 0, 10, "logit", "spread of normal tastes", "c7")
    price_weight_sd: float = trait(0.0, 0, 3, "-", "spread over people of ln price weight; its median is the cell's")
    experience: float = trait(50.0, 0, 1e4, "uses", "uses before the first week; where turnover is 0")
    price_half_life: float = trait(8.0, 0.1, 520, "weeks", "half-life in which the usual price follows")
    deal_expansion: float = trait(
        0.0, 0, 10, "-", "relative change of uses for one of a deal in the category's price, while it is new"
    )
    errands: float = trait(0.0, 0, 1, "1/use", "share of uses for another purpose, which go to what is at hand")
    category_elasticity: float = trait(0.0, 0, 5, "-", "relative fall of uses for a lasting rise of all prices")
    attention_concentration: float = trait(8.0, 0.1, 1e4, "-", "beta concentration of attention", "#18")
    early_attention: float = trait(
        0.0, 0, 100, "x", "how much more attention there is right after joining a firm than later, to leave and to act"
    )
    early_half_life: float = trait(6.5, 0.1, 1e4, "uses", "half-life of that surplus since joining; 0 above = none")
    contract_weeks: int = trait(0, 0, 520, "weeks", "uses between contract ends; 0 = no contract", "#22")
    event_attention: float = trait(
        1.0, 0, 1, "-", "chance that a price move (of a provider: a rise) or contract end is noticed", "#22"
    )
    price_attention: float = trait(
        1.0, 0, 1, "-", "factor on that where it is a price that moves: few read what a subscription costs"
    )
    loyalty_penalty: float = trait(
        0.0, 0, 2, "index", "how much more customers of a provider pay from their second year on than new ones do"
    )
    incident_attention: float = trait(
        0.0, 0, 1, "-", "chance that a visit far below expectation makes one reconsider at the next use", "#69"
    )
    incident_recall: float = trait(
        0.0, 0, 3, "-", "weight of a last visit far below expectation in a survey answer; 1 = as if all were so", "#69"
    )
    readiness: float = trait(
        0.0, 0, 1, "-", "how far noticing such an event follows a person's own attention: serial switchers", "#18"
    )
    exit_rate: float = trait(1.0, 0.001, 1, "1/week", "chance that a decided exit is carried out", "#24")
    recall_taste: float = trait(1.0, 0, 10, "-", "weight of own taste in what comes to mind", "#32")
    recall_habit: float = trait(1.0, 0, 10, "logit", "weight of own habit in what comes to mind", "#32")
    memory_rate: float = trait(0.35, 0, 1, "1/use", "step of remembered experience", "#75")
    expectation_rate: float = trait(0.2, 0, 1, "1/use", "step of expectation", "b")
    familiarity_rate: float = trait(0.1, 0.001, 1, "1/use", "step of familiarity", "lever 2")
    delight_peak: float = trait(2.0, 0, 10, "CX", "how far a delightful moment lifts a visit", "lever 4")
    delight_threshold: float = trait(
        2.0, 0, 10, "CX", "peak above expectation that makes an anchor or a message", "#75"
    )
    anchor_start: float = trait(0.7, 0, 1, "-", "chance that the search starts at the anchor", "#76")
    anchor_half_life: float = trait(26.0, 0.1, 1e4, "weeks", "half-life of an anchor", "lever 4")
    regret_half_life: float = trait(8.0, 0.1, 1e4, "weeks", "half-life of regret", "lever 3")
    trust_start: float = trait(0.6, 0, 1, "-", "trust in an unknown firm", "b")
    trust_scandal: float = trait(0.05, 0, 1, "1/logit", "fall of trust on hearing of one unit of severity", "#46")
    confirmation_bias: float = trait(0.5, 0, 1, "-", "damping of trust updates at extreme priors", "#46")
    major_share: float = trait(0.15, 0, 1, "-", "share of failures that are major", "#66")
    major_factor: float = trait(3.0, 1, 20, "x", "harm of a major failure relative to a minor one", "#66")
    complain_minor: float = trait(0.05, 0, 1, "-", "chance of a complaint after a minor failure", "#63")
    complain_major: float = trait(0.3, 0, 1, "-", "chance of a complaint after a major failure", "#63")
    repair_half_life: float = trait(5.0, 0.1, 365, "days", "delay that halves what a solution repairs", "#66")
    recovery_paradox: float = trait(0.2, 0, 5, "CX", "satisfaction above delivery after a solved complaint", "#67")
    switching_cost_deterrence: float = trait(
        0.2, 0, 5, "-", "share of a firm's switching cost that deters joining", "#25"
    )
    switching_cost_backlash: float = trait(1.0, 0, 10, "CX", "memory lost when switching cost alone keeps one", "#27")
    switching_cost_tolerated: float = trait(1.0, 0, 10, "logit", "switching cost up to which nobody resents it", "#27")
    positive_wom: float = trait(0.3, 0, 1, "-", "chance that a peak makes a message", "#60")
    negative_wom: float = trait(0.1, 0, 1, "-", "chance that a bad episode makes a message", "#60, #63")
    wom_weight: float = trait(0.15, 0, 1, "1/message", "step of memory to a message, for one who never used", "#62")
    wom_negative: float = trait(
        1.0, 0, 5, "x", "factor on that step for a bad message; 1 / loss aversion = told, not felt", "#46, #62"
    )
    avoidance: float = trait(
        0.0, 0, 20, "-", "weight of a scandal with all who have heard of it and are no customers of the firm", "#62"
    )
    attention_half_life: float = trait(1.5, 0.1, 520, "weeks", "half-life of the fast memory of a scandal", "#58")
    reputation_half_life: float = trait(36.0, 0.1, 5000, "weeks", "half-life of the slow memory", "#58")
    reputation_share: float = trait(0.4, 0, 1, "-", "part of a scandal that goes into slow memory", "#59")
    residue: float = trait(0.1, 0, 1, "-", "part of slow memory that stays", "#59")
    advertising_elasticity: float = trait(
        0.12, 0, 2, "-", "relative change of availability for one of advertising, where it is as usual"
    )
    advertising_half_life: float = trait(10.0, 0.1, 520, "weeks", "half-life of what advertising has built up")
    advertising_base: float = trait(
        1.0, 0.01, 100, "x", "availability that there is without advertising, relative to what the usual one adds"
    )
    survey: float = trait(0.02, 0, 1, "1/week", "share of people surveyed each week: would they leave?")
    season: dict[str, float] = named_numbers(
        1.0, 0, 10, "x", "factor on uses in a week of the year, w1 (week 0) to w52; 1 where none is given"
    )


@dataclass
class Network:
    """The network of word of mouth: who receives what a person sends."""

    kind: str = word("small_world", "ring with shortcuts, nobody, or a file of edges", "small_world", "none", "file")
    neighbors: int = trait(8, 2, 64, "people", "recipients of each person (even; at most everybody else)", "#64")
    rewiring: float = trait(0.1, 0, 1, "-", "share of links that lead anywhere", "#64")
    edges: str = word("", "edge list, two columns of person numbers, when kind is file")


@dataclass
class Mechanisms:
    """Mechanisms that can be switched off, to see what each is worth."""

    taste: bool = switch("people differ in taste")
    experience: bool = switch("remembered CX counts")
    habit: bool = switch("habit, state dependence and automaticity")
    inattention: bool = switch("uses go undeliberated")
    incident: bool = switch("bad visits wake attention")
    consideration: bool = switch("only some firms are considered")
    switching_cost: bool = switch("leaving costs trouble and time")
    anchor: bool = switch("service anchors form and act")
    association: bool = switch("associations act")
    ease: bool = switch("effort and ease act")
    trust: bool = switch("trust acts")
    regret: bool = switch("regret acts")
    uncertainty: bool = switch("the untried deters")
    scandal: bool = switch("scandals act")
    word_of_mouth: bool = switch("people talk")
    price: bool = switch("prices and promotions act")
    turnover: bool = switch("people leave, and newcomers take their places")
    renewal: bool = switch("tastes and rates of use change over the years")
    shortage: bool = switch("firms are out of stock at times")
    errands: bool = switch("some uses go to what is at hand")
    pause: bool = switch("some leave a provider for a while only")


@dataclass
class Scenario:
    """A market, its consumers, its events, and how long to simulate."""

    title: str = word("", "what to call it")
    focus: str = word("", "the firm that results are shown for; empty = the largest")
    seed: int = trait(1, 0, 2**32 - 1, "-", "seed of every draw")
    replications: int = trait(1, 1, 10_000, "-", "independent repetitions of the same scenario")
    people: int = trait(10_000, 1, 2**31 - 1, "people", "how many consumers")
    weeks: int = trait(104, 1, 5200, "weeks", "weeks counted")
    burn_in: int = trait(52, 0, 5200, "weeks", "weeks simulated before week 0, not counted")
    window: int = trait(13, 1, 520, "weeks", "window of the repeat-buying metrics")
    market: Market = part(Market, "the category")
    consumer: Consumer = part(Consumer, "the typical consumer")
    kinds: dict[str, Kind] = named("kinds of scandal", _three_kinds)
    segments: dict[str, Segment] = named("kinds of consumer")
    cohorts: dict[str, Cohort] = named("age groups, the youngest first, crossed with segments")
    firms: dict[str, Firm] = named("competitors")
    scandals: dict[str, Scandal] = named("scandals")
    moves: dict[str, Move] = named("levers set in a week")
    policies: dict[str, Policy] = named("levers that react")
    taste_covariance: dict[str, dict[str, float]] = named_numbers(
        0.0, -100, 100, "logit2", "covariance of normal tastes by firm and firm, and of a taste with ln price_weight"
    )
    network: Network = part(Network, "the network of word of mouth")
    calendar: str = word("", "CSV or Parquet file of prices and promotions by week and firm (sim/model/calendar.py)")
    calendar_sha256: str = word("", "SHA-256 of that file, filled in when it is read; another content is refused")
    population: str = word("", "Parquet file of people to start from (sim/model/population.py)")
    population_sha256: str = word("", "SHA-256 of that file, filled in when it is read; another content is refused")
    posterior: str = word("", "CSV or Parquet file of draws of numbers, for plausible worlds (sim/model/posterior.py)")
    posterior_sha256: str = word("", "SHA-256 of that file, filled in when it is read; another content is refused")
    mechanisms: Mechanisms = part(Mechanisms, "what can be switched off")

    @property
    def cells(self) -> list[tuple[str, str]]:
        """(segment, cohort) of every cell, cohorts fastest."""
        return [(s, c) for s in self.segments for c in self.cohorts]

    def __repr__(self) -> str:
        """One line: what it is called, its size, and a digest of all its values."""
        named = ("firms", "segments", "cohorts", "scandals", "moves", "policies")
        groups = ((name, len(getattr(self, name))) for name in named)
        size = [f"{self.people:,} people", f"{self.weeks} weeks", *(f"{n} {name}" for name, n in groups if n)]
        digest = sha256(json.dumps(asdict(self), default=repr).encode()).hexdigest()[:8]
        return f"<Scenario {self.title!r}: {', '.join(size)}, seed {self.seed}; {digest}>"

    def _repr_html_(self) -> str:
        """Its size, firms and events, as a notebook shows them."""
        rows = [
            (name, "firm", f"presence {firm.presence:g}" if firm.share is None else f"share {firm.share:g}")
            for name, firm in self.firms.items()
        ]
        rows += [(name, "scandal", f"{e.firm or self.focus}, week {e.week}") for name, e in self.scandals.items()]
        rows += [
            (name, "move", f"{e.firm or self.focus}, week {e.week}: {e.lever} {e.value:g}")
            for name, e in self.moves.items()
        ]
        return html_table(repr(self), ["name", "what", "value"], rows)
