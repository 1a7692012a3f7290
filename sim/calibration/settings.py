"""The numbers of conf/calibration.yaml: priors, length of the sampler, size of what is sampled."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from sim.calibration.choices import Terms, Variant, trends, weight_names
from sim.calibration.compiled.sampler import HyperPrior
from sim.study.presets import CONF

Numbers = Mapping[str, float]


@cache
def settings() -> Mapping[str, Mapping[str, float | list[float]]]:
    """The file, by section."""
    import yaml

    return dict(yaml.safe_load((CONF / "calibration.yaml").read_text(encoding="utf-8")))


def number(section: str, name: str) -> float:
    """A number of the file."""
    value = settings()[section][name]
    assert not isinstance(value, list)
    return float(value)


def pair(name: str) -> tuple[float, float]:
    """Mean and standard deviation of a prior."""
    value = settings()["priors"][name]
    assert isinstance(value, list)
    return float(value[0]), float(value[1])


def prior_of(terms: Terms, variant: Variant) -> HyperPrior:
    """The prior of a variant, in the estimator's order of parameters."""
    tastes = len(terms.share) - 1
    means = [pair("taste_mean")] * tastes
    scales = [number("priors", "taste_sd")] * tastes
    if terms.mean_price is not None:
        log = "log_" if variant.log_normal else ""
        means.append(pair(f"{log}price_weight_mean"))
        scales.append(number("priors", f"{log}price_weight_sd"))
    kinds = {"feature": "promotion", "display": "promotion", "gain": "gain_loss", "loss": "gain_loss"}
    kinds |= dict.fromkeys(trends(terms), "trend")
    common = [pair(kinds.get(name, name)) for name in weight_names(terms, variant) if name != "habit"]
    common.insert(-1, (0.0, number("priors", "habit_scale")))
    mean, sd = np.array(means).T
    common_mean, common_sd = np.array(common).T
    return HyperPrior(
        np.ascontiguousarray(mean),
        np.ascontiguousarray(sd),
        np.array(scales),
        number("priors", "covariance_df"),
        np.ascontiguousarray(common_mean),
        np.ascontiguousarray(common_sd),
        number("priors", "habit_df"),
    )
