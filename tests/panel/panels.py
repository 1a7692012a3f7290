"""Small panels as files, for tests."""

import io
import zipfile
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from sim import panel
from sim.panel.report import read_summary


def written(table, folder, name="panel.csv", **kw):
    """The path of a table written as a file."""
    path = folder / name
    if name.endswith(".parquet"):
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, **kw)
    return path


def refused(content, sentence, folder, **options):
    """Hold that a file of this content is refused, with this one sentence."""
    (folder / "panel.csv").write_text(content)
    with pytest.raises(panel.PanelError, match=sentence) as caught:
        panel.read(folder / "panel.csv", **options)
    assert len(caught.value.complaints) == 1


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


CHOICES = ("BCAC", "BAAA", "BABC", "AAAC", "ABBB", "AABA")
NAMES = {"A": "Aro", "B": "Bel", "C": "Cim"}
BOUGHT = [(c, w, NAMES[b]) for c, choices in enumerate(CHOICES, 1) for w, b in enumerate(choices, 1)]  # 24 purchases


class Case(NamedTuple):
    """A file's content, and what is expected: households, purchases, brands, and something that is said."""

    content: str | bytes
    households: int
    purchases: int
    brands: int = 3
    said: str = ""
    name: str = "panel.csv"
    options: dict | None = None


def rows(header, row, sep=",", keep=lambda c, w, b: True):
    """A file with a row for each purchase."""
    lines = [sep.join(map(str, row(c, w, b))) for c, w, b in BOUGHT if keep(c, w, b)]
    return "\n".join([header, *lines]) + "\n"


def several(header, many):
    """A file with several rows for each purchase."""
    return "\n".join([header, *(",".join(map(str, r)) for c, w, b in BOUGHT for r in many(c, w, b))]) + "\n"


def zipped(text):
    with zipfile.ZipFile(stream := io.BytesIO(), "w") as archive:
        archive.writestr("export/panel.csv", text)
    return stream.getvalue()


def check(case, folder):
    """Read a case's file: as many households, purchases and brands as expected, and every row accounted for."""
    path = folder / case.name
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    p = panel.read(path, **(case.options or {}))
    said = "\n".join([*read_summary(p), *p.warnings])
    assert (len(p.households), len(p.hh), len(p.brands)) == (case.households, case.purchases, case.brands), said
    assert case.said in said, said
    dropped = sum(n for n, _ in p.left_out)
    assert p.rows == len(p.hh) + dropped, "every row of the file is a purchase or left out with a reason"


PLAIN = rows("customer,week,brand", lambda c, w, b: (c, w, b))
