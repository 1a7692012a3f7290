"""How a value of a scenario stands in a cell of a table."""

import json
from typing import Any

from sim.model.paths import bare


def as_cell(value: Any) -> int | float | str | bool:
    """A value as a cell: a number or text as it is, a whole member as JSON.

    >>> as_cell({"week": 3, "firm": "a"})
    '{"firm": "a", "week": 3}'
    """
    plain = bare(value)
    return plain if isinstance(plain, int | float | str | bool) else json.dumps(plain, sort_keys=True, default=str)
