"""A visitor's own purchase file: what is understood of it, and that nothing of it is kept."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("solara", reason="the page needs the extra `page`")
pytest.importorskip("mesa", reason="the page needs the extra `page`")

from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.page import decide, limits, own_data
from sim.page.export import link, linked
from sim.page.game import OWN, Game, preset, preset_and_shares
from sim.page.own_data import OwnData
from sim.report import html_report


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
        ("mine.csv", b"", "mine.csv"),
        ("mine.csv", b"a,b\n1,2\n", "mine.csv"),
    ],
)
def test_what_is_no_purchase_file_is_a_sentence(name, content, says):
    with pytest.raises(ScenarioError) as error:
        own_data.read(name, content)
    assert any(says in c for c in error.value.complaints) and "/tmp" not in str(error.value)


def test_reports_do_not_hide_the_market_that_is_played():
    def opened(data, market):
        return re.findall(r"<details open><summary>(.*?)<", own_data.shown(data, market))

    read = OwnData("mine.csv", None, "what was read")
    fitted = OwnData("mine.csv", None, "what was read", "what was fitted", "own_x")
    assert opened(read, "bank") == ["Read and measured"] and opened(fitted, "bank") == ["The market fitted to it"]
    assert opened(fitted, "own_x") == [] and own_data.shown(fitted, "own_x").count("<details>") == 2


def test_a_fitted_market_is_played_and_reported_with_the_line_that_makes_it(monkeypatch):
    monkeypatch.setitem(OWN, "own_test", preset_and_shares("bank"))
    game = Game(change(preset("own_test"), {"people": 300, "burn_in": 4}))
    game.scandal("data_breach", game.start.focus)
    monkeypatch.setattr(decide, "WORLDS", 2)
    found = decide.decided("own_test", decide.question(game), game.events, decide.Money())
    text = html_report.html(decide.report(found, (), decide.Money()))
    fit, answer = re.findall("<code>(.*?)</code>", text)
    assert fit == "python -m sim calibrate panel=FILE out=my_market"
    assert answer.startswith("python -m sim market=my_market ") and "own_test" not in text
    monkeypatch.delitem(OWN, "own_test")
    with pytest.raises(ScenarioError, match="not kept after your visit"):
        linked(link("bank", game).replace("market=bank", "market=own_test"))


def test_a_fitted_market_goes_with_its_visitor(tmp_path):
    folder = tmp_path / "fitted"
    folder.mkdir()
    (folder / "people.parquet").write_bytes(b"x")
    limits.OWN_FILES.add(str(folder / "people.parquet"))
    OWN["own_test"] = ("scenario", {})
    OwnData("mine.csv", None, "", "", "own_test", str(folder)).forget()
    assert not folder.exists() and "own_test" not in OWN and str(folder / "people.parquet") not in limits.OWN_FILES
    assert Path(tmp_path).exists()
