"""The preset and the report of a calibrated market of providers."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import numpy as np

from sim.calibration.histories import RECENT
from sim.calibration.provider_figures import MOVES, RETURNS, a_year, exits, tenure_name
from sim.calibration.provider_holdout import lines as held_lines
from sim.calibration.provider_market import MOST_COST
from sim.calibration.providers import OF_FIRM, ProviderMarket, side_by_side
from sim.calibration.settings import number
from sim.model.fields import Consumer, Firm, Market

LITTLE = 0.25  # by which the spread of a number must shrink for the panel to have told it
AT_REST = 3.0  # standard errors by which joins may differ from what a market at rest has
WEEKS = 260
KEPT = ("share",)  # fields of a firm that are not written


def preset_text(done: ProviderMarket) -> str:
    """The text of market.yaml."""
    h, market = done.histories, done.fitted.market
    lines = [
        f"# Estimated by `stickiness calibrate` from a panel of {len(h.y):,} customers of {len(h.firms)} providers in "
        f"{h.periods} periods of {h.weeks:.3g} weeks,",
        f"# beginning from market={done.fitted.preset}. Numbers marked `panel` are posterior medians (P10 to P90); "
        "the others are those of",
        "# that market, or the simulator's own (see report.txt).",
        f'title: "{re.sub(chr(34), " ", _plain(done.title))}: {told(done)}"',
        f"focus: {done.names[0]}",
        f"seed: {done.seed}",
        f"weeks: {WEEKS}  # five years",
        f"burn_in: {market.burn_in}  # weeks",
        f"window: {min(52, market.window)}  # weeks",
        "market:",
        *_part(done, "market", market.market, Market()),
        "consumer:",
        *_part(done, "consumer", market.consumer, Consumer()),
        *_firms(done),
    ]
    return "\n".join(lines) + "\n"


def told(done: ProviderMarket) -> str:
    """What the panel tells of the market, and what rests on literature; every run prints it."""
    prices = "prices, " if done.prices is not None else ""
    return f"{prices}shares, switching and retention from its panel; scandals, quality, what prices do from literature"


def _plain(text: str) -> str:
    return re.sub(r"[\\\x00-\x1f$]", " ", text)[:100]


def _part(done: ProviderMarket, part: str, values: Market | Consumer, default: Market | Consumer) -> Iterator[str]:
    fitted = {str(r.path): r for r in done.fitted.posterior.table.itertuples()}
    rate, error, gone = exits(done.histories)
    for f in fields(values):
        value, path = getattr(values, f.name), f"{part}.{f.name}"
        row = fitted.get(path)
        if row is not None:
            how = f"panel {row.p50:.3g} ({row.p10:.3g} to {row.p90:.3g})"
            how += "; with presence and switching costs, to the panel's moves" if f.name == "attention" else ""
            how += "" if row.narrowed >= LITTLE else "; hardly told by it, mostly the prior"
        elif f.name == "turnover" and gone:
            how = f"1/year; panel, {rate:.3g} +- {error:.2g}: customers who leave all firms"
        else:
            how = f"as market={done.fitted.preset}"
        if (row is not None or value != getattr(default, f.name)) and not isinstance(value, dict):
            yield f"  {f.name}: {_number(value)}  # {how}"


def _number(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _firms(done: ProviderMarket) -> Iterator[str]:
    default, firms = Firm(), done.fitted.firms
    share, error = firms["share"].value(), firms["share"].error()
    yield "firms:  # presence and switching costs are solved for the shares and the moves of the panel"
    for j, (name, firm) in enumerate(done.fitted.market.firms.items()):
        told_as = f"{100 * share[j]:.1f} +- {100 * error[j]:.1f} % of customers in the last year"
        yield f"  {name}:  # {_plain(done.histories.firms[j])[:60]}: {told_as}"
        for f in fields(firm):
            value = getattr(firm, f.name)
            if is_dataclass(value) or f.name in KEPT or value == getattr(default, f.name):
                continue
            if isinstance(value, dict):
                yield f"    {f.name}:"
                for place, point in value.items():
                    cells = ", ".join(f"{g.name}: {_number(getattr(point, g.name))}" for g in fields(point))
                    yield f"      {place}: {{{cells}}}  # as market={done.fitted.preset}"
            else:
                yield f"    {f.name}: {_number(value)}  # {_of_firm(done, f.name)}"


def _of_firm(done: ProviderMarket, field: str) -> str:
    own = {"presence": "panel", "switching_cost": "logit; panel, with what else keeps customers"}
    own |= {"price": "panel"} if done.prices is not None else {}
    return own.get(field, f"as market={done.fitted.preset}")


def report_text(done: ProviderMarket) -> str:
    """The report."""
    parts = {
        "What was read": done.read,
        "What was estimated": [*_firm_lines(done), "", *_number_lines(done)],
        "How well it predicts": held_lines(done.held, done.names),
        "The panel and its twin": list(_twin_lines(done)),
        "What this panel can and cannot tell": [*done.about, *limits(done)],
        "What rests on other sources than this panel": rest(done),
        "How it was chosen and computed": list(_how(done)),
    }
    return "\n\n".join("\n".join([head, "-" * len(head), *lines]) for head, lines in parts.items()) + "\n"


def _firm_lines(done: ProviderMarket) -> Iterator[str]:
    firms, h = done.fitted.firms, done.histories
    width = max(6, *map(len, done.names)) + 2
    heads = f"{'share, %':>15}{'leave a year, %':>18}{'of joiners, %':>17}{'cost of leaving':>17}"
    yield f"{'firm':<{width}}{'in the file':<20}{heads}"
    columns = {n: (firms[n].value(), firms[n].error()) for n in OF_FIRM}
    for j, (name, firm) in enumerate(done.fitted.market.firms.items()):
        share, joins = (f"{100 * columns[n][0][j]:.1f} +- {100 * columns[n][1][j]:.1f}" for n in ("share", "joins"))
        churn, error = columns["churn"][0][j], columns["churn"][1][j]
        yearly = a_year(float(churn), h.weeks)
        spread = a_year(float(min(churn + error, 1.0)), h.weeks) - yearly
        left = f"{100 * yearly:.1f} +- {100 * spread:.1f}"
        brand = _plain(h.firms[j])[:18]
        yield f"{name:<{width}}{brand:<20}{share:>15}{left:>18}{joins:>17}{firm.switching_cost:>17.2f}"


def _number_lines(done: ProviderMarket) -> Iterator[str]:
    yield f"{'number':<34}{'median':>10}{'P10 to P90':>22}{'prior P10 to P90':>22}{'learned':>9}"
    for r in done.fitted.posterior.table.itertuples():
        mine, prior = f"{r.p10:.3g} to {r.p90:.3g}", f"{r.prior_p10:.3g} to {r.prior_p90:.3g}"
        yield f"{r.path:<34}{r.p50:>10.3g}{mine:>22}{prior:>22}{100 * float(str(r.narrowed)):>7.0f} %"
    level = done.fitted.market.consumer.attention
    yield f"Attention in the preset is {level:.3g}, solved with presence and switching costs for the moves seen."


def _twin_lines(done: ProviderMarket) -> Iterator[str]:
    table = side_by_side(done)
    yield f"{len(done.histories.y):,} people of the market at rest, seen as the panel is, {len(done.twins)} times."
    yield "Panel +- error over customers, twin +- spread of runs; parts of customers in a period unless said."
    width = max([len(n) for n in [*done.names, *done.fitted.targets]]) + 2
    for metric, label in OF_FIRM.items():
        yield f"{label + ', %':<{width}}{'panel':>16}{'twin':>18}"
        for r in table[table["metric"] == metric].itertuples():
            yield f"{r.firm:<{width}}{_pair(r.panel, r.error):>16}{_pair(r.twin, r.spread):>18}"
    yield f"{'the market, %':<{width}}{'panel':>16}{'twin':>18}"
    for r in table[table["firm"] == ""].itertuples():
        missed = "  ! missed" if abs(r.twin - r.panel) > 3 * np.hypot(r.error, r.spread) else ""
        yield f"{r.metric:<{width}}{_pair(r.panel, r.error):>16}{_pair(r.twin, r.spread):>18}{missed}"


def _pair(value: object, error: object) -> str:
    return f"{100 * float(str(value)):.2f} +- {100 * float(str(error)):.2f}"


def limits(done: ProviderMarket) -> Iterator[str]:
    """What the panel cannot tell, a sentence each."""
    h, fitted, firms = done.histories, done.fitted, done.fitted.firms
    for r in fitted.posterior.table.itertuples():
        if float(str(r.narrowed)) < LITTLE:
            yield f"{r.path} is mostly that of the prior ({r.prior_p10:.3g} to {r.prior_p90:.3g})."
    yield from fitted.warned
    for r in fitted.posterior.targets.itertuples():
        if float(str(r.beyond)) > 0:
            yield f"! {r.column}: {r.value:.3g} is beyond all that the market gives: no numbers of this model fit it."
    unseen = [n for n, f in fitted.figures.items() if n not in fitted.targets]
    if unseen:
        yield f"Too few customers to tell: {'; '.join(unseen)}."
    if RETURNS not in fitted.targets:
        yield "Too few who left come back, or could: how far tastes, not habit, hold customers is not told."
    if tenure_name(4) not in fitted.targets:
        yield "Few customers are seen from their beginning for more than a year: what tenure does later is not told."
    if not exits(h)[2]:
        yield (
            "Nobody is seen to leave all providers, as where only those who stayed are in the file: "
            f"consumer.turnover is that of market={fitted.preset}."
        )
    yield from _unrest(done)
    few = [n for n, known in zip(done.names, firms["churn"].known(), strict=True) if not known]
    if few:
        yield f"Left by too few to tell their own churn, which is taken to be as of all: {', '.join(few)}."
    high = [n for n, f in fitted.market.firms.items() if f.switching_cost >= MOST_COST]
    if high:
        yield f"! Hardly anybody leaves {', '.join(high)}: a cost of leaving of {MOST_COST:g} does not suffice."
    yield "What keeps a firm's customers is put into its switching_cost; satisfaction would do the same."


def _unrest(done: ProviderMarket) -> Iterator[str]:
    """Firms that gain or lose: the market of the preset is at rest."""
    figure, twin = done.fitted.firms["joins"], [firms["joins"].value() for _, firms in done.twins]
    value, error = figure.value(), np.hypot(figure.error(), np.std(twin, axis=0))
    away = np.flatnonzero(np.abs(value - np.mean(twin, axis=0)) > AT_REST * error)
    for j in away:
        word = "grows" if value[j] > np.mean(twin, axis=0)[j] else "shrinks"
        yield (
            f"{done.names[j]} {word}: {100 * value[j]:.0f} % of those who come, where shares at rest give "
            f"{100 * np.mean(twin, axis=0)[j]:.0f} %. The preset holds the shares of the last year; `predict` and "
            "`simulate` go on as in the panel."
        )


def rest(done: ProviderMarket) -> list[str]:
    """What a run of the preset takes from elsewhere."""
    prices = [] if done.prices is not None else ["prices: all are 1"]
    return [
        *prices,
        "what a price does: consumer.price_weight, and how many notice it",
        "whether customers stay out of inattention or of habit, as far as it is not told above: it matters for what",
        "  wakes them (a scandal, a letter), see `stickiness fields`",
        "what quality, failures, effort and anchors do, and scandals (who hears, cares and acts): from the literature;",
        f"  the touchpoints of all firms are those of market={done.fitted.preset}",
        "who enters: a new firm's taste is drawn as in any market, not from this panel",
    ]


def _how(done: ProviderMarket) -> Iterator[str]:
    found = ", ".join(f"{name} {miss:.1f}" for name, miss in done.fitted.misses.items())
    yield f"Began from market={done.fitted.preset}; misses by preset, root mean square in standard errors: {found}."
    many, keep, passes = (number("provider", name) for name in ("points", "keep", "passes"))
    yield "like=NAME begins from another. Free numbers: ABC with regression adjustment on the figures of the twin above"
    yield f"  ({passes:.0f} times {many:.0f} points of the priors, the nearest {100 * keep:.0f} % kept; Beaumont,"
    yield "  Zhang & Balding 2002)."
    yield f"Errors: jackknife over customers. Moves lately: in the last {RECENT} months. A period lasts "
    yield f"  {done.histories.weeks:.3g} weeks; in a year {_yearly(done)} of customers move."


def _yearly(done: ProviderMarket) -> str:
    figure = done.fitted.figures[MOVES]
    return f"{100 * a_year(float(figure.value()), done.histories.weeks):.1f} %"
