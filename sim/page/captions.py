"""The sentence about the events, and the table of firms."""

from typing import Any

import numpy as np

from sim.page import people
from sim.page.events import GameEvent
from sim.page.game import Difference, Game
from sim.page.names import title
from sim.report.answer_text import between, cell
from sim.report.findings import INTERVAL, TOO_FEW

INVITATION = (
    "Start an event in the controls, then press Play, or ask what it costs. The market is compared with its twin: the "
    "same people without any event. A customer is a person whose last use was at the firm."
)
FEW_MOVERS = 10  # people at another firm than in the twin; with fewer nothing can be said of a rival
AHEAD, MINUS = ": still to come", "\N{MINUS SIGN}"


def event_summary(game: Game) -> dict[str, Any]:
    """The effect so far of all events that are on: {"text", "figures": [{"big", "small"}]}."""
    if not game.active:
        return {"text": INVITATION, "figures": []}
    found, coming = game.compared(), [e for e in game.active if e.week >= game.week]
    sentences = [] if found is None else [_effect(game, found)]
    if coming:
        sentences.append(
            _sentence(_listed([f"the {e.text} at {title(e.firm)} (week {e.week})" for e in coming]) + AHEAD)
        )
    if found is None:
        return {"text": f"{sentences[0]} Press Step or Play to see the effect.", "figures": []}
    return {"text": " ".join(sentences), "figures": _figures(game, found)}


def _effect(game: Game, found: Difference) -> str:
    """What the events so far did to the firm, in the words of the terminal."""
    events = [e for e in game.active if e.week < game.week]
    cause, firm, change = _cause(events, found.firm), title(found.firm), found.percent
    moves = f"{found.lost:,} now use another firm instead of {firm}, {found.won:,} the other way around"
    if not change.known:
        return _sentence(f"{cause}: {TOO_FEW} so far what became of {firm}'s {found.base:,} customers; {moves}")
    if not change.detected:
        said = f"no change detected so far in {firm}'s customers; {between(change)} % of {found.base:,}, 95 %"
        return _sentence(f"{cause}: {said}; {moves}")
    net = found.won - found.lost
    did = f"{'cost' if net < 0 else 'won'} {firm} {abs(net):,} customer{'s' * (abs(net) != 1)} so far"
    part = f"{cell(change)} % of the {found.base:,} it would have, 95 %"
    return _sentence(f"{cause} {did} ({part.replace('-', MINUS)}): {moves}")


def _cause(events: list[GameEvent], firm: str) -> str:
    """The events that the market has and the twin has not, in words."""
    named = [f"the {e.text}{f' at {title(e.firm)}' * (e.firm != firm)} (week {e.week})" for e in events]
    return f"{_listed(named)}{' together' * (len(named) > 1)}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _figures(game: Game, found: Difference) -> list[dict[str, str]]:
    """Customers, share and, once a window has ended, stickiness, each with its error."""
    net = found.won - found.lost
    small = f"customers, against no events; {cell(found.percent)} % of {found.base:,}".replace("-", MINUS)
    if not found.percent.known:
        return [{"big": f"{net:+,}", "small": f"customers, against no events: {TOO_FEW}"}]
    spread = (found.people.high - found.people.low) / 2
    figures = [{"big": f"{net:+,}", "small": small + _unclear(found.percent.detected), "error": f"± {spread:,.0f}"}]
    share, error = found.share
    figures.append(_figure(100 * share, 100 * error, 2, f"points of share since week {game.active[0].week}"))
    if found.stickiness and np.isfinite(found.stickiness[0]):
        ended = game.week - game.week % game.start.window
        figures.append(_figure(*found.stickiness, 3, f"stickiness, the window that ended in week {ended}"))
    return figures


def _figure(value: float, error: float, digits: int, small: str) -> dict[str, str]:
    if not error > 0:
        return {"big": f"{value:+.{digits}f}", "error": "", "small": f"{small}: {TOO_FEW}"}
    spread = f"± {INTERVAL * error:.{digits}f}"
    return {"big": f"{value:+.{digits}f}", "error": spread, "small": small + _unclear(abs(value) > INTERVAL * error)}


def _unclear(detected: bool) -> str:
    return "" if detected else ": no change detected"


def firm_rows(game: Game) -> list[dict[str, Any]]:
    """A row per firm: customers, difference from the twin, share, stickiness and trust.

    Stickiness is that of the last window that has ended; before that there is none.
    """
    customers, trust = game.customers(), game.history.mean_trust(game.cells(), game.week)[-1]
    gained = game.customers_gained()
    movers = people.movers(game.market, game.twin) if game.twin else None
    ended = game.week // game.start.window
    sticky = game.history.index(game.market, ended - 1, game.cells()) if ended else None
    rows = []
    for j, firm in enumerate(game.start.firms):
        value, error = (float("nan"), float("nan")) if sticky is None else (sticky.value[j], sticky.error[j])
        row = {"firm": firm, "name": title(firm), "ink": j, "customers": f"{customers[j]:,}"}
        row |= {"share": f"{100 * customers[j] / max(1, customers.sum()):.1f} %", "trust": f"{trust[j]:.2f}"}
        known = np.isfinite(value + error)
        row |= {"index": f"{value:.2f}" if known else "–"}
        row |= {"error": f"± {_digits(INTERVAL * error)}" if known else TOO_FEW if ended else ""}
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
