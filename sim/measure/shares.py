"""The share a firm states, the one its presence reached, and the error of it."""

import math
from typing import NamedTuple


class Share(NamedTuple):
    """The share that a firm states, and what the presence solved for it gives in the reference market."""

    asked: float
    reached: float
    error: float  # standard error of `reached`, over the people on whom presence was solved

    @property
    def uncertainty(self) -> float:
        """Standard error of the share as the share asked for: what was missed, and what is not known."""
        return math.hypot(self.reached - self.asked, self.error)
