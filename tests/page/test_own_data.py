"""A visitor's own purchase file: what is understood of it, and that nothing of it is kept."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

from sim.model.declare import ScenarioError
from sim.page import limits, own_data
from sim.page.game import OWN
from sim.page.own_data import OwnData


def purchases():
    """60 households, 8 purchases each, and a line without a brand."""
    rng, lines = np.random.default_rng(4), ["household,date,brand"]
    for hh in range(60):
        likes = rng.dirichlet([0.5, 0.5, 0.5])
        for n in range(8):
            lines.append(f"{hh},2024-{1 + n:02d}-{1 + hh % 28:02d},{rng.choice(['anchor', 'lurpak', 'own'], p=likes)}")
    return "\n".join([*lines, "3,2024-09-01,"]).encode()


def test_what_was_understood_is_said_and_the_file_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = own_data.read("mine.csv", purchases())
    for said in (
        "customer: household",
        "brand: brand",
        "1 of 481 rows left out",
        "60 households",
        "lurpak",
        "stickiness",
    ):
        assert said in found.report, found.report[:600]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("mine.exe", b"", "the page reads .csv"),
        ("mine.csv", b"", "purchases.csv"),
        ("mine.csv", b"a,b\n1,2\n", "purchases"),
    ],
)
def test_what_is_no_purchase_file_is_a_sentence(name, content, says):
    with pytest.raises(ScenarioError) as error:
        own_data.read(name, content)
    assert any(says in c for c in error.value.complaints) and "/tmp" not in str(error.value)


def test_a_fitted_market_goes_with_its_visitor(tmp_path):
    folder = tmp_path / "fitted"
    folder.mkdir()
    (folder / "people.parquet").write_bytes(b"x")
    limits.OWN_FILES.add(str(folder / "people.parquet"))
    OWN["own_test"] = ("scenario", {})
    OwnData("mine.csv", None, "", "", "own_test", str(folder)).forget()
    assert not folder.exists() and "own_test" not in OWN and str(folder / "people.parquet") not in limits.OWN_FILES
    assert Path(tmp_path).exists()
