"""The report to send: one file that needs nothing else, says what the answer says, and can be run again."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from sim.model.declare import ScenarioError
from sim.report import answer_text, html_report
from sim.report.html_report import Report, html, write
from sim.study.answer import answer
from sim.study.options import against, compare
from tests.markets import market

ROOT = Path(__file__).parents[2]
BREACH = {"scandals.breach": {"firm": "f0", "week": 10, "action": 12.0, "severity": 3.0}, "people": 1000}


@pytest.fixture(scope="module")
def report():
    told = market(BREACH)
    options = compare(dict(list(against(told).items())[:3]), base=1_000_000)
    return Report(told, answer(told, base=1_000_000), ["market=x", "a=b c"], options=options, worth=10.0)


class Tags(HTMLParser):
    """Every tag, with what is fetched from elsewhere, and whether tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.fetched = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.fetched += [v for k, v in attributes if k in ("src", "href") and v and not v.startswith(("data:", "#"))]
        if tag not in ("meta", "link", "br", "img", "path", "use", "g", "svg", "defs", "style", "rect", "clippath"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag


def test_it_is_one_page_that_fetches_nothing(report):
    text, tags = html(report), Tags()
    tags.feed(re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))
    assert not tags.open and tags.seen.count("h1") == 1 and not tags.fetched
    assert '<html lang="en">' in text and "<svg " in text and "<script" not in text and "url(http" not in text


def test_it_says_what_the_answer_says(report):
    text = html(report)
    for said in (answer_text.sentence(report.answer), answer_text.scaled_sentence(report.answer)):
        assert html_report.escape(said) in text
    for _, cells in answer_text.rows(report.answer)[1]:
        assert all(html_report.typeset(c) in text for c in cells)
    assert html_report.escape(shlex.join(["python", "-m", "sim", "market=x", "a=b c"])) in text
    assert "judgment" in text and "measured" in text


def test_numbers_are_set_as_numbers():
    assert html_report.typeset("a-1 -2.5 [-3.1, +.5] 1-2") == (
        "a-1 \N{MINUS SIGN}2.5 <span class=span>[\N{MINUS SIGN}3.1, +.5]</span> 1-2"
    )
    table = html_report.table_html(["what", "size"], [("all", ["1"]), ("  of these", ["-1"])])
    assert '<th scope="row" class=part>of these</th><td>\N{MINUS SIGN}1</td>' in table and "all</th>" in table


def test_options_are_those_of_single_answers(report):
    for option in report.options:
        alone = answer(option.scenario, base=1_000_000)
        pd.testing.assert_frame_equal(answer_text.table(option.answer), answer_text.table(alone))
    heads, rows = html_report.option_rows(report.options, 10.0, {})
    assert len(rows) == 3 and all(len(cells) == len(heads) - 1 for _, cells in rows)
    assert rows[0][1][0] == answer_text.cell(report.answer.worst.total.percent)


def test_options_of_other_people_are_refused(report):
    told = report.scenario
    with pytest.raises(ScenarioError, match="option b: differs"):
        compare({"a": told, "b": market({**BREACH, "people": 999})})
    with pytest.raises(ScenarioError, match="no event"):
        compare({"a": market()})


def test_what_decides_most_comes_first(report):
    felt = (("consumer.rate", 0.9), ("consumer.trust_weight", -0.5))
    known = replace(report.answer, influence=felt, drivers=felt[:1])
    paths = [path for path, _ in html_report.foundations(report.scenario, known)]
    assert paths[:2] == ["consumer.rate", "consumer.trust_weight"]


def test_nothing_is_overwritten(report, tmp_path):
    path = write(report, str(tmp_path / "cost.html"))
    before = path.read_bytes()
    with pytest.raises(ScenarioError, match="is there already"):
        write(report, str(path))
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["cost.html"]
    with pytest.raises(ScenarioError, match="HTML"):
        write(report, str(tmp_path / "cost.pdf"))


def test_wrong_files_are_one_error(command, tmp_path):
    (tmp_path / "there.html").write_text("mine")
    before = sorted(tmp_path.iterdir())
    status, _, said = command("report=there.html", "report=a.txt")
    assert status == 2 and "there.html is there already" in said and "HTML" in said
    status, _, said = command("-m", "people=1000,2000", "report=new.html")
    assert status == 2 and "not of a sweep" in said
    status, _, said = command("market=bank", "report=new.html", "people=1000")
    assert status == 2 and "no event" in said and "Traceback" not in said
    assert sorted(tmp_path.iterdir()) == before


def test_the_line_in_the_report_gives_the_same_report(command, tmp_path):
    words = ["market=bank", "scandal=data_breach", "people=1000", "burn_in=26", "weeks=52", "window=13", "worlds=5"]
    status, _, said = command(*words, "report=one.html")
    assert status == 0, said
    text = (tmp_path / "one.html").read_text(encoding="utf-8")
    line = re.search(r"<code>(.*?)</code>", text)[1]
    again = [sys.executable, "-m", "sim", *shlex.split(line)[3:], "report=two.html"]  # in another process
    subprocess.run(again, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    assert (tmp_path / "two.html").read_text(encoding="utf-8") == text
