"""Every experiment that has a fast form is run small: it yields its table and its figure, with errors of estimate."""

import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from sim import study
from sim.model.declare import ScenarioError
from sim.report.experiment import keep, largest, play, said
from sim.study.store import read_metadata
from sim.study.twins import with_and_without_events

FOLDER = Path(__file__).parents[1] / "experiments"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if '\nFAST = {"people"' in path.read_text(encoding="utf-8"))


def load(path):
    spec = importlib.util.spec_from_file_location(f"experiments_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # so few people leave some folds without anybody
def test_an_experiment_yields_its_table_and_figure(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    module = load(path)
    table = module.main(**module.FAST)
    kept = tmp_path / "outputs" / "experiments" / path.stem
    found = read_metadata(kept.with_suffix(".parquet"))["finding"]
    assert re.search(r"\d", found) or "too few" in found, "the finding gives numbers of this result"
    assert all(f"Finding: {line}" in capsys.readouterr().out for line in found.splitlines()[:1])
    assert len(pd.read_parquet(kept.with_suffix(".parquet"))) == len(table) > 0
    assert [c for c in table.columns if "error" in c], "no number without its standard error"
    for kind in (".png", ".svg"):
        assert kept.with_suffix(kind).stat().st_size > 5000


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_an_experiment_says_what_it_asks_and_computes_what_it_finds(path):
    module = load(path)
    for part in ("Question:", "Design:", "Reading:"):
        assert part in module.__doc__
    assert not re.search(r"Finding.*\d", module.__doc__, re.DOTALL), "findings are computed from the result (`finding`)"
    assert callable(module.finding)


def test_an_experiment_is_run_as_asked(monkeypatch, capsys):
    called = []

    def main(people=10, replications=3):
        called.append((people, replications))

    for words in ([], ["--fast"], ["--fast", "replications=7"], ["people=5"]):
        monkeypatch.setattr(sys, "argv", ["script", *words])
        play(main, {"people": 2, "replications": 1})
    assert called == [(10, 3), (2, 1), (2, 7), (5, 3)]
    for wrong in ("persons=3", "people=many"):
        monkeypatch.setattr(sys, "argv", ["script", wrong])
        with pytest.raises(SystemExit, match=r"usage: script \[--fast\] \[people=NUMBER\]"):
            play(main, {})


def test_coverage_is_counted_and_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = load(FOLDER / "coverage.py")
    monkeypatch.setattr(module, "SIZES", (200, 300))
    monkeypatch.setattr(module, "EVENTS", {"Bud Light": ["scandal=boycott_budlight"]})
    module.CACHE.mkdir(parents=True)
    counts = module._of_metrics("toothpaste_uk", 200, 3)
    assert 0 < counts["share"][1] <= 3 * len(study.uncalibrated("market=toothpaste_uk").firms)
    assert all(0 <= held <= intervals for held, intervals in counts.values())
    table = module.main(seeds=2, people=200, part=3)
    assert set(table["part"]) == {3} and table["intervals"].sum() > 0
    monkeypatch.setattr(module, "_of_twins", None)  # what is kept is not done again
    assert module.main(seeds=2, people=200, part=3).equals(table)


TABLE, FIGURE = pd.DataFrame({"x": [1]}), Figure()


@pytest.mark.parametrize("kind", ["parquet", "png", "svg"])
@pytest.mark.parametrize("made", ["text", "another's", "a folder", "a link"])
def test_an_experiment_replaces_only_its_own_output(tmp_path, monkeypatch, kind, made):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mine.py"])
    folder = tmp_path / "outputs" / "experiments"
    keep("mine", TABLE, FIGURE)
    keep("mine", TABLE.assign(x=2), FIGURE)
    assert pd.read_parquet(folder / "mine.parquet").x.tolist() == [2], "its own is replaced"
    for path in folder.iterdir():
        path.unlink()
    keep("other", TABLE, FIGURE)
    taken = folder / f"mine.{kind}"
    makers = {
        "text": lambda: taken.write_text("diary"),
        "another's": lambda: shutil.copy(folder / f"other.{kind}", taken),
        "a folder": taken.mkdir,
        "a link": lambda: taken.symlink_to(folder / f"other.{kind}"),
    }
    makers[made]()
    before = sorted(p.name for p in folder.iterdir())
    with pytest.raises(ScenarioError, match=f"mine.{kind}: is there already and is not an output of mine"):
        keep("mine", TABLE, FIGURE)
    with pytest.raises(SystemExit, match="is there already"):
        play(lambda: pytest.fail("run"), {})
    assert sorted(p.name for p in folder.iterdir()) == before


SCANDALS = load(FOLDER / "scandals.py")


def test_records_are_chained_on_the_year_before_and_set_against_the_market():
    chipotle = SCANDALS.recorded(SCANDALS.SCANDALS["food_safety_chipotle"])
    assert chipotle.low.iloc[-1] == pytest.approx(0.854 * 0.952 - 1)
    assert chipotle["first"].tolist()[:2] == [-4, 9] and chipotle["last"].tolist()[:2] == [9, 22]
    german = SCANDALS.recorded(SCANDALS.SCANDALS["dieselgate_de"])
    assert german.low[1] == pytest.approx(0.98 / 1.089 - 1)
    target = SCANDALS.recorded(SCANDALS.SCANDALS["breach_target"])
    assert (target.low[0], target.high[0]) == pytest.approx((-0.08, -0.07))


def test_severity_scales_with_what_a_scandal_touches():
    scale = {"body": set(), "money": set(), "data": set(), "conscience": set()}
    for name, scandal in SCANDALS.SCANDALS.items():
        (event,) = study.uncalibrated(f"scandal={name}").scandals.values()
        scale[scandal["touches"]].add(event.severity)
    found = [severity for kind in scale.values() for severity in kind]
    assert len(found) == len(scale) and found == sorted(found, reverse=True)
    assert scale["data"] == scale["conscience"], "the cases see no difference (conf/casebook.yaml)"


@pytest.mark.parametrize(("name", "done", "said"), [("breach_talktalk", -0.1, -0.3), ("boycott_budlight", -0.4, -0.8)])
def test_everyone_walks_away_in_the_world_of_surveys_only(name, done, said):
    told = study.scenario(f"scandal={name}", "people=1500")
    drops = []
    for scenario in (told, SCANDALS.surveyed(told)):
        week = min(s.week for s in scenario.scandals.values())
        first, last = (week + w for w in SCANDALS.NEWS)
        drops.append(SCANDALS.measured(SCANDALS.uses(with_and_without_events(scenario)), "sales", first, last).value)
    assert done < drops[0] < 0 and drops[1] < said


def test_a_finding_says_no_more_than_its_error_allows():
    assert said(0.1, 0.21) == "no change detected (between -0.3 and +0.5 points)"
    assert said(1.0, float("nan")) == "too few to tell"
    rows = pd.DataFrame({"name": ["a", "b", "c"], "value": [3.0, 2.9, 1.0], "error": [0.1, 0.1, 0.1]})
    assert largest(rows, "name") == "a or b"
