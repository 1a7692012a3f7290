"""What the page says: what the events since the twin branched off did, and how the firms stand."""

from typing import Any

import numpy as np

from sim.page import people
from sim.page.game import Difference, Game, Happened
from sim.page.people import title
from sim.report.findings import INTERVAL

INVITE = "Press Play. Then make something happen: a twin, the same people without it, lives on beside it."
FEW = 10  # people who are at another firm than in the twin: of fewer nothing can be said
DARK = "too few to tell"


def verdict(game: Game) -> dict[str, Any]:
    """What the events in which the market and its twin differ have done: {"words", "figures": [{"big", "small"}]}."""
    if not game.events:
        return {"words": INVITE, "figures": []}
    found, coming = game.compared(), [e for e in game.events if e.week >= game.week]
    told = [] if found is None else [_did(game, found)]
    if coming:
        names = _listed([f"the {e.words} at {title(e.firm)}" for e in coming])
        happen = "happens" if len(coming) == 1 else "happen"
        told.append(_sentence(f"{names} {happen} in week {game.week}"))
    if found is None:
        return {"words": f"{told[0]} Step or play to see what it does.", "figures": []}
    return {"words": " ".join(told), "figures": _figures(game, found)}


def _did(game: Game, found: Difference) -> str:
    """What the events that have been lived did to the firm of the first of them."""
    events = [e for e in game.events if e.week < game.week]
    cause, firm, spread = _cause(events), title(events[0].firm), INTERVAL * found.error
    moves = f"{found.lost:,} use another firm who would be here, {found.won:,} the other way round"
    if _too_few(found):
        return _sentence(f"{cause}: {DARK} so far what became of {firm}'s customers; {moves}")
    if abs(found.net) <= spread:
        ends = f"between {_count(found.net - spread)} and {_count(found.net + spread)}"
        return _sentence(f"{cause}: no change detected so far in {firm}'s number of customers; {ends}; {moves}")
    did = f"{'cost' if found.net < 0 else 'won'} {firm} {abs(found.net):,} customer{'s' * (abs(found.net) != 1)} so far"
    part = f"{100 * abs(found.net) / found.base:.1f} % of the {found.base:,} it has in the twin" if found.base else ""
    return _sentence(f"{cause} {did} (± {spread:,.0f}{'; ' * bool(part)}{part}): {moves}")


def _cause(events: list[Happened]) -> str:
    """Everything in which the market differs from its twin."""
    if len(events) == 1:
        return f"the {events[0].words} alone"
    first = events[0].firm
    named = [f"the {e.words}{f' at {title(e.firm)}' * (e.firm != first)} (week {e.week})" for e in events]
    return f"{_listed(named)} together"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _count(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "\N{MINUS SIGN}")


def _too_few(found: Difference) -> bool:
    return found.lost + found.won < FEW or not found.error > 0


def _figures(game: Game, found: Difference) -> list[dict[str, str]]:
    """Customers, share and, where it can be told, the index, each with its error."""
    small = "customers, against the twin"
    if found.base and not _too_few(found):
        small += f" ({100 * found.net / found.base:+.1f} % of {found.base:,})".replace("-", "\N{MINUS SIGN}")
    figures = [{"big": f"{found.net:+,}", "small": small, "error": f"± {INTERVAL * found.error:,.0f}"}]
    if _too_few(found):
        return [{"big": f"{found.net:+,}", "small": f"{small}: {DARK}"}]
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
        return f": {DARK}"
    return ": no change detected" if abs(value) <= INTERVAL * error else ""


def firm_rows(game: Game) -> list[dict[str, Any]]:
    """Firms with their customers, against the twin's, share, stickiness and trust: legend and reading in one.

    Stickiness is that of the last window that has ended; before there is one, of the open window, marked as such.
    """
    customers, trust = game.customers(), game.past.trusted(game.cells(), game.week)[-1]
    gained = game.customers_gained()
    movers = people.movers(game.market, game.twin) if game.twin else None
    ended = game.week // game.start.window
    sticky = game.past.index(game.market, ended - 1, game.cells()) if ended else game.stickiness()
    rows = []
    for j, firm in enumerate(game.start.firms):
        known = np.isfinite(sticky.value[j] + sticky.error[j])
        row = {"firm": firm, "name": title(firm), "ink": j, "customers": f"{customers[j]:,}"}
        row |= {"share": f"{100 * customers[j] / max(1, customers.sum()):.1f} %", "trust": f"{trust[j]:.2f}"}
        row |= {"index": f"{sticky.value[j]:.2f}" if known else "–"}
        note = "" if ended or not game.week else " so far"
        row |= {"error": f"± {_digits(INTERVAL * sticky.error[j])}{note}" if known else DARK if game.week else ""}
        row |= {"versus": "", "spread": ""}
        if movers is not None:
            row |= _versus(gained.value[j], gained.error[j], movers[j])
        rows.append(row)
    return rows


def _digits(spread: float) -> str:
    """Two digits, and as many more as it takes not to say 0."""
    return f"{spread:.2f}" if spread >= 0.005 else f"{spread:.1g}"


def _versus(value: float, error: float, movers: int) -> dict[str, str]:
    """Customers against the twin's, and how far that may be from what the events did."""
    spread = f"± {INTERVAL * error:,.0f}" if movers >= FEW and error > 0 else "too few" if movers else ""
    return {"versus": f"{round(value):+,}", "spread": spread}
