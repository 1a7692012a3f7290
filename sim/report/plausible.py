"""The worlds in which an answer is given: as many as were asked for, or as take a few seconds."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.study.over_worlds import affordable

PRIORS = "sim.study.priors"
SOURCE = "numbers drawn from their priors, not yet limited to worlds that give what was measured; presence as it is"
MOST_TRIES = 4  # draws for each world that is wanted: some contradict themselves


def worlds(scenario: Scenario, asked: int | None) -> list[Mapping[str, object]]:
    """Draws of the numbers that are not known; none where there are no priors and none are asked for.

    ScenarioError if worlds are asked for and there are no priors to draw from.
    """
    weeks = [s.week for s in scenario.scandals.values()] + [m.week for m in scenario.moves.values()]
    last = max(weeks, default=0)
    many = affordable(scenario, last) if asked is None else asked
    if find_spec(PRIORS) is None:
        if asked:
            raise ScenarioError(["worlds: there are no priors to draw them from; leave it out"])
        return []
    draw, found = import_module(PRIORS).draw, list[Mapping[str, object]]()
    for key in range(MOST_TRIES * many):
        if len(found) == many:
            break
        drawn = draw(scenario, key)
        try:
            change(scenario, drawn)
        except ScenarioError:
            continue
        found.append(drawn)
    return found
