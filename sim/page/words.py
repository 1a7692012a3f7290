"""What the page says: what the last event did, and how the firms stand."""

from typing import Any

import numpy as np

from sim.figures import INTERVAL
from sim.page.crowd import title
from sim.page.stage import Stage

INVITE = "Press Play. Then make something happen: a twin, the same people without it, lives on beside it."


def verdict(stage: Stage) -> dict[str, Any]:
    """A sentence on the last event and its figures: {"words", "figures": [{"big", "small"}]}."""
    last = stage.last
    if last is None:
        return {"words": INVITE, "figures": []}
    firm, found = title(last.firm), stage.compared()
    if found is None:
        words = f"The {last.words} at {firm} happens in week {stage.week}. Step or play to see what it does."
        return {"words": words, "figures": []}
    if found.net:
        did = f"{'cost' if found.net < 0 else 'won'} {firm} {abs(found.net):,} customer{'s' * (abs(found.net) != 1)}"
    else:
        did = f"has changed nothing in {firm}'s number of customers"
    detail = f"{found.lost:,} use another firm who would be here, {found.won:,} the other way round"
    figures = [{"big": f"{found.net:+,}", "small": "customers, against the twin"}]
    share, error = found.share
    figures.append(_figure(100 * share, 100 * error, 2, f"points of share since week {last.week}"))
    if np.isfinite(found.stickiness[0]):
        figures.append(_figure(*found.stickiness, 3, "stickiness, this window so far"))
    return {"words": f"The {last.words} {did} so far: {detail}.", "figures": figures}


def _figure(value: float, error: float, digits: int, small: str) -> dict[str, str]:
    wide = INTERVAL * error
    unclear = " (within its error)" if abs(value) <= wide else ""
    return {"big": f"{value:+.{digits}f}", "error": f"± {wide:.{digits}f}", "small": small + unclear}


def firm_rows(stage: Stage) -> list[dict[str, Any]]:
    """Firms with their customers, against the twin's, share, stickiness and trust: legend and reading in one."""
    customers, trust = stage.customers(), stage.past.trusted(stage.cells(), stage.week)[-1]
    twin = stage.customers(stage.twin) if stage.twin else None
    ended = stage.week // stage.start.window
    last = ended and not stage.readable  # then the last window that has ended is what is known
    sticky = stage.past.index(stage.market, ended - 1, stage.cells()) if last else stage.stickiness()
    rows = []
    for j, firm in enumerate(stage.start.firms):
        known = np.isfinite(sticky.value[j] + sticky.error[j])
        row = {"firm": firm, "name": title(firm), "ink": j, "customers": f"{customers[j]:,}"}
        row |= {"share": f"{100 * customers[j] / max(1, customers.sum()):.1f} %", "trust": f"{trust[j]:.2f}"}
        row |= {"index": f"{sticky.value[j]:.2f}" if known else "–"}
        row |= {"error": f"± {INTERVAL * sticky.error[j]:.2f}" if known else ""}
        row |= {"versus": "" if twin is None else f"{customers[j] - twin[j]:+,}"}
        rows.append(row)
    return rows
