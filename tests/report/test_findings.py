"""Sentences: what is not detected is told by its interval, and what too few can tell is told as that."""

import itertools

import numpy as np
import pandas as pd
import pytest

from sim.report.findings import finding

NAN = float("nan")


def table(value=0.62, excess=0.0, error=0.02, firms=("colgate", "vw")):
    rows = [
        ("all", firm, metric, v, error)
        for firm in firms
        for metric, v in {"stickiness": value, "excess": excess}.items()
    ]
    return pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ({"excess": 0.1}, "Colgate is more sticky than its category: 0.62 against 0.52"),
        ({"excess": -0.1}, "Colgate is less sticky than its category: 0.62 against 0.72"),
        (
            {"excess": 0.01},
            "Colgate, stickiness 0.62: no difference from its category detected (between -0.03 and +0.05)",
        ),
        (
            {"excess": 0.0, "error": 0.0},
            "Colgate, stickiness 0.62: no difference from its category detected (between +0.00 and +0.00)",
        ),
        (
            {"excess": 0.3, "error": NAN},
            "Colgate: too few to tell whether it is more sticky than its category (0.62 against 0.32)",
        ),
        ({"excess": NAN}, "Colgate has a stickiness of 0.62"),
        ({"excess": NAN, "error": NAN}, "Colgate: too few to tell how sticky its customers are"),
        ({"value": NAN}, "Colgate: too few to tell how sticky its customers are"),
        ({"value": NAN, "firms": ("colgate",)}, "Colgate has no rivals"),
    ],
)
def test_a_firm_against_its_category(of, said):
    assert finding(table(**of), "colgate") == said


@pytest.mark.parametrize("beyond", [-0.1, 0.1])
def test_a_provider_is_set_against_the_index_of_all_providers(beyond):
    of_bank = table(excess=beyond).replace({"metric": {"excess": "above_category"}})
    assert finding(of_bank, "colgate") == finding(table(excess=beyond), "colgate")


def test_no_error_turns_into_the_claim_that_nothing_happened():
    for value, error in itertools.product((-0.3, -1e-3, 0, 1e-6, 0.2), (0, 1e-9, 1e-4, 0.01, 3, NAN)):
        sentence = finding(table(excess=value, error=error), "colgate")
        assert not {"held", "same", "unchanged"} & set(sentence.split()) and "no more" not in sentence
        assert "detected" not in sentence or "between" in sentence
        assert "too few to tell" in sentence or np.isfinite(error)
