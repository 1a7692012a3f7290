"""The sentence about the events, and the table of firms."""

from typing import Any

import numpy as np

from sim.page import people
from sim.page.game import Difference, Game, GameEvent
from sim.page.names import title
from sim.report.findings import INTERVAL

INVITATION = (
    "Press Play, then start an event on the left. The page compares the market with its twin: the same people "
    "without the event."
)
FEW_MOVERS = 10  # people at another firm than in the twin; with fewer nothing can be said
UNKNOWN = "too few to tell"


def event_summary(game: Game) -> dict[str, Any]:
    """The effect of the events since the twin branched off: {"text", "figures": [{"big", "small"}]}."""
    if not game.events:
        return {"text": INVITATION, "figures": []}
    found, coming = game.compared(), [e for e in game.events if e.week >= game.week]
    sentences = [] if found is None else [_effect(game, found)]
    if coming:
        names = _listed([f"the {e.text} at {title(e.firm)}" for e in coming])
        happen = "happens" if len(coming) == 1 else "happen"
        sentences.append(_sentence(f"{names} {happen} in week {game.week}"))
    if found is None:
        return {"text": f"{sentences[0]} Press Step or Play to see the effect.", "figures": []}
    return {"text": " ".join(sentences), "figures": _figures(game, found)}


def _effect(game: Game, found: Difference) -> str:
    """What the events so far did to the firm of the first of them."""
    events = [e for e in game.events if e.week < game.week]
    cause, firm, spread = _cause(events), title(events[0].firm), INTERVAL * found.error
    moves = f"{found.lost:,} now use another firm instead of {firm}, {found.won:,} the other way around"
    if _too_few(found):
        return _sentence(f"{cause}: {UNKNOWN} so far how {firm}'s number of customers changed; {moves}")
    if abs(found.net) <= spread:
        ends = f"between {_count(found.net - spread)} and {_count(found.net + spread)}"
        return _sentence(f"{cause}: no change detected so far in {firm}'s number of customers; {ends}; {moves}")
    did = f"{'cost' if found.net < 0 else 'won'} {firm} {abs(found.net):,} customer{'s' * (abs(found.net) != 1)} so far"
    part = f"{100 * abs(found.net) / found.base:.1f} % of the {found.base:,} it has in the twin" if found.base else ""
    return _sentence(f"{cause} {did} (± {spread:,.0f}{'; ' * bool(part)}{part}): {moves}")


def _cause(events: list[GameEvent]) -> str:
    """The events that the market has and the twin has not, in words."""
    if len(events) == 1:
        return f"the {events[0].text} alone"
    first = events[0].firm
    named = [f"the {e.text}{f' at {title(e.firm)}' * (e.firm != first)} (week {e.week})" for e in events]
    return f"{_listed(named)} together"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _count(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "\N{MINUS SIGN}")


def _too_few(found: Difference) -> bool:
    return found.lost + found.won < FEW_MOVERS or not found.error > 0


def _figures(game: Game, found: Difference) -> list[dict[str, str]]:
    """Customers, share and, where it is known, the index, each with its error."""
    small = "customers, against the twin"
    if found.base and not _too_few(found):
        small += f" ({100 * found.net / found.base:+.1f} % of {found.base:,})".replace("-", "\N{MINUS SIGN}")
    figures = [{"big": f"{found.net:+,}", "small": small, "error": f"± {INTERVAL * found.error:,.0f}"}]
    if _too_few(found):
        return [{"big": f"{found.net:+,}", "small": f"{small}: {UNKNOWN}"}]
    figures[0]["small"] += _unclear(found.net, found.error)
    share, error = found.share
    figures.append(_figure(100 * share, 100 * error, 2, f"points of share since week {game.events[0].week}"))
    if np.isfinite(found.stickiness[0]):
        ended = game.week % game.start.window == 0
        figures.append(_figure(*found.stickiness, 3, f"stickiness, {'window just ended' if ended else 'so far'}"))
    return figures


def _figure(value: float, error: float, digits: int, small: str) -> dict[str, str]:
    spread = f"± {INTERVAL * error:.{digits}f}" if error > 0 else ""
    return {"big": f"{value:+.{digits}f}", "error": spread, "small": small + _unclear(value, error)}


def _unclear(value: float, error: float) -> str:
    if not error > 0:
        return f": {UNKNOWN}"
    return ": no change detected" if abs(value) <= INTERVAL * error else ""


def firm_rows(game: Game) -> list[dict[str, Any]]:
    """A row per firm: customers, difference from the twin, share, stickiness and trust.

    Stickiness is that of the last window that has ended; before there is one, of the open window, marked as such.
    """
    customers, trust = game.customers(), game.history.mean_trust(game.cells(), game.week)[-1]
    gained = game.customers_gained()
    movers = people.movers(game.market, game.twin) if game.twin else None
    ended = game.week // game.start.window
    sticky = game.history.index(game.market, ended - 1, game.cells()) if ended else game.stickiness()
    rows = []
    for j, firm in enumerate(game.start.firms):
        known = np.isfinite(sticky.value[j] + sticky.error[j])
        row = {"firm": firm, "name": title(firm), "ink": j, "customers": f"{customers[j]:,}"}
        row |= {"share": f"{100 * customers[j] / max(1, customers.sum()):.1f} %", "trust": f"{trust[j]:.2f}"}
        row |= {"index": f"{sticky.value[j]:.2f}" if known else "–"}
        note = "" if ended or not game.week else " so far"
        row |= {"error": f"± {_digits(INTERVAL * sticky.error[j])}{note}" if known else UNKNOWN if game.week else ""}
        row |= {"versus": "", "spread": ""}
        if movers is not None:
            row |= _versus(gained.value[j], gained.error[j], movers[j])
        rows.append(row)
    return rows


def _digits(spread: float) -> str:
    """Two decimals, or more where two would show 0."""
    return f"{spread:.2f}" if spread >= 0.005 else f"{spread:.1g}"


def _versus(value: float, error: float, movers: int) -> dict[str, str]:
    """Customers more than in the twin, with the half width of the 95 % interval."""
    spread = f"± {INTERVAL * error:,.0f}" if movers >= FEW_MOVERS and error > 0 else "too few" if movers else ""
    return {"versus": f"{round(value):+,}", "spread": spread}
