"""Facts 51 to 59: scandals of conscience, boycotts, and how they are remembered."""

import numpy as np

from sim.facts.runs import FactRun, Quantities, RunCache, from_counts, from_people
from sim.facts.scandals import HALF_YEAR, QUARTER, TwinRuns
from sim.facts.survey import utilities
from sim.measure.estimates import Array
from sim.measure.tally import Tally

GOYA, BEER = "scandal=boycott_goya", "scandal=boycott_budlight"
DIESEL_WEEKS = (52, 53, 54, 55, 56, 57, 58, 60, 62, 65, 70, 78, 91, 104, 117, 130, 143, 155)


def fact_51(runs: RunCache) -> Quantities:
    """A bank of conscience in a scandal of conscience lost a percent of its customers."""
    pair = TwinRuns(runs, "scandal=coop_bank", times=8, changes={"weeks": 79})
    return {"customers lost in two quarters, %": pair.lost(HALF_YEAR)}


def fact_52(runs: RunCache) -> Quantities:
    """A typical boycott is one news cycle, and buycotts can outweigh it."""
    alone = {"scandals.goya.buycott": 0.0}
    plain, buycott = TwinRuns(runs, GOYA, times=16, changes=alone), TwinRuns(runs, GOYA)
    return {
        "boycott, three weeks, %": plain.sales(0, 3),
        "half-life, weeks": plain.half_life(),
        "with buycott, three weeks, %": buycott.sales(0, 3),
    }


def fact_53(runs: RunCache) -> Quantities:
    """The exception: a boycott that lasts, where substitutes are close."""
    pair = TwinRuns(runs, BEER)
    return {f"weeks {a} to {b}, %": pair.sales(a, b) for a, b in ((0, 13), (13, 26), (26, 39))}


def fact_54(runs: RunCache) -> Quantities:
    """A car scandal costs sales abroad and hardly any at home."""
    abroad = TwinRuns(runs, "scandal=dieselgate_us", times=48)
    home = TwinRuns(runs, "scandal=dieselgate_de", times=24, changes={"weeks": 65})
    return {"America, half a year, %": abroad.sales(4, 30), "Germany, a quarter, %": home.sales(0, QUARTER)}


def fact_55(runs: RunCache) -> Quantities:
    """What the scandal takes from the worth of the brand, as a part of its price."""
    event = runs("scandal=dieselgate_us", {}, DIESEL_WEEKS)
    loss = utilities(event, 54)[1][:, event.focus]
    price = event.scenario.consumer.price_weight
    return {"logit": from_people(np.mean, loss), "% of price": from_people(lambda x: 100 * x.mean() / price, loss)}


def fact_56(runs: RunCache) -> Quantities:
    """Peers of the same group lose, and others gain."""
    pair = TwinRuns(runs, "scandal=dieselgate_us", times=48)
    firms = pair.event.scenario.firms
    peers = [j for j, f in enumerate(firms.values()) if f.group and j != pair.focus]
    others = [j for j, f in enumerate(firms.values()) if not f.group]
    span = slice(pair.week, pair.week + 52)

    def ratio(a: Tally, b: Tally) -> Array:
        uses = [t.flow[..., span, :, 1:].sum(axis=(-3, -2)) for t in (a, b)]
        spilled = uses[1][..., peers].sum(axis=-1) / uses[0][..., peers].sum(axis=-1) - 1
        return spilled / (uses[1] / uses[0] - 1)[..., pair.focus]

    return {
        "peers, %": pair.sales(0, 52, *peers),
        "others, %": pair.sales(0, 52, *others),
        "spillover / own": from_counts(ratio, *pair.tallies),
    }


def _buzz(event: FactRun) -> Array:
    """[i, week] what the scandals heard of take from the firm, in what people say."""
    return np.column_stack([utilities(event, week)[1][:, event.focus] for week in DIESEL_WEEKS])


def fact_58(runs: RunCache) -> Quantities:
    """Reputation falls within two weeks and recovers over months; belief in quality falls less."""
    quietly: dict[str, object] = {"scandals": {}}  # no diesels on sale in either: that is no loss of quality
    event, quiet = runs("scandal=dieselgate_us", {}, DIESEL_WEEKS), runs("scandal=dieselgate_us", quietly, DIESEL_WEEKS)
    loss, since = _buzz(event), np.array(DIESEL_WEEKS) - 52
    worse = utilities(quiet, 60)[0][:, event.focus] - utilities(event, 60)[0][:, event.focus]
    late = since >= HALF_YEAR // 2

    def half_life(x: Array) -> float:
        return float(-np.log(2) / np.polyfit(since[late], np.log(x.mean(axis=0)[late]), 1)[0] / (52 / 12))

    return {
        "trough, days after the news": from_people(lambda x: 7.0 * since[x.mean(axis=0).argmax()], loss),
        "half-life of reputation, months": from_people(half_life, loss),
        "fall of quality / of buzz": from_people(lambda w, x: w.mean() / x.mean(axis=0).max(), worse, loss),
    }


def fact_59(runs: RunCache) -> Quantities:
    """Attention to a scandal decays fast at first and slowly after that."""
    from scipy.optimize import curve_fit

    event, since = runs("scandal=dieselgate_us", {}, DIESEL_WEEKS), np.array(DIESEL_WEEKS, float) - 52

    def gain(x: Array) -> float:
        buzz = x.mean(axis=0)
        at = slice(int(buzz.argmax()), None)
        t, y = since[at] - since[at][0], buzz[at] / buzz.max()

        def two(t: Array, share: float, fast: float, slow: float) -> Array:
            return share * np.exp(-t * fast) + (1 - share) * np.exp(-t * slow)

        def one(t: Array, height: float, rate: float) -> Array:
            return height * np.exp(-t * rate)

        rest = [
            y - f(t, *curve_fit(f, t, y, start, maxfev=20_000)[0])
            for f, start in ((one, (1, 0.1)), (two, (0.6, 0.4, 0.02)))
        ]
        return float(len(t) * np.log((rest[0] ** 2).sum() / (rest[1] ** 2).sum()) - 2)

    return {"AIC of one exponential - of two": from_people(gain, _buzz(event))}
