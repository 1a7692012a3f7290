"""Fields of what happens in a market: scandals, moves of a lever, and policies, by which levers react."""

from dataclasses import dataclass

from sim.model.declare import trait, word

WATCHED = ("share", "penetration", "stickiness", "churn", "satisfaction", "would_leave")  # metrics of a policy


@dataclass
class Scandal:
    """Bad news about a firm, and what the firm did about it."""

    firm: str = word("", "the firm it happens to; empty = the scenario's focus")
    kind: str = word("ethics", "the kind of scandal it is, one of the scenario's kinds")
    week: int = trait(26, 0, 5000, "week", "week in which it breaks")
    severity: float = trait(
        1.5, 0, 10, "logit", "loss of utility for one who hears of it, cares fully and acts", "#53, #55"
    )
    reach: float = trait(0.75, 0, 1, "-", "share of people the broadcast reaches", "#65")
    news_weeks: int = trait(2, 1, 104, "weeks", "weeks over which the broadcast reaches them", "#52, #58")
    contagion: float = trait(
        0.3, 0, 0.95, "people", "mean number of people one who hears passes it to (below 1)", "#64"
    )
    action: float = trait(1.0, 0, 100, "x", "factor on consumer.action; high with a close substitute", "#53")
    buycott: float = trait(0.0, 0, 1, "-", "share of those acting that buy more instead", "#52")
    spillover: float = trait(0.3, 0, 1, "-", "share of the loss that peers of the same group bear", "#56")
    harmed_share: float = trait(0.0, 0, 1, "-", "share of the firm's customers harmed in person", "#38")
    harm_severity: float = trait(0.5, 0, 10, "logit", "extra loss for those harmed in person", "#38")
    harm_action: float = trait(1.0, 0, 100, "x", "factor on the chance to act of those harmed in person", "#37, #38")
    response: float = trait(0.0, 0, 1, "-", "share of the loss that the firm's response takes away", "#45")
    response_delay: int = trait(2, 0, 520, "weeks", "weeks until the response", "#45")
    outage: float = trait(0.0, 0, 10, "CX", "fall of delivered experience while it lasts", "#39")
    outage_weeks: int = trait(0, 0, 520, "weeks", "how long delivered experience is down", "#39")


@dataclass
class Move:
    """A lever of a firm set to a value in a week."""

    firm: str = word("", "the firm that moves; empty = the scenario's focus")
    lever: str = word("price", "a number of the firm: price, quality, touchpoints.app.failure_rate, ...")
    week: int = trait(26, 0, 5000, "week", "first week of the new value")
    weeks: int = trait(0, 0, 5000, "weeks", "how long it holds; 0 = for good")
    value: float = trait(1.0, -1e6, 1e6, "of the lever", "the new value")


@dataclass
class Policy:
    """A lever of a firm that reacts: at the end of each window in which a metric is beyond a value it moves a step."""

    firm: str = word("", "the firm that moves; empty = the scenario's focus")
    when: str = word("share", "the metric that is watched", *WATCHED)
    of: str = word("", "the firm of which it is watched; empty = the one that moves")
    crosses: str = word("below", "on which side of the value the metric makes it move", "below", "above")
    value: float = trait(0.0, -100, 100, "of the metric", "the value that is crossed")
    lever: str = word("price", "a number of the firm: price, quality, touchpoints.app.failure_rate, ...")
    step: float = trait(-0.05, -1e6, 1e6, "of the lever", "what is added to the lever each time")
    floor: float = trait(0.8, -1e6, 1e6, "of the lever", "where it stops: the least (step down) or the most (step up)")
    week: int = trait(0, 0, 5000, "week", "first week in which it may move")
