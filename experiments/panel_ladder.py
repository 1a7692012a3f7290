"""A ladder of models on purchase panels: simple ones, published kinds that were fitted elsewhere, and our market.

    python experiments/panel_ladder.py PANELS OUT

Question: how far up a ladder of reference models is a market that `stickiness calibrate` makes, on held-out purchases?
Design: every PANELS/NAME.csv with hh, t, choice, price_BRAND in the order of purchase. The first ceil(70 %) of the
purchases of households with at least 4 make OUT/NAME, a market for `stickiness market=OUT/NAME`, kept and
used again if it is there. Market share, last brand, Dirichlet and the loyalty logit are fitted here, and models fitted
elsewhere are read from PANELS/reference_NAME.json: {"models": {MODEL: {"hold_per_obs": NUMBER}}}.
Reading: log-likelihood per held-out purchase, one step ahead; differences of those fitted here with their error
over households (bootstrap). Of models fitted elsewhere no chances are there, so their differences have no error.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.calibrate_panel import held_out
from sim.calibration.references import bootstrap_error
from sim.panel import PanelError, read


def elsewhere(panel: Path) -> dict[str, float]:
    """Log-likelihood per held-out purchase of models that were fitted elsewhere."""
    path = panel.with_name(f"reference_{panel.stem}.json")
    if not path.exists():
        return {}
    return {name: float(m["hold_per_obs"]) for name, m in json.loads(path.read_text())["models"].items()}


def ladder(panel: Path, folder: Path) -> pd.DataFrame:
    """model, value, market less value, its error (nan where there is none), fitted here or not; the best first."""
    _, at, each = held_out(panel, folder)
    hh, mine = at.choices.hh[at.asked], each["market"]
    rows = [(n, ll.mean(), (mine - ll).mean(), bootstrap_error(mine - ll, hh), True) for n, ll in each.items()]
    rows += [(n, value, mine.mean() - value, np.nan, False) for n, value in elsewhere(panel).items()]
    return pd.DataFrame(rows, columns=["model", "value", "gain", "error", "here"]).sort_values("value", ascending=False)


def main(panels: Path, out: Path) -> dict[str, pd.DataFrame]:
    """Print the ladder of every panel of a folder; those that are not in the order of purchase get their sentence."""
    out.mkdir(parents=True, exist_ok=True)
    found = {}
    for path in sorted(panels.glob("*.csv")):
        try:
            if not read(path).ordered:
                print(f"\n{path.stem}: the rows are not in the order of purchase, so nothing is predicted")
                continue
            table = found[path.stem] = ladder(path, out / path.stem)
        except PanelError as error:
            print(f"\n{path.stem}: {error}")
            continue
        print(f"\n{path.stem}: log-likelihood per held-out purchase")
        for r in table.itertuples():
            if r.model == "market":
                print(f"  {'market (stickiness calibrate)':<34}{r.value:9.4f}")
                continue
            error = f" ({r.error:.4f})" if np.isfinite(r.error) else ", fitted elsewhere"
            print(f"  {r.model:<34}{r.value:9.4f}   market better by {r.gain:+.4f}{error}")
    return found


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
