"""How much one page server carries: people, weeks, bytes and visitors, and what each visitor has reserved."""

import threading
from weakref import WeakKeyDictionary

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario

PEOPLE = 1_000_000  # per visitor; a twin doubles them
BONDS = 20_000_000  # people x firms of all visitors together, 24 bytes each and as much again in a twin
WEEKS = 1_040  # that a market is played; counts of every week are kept
HORIZON = WEEKS + 104  # weeks a scenario may have: a market under way looks a year ahead
BURN_IN = 520  # weeks simulated before week 0, while the visitor waits
VISITORS = 20  # with a market at the same time
KERNELS = 2 * VISITORS  # connections known to Solara, visitors who wait included
SOCKETS = 4  # connections of one visitor: a browser that reconnects has two for a moment
LINK = 16_384  # characters of a link
ADDRESS = 4_096  # characters that go into the address bar; a longer state is a file
UPLOAD = 2_000_000  # bytes of a file that a visitor sends, in parts
MESSAGE = 65_536  # bytes of a message from a browser, parts of a file included

OWN_FILES: set[str] = set()  # files of calibrated markets that this server itself has written


def check_limits(scenario: Scenario) -> None:
    """ScenarioError with everything in which a scenario is larger than the page allows."""
    most = {"people": PEOPLE, "weeks": HORIZON, "burn_in": BURN_IN}
    wrong = [
        f"{name}: {getattr(scenario, name):,} is more than the page plays ({top:,}); use the command line instead"
        for name, top in most.items()
        if getattr(scenario, name) > top
    ]
    if scenario.network.kind == "file" or scenario.network.edges:
        wrong.append("network: the page reads no file of edges; use the command line instead")
    wrong += [
        f"{name}: the page reads no file; use the command line instead"
        for name in ("calendar", "population", "posterior")
        if getattr(scenario, name) and getattr(scenario, name) not in OWN_FILES
    ]
    if wrong:
        raise ScenarioError(wrong)


class Capacity:
    """How many people x firms each visitor of this server has reserved."""

    def __init__(self) -> None:
        self._reserved: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def reserve(self, visitor: object, scenario: Scenario) -> None:
        """Reserve a market for a visitor, instead of an earlier one; ScenarioError where there is no capacity left."""
        bonds = scenario.people * len(scenario.firms)
        with self._lock:
            others = {other: size for other, size in self._reserved.items() if other is not visitor}
            if len(others) >= VISITORS:
                raise ScenarioError(
                    [f"{VISITORS} visitors play already, the most that this server takes; press Reset later"]
                )
            left = BONDS - sum(others.values())
            if bonds > left:
                raise ScenarioError([_too_large(scenario, bonds, left)])
            self._reserved[visitor] = bonds

    def release(self, visitor: object) -> None:
        """Release what a visitor has reserved."""
        with self._lock:
            self._reserved.pop(visitor, None)

    def __len__(self) -> int:
        return len(self._reserved)


def _too_large(scenario: Scenario, bonds: int, left: int) -> str:
    return (
        f"people: {scenario.people:,} with {len(scenario.firms)} firms are {bonds:,} people x firms; all visitors "
        f"together have {BONDS:,}, of which {max(left, 0):,} are free; choose fewer people, or wait"
    )


CAPACITY = Capacity()
