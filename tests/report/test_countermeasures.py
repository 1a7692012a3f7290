"""One command, one table, one figure: what would have helped, or a sentence and nothing written."""

import os
from pathlib import Path

import pandas as pd
import pytest

from sim.report.countermeasures import FILES
from sim.study.countermeasures import measures

SMALL = ["scandal=outage", "people=300", "weeks=40", "burn_in=4"]


def test_the_command_prints_every_row_and_leaves_four_files(command):
    status, out, _ = command("countermeasures", *SMALL, "out=helped")
    table = pd.read_csv("helped/countermeasures.csv")
    assert status == 0 and set(os.listdir("helped")) == set(FILES) and out.endswith(", ".join(FILES) + "\n")
    assert set(table["name"]) <= set(measures()) and len(table) >= 8
    for row in table.itertuples():
        assert row.label in out and " ".join(row.known.split()[:6]) in out
    assert "10 % of the firm's revenue" in out and "not given" in out
    assert Path("helped/countermeasures.png").read_bytes()[:4] == b"\x89PNG"
    before = {name: Path("helped", name).read_bytes() for name in FILES}
    status, _, err = command("countermeasures", *SMALL, "out=helped")
    assert status == 2 and "already holds countermeasures.csv" in err
    assert before == {name: Path("helped", name).read_bytes() for name in FILES}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["market=bank", "people=300"], "no scandal is chosen; add one, as in scandal=data_breach"),
        (["bank", "breach"], "2 things are wrong:\n  'bank': not a setting"),
        (["scandal=outage", "out="], "out: no value is given"),
        (["scandal=outage", "out=a", "out=b"], "out: give one folder"),
        (["scandal=outrage"], "scandal: 'outrage' is no preset; did you mean outage?"),
        ([*SMALL, "firms.colgate.price=-1", "out=new"], "firms.colgate.price"),
        ([*SMALL, "base=0", "out=new"], "base=0: countermeasures are told in % of the loss"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(words, said, command):
    before = os.listdir(".")
    status, out, err = command("countermeasures", *words)
    assert status == 2 and not out and said in err and os.listdir(".") == before
