"""Who a customer is: a person whose last use of the category was at the firm, in either regime.

Of a provider that is everybody who is with it; of a shop or a brand, whoever went there or bought it last.
"""

import numpy as np

from sim.measure.tally import Array, Tally


def customers(tally: Tally) -> Array:
    """Customers as each week ends, [g, t, s, j], from the tally of a run.

    They are those of the start plus all who joined, less all who left, so the count is exact.
    """
    start = tally.transitions[:, 0].sum(axis=-1)[:, None]  # [g, 1, s, firm or none]
    flow = tally.flow
    moved = flow.sum(axis=-2) - flow.sum(axis=-1)
    stock: Array = (start + np.cumsum(moved, axis=1))[..., 1:]
    return stock
