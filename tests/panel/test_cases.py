"""The small inputs beside this checkout are read as their notes say."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sim import panel
from sim.panel.report import read_summary

CASES = Path(__file__).parents[3] / "shared" / "cases"

SHARED = {  # households, purchases, brands
    "camel_case": (6, 24, 3),
    "choice_zero": (6, 16, 3),
    "chosen_rows": (6, 24, 3),
    "day_first_two_digit_year": (6, 24, 3),
    "entrant": (7, 28, 2),
    "events": (6, 6, 3),
    "guest_checkout": (6, 21, 3),
    "id_is_order": (6, 24, 3),
    "iso_first_of_month": (6, 24, 3),
    "leading_zero_ids": (6, 24, 3),
    "line_items": (4, 12, 3),
    "long_true_false": (3, 9, 3),
    "non_buyers": (9, 24, 3),
    "order_date": (6, 24, 3),
    "price_decimal_comma": (6, 24, 3),
    "price_each": (6, 24, 3),
    "quantity": (6, 24, 3),
    "returns": (6, 18, 3),
    "sep_line": (6, 24, 3),
    "shop_export": (6, 24, 3),
    "weights": (6, 24, 3),
    "whitespace": (6, 24, 3),
}
SAID = {
    "choice_zero": "nothing bought (choice is 0)",
    "day_first_two_digit_year": "2021-01-03 to 2021-02-21",
    "entrant": "The dates tell the order of purchases",
    "events": "12  event_type is view",
    "guest_checkout": "3  no customer (customer is empty)",
    "id_is_order": "customer: customerNumber",
    "order_date": "not in the order of time; they have been sorted",
    "price_each": "price (below 0 = returned): Price Each",
    "returns": "6  returned (quantity below 0)",
    "weights": "Households are weighted by weight",
}


def shared(name):
    path = next((p for p in CASES.glob(f"{name}.*") if p.suffix != ".md"), None)
    if path is None:
        pytest.skip("the cases are not beside this checkout")
    return path


@pytest.mark.parametrize("name", SHARED)
def test_a_case_is_read_as_its_note_says(name):
    p = panel.read(shared(name))
    said = "\n".join([*read_summary(p), *p.warnings])
    assert (len(p.households), len(p.hh), len(p.brands)) == SHARED[name], said
    assert SAID.get(name, "") in said, said
    assert "day or the month" not in said
    assert np.isfinite(panel.measure(p).query("metric == 'share'").value).all()


def test_the_figures_of_cases():
    found = {
        n: panel.measure(shared(n)).set_index(["firm", "metric"]).value for n in ("quantity", "non_buyers", "entrant")
    }
    assert found["quantity"]["Cim", "unit_share"] == pytest.approx(0.64, abs=0.005)
    assert found["non_buyers"]["", "category_penetration"] == pytest.approx(0.67, abs=0.005)
    assert found["entrant"]["New", "churn"] == 0 and 0 < found["entrant"]["Old", "churn"] < 1


def test_a_case_without_header_is_told_so():
    with pytest.raises(panel.PanelError, match=r"the first line .* looks like a purchase, not like names of columns"):
        panel.read(shared("no_header"))


@pytest.mark.parametrize("name", ["se_by_numbering", "slow_fit", "many_brands", "index_parquet"])
def test_a_script_beside_this_checkout_passes(name, tmp_path):
    done = subprocess.run(
        [sys.executable, shared(name)], cwd=tmp_path, env=here(tmp_path), capture_output=True, text=True
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["gzip", "name_columns", "piped_names"])
def test_a_command_beside_this_checkout_passes(name, tmp_path):
    done = subprocess.run(["bash", shared(name)], cwd=tmp_path, env=here(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stdout + done.stderr


def here(folder):
    """An environment in which `stickiness` is this checkout and temporary folders are in one of our own."""
    command = folder / "stickiness"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sim "$@"\n')
    command.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(folder)}
