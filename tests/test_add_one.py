"""CONTRIBUTING's table "to add X, touch Y", held by doing it: each row is added to a copy of the project and used."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.test_style import tracked

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow  # the copy compiles its own kernel, and once more for what is compiled anew

MARKET = """\
# @package _global_
# Two stands on one square.
title: Two stands
focus: left
people: 400
weeks: 26     # weeks
window: 13    # weeks
burn_in: 13   # weeks
firms:
  left: {presence: 0.6}   # share (assumption)
  right: {presence: 0.4}  # share (assumption)
"""
SCANDAL = """\
# @package _global_
# The stand on the left is rude to everybody.
scandals:
  rude:
    firm: left
    kind: service
    week: 4        # week
    severity: 5.0  # logit (assumption)
    reach: 1.0     # share of people (assumption)
"""
LEVER = """\
# @package _global_
# The stand on the right gives it away.
moves:
  gift:
    firm: right
    lever: price
    week: 4     # week
    value: 0.1  # index, 1 = category average (assumption)
"""
METRIC = '''

@metric("double_share", "twice the share", unit="ratio", per="week", needs="uses", short="doubled")
def double_share(tally: Tally) -> Array:
    """Twice the market share."""
    return 2 * share(tally)
'''
EXPERIMENT = '''\
"""Two stands on one square.

Question: is the left one larger?
Design: both as they are.
Reading: share, with its error.
"""

import pandas as pd

from sim import study
from sim.report import figures
from sim.report.experiment import keep, largest, play

FAST = {"people": 300, "replications": 2}


def main(people: int = 1000, replications: int = 4) -> pd.DataFrame:
    market = study.scenario("market=stands", f"people={people}", f"replications={replications}")
    table = study.simulate(market).table()
    shares = table[(table.metric == "share") & (table.group == table.group.iloc[0])].assign(market="stands")
    finding = [f"the larger is {largest(shares, 'firm')}"]
    keep("two_stands", shares, figures.dots(shares, "firm", "", "market", "Two stands", "share"), finding=finding)
    return shares


if __name__ == "__main__":
    play(main, FAST)
'''
TRAIT = (
    (
        "sim/model/fields.py",
        "    drift: float = trait(",
        '    thrift: float = trait(0.0, 0, 50, "logit/index", "pull of the left stand")\n',
    ),
    ("sim/model/rules/choose.py", "    v -= firm.effort\n", "    v += traits.thrift * (ONE - firm.price)\n"),
)
LEVER_ANEW = (
    ("sim/model/fields.py", "    touchpoints: dict", '    charm: float = trait(0.0, -50, 50, "logit", "its charm")\n'),
    ("sim/model/rules/choose.py", "    v -= firm.effort\n", "    v += firm.charm\n"),
)


class Project:
    """A copy of the project, in which rows are added and run."""

    def __init__(self, folder: Path):
        self.folder, self.number = folder / "project", 0
        for path in tracked():
            if path.suffix != ".png":
                target = self.folder / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
        self.write("conf/market/stands.yaml", MARKET)
        own = {"PYTHONPATH": str(self.folder), "NUMBA_CACHE_DIR": str(folder / "compiled"), "COLUMNS": "400"}
        self.env = {**os.environ, **own}
        self.before = self.digests()

    def digests(self) -> dict[str, str]:
        files = [p for top in ("conf", "sim", "experiments") for p in (self.folder / top).rglob("*") if p.is_file()]
        found = {p.relative_to(self.folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
        return {name: digest for name, digest in found.items() if "__pycache__" not in name}

    def touched(self) -> list[str]:
        """The files that differ from those of the project."""
        now = self.digests()
        return sorted(name for name in {*now, *self.before} if now.get(name) != self.before.get(name))

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def insert(self, name: str, anchor: str, line: str) -> None:
        """A line before the one that begins with the anchor."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(anchor) == 1, f"{name}: {anchor!r} is not there once"
        self.write(name, text.replace(anchor, line + anchor))

    def python(self, *words: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *overrides: str) -> pd.Series:
        """The figures of a run by group, firm and metric; `shown` has what it prints."""
        self.number += 1
        out = self.folder.parent / f"run{self.number}"
        market = () if overrides[:1] == ("market=mine",) else ("market=stands",)
        self.shown = self.python("-m", "sim", *market, *overrides, f"hydra.run.dir={out}")
        return pd.read_csv(out / "metrics.csv").fillna({"firm": ""}).set_index(["group", "firm", "metric"])["value"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("added"))


@pytest.fixture
def project(plain):
    """The copy; what a test adds to it is taken away again."""
    yield plain
    for name in plain.touched():
        source = ROOT / name
        if source.exists():
            shutil.copy2(source, plain.folder / name)
        else:
            (plain.folder / name).unlink()


@pytest.fixture(scope="module")
def usual(plain):
    return plain.run()


def promised(row: str) -> list[str]:
    """The files and folders that CONTRIBUTING's table names for a row."""
    lines = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    (cell,) = [cells[2] for line in lines if (cells := line.split("|"))[1:2] == [f" {row} "]]
    return [path for path in re.findall(r"`([^`]+)`", cell) if "/" in path]


def check_touched(project: Project, row: str) -> None:
    """Exactly as many files as the table says, and those."""
    touched, wanted = project.touched(), promised(row)
    assert len(touched) == len(wanted)
    for path, pattern in zip(touched, sorted(wanted), strict=True):
        inside = r".+\.py" if pattern.endswith("/") else ""
        assert re.fullmatch(re.escape(pattern).replace("NAME", r"\w+") + inside, path)


def test_a_segment(project):
    project.write("conf/segment/keen.yaml", "weight: 30\nattention: 2.0  # x (assumption)\n")
    check_touched(project, "a segment")
    assert "segments.keen" in project.run("+segment@segments.keen=keen").index.get_level_values("group")


def test_a_cohort(project):
    project.write("conf/cohort/teens.yaml", "weight: 20\nhabit_weight: 0.5  # x (assumption)\n")
    check_touched(project, "a cohort")
    project.run("+cohort@cohorts.teens=teens")
    assert "teens" in project.python("-m", "sim", "market=stands", "+cohort@cohorts.teens=teens", "--cfg", "job")


def test_a_firm(project, usual):
    project.write("conf/firm/kiosk.yaml", "presence: 0.5  # relative (assumption)\n")
    check_touched(project, "a firm")
    found = project.run("+firm@firms.kiosk=kiosk")
    assert found["all", "kiosk", "share"] > 0.1 and found["all", "left", "share"] < usual["all", "left", "share"]


def test_a_market(project):
    project.write("conf/market/mine.yaml", MARKET.replace("left", "north").replace("Two stands", "My market"))
    check_touched(project, "a market")
    assert project.run("market=mine")["all", "north", "share"] > 0.5 and "My market" in project.shown


def test_a_scandal(project, usual):
    project.write("conf/scandal/rude.yaml", SCANDAL)
    check_touched(project, "a scandal")
    assert project.run("scandal=rude")["all", "left", "share"] < usual["all", "left", "share"] - 0.02  # the same draws


def test_a_kind_of_scandal(project, usual):
    project.write("conf/kind/taste.yaml", 'meaning: "bad taste"\ncare: 4.0  # weight (assumption)\n')
    check_touched(project, "a kind of scandal")
    kind = ("+kind@kinds.taste=taste", "+scandals.x.kind=taste", "+scandals.x.firm=left", "+scandals.x.week=4")
    loud = (*kind, "+scandals.x.severity=5", "+scandals.x.reach=1")
    cared = project.run(*loud)["all", "left", "share"]
    assert cared < usual["all", "left", "share"] - 0.05
    unmoved = [f"+segments.{name}.care.taste=0" for name in ("ethical", "skeptical", "habitual")]
    assert project.run(*loud, *unmoved)["all", "left", "share"] > cared + 0.03


def test_a_lever(project, usual):
    project.write("conf/lever/gift.yaml", LEVER)
    check_touched(project, "a lever (a number of a firm set in a week)")
    assert project.run("lever=gift")["all", "right", "share"] > usual["all", "right", "share"] + 0.05


def test_a_metric(project):
    file = "sim/measure/metrics/firm.py"
    project.write(file, (project.folder / file).read_text(encoding="utf-8") + METRIC)
    check_touched(project, "a metric")
    found = project.run()
    assert found["all", "left", "double_share"] == pytest.approx(2 * found["all", "left", "share"])
    assert "doubled" in project.shown
    purchases = "customer,date,brand\n" + "".join(f"{i % 40},{i},{'ab'[i % 3 // 2]}\n" for i in range(200))
    (project.folder.parent / "panel.csv").write_text(purchases)
    measured = project.python("-m", "sim", "panel=../panel.csv", "panel.out=../measured")
    assert "doubled" in measured


def test_an_experiment(project):
    project.write("experiments/two_stands.py", EXPERIMENT)
    check_touched(project, "an experiment")
    project.python("-m", "experiments.two_stands", "--fast")
    assert len(pd.read_parquet(project.folder / "outputs/experiments/two_stands.parquet")) == 2


def test_a_trait_and_a_lever_that_acts_in_a_new_way(project, usual):
    """Both in one copy, for what is compiled anew takes a while."""
    for edits, row in ((TRAIT, "a trait of consumers"), (LEVER_ANEW, "a lever that acts in a new way")):
        for edit in edits:
            project.insert(*edit)
        check_touched(project, row)
    same = project.run()
    assert same["all", "left", "share"] == usual["all", "left", "share"], "neutral until it is set"
    thrifty = project.run("consumer.thrift=20", "segments.ethical.thrift=2", "firms.left.price=0.7")
    assert thrifty["all", "left", "share"] > project.run("firms.left.price=0.7")["all", "left", "share"] + 0.05
    charming = ("+moves.smile.firm=right", "+moves.smile.lever=charm", "+moves.smile.value=10", "+moves.smile.week=4")
    assert project.run(*charming)["all", "right", "share"] > usual["all", "right", "share"] + 0.1
