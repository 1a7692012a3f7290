"""The worlds in which an answer is given: as many as were asked for, or as take a few seconds."""

from collections.abc import Mapping, Sequence

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.study import priors
from sim.study import worlds as kept
from sim.study.over_worlds import affordable
from sim.study.worlds import NEW_SCANDAL, Plausible, plausible, possible

NONE = Plausible((), "")
CASES = (
    "draws of the new scandal whose losses have the median and spread of the cases; the market's own numbers as they "
    "are: the cases already hold their spread"
)


def check_files() -> None:
    """ScenarioError, or OSError, where the priors or the kept worlds cannot be read."""
    priors.shipped()
    kept.shipped()


def worlds(scenario: Scenario, asked: int | None, new: Sequence[Mapping[str, object]] = ()) -> Plausible:
    """Kept worlds of the market, or draws of the numbers that are not known; and in words which.

    `new` are draws of the scandal `new` as changes of the scenario (`sim.casebook.new_scandal`): with them the worlds
    are those draws. ScenarioError where fewer can be made than are asked for.
    """
    if new and NEW_SCANDAL in scenario.scandals:
        return Plausible(tuple(w for w in new[:asked] if possible(scenario, w)), CASES)
    weeks = [s.week for s in scenario.scandals.values()] + [m.week for m in scenario.moves.values()]
    many = affordable(scenario, max(weeks, default=0)) if asked is None else asked
    found = plausible(scenario, many)
    if asked and len(found.worlds) < asked:
        raise ScenarioError([f"worlds: of {asked} asked for only {len(found.worlds)} can be made; ask for fewer"])
    return found
