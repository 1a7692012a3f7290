"""The same market as a Mesa model: `Market`, `Consumer` and `Competitor` are views of rows and live the same rules.

`Market().step()` is a week. Under activation="kernel" everybody is lived at once, under "agents" each consumer's own
`step()` is called in Mesa's shuffled order: the same numbers to the bit. Reading or writing an attribute of an agent
reads or writes the arrays that the kernel lives.
"""

from sim.mesa.agents import Competitor, Consumer
from sim.mesa.arguments import MOST_AGENTS
from sim.mesa.attributes import Bond
from sim.mesa.model import Market

__all__ = ["MOST_AGENTS", "Bond", "Competitor", "Consumer", "Market"]
