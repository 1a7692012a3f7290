"""Small panels as files, for tests."""

import numpy as np
import pandas as pd


def written(table, folder, name="panel.csv", **kw):
    """The path of a table written as a file."""
    path = folder / name
    if name.endswith(".parquet"):
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, **kw)
    return path


def little(seed=3, households=12, each=9):
    """A panel of 12 households in the order of purchase, brands a, b, c with prices and a feature."""
    rng = np.random.default_rng(seed)
    n = households * each
    table = pd.DataFrame({"hh": np.repeat(np.arange(households), each), "t": np.tile(np.arange(each), households)})
    table["choice"] = rng.choice(list("abc"), n, p=[0.5, 0.3, 0.2])
    for brand in "abc":
        table[f"price_{brand}"] = rng.uniform(1, 2, n).round(2)
        table[f"feat_{brand}"] = rng.integers(0, 2, n)
    return table
