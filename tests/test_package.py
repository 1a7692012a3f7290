"""What `import sim` offers: names that load when first used, short reprs, tables with labels."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.measure import metrics
from sim.study.twins import twins
from tests.markets import market

ROOT = Path(__file__).parents[1]
SCANDAL = {"scandals.x": {"firm": "f0", "week": 3, "action": 8.0}}


def run_python(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", sim.__all__)
def test_every_name_is_there(name):
    assert getattr(sim, name) is not None and name in dir(sim)


def test_importing_it_loads_nothing():
    code = "import sys, {}; print(sorted(sys.modules))"
    usual, with_sim = (set(eval(run_python(code.format(n)))) for n in ("typing, importlib", "sim"))
    assert with_sim - usual <= {"sim", "re", "collections", "functools"}


def test_what_is_misspelled_is_said():
    with pytest.raises(AttributeError, match="module 'sim' has no attribute 'scenaro'"):
        sim.scenaro  # noqa: B018
    with pytest.raises(ImportError):
        from sim import anatomy  # noqa: F401
    with pytest.raises(AttributeError, match=r"module 'sim\.study' has no attribute 'sweeps'"):
        sim.study.sweeps  # noqa: B018


def test_the_version_is_the_installed_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+.*|unknown", sim.__version__)


def test_types_are_marked():
    assert (ROOT / "sim" / "py.typed").is_file()


@pytest.fixture(scope="module")
def pair():
    return twins(market({"people": 600, "weeks": 26, "segments.b": {"attention": 0.5}}), SCANDAL)


class Cells(HTMLParser):
    """The rows of a table; unbalanced tags are an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def test_what_a_notebook_shows(pair):
    firms = list(pair.control.scenario.firms)
    for thing in (pair, pair.control, pair.changed.scenario):
        text = thing._repr_html_()
        rows = Cells(text).rows
        assert [row[0] for row in rows[1 : 1 + len(firms)]] == firms and len(text) < 4000
        assert len(repr(thing)) < 350 and "\n" not in repr(thing)
    run = Cells(pair.control._repr_html_()).rows
    assert run[0] == ["firm", "share", "stickiness"] and all("±" in cell for cell in run[1][1:])
    assert ["x", "scandal", "f0, week 3"] in Cells(pair.changed.scenario._repr_html_()).rows


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "a & b", "'\"<"])
def test_what_a_notebook_shows_is_escaped(title):
    told = market({"title": title, "people": 50, "weeks": 13})
    assert title not in told._repr_html_() and Cells(told._repr_html_())


def test_the_table_of_a_run(pair):
    table = pair.control.table()
    assert list(table.columns) == ["group", "firm", "metric", "value", "error", "low", "high"]
    assert set(table.group) == {"all", "segments.all", "segments.b"}
    found = table.query("group == 'all' and metric == 'share'").set_index("firm")
    assert found.value.sum() == pytest.approx(1) and (found.error > 0).all()


def test_the_table_of_twins_is_their_differences(pair):
    table = pair.table()
    assert list(table.columns) == ["group", "firm", "metric", "value", "error"]
    for group, segment in (("all", ""), ("segments.b", "b")):
        rows = table[(table.group == group) & (table.metric == "share")]
        value, error = pair.difference(metrics.share, segment)
        np.testing.assert_array_equal(rows.value, value)
        np.testing.assert_array_equal(rows.error, error)
    assert isinstance(table, pd.DataFrame) and not table.duplicated(["group", "firm", "metric"]).any()
