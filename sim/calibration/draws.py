"""draws.csv: draws of the numbers of a calibrated market that its panel tells together, for its plausible worlds."""

from collections.abc import Iterator, Mapping

import numpy as np
import yaml

from sim.calibration.choices import weight_names
from sim.calibration.posterior import Posterior
from sim.calibration.preset import Numbers
from sim.calibration.provider_fit import ProviderFit
from sim.study.defaults import vocabulary

DRAWS = "draws.csv"
MANY = 100
ASSUMED = ("consumer.consideration_size",)  # tastes were estimated with it, so it is the same in every world
SOLVED = ("consumer.attention",)  # anew for the shares and moves seen, so its draws lie around what was found
WEIGHTS = {"feature": "consumer.feature_weight", "display": "consumer.display_weight", "habit": "consumer.habit_weight"}
LINE = f"posterior: {DRAWS}  # draws of the numbers above, which plausible worlds are made of\n"


def of_purchases(posterior: Posterior, numbers: Numbers, preset: str) -> str:
    """The file's text for a market of purchases with this market.yaml."""
    draws = posterior.draws[posterior.simulator]
    picks = np.unique(np.linspace(0, len(draws.mu) - 1, MANY).astype(int))
    common, mean = draws.common[picks], numbers.means[picks]
    found = {
        WEIGHTS[n]: common[:, k] for k, n in enumerate(weight_names(posterior.terms, draws.variant)) if n in WEIGHTS
    }
    found["consumer.habit_rate"] = 1 / (1 + np.exp(-common[:, -1]))
    if posterior.terms.mean_price is not None:
        found["consumer.price_weight"] = np.exp(draws.mu[picks, -1])
    given = _numbers(preset)
    for j, firm in enumerate(posterior.firms[1:]):
        path = f"firms.{firm}.presence"
        found[path] = given[path] * np.exp(mean[:, j] - mean[:, j].mean())
    largest = f"firms.{posterior.firms[0]}.presence"  # the others are relative to it
    found[largest] = np.full(len(picks), given[largest])
    return _text(given, found)


def of_providers(fitted: ProviderFit, preset: str) -> str:
    """The file's text for a market of providers with this market.yaml: points of the posterior by their weights."""
    table = fitted.posterior.draws
    reached = np.cumsum(table["weight"]) / table["weight"].sum()
    picks = np.searchsorted(reached, (np.arange(MANY) + 0.5) / MANY).clip(max=len(table) - 1)
    given = _numbers(preset)
    found = {path: table[path].to_numpy(float)[picks] for path in table if path != "weight"}
    found |= {path: found[path] * given[path] / np.median(found[path]) for path in SOLVED if path in found}
    return _text(given, found)


def _numbers(preset: str) -> dict[str, float]:
    """The numbers of a market.yaml by their paths."""

    def walked(part: Mapping[str, object], above: str) -> Iterator[tuple[str, float]]:
        for name, value in part.items():
            if isinstance(value, Mapping):
                yield from walked(value, f"{above}{name}.")
            elif isinstance(value, int | float):
                yield f"{above}{name}", float(value)

    return dict(walked(yaml.safe_load(preset), ""))


def _text(given: dict[str, float], found: dict[str, np.ndarray]) -> str:
    """A column a number that the preset has, its own value first; draws beyond what is allowed are at the bound."""
    import pandas as pd

    declared = dict(vocabulary())
    many = len(next(iter(found.values())))
    found = found | {path: np.full(many, given[path]) for path in ASSUMED if path in given}
    columns = {}
    for path, values in found.items():
        if path in given:
            d = declared.get(path) or declared["firms.NAME.presence"]
            columns[path] = np.r_[given[path], np.clip(values, d.low, d.high)]
    return pd.DataFrame(columns).to_csv(index=False, float_format="%.7g", lineterminator="\n")
