"""What one process of the page serves at most: people, weeks, bytes and visitors, and who holds which part of it."""

import threading
from weakref import WeakKeyDictionary

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario

PEOPLE = 1_000_000  # of a visitor; a twin doubles them
CELLS = 20_000_000  # people x firms of all visitors together, 24 bytes each and as much again in a twin
WEEKS = 1_040  # that a market is played; counts of every week are kept
HORIZON = WEEKS + 104  # weeks a scenario may have: a market under way looks a year ahead
BURN_IN = 520  # weeks lived before week 0, while the visitor waits
VISITORS = 20  # who play at once
KERNELS = 2 * VISITORS  # who are connected or have been a moment ago, those who wait for a place included
SOCKETS = 4  # connections of one visitor: a browser that reconnects has two for a moment
LINK = 16_384  # characters of a link
MESSAGE = 65_536  # bytes of a message from a browser; nothing is uploaded


def check(scenario: Scenario) -> None:
    """ScenarioError that says everything in which a scenario is more than the page plays."""
    most = {"people": PEOPLE, "weeks": HORIZON, "burn_in": BURN_IN}
    wrong = [
        f"{name}: {getattr(scenario, name):,} are more than a page plays ({top:,}); run them instead"
        for name, top in most.items()
        if getattr(scenario, name) > top
    ]
    if scenario.network.kind == "file" or scenario.network.edges:
        wrong.append("network: a page reads no file of edges; run it instead")
    if wrong:
        raise ScenarioError(wrong)


class Places:
    """Who plays in this process, and how many people x firms each of them has."""

    def __init__(self) -> None:
        self._taken: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def take(self, visitor: object, scenario: Scenario) -> None:
        """Let a visitor have a market, instead of any that they had; ScenarioError where there is no room for it."""
        cells = scenario.people * len(scenario.firms)
        with self._lock:
            others = {who: held for who, held in self._taken.items() if who is not visitor}
            if len(others) >= VISITORS:
                raise ScenarioError(
                    [f"{VISITORS} visitors play already, which is as many as this server takes; press Reset later"]
                )
            left = CELLS - sum(others.values())
            if cells > left:
                raise ScenarioError([_crowded(scenario, cells, left)])
            self._taken[visitor] = cells

    def leave(self, visitor: object) -> None:
        """The visitor has no market any more."""
        with self._lock:
            self._taken.pop(visitor, None)

    def __len__(self) -> int:
        return len(self._taken)


def _crowded(scenario: Scenario, cells: int, left: int) -> str:
    return (
        f"people: {scenario.people:,} with {len(scenario.firms)} firms are {cells:,} people x firms; all visitors "
        f"together have {CELLS:,}, of which {max(left, 0):,} are free; choose fewer people, or wait"
    )


PLACES = Places()
