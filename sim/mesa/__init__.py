"""The same simulation as a Mesa model: `Market`, `Consumer` and `Competitor` are views of the engine's arrays.

`Market().step()` is a week. Under activation="kernel" everybody is simulated at once; under "agents" each consumer's
own `step()` is called in Mesa's shuffled order. Both give the same numbers to the bit. Reading or writing an attribute
of an agent reads or writes the arrays that the engine uses. `Market` and `Consumer` have the names of two parts of
`sim.model.fields`, because a Mesa user expects the model and its agents to be called by their nouns.
"""

from sim.mesa.agents import Competitor, Consumer
from sim.mesa.arguments import MOST_AGENTS
from sim.mesa.attributes import Bond
from sim.mesa.model import Market

__all__ = ["MOST_AGENTS", "Bond", "Competitor", "Consumer", "Market"]
