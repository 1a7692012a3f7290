"""Facts 35 to 45: what people say after their data were lost, and what they do."""

from collections.abc import Sequence

import numpy as np

from sim.facts.runs import Changes, Quantities, RunCache, from_counts, from_people
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate
from sim.measure.tally import Event, Tally
from sim.model.state import HARMED, USED, flag_table

NO_EVENTS: dict[str, object] = {"scandals": {}, "moves": {}}
HALF_YEAR, QUARTER = 26, 13
BREACH, FRAUD = "scandal=breach_talktalk", "scandal=fraud"


class TwinRuns:
    """A run with a scandal, and its twin without."""

    def __init__(
        self, runs: RunCache, preset: str, at: Sequence[int] = (), times: float = 1, changes: Changes | None = None
    ):
        self.event = runs(preset, changes or {}, at, times)
        kept = {path: v for path, v in (changes or {}).items() if not path.startswith(("scandals.", "moves."))}
        self.quiet = runs(preset, {**kept, **NO_EVENTS}, at, times)
        (scandal, *_) = self.event.scenario.scandals.values()
        self.week, self.focus = scandal.week, self.event.focus
        self.tallies = estimates.weekly(self.quiet.tally), estimates.weekly(self.event.tally)

    def sales(self, first: int, stop: int, *firms: int) -> Estimate:
        """Change of the uses of firms, %, from `first` to `stop` weeks after the news."""
        weeks, columns = slice(self.week + first, self.week + stop), [j + 1 for j in firms or (self.focus,)]

        def change(a: Tally, b: Tally) -> Array:
            quiet, event = (t.flow[..., weeks, :, :][..., columns].sum(axis=(-3, -2, -1)) for t in (a, b))
            return 100 * (event / quiet - 1)

        return from_counts(change, *self.tallies)

    def lost(self, weeks: int) -> Estimate:
        """Customers lost beyond the twin's, % of those there when the news broke, so many weeks later."""

        def loss(a: Tally, b: Tally) -> Array:
            at = [t.flow[..., self.focus + 1, :].sum(axis=-1) for t in (a, b)]
            return 100 * (at[0] - at[1])[..., self.week + weeks] / at[0][..., self.week]

        return from_counts(loss, *self.tallies)

    def left(self, weeks: int) -> Estimate:
        """Exits beyond the twin's, % of those there when the news broke, within so many weeks."""
        j, span = self.focus, slice(self.week, self.week + weeks)

        def exits(a: Tally, b: Tally) -> Array:
            out = [
                t.flow[..., span, j + 1, 1:].sum(axis=(-2, -1)) - t.flow[..., span, j + 1, j + 1].sum(axis=-1)
                for t in (a, b)
            ]
            return 100 * (out[1] - out[0]) / a.flow[..., self.week, j + 1, :].sum(axis=-1)

        return from_counts(exits, *self.tallies)

    def said(self, weeks: int = 4) -> Estimate:
        """Customers who say that they would leave, %, in the first weeks after the news."""
        span = slice(self.week + 1, self.week + 1 + weeks)

        def would(t: Tally) -> Array:
            answers = t.event[..., span, self.focus, :].sum(axis=-2)
            return 100 * answers[..., Event.WOULD_LEAVE] / answers[..., Event.ASKED]

        return from_counts(would, self.tallies[1])

    def half(self, weeks: int, stayed: bool = False) -> Estimate:
        """Weeks until half of what is lost within so many weeks is lost: of sales, or (`stayed`) of customers."""
        j, span = self.focus, slice(self.week, self.week + weeks)

        def median(a: Tally, b: Tally) -> Array:
            def series(t: Tally) -> Array:
                out = t.flow[..., span, j + 1, 1:].sum(axis=-1) - t.flow[..., span, j + 1, j + 1]
                return out if stayed else -t.flow[..., span, :, j + 1].sum(axis=-1)

            done = (series(b) - series(a)).cumsum(axis=-1)
            done = done / done[..., -1:]
            return np.array(
                [np.interp(0.5, np.append(0, np.maximum.accumulate(d)), np.arange(weeks + 1)) for d in done]
            )

        return from_counts(median, *self.tallies)

    def half_life(self) -> Estimate:
        """Of the loss of sales from its worst on: the second and third week after the news against the next two."""

        def weeks(a: Tally, b: Tally) -> Array:
            fortnights = [slice(self.week + n, self.week + n + 2) for n in (1, 3)]
            uses = [[t.flow[..., f, :, self.focus + 1].sum(axis=(-2, -1)) for f in fortnights] for t in (a, b)]
            first, second = (quiet - event for quiet, event in zip(*uses, strict=True))
            return 2 * np.log(2) / np.log(first / second)

        return from_counts(weeks, *self.tallies)

    def customers(self, at: int) -> Array:
        """Whether each person was a customer of the firm when the news came, [i]."""
        return self.quiet.people[at].one["last"] == self.focus


def fact_35(runs: RunCache) -> Quantities:
    """Many customers say that they would leave after a breach of their data."""
    bank = TwinRuns(runs, "market=bank scandal=data_breach", times=2)
    return {"broadband": TwinRuns(runs, BREACH, times=4).said(), "bank": bank.said()}


def fact_36(runs: RunCache) -> Quantities:
    """Few leave in the quarter of a breach, and rivals gain in proportion to share."""
    pair = TwinRuns(runs, BREACH, times=4)
    rivals = [j for j in range(len(pair.event.scenario.firms)) if j != pair.focus]

    def follows_share(a: Tally, b: Tally) -> Array:
        span = slice(pair.week, pair.week + QUARTER)
        gains = [t.flow[..., span, pair.focus + 1, :].sum(axis=-2)[..., [j + 1 for j in rivals]] for t in (a, b)]
        return np.array(
            [
                np.corrcoef(g, s)[0, 1]
                for g, s in zip(gains[1] - gains[0], metrics.share(a)[..., rivals].mean(axis=1), strict=True)
            ]
        )

    return {
        "exits, % of base": pair.left(QUARTER),
        "gains with share of rivals, r": from_counts(follows_share, *pair.tallies),
    }


def _excess(pair: TwinRuns, group: Array, week: int) -> Estimate:
    """Share of a group of customers, %, gone by a week beyond the twin's."""
    gone = [p.people[week].one["last"] != pair.focus for p in (pair.quiet, pair.event)]
    return from_people(lambda g, a, b: 100 * (b[g].mean() - a[g].mean()), group, *gone)


def fact_37(runs: RunCache) -> Quantities:
    """Of those whose own data were taken some leave."""
    everybody = {"scandals.talktalk.harmed_share": 1.0, "weeks": 78}  # each acts alike: all show it best
    pair = TwinRuns(runs, BREACH, (52, 78), 8, everybody)
    harmed = pair.customers(52) & flag_table(pair.event.people[78], HARMED).any(axis=1)
    return {"notified who left within half a year, %": _excess(pair, harmed, 78)}


def fact_38(runs: RunCache) -> Quantities:
    """Bank customers with a fraud on their own account: few leave, more where it stays unresolved."""
    found = {}
    for name, response in (("refunded", {}), ("unresolved", {"scandals.fraud.response": 0.0})):
        pair = TwinRuns(runs, FRAUD, (52, 78), 12, {"weeks": 78, **response})
        harmed = pair.customers(52) & flag_table(pair.event.people[78], HARMED).any(axis=1)
        gone = [p.people[78].one["last"] != pair.focus for p in (pair.quiet, pair.event)]
        found[name] = [harmed, *gone]

    def points(harmed: Array, a: Array, b: Array) -> float:
        return 100 * (b[harmed].mean() - a[harmed].mean())

    return {name: from_people(points, *columns) for name, columns in found.items()} | {
        "unresolved / refunded": from_people(
            lambda *c: points(*c[3:]) / points(*c[:3]), *found["refunded"], *found["unresolved"]
        )
    }


def fact_39(runs: RunCache) -> Quantities:
    """A breach in retail: sales fall in the first quarter and recover within the year."""
    pair = TwinRuns(runs, "scandal=breach_target", times=4)
    return {"first quarter, %": pair.sales(0, QUARTER), "fourth quarter, %": pair.sales(39, 52)}


def fact_40(runs: RunCache) -> Quantities:
    """A breach that few people hear of moves no sales."""
    quiet = {"weeks": 39, "scandals.data_breach.reach": 0.1, "scandals.data_breach.firm": "target"}
    pair = TwinRuns(runs, "market=retail_us scandal=data_breach focus=target", times=4, changes=quiet)
    return {"few hear of it, %": pair.sales(0, QUARTER)}


def fact_41(runs: RunCache) -> Quantities:
    """People say far more often that they leave than they do."""
    pair = TwinRuns(runs, "scandal=breach_facebook", times=6, changes={"weeks": 39})
    span = slice(pair.week + 1, pair.week + 9)

    def ratio(a: Tally, b: Tally) -> Array:
        answers = [t.event[..., span, pair.focus, :].sum(axis=-2) for t in (a, b)]
        said = [x[..., Event.WOULD_LEAVE] / x[..., Event.ASKED] for x in answers]
        uses = [t.flow[..., span, :, pair.focus + 1].sum(axis=(-2, -1)) for t in (a, b)]
        return (said[1] - said[0]) / (1 - uses[1] / uses[0])

    return {"stated / done": from_counts(ratio, *pair.tallies), "daily use, first quarter, %": pair.sales(0, QUARTER)}


def fact_42(runs: RunCache) -> Quantities:
    """Exits beyond the ordinary within a year of a breach."""
    return {"exits within a year, % of base": TwinRuns(runs, BREACH, times=4).left(52)}


def fact_43(runs: RunCache) -> Quantities:
    """Spending falls after a breach, least among customers with a strong habit."""
    pair = TwinRuns(runs, "scandal=breach_target", (52, 64))
    before = pair.quiet.people[52].bonds["habit"][:, pair.focus]
    strong = before > np.median(before[pair.customers(52)])
    uses = [(p.people[64].bonds["count"][:, pair.focus] & USED).astype(float) for p in (pair.quiet, pair.event)]

    def change(group: Array, a: Array, b: Array) -> float:
        return 100 * (b[group].sum() / a[group].sum() - 1)

    return {
        "spending, %": from_people(lambda s, a, b: change(s | ~s, a, b), strong, *uses),
        "high patronage - low, points": from_people(lambda s, a, b: change(s, a, b) - change(~s, a, b), strong, *uses),
    }


def fact_44(runs: RunCache) -> Quantities:
    """After a breach customers of long tenure, and the young, leave more often than others."""
    pair = TwinRuns(runs, "market=bank ages=three scandal=data_breach", (26, 52), 8, {"weeks": 52})
    mine, tenure = pair.customers(26), pair.quiet.people[26].one["tenure"]
    gone = [(p.people[52].one["last"] != pair.focus) * 1.0 for p in (pair.quiet, pair.event)]
    young = np.isin(pair.quiet.people[26].cell, pair.quiet.cells(cohort="young"))

    def more(group: Array, others: Array, a: Array, b: Array) -> float:
        return float(100 * ((b - a)[group].mean() - (b - a)[others].mean()))

    return {
        "long - short tenure, points": from_people(more, mine & (tenure > 104), mine & (tenure <= 104), *gone),
        "young - others, points": from_people(more, mine & young, mine & ~young, *gone),
    }


def fact_45(runs: RunCache) -> Quantities:
    """Excess exits fade within weeks of a breach."""
    return {"half-life of excess exits, weeks": TwinRuns(runs, BREACH, times=4).half(HALF_YEAR, stayed=True)}
